/*
 * Room for queues: whoever has a key may name as many as he likes, and each is a row. So an
 * environment has a limit of its own, and a queue that nobody needs goes: it is empty, not
 * paused, and neither a file nor a plugin names it. It goes when it has not been used for long
 * (limits.idle_queue), or earlier, longest unused first, when its environment has no room for
 * another.
 *
 * A queue that is removed is a row all the same, since runs that are done know it by its id.
 */
#include "engine/batch.h"

enum {
    STEP = 64 /* queues removed in one look: a look reads all idle ones of an environment */
};

#define TASK_PREFIX "task/"

static bool catalog_names(const struct catalog *catalog, struct slice name)
{
    for (uint32_t i = 0; i < catalog->queue_count; i++)
        if (slice_equal(catalog->queues[i].name, name))
            return true;
    for (uint32_t i = 0; i < catalog->task_count; i++)
        if (slice_equal(catalog->tasks[i].queue, name))
            return true;
    return slice_starts(name, TASK_PREFIX) &&
           catalog_task(catalog, (struct slice){ name.data + strlen(TASK_PREFIX),
                                                 name.size - strlen(TASK_PREFIX) }) != NULL;
}

/* The store has not seen yet what this batch has done. */
static bool is_idle(const struct batch *batch, const struct queue *queue)
{
    if (queue->removed || queue->paused || queue->override_ms != 0 || queue->rates.size > 0 ||
        queue->name.size == 0)
        return false;
    EACH_RUN(&batch->rows, run)
    if (run->queue == queue->id && (run->status != RUN_DONE || run->is_out))
        return false;
    return !catalog_names(batch->catalog, queue->name);
}

/* `rest` has the totals of removed queues: a queue without a name, which is counted and shown
 * nowhere. */
static void queue_remove(struct batch *batch, struct queue *queue, struct queue **rest)
{
    struct census *census = census_get(batch, queue->environment);

    if (*rest == NULL) {
        *rest = rows_new_queue(&batch->rows, id_next(batch->engine->ids, batch->now_ms),
                               queue->environment, SLICE(""));
        (*rest)->created_ms = batch->now_ms;
    }
    (*rest)->completed += queue->completed;
    (*rest)->failed += queue->failed;
    (*rest)->canceled += queue->canceled;
    (*rest)->wait_ms += queue->wait_ms;
    (*rest)->busy_us += queue->busy_us;
    (*rest)->unstarted += queue->unstarted;
    queue->completed = queue->failed = queue->canceled = queue->wait_ms = queue->busy_us = 0;
    queue->unstarted = 0;
    queue->removed = true;
    queue->ramp_from_ms = queue->ramp_ms = queue->due_ms = 0; /* nothing waits for it */
    census->made--;
    if (census->is_counted)
        census->live--;
}

/* All that the catalog names may be idle, too; and each command may need one. */
static bool idle_get(struct batch *batch, uint32_t environment, struct idle **idle,
                     struct queue **rest)
{
    uint32_t limit = batch->catalog->queue_count + batch->catalog->task_count + batch->count;
    bool loaded = rows_idle(&batch->rows, environment, limit + STEP, idle);

    return rows_queue_named(&batch->rows, environment, SLICE(""), rest) && loaded;
}

bool queue_room(struct batch *batch, uint32_t environment, bool *has_room)
{
    struct census *census = census_get(batch, environment);
    uint32_t most = batch->catalog->limits.queues;
    uint32_t step = most / 16 < STEP ? most / 16 + 1 : STEP;
    struct queue *rest;
    struct idle *idle;

    *has_room = census->is_counted && census->live < most;
    if (*has_room || (census->is_counted && census->is_full))
        return true;
    if (!idle_get(batch, environment, &idle, &rest))
        return false;
    if (!census->is_counted)
        census->live = (uint32_t)((int32_t)idle->live + census->made);
    census->is_counted = true;
    uint32_t surplus = census->live < most ? 0 : census->live - most + step;
    for (uint32_t i = 0; i < idle->count && surplus > 0; i++)
        if (is_idle(batch, idle->queues[i])) {
            queue_remove(batch, idle->queues[i], &rest);
            surplus--;
        }
    *has_room = census->live < most;
    census->is_full = !*has_room;
    return true;
}

bool queues_sweep(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;
    uint32_t environment =
        catalog->environments[batch->engine->sweep_at % catalog->environment_count];
    int64_t before_ms = batch->now_ms - catalog->limits.idle_queue_ms;
    struct queue *rest;
    struct idle *idle;

    if (!idle_get(batch, environment, &idle, &rest))
        return false;
    for (uint32_t i = 0, gone = 0; gone < STEP && i < idle->count; i++) {
        struct queue *queue = idle->queues[i];
        if (queue->used_ms > before_ms)
            break;
        if (!is_idle(batch, queue))
            continue;
        queue_remove(batch, queue, &rest);
        gone++;
    }
    return true;
}

/* Nobody is in them, and this batch has not come to those who may want them yet. A lane that is
 * named again is made again, so one that has a rate stays until it would not know more than a
 * new one. */
bool lanes_sweep(struct batch *batch)
{
    enum { LANES_STEP = 1000 };
    struct idle_lanes *idle;
    struct rate *rate;
    bool loaded = true;

    if (!rows_idle_lanes(&batch->rows, batch->engine->lane_sweep_after, LANES_STEP, &idle))
        return false;
    for (uint32_t i = 0; i < idle->count; i++)
        loaded &= rows_rate(&batch->rows, idle->items[i]->id, &rate);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < idle->count; i++) {
        (void)rows_rate(&batch->rows, idle->items[i]->id, &rate); /* loaded above */
        batch->lane_swept = idle->items[i]->id;
        if (rate != NULL && !rate_is_past(rate, batch->steady_ms))
            continue;
        idle->items[i]->row.is_deleted = true;
        if (rate != NULL)
            rate->row.is_deleted = true;
    }
    batch->has_more_lanes = idle->count == LANES_STEP;
    return true;
}
