/* A plan: a cron expression in a time zone, as it was written and checked. */
#ifndef PLAN_H
#define PLAN_H

#include "schedule/civil.h"
#include "schedule/tick.h"

struct plan {
    struct cron cron;
    const struct zone *zone;
    enum tick_dst dst;
};

/* False where it never fires after `now_s`. `err` says so in a sentence. Errors: RULE. */
bool plan_fires(const struct plan *plan, struct slice text, int64_t now_s, struct tick *first,
                struct err *err);

/* Why a tick is when it is, as a sentence; empty where there is nothing to say. */
enum { PLAN_WHY_SIZE = 256 };
char *plan_why(const struct plan *plan, const struct tick *tick, char text[PLAN_WHY_SIZE]);

/* "2027-03-28T03:00:00+02:00" */
char *plan_local(const struct tick *tick, char text[CIVIL_TEXT_SIZE]);

#endif
