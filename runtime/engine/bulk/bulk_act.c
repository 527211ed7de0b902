/* A bulk action is made, and stopped; old ones go. */
#include "engine/batch.h"
#include "engine/bulk/bulk.h"
#include "engine/prune.h"

/* At the next batch. */
static void begin(struct batch *batch, struct bulk_action *bulk)
{
    struct deadline now = batch_deadline(batch, 0, 1);

    bulk->due_ms = now.due_ms;
    bulk->due_is_span = now.is_span;
}

static struct bulk_action *bulk_make(struct batch *batch, const struct bulk_create *create)
{
    struct arena *arena = batch->arena;
    struct bulk_action *bulk =
        rows_new_bulk(&batch->rows, id_next(batch->engine->ids, batch->now_ms));

    bulk->environment = create->environment;
    bulk->what = create->what;
    bulk->created_ms = batch->now_ms;
    bulk->cursor = bulk->id; /* what is made from now on is not meant */
    bulk->filter = arena_copy(arena, create->filter);
    bulk->runs = arena_copy(arena, create->runs);
    bulk->total = create->filter.size > 0 ? create->total : bulk_run_count(create->runs);
    bulk->name = arena_copy(arena, create->name);
    bulk->by = arena_copy(arena, create->by);
    bulk->why = arena_copy(arena, create->why);
    begin(batch, bulk);
    return bulk;
}

bool bulk_create_decide(struct batch *batch, struct command *command)
{
    struct bulk_create *create = &command->bulk_create;
    struct key *key = NULL;
    uint8_t hash[16];

    if (create->request_key.size > 0) {
        key_hash(KEY_BULK, create->environment, (struct slice){ 0 }, 0, create->request_key,
                 hash);
        if (!rows_key(&batch->rows, hash, &key))
            return false;
    }
    if (key_is_live(batch, key)) {
        create->bulk_id = key->target;
        return true;
    }
    if (batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting") || true;
    if (create->what == BULK_REPLAY && !batch_has_room(batch, command))
        return true;
    struct bulk_action *bulk = bulk_make(batch, create);
    create->bulk_id = bulk->id;
    if (create->request_key.size > 0)
        (void)key_make(batch, hash, bulk->id, REQUEST_TTL_MS);
    return true;
}

bool bulk_stop_decide(struct batch *batch, struct command *command)
{
    struct bulk_stop *stop = &command->bulk_stop;
    struct bulk_action *bulk;

    if (!rows_bulk(&batch->rows, stop->id, &bulk))
        return false;
    if (bulk == NULL || bulk->row.is_deleted || bulk->environment != stop->environment)
        return err_set(&command->err, ERR_NOT_FOUND, "Bulk action not found") || true;
    stop->was_over = bulk->status != BULK_PENDING;
    if (stop->was_over)
        return true;
    bulk->status = BULK_ABORTED;
    bulk->finished_ms = batch->now_ms;
    bulk->due_ms = 0;
    bulk->stopped = stop->by.size > 0 ? arena_copy(batch->arena, stop->by) : SLICE("somebody");
    return true;
}

/* ---- pruning ----------------------------------------------------------------------------- */

static bool is_old(const struct batch *batch, const struct prune *prune,
                   const struct bulk_action *bulk)
{
    return bulk != NULL && !bulk->row.is_deleted && bulk->status != BULK_PENDING &&
           (prune->environment == 0 || prune->environment == bulk->environment) &&
           prune_may_go(batch, bulk->environment, bulk->id, bulk->finished_ms);
}

bool bulk_prune(struct batch *batch, struct prune *prune)
{
    struct bulk_action *bulk;
    bool loaded = true;

    for (uint32_t i = 0; i < prune->ids.count; i++)
        loaded &= rows_bulk(&batch->rows, prune->ids.items[i], &bulk);
    if (!loaded)
        return false;
    prune->last = prune->after;
    for (uint32_t i = 0; i < prune->ids.count; i++) {
        (void)rows_bulk(&batch->rows, prune->ids.items[i], &bulk); /* loaded */
        prune->last = prune->ids.items[i];
        if (is_old(batch, prune, bulk) && !prune->is_dry)
            bulk->row.is_deleted = true;
    }
    prune->is_end = prune->is_all;
    return true;
}
