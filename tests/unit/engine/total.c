/* Total time: from a run's trigger to its end, wherever it is. */
#include "bench.h"

TestSuite(total, .init = bench_open, .fini = bench_close);

#define STATUS(run)  (run_of(run)->status)
#define OUTCOME(run) (run_of(run)->outcome)

static int64_t limited(int64_t total_ms)
{
    struct command *command = add_trigger("t");

    command->trigger.total_ms = total_ms;
    cr_assert(commit());
    return command->trigger.run_id;
}

static void assert_timed_out(int64_t run)
{
    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_eq(OUTCOME(run), OUTCOME_TIMED_OUT);
    cr_assert_str_eq(error_name(run), "TOTAL_TIME");
    cr_assert_str_eq(error_message(run), "its total time of 10s is over");
    cr_assert_eq(run_of(run)->total_end_ms, 0, "it holds no more");
}

/* A millisecond before its time it is as it was. */
static void assert_ends_at(int64_t run, int64_t end_ms, enum run_status before)
{
    sleep_until(end_ms - 1);
    cr_assert(commit());
    cr_assert_eq(STATUS(run), before);
    advance(1);
    assert_timed_out(run);
}

Test(total, a_run_that_waits_times_out_then_and_not_before)
{
    int64_t end_ms = bench.now_ms + SECONDS(10), run = limited(SECONDS(10));
    wait_time(run, bench.now_ms + SECONDS(60));

    assert_ends_at(run, end_ms, RUN_WAITING);
}

Test(total, delays_and_queues_count)
{
    int64_t end_ms = bench.now_ms + SECONDS(10);
    bench.queue_limit = 1;
    bench_catalog();
    (void)start("t");
    struct command *queued = add_trigger("t"), *delayed = add_trigger("t");
    queued->trigger.total_ms = delayed->trigger.total_ms = SECONDS(10);
    delayed->trigger.delay_ms = DAYS(1);
    cr_assert(commit());
    int64_t waits = queued->trigger.run_id, sleeps = delayed->trigger.run_id;

    cr_assert_eq(STATUS(sleeps), RUN_DELAYED);
    assert_ends_at(waits, end_ms, RUN_QUEUED);
    assert_timed_out(sleeps);
}

Test(total, one_whose_task_is_gone_or_whose_attempts_are_used_up_times_out)
{
    int64_t end_ms = bench.now_ms + SECONDS(10);
    bench.tasks[0].on_exhausted = EXHAUSTED_PAUSE;
    bench.tasks[0].max_attempts = 1;
    bench_catalog();
    int64_t paused = limited(SECONDS(10));
    end_fail(paused, true);
    bench.tasks[0].available = false;
    bench_catalog();
    int64_t parked = limited(SECONDS(10));

    cr_assert_eq(STATUS(paused), RUN_DELAYED);
    assert_ends_at(parked, end_ms, RUN_PARKED);
    assert_timed_out(paused);
}

Test(total, a_segment_that_is_out_is_to_be_killed_and_is_not_tried_again)
{
    int64_t end_ms = bench.now_ms + SECONDS(10), run = limited(SECONDS(10));

    assert_ends_at(run, end_ms, RUN_RUNNING);

    cr_assert_eq(bench.event_count, 1);
    cr_assert(bench.events[0].was_running && bench.events[0].is_overdue);
    cr_assert(run_of(run)->is_out, "its place is taken until it has returned");
    bench_restart(true);
    cr_assert_not(run_of(run)->is_out);
    cr_assert_eq(OUTCOME(run), OUTCOME_TIMED_OUT);
}

Test(total, a_cancel_leaves_the_segment_its_grace)
{
    int64_t run = limited(SECONDS(10));

    cancel(run);

    cr_assert(bench.events[0].was_running);
    cr_assert_not(bench.events[0].is_overdue);
    cr_assert_eq(run_of(run)->total_end_ms, 0);
}

Test(total, a_restart_changes_nothing)
{
    int64_t end_ms = bench.now_ms + SECONDS(10), run = limited(SECONDS(10));
    wait_time(run, bench.now_ms + DAYS(1));
    bench_restart(false);

    assert_ends_at(run, end_ms, RUN_WAITING);
}

Test(total, a_clock_that_is_set_changes_nothing)
{
    int64_t end_ms = bench.now_ms + SECONDS(10), run = limited(SECONDS(10));
    wait_time(run, bench.now_ms + DAYS(1));
    bench.lag_ms = SECONDS(100);
    bench.now_ms -= SECONDS(100);

    assert_ends_at(run, end_ms, RUN_WAITING);
}

