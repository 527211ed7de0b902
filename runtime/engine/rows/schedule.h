/* A schedule as a row: what makes runs by the clock, and how far it has come. */
#ifndef SCHEDULE_ROW_H
#define SCHEDULE_ROW_H

#include "base/slice.h"
#include "engine/rows/kind.h"

struct schedule {
    struct row row;
    int64_t id;
    uint32_t environment;
    struct slice name; /* in its environment: the file's, or the deduplication key */
    bool is_declared;  /* by schedules.yaml, which says what it is */
    bool active;
    int64_t due_ms;  /* when it is looked at: at the next tick, shifted; 0: never */
    int64_t next_ms; /* the next tick's instant, the one that is its key; 0: there is none */
    int64_t last_ms; /* the instant of the tick before it; 0: it has had none */
    struct slice zone_data; /* version of the zone data that next_ms was found with */
    struct slice rules;     /* packed: config/schedule_rules.h */
    int64_t created_ms, updated_ms;
    int64_t fired, skipped, missed, refused; /* ticks, since it was made */
    uint32_t dropped;      /* ticks that were missed since the last one that fired */
    uint32_t failures;     /* runs that failed, the last ones in a row */
    struct slice runs;     /* eight bytes each: ids of those that may not be done */
    struct slice waiting;  /* instants of ticks that wait for a run to end, eight bytes each */
    struct slice events;   /* packed list: what became of ticks that made no run, and why */
    struct slice note;     /* who has paused it, or why it has stopped */
    struct slice backfill; /* packed: schedules/backfill.h; empty: none is under way */
};

/* As those of rows.h. */
struct rows;
bool rows_schedule(struct rows *rows, int64_t id, struct schedule **row);
bool rows_schedule_named(struct rows *rows, uint32_t environment, struct slice name,
                         struct schedule **row);
/* Its title is known from now on: `name` is in the batch's arena. */
struct schedule *rows_new_schedule(struct rows *rows, int64_t id, uint32_t environment,
                                   struct slice name);

#endif
