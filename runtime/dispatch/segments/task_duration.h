/*
 * Speeds: how long segments take. Where they are short, several frames may be under way to one
 * slot, and the engine is told, so that it hands out more runs than there are slots.
 */
#ifndef DISPATCH_SPEED_H
#define DISPATCH_SPEED_H

#include "base/arena.h"
#include "base/table.h"

#include <stdbool.h>
#include <stdint.h>

struct dispatch;

/* Of a task, or of one of its segments. */
struct speed {
    uint32_t samples;  /* up to those needed */
    double average_us; /* newer ones weigh more */
    bool is_short;
    struct slice task, segment; /* segment: empty for a task's */
    struct speed *next;         /* of the same hash */
};

/* Grows by what loaded builds offer, by name; a new build finds the old one's. */
struct speeds {
    struct arena arena;
    struct table table;
};

void speeds_init(struct speeds *speeds);
void speeds_finish(struct speeds *speeds);

/* An empty `segment` is the whole task. Lives as long as the dispatch. */
struct speed *speed_get(struct speeds *speeds, struct slice task, struct slice segment);

/* A segment took so long. Tells the engine when its task becomes short or stops being so. */
void speed_measure(struct dispatch *dispatch, struct speed *task, struct speed *segment,
                   int64_t took_us);

#endif
