/*
 * Nodes: several hosts over one memory store, each with an engine, slots and a batch of its
 * own. The world's members between `store` and `node_end` are those of the host whose turn it
 * is. While one host's batch is under way, between any two calls of its store, another may run
 * a whole batch, so that what the first has loaded is no longer so. Hosts are cut off from the
 * store for longer than their lease, and come back late.
 */
#include "engine/nodes.h"

#include "base/memory.h"
#include "world.h"

#include <stddef.h>
#include <stdlib.h>

enum { FIRST = offsetof(struct world, store), SIZE = offsetof(struct world, node_end) - FIRST };

struct host {
    char bytes[SIZE];
};

bool host_is_alone(const struct world *world)
{
    return world->host_count == 1;
}

void host_turn(struct world *world, uint32_t host)
{
    char *members = (char *)world + FIRST;

    if (host == world->host)
        return;
    memcpy(world->hosts[world->host].bytes, members, SIZE);
    memcpy(members, world->hosts[host].bytes, SIZE);
    world->host = host;
}

/* Who has it may not have joined yet: his ids are of that number. */
static bool is_taken(struct world *world, uint32_t number)
{
    uint32_t host = world->host;
    bool taken = store_memory_get(world->memory, ROW_NODE, number) != NULL;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        taken |= i != host && world->number == number && !world->has_joined;
    }
    host_turn(world, host);
    return taken;
}

uint32_t host_number(struct world *world)
{
    uint32_t number = 1;

    while (is_taken(world, number))
        number++;
    return number;
}

/* Is it this turn's node's row? */
static bool is_its(const struct world *world, const struct node *node)
{
    return node != NULL && node->number == world->number && node->epoch == world->epoch;
}

static bool is_away(const struct world *world)
{
    return world->away_until_ms > world->steady_ms;
}

void host_any(struct world *world)
{
    if (host_is_alone(world))
        return;
    for (int tries = 0; tries < 20; tries++) {
        host_turn(world, (uint32_t)world_random(world, world->host_count));
        if (!is_away(world))
            return;
    }
    world->away_until_ms = 0; /* the last one comes back */
}

/* Between two calls of one node's store, another runs a batch. */
static void between(void *context)
{
    struct world *world = context;
    uint32_t host = world->host;

    if (world->is_between || !world_chance(world, 6))
        return;
    world->is_between = true;
    if (world_chance(world, 5) && !world->drains) { /* it comes back when its lease is over */
        int64_t away_ms = world->away_until_ms;
        world->away_until_ms = INT64_MAX;
        world_pass(world, 2000 + (int64_t)world_random(world, NODE_LEASE_MS));
        world->away_until_ms = away_ms;
    }
    host_turn(world, (uint32_t)world_random(world, world->host_count));
    if (world->host != host && !is_away(world) && world->engine != NULL)
        world_batch(world);
    host_turn(world, host);
    world->is_between = false;
}

static void host_open(struct world *world, struct store *store)
{
    world->store = store;
    world->held = memory_zeroed(HELD_MAX, sizeof *world->held);
    world->commands = memory_zeroed(BATCH_MAX, sizeof *world->commands);
    world->ids = memory_zeroed(1, sizeof *world->ids);
    for (int i = 0; i < TASKS; i++)
        world->available[i] = true;
}

void hosts_open(struct world *world, uint32_t nodes, struct store *first)
{
    world->host_count = nodes;
    world->hosts = memory_zeroed(nodes, sizeof *world->hosts);
    host_open(world, first);
    for (uint32_t i = 1; i < nodes; i++) {
        host_turn(world, i);
        host_open(world, store_memory_share(first));
    }
    for (uint32_t i = 0; i < nodes; i++) {
        host_turn(world, i);
        world_start(world);
        if (nodes > 1)
            store_memory_between(world->store, between, world);
    }
}

void hosts_close(struct world *world)
{
    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        for (uint32_t k = 0; k < world->command_count; k++)
            if (world->commands[k].kind == COMMAND_CATALOG &&
                world->commands[k].catalog.next != world->catalog)
                catalog_destroy(world->commands[k].catalog.next);
        union {
            const struct catalog *used;
            struct catalog *own;
        } used = { .used = engine_catalog(world->engine) };
        if (used.own != world->catalog)
            catalog_destroy(used.own);
        catalog_destroy(world->catalog);
        engine_destroy(world->engine);
        world->store->ops->close(world->store);
        free(world->held);
        free(world->commands);
        free(world->ids);
    }
    free(world->hosts);
}

