/* Queues: how many at once, in turn, and not at all while paused. */
#include "bench.h"

#include <stdio.h>

TestSuite(queue, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

static uint32_t count_of(enum run_status status)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        count += store_memory_run(bench.store, i)->status == status;
    return count;
}

static int64_t trigger_into(const char *task, const char *queue)
{
    struct command *command = add_trigger(task);

    command->trigger.queue = slice_of(queue);
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->trigger.run_id;
}

/* ---- names --------------------------------------------------------------------------------
 */

static const struct queue *queue_of(const struct command *command)
{
    const struct queue *queue =
        store_memory_queue(bench.store, run_of(command->trigger.run_id)->queue);

    cr_assert_eq(queue->environment, command->trigger.environment);
    return queue;
}

/* Two names, or two keys, of one hash that come in one batch, and once more in the next. */
static void name_both(uint32_t one, const char *first, uint32_t other, const char *second)
{
    for (int round = 0; round < 2; round++) {
        struct command *a = add_trigger("t"), *b = add_trigger("t");
        a->trigger.environment = one;
        a->trigger.queue = slice_of(first);
        b->trigger.environment = other;
        b->trigger.queue = slice_of(second);
        cr_assert(commit());

        cr_assert(slice_is(queue_of(a)->name, first));
        cr_assert(slice_is(queue_of(b)->name, second));
    }
}

Test(queue, names_of_two_environments_in_one_batch_are_two_queues)
{
    name_both(DEV, "east", PROD, "fast");
    name_both(DEV, "mail", PROD, "mail");
}

/* These two have one FNV-1a hash. */
Test(queue, names_of_one_hash_are_two_queues)
{
    name_both(0, "8yn0iYCKYHlIj4-BwPqk", 0, "GReLUrM4wMqfg9yzV3KQ");
}

/* ---- limits -------------------------------------------------------------------------------
 */

Test(queue, no_more_runs_than_its_limit_at_once)
{
    bench.queue_limit = 3;
    bench_catalog();
    int64_t runs[10];
    for (int i = 0; i < 10; i++)
        runs[i] = trigger("t");

    cr_assert_eq(count_of(RUN_RUNNING), 3);
    end_done(runs[1]);
    cr_assert_eq(count_of(RUN_RUNNING), 3);

    cr_assert_eq(STATUS(runs[3]), RUN_RUNNING);
    cr_assert_eq(STATUS(runs[4]), RUN_QUEUED);
}

Test(queue, a_waiting_run_holds_no_place)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t first = start("t"), second = trigger("t");

    wait_time(first, bench.now_ms + 1000);

    cr_assert_eq(STATUS(second), RUN_RUNNING);
}

/* A parent in the same queue as its child: no deadlock, since waiting holds nothing. */
Test(queue, a_parent_may_wait_for_a_child_in_its_own_full_queue)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t parent = start("t"), child = make_child(parent, 1, "t");
    cr_assert_eq(STATUS(child), RUN_QUEUED);

    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    cr_assert_eq(STATUS(child), RUN_RUNNING);
    end_done(child);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
}

Test(queue, a_named_limit_is_the_queues_own)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("narrow"), .rules.concurrency = 1 };
    bench_catalog();
    for (int i = 0; i < 3; i++) {
        trigger_into("t", "narrow");
        trigger_into("t", "wide");
    }

    cr_assert_eq(count_of(RUN_RUNNING), 1 + 3);
}

Test(queue, a_limit_that_grows_lets_the_backlog_in)
{
    bench.queue_limit = 1;
    bench_catalog();
    for (int i = 0; i < 10; i++)
        trigger("t");
    cr_assert_eq(count_of(RUN_RUNNING), 1);

    bench.queue_limit = 4;
    bench_catalog();

    cr_assert_eq(count_of(RUN_RUNNING), 4);
}

