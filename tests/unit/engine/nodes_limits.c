/* Two nodes over one store: limits of environments, those that are set, and those that grow
 * after a pause. */
#include "two_nodes.h"

TestSuite(nodes_limits, .init = open_two, .fini = close_two);

/* Each node is asked for `count` runs. */
static void trigger_on_both(uint32_t count)
{
    for (uint32_t number = 1; number <= 2; number++) {
        node_turn(number);
        for (uint32_t i = 0; i < count; i++)
            trigger("t");
    }
    node_turn(1);
}

/* All that run here end. */
static void end_here(uint32_t most)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN) && most > 0; i++) {
        const struct run *run = store_memory_run(bench.store, i);
        if (run->status == RUN_RUNNING && run->node == turn) {
            end_done(run->id);
            most--;
        }
    }
}

Test(nodes_limits, an_environment_has_one_limit_over_all_nodes)
{
    bench.bursts[0] = (struct config_burst){ 2, 3 };
    catalogs();
    trigger_on_both(4);
    cr_assert_eq(running(), 2, "one queue has its part alone");
    node_turn(2);
    trigger("u");
    trigger("u");
    cr_assert_eq(running(), 3);
    pass(SECONDS(1));
    cr_assert_eq(running(), 3);

    for (int i = 0; i < 8; i++) {
        for (uint32_t number = 1; number <= 2; number++) {
            node_turn(number);
            end_here(1);
            cr_assert_leq(running(), 3);
        }
        pass(SECONDS(1));
        cr_assert_leq(running(), 3);
    }
    cr_assert_eq(running(), 0, "nothing waits for places that nobody uses");
}

Test(nodes_limits, places_of_an_environment_go_to_the_node_that_has_work)
{
    bench.bursts[0] = (struct config_burst){ 2, 2 };
    catalogs();
    trigger_on_both(1);
    cr_assert_eq(running(), 2);
    end_here(2);
    node_turn(2);
    int64_t next = trigger("u");
    cr_assert_eq(run_of(next)->status, RUN_QUEUED, "the first node has it still");
    pass(SECONDS(1));

    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
}

Test(nodes_limits, of_an_environments_limit_that_was_lowered_none_keeps_more)
{
    int64_t runs[6];
    bench.bursts[0] = (struct config_burst){ 8, 8 };
    catalogs();
    start_on_both(3, runs);
    trigger_on_both(4);
    bench.bursts[0] = (struct config_burst){ 2, 2 };
    catalogs();
    pass(SECONDS(1));

    for (uint32_t left = running(); left > 2; left--) {
        node_turn(1 + left % 2);
        end_here(1);
        node_turn(2 - left % 2);
        pass(SECONDS(1));
        cr_assert_leq(running(), left);
    }
    pass(SECONDS(1));
    cr_assert_eq(running(), 2);
}

Test(nodes_limits, places_of_a_dead_node_are_free)
{
    bench.bursts[0] = (struct config_burst){ 2, 2 };
    catalogs();
    node_turn(2);
    trigger("t");
    trigger("t");
    node_turn(1);
    int64_t next = trigger("u");
    cr_assert_eq(run_of(next)->status, RUN_QUEUED);
    for (int64_t ms = 0; ms < NODE_LEASE_MS + SECONDS(1); ms += NODE_POLL_MS)
        advance(NODE_POLL_MS); /* the other does not look */

    cr_assert_eq(running(), 2);
    for (int i = 0; i < 3; i++)
        end_here(2);
    cr_assert_eq(run_of(next)->outcome, OUTCOME_COMPLETED);
}

static struct pause_order *pause_all(bool paused, int64_t ramp_ms)
{
    struct pause_order *order = &add(COMMAND_ENVIRONMENT_PAUSE)->environment_pause;

    order->environment = DEV;
    order->paused = paused;
    order->ramp_ms = ramp_ms;
    commit();
    return order;
}

/* From 1 to as many as there are slots, or as the limit says, over both. */
Test(nodes_limits, what_comes_back_from_a_pause_grows_over_all_nodes)
{
    for (uint32_t limit = 0; limit < 2; limit++) {
        bench.slots = 5;
        bench.bursts[0] =
            limit == 0 ? (struct config_burst){ 0 } : (struct config_burst){ 9, 9 };
        catalogs();
        pause_all(true, 0);
        trigger_on_both(20);
        pause_all(false, SECONDS(9));
        int64_t begin_ms = bench.now_ms;
        trigger("u");
        while (bench.now_ms < begin_ms + SECONDS(9)) {
            uint32_t most = 1 + (uint32_t)((bench.now_ms - begin_ms) / 900);
            cr_assert_leq(running(), most, "%u after %lld ms", running(),
                          (long long)(bench.now_ms - begin_ms));
            pass(NODE_POLL_MS);
        }
        pass(SECONDS(1));
        cr_assert_eq(running(), limit == 0 ? 10 : 9);
        for (int i = 0; i < 10; i++)
            for (uint32_t number = 1; number <= 2; number++) {
                node_turn(number);
                end_here(100);
                pass(SECONDS(1));
            }
        node_turn(1);
        cr_assert_eq(running(), 0);
    }
}

