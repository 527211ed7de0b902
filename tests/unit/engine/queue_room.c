/* Room for queues: each environment has its own, and who is not needed makes some. */
#include "bench.h"

TestSuite(queue_room, .init = bench_open, .fini = bench_close);

enum { ROOM = 3 /* beside the queues of the two tasks */ };

static void small(void)
{
    bench.limits.queues = ROOM + 2;
    bench_catalog();
}

static struct command *name(uint32_t environment, const char *queue)
{
    struct command *command = add_trigger("t");

    command->trigger.environment = environment;
    command->trigger.queue = slice_of(queue);
    cr_assert(commit());
    return command;
}

static int64_t made(uint32_t environment, const char *queue)
{
    struct command *command = name(environment, queue);

    cr_assert_eq(command->err.code, ERR_OK, "%s: %s", queue, command->err.text);
    return command->trigger.run_id;
}

static const struct queue *queue_of(int64_t run)
{
    return store_memory_queue(bench.store, run_of(run)->queue);
}

static void fill(uint32_t environment, int64_t runs[ROOM])
{
    static const char *const names[ROOM] = { "q0", "q1", "q2" };

    for (int i = 0; i < ROOM; i++) {
        runs[i] = made(environment, names[i]);
        bench.now_ms++;
    }
    cr_assert_eq(name(environment, "q3")->err.code, ERR_LIMIT);
}

Test(queue_room, one_environment_cannot_use_up_anothers)
{
    int64_t runs[ROOM];
    small();

    fill(DEV, runs);

    fill(PROD, runs);
}

Test(queue_room, an_empty_queue_makes_room_for_another)
{
    int64_t runs[ROOM];
    small();
    fill(DEV, runs);
    end_done(runs[1]);
    bench.now_ms++;
    end_done(runs[0]);

    made(DEV, "q3");

    cr_assert(queue_of(runs[1])->removed, "longest unused first");
    cr_assert_not(queue_of(runs[0])->removed);
    made(DEV, "q4");
    cr_assert(queue_of(runs[0])->removed);
    cr_assert_eq(name(DEV, "q5")->err.code, ERR_LIMIT);
    cr_assert_not(queue_of(runs[2])->removed);
}

/* As 992 names of a dev key once were. */
Test(queue_room, names_without_end_pass_through)
{
    small();

    for (int i = 0; i < 100; i++)
        end_done(made(DEV, arena_format(bench_arena(), "q%d", i).data));

    int64_t runs[ROOM];
    fill(PROD, runs);
}

Test(queue_room, what_is_paused_delayed_waiting_or_configured_stays)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("mine"), .rules.concurrency = 5 };
    bench.limits.queues = ROOM + 3;
    bench_catalog();
    int64_t configured = made(DEV, "mine"), paused = made(DEV, "q0"), waiting = made(DEV, "q1");
    struct command *delayed = add_trigger("t");
    delayed->trigger.queue = SLICE("q2");
    delayed->trigger.due_ms = bench.now_ms + DAYS(9);
    cr_assert(commit());
    int64_t late = delayed->trigger.run_id;
    wait_time(waiting, bench.now_ms + DAYS(9));
    end_done(configured);
    end_done(paused);
    pause("q0", true);

    cr_assert_eq(name(DEV, "q3")->err.code, ERR_LIMIT);

    cr_assert_not(queue_of(configured)->removed);
    cr_assert_not(queue_of(late)->removed);
    pause("q0", false);
    made(DEV, "q3");
    cr_assert(queue_of(paused)->removed);
}

Test(queue_room, a_queue_that_is_named_again_comes_back)
{
    int64_t runs[ROOM];
    small();
    fill(DEV, runs);
    for (int i = 0; i < ROOM; i++)
        end_done(runs[i]);
    int64_t other = made(DEV, "q3");
    cr_assert(queue_of(runs[0])->removed);
    struct command *command = add(COMMAND_QUEUE_PAUSE);
    command->queue_pause =
        (struct pause_order){ .environment = DEV, .name = SLICE("q0"), .paused = true };
    commit();
    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
    end_done(other);

    int64_t again = made(DEV, "q0");

    cr_assert_eq(run_of(again)->queue, run_of(runs[0])->queue);
    cr_assert_not(queue_of(again)->removed);
    cr_assert_eq(run_of(again)->status, RUN_RUNNING);
}

