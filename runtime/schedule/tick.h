/*
 * Ticks: the instants of a cron expression in a time zone.
 *
 * Where clocks are set forward a time of day is missing: a tick with a fixed hour that would be
 * in it comes at its end, once; one whose hour is open (*, or a step) just is not there. Where
 * they are set back a time of day comes twice: a fixed tick is the first one, an open hour
 * both.
 */
#ifndef TICK_H
#define TICK_H

#include "schedule/cron.h"
#include "schedule/zone.h"

#define TICK_DST_MAP(X) \
    X(RUN, "run")       \
    X(SKIP, "skip")     \
    X(TWICE, "twice")

enum tick_dst {
#define X(code, text) TICK_DST_##code,
    TICK_DST_MAP(X)
#undef X
        TICK_DST_COUNT
};

struct tick {
    int64_t at_s;       /* UTC */
    int64_t nominal_s;  /* what the clock on the wall should say */
    int64_t local_s;    /* what it says; another where the nominal time is missing */
    uint8_t occurrence; /* 2: the same time of day for the second time */
    bool comes_twice;   /* it is one of two, wanted or not */
    const char *abbreviation;
};

enum { TICK_HORIZON_YEARS = 400 }; /* after which dates fall on the same weekdays again */

/* The first tick after an instant; false: there is none in TICK_HORIZON_YEARS, so never. */
bool tick_next(const struct cron *cron, const struct zone *zone, enum tick_dst dst,
               int64_t after_s, struct tick *tick);

/* "run", "skip", "twice". */
bool tick_dst_find(struct slice text, enum tick_dst *dst);

#endif
