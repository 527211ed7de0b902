/* Runs: what never changes, and the moves that each may make, with their reasons. */
#include "base/duration.h"
#include "batches.h"
#include "builds.h"
#include "engine/deaths.h"
#include "model.h"
#include "waits.h"

static void flaw(const struct look *look, const struct run *run, const char *what)
{
    world_flaw(look->world, "run %lld (status %u, move %u): %s", (long long)run->id,
               run->status, run->seq, what);
}

/* Its parent began to wait for it: it stands where the parent stood, less its own head start.
 */
static bool is_hurried(const struct look *look, const struct run *was, const struct run *run)
{
    const struct run *parent = run_now(look, run->parent_id);
    const struct shadow *shadow = shadow_of(look, run->parent_id);

    return parent != NULL && shadow != NULL && shadow->was != NULL &&
           shadow->was->status == RUN_RUNNING && parent->seq > shadow->was->seq &&
           was->started_ms == 0 && run->rank_ms < was->rank_ms &&
           run->rank_ms == parent->rank_ms + parent->priority_ms - run->priority_ms;
}

/* ---- what stays -------------------------------------------------------------------------- */

static void same_look(const struct look *look, const struct run *was, const struct run *run)
{
    const struct shadow *shadow = shadow_of(look, run->id);

    bool is_bounced = shadow->bounced == look->model->batches;

    if (was->rank_ms != run->rank_ms && shadow->rescheduled == NULL && !is_bounced &&
        !is_hurried(look, was, run))
        flaw(look, run, "its rank has changed");
    if (was->priority_ms != run->priority_ms || was->ttl_ms != run->ttl_ms ||
        was->limit_ms != run->limit_ms || was->max_attempts != run->max_attempts ||
        was->total_ms != run->total_ms || was->max_attempts_total != run->max_attempts_total ||
        was->is_test != run->is_test || was->created_ms != run->created_ms)
        flaw(look, run, "what was asked for has changed");
    if (was->environment != run->environment || !slice_equal(was->task, run->task) ||
        was->queue != run->queue || was->lane != run->lane ||
        !slice_equal(was->concurrency_key, run->concurrency_key))
        flaw(look, run, "it has changed its place");
    if (was->parent_id != run->parent_id || was->root_id != run->root_id ||
        was->depth != run->depth)
        flaw(look, run, "it has another family");
    if ((was->choices | RUN_IS_HELD) != (run->choices | RUN_IS_HELD) &&
        !rule_hold_ended(look, was, run))
        flaw(look, run, "what was chosen for it has changed");
    if ((!slice_equal(was->key, run->key) && !rule_key_was_reset(look, run)) ||
        (!slice_equal(was->tags, run->tags) && !shadow->is_tagged) ||
        (!slice_equal(was->input, run->input) &&
         (!is_bounced || !slice_equal(shadow->input, run->input))))
        flaw(look, run, "its key, tags or input have changed");
    if (was->started_ms != 0 && was->started_ms != run->started_ms)
        flaw(look, run, "it has started for the first time twice");
    if (run->seq < was->seq || run->entry < was->entry || run->attempt < was->attempt)
        flaw(look, run, "it has gone back");
}

/* ---- the timeline ------------------------------------------------------------------------ */

/* Its last moves, without the remarks between them; false: they are not there. */
static void path_read(const struct look *look, struct shadow *shadow, const struct run *run)
{
    struct arena arena = { 0 };
    struct move *lines, *moves[TIMELINE_FIRST + TIMELINE_LAST + 1];
    uint32_t count = timeline_read(&arena, run, &lines), kept = 0;
    uint32_t made = run->seq - (shadow->was == NULL ? 0 : shadow->was->seq);

    for (uint32_t i = 0; i < count; i++)
        if (kept > 0 && moves[kept - 1]->status == lines[i].status)
            continue; /* a remark */
        else
            moves[kept++] = &lines[i];
    if (count < TIMELINE_FIRST + TIMELINE_LAST && count != run->seq + shadow->extra_moves)
        world_flaw(look->world, "run %lld has %u lines, made %u moves and has %u remarks",
                   (long long)run->id, count, run->seq, shadow->extra_moves);
    if (kept == 0 || lines[count - 1].status != run->status ||
        lines[count - 1].outcome != run->outcome || made > kept || made > MOVES_MAX)
        flaw(look, run, "its timeline does not say where it is");
    shadow->moves = made > kept || made > MOVES_MAX ? 0 : made;
    for (uint32_t i = 0; i < shadow->moves; i++) {
        shadow->path[i] = *moves[kept - made + i];
        shadow->path[i].text = model_keep(look, shadow->path[i].text);
    }
    arena_finish(&arena);
}

