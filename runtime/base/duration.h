/* Durations and dates: text on the wire, milliseconds inside. */
#ifndef DURATION_H
#define DURATION_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { TIME_TEXT_SIZE = 32, DURATION_TEXT_SIZE = 48 };

#define DURATION_MAX_MS (INT64_C(366) * 100 * 86400 * 1000)

/* "1h30m", "2d", "10s", "250ms"; units w d h hr m s ms, each at most once, whole numbers, at
 * most 100 years in all. False when it is not one. */
bool duration_parse(struct slice text, int64_t *duration_ms);

/* "1h30m"; "0s" for 0. */
char *duration_format(int64_t duration_ms, char text[DURATION_TEXT_SIZE]);

/* ISO 8601: "2026-01-02", "2026-01-02T03:04[:05[.678]][Z|+02:00]"; no zone means UTC. */
bool time_parse(struct slice text, int64_t *at_ms);

/* "2026-01-02T03:04:05.678Z" */
char *time_format(int64_t at_ms, char text[TIME_TEXT_SIZE]);

#endif