Test(queue, a_limit_that_shrinks_stops_nobody_and_starts_nobody)
{
    bench.queue_limit = 4;
    bench_catalog();
    int64_t runs[6];
    for (int i = 0; i < 6; i++)
        runs[i] = trigger("t");

    bench.queue_limit = 2;
    bench_catalog();
    cr_assert_eq(count_of(RUN_RUNNING), 4);
    end_done(runs[0]);
    end_done(runs[1]);
    cr_assert_eq(count_of(RUN_RUNNING), 2);
    end_done(runs[2]);

    cr_assert_eq(count_of(RUN_RUNNING), 2);
    cr_assert_eq(STATUS(runs[4]), RUN_RUNNING);
}

Test(queue, all_queues_together_have_as_many_as_there_are_slots)
{
    bench.slots = 5;
    bench_catalog();
    for (int i = 0; i < 4; i++) {
        trigger_into("t", "a");
        trigger_into("t", "b");
    }

    cr_assert_eq(count_of(RUN_RUNNING), 5);
}

/* A long backlog in one queue must not keep another from its turn. */
Test(queue, queues_take_turns)
{
    bench.slots = 4;
    bench_catalog();
    int64_t blockers[4];
    for (int i = 0; i < 4; i++)
        blockers[i] = trigger_into("t", "other");
    for (int i = 0; i < 20; i++)
        trigger_into("t", "long");
    bench.now_ms += 1000;
    int64_t late[2] = { trigger_into("t", "short"), trigger_into("t", "short") };

    for (int i = 0; i < 4; i++)
        add_end(blockers[i], VERDICT_DONE);
    commit();

    cr_assert_eq(STATUS(late[0]), RUN_RUNNING);
    cr_assert_eq(STATUS(late[1]), RUN_RUNNING);
    cr_assert_eq(count_of(RUN_RUNNING), 4);
}

Test(queue, a_long_backlog_drains_to_the_end)
{
    bench.slots = 3;
    bench_catalog();
    int64_t runs[60];
    for (int i = 0; i < 60; i++)
        runs[i] = trigger("t");

    for (int i = 0; i < 60; i++) {
        cr_assert_eq(STATUS(runs[i]), RUN_RUNNING, "run %d", i);
        end_done(runs[i]);
    }

    cr_assert_eq(count_of(RUN_DONE), 60);
}

Test(queue, the_backlog_is_found_again_after_a_restart)
{
    bench.queue_limit = 2;
    bench_catalog();
    int64_t runs[10];
    for (int i = 0; i < 10; i++)
        runs[i] = trigger("t");

    bench_restart(true);

    cr_assert_eq(count_of(RUN_RUNNING), 2);
    for (int i = 0; i < 10; i++)
        end_done(runs[i]);
    cr_assert_eq(count_of(RUN_DONE), 10);
}

/* ---- pause --------------------------------------------------------------------------------
 */

Test(queue, a_paused_queue_starts_nothing_and_takes_everything)
{
    pause("task/t", true);

    int64_t run = trigger("t");
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    cr_assert_eq(STATUS(start("u")), RUN_RUNNING, "other queues go on");
    pause("task/t", false);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(queue, what_runs_in_a_paused_queue_finishes)
{
    int64_t run = start("t");

    pause("task/t", true);
    end_done(run);

    cr_assert_eq(run_of(run)->outcome, OUTCOME_COMPLETED);
}

Test(queue, a_run_that_wakes_in_a_paused_queue_stays_in_it)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    pause("task/t", true);

    complete(token, "\x05");
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    pause("task/t", false);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
}

Test(queue, a_pause_survives_a_restart)
{
    pause("task/t", true);
    int64_t run = trigger("t");

    bench_restart(true);
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    pause("task/t", false);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(queue, a_queue_that_nobody_named_cannot_be_paused)
{
    struct command *command = add(COMMAND_QUEUE_PAUSE);
    command->queue_pause =
        (struct pause_order){ .environment = DEV, .name = SLICE("nowhere"), .paused = true };
    commit();

    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
}

Test(queue, a_pause_is_one_environments)
{
    pause("task/t", true);
    struct trigger *prod = &add_trigger("t")->trigger;
    prod->environment = PROD;
    commit();

    cr_assert_eq(STATUS(prod->run_id), RUN_RUNNING);
}

Test(queue, the_queues_of_the_catalog_are_there_before_the_first_run)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("mail"), .rules.concurrency = 5 };
    bench_catalog();

    pause("mail", true);
    pause("task/u", true);

    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 0);
}

