/*
 * Segments: what a worker says about its run. It carries the run's sequence number of the
 * assignment: an answer for one that has moved on since is refused.
 */
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/contract.h"
#include "engine/deaths.h"
#include "engine/metadata.h"

bool run_fenced(struct batch *batch, struct command *command, int64_t id, uint32_t seq,
                uint32_t parts, struct run **run)
{
    if (!rows_run(&batch->rows, id, parts, run))
        return false;
    if (*run == NULL || (*run)->status != RUN_RUNNING || (*run)->seq != seq) {
        err_set(&command->err, ERR_RULE, "the run has moved on");
        *run = NULL;
    }
    return true;
}

void run_note_take(struct batch *batch, struct run *run, const struct frame_note *note)
{
    const struct config_limits *limits = &batch->catalog->limits;

    if (note->kind == NOTE_PROGRESS) {
        run->progress = note->level > 100 ? 100 : note->level;
        return;
    }
    if (note->kind == NOTE_REMARK)
        run_note(batch, run, note->text);
    struct log_line *line = rows_new_log(&batch->rows, run->id);
    /* A fifth of those that are kept are the first, the others the last: there the error is. */
    line->line = run->log_lines += note->left_out + 1; /* a liar has its own log */
    line->keeps = limits->log_lines / 5;
    if (line->line > limits->log_lines)
        line->drops = line->line - (limits->log_lines - line->keeps);
    line->segment = run_segment(batch, run);
    line->at_ms = note->at_ms;
    line->level = note->level;
    line->attempt = run->attempt;
    line->text = arena_copy(batch->arena, note->text);
    if (line->text.size > limits->log_line_bytes)
        line->text.size = limits->log_line_bytes;
    while (line->text.size > 0 && !utf8_is_valid(line->text))
        line->text.size--; /* not in the middle of a character */
}

static void notes_take(struct batch *batch, struct run *run, const struct frame_note *notes,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        run_note_take(batch, run, &notes[i]);
}

static void fail_plainly(struct batch *batch, struct run *run, struct slice name,
                         struct slice message)
{
    run_fail(batch, run,
             &(struct failure){ .outcome = OUTCOME_FAILED, .name = name, .message = message });
}

/* ---- wait -------------------------------------------------------------------------------- */

/* One thing to wait for: 1 pending, 0 ended, -1 unknown. Loaded already. */
static int waits_for(struct batch *batch, const struct run *run, uint32_t kind, int64_t id)
{
    struct waitpoint *token;
    struct run *other;

    if (kind == WAIT_FOR_TOKEN) {
        (void)rows_waitpoint(&batch->rows, id, &token);
        if (token == NULL || token->environment != run->environment)
            return -1;
        if (token->status == WAITPOINT_PENDING &&
            batch_is_over(batch, token->due_ms, token->due_is_span))
            (void)token_due(batch, id); /* loaded: it times out now */
        return token->status == WAITPOINT_PENDING;
    }
    (void)rows_run(&batch->rows, id, 0, &other);
    if (other == NULL || other->environment != run->environment || id == run->id)
        return -1;
    return other->status != RUN_DONE || other->is_out;
}

bool wait_load(struct batch *batch, const struct frame_end *end)
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

/* Each id once: waiting for the same thing twice is waiting for it. */
static uint32_t ids_distinct(struct batch *batch, const struct frame_end *end, int64_t **ids)
{
    struct table seen;
    uint32_t count = 0;

    table_init(&seen, batch->arena);
    *ids = ARENA_ARRAY(batch->arena, int64_t, end->id_count);
    for (uint32_t i = 0; i < end->id_count; i++)
        if (!table_has(&seen, (uint64_t)end->ids[i])) {
            table_set(&seen, (uint64_t)end->ids[i], NULL);
            (*ids)[count++] = end->ids[i];
        }
    return count;
}

