/*
 * The contract of store.h, tried on every store: what one filters, the others must filter too.
 * A sentence that is not tried here is not kept for long.
 */
#include "base/id.h"
#include "due_of.h"
#include "store/memory/memory_store.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum store_kind { STORE_MEMORY, STORE_SQLITE };

static struct store *store;
static char directory[64];
static struct arena arena;
static struct rows rows;
static struct err err;

static void begin(void)
{
    cr_assert(store->ops->begin(store, &err), "%s", err.text);
    rows_init(&rows, &arena);
}

static void open_store(enum store_kind kind)
{
    char path[96];

    if (kind == STORE_MEMORY) {
        store = store_memory_create();
    } else {
        strcpy(directory, "/tmp/bide-contract-XXXXXX");
        cr_assert_not_null(mkdtemp(directory));
        snprintf(path, sizeof path, "%s/bide.db", directory);
        cr_assert(store_sqlite_open(path, &store, &err), "%s", err.text);
    }
    begin();
}

static void close_store(void)
{
    char line[120];

    store->ops->rollback(store);
    store->ops->close(store);
    arena_finish(&arena);
    snprintf(line, sizeof line, "rm -rf '%s'", directory);
    cr_assert(*directory == '\0' || system(line) == 0);
}

static const enum store_kind kinds[] = { STORE_MEMORY, STORE_SQLITE };

/* A test that is tried on each of them. */
#define EVERY(test)                                                          \
    ParameterizedTestParameters(contract, test)                              \
    {                                                                        \
        return cr_make_param_array(const enum store_kind, (void *)kinds, 2); \
    }                                                                        \
    ParameterizedTest(const enum store_kind *kind, contract, test, .fini = close_store)

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

static struct run *run_new(int64_t id, enum run_status status, int64_t rank_ms)
{
    struct run *run = rows_new_run(&rows, id);

    run->environment = 1;
    run->status = status;
    run->queue = run->lane = 7;
    run->rank_ms = rank_ms;
    run->task = SLICE("pay");
    return run;
}

static struct run *run_found(int64_t id, uint32_t parts)
{
    struct run *run;

    if (!rows_run(&rows, id, parts, &run)) {
        load();
        cr_assert(rows_run(&rows, id, parts, &run));
    }
    return run;
}

EVERY(what_was_committed_is_loaded_and_what_was_not_is_absent)
{
    open_store(*kind);
    struct run *run = run_new(5, RUN_QUEUED, 0);
    run->input = SLICE("input");
    run->row.dirty_parts = PART_INPUT;
    commit();

    run = run_found(5, PART_INPUT);

    cr_assert(slice_is(run->task, "pay"));
    cr_assert(slice_is(run->input, "input"));
    cr_assert_eq(run_loaded(run)->status, RUN_QUEUED);
    cr_assert_not(row_is_changed(ROW_RUN, &run->row));
    cr_assert_null(run_found(6, 0));
}

EVERY(a_rollback_forgets)
{
    open_store(*kind);
    run_new(5, RUN_QUEUED, 0);
    cr_assert(store->ops->flush(store, &rows, &err));
    store->ops->rollback(store);

    begin();

    cr_assert_null(run_found(5, 0));
}

EVERY(the_big_parts_come_only_when_they_are_asked_for)
{
    open_store(*kind);
    struct run *run = run_new(5, RUN_QUEUED, 0);
    run->input = SLICE("input");
    run->state = SLICE("state");
    run->row.dirty_parts = PART_INPUT | PART_STATE;
    commit();

    run = run_found(5, PART_STATE);
    cr_assert_eq(run->input.size, 0);
    cr_assert(slice_is(run->state, "state"));

    cr_assert(slice_is(run_found(5, PART_INPUT)->input, "input"));
    cr_assert(slice_is(run->state, "state"), "what was there stays");
}

/* A row that says something else is written without being asked, a big field when it is marked.
 */
EVERY(what_has_changed_is_written)
{
    open_store(*kind);
    struct run *run = run_new(5, RUN_QUEUED, 0);
    run->state = SLICE("state");
    run->row.dirty_parts = PART_STATE;
    commit();

    run = run_found(5, PART_STATE);
    run->rank_ms = 99;
    run->state = (struct slice){ 0 };
    run->row.dirty_parts = PART_STATE;
    commit();

    run = run_found(5, PART_STATE);
    cr_assert_eq(run->rank_ms, 99);
    cr_assert_eq(run->state.size, 0, "an empty part is deleted");
    cr_assert_not(row_is_changed(ROW_RUN, &run->row));
}

