/*
 * Cron expressions: 5 fields, 6 with seconds in front, 7 with the year at the end; or @daily
 * and the like, or @every 90s. What is a day of it is told without any time zone; tick.h brings
 * both together.
 */
#ifndef CRON_H
#define CRON_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CRON_TEXT_MAX = 512,
    CRON_YEAR_FIRST = 1970,
    CRON_YEAR_LAST = 2199,
    CRON_YEAR_WORDS = (CRON_YEAR_LAST - CRON_YEAR_FIRST) / 64 + 1,
};

/* Sets of numbers, as bits. */
struct cron {
    int64_t every_s, phase_s; /* @every: all else is of no account; 0: it is not one */
    uint64_t seconds, minutes;
    uint32_t hours, days, months;
    uint64_t years[CRON_YEAR_WORDS];
    uint32_t days_before_last; /* L is bit 0, L-3 bit 3 */
    uint32_t days_worked;      /* 15W */
    bool last_worked;          /* LW */
    uint8_t weekdays;          /* Sunday is bit 0 */
    uint8_t weekdays_last;     /* 5L */
    uint8_t weekdays_nth[6];   /* 5#2 is bit 5 of [2] */
    bool any_day, any_weekday; /* the field begins with * or ? */
    bool any_year;
    bool both_days; /* days: and */
    bool open_hour; /* the hour is *, a step or all of them: such ticks follow elapsed time */
};

/* Where in the text something is wrong, from 1, and what: "the minute 61 is not in 0-59". */
struct cron_flaw {
    uint32_t column;
    char text[200];
};

/* False: `flaw` says why. A field that can never be met is not a flaw here (tick_next tells).
 */
bool cron_read(struct slice text, struct cron *cron, struct cron_flaw *flaw);

/* What is odd with it, as a sentence, the `index`th; false: nothing more. */
bool cron_warning(struct slice text, uint32_t index, struct cron_flaw *warning);

/* Is this a day of it? */
bool cron_has_day(const struct cron *cron, int32_t year, int32_t month, int32_t day);

/* The first moment of it in [from, until) of a clock on the wall. */
bool cron_next(const struct cron *cron, int64_t from_s, int64_t until_s, int64_t *local_s);

#endif
