/* Queues: pause and resume. */
#include "base/name.h"
#include "engine/batch.h"

bool queue_pause_decide(struct batch *batch, struct command *command)
{
    struct queue_pause *pause = &command->queue_pause;
    struct queue *queue;

    if (!rows_queue_named(&batch->rows, pause->environment, pause->name, &queue))
        return false;
    if (queue == NULL || queue->removed) {
        if (name_check(NAME_QUEUE, pause->name, &command->err))
            err_set(&command->err, ERR_NOT_FOUND, "queue-not-found");
        return true;
    }
    pause->queue_id = queue->id;
    if (queue->paused == pause->paused)
        return true;
    queue->paused = pause->paused;
    queue->paused_ms = pause->paused ? batch->now_ms : 0;
    queue->used_ms = batch->now_ms;
    census_get(batch, queue->environment)->is_full = false;
    if (!pause->paused)
        batch_ids_add(batch, &batch->admission.resumed, queue->id); /* it may have filled */
    return true;
}
