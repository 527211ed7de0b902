/*
 * Save points: where a run goes on when a segment has ended in a wait. The last one is the run
 * itself: its segment, its state, what it waited for. A task that keeps more has those before
 * it in a part of the run's row, until the run is removed:
 *
 *   a segment ends in a wait ──▶ what the run was becomes the newest of those kept, and the
 *                                oldest goes when they are too many, or too large together
 *
 * So it is written in the batch that saves anyway, with what the wait before it has brought. A
 * retry from the start, and what undoes a run, take the last one's place in the same way.
 */
#ifndef SAVE_POINTS_H
#define SAVE_POINTS_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct batch;
struct catalog_task;
struct run;

struct save_point {
    int64_t number;   /* counts the run's segments: of the one that is entered there */
    int64_t saved_ms; /* 0: not known */
    int64_t bytes;    /* of all that is kept of it */
    struct slice segment, state, wait, once, mail;
};

/* The oldest first. */
struct save_points {
    struct save_point *items;
    uint32_t count;
};

/* All that are there, with the last; of the run its state, mail and states are loaded. */
struct save_points save_points_read(struct arena *arena, const struct run *run);
/* The run as it was then, for one that begins there. */
struct run *save_point_run(struct arena *arena, const struct run *run,
                           const struct save_point *point);

/* How many its task keeps; NULL: nobody knows. */
void save_points_learn(struct run *run, const struct catalog_task *task);
/* What save_point_keep needs is loaded. */
bool save_point_ready(struct batch *batch, struct run *run);
/* Another one, or none, is about to take the last one's place. */
void save_point_keep(struct batch *batch, struct run *run, bool by_another);
/* It ends where it waits: for who begins there, the wait has given up. */
void save_point_leave(struct batch *batch, struct run *run);

#endif
