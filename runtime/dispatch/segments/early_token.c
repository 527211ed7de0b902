#include "early_token.h"

#include "dispatch/host.h"
#include "job.h"

enum { PATIENCE_MS = 2 };

static struct outgoing *rider_of(struct list *node)
{
    return container_of(node, struct outgoing, rider);
}

void early_token_add(struct dispatch *dispatch, struct job *job, struct outgoing *outgoing)
{
    list_push(&job->ahead, &outgoing->rider);
    if (job->early_ms != 0)
        return;
    job->early_ms = dispatch_now(dispatch) + PATIENCE_MS;
    dispatch_alarm(dispatch, job->early_ms);
}

void early_token_refuse(struct job *job, const struct err *err)
{
    if (job->flaw.code == ERR_OK)
        job->flaw = *err;
}

static void end_refuse(struct outgoing *outgoing, const struct err *err)
{
    struct frame_end *end = outgoing->command.segment_end.end;
    bool passes = err_passes(err->code);

    if (end->verdict == VERDICT_FAIL)
        return; /* it failed before */
    *end = (struct frame_end){ .run_id = end->run_id,
                               .seq = end->seq,
                               .verdict = VERDICT_FAIL,
                               .cpu_ns = end->cpu_ns,
                               .error_code = passes ? SLICE("host_failed") : SLICE("refused"),
                               .error_text = arena_copy(&outgoing->arena, slice_of(err->text)),
                               .retryable = passes };
}

static void on_decided(struct outgoing *outgoing)
{
    struct outgoing *end = outgoing->end;

    list_remove(&outgoing->rider);
    if (outgoing->job != NULL && outgoing->command.err.code != ERR_OK)
        early_token_refuse(outgoing->job, &outgoing->command.err);
    if (end == NULL)
        return;
    if (outgoing->command.err.code != ERR_OK)
        end_refuse(end, &outgoing->command.err);
    if (--end->waits_for == 0)
        outgoing_submit(end);
}

void early_token_flush(struct job *job)
{
    for (struct list *node; (node = list_shift(&job->ahead)) != NULL;) {
        struct outgoing *outgoing = rider_of(node);
        outgoing->job = job;
        outgoing->on_decided = on_decided;
        list_push(&job->sent, &outgoing->rider);
        outgoing_submit(outgoing);
    }
    job->early_ms = 0;
}

static void riders_take(struct job *job, struct outgoing *end)
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

bool early_token_end(struct job *job, struct outgoing *end)
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

void early_token_drop(struct job *job)
{
    for (struct list *node; (node = list_shift(&job->ahead)) != NULL;)
        outgoing_drop(rider_of(node));
    for (struct list *node; (node = list_shift(&job->sent)) != NULL;)
        rider_of(node)->job = NULL;
    job->early_ms = 0;
}

int64_t early_token_tick(struct job *job, int64_t now_ms)
{
    if (job->early_ms != 0 && now_ms >= job->early_ms)
        early_token_flush(job);
    return job->early_ms;
}
