/*
 * Batches of runs. A batch is a waitpoint: it fires once, when each of its items has its
 * answer, or when it is aborted. It is told of each end in the transaction of that end, and
 * counts; nobody reads the other items for it.
 *
 *   an item's run ends ─────────────────────────▶ ended++
 *   the run that an item's key names ends, by an edge from it to the item ─▶ ended++
 *   an item is refused ─────────────────────────▶ ended++, failed++
 *
 * One that a segment made has a waitpoint of its id, for which runs wait as for a token.
 */
#include "engine/batches/run_batches.h"

#include <inttypes.h>

enum { CATALOG_WAIT_MS = 100 };

void run_batch_later(struct run_batch *made)
{
    const struct run_batch *loaded = (const struct run_batch *)made->row.loaded;

    made->due_ms = settle_due(loaded == NULL ? 0 : loaded->due_ms);
    made->due_is_span = true;
}

static void finish(struct batch *batch, struct run_batch *made)
{
    made->finished_ms = batch->now_ms;
    made->due_ms = 0;
    batch_ids_add(batch, &batch->fired, made->id);
}

static void look(struct batch *batch, struct run_batch *made)
{
    if (made->status == BATCH_SEALED && made->finished_ms == 0 && made->ended >= made->expected)
        finish(batch, made);
}

void run_batch_count(struct batch *batch, struct run_batch *made, bool is_failed)
{
    made->ended++;
    made->failed += is_failed;
    look(batch, made);
}

bool run_batch_hear(struct batch *batch)
{
    struct run_batch *made, *other;
    const struct run *run = rows_run_here(&batch->rows, batch->heard.items[batch->heard_at]);

    if (!rows_run_batch(&batch->rows, run->batch, &made)) {
        for (uint32_t i = batch->heard_at + 1; i < batch->heard.count; i++) {
            run = rows_run_here(&batch->rows, batch->heard.items[i]);
            (void)rows_run_batch(&batch->rows, run->batch, &other); /* wanted soon */
        }
        return false;
    }
    if (made != NULL)
        run_batch_count(batch, made, run->outcome != OUTCOME_COMPLETED);
    return true;
}

bool run_batch_settle(struct batch *batch, int64_t id)
{
    const struct run_batch *made = rows_run_batch_here(&batch->rows, id);
    struct waitpoint *point;

    if (made == NULL || made->parent_id == 0 || made->finished_ms == 0)
        return true;
    if (!rows_waitpoint(&batch->rows, id, &point))
        return false;
    if (point == NULL || point->status != WAITPOINT_PENDING)
        return true;
    point->status = made->status == BATCH_ABORTED ? WAITPOINT_FAILED : WAITPOINT_COMPLETED;
    point->completed_ms = batch->now_ms;
    point->result = made->why;
    return true;
}

bool item_load(struct batch *batch, int64_t id)
{
    struct batch_item *item;
    struct run_batch *made;

    return rows_item(&batch->rows, id, &item) &&
           (item == NULL || rows_run_batch(&batch->rows, item->batch, &made));
}

void item_tell(struct batch *batch, int64_t id, int64_t target)
{
    const struct batch_item *item = rows_item_here(&batch->rows, id);
    const struct run *run = rows_run_here(&batch->rows, target);
    struct run_batch *made =
        item == NULL ? NULL : rows_run_batch_here(&batch->rows, item->batch);

    if (made != NULL && item->kind == ITEM_LINKED && item->target == target)
        run_batch_count(batch, made, run == NULL || run->outcome != OUTCOME_COMPLETED);
}

void run_batch_abort(struct batch *batch, struct run_batch *made, struct slice why)
{
    made->status = BATCH_ABORTED;
    made->why = why;
    finish(batch, made);
}

void run_batch_seal(struct batch *batch, struct run_batch *made)
{
    made->expected = made->received;
    made->sealed_ms = batch->now_ms;
    made->due_ms = 0;
    if (made->is_atomic && made->refused > 0) {
        run_batch_abort(batch, made,
                        arena_format(batch->arena,
                                     "%" PRIu32 " of %" PRIu32
                                     " items were refused, so none was started (all or none)",
                                     made->refused, made->expected));
    } else if (made->is_atomic) {
        made->status = BATCH_MAKING;
        run_batch_later(made);
    } else {
        made->status = BATCH_SEALED;
        look(batch, made);
    }
}

bool run_batch_due(struct batch *batch, int64_t id)
{
    struct run_batch *made;

    if (!rows_run_batch(&batch->rows, id, &made))
        return false;
    if (made == NULL || !batch_is_over(batch, made->due_ms, made->due_is_span)) {
        /* Settled since the batch began, or the store is wrong about it. */
        batch->is_due_wrong |=
            !batch_was_due(batch, ROW_BATCH, made == NULL ? NULL : &made->row);
        return true;
    }
    if (made->finished_ms != 0) { /* runs are still to be told */
        made->due_ms = 0;
        batch_ids_add(batch, &batch->fired, made->id);
    } else if (made->status == BATCH_OPEN) {
        run_batch_abort(batch, made,
                        arena_format(batch->arena,
                                     "it was not sealed in time: %" PRIu32
                                     " items had come (limits.batch_open)",
                                     made->received));
    } else if (made->status == BATCH_MAKING && batch->catalog == NULL) {
        struct deadline later = batch_deadline(batch, 0, CATALOG_WAIT_MS);
        made->due_ms = later.due_ms; /* the server is starting: nobody can say what they are */
        made->due_is_span = later.is_span;
    } else if (made->status == BATCH_MAKING) {
        if (!items_release(batch, made))
            return false;
        if (made->made == made->expected && made->status == BATCH_MAKING) {
            made->due_ms = 0;
            made->status = BATCH_SEALED;
            look(batch, made);
        }
    } else {
        made->due_ms = 0;
    }
    return true;
}
