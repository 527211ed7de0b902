/* The last save point of a run that has failed: it stays, and a new run begins there. */
#include "bench.h"

TestSuite(save_points, .init = bench_open, .fini = bench_close);

/* It has waited for that token, saved a state, and failed in the segment behind. */
static int64_t failed(int64_t token)
{
    int64_t run = start("t");
    struct command *wait = add_wait(run, WAIT_FOR_TOKEN, &token, 1);

    wait->segment_end.end->state = SLICE("\x81\xa1n\x07");
    cr_assert(commit());
    complete(token, "\x05");
    cr_assert(slice_is(segment(run)->segment, "next"));
    end_fail(run, false);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_FAILED);
    return run;
}

Test(save_points, of_what_has_failed_stay)
{
    int64_t run = failed(make_token(0, 0, 0));

    cr_assert(slice_is(run_of(run)->state, "\x81\xa1n\x07"));
    cr_assert(slice_is(run_of(run)->segment, "next"));
    bench_restart(true);
    cr_assert(slice_is(run_of(run)->state, "\x81\xa1n\x07"));
}

Test(save_points, of_what_has_ended_otherwise_go)
{
    int64_t token = make_token(0, 0, 0), runs[2];

    for (int i = 0; i < 2; i++) {
        runs[i] = start("t");
        struct command *wait = add_wait(runs[i], WAIT_FOR_TOKEN, &token, 1);
        wait->segment_end.end->state = SLICE("\x81\xa1n\x07");
        cr_assert(commit());
    }
    cancel(runs[0]);
    complete(token, "\x05");
    end_done(runs[1]);

    cr_assert_eq(run_of(runs[0])->state.size, 0, "canceled");
    cr_assert_eq(run_of(runs[1])->state.size, 0, "completed");
}

Test(save_points, a_new_run_begins_there_and_is_told_what_the_wait_has_brought)
{
    int64_t old = failed(make_token(0, 0, 0));
    struct command *command = add_trigger("t");

    command->trigger.goes_on = run_of(old);
    cr_assert(commit());
    int64_t run = command->trigger.run_id;

    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert(slice_is(segment(run)->state, "\x81\xa1n\x07"));
    cr_assert_eq(segment(run)->result_count, 1);
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
    cr_assert_eq(run_of(run)->attempt, 1);
    wait_time(run, bench.now_ms + SECONDS(1));
    cr_assert_eq(run_of(run)->status, RUN_WAITING, "it is a run as any other");
    advance(SECONDS(1));
    end_done(run);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_COMPLETED);
}
