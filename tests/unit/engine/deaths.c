/* Deaths of the server: who was out, how often, and what that leads to. */
#include "bench.h"

TestSuite(deaths, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

static void die(int times)
{
    for (int i = 0; i < times; i++)
        bench_restart(true);
}

Test(deaths, cost_no_attempt)
{
    int64_t run = start("t");

    die(4);

    cr_assert_eq(run_of(run)->attempt, 1);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(deaths, before_the_third_nobody_is_a_suspect)
{
    int64_t one = start("t"), other = start("t");

    die(2);

    cr_assert_eq(STATUS(one), RUN_RUNNING);
    cr_assert_eq(STATUS(other), RUN_RUNNING);
}

Test(deaths, after_the_third_suspects_start_one_at_a_time)
{
    int64_t one = start("t"), other = start("u");

    die(3);

    cr_assert_eq((STATUS(one) == RUN_RUNNING) + (STATUS(other) == RUN_RUNNING), 1);
    int64_t out = STATUS(one) == RUN_RUNNING ? one : other;
    end_done(out);
    cr_assert_eq(STATUS(out == one ? other : one), RUN_RUNNING, "it is the other's turn");
}

Test(deaths, nobody_waits_for_suspects)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("task/t"), .rules.concurrency = 1 };
    bench_catalog();
    int64_t suspect = start("t");
    int64_t behind = trigger("t"), busy = start("u");
    die(3); /* both, one of them is out */
    int64_t out = STATUS(suspect) == RUN_RUNNING ? suspect : busy;

    int64_t fresh = trigger("u");
    cr_assert_eq(STATUS(fresh), RUN_RUNNING);
    if (out == suspect)
        end_done(suspect);
    cr_assert_eq(STATUS(behind), RUN_RUNNING, "though a suspect ranks before it");
}

Test(deaths, a_suspect_starts_when_nothing_else_is_there)
{
    int64_t one = start("t"), other = start("u"), third = start("u");
    die(3);
    int64_t runs[] = { one, other, third };
    int64_t fresh = trigger("t");
    cr_assert_eq(STATUS(fresh), RUN_RUNNING);
    for (int i = 0; i < 3; i++)
        if (STATUS(runs[i]) == RUN_RUNNING)
            end_done(runs[i]);
    int out = 0;
    for (int i = 0; i < 3; i++)
        out += STATUS(runs[i]) == RUN_RUNNING;
    cr_assert_eq(out, 0, "something is beside it");

    end_done(fresh);

    for (int i = 0; i < 3; i++)
        out += STATUS(runs[i]) == RUN_RUNNING;
    cr_assert_eq(out, 1);
}

Test(deaths, where_there_is_always_something_a_suspect_waits_for_a_while)
{
    int64_t one = start("t"), other = start("u");
    die(3);
    int64_t waiting = STATUS(one) == RUN_RUNNING ? other : one;
    int64_t fresh = trigger("t");
    end_done(waiting == one ? other : one);
    cr_assert_eq(STATUS(waiting), RUN_QUEUED);

    advance(SECONDS(11));
    cr_assert_eq(STATUS(trigger("t")), RUN_RUNNING);

    cr_assert_eq(STATUS(waiting), RUN_RUNNING);
    cr_assert_eq(STATUS(fresh), RUN_RUNNING);
}

Test(deaths, after_the_fifth_it_is_parked_with_the_reason)
{
    int64_t run = start("t");

    die(5);

    cr_assert_eq(STATUS(run), RUN_PARKED);
    cr_assert_not_null(strstr(last_move(run), "died five times"));
    cr_assert_eq(STATUS(trigger("t")), RUN_RUNNING);
    bench_catalog();
    cr_assert_eq(STATUS(run), RUN_PARKED, "the same build would do the same");
}

Test(deaths, another_build_may_try_it)
{
    int64_t run = start("t");
    die(5);

    bench.tasks[0].build = SLICE("fedcba9876543210");
    bench_catalog();

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(deaths, of_more_than_an_hour_ago_do_not_count)
{
    int64_t run = start("t");

    for (int i = 0; i < 8; i++) {
        die(1);
        advance(MINUTES(16));
    }

    cr_assert_eq(STATUS(run), RUN_RUNNING, "four within any hour");
}

Test(deaths, a_segment_that_returns_was_not_the_reason)
{
    int64_t run = start("t");
    die(4);

    wait_time(run, bench.now_ms);
    die(4);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(deaths, a_stop_is_none)
{
    int64_t run = start("t");

    for (int i = 0; i < 8; i++) {
        struct command *stop = add(COMMAND_RECOVER);
        stop->is_clean = true;
        stop->recover = (struct ids){ .items = &run, .count = 1 };
        commit();
        cr_assert_eq(STATUS(run), RUN_QUEUED, "nothing is started any more");
        bench_restart(true);
    }

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(run_of(run)->deaths.size, 0);
}
