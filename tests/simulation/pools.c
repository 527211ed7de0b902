/* Pools: what runs holds no more than there is, and what is free is used. */
#include "pools.h"

#include "engine/nodes.h"
#include "hosts.h"
#include "world.h"

static const char *const names[POOLS] = { "gpu", "licence" };

void pools_draw(struct world *world)
{
    struct known_pools *pools = &world->pools;
    bool has_any = world_chance(world, 60);

    *pools = (struct known_pools){ .last_epoch = world->last_epoch };
    for (int p = 0; has_any && p < POOLS; p++) {
        pools->tokens[p] = (uint32_t)world_random(world, 5);
        for (int q = 0; pools->tokens[p] > 0 && q < POOL_QUEUES; q++)
            pools->uses[q][p] = (uint32_t)world_random(world, pools->tokens[p] + 1);
    }
}

void pools_offer(const struct world *world, struct catalog *catalog)
{
    catalog->pools = ARENA_ARRAY(&catalog->arena, struct catalog_pool, POOLS);
    for (int p = 0; p < POOLS; p++)
        if (world->pools.tokens[p] > 0)
            catalog->pools[catalog->pool_count++] =
                (struct catalog_pool){ .name = slice_of(names[p]),
                                       .tokens = world->pools.tokens[p] };
}

void pools_rules(const struct world *world, struct catalog *catalog, uint32_t queue,
                 struct queue_rules *rules)
{
    rules->uses.items = ARENA_ARRAY(&catalog->arena, struct queue_use, POOLS);
    for (int p = 0; p < POOLS; p++)
        if (world->pools.uses[queue][p] > 0)
            rules->uses.items[rules->uses.count++] =
                (struct queue_use){ slice_of(names[p]), world->pools.uses[queue][p] };
}

static uint32_t need_of(struct world *world, int64_t queue, uint32_t pool)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    const struct queue *row = store_memory_queue(world->memory, queue);
    struct catalog_uses uses = catalog_uses(catalog, row->name);

    for (uint32_t i = 0; i < uses.count; i++)
        if (uses.items[i].pool == pool)
            return uses.items[i].tokens;
    return 0;
}

/* By all nodes. */
static uint32_t in_use(struct world *world, uint32_t pool)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run_is_executing(run))
            sum += need_of(world, run->queue, pool);
    }
    return sum;
}

/* Do runs of dead nodes hold what they needed by what there was before? */
static bool has_older(struct world *world)
{
    uint32_t host = world->host;
    bool has = false;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        bool is_older = run_is_executing(run) && run->epoch <= world->pools.last_epoch;
        for (uint32_t k = 0; is_older && k < world->host_count; k++) {
            host_turn(world, k);
            is_older &= world->number != run->node;
        }
        has |= is_older;
    }
    host_turn(world, host);
    return has;
}

void pools_check_start(struct world *world, const struct run *started)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    struct known_pools *pools = &world->pools;

    /* What others run may be counted by other needs until they have heard of these, and by this
     * node until it has looked again. */
    if (!hosts_have_heard(world))
        pools->heard_ms = 0;
    else if (pools->heard_ms == 0)
        pools->heard_ms = world->batch_ms;
    if (!host_is_alone(world) &&
        (pools->heard_ms == 0 || world->batch_ms - pools->heard_ms <= NODE_POLL_MS))
        return;
    if (!host_is_alone(world) && has_older(world))
        return;
    for (uint32_t p = 0; p < catalog->pool_count; p++) {
        uint32_t held = in_use(world, p);
        if (need_of(world, started->queue, p) > 0 && held > catalog->pools[p].tokens)
            world_flaw(world, "run %lld started, and %u tokens of %.*s are held, of %u",
                       (long long)started->id, held, SLICE_ARG(catalog->pools[p].name),
                       catalog->pools[p].tokens);
    }
}

/* What others who wait may have reserved: the most that one of them needs. */
static uint32_t others_need(struct world *world, const struct run *beside, uint32_t pool)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->status != RUN_QUEUED || run->queue == beside->queue)
            continue;
        uint32_t need = need_of(world, run->queue, pool);
        most = need > most ? need : most;
    }
    return most;
}

/* What nodes hold that may not be there. */
static uint32_t granted(struct world *world, int64_t scope)
{
    const struct grant *grant =
        (const struct grant *)store_memory_get(world->memory, ROW_GRANT, scope);
    uint32_t sum = 0, count;

    for (size_t at = 0; grant != NULL && at + 8 <= grant->holders.size; at += 8) {
        memcpy(&count, grant->holders.data + at + 4, sizeof count);
        sum += count;
    }
    return sum;
}

bool pools_may_hold(struct world *world, const struct run *run, const struct queue *queue)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    struct catalog_uses uses = catalog_uses(catalog, queue->name);
    bool is_free = true, may_hold = false;

    for (uint32_t p = 0; p < catalog->pool_count; p++)
        is_free &= in_use(world, p) == 0 && granted(world, catalog->pools[p].scope) == 0;
    for (uint32_t i = 0; i < uses.count; i++) {
        uint32_t pool = uses.items[i].pool;
        uint32_t held = in_use(world, pool) + granted(world, catalog->pools[pool].scope);
        may_hold |= held + uses.items[i].tokens + others_need(world, run, pool) >
                    catalog->pools[pool].tokens;
    }
    return may_hold && !is_free; /* when nobody holds anything somebody starts */
}

void bursts_draw(struct world *world)
{
    for (int i = 0; i < ENVIRONMENTS; i++) {
        struct config_burst *burst = &world->bursts[i];
        *burst = (struct config_burst){ 0 };
        if (!world_chance(world, 30))
            continue;
        burst->base = 1 + (uint32_t)world_random(world, 3);
        burst->most = burst->base + (uint32_t)world_random(world, burst->base + 1);
    }
}
