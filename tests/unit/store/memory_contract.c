/* The memory store keeps the contract of store.h as a database would: it is what the others are
 * measured against. */
#include "base/id.h"
#include "store/memory/memory_store.h"

#include <criterion/criterion.h>

static struct store *store;
static struct arena arena;
static struct rows rows;
static struct err err;

static void begin(void)
{
    cr_assert(store->ops->begin(store, &err), "%s", err.text);
    rows_init(&rows, &arena);
}

static void open_store(void)
{
    store = store_memory_create();
    begin();
}

static void close_store(void)
{
    store->ops->close(store);
    arena_finish(&arena);
}

TestSuite(memory_contract, .init = open_store, .fini = close_store);

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
    run->queue = 7;
    run->rank_ms = rank_ms;
    run->task = SLICE("pay");
    return run;
}

static struct run *run_loaded(int64_t id, uint32_t parts)
{
    struct run *run;

    if (!rows_run(&rows, id, parts, &run)) {
        load();
        cr_assert(rows_run(&rows, id, parts, &run));
    }
    return run;
}

Test(memory_contract, what_was_committed_is_loaded_and_what_was_not_is_absent)
{
    struct run *run = run_new(5, RUN_QUEUED, 0);
    run->input = SLICE("input");
    run->dirty_parts = PART_INPUT;
    commit();

    run = run_loaded(5, PART_INPUT);

    cr_assert(slice_is(run->task, "pay"));
    cr_assert(slice_is(run->input, "input"));
    cr_assert_eq(run->loaded_status, RUN_QUEUED);
    cr_assert_not(run->is_new || run->is_dirty);
    cr_assert_null(run_loaded(6, 0));
}

Test(memory_contract, a_rollback_forgets)
{
    run_new(5, RUN_QUEUED, 0);
    cr_assert(store->ops->flush(store, &rows, &err));
    store->ops->rollback(store);

    begin();

    cr_assert_null(run_loaded(5, 0));
}

Test(memory_contract, the_big_parts_come_only_when_they_are_asked_for)
{
    struct run *run = run_new(5, RUN_QUEUED, 0);
    run->input = SLICE("input");
    run->state = SLICE("state");
    run->dirty_parts = PART_INPUT | PART_STATE;
    commit();

    run = run_loaded(5, PART_STATE);
    cr_assert_eq(run->input.size, 0);
    cr_assert(slice_is(run->state, "state"));

    cr_assert(slice_is(run_loaded(5, PART_INPUT)->input, "input"));
    cr_assert(slice_is(run->state, "state"), "what was there stays");
}

Test(memory_contract, only_what_is_marked_is_written)
{
    struct run *run = run_new(5, RUN_QUEUED, 0);
    run->state = SLICE("state");
    run->dirty_parts = PART_STATE;
    commit();

    run = run_loaded(5, PART_STATE);
    run->rank_ms = 99; /* not marked */
    run->state = (struct slice){ 0 };
    run->dirty_parts = PART_STATE;
    commit();

    run = run_loaded(5, PART_STATE);
    cr_assert_eq(run->rank_ms, 0);
    cr_assert_eq(run->state.size, 0, "an empty part is deleted");
}

Test(memory_contract, ready_runs_come_in_rank_order_up_to_the_limit)
{
    static const int64_t ranks[] = { 30, 10, 20, 10, 40 };
    struct ready *ready;
    for (int i = 0; i < 5; i++)
        run_new(100 + i, RUN_QUEUED, ranks[i]);
    run_new(200, RUN_RUNNING, 1);
    run_new(201, RUN_QUEUED, 1)->queue = 8;
    commit();

    cr_assert_not(rows_ready(&rows, 7, 4, &ready));
    load();
    cr_assert(rows_ready(&rows, 7, 4, &ready));

    cr_assert_eq(ready->count, 4);
    cr_assert_eq(ready->runs[0]->id, 101);
    cr_assert_eq(ready->runs[1]->id, 103, "of one rank the older first");
    cr_assert_eq(ready->runs[2]->id, 102);
    cr_assert_eq(ready->runs[3]->id, 100);
}

