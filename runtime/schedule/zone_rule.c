/* The grammar is POSIX's for TZ, with hours from -167 to 167 (RFC 9636, 3.3.1). */
#include "schedule/zone_rule.h"

#include "schedule/civil.h"

#include <string.h>

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take(struct slice *text, char wanted)
{
    if (text->size == 0 || text->data[0] != wanted)
        return false;
    text->data++;
    text->size--;
    return true;
}

static bool take_number(struct slice *text, int32_t least, int32_t most, int32_t *number)
{
    size_t digits = 0;

    *number = 0;
    while (digits < text->size && is_digit(text->data[digits]) && digits < 4)
        *number = *number * 10 + (text->data[digits++] - '0');
    text->data += digits;
    text->size -= digits;
    return digits > 0 && *number >= least && *number <= most;
}

static bool take_name(struct slice *text, char name[ZONE_ABBREVIATION_SIZE])
{
    bool is_quoted = take(text, '<');
    size_t size = 0;

    while (size < text->size &&
           (is_letter(text->data[size]) ||
            (is_quoted && (is_digit(text->data[size]) || text->data[size] == '+' ||
                           text->data[size] == '-'))))
        size++;
    if (size < 3 || size >= ZONE_ABBREVIATION_SIZE)
        return false;
    memcpy(name, text->data, size);
    name[size] = '\0';
    text->data += size;
    text->size -= size;
    return !is_quoted || take(text, '>');
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct slice *text, int32_t hours_most, int32_t *time_s)
{
    bool is_negative = take(text, '-');
    int32_t hours, minutes = 0, seconds = 0;

    if (!is_negative)
        (void)take(text, '+'); /* it may be there */
    if (!take_number(text, 0, hours_most, &hours))
        return false;
    if (take(text, ':')) {
        if (!take_number(text, 0, 59, &minutes))
            return false;
        if (take(text, ':') && !take_number(text, 0, 59, &seconds))
            return false;
    }
    *time_s = (hours * HOUR_S + minutes * MINUTE_S + seconds) * (is_negative ? -1 : 1);
    return true;
}

static bool take_day(struct slice *text, struct zone_day *day)
{
    *day = (struct zone_day){ .kind = 'n', .time_s = 2 * HOUR_S };
    if (take(text, 'M')) {
        day->kind = 'M';
        if (!take_number(text, 1, 12, &day->month) || !take(text, '.') ||
            !take_number(text, 1, 5, &day->week) || !take(text, '.') ||
            !take_number(text, 0, 6, &day->day))
            return false;
    } else if (take(text, 'J')) {
        day->kind = 'J';
        if (!take_number(text, 1, 365, &day->day))
            return false;
    } else if (!take_number(text, 0, 365, &day->day)) {
        return false;
    }
    return !take(text, '/') || take_time(text, 167, &day->time_s);
}

bool zone_rule_read(struct slice text, struct zone_rule *rule)
{
    int32_t west_s;

    *rule = (struct zone_rule){ 0 };
    if (!take_name(&text, rule->standard.abbreviation) || !take_time(&text, 24, &west_s))
        return false;
    rule->standard.offset_s = -west_s;
    if (text.size == 0)
        return true;
    rule->sets_clocks = true;
    if (!take_name(&text, rule->summer.abbreviation))
        return false;
    rule->summer.offset_s = rule->standard.offset_s + HOUR_S;
    if (text.size > 0 && text.data[0] != ',') {
        if (!take_time(&text, 24, &west_s))
            return false;
        rule->summer.offset_s = -west_s;
    }
    return take(&text, ',') && take_day(&text, &rule->starts) && take(&text, ',') &&
           take_day(&text, &rule->ends) && text.size == 0;
}

static int64_t local_of(const struct zone_day *day, int32_t year)
{
    int64_t days = civil_days(year, 1, 1) + day->day;

    if (day->kind == 'J') {
        /* Day 60 is the first of March, in each year. */
        days += day->day >= 60 && civil_month_days(year, 2) == 29 ? 0 : -1;
    } else if (day->kind == 'M') {
        int64_t first = civil_days(year, day->month, 1);
        int32_t to_weekday = (day->day - civil_weekday(first) + 7) % 7;
        int32_t of_month = 1 + to_weekday + (day->week - 1) * 7;
        days = first - 1 +
               (of_month > civil_month_days(year, day->month) ? of_month - 7 : of_month);
    }
    return days * DAY_S + day->time_s;
}

void zone_rule_year(const struct zone_rule *rule, int32_t year, int64_t *starts_s,
                    int64_t *ends_s)
{
    *starts_s = local_of(&rule->starts, year) - rule->standard.offset_s;
    *ends_s = local_of(&rule->ends, year) - rule->summer.offset_s;
}
