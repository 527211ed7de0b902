/* Pools: runs hold tokens while a segment of them runs; all that they need, or none. */
#include "bench.h"

TestSuite(pools, .init = bench_open, .fini = bench_close);

enum { GPU, LICENCE };

static struct queue_use uses[QUEUES_MAX][2];

static void pools(uint32_t gpu, uint32_t licence)
{
    bench.pools[GPU] = (struct catalog_pool){ .name = SLICE("gpu"), .tokens = gpu };
    bench.pools[LICENCE] = (struct catalog_pool){ .name = SLICE("licence"), .tokens = licence };
}

/* One more queue; what it needs of each. */
static void queue_of(const char *name, uint32_t gpu, uint32_t licence)
{
    struct queue_use *items = uses[bench.queue_count];
    struct queue_uses said = { items, 0 };

    if (gpu > 0)
        items[said.count++] = (struct queue_use){ SLICE("gpu"), gpu };
    if (licence > 0)
        items[said.count++] = (struct queue_use){ SLICE("licence"), licence };
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ slice_of(name), { .concurrency = 1000, .uses = said } };
}

static struct command *queue_up(const char *queue)
{
    struct command *command = add_trigger("t");

    command->trigger.queue = slice_of(queue);
    return command;
}

static int64_t run_in(const char *queue)
{
    const struct command *command = queue_up(queue);

    cr_assert(commit());
    return command->trigger.run_id;
}

static bool is_running(int64_t run)
{
    return run_of(run)->status == RUN_RUNNING;
}

Test(pools, so_many_hold_it_at_a_time)
{
    pools(2, 0);
    queue_of("a", 1, 0);
    bench_catalog();
    int64_t first = run_in("a"), second = run_in("a"), third = run_in("a");
    cr_assert(is_running(first) && is_running(second) && !is_running(third));
    end_done(first);
    cr_assert(is_running(third));
    cr_assert_eq(bench.starts, 3);
}

Test(pools, all_of_it_or_nothing)
{
    pools(2, 1);
    queue_of("both", 1, 1);
    queue_of("gpu", 1, 0);
    bench_catalog();
    int64_t first = run_in("both"), second = run_in("both");
    cr_assert(is_running(first) && !is_running(second), "there is one licence");
    end_done(first);
    cr_assert(is_running(second));
    cr_assert(is_running(run_in("gpu")));
}

Test(pools, what_waits_holds_nothing)
{
    pools(1, 0);
    queue_of("a", 1, 0);
    bench_catalog();
    int64_t first = run_in("a"), second = run_in("a");
    wait_time(first, bench.now_ms + 60000);
    cr_assert(is_running(second));
    advance(60000);
    cr_assert(!is_running(first), "it gets it again when the other gives it back");
    end_done(second);
    cr_assert(is_running(first));
    int64_t third = run_in("a");
    end_fail(first, true);
    cr_assert_neq(is_running(first), is_running(third));
    lose(is_running(first) ? first : third, LOSS_CRASHED);
    cr_assert_neq(is_running(first), is_running(third));
}

Test(pools, of_all_queues_and_environments)
{
    pools(1, 0);
    queue_of("a", 1, 0);
    queue_of("b", 1, 0);
    bench_catalog();
    struct command *elsewhere = queue_up("a");
    elsewhere->trigger.environment = PROD;
    cr_assert(commit());
    int64_t first = elsewhere->trigger.run_id, second = run_in("b");
    cr_assert(is_running(first) && !is_running(second));
    end_done(first);
    cr_assert(is_running(second));
}

Test(pools, others_are_not_held)
{
    pools(1, 0);
    queue_of("a", 1, 0);
    queue_of("free", 0, 0);
    bench_catalog();
    int64_t first = run_in("a");
    (void)run_in("a");
    for (int i = 0; i < 20; i++)
        cr_assert(is_running(run_in("free")));
    cr_assert(is_running(first));
}

/* Those that need one come as fast as they go. */
Test(pools, who_needs_two_is_not_passed_for_ever)
{
    int64_t small[3];

    pools(2, 0);
    queue_of("one", 1, 0);
    queue_of("two", 2, 0);
    bench_catalog();
    small[0] = run_in("one");
    small[1] = run_in("one");
    small[2] = run_in("one");
    int64_t big = run_in("two");
    cr_assert(!is_running(small[2]) && !is_running(big));
    end_done(small[0]);
    cr_assert(is_running(small[2]), "it has waited for longer");
    int64_t last = run_in("one");
    end_done(small[1]);
    cr_assert(!is_running(last) && !is_running(big), "the free one is reserved");
    end_done(small[2]);
    cr_assert(is_running(big) && !is_running(last));
    end_done(big);
    cr_assert(is_running(last));
}

/* Who could not start if it had them waits for something else. */
Test(pools, nothing_is_reserved_for_an_environment_that_has_no_place)
{
    pools(2, 0);
    queue_of("one", 1, 0);
    queue_of("two", 2, 0);
    queue_of("free", 0, 0);
    bench.bursts[1] = (struct config_burst){ 1, 1 };
    bench_catalog();
    cr_assert(is_running(run_in("one")));
    struct command *big = queue_up("two");
    big->trigger.environment = PROD;
    cr_assert(commit());
    cr_assert(!is_running(big->trigger.run_id));
    struct command *elsewhere = queue_up("free");
    elsewhere->trigger.environment = PROD;
    cr_assert(commit());
    cr_assert(is_running(elsewhere->trigger.run_id));

    cr_assert(is_running(run_in("one")));
}

