/* Prefetch: want in bulk what the handlers will ask for one by one. */
#include "engine/batch.h"

static void prefetch_waiters(struct batch *batch, int64_t waitpoint)
{
    struct edges *edges;
    struct queue *queue;
    struct run *run;

    if (rows_edges(&batch->rows, waitpoint, batch->few, &edges))
        for (struct edge *edge = edges->first; edge != NULL; edge = edge->next)
            if (rows_run(&batch->rows, edge->run_id, 0, &run) && run != NULL)
                (void)rows_queue(&batch->rows, run->queue, &queue); /* a want is enough */
}

static void prefetch_due(struct batch *batch, const struct run *run)
{
    struct queue *queue;
    struct wait wait;
    bool is_over;

    (void)rows_queue(&batch->rows, run->queue, &queue); /* wants are enough */
    if (run->status == RUN_WAITING && wait_read(batch->arena, run->wait, &wait))
        (void)wait_is_over(batch, &wait, &is_over);
}

static void prefetch_end(struct batch *batch, const struct segment_end *end)
{
    struct run *run;

    if (!rows_run(&batch->rows, end->run_id, 0, &run) || run == NULL)
        return;
    (void)run_finish_ready(batch, run); /* a want is enough */
    if (end->end != NULL && end->end->verdict == VERDICT_DONE)
        prefetch_waiters(batch, run->id);
}

void batch_prefetch(struct batch *batch)
{
    struct waitpoint *token;
    struct run *run;

    for (uint32_t i = 0; i < batch->due.count; i++) {
        const struct row_ref *due = &batch->due.items[i];
        if (due->kind == ROW_WAITPOINT) {
            (void)rows_waitpoint(&batch->rows, due->id, &token); /* a want is enough */
            prefetch_waiters(batch, due->id);
        } else if (rows_run(&batch->rows, due->id, 0, &run) && run != NULL) {
            prefetch_due(batch, run);
        }
    }
    for (uint32_t i = 0; i < batch->unparked.count; i++)
        (void)rows_run(&batch->rows, batch->unparked.items[i], 0, &run);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct command *command = batch->commands[i];
        if (command->kind == COMMAND_TRIGGER) {
            (void)trigger_prefetch(batch, command);
        } else if (command->kind == COMMAND_TOKEN_CREATE) {
            (void)token_prefetch(batch, command);
        } else if (command->kind == COMMAND_TOKEN_COMPLETE ||
                   command->kind == COMMAND_TOKEN_TIMEOUT) {
            if (rows_waitpoint(&batch->rows, command->token_complete.id, &token) &&
                token != NULL && token->run_id != 0)
                (void)rows_run(&batch->rows, token->run_id, 0, &run); /* a want is enough */
            prefetch_waiters(batch, command->token_complete.id);
        } else if (command->kind == COMMAND_SEGMENT_END ||
                   command->kind == COMMAND_ATTEMPT_LOST || command->kind == COMMAND_RELEASE) {
            prefetch_end(batch, &command->segment_end);
            for (uint32_t at = 0; at < command->segment_end.create_count; at++)
                (void)token_prefetch(batch, command->segment_end.creates[at]);
            if (command->kind == COMMAND_SEGMENT_END &&
                command->segment_end.end->verdict == VERDICT_WAIT)
                (void)wait_load(batch, command->segment_end.end);
        }
    }
}
