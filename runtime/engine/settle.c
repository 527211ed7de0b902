/*
 * Settling: what follows when a waitpoint has ended or a run was canceled.
 *
 *   ended ────▶ its edges go; whoever waited for nothing else goes back to its queue
 *   canceled ─▶ its children are canceled, then theirs; timed out: the same
 *   done ─────▶ tokens that it made are closed (close.c); its batch counts it (batches/)
 *
 * Children that were made to go on do. Some of those hold their parent: an edge from each, and
 * its own end is told when all of them have ended; but for those that wait for it.
 *
 * A hundred thousand runs may wait for one token, or be below one run, and nobody is to wait
 * until all of them are through. A batch takes `steps` of them, and what is left stands in the
 * rows: a token that is settled, or a run that is done, has a due time as long as something
 * follows from it, and a batch goes on with it then. Few waiters are always told at once, so
 * that a crowd at one gate delays nobody at another.
 */
#include "engine/batches/run_batches.h"
#include "engine/close.h"
#include "engine/endings/ending.h"
#include "engine/schedules/schedules.h"
#include "engine/waits/cycle.h"

void settle_token(struct batch *batch, struct waitpoint *token)
{
    token->due_ms = 0;
    batch_ids_add(batch, &batch->fired, token->id);
}

/* Done in an earlier batch, which ran out of steps. */
void settle_run(struct batch *batch, struct run *run)
{
    run->due_ms = 0;
    if (run->swept_id != 0)
        batch_ids_add(batch, &batch->swept, run->id);
    if (run->status == RUN_DONE && run->has_tokens)
        batch_ids_add(batch, &batch->ended, run->id);
    if (run_is_over(run))
        batch_ids_add(batch, &batch->fired, run->id);
}

int64_t settle_due(int64_t loaded_ms)
{
    return loaded_ms == 1 ? 2 : 1;
}

void settle_later(struct run *run)
{
    const struct run *loaded = run_loaded(run);

    run->due_ms = settle_due(loaded == NULL ? 0 : loaded->due_ms);
    run->due_is_span = true;
}

static void waitpoint_later(struct batch *batch, int64_t id)
{
    struct run *run = rows_run_here(&batch->rows, id);
    struct waitpoint *token = rows_waitpoint_here(&batch->rows, id);
    struct run_batch *made = rows_run_batch_here(&batch->rows, id);

    if (made != NULL) {
        run_batch_later(made);
    } else if (run != NULL) {
        settle_later(run);
    } else if (token != NULL) {
        const struct waitpoint *loaded = (const struct waitpoint *)token->row.loaded;
        token->due_ms = settle_due(loaded == NULL ? 0 : loaded->due_ms);
        token->due_is_span = true;
    }
}

bool wait_is_over(struct batch *batch, const struct wait *wait, bool *is_over)
{
    uint32_t ended = 0;
    bool loaded = true;

    for (uint32_t i = 0; wait->kind != WAIT_FOR_TIME && i < wait->count; i++) {
        struct waitpoint *token = NULL;
        struct run *run = NULL;
        loaded &= wait->kind == WAIT_FOR_TOKEN
                      ? rows_waitpoint(&batch->rows, wait->ids[i], &token)
                      : rows_run(&batch->rows, wait->ids[i], 0, &run);
        ended += token != NULL ? token->status != WAITPOINT_PENDING
                               : run != NULL && run_is_over(run);
    }
    *is_over = wait->kind == WAIT_FOR_TIME || ended >= wait->needed;
    return loaded;
}

/* ---- cancel ------------------------------------------------------------------------------ */

void cancel_run(struct batch *batch, struct run *run)
{
    if (run_has_ended(run))
        return; /* as something else, or so already */
    run_finish(batch, run, OUTCOME_CANCELED);
}

/* One thing less that must be before its end is told. */
static void held_less(struct batch *batch, struct run *run)
{
    if (run->remaining > 0 && --run->remaining == 0)
        run_tell(batch, run);
}

void child_let_go(struct batch *batch, struct run *child, struct run *parent)
{
    child->choices &= ~(int64_t)RUN_HOLDS;
    rows_unlink(&batch->rows, child->id, parent->id);
    held_less(batch, parent);
}

