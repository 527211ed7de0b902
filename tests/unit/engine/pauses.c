/* Pauses that end by themselves, that stop the clock of ttls, that refuse, that end slowly. */
#include "bench.h"

#define STATUS(run) (run_of(run)->status)

static int64_t trigger_ttl(int64_t ttl_ms)
{
    struct trigger *made = &add_trigger("t")->trigger;

    made->ttl_ms = ttl_ms;
    cr_assert(commit());
    return made->run_id;
}

static struct pause_order *order(bool is_environment, struct pause_order say)
{
    struct command *command =
        add(is_environment ? COMMAND_ENVIRONMENT_PAUSE : COMMAND_QUEUE_PAUSE);
    struct pause_order *sent =
        is_environment ? &command->environment_pause : &command->queue_pause;

    *sent = say;
    sent->environment = DEV;
    sent->name = is_environment ? SLICE("") : SLICE("task/t");
    cr_assert(commit());
    return sent;
}

static void resume(bool is_environment)
{
    order(is_environment, (struct pause_order){ .paused = false });
}

static const struct queue *queue_row(void)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_QUEUE); i++) {
        const struct queue *queue =
            (const struct queue *)store_memory_at(bench.store, ROW_QUEUE, i);
        if (queue->environment == DEV && slice_is(queue->name, "task/t"))
            return queue;
    }
    return NULL;
}

TestSuite(pauses, .init = bench_open, .fini = bench_close);

/* ---- until ------------------------------------------------------------------------------- */

Test(pauses, one_with_an_end_is_over_then_after_a_restart_too)
{
    for (int i = 0; i < 4; i++) {
        bool is_environment = i % 2 == 1;
        order(is_environment,
              (struct pause_order){ .paused = true,
                                    .until_span_ms = i < 2 ? MINUTES(5) : 0,
                                    .until_date_ms = i < 2 ? 0 : bench.now_ms + MINUTES(5) });
        int64_t run = trigger("t");
        bench_restart(true);
        advance(MINUTES(5) - 1);
        cr_assert_eq(STATUS(run), RUN_QUEUED);
        advance(1);
        cr_assert_eq(STATUS(run), RUN_RUNNING, "%d", i);
        end_done(run);
        cr_assert(!queue_row()->paused && queue_row()->until_ms == 0);
    }
}

Test(pauses, an_end_can_be_given_later_and_a_resume_forgets_it)
{
    order(false, (struct pause_order){ .paused = true, .why = SLICE("a move") });
    int64_t since_ms = queue_row()->paused_ms;
    advance(1000);
    cr_assert(order(false, (struct pause_order){ .paused = true, .until_span_ms = 5000 })
                  ->is_changed);
    cr_assert_eq(queue_row()->paused_ms, since_ms);
    cr_assert(slice_is(queue_row()->paused_why, "a move"));
    cr_assert_eq(queue_row()->until_ms, bench.now_ms + 5000);
    resume(false);
    cr_assert_eq(queue_row()->due_ms, 0);
    order(false, (struct pause_order){ .paused = true });
    advance(MINUTES(60));

    cr_assert(queue_row()->paused);
}

/* ---- accept ------------------------------------------------------------------------------ */

Test(pauses, one_that_takes_nothing_says_so_and_lets_known_runs_be_found)
{
    for (int i = 0; i < 2; i++) {
        bool is_environment = i == 1;
        struct command *first = add_trigger("t");
        first->trigger.key = i == 0 ? SLICE("k0") : SLICE("k1");
        commit();
        int64_t run = first->trigger.run_id;
        order(is_environment, (struct pause_order){ .paused = true,
                                                    .refuses = PAUSE_YES,
                                                    .by = SLICE("ann"),
                                                    .why = SLICE("the disk moves") });
        struct command *refused = add_trigger("t");
        commit();
        cr_assert_eq(refused->err.code, ERR_RULE);
        cr_assert_str_eq(refused->err.text,
                         is_environment ? "environment dev takes no runs while it is paused by "
                                          "ann: the disk moves"
                                        : "queue task/t takes no runs while it is paused by "
                                          "ann: the disk moves");
        struct command *again = add_trigger("t");
        again->trigger.key = i == 0 ? SLICE("k0") : SLICE("k1");
        commit();
        cr_assert_eq(again->trigger.run_id, run);
        resume(is_environment);
        end_done(run);
        end_done(start("t"));
    }
}

/* ---- ttl --------------------------------------------------------------------------------- */

Test(pauses, a_ttl_counts_on_while_nobody_freezes_it)
{
    order(false, (struct pause_order){ .paused = true, .freezes = PAUSE_NO });
    int64_t run = trigger_ttl(SECONDS(60));
    advance(SECONDS(60));

    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);
}

Test(pauses, a_frozen_ttl_goes_on_where_it_was)
{
    for (int i = 0; i < 2; i++) {
        bool is_environment = i == 1;
        pause("task/t", false);
        int64_t blocked[100];
        for (int k = 0; k < 100; k++)
            blocked[k] = start("t");
        int64_t run = trigger_ttl(SECONDS(60));
        advance(SECONDS(20));
        order(is_environment, (struct pause_order){ .paused = true, .freezes = PAUSE_YES });
        for (int k = 0; k < 50; k++)
            advance(MINUTES(10));
        cr_assert_eq(STATUS(run), RUN_QUEUED);
        resume(is_environment);
        advance(SECONDS(39));
        cr_assert_eq(STATUS(run), RUN_QUEUED);
        end_done(blocked[0]);
        cr_assert_eq(STATUS(run), RUN_RUNNING, "it had a second left");
        end_done(run);
        for (int k = 1; k < 100; k++)
            end_done(blocked[k]);
    }
}

