/* What dispatch, timers and the start ask of the SQLite store. */
#include "due_of.h"
#include "sqlite_fixture.h"

#include <stdio.h>

static struct fixture fixture;
static const struct store_ops *ops;

static void start(void)
{
    fixture_start(&fixture);
    ops = fixture.store->ops;
}

static void finish(void)
{
    fixture_finish(&fixture);
}

TestSuite(sqlite_questions, .init = start, .fini = finish);

static int64_t add_run(uint32_t status, int64_t queue, int64_t rank_ms, int64_t due_ms)
{
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, status);
    run->queue = run->lane = queue;
    run->rank_ms = rank_ms;
    run->due_ms = due_ms;
    int64_t id = run->id;
    fixture_commit(&fixture);
    return id;
}

static void move(int64_t id, uint32_t status, uint32_t outcome)
{
    fixture_begin(&fixture);
    struct run *run = fixture_find(&fixture, id, 0);
    run->status = status;
    run->outcome = outcome;
    run->due_ms = 0;
    fixture_commit(&fixture);
}

/* The ids, or as many as there are, of the queue's ready runs. */
static uint32_t ready(int64_t queue, uint32_t limit, int64_t ids[])
{
    struct ready *found;

    fixture_begin(&fixture);
    cr_assert_not(rows_ready(&fixture.rows, queue, queue, limit, &found));
    fixture_load(&fixture);
    cr_assert(rows_ready(&fixture.rows, queue, queue, limit, &found));
    for (uint32_t i = 0; i < found->count; i++)
        ids[i] = found->runs[i]->id;
    fixture_rollback(&fixture);
    return found->count;
}

Test(sqlite_questions, ready_runs_come_by_rank_and_then_by_age)
{
    int64_t other = fixture_queue(&fixture, fixture.environment, "other"), ids[8];
    int64_t late = add_run(RUN_QUEUED, fixture.queue, 3000, 0);
    int64_t first = add_run(RUN_QUEUED, fixture.queue, 1000, 0);
    int64_t second = add_run(RUN_QUEUED, fixture.queue, 1000, 0);
    add_run(RUN_QUEUED, other, 1, 0);
    add_run(RUN_RUNNING, fixture.queue, 1, 0);
    add_run(RUN_DELAYED, fixture.queue, 1, 99);

    cr_assert_eq(ready(fixture.queue, 8, ids), 3);
    cr_assert_eq(ids[0], first);
    cr_assert_eq(ids[1], second);
    cr_assert_eq(ids[2], late);
    cr_assert_eq(ready(fixture.queue, 1, ids), 1);
    cr_assert_eq(ids[0], first);

    move(first, RUN_RUNNING, 0);
    cr_assert_eq(ready(fixture.queue, 8, ids), 2);
    cr_assert_eq(ids[0], second);
    move(first, RUN_QUEUED, 0); /* with its old rank */
    cr_assert_eq(ready(fixture.queue, 8, ids), 3);
    cr_assert_eq(ids[0], first);
}

/* Nothing but the queue changes, so the narrow update must not be taken. */
Test(sqlite_questions, a_run_that_changes_its_queue_or_rank_is_ready_there)
{
    int64_t other = fixture_queue(&fixture, fixture.environment, "other"), ids[8];
    int64_t id = add_run(RUN_QUEUED, fixture.queue, 1000, 0);
    int64_t rival = add_run(RUN_QUEUED, other, 500, 0);

    fixture_begin(&fixture);
    struct run *run = fixture_find(&fixture, id, 0);
    run->queue = run->lane = other;
    fixture_commit(&fixture);
    cr_assert_eq(ready(fixture.queue, 8, ids), 0);
    cr_assert_eq(ready(other, 8, ids), 2);
    cr_assert_eq(ids[0], rival);
    cr_assert_eq(fixture_sql(&fixture, "SELECT queued FROM queue WHERE name = 'other'"), 2);
    cr_assert_eq(fixture_sql(&fixture, "SELECT queued FROM queue WHERE name = 'task/pay'"), 0);

    fixture_begin(&fixture);
    run = fixture_find(&fixture, id, 0);
    run->rank_ms = 1;
    fixture_commit(&fixture);
    cr_assert_eq(ready(other, 8, ids), 2);
    cr_assert_eq(ids[0], id);
}