Test(total, what_it_did_is_undone_and_for_that_there_is_time)
{
    int64_t end_ms = bench.now_ms + SECONDS(10), run = limited(SECONDS(10));
    struct frame_end *end = add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end;
    end->span_ms = DAYS(1);
    end->aborts = ARENA_ARRAY(bench_arena(), struct slice, 1);
    end->aborts[end->abort_count++] = SLICE("last");
    cr_assert(commit(), "%s", bench.err.text);

    sleep_until(end_ms);
    cr_assert(commit());

    cr_assert_eq(run_of(run)->ending, OUTCOME_TIMED_OUT);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "last"));
    cr_assert(slice_is(segment(run)->ending, "TIMED_OUT"));
    advance(DAYS(1));
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    end_done(run);
    assert_timed_out(run);
}

Test(total, a_segment_that_is_out_returns_before_anything_is_undone)
{
    int64_t end_ms = bench.now_ms + SECONDS(10);
    bench.tasks[0].hooks = HOOK_ON_FAILURE;
    bench_catalog();
    int64_t run = limited(SECONDS(10));

    sleep_until(end_ms);
    cr_assert(commit());

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(run_of(run)->undo_number, 0);
    release(run);
    cr_assert(slice_is(segment(run)->segment, "@on_failure"), "%.*s",
              SLICE_ARG(segment(run)->segment));
    end_done(run);
    assert_timed_out(run);
}

Test(total, its_children_are_canceled)
{
    int64_t end_ms = bench.now_ms + SECONDS(10), run = limited(SECONDS(10));
    int64_t child = make_child(run, 1, "u");
    wait_for(run, WAIT_FOR_RUNS, &child, 1, 1, 0);

    sleep_until(end_ms);
    cr_assert(commit());

    assert_timed_out(run);
    cr_assert_eq(OUTCOME(child), OUTCOME_CANCELED);
}

Test(total, when_nine_tenths_are_over_its_timeline_and_log_say_so)
{
    int64_t end_ms = bench.now_ms + SECONDS(10), run = limited(SECONDS(10));
    wait_time(run, bench.now_ms + DAYS(1));

    sleep_until(end_ms - SECONDS(1) - 1);
    cr_assert(commit());
    cr_assert_str_eq(last_move(run), "for a time");
    advance(1);

    cr_assert_str_eq(last_move(run), "nine tenths of its total time of 10s are over");
    cr_assert_eq(run_of(run)->log_lines, 1);
    assert_ends_at(run, end_ms, RUN_WAITING);
    cr_assert_eq(run_of(run)->log_lines, 1, "once");
}

Test(total, a_wait_that_is_over_when_it_is_warned_goes_on)
{
    int64_t run = limited(SECONDS(10));
    wait_time(run, bench.now_ms + SECONDS(9));

    advance(SECONDS(9));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(run_of(run)->is_total_warned);
}

Test(total, a_trigger_goes_before_its_queue_and_that_before_its_task)
{
    bench.tasks[0].total_ms = SECONDS(30);
    bench.queues[0] = (struct catalog_queue){ SLICE("q"), { .total_ms = SECONDS(20) } };
    bench.queue_count = 1;
    bench_catalog();
    struct command *both = add_trigger("t"), *queues = add_trigger("t"),
                   *tasks = add_trigger("t"), *none = add_trigger("u");
    both->trigger.queue = queues->trigger.queue = SLICE("q");
    both->trigger.total_ms = SECONDS(10);
    cr_assert(commit());

    cr_assert_eq(run_of(both->trigger.run_id)->total_ms, SECONDS(10));
    cr_assert_eq(run_of(queues->trigger.run_id)->total_ms, SECONDS(20));
    cr_assert_eq(run_of(tasks->trigger.run_id)->total_ms, SECONDS(30));
    cr_assert_eq(run_of(none->trigger.run_id)->total_ms, 0);
    cr_assert_eq(run_of(none->trigger.run_id)->total_end_ms, 0);
}

Test(total, one_that_ends_in_time_leaves_no_timer)
{
    int64_t run = limited(SECONDS(10));
    end_done(run);
    bench.wake_ms = 0;

    advance(SECONDS(20));

    cr_assert_eq(OUTCOME(run), OUTCOME_COMPLETED);
    cr_assert_eq(run_of(run)->total_end_ms, 0);
}

Test(total, attempts_in_all_are_bounded_by_the_trigger)
{
    struct command *command = add_trigger("t");
    command->trigger.max_attempts = 3;
    command->trigger.max_attempts_total = 4;
    cr_assert(commit());
    int64_t run = command->trigger.run_id;

    end_fail(run, true);
    end_fail(run, true);
    wait_time(run, bench.now_ms); /* a save point: its tries begin anew */
    end_fail(run, true);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(run_of(run)->attempt, 4);
    end_fail(run, true);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
}

Test(total, processor_time_goes_with_the_segment)
{
    struct command *command = add_trigger("t");
    command->trigger.cpu_ms = 700;
    cr_assert(commit());

    cr_assert_eq(segment(command->trigger.run_id)->cpu_ms, 700);
}
