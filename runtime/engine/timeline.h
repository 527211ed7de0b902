/* Timelines: every move a run made, bounded: the first 20 and the last 200. */
#ifndef TIMELINE_H
#define TIMELINE_H

#include "base/arena.h"
#include "engine/rows/row.h"

enum { TIMELINE_FIRST = 20, TIMELINE_LAST = 200, MOVE_TEXT_MAX = 250 };

struct move {
    int64_t at_ms;
    uint32_t status, outcome;
    struct slice text; /* the segment entered, or why; may be empty */
};

/* run->timeline with one more move at its end, in `arena`; text is cut at MOVE_TEXT_MAX. */
struct slice timeline_add(struct arena *arena, const struct run *run, const struct move *move);

/* All moves, oldest first. */
uint32_t timeline_read(struct arena *arena, const struct run *run, struct move **moves);

#endif
