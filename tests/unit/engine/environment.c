/* Environments that are paused. */
#include "bench.h"

#define STATUS(run) (run_of(run)->status)

TestSuite(environment, .init = bench_open, .fini = bench_close);

static struct environment_pause *pause_environment(uint32_t environment, bool paused)
{
    struct command *command = add(COMMAND_ENVIRONMENT_PAUSE);

    command->environment_pause = (struct environment_pause){
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
    int64_t first_ms = pause_environment(DEV, true)->paused_ms;
    bench.now_ms += 5000;
    cr_assert_eq(pause_environment(DEV, true)->paused_ms, first_ms);
    struct environment_pause *resumed = pause_environment(DEV, false);

    cr_assert_eq(resumed->paused_ms, 0);
    const struct environment *row =
        (const struct environment *)store_memory_get(bench.store, ROW_ENVIRONMENT, DEV);
    cr_assert(!row->paused && row->paused_why.size == 0);
}

Test(environment, one_that_is_not_there_is_told)
{
    struct command *command = add(COMMAND_ENVIRONMENT_PAUSE);
    command->environment_pause.environment = 77;
    commit();

    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
}