Test(sqlite_questions, running_runs_are_counted_by_queue)
{
    int64_t other = fixture_queue(&fixture, fixture.environment, "other");
    int64_t running = add_run(RUN_RUNNING, fixture.queue, 1, 0);
    add_run(RUN_RUNNING, fixture.queue, 2, 0);
    add_run(RUN_RUNNING, other, 3, 0);
    add_run(RUN_QUEUED, other, 4, 0);
    move(running, RUN_DONE, OUTCOME_COMPLETED);

    fixture_begin(&fixture);
    cr_assert_not(rows_running(&fixture.rows));
    fixture_load(&fixture);
    cr_assert(rows_running(&fixture.rows));
    cr_assert_eq(fixture.rows.running_count, 2);
    for (uint32_t i = 0; i < 2; i++)
        cr_assert_eq(fixture.rows.running[i].count, 1);
    cr_assert_neq(fixture.rows.running[0].queue, fixture.rows.running[1].queue);

    struct ids ids;
    CHECK(&fixture, ops->running(fixture.store, &fixture.arena, &ids, &fixture.err));
    cr_assert_eq(ids.count, 2);
    fixture_rollback(&fixture);
}

Test(sqlite_questions, the_backlog_names_each_queue_once)
{
    int64_t queues[3] = { fixture.queue };
    struct ids ids;

    queues[1] = fixture_queue(&fixture, fixture.environment, "b");
    queues[2] = fixture_queue(&fixture, fixture.environment, "c");
    for (int i = 0; i < 40; i++)
        add_run(RUN_QUEUED, queues[i % 2 * 2], i, 0);
    add_run(RUN_RUNNING, queues[1], 1, 0);

    fixture_begin(&fixture);
    CHECK(&fixture, ops->backlog(fixture.store, &fixture.arena, &ids, &fixture.err));
    cr_assert_eq(ids.count, 2);
    cr_assert_eq(ids.items[0], queues[0]);
    cr_assert_eq(ids.items[1], queues[2]);
    fixture_rollback(&fixture);
}

static int64_t add_token(int64_t due_ms)
{
    fixture_begin(&fixture);
    struct waitpoint *token = fixture_token(&fixture);
    token->due_ms = due_ms;
    int64_t id = token->id;
    fixture_commit(&fixture);
    return id;
}

static int64_t next_due(void)
{
    struct moment next;

    CHECK(&fixture, ops->next_due(fixture.store, &next, &fixture.err));
    return next.wall_ms;
}

Test(sqlite_questions, what_is_due_comes_earliest_first)
{
    struct row_refs due;

    cr_assert_eq(next_due(), 0);
    int64_t later = add_token(300);
    cr_assert_eq(next_due(), 300);
    int64_t sooner = add_token(200);
    add_token(0);
    int64_t run = add_run(RUN_DELAYED, fixture.queue, 1, 250);
    int64_t waiting = add_run(RUN_WAITING, fixture.queue, 1, 150);
    cr_assert_eq(next_due(), 150);

    fixture_begin(&fixture);
    CHECK(&fixture, ops->due(fixture.store, &(struct moment){ 250, 250 }, 10, &fixture.arena,
                             &due, &fixture.err));
    cr_assert_eq(due_count(&due, ROW_WAITPOINT), 1);
    cr_assert_eq(due_at(&due, ROW_WAITPOINT, 0), sooner);
    cr_assert_eq(due_count(&due, ROW_RUN), 2);
    cr_assert_eq(due_at(&due, ROW_RUN, 0), waiting);
    cr_assert_eq(due_at(&due, ROW_RUN, 1), run);
    CHECK(&fixture, ops->due(fixture.store, &(struct moment){ 300, 300 }, 1, &fixture.arena,
                             &due, &fixture.err));
    cr_assert_eq(due_count(&due, ROW_WAITPOINT), 1);
    cr_assert_eq(due_count(&due, ROW_RUN), 1);
    cr_assert_eq(due_at(&due, ROW_RUN, 0), waiting);

    struct waitpoint *token = fixture_find_token(&fixture, sooner);
    token->status = WAITPOINT_TIMED_OUT;
    token->due_ms = 0;
    fixture_commit(&fixture);
    move(run, RUN_QUEUED, 0);
    move(waiting, RUN_QUEUED, 0);
    cr_assert_eq(next_due(), 300);
    fixture_begin(&fixture);
    CHECK(&fixture, ops->due(fixture.store, &(struct moment){ 9999, 9999 }, 10, &fixture.arena,
                             &due, &fixture.err));
    cr_assert_eq(due_count(&due, ROW_WAITPOINT), 1);
    cr_assert_eq(due_at(&due, ROW_WAITPOINT, 0), later);
    cr_assert_eq(due_count(&due, ROW_RUN), 0);
    fixture_rollback(&fixture);
}

/* The status stays, only the time changes: the index must follow. */
Test(sqlite_questions, a_new_due_time_is_found)
{
    int64_t id = add_run(RUN_WAITING, fixture.queue, 1, 1000);

    fixture_begin(&fixture);
    struct run *run = fixture_find(&fixture, id, 0);
    run->due_ms = 50;
    fixture_commit(&fixture);
    cr_assert_eq(next_due(), 50);
}

