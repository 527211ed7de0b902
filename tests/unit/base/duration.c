/* Durations: "1h30m" and its nasty relatives. */
#include "base/duration.h"

#include <criterion/criterion.h>

static int64_t parsed(const char *text)
{
    int64_t ms = -1;

    cr_assert(duration_parse(slice_of(text), &ms), "\"%s\"", text);
    return ms;
}

Test(duration, each_unit_has_its_length)
{
    cr_assert_eq(parsed("250ms"), 250);
    cr_assert_eq(parsed("10s"), 10000);
    cr_assert_eq(parsed("3m"), 180000);
    cr_assert_eq(parsed("2h"), 7200000);
    cr_assert_eq(parsed("2hr"), 7200000);
    cr_assert_eq(parsed("1d"), 86400000);
    cr_assert_eq(parsed("1w"), 604800000);
    cr_assert_eq(parsed("0s"), 0);
}

Test(duration, units_add_up_in_any_order)
{
    cr_assert_eq(parsed("1h30m"), 5400000);
    cr_assert_eq(parsed("30m1h"), 5400000);
    cr_assert_eq(parsed("1w2d3h4m5s6ms"), 604800000 + 2 * 86400000 + 3 * 3600000 + 245006);
    cr_assert_eq(parsed("1m1ms"), 60001);
    cr_assert_eq(parsed("007s"), 7000);
}

Test(duration, what_is_no_duration_is_refused)
{
    static const char *const texts[] = {
        "",      "s",     "10",  "10 s",  " 10s", "10s ", "-10s", "+10s",  "1.5h",
        "1e3s",  "1h 2m", "10S", "10min", "1mo",  "1y",   "1h1h", "1h1hr", "0x10s",
        "10s,5", "10ms5", "١s",  "1h,1m", "s10",  "1hms", "1us",
    };
    int64_t ms = 42;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert_not(duration_parse(slice_of(texts[i]), &ms), "\"%s\"", texts[i]);
    cr_assert_not(duration_parse((struct slice){ NULL, 0 }, &ms));
    cr_assert_not(duration_parse((struct slice){ "1s\0", 3 }, &ms));
    cr_assert_eq(ms, 42, "a refusal leaves the result alone");
}

Test(duration, a_hundred_years_is_the_most_there_is)
{
    int64_t ms;

    cr_assert_eq(parsed("36600d"), DURATION_MAX_MS);
    cr_assert_not(duration_parse(slice_of("36600d1ms"), &ms));
    cr_assert_not(duration_parse(slice_of("36601d"), &ms));
    cr_assert_not(duration_parse(slice_of("5229w"), &ms));
    cr_assert_not(duration_parse(slice_of("99999999999999999999999999999ms"), &ms));
    cr_assert_not(duration_parse(slice_of("9223372036854775808ms"), &ms));
    cr_assert_not(duration_parse(slice_of("18446744073709551617ms"), &ms), "wraps to 1");
}

Test(duration, a_text_of_zeroes_is_bounded)
{
    char text[200];
    int64_t ms;
    memset(text, '0', sizeof text);
    text[99] = 's';
    text[150] = 's';

    cr_assert(duration_parse((struct slice){ text, 100 }, &ms));
    cr_assert_not(duration_parse((struct slice){ text, 151 }, &ms));
}

Test(duration, a_slice_is_read_only_to_its_end)
{
    int64_t ms;

    cr_assert(duration_parse((struct slice){ "10sXX", 3 }, &ms));
    cr_assert_eq(ms, 10000);
    cr_assert_not(duration_parse((struct slice){ "10ms", 2 }, &ms), "\"10\" has no unit");
    cr_assert(duration_parse((struct slice){ "10ms", 3 }, &ms));
    cr_assert_eq(ms, 600000, "\"10m\" of \"10ms\"");
}

Test(duration, format_names_only_what_is_there)
{
    char text[DURATION_TEXT_SIZE];

    cr_assert_str_eq(duration_format(0, text), "0s");
    cr_assert_str_eq(duration_format(-5, text), "0s");
    cr_assert_str_eq(duration_format(1, text), "1ms");
    cr_assert_str_eq(duration_format(5400000, text), "1h30m");
    cr_assert_str_eq(duration_format(86400000 + 1, text), "1d1ms");
    cr_assert_str_eq(duration_format(INT64_MAX, text), "106751991167d7h12m55s807ms");
}

Test(duration, what_format_writes_parse_reads)
{
    static const int64_t lengths[] = {
        1, 999, 1000, 61001, 3599999, 90061001, DURATION_MAX_MS
    };
    char text[DURATION_TEXT_SIZE];

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        cr_assert_eq(parsed(duration_format(lengths[i], text)), lengths[i]);
}

static int64_t at(const char *text)
{
    int64_t ms = -1;

    cr_assert(time_parse(slice_of(text), &ms), "\"%s\"", text);
    return ms;
}