/* Its parent has ended so that children end as well. */
static void child_end(struct batch *batch, const struct waiters *waiters, struct run *parent,
                      struct run *child)
{
    if ((child->choices & RUN_HOLDS) != 0 && waiters_have(waiters, child->id)) {
        child->choices &= ~(int64_t)RUN_HOLDS;
    } else if ((child->choices & RUN_HOLDS) != 0) {
        (void)rows_new_edge(&batch->rows, child->id, parent->id);
        parent->remaining++;
    } else {
        cancel_run(batch, child);
    }
}

/* While the parent is ending its children are canceled; who holds it does so when it is done.
 */
static bool child_is_meant(const struct run *parent, const struct run *child)
{
    return child != NULL &&
           ((child->choices & RUN_HOLDS) != 0
                ? parent->status == RUN_DONE && !run_is_over(child)
                : !run_has_ended(child) && (child->choices & RUN_GOES_ON) == 0);
}

/* Another walk over its children comes by them, too. */
static bool is_to_be_swept(const struct run *parent, const struct run *child)
{
    return parent->swept_id != 0 && child->id > parent->swept_id;
}

void child_late(struct batch *batch, struct run *parent, struct run *child)
{
    const struct waiters nobody = { 0 };

    if (parent->status != RUN_DONE || !run_ends_children(parent) ||
        is_to_be_swept(parent, child))
        return;
    if (run_is_over(parent))
        child->choices &= ~(int64_t)RUN_HOLDS;
    if (child_is_meant(parent, child))
        child_end(batch, &nobody, parent, child);
}

static bool cancel_one(struct batch *batch, int64_t id)
{
    struct run *run;

    if (!rows_run(&batch->rows, id, 0, &run))
        return false;
    if (run == NULL || run_has_ended(run))
        return true;
    if (!run_finish_ready(batch, run))
        return false;
    cancel_run(batch, run);
    return true;
}

/* The next children of a canceled run, and all that they need. */
static bool children_load(struct batch *batch, int64_t id, uint32_t limit,
                          struct children **children, struct waiters *waiters)
{
    const struct run *run = rows_run_here(&batch->rows, id);
    bool loaded = true;
    struct run *child;

    *waiters = (struct waiters){ 0 };
    if ((run->choices & RUN_IS_HELD) != 0)
        loaded = waiters_find(batch, id, waiters);
    if (!rows_children(&batch->rows, id, run->swept_id, limit, children))
        return false;
    for (uint32_t i = 0; i < (*children)->ids.count; i++)
        if (!rows_run(&batch->rows, (*children)->ids.items[i], 0, &child) ||
            (child != NULL && !run_finish_ready(batch, child)))
            loaded = false;
    for (child = rows_young(&batch->rows, id); child != NULL; child = child->next_young)
        loaded &= run_finish_ready(batch, child);
    return loaded;
}

/* Each of those to be swept is in memory: it was canceled here, or has come due. */
static bool sweep_one(struct batch *batch)
{
    struct run *run = rows_run_here(&batch->rows, batch->swept.items[batch->swept_at]);
    uint32_t limit = 1 + batch->steps / (batch->swept.count - batch->swept_at);
    struct children *children, *others;
    struct waiters waiters, of_others;

    if (!children_load(batch, run->id, limit, &children, &waiters)) {
        for (uint32_t i = batch->swept_at + 1; i < batch->swept.count; i++)
            (void)children_load(batch, batch->swept.items[i], limit, &others,
                                &of_others); /* wanted soon */
        return false;
    }
    int64_t last = children->last;
    for (uint32_t i = 0; i < children->ids.count; i++) {
        struct run *child = rows_run_here(&batch->rows, children->ids.items[i]);
        if (!child_is_meant(run, child))
            continue;
        if (batch->steps == 0) {
            last = child->id - 1;
            break;
        }
        batch->steps--;
        child_end(batch, &waiters, run, child);
    }
    bool is_all = last == children->last && children->count < children->limit;
    run->swept_id = is_all ? 0 : last;
    if (!is_all) {
        settle_later(run);
        if (run->status != RUN_DONE && !run_is_leaving(run))
            ending_hold(batch, run);
        return true;
    }
    /* Made in this batch: in memory only, and no more than there are commands. Else they are
     * among those to come. */
    for (struct run *young = rows_young(&batch->rows, run->id); young != NULL;
         young = young->next_young)
        if (child_is_meant(run, young))
            child_end(batch, &waiters, run, young);
    if (run->status == RUN_DONE)
        held_less(batch, run);
    else if (!run_is_leaving(run))
        ending_go_on(batch, run);
    return true;
}

