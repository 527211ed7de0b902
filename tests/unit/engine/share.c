/* Shares: environments divide the slots, and none can hold the last that another needs. */
#include "bench.h"

TestSuite(share, .init = bench_open, .fini = bench_close);

static void shares(uint32_t slots, uint32_t dev, uint32_t prod)
{
    bench.slots = slots;
    bench.queue_limit = 1000;
    bench.shares[0] = dev;
    bench.shares[1] = prod;
    bench_catalog();
}

static uint32_t running(uint32_t environment)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        count += run->status == RUN_RUNNING && run->environment == environment;
    }
    return count;
}

/* Into `queues` queues, in turn. */
static void flood(uint32_t environment, const char *task, int count, int queues)
{
    for (int i = 0; i < count; i++) {
        struct trigger *trigger = &add_trigger(task)->trigger;
        trigger->environment = environment;
        trigger->queue = arena_format(bench_arena(), "flood%d", i % queues);
    }
    cr_assert(commit());
}

/* End one running segment of the environment. */
static void end_one(uint32_t environment)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        if (run->status == RUN_RUNNING && run->environment == environment) {
            end_done(run->id);
            return;
        }
    }
    cr_assert_fail("nothing runs there");
}

Test(share, a_run_starts_at_once_beside_anothers_flood)
{
    shares(16, 1, 1);
    flood(DEV, "t", 40, 1);

    cr_assert_eq(running(DEV), 12, "a quarter is kept: half of a half");
    flood(PROD, "t", 1, 1);

    cr_assert_eq(running(PROD), 1);
}

Test(share, what_is_kept_is_started_at_once_and_the_rest_as_segments_end)
{
    shares(16, 1, 1);
    flood(DEV, "t", 100, 1);
    flood(PROD, "t", 100, 1);
    cr_assert_eq(running(PROD), 4);

    for (int i = 0; i < 4; i++)
        end_one(DEV);
    cr_assert_eq(running(PROD), 8);
    cr_assert_eq(running(DEV), 8);

    for (int i = 0; i < 20; i++) {
        end_one(i % 3 == 0 ? DEV : PROD);
        cr_assert_eq(running(DEV) + running(PROD), 16, "no slot is idle");
        cr_assert_eq(running(DEV), 8);
    }
}

/* A part that nobody uses is lent. */
Test(share, alone_one_has_all_but_what_is_kept)
{
    shares(8, 1, 3);

    flood(DEV, "t", 20, 1);
    cr_assert_eq(running(DEV), 5, "3 of 8 are half of 6");
    for (int i = 0; i < 20; i++)
        end_one(DEV);
    flood(PROD, "t", 20, 1);

    cr_assert_eq(running(PROD), 7);
}

Test(share, shares_may_differ)
{
    shares(16, 1, 3);
    flood(DEV, "t", 200, 1);
    flood(PROD, "t", 200, 1);

    for (int i = 0; i < 60; i++)
        end_one(running(DEV) > 4 ? DEV : PROD);

    cr_assert_eq(running(DEV), 4);
    cr_assert_eq(running(PROD), 12);
}

/* Very many queues are looked at some at a time; those of the other environment wait for none.
 */
Test(share, many_queues_in_one_environment_are_one_environment)
{
    shares(8, 1, 1);
    flood(DEV, "t", 400, 200);
    cr_assert_eq(running(DEV), 6);

    flood(PROD, "t", 1, 1);
    cr_assert_eq(running(PROD), 1);
    flood(PROD, "t", 20, 1);
    for (int i = 0; i < 3; i++)
        end_one(DEV);

    cr_assert_eq(running(PROD), 4);
}

/* Only the environment that may start something is looked at. */
Test(share, many_queues_behind_a_full_share_cost_nothing)
{
    shares(8, 1, 1);
    flood(DEV, "t", 400, 200);

    advance(1);
    cr_assert_leq(bench.batches, 2, "%u batches", bench.batches);
    flood(PROD, "t", 1, 1);

    cr_assert_leq(bench.batches, 2, "%u batches", bench.batches);
}

