/*
 * Time zones: what the clocks on the wall say, and when they are set.
 *
 *   file of /usr/share/zoneinfo ── zone_read ──▶ struct zone ── zone_span ──▶ offset, from,
 * until
 *
 * A zone is a list of spans in which the offset to UTC is the same. The file lists those of the
 * past; those to come follow from the rule in its last line, and are written out up to
 * ZONE_LAST_YEAR, after which the last one goes on for ever.
 */
#ifndef ZONE_H
#define ZONE_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ZONE_LAST_YEAR = 2300,
    ZONE_NAME_MAX = 64,
    ZONE_ABBREVIATION_SIZE = 12,
    ZONE_FILE_MAX = 256 * 1024,
    ZONE_CHANGES_MAX = 4096, /* of a file */
};

struct zone_kind {
    int32_t offset_s; /* local time is UTC plus this */
    char abbreviation[ZONE_ABBREVIATION_SIZE];
};

struct zone_change {
    int64_t at_s; /* UTC */
    uint16_t kind;
};

struct zone {
    char name[ZONE_NAME_MAX + 1];
    struct zone_kind *kinds;
    struct zone_change *changes; /* in order of time, and never to the same offset and name */
    uint32_t kind_count, change_count;
    struct zone *next; /* of those that are kept (zones.h) */
};

/* A time in which clocks are not set. */
struct zone_span {
    int64_t from_s, until_s;           /* UTC; INT64_MIN and INT64_MAX where there is no end */
    int32_t offset_s, offset_before_s; /* the latter: just before from_s */
    const char *abbreviation;
};

/* Bytes of a TZif file (RFC 9636), version 2 or later. zone_destroy() releases it. NULL when
 * they are none. Errors: CONFIG. */
struct zone *zone_read(struct slice bytes, const char *name, struct err *err);
struct zone *zone_utc(void);
void zone_destroy(struct zone *zone);

/* Whoever reads the files, for those who may not. */
struct zone_source {
    void *context;
    const struct zone *(*find)(void *context, struct slice name); /* NULL: there is none */
    char data[32];                                                /* their version */
    /* Their version as it is now; what is found from here on is of that. NULL: it never
     * changes. */
    void (*look)(void *context, char data[32]);
};

/* The span that holds the instant. */
struct zone_span zone_span(const struct zone *zone, int64_t at_s);

/* "Europe/Berlin": parts of letters, digits, "_", "+" and "-", none of which begins with a dot.
 * Errors: RULE. */
bool zone_name_check(struct slice name, struct err *err);

#endif
