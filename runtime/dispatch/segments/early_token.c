#include "early_token.h"

#include "dispatch/host.h"
#include "job.h"

enum { PATIENCE_MS = 2 };

static struct cell *rider_of(struct list *node)
{
    return container_of(node, struct cell, rider);
}

void ahead_add(struct dispatch *dispatch, struct job *job, struct cell *cell)
{
    list_push(&job->ahead, &cell->rider);
    if (job->ahead_ms != 0)
        return;
    job->ahead_ms = dispatch_now(dispatch) + PATIENCE_MS;
    dispatch_alarm(dispatch, job->ahead_ms);
}

void ahead_refuse(struct job *job, const struct err *err)
{
    if (job->flaw.code == ERR_OK)
        job->flaw = *err;
}

static void end_refuse(struct cell *cell, const struct err *err)
{
    struct frame_end *end = cell->command.segment_end.end;
    bool passes = err_passes(err->code);

    if (end->verdict == VERDICT_FAIL)
        return; /* it failed before */
    *end = (struct frame_end){ .run_id = end->run_id,
                               .seq = end->seq,
                               .verdict = VERDICT_FAIL,
                               .cpu_ns = end->cpu_ns,
                               .error_code = passes ? SLICE("host_failed") : SLICE("refused"),
                               .error_text = arena_copy(&cell->arena, slice_of(err->text)),
                               .retryable = passes };
}

static void on_decided(struct cell *cell)
{
    struct cell *end = cell->end;

    list_remove(&cell->rider);
    if (cell->job != NULL && cell->command.err.code != ERR_OK)
        ahead_refuse(cell->job, &cell->command.err);
    if (end == NULL)
        return;
    if (cell->command.err.code != ERR_OK)
        end_refuse(end, &cell->command.err);
    if (--end->waits_for == 0)
        cell_submit(end);
}

void ahead_flush(struct job *job)
{
    for (struct list *node; (node = list_shift(&job->ahead)) != NULL;) {
        struct cell *cell = rider_of(node);
        cell->job = job;
        cell->on_decided = on_decided;
        list_push(&job->sent, &cell->rider);
        cell_submit(cell);
    }
    job->ahead_ms = 0;
}

static void riders_take(struct job *job, struct cell *end)
{
    struct segment_end *outcome = &end->command.segment_end;
    uint32_t count = 0;

    LIST_EACH(&job->ahead, node, after)
    count++;
    if (count == 0)
        return;
    outcome->creates = ARENA_ARRAY(&end->arena, struct command *, count);
    for (struct list *node; (node = list_shift(&job->ahead)) != NULL;) {
        outcome->creates[outcome->create_count++] = &rider_of(node)->command;
        list_push(&end->riders, node);
    }
}

bool ahead_end(struct job *job, struct cell *end)
{
    if (job->flaw.code != ERR_OK)
        end_refuse(end, &job->flaw);
    riders_take(job, end);
    for (struct list *node; (node = list_shift(&job->sent)) != NULL;) {
        rider_of(node)->job = NULL;
        rider_of(node)->end = end;
        end->waits_for++;
    }
    return end->waits_for == 0;
}

void ahead_drop(struct job *job)
{
    for (struct list *node; (node = list_shift(&job->ahead)) != NULL;)
        cell_drop(rider_of(node));
    for (struct list *node; (node = list_shift(&job->sent)) != NULL;)
        rider_of(node)->job = NULL;
    job->ahead_ms = 0;
}

int64_t ahead_tick(struct job *job, int64_t now_ms)
{
    if (job->ahead_ms != 0 && now_ms >= job->ahead_ms)
        ahead_flush(job);
    return job->ahead_ms;
}