/* The wait in `end` as a row; false when the attempt failed over it instead. */
static bool wait_make(struct batch *batch, struct run *run, const struct frame_end *end,
                      struct wait *wait, uint32_t *ended)
{
    *wait = (struct wait){ .kind = end->wait_kind };
    *ended = 0;
    if (end->wait_kind == WAIT_FOR_TIME)
        return true;
    wait->count = ids_distinct(batch, end, &wait->ids);
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

/* Of a run that was canceled meanwhile; of any other that has moved on it says nothing new. */
static bool segment_free(struct batch *batch, const struct segment_end *ended)
{
    struct run *run;
    (void)rows_run(&batch->rows, ended->run_id, 0, &run); /* loaded by run_fenced */
    if (run != NULL && run->is_out && run->seq == ended->seq + 1) {
        notes_take(batch, run, ended->notes, ended->note_count); /* its last words */
        run_free(batch, run);
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
        loaded &= token_prefetch(batch, done->creates[i]);
    if (!loaded)
        return false;
    if (run == NULL)
        return segment_free(batch, done);
    if (!run_finish_ready(batch, run) ||
        (end->verdict == VERDICT_WAIT && !wait_load(batch, end)))
        return false;
    run->busy_us += done->busy_us;
    run->deaths = (struct slice){ 0 }; /* it was not this segment */
    notes_take(batch, run, done->notes, done->note_count);
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
    else
        segment_fail(batch, run, end);
    return true;
}

bool attempt_lost_decide(struct batch *batch, struct command *command)
{
    const struct segment_end *lost = &command->segment_end;
    struct run *run;

    if (!run_fenced(batch, command, lost->run_id, lost->seq, 0, &run))
        return false;
    if (run == NULL)
        return segment_free(batch, lost);
    if (!run_finish_ready(batch, run))
        return false;
    run->busy_us += lost->busy_us;
    notes_take(batch, run, lost->notes, lost->note_count);
    run_fail(batch, run,
             &(struct failure){ .outcome = lost->loss == LOSS_TIMED_OUT ? OUTCOME_TIMED_OUT
                                                                        : OUTCOME_CRASHED,
                                .retryable = true,
                                .name = arena_copy(batch->arena, lost->error_name),
                                .message = arena_copy(batch->arena, lost->error_text),
                                .stack = arena_copy(batch->arena, lost->stack) });
    return true;
}

bool release_decide(struct batch *batch, struct command *command)
{
    const struct segment_end *lost = &command->segment_end;
    struct run *run;

    if (!run_fenced(batch, command, lost->run_id, lost->seq, 0, &run))
        return false;
    if (run == NULL)
        return segment_free(batch, lost);
    /* Back to its queue, at its old rank, as if it had not been started. */
    run_enqueue(batch, run, SLICE("its worker is gone; no attempt is lost"));
    return true;
}

void run_recover(struct batch *batch, struct run *run, bool is_clean)
{
    if (!is_clean && deaths_add(batch, run)) {
        (void)run_move(batch, run, RUN_PARKED, /* RUNNING may be parked */
                       SLICE("the server died five times within an hour while this run was "
                             "out; it waits for another build"));
        return;
    }
    run_enqueue(batch, run,
                is_clean ? SLICE("the server stops; no attempt is lost")
                         : SLICE("the server died while it was out; no attempt is lost"));
}

bool recover_decide(struct batch *batch, struct command *command)
{
    const struct ids *ids = &command->recover;
    struct run *run;
    bool loaded = true;

    for (uint32_t i = 0; i < ids->count; i++)
        loaded &= rows_run(&batch->rows, ids->items[i], 0, &run);
    if (!loaded)
        return false;
    batch->is_stopping = command->is_clean;
    for (uint32_t i = 0; i < ids->count; i++) {
        (void)rows_run(&batch->rows, ids->items[i], 0, &run); /* loaded above */
        if (run == NULL)
            continue;
        id_source_skip(batch->engine->ids,
                       run->id_block + ID_BLOCK - 1); /* given out already */
        if (run->status == RUN_RUNNING)
            run_recover(batch, run, command->is_clean);
        else if (run->is_out)
            run_free(batch, run);
    }
    return true;
}

/* ---- in the middle of a segment ---------------------------------------------------------- */

/* The data of a token that did not fit the segment's frame, as if it were a run's output. */
static void token_read(struct batch *batch, struct command *command, const struct run *run,
                       const struct waitpoint *token)
{
    if (run == NULL || token == NULL || token->environment != run->environment)
        return;
    command->run_read.status = token_ended(batch, token);
    if (token->status != WAITPOINT_COMPLETED)
        return;
    command->run_read.run = ARENA_NEW(command->arena, struct run);
    *command->run_read.run =
        (struct run){ .id = token->id,
                      .environment = token->environment,
                      .status = RUN_DONE,
                      .outcome = OUTCOME_COMPLETED,
                      .row.parts = PART_OUTPUT,
                      .output = arena_copy(command->arena, token->result) };
}

bool run_read_decide(struct batch *batch, struct command *command)
{
    struct run_read *read = &command->run_read;
    struct run *run, *target;
    struct waitpoint *token = NULL;
    bool loaded = run_fenced(batch, command, read->run_id, read->seq, 0, &run);

    loaded &= rows_run(&batch->rows, read->target, PART_OUTPUT, &target);
    if (loaded && target == NULL)
        loaded = rows_waitpoint(&batch->rows, read->target, &token);
    if (!loaded)
        return false;
    read->run = NULL;
    read->status = WAIT_CANCELLED;
    token_read(batch, command, run, token);
    if (run == NULL || target == NULL || target->environment != run->environment)
        return true;
    if (target->secrets != 0)
        run_met_secrets(run);
    read->status = run_ended(target);
    /* The row dies with the batch; the reply is the command's. */
    read->run = ARENA_NEW(command->arena, struct run);
    *read->run = (struct run){ .id = target->id,
                               .environment = target->environment,
                               .status = target->status,
                               .outcome = target->outcome,
                               .row.parts = PART_OUTPUT,
                               .task = arena_copy(command->arena, target->task),
                               .error = arena_copy(command->arena, target->error),
                               .output = arena_copy(command->arena, target->output) };
    return true;
}

bool once_decide(struct batch *batch, struct command *command)
{
    const struct once *once = &command->once;
    struct value map = value_map();
    struct run *run;

    if (!run_fenced(batch, command, once->run_id, once->seq, 0, &run))
        return false;
    if (run == NULL)
        return true;
    if (run->once.size > 0 && !pack_read(batch->arena, run->once, &map, &command->err))
        return true;
    if (value_find_slice(&map, once->name) != NULL) {
        err_set(&command->err, ERR_RULE, "\"%.*s\" is recorded already in this segment",
                SLICE_ARG(once->name));
        return true;
    }
    value_put_slice(batch->arena, &map, once->name,
                    (struct value){ .kind = VALUE_BYTES, .bytes = once->value });
    struct slice packed = pack_value(batch->arena, &map);
    if ((int64_t)packed.size > batch->catalog->limits.state_bytes) {
        err_set(&command->err, ERR_TOO_LARGE,
                "the recorded results have %zu bytes, %lld are allowed", packed.size,
                (long long)batch->catalog->limits.state_bytes);
        return true;
    }
    run->once = packed;
    return true;
}

bool notes_decide(struct batch *batch, struct command *command)
{
    const struct notes *notes = &command->notes;
    struct run *run;

    if (!run_fenced(batch, command, notes->run_id, notes->seq, 0, &run))
        return false;
    if (run != NULL)
        notes_take(batch, run, notes->notes, notes->note_count);
    return true;
}
