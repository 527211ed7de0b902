/* The pump: many commands from the loop thread, one store thread, nothing lost on the way. */
#include "base/clock.h"
#include "pump_bench.h"
#include "pump_faulty.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

static void close_bench(void)
{
    pump_bench_close();
}

TestSuite(pump, .fini = close_bench, .timeout = 120);

static const enum pump_store kinds[] = { PUMP_MEMORY, PUMP_SQLITE };

#define BOTH(test)                                                                  \
    ParameterizedTestParameters(pump, test)                                         \
    {                                                                               \
        return cr_make_param_array(const enum pump_store, (void *)kinds, 2);        \
    }                                                                               \
    ParameterizedTest(const enum pump_store *kind, pump, test, .fini = close_bench, \
                      .timeout = 120)

static void open_started(enum pump_store kind)
{
    pump_bench_open(kind, 100000, 1000);
    pump_bench_start();
    pump_bench_offer("t");
}

static void must_submit(struct operation *operation)
{
    struct err err = { 0 };

    cr_assert(pump_bench_submit(operation, &err), "%s", err.text);
}

static uint32_t wanted;

static bool ended_enough(void)
{
    return bench.ended >= wanted;
}

static bool assigned_enough(void)
{
    return bench.assigned >= wanted;
}

BOTH(many_commands_are_all_answered_in_order)
{
    open_started(*kind);

    for (int i = 0; i < 3000; i++)
        must_submit(operation_trigger("t"));
    pump_bench_until(all_replied);

    cr_assert_eq(bench.refused, 0);
    cr_assert(bench.in_order);
    struct pump_stats stats;
    pump_stats(bench.pump, &stats);
    cr_assert_eq(stats.commands, 3001);
    cr_assert_eq(stats.waiting, 0);
    cr_assert(stats.store_ok);
    cr_assert_lt(stats.batches, 3000, "%llu batches", (unsigned long long)stats.batches);
}

BOTH(runs_are_triggered_given_out_ended_and_told_once_each)
{
    open_started(*kind);
    bench.ends_at_once = true;
    wanted = 2000;

    for (uint32_t i = 0; i < wanted; i++)
        must_submit(operation_trigger("t"));
    pump_bench_until(ended_enough);
    pump_bench_until(all_replied);

    cr_assert_eq(bench.ended, wanted);
    cr_assert_eq(bench.assigned, wanted);
    cr_assert_eq(bench.refused, 0);
}

BOTH(a_start_can_be_with_all_environments_paused)
{
    struct err err = { 0 };

    pump_bench_open(*kind, 100, 100);
    cr_assert(pump_pause_all(bench.pump, SLICE("ann"), SLICE("a move"), &err), "%s", err.text);
    pump_bench_start();
    pump_bench_offer("t");
    must_submit(operation_trigger("t"));
    pump_bench_until(all_replied);
    cr_assert_eq(bench.assigned, 0);

    struct operation *resume = operation_create(COMMAND_ENVIRONMENT_PAUSE);
    resume->command.environment_pause.environment = bench.environment;
    must_submit(resume);
    wanted = 1;
    pump_bench_until(assigned_enough);
}

BOTH(a_timer_needs_no_command_to_go_off)
{
    open_started(*kind);
    struct operation *operation = operation_trigger("t");
    operation->command.trigger.due_ms = clock_now_ms() + 50;
    must_submit(operation);
    pump_bench_until(all_replied);
    wanted = 1;

    pump_bench_until(assigned_enough);
}

BOTH(what_was_submitted_before_the_stop_is_committed)
{
    open_started(*kind);
    struct operation *last = operation_trigger("t");
    for (int i = 0; i < 2000; i++)
        must_submit(operation_trigger("t"));
    last->is_kept = true;
    must_submit(last);

    pump_stop(bench.pump);
    pump_bench_until(all_replied);

    cr_assert_eq(bench.refused, 0);
    cr_assert(last->is_replied);
    cr_assert_gt(last->command.trigger.run_id, 0);
    operation_destroy(last);
}

