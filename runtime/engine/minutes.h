/* What starts and ends, counted by minute: of each queue, and of its busiest keys. */
#ifndef MINUTES_H
#define MINUTES_H

#include "engine/rows/minute.h"

struct batch;

enum {
    BUSY_KEYS = 100,  /* of a queue that are counted by themselves */
    BUSY_QUEUES = 256 /* with keys, of which that is known */
};

/*
 * The keys of a queue of which most starts. With more keys than there is room for, one that is
 * not among them takes from the one that has least, until it has its place; all are halved
 * every minute. So rows of at most twice as many keys are written in a minute, however many
 * there are.
 */
struct busy_queue {
    int64_t queue, minute;
    uint32_t count, newcomers; /* in that minute */
    struct busy_key {
        uint64_t hash;
        uint32_t starts;
    } keys[BUSY_KEYS];
};

/* A hint as all that the engine keeps (admission/hints.h). */
struct busy {
    struct busy_queue *queues[BUSY_QUEUES]; /* malloc'ed */
    uint32_t count;
};

/* It is about to be given to a slot; it has ended. */
void minutes_start(struct batch *batch, const struct run *run);
void minutes_end(struct batch *batch, const struct run *run);
/* After the commit: which keys are busy. */
void minutes_keep(struct batch *batch);
void busy_finish(struct busy *busy);

#endif
