/*
 *   begin ─▶ what is due ─▶ decide ⇄ load ─▶ dispatch ⇄ load ─▶ flush ─▶ commit
 *
 * The engine never touches the store: it says what it misses, and is asked again when that is
 * loaded.
 */
#include "batch_run.h"

#include "base/clock.h"
#include "base/log.h"

#include <assert.h>

enum {
    DUE_LIMIT = 1000,      /* of each kind in one batch; the rest are due in the next */
    ROUNDS_LIMIT = 100000, /* of loading; only a fault in the engine comes near */
    CONFLICTS_MOST = 20
};

static bool due_load(struct store_batch *run, struct batch *batch, struct err *err)
{
    struct row_refs due = { 0 };

    if (!run->store->ops->due(run->store, &run->now, DUE_LIMIT, run->arena, &due, err))
        return false;
    batch_due(batch, &due);
    return true;
}

static bool parked_load(struct store_batch *run, struct batch *batch, struct err *err)
{
    struct slice task;
    int64_t after;
    uint32_t limit;

    while (batch_unpark_task(batch, &task, &after, &limit)) {
        struct ids runs = { 0 };
        if (!run->store->ops->parked(run->store, task, after, limit, run->arena, &runs, err))
            return false;
        batch_unpark(batch, &runs, runs.count < limit);
    }
    return true;
}

static bool walk_load(struct store_batch *run, struct err *err)
{
    for (uint32_t i = 0; i < run->count; i++) {
        struct prune *prune = &run->commands[i]->prune;
        if (run->commands[i]->kind != COMMAND_PRUNE)
            continue;
        prune->ids = (struct ids){ 0 };
        prune->pruned = (struct pruned){ 0 };
        if (!run->store->ops->walk(run->store, prune->kind, prune->after, prune->looks,
                                   run->arena, &prune->ids, err))
            return false;
        prune->is_all = prune->ids.count < prune->looks;
    }
    return true;
}

static bool decide(struct store_batch *run, struct batch *batch, bool (*step)(struct batch *),
                   struct err *err)
{
    struct rows *rows = batch_rows(batch);

    for (uint32_t round = 0; !step(batch); round++) {
        assert(rows_wanted(rows) && round < ROUNDS_LIMIT);
        if (!run->store->ops->load(run->store, rows, err))
            return false;
        rows_loaded(rows);
    }
    return true;
}

static bool transact(struct store_batch *run, struct batch *batch, uint64_t *commit_ns,
                     struct err *err)
{
    const struct store_ops *ops = run->store->ops;

    if ((run->look_for_due && !due_load(run, batch, err)) || !parked_load(run, batch, err) ||
        !walk_load(run, err) || !decide(run, batch, batch_decide, err) ||
        !decide(run, batch, batch_dispatch, err))
        return false;
    if (rows_changed(batch_rows(batch))) {
        if (!ops->flush(run->store, batch_rows(batch), err))
            return false;
    } else if (!run->must_write) {
        ops->rollback(run->store); /* only looked */
        return true;
    } else if (!ops->touch(run->store, err)) {
        return false;
    }
    uint64_t start_ns = clock_monotonic_ns();
    if (!ops->commit(run->store, err))
        return false;
    if (commit_ns != NULL)
        *commit_ns = clock_monotonic_ns() - start_ns;
    return true;
}

/* A batch that another node has overtaken is decided again; the engine is a function, so that
 * trying twice is free. */
bool store_batch_run(struct store_batch *run, struct outcome *outcome, uint64_t *commit_ns,
                     struct err *err)
{
    struct batch *batch =
        batch_begin(run->engine, run->arena, &run->now, run->commands, run->count);
    struct room room;

    run->store->ops->room(run->store, &room);
    for (uint32_t tries = 1;; tries++) {
        bool begun = run->store->ops->begin(run->store, err);
        if (room.is_low)
            batch_low(batch, room.free_bytes, room.low_bytes, room.file_bytes);
        if (begun && transact(run, batch, commit_ns, err)) {
            batch_committed(batch, outcome);
            return true;
        }
        if (begun)
            run->store->ops->rollback(run->store);
        if (err->code != ERR_CONFLICT || tries == CONFLICTS_MOST)
            break;
        log_debug("store.conflict", "%s", err->text);
        batch = batch_again(batch);
    }
    batch_failed(batch, err);
    *outcome = (struct outcome){ 0 };
    return false;
}
