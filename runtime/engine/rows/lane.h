/*
 * Lanes: the runs of one queue with one concurrency key, in rank order; they are what dispatch
 * takes runs from. Those without a key are in the queue's own lane, whose id is the queue's and
 * which has no row. A lane with a key is a row, made when it is first named, and removed when
 * no live run has it.
 */
#ifndef LANE_H
#define LANE_H

#include "base/table.h"
#include "engine/rows/kind.h"

struct rate;
struct rows;

struct ids {
    int64_t *items;
    uint32_t count, capacity;
};

struct lane {
    struct row row;
    int64_t id;
    uint32_t environment;
    int64_t queue;
    struct slice key;
    int64_t created_ms;
    int64_t last; /* the run that was made last, where its queue says on_conflict; 0: none */
};

/* Lanes of a queue that have QUEUED runs, by rising id. */
struct lanes {
    struct ids ids;
    uint32_t limit; /* that was asked for: fewer are all there are above `after` */
};

/* Lanes above `after` without a live run, oldest first. */
struct idle_lanes {
    struct lane **items;
    uint32_t count, capacity;
    int64_t after;
    uint32_t limit; /* that was asked for; 0: they were not */
    bool is_wanted, is_loaded;
};

/* What waits in a queue: how many are DELAYED, QUEUED or PARKED in the database, and those that
 * were made first of the QUEUED ones; of more than CROWD_LOOK of those, of as many by lane and
 * rank. */
struct queue_crowd {
    int64_t count;
    struct ids oldest;
    uint32_t most; /* set by the engine: others may add to it up to so many, before this batch
                      is committed; 0: any number */
};

enum { CROWD_LOOK = 10000 };

/* Of struct rows. */
struct lane_rows {
    struct table of_queues, crowds;
    struct idle_lanes idle;
    /* Wants, cleared by rows_loaded. */
    struct lanes_want {
        int64_t queue, after;
        uint32_t limit;
    } * queues;
    uint32_t queue_count, queue_capacity;
    struct crowd_want {
        int64_t queue;
        uint32_t limit; /* of the oldest */
    } * crowds_of;
    uint32_t crowd_count, crowd_capacity;
};

/* ---- the engine's side: false while not loaded ------------------------------------------- */

bool rows_lane_named(struct rows *rows, int64_t queue, struct slice key, struct lane **lane);
struct lane *rows_new_lane(struct rows *rows, int64_t id, int64_t queue, struct slice key);
/* The first `limit` above `after`; asked once a batch for a queue. */
bool rows_lanes(struct rows *rows, int64_t queue, int64_t after, uint32_t limit,
                struct lanes **lanes);
bool rows_rate(struct rows *rows, int64_t scope, struct rate **rate);
struct rate *rows_new_rate(struct rows *rows, int64_t scope);
bool rows_idle_lanes(struct rows *rows, int64_t after, uint32_t limit,
                     struct idle_lanes **idle);

/* Asked once a batch for a queue. */
bool rows_crowd(struct rows *rows, int64_t queue, uint32_t limit, struct queue_crowd **crowd);

/* ---- the store's side -------------------------------------------------------------------- */

void rows_put_lane_of(struct rows *rows, int64_t queue, int64_t lane);
void rows_put_idle_lane(struct rows *rows, struct lane *lane);
void rows_put_crowd(struct rows *rows, int64_t queue, int64_t count);
void rows_put_oldest(struct rows *rows, int64_t queue, int64_t run_id);

/* For rows.c. */
void lane_rows_init(struct rows *rows);
bool lanes_wanted(const struct rows *rows);
void lanes_loaded(struct rows *rows);

#endif
