/*
 * Endings: what was registered is undone once, in reverse order, with the state as the one
 * before has left it; then the hook is called; only then is the run done, as what it was to be.
 */
#include "base/name.h"
#include "codec/pack.h"
#include "model.h"

static void flaw(const struct look *look, const struct run *run, const char *what)
{
    world_flaw(look->world, "run %lld (status %u, move %u, ends as %u): %s", (long long)run->id,
               run->status, run->seq, run->ending | run->outcome, what);
}

void rule_registered(const struct look *look, struct shadow *shadow,
                     const struct frame_end *end)
{
    struct shadow_undo *undo = &shadow->undo;

    for (uint32_t i = 0; i < end->abort_count && undo->count < UNDO_MAX; i++)
        undo->names[undo->count++] = model_keep(look, end->aborts[i]);
}

static void aborts_look(const struct look *look, const struct shadow *shadow,
                        const struct run *run)
{
    const struct shadow_undo *undo = &shadow->undo;
    struct arena arena = { 0 };
    struct value list = value_list();

    if (run->aborts.size > 0 && !pack_read(&arena, run->aborts, &list, NULL))
        flaw(look, run, "what it has registered cannot be read");
    bool is_same = list.count == undo->count || undo->count == UNDO_MAX;
    for (uint32_t i = 0; is_same && i < list.count && i < undo->count; i++)
        is_same = slice_equal(list.items[i].bytes, undo->names[i]);
    if (!is_same)
        world_flaw(look->world, "run %lld is to undo %u, and %u were registered",
                   (long long)run->id, list.count, undo->count);
    arena_finish(&arena);
}

static uint32_t hook_of(const struct look *look, const struct run *run, uint32_t outcome)
{
    return world_hooks(look->world, run->task) &
           (outcome == OUTCOME_CANCELED ? HOOK_ON_CANCEL : HOOK_ON_FAILURE);
}

void rule_may_undo(const struct look *look, const struct shadow *shadow, const struct run *run)
{
    if (shadow->was != NULL && shadow->was->status == RUN_DONE)
        return;
    if (run->status != RUN_DONE)
        aborts_look(look, shadow, run);
    else if (run->aborts.size > 0)
        flaw(look, run, "it is done, and something is to be undone");
    else if (run->outcome != OUTCOME_COMPLETED && run->outcome != OUTCOME_EXPIRED &&
             (shadow->undo.count > 0 || hook_of(look, run, run->outcome) != 0))
        flaw(look, run, "it has ended, and nothing was undone");
}

bool rule_is_ending(const struct shadow *shadow, const struct run *run)
{
    return run->ending != OUTCOME_NONE ||
           (shadow->was != NULL && shadow->was->ending != OUTCOME_NONE);
}

void rule_cancel(const struct look *look, const struct command *command)
{
    const struct cancel *cancel = &command->cancel;
    const struct run *run = run_now(look, cancel->id);
    struct shadow *shadow = shadow_of(look, cancel->id);
    if (run == NULL && shadow != NULL)
        return; /* it was there, and went at the end of the batch: check.c */
    bool is_there = run != NULL && run->environment == cancel->environment && shadow != NULL;

    if (is_there != (command->err.code == ERR_OK))
        world_flaw(look->world, "run %lld is %s, and its cancel is %s", (long long)cancel->id,
                   is_there ? "there" : "not there", is_there ? "refused" : "taken");
    if (!is_there)
        return;
    if (!run_has_ended(run))
        world_flaw(look->world, "run %lld was canceled and is not done", (long long)run->id);
    if (shadow->cancel == NULL)
        shadow->cancel = command;
    if (shadow->end == NULL && shadow->was != NULL && shadow->was->status < RUN_DONE &&
        shadow->was->ending == OUTCOME_NONE && run->ending != OUTCOME_CANCELED &&
        run->outcome != OUTCOME_CANCELED && run->outcome != OUTCOME_EXPIRED &&
        !rule_total_over(look, shadow))
        world_flaw(look->world, "run %lld was canceled and has outcome %u", (long long)run->id,
                   run->outcome);
}

/* ---- it begins --------------------------------------------------------------------------- */

