#include "schedule/cron.h"

#include "base/duration.h"
#include "schedule/civil.h"
#include "schedule/cron_field.h"

#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool named_read(struct cron_text *text, size_t at)
{
    static const struct {
        const char *name, *fields;
    } named[] = {
        { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
        { "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },    { "@midnight", "0 0 * * *" },
        { "@hourly", "0 * * * *" },
    };
    struct slice word = { text->text.data + at, text->text.size - at };

    while (word.size > 0 && is_blank(word.data[word.size - 1]))
        word.size--;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (word.size == strlen(named[i].name) &&
            strncasecmp(word.data, named[i].name, word.size) == 0)
            return cron_read(slice_of(named[i].fields), text->cron, text->flaw);
    return cron_flaw_set(text, at,
                         "\"%.*s\" is not known; there are @yearly, @monthly, @weekly, "
                         "@daily, @hourly and @every 90s",
                         word.size > 20 ? 20 : (int)word.size, word.data);
}

/* "@every 90s", "@every 1h+10m": multiples of the first since 1970, and the second after them.
 */
static bool every_read(struct cron_text *text, size_t at)
{
    struct slice rest = { text->text.data + at, text->text.size - at };
    int64_t every_ms, phase_ms = 0;

    while (rest.size > 0 && is_blank(rest.data[0])) {
        rest.data++;
        rest.size--;
        at++;
    }
    while (rest.size > 0 && is_blank(rest.data[rest.size - 1]))
        rest.size--;
    const char *plus = rest.size == 0 ? NULL : memchr(rest.data, '+', rest.size);
    struct slice every = { rest.data, plus == NULL ? rest.size : (size_t)(plus - rest.data) };
    if (!duration_parse(every, &every_ms) || every_ms < 1000 || every_ms % 1000 != 0)
        return cron_flaw_set(text, at,
                             "@every takes whole seconds, at least one: 90s, 15m, 1h30m");
    if (plus != NULL) {
        struct slice phase = { plus + 1, rest.size - every.size - 1 };
        if (!duration_parse(phase, &phase_ms) || phase_ms % 1000 != 0 || phase_ms >= every_ms)
            return cron_flaw_set(
                text, at + every.size + 1,
                "after + stands by how much later each tick is: whole seconds, "
                "and less than what is before the +");
    }
    text->cron->every_s = every_ms / 1000;
    text->cron->phase_s = phase_ms / 1000;
    text->cron->open_hour = true;
    return true;
}

struct word {
    size_t at, end;
};

static bool fields_read(struct cron_text *text)
{
    static const enum cron_field_kind order[] = { CRON_SECOND, CRON_MINUTE, CRON_HOUR,
                                                  CRON_DAY,    CRON_MONTH,  CRON_WEEKDAY,
                                                  CRON_YEAR };
    struct word words[CRON_FIELD_COUNT];
    struct cron *cron = text->cron;
    uint32_t count = 0;
    size_t at = 0;

    for (;;) {
        while (at < text->text.size && is_blank(text->text.data[at]))
            at++;
        if (at == text->text.size)
            break;
        if (count == CRON_FIELD_COUNT)
            return cron_flaw_set(text, at,
                                 "a cron expression has 5 fields (minute hour day month "
                                 "weekday), 6 with seconds first, 7 with the year last");
        words[count].at = at;
        while (at < text->text.size && !is_blank(text->text.data[at]))
            at++;
        words[count++].end = at;
    }
    if (count < 5)
        return cron_flaw_set(text, at,
                             "%u of 5 fields: minute, hour, day of the month, month, "
                             "weekday; every day at half past two is \"30 2 * * *\"",
                             count);
    if (count == 5)
        cron->seconds = 1;
    cron->any_year = count < 7;
    for (uint32_t i = 0; i < count; i++) {
        text->at = words[i].at;
        text->end = words[i].end;
        if (!cron_field_read(text, order[count == 5 ? i + 1 : i]))
            return false;
    }
    if (cron->hours == (1u << 24) - 1)
        cron->open_hour = true;
    return true;
}

static bool text_read(struct cron_text *text)
{
    size_t at = 0;

    *text->cron = (struct cron){ 0 };
    if (text->text.size > CRON_TEXT_MAX)
        return cron_flaw_set(text, CRON_TEXT_MAX, "a cron expression has at most %d characters",
                             CRON_TEXT_MAX);
    while (at < text->text.size && is_blank(text->text.data[at]))
        at++;
    if (at == text->text.size || text->text.data[at] != '@')
        return fields_read(text);
    struct slice word = { text->text.data + at, text->text.size - at };
    if (word.size > 6 && strncasecmp(word.data, "@every", 6) == 0 && is_blank(word.data[6]))
        return every_read(text, at + 6);
    return named_read(text, at);
}

bool cron_read(struct slice text, struct cron *cron, struct cron_flaw *flaw)
{
    struct cron_text reading = { .text = text, .cron = cron, .flaw = flaw };
    return text_read(&reading);
}

bool cron_warning(struct slice text, uint32_t index, struct cron_flaw *warning)
{
    struct cron cron;
    struct cron_text reading = {
        .text = text, .cron = &cron, .flaw = warning, .warns = true, .warnings_left = index
    };
    return !text_read(&reading);
}

/* The workday nearest to a day, in the same month. */
static int32_t workday_near(int32_t year, int32_t month, int32_t day)
{
    int32_t last = civil_month_days(year, month);
    int32_t weekday = civil_weekday(civil_days(year, month, day));

    if (weekday == 6)
        return day > 1 ? day - 1 : day + 2;
    if (weekday == 0)
        return day < last ? day + 1 : day - 2;
    return day;
}

static bool has_month_day(const struct cron *cron, int32_t year, int32_t month, int32_t day)
{
    int32_t last = civil_month_days(year, month);

    if ((cron->days >> day & 1) != 0 || (cron->days_before_last >> (last - day) & 1) != 0)
        return true;
    if (cron->last_worked && workday_near(year, month, last) == day)
        return true;
    for (int32_t near = day - 2; cron->days_worked != 0 && near <= day + 2; near++)
        if (near >= 1 && near <= last && (cron->days_worked >> near & 1) != 0 &&
            workday_near(year, month, near) == day)
            return true;
    return false;
}

static bool has_weekday(const struct cron *cron, int32_t year, int32_t month, int32_t day)
{
    int32_t weekday = civil_weekday(civil_days(year, month, day));

    return (cron->weekdays >> weekday & 1) != 0 ||
           (cron->weekdays_nth[(day - 1) / 7 + 1] >> weekday & 1) != 0 ||
           ((cron->weekdays_last >> weekday & 1) != 0 &&
            day + 7 > civil_month_days(year, month));
}

bool cron_has_day(const struct cron *cron, int32_t year, int32_t month, int32_t day)
{
    if ((cron->months >> month & 1) == 0)
        return false;
    bool is_either = !cron->both_days && !cron->any_day && !cron->any_weekday;
    bool has_day = has_month_day(cron, year, month, day);
    if (is_either == has_day)
        return has_day; /* one is enough and it is one; or both are wanted and it is none */
    return has_weekday(cron, year, month, day);
}

static bool has_year(const struct cron *cron, int32_t year)
{
    int32_t index = year - CRON_YEAR_FIRST;

    if (cron->any_year)
        return true;
    return index >= 0 && year <= CRON_YEAR_LAST &&
           (cron->years[index / 64] >> index % 64 & 1) != 0;
}

/* The first number of the set that is not below `from`; -1: none. */
static int32_t set_next(uint64_t set, int32_t from)
{
    if (from > 63 || (set >> from) == 0)
        return -1;
    return from + __builtin_ctzll(set >> from);
}

/* The first time of day that is not before the given one. */
static bool time_next(const struct cron *cron, const struct civil *from, int64_t *time_s)
{
    for (int32_t hour = set_next(cron->hours, from->hour); hour >= 0;
         hour = set_next(cron->hours, hour + 1)) {
        bool is_same_hour = hour == from->hour;
        int32_t minute = set_next(cron->minutes, is_same_hour ? from->minute : 0);
        for (; minute >= 0; minute = set_next(cron->minutes, minute + 1)) {
            bool is_same = is_same_hour && minute == from->minute;
            int32_t second = set_next(cron->seconds, is_same ? from->second : 0);
            if (second >= 0) {
                *time_s = hour * HOUR_S + minute * MINUTE_S + second;
                return true;
            }
        }
    }
    return false;
}

static bool every_next(const struct cron *cron, int64_t from_s, int64_t *at_s)
{
    int64_t over = (from_s - cron->phase_s) % cron->every_s;

    *at_s = over == 0 ? from_s : from_s - over + (over > 0 ? cron->every_s : 0);
    return true;
}

bool cron_next(const struct cron *cron, int64_t from_s, int64_t until_s, int64_t *local_s)
{
    struct civil at = civil_of(from_s);

    if (cron->every_s > 0)
        return every_next(cron, from_s, local_s) && *local_s < until_s;
    while (at.year <= CRON_YEAR_LAST || cron->any_year) {
        int64_t day_s = civil_days(at.year, at.month, at.day) * DAY_S, time_s;
        if (day_s >= until_s)
            return false;
        if (!has_year(cron, at.year)) {
            at = (struct civil){ at.year + 1, 1, 1, 0, 0, 0 };
            continue;
        }
        if ((cron->months >> at.month & 1) == 0) {
            at = (struct civil){ at.year + at.month / 12, at.month % 12 + 1, 1, 0, 0, 0 };
            continue;
        }
        if (cron_has_day(cron, at.year, at.month, at.day) && time_next(cron, &at, &time_s)) {
            *local_s = day_s + time_s;
            return *local_s < until_s;
        }
        at = civil_of(day_s + DAY_S);
    }
    return false;
}
