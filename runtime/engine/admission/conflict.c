/*
 * Conflicts: a trigger meets a run of its queue and concurrency key (on_conflict). The lane
 * knows the run that was made in it last, and by these rules no other matters: skip makes no
 * second one, and the others cancel it before the next is there. Runs from before the rule was
 * set just go on.
 */
#include "engine/batch.h"

static bool is_live(const struct run *run)
{
    return run != NULL && run->status != RUN_DONE;
}

/* The run itself or one above it; all of them are in memory (parent_doom). */
static bool is_above(const struct batch *batch, const struct run *run, int64_t id)
{
    for (; run != NULL && run->id != id && run->parent_id != 0;)
        run = rows_run_here(&batch->rows, run->parent_id);
    return run != NULL && run->id == id;
}

bool conflict_find(struct batch *batch, const struct queue_rules *rules,
                   const struct lane *lane, const struct run *parent, struct run **met)
{
    struct run *last;

    *met = NULL;
    if (rules->on_conflict == CONFLICT_QUEUE || lane == NULL || lane->last == 0)
        return true;
    if (!rows_run(&batch->rows, lane->last, 0, &last))
        return false;
    if (!is_live(last) || is_above(batch, parent, last->id))
        return true; /* nobody cancels, or waits for, what it is part of */
    bool has_begun = last->started_ms != 0 || last->status == RUN_RUNNING;
    if (rules->on_conflict == CONFLICT_REPLACE && has_begun)
        return true;
    *met = last;
    return rules->on_conflict == CONFLICT_SKIP || run_finish_ready(batch, last);
}

void conflict_cancel(struct batch *batch, struct run *met)
{
    if (!is_live(met))
        return;
    met->why = SLICE("a newer run of its key came (on_conflict)");
    cancel_run(batch, met);
}