static bool is_wanted(const struct look *look, const struct shadow *shadow,
                      const struct run *run)
{
    const struct run *below = run, *above = run_now(look, run->parent_id);
    struct arena arena = { 0 };
    struct move *lines;
    uint32_t count = timeline_read(&arena, run, &lines);
    bool is = shadow->cancel != NULL || rule_schedule_cancels(look, run);

    for (uint32_t i = 0; i < count && !is; i++)
        is = slice_starts(lines[i].text, "a newer run of its key came") ||
             slice_starts(lines[i].text, "its parent needs it no more") ||
             (run->bulk != 0 && slice_starts(lines[i].text, "bulk action "));
    arena_finish(&arena);
    for (; above != NULL && !run_has_ended(above); below = above)
        above = run_now(look, above->parent_id);
    return is || (above != NULL && run_has_ended(above) && run_ends_children(above) &&
                  (below->choices & RUN_GOES_ON) == 0);
}

/* Canceled while its segment was out: of that nothing but what is to be undone is kept. */
static bool is_leaving(const struct run *run)
{
    struct arena arena = { 0 };
    struct move *lines;
    uint32_t count = timeline_read(&arena, run, &lines);
    bool is = false;

    for (uint32_t i = 0; i < count; i++)
        is |= lines[i].status == RUN_RUNNING &&
              (run->ending == OUTCOME_CANCELED ||
               slice_starts(lines[i].text, "its total time of ")) &&
              slice_is((struct slice){ lines[i].text.data + lines[i].text.size -
                                           (lines[i].text.size < 8 ? lines[i].text.size : 8),
                                       lines[i].text.size < 8 ? lines[i].text.size : 8 },
                       "s undone");
    arena_finish(&arena);
    return is;
}

static bool ended_well(const struct shadow *shadow)
{
    const struct frame_end *end =
        shadow->end == NULL || shadow->is_plain ? NULL : shadow->end->segment_end.end;

    return end != NULL && (end->verdict == VERDICT_WAIT || end->verdict == VERDICT_WAIT_ON ||
                           end->verdict == VERDICT_DONE);
}

static uint32_t failed_as(const struct shadow *shadow)
{
    const struct command *end = shadow->end;

    if (end == NULL || end->kind == COMMAND_RELEASE)
        return OUTCOME_NONE;
    return end->kind != COMMAND_ATTEMPT_LOST         ? OUTCOME_FAILED
           : end->segment_end.loss == LOSS_TIMED_OUT ? OUTCOME_TIMED_OUT
                                                     : OUTCOME_CRASHED;
}

static void begin_look(const struct look *look, struct shadow *shadow, const struct run *run)
{
    const struct frame_end *end = ended_well(shadow) ? shadow->end->segment_end.end : NULL;
    bool is_over = rule_total_over(look, shadow);
    bool is_canceled = run->ending == OUTCOME_CANCELED || is_over;

    if (is_over       ? run->ending != OUTCOME_TIMED_OUT
        : is_canceled ? !is_wanted(look, shadow, run)
                      : run->ending != failed_as(shadow))
        flaw(look, run, "nothing is known of what it is to end for");
    if (!is_canceled && !rule_was_last(look, shadow, run) &&
        (shadow->end->kind == COMMAND_ATTEMPT_LOST ||
         (!shadow->is_plain && shadow->end->segment_end.end->verdict == VERDICT_FAIL &&
          shadow->end->segment_end.end->retryable)))
        flaw(look, run, "it is to be tried again, and ends");
    if (is_canceled && end != NULL && end->state.size > 0) {
        rule_registered(look, shadow, end);
        shadow->state = model_keep(look, end->state);
    } else if (is_canceled && shadow->end != NULL && run->state.size == 0) {
        shadow->state = (struct slice){ 0 }; /* it was to begin anew */
    }
    if (shadow->end != NULL && shadow->end->kind == COMMAND_SEGMENT_END && !shadow->is_plain &&
        !is_leaving(run))
        rule_metadata(look, shadow, run, shadow->end->segment_end.end);
    shadow->tries = run->tries;
    shadow->undo.hook = hook_of(look, run, run->ending);
    shadow->undo.number = shadow->undo.tries = 0;
    if (shadow->undo.count == 0 && shadow->undo.hook == 0)
        flaw(look, run, "there is nothing to be undone");
}

/* ---- its executions ---------------------------------------------------------------------- */

static void over(struct shadow *shadow)
{
    if (shadow->undo.count > 0)
        shadow->undo.count--;
    else
        shadow->undo.hook = 0;
    shadow->undo.tries = 0;
}

static void failed(struct shadow *shadow, bool is_retryable)
{
    const struct frame_note told = { .kind = NOTE_REMARK, .level = 2 };

    shadow->undo.tries++;
    if (is_retryable && shadow->undo.tries < UNDO_TRIES)
        return;
    rule_notes(shadow, &told, 1);
    over(shadow);
}

