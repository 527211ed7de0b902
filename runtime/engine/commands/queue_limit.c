/* Queues: another limit than the configured one, until it is reset. */
#include "base/name.h"
#include "engine/batch.h"

bool queue_limit_decide(struct batch *batch, struct command *command)
{
    struct queue_limit *limit = &command->queue_limit;
    struct queue *queue;

    if (!rows_queue_named(&batch->rows, limit->environment, limit->name, &queue))
        return false;
    if (queue == NULL || queue->removed) {
        if (name_check(NAME_QUEUE, limit->name, &command->err))
            err_set(&command->err, ERR_NOT_FOUND, "Queue not found");
        return true;
    }
    limit->queue_id = queue->id;
    if (limit->is_reset && queue->override_ms == 0) {
        err_set(&command->err, ERR_BAD_REQUEST, "Queue is not overridden");
        return true;
    }
    queue->override_limit = limit->is_reset ? 0 : limit->limit;
    queue->override_ms = limit->is_reset ? 0 : batch->now_ms;
    queue->override_by =
        limit->is_reset ? (struct slice){ 0 } : arena_copy(batch->arena, limit->by);
    queue->used_ms = batch->now_ms;
    nodes_relimit(batch);
    batch_ids_add(batch, &batch->admission.resumed, queue->id); /* more may start now */
    return true;
}