BOTH(after_the_stop_nothing_is_taken)
{
    open_started(*kind);
    struct err err = { 0 };
    struct operation *operation = operation_trigger("t");
    pump_stop(bench.pump);

    cr_assert_not(pump_bench_submit(operation, &err));

    cr_assert_eq(err.code, ERR_STOPPING);
    operation_destroy(operation);
}

/* Not started yet: so nobody takes them, and the limit is reached for certain. */
BOTH(more_than_may_wait_are_refused_and_stay_the_callers)
{
    struct err err = { 0 };
    pump_bench_open(*kind, 10, 1000);
    for (int i = 0; i < 10; i++)
        must_submit(operation_trigger("t"));
    struct operation *operation = operation_trigger("t");

    cr_assert_not(pump_bench_submit(operation, &err));
    cr_assert_eq(err.code, ERR_LIMIT);
    pump_bench_start();
    pump_bench_until(all_replied);

    cr_assert_eq(bench.replied, 10);
    must_submit(operation); /* there is room again */
    pump_bench_until(all_replied);
}

BOTH(no_batch_is_larger_than_it_may_be)
{
    struct pump_stats stats;
    pump_bench_open(*kind, 1000, 16);
    for (int i = 0; i < 160; i++)
        must_submit(operation_trigger("t"));

    pump_bench_start();
    pump_bench_until(all_replied);

    pump_stats(bench.pump, &stats);
    cr_assert_geq(stats.batches, 10);
    cr_assert(bench.in_order);
}

/* ---- a store that fails -------------------------------------------------------------------
 */

BOTH(a_store_that_fails_is_said_so_and_the_pump_goes_on_when_it_works_again)
{
    open_started(*kind);
    faulty_refuse(true);
    for (int i = 0; i < 100; i++)
        must_submit(operation_trigger("t"));
    pump_bench_until(all_replied);
    cr_assert_eq(bench.refused, 100);
    struct operation *one = pump_bench_ask(operation_trigger("t"));
    cr_assert_eq(one->command.err.code, ERR_STORE);
    cr_assert_not(store_is_ok());
    operation_destroy(one);

    faulty_refuse(false);
    for (int i = 0; i < 100; i++)
        must_submit(operation_trigger("t"));
    pump_bench_until(all_replied);

    cr_assert_eq(bench.refused, 101);
    cr_assert(store_is_ok());
    wanted = 100;
    pump_bench_until(assigned_enough);
}

/* Who asked for nothing to be started is not to find it started. */
BOTH(a_store_that_cannot_be_written_is_not_started_as_paused)
{
    struct err err = { 0 };
    pump_bench_open(*kind, 1000, 100);
    faulty_refuse(true);
    cr_assert_not(pump_pause_all(bench.pump, SLICE("ann"), SLICE("a move"), &err));
    cr_assert_eq(err.code, ERR_STORE);
    cr_assert_str_eq(err.text, "no space left on the device");

    faulty_refuse(false);
    cr_assert(pump_pause_all(bench.pump, SLICE("ann"), SLICE("a move"), &err), "%s", err.text);
    pump_bench_start();
    pump_bench_offer("t");
    operation_destroy(pump_bench_ask(operation_trigger("t")));
    struct operation *resume = operation_create(COMMAND_ENVIRONMENT_PAUSE);
    resume->command.environment_pause.environment = bench.environment;
    resume->is_kept = true;
    cr_assert_eq(bench.assigned, 0);
    operation_destroy(pump_bench_ask(resume));
    wanted = 1;
    pump_bench_until(assigned_enough);
}

