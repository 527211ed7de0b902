#include "civil.h"

#include <stdbool.h>
#include <stdio.h>

/* Years that begin in March: the odd day is the last one. */
int64_t civil_days(int32_t year, int32_t month, int32_t day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int32_t civil_month_days(int32_t year, int32_t month)
{
    static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leaps ? 29 : days[month - 1];
}

int32_t civil_weekday(int64_t days)
{
    int64_t weekday = (days + 4) % 7; /* 1970 began on a Thursday */
    return (int32_t)(weekday < 0 ? weekday + 7 : weekday);
}

struct civil civil_of(int64_t local_s)
{
    int64_t days = local_s / DAY_S, rest = local_s % DAY_S;

    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct civil civil = {
        .day = (int32_t)(of_year - (153 * month + 2) / 5 + 1),
        .month = (int32_t)(month < 10 ? month + 3 : month - 9),
        .hour = (int32_t)(rest / HOUR_S),
        .minute = (int32_t)(rest % HOUR_S / MINUTE_S),
        .second = (int32_t)(rest % MINUTE_S),
    };
    civil.year = (int32_t)(year + era * 400 + (civil.month <= 2));
    return civil;
}

int64_t civil_seconds(const struct civil *civil)
{
    return civil_days(civil->year, civil->month, civil->day) * DAY_S + civil->hour * HOUR_S +
           civil->minute * MINUTE_S + civil->second;
}

char *civil_format(int64_t local_s, char between, char text[CIVIL_TEXT_SIZE])
{
    struct civil c = civil_of(local_s);

    snprintf(text, CIVIL_TEXT_SIZE, "%04d-%02d-%02d%c%02d:%02d:%02d", c.year, c.month, c.day,
             between, c.hour, c.minute, c.second);
    return text;
}
