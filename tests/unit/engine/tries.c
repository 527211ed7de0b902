/* How often a run is tried: from one save point, in all, and by whose fault it failed. */
#include "bench.h"

TestSuite(tries, .init = bench_open, .fini = bench_close);

#define STATUS(run)  (run_of(run)->status)
#define OUTCOME(run) (run_of(run)->outcome)

static struct queue_rules *rules_of(const char *queue)
{
    bench.queues[0] = (struct catalog_queue){ .name = slice_of(queue) };
    bench.queues[0].rules.concurrency = 100;
    bench.queue_count = 1;
    return &bench.queues[0].rules;
}

static void fail_as(int64_t run, bool is_upstream, int64_t due_ms, int64_t span_ms)
{
    struct frame_end *end = add_end(run, VERDICT_FAIL)->segment_end.end;

    end->error_code = SLICE("NO_ANSWER");
    end->retryable = true;
    end->is_upstream = is_upstream;
    end->due_ms = due_ms;
    end->span_ms = span_ms;
    cr_assert(commit());
}

/* ---- save points --------------------------------------------------------------------------
 */

Test(tries, begin_anew_behind_each_save_point_while_the_attempt_only_grows)
{
    int64_t run = start("t");

    for (uint32_t i = 0; i < 20; i++) {
        end_fail(run, true);
        end_fail(run, true);
        cr_assert_eq(segment(run)->attempt, 3 + 2 * i);
        cr_assert_eq(segment(run)->max_attempts, 3 + 2 * i, "it is the last one here");
        wait_time(run, bench.now_ms);
        cr_assert_eq(run_of(run)->tries, 0);
        cr_assert_eq(segment(run)->max_attempts, 5 + 2 * i);
    }
    end_fail(run, true);
    end_fail(run, true);
    end_fail(run, true);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
    cr_assert_eq(run_of(run)->attempt, 43);
}

Test(tries, of_one_that_begins_anew_are_counted_over_all)
{
    bench.tasks[0].retry_from = RETRY_FROM_START;
    bench_catalog();
    int64_t run = start("t");
    end_fail(run, true);
    wait_time(run, bench.now_ms);
    end_fail(run, true);
    cr_assert_eq(segment(run)->attempt, 3);
    cr_assert_eq(segment(run)->max_attempts, 3);
    wait_time(run, bench.now_ms);

    end_fail(run, true);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
}

Test(tries, in_all_are_bounded_where_that_is_said)
{
    bench.tasks[0].max_attempts_total = 4;
    bench_catalog();
    int64_t run = start("t");
    end_fail(run, true);
    wait_time(run, bench.now_ms);
    end_fail(run, true);
    end_fail(run, true);
    cr_assert_eq(segment(run)->attempt, 4);
    cr_assert_eq(segment(run)->max_attempts, 4);
    wait_time(run, bench.now_ms);
    cr_assert_eq(segment(run)->max_attempts, 4);

    end_fail(run, true);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
    rules_of("task/t")->retry_total = 2;
    bench_catalog();
    run = start("t");
    end_fail(run, true);
    end_fail(run, true);
    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED, "the queue goes before the task");
}

Test(tries, pauses_grow_with_those_at_one_save_point)
{
    bench.tasks[0].retry_min_ms = 10;
    bench.tasks[0].retry_max_ms = DAYS(10);
    bench.tasks[0].retry_factor = 1000;
    bench.tasks[0].max_attempts = 4;
    bench_catalog();
    int64_t run = start("t");
    for (int i = 0; i < 3; i++) {
        end_fail(run, true);
        if (STATUS(run) == RUN_DELAYED)
            advance(run_of(run)->due_ms - bench.now_ms);
    }
    cr_assert_eq(STATUS(run), RUN_RUNNING);

    wait_time(run, bench.now_ms);
    end_fail(run, true);

    cr_assert(STATUS(run) == RUN_RUNNING || run_of(run)->due_ms <= bench.now_ms + 10);
}

/* ---- classes ------------------------------------------------------------------------------
 */

