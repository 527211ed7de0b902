/* Crowds: as many wait in a queue as may. */
#include "bench.h"

TestSuite(crowd, .init = bench_open, .fini = bench_close);

static void queue_bound(uint32_t most, enum full_rule on_full)
{
    bench.queues[0] =
        (struct catalog_queue){ SLICE("q"),
                                { .concurrency = 1, .max_queued = most, .on_full = on_full } };
    bench.queue_count = 1;
    bench_catalog();
    pause("q", true);
}

Test(crowd, beyond_the_bound_a_trigger_is_refused_with_429)
{
    queue_bound(2, FULL_REJECT);
    int64_t first = keyed("q", "a");
    keyed("q", "");
    struct command *command = add_keyed("q", "b");
    commit();

    cr_assert_eq(command->err.code, ERR_FULL);
    cr_assert_eq(err_status(ERR_FULL), 429);
    cr_assert_str_eq(command->err.text,
                     "queue q is full: 2 runs wait in it, and its max_queued is 2");
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 2);
    cancel(first);
    keyed("q", "b");
}

Test(crowd, delayed_runs_count_and_those_of_the_same_batch)
{
    queue_bound(2, FULL_REJECT);
    struct command *commands[3];
    for (int i = 0; i < 3; i++)
        commands[i] = add_keyed("q", "");
    commands[0]->trigger.delay_ms = MINUTES(1);
    commit();

    cr_assert_eq(commands[1]->err.code, ERR_OK);
    cr_assert_eq(commands[2]->err.code, ERR_FULL);
}

Test(crowd, who_goes_in_the_same_batch_makes_room)
{
    queue_bound(1, FULL_REJECT);
    int64_t run = keyed("q", "");
    struct command *command = add(COMMAND_CANCEL);
    command->cancel.environment = DEV;
    command->cancel.id = run;
    commit();
    struct command *next = add_keyed("q", "");
    commit();

    cr_assert_eq(next->err.code, ERR_OK);
}

Test(crowd, running_runs_do_not_count_and_what_was_taken_is_never_refused)
{
    queue_bound(1, FULL_REJECT);
    pause("q", false);
    int64_t runs[2] = { keyed("q", "") };
    cr_assert_eq(run_of(runs[0])->status, RUN_RUNNING);
    runs[1] = keyed("q", "");
    wait_time(runs[0], bench.now_ms + SECONDS(1));
    cr_assert_eq(run_of(runs[1])->status, RUN_RUNNING);
    int64_t third = keyed("q", "");
    advance(SECONDS(1));

    cr_assert_eq(run_of(runs[0])->status, RUN_QUEUED, "it resumes beyond the bound");
    cr_assert_eq(run_of(third)->status, RUN_QUEUED);
    struct command *command = add_keyed("q", "");
    commit();
    cr_assert_eq(command->err.code, ERR_FULL);
}

Test(crowd, the_oldest_goes_for_a_new_one_and_says_so)
{
    queue_bound(2, FULL_DROP_OLDEST);
    struct command *late = add_keyed("q", "");
    late->trigger.priority_ms = -SECONDS(60);
    commit();
    int64_t oldest = late->trigger.run_id;
    int64_t second = keyed("q", "x"), third = keyed("q", "y");

    cr_assert_eq(run_of(oldest)->outcome, OUTCOME_EXPIRED);
    cr_assert_str_eq(error_name(oldest), "EXPIRED");
    cr_assert_str_eq(error_message(oldest),
                     "queue q was full (max_queued 2), and of those that had not started this "
                     "one was the oldest");
    cr_assert_str_eq(last_move(oldest), error_message(oldest));
    cr_assert_eq(run_of(second)->status, RUN_QUEUED);
    cr_assert_eq(run_of(third)->status, RUN_QUEUED);
}

Test(crowd, a_burst_leaves_the_last_ones)
{
    int64_t runs[6];
    queue_bound(2, FULL_DROP_OLDEST);
    int64_t old = keyed("q", "");
    for (int i = 0; i < 6; i++)
        add_keyed("q", "");
    commit();
    uint32_t queued = 0;
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        if (run->status == RUN_QUEUED)
            runs[queued++] = run->id;
    }

    cr_assert_eq(queued, 2);
    cr_assert(runs[0] > old && runs[1] > old);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 7);
}

Test(crowd, what_has_been_started_is_not_dropped)
{
    queue_bound(1, FULL_DROP_OLDEST);
    pause("q", false);
    int64_t run = keyed("q", "");
    wait_time(run, bench.now_ms + SECONDS(1));
    pause("q", true);
    advance(SECONDS(1));
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    struct command *command = add_keyed("q", "");
    commit();

    cr_assert_eq(command->err.code, ERR_FULL);
    cr_assert_not_null(strstr(command->err.text, "none is dropped"));
}

/* Of very many keys, and with many in front that are not to go. */
Test(crowd, the_oldest_of_all_lanes_goes)
{
    bench.slots = 200;
    queue_bound(700, FULL_DROP_OLDEST);
    bench.queues[0].rules.concurrency = 500;
    bench_catalog();
    pause("q", false);
    for (int i = 0; i < 200; i++)
        add_keyed("q", "")->trigger.concurrency_key = arena_format(bench_arena(), "s%d", i);
    commit();
    bench.queues[0].rules.concurrency = 1;
    bench_catalog();
    pause("q", true);
    for (uint32_t i = 0; i < 200; i++)
        release(store_memory_run(bench.store, i)->id); /* they have been started */
    int64_t oldest = 0;
    for (int i = 0; i < 500; i++) {
        struct command *command = add_keyed("q", "");
        command->trigger.concurrency_key = arena_format(bench_arena(), "k%d", i);
        command->trigger.priority_ms = i == 0 ? -SECONDS(1000) : 0;
        if (i == 0) {
            commit();
            oldest = command->trigger.run_id;
        }
    }
    commit();
    cr_assert_eq(run_of(oldest)->status, RUN_QUEUED);
    keyed("q", "new");

    cr_assert_eq(run_of(oldest)->outcome, OUTCOME_EXPIRED);
}

Test(crowd, a_child_is_refused_as_well)
{
    queue_bound(1, FULL_REJECT);
    keyed("q", "");
    int64_t parent = start("t");
    struct command *child = add_child(parent, 1, "u");
    child->trigger.queue = SLICE("q");
    commit();

    cr_assert_eq(child->err.code, ERR_FULL);
    end_done(parent);
    cr_assert_eq(run_of(parent)->outcome, OUTCOME_COMPLETED);
}