Test(sqlite_questions, a_due_time_that_was_rolled_back_is_none)
{
    add_token(500);
    cr_assert_eq(next_due(), 500);
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_WAITING);
    run->due_ms = 50;
    CHECK(&fixture, ops->flush(fixture.store, &fixture.rows, &fixture.err));
    cr_assert_eq(next_due(), 50);
    fixture_rollback(&fixture);
    cr_assert_eq(next_due(), 500);
}

Test(sqlite_questions, children_are_those_that_are_not_over)
{
    struct children *children;
    int64_t ids[3];

    fixture_begin(&fixture);
    for (uint32_t i = 0; i < 3; i++) {
        struct run *run = fixture_run(&fixture, RUN_QUEUED + i * 2);
        run->parent_id = i == 2 ? 43 : 42;
        ids[i] = run->id;
    }
    struct run *failed = fixture_run(&fixture, RUN_DONE);
    failed->parent_id = 42;
    failed->outcome = OUTCOME_FAILED;
    struct run *completed = fixture_run(&fixture, RUN_DONE);
    completed->parent_id = 42;
    completed->outcome = OUTCOME_COMPLETED;
    struct run *held = fixture_run(&fixture, RUN_DONE);
    held->parent_id = 42;
    held->remaining = 1;
    int64_t held_id = held->id;
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    cr_assert_not(rows_children(&fixture.rows, 42, 0, 1000, &children));
    fixture_load(&fixture);
    cr_assert(rows_children(&fixture.rows, 42, 0, 1000, &children));
    cr_assert_eq(children->ids.count, 3);
    cr_assert_eq(children->ids.items[0], ids[0]);
    cr_assert_eq(children->ids.items[1], ids[1]);
    cr_assert_eq(children->ids.items[2], held_id);
    fixture_rollback(&fixture);
}

Test(sqlite_questions, crowds_are_loaded_as_far_as_they_are_wanted)
{
    struct edges *edges[4], *last;
    struct children *children, *others;
    int64_t ids[9];

    fixture_begin(&fixture);
    for (int64_t i = 0; i < 9; i++) {
        for (int64_t gate = 50; gate < 54; gate++)
            rows_new_edge(&fixture.rows, gate, i + 1);
        struct run *run = fixture_run(&fixture, i < 3 ? RUN_DONE : RUN_WAITING);
        run->parent_id = 100;
        ids[i] = run->id;
    }
    rows_new_edge(&fixture.rows, 60, 1);
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    for (int i = 0; i < 4; i++)
        cr_assert_not(rows_edges(&fixture.rows, 50 + i, i == 2 ? 9 : 3, &edges[i]));
    cr_assert_not(rows_edges(&fixture.rows, 60, 3, &last));
    cr_assert_not(rows_children(&fixture.rows, 100, ids[1], 4, &children));
    cr_assert_not(rows_children(&fixture.rows, 101, 0, 4, &others));
    fixture_load(&fixture);
    for (int i = 0; i < 4; i++) {
        cr_assert(rows_edges(&fixture.rows, 50 + i, 3, &edges[i]));
        cr_assert_eq(edges[i]->count, i == 2 ? 9 : 3);
    }
    cr_assert_eq(last->count, 1);
    cr_assert_eq(others->count, 0);
    cr_assert_eq(children->count, 4);
    cr_assert_eq(children->ids.count, 3);
    cr_assert_eq(children->last, ids[5]);
    cr_assert_not(rows_edges(&fixture.rows, 50, 100, &edges[0]));
    fixture_load(&fixture);
    cr_assert(rows_edges(&fixture.rows, 50, 100, &edges[0]));
    cr_assert_eq(edges[0]->count, 9);
    fixture_rollback(&fixture);
}

