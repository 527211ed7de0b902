/* What may start, and what must: pauses and limits, over the rows of all nodes. */
#include "hosts.h"
#include "world.h"

/* How many take a place in the run's queue and lane. */
static void running_beside(struct world *world, const struct run *beside, uint32_t *queue,
                           uint32_t *lane)
{
    *queue = *lane = 0;
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        *queue += run_is_executing(run) && run->queue == beside->queue;
        *lane += run_is_executing(run) && run->lane == beside->lane;
    }
}

static bool is_paused(struct world *world, const struct run *run)
{
    const struct environment *environment = (const struct environment *)store_memory_get(
        world->memory, ROW_ENVIRONMENT, run->environment);

    return environment == NULL || environment->paused;
}

static struct past_limits limits_now(const struct world *world)
{
    return (struct past_limits){ .queue = world->queue_limit,
                                 .key = world->key_limit,
                                 .total = world->total_limit,
                                 .bursts = { world->bursts[0], world->bursts[1] } };
}

/* As world.c has it in its catalogs, or as it was set. */
static uint32_t lane_limit(const struct world *world, const struct past_limits *limits,
                           const struct queue *queue, bool has_key)
{
    bool is_fast = slice_is(queue->name, "fast"), is_narrow = slice_is(queue->name, "narrow");
    bool is_named = is_fast || is_narrow || slice_is(queue->name, "slow");

    if (has_key && is_named && world->on_conflict == CONFLICT_CANCEL)
        return 1;
    if (has_key && is_fast && limits->key > 0)
        return limits->key;
    return queue->override_ms != 0 ? queue->override_limit : is_narrow ? 1 : limits->queue;
}

static uint32_t total_limit(const struct past_limits *limits, const struct queue *queue)
{
    uint32_t total = slice_is(queue->name, "slow") ? limits->total : 0;
    uint32_t base = limits->bursts[queue->environment - 1].base;

    total = total == 0 ? UINT32_MAX : total;
    return base > 0 && base < total ? base : total;
}

static uint32_t environment_limit(const struct past_limits *limits, uint32_t environment)
{
    uint32_t most = limits->bursts[environment - 1].most;

    return most == 0 ? UINT32_MAX : most;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The most that any node goes by: the others may not have heard of what is new. One that is
 * alone goes by what it has, not by what comes next. */
static uint32_t lane_most(struct world *world, const struct queue *queue, bool has_key)
{
    struct past_limits now = limits_now(world);
    uint32_t most = lane_limit(world, &now, queue, has_key);

    if (host_is_alone(world)) {
        const struct catalog *catalog = engine_catalog(world->engine);
        now.queue = catalog->queue_limit;
        now.key = catalog_rules(catalog, SLICE("fast"))->per_key;
        most = lane_limit(world, &now, queue, has_key);
    }
    for (uint32_t i = 0; i < world->past_count; i++)
        most = larger(most, lane_limit(world, &world->past[i], queue, has_key));
    return pause_limit(&queue->pause, most, world->steady_ms);
}

/* What comes back from a pause without a limit grows up to the slots of all nodes; those whose
 * lease is not over count, too. */
static uint32_t ramped(const struct world *world, const struct pause *pause, uint32_t most,
                       bool is_environment)
{
    uint32_t slots =
        world->slots * (host_is_alone(world) ? 1 : store_memory_count(world->memory, ROW_NODE));

    if (pause_is_ramping(pause) && (is_environment ? most > slots : most == UINT32_MAX))
        most = slots;
    return pause_limit(pause, most, world->steady_ms);
}

static uint32_t total_most(struct world *world, const struct queue *queue)
{
    struct past_limits now = limits_now(world);

    if (host_is_alone(world))
        now.total = catalog_rules(engine_catalog(world->engine), SLICE("slow"))->total;
    uint32_t most = total_limit(&now, queue);
    for (uint32_t i = 0; i < world->past_count; i++)
        most = larger(most, total_limit(&world->past[i], queue));
    return ramped(world, &queue->pause, most, false);
}

static uint32_t environment_most(struct world *world, const struct run *run)
{
    const struct environment *environment = (const struct environment *)store_memory_get(
        world->memory, ROW_ENVIRONMENT, run->environment);
    struct past_limits now = limits_now(world);
    uint32_t most = environment_limit(&now, run->environment);

    for (uint32_t i = 0; i < world->past_count; i++)
        most = larger(most, environment_limit(&world->past[i], run->environment));
    return ramped(world, &environment->pause, most, true);
}

static uint32_t in_environment(struct world *world, uint32_t environment)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        count += run_is_executing(run) && run->environment == environment;
    }
    return count;
}

