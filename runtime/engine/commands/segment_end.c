/* A segment has ended: its run waits, is done, has failed, or is parked. */
#include "base/duration.h"
#include "codec/pack.h"
#include "engine/builds/builds.h"
#include "engine/commands/segment_wait.h"
#include "engine/contract.h"
#include "engine/edits.h"
#include "engine/endings/ending.h"
#include "engine/failure.h"

/* ---- done and fail ----------------------------------------------------------------------- */

static void segment_done(struct batch *batch, struct run *run, const struct frame_end *end)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    struct value output = { .kind = VALUE_NULL };
    struct slice packed = end->output;

    if ((int64_t)packed.size > batch->catalog->limits.output_bytes) {
        segment_fail_plainly(
            batch, run, SLICE("output_too_large"),
            arena_format(batch->arena, "the output has %zu bytes, %lld are allowed",
                         packed.size, (long long)batch->catalog->limits.output_bytes));
        return;
    }
    if (packed.size > 0 && !pack_read(batch->arena, packed, &output, NULL)) {
        segment_fail_plainly(batch, run, SLICE("output_broken"),
                             SLICE("the output is no msgpack"));
        return;
    }
    if (!output_check(batch, run, task, &output))
        return;
    if (task != NULL && schema_output(task->schema) != NULL)
        packed = pack_value(batch->arena, &output); /* with defaults */
    run->error = failures_past(batch->arena, run->error);
    run_set_part(run, PART_OUTPUT, arena_copy(batch->arena, packed));
    run_finish(batch, run, OUTCOME_COMPLETED);
}

static void segment_fail(struct batch *batch, struct run *run, const struct frame_end *end)
{
    run_fail(batch, run,
             &(struct failure){ .outcome = OUTCOME_FAILED,
                                .retryable = end->retryable,
                                .class = end->is_upstream ? RETRY_UPSTREAM : RETRY_USER,
                                .due_ms = end->due_ms,
                                .span_ms = end->span_ms,
                                .name = end->error_code.size > 0
                                            ? arena_copy(batch->arena, end->error_code)
                                            : SLICE("FAILED"),
                                .message = arena_copy(batch->arena, end->error_text) });
}

/* The build that had it cannot read its state; nothing was tried, and another build may come.
 */
static void segment_park(struct batch *batch, struct run *run, const struct frame_end *end)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);

    /* Another one has come while this was on its way, and has looked for parked runs already.
     */
    if (task != NULL && task->available && !slice_equal(task->build, run->build)) {
        run_enqueue(batch, run, SLICE("another build has come meanwhile"));
        return;
    }
    (void)run_move(batch, run, RUN_PARKED, /* RUNNING may be parked */
                   end->error_text.size > 0
                       ? end->error_text
                       : SLICE("the build that has the segment cannot read the run's state"));
}

/* Nothing is lost but the time: as if it had not been started, and later. */
static void segment_push_back(struct batch *batch, struct run *run, const struct frame_end *end)
{
    char text[DURATION_TEXT_SIZE];

    lane_push_back(batch, run, end->span_ms > 0 ? end->span_ms : 0);
    run_enqueue(
        batch, run,
        arena_format(batch->arena, "pushed back for %s", duration_format(end->span_ms, text)));
}

/* Tokens that were sent ahead; each is loaded. False: one is refused, which fails the attempt.
 */
static bool creates_decide(struct batch *batch, struct run *run, const struct segment_end *done)
{
    for (uint32_t i = 0; i < done->create_count; i++) {
        struct command *create = done->creates[i];
        create->err = (struct err){ 0 }; /* of an earlier try, if any */
        (void)token_create_decide(batch, create);
        if (create->err.code == ERR_OK)
            continue;
        segment_fail_plainly(batch, run, SLICE("refused"),
                             arena_copy(batch->arena, slice_of(create->err.text)));
        return false;
    }
    return true;
}

bool segment_end_decide(struct batch *batch, struct command *command)
{
    const struct segment_end *done = &command->segment_end;
    const struct frame_end *end = done->end;
    struct err flaw = { 0 };
    struct run *run;
    bool loaded = run_fenced(batch, command, done->run_id, done->seq, 0, &run);

    for (uint32_t i = 0; i < done->create_count; i++)
        loaded &= token_create_prefetch(batch, done->creates[i]);
    if (!loaded)
        return false;
    if (run == NULL)
        return segment_free(batch, done);
    if (!run_finish_ready(batch, run) || !segment_wait_load(batch, run, end) ||
        !edits_load(batch, run, end->meta, end->meta_count) ||
        (end->verdict == VERDICT_PUSH_BACK && !lane_push_load(batch, run)))
        return false;
    run->busy_us += done->busy_us;
    run->deaths = (struct slice){ 0 }; /* it was not this segment */
    run_notes_take(batch, run, done->notes, done->note_count);
    if (run_is_leaving(run)) {
        for (uint32_t i = 0; i < done->create_count; i++)
            err_set(&done->creates[i]->err, ERR_RULE, "the run has moved on");
        ending_left(batch, run, end);
        return true;
    }
    if (!creates_decide(batch, run, done))
        return true;
    if (end->meta_count > 0 && !edits_take(batch, run, end->meta, end->meta_count, NULL, &flaw))
        segment_fail_plainly(batch, run,
                             flaw.code == ERR_TOO_LARGE ? SLICE("metadata_too_large")
                             : flaw.code == ERR_RULE    ? SLICE("too_many_tags")
                                                        : SLICE("metadata_broken"),
                             arena_copy(batch->arena, slice_of(flaw.text)));
    else if (run->ending != OUTCOME_NONE && end->verdict == VERDICT_DONE)
        ending_done(batch, run, end);
    else if (end->verdict == VERDICT_WAIT)
        segment_wait(batch, run, end);
    else if (end->verdict == VERDICT_WAIT_ON)
        segment_wait_on(batch, run, end);
    else if (end->verdict == VERDICT_DONE)
        segment_done(batch, run, end);
    else if (end->verdict == VERDICT_PARK)
        segment_park(batch, run, end);
    else if (end->verdict == VERDICT_PUSH_BACK)
        segment_push_back(batch, run, end);
    else
        segment_fail(batch, run, end);
    return true;
}

bool segment_end_prefetch(struct batch *batch, const struct command *command)
{
    const struct segment_end *done = &command->segment_end;
    struct run_batch *made;
    struct tokens *tokens;
    struct run *run;

    if (rows_run(&batch->rows, done->run_id, 0, &run) && run != NULL) {
        (void)run_finish_ready(batch, run); /* a want is enough */
        if (done->end != NULL && done->end->verdict == VERDICT_DONE) {
            waiters_prefetch(batch, run->id);
            if (run->batch != 0) /* it counts */
                (void)rows_run_batch(&batch->rows, run->batch, &made);
            if (run->has_tokens) /* they are closed */
                (void)rows_tokens(&batch->rows, run->id, &tokens);
        }
    }
    for (uint32_t i = 0; i < done->create_count; i++)
        (void)token_create_prefetch(batch, done->creates[i]);
    return done->end == NULL || segment_wait_want(batch, done->end);
}
