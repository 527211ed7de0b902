/*
 *   fails, times out ──────────────────────┐        ┌─ its own retries ─┐
 *   canceled ─▶ its segment returns, and ──┴▶ QUEUED ─▶ RUNNING ─▶ the next … ─▶ DONE
 *               its children are canceled
 *
 * `ending` is what it ends as, `undo_number` counts the executions. Each is an assignment as
 * any other: it takes its place in the queue by the run's rank, waits for its plugin, is fenced
 * by the sequence number and limited in time. Its END takes it off the stack in the same
 * commit, so that it is committed once; what crashed before that is done again. A run that
 * waits for another holds nothing, so a limit cannot lock both.
 *
 * A run that expires has not begun, and ends at once.
 */
#include "engine/endings/ending.h"

#include "base/name.h"
#include "engine/builds/builds.h"
#include "engine/waits/save_points.h"

static uint32_t hook_of(uint32_t outcome)
{
    return outcome == OUTCOME_CANCELED ? HOOK_ON_CANCEL : HOOK_ON_FAILURE;
}

static bool is_hook(const struct run *run)
{
    return run->segment.size > 0 && run->segment.data[0] == HOOK_MARK;
}

static uint32_t hooks_now(const struct batch *batch, const struct run *run)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);

    return task != NULL && task->available ? task->hooks : run->hooks;
}

static void next(struct batch *batch, struct run *run)
{
    struct slice segment = aborts_last(batch->arena, run);

    if (segment.size == 0 && run->hooks != 0)
        segment = run->ending == OUTCOME_CANCELED ? SLICE(HOOK_ON_CANCEL_NAME)
                                                  : SLICE(HOOK_ON_FAILURE_NAME);
    if (segment.size == 0) {
        run->why = run->undo_errors.size > 0 ? SLICE("not all of it could be undone")
                                             : (struct slice){ 0 };
        run_finish(batch, run, run->ending);
        return;
    }
    run->segment = segment;
    run->undo_number++;
    run->undo_tries = 0;
    run->once = (struct slice){ 0 };
    run->entry++;
    run->id_block = 0;
    run_enqueue(batch, run,
                arena_format(batch->arena, is_hook(run) ? "to call %.*s" : "to undo: %.*s",
                             (int)(segment.size - is_hook(run)), segment.data + is_hook(run)));
}

static void over(struct batch *batch, struct run *run)
{
    if (is_hook(run))
        run->hooks = 0;
    else
        aborts_pop(batch, run);
    next(batch, run);
}

/* ---- begin ------------------------------------------------------------------------------- */

bool ending_begin(struct batch *batch, struct run *run, enum run_outcome outcome)
{
    uint32_t hook = hooks_now(batch, run) & hook_of(outcome);
    bool is_out = run->status == RUN_RUNNING && (outcome == OUTCOME_CANCELED || run->is_cut);

    if (outcome == OUTCOME_COMPLETED || outcome == OUTCOME_EXPIRED ||
        (run->aborts.size == 0 && hook == 0))
        return false;
    save_point_keep(batch, run, false);
    run_drop_wait(batch, run);
    run->wait = (struct slice){ 0 };
    run->ending = outcome;
    run->undo_number = 0;
    run->hooks = hook;
    run->is_dead = false; /* nobody goes on from what is undone */
    run_note(batch, run,
             arena_format(batch->arena, "%.*s%sends when all is undone", SLICE_ARG(run->why),
                          run->why.size > 0 ? "; " : ""));
    run->why = (struct slice){ 0 };
    if (is_out)
        (void)batch_event(batch, run, true);
    else if (run->status == RUN_RUNNING && run_ends_children(run))
        ending_hold(batch, run);
    if (run_ends_children(run))
        batch_ids_add(batch, &batch->swept, run->id); /* ending_go_on */
    else
        next(batch, run);
    return true;
}

void ending_go_on(struct batch *batch, struct run *run)
{
    if (run->swept_id != 0)
        ending_hold(batch, run);
    else
        next(batch, run);
}

void ending_hold(struct batch *batch, struct run *run)
{
    if (run->status == RUN_WAITING)
        return;
    (void)run_move(batch, run, RUN_WAITING, SLICE("for its children to be canceled"));
    (void)batch_event(batch, run, false);
}

void ending_left(struct batch *batch, struct run *run, const struct frame_end *end)
{
    bool is_well = end->verdict == VERDICT_WAIT || end->verdict == VERDICT_WAIT_ON ||
                   end->verdict == VERDICT_DONE;
    struct slice code;

    if (is_well && end->state.size > 0 &&
        (int64_t)end->state.size <= batch->catalog->limits.state_bytes &&
        aborts_flaw(batch, run, end, &code).size == 0) {
        aborts_push(batch, run, end);
        run_set_part(run, PART_STATE, arena_copy(batch->arena, end->state));
    }
    ending_go_on(batch, run);
}

/* ---- executions -------------------------------------------------------------------------- */

void ending_done(struct batch *batch, struct run *run, const struct frame_end *end)
{
    int64_t limit = batch->catalog->limits.state_bytes;

    if ((int64_t)end->state.size > limit) {
        ending_fail(batch, run,
                    &(struct failure){
                        .name = SLICE("state_too_large"),
                        .message = arena_format(batch->arena,
                                                "the state has %zu bytes, %lld are allowed",
                                                end->state.size, (long long)limit) });
        return;
    }
    if (end->state.size > 0)
        run_set_part(run, PART_STATE, arena_copy(batch->arena, end->state));
    over(batch, run);
}

/* Nobody else may hear of it: it is in the log, in the timeline, and with the run. */
static void give_up(struct batch *batch, struct run *run, const struct failure *failure)
{
    struct slice text =
        arena_format(batch->arena, "%s %.*s is given up after %u %s: %.*s: %.*s",
                     is_hook(run) ? "hook" : "compensation",
                     (int)(run->segment.size - is_hook(run)), run->segment.data + is_hook(run),
                     run->undo_tries, run->undo_tries == 1 ? "try" : "tries",
                     SLICE_ARG(failure->name), SLICE_ARG(failure->message));

    undo_error_add(batch, run, failure);
    run_note_take(batch, run,
                  &(struct frame_note){
                      .kind = NOTE_REMARK, .level = 2, .at_ms = batch->now_ms, .text = text });
    batch_event(batch, run, false)->warning = text;
    over(batch, run);
}

void ending_fail(struct batch *batch, struct run *run, const struct failure *failure)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    struct catalog_retry retry =
        catalog_retry(batch->catalog, task, queue_name_of(batch, run), 0, failure->class);
    struct deadline begin = batch_deadline(batch, failure->due_ms, failure->span_ms);

    if (run->undo_number == 0) { /* of a segment that is canceled nothing is kept */
        ending_go_on(batch, run);
        return;
    }
    run->undo_tries++;
    retry.attempts =
        task != NULL && task->abort_attempts > 0 ? task->abort_attempts : ABORT_ATTEMPTS;
    if (!failure->retryable || run->undo_tries >= retry.attempts) {
        give_up(batch, run, failure);
        return;
    }
    if (begin.due_ms == 0)
        begin = batch_deadline(batch, 0, retry_delay(batch, &retry, run->undo_tries - 1));
    run_again(batch, run, begin, failure->name);
}