/* Where a limit begins to hold while something runs, those that are out on other nodes count
 * when these have looked. */
static bool have_looked(struct world *world, const struct run *beside,
                        const struct pause *pause, bool is_environment)
{
    for (uint32_t i = 0; pause_is_ramping(pause) && !host_is_alone(world) &&
                         i < store_memory_count(world->memory, ROW_RUN);
         i++) {
        const struct run *run = store_memory_run(world->memory, i);
        bool is_beside = is_environment ? run->environment == beside->environment
                                        : run->queue == beside->queue;
        if (run_is_executing(run) && is_beside &&
            !hosts_have_looked(world, run, pause->ramp_from_ms))
            return false;
    }
    return true;
}

/* A queue that is paused starts nothing, and none goes over its limits. */
void check_started(struct world *world, const struct run *started)
{
    const struct queue *queue = store_memory_queue(world->memory, started->queue);
    uint32_t in_queue, in_lane;

    if (is_paused(world, started))
        world_flaw(world, "run %lld started in an environment that is paused",
                   (long long)started->id);
    if (queue == NULL || queue->paused) {
        world_flaw(world, "run %lld started in a queue that is %s", (long long)started->id,
                   queue == NULL ? "not there" : "paused");
        return;
    }
    const struct environment *environment = (const struct environment *)store_memory_get(
        world->memory, ROW_ENVIRONMENT, started->environment);
    hosts_past(world);
    if (in_environment(world, started->environment) > environment_most(world, started) &&
        have_looked(world, started, &environment->pause, true))
        world_flaw(world, "environment %u has more runs than it may", started->environment);
    running_beside(world, started, &in_queue, &in_lane);
    bool has_key = started->concurrency_key.size > 0;
    if (in_lane > lane_most(world, queue, has_key))
        world_flaw(world, "%u runs are running in queue %.*s with key %.*s", in_lane,
                   SLICE_ARG(queue->name), SLICE_ARG(started->concurrency_key));
    if (in_queue > total_most(world, queue) &&
        have_looked(world, started, &queue->pause, false))
        world_flaw(world, "%u runs are running in queue %.*s", in_queue,
                   SLICE_ARG(queue->name));
    rates_check_start(world, started);
    pools_check_start(world, started);
}

/* Nothing that could start waits while a slot is free and nobody will look again. */
void check_idle(struct world *world, const struct outcome *outcome)
{
    uint32_t in_queue, in_lane, running = 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++)
        running += run_is_executing(store_memory_run(world->memory, i));
    for (uint32_t i = 0; host_is_alone(world) && running < SLOTS &&
                         i < store_memory_count(world->memory, ROW_RUN);
         i++) {
        const struct run *run = store_memory_run(world->memory, i);
        const struct queue *queue = store_memory_queue(world->memory, run->queue);
        bool expires = run->due_ms != 0 && run->due_ms <= world->steady_ms; /* check_overdue */
        if (run->status != RUN_QUEUED || run->deaths.size > 0 || queue->paused ||
            is_paused(world, run) || expires)
            continue;
        running_beside(world, run, &in_queue, &in_lane);
        if (in_queue >= total_most(world, queue) ||
            in_environment(world, run->environment) >= environment_most(world, run) ||
            in_lane >= lane_most(world, queue, run->concurrency_key.size > 0))
            continue;
        /* What is behind those that were loaded, and have started, is not asked for its cost:
         * the queue may wait for tokens alone, and for its rate when they have come. */
        if (pools_may_hold(world, run, queue))
            continue;
        int64_t opens_ms = rates_open_ms(world, run, queue);
        if (opens_ms != 0 && (outcome->wake_ms == 0 || outcome->wake_ms > opens_ms))
            world_flaw(world, "run %lld may start in %lld ms, and nobody will look",
                       (long long)run->id, (long long)(opens_ms - world->steady_ms));
        else if (opens_ms == 0)
            world_flaw(world, "run %lld waits in queue %.*s, and %u of %u slots are used",
                       (long long)run->id, SLICE_ARG(queue->name), running, SLOTS);
    }
}
