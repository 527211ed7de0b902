/* Environments that are paused. */
#include "bench.h"

#define STATUS(run) (run_of(run)->status)
#define ROW         ((const struct environment *)store_memory_get(bench.store, ROW_ENVIRONMENT, DEV))

TestSuite(environment, .init = bench_open, .fini = bench_close);

static struct pause_order *pause_environment(uint32_t environment, bool paused)
{
    struct command *command = add(COMMAND_ENVIRONMENT_PAUSE);

    command->environment_pause = (struct pause_order){
        .environment = environment, .paused = paused, .by = SLICE("ann"), .why = SLICE("a move")
    };
    commit();
    return &command->environment_pause;
}

Test(environment, one_that_is_paused_starts_nothing_and_takes_all)
{
    pause_environment(DEV, true);
    int64_t run = trigger("t");
    struct trigger *prod = &add_trigger("t")->trigger;
    prod->environment = PROD;
    commit();

    cr_assert_eq(STATUS(run), RUN_QUEUED);
    cr_assert_eq(STATUS(prod->run_id), RUN_RUNNING, "another one goes on");
    bench_restart(true);
    cr_assert_eq(STATUS(run), RUN_QUEUED, "it survives a restart");
    pause_environment(DEV, false);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(environment, what_runs_when_it_is_paused_goes_on_and_a_wait_that_ends_stays)
{
    int64_t run = trigger("t");
    pause_environment(DEV, true);

    end_done(run);

    cr_assert_eq(run_of(run)->outcome, OUTCOME_COMPLETED);
}

Test(environment, since_when_and_why_are_kept_until_it_is_resumed)
{
    pause_environment(DEV, true);
    int64_t first_ms = ROW->paused_ms;
    cr_assert_eq(first_ms, bench.now_ms);
    bench.now_ms += 5000;
    pause_environment(DEV, true);
    cr_assert_eq(ROW->paused_ms, first_ms);
    pause_environment(DEV, false);

    cr_assert(!ROW->paused && ROW->paused_ms == 0 && ROW->paused_why.size == 0);
}

Test(environment, a_reason_is_kept_until_there_is_another)
{
    cr_assert(pause_environment(DEV, true)->is_changed);
    cr_assert_not(pause_environment(DEV, true)->is_changed, "the same again");
    for (int i = 0; i < 3; i++) {
        struct pause_order *pause = &add(COMMAND_ENVIRONMENT_PAUSE)->environment_pause;
        pause->environment = DEV;
        pause->paused = true;
        pause->is_mild = i == 1;
        pause->why = i == 0 ? SLICE("") : SLICE("another");
        commit();
        cr_assert_eq(pause->is_changed, i == 2);
        cr_assert(slice_is(ROW->paused_why, i == 2 ? "another" : "a move"));
        cr_assert(slice_is(ROW->paused_by, i == 2 ? "" : "ann"));
    }
    cr_assert(pause_environment(DEV, false)->is_changed);
    cr_assert_not(pause_environment(DEV, false)->is_changed);
}

/* Its runs go on with the slots that are left, unless it was paused before. */
Test(environment, one_that_is_configured_no_more_stays_paused)
{
    uint32_t old = 0;
    struct err err;
    cr_assert(bench.store->ops->environment(bench.store, "old", &old, &err));
    pause_environment(old, true);
    struct trigger *stranger = &add_trigger("t")->trigger;
    stranger->environment = old;
    commit();
    int64_t run = stranger->run_id;
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    bench_restart(true);
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    cr_assert_eq(STATUS(trigger("t")), RUN_RUNNING, "others go on");
    pause_environment(old, false);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(environment, one_that_is_not_there_is_told)
{
    struct command *command = add(COMMAND_ENVIRONMENT_PAUSE);
    command->environment_pause.environment = 77;
    commit();

    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
}
