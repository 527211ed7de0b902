/* Rates: in no stretch of a time do more start than may, whichever node starts them. */
#include "engine/admission/rates.h"

#include "world.h"

#include <string.h>

static uint32_t few(struct world *world)
{
    return 1 + (world_chance(world, 70) ? 0 : (uint32_t)world_random(world, 4));
}

static struct queue_rate rate_any(struct world *world)
{
    static const int64_t spans[] = { 7, 500, 3000, 10000, 30000 };

    if (world_chance(world, 25))
        return (struct queue_rate){ 0 };
    return (struct queue_rate){ few(world), few(world),
                                spans[world_random(world, sizeof spans / sizeof spans[0])] };
}

void rates_draw(struct world *world)
{
    world->rate = rate_any(world);
    world->key_rate = rate_any(world);
    rates_forget(world);
}

void rates_forget(struct world *world)
{
    world->starts.count = 0;
}

static void start_add(struct world *world, int64_t scope)
{
    struct known_starts *starts = &world->starts;

    if (starts->count == STARTS_MAX) {
        starts->count /= 2;
        memmove(starts->items, &starts->items[STARTS_MAX / 2],
                starts->count * sizeof *starts->items);
    }
    starts->items[starts->count++] = (struct known_start){ scope, world->batch_ms };
}

/* In a time that ends now, this one and those before it. */
static void scope_check(struct world *world, int64_t scope, const struct queue_rate *rate)
{
    uint32_t count = 0, most = rate->limit + rate->burst - 1;

    if (rate->limit == 0)
        return;
    start_add(world, scope);
    for (uint32_t i = 0; i < world->starts.count; i++) {
        const struct known_start *start = &world->starts.items[i];
        count += start->scope == scope && start->at_ms > world->batch_ms - rate->per_ms &&
                 start->at_ms <= world->batch_ms;
    }
    if (count > most)
        world_flaw(world, "%s %lld has started %u runs in %lld ms, and may %u",
                   scope < 0 ? "queue" : "lane", (long long)(scope < 0 ? -scope : scope), count,
                   (long long)rate->per_ms, most);
}

int64_t rates_pushed_ms(struct world *world, const struct run *run)
{
    const struct rate *row =
        (const struct rate *)store_memory_get(world->memory, ROW_RATE, run->lane);

    return row == NULL ? 0 : row->pushed_ms;
}

/* Nodes that have not heard of it yet go by another rate. */
void rates_check_start(struct world *world, const struct run *started)
{
    const struct queue *queue = store_memory_queue(world->memory, started->queue);

    /* Another node may just have begun to start it. */
    if (host_is_alone(world) && rates_pushed_ms(world, started) > world->batch_ms)
        world_flaw(world, "run %lld started %lld ms before its lane may",
                   (long long)started->id,
                   (long long)(rates_pushed_ms(world, started) - world->batch_ms));
    if (!hosts_have_heard(world)) {
        rates_forget(world);
        return;
    }
    if (slice_is(queue->name, "slow"))
        scope_check(world, -queue->id, &world->rate);
    if (slice_is(queue->name, "fast") && started->lane != started->queue)
        scope_check(world, started->lane, &world->key_rate);
}

static int64_t scope_opens_ms(struct world *world, int64_t scope, const struct queue_rate *rate)
{
    const struct rate *row =
        (const struct rate *)store_memory_get(world->memory, ROW_RATE, scope);

    return rate_opens_ms(rate, row, world->steady_ms);
}

int64_t rates_open_ms(struct world *world, const struct run *run, const struct queue *queue)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    int64_t queue_ms =
        scope_opens_ms(world, -queue->id, catalog_rate(catalog, queue->name, false));
    int64_t lane_ms = scope_opens_ms(
        world, run->lane,
        run->lane == run->queue ? NULL : catalog_rate(catalog, queue->name, true));

    return queue_ms > lane_ms ? queue_ms : lane_ms;
}
