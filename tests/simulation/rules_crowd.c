/* Crowds: how many may wait in a queue, who is refused, and who goes for another. */
#include "engine/rows/rows_known.h"
#include "model.h"
#include "twin.h"

void crowds_want(struct lane_rows *to, const struct lane_rows *from)
{
    to->crowds_of = from->crowds_of;
    to->crowd_count = from->crowd_count;
}

void crowds_compare(void *context, void (*flaw)(void *context, const char *text),
                    struct rows *rows, struct rows *others)
{
    for (uint32_t i = 0; i < others->lanes.crowd_count; i++) {
        uint64_t queue = (uint64_t)others->lanes.crowds_of[i].queue;
        const struct queue_crowd *crowd = known_get(rows, &rows->lanes.crowds, queue)->row;
        const struct queue_crowd *other = known_get(others, &others->lanes.crowds, queue)->row;
        if (crowd->count != other->count || !ids_same(&crowd->oldest, &other->oldest))
            flaw(context, "sqlite and memory differ: what waits in a queue");
    }
}

static bool waits(const struct run *run)
{
    return run != NULL && (run->status == RUN_DELAYED || run->status == RUN_QUEUED ||
                           run->status == RUN_PARKED);
}

/* Of one queue, over this batch. */
struct crowd_look {
    uint32_t before, stayed;  /* that waited; those that do so all the time, or again */
    uint32_t made, made_wait; /* runs of this batch; those that wait at its end */
    uint32_t came;            /* others that wait at its end and did not before */
    uint32_t dropped;
};

static bool was_dropped(const struct look *look, const struct shadow *shadow)
{
    return shadow != NULL && shadow->batch == look->model->batches && shadow->moves > 0 &&
           shadow->path[shadow->moves - 1].outcome == OUTCOME_EXPIRED &&
           slice_starts(shadow->path[shadow->moves - 1].text, "queue ");
}

static struct crowd_look crowd_look(const struct look *look, int64_t queue)
{
    struct store *memory = look->world->memory;
    struct crowd_look crowd = { 0 };

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(memory, i);
        if (run->queue != queue)
            continue;
        const struct shadow *shadow = shadow_of(look, run->id);
        const struct run *was = shadow == NULL ? NULL : shadow->was;
        bool is_made = shadow != NULL && was == NULL;
        crowd.made += is_made;
        crowd.before += waits(was);
        /* One that was replaced is there for its hooks, beside who came for it. */
        crowd.stayed += waits(was) && waits(run) && was->ending == run->ending;
        crowd.made_wait += is_made && waits(run);
        crowd.came += was != NULL && !waits(was) && waits(run);
        crowd.dropped += was_dropped(look, shadow);
    }
    return crowd;
}

void rule_full(const struct look *look, const struct trigger *trigger)
{
    const struct queue_rules *rules = world_rules(trigger->queue);
    struct store *memory = look->world->memory;

    if (rules->max_queued == 0)
        world_flaw(look->world, "a trigger was refused over a queue without a bound");
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_QUEUE); i++) {
        const struct queue *queue = (const struct queue *)store_memory_at(memory, ROW_QUEUE, i);
        if (queue->environment != trigger->environment ||
            !slice_equal(queue->name, trigger->queue))
            continue;
        struct crowd_look crowd = crowd_look(look, queue->id);
        if (crowd.before + crowd.made + crowd.came < rules->max_queued)
            world_flaw(look->world, "a trigger was refused, and %u of %u wait in its queue",
                       crowd.before, rules->max_queued);
    }
}

/* The oldest that had not been started; those that moved in this batch may have had reasons. */
void rule_dropped(const struct look *look, const struct shadow *shadow, const struct run *run)
{
    struct store *memory = look->world->memory;
    const struct queue_rules *rules = world_rules(queue_name_now(look, run));

    if (rules->on_full != FULL_DROP_OLDEST)
        world_flaw(look->world, "run %lld was dropped by a queue that does not",
                   (long long)run->id);
    if (run->started_ms != 0 || (shadow->was != NULL && shadow->was->status != RUN_QUEUED &&
                                 shadow->was->status != RUN_DELAYED))
        world_flaw(look->world, "run %lld was dropped, and has been started",
                   (long long)run->id);
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *other = store_memory_run(memory, i);
        const struct shadow *its = shadow_of(look, other->id);
        if (other->queue == run->queue && other->id < run->id && other->started_ms == 0 &&
            other->ending == OUTCOME_NONE && other->status == RUN_QUEUED && its != NULL &&
            its->was != NULL && its->was->status == RUN_QUEUED && its->was->seq == other->seq)
            world_flaw(look->world, "run %lld was dropped, and run %lld is older",
                       (long long)run->id, (long long)other->id);
    }
}

void rule_crowds(const struct look *look)
{
    struct store *memory = look->world->memory;

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_QUEUE); i++) {
        const struct queue *queue = (const struct queue *)store_memory_at(memory, ROW_QUEUE, i);
        uint32_t most = world_rules(queue->name)->max_queued;
        if (most == 0)
            continue;
        struct crowd_look crowd = crowd_look(look, queue->id);
        /* What had been started and came back may have filled it beyond: then each new one
         * takes the place of one. */
        if (crowd.made_wait > 0 && crowd.made_wait + crowd.stayed > most &&
            crowd.made_wait + crowd.stayed > crowd.before)
            world_flaw(look->world, "%u runs wait in queue %.*s, and %u of them are new",
                       crowd.made_wait + crowd.stayed, SLICE_ARG(queue->name), crowd.made_wait);
        if (crowd.dropped > crowd.made)
            world_flaw(look->world, "%u runs of queue %.*s were dropped for %u new ones",
                       crowd.dropped, SLICE_ARG(queue->name), crowd.made);
    }
}