EVERY(ready_runs_come_in_rank_order_up_to_the_limit)
{
    open_store(*kind);
    static const int64_t ranks[] = { 30, 10, 20, 10, 40 };
    struct ready *ready;
    for (int i = 0; i < 5; i++)
        run_new(100 + i, RUN_QUEUED, ranks[i]);
    run_new(200, RUN_RUNNING, 1);
    run_new(201, RUN_QUEUED, 1)->lane = 8;
    commit();

    cr_assert_not(rows_ready(&rows, 7, 7, 4, &ready));
    load();
    cr_assert(rows_ready(&rows, 7, 7, 4, &ready));

    cr_assert_eq(ready->count, 4);
    cr_assert_eq(ready->runs[0]->id, 101);
    cr_assert_eq(ready->runs[1]->id, 103, "of one rank the older first");
    cr_assert_eq(ready->runs[2]->id, 102);
    cr_assert_eq(ready->runs[3]->id, 100);
}

EVERY(running_runs_are_counted_by_queue)
{
    open_store(*kind);
    uint32_t total = 0;
    for (int i = 0; i < 3; i++)
        run_new(100 + i, RUN_RUNNING, 0);
    run_new(200, RUN_RUNNING, 0)->queue = 8;
    run_new(201, RUN_DONE, 0);
    commit();

    cr_assert_not(rows_running(&rows));
    load();

    cr_assert(rows_running(&rows));
    for (uint32_t i = 0; i < rows.running_count; i++)
        total += rows.running[i].count * (rows.running[i].queue == 7 ? 1 : 10);
    cr_assert_eq(total, 13);
}

EVERY(what_is_due_and_what_will_be_next_agree_for_times_of_every_size_and_sign)
{
    static const int64_t dues[] = {
        INT64_MIN,       -1000000000000000000, -1,       0, 1, 1800000000000,
        253402300799999, INT64_MAX - 1,        INT64_MAX
    };
    enum { COUNT = sizeof dues / sizeof dues[0] };
    struct moment next, now;
    struct row_refs due;
    open_store(*kind);
    for (int i = 0; i < COUNT * 2; i++) {
        struct run *run = run_new(100 + i, i % 6 == 5 ? RUN_DONE : RUN_WAITING, 0);
        struct waitpoint *token = rows_new_waitpoint(&rows, 200 + i);
        run->due_ms = token->due_ms = dues[i / 2];
        run->due_is_span = token->due_is_span = i % 2 == 1;
    }
    commit();

    for (int clock = 0; clock < 2; clock++) {
        uint32_t sooner = 0; /* of each kind by this clock */
        for (int i = 0; i < COUNT; i++) {
            if (dues[i] == 0)
                continue;
            sooner++;
            now = (struct moment){ clock == 0 ? dues[i] : INT64_MIN,
                                   clock == 1 ? dues[i] : INT64_MIN };
            cr_assert(store->ops->due(store, &now, 100, &arena, &due, &err));
            cr_assert_eq(due_count(&due, ROW_RUN), sooner + 1,
                         "by the other clock one is due always");
            cr_assert_eq(due_count(&due, ROW_WAITPOINT), sooner + 1);
        }
    }
    cr_assert(store->ops->next_due(store, &next, &err));
    cr_assert(next.wall_ms == INT64_MIN && next.steady_ms == INT64_MIN);
    for (int i = 0; i < COUNT; i++) { /* from the earliest on, one after the other is settled */
        if (dues[i] == 0)
            continue;
        cr_assert(store->ops->next_due(store, &next, &err));
        cr_assert(next.wall_ms == dues[i] && next.steady_ms == dues[i]);
        for (int k = 2 * i; k < 2 * i + 2; k++) {
            struct waitpoint *token;
            struct run *run = run_found(100 + k, 0);
            if (!rows_waitpoint(&rows, 200 + k, &token)) {
                load();
                cr_assert(rows_waitpoint(&rows, 200 + k, &token));
            }
            run->due_ms = token->due_ms = 0;
        }
        commit();
    }
    cr_assert(store->ops->next_due(store, &next, &err));
    cr_assert(next.wall_ms == 0 && next.steady_ms == 0, "nothing is left");
}

/* A row goes from one clock to the other. */
EVERY(what_was_a_date_and_becomes_a_span_is_due_once)
{
    struct moment now = { 1000, 1000 };
    struct row_refs due;
    open_store(*kind);
    run_new(100, RUN_WAITING, 0)->due_ms = 500;
    commit();
    struct run *run = run_found(100, 0);
    run->due_is_span = true;
    commit();

    cr_assert(store->ops->due(store, &now, 10, &arena, &due, &err));
    cr_assert_eq(due_count(&due, ROW_RUN), 1);
    now.steady_ms = 499;
    cr_assert(store->ops->due(store, &now, 10, &arena, &due, &err));
    cr_assert_eq(due_count(&due, ROW_RUN), 0);
}

