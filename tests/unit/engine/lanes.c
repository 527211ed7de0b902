/* Lanes: limits of keys and of all together, turns, and what is looked at. */
#include "bench.h"

#include <stdlib.h>

TestSuite(lanes, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

static uint32_t running(const char *key)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        count += run->status == RUN_RUNNING && slice_is(run->concurrency_key, key);
    }
    return count;
}

static void queue_limits(uint32_t limit, uint32_t per_key, uint32_t total)
{
    bench.queues[0] = (struct catalog_queue){ .name = SLICE("mail"),
                                              .rules.concurrency = limit,
                                              .rules.per_key = per_key,
                                              .rules.total = total };
    bench.queue_count = 1;
    bench_catalog();
}

Test(lanes, each_key_has_the_queues_limit)
{
    queue_limits(2, 0, 0);
    for (int i = 0; i < 3; i++) {
        keyed("mail", "a");
        keyed("mail", "b");
        keyed("mail", "");
    }

    cr_assert(running("a") == 2 && running("b") == 2 && running("") == 2);
}

Test(lanes, a_key_may_have_a_limit_of_its_own)
{
    queue_limits(3, 1, 0);
    for (int i = 0; i < 4; i++) {
        keyed("mail", "a");
        keyed("mail", "");
    }

    cr_assert(running("a") == 1 && running("") == 3);
}

Test(lanes, together_they_have_the_total)
{
    queue_limits(2, 0, 3);
    int64_t first = keyed("mail", "a");
    keyed("mail", "a");
    keyed("mail", "b");
    int64_t waits = keyed("mail", "c");
    cr_assert_eq(STATUS(waits), RUN_QUEUED);

    end_done(first);

    cr_assert_eq(STATUS(waits), RUN_RUNNING);
}

static void limit_set(uint32_t limit, bool is_reset)
{
    struct command *command = add(COMMAND_QUEUE_LIMIT);

    command->queue_limit = (struct queue_limit){
        .environment = DEV, .name = SLICE("mail"), .limit = limit, .is_reset = is_reset
    };
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
}

Test(lanes, a_limit_that_is_set_counts_at_once)
{
    queue_limits(2, 0, 0);
    limit_set(1, false);
    for (int i = 0; i < 4; i++)
        keyed("mail", "a");
    cr_assert_eq(running("a"), 1);

    limit_set(3, false);
    cr_assert_eq(running("a"), 3, "nothing has stopped, and there is room");

    limit_set(0, true);
    keyed("mail", "b");
    keyed("mail", "b");
    keyed("mail", "b");
    cr_assert(running("a") == 3 && running("b") == 2);
}

Test(lanes, one_key_in_two_queues_and_environments_is_as_many_lanes)
{
    queue_limits(1, 0, 0);
    bench.queue_limit = 1;
    bench_catalog();

    cr_assert_eq(STATUS(keyed("mail", "a")), RUN_RUNNING);
    cr_assert_eq(STATUS(keyed("other", "a")), RUN_RUNNING);
    struct command *prod = add_keyed("mail", "a");
    prod->trigger.environment = PROD;
    cr_assert(commit());
    cr_assert_eq(STATUS(prod->trigger.run_id), RUN_RUNNING);
    cr_assert_eq(STATUS(keyed("mail", "a")), RUN_QUEUED);
}

/* Two keys of one hash (FNV-1a) are two lanes. */
Test(lanes, the_name_decides)
{
    queue_limits(1, 0, 0);

    cr_assert_eq(STATUS(keyed("mail", "8yn0iYCKYHlIj4-BwPqk")), RUN_RUNNING);
    cr_assert_eq(STATUS(keyed("mail", "GReLUrM4wMqfg9yzV3KQ")), RUN_RUNNING);
}

/* Ten times as many runs of one key as of the others are not served ten times as often. */
static int64_t running_one(void)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        if (store_memory_run(bench.store, i)->status == RUN_RUNNING)
            return store_memory_run(bench.store, i)->id;
    cr_assert_fail("nothing runs");
    return 0;
}

Test(lanes, keys_take_turns)
{
    bench.slots = 0;
    bench_catalog();
    for (int i = 0; i < 40; i++)
        add_keyed("mail", "many");
    for (int i = 0; i < 4; i++) {
        add_keyed("mail", "few");
        add_keyed("mail", "");
    }
    cr_assert(commit());
    uint32_t few = 0;

    bench.slots = 1;
    bench_catalog();
    for (int i = 0; i < 12; i++) {
        few += running("few");
        end_done(running_one());
    }

    cr_assert_eq(few, 4);
}

/* More lanes than are known at a time: each has its turn before any has two. */
Test(lanes, of_very_many_none_starves)
{
    enum { LANES = 150 };
    uint32_t starts[LANES] = { 0 };
    bench.slots = 0;
    bench_catalog();
    for (int i = 0; i < 2 * LANES; i++)
        add_keyed("mail", "")->trigger.concurrency_key =
            arena_format(bench_arena(), "k%d", i % LANES);
    cr_assert(commit());

    bench.slots = 1;
    bench_restart(true);
    for (int i = 0; i < LANES; i++) {
        int64_t run = running_one();
        starts[atoi(run_of(run)->concurrency_key.data + 1)]++;
        end_done(run);
    }

    for (int i = 0; i < LANES; i++)
        cr_assert_eq(starts[i], 1, "lane %d: %u", i, starts[i]);
}

