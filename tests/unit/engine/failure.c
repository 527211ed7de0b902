/* A store that fails: nothing happened, everybody is told, and the next batch works. */
#include "bench.h"

TestSuite(failure, .init = bench_open, .fini = bench_close);

/* Fails at the `call`th call of the store; false when the batch was over before. */
static bool fails_at(int call)
{
    store_memory_fail(bench.store, call);
    bool ok = commit();
    store_memory_fail(bench.store, 0);
    return !ok;
}

Test(failure, a_trigger_that_could_not_be_stored_is_refused_with_503)
{
    struct command *command = add_trigger("t");

    cr_assert(fails_at(1));

    cr_assert_eq(command->err.code, ERR_STORE);
    cr_assert_eq(err_status(command->err.code), 503);
    cr_assert_gt(strlen(command->err.text), 0);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 0);
    cr_assert_eq(bench.assignments, 0);
    cr_assert_eq(bench.event_count, 0);
}

/* Wherever in the batch it fails. */
Test(failure, every_step_of_a_batch_may_fail_and_nothing_has_happened)
{
    int64_t waiting = start("t"), token = make_token(waiting, 1, 0);
    wait_for(waiting, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    int64_t running = start("t");
    uint32_t runs = store_memory_count(bench.store, ROW_RUN), seq = run_of(waiting)->seq;
    int failed = 0;

    for (int call = 1;; call++) {
        struct command *commands[3];
        commands[0] = add_trigger("t");
        commands[0]->trigger.key = SLICE("k");
        commands[1] = add(COMMAND_TOKEN_COMPLETE);
        commands[1]->token_complete =
            (struct token_complete){ .environment = DEV, .id = token, .data = SLICE("\x05") };
        commands[2] = add_end(running, VERDICT_DONE);
        if (!fails_at(call))
            break;
        failed++;
        for (int i = 0; i < 3; i++)
            cr_assert_eq(commands[i]->err.code, ERR_STORE, "call %d, command %d", call, i);
        cr_assert_eq(store_memory_count(bench.store, ROW_RUN), runs);
        cr_assert_eq(run_of(waiting)->seq, seq);
        cr_assert_eq(run_of(running)->status, RUN_RUNNING);
        cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
        cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 1);
        cr_assert_eq(bench.assignments, 0);
    }

    cr_assert_geq(failed, 4, "begin, load, flush and commit at least, not %d", failed);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), runs + 1);
    cr_assert_eq(run_of(waiting)->status, RUN_RUNNING);
    cr_assert_eq(run_of(running)->outcome, OUTCOME_COMPLETED);
}

Test(failure, the_next_batch_does_what_the_failed_one_would_have)
{
    int64_t run = start("t");
    add_end(run, VERDICT_DONE);
    cr_assert(fails_at(2));
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);

    end_done(run);

    cr_assert_eq(run_of(run)->outcome, OUTCOME_COMPLETED);
}

Test(failure, a_run_that_was_to_start_starts_in_the_next_batch)
{
    pause("task/t", true);
    int64_t runs[5];
    for (int i = 0; i < 5; i++)
        runs[i] = trigger("t");

    for (int call = 1;; call++) {
        struct command *command = add(COMMAND_QUEUE_PAUSE);
        command->queue_pause =
            (struct pause_order){ .environment = DEV, .name = SLICE("task/t") };
        if (!fails_at(call))
            break;
        for (int i = 0; i < 5; i++)
            cr_assert_eq(run_of(runs[i])->status, RUN_QUEUED);
    }

    for (int i = 0; i < 5; i++)
        cr_assert_eq(run_of(runs[i])->status, RUN_RUNNING);
}

Test(failure, what_was_due_is_still_due)
{
    int64_t run = start("t"), token = make_token(run, 1, bench.now_ms + 100);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    bench.now_ms += 100;
    add_trigger("u");
    cr_assert(fails_at(3));
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);

    advance(0);

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

/* What is in memory alone needs no store: a plugin that was loaded is loaded. */
Test(failure, a_catalog_takes_effect_although_the_store_fails)
{
    int64_t run = trigger("new");
    cr_assert_eq(run_of(run)->status, RUN_PARKED);

    bench_task("new");
    store_memory_fail(bench.store, 1);
    bench_catalog();
    store_memory_fail(bench.store, 0);
    cr_assert_eq(run_of(run)->status, RUN_PARKED);
    advance(0);

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(failure, a_key_of_a_failed_batch_is_free)
{
    struct command *command = add_trigger("t");
    command->trigger.key = SLICE("k");
    cr_assert(fails_at(3));

    command = add_trigger("t");
    command->trigger.key = SLICE("k");
    cr_assert(commit());

    cr_assert_not(command->trigger.cached);
    cr_assert_eq(run_of(command->trigger.run_id)->status, RUN_RUNNING);
}

/* Ids are never handed out twice, whether or not the first use was stored. */
Test(failure, an_id_of_a_failed_batch_is_not_used_again)
{
    int64_t seen[40];

    for (int i = 0; i < 40; i++) {
        struct command *command = add_trigger("t");
        if (i % 2 == 0)
            cr_assert(fails_at(3));
        else
            cr_assert(commit());
        seen[i] = command->trigger.run_id;
        for (int k = 0; k < i; k++)
            cr_assert(seen[k] == 0 || seen[k] != seen[i]);
    }

    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 20);
}
