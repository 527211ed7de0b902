/* Queues: pause and resume. */
#include "base/name.h"
#include "engine/batch.h"
#include "engine/commands/command_table.h"

/* False: more rows are needed. */
static bool clock_read(struct batch *batch, const struct queue *queue, int64_t *clock_ms)
{
    const struct environment *environment;

    if (!environment_now(batch, queue->environment, &environment))
        return false;
    *clock_ms = environment_clock(batch, environment);
    return true;
}

/* More may start now. */
static void queue_opened(struct batch *batch, struct queue *queue)
{
    census_get(batch, queue->environment)->is_full = false;
    if (!queue->paused)
        batch_ids_add(batch, &batch->admission.resumed, queue->id); /* it may have filled */
}

bool queue_missing(struct batch *batch, uint32_t environment, struct slice name,
                   const char *words, struct err *err)
{
    struct slice of_task = arena_format(batch->arena, "task/%.*s", SLICE_ARG(name));
    struct queue *found = NULL;

    if (!name_check(NAME_QUEUE, name, err))
        return true;
    if (!slice_starts(name, "task/") &&
        !rows_queue_named(&batch->rows, environment, of_task, &found)) {
        *err = (struct err){ 0 };
        return false;
    }
    if (found != NULL && !found->removed)
        err_set(err, ERR_NOT_FOUND, "%s; did you mean %.*s, the queue of the task?", words,
                SLICE_ARG(of_task));
    else
        err_set(err, ERR_NOT_FOUND, "%s", words);
    return true;
}

bool queue_pause_decide(struct batch *batch, struct command *command)
{
    struct pause_order *order = &command->queue_pause;
    struct queue *queue;
    int64_t clock_ms;

    if (!rows_queue_named(&batch->rows, order->environment, order->name, &queue))
        return false;
    if (queue == NULL || queue->removed)
        return queue_missing(batch, order->environment, order->name, "queue-not-found",
                             &command->err);
    if (!clock_read(batch, queue, &clock_ms))
        return false;
    order->queue_id = queue->id;
    struct ramp ramp = queue_ramp(batch, queue);
    order->is_changed = pause_take(batch, &queue->pause, order, clock_ms, &ramp);
    if (!order->is_changed)
        return true;
    queue->used_ms = batch->now_ms;
    queue_opened(batch, queue);
    return true;
}

bool queue_due(struct batch *batch, int64_t id)
{
    struct queue *queue;
    int64_t clock_ms;

    if (!rows_queue(&batch->rows, id, &queue))
        return false;
    if (queue == NULL || !batch_is_over(batch, queue->due_ms, queue->due_is_span)) {
        batch->is_due_wrong |=
            !batch_was_due(batch, ROW_QUEUE, queue == NULL ? NULL : &queue->row);
        return true;
    }
    if (!clock_read(batch, queue, &clock_ms))
        return false;
    if (queue->paused)
        resumed_add(batch, "queue", queue->name, queue->environment);
    struct ramp ramp = queue_ramp(batch, queue);
    pause_due(batch, &queue->pause, clock_ms, &ramp);
    queue->used_ms = batch->now_ms;
    queue_opened(batch, queue);
    return true;
}
