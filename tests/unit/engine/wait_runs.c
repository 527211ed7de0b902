/* Waits for runs, waits that are mistakes, and waits over a restart. */
#include "bench.h"

TestSuite(wait_runs, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

/* ---- runs ---------------------------------------------------------------------------------
 */

Test(wait_runs, a_parent_is_woken_by_its_child_and_fetches_the_output)
{
    int64_t parent = start("t"), child = make_child(parent, 1, "u");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    cr_assert_eq(STATUS(parent), RUN_WAITING);

    end_done(child);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    cr_assert_eq(segment(parent)->results[0].id, child);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_OK);
    cr_assert(segment(parent)->results[0].has_more);
    struct command *command = add(COMMAND_RUN_READ);
    command->run_read =
        (struct run_read){ .run_id = parent, .seq = segment(parent)->seq, .target = child };
    commit();
    cr_assert_eq(command->err.code, ERR_OK);
    cr_assert(slice_is(command->run_read.run->output, "\x07"));
}

Test(wait_runs, a_child_that_failed_or_was_canceled_wakes_its_parent_too)
{
    int64_t parent = start("t");
    int64_t children[] = { make_child(parent, 1, "u"), make_child(parent, 2, "u") };
    wait_for(parent, WAIT_FOR_RUNS, children, 2, 0, 0);

    end_fail(children[0], false);
    cr_assert_eq(STATUS(parent), RUN_WAITING);
    cancel(children[1]);
    cr_assert_eq(STATUS(parent), RUN_WAITING, "its segment has not returned");
    release(children[1]);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_FAILED);
    cr_assert(slice_is(segment(parent)->results[0].error, "no money"));
    cr_assert_eq(segment(parent)->results[1].status, WAIT_CANCELLED);
}

Test(wait_runs, a_child_that_has_not_returned_when_time_is_up_is_given_up)
{
    int64_t parent = start("t"), child = make_child(parent, 1, "u");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, bench.now_ms + SECONDS(5));
    cancel(child);

    advance(SECONDS(5));

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    cr_assert_eq(segment(parent)->result_count, 2);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_NONE);
    cr_assert_eq(segment(parent)->results[1].status, WAIT_TIMEOUT);
}

Test(wait_runs, a_child_that_ended_before_the_wait_is_no_wait)
{
    int64_t parent = start("t"), child = make_child(parent, 1, "u");
    end_done(child);

    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_OK);
}

Test(wait_runs, a_child_that_is_tried_again_has_not_ended)
{
    int64_t parent = start("t"), child = make_child(parent, 1, "u");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);

    end_fail(child, true);
    cr_assert_eq(STATUS(parent), RUN_WAITING);
    end_done(child);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
}

Test(wait_runs, a_run_need_not_be_a_child_to_be_waited_for)
{
    int64_t a = start("t"), b = start("t");
    wait_for(a, WAIT_FOR_RUNS, &b, 1, 0, 0);

    end_done(b);

    cr_assert_eq(STATUS(a), RUN_RUNNING);
}

Test(wait_runs, a_run_is_read_only_within_its_environment_and_by_who_is_running)
{
    struct trigger *prod = &add_trigger("t")->trigger;
    prod->environment = PROD;
    commit();
    int64_t other = prod->run_id, run = start("t");
    struct command *command = add(COMMAND_RUN_READ);
    command->run_read =
        (struct run_read){ .run_id = run, .seq = segment(run)->seq, .target = other };
    struct command *absent = add(COMMAND_RUN_READ);
    absent->run_read =
        (struct run_read){ .run_id = run, .seq = segment(run)->seq, .target = 99 };
    struct command *stale = add(COMMAND_RUN_READ);
    stale->run_read =
        (struct run_read){ .run_id = run, .seq = segment(run)->seq + 1, .target = run };
    commit();

    cr_assert_null(command->run_read.run);
    cr_assert_null(absent->run_read.run);
    cr_assert_eq(absent->err.code, ERR_OK);
    cr_assert_null(stale->run_read.run);
    cr_assert_eq(stale->err.code, ERR_RULE);
}

/* ---- what is no wait but a mistake --------------------------------------------------------
 */

static void assert_unknown(int64_t run)
{
    cr_assert_eq(run_of(run)->outcome, OUTCOME_FAILED);
    cr_assert_str_eq(error_name(run), "wait_unknown");
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

Test(wait_runs, waiting_for_a_token_that_is_not_there_fails_the_run)
{
    int64_t run = start("t"), ids[] = { make_token(run, 1, 0), id_floor(bench.now_ms) };

    wait_for(run, WAIT_FOR_TOKEN, ids, 2, 1, 0);

    assert_unknown(run);
}

Test(wait_runs, waiting_for_a_run_that_is_not_there_fails_the_run)
{
    int64_t run = start("t"), id = id_floor(bench.now_ms);

    wait_for(run, WAIT_FOR_RUNS, &id, 1, 0, 0);

    assert_unknown(run);
}

Test(wait_runs, waiting_for_itself_fails_the_run)
{
    int64_t run = start("t");

    wait_for(run, WAIT_FOR_RUNS, &run, 1, 0, 0);

    assert_unknown(run);
}

Test(wait_runs, another_environments_token_and_run_are_unknown)
{
    struct command *command = add_token(0, 0);
    command->token_create.environment = PROD;
    struct command *prod = add_trigger("t");
    prod->trigger.environment = PROD;
    commit();
    int64_t token = command->token_create.token_id, other = prod->trigger.run_id;
    int64_t a = start("t"), b = start("t");

    wait_for(a, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    wait_for(b, WAIT_FOR_RUNS, &other, 1, 0, 0);

    assert_unknown(a);
    assert_unknown(b);
}

Test(wait_runs, a_segment_that_is_not_in_the_list_fails_the_run)
{
    int64_t run = start("t");
    add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end->then = SLICE("nxet");
    commit();

    cr_assert_eq(run_of(run)->outcome, OUTCOME_FAILED);
    cr_assert_str_eq(error_name(run), "segment_not_listed");
    int64_t other = start("t");
    add_wait(other, WAIT_FOR_TIME, NULL, 0)->segment_end.end->then = (struct slice){ 0 };
    commit();
    cr_assert_str_eq(error_name(other), "segment_not_listed");
}

/* ---- restart ------------------------------------------------------------------------------
 */

Test(wait_runs, a_waiting_run_needs_nothing_but_its_rows)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    bench_restart(true);
    cr_assert_eq(STATUS(run), RUN_WAITING);
    complete(token, "\x05");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
}

Test(wait_runs, a_completion_before_the_plugins_are_loaded_is_not_lost)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    bench_restart(false);

    complete(token, "\x05");
    cr_assert_neq(STATUS(run), RUN_WAITING);
    bench_catalog();

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}
