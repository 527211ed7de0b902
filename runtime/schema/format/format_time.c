/* Dates and times as RFC 3339 has them. */
#include "schema/format/format_functions.h"

/* Takes from the front; each is false, and the rest worthless, when the front is something
 * else. */
static bool number_take(struct slice *text, size_t digits, int *number)
{
    *number = 0;
    if (text->size < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!digit_is(text->data[i]))
            return false;
        *number = *number * 10 + (text->data[i] - '0');
    }
    *text = (struct slice){ text->data + digits, text->size - digits };
    return true;
}

static bool char_take(struct slice *text, const char *wanted)
{
    if (text->size == 0 || text->data[0] == '\0' || strchr(wanted, text->data[0]) == NULL)
        return false;
    *text = (struct slice){ text->data + 1, text->size - 1 };
    return true;
}

static bool date_take(struct slice *text)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, day;

    if (!number_take(text, 4, &year) || !char_take(text, "-") ||
        !number_take(text, 2, &month) || !char_take(text, "-") || !number_take(text, 2, &day) ||
        month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && is_leap);
}

/* Minutes east of UTC. */
static bool zone_take(struct slice *text, int *minutes)
{
    int hour, minute;

    *minutes = 0;
    if (char_take(text, "Zz"))
        return true;
    bool is_west = text->size > 0 && text->data[0] == '-';
    if (!char_take(text, "+-") || !number_take(text, 2, &hour) || !char_take(text, ":") ||
        !number_take(text, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = (hour * 60 + minute) * (is_west ? -1 : 1);
    return true;
}

/* A leap second is the 61st of the last minute of a day in UTC. */
static bool time_take(struct slice *text)
{
    enum { DAY = 24 * 60 };
    int hour, minute, second, east, digit;

    if (!number_take(text, 2, &hour) || !char_take(text, ":") ||
        !number_take(text, 2, &minute) || !char_take(text, ":") ||
        !number_take(text, 2, &second))
        return false;
    if (char_take(text, ".")) {
        if (!number_take(text, 1, &digit))
            return false;
        while (number_take(text, 1, &digit)) {
        }
    }
    if (!zone_take(text, &east) || hour > 23 || minute > 59 || second > 60)
        return false;
    return second < 60 || (hour * 60 + minute - east + 2 * DAY) % DAY == DAY - 1;
}

bool format_date(struct slice text)
{
    return date_take(&text) && text.size == 0;
}

bool format_time(struct slice text)
{
    return time_take(&text) && text.size == 0;
}

bool format_date_time(struct slice text)
{
    return date_take(&text) && char_take(&text, "Tt") && time_take(&text) && text.size == 0;
}

/* Numbers with these units, in this order, without a gap: "1Y2M", "2M3D", but not "1Y3D". */
static bool units_take(struct slice *text, const char *units, int *count)
{
    int digit;
    bool is_begun = false;

    *count = 0;
    while (*units != '\0' && text->size > 0 && digit_is(text->data[0])) {
        while (number_take(text, 1, &digit)) {
        }
        while (!is_begun && *units != '\0' && text->size > 0 && text->data[0] != *units)
            units++;
        if (*units == '\0' || text->size == 0 || text->data[0] != *units)
            return false;
        *text = (struct slice){ text->data + 1, text->size - 1 };
        is_begun = true;
        units++;
        ++*count;
    }
    return true;
}

bool format_duration(struct slice text)
{
    int dates, times;

    if (!char_take(&text, "P"))
        return false;
    struct slice weeks = text;
    if (units_take(&weeks, "W", &dates) && dates == 1)
        return weeks.size == 0;
    if (!units_take(&text, "YMD", &dates))
        return false;
    if (!char_take(&text, "T"))
        return text.size == 0 && dates > 0;
    return units_take(&text, "HMS", &times) && times > 0 && text.size == 0;
}