bool ended_with_children(const struct run *run)
{
    return run->status == RUN_DONE &&
           (run->outcome == OUTCOME_CANCELED || run->outcome == OUTCOME_TIMED_OUT);
}

/* ---- reasons ----------------------------------------------------------------------------- */

static bool can_run(const struct look *look, const struct run *run)
{
    const struct catalog_task *task = catalog_task(look->catalog, run->task);

    return look->catalog == NULL || (task != NULL && task->available);
}

static const struct assignment *assignment_of(const struct look *look, const struct run *run)
{
    for (const struct assignment *a = look->outcome->assignments; a != NULL; a = a->next)
        if (a->run_id == run->id && a->seq == run->seq)
            return a;
    return NULL;
}

static void canceled_look(const struct look *look, const struct shadow *shadow,
                          const struct run *run, const struct move *move)
{
    const struct run *below = run, *above = run_now(look, run->parent_id);

    for (; above != NULL && !run_has_ended(above); below = above)
        above = run_now(look, above->parent_id);
    bool by_parent = above != NULL && run_has_ended(above) && run_ends_children(above) &&
                     (below->choices & RUN_GOES_ON) == 0;
    if (rule_replaced(look, run, move) || rule_bulk_canceled(look, run, move) ||
        rule_schedule_cancels(look, run) ||
        (slice_is(move->text, "its parent needs it no more") &&
         rule_group_loses(look, run->parent_id, run->id)))
        return;
    if (shadow->cancel == NULL && !by_parent)
        flaw(look, run, "it is canceled, and nobody wanted that");
    if (shadow->cancel != NULL && !by_parent &&
        !slice_equal(move->text, shadow->cancel->cancel.reason))
        flaw(look, run, "it does not say why it was canceled");
}

/* Not started in time: after its first start a ttl is nothing. */
static void expired_look(const struct look *look, const struct shadow *shadow,
                         const struct run *run, const struct move *move)
{
    if (slice_starts(move->text, "queue "))
        rule_dropped(look, shadow, run);
    else if (run->ttl_ms == 0 || run->started_ms != 0 || run->attempt != 0)
        flaw(look, run, "it is expired, and has no ttl, or has been started");
    else if (rule_ttl_end(look, shadow, run) > look->steady_ms)
        flaw(look, run, "it is expired before its time");
}

static void done_look(const struct look *look, const struct shadow *shadow,
                      const struct run *run, uint32_t from, const struct move *move)
{
    if (move->outcome == OUTCOME_CANCELED)
        canceled_look(look, shadow, run, move);
    else if (move->outcome == OUTCOME_EXPIRED)
        expired_look(look, shadow, run, move);
    else if (!rule_total_over(look, shadow) && (from != RUN_RUNNING || shadow->end == NULL))
        flaw(look, run, "it is done, and its segment has not said so");
    if (run->finished_ms != look->now_ms)
        flaw(look, run, "it does not say when it was done");
    if (!run_has_failed(run) && run->keeps == 0 &&
        (run->once.size > 0 || run->state.size > 0 || run->wait.size > 0))
        flaw(look, run, "it is done and has a state");
    if (run_has_failed(run) && !slice_equal(run->state, shadow->state))
        flaw(look, run, "it has failed, and has not the state that it saved last");
    if (run->remaining > 0 && (run->choices & RUN_IS_HELD) == 0)
        flaw(look, run, "it is done, and waits for something");
}

