/*
 * A backfill: runs of a schedule for ticks that are past, because somebody asked for them. How
 * far it has come stands in the schedule's row, so it goes on after whatever crash, and each
 * run has the key that the tick's own had: what was made is not made again.
 */
#ifndef SCHEDULE_BACKFILL_H
#define SCHEDULE_BACKFILL_H

#include "engine/schedules/schedules.h"

enum {
    BACKFILL_TICKS_MOST = 10000,
    BACKFILL_LIMIT_MOST = 100,
    BACKFILL_PRIORITY_MS = -3600 * 1000 /* they stand behind what came in this hour */
};

/* What its row says of it. */
struct backfill {
    int64_t from_ms, until_ms;
    int64_t next_ms; /* ticks from here on are still to be looked at */
    int64_t last_ms; /* the tick before, of this backfill; 0: none */
    int64_t total;   /* ticks, as they were counted when it began */
    int64_t made, found, refused;
    int64_t limit; /* runs at a time; 0: any number */
    struct slice by;
    struct ids runs; /* those that may not be over */
};

/* False: there is none. */
bool backfill_read(struct arena *arena, struct slice packed, struct backfill *backfill);
void backfill_write(struct arena *arena, const struct backfill *backfill, struct slice *packed);

/* So many ticks are in it, at most BACKFILL_TICKS_MOST + 1. */
uint32_t backfill_count(const struct schedule_sense *sense, int64_t from_ms, int64_t until_ms,
                        int64_t *first_ms, int64_t *last_ms);

/* Some of its runs. */
enum schedule_step backfill_take(struct batch *batch, struct schedule *schedule,
                                 const struct schedule_sense *sense);
/* It is over, done or not: its history says how far it came. */
void backfill_end(struct batch *batch, struct schedule *schedule,
                  const struct backfill *backfill, const char *how);

#endif
