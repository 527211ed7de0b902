/*
 * What is kept aside of a batch of all or none, by the queues that it goes to: their max_queued
 * holds for all of it, before any is made. Counted once in each transaction that asks.
 */
#include "engine/batches/run_batches.h"

struct kept {
    struct slice queue;
    uint32_t count;
    struct kept *next; /* of the same batch */
};

/* The first of a batch's is no queue's: it says that all were counted. */
static struct kept *kept_of(struct batch *batch, int64_t made, struct slice queue)
{
    struct kept *first = table_find(&batch->kept, (uint64_t)made), *kept = first->next;

    while (kept != NULL && !slice_equal(kept->queue, queue))
        kept = kept->next;
    if (kept == NULL) {
        kept = ARENA_NEW(batch->arena, struct kept);
        *kept = (struct kept){ .queue = arena_copy(batch->arena, queue), .next = first->next };
        first->next = kept;
    }
    return kept;
}

static void item_count(struct batch *batch, int64_t made, const struct batch_item *item)
{
    struct trigger trigger;

    if (item->kind == ITEM_KEPT && item_read(batch->arena, item, &trigger))
        kept_of(batch, made,
                trigger_queue(batch, &trigger, catalog_task(batch->catalog, trigger.task)))
            ->count++;
}

static bool items_count(struct batch *batch, const struct run_batch *made)
{
    struct batch_item *item;
    bool loaded = true;

    for (uint32_t i = 0; i < made->most; i++)
        loaded &= rows_item(&batch->rows, made->first_id + i, &item);
    if (!loaded)
        return false;
    table_set(&batch->kept, (uint64_t)made->id, ARENA_NEW(batch->arena, struct kept));
    for (uint32_t i = 0; i < made->most; i++) {
        item = rows_item_here(&batch->rows, made->first_id + i);
        if (item != NULL)
            item_count(batch, made->id, item);
    }
    return true;
}

bool items_ahead(struct batch *batch, int64_t id, struct slice queue, uint32_t *ahead)
{
    const struct run_batch *made = rows_run_batch_here(&batch->rows, id);

    *ahead = 0;
    if (made == NULL)
        return true;
    if (!table_has(&batch->kept, (uint64_t)id) && !items_count(batch, made))
        return false;
    *ahead = kept_of(batch, id, queue)->count;
    return true;
}

void item_keep(struct batch *batch, const struct run_batch *made, struct batch_item *item,
               const struct trigger *asked)
{
    item->asked = item_pack(batch->arena, asked);
    if (table_has(&batch->kept, (uint64_t)made->id))
        item_count(batch, made->id, item);
}
