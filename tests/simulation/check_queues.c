/* What queues promise of the runs in them, over the rows of all nodes: how many wait, and what
 * runs of one key there are. */
#include "world.h"

static bool waits(const struct run *run)
{
    return run->status == RUN_DELAYED || run->status == RUN_QUEUED || run->status == RUN_PARKED;
}

/* Those that have been started and came back may fill it beyond its bound, no others; of a run
 * that ended before it began, its hooks are what was started. */
static void check_crowd(struct world *world, const struct queue *queue)
{
    uint32_t most = world_rules(queue->name)->max_queued, count = 0;

    for (uint32_t i = 0; most > 0 && i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        count += run->queue == queue->id && run->started_ms == 0 &&
                 run->ending == OUTCOME_NONE && waits(run);
    }
    if (count > most)
        world_flaw(world,
                   "%u runs that have not been started wait in queue %.*s, which takes %u",
                   count, SLICE_ARG(queue->name), most);
}

/* Nobody is canceled for what it is part of. */
bool is_part_of(const struct world *world, const struct run *run, int64_t id)
{
    while (run != NULL && run->id != id)
        run = store_memory_find(world->memory, run->parent_id);
    return run != NULL;
}

/* Of one key only so many may be there, by its queue's on_conflict. */
static void check_conflict(struct world *world, const struct run *run)
{
    const struct queue *queue = store_memory_queue(world->memory, run->queue);

    if (run->lane == run->queue || queue == NULL ||
        world_rules(queue->name) == world_rules(SLICE("")) ||
        world_rules(queue->name)->collect.max != 0)
        return;
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *other = store_memory_run(world->memory, i);
        if (other->lane != run->lane || other->id <= run->id || run_has_ended(other) ||
            is_part_of(world, other, run->id))
            continue;
        if (world->on_conflict != CONFLICT_REPLACE ||
            (run->started_ms == 0 && other->started_ms == 0))
            world_flaw(world, "run %lld is there, and run %lld of its key", (long long)run->id,
                       (long long)other->id);
    }
}

void check_queues(struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_QUEUE); i++)
        check_crowd(world, (const struct queue *)store_memory_at(world->memory, ROW_QUEUE, i));
    for (uint32_t i = 0;
         world->on_conflict != CONFLICT_QUEUE && i < store_memory_count(world->memory, ROW_RUN);
         i++)
        if (!run_has_ended(store_memory_run(world->memory, i)))
            check_conflict(world, store_memory_run(world->memory, i));
}
