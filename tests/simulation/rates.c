/* Rates: in no stretch of a time do more start than may, whichever node starts them. */
#include "engine/admission/rates.h"

#include "codec/expression.h"
#include "model.h"

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

void rates_say(struct world *world, struct queue_limit *limit)
{
    uint32_t which = (uint32_t)world_random(world, 3);

    for (uint32_t i = 0; i < 2; i++) {
        limit->sets[i] = which != i;
        limit->rates[i] = rate_any(world);
    }
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

static const struct queue *world_queue(struct world *world, uint32_t environment,
                                       struct slice name)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_QUEUE); i++) {
        const struct queue *queue =
            (const struct queue *)store_memory_at(world->memory, ROW_QUEUE, i);
        if (queue->environment == environment && slice_equal(queue->name, name))
            return queue;
    }
    return NULL;
}

/* Not when somebody has just set another. */
static bool is_known(const struct look *look)
{
    for (uint32_t i = 0; i < look->batch->count; i++) {
        const struct command *command = look->batch->commands[i];
        if (command->kind == COMMAND_QUEUE_LIMIT &&
            (command->queue_limit.sets[0] || command->queue_limit.sets[1]))
            return false;
    }
    return hosts_have_heard(look->world);
}

/* What is configured for queues of that name; limit 0: nothing. */
static struct queue_rate rate_configured(const struct world *world, struct slice queue,
                                         bool of_key)
{
    return slice_is(queue, of_key ? "fast" : "slow") ? (of_key ? world->key_rate : world->rate)
                                                     : (struct queue_rate){ 0 };
}

static struct queue_rate rate_in(const struct world *world, const struct queue *queue,
                                 bool of_key)
{
    struct set_rate set;

    return queue_rate_set(queue, of_key, &set)
               ? (struct queue_rate){ set.limit, set.burst, set.per_ms }
               : rate_configured(world, queue->name, of_key);
}

/* By its trigger, or by its payload; 0: as the queue says. False: no rate can pay it. */
static bool cost_expected(struct world *world, const struct trigger *trigger,
                          struct slice queue, bool of_key, uint32_t *cost)
{
    const struct queue *known = world_queue(world, trigger->environment, queue);
    struct queue_rate rate =
        known == NULL ? rate_configured(world, queue, of_key) : rate_in(world, known, of_key);
    bool is_here = slice_is(queue, of_key ? "fast" : "slow");
    bool has_number = trigger->payload.size == 4 && slice_starts(trigger->payload, "\x81\xa1n");
    bool asks_payload = is_here && !of_key && world->starts.rate_cost == 0;

    *cost = trigger->cost;
    if (*cost == 0 && asks_payload)
        *cost = has_number ? (uint32_t)trigger->payload.data[3] : UINT32_MAX;
    return *cost <= (rate.limit > 0 ? rate.burst : RUN_COST_MOST);
}

bool rates_may_refuse(const struct look *look, const struct trigger *trigger)
{
    struct world *world = look->world;
    uint32_t cost;

    return !is_known(look) || !cost_expected(world, trigger, trigger->queue, false, &cost) ||
           !cost_expected(world, trigger, trigger->queue, true, &cost);
}

void rates_check_made(const struct look *look, const struct trigger *trigger,
                      const struct run *run, struct slice queue)
{
    struct world *world = look->world;
    uint32_t cost;

    for (int of_key = 0; of_key < 2 && is_known(look); of_key++) {
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
static uint32_t cost_now(const struct world *world, const struct queue *queue,
                         const struct run *run, const struct queue_rate *rate, bool of_key)
{
    bool is_here = slice_is(queue->name, of_key ? "fast" : "slow");
    uint32_t usual = !is_here ? 1
                     : of_key ? world->starts.key_rate_cost
                              : world->starts.rate_cost;
    uint32_t cost = run_cost(run, of_key) != 0 ? run_cost(run, of_key) : usual;

    cost = cost == 0 ? 1 : cost;
    return cost < rate->burst ? cost : rate->burst;
}

/* ---- starts ------------------------------------------------------------------------------ */

void rates_forget(struct world *world)
{
    world->starts.count = 0;
}

static void start_add(struct world *world, int64_t scope, const struct queue_rate *rate,
                      uint32_t cost)
{
    struct known_starts *starts = &world->starts;

    for (uint32_t i = 0; i < starts->count; i++) {
        struct known_start *start = &starts->items[i];
        if (start->scope == scope &&
            (start->limit != rate->limit || start->burst != rate->burst ||
             start->per_ms != rate->per_ms))
            start->scope = 0; /* by another rate */
    }

    if (starts->count == STARTS_MAX) {
        starts->count /= 2;
        memmove(starts->items, &starts->items[STARTS_MAX / 2],
                starts->count * sizeof *starts->items);
    }
    starts->items[starts->count++] =
        (struct known_start){ scope,       world->batch_ms, rate->per_ms,
                              rate->limit, rate->burst,     cost };
}

/* In a time that ends now, this one and those before it. */
static void scope_check(struct world *world, int64_t scope, const struct queue_rate *rate,
                        uint32_t cost)
{
    uint32_t count = 0, most = rate->limit + rate->burst - 1;

    if (rate->limit == 0)
        return;
    start_add(world, scope, rate, cost);
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
    for (int of_key = 0; of_key <= (started->lane != started->queue); of_key++) {
        struct queue_rate rate = rate_in(world, queue, of_key == 1);
        scope_check(world, of_key == 1 ? started->lane : -queue->id, &rate,
                    cost_now(world, queue, started, &rate, of_key == 1));
    }
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
    struct queue_rate room, key_room;
    int64_t queue_ms = scope_opens_ms(
        world, -queue->id, catalog_rate_now(catalog, queue, false, &room), &rules->rate_cost);
    int64_t lane_ms = scope_opens_ms(
        world, run->lane,
        run->lane == run->queue ? NULL : catalog_rate_now(catalog, queue, true, &key_room),
        &rules->key_rate_cost);

    return queue_ms > lane_ms ? queue_ms : lane_ms;
}
