/*
 *   field  = part {"," part}
 *   part   = ("*" | value ["-" value]) ["/" step]        values are numbers, or names
 *          | "?" | "L" ["-" n] ["W"] | n "W"             of a day of the month
 *          | "?" | d "L" | d "#" n | "L"                 of a weekday
 */
#include "schedule/cron_field.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                           "jul", "aug", "sep", "oct", "nov", "dec" };
static const char *const weekday_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };

static const struct field {
    const char *name;
    int32_t least, most;
    int32_t size;     /* of what a step walks over; 0: no step divides it */
    const char *turn; /* what begins anew behind it */
    const char *const *names;
    int32_t name_count;
} fields[CRON_FIELD_COUNT] = {
    [CRON_SECOND] = { "second", 0, 59, 60, "minute", NULL, 0 },
    [CRON_MINUTE] = { "minute", 0, 59, 60, "hour", NULL, 0 },
    [CRON_HOUR] = { "hour", 0, 23, 24, "day", NULL, 0 },
    [CRON_DAY] = { "day of the month", 1, 31, 0, NULL, NULL, 0 },
    [CRON_MONTH] = { "month", 1, 12, 12, "year", month_names, 12 },
    [CRON_WEEKDAY] = { "weekday", 0, 7, 7, "week", weekday_names, 7 },
    [CRON_YEAR] = { "year", CRON_YEAR_FIRST, CRON_YEAR_LAST, 0, NULL, NULL, 0 },
};