/* ---- short tasks --------------------------------------------------------------------------
 */

static void speed(const char *task, bool is_short)
{
    struct command *command = add(COMMAND_SPEED);

    command->speed.task = slice_of(task);
    command->speed.is_short = is_short;
    cr_assert(commit());
}

Test(queue, segments_of_short_tasks_run_ahead_of_the_slots)
{
    bench.slots = 2;
    bench_catalog();
    speed("t", true);

    for (int i = 0; i < 50; i++)
        trigger("t");

    cr_assert_eq(count_of(RUN_RUNNING), 2 * 16);
    cr_assert_eq(count_of(RUN_QUEUED), 50 - 2 * 16);
}

Test(queue, long_tasks_do_not_run_ahead_because_others_are_short)
{
    bench.slots = 2;
    bench_catalog();
    speed("t", true);
    for (int i = 0; i < 3; i++)
        trigger("t");

    int64_t run = trigger("u");

    cr_assert_eq(STATUS(run), RUN_QUEUED);
}

Test(queue, a_task_that_has_become_long_runs_ahead_no_more)
{
    bench.slots = 2;
    bench_catalog();
    speed("t", true);
    speed("t", true);
    speed("t", false);

    for (int i = 0; i < 10; i++)
        trigger("t");

    cr_assert_eq(count_of(RUN_RUNNING), 2);
}

Test(queue, a_queues_limit_holds_for_short_tasks_too)
{
    bench.slots = 2;
    bench.queue_limit = 5;
    bench_catalog();
    speed("t", true);

    for (int i = 0; i < 10; i++)
        trigger("t");

    cr_assert_eq(count_of(RUN_RUNNING), 5);
}

/* ---- very many queues ---------------------------------------------------------------------
 */

enum { MANY = 200 };

static int64_t many[MANY];

static void trigger_into_many(void)
{
    for (int i = 0; i < MANY; i++)
        add_trigger("t")->trigger.queue = arena_format(bench_arena(), "q%d", i);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(add_trigger("u")->kind, COMMAND_TRIGGER);
    cr_assert(commit());
    for (uint32_t i = 0, at = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        if (slice_is(store_memory_run(bench.store, i)->task, "t"))
            many[at++] = store_memory_run(bench.store, i)->id;
}

/* More than are looked at in one batch. */
Test(queue, all_of_many_queues_have_their_turn)
{
    bench.slots = MANY * 3;
    bench_catalog();

    trigger_into_many();

    cr_assert_eq(count_of(RUN_RUNNING), 2 * MANY);
}

Test(queue, many_queues_drain_through_few_slots)
{
    bench.slots = 3;
    bench_catalog();
    trigger_into_many();
    uint32_t done = 0;

    while (count_of(RUN_RUNNING) > 0) {
        int64_t running[3];
        uint32_t count = 0;
        for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
            if (store_memory_run(bench.store, i)->status == RUN_RUNNING)
                running[count++] = store_memory_run(bench.store, i)->id;
        for (uint32_t i = 0; i < count; i++)
            add_end(running[i], VERDICT_DONE);
        cr_assert(commit());
        done += count;
    }

    cr_assert_eq(done, 2 * MANY);
}

/* Nothing can start: the engine must not ask for one batch after another until something can.
 */
Test(queue, many_queues_that_are_paused_cost_nothing)
{
    bench.slots = 1000;
    bench_catalog();
    trigger_into_many();
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "q%d", i);
        pause(name, true);
    }
    for (int i = 0; i < MANY; i++)
        release(many[i]);
    cr_assert_eq(count_of(RUN_QUEUED), MANY);

    advance(1);
    cr_assert_leq(bench.batches, 1 + MANY / 64 + 1);
    int64_t run = trigger_into("t", "q77");
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    pause("q77", false);

    cr_assert_eq(count_of(RUN_QUEUED), MANY - 1);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(queue, many_queues_behind_full_slots_cost_nothing)
{
    bench.slots = 3;
    bench_catalog();
    trigger_into_many();

    advance(1);

    cr_assert_leq(bench.batches, 2, "%u batches", bench.batches);
}
