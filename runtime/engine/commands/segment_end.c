/* A segment has ended: its run waits, is done, has failed, or is parked. */
#include "base/duration.h"
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/contract.h"
#include "engine/metadata.h"

static void fail_plainly(struct batch *batch, struct run *run, struct slice name,
                         struct slice message)
{
    run_fail(batch, run,
             &(struct failure){ .outcome = OUTCOME_FAILED, .name = name, .message = message });
}

/* ---- wait -------------------------------------------------------------------------------- */

/* One thing to wait for: 1 pending, 0 ended, -1 unknown. Loaded already. What is not there and
 * is old has ended, and was removed; it says so when the run asks. */
static int waits_for(struct batch *batch, const struct run *run, uint32_t kind, int64_t id)
{
    struct waitpoint *token;
    struct run *other;

    if (kind == WAIT_FOR_TOKEN) {
        (void)rows_waitpoint(&batch->rows, id, &token);
        if (token == NULL)
            return prune_is_past(batch, id) ? 0 : -1;
        if (token->environment != run->environment)
            return -1;
        if (token->status == WAITPOINT_PENDING &&
            batch_is_over(batch, token->due_ms, token->due_is_span))
            (void)token_due(batch, id); /* loaded: it times out now */
        if (token->status != WAITPOINT_PENDING)
            prune_hold_token(batch, token);
        return token->status == WAITPOINT_PENDING;
    }
    (void)rows_run(&batch->rows, id, 0, &other);
    if (other == NULL)
        return prune_is_past(batch, id) ? 0 : -1;
    if (other->environment != run->environment || id == run->id)
        return -1;
    if (!run_is_over(other))
        return 1;
    prune_hold_run(batch, other);
    return 0;
}

static bool wait_load(struct batch *batch, const struct frame_end *end)
{
    struct waitpoint *token;
    struct run *run;
    bool loaded = true;

    if (end->wait_kind == WAIT_FOR_TIME)
        return true;
    for (uint32_t i = 0; i < end->id_count; i++)
        loaded &= end->wait_kind == WAIT_FOR_TOKEN
                      ? rows_waitpoint(&batch->rows, end->ids[i], &token)
                      : rows_run(&batch->rows, end->ids[i], 0, &run);
    return loaded;
}

/* The wait in `end` as a row; false when the attempt failed over it instead. */
static bool wait_make(struct batch *batch, struct run *run, const struct frame_end *end,
                      struct wait *wait, uint32_t *ended)
{
    *wait = (struct wait){ .kind = end->wait_kind };
    *ended = 0;
    if (end->wait_kind == WAIT_FOR_TIME)
        return true;
    wait->count = wait_distinct(batch->arena, end->ids, end->id_count, &wait->ids);
    wait->needed = end->needed == 0 || end->needed > wait->count ? wait->count : end->needed;
    for (uint32_t i = 0; i < wait->count; i++) {
        int pending = waits_for(batch, run, wait->kind, wait->ids[i]);
        if (pending < 0) {
            fail_plainly(
                batch, run, SLICE("wait_unknown"),
                wait->kind == WAIT_FOR_TOKEN
                    ? SLICE("the segment waits for a token that does not exist")
                    : SLICE("the segment waits for a run that does not exist, or for itself"));
            return false;
        }
        *ended += pending == 0;
    }
    return true;
}

/* A child that its parent waits for stands where the parent stood, so that trees that have
 * begun end before new ones begin. Its own head start counts from there. */
static void child_hurry(struct batch *batch, const struct run *parent, int64_t id)
{
    struct run *child = rows_run_here(&batch->rows, id);
    int64_t since_ms, rank_ms;

    if (child == NULL || child->parent_id != parent->id || child->started_ms != 0 ||
        child->status == RUN_DONE ||
        __builtin_add_overflow(parent->rank_ms, parent->priority_ms, &since_ms) ||
        __builtin_sub_overflow(since_ms, child->priority_ms, &rank_ms))
        return;
    if (rank_ms < child->rank_ms)
        child->rank_ms = rank_ms;
}