EVERY(what_is_due_and_readable_is_not_lost)
{
    struct moment now = { 1000, 1000 };
    struct row_refs due;
    open_store(*kind);
    run_new(100, RUN_WAITING, 0)->due_ms = 500;
    rows_new_waitpoint(&rows, 200)->due_ms = -5;
    commit();

    cr_assert(store->ops->mend_due(store, &now, 10, &arena, &due, &err));
    cr_assert(due_count(&due, ROW_RUN) == 0 && due_count(&due, ROW_WAITPOINT) == 0);
    cr_assert(store->ops->due(store, &now, 10, &arena, &due, &err));
    cr_assert(due_count(&due, ROW_RUN) == 1 && due_count(&due, ROW_WAITPOINT) == 1);
}

EVERY(what_is_due_comes_earliest_first)
{
    open_store(*kind);
    struct row_refs due = { 0 };
    static const int64_t dues[] = { 500, 100, 300, 900, 0 };
    for (int i = 0; i < 5; i++) {
        run_new(100 + i, RUN_WAITING, 0)->due_ms = dues[i];
        rows_new_waitpoint(&rows, 200 + i)->due_ms = dues[i];
    }
    commit();

    cr_assert(store->ops->due(store, &(struct moment){ 500, 500 }, 2, &arena, &due, &err));

    cr_assert_eq(due_count(&due, ROW_RUN), 2);
    cr_assert_eq(due_at(&due, ROW_RUN, 0), 101);
    cr_assert_eq(due_at(&due, ROW_RUN, 1), 102);
    cr_assert_eq(due_count(&due, ROW_WAITPOINT), 2);
    cr_assert_eq(due_at(&due, ROW_WAITPOINT, 0), 201);
    cr_assert_eq(due_at(&due, ROW_WAITPOINT, 1), 202);
    due = (struct row_refs){ 0 };
    cr_assert(store->ops->due(store, &(struct moment){ 500, 500 }, 10, &arena, &due, &err));
    cr_assert_eq(due_count(&due, ROW_RUN), 3, "the time itself is included");
}

EVERY(edges_are_found_by_their_waitpoint)
{
    open_store(*kind);
    struct edges *edges;
    rows_new_edge(&rows, 50, 1);
    rows_new_edge(&rows, 50, 2);
    rows_new_edge(&rows, 51, 1);
    commit();
    rows_unlink(&rows, 50, 1);
    rows_unlink(&rows, 52, 9); /* was never there */
    commit();

    cr_assert_not(rows_edges(&rows, 50, 1000, &edges));
    load();
    cr_assert(rows_edges(&rows, 50, 1000, &edges));

    cr_assert_eq(edges->first->run_id, 2);
    cr_assert_null(edges->first->next);
}

EVERY(only_live_children_are_children)
{
    open_store(*kind);
    struct children *children;
    run_new(100, RUN_RUNNING, 0);
    run_new(101, RUN_WAITING, 0)->parent_id = 100;
    run_new(102, RUN_DONE, 0)->parent_id = 100;
    run_new(103, RUN_QUEUED, 0)->parent_id = 101;
    commit();

    cr_assert_not(rows_children(&rows, 100, 0, 1000, &children));
    load();
    cr_assert(rows_children(&rows, 100, 0, 1000, &children));

    cr_assert_eq(children->ids.count, 1);
    cr_assert_eq(children->ids.items[0], 101);
}

EVERY(crowds_are_loaded_as_far_as_they_are_wanted)
{
    open_store(*kind);
    struct edges *edges, *few;
    struct children *children;
    for (int64_t i = 1; i <= 9; i++) {
        rows_new_edge(&rows, 50, i);
        run_new(100 + i, i < 4 ? RUN_DONE : RUN_WAITING, 0)->parent_id = 100;
    }
    rows_new_edge(&rows, 51, 1);
    commit();

    cr_assert_not(rows_edges(&rows, 50, 3, &edges));
    cr_assert_not(rows_edges(&rows, 51, 3, &few));
    cr_assert_not(rows_children(&rows, 100, 102, 4, &children));
    load();

    cr_assert(rows_edges(&rows, 50, 3, &edges));
    cr_assert(rows_edges(&rows, 51, 300, &few), "there are fewer than were asked for");
    cr_assert_eq(edges->count, 3);
    cr_assert_eq(few->count, 1);
    cr_assert_eq(children->count, 4, "103 to 106 were looked at");
    cr_assert_eq(children->ids.count, 3);
    cr_assert_eq(children->last, 106);
    cr_assert_not(rows_edges(&rows, 50, 100, &edges), "now all of them");
    load();
    cr_assert(rows_edges(&rows, 50, 100, &edges));
    cr_assert_eq(edges->count, 9);
    uint32_t count = 0;
    for (struct edge *edge = edges->first; edge != NULL; edge = edge->next)
        count++;
    cr_assert_eq(count, 9, "each is there once");
}