Test(tries, a_class_of_errors_has_its_own_bound)
{
    bench.tasks[0].retry_of[RETRY_CRASH].attempts = 1;
    bench.tasks[0].retry_of[RETRY_TIMEOUT].attempts = 2;
    bench.tasks[0].retry_of[RETRY_UPSTREAM].attempts = 5;
    bench_catalog();
    int64_t crashed = start("t"), late = start("t"), upstream = start("t"), user = start("t");

    lose(crashed, LOSS_EXITED);
    cr_assert_eq(OUTCOME(crashed), OUTCOME_CRASHED);
    lose(late, LOSS_TIMED_OUT);
    cr_assert_eq(STATUS(late), RUN_RUNNING);
    lose(late, LOSS_TIMED_OUT);
    cr_assert_eq(OUTCOME(late), OUTCOME_TIMED_OUT);
    for (int i = 0; i < 4; i++)
        fail_as(upstream, true, 0, 0);
    cr_assert_eq(STATUS(upstream), RUN_RUNNING);
    fail_as(upstream, true, 0, 0);
    cr_assert_eq(OUTCOME(upstream), OUTCOME_FAILED);
    end_fail(user, true);
    end_fail(user, true);
    cr_assert_eq(STATUS(user), RUN_RUNNING);
    end_fail(user, true);
    cr_assert_eq(OUTCOME(user), OUTCOME_FAILED);
}

Test(tries, what_is_said_of_a_class_goes_before_what_is_said_of_all)
{
    bench.tasks[0].retry_of[RETRY_CRASH] = (struct retry_rule){ .attempts = 2, .min_ms = 500 };
    bench.tasks[0].retry_min_ms = 10;
    bench.tasks[0].retry_max_ms = 100;
    struct queue_rules *rules = rules_of("q");
    rules->retry = (struct retry_rule){ 7, 20, 30, 3 };
    rules->retry_of[RETRY_UPSTREAM] = (struct retry_rule){ .attempts = 9, .max_ms = 5 };
    bench_catalog();
    const struct catalog *catalog = engine_catalog(bench.engine);
    const struct catalog_task *task = &bench.tasks[0];
    struct catalog_retry user = catalog_retry(catalog, task, SLICE("q"), 0, RETRY_USER),
                         crash = catalog_retry(catalog, task, SLICE("q"), 0, RETRY_CRASH),
                         upstream = catalog_retry(catalog, task, SLICE("q"), 0, RETRY_UPSTREAM),
                         own = catalog_retry(catalog, task, SLICE("q"), 4, RETRY_UPSTREAM);

    cr_assert(user.attempts == 7 && user.min_ms == 20 && user.max_ms == 30);
    cr_assert(crash.attempts == 2 && crash.min_ms == 500 && crash.factor == 3);
    cr_assert_eq(crash.max_ms, 500, "what was said of all gives way");
    cr_assert(upstream.attempts == 9 && upstream.max_ms == 5 && upstream.min_ms == 5);
    cr_assert_eq(own.attempts, 4, "no class has more than the trigger said");
    cr_assert_eq(catalog_retry(catalog, task, SLICE("q"), 4, RETRY_CRASH).attempts, 2);
}

/* ---- when ---------------------------------------------------------------------------------
 */

Test(tries, come_when_the_code_says)
{
    bench.tasks[0].retry_min_ms = DAYS(1);
    bench.tasks[0].retry_max_ms = DAYS(1);
    bench.tasks[0].max_attempts = 9;
    bench_catalog();
    int64_t run = start("t");

    fail_as(run, false, 0, SECONDS(5));
    cr_assert_eq(STATUS(run), RUN_DELAYED);
    cr_assert(run_of(run)->due_is_span);
    advance(SECONDS(5) - 1);
    cr_assert_eq(STATUS(run), RUN_DELAYED);
    advance(1);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->attempt, 2);
    int64_t date_ms = bench.now_ms + SECONDS(90);
    fail_as(run, true, date_ms, 0);
    cr_assert_eq(run_of(run)->due_ms, date_ms);
    cr_assert_not(run_of(run)->due_is_span, "it is a date");
    advance(SECONDS(90));
    cr_assert_eq(segment(run)->attempt, 3);
    fail_as(run, true, bench.now_ms - 1, 0);
    cr_assert_eq(STATUS(run), RUN_RUNNING, "a date that is past is now");
    cr_assert_eq(segment(run)->attempt, 4);
}

Test(tries, that_come_at_a_date_are_bounded_as_all)
{
    int64_t run = start("t");

    fail_as(run, false, bench.now_ms - 1, 0);
    fail_as(run, false, 0, 1);
    advance(1);
    fail_as(run, false, 0, DAYS(1));

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
}