static void limit_set(const char *queue, uint32_t most)
{
    struct queue_limit *limit = &add(COMMAND_QUEUE_LIMIT)->queue_limit;

    limit->environment = DEV;
    limit->name = slice_of(queue);
    limit->limit = most;
    commit();
}

Test(nodes_limits, a_limit_that_is_set_is_heard_of_by_all)
{
    int64_t runs[4];
    start_on_both(2, runs);
    limit_set("task/t", 3);
    trigger_on_both(3);
    pass(SECONDS(1));
    cr_assert_eq(running(), 4);
    end_done(runs[0]);
    end_done(runs[1]);
    pass(SECONDS(1));
    cr_assert_eq(running(), 3);
    limit_set("task/t", 6);
    pass(SECONDS(1));
    cr_assert_eq(running(), 6);
}

/* Where it is set nobody can run what waits for it; where that is nothing else happens. */
Test(nodes_limits, a_limit_that_is_raised_elsewhere_counts_here)
{
    bench.queue_limit = 2;
    catalogs();
    bench.tasks[0].available = false;
    bench_catalog();
    node_turn(2);
    for (int i = 0; i < 6; i++)
        trigger("t");
    pass(SECONDS(1));
    cr_assert_eq(running(), 2);

    limit_set("task/t", 5);
    pass(SECONDS(1));
    cr_assert_eq(running(), 5);
}

/* The first node has no slot for more of it, and wants what it holds. */
Test(nodes_limits, places_of_an_environment_that_are_not_used_go_to_who_lacks_them)
{
    bench.slots = 2;
    bench.bursts[0] = (struct config_burst){ 2, 2 };
    catalogs();
    int64_t runs[2] = { start("t"), start("t") };
    trigger("t");
    trigger("t");
    for (int i = 0; i < 2; i++)
        add_trigger("t")->trigger.environment = PROD;
    commit();
    end_done(runs[0]);
    end_done(runs[1]);
    cr_assert_eq(running(), 2);
    node_turn(2);
    trigger("u");
    pass(SECONDS(2));

    cr_assert_eq(running(), 4);
}

static void resume_slowly(const char *queue)
{
    struct pause_order *order = &add(COMMAND_QUEUE_PAUSE)->queue_pause;

    order->environment = DEV;
    order->name = slice_of(queue);
    order->ramp_ms = MINUTES(10);
    commit();
}

/* Of a queue without a total nobody has asked for what runs. */
Test(nodes_limits, what_runs_on_the_other_node_counts_while_a_queue_comes_back)
{
    bench.queues[0] = (struct catalog_queue){ SLICE("q"), { .concurrency = 5 } };
    bench.queue_count = 1;
    catalogs();
    node_turn(2);
    for (int i = 0; i < 2; i++) {
        struct trigger *trigger = &add_trigger("t")->trigger;
        trigger->queue = SLICE("q");
        trigger->concurrency_key = i == 0 ? SLICE("a") : SLICE("b");
    }
    commit();
    node_turn(1);
    pause("q", true);
    resume_slowly("q");
    pass(SECONDS(1));
    struct trigger *trigger = &add_trigger("t")->trigger;
    trigger->queue = SLICE("q");
    trigger->concurrency_key = SLICE("c");
    commit();

    cr_assert_eq(running(), 2);
}

/* In the middle of a pause nobody has to give back what he held. */
Test(nodes_limits, what_was_held_before_a_pause_does_not_start_more_after_it)
{
    int64_t runs[4];
    bench.queue_limit = 4;
    bench.slots = 2;
    catalogs();
    start_on_both(2, runs);
    trigger_on_both(4);
    pause("task/t", true);
    for (int i = 0; i < 4; i++) {
        node_turn(1 + (uint32_t)i / 2);
        end_done(runs[i]);
    }
    node_turn(1);
    resume_slowly("task/t");
    for (uint32_t i = 0; i < 4; i++) {
        node_turn(1 + i % 2);
        trigger("t");
        cr_assert_leq(running(), 1);
    }
    pass(SECONDS(1));
    cr_assert_eq(running(), 1);
}