Test(pools, what_is_reserved_is_free_again_when_nobody_waits_for_it)
{
    pools(2, 0);
    queue_of("one", 1, 0);
    queue_of("two", 2, 0);
    bench_catalog();
    int64_t first = run_in("one"), big = run_in("two"), last = run_in("one");
    cr_assert(is_running(first) && !is_running(big) && !is_running(last));
    (void)cancel(big);
    cr_assert(is_running(last));
}

Test(pools, a_pause_reserves_nothing)
{
    pools(2, 0);
    queue_of("one", 1, 0);
    queue_of("two", 2, 0);
    bench_catalog();
    int64_t first = run_in("one"), big = run_in("two"), last = run_in("one");
    cr_assert(!is_running(last));
    pause("two", true);
    cr_assert(is_running(last));
    end_done(first);
    end_done(last);
    cr_assert(!is_running(big));
    pause("two", false);
    cr_assert(is_running(big));
}

/* Each of two has what the other lacks: neither holds it. */
Test(pools, nobody_holds_one_and_waits_for_another)
{
    pools(1, 1);
    queue_of("both", 1, 1);
    queue_of("gpu", 1, 0);
    queue_of("licence", 0, 1);
    bench_catalog();
    int64_t gpu = run_in("gpu"), licence = run_in("licence"), both = run_in("both");
    cr_assert(!is_running(both));
    end_done(gpu);
    int64_t next = run_in("gpu");
    cr_assert(!is_running(both) && !is_running(next), "it is reserved for who waits longest");
    end_done(licence);
    cr_assert(is_running(both));
    end_done(both);
    cr_assert(is_running(next));
}

Test(pools, a_restart_forgets_nothing)
{
    pools(2, 0);
    queue_of("a", 1, 0);
    bench_catalog();
    for (int i = 0; i < 5; i++)
        (void)run_in("a");
    cr_assert_eq(bench.starts, 2);
    bench_restart(true);
    cr_assert_eq(bench.starts, 4, "the two that were out start again");
}

Test(pools, another_number_counts_at_once)
{
    int64_t runs[6];

    pools(4, 0);
    queue_of("a", 2, 0);
    bench_catalog();
    for (int i = 0; i < 6; i++)
        runs[i] = run_in("a");
    cr_assert_eq(bench.starts, 2);
    pools(6, 0);
    bench_catalog();
    cr_assert_eq(bench.starts, 3);
    pools(2, 0);
    bench_catalog();
    end_done(runs[0]);
    end_done(runs[1]);
    cr_assert_eq(bench.starts, 3, "nothing is taken back, and nothing starts before it fits");
    end_done(runs[2]);
    cr_assert_eq(bench.starts, 4);
    pools(0, 0);
    bench_catalog();
    cr_assert_eq(bench.starts, 6, "there is no pool any more");
}

/* What was running before the queue used a pool counts. */
Test(pools, a_queue_begins_to_use_one)
{
    pools(1, 0);
    queue_of("a", 0, 0);
    queue_of("b", 1, 0);
    bench_catalog();
    int64_t old = run_in("a");
    bench.queue_count = 0;
    queue_of("a", 1, 0);
    queue_of("b", 1, 0);
    bench_catalog();
    int64_t other = run_in("b");
    cr_assert(!is_running(other));
    end_done(old);
    cr_assert(is_running(other));
}

/* Blocked queues are not looked at while nothing changes. */
Test(pools, who_waits_is_left_alone)
{
    pools(1, 0);
    queue_of("a", 1, 0);
    queue_of("b", 1, 0);
    bench_catalog();
    int64_t first = run_in("a");
    (void)run_in("a");
    (void)run_in("b");
    cr_assert(is_running(first));
    uint32_t batches = bench.batches;
    advance(1000);
    cr_assert_leq(bench.batches, batches + 1);
    cr_assert_eq(bench.wake_ms, 0, "nobody polls");
}

Test(pools, many_queues_share_one_and_all_come_on)
{
    int64_t runs[3][4];

    pools(1, 0);
    queue_of("a", 1, 0);
    queue_of("b", 1, 0);
    queue_of("c", 1, 0);
    bench_catalog();
    static const char *const names[] = { "a", "b", "c" };
    for (int i = 0; i < 4; i++)
        for (int q = 0; q < 3; q++)
            runs[q][i] = run_in(names[q]);
    for (int turn = 0; turn < 12; turn++) {
        int64_t out = 0;
        int count = 0;
        for (int i = 0; i < 4; i++)
            for (int q = 0; q < 3; q++)
                if (is_running(runs[q][i])) {
                    out = runs[q][i];
                    count++;
                    cr_assert_eq(i, turn / 3, "queues take turns");
                }
        cr_assert_eq(count, 1);
        end_done(out);
    }
    cr_assert_eq(bench.starts, 12);
}