/* Into its queue, or beside it as nothing can run it now. */
static void queued_look(const struct look *look, struct shadow *shadow, const struct run *run,
                        uint32_t from)
{
    const struct run *was = shadow->was;

    if (from == RUN_DELAYED && !shadow->is_redriven && !collect_is_full(look, run) &&
        (was == NULL || was->status != RUN_DELAYED || !look->batch->look_for_due ||
         !look_is_over(look, was->due_ms, was->due_is_span)))
        flaw(look, run, "it was delayed, and starts before its time");
    if (from == RUN_DELAYED && (was == NULL || was->started_ms == 0))
        rule_entered(look, shadow, run);
    if (from == RUN_RUNNING && shadow->end == NULL && !shadow->is_recovered)
        flaw(look, run, "it was running, and its segment has not said a thing");
    if (from == RUN_WAITING && was != NULL && was->status == RUN_WAITING)
        rule_waited(look, shadow, run);
}

static bool is_first_start(const struct look *look, const struct shadow *shadow,
                           const struct run *run)
{
    return run->started_ms == look->now_ms &&
           (shadow->was == NULL || shadow->was->attempt == 0);
}

static void move_look(const struct look *look, struct shadow *shadow, const struct run *run,
                      uint32_t from, const struct move *to)
{
    switch (to->status) {
    case RUN_DONE:
        done_look(look, shadow, run, from, to);
        break;
    case RUN_RUNNING:
        if (from != RUN_QUEUED || (run->status == RUN_RUNNING && !assignment_of(look, run)))
            flaw(look, run, "it runs, and was not given to a slot");
        if (!can_run(look, run))
            flaw(look, run, "it runs, and its task is not available");
        if (is_first_start(look, shadow, run) && run->ttl_ms != 0 &&
            rule_ttl_end(look, shadow, run) <= look->steady_ms)
            flaw(look, run, "it starts, and its ttl is over");
        break;
    case RUN_PARKED:
        if (can_run(look, run) && !shadow->is_recovered &&
            (shadow->end == NULL || shadow->end->segment_end.end == NULL ||
             shadow->end->segment_end.end->verdict != VERDICT_PARK))
            flaw(look, run, "it is parked, and its task is available");
        if (to->text.size == 0)
            flaw(look, run, "it is parked and does not say why");
        if (from != RUN_QUEUED)
            queued_look(look, shadow, run, from);
        break;
    case RUN_QUEUED:
        if (!can_run(look, run))
            flaw(look, run, "it is queued, and its task is not available");
        queued_look(look, shadow, run, from);
        break;
    case RUN_WAITING: /* a reminder gives way to an act */
        if (from != RUN_RUNNING && shadow->acts == 0)
            flaw(look, run, "it did not run, and waits");
        break;
    case RUN_DELAYED:
        if (from != RUN_RUNNING)
            flaw(look, run, "it did not run, and waits");
        break;
    default:
        flaw(look, run, "it has a status that there is not");
    }
}

static void path_look(const struct look *look, struct shadow *shadow, const struct run *run)
{
    uint32_t from, first = 0;

    path_read(look, shadow, run);
    if (run->updated_ms != look->now_ms)
        flaw(look, run, "it does not say when it has moved");
    if (shadow->was == NULL && shadow->moves > 0) /* its first status is no move */
        first = shadow->path[0].status == RUN_RUNNING ? 0 : 1;
    from = shadow->was != NULL ? shadow->was->status
           : first == 1        ? shadow->path[0].status
                               : RUN_QUEUED;
    for (uint32_t i = first; i < shadow->moves; i++) {
        move_look(look, shadow, run, from, &shadow->path[i]);
        from = shadow->path[i].status;
    }
}

/* ---- as it is now ------------------------------------------------------------------------ */

static void times_look(const struct look *look, const struct shadow *shadow,
                       const struct run *run)
{
    bool is_queued = run->status == RUN_QUEUED || run->status == RUN_PARKED;
    int64_t due_ms = is_queued && run->started_ms == 0 && run->ttl_ms != 0
                         ? rule_ttl_end(look, shadow, run)
                         : 0;
    int64_t told_ms = is_queued && run->due_ms != 0 ? rule_ttl_told(look, run) : run->due_ms;

    if ((is_queued || run->status == RUN_RUNNING) &&
        (told_ms != due_ms || (due_ms != 0 && !run->due_is_span)))
        world_flaw(look->world, "run %lld is due at %lld, by its ttl at %lld",
                   (long long)run->id, (long long)told_ms, (long long)due_ms);
    if ((run->started_ms != 0) != (run->attempt != 0))
        flaw(look, run, "it was started, and is in no attempt");
    if ((run->finished_ms != 0) != (run->status == RUN_DONE))
        flaw(look, run, "it says when it was done, and is not");
}

