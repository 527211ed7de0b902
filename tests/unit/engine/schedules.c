/* Schedules: a tick makes one run, whatever crashes, whoever sets the clock, and whatever runs.
 */
#include "schedules_bench.h"

TestSuite(schedules, .init = open_with_zones, .fini = close_with_zones);

Test(schedules, a_tick_makes_one_run_and_tells_it_when_it_is)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"zone\":\"Europe/Berlin\","
                          "\"external_id\":\"x\"}");

    cr_assert_eq(runs(), 0);
    advance(SECONDS(30));
    cr_assert_eq(runs(), 1);
    advance(0);
    cr_assert_eq(runs(), 1);

    cr_assert_eq(row(id)->fired, 1);
    cr_assert_eq(row(id)->next_ms, bench.now_ms + MINUTES(1));
    cr_assert_str_eq(payload("timestamp"), "\"2027-03-01T00:01:00.000Z\"");
    cr_assert_str_eq(payload("local"), "\"2027-03-01T01:01:00\"");
    cr_assert_str_eq(payload("externalId"), "\"x\"");
    cr_assert_str_eq(payload("missed"), "0");
    cr_assert_str_eq(payload("late"), "false");
    cr_assert_str_eq(payload("lastTimestamp"), "none");
    cr_assert_not_null(strstr(payload("upcoming"), "00:06:00"), "%s", payload("upcoming"));
}

Test(schedules, a_clock_that_is_set_back_fires_nothing_again)
{
    put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"overlap\":\"allow\"}");
    for (int i = 0; i < 3; i++)
        advance(MINUTES(1));
    cr_assert_eq(runs(), 3);

    bench.now_ms -= MINUTES(10);
    for (int i = 0; i < 10; i++)
        advance(MINUTES(1));

    cr_assert_eq(runs(), 3);
    advance(MINUTES(1));
    cr_assert_eq(runs(), 4);
}

Test(schedules, a_restart_neither_loses_nor_doubles_a_tick)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"overlap\":\"allow\"}");

    for (int i = 0; i < 5; i++) {
        advance(MINUTES(1));
        bench_restart(true);
        advance(0);
    }

    cr_assert_eq(runs(), 5);
    cr_assert_eq(row(id)->missed, 0);
}

Test(schedules, nothing_fires_before_the_catalog_is_there)
{
    put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\"}");
    bench_restart(false);
    advance(MINUTES(1));
    cr_assert_eq(runs(), 0);

    bench_catalog();
    advance(SECONDS(1));

    cr_assert_eq(runs(), 1);
    cr_assert_str_eq(payload("timestamp"), "\"2027-03-01T00:01:00.000Z\"");
}

Test(schedules, of_what_was_missed_the_last_is_made_up_for)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"0 * * * *\"}");

    advance(MINUTES(330));

    cr_assert_eq(runs(), 1);
    cr_assert_eq(row(id)->missed, 4);
    cr_assert_str_eq(payload("timestamp"), "\"2027-03-01T05:00:00.000Z\"");
    cr_assert_str_eq(payload("missed"), "4");
    cr_assert_str_eq(payload("late"), "true");
    cr_assert_not_null(strstr(events(id), "4, from 2027-03-01T01:00:00.000Z to "
                                          "2027-03-01T04:00:00.000Z: nobody was there"),
                       "%s", events(id));
}

Test(schedules, nothing_or_all_of_what_was_missed_is_made_up_for)
{
    int64_t none = put("none", "{\"task\":\"t\",\"cron\":\"0 * * * *\",\"missed\":\"none\"}");
    int64_t all =
        put("all", "{\"task\":\"t\",\"cron\":\"0 * * * *\",\"missed\":\"all\","
                   "\"overlap\":\"allow\",\"missed_within\":\"10h\",\"missed_max\":3}");

    advance(MINUTES(330));

    cr_assert_eq(row(none)->fired, 0);
    cr_assert_eq(row(none)->missed, 5);
    cr_assert_eq(row(all)->fired, 3);
    cr_assert_eq(row(all)->missed, 2);
    cr_assert_eq(runs(), 3);
}

Test(schedules, a_year_of_seconds_is_passed_by_at_once)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * * *\"}");

    advance(DAYS(365));

    cr_assert_eq(runs(), 1);
    cr_assert_eq(row(id)->missed, 10000);
    cr_assert_eq(row(id)->last_ms, bench.now_ms);
}

Test(schedules, a_tick_that_meets_its_run_before_is_skipped_and_counted)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\"}");

    advance(MINUTES(1));
    advance(MINUTES(1));
    cr_assert_eq(runs(), 1);
    cr_assert_eq(row(id)->skipped, 1);
    cr_assert_not_null(strstr(events(id), "its run before is not over"));

    end_done(last_run()->id);
    advance(MINUTES(1));
    cr_assert_eq(runs(), 2);
}