Test(time, dates_and_times_are_read)
{
    cr_assert_eq(at("1970-01-01"), 0);
    cr_assert_eq(at("2026-01-02"), INT64_C(1767312000000));
    cr_assert_eq(at("2026-01-02T03:04"), INT64_C(1767323040000));
    cr_assert_eq(at("2026-01-02T03:04:05"), INT64_C(1767323045000));
    cr_assert_eq(at("2026-01-02T03:04:05Z"), INT64_C(1767323045000));
    cr_assert_eq(at("2026-01-02T03:04:05.678Z"), INT64_C(1767323045678));
    cr_assert_eq(at("2026-01-02t03:04:05z"), INT64_C(1767323045000));
    cr_assert_eq(at("2026-01-02 03:04:05"), INT64_C(1767323045000));
}

Test(time, fractions_are_cut_to_milliseconds)
{
    cr_assert_eq(at("1970-01-01T00:00:00.1Z"), 100);
    cr_assert_eq(at("1970-01-01T00:00:00.12Z"), 120);
    cr_assert_eq(at("1970-01-01T00:00:00.123999999Z"), 123);
}

Test(time, a_zone_is_taken_off)
{
    cr_assert_eq(at("1970-01-01T02:00:00+02:00"), 0);
    cr_assert_eq(at("1970-01-01T02:00:00+0200"), 0);
    cr_assert_eq(at("1969-12-31T18:30:00-05:30"), 0);
    cr_assert_eq(at("1970-01-01T00:00+00:00"), 0);
}

Test(time, leap_days_exist_when_they_do)
{
    int64_t ms;

    cr_assert_eq(at("2024-03-01") - at("2024-02-29"), 86400000);
    cr_assert_eq(at("2000-02-29"), INT64_C(951782400000));
    cr_assert_not(time_parse(slice_of("2026-02-29"), &ms));
    cr_assert_not(time_parse(slice_of("1900-02-29"), &ms));
}

Test(time, what_is_no_time_is_refused)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-01",
        "2026-1-02",
        "2026-01-2",
        "26-01-02",
        "2026/01/02",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "2026-04-31",
        "2026-01-02T",
        "2026-01-02T3:04",
        "2026-01-02T03",
        "2026-01-02T24:00",
        "2026-01-02T03:60",
        "2026-01-02T03:04:61",
        "2026-01-02T03:04:",
        "2026-01-02T03:04:05.",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05,5",
        "2026-01-02T03:04:05ZZ",
        "2026-01-02T03:04:05Z ",
        " 2026-01-02",
        "2026-01-02T03:04:05+2",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+02:60",
        "2026-01-02T03:04:05+",
        "2026-01-02Z",
        "+2026-01-02",
        "-2026-01-02",
        "20260-01-02",
        "2026-01-02X03:04",
        "tomorrow",
        "1767312000000",
        "2026-01-02T03:04:05.00000000000000000000000000000001Z",
    };
    int64_t ms = 42;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        cr_assert_not(time_parse(slice_of(texts[i]), &ms), "\"%s\"", texts[i]);
    cr_assert_not(time_parse((struct slice){ NULL, 0 }, &ms));
    cr_assert_eq(ms, 42, "a refusal leaves the result alone");
}

Test(time, every_cut_of_a_time_is_a_time_or_refused_but_never_read_past_its_end)
{
    static const char whole[] = "2026-01-02T03:04:05.678+02:00";
    int64_t ms;

    for (size_t size = 0; size < sizeof whole; size++) {
        char cut[sizeof whole];
        memcpy(cut, whole, size); /* so that reading past it is seen */
        bool ok = time_parse((struct slice){ cut, size }, &ms);
        bool expected =
            size == 10 || size == 16 || size == 19 || (size >= 21 && size <= 23) || size == 29;
        cr_assert_eq(ok, expected, "the first %zu characters", size);
    }
}

Test(time, format_shows_milliseconds_in_utc)
{
    char text[TIME_TEXT_SIZE];

    cr_assert_str_eq(time_format(INT64_C(1767323045678), text), "2026-01-02T03:04:05.678Z");
    cr_assert_str_eq(time_format(0, text), "1970-01-01T00:00:00.000Z");
    cr_assert_str_eq(time_format(-1, text), "1969-12-31T23:59:59.999Z");
    cr_assert_str_eq(time_format(INT64_C(253402300799999), text), "9999-12-31T23:59:59.999Z");
    cr_assert_str_eq(time_format(INT64_C(253402300800000), text), "never");
}

Test(time, what_format_writes_parse_reads)
{
    char text[TIME_TEXT_SIZE];

    for (int64_t ms = -62000000000; ms < INT64_C(4000000000000); ms += 98765432123)
        cr_assert_eq(at(time_format(ms, text)), ms);
}

Test(time, times_beyond_any_calendar_do_not_overrun_the_text)
{
    char text[TIME_TEXT_SIZE];

    cr_assert_lt(strlen(time_format(INT64_MAX, text)), TIME_TEXT_SIZE);
    cr_assert_lt(strlen(time_format(INT64_MIN, text)), TIME_TEXT_SIZE);
}