/* It is not looked at again before it has been paused twice as long. */
Test(pauses, one_whose_ttl_is_over_does_not_start_though_nobody_has_looked_yet)
{
    int64_t blocked[100];
    for (int k = 0; k < 100; k++)
        blocked[k] = start("t");
    int64_t run = trigger_ttl(SECONDS(60));
    order(false, (struct pause_order){ .paused = true, .freezes = PAUSE_YES });
    advance(MINUTES(60));
    advance(MINUTES(10));
    resume(false);
    advance(SECONDS(61));
    end_done(blocked[0]);

    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);
}

Test(pauses, a_pause_of_both_counts_once)
{
    int64_t blocked[100];
    for (int k = 0; k < 100; k++)
        blocked[k] = start("t");
    int64_t run = trigger_ttl(SECONDS(60));
    order(false, (struct pause_order){ .paused = true, .freezes = PAUSE_YES });
    advance(SECONDS(30));
    order(true, (struct pause_order){ .paused = true, .freezes = PAUSE_YES });
    advance(SECONDS(30));
    resume(false);
    advance(SECONDS(30));
    resume(true);
    cr_assert_eq(queue_row()->frozen_ms, SECONDS(30),
                 "90 s in all, 60 of them its environment's");
    advance(SECONDS(59));
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    advance(SECONDS(2));
    end_done(blocked[0]);

    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);
}

Test(pauses, what_comes_while_both_freeze_has_its_whole_ttl_afterwards)
{
    int64_t blocked[100];
    for (int k = 0; k < 100; k++)
        blocked[k] = start("t");
    order(false, (struct pause_order){ .paused = true, .freezes = PAUSE_YES });
    advance(SECONDS(30));
    order(true, (struct pause_order){ .paused = true, .freezes = PAUSE_YES });
    advance(SECONDS(30));
    int64_t run = trigger_ttl(SECONDS(60));
    resume(true);
    resume(false);
    advance(SECONDS(40));

    end_done(blocked[0]);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

/* Very many of them must not be looked at again and again. */
Test(pauses, a_frozen_run_is_looked_at_seldom)
{
    order(false, (struct pause_order){ .paused = true, .freezes = PAUSE_YES });
    int64_t run = trigger_ttl(1000);
    int looks = 0;

    for (int64_t last_ms = 0; bench.now_ms < run_of(run)->created_ms + DAYS(1);) {
        advance(1000);
        looks += run_of(run)->due_ms != last_ms;
        last_ms = run_of(run)->due_ms;
    }
    cr_assert_leq(looks, 40, "%d", looks);
    cr_assert_eq(STATUS(run), RUN_QUEUED);
}

/* ---- ramp -------------------------------------------------------------------------------- */

static uint32_t running_now(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        count += store_memory_run(bench.store, i)->status == RUN_RUNNING;
    return count;
}

static void ramp_check(bool is_environment)
{
    order(is_environment, (struct pause_order){ .paused = true });
    for (int i = 0; i < 20; i++)
        trigger("t");
    order(is_environment, (struct pause_order){ .paused = false, .ramp_ms = SECONDS(90) });
    for (uint32_t i = 1; i <= 10; i++) {
        cr_assert_eq(running_now(), i, "%u", i);
        advance(SECONDS(10) - 1);
        cr_assert_eq(running_now(), i, "%u", i);
        bench.batches = 0;
        advance(1);
    }
    cr_assert_eq(running_now(), 10);
    advance(MINUTES(10));
    cr_assert_leq(bench.batches, 2, "nothing is left to do");
}

Test(pauses, a_resumed_queue_comes_back_by_and_by)
{
    bench.queue_limit = 10;
    bench_catalog();
    ramp_check(false);
    cr_assert_eq(queue_row()->ramp_from_ms, 0);
}

Test(pauses, so_does_one_without_a_limit_up_to_the_slots)
{
    bench.slots = 10;
    bench_catalog();
    ramp_check(false);
}

Test(pauses, so_does_an_environment)
{
    bench.slots = 10;
    bench_catalog();
    ramp_check(true);
}

Test(pauses, a_resume_at_once_ends_a_ramp_and_the_end_of_a_pause_may_begin_one)
{
    bench.queue_limit = 10;
    bench_catalog();
    order(false, (struct pause_order){
                     .paused = true, .until_span_ms = 1000, .ramp_ms = SECONDS(90) });
    for (int i = 0; i < 20; i++)
        trigger("t");
    advance(1000);
    cr_assert_eq(running_now(), 1);
    cr_assert_not(order(false, (struct pause_order){ .ramp_ms = SECONDS(5) })->is_changed);
    cr_assert(order(false, (struct pause_order){ .paused = false })->is_changed);
    cr_assert_eq(running_now(), 10);
    cr_assert_not(order(false, (struct pause_order){ .paused = false })->is_changed);
}

Test(pauses, a_ramp_goes_on_after_a_restart)
{
    bench.queue_limit = 10;
    bench_catalog();
    order(false, (struct pause_order){ .paused = true });
    order(false, (struct pause_order){ .paused = false, .ramp_ms = SECONDS(90) });
    bench_restart(true);
    for (int i = 0; i < 20; i++)
        trigger("t");
    advance(SECONDS(20));
    cr_assert_eq(running_now(), 3);
}