/* Looking is no proof that writing works. */
BOTH(a_store_that_can_only_be_read_has_not_recovered)
{
    open_started(*kind);
    faulty_refuse(true);
    operation_destroy(pump_bench_ask(operation_trigger("t")));
    cr_assert_not(store_is_ok());
    struct operation *look = operation_create(COMMAND_TOKEN_COMPLETE);
    look->command.token_complete = (struct token_complete){ .id = 12345 };

    operation_destroy(pump_bench_ask(look));

    cr_assert_not(store_is_ok());
    faulty_refuse(false);
}

/* Nobody sends requests to a server that says it is not ready: it must find out by itself. */
BOTH(a_store_that_works_again_is_noticed_without_a_command)
{
    open_started(*kind);
    faulty_refuse(true);
    operation_destroy(pump_bench_ask(operation_trigger("t")));
    cr_assert_not(store_is_ok());

    faulty_refuse(false);

    pump_bench_until(store_is_ok);
}

/* The work of a batch without commands is done when the store works again, not at the next
 * command. */
BOTH(work_that_was_under_way_goes_on_after_a_failure)
{
    open_started(*kind);
    for (int i = 0; i < 800; i++)
        must_submit(operation_trigger("new"));
    pump_bench_until(all_replied);
    struct operation *operation = operation_create(COMMAND_SPEED);
    operation->command.speed.task = SLICE("new"); /* so that there is a batch between */
    operation_destroy(pump_bench_ask(operation));
    wanted = 800;

    faulty_begin(2);
    pump_bench_offer("new");

    pump_bench_until(assigned_enough);
    cr_assert_eq(bench.assigned, 800);
}

/* ---- start --------------------------------------------------------------------------------
 */

static struct run *row_put(struct rows *rows, int64_t id, enum run_status status)
{
    struct run *run = rows_new_run(rows, id);

    run->environment = bench.environment;
    run->queue = run->lane = 1;
    run->root_id = id;
    run->task = SLICE("t");
    run->status = status;
    run->seq = 2;
    run->attempt = 1;
    return run;
}

BOTH(what_was_running_at_the_start_is_given_out_again)
{
    struct arena arena = { 0 };
    struct rows rows;
    struct err err = { 0 };
    pump_bench_open(*kind, 100, 100);
    rows_init(&rows, &arena);
    cr_assert(bench.store->ops->begin(bench.store, &err));
    rows_new_queue(&rows, 1, bench.environment, SLICE("task/t"));
    row_put(&rows, 1000, RUN_RUNNING)->id_block = 64;
    row_put(&rows, 1001, RUN_QUEUED);
    cr_assert(bench.store->ops->flush(bench.store, &rows, &err), "%s", err.text);
    cr_assert(bench.store->ops->commit(bench.store, &err), "%s", err.text);
    arena_finish(&arena);

    pump_bench_start();
    pump_bench_offer("t");
    wanted = 2;

    pump_bench_until(assigned_enough);
}

/* The clock of the machine was an hour ahead before the restart, and has been put right. */
BOTH(ids_go_on_after_the_last_one_that_is_stored)
{
    struct arena arena = { 0 };
    struct rows rows;
    struct err err = { 0 };
    pump_bench_open(*kind, 100, 100);
    int64_t last = id_floor(INT64_C(3000000000000)); /* 2065 */
    rows_init(&rows, &arena);
    cr_assert(bench.store->ops->begin(bench.store, &err));
    rows_new_queue(&rows, 1, bench.environment, SLICE("task/t"));
    row_put(&rows, last, RUN_DONE)->outcome = OUTCOME_COMPLETED;
    cr_assert(bench.store->ops->flush(bench.store, &rows, &err), "%s", err.text);
    cr_assert(bench.store->ops->commit(bench.store, &err), "%s", err.text);
    arena_finish(&arena);

    pump_bench_start();
    pump_bench_offer("t");
    struct operation *operation = pump_bench_ask(operation_trigger("t"));

    cr_assert_gt(operation->command.trigger.run_id, last);
    operation_destroy(operation);
}
