#include "job.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/memory.h"
#include "dispatch/host.h"
#include "early_token.h"

#include <stdio.h>
#include <stdlib.h>

enum { WARN_LEVEL = 2 };

static uint32_t environment_number(const struct config *config, struct slice name)
{
    for (uint32_t i = 0; i < config->environment_count; i++)
        if (slice_is(name, config->environments[i].name))
            return config->environments[i].number;
    return 0;
}

static struct slice name_keep(char **room, struct slice name)
{
    struct slice kept = { *room, name.size };

    if (name.size > 0)
        memcpy(*room, name.data, name.size);
    *room += name.size;
    return kept;
}

struct job *job_create(struct dispatch *dispatch, struct assignment *assignment)
{
    struct slice segment = assignment->frame->segment;
    struct job *job = memory_get(sizeof *job + assignment->task.size + segment.size);
    char *room = (char *)(job + 1);

    *job = (struct job){ .run_id = assignment->run_id,
                         .seq = assignment->seq,
                         .environment = environment_number(dispatch->config,
                                                           assignment->frame->environment),
                         .limit_ms = assignment->limit_ms,
                         .grace_ms = assignment->grace_ms != 0 ? assignment->grace_ms
                                                               : dispatch->config->grace_ms,
                         .id_block = assignment->frame->id_block,
                         .is_test = assignment->frame->is_test,
                         .is_rerun = assignment->frame->is_rerun,
                         .bytes = assignment->bytes,
                         .queued_ms = dispatch_now(dispatch) };
    assignment->bytes = (struct buffer){ 0 };
    list_init(&job->node);
    list_init(&job->ahead);
    list_init(&job->sent);
    job->task = name_keep(&room, assignment->task);
    job->segment = name_keep(&room, segment);
    if (assignment->build.size < sizeof job->build && assignment->build.size > 0)
        memcpy(job->build, assignment->build.data, assignment->build.size);
    job->task_duration =
        task_duration_get(&dispatch->task_durations, job->task, (struct slice){ 0 });
    job->segment_duration =
        task_duration_get(&dispatch->task_durations, job->task, job->segment);
    return job;
}

void job_destroy(struct job *job)
{
    list_remove(&job->node);
    early_token_drop(job);
    arena_finish(&job->notes.arena);
    buffer_finish(&job->bytes);
    free(job);
}

void job_begin(struct dispatch *dispatch, struct job *job)
{
    job->began_ns = clock_monotonic_ns();
    job->deadline_ms =
        job->limit_ms == 0 ? 0 : time_after(dispatch_now(dispatch), job->limit_ms);
    if (job->deadline_ms != 0)
        dispatch_alarm(dispatch, job_alarm_ms(job));
}

int64_t job_alarm_ms(const struct job *job)
{
    int64_t tenth_ms = job->limit_ms / 10;

    return job->deadline_ms == 0 || job->is_warned || tenth_ms < WARNED_LEAST_MS
               ? job->deadline_ms
               : job->deadline_ms - tenth_ms;
}

void job_warn(struct dispatch *dispatch, struct job *job)
{
    char limit[DURATION_TEXT_SIZE], text[120];

    job->is_warned = true;
    (void)snprintf(text, sizeof text, "nine tenths of its time of %s are over",
                   duration_format(job->limit_ms, limit));
    notes_add(dispatch, job,
              &(struct frame_note){ .run_id = job->run_id,
                                    .seq = job->seq,
                                    .kind = NOTE_REMARK,
                                    .level = WARN_LEVEL,
                                    .at_ms = clock_now_ms(),
                                    .text = slice_of(text) });
}

void job_pause(struct dispatch *dispatch, struct job *job)
{
    if (job->deadline_ms == 0)
        return;
    job->left_ms = job->deadline_ms - dispatch_now(dispatch);
    job->left_ms = job->left_ms < 1 ? 1 : job->left_ms;
    job->deadline_ms = 0;
}

void job_resume(struct dispatch *dispatch, struct job *job)
{
    if (job->left_ms == 0)
        return;
    job->deadline_ms = time_after(dispatch_now(dispatch), job->left_ms);
    job->left_ms = 0;
    dispatch_alarm(dispatch, job_alarm_ms(job));
}

int64_t job_took_us(const struct job *job)
{
    return job->began_ns == 0 ? 0 : (int64_t)(clock_monotonic_ns() - job->began_ns) / 1000;
}

/* What the engine needs of every job that comes back. */
static struct segment_end *outcome_fill(struct outgoing *outgoing, struct job *job)
{
    struct segment_end *outcome = &outgoing->command.segment_end;

    outcome->run_id = job->run_id;
    outcome->seq = job->seq;
    outcome->busy_us = job_took_us(job);
    outcome->notes = notes_take(&job->notes, &outgoing->arena, &outcome->note_count);
    return outcome;
}

void job_end(struct dispatch *dispatch, struct job *job, struct outgoing *outgoing,
             struct frame_end *end)
{
    if (job->is_canceled)
        early_token_drop(job); /* nobody waits for them; what is to be undone counts */
    struct segment_end *outcome = outcome_fill(outgoing, job);
    outcome->end = end;
    dispatch->segments += !job->is_canceled;
    if (!job->is_canceled)
        task_duration_measure(dispatch, job->task_duration, job->segment_duration,
                              outcome->busy_us);
    if (early_token_end(job, outgoing))
        outgoing_submit(outgoing);
    job_destroy(job);
}

void job_lost(struct dispatch *dispatch, struct job *job, enum loss loss, struct slice name,
              struct slice text, struct slice stack)
{
    if (job->is_canceled) {
        job_release(dispatch, job);
        return;
    }
    early_token_flush(job); /* their URLs may be known outside */
    struct outgoing *outgoing = outgoing_take(dispatch, COMMAND_ATTEMPT_LOST);
    struct segment_end *outcome = outcome_fill(outgoing, job);
    outcome->loss = loss;
    outcome->error_name = arena_copy(&outgoing->arena, name);
    outcome->error_text = arena_copy(&outgoing->arena, text);
    outcome->stack = arena_copy(&outgoing->arena, stack);
    outgoing_submit(outgoing);
    job_destroy(job);
}

void job_release(struct dispatch *dispatch, struct job *job)
{
    struct outgoing *outgoing;

    if (!job->is_canceled)
        early_token_flush(job);
    outgoing = outgoing_take(dispatch, COMMAND_RELEASE);
    (void)outcome_fill(outgoing, job); /* all that a release says */
    outgoing_submit(outgoing);
    job_destroy(job);
}
