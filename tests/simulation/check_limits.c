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

/* Of a node that is alone: of the configuration, or as it was set. */
static uint32_t lane_most(struct world *world, const struct queue *queue, bool has_key)
{
    const struct catalog *catalog = engine_catalog(world->engine); /* not what comes next */
    const struct queue_rules *rules = catalog_rules(catalog, queue->name);
    bool has_own = has_key && (rules->per_key > 0 || rules->on_conflict == CONFLICT_CANCEL);
    uint32_t limit = queue->override_ms != 0 && !has_own
                         ? queue->override_limit
                         : catalog_lane_limit(catalog, queue->name, has_key);
    return pause_limit(&queue->pause, limit, world->steady_ms);
}

/* One that comes back from a pause grows up to its total, or to the slots. */
static uint32_t ramped_total(const struct world *world, const struct queue *queue,
                             uint32_t total)
{
    uint32_t base = world->bursts[queue->environment - 1].base;

    total = base > 0 && base < total ? base : total;
    if (pause_is_ramping(&queue->pause) && total == UINT32_MAX)
        total = world->slots;
    return pause_limit(&queue->pause, total, world->steady_ms);
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

static uint32_t environment_most(struct world *world, const struct run *run)
{
    const struct environment *environment = (const struct environment *)store_memory_get(
        world->memory, ROW_ENVIRONMENT, run->environment);

    uint32_t most = world->bursts[run->environment - 1].most;

    most = most == 0 ? UINT32_MAX : most;
    if (pause_is_ramping(&environment->pause) && most > world->slots)
        most = world->slots;
    return pause_limit(&environment->pause, most, world->steady_ms);
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
    if (host_is_alone(world) &&
        in_environment(world, started->environment) > environment_most(world, started))
        world_flaw(world, "environment %u has more runs than it may", started->environment);
    running_beside(world, started, &in_queue, &in_lane);
    bool has_key = started->concurrency_key.size > 0;
    uint32_t most = host_is_alone(world) ? lane_most(world, queue, has_key)
                                         : hosts_lane_most(world, queue->name, has_key);
    if (in_lane > most)
        world_flaw(world, "%u runs are running in queue %.*s with key %.*s", in_lane,
                   SLICE_ARG(queue->name), SLICE_ARG(started->concurrency_key));
    uint32_t total = hosts_total_most(world, queue->name);
    if (host_is_alone(world))
        total = ramped_total(world, queue, total);
    if (in_queue > total)
        world_flaw(world, "%u runs are running in queue %.*s", in_queue,
                   SLICE_ARG(queue->name));
    rates_check_start(world, started);
}

/* Nothing that could start waits while a slot is free and nobody will look again. */
void check_idle(struct world *world, const struct outcome *outcome)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    uint32_t in_queue, in_lane, running = 0;

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++)
        running += run_is_executing(store_memory_run(world->memory, i));
    for (uint32_t i = 0; host_is_alone(world) && running < SLOTS &&
                         i < store_memory_count(world->memory, ROW_RUN);
         i++) {
        const struct run *run = store_memory_run(world->memory, i);
        const struct queue *queue = store_memory_queue(world->memory, run->queue);
        if (run->status != RUN_QUEUED || run->deaths.size > 0 || queue->paused ||
            is_paused(world, run))
            continue;
        running_beside(world, run, &in_queue, &in_lane);
        if (in_queue >= ramped_total(world, queue, catalog_total_limit(catalog, queue->name)) ||
            in_environment(world, run->environment) >= environment_most(world, run) ||
            in_lane >= lane_most(world, queue, run->concurrency_key.size > 0))
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
