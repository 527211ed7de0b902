/* Ticks, compared with those of ticks.txt: found in another way, by ticks_make. */
#include "base/duration.h"
#include "schedule/plan.h"
#include "schedule/zones.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct zones *zones;

static void start(void)
{
    zones = zones_create(NULL);
}

static void finish(void)
{
    zones_destroy(zones);
}

TestSuite(ticks, .init = start, .fini = finish);

static struct plan plan_of(const char *text, const char *zone, enum tick_dst dst)
{
    struct plan plan = { .dst = dst };
    struct cron_flaw flaw;
    struct err err = { 0 };

    cr_assert(cron_read(slice_of(text), &plan.cron, &flaw), "%s: column %u: %s", text,
              flaw.column, flaw.text);
    plan.zone = zones_find(zones, slice_of(zone), &err);
    cr_assert_not_null(plan.zone, "%s", err.text);
    return plan;
}

static int64_t seconds_of(const char *text)
{
    int64_t at_ms;

    cr_assert(time_parse(slice_of(text), &at_ms), "%s", text);
    return at_ms / 1000;
}

static void expect_ticks(const struct plan *plan, const char *name, int64_t after_s,
                         char *times)
{
    struct tick tick = { .at_s = after_s };
    char text[TIME_TEXT_SIZE], *rest = NULL;

    for (char *wanted = strtok_r(times, " \n", &rest); wanted != NULL;
         wanted = strtok_r(NULL, " \n", &rest)) {
        cr_assert(tick_next(&plan->cron, plan->zone, plan->dst, tick.at_s, &tick));
        time_format(tick.at_s * 1000, text);
        cr_expect_eq(tick.at_s, seconds_of(wanted), "%s: %s, not %s", name, text, wanted);
    }
}

Test(ticks, published_expressions_fire_when_they_should)
{
    FILE *file = fopen(SOURCE_DIR "/tests/unit/schedule/ticks.txt", "r");
    char line[2048];
    int count = 0;

    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *rest = NULL, name[128];
        char *text = strtok_r(line, "|", &rest), *zone = strtok_r(NULL, "| ", &rest);
        char *after = strtok_r(NULL, "| ", &rest);
        struct plan plan = plan_of(text, zone, TICK_DST_RUN);
        snprintf(name, sizeof name, "%s in %s", text, zone);
        expect_ticks(&plan, name, seconds_of(after), rest + 1);
        count++;
    }
    fclose(file);
    cr_assert_geq(count, 60);
}

static void expect(const char *text, const char *zone, enum tick_dst dst, const char *after,
                   const char *wanted)
{
    struct plan plan = plan_of(text, zone, dst);
    char times[512];

    snprintf(times, sizeof times, "%s", wanted);
    expect_ticks(&plan, text, seconds_of(after), times);
}

Test(ticks, what_is_missing_is_left_out_where_that_is_wanted)
{
    expect("30 2 * * *", "Europe/Berlin", TICK_DST_SKIP, "2027-03-27T12:00",
           "2027-03-29T00:30 2027-03-30T00:30");
    expect("30 2 * * *", "Europe/Berlin", TICK_DST_SKIP, "2027-10-30T12:00",
           "2027-10-31T00:30 2027-11-01T01:30");
    expect("30 * * * *", "Europe/Berlin", TICK_DST_SKIP, "2027-10-31T00:00",
           "2027-10-31T00:30 2027-10-31T02:30");
}

Test(ticks, what_comes_twice_fires_twice_where_that_is_wanted)
{
    expect("30 2 * * *", "Europe/Berlin", TICK_DST_TWICE, "2027-10-30T12:00",
           "2027-10-31T00:30 2027-10-31T01:30 2027-11-01T01:30");
    expect("30 2 * * *", "Europe/Berlin", TICK_DST_TWICE, "2027-03-27T12:00",
           "2027-03-28T01:00 2027-03-29T00:30");
}

Test(ticks, the_second_of_two_says_that_it_is)
{
    struct plan plan = plan_of("30 * * * *", "Europe/Berlin", TICK_DST_RUN);
    struct tick first, second;
    char why[PLAN_WHY_SIZE];

    cr_assert(
        tick_next(&plan.cron, plan.zone, plan.dst, seconds_of("2027-10-31T00:00"), &first));
    cr_assert(tick_next(&plan.cron, plan.zone, plan.dst, first.at_s, &second));

    cr_assert_eq(first.nominal_s, second.nominal_s);
    cr_assert_eq(first.occurrence, 1);
    cr_assert_eq(second.occurrence, 2);
    cr_assert_str_eq(plan_why(&plan, &second, why),
                     "02:30 comes twice that day: this is the second, and it fires in both");
}

Test(ticks, a_missing_time_fires_at_the_end_of_the_gap_and_says_so)
{
    struct plan plan = plan_of("30 2 * * *", "Europe/Berlin", TICK_DST_RUN);
    struct tick tick;
    char text[CIVIL_TEXT_SIZE], why[PLAN_WHY_SIZE];

    cr_assert(
        tick_next(&plan.cron, plan.zone, plan.dst, seconds_of("2027-03-27T12:00"), &tick));

    cr_assert_str_eq(plan_local(&tick, text), "2027-03-28T03:00:00+02:00");
    cr_assert_str_eq(civil_format(tick.nominal_s, 'T', text), "2027-03-28T02:30:00");
    cr_assert_str_eq(
        plan_why(&plan, &tick, why),
        "there is no 02:30 that day: clocks go from 02:00 to 03:00, and it fires then");
}

Test(ticks, what_never_fires_is_refused)
{
    static const char *const never[] = { "0 0 30 2 *", "0 0 31 4,6,9,11 *",
                                         "0 0 0 1 1 ? 2020" };
    struct tick tick;
    struct err err;

    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        struct plan plan = plan_of(never[i], "UTC", TICK_DST_RUN);
        cr_expect_not(
            plan_fires(&plan, slice_of(never[i]), seconds_of("2027-01-01"), &tick, &err), "%s",
            never[i]);
        cr_expect_eq(err.code, ERR_RULE);
    }
    struct plan plan = plan_of("0 0 29 2 *", "UTC", TICK_DST_RUN);
    cr_assert(plan_fires(&plan, SLICE("0 0 29 2 *"), seconds_of("2097-01-01"), &tick, &err));
    cr_assert_eq(tick.at_s, seconds_of("2104-02-29"));
}

Test(ticks, every_counts_from_1970_whatever_the_clocks_do)
{
    expect("@every 90s", "Europe/Berlin", TICK_DST_RUN, "1970-01-01T00:00",
           "1970-01-01T00:01:30 1970-01-01T00:03:00");
    expect("@every 1h+10m", "Europe/Berlin", TICK_DST_RUN, "2027-03-28T00:00",
           "2027-03-28T00:10 2027-03-28T01:10 2027-03-28T02:10");
}

Test(ticks, both_kinds_of_days_together_where_that_is_wanted)
{
    struct plan plan = plan_of("0 0 13 * 5", "UTC", TICK_DST_RUN);
    char times[] = "2027-08-13T00:00 2028-10-13T00:00";

    plan.cron.both_days = true;

    expect_ticks(&plan, "Friday the 13th", seconds_of("2027-01-01"), times);
}