Test(sqlite_questions, parked_runs_of_a_task_come_oldest_first_of_all_environments)
{
    uint32_t dev;
    struct ids ids;
    int64_t parked[6];

    CHECK(&fixture, ops->environment(fixture.store, "dev", &dev, &fixture.err));
    fixture_begin(&fixture);
    for (uint32_t i = 0; i < 6; i++) {
        struct run *run = fixture_run(&fixture, RUN_PARKED);
        run->environment = i % 2 == 0 ? fixture.environment : dev;
        parked[i] = run->id;
    }
    fixture_run(&fixture, RUN_PARKED)->task = SLICE("other");
    fixture_run(&fixture, RUN_QUEUED);
    fixture_commit(&fixture);

    fixture_begin(&fixture);
    CHECK(&fixture,
          ops->parked(fixture.store, SLICE("pay"), 0, 10, &fixture.arena, &ids, &fixture.err));
    cr_assert_eq(ids.count, 6);
    for (uint32_t i = 0; i < 6; i++)
        cr_assert_eq(ids.items[i], parked[i]);
    CHECK(&fixture,
          ops->parked(fixture.store, SLICE("pay"), 0, 3, &fixture.arena, &ids, &fixture.err));
    cr_assert_eq(ids.count, 3);
    cr_assert_eq(ids.items[2], parked[2]);
    CHECK(&fixture, ops->parked(fixture.store, SLICE("pay"), parked[2], 10, &fixture.arena,
                                &ids, &fixture.err));
    cr_assert_eq(ids.count, 3);
    cr_assert_eq(ids.items[0], parked[3]);
    CHECK(&fixture,
          ops->parked(fixture.store, SLICE("none"), 0, 3, &fixture.arena, &ids, &fixture.err));
    cr_assert_eq(ids.count, 0);
    fixture_rollback(&fixture);
}

Test(sqlite_questions, an_environment_keeps_its_number)
{
    uint32_t dev, again, prod;

    CHECK(&fixture, ops->environment(fixture.store, "dev", &dev, &fixture.err));
    fixture_close(&fixture);
    fixture_open(&fixture);
    CHECK(&fixture, ops->environment(fixture.store, "dev", &again, &fixture.err));
    CHECK(&fixture, ops->environment(fixture.store, "prod", &prod, &fixture.err));
    cr_assert_eq(dev, again);
    cr_assert_eq(prod, fixture.environment);
    cr_assert_neq(prod, dev);
    cr_assert_neq(dev, 0);
}

/* Counts are kept by adding up moves; here they are compared with the rows after a thousand of
 * them. */
Test(sqlite_questions, the_counts_of_a_queue_are_those_of_its_rows)
{
    int64_t queues[2] = { fixture.queue,
                          fixture_queue(&fixture, fixture.environment, "other") };
    int64_t ids[64];
    uint32_t count = 0;
    struct id_source dice;

    id_source_init(&dice, 11);
    for (int batch = 0; batch < 120; batch++) {
        fixture_begin(&fixture);
        for (int i = 0; i < 8; i++) {
            uint32_t status = (uint32_t)id_random(&dice, RUN_STATUS_COUNT);
            if (count < 64 && id_random(&dice, 4) == 0) {
                struct run *run = fixture_run(&fixture, status);
                run->queue = run->lane = queues[id_random(&dice, 2)];
                ids[count++] = run->id;
                continue;
            }
            if (count == 0)
                continue;
            struct run *run = fixture_find(&fixture, ids[id_random(&dice, count)], 0);
            if (run == NULL)
                continue; /* its batch was rolled back */
            run->status = status;
            run->outcome = status == RUN_DONE ? OUTCOME_COMPLETED : OUTCOME_NONE;
            run->queue = run->lane = queues[id_random(&dice, 2)];
        }
        if (id_random(&dice, 5) == 0)
            fixture_rollback(&fixture);
        else
            fixture_commit(&fixture);
    }

    int64_t by_status[RUN_DONE] = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        struct run *run = fixture_show(&fixture, ids[i], 0);
        if (run != NULL && run->status < RUN_DONE)
            by_status[run->status] += run->queue == queues[0] ? 1 : 1000;
    }
    static const char *const columns[] = { "delayed", "queued", "parked", "running",
                                           "waiting" };
    for (int status = 0; status < RUN_DONE; status++) {
        char sql[160];
        snprintf(sql, sizeof sql,
                 "SELECT sum(%s * CASE WHEN name = 'other' THEN 1000 ELSE 1 END) FROM queue",
                 columns[status]);
        cr_assert_eq(fixture_sql(&fixture, sql), by_status[status], "%s", columns[status]);
    }
}

Test(sqlite_questions, ids_that_were_given_to_a_run_are_behind_the_last_one)
{
    int64_t last = 0, block = 0;

    for (int i = 0; i < 3; i++) {
        fixture_begin(&fixture);
        struct run *run = fixture_run(&fixture, RUN_DELAYED);
        block = run->id_block = id_next_block(&fixture.ids, fixture.now_ms += i * 700);
        if (i == 1) { /* what was not written must be written again */
            CHECK(&fixture, ops->flush(fixture.store, &fixture.rows, &fixture.err));
            fixture_rollback(&fixture);
        } else {
            fixture_commit(&fixture);
        }
    }
    fixture_close(&fixture);
    fixture_open(&fixture);

    CHECK(&fixture, fixture.store->ops->last_id(fixture.store, &last, &fixture.err));
    cr_assert_geq(last, block + ID_BLOCK - 1);
}
