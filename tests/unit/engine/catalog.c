/* The catalog: what may run here; runs that nothing can run now are parked until something can.
 */
#include "bench.h"

TestSuite(catalog, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

Test(catalog, tasks_are_found_whatever_the_order_they_came_in)
{
    struct catalog *catalog = catalog_create();
    static const char *const names[] = { "zebra", "ant", "bee", "antelope", "b" };
    catalog->tasks = ARENA_ARRAY(&catalog->arena, struct catalog_task, 5);
    catalog->queues = ARENA_ARRAY(&catalog->arena, struct catalog_queue, 5);
    for (uint32_t i = 0; i < 5; i++) {
        catalog->tasks[catalog->task_count++].id = slice_of(names[i]);
        catalog->queues[catalog->queue_count++] =
            (struct catalog_queue){ .name = slice_of(names[i]), .rules.concurrency = i + 1 };
    }
    catalog->queue_limit = 77;
    catalog_sort(catalog);

    for (uint32_t i = 0; i < 5; i++) {
        cr_assert(slice_is(catalog_task(catalog, slice_of(names[i]))->id, names[i]));
        cr_assert_eq(catalog_lane_limit(catalog, slice_of(names[i]), false), i + 1);
    }
    cr_assert_null(catalog_task(catalog, SLICE("be")));
    cr_assert_null(catalog_task(NULL, SLICE("bee")));
    cr_assert_eq(catalog_lane_limit(catalog, SLICE("be"), true), 77);
    catalog_destroy(catalog);
}

Test(catalog, an_unknown_task_is_parked_until_somebody_offers_it)
{
    int64_t run = trigger("new");
    cr_assert_eq(STATUS(run), RUN_PARKED);
    cr_assert_str_eq(last_move(run), "task \"new\" is unknown here");

    bench_task("new");
    bench_catalog();

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->attempt, 1);
}

/* A segment hears it at once; who comes over HTTP may be ahead of the deploy. */
Test(catalog, a_segment_cannot_start_what_nobody_offers)
{
    int64_t run = start("t");
    struct command *command = add_child(run, 1, "tt");

    commit();
    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
    cr_assert_str_eq(command->err.text, "task \"tt\" is unknown here");
    cr_assert_eq(command->trigger.run_id, 0);
    command = add_child(run, 2, "t");
    cr_assert(commit());
    cr_assert_eq(STATUS(command->trigger.run_id), RUN_RUNNING);
}

Test(catalog, a_task_that_is_not_available_says_why)
{
    bench.tasks[0].available = false;
    bench.tasks[0].reason = SLICE("its plugin crashes when it is loaded");
    bench_catalog();

    int64_t run = trigger("t");

    cr_assert_eq(STATUS(run), RUN_PARKED);
    cr_assert_str_eq(last_move(run), "its plugin crashes when it is loaded");
}

Test(catalog, what_is_queued_when_its_plugin_goes_is_parked_and_comes_back)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t running = start("t"), queued = trigger("t"), other = trigger("t");

    bench.tasks[0].available = false;
    bench_catalog();
    end_done(running);
    cr_assert_eq(STATUS(queued), RUN_PARKED);
    cr_assert_eq(STATUS(other), RUN_PARKED);
    bench.tasks[0].available = true;
    bench_catalog();

    cr_assert_eq(STATUS(queued), RUN_RUNNING);
    cr_assert_eq(STATUS(other), RUN_QUEUED);
}

/* A run that cannot start must not stand in the way of one that can. */
Test(catalog, runs_that_are_parked_do_not_block_their_queue)
{
    bench.queue_limit = 2;
    bench.tasks[1].queue = SLICE("task/t");
    bench_catalog();
    int64_t first = start("t"), second = start("u"), gone[30], fine[3];
    for (int i = 0; i < 30; i++)
        gone[i] = trigger("t");
    for (int i = 0; i < 3; i++)
        fine[i] = trigger("u");

    bench.tasks[0].available = false;
    bench_catalog();
    end_done(first);
    end_done(second);

    cr_assert_eq(STATUS(fine[0]), RUN_RUNNING);
    cr_assert_eq(STATUS(fine[1]), RUN_RUNNING);
    for (int i = 0; i < 30; i++)
        cr_assert_eq(STATUS(gone[i]), RUN_PARKED, "run %d", i);
}

Test(catalog, a_run_whose_segment_is_gone_waits_for_a_build_that_has_it)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    bench.tasks[0].segment_count = 1; /* "next" is not in the new build */
    bench.tasks[0].build = SLICE("fedcba9876543210");
    bench_catalog();

    complete(token, "\x05");
    cr_assert_eq(STATUS(run), RUN_PARKED);
    cr_assert_str_eq(last_move(run), "no loaded build has the segment");
    cr_assert_eq(STATUS(start("t")), RUN_RUNNING, "new runs start with the new build");
    bench.tasks[0].segment_count = 3;
    bench_catalog();

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
    cr_assert(slice_is(run_of(run)->build, "fedcba9876543210"));
}

Test(catalog, a_run_that_is_running_ends_with_the_build_it_has)
{
    int64_t run = start("t");
    bench.tasks[0].available = false;
    bench_catalog();

    end_done(run);

    cr_assert_eq(run_of(run)->outcome, OUTCOME_COMPLETED);
}