bool cron_flaw_set(struct cron_text *text, size_t at, const char *format, ...)
{
    va_list arguments;

    text->flaw->column = (uint32_t)at + 1;
    va_start(arguments, format);
    vsnprintf(text->flaw->text, sizeof text->flaw->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char peek(const struct cron_text *text)
{
    return text->at < text->end ? text->text.data[text->at] : '\0';
}

static bool take(struct cron_text *text, char wanted)
{
    char c = peek(text);

    if (c == '\0' || (c != wanted && (!is_letter(c) || (c ^ 0x20) != wanted)))
        return false;
    text->at++;
    return true;
}

/* For a message: a byte that people can read. */
static const char *shown(char c, char room[8])
{
    if (c == '\0')
        return "nothing";
    snprintf(room, 8, c > ' ' && c < 0x7f ? "\"%c\"" : "0x%02x",
             (unsigned int)(unsigned char)c);
    return room;
}

static bool take_number(struct cron_text *text, const char *name, int32_t least, int32_t most,
                        int32_t *number)
{
    size_t at = text->at;
    char room[8];

    *number = 0;
    while (is_digit(peek(text)) && text->at - at < 6)
        *number = *number * 10 + (text->text.data[text->at++] - '0');
    if (text->at == at)
        return cron_flaw_set(text, at, "%s where a %s is wanted: a number from %d to %d",
                             shown(peek(text), room), name, least, most);
    if (*number < least || *number > most || is_digit(peek(text)))
        return cron_flaw_set(text, at, "the %s %.*s is not in %d to %d", name,
                             (int)(text->at - at), text->text.data + at, least, most);
    return true;
}

static bool take_value(struct cron_text *text, const struct field *field, int32_t *value)
{
    size_t at = text->at, size = 0;

    if (!is_letter(peek(text)))
        return take_number(text, field->name, field->least, field->most, value);
    while (at + size < text->end && is_letter(text->text.data[at + size]))
        size++;
    for (int32_t i = 0; size == 3 && i < field->name_count; i++)
        if (strncasecmp(text->text.data + at, field->names[i], 3) == 0) {
            text->at += size;
            *value = i + field->least;
            return true;
        }
    if (field->names == NULL)
        return cron_flaw_set(text, at, "\"%.*s\" where a %s is wanted: a number from %d to %d",
                             size > 20 ? 20 : (int)size, text->text.data + at, field->name,
                             field->least, field->most);
    return cron_flaw_set(text, at, "\"%.*s\" is no %s; write %s, or %d to %d",
                         size > 20 ? 20 : (int)size, text->text.data + at, field->name,
                         field->names == month_names ? "JAN to DEC" : "SUN to SAT",
                         field->least, field->most);
}

static void set_add(struct cron *cron, enum cron_field_kind kind, int32_t value)
{
    switch (kind) {
    case CRON_SECOND:
        cron->seconds |= UINT64_C(1) << value;
        break;
    case CRON_MINUTE:
        cron->minutes |= UINT64_C(1) << value;
        break;
    case CRON_HOUR:
        cron->hours |= 1u << value;
        break;
    case CRON_DAY:
        cron->days |= 1u << value;
        break;
    case CRON_MONTH:
        cron->months |= 1u << value;
        break;
    case CRON_WEEKDAY:
        cron->weekdays = (uint8_t)(cron->weekdays | 1u << value % 7);
        break;
    case CRON_YEAR:
        value -= CRON_YEAR_FIRST;
        cron->years[value / 64] |= UINT64_C(1) << value % 64;
        break;
    case CRON_FIELD_COUNT:
        break;
    }
}

/* Is that the warning which is asked for? Those before it are counted off. */
static bool warn_here(struct cron_text *text)
{
    if (!text->warns)
        return false;
    return text->warnings_left-- == 0;
}

static bool step_take(struct cron_text *text, const struct field *field, bool is_whole,
                      int32_t *step)
{
    size_t at = text->at;

    *step = 1;
    if (!take(text, '/'))
        return true;
    at = text->at;
    if (!take_number(text, "step", 1, field->most, step))
        return false;
    if (is_whole && field->size > 0 && field->size % *step != 0 && warn_here(text)) {
        int32_t last = field->size % *step;
        return cron_flaw_set(text, at,
                             "a step of %d does not divide %d: the last one before each new %s "
                             "comes after %d, not after %d",
                             *step, field->size, field->turn, last, *step);
    }
    return true;
}

/* The part is a "L…", "nW", "nL" or "d#n": true, or nothing was taken and *is_special is false.
 */
static bool special_day(struct cron_text *text, bool *is_special)
{
    struct cron *cron = text->cron;
    size_t at = text->at;
    int32_t number;

    *is_special = true;
    if (take(text, 'L')) {
        if (take(text, 'W')) {
            cron->last_worked = true;
            return true;
        }
        number = 0;
        if (take(text, '-') &&
            !take_number(text, "number of days before the last", 1, 30, &number))
            return false;
        cron->days_before_last |= 1u << number;
        return true;
    }
    if (is_digit(peek(text)) && take_number(text, fields[CRON_DAY].name, 1, 31, &number) &&
        take(text, 'W')) {
        cron->days_worked |= 1u << number;
        return true;
    }
    text->at = at;
    *is_special = false;
    return true;
}

static bool special_weekday(struct cron_text *text, bool *is_special)
{
    struct cron *cron = text->cron;
    size_t at = text->at;
    int32_t weekday, nth;
    char c = peek(text);

    *is_special = true;
    if ((c == 'L' || c == 'l') &&
        (text->at + 1 == text->end || text->text.data[text->at + 1] == ',')) {
        text->at++; /* as in Quartz: the last day of the week */
        cron->weekdays = (uint8_t)(cron->weekdays | 1u << 6);
        return true;
    }
    if (is_digit(c) || is_letter(c)) {
        /* "5L" and "FRIL" */
        size_t name = is_letter(c) ? 3 : 1;
        struct cron_text head = *text;
        struct cron_flaw ignored;
        head.flaw = &ignored;
        head.end = text->at + name < text->end ? text->at + name : text->end;
        if (take_value(&head, &fields[CRON_WEEKDAY], &weekday) && head.at == head.end) {
            text->at = head.at;
            weekday %= 7;
            if (take(text, 'L')) {
                cron->weekdays_last = (uint8_t)(cron->weekdays_last | 1u << weekday);
                return true;
            }
            if (take(text, '#')) {
                if (!take_number(text, "week of the month", 1, 5, &nth))
                    return false;
                cron->weekdays_nth[nth] = (uint8_t)(cron->weekdays_nth[nth] | 1u << weekday);
                return true;
            }
        }
    }
    text->at = at;
    *is_special = false;
    return true;
}

static bool range_read(struct cron_text *text, enum cron_field_kind kind)
{
    const struct field *field = &fields[kind];
    size_t at = text->at;
    int32_t first = field->least, last = field->most, step;
    bool is_whole = take(text, '*'), is_range = is_whole;

    if (kind == CRON_WEEKDAY && is_whole)
        last = 6;
    if (!is_whole) {
        if (!take_value(text, field, &first))
            return false;
        last = first;
        if (take(text, '-')) {
            is_range = true;
            if (!take_value(text, field, &last))
                return false;
            if (kind == CRON_WEEKDAY && last == 0)
                last = 7; /* FRI-SUN */
        }
    }
    if (last < first)
        return cron_flaw_set(
            text, at, "a range runs upwards, and %d is after %d; write %d-%d,%d-%d", first,
            last, first, kind == CRON_WEEKDAY ? 6 : field->most, field->least, last);
    bool has_step = peek(text) == '/';
    if (!step_take(text, field, is_whole || !is_range, &step))
        return false;
    if (has_step && !is_range)
        last = kind == CRON_WEEKDAY ? 6 : field->most; /* "5/15" is "5-59/15" */
    if (kind == CRON_HOUR && (is_whole || has_step))
        text->cron->open_hour = true;
    for (int32_t value = first; value <= last; value += step)
        set_add(text->cron, kind, value);
    return true;
}

static bool part_read(struct cron_text *text, enum cron_field_kind kind)
{
    bool is_special = false;

    if (kind == CRON_DAY && !special_day(text, &is_special))
        return false;
    if (kind == CRON_WEEKDAY && !special_weekday(text, &is_special))
        return false;
    return is_special || range_read(text, kind);
}

bool cron_field_read(struct cron_text *text, enum cron_field_kind kind)
{
    bool may_ask = kind == CRON_DAY || kind == CRON_WEEKDAY;
    bool is_any = peek(text) == '*' || (may_ask && peek(text) == '?');
    char room[8];

    if (kind == CRON_DAY)
        text->cron->any_day = is_any;
    if (kind == CRON_WEEKDAY)
        text->cron->any_weekday = is_any;
    if (may_ask && take(text, '?')) {
        for (int32_t value = fields[kind].least; value <= fields[kind].most; value++)
            set_add(text->cron, kind, value);
    } else {
        do
            if (!part_read(text, kind))
                return false;
        while (take(text, ','));
    }
    if (text->at < text->end)
        return cron_flaw_set(
            text, text->at,
            "%s is not understood in the %s; a part of it is *, a value, a range "
            "like 1-5%s or one of these with a step like /2",
            shown(peek(text), room), fields[kind].name,
            kind == CRON_DAY       ? ", L, L-2, LW, 15W"
            : kind == CRON_WEEKDAY ? ", 5L, 5#2"
                                   : "");
    return true;
}