Test(memory_contract, running_runs_are_counted_by_queue)
{
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

Test(memory_contract, what_is_due_comes_earliest_first)
{
    struct due due = { 0 };
    static const int64_t dues[] = { 500, 100, 300, 900, 0 };
    for (int i = 0; i < 5; i++) {
        run_new(100 + i, RUN_WAITING, 0)->due_ms = dues[i];
        rows_new_waitpoint(&rows, 200 + i)->due_ms = dues[i];
    }
    commit();

    cr_assert(store->ops->due(store, &(struct moment){ 500, 500 }, 2, &arena, &due, &err));

    cr_assert_eq(due.runs.count, 2);
    cr_assert_eq(due.runs.items[0], 101);
    cr_assert_eq(due.runs.items[1], 102);
    cr_assert_eq(due.waitpoints.count, 2);
    cr_assert_eq(due.waitpoints.items[0], 201);
    cr_assert_eq(due.waitpoints.items[1], 202);
    due = (struct due){ 0 };
    cr_assert(store->ops->due(store, &(struct moment){ 500, 500 }, 10, &arena, &due, &err));
    cr_assert_eq(due.runs.count, 3, "the time itself is included");
}

Test(memory_contract, the_next_due_time_is_the_earliest_of_any_status)
{
    struct moment next = { -1, -1 };
    cr_assert(store->ops->next_due(store, &next, &err));
    cr_assert_eq(next.wall_ms, 0);
    run_new(100, RUN_WAITING, 0)->due_ms = 500;
    run_new(101, RUN_DONE, 0)->due_ms = 100;
    rows_new_waitpoint(&rows, 200)->due_ms = 400;
    struct waitpoint *settled = rows_new_waitpoint(&rows, 201);
    settled->due_ms = 200;
    settled->status = WAITPOINT_COMPLETED;
    commit();

    cr_assert(store->ops->next_due(store, &next, &err));

    cr_assert_eq(next.wall_ms, 100, "what is over may have left something to do");
}

Test(memory_contract, edges_are_found_by_their_waitpoint)
{
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
    cr_assert_eq(store_memory_edges(store), 2);
}

Test(memory_contract, only_live_children_are_children)
{
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

Test(memory_contract, crowds_are_loaded_as_far_as_they_are_wanted)
{
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

Test(memory_contract, queues_are_found_by_id_and_by_name)
{
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

Test(memory_contract, a_sweep_takes_expired_keys_up_to_its_limit)
{
    struct key *key;
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t hash[16] = { i };
        rows_new_key(&rows, hash)->expires_ms = i == 0 ? 0 : i * 100;
    }
    commit();

    cr_assert(store->ops->sweep(store, 300, 2, &err));
    cr_assert(store->ops->sweep(store, 300, 2, &err));

    for (uint8_t i = 0; i < 5; i++) {
        uint8_t hash[16] = { i };
        if (!rows_key(&rows, hash, &key)) {
            load();
            cr_assert(rows_key(&rows, hash, &key));
        }
        cr_assert_eq(key == NULL, i >= 1 && i <= 3, "key %u", i);
    }
}

Test(memory_contract, parked_runs_of_a_task_go_on_after_the_last_one)
{
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

Test(memory_contract, what_was_running_and_what_was_queued_is_found_at_the_start)
{
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

Test(memory_contract, an_environment_keeps_its_number)
{
    uint32_t dev, prod, again;

    cr_assert(store->ops->environment(store, "dev", &dev, &err));
    cr_assert(store->ops->environment(store, "prod", &prod, &err));
    cr_assert(store->ops->environment(store, "dev", &again, &err));

    cr_assert(dev != prod && dev == again && dev > 0);
}

/* A block is in the row of its run alone: what starts with the clock set back must not hand it
 * out again. */
Test(memory_contract, ids_that_were_given_to_a_run_are_behind_the_last_one)
{
    int64_t last = 0;
    run_new(100, RUN_DELAYED, 0)->id_block = 128000;
    commit();

    cr_assert(store->ops->last_id(store, &last, &err));

    cr_assert_geq(last, 128000 + ID_BLOCK - 1);
}