Test(catalog, a_retry_that_finds_no_plugin_is_parked)
{
    int64_t run = start("t");
    bench.tasks[0].available = false;
    bench_catalog();

    end_fail(run, true);
    cr_assert_eq(STATUS(run), RUN_PARKED);
    bench.tasks[0].available = true;
    bench_catalog();

    cr_assert_eq(segment(run)->attempt, 2);
}

/* The state is of another shape than the build can read: its slot says so. */
Test(catalog, a_run_that_its_build_cannot_read_is_parked_until_another_build_comes)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    complete(token, "\x05");
    add_end(run, VERDICT_PARK)->segment_end.end->error_text =
        SLICE("field \"total\" was text and is a number now");

    commit();

    cr_assert_eq(STATUS(run), RUN_PARKED);
    cr_assert_str_eq(last_move(run), "field \"total\" was text and is a number now");
    bench.tasks[0].build = SLICE("fedcba9876543210");
    bench_catalog();
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->attempt, 1, "nothing was tried");
    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert(slice_is(segment(run)->state, "\x81\xa1n\x05"));
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
}

/* ---- a park that is late ------------------------------------------------------------------
 */

static struct command *add_park(int64_t run)
{
    struct command *command = add_end(run, VERDICT_PARK);

    command->segment_end.end->error_text = SLICE("it cannot be read");
    return command;
}

Test(catalog, a_park_that_comes_after_the_next_build_has_come_is_no_park)
{
    int64_t run = start("t");
    bench.tasks[0].build = SLICE("fedcba9876543210");
    bench_catalog(); /* looks for parked runs; this one is not yet */

    struct command *park = add_park(run);
    commit();
    cr_assert_eq(park->err.code, ERR_OK);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(run_of(run)->build, "fedcba9876543210"));
    cr_assert_eq(segment(run)->attempt, 1, "nothing was tried");

    add_park(run); /* that one cannot read it either, and there is no other */
    commit();
    cr_assert_eq(STATUS(run), RUN_PARKED);
    cr_assert_str_eq(last_move(run), "it cannot be read");
}

Test(catalog, a_park_in_the_batch_of_the_next_build_is_no_park)
{
    for (int is_first = 0; is_first < 2; is_first++) {
        int64_t run = start("t");
        bench.tasks[0].build = is_first ? SLICE("fedcba9876543210") : SLICE("aaaaaaaaaaaaaaaa");
        if (is_first)
            add_park(run);
        struct command *next = add(COMMAND_CATALOG);
        if (!is_first)
            add_park(run);
        cr_assert(bench_catalog_commit(next));
        cr_assert_eq(STATUS(run), RUN_RUNNING, "%d", is_first);
        cr_assert(slice_equal(run_of(run)->build, bench.tasks[0].build));
        end_done(run);
    }
}

Test(catalog, a_park_after_its_build_has_gone_waits_for_the_next)
{
    int64_t run = start("t");
    bench.tasks[0].available = false;
    bench_catalog();

    add_park(run);
    commit();
    cr_assert_eq(STATUS(run), RUN_PARKED);

    bench.tasks[0].available = true;
    bench.tasks[0].build = SLICE("fedcba9876543210");
    bench_catalog();
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->attempt, 1);
}

/* ---- many parked runs ---------------------------------------------------------------------
 */

static void park_many(const char *task, int count)
{
    for (int i = 0; i < count; i++)
        add_trigger(task);
    cr_assert(commit());
}

static uint32_t parked(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        count += store_memory_run(bench.store, i)->status == RUN_PARKED;
    return count;
}

Test(catalog, more_parked_runs_than_fit_a_batch_all_go_on)
{
    park_many("new", 1700);
    cr_assert_eq(parked(), 1700);

    bench_task("new");
    bench_catalog();

    cr_assert_eq(parked(), 0);
}

Test(catalog, parked_runs_of_several_tasks_all_go_on)
{
    park_many("a", 300);
    park_many("b", 300);
    park_many("c", 10);

    bench_task("a");
    bench_task("b");
    bench_task("c");
    bench_catalog();

    cr_assert_eq(parked(), 0);
}

/* More than are looked at in one batch stay parked: the others behind them must still be found,
 * and the engine must come to an end. */
Test(catalog, parked_runs_that_cannot_go_on_hide_nobody)
{
    for (int i = 0; i < 600; i++)
        add_trigger("t");
    bench.slots = 1000;
    cr_assert(commit());
    bench_catalog();
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        add_wait(store_memory_run(bench.store, i)->id, WAIT_FOR_TIME, NULL, 0)
            ->segment_end.end->due_ms = bench.now_ms + 1000;
    cr_assert(commit());
    bench.tasks[0].available = false;
    bench_catalog();
    advance(1000);
    park_many("t", 20);
    cr_assert_eq(parked(), 620);

    bench.tasks[0].available = true;
    bench.tasks[0].segment_count = 1; /* without "next" */
    bench_catalog();

    cr_assert_eq(parked(), 600);
    advance(1);
    cr_assert_leq(bench.batches, 2);
}

Test(catalog, a_swap_in_the_same_batch_as_a_trigger_decides_it)
{
    struct command *command = add_trigger("new");
    bench_task("new");
    bench_catalog();

    cr_assert_eq(STATUS(command->trigger.run_id), RUN_RUNNING);
}
