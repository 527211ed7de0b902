/* Backfills: each instant has a run, and none has two, whoever asks again and whatever crashes.
 */
#include "engine/schedules/backfill.h"

#include "schedules_bench.h"

TestSuite(backfill, .init = open_with_zones, .fini = close_with_zones);

#define HOURLY "{\"task\":\"t\",\"cron\":\"0 * * * *\"}"

/* The hours before the bench's midnight. */
static struct command *fill(int64_t id, int64_t hours, uint32_t limit, bool is_dry)
{
    struct command *command = add(COMMAND_SCHEDULE_BACKFILL);
    int64_t until_ms = bench.now_ms - bench.now_ms % DAYS(1);

    command->schedule_backfill =
        (struct schedule_backfill){ .environment = DEV,
                                    .id = id,
                                    .from_ms = until_ms - hours * MINUTES(60),
                                    .until_ms = until_ms,
                                    .limit = limit,
                                    .is_dry = is_dry,
                                    .by = SLICE("ann") };
    cr_assert(commit());
    return command;
}

Test(backfill, the_count_is_told_first)
{
    int64_t id = put("a", HOURLY);
    struct command *command = fill(id, 24, 0, true);

    cr_assert_eq(command->schedule_backfill.count, 24);
    cr_assert_eq(command->schedule_backfill.last_ms % DAYS(1), MINUTES(23 * 60));
    cr_assert_not(command->schedule_backfill.is_changed);
    advance(0);
    cr_assert_eq(runs(), 0);
}

Test(backfill, each_instant_gets_a_marked_run_that_stands_behind_others)
{
    int64_t id = put("a", HOURLY);

    fill(id, 3, 0, false);
    advance(0);

    cr_assert_eq(runs(), 3);
    cr_assert_str_eq(payload("backfill"), "true");
    cr_assert_str_eq(payload("timestamp"), "\"2027-02-28T23:00:00.000Z\"");
    cr_assert_str_eq(payload("lastTimestamp"), "\"2027-02-28T22:00:00.000Z\"");
    cr_assert(last_run()->is_backfill && last_run()->schedule == id);
    cr_assert_eq(last_run()->priority_ms, BACKFILL_PRIORITY_MS);
    cr_assert_eq(row(id)->fired, 0, "they are no ticks");
    cr_assert_eq(row(id)->last_ms, 0);
    cr_assert_eq(row(id)->backfill.size, 0);
    cr_assert_not_null(strstr(events(id), "for ann: of 3 ticks 3 got a run, 0 had one"), "%s",
                       events(id));
}

Test(backfill, asked_again_it_makes_no_second_run)
{
    int64_t id = put("a", HOURLY);

    fill(id, 3, 0, false);
    advance(0);
    for (uint32_t i = 0; i < runs(); i++)
        if (store_memory_run(bench.store, i)->status == RUN_RUNNING)
            end_fail(store_memory_run(bench.store, i)->id, false);
    fill(id, 5, 0, false);
    advance(0);

    cr_assert_eq(runs(), 5);
    cr_assert_not_null(strstr(events(id), "of 5 ticks 2 got a run, 3 had one"), "%s",
                       events(id));
}

Test(backfill, as_many_at_a_time_as_were_asked_for_and_it_goes_on_after_a_restart)
{
    int64_t id = put("a", HOURLY);

    fill(id, 4, 1, false);
    advance(0);
    cr_assert_eq(runs(), 1);
    for (uint32_t made = 1; made <= 4; made++) {
        cr_assert_eq(runs(), made);
        bench_restart(true);
        advance(0);
        end_done(last_run()->id);
        advance(0);
    }

    cr_assert_eq(runs(), 4);
    cr_assert_eq(row(id)->backfill.size, 0);
}

Test(backfill, it_goes_on_while_the_schedule_is_paused_and_beside_its_ticks)
{
    int64_t id = put("a", HOURLY);

    fill(id, 2, 1, false);
    advance(0);
    act(id, SCHEDULE_PAUSE, false);
    end_done(last_run()->id);
    advance(0);
    cr_assert_eq(runs(), 2);

    act(id, SCHEDULE_RESUME, false);
    advance(MINUTES(60));
    cr_assert_eq(runs(), 3, "overlap does not look at it");
    cr_assert_not(last_run()->is_backfill);
}

Test(backfill, another_is_refused_and_it_can_be_stopped)
{
    int64_t id = put("a", HOURLY);

    fill(id, 4, 1, false);
    advance(0);
    struct command *same = fill(id, 4, 1, false);
    cr_assert(same->err.code == ERR_OK && !same->schedule_backfill.is_changed);
    cr_assert_eq(fill(id, 5, 1, false)->err.code, ERR_NOT_NOW);

    struct command *stop = add(COMMAND_SCHEDULE_BACKFILL);
    stop->schedule_backfill =
        (struct schedule_backfill){ .environment = DEV, .id = id, .stops = true };
    cr_assert(commit());
    cr_assert(stop->schedule_backfill.is_changed);
    end_done(last_run()->id);
    advance(0);

    cr_assert_eq(runs(), 1);
    cr_assert_not_null(strstr(events(id), "stopped, from"), "%s", events(id));
}

Test(backfill, what_is_to_come_or_too_much_is_refused)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * * *\"}");

    cr_assert_eq(fill(id, 0, 1, false)->err.code, ERR_RULE);
    cr_assert_eq(fill(id, 24, 1, false)->err.code, ERR_RULE, "86400");
    cr_assert_eq(runs(), 0);
}