/* Below what was canceled, or has taken too long, nothing lives that was not made to; where
 * there are many, soon. */
static void parent_look(const struct look *look, const struct run *run)
{
    const struct run *parent = run_now(look, run->parent_id);

    if (parent == NULL || run_has_ended(run) || !ended_with_children(parent) ||
        (run->choices & RUN_GOES_ON) != 0)
        return;
    if (parent->due_ms == 0)
        flaw(look, run, "its parent was canceled, and it goes on");
    if (run->id <= parent->swept_id)
        flaw(look, run, "its parent was canceled, and it was passed by");
}

static const struct event *event_of(const struct look *look, const struct run *run,
                                    uint32_t status)
{
    for (const struct event *event = look->outcome->events; event != NULL; event = event->next)
        if (event->run_id == run->id && event->status == status)
            return event;
    return NULL;
}

static void events_look(const struct look *look, const struct shadow *shadow,
                        const struct run *run)
{
    uint32_t from = shadow->was == NULL ? RUN_QUEUED : shadow->was->status;

    for (uint32_t i = 0; i < shadow->moves; i++) {
        uint32_t status = shadow->path[i].status;
        const struct event *event;
        if (status != RUN_DONE && status != RUN_WAITING && status != RUN_PARKED) {
            from = status;
            continue;
        }
        event = event_of(look, run, status);
        if (event == NULL || event->environment != run->environment ||
            event->outcome != shadow->path[i].outcome)
            flaw(look, run, "who looks at it was not told of a move");
        else if (status == RUN_DONE &&
                 event->was_running !=
                     (from == RUN_RUNNING &&
                      (event->outcome == OUTCOME_CANCELED || rule_total_over(look, shadow))))
            flaw(look, run, "its slot was told to stop, and has none; or was not told");
        from = status;
    }
}

static void parked_look(const struct look *look, const struct run *run)
{
    const struct catalog_task *task = build_expected(look->catalog, run->task, run->build);

    if (run->status == RUN_PARKED && !look->outcome->again && task != NULL && task->available &&
        catalog_has_segment(task, run->segment) && !slice_equal(task->build, run->build))
        flaw(look, run, "it is parked, and a build has come that can run it");
}

void rule_run_stays(const struct look *look, const struct shadow *shadow, const struct run *run)
{
    if (shadow->end != NULL)
        flaw(look, run, "its segment has ended, and it has not moved");
    rule_total(look, shadow, run);
    if (shadow->is_recovered)
        flaw(look, run, "the server has died, and it still runs");
    if (run->log_lines != shadow->lines || run->progress != shadow->progress)
        flaw(look, run, "what its segment has said is lost");
    parent_look(look, run);
    parked_look(look, run);
}

void rule_run_row(const struct look *look, struct shadow *shadow, const struct run *run)
{
    const struct run *was = shadow->was;

    if (was != NULL && was->status == RUN_DONE && run->log_lines == 0)
        shadow->lines = shadow->said_count = 0; /* it was old */
    if (was != NULL)
        same_look(look, was, run);
    rule_total(look, shadow, run);
    if (rule_is_ending(shadow, run)) {
        rule_ending(look, shadow, run);
        return;
    }
    if (was == NULL || was->seq != run->seq)
        path_look(look, shadow, run);
    else
        rule_run_stays(look, shadow, run);
    if (shadow->acts != 0)
        rule_acted_row(look, shadow, run);
    if (was != NULL && shadow->moves > 0) {
        rule_end(look, shadow, run);
        rule_left(look, shadow, run);
    }
    events_look(look, shadow, run);
    times_look(look, shadow, run);
    parent_look(look, run);
    parked_look(look, run);
    rule_said(look, shadow, run);
    rule_may_undo(look, shadow, run);
}
