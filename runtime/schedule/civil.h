/* Dates and times of day as people write them, counted in seconds: "local" seconds are those
 * that a clock on the wall would have counted since 1970. */
#ifndef CIVIL_H
#define CIVIL_H

#include <stdint.h>

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

struct civil {
    int32_t year, month, day; /* from 1 */
    int32_t hour, minute, second;
};

/* Days since 1970-01-01 of a date that exists, of any year. */
int64_t civil_days(int32_t year, int32_t month, int32_t day);
int32_t civil_month_days(int32_t year, int32_t month);
int32_t civil_weekday(int64_t days); /* 0 is Sunday */
struct civil civil_of(int64_t local_s);
int64_t civil_seconds(const struct civil *civil);

/* "2027-03-28 02:30:00" with `between` the date and the time. */
enum { CIVIL_TEXT_SIZE = 80 };
char *civil_format(int64_t local_s, char between, char text[CIVIL_TEXT_SIZE]);

#endif