/* ---- ended ------------------------------------------------------------------------------- */

/* A run, an item of a batch, or a schedule. */
static bool waiter_load(struct batch *batch, int64_t id)
{
    struct run *run;

    return rows_run(&batch->rows, id, 0, &run) &&
           (run != NULL || (item_load(batch, id) && schedule_load(batch, id)));
}

static bool waiters_load(struct batch *batch, int64_t id, uint32_t limit, struct edges **edges)
{
    if (!rows_edges(&batch->rows, id, limit, edges))
        return false;
    bool loaded = true;
    for (struct edge *edge = (*edges)->first; edge != NULL; edge = edge->next)
        loaded &= edge->row.is_deleted || waiter_load(batch, edge->run_id);
    return loaded;
}

static void waiter_tell(struct batch *batch, struct edge *edge, struct slice why)
{
    struct run *run = rows_run_here(&batch->rows, edge->run_id);
    struct wait *wait;

    rows_delete_edge(&batch->rows, edge);
    if (run != NULL && run->status == RUN_DONE) {
        held_less(batch, run);
        return;
    }
    if (run == NULL) {
        item_tell(batch, edge->run_id, edge->waitpoint_id);
        schedule_tell(batch, edge->run_id);
    }
    if (run == NULL || run->status != RUN_WAITING || run->remaining == 0 ||
        (wait = run_wait(batch, run)) == NULL)
        return;
    if (wait->group != NULL
            ? group_tell(batch, run, wait, edge->waitpoint_id)
            : wait_has(batch->arena, wait, edge->waitpoint_id) && run->remaining-- == 1) {
        run->remaining = 1; /* others may still be linked */
        wait_end(batch, run, wait, why);
    }
}

static bool fire_one(struct batch *batch)
{
    int64_t id = batch->fired.items[batch->fired_at];
    struct edges *edges, *others;

    if (!run_batch_settle(batch, id))
        return false;
    if (!waiters_load(batch, id, batch->few, &edges)) {
        for (uint32_t i = batch->fired_at + 1; i < batch->fired.count; i++)
            (void)waiters_load(batch, batch->fired.items[i], batch->few,
                               &others); /* wanted soon */
        return false;
    }
    bool is_crowd = edges->count >= batch->few;
    if (is_crowd && batch->steps > batch->few && !waiters_load(batch, id, batch->steps, &edges))
        return false;
    const struct waitpoint *token = rows_waitpoint_here(&batch->rows, id);
    struct slice why =
        token == NULL || token->note.size == 0
            ? (struct slice){ 0 }
            : arena_format(batch->arena, "its token was %.*s", SLICE_ARG(token->note));
    bool is_all = edges->count < edges->limit;
    for (struct edge *edge = edges->first; edge != NULL; edge = edge->next) {
        if (edge->row.is_deleted)
            continue;
        if (is_crowd && batch->steps == 0) {
            is_all = false;
            break;
        }
        batch->steps -= is_crowd;
        waiter_tell(batch, edge, why);
    }
    if (!is_all)
        waitpoint_later(batch, id);
    return true;
}

bool batch_settle(struct batch *batch)
{
    for (;;) {
        if (batch->canceled_at < batch->canceled.count) {
            if (!cancel_one(batch, batch->canceled.items[batch->canceled_at]))
                return false;
            batch->canceled_at++;
        } else if (batch->swept_at < batch->swept.count) {
            if (!sweep_one(batch))
                return false;
            batch->swept_at++;
        } else if (batch->heard_at < batch->heard.count) {
            if (!run_batch_hear(batch))
                return false;
            batch->heard_at++;
        } else if (batch->fired_at < batch->fired.count) {
            if (!fire_one(batch))
                return false;
            batch->fired_at++;
        } else if (batch->ended_at < batch->ended.count) {
            if (!close_one(batch)) /* last: who was canceled waits no more */
                return false;
            batch->ended_at++;
        } else {
            return true;
        }
    }
}
