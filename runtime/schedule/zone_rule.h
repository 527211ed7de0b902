/* The last line of a zone's file, "CET-1CEST,M3.5.0,M10.5.0/3": what holds from then on. */
#ifndef ZONE_RULE_H
#define ZONE_RULE_H

#include "schedule/zone.h"

struct zone_day {
    char kind;   /* 'J': 1 to 365, without 29 February; 'n': 0 to 365; 'M' */
    int32_t day; /* for 'M' the weekday */
    int32_t month, week;
    int32_t time_s; /* of the clock on the wall; may be before the day and after it */
};

struct zone_rule {
    bool sets_clocks; /* false: `standard` for ever */
    struct zone_kind standard, summer;
    struct zone_day starts, ends; /* of summer */
};

/* False where it is none. */
bool zone_rule_read(struct slice text, struct zone_rule *rule);
/* When in this year summer begins and when it ends, UTC. */
void zone_rule_year(const struct zone_rule *rule, int32_t year, int64_t *starts_s,
                    int64_t *ends_s);

#endif
