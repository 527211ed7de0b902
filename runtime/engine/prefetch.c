/* Prefetch: want in bulk what the handlers will ask for one by one. */
#include "engine/rows/schedule.h"
#include "engine/waits/group.h"

void waiters_prefetch(struct batch *batch, int64_t waitpoint)
{
    struct edges *edges;
    struct queue *queue;
    struct run *run;

    if (rows_edges(&batch->rows, waitpoint, batch->few, &edges))
        for (struct edge *edge = edges->first; edge != NULL; edge = edge->next)
            if (rows_run(&batch->rows, edge->run_id, 0, &run) && run != NULL)
                (void)rows_queue(&batch->rows, run->queue, &queue); /* a want is enough */
}

static void prefetch_due(struct batch *batch, struct run *run)
{
    struct queue *queue;

    (void)rows_queue(&batch->rows, run->queue, &queue); /* wants are enough */
    if (run->status == RUN_WAITING)
        (void)wait_due_load(batch, run);
}

void batch_prefetch(struct batch *batch)
{
    struct waitpoint *token;
    struct schedule *schedule;
    struct run *run;

    for (uint32_t i = 0; i < batch->due.count; i++) {
        const struct row_ref *due = &batch->due.items[i];
        if (due->kind == ROW_WAITPOINT) {
            (void)rows_waitpoint(&batch->rows, due->id, &token); /* a want is enough */
            waiters_prefetch(batch, due->id);
        } else if (due->kind == ROW_RUN && rows_run(&batch->rows, due->id, 0, &run) &&
                   run != NULL) {
            prefetch_due(batch, run);
        } else if (due->kind == ROW_SCHEDULE) {
            (void)rows_schedule(&batch->rows, due->id, &schedule); /* a want is enough */
        }
    }
    for (uint32_t i = 0; i < batch->unparked.count; i++)
        (void)rows_run(&batch->rows, batch->unparked.items[i], 0, &run);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct command_rule *rule = &command_rules[batch->commands[i]->kind];
        if (rule->prefetch != NULL)
            (void)rule->prefetch(batch, batch->commands[i]);
    }
}