Test(lanes, a_limit_of_keys_that_grows_lets_them_in)
{
    queue_limits(5, 1, 0);
    for (int i = 0; i < 3; i++)
        keyed("mail", "a");
    cr_assert_eq(running("a"), 1);

    queue_limits(5, 3, 0);

    cr_assert_eq(running("a"), 3);
}

Test(lanes, are_found_again_after_a_restart_and_a_pause)
{
    queue_limits(1, 0, 0);
    pause("mail", true);
    int64_t a = keyed("mail", "a"), b = keyed("mail", "b"), none = keyed("mail", "");
    bench_restart(true);
    cr_assert_eq(STATUS(a), RUN_QUEUED);

    pause("mail", false);

    cr_assert(STATUS(a) == RUN_RUNNING && STATUS(b) == RUN_RUNNING &&
              STATUS(none) == RUN_RUNNING);
}

/* Rows of lanes go when nobody is in them, and come again with their name. */
Test(lanes, that_nobody_is_in_go)
{
    int64_t done = keyed("mail", "a"), lives = keyed("mail", "b");
    int64_t lane = run_of(done)->lane, other = run_of(lives)->lane;
    end_done(done);
    cr_assert_not_null(store_memory_lane(bench.store, lane));

    bench.now_ms += MINUTES(2);
    trigger("u");

    cr_assert_null(store_memory_lane(bench.store, lane));
    cr_assert_not_null(store_memory_lane(bench.store, other));
    cr_assert(slice_is(run_of(done)->concurrency_key, "a"), "it is shown all the same");
    int64_t again = keyed("mail", "a");
    cr_assert_not_null(store_memory_lane(bench.store, run_of(again)->lane));
    cr_assert_eq(STATUS(again), RUN_RUNNING);
}

/* Runs are stored and nothing is asked for: the batch has nothing that could start. */
Test(lanes, what_waits_for_a_limit_is_not_looked_at)
{
    queue_limits(1, 0, 0);
    for (int i = 0; i < 50; i++) {
        struct command *command = add_keyed("mail", "");
        command->trigger.concurrency_key = arena_format(bench_arena(), "k%d", i);
        add_keyed("mail", "")->trigger.concurrency_key = command->trigger.concurrency_key;
    }
    cr_assert(commit());
    cr_assert_eq(bench.assignments, 50);

    advance(1);

    cr_assert_eq(bench.batches, 1, "%u batches", bench.batches);
}

/* ---- very many queues ---------------------------------------------------------------------
 */

enum { QUEUES = 70, KEYS = 16 };

/* Runs of each queue that are not QUEUED any more; how many there are together. */
static uint32_t starts_of(uint32_t starts[QUEUES])
{
    uint32_t all = 0;

    memset(starts, 0, QUEUES * sizeof *starts);
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        const struct queue *queue = store_memory_queue(bench.store, run->queue);
        starts[atoi(queue->name.data + 1)] += run->status != RUN_QUEUED;
        all += run->status != RUN_QUEUED;
    }
    return all;
}

static void crowd_make(bool is_short)
{
    struct command *command = add(COMMAND_SPEED);

    command->speed.task = SLICE("t");
    command->speed.is_short = is_short;
    bench.slots = 0;
    bench_catalog();
    for (int i = 0; i < QUEUES * KEYS; i++) {
        command = add_keyed("", "");
        command->trigger.queue = arena_format(bench_arena(), "q%d", i % QUEUES);
        command->trigger.concurrency_key = arena_format(bench_arena(), "k%d", i / QUEUES);
    }
    cr_assert(commit());
    bench.slots = 1;
    bench_catalog();
}

/* A lane that was full is not looked at before something says so. */
Test(lanes, another_limit_starts_what_the_one_before_held)
{
    queue_limits(1, 0, 0);
    for (int i = 0; i < 4; i++)
        keyed("mail", "");
    cr_assert_eq(running(""), 1);

    add(COMMAND_QUEUE_LIMIT)->queue_limit =
        (struct queue_limit){ .environment = DEV, .name = SLICE("mail"), .limit = 3 };
    cr_assert(commit());

    cr_assert_eq(running(""), 3, "%u", running(""));
}

/* Of short runs each queue starts some at a time, and as many as each other. */
Test(lanes, of_very_many_queues_turns_are_long_and_alike)
{
    uint32_t starts[QUEUES], some = 0;

    crowd_make(true);
    cr_assert_eq(starts_of(starts), 16, "%u", starts_of(starts));
    for (int i = 0; i < QUEUES; i++)
        some += starts[i] > 0;
    cr_assert(some <= 3, "%u queues", some);
    while (starts_of(starts) < 8 * QUEUES)
        end_done(running_one());

    for (int i = 0; i < QUEUES; i++)
        cr_assert_eq(starts[i], 8, "queue %d: %u", i, starts[i]);
}

Test(lanes, of_very_many_queues_each_starts_one_that_is_not_short)
{
    uint32_t starts[QUEUES];

    crowd_make(false);
    while (starts_of(starts) < QUEUES)
        end_done(running_one());

    for (int i = 0; i < QUEUES; i++)
        cr_assert_eq(starts[i], 1, "queue %d: %u", i, starts[i]);
}