Test(queue_room, a_run_of_the_same_batch_keeps_its_queue)
{
    int64_t runs[ROOM];
    small();
    fill(DEV, runs);
    end_done(runs[0]);

    struct command *again = add_trigger("t"), *other = add_trigger("t");
    again->trigger.queue = SLICE("q0");
    other->trigger.queue = SLICE("q9");
    commit();

    cr_assert_eq(again->err.code, ERR_OK);
    cr_assert_eq(other->err.code, ERR_LIMIT);
    cr_assert_not(queue_of(runs[0])->removed);
}

/* The other way round it goes, and comes back in the batch that it went in, if there is room.
 */
Test(queue_room, a_queue_may_go_and_come_back_in_one_batch)
{
    int64_t runs[ROOM];
    small();
    fill(DEV, runs);
    end_done(runs[0]);
    bench.now_ms++;
    end_done(runs[1]);

    struct command *other = add_trigger("t"), *again = add_trigger("t");
    other->trigger.queue = SLICE("q9");
    again->trigger.queue = SLICE("q0");
    commit();

    cr_assert_eq(other->err.code, ERR_OK);
    cr_assert_eq(again->err.code, ERR_OK);
    cr_assert_not(queue_of(again->trigger.run_id)->removed);
    cr_assert_not(queue_of(other->trigger.run_id)->removed);
    cr_assert(queue_of(runs[1])->removed, "for the one that came back");
}

Test(queue_room, the_totals_of_what_went_are_kept)
{
    int64_t runs[ROOM];
    small();
    fill(DEV, runs);
    for (int i = 0; i < ROOM; i++)
        end_done(runs[i]);
    for (int i = 0; i < 5; i++)
        end_done(made(DEV, arena_format(bench_arena(), "r%d", i).data));

    int64_t completed = 0;
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_QUEUE); i++)
        completed +=
            ((const struct queue *)store_memory_at(bench.store, ROW_QUEUE, i))->completed;

    cr_assert_eq(completed, ROOM + 5);
    cr_assert_eq(queue_of(runs[0])->completed, 0);
}

Test(queue_room, what_was_not_used_for_long_goes)
{
    bench.limits.idle_queue_ms = DAYS(1);
    bench_catalog();
    int64_t done = made(DEV, "q0"), live = made(DEV, "q1"), other = made(PROD, "q0");
    end_done(done);
    end_done(other);

    advance(DAYS(1) - 1);
    advance(MINUTES(1)); /* one environment at a time */
    advance(MINUTES(1));

    cr_assert(queue_of(done)->removed);
    cr_assert(queue_of(other)->removed);
    cr_assert_not(queue_of(live)->removed);
}

Test(queue_room, a_restart_counts_what_is_there)
{
    int64_t runs[ROOM];
    small();
    fill(DEV, runs);

    bench_restart(true);

    cr_assert_eq(name(DEV, "q3")->err.code, ERR_LIMIT);
    end_done(runs[0]);
    made(DEV, "q3");
    fill(PROD, runs);
}

/* Nothing that a failed batch has found or made counts. */
Test(queue_room, a_batch_that_failed_took_no_room)
{
    small();
    made(DEV, "q0");

    for (int step = 1; step < 6; step++) {
        store_memory_fail(bench.store, step);
        add_trigger("t")->trigger.queue = arena_format(bench_arena(), "f%d", step);
        (void)commit(); /* or not: the store failed in time or not at all */
        store_memory_fail(bench.store, 0);
        for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
            if (store_memory_run(bench.store, i)->status == RUN_RUNNING)
                end_done(store_memory_run(bench.store, i)->id);
    }

    int64_t runs[ROOM];
    fill(DEV, runs);
}