static void said_take(const struct look *look, struct shadow *shadow, const struct run *was)
{
    const struct frame_end *end = shadow->end->segment_end.end;

    if (shadow->end->kind == COMMAND_RELEASE)
        return;
    if (was->undo_number == 0) { /* it was canceled while that was out */
        if (ended_well(shadow) && end->state.size > 0) {
            rule_registered(look, shadow, end);
            shadow->state = model_keep(look, end->state);
        }
        return;
    }
    if (shadow->end->kind == COMMAND_ATTEMPT_LOST) {
        failed(shadow, true);
    } else if (shadow->is_plain || end->verdict == VERDICT_WAIT ||
               end->verdict == VERDICT_WAIT_ON) {
        failed(shadow, false);
    } else if (end->verdict == VERDICT_FAIL) {
        failed(shadow, end->retryable);
    } else if (end->verdict == VERDICT_DONE) {
        if (end->state.size > 0)
            shadow->state = model_keep(look, end->state);
        over(shadow);
    }
}

static struct slice top(const struct shadow *shadow, const struct run *run)
{
    if (shadow->undo.count > 0)
        return shadow->undo.names[shadow->undo.count - 1];
    return run->ending == OUTCOME_CANCELED ? SLICE(HOOK_ON_CANCEL_NAME)
                                           : SLICE(HOOK_ON_FAILURE_NAME);
}

static void done_look(const struct look *look, const struct shadow *shadow,
                      const struct run *was, const struct run *run)
{
    bool is_told = false;

    for (const struct event *event = look->outcome->events; event != NULL; event = event->next)
        is_told |= event->run_id == run->id && event->status == RUN_DONE && !event->was_running;
    if (shadow->undo.count > 0 || shadow->undo.hook != 0)
        flaw(look, run, "it is done, and not all is undone");
    if (run->outcome != was->ending || run->finished_ms != look->now_ms || !is_told)
        flaw(look, run, "it is done as something else than it was to be");
    if ((run->state.size > 0 && !run_has_failed(run)) || run->aborts.size > 0 || run->is_out ||
        run->due_ms > 2)
        flaw(look, run, "it is done, and has something left");
}

static void under_way_look(const struct look *look, struct shadow *shadow,
                           const struct run *run, uint32_t left)
{
    bool has_begun = run->undo_number > 0;

    aborts_look(look, shadow, run);
    if (shadow->undo.count == 0 && shadow->undo.hook == 0)
        flaw(look, run, "all is undone, and it is not done");
    if (!slice_equal(run->state, shadow->state))
        flaw(look, run, "it has another state than what was undone last has left");
    if (has_begun && !slice_equal(run->segment, top(shadow, run)))
        flaw(look, run, "something else is undone than what was done last");
    if (run->undo_number != left && left != UINT32_MAX)
        world_flaw(look->world, "run %lld is at %u of what is to be undone, it must be at %u",
                   (long long)run->id, run->undo_number, left);
    if (run->undo_tries != shadow->undo.tries)
        flaw(look, run, "its tries are counted wrong");
    if (!has_begun && run->status != RUN_RUNNING && run->swept_id == 0)
        flaw(look, run, "nothing holds what is to be undone");
    if (has_begun)
        shadow->segment = model_keep(look, run->segment);
}

void rule_ending(const struct look *look, struct shadow *shadow, const struct run *run)
{
    const struct run *was = shadow->was;
    bool begins = was == NULL || was->ending == OUTCOME_NONE;
    uint32_t before = shadow->undo.count + (shadow->undo.hook != 0), left = UINT32_MAX;

    if (begins) {
        begin_look(look, shadow, run);
    } else {
        if (shadow->end != NULL)
            said_take(look, shadow, was);
        if (was->undo_number > 0)
            left = was->undo_number + before - shadow->undo.count - (shadow->undo.hook != 0);
        if (run->error.size != was->error.size || run->attempt > was->attempt + 1)
            flaw(look, run, "it is ending, and its error or attempt have changed");
        if (run->started_ms != was->started_ms)
            flaw(look, run, "what undoes it is its first start");
    }
    if (was == NULL || run->entry != was->entry)
        shadow->once_count = 0;
    if (run->status == RUN_DONE)
        done_look(look, shadow, was, run);
    else
        under_way_look(look, shadow, run, left);
}