EVERY(queues_are_found_by_id_and_by_name)
{
    open_store(*kind);
    struct queue *queue;
    rows_new_queue(&rows, 7, 1, SLICE("mail"));
    rows_new_queue(&rows, 8, 2, SLICE("mail"));
    commit();

    cr_assert_not(rows_queue_named(&rows, 2, SLICE("mail"), &queue));
    load();
    cr_assert(rows_queue_named(&rows, 2, SLICE("mail"), &queue));
    cr_assert_eq(queue->id, 8);
    cr_assert_not(rows_queue(&rows, 7, &queue));
    load();
    cr_assert(rows_queue(&rows, 7, &queue));
    cr_assert_eq(queue->environment, 1);
    cr_assert_not(rows_queue_named(&rows, 3, SLICE("mail"), &queue));
    load();
    cr_assert(rows_queue_named(&rows, 3, SLICE("mail"), &queue));
    cr_assert_null(queue);
}

EVERY(a_sweep_takes_expired_keys_up_to_its_limit)
{
    open_store(*kind);
    struct key *key;
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t hash[16] = { i };
        rows_new_key(&rows, hash)->expires_ms = i == 0 ? 0 : i * 100;
    }
    commit();

    cr_assert(store->ops->sweep(store, 300, 0, 2, &err));
    cr_assert(store->ops->sweep(store, 300, 0, 2, &err));

    for (uint8_t i = 0; i < 5; i++) {
        uint8_t hash[16] = { i };
        if (!rows_key(&rows, hash, &key)) {
            load();
            cr_assert(rows_key(&rows, hash, &key));
        }
        cr_assert_eq(key == NULL, i >= 1 && i <= 3, "key %u", i);
    }
}

EVERY(parked_runs_of_a_task_go_on_after_the_last_one)
{
    open_store(*kind);
    struct ids ids = { 0 };
    for (int i = 0; i < 5; i++)
        run_new(100 + i, RUN_PARKED, 0);
    run_new(200, RUN_PARKED, 0)->task = SLICE("other");
    commit();

    cr_assert(store->ops->parked(store, SLICE("pay"), 0, 3, &arena, &ids, &err));
    cr_assert_eq(ids.count, 3);
    ids = (struct ids){ 0 };
    cr_assert(store->ops->parked(store, SLICE("pay"), 102, 3, &arena, &ids, &err));

    cr_assert_eq(ids.count, 2);
    cr_assert_eq(ids.items[0], 103);
}

EVERY(what_was_running_and_what_was_queued_is_found_at_the_start)
{
    open_store(*kind);
    struct ids running = { 0 }, backlog = { 0 };
    rows_new_queue(&rows, 7, 1, SLICE("a"));
    rows_new_queue(&rows, 8, 1, SLICE("b"));
    run_new(100, RUN_RUNNING, 0)->queue = 8;
    run_new(101, RUN_QUEUED, 0);
    run_new(102, RUN_QUEUED, 0);
    commit();

    cr_assert(store->ops->running(store, &arena, &running, &err));
    cr_assert(store->ops->backlog(store, &arena, &backlog, &err));

    cr_assert(running.count == 1 && running.items[0] == 100);
    cr_assert(backlog.count == 1 && backlog.items[0] == 7);
}

EVERY(an_environment_keeps_its_number)
{
    open_store(*kind);
    uint32_t dev, prod, again;

    cr_assert(store->ops->environment(store, "dev", &dev, &err));
    cr_assert(store->ops->environment(store, "prod", &prod, &err));
    cr_assert(store->ops->environment(store, "dev", &again, &err));

    cr_assert(dev != prod && dev == again && dev > 0);
}

/* A block is in the row of its run alone: what starts with the clock set back must not hand it
 * out again. */
EVERY(ids_that_were_given_to_a_run_are_behind_the_last_one)
{
    open_store(*kind);
    int64_t last = 0;
    run_new(100, RUN_DELAYED, 0)->id_block = 128000;
    commit();

    cr_assert(store->ops->last_id(store, &last, &err));

    cr_assert_geq(last, 128000 + ID_BLOCK - 1);
}
