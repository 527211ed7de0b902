/* What every store must say of lanes; beside contract.c. */
#include "engine/rows/schedule.h"
#include "store/memory/memory_store.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct store *store;
static struct arena arena;
static struct rows rows;
static struct err err;

static void begin(void)
{
    rows_init(&rows, &arena);
    cr_assert(store->ops->begin(store, &err), "%s", err.text);
}

static void commit(void)
{
    cr_assert(store->ops->flush(store, &rows, &err), "%s", err.text);
    cr_assert(store->ops->commit(store, &err), "%s", err.text);
    begin();
}

static void load(void)
{
    cr_assert(store->ops->load(store, &rows, &err), "%s", err.text);
    rows_loaded(&rows);
}

static struct run *run_make(int64_t id, enum run_status status, int64_t queue, int64_t lane)
{
    struct run *run = rows_new_run(&rows, id);

    run->environment = 1;
    run->status = status;
    run->queue = queue;
    run->lane = lane;
    run->task = SLICE("t");
    return run;
}

/* Queue 7 has lanes 21 to 25 with something, and its own; queue 8 has its own and lane 30. */
static void fill(void)
{
    (void)rows_new_queue(&rows, 7, 1, SLICE("a"));
    (void)rows_new_queue(&rows, 8, 1, SLICE("b"));
    for (int64_t lane = 21; lane <= 25; lane++) {
        char key[] = { 'k', (char)('0' + lane - 20) };
        struct lane *row = rows_new_lane(&rows, lane, 7, (struct slice){ key, 2 });
        row->environment = 1;
        row->created_ms = 1000 + lane;
        for (int k = 0; k < 40; k++)
            run_make(lane * 100 + k, RUN_QUEUED, 7, lane)->rank_ms = 50 - k;
    }
    (void)rows_new_lane(&rows, 30, 8, SLICE("k1"));
    run_make(100, RUN_QUEUED, 7, 7);
    run_make(101, RUN_QUEUED, 8, 8);
    run_make(102, RUN_RUNNING, 8, 30)->concurrency_key = SLICE("k1");
    run_make(103, RUN_RUNNING, 8, 8);
    run_make(104, RUN_WAITING, 7, 25);
    commit();
}

static void check_questions(void)
{
    struct lane *lane, *other, *none;
    struct lanes *of;
    struct ready *ready;
    struct run *run;

    cr_assert_not(rows_lane_named(&rows, 7, SLICE("k1"), &lane));
    cr_assert_not(rows_lane_named(&rows, 8, SLICE("k1"), &other));
    cr_assert_not(rows_lane_named(&rows, 8, SLICE("k2"), &none));
    cr_assert_not(rows_lanes(&rows, 7, 20, 3, &of));
    cr_assert_not(rows_ready(&rows, 7, 22, 2, &ready));
    (void)rows_run(&rows, 102, 0, &run);
    (void)rows_running(&rows);
    load();

    cr_assert(rows_lane_named(&rows, 7, SLICE("k1"), &lane) && lane->id == 21);
    cr_assert(lane->environment == 1 && lane->created_ms == 1021 && slice_is(lane->key, "k1"));
    cr_assert(rows_lane_named(&rows, 8, SLICE("k1"), &other) && other->id == 30);
    cr_assert(rows_lane_named(&rows, 8, SLICE("k2"), &none) && none == NULL);
    cr_assert(rows_lanes(&rows, 7, 20, 3, &of) && of->ids.count == 3);
    cr_assert(of->ids.items[0] == 21 && of->ids.items[2] == 23);
    cr_assert(rows_ready(&rows, 7, 22, 2, &ready) && ready->count == 2);
    cr_assert_eq(ready->runs[0]->id, 2239, "by rank");
    cr_assert(rows_run(&rows, 102, 0, &run) && run->lane == 30 &&
              slice_is(run->concurrency_key, "k1"));
    uint32_t keyed = 0;
    for (uint32_t i = 0; i < rows.running_count; i++)
        keyed += rows.running[i].lane == 30 && rows.running[i].queue == 8
                     ? rows.running[i].count
                     : 0;
    cr_assert(keyed == 1 && rows.running_count == 2);
    store->ops->rollback(store);
    begin();
    cr_assert_not(rows_lanes(&rows, 7, -1, 10, &of));
    load();
    cr_assert_eq(of->ids.count, 6);
    cr_assert_eq(of->ids.items[0], 7, "the queue's own");
}

/* A lane is idle when its last live run is gone, and removed when the engine says so. */
static void check_idle(void)
{
    struct idle_lanes *idle;
    struct lane *lane;
    struct run *run;

    store->ops->rollback(store);
    begin();
    (void)rows_run(&rows, 102, 0, &run);
    load();
    (void)rows_run(&rows, 102, 0, &run);
    run->status = RUN_DONE;
    run->outcome = OUTCOME_CANCELED;
    run->is_out = true;
    commit();
    cr_assert_not(rows_idle_lanes(&rows, 0, 5, &idle));
    (void)rows_run(&rows, 102, 0, &run);
    load();
    cr_assert(rows_idle_lanes(&rows, 0, 5, &idle) && idle->count == 0, "its place is taken");
    (void)rows_run(&rows, 102, 0, &run);
    run->is_out = false;
    commit();
    (void)rows_idle_lanes(&rows, 0, 5, &idle);
    load();
    cr_assert(rows_idle_lanes(&rows, 0, 5, &idle) && idle->count == 1);
    cr_assert(idle->items[0]->id == 30 && slice_is(idle->items[0]->key, "k1"));
    idle->items[0]->row.is_deleted = true;
    commit();
    (void)rows_lane_named(&rows, 8, SLICE("k1"), &lane);
    (void)rows_lane_named(&rows, 7, SLICE("k1"), &lane);
    load();
    cr_assert(rows_lane_named(&rows, 8, SLICE("k1"), &lane) && lane == NULL);
    cr_assert(rows_lane_named(&rows, 7, SLICE("k1"), &lane) && lane != NULL);
}

static void check_last_id(void)
{
    int64_t last;

    (void)rows_new_lane(&rows, 9000, 7, SLICE("new"));
    commit();
    cr_assert(store->ops->last_id(store, &last, &err));
    cr_assert_geq(last, 9000);
    (void)rows_new_schedule(&rows, 9001, 1, SLICE("nightly"));
    commit();
    cr_assert(store->ops->last_id(store, &last, &err));
    cr_assert_geq(last, 9001);
}

static void check(struct store *made)
{
    store = made;
    begin();
    fill();
    check_questions();
    check_idle();
    check_last_id();
    store->ops->rollback(store);
    store->ops->close(store);
    arena_finish(&arena);
}

Test(contract_lanes, memory)
{
    check(store_memory_create());
}

Test(contract_lanes, sqlite)
{
    char directory[] = "/tmp/bide-lanes-XXXXXX", path[96], line[96];
    struct store *made;

    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/bide.db", directory);
    cr_assert(store_sqlite_open(path, &made, &err), "%s", err.text);
    check(made);
    snprintf(line, sizeof line, "rm -rf '%s'", directory);
    cr_assert_eq(system(line), 0);
}
