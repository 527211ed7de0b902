/* Timers through the pump: no moment that anybody may name stops the others. */
#include "base/clock.h"
#include "clock_shift.h"
#include "pump_bench.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <sqlite3.h>
#include <stdio.h>

static void close_bench(void)
{
    pump_bench_close();
}

TestSuite(pump_timers, .fini = close_bench, .timeout = 60);

static const enum pump_store kinds[] = { PUMP_MEMORY, PUMP_SQLITE };

#define BOTH(test)                                                                         \
    ParameterizedTestParameters(pump_timers, test)                                         \
    {                                                                                      \
        return cr_make_param_array(const enum pump_store, (void *)kinds, 2);               \
    }                                                                                      \
    ParameterizedTest(const enum pump_store *kind, pump_timers, test, .fini = close_bench, \
                      .timeout = 60)

static uint32_t wanted;

static bool assigned_enough(void)
{
    return bench.assigned >= wanted;
}

BOTH(no_date_of_a_token_keeps_other_timers_from_going_off)
{
    static const int64_t dates[] = { INT64_MIN,     INT64_MIN + 1, -1000000000000000000, -1, 1,
                                     INT64_MAX - 1, INT64_MAX };
    pump_bench_open(*kind, 1000, 1000);
    pump_bench_start();
    pump_bench_offer("t");
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        struct operation *operation = operation_create(COMMAND_TOKEN_CREATE);
        operation->command.token_create =
            (struct token_create){ .environment = bench.environment, .due_ms = dates[i] };
        operation_destroy(pump_bench_ask(operation));
    }

    struct operation *operation = operation_trigger("t");
    operation->command.trigger.due_ms = clock_now_ms() + 50;
    operation_destroy(pump_bench_ask(operation));

    wanted = 1;
    pump_bench_until(assigned_enough);
}

/* ---- the clock is set -----------------------------------------------------------------------
 */

static struct operation *delayed(int64_t delay_ms, int64_t due_ms)
{
    struct operation *operation = operation_trigger("t");

    operation->command.trigger.delay_ms = delay_ms;
    operation->command.trigger.due_ms = due_ms;
    return pump_bench_ask(operation);
}

static uint64_t clock_steps(void)
{
    struct pump_stats stats;

    pump_stats(bench.pump, &stats);
    return stats.clock_steps;
}

static void open_started(enum pump_store kind)
{
    pump_bench_open(kind, 1000, 1000);
    pump_bench_start();
    pump_bench_offer("t");
}

BOTH(a_clock_set_forward_makes_timers_go_off_at_once)
{
    open_started(*kind);
    operation_destroy(delayed(1800000, 0));
    operation_destroy(delayed(0, clock_now_ms() + 1800000));
    uint64_t start_ns = clock_monotonic_ns();

    clock_shift(3600000);
    pump_clock_set(bench.pump); /* as the kernel's word does */
    wanted = 2;
    pump_bench_until(assigned_enough);

    cr_assert_lt(clock_monotonic_ns() - start_ns, UINT64_C(20) * 1000000000);
    cr_assert_eq(clock_steps(), 1);
}

BOTH(a_clock_set_back_makes_no_time_longer_and_no_date_earlier)
{
    open_started(*kind);
    operation_destroy(delayed(0, clock_now_ms() + 300));
    uint64_t start_ns = clock_monotonic_ns();
    operation_destroy(delayed(1000, 0));

    clock_shift(-3600000);
    pump_clock_set(bench.pump);
    wanted = 1;
    pump_bench_until(assigned_enough);

    uint64_t took_ms = (clock_monotonic_ns() - start_ns) / 1000000;
    /* The engine counts whole milliseconds: it may have begun up to one of them earlier. */
    cr_assert(took_ms >= 999 && took_ms < 20000, "%llu ms", (unsigned long long)took_ms);
    cr_assert_eq(bench.assigned, 1, "the date is an hour off");
    cr_assert_eq(clock_steps(), 1);
    clock_shift(3600000);
    pump_clock_set(bench.pump);
    wanted = 2;
    pump_bench_until(assigned_enough);
}

/* ---- rows that cannot be handled ------------------------------------------------------------
 */

static void sql(const char *text)
{
    char path[128];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/bide.db", bench.directory);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

Test(pump_timers, rows_that_cannot_be_read_or_are_not_there_stop_no_other_timer)
{
    static const char *const damage[] = {
        "UPDATE run SET data = x'ffffff'",                    /* unreadable */
        "INSERT INTO run_due VALUES (-7, 12345)",             /* a mark of nothing */
        "INSERT INTO waitpoint_due VALUES (5, 99)",           /* the same */
        "INSERT INTO waitpoint_span VALUES (-9, 98)",         /* the same */
        "INSERT INTO run_span SELECT 3, run_id FROM run_span" /* of another time */
    };
    open_started(PUMP_SQLITE);
    operation_destroy(delayed(300, 0));
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++)
        sql(damage[i]);

    operation_destroy(delayed(600, 0));
    wanted = 1;
    pump_bench_until(assigned_enough);

    struct pump_stats stats;
    pump_stats(bench.pump, &stats);
    cr_assert_geq(stats.timers_aside, 4);
    uint64_t batches = stats.batches;
    operation_destroy(delayed(0, 0));
    wanted = 2;
    pump_bench_until(assigned_enough);
    pump_stats(bench.pump, &stats);
    cr_assert_lt(stats.batches, batches + 10, "and it is quiet afterwards");
}