Test(share, with_one_slot_they_take_turns)
{
    shares(1, 1, 1);
    flood(DEV, "t", 10, 5);
    flood(PROD, "t", 10, 1);

    for (int i = 0; i < 8; i++)
        end_one(running(DEV) > 0 ? DEV : PROD);

    cr_assert_eq(running(DEV) + running(PROD), 1);
}

Test(share, with_two_slots_each_has_one)
{
    shares(2, 1, 1);
    flood(DEV, "t", 10, 1);

    cr_assert_eq(running(DEV), 1);
    flood(PROD, "t", 10, 1);

    cr_assert_eq(running(PROD), 1);
}

/* Short segments run ahead of the slots; a long one of another environment gets a slot. */
Test(share, a_flood_of_short_ones_leaves_a_slot_to_a_long_one)
{
    shares(4, 1, 1);
    struct command *command = add(COMMAND_SPEED);
    command->speed.task = SLICE("t");
    command->speed.is_short = true;
    cr_assert(commit());
    flood(DEV, "t", 200, 3);
    cr_assert_eq(running(DEV), (4 - 1) * 16);

    flood(PROD, "u", 5, 1);

    cr_assert_eq(running(PROD), 1);
}

/* Long ones that hold all they may do not stop short ones of another, which run ahead. */
Test(share, what_is_kept_is_kept_for_what_runs_ahead_too)
{
    shares(4, 1, 1);
    flood(DEV, "u", 20, 1);
    cr_assert_eq(running(DEV), 3);
    struct command *command = add(COMMAND_SPEED);
    command->speed.task = SLICE("t");
    command->speed.is_short = true;
    cr_assert(commit());

    flood(PROD, "t", 100, 1);

    cr_assert_gt(running(PROD), 16);
    cr_assert_leq(running(PROD) + running(DEV), 64);
}

Test(share, a_restart_counts_who_has_what)
{
    shares(8, 1, 1);
    flood(DEV, "t", 40, 1);
    flood(PROD, "t", 2, 1);

    bench_restart(true);

    cr_assert_eq(running(DEV), 6);
    cr_assert_eq(running(PROD), 2);
    flood(PROD, "t", 40, 1);
    for (int i = 0; i < 2; i++)
        end_one(DEV);
    cr_assert_eq(running(PROD), 4);
}

/* What the configuration names no more has what nobody else is sure of. */
Test(share, an_environment_that_is_gone_has_no_share)
{
    shares(8, 1, 1);

    flood(9, "t", 40, 1);
    cr_assert_eq(running(9), 8 - 2 - 2);
    flood(DEV, "t", 40, 1);

    cr_assert_eq(running(DEV), 2);
}

static uint32_t count_of(uint32_t status)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        count += store_memory_run(bench.store, i)->status == status;
    return count;
}

/* ---- a limit of all, and of each queue --------------------------------------------------- */

Test(share, one_queue_has_the_limit_and_several_have_the_burst)
{
    bench.bursts[0] = (struct config_burst){ 4, 6 };
    bench_catalog();
    int64_t first = 0;
    for (int i = 0; i < 10; i++) {
        int64_t run = trigger("t");
        first = i == 0 ? run : first;
    }
    cr_assert_eq(count_of(RUN_RUNNING), 4, "of one queue");
    for (int i = 0; i < 10; i++)
        trigger("u");
    cr_assert_eq(count_of(RUN_RUNNING), 6, "of both");
    struct trigger *prod = &add_trigger("t")->trigger;
    prod->environment = PROD;
    commit();
    cr_assert_eq(run_of(prod->run_id)->status, RUN_RUNNING, "another one goes on");
    end_done(first);
    cr_assert_eq(count_of(RUN_RUNNING), 7);
    bench_restart(true);
    cr_assert_eq(count_of(RUN_RUNNING), 7);
    bench.bursts[0] = (struct config_burst){ 0, 0 };
    bench_catalog();

    cr_assert_eq(count_of(RUN_QUEUED), 0);
}

Test(share, many_behind_the_limit_of_their_environment_cost_nothing)
{
    bench.bursts[0] = (struct config_burst){ 2, 3 };
    bench_catalog();
    for (int i = 0; i < 20; i++) {
        trigger("t");
        trigger("u");
    }
    advance(1);
    cr_assert_leq(bench.batches, 2, "%u batches", bench.batches);
}
