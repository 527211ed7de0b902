/* Schedules of a world: what somebody does to them, and what each has been seen to do. */
#ifndef SIMULATION_SCHEDULES_H
#define SIMULATION_SCHEDULES_H

#include "base/table.h"
#include "config/schedule_rules.h"
#include "engine/rows/row.h"

struct world;
struct engine;

/* A run that one has made. */
struct known_tick {
    int64_t at_ms, run_id;
    bool is_manual, is_backfill;
    bool is_tracked; /* its schedule looked at its runs then */
};

struct known_schedule {
    int64_t id;
    struct slice packed; /* its rules, as they were last, */
    struct schedule_rules rules;
    int64_t period_ms; /* and the time between two ticks */
    bool active;
    int64_t next_ms, updated_ms;
    int64_t fired, skipped, missed, refused;
    uint32_t waiting;
    bool is_gone; /* it was deleted */
    struct known_tick *ticks;
    uint32_t count, capacity;
    bool had_backfill; /* ever: it may have taken a tick's run from it */
    bool has_backfill;
    int64_t from_ms, until_ms, limit, refused_before; /* of the one that is under way */
    bool is_clean; /* which nobody stopped, and its schedule was not changed since */
};

enum { SCHEDULES_MOST = 64 };

struct known_schedules {
    struct arena arena;
    struct table runs; /* run → it is in a list of ticks */
    struct known_schedule items[SCHEDULES_MOST];
    uint32_t count;
    bool was_stopped; /* some backfill, since the last look */
};

void schedules_close(struct world *world);
/* Every engine has the zones. */
void schedules_zones(struct engine *engine);
/* Somebody makes, changes, pauses, resumes, runs, deletes or backfills one; or the clock is
 * set, or nobody is there for a while. */
void schedules_step(struct world *world);
/* All are deleted. */
void schedules_drain(struct world *world);
/* schedules_check.c: after each batch. `now_ms`: the wall clock of its beginning. */
void schedules_check(struct world *world, int64_t now_ms);
/* From runs to schedules that want to know of their end. */
uint32_t schedules_edges(struct world *world);

/* rules_schedule.c: runs that they have made, and have canceled for others. */
struct look;
void rule_scheduled(const struct look *look);
bool rule_schedule_cancels(const struct look *look, const struct run *run);

#endif
