/* Cron expressions: what is refused, where, and what is said. */
#include "schedule/cron.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(cron, what_is_wrong_is_told_with_its_column)
{
    static const struct {
        const char *text;
        uint32_t column;
        const char *says;
    } wrong[] = {
        { "", 1, "0 of 5 fields" },
        { "* * * *", 8, "4 of 5 fields" },
        { "* * * * * * * *", 15, "has 5 fields" },
        { "60 * * * *", 1, "the minute 60 is not in 0 to 59" },
        { "0 24 * * *", 3, "the hour 24 is not in 0 to 23" },
        { "0 0 0 * *", 5, "the day of the month 0 is not in 1 to 31" },
        { "0 0 * 13 *", 7, "the month 13 is not in 1 to 12" },
        { "0 0 * * 8", 9, "the weekday 8 is not in 0 to 7" },
        { "0 0 * * MONDAY", 9, "write SUN to SAT" },
        { "0 0 * JANE *", 7, "write JAN to DEC" },
        { "0 9-5 * * *", 3, "write 9-23,0-5" },
        { "0 0 * * FRI-MON", 9, "write 5-6,0-1" },
        { "*/0 * * * *", 3, "the step 0 is not in 1 to 59" },
        { "1,,2 * * * *", 3, "a minute is wanted" },
        { "1-2-3 * * * *", 4, "not understood in the minute" },
        { "H * * * *", 1, "a minute is wanted" },
        { "0 0 L-31 * *", 7, "not in 1 to 30" },
        { "0 0 * * 5#6", 11, "not in 1 to 5" },
        { "0 0 0 1 1 ? 1969", 13, "not in 1970 to 2199" },
        { "@dayly", 1, "@daily" },
        { "@every", 1, "@every 90s" },
        { "@every 1500ms", 8, "whole seconds" },
        { "@every 1m+2m", 11, "less than what is before" },
        { "0 0 \x01 * *", 5, "0x01 where a day of the month" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct cron cron;
        struct cron_flaw flaw = { 0 };
        cr_expect_not(cron_read(slice_of(wrong[i].text), &cron, &flaw), "%s", wrong[i].text);
        cr_expect_eq(flaw.column, wrong[i].column, "%s: column %u", wrong[i].text, flaw.column);
        cr_expect_not_null(strstr(flaw.text, wrong[i].says), "%s: %s", wrong[i].text,
                           flaw.text);
    }
}

Test(cron, a_step_that_does_not_divide_is_warned_of)
{
    struct cron_flaw warning;

    cr_assert_not(cron_warning(SLICE("*/15 */6 * * *"), 0, &warning));
    cr_assert(cron_warning(SLICE("*/7 */5 * * *"), 0, &warning));
    cr_assert_str_eq(warning.text,
                     "a step of 7 does not divide 60: the last one before each new "
                     "hour comes after 4, not after 7");
    cr_assert(cron_warning(SLICE("*/7 */5 * * *"), 1, &warning));
    cr_assert_eq(warning.column, 7);
    cr_assert_not(cron_warning(SLICE("*/7 */5 * * *"), 2, &warning));
}

Test(cron, names_are_as_good_as_numbers)
{
    struct cron a, b;
    struct cron_flaw flaw;

    cr_assert(cron_read(SLICE("0 0 * JAN-mar,DEC FRI-SUN"), &a, &flaw));
    cr_assert(cron_read(SLICE("0 0 * 1-3,12 0,5,6"), &b, &flaw));

    cr_assert_eq(a.months, b.months);
    cr_assert_eq(a.weekdays, b.weekdays);
    cr_assert(cron_read(SLICE("0 0 * * friL"), &a, &flaw));
    cr_assert_eq(a.weekdays_last, 1u << 5);
}

Test(cron, the_workday_nearest_stays_in_its_month)
{
    struct cron cron;
    struct cron_flaw flaw;

    cr_assert(cron_read(SLICE("0 0 1W,30W * *"), &cron, &flaw));

    cr_assert(cron_has_day(&cron, 2027, 5, 3)); /* 1 May is a Saturday */
    cr_assert_not(cron_has_day(&cron, 2027, 4, 29));
    cr_assert(cron_has_day(&cron, 2027, 4, 30));
    cr_assert(cron_has_day(&cron, 2027, 5, 31));  /* 30 May is a Sunday */
    cr_assert(cron_has_day(&cron, 2027, 10, 29)); /* 30 October is a Saturday */
}
