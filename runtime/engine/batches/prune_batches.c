#include "engine/batches/prune_batches.h"

static bool is_old(const struct batch *batch, const struct prune *prune,
                   const struct run_batch *made)
{
    if (made == NULL || made->row.is_deleted || made->finished_ms == 0 || made->due_ms != 0 ||
        (prune->environment != 0 && prune->environment != made->environment))
        return false;
    int64_t since_ms = made->used_ms > made->finished_ms ? made->used_ms : made->finished_ms;
    return prune_may_go(batch, made->environment, made->id, since_ms);
}

/* Who made it may still ask for its answers; its key goes with it. */
static bool load(struct batch *batch, const struct run_batch *made, struct run **parent,
                 struct key **key)
{
    bool loaded = true;

    *parent = NULL;
    *key = NULL;
    if (made->parent_id != 0)
        loaded &= rows_run(&batch->rows, made->parent_id, 0, parent);
    if (made->key.size == sizeof(*key)->hash)
        loaded &= rows_key(&batch->rows, (const uint8_t *)made->key.data, key);
    return loaded;
}

static void end(struct prune *prune)
{
    prune->last = prune->ids.count == 0 ? prune->after : prune->ids.items[prune->ids.count - 1];
    prune->is_end = prune->is_all;
}

bool batches_prune(struct batch *batch, struct prune *prune)
{
    struct run_batch *made;
    struct run *parent;
    struct key *key;
    bool loaded = true;

    for (uint32_t i = 0; i < prune->ids.count; i++)
        loaded &= rows_run_batch(&batch->rows, prune->ids.items[i], &made);
    for (uint32_t i = 0; loaded && i < prune->ids.count; i++) {
        made = rows_run_batch_here(&batch->rows, prune->ids.items[i]);
        if (is_old(batch, prune, made) && !load(batch, made, &parent, &key))
            loaded = false;
    }
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < prune->ids.count; i++) {
        made = rows_run_batch_here(&batch->rows, prune->ids.items[i]);
        if (!is_old(batch, prune, made))
            continue;
        (void)load(batch, made, &parent, &key); /* loaded */
        if (parent != NULL && !run_is_over(parent))
            continue;
        pruned_count_one(&prune->pruned.batches, made->finished_ms);
        if (prune->is_dry)
            continue;
        made->row.is_deleted = true;
        if (key != NULL && key->target == made->id)
            key->row.is_deleted = true;
    }
    end(prune);
    return true;
}

/* Its batch is gone, and nobody will tell it of an end. */
static bool item_load_all(struct batch *batch, int64_t id, struct batch_item **item,
                          struct run_batch **made, struct run **target)
{
    *made = NULL;
    *target = NULL;
    if (!rows_item(&batch->rows, id, item))
        return false;
    return *item == NULL || (rows_run_batch(&batch->rows, (*item)->batch, made) &&
                             rows_run(&batch->rows, (*item)->target, 0, target));
}

bool items_prune(struct batch *batch, struct prune *prune)
{
    struct batch_item *item;
    struct run_batch *made;
    struct run *target;
    bool loaded = true;

    for (uint32_t i = 0; i < prune->ids.count; i++)
        loaded &= item_load_all(batch, prune->ids.items[i], &item, &made, &target);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < prune->ids.count; i++) {
        (void)item_load_all(batch, prune->ids.items[i], &item, &made, &target); /* loaded */
        if (target != NULL && !row_is_changed(ROW_RUN, &target->row))
            target->is_bystander = true; /* it was only looked at */
        bool is_told = target == NULL || run_is_over(target);
        if (item == NULL || (made != NULL && !made->row.is_deleted) || !is_told ||
            prune->is_dry)
            continue;
        item->row.is_deleted = true;
        if (item->kind == ITEM_LINKED) /* one of a crowd, whose turn to be told had not come */
            rows_unlink(&batch->rows, item->target, item->id);
    }
    end(prune);
    return true;
}