void host_cut(struct world *world)
{
    if (!host_is_alone(world) && !world->drains)
        world->away_until_ms =
            world->steady_ms + (int64_t)world_random(world, 3 * (uint64_t)NODE_LEASE_MS);
}

/* ---- limits --------------------------------------------------------------------------------
 */

/* Has every node that was there when those limits were replaced gone, or heard? */
static bool is_forgotten(struct world *world, const struct past_limits *past)
{
    uint32_t host = world->host;
    bool is = true;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_NODE); i++) {
        const struct node *node =
            (const struct node *)store_memory_at(world->memory, ROW_NODE, i);
        bool has_heard = node->number == 0 || node->epoch > past->last_epoch;
        for (uint32_t k = 0; k < world->host_count; k++) {
            host_turn(world, k);
            has_heard |= is_its(world, node) && world->limits_seen > past->version;
        }
        is &= has_heard;
    }
    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        is &= world->limits_made > past->version; /* it may not have joined yet */
    }
    host_turn(world, host);
    return is;
}

void hosts_past(struct world *world)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < world->past_count; i++)
        if (!is_forgotten(world, &world->past[i]))
            world->past[kept++] = world->past[i];
    world->past_count = kept;
}

void hosts_limit(struct world *world)
{
    hosts_past(world);
    if (world->past_count == PAST_MOST)
        return;
    if (!host_is_alone(world))
        world->past[world->past_count++] =
            (struct past_limits){ world->queue_limit,    world->key_limit,
                                  world->total_limit,    { world->bursts[0], world->bursts[1] },
                                  world->limits_version, world->last_epoch };
    world->limits_version++;
    if (world->weight > 0) /* a run that waits has the tenant that it has */
        world->weight = 1 + (uint32_t)world_random(world, 3);
    world->queue_limit = 1 + (uint32_t)world_random(world, 4);
    world->key_limit = (uint32_t)world_random(world, 3);
    world->total_limit = (uint32_t)world_random(world, 5);
    if (world_chance(world, 50))
        rates_draw(world);
    if (!host_is_alone(world) && world_chance(world, 30))
        bursts_draw(world);
    if (world_chance(world, 50))
        pools_draw(world);
}

bool hosts_have_heard(struct world *world)
{
    uint32_t host = world->host;
    bool have = true;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        have &= world->limits_seen == world->limits_version;
    }
    host_turn(world, host);
    return have;
}

bool hosts_have_looked(struct world *world, const struct run *run, int64_t since_ms)
{
    uint32_t host = world->host;
    bool has = false;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        has |= run->node == world->number && run->epoch == world->epoch &&
               world->seen_ms >= since_ms + NODE_POLL_MS;
    }
    host_turn(world, host);
    return has;
}

/* ---- what could start does ----------------------------------------------------------------
 */

/* Of the limit: what is used by nodes that are there, and held by those that are not. */
static uint32_t taken(struct world *world, int64_t scope)
{
    struct grant_pair {
        uint32_t node, count;
    } pair;
    const struct grant *grant =
        (const struct grant *)store_memory_get(world->memory, ROW_GRANT, scope);
    uint32_t count = 0, host = world->host;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        count += run_is_executing(run) &&
                 (scope_is_environment(scope) ? run->environment == (uint32_t)scope
                  : scope > 0                 ? run->lane == scope
                                              : run->queue == -scope);
    }
    for (size_t at = 0; grant != NULL && at + sizeof pair <= grant->holders.size;
         at += sizeof pair) {
        bool is_here = false;
        memcpy(&pair, grant->holders.data + at, sizeof pair);
        for (uint32_t i = 0; i < world->host_count; i++) {
            host_turn(world, i);
            is_here |= world->number == pair.node && !is_away(world) &&
                       is_its(world, (const struct node *)store_memory_get(
                                         world->memory, ROW_NODE, pair.node));
        }
        count += is_here ? 0 : pair.count;
    }
    host_turn(world, host);
    return count;
}

/* Is a node there that could start it? */
static bool is_wanted(struct world *world, const struct run *run)
{
    uint32_t host = world->host;
    bool wanted = false;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        const struct catalog *catalog = engine_catalog(world->engine);
        const struct catalog_task *task = catalog_task(catalog, run->task);
        wanted |= !is_away(world) && task != NULL && task->available &&
                  world->held_count < world->slots;
    }
    host_turn(world, host);
    return wanted;
}

