/* What every store must say of queues that may go; beside contract.c. */
#include "store/memory/memory_store.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static const struct queue queues[] = {
    { .id = 1, .environment = 1, .name = SLICE("live"), .used_ms = 1 },
    { .id = 2, .environment = 1, .name = SLICE("late"), .used_ms = 9 },
    { .id = 3, .environment = 1, .name = SLICE("paused"), .used_ms = 1, .paused = true },
    { .id = 4, .environment = 1, .name = SLICE("gone"), .used_ms = 1, .removed = true },
    { .id = 5, .environment = 2, .name = SLICE("other"), .used_ms = 1 },
    { .id = 6, .environment = 1, .name = SLICE("early"), .used_ms = 5 },
    { .id = 7, .environment = 1, .name = SLICE(""), .used_ms = 1 },
    { .id = 8, .environment = 1, .name = SLICE("done"), .used_ms = 8 },
};

static void run_make(struct rows *rows, int64_t id, enum run_status status, int64_t queue)
{
    struct run *run = rows_new_run(rows, id);

    run->environment = 1;
    run->status = status;
    run->outcome = status == RUN_DONE ? OUTCOME_COMPLETED : OUTCOME_NONE;
    run->queue = run->lane = queue;
    run->task = SLICE("t");
}

static void look(struct store *store)
{
    const struct store_ops *ops = store->ops;
    struct arena arena = { 0 };
    struct idle *idle;
    struct rows rows;
    struct err err;

    rows_init(&rows, &arena);
    cr_assert(ops->begin(store, &err));
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++) {
        const struct queue *from = &queues[i];
        struct queue *row = rows_new_queue(&rows, from->id, from->environment, from->name);
        row->used_ms = from->used_ms;
        row->paused = from->paused;
        row->removed = from->removed;
    }
    run_make(&rows, 100, RUN_WAITING, 1);
    run_make(&rows, 101, RUN_DONE, 8);
    cr_assert(ops->flush(store, &rows, &err) && ops->commit(store, &err), "%s", err.text);
    rows_init(&rows, &arena);
    cr_assert(ops->begin(store, &err));
    cr_assert_not(rows_idle(&rows, 1, 2, &idle));
    cr_assert(ops->load(store, &rows, &err), "%s", err.text);
    rows_loaded(&rows);

    cr_assert(rows_idle(&rows, 1, 2, &idle));
    cr_assert_eq(idle->live, 5);
    cr_assert_eq(idle->count, 2);
    cr_assert_eq(idle->queues[0]->id, 6);
    cr_assert_eq(idle->queues[1]->id, 8);
    ops->rollback(store);
    ops->close(store);
    arena_finish(&arena);
}

/* Paused, with the reason; what is not there is absent. */
static void look_at_environment(struct store *store)
{
    const struct store_ops *ops = store->ops;
    struct environment *environment;
    struct arena arena = { 0 };
    struct rows rows;
    struct err err;
    uint32_t prod;

    cr_assert(ops->environment(store, "prod", &prod, &err));
    for (int i = 0; i < 2; i++) {
        rows_init(&rows, &arena);
        cr_assert(ops->begin(store, &err));
        (void)rows_environment(&rows, prod, &environment);
        (void)rows_environment(&rows, prod + 1, &environment);
        cr_assert(ops->load(store, &rows, &err), "%s", err.text);
        rows_loaded(&rows);
        cr_assert(rows_environment(&rows, prod + 1, &environment) && environment == NULL);
        cr_assert(rows_environment(&rows, prod, &environment) && environment != NULL);
        cr_assert(slice_is(environment->name, "prod") && environment->paused_by.size == 0);
        cr_assert_eq(environment->paused, i == 1);
        cr_assert_eq(environment->paused_ms, i == 1 ? 77 : 0);
        cr_assert(slice_is(environment->paused_why, i == 1 ? "moving" : ""));
        environment->paused = true;
        environment->paused_ms = 77;
        environment->paused_why = SLICE("moving");
        cr_assert(ops->flush(store, &rows, &err) && ops->commit(store, &err), "%s", err.text);
    }
    ops->close(store);
    arena_finish(&arena);
}

/* From `after` on, whatever the order they were made in. */
static void walk(struct store *store)
{
    const struct store_ops *ops = store->ops;
    struct arena arena = { 0 };
    struct rows rows;
    struct err err;

    rows_init(&rows, &arena);
    cr_assert(ops->begin(store, &err));
    for (int i = 0; i < 5; i++) {
        rows_new_waitpoint(&rows, 300 - 10 * i);
        run_make(&rows, 100 + 10 * i, RUN_QUEUED, 1);
    }
    cr_assert(ops->flush(store, &rows, &err) && ops->commit(store, &err), "%s", err.text);
    cr_assert(ops->begin(store, &err));
    for (enum row_kind kind = ROW_WAITPOINT; kind <= ROW_RUN; kind++) {
        int64_t first = kind == ROW_RUN ? 100 : 260;
        struct ids ids = { 0 };
        cr_assert(ops->walk(store, kind, first, 3, &arena, &ids, &err), "%s", err.text);
        cr_assert_eq(ids.count, 3);
        for (int i = 0; i < 3; i++)
            cr_assert_eq(ids.items[i], first + 10 * (i + 1));
        ids = (struct ids){ 0 };
        cr_assert(ops->walk(store, kind, first + 40, 3, &arena, &ids, &err), "%s", err.text);
        cr_assert_eq(ids.count, 0);
    }
    ops->rollback(store);
    ops->close(store);
    arena_finish(&arena);
}

static void in_every_store(void (*what)(struct store *store))
{
    char directory[] = "/tmp/bide-queues-XXXXXX", path[96], line[96];
    struct store *store;
    struct err err;

    what(store_memory_create());
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/bide.db", directory);
    cr_assert(store_sqlite_open(path, &store, &err), "%s", err.text);
    what(store);
    snprintf(line, sizeof line, "rm -rf '%s'", directory);
    cr_assert_eq(system(line), 0);
}

Test(contract_queues, idle_ones_are_found_longest_unused_first)
{
    in_every_store(look);
}

Test(contract_queues, an_environment_is_a_row)
{
    in_every_store(look_at_environment);
}

Test(contract_queues, rows_are_walked_over_by_rising_id)
{
    in_every_store(walk);
}
