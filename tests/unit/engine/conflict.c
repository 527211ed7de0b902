/* Conflicts: a trigger meets a run of its queue and key. */
#include "bench.h"

TestSuite(conflict, .init = bench_open, .fini = bench_close);

static void queue_says(enum conflict_rule on_conflict)
{
    bench.queues[0] =
        (struct catalog_queue){ SLICE("q"), { .concurrency = 5, .on_conflict = on_conflict } };
    bench.queue_count = 1;
    bench_catalog();
}

Test(conflict, skip_answers_with_the_run_that_is_there)
{
    queue_says(CONFLICT_SKIP);
    int64_t run = keyed("q", "a");
    struct command *command = add_keyed("q", "a");
    commit();

    cr_assert_eq(command->trigger.run_id, run);
    cr_assert(command->trigger.cached && command->trigger.skipped && !command->trigger.is_new);
    cr_assert_neq(keyed("q", "b"), run);
    wait_time(run, bench.now_ms + SECONDS(1));
    cr_assert_eq(keyed("q", "a"), run, "it waits, and is there");
    advance(SECONDS(1));
    end_done(run);
    cr_assert_neq(keyed("q", "a"), run);
}

Test(conflict, two_of_one_batch_are_one)
{
    queue_says(CONFLICT_SKIP);
    struct command *first = add_keyed("q", "a"), *second = add_keyed("q", "a");
    commit();

    cr_assert_eq(first->trigger.run_id, second->trigger.run_id);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 1);
}

Test(conflict, it_is_about_runs_with_a_key)
{
    queue_says(CONFLICT_SKIP);

    cr_assert_neq(keyed("q", ""), keyed("q", ""));
}

Test(conflict, replace_cancels_what_has_not_started)
{
    queue_says(CONFLICT_REPLACE);
    int64_t running = keyed("q", "a");
    pause("q", true);
    int64_t first = keyed("q", "a");
    struct command *delayed = add_keyed("q", "a");
    delayed->trigger.delay_ms = MINUTES(1);
    commit();
    int64_t second = delayed->trigger.run_id;

    cr_assert_eq(run_of(first)->outcome, OUTCOME_CANCELED);
    cr_assert_str_eq(last_move(first), "a newer run of its key came (on_conflict)");
    cr_assert_eq(run_of(second)->status, RUN_DELAYED);
    int64_t third = keyed("q", "a");
    cr_assert_eq(run_of(second)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(run_of(third)->status, RUN_QUEUED);
    cr_assert_eq(run_of(running)->status, RUN_RUNNING);
}

Test(conflict, a_retry_has_started)
{
    bench.tasks[0].retry_min_ms = bench.tasks[0].retry_max_ms = SECONDS(100);
    queue_says(CONFLICT_REPLACE);
    int64_t run = keyed("q", "a");
    end_fail(run, true);
    keyed("q", "a");

    cr_assert_neq(run_of(run)->status, RUN_DONE);
}

Test(conflict, the_successor_starts_when_the_old_one_has_really_stopped)
{
    queue_says(CONFLICT_CANCEL);
    int64_t old = keyed("q", "a");
    cr_assert_eq(run_of(old)->status, RUN_RUNNING);
    int64_t next = keyed("q", "a");

    cr_assert_eq(run_of(old)->outcome, OUTCOME_CANCELED);
    cr_assert(run_of(old)->is_out);
    cr_assert(has_event(old, RUN_DONE));
    cr_assert_eq(run_of(next)->status, RUN_QUEUED, "its place is taken");
    release(old);
    cr_assert_not(run_of(old)->is_out);
    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
}

Test(conflict, what_waits_is_canceled_as_well)
{
    queue_says(CONFLICT_CANCEL);
    int64_t old = keyed("q", "a");
    wait_time(old, bench.now_ms + MINUTES(1));
    int64_t next = keyed("q", "a");

    cr_assert_eq(run_of(old)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
}

Test(conflict, a_run_does_not_cancel_what_it_is_part_of)
{
    queue_says(CONFLICT_CANCEL);
    int64_t parent = keyed("q", "a");
    struct command *child = add_child(parent, 1, "u");
    child->trigger.queue = SLICE("q");
    child->trigger.concurrency_key = SLICE("a");
    commit();
    int64_t below = child->trigger.run_id;

    cr_assert_eq(run_of(parent)->status, RUN_RUNNING);
    cr_assert_eq(run_of(below)->status, RUN_QUEUED);
    end_done(parent);
    cr_assert_eq(run_of(below)->status, RUN_RUNNING);
}

Test(conflict, who_is_replaced_leaves_its_place_in_a_full_queue)
{
    queue_says(CONFLICT_REPLACE);
    bench.queues[0].rules.max_queued = 1;
    bench_catalog();
    pause("q", true);
    int64_t first = keyed("q", "a"), second = keyed("q", "a");

    cr_assert_eq(run_of(first)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(run_of(second)->status, RUN_QUEUED);
    struct command *other = add_keyed("q", "b");
    commit();
    cr_assert_eq(other->err.code, ERR_FULL);
    cr_assert_eq(run_of(second)->status, RUN_QUEUED);
}
