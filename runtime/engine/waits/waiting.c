/*
 * Waiting: a run goes to sleep, is reminded, and goes on.
 *
 *   begin ─▶ WAITING ─┬─ all that is needed has ended ─▶ what is left is canceled ─▶ then
 *                     ├─ gives up ────────▶ what is left is canceled ─▶ otherwise
 *                     └─ a reminder ─▶ remind ─▶ WAITING again, where it was
 *
 * What is left is canceled some at a time, while the run waits: it is all asked to stop before
 * the run goes on.
 */
#include "engine/close.h"
#include "engine/waits/cycle.h"
#include "engine/waits/group.h"

enum { LOSE_MAX = 500 };

/* What is not there and is old has ended, and was removed; it says so when the run asks. */
int wait_pending(struct batch *batch, const struct run *run, bool is_token, int64_t id)
{
    struct waitpoint *token;
    struct run *other;

    if (is_token) {
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

/* ---- over -------------------------------------------------------------------------------- */

void wait_end(struct batch *batch, struct run *run, struct wait *wait, struct slice why)
{
    struct wait_group *group = wait->group;

    if (wait->needed == wait->count && !wait->gave_up &&
        (group == NULL || group->count == wait->count))
        run->remaining = 0; /* all have ended: nothing is linked any more */
    run_drop_wait(batch, run);
    if (group == NULL) {
        if (wait->gave_up || (wait->needed == 0 && wait->kind != WAIT_FOR_TIME))
            run->wait = wait_pack(batch->arena, wait);
        run_enqueue(batch, run, why);
        return;
    }
    run->segment = wait->gave_up && group->manner.otherwise.size > 0 ? group->manner.otherwise
                                                                     : group->then;
    group->is_over = group->manner.cancels;
    group->is_reminder = false;
    run->wait = wait_pack(batch->arena, wait);
    if (group->is_over)
        settle_later(run); /* wait_due */
    else
        run_enqueue(batch, run, why);
}

static uint32_t lose_until(const struct wait *wait)
{
    return wait->count - wait->group->lost > LOSE_MAX ? wait->group->lost + LOSE_MAX
                                                      : wait->count;
}

/* The rows of the next that are left over; false: not loaded. */
static bool lose_load(struct batch *batch, const struct wait *wait)
{
    uint32_t until = lose_until(wait);
    struct run *child;
    bool loaded = true;

    for (uint32_t i = wait->group->lost; i < until; i++)
        loaded &= wait_is_token(wait, i) ? token_lose(batch, wait->ids[i], 0)
                                         : rows_run(&batch->rows, wait->ids[i], 0, &child);
    return loaded;
}

static bool lose_some(struct batch *batch, struct run *run, struct wait *wait)
{
    struct wait_group *group = wait->group;
    uint32_t until = lose_until(wait);
    struct run *child;

    if (!lose_load(batch, wait))
        return false;
    for (uint32_t i = group->lost; i < until; i++) {
        if (wait_is_token(wait, i)) {
            (void)token_lose(batch, wait->ids[i], run->id); /* loaded */
            continue;
        }
        (void)rows_run(&batch->rows, wait->ids[i], 0, &child); /* loaded */
        if (child == NULL || child->status == RUN_DONE || child->parent_id != run->id)
            continue;
        child->why = SLICE("its parent needs it no more");
        batch_ids_add(batch, &batch->canceled, child->id);
    }
    group->lost = until;
    group->is_over = until < wait->count;
    run->wait = wait_pack(batch->arena, wait);
    if (group->is_over) {
        settle_later(run);
        return true;
    }
    run->due_ms = 0;
    run_enqueue(batch, run,
                wait->gave_up ? SLICE("gave up waiting")
                              : SLICE("what was left of the wait is canceled"));
    return true;
}

/* ---- due --------------------------------------------------------------------------------- */

static struct slice over_why(const struct wait *wait)
{
    return wait->gave_up                 ? SLICE("gave up waiting")
           : wait->kind == WAIT_FOR_TIME ? SLICE("time is up")
                                         : (struct slice){ 0 };
}

/* Those that have ended are counted now, so they need not tell. */
static void edges_again(struct batch *batch, struct run *run, struct wait *wait)
{
    for (uint32_t i = 0; i < wait->count; i++)
        if (wait_pending(batch, run, wait_is_token(wait, i), wait->ids[i]) > 0)
            (void)rows_new_edge(&batch->rows, wait->ids[i], run->id);
        else
            rows_unlink(&batch->rows, wait->ids[i], run->id);
}

static void group_sleep(struct batch *batch, struct run *run, const struct wait *wait)
{
    struct deadline next = group_deadline(batch, wait);

    run->remaining = 1; /* it is linked */
    run->due_ms = next.due_ms;
    run->due_is_span = next.is_span;
}

static void group_remind(struct batch *batch, struct run *run, struct wait *wait)
{
    struct wait_group *group = wait->group;
    const struct frame_manner *manner = &group->manner;

    /* Of those that were missed while nobody looked, the last. */
    while (batch_is_over(batch, wait_reminds_ms(group), true))
        group->reminded++;
    group->is_reminder = true;
    run_drop_wait(batch, run);
    run->segment = manner->remind;
    run->wait = wait_pack(batch->arena, wait);
    run_enqueue(batch, run,
                arena_format(batch->arena, "reminder %u of %u", group->reminded,
                             manner->reminder_count));
}

static bool group_due(struct batch *batch, struct run *run, struct wait *wait)
{
    struct wait_group *group = wait->group;
    struct slice left;
    bool is_over;

    if (group->is_over)
        return lose_some(batch, run, wait);
    if (!group_look(batch, wait, &left, &is_over))
        return false;
    wait->gave_up = !is_over && batch_is_over(batch, wait->due_ms, group->due_is_span);
    if (is_over || wait->gave_up) {
        run_drop_wait(batch, run); /* what has ended may not have told it yet */
        wait_end(batch, run, wait, over_why(wait));
    } else if (batch_is_over(batch, wait_reminds_ms(group), true)) {
        group_remind(batch, run, wait);
    } else {
        run->left = left;
        edges_again(batch, run, wait);
        group_sleep(batch, run, wait);
    }
    return true;
}

bool wait_due_load(struct batch *batch, struct run *run)
{
    const struct wait *wait = run_wait(batch, run);
    struct slice left;
    bool is_over;

    if (wait == NULL || wait->group == NULL)
        return wait == NULL || wait_is_over(batch, wait, &is_over);
    return wait->group->is_over ? lose_load(batch, wait)
                                : group_look(batch, wait, &left, &is_over);
}

bool wait_due(struct batch *batch, struct run *run)
{
    struct wait *wait = run_wait(batch, run);
    bool is_over;

    if (wait->group != NULL)
        return group_due(batch, run, wait);
    if (!wait_is_over(batch, wait, &is_over))
        return false;
    wait->gave_up = !is_over;
    run_drop_wait(batch, run); /* the same */
    wait_end(batch, run, wait, over_why(wait));
    return true;
}

/* ---- begin ------------------------------------------------------------------------------- */

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

static void link_pending(struct batch *batch, struct run *run, const struct wait *wait)
{
    for (uint32_t i = 0; i < wait->count; i++)
        if (!wait_is_token(wait, i))
            child_hurry(batch, run, wait->ids[i]);
    for (uint32_t i = 0; i < wait->count; i++)
        if (wait_pending(batch, run, wait_is_token(wait, i), wait->ids[i]) > 0)
            (void)rows_new_edge(&batch->rows, wait->ids[i], run->id); /* linked by being made */
}

static bool simple_is_over(struct batch *batch, struct run *run, const struct wait *wait)
{
    uint32_t ended = 0;

    if (wait->kind == WAIT_FOR_TIME)
        return wait->due_ms == 0 || batch_is_over(batch, wait->due_ms, run->due_is_span);
    for (uint32_t i = 0; i < wait->count; i++)
        ended += wait_pending(batch, run, wait_is_token(wait, i), wait->ids[i]) == 0;
    run->remaining = ended < wait->needed ? wait->needed - ended : 0;
    return ended >= wait->needed;
}

/* For its timeline. What it waits for is in memory. */
static struct slice reason_of(struct batch *batch, const struct wait *wait)
{
    static const char *const reasons[][2] = { { "for a time", "for a time" },
                                              { "for a token", "for tokens" },
                                              { "for a run", "for runs" },
                                              { "for a group", "for a group" } };
    const struct frame_part *only =
        wait->group != NULL && wait->group->count == 1 ? &wait->group->parts[0] : NULL;

    if (only != NULL && only->kind == PART_MESSAGE)
        return arena_format(batch->arena, "for message %.*s", SLICE_ARG(only->word));
    if (wait->kind == WAIT_FOR_TOKEN && wait->count == 1) {
        const struct waitpoint *token = rows_waitpoint_here(&batch->rows, wait->ids[0]);
        if (token != NULL && token->kind == WAITPOINT_BATCH)
            return SLICE("for a batch");
    }
    return slice_of(reasons[wait->kind][wait->count > 1]);
}

void wait_begin(struct batch *batch, struct run *run, struct wait *wait)
{
    bool is_over;

    if (wait->is_skipped && wait->group == NULL && wait->kind != WAIT_FOR_TIME)
        wait->needed = 0; /* as when it was */
    run->wait = wait_pack(batch->arena, wait);
    run->due_ms = 0;
    if (wait->group != NULL)
        (void)group_look(batch, wait, &run->left, &is_over); /* loaded */
    else
        is_over = simple_is_over(batch, run, wait);
    is_over |= wait->is_skipped;
    if (is_over && wait->group != NULL && wait->group->manner.cancels) {
        (void)run_move(batch, run, RUN_WAITING, SLICE("for what is left to be canceled"));
        (void)batch_event(batch, run, false);
        wait_end(batch, run, wait, (struct slice){ 0 });
        return;
    }
    if (is_over) {
        run_enqueue(batch, run, SLICE("nothing to wait for"));
        return;
    }
    if (wait->group != NULL)
        group_sleep(batch, run, wait);
    else
        run->due_ms = wait->due_ms;
    link_pending(batch, run, wait);
    (void)run_move(batch, run, RUN_WAITING, reason_of(batch, wait)); /* RUNNING may */
    (void)batch_event(batch, run, false);                            /* as it is */
}

bool wait_again(struct batch *batch, struct run *run)
{
    struct wait *wait = run_wait(batch, run);

    if (!wait_due_load(batch, run) || !mail_ready(batch, run) ||
        !wait_cycle_load_again(batch, run, wait))
        return false;
    if (wait_cycle(batch, run, wait).size > 0)
        return true; /* what the segment makes of it is seen when it has ended */
    wait->group->is_reminder = false;
    wait->group->reminded--;
    run->segment = wait->group->then;
    (void)run_move(batch, run, RUN_WAITING, SLICE("its reminder has not begun and gives way"));
    mail_give(batch, run, wait);
    wait_begin(batch, run, wait);
    return true;
}
