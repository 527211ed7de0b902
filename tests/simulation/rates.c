/* Rates: in no stretch of a time do more start than may, whichever node starts them. */
#include "engine/admission/rates.h"

#include "codec/expression.h"
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
    world->starts.rate_cost =
        world_chance(world, 30) ? 0
                                : 1 + (uint32_t)world_random(world, world->rate.burst + 1) / 2;
    world->starts.key_rate_cost =
        1 + (uint32_t)world_random(world, world->key_rate.burst + 1) / 2;
    rates_forget(world);
}

void rates_rules(struct world *world, struct arena *arena, uint32_t queue,
                 struct queue_rules *rules)
{
    struct expression_flaw flaw;

    if (queue == 0) {
        rules->key_rate = world->key_rate;
        rules->key_rate_cost.number = world->starts.key_rate_cost;
    }
    if (queue != 1)
        return;
    rules->rate = world->rate;
    rules->rate_cost.number = world->starts.rate_cost;
    if (world->starts.rate_cost == 0)
        rules->rate_cost.expression =
            expression_compile(arena, SLICE("payload.n"), EXPRESSION_NUMBER, &flaw);
}

/* ---- costs ------------------------------------------------------------------------------- */

/* By its trigger, or by its payload; 0: as the queue says. False: no rate can pay it. */
static bool cost_expected(struct world *world, const struct trigger *trigger,
                          struct slice queue, bool of_key, uint32_t *cost)
{
    bool is_here = slice_is(queue, of_key ? "fast" : "slow");
    const struct queue_rate *rate = of_key ? &world->key_rate : &world->rate;
    bool has_number = trigger->payload.size == 4 && slice_starts(trigger->payload, "\x81\xa1n");
    bool asks_payload = is_here && !of_key && world->starts.rate_cost == 0;

    *cost = trigger->cost;
    if (*cost == 0 && asks_payload)
        *cost = has_number ? (uint32_t)trigger->payload.data[3] : UINT32_MAX;
    return *cost <= (is_here && rate->limit > 0 ? rate->burst : RUN_COST_MOST);
}

bool rates_may_refuse(struct world *world, const struct trigger *trigger)
{
    uint32_t cost;

    return !hosts_have_heard(world) ||
           !cost_expected(world, trigger, trigger->queue, false, &cost) ||
           !cost_expected(world, trigger, trigger->queue, true, &cost);
}

void rates_check_made(struct world *world, const struct trigger *trigger, const struct run *run,
                      struct slice queue)
{
    uint32_t cost;

    for (int of_key = 0; of_key < 2 && hosts_have_heard(world); of_key++) {
        bool can_pay = cost_expected(world, trigger, queue, of_key == 1, &cost);
        if (of_key == 1 && run->lane == run->queue)
            cost = 0;
        else if (!can_pay && trigger->is_accepted)
            continue;
        if (cost != run_cost(run, of_key == 1) || (cost != 0 && !can_pay))
            world_flaw(world, "run %lld costs %u, and was to cost %u", (long long)run->id,
                       run_cost(run, of_key == 1), cost);
    }
}

/* What a start of it is to be charged. */
static uint32_t cost_now(const struct world *world, const struct run *run, bool of_key)
{
    const struct queue_rate *rate = of_key ? &world->key_rate : &world->rate;
    uint32_t usual = of_key ? world->starts.key_rate_cost : world->starts.rate_cost;
    uint32_t cost = run_cost(run, of_key) != 0 ? run_cost(run, of_key) : usual;

    cost = cost == 0 ? 1 : cost;
    return cost < rate->burst ? cost : rate->burst;
}

/* ---- starts ------------------------------------------------------------------------------ */

void rates_forget(struct world *world)
{
    world->starts.count = 0;
}

static void start_add(struct world *world, int64_t scope, uint32_t cost)
{
    struct known_starts *starts = &world->starts;

    if (starts->count == STARTS_MAX) {
        starts->count /= 2;
        memmove(starts->items, &starts->items[STARTS_MAX / 2],
                starts->count * sizeof *starts->items);
    }
    starts->items[starts->count++] = (struct known_start){ scope, world->batch_ms, cost };
}

/* In a time that ends now, this one and those before it. */
static void scope_check(struct world *world, int64_t scope, const struct queue_rate *rate,
                        uint32_t cost)
{
    uint32_t count = 0, most = rate->limit + rate->burst - 1;

    if (rate->limit == 0)
        return;
    start_add(world, scope, cost);
    for (uint32_t i = 0; i < world->starts.count; i++) {
        const struct known_start *start = &world->starts.items[i];
        if (start->scope == scope && start->at_ms > world->batch_ms - rate->per_ms &&
            start->at_ms <= world->batch_ms)
            count += start->cost;
    }
    if (count > most)
        world_flaw(world, "%s %lld has started what costs %u in %lld ms, and may %u",
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
        scope_check(world, -queue->id, &world->rate, cost_now(world, started, false));
    if (slice_is(queue->name, "fast") && started->lane != started->queue)
        scope_check(world, started->lane, &world->key_rate, cost_now(world, started, true));
}

/* For the dearest that waits there: the others may have to wait for it. */
static int64_t scope_opens_ms(struct world *world, int64_t scope, const struct queue_rate *rate,
                              const struct queue_amount *usual)
{
    const struct rate *row =
        (const struct rate *)store_memory_get(world->memory, ROW_RATE, scope);
    uint32_t most = 1;

    for (uint32_t i = 0; rate != NULL && i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        if (run->status != RUN_QUEUED || (scope > 0 ? run->lane : -run->queue) != scope)
            continue;
        uint32_t cost = rate_cost(rate, usual, run, scope > 0);
        most = cost > most ? cost : most;
    }
    return rate_opens_ms(rate, row, most, world->steady_ms);
}

int64_t rates_open_ms(struct world *world, const struct run *run, const struct queue *queue)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    const struct queue_rules *rules = catalog_rules(catalog, queue->name);
    int64_t queue_ms = scope_opens_ms(
        world, -queue->id, catalog_rate(catalog, queue->name, false), &rules->rate_cost);
    int64_t lane_ms = scope_opens_ms(
        world, run->lane,
        run->lane == run->queue ? NULL : catalog_rate(catalog, queue->name, true),
        &rules->key_rate_cost);

    return queue_ms > lane_ms ? queue_ms : lane_ms;
}