Test(schedules, a_tick_that_waits_fires_when_its_run_before_is_over)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"overlap\":\"queue_one\"}");

    advance(MINUTES(1));
    int64_t first = last_run()->id;
    advance(MINUTES(1));
    advance(MINUTES(1));
    cr_assert_eq(runs(), 1);
    cr_assert_eq(row(id)->skipped, 1, "one may wait");

    end_done(first);
    advance(0);

    cr_assert_eq(runs(), 2);
    cr_assert_str_eq(payload("timestamp"), "\"2027-03-01T00:02:00.000Z\"");
    cr_assert_eq(row(id)->waiting.size, 0);
    cr_assert_eq(row(id)->next_ms, bench.now_ms - bench.now_ms % MINUTES(1) + MINUTES(1));
}

Test(schedules, a_tick_that_waits_fires_then_also_where_the_clock_is_set_back)
{
    put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"overlap\":\"queue_one\"}");

    advance(MINUTES(1));
    int64_t first = last_run()->id;
    advance(MINUTES(1));
    bench.look_for_due = false;
    end_done(first);
    bench.look_for_due = true;
    bench.now_ms -= MINUTES(30);
    bench.lag_ms += MINUTES(30);
    advance(0);

    cr_assert_eq(runs(), 2);
}

Test(schedules, the_run_before_is_canceled_where_that_is_wanted)
{
    put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"overlap\":\"cancel_running\"}");

    advance(MINUTES(1));
    int64_t first = last_run()->id;
    advance(MINUTES(1));

    cr_assert_eq(runs(), 2);
    cr_assert_eq(run_of(first)->outcome, OUTCOME_CANCELED);
}

Test(schedules, a_tick_that_is_refused_cancels_nobody)
{
    int64_t id =
        put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"overlap\":\"cancel_running\"}");

    advance(MINUTES(1));
    int64_t first = last_run()->id;
    bench.tasks[0].schema = bench_schema("input: { type: object, required: [n] }");
    bench_catalog();
    advance(MINUTES(1));

    cr_assert_eq(row(id)->refused, 1);
    cr_assert_eq(run_of(first)->status, RUN_RUNNING);
    advance(MINUTES(1));
    cr_assert_eq(row(id)->refused, 2);
}

Test(schedules, it_pauses_after_failures_in_a_row)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\",\"pause_after\":2}");

    for (int i = 0; i < 4; i++) {
        advance(MINUTES(1));
        if (row(id)->active)
            end_fail(last_run()->id, false);
    }

    cr_assert_eq(runs(), 2);
    cr_assert_not(row(id)->active);
    cr_assert_not_null(strstr(events(id), "2 runs in a row have failed"), "%s", events(id));
}

Test(schedules, paused_time_is_no_downtime)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"0 * * * *\",\"missed\":\"all\"}");

    act(id, SCHEDULE_PAUSE, false);
    advance(MINUTES(600));
    cr_assert_eq(runs(), 0);
    act(id, SCHEDULE_RESUME, false);
    advance(0);

    cr_assert_eq(runs(), 0);
    cr_assert_eq(row(id)->missed, 0);
    advance(MINUTES(60));
    cr_assert_eq(runs(), 1);
}

Test(schedules, run_now_obeys_overlap_unless_it_is_forced)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"0 * * * *\"}");

    cr_assert_eq(act(id, SCHEDULE_RUN, false)->err.code, ERR_OK);
    cr_assert_str_eq(payload("manual"), "true");
    advance(SECONDS(1));
    cr_assert_eq(act(id, SCHEDULE_RUN, false)->err.code, ERR_NOT_NOW);
    cr_assert_eq(act(id, SCHEDULE_RUN, true)->err.code, ERR_OK);

    cr_assert_eq(runs(), 2);
    cr_assert_eq(row(id)->last_ms, 0, "it is no tick");
}

Test(schedules, an_edited_expression_counts_from_now)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"0 12 * * *\"}");

    bench.now_ms += MINUTES(600);
    cr_assert_eq(put("a", "{\"task\":\"t\",\"cron\":\"0 * * * *\"}"), id);

    cr_assert_eq(row(id)->next_ms, bench.now_ms - bench.now_ms % MINUTES(60) + MINUTES(60));
    advance(0);
    cr_assert_eq(runs(), 0);
}

Test(schedules, starts_ends_dates_left_out_and_a_most_of_fires)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"0 12 * * *\",\"starts\":\"2027-03-02\","
                          "\"except\":[\"2027-03-03\"],\"fires_max\":2,\"overlap\":\"allow\"}");
    int64_t ends = put("b", "{\"task\":\"t\",\"cron\":\"0 12 * * *\",\"ends\":\"2027-03-02\"}");

    for (int i = 0; i < 6; i++)
        advance(DAYS(1));

    cr_assert_eq(row(id)->fired, 2);
    cr_assert_not(row(id)->active);
    cr_assert_eq(row(ends)->fired, 1);
    cr_assert_not(row(ends)->active);
    cr_assert_str_eq(payload("timestamp"), "\"2027-03-04T12:00:00.000Z\"");
}

