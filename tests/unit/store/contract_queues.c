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

Test(contract_queues, idle_ones_are_found_longest_unused_first)
{
    char directory[] = "/tmp/bide-queues-XXXXXX", path[96], line[96];
    struct store *store;
    struct err err;

    look(store_memory_create());
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/bide.db", directory);
    cr_assert(store_sqlite_open(path, &store, &err), "%s", err.text);
    look(store);
    snprintf(line, sizeof line, "rm -rf '%s'", directory);
    cr_assert_eq(system(line), 0);
}