/* As the node sees it that allows least: the others may not have their catalog yet. */
static bool is_within(struct world *world, const struct run *run, const struct queue *queue)
{
    uint32_t host = world->host, in_lane = taken(world, run->lane);
    uint32_t in_queue = taken(world, -run->queue), in_all = taken(world, run->environment);
    bool is = true;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        const struct catalog *catalog = engine_catalog(world->engine);
        is &= catalog == NULL ||
              (in_lane < catalog_limit_now(catalog, queue, run->concurrency_key.size > 0) &&
               in_queue < catalog_queue_most(catalog, queue) &&
               in_all < catalog_environment_limit(catalog, run->environment).most &&
               rates_open_ms(world, run, queue) == 0 && !pools_may_hold(world, run, queue));
    }
    host_turn(world, host);
    return is;
}

static bool could_start(struct world *world, const struct run *run)
{
    const struct queue *queue = store_memory_queue(world->memory, run->queue);
    const struct environment *environment = (const struct environment *)store_memory_get(
        world->memory, ROW_ENVIRONMENT, run->environment);

    return run->status == RUN_QUEUED && run->deaths.size == 0 && !queue->paused &&
           !pause_is_ramping(&queue->pause) && !pause_is_ramping(&environment->pause) &&
           !environment->paused && is_wanted(world, run) && is_within(world, run, queue);
}

/* Nothing waits for longer than a second that a node could run. A crash of one of them may take
 * with it what was on its way. */
static void check_waits(struct world *world)
{
    enum { MOST_MS = 1000 };

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        struct known_run *known = known_run(world, run->id, true);
        if (known == NULL)
            continue;
        if (!could_start(world, run))
            known->ready_ms = 0;
        else if (known->ready_ms == 0 || known->ready_ms < world->calm_ms)
            known->ready_ms = world->looked_ms;
        else if (world->looked_ms - known->ready_ms > MOST_MS)
            world_flaw(world, "run %lld could start for %lld ms and waits", (long long)run->id,
                       (long long)(world->looked_ms - known->ready_ms));
    }
}

/* Every node that is there has its turn, and looks: a round, when none of them is disturbed. */
void hosts_pass(struct world *world)
{
    uint32_t host = world->host;
    uint64_t crashes = world->crashes, failures = world->failures;

    if (host_is_alone(world))
        return;
    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        if (!is_away(world))
            world_batch(world);
    }
    host_turn(world, host);
    if (world->drains || world->steady_ms - world->round_ms < NODE_POLL_MS)
        return;
    world->round_ms = world->steady_ms;
    if (world->failures == failures)
        world->looked_ms += NODE_POLL_MS;
    if (world->crashes != crashes)
        world->calm_ms = world->looked_ms;
    check_waits(world);
}

void hosts_join(struct world *world)
{
    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        world->away_until_ms = 0;
    }
}

void host_check(struct world *world, bool is_fenced)
{
    const struct node *node =
        (const struct node *)store_memory_get(world->memory, ROW_NODE, world->number);

    if (world->number == 0)
        return;
    if (!is_fenced && !is_its(world, node))
        world_flaw(world, "node %u wrote, and is dead to the others", world->number);
    if (is_fenced && is_its(world, node))
        world_flaw(world, "node %u was refused, and has its row", world->number);
}

static bool holds(const struct world *world, const struct run *run)
{
    bool is_here = false;

    for (uint32_t i = 0; i < world->held_count; i++)
        is_here |= world->held[i].run_id == run->id &&
                   world->held[i].seq == run->seq - (run->is_out ? 1 : 0) &&
                   run->node == world->number;
    return is_here;
}

uint32_t hosts_hold(struct world *world, const struct run *run)
{
    uint32_t host = world->host, count = 0;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        count += holds(world, run);
    }
    host_turn(world, host);
    return count;
}

/* Of those that are not dead to the others. */
uint32_t hosts_held(struct world *world)
{
    uint32_t host = world->host, count = 0;

    for (uint32_t i = 0; i < world->host_count; i++) {
        host_turn(world, i);
        if (world->number == 0 ||
            store_memory_get(world->memory, ROW_NODE, world->number) != NULL)
            count += world->held_count;
    }
    host_turn(world, host);
    return count;
}
