#include "duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Longest spelling first, so that "ms" is not read as "m" and "hr" not as "h". */
static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    { "ms", 1 },      { "hr", 3600000 }, { "w", 604800000 }, { "d", 86400000 },
    { "h", 3600000 }, { "m", 60000 },    { "s", 1000 },
};

enum { UNIT_COUNT = sizeof units / sizeof units[0], HOUR_LONG = 1, HOUR_SHORT = 4 };

static bool digit_is(char c)
{
    return c >= '0' && c <= '9';
}

static bool unit_find(struct slice text, size_t *unit)
{
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (slice_starts(text, units[i].name)) {
            *unit = i;
            return true;
        }
    return false;
}

bool duration_parse(struct slice text, int64_t *duration_ms)
{
    int64_t total = 0;
    unsigned seen = 0;
    size_t at = 0;

    if (text.size == 0 || text.size > 100)
        return false;
    while (at < text.size) {
        int64_t number = 0;
        size_t unit, digits = at;
        while (at < text.size && digit_is(text.data[at])) {
            number = number * 10 + (text.data[at++] - '0');
            if (number > DURATION_MAX_MS)
                return false;
        }
        if (at == digits || !unit_find((struct slice){ text.data + at, text.size - at }, &unit))
            return false;
        at += strlen(units[unit].name);
        if (unit == HOUR_LONG)
            unit = HOUR_SHORT;
        if ((seen & (1u << unit)) != 0 || number > DURATION_MAX_MS / units[unit].ms)
            return false;
        seen |= 1u << unit;
        total += number * units[unit].ms;
        if (total > DURATION_MAX_MS)
            return false;
    }
    *duration_ms = total;
    return true;
}

char *duration_format(int64_t duration_ms, char text[DURATION_TEXT_SIZE])
{
    static const struct {
        char name[3];
        int64_t ms;
    } shown[] = {
        { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
    };
    size_t size = 0;

    if (duration_ms <= 0)
        return strcpy(text, "0s");
    text[0] = '\0';
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        int64_t number = duration_ms / shown[i].ms;
        duration_ms %= shown[i].ms;
        if (number > 0 && size < DURATION_TEXT_SIZE)
            size += (size_t)snprintf(text + size, DURATION_TEXT_SIZE - size, "%" PRId64 "%s",
                                     number, shown[i].name);
    }
    return text;
}

/* `count` digits at *at; moves on. */
static bool number_take(struct slice text, size_t *at, int count, int *number)
{
    *number = 0;
    if (text.size - *at < (size_t)count)
        return false;
    for (int i = 0; i < count; i++, (*at)++) {
        if (!digit_is(text.data[*at]))
            return false;
        *number = *number * 10 + (text.data[*at] - '0');
    }
    return true;
}

static bool char_take(struct slice text, size_t *at, char wanted)
{
    if (*at >= text.size || text.data[*at] != wanted)
        return false;
    (*at)++;
    return true;
}

static bool date_is_real(const struct tm *date)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = date->tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (date->tm_mon < 0 || date->tm_mon > 11 || date->tm_mday < 1)
        return false;
    return date->tm_mday <= days[date->tm_mon] &&
           (date->tm_mon != 1 || date->tm_mday < 29 || leap) && date->tm_hour < 24 &&
           date->tm_min < 60 && date->tm_sec < 61;
}

/* "Z", "+02:00", "-0530" or nothing; what it adds to local time to get UTC. */
static bool zone_take(struct slice text, size_t *at, int64_t *offset_ms)
{
    int hours, minutes;
    int64_t sign = 1;

    *offset_ms = 0;
    if (*at == text.size || char_take(text, at, 'Z') || char_take(text, at, 'z'))
        return true;
    if (char_take(text, at, '-'))
        sign = -1;
    else if (!char_take(text, at, '+'))
        return false;
    if (!number_take(text, at, 2, &hours))
        return false;
    (void)char_take(text, at, ':'); /* optional */
    if (!number_take(text, at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_ms = -sign * (hours * 60 + minutes) * 60000;
    return true;
}

/* "T03:04[:05[.678]]" */
static bool clock_take(struct slice text, size_t *at, struct tm *date, int *ms)
{
    if (!number_take(text, at, 2, &date->tm_hour) || !char_take(text, at, ':') ||
        !number_take(text, at, 2, &date->tm_min))
        return false;
    if (!char_take(text, at, ':'))
        return true;
    if (!number_take(text, at, 2, &date->tm_sec))
        return false;
    if (!char_take(text, at, '.'))
        return true;
    int scale = 100, digit;
    if (!number_take(text, at, 1, &digit))
        return false;
    do {
        *ms += digit * scale;
        scale /= 10;
    } while (*at < text.size && digit_is(text.data[*at]) && number_take(text, at, 1, &digit));
    return true;
}

bool time_parse(struct slice text, int64_t *at_ms)
{
    struct tm date = { 0 };
    size_t at = 0;
    int year, month, ms = 0;
    int64_t offset_ms = 0;

    if (text.size > 40 || !number_take(text, &at, 4, &year) || !char_take(text, &at, '-') ||
        !number_take(text, &at, 2, &month) || !char_take(text, &at, '-') ||
        !number_take(text, &at, 2, &date.tm_mday))
        return false;
    date.tm_year = year - 1900;
    date.tm_mon = month - 1;
    if (at < text.size) {
        if (!char_take(text, &at, 'T') && !char_take(text, &at, 't') &&
            !char_take(text, &at, ' '))
            return false;
        if (!clock_take(text, &at, &date, &ms) || !zone_take(text, &at, &offset_ms))
            return false;
    }
    if (at != text.size || !date_is_real(&date))
        return false;
    *at_ms = (int64_t)timegm(&date) * 1000 + ms + offset_ms;
    return true;
}

bool time_is_date(int64_t at_ms)
{
    return at_ms >= -INT64_C(62167219200000) && at_ms <= TIME_MAX_MS;
}

int64_t time_moment(int64_t at_ms)
{
    return at_ms < 0 ? 1 : at_ms;
}

int64_t time_after(int64_t at_ms, int64_t span_ms)
{
    int64_t sum_ms;

    if (__builtin_add_overflow(at_ms, span_ms, &sum_ms))
        sum_ms = span_ms < 0 ? 1 : INT64_MAX;
    return sum_ms < 1 ? 1 : sum_ms;
}

/* A run has half a dozen times: with strftime() and snprintf() they were a quarter of the work
 * of showing it. */
static void put_digits(char *text, int number, int digits, char after)
{
    text[digits] = after;
    while (digits > 0) {
        text[--digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

char *time_format(int64_t at_ms, char text[TIME_TEXT_SIZE])
{
    int64_t ms = at_ms % 1000;
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm date;

    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    if (!time_is_date(at_ms) || gmtime_r(&seconds, &date) == NULL)
        return strcpy(text, "never");
    put_digits(text, date.tm_year + 1900, 4, '-');
    put_digits(text + 5, date.tm_mon + 1, 2, '-');
    put_digits(text + 8, date.tm_mday, 2, 'T');
    put_digits(text + 11, date.tm_hour, 2, ':');
    put_digits(text + 14, date.tm_min, 2, ':');
    put_digits(text + 17, date.tm_sec, 2, '.');
    put_digits(text + 20, (int)ms, 3, 'Z');
    text[24] = '\0';
    return text;
}
