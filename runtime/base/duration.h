/* Durations and dates: text on the wire, milliseconds inside. */
#ifndef DURATION_H
#define DURATION_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { TIME_TEXT_SIZE = 32, DURATION_TEXT_SIZE = 48 };

#define DURATION_MAX_MS (INT64_C(366) * 100 * 86400 * 1000)

/* The last millisecond of the year 9999: no later date can be written. */
#define TIME_MAX_MS INT64_C(253402300799999)

/* "1h30m", "2d", "10s", "250ms"; units w d h hr m s ms, each at most once, whole numbers, at
 * most 100 years in all. False when it is not one. */
bool duration_parse(struct slice text, int64_t *duration_ms);

/* "1h30m"; "0s" for 0. */
char *duration_format(int64_t duration_ms, char text[DURATION_TEXT_SIZE]);

/* ISO 8601: "2026-01-02", "2026-01-02T03:04[:05[.678]][Z|+02:00]"; no zone means UTC. */
bool time_parse(struct slice text, int64_t *at_ms);

/* "2026-01-02T03:04:05.678Z"; "never" for what is beyond the years 0 to 9999. */
char *time_format(int64_t at_ms, char text[TIME_TEXT_SIZE]);
bool time_is_date(int64_t at_ms);

/*
 * Moments, where 0 means "none": a sum that would run over stays at the end of time, and what
 * is past is past, however long. Never 0.
 */
int64_t time_after(int64_t at_ms, int64_t span_ms);
/* A moment as it was given: what is before 1970 is as good as the first one there is. */
int64_t time_moment(int64_t at_ms);

#endif
