/* Files of time zones: what is believed of them, and what their last line means. */
#include "schedule/zones.h"

#include "schedule/civil.h"
#include "schedule/zone_rule.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(zones, names_that_leave_the_folder_are_refused)
{
    static const char *const wrong[] = { "",   "/etc/passwd",    "../passwd", "Europe/../UTC",
                                         ".",  "Europe//Berlin", "Europe/",   "Europe/Ber lin",
                                         "a.b" };
    struct zones *zones = zones_create(NULL);
    struct err err;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_null(zones_find(zones, slice_of(wrong[i]), &err), "\"%s\"", wrong[i]);
    cr_assert_null(zones_find(zones, SLICE("Europe"), &err)); /* a folder */
    cr_assert_null(zones_find(zones, SLICE("Europe/Berln"), &err));
    cr_assert_not_null(strstr(err.text, "did you mean Europe/Berlin?"), "%s", err.text);
    zones_destroy(zones);
}

Test(zones, utc_is_there_without_any_data)
{
    struct zones *zones = zones_create("/nonexistent");
    char version[ZONES_VERSION_SIZE];
    struct err err;

    const struct zone *utc = zones_find(zones, SLICE("UTC"), &err);
    zones_version(zones, version);

    cr_assert_not_null(utc);
    cr_assert_eq(zone_span(utc, 0).offset_s, 0);
    cr_assert_eq(zone_span(utc, 0).until_s, INT64_MAX);
    cr_assert_str_eq(version, "unknown");
    zones_destroy(zones);
}

Test(zones, the_rule_of_the_last_line_holds_far_ahead)
{
    struct zones *zones = zones_create(NULL);
    struct err err;
    const struct zone *berlin = zones_find(zones, SLICE("Europe/Berlin"), &err);
    cr_assert_not_null(berlin, "%s", err.text);

    struct zone_span summer = zone_span(berlin, civil_days(2150, 7, 1) * DAY_S);
    struct zone_span winter = zone_span(berlin, civil_days(2150, 12, 1) * DAY_S);

    cr_assert_eq(summer.offset_s, 2 * HOUR_S);
    cr_assert_str_eq(summer.abbreviation, "CEST");
    cr_assert_eq(summer.from_s, civil_days(2150, 3, 29) * DAY_S + HOUR_S);
    cr_assert_eq(winter.offset_s, HOUR_S);
    zones_destroy(zones);
}

Test(zones, what_the_last_line_may_say)
{
    static const char *const wrong[] = { "",
                                         "CE-1",
                                         "CET",
                                         "CET-25",
                                         "CET-1CEST",
                                         "CET-1CEST,M3.5.0",
                                         "CET-1CEST,M13.5.0,M10.5.0",
                                         "CET-1CEST,M3.5.0,M10.5.0x",
                                         "<+03-3",
                                         "CET-1CEST,J0,J1",
                                         "CET-1CEST,M3.5.0/168,1" };
    struct zone_rule rule;
    int64_t starts_s, ends_s;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(zone_rule_read(slice_of(wrong[i]), &rule), "\"%s\"", wrong[i]);
    cr_assert(zone_rule_read(SLICE("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"), &rule));
    cr_assert_eq(rule.standard.offset_s, 37800);
    cr_assert_eq(rule.summer.offset_s, 39600);
    cr_assert(zone_rule_read(SLICE("EET-2EEST,M4.5.5/0,M10.5.4/24"), &rule));
    zone_rule_year(&rule, 2027, &starts_s, &ends_s);
    cr_assert_eq(starts_s, civil_days(2027, 4, 30) * DAY_S - 2 * HOUR_S);
    cr_assert_eq(ends_s, civil_days(2027, 10, 29) * DAY_S - 3 * HOUR_S);
    cr_assert(zone_rule_read(SLICE("AAA3BBB,J60/-1,300/167"), &rule));
    zone_rule_year(&rule, 2028, &starts_s, &ends_s);
    cr_assert_eq(starts_s, civil_days(2028, 3, 1) * DAY_S - HOUR_S + 3 * HOUR_S);
    cr_assert_eq(ends_s, (civil_days(2028, 1, 1) + 300) * DAY_S + 167 * HOUR_S + 2 * HOUR_S);
}

static size_t berlin_bytes(char *bytes, size_t room)
{
    FILE *file = fopen(ZONES_FOLDER "/Europe/Berlin", "r");

    cr_assert_not_null(file);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

Test(zones, a_file_that_is_cut_or_damaged_is_refused_or_still_a_zone)
{
    static char bytes[16384];
    size_t size = berlin_bytes(bytes, sizeof bytes);
    struct err err;

    for (size_t cut = 0; cut < size; cut++) {
        char *exact = malloc(cut + 1); /* so that reading past its end is seen */
        memcpy(exact, bytes, cut);
        cr_expect_null(zone_read((struct slice){ exact, cut }, "x", &err), "%zu bytes", cut);
        free(exact);
    }
    srand(1);
    for (int i = 0; i < 300; i++) {
        size_t at = (size_t)rand() % size;
        char was = bytes[at];
        bytes[at] = (char)rand();
        struct zone *zone = zone_read((struct slice){ bytes, size }, "x", &err);
        if (zone != NULL)
            cr_expect_lt(zone_span(zone, 0).from_s, zone_span(zone, 0).until_s);
        zone_destroy(zone);
        bytes[at] = was;
    }
}

static void read_one(void *context, struct slice name)
{
    struct err err;

    cr_expect_not_null(zones_find(context, name, &err), "%s", err.text);
}

Test(zones, all_of_the_system_are_read)
{
    struct zones *zones = zones_create(NULL);

    cr_assert(zones_list(zones, read_one, zones));
    zones_destroy(zones);
}