Test(schedules, spread_and_jitter_come_later_and_are_not_late)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"0 * * * *\",\"spread\":\"30m\","
                          "\"jitter\":\"10m\",\"overlap\":\"allow\"}");
    int64_t due = row(id)->due_ms;

    cr_assert(due >= row(id)->next_ms && due <= row(id)->next_ms + MINUTES(40));
    bench.now_ms = due - 1;
    advance(0);
    cr_assert_eq(runs(), 0);
    advance(1);
    cr_assert_eq(runs(), 1);
    cr_assert_str_eq(payload("timestamp"), "\"2027-03-01T01:00:00.000Z\"");
    cr_assert_str_eq(payload("late"), "false");
}

Test(schedules, a_task_that_refuses_it_is_an_event)
{
    bench.tasks[0].schema = bench_schema("input: { type: object, required: [n] }");
    bench_catalog();
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\"}");

    advance(MINUTES(1));

    cr_assert_eq(runs(), 0);
    cr_assert_eq(row(id)->refused, 1);
    cr_assert_not_null(strstr(events(id), "does not match its schema"), "%s", events(id));
    cr_assert_gt(row(id)->next_ms, bench.now_ms);
}

Test(schedules, those_of_the_file_are_made_changed_and_forgotten)
{
    bench.schedules[0] =
        (struct catalog_schedule){ DEV, SLICE("file"),
                                   rules_of("{\"task\":\"t\",\"cron\":\"* * * * *\"}") };
    bench_catalog();
    cr_assert_eq(store_memory_count(bench.store, ROW_SCHEDULE), 1);
    int64_t id = ((const struct schedule *)store_memory_at(bench.store, ROW_SCHEDULE, 0))->id;
    cr_assert(row(id)->is_declared && row(id)->active);
    struct command *command = act(id, SCHEDULE_DELETE, false);
    cr_assert_eq(command->err.code, ERR_RULE);
    cr_assert_not_null(strstr(command->err.text, "schedules.yaml"));

    bench.schedules[0].rules = rules_of("{\"task\":\"t\",\"cron\":\"0 12 * * *\"}");
    bench_catalog();
    cr_assert_eq(row(id)->next_ms % DAYS(1), MINUTES(720));
    advance(MINUTES(720));
    cr_assert_eq(runs(), 1);

    bench.schedules[0].name = (struct slice){ 0 };
    bench_catalog();
    advance(DAYS(1));
    cr_assert_eq(runs(), 1);
    cr_assert_null(row(id));
}

Test(schedules, other_zone_data_moves_the_next_tick)
{
    int64_t id =
        put("a", "{\"task\":\"t\",\"cron\":\"0 12 * * *\",\"zone\":\"Europe/Berlin\"}");
    struct zones *none = zones_create("/nonexistent");
    struct zone_source other = zones_source(none);

    cr_assert_eq(row(id)->next_ms % DAYS(1), MINUTES(660));
    other.context = bench.zones;
    other.find = zones_source(bench.zones).find;
    engine_zones(bench.engine, &other);
    struct command *command = add(COMMAND_SCHEDULES_REVIEW);
    rows_ids_add(bench_arena(), &command->schedules_review.ids, id);
    cr_assert(commit());

    cr_assert_eq(command->schedules_review.moved.count, 0, "it is the same instant");
    cr_assert(slice_is(row(id)->zone_data, "unknown"));
    zones_destroy(none);
}

/* What failed, too: its key stays its own. */
Test(schedules, no_clock_and_no_edit_makes_a_tick_twice)
{
    int64_t id = put("a", "{\"task\":\"t\",\"cron\":\"* * * * *\"}");

    for (int i = 0; i < 3; i++) {
        advance(MINUTES(1));
        end_fail(last_run()->id, false);
    }
    bench.now_ms -= MINUTES(10);
    act(id, SCHEDULE_PAUSE, false);
    act(id, SCHEDULE_RESUME, false);
    put("a", "{\"task\":\"t\",\"cron\":\"0/30 * * * * *\"}");
    for (int i = 0; i < 9; i++)
        advance(MINUTES(1));

    cr_assert_eq(runs(), 3);
    cr_assert_gt(row(id)->next_ms, row(id)->last_ms);
    advance(MINUTES(1));
    cr_assert_eq(runs(), 4);
}

Test(schedules, a_spread_may_follow_the_time_between_two_ticks)
{
    int64_t hour = put("a", "{\"task\":\"t\",\"cron\":\"0 * * * *\",\"spread_percent\":50}");
    int64_t due = row(hour)->due_ms - row(hour)->next_ms;

    cr_assert(due > 0 && due <= MINUTES(30), "%lld", (long long)due);
    advance(MINUTES(59) + SECONDS(30));
    cr_assert_eq(runs(), 0);
    advance(due);
    cr_assert_eq(runs(), 1);
    cr_assert_eq(row(hour)->due_ms - row(hour)->next_ms, due, "it is always the same");
}