static void segment_wait(struct batch *batch, struct run *run, const struct frame_end *end)
{
    const struct catalog_task *task = catalog_task(batch->catalog, run->task);
    const struct config_limits *limits = &batch->catalog->limits;
    struct wait wait;
    uint32_t ended;

    if (end->then.size == 0 ||
        (task != NULL && task->available && slice_equal(task->build, run->build) &&
         !catalog_has_segment(task, end->then))) {
        fail_plainly(batch, run, SLICE("segment_not_listed"),
                     arena_format(batch->arena, "segment \"%.*s\" is not in the task's list",
                                  SLICE_ARG(end->then)));
        return;
    }
    if ((int64_t)end->state.size > limits->state_bytes) {
        fail_plainly(batch, run, SLICE("state_too_large"),
                     arena_format(batch->arena, "the state has %zu bytes, %lld are allowed",
                                  end->state.size, (long long)limits->state_bytes));
        return;
    }
    if (end->id_count > limits->waits) {
        fail_plainly(batch, run, SLICE("wait_too_large"),
                     arena_format(batch->arena,
                                  "the segment waits for %u things at once, %u are allowed",
                                  end->id_count, limits->waits));
        return;
    }
    if (!wait_make(batch, run, end, &wait, &ended))
        return;
    struct deadline until = batch_deadline(batch, end->due_ms, end->span_ms);
    wait.due_ms = until.due_ms;
    run->segment = arena_copy(batch->arena, end->then);
    run_set_part(run, PART_STATE, arena_copy(batch->arena, end->state));
    run->once = (struct slice){ 0 };
    run->entry++;
    run->id_block = 0;
    run->wait = wait_pack(batch->arena, &wait);
    if (wait.kind == WAIT_FOR_TIME
            ? until.due_ms == 0 || batch_is_over(batch, until.due_ms, until.is_span)
            : ended >= wait.needed) {
        run_enqueue(batch, run, SLICE("nothing to wait for"));
        return;
    }
    run->due_ms = until.due_ms;
    run->due_is_span = until.is_span;
    if (wait.kind != WAIT_FOR_TIME) {
        run->remaining = wait.needed - ended;
        for (uint32_t i = 0; i < wait.count; i++)
            if (wait.kind == WAIT_FOR_RUNS)
                child_hurry(batch, run, wait.ids[i]);
        for (uint32_t i = 0; i < wait.count; i++)
            if (waits_for(batch, run, wait.kind, wait.ids[i]) > 0)
                (void)rows_new_edge(&batch->rows, wait.ids[i],
                                    run->id); /* linked by being made */
    }
    static const char *const reasons[] = { "for a time", "for tokens", "for runs" };
    (void)run_move(batch, run, RUN_WAITING,
                   slice_of(reasons[wait.kind])); /* RUNNING may wait */
    (void)batch_event(batch, run, false);         /* as it is */
}

/* ---- done and fail ----------------------------------------------------------------------- */

static void segment_done(struct batch *batch, struct run *run, const struct frame_end *end)
{
    const struct catalog_task *task = catalog_task(batch->catalog, run->task);
    struct value output = { .kind = VALUE_NULL };
    struct slice packed = end->output;

    if ((int64_t)packed.size > batch->catalog->limits.output_bytes) {
        fail_plainly(batch, run, SLICE("output_too_large"),
                     arena_format(batch->arena, "the output has %zu bytes, %lld are allowed",
                                  packed.size, (long long)batch->catalog->limits.output_bytes));
        return;
    }
    if (packed.size > 0 && !pack_read(batch->arena, packed, &output, NULL)) {
        fail_plainly(batch, run, SLICE("output_broken"), SLICE("the output is no msgpack"));
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
                                .name = end->error_code.size > 0
                                            ? arena_copy(batch->arena, end->error_code)
                                            : SLICE("FAILED"),
                                .message = arena_copy(batch->arena, end->error_text) });
}

/* The build that had it cannot read its state; nothing was tried, and another build may come.
 */
static void segment_park(struct batch *batch, struct run *run, const struct frame_end *end)
{
    const struct catalog_task *task = catalog_task(batch->catalog, run->task);

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
        fail_plainly(batch, run, SLICE("refused"),
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
    if (!run_finish_ready(batch, run) ||
        (end->verdict == VERDICT_WAIT && !wait_load(batch, end)) ||
        (end->verdict == VERDICT_PUSH_BACK && !lane_push_load(batch, run)))
        return false;
    run->busy_us += done->busy_us;
    run->deaths = (struct slice){ 0 }; /* it was not this segment */
    run_notes_take(batch, run, done->notes, done->note_count);
    if (!creates_decide(batch, run, done))
        return true;
    if (end->meta_count > 0 &&
        !metadata_apply(batch->arena, &run->metadata, end->meta, end->meta_count,
                        batch->catalog->limits.metadata_bytes, &flaw))
        fail_plainly(batch, run,
                     flaw.code == ERR_TOO_LARGE ? SLICE("metadata_too_large")
                                                : SLICE("metadata_broken"),
                     arena_copy(batch->arena, slice_of(flaw.text)));
    else if (end->verdict == VERDICT_WAIT)
        segment_wait(batch, run, end);
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
    return done->end == NULL || done->end->verdict != VERDICT_WAIT ||
           wait_load(batch, done->end);
}
