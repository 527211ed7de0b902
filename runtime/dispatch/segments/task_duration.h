/*
 * Task durations: how long segments take. Where they are short, several frames may be under way
 * to one slot, and the engine is told, so that it hands out more runs than there are slots.
 */
#ifndef DISPATCH_TASK_DURATION_H
#define DISPATCH_TASK_DURATION_H

#include "base/arena.h"
#include "base/table.h"

#include <stdbool.h>
#include <stdint.h>

struct dispatch;

/* Of a task, or of one of its segments. */
struct task_duration {
    uint32_t samples;  /* up to those needed */
    double average_us; /* newer ones weigh more */
    bool is_short;
    struct slice task, segment; /* segment: empty for a task's */
    struct task_duration *next; /* of the same hash */
};

/* Grows by what loaded builds offer, by name; a new build finds the old one's. */
struct task_durations {
    struct arena arena;
    struct table table;
};

void task_durations_init(struct task_durations *durations);
void task_durations_finish(struct task_durations *durations);

/* An empty `segment` is the whole task. Lives as long as the dispatch. */
struct task_duration *task_duration_get(struct task_durations *durations, struct slice task,
                                        struct slice segment);

/* A segment took so long. Tells the engine when its task becomes short or stops being so. */
void task_duration_measure(struct dispatch *dispatch, struct task_duration *task,
                           struct task_duration *segment, int64_t took_us);

#endif
