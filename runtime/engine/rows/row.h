/*
 * Rows: what is durable. The engine moves them, a store keeps them.
 *
 * All slices are borrowed from the batch's or the reader's arena. Times are milliseconds since
 * 1970, 0 alone meaning "none"; due_ms is never negative, but for rows that an older version
 * wrote. Blobs called packed are msgpack.
 */
#ifndef ROW_H
#define ROW_H

#include "base/slice.h"
#include "engine/rows/pause.h"
#include "engine/rows/run.h"

#include <stdbool.h>
#include <stdint.h>

enum waitpoint_kind { WAITPOINT_TOKEN, WAITPOINT_TIME, WAITPOINT_BATCH };
enum waitpoint_status {
    WAITPOINT_PENDING,
    WAITPOINT_COMPLETED,
    WAITPOINT_TIMED_OUT,
    WAITPOINT_CANCELLED, /* closed, or its run has ended and nobody else waits for it */
    WAITPOINT_FAILED     /* a batch that was aborted */
};

/* Tokens and timers, and batches that a run made, under their own id. A run is its own
 * waitpoint: an edge may name a run's id. */
struct waitpoint {
    struct row row;
    int64_t id;
    uint32_t environment;
    uint32_t kind, status;
    int64_t due_ms;     /* times out (TOKEN) or fires (TIME) then; 0: never; once settled: since
                           when runs are still to be told (settle.c), 0: all are */
    bool due_is_span;   /* by the steady clock, no date */
    int64_t timeout_ms; /* when it was to time out, a date kept for show; 0: never */
    int64_t created_ms, completed_ms;
    int64_t used_ms;    /* a run began to wait for it when it was settled already, by the steady
                           clock; 0: none did */
    int64_t run_id;     /* that made it; 0: made over HTTP */
    uint32_t is_shared; /* its key is not that run's alone: it outlives the run */
    struct slice task;  /* of that run; empty: none */
    struct slice schema; /* the token's name in the task's schema file; empty: unchecked */
    struct slice tags;   /* packed list; empty: none */
    struct slice key, key_text; /* key: 16 raw bytes of its hash; it goes with the token */
    int64_t key_expires_ms;
    struct slice result; /* packed; empty until completed */
    struct slice secret; /* SCHEMA_KEPT_BYTES of the schema file that marks secrets in the
                            result; empty: none are marked */
    struct slice note;   /* what somebody did to it, "closed by ann: …"; empty: nothing */
};

/* run waits for waitpoint (a token's, timer's or run's id). */
struct edge {
    struct row row; /* listed with the batch's when it is new or deleted */
    int64_t waitpoint_id, run_id;
    struct edge *next;      /* of the same waitpoint */
    struct edge *next_same; /* whose ends have the same hash */
};

/* A world of its own; its number is given out for its name, once and for ever. */
struct environment {
    struct row row;
    int64_t number;
    struct slice name;
    PAUSE_ROW;
};

/* limit 0: any number. */
struct set_rate {
    int64_t since_ms; /* 0: it is not set */
    int64_t per_ms;
    uint32_t limit, burst;
};

struct queue {
    struct row row;
    int64_t id;
    uint32_t environment;
    struct slice name; /* "task/<id>" for a task's own queue */
    PAUSE_ROW;
    int64_t created_ms;
    /* Totals since the queue exists. */
    int64_t completed, failed, canceled; /* failed: every other outcome */
    int64_t wait_ms, busy_us;            /* summed over finished runs that had started */
    int64_t used_ms;                     /* made, resumed, or a run of it finished */
    /* Not there for anybody, but done runs know it by its id, and it comes back when it is
     * named again. Its totals went to the environment's queue without a name. */
    bool removed;
    /* Of each lane, instead of the configured one, since override_ms; 0: it is not. */
    uint32_t override_limit;
    int64_t override_ms;
    struct slice override_by; /* empty: it was not said */
    int64_t pushed_ms; /* none of its lanes is pushed back for longer, by the steady clock */
    /* Instead of the configured rates: two of struct set_rate, as they are in memory, of the
     * queue and of its keys; empty: none is set. */
    struct slice rates, rates_by;
    int64_t unstarted; /* of completed, failed and canceled: they ended before they started */
};

/* Runs of it that have ended and had started: what wait_ms and busy_us are of. */
static inline int64_t queue_ended_started(const struct queue *queue)
{
    return queue->completed + queue->failed + queue->canceled - queue->unstarted;
}

/* A process that shares the store with others. Number 0 is none, the roll: its epoch counts
 * how often one has joined, or offers something else, or a limit was set. */
struct node {
    struct row row;
    int64_t number; /* of this start: never given out again */
    uint32_t epoch;
    int64_t lease_ms;    /* by the steady clock: then it is dead, and others take over */
    struct slice offers; /* packed list of the tasks that it can run */
};

/* What a limit allows, dealt out to nodes; the sum never exceeds it. */
struct grant {
    struct row row;
    int64_t scope;        /* a lane's id, minus a queue's for its total, an environment's
                             number, or a pool's (catalog.h) */
    struct slice holders; /* eight bytes each: the node and how many it has */
    struct slice hungry;  /* the same: nodes that would take more */
};

/* Ids are far above all numbers of environments. */
static inline bool scope_is_environment(int64_t scope)
{
    return scope > 0 && scope <= UINT32_MAX;
}

/* What has started of a queue or lane that has a rate, or was pushed back. It says nothing any
 * more when its time has come. */
struct rate {
    struct row row;
    int64_t scope;       /* a lane's id, or minus a queue's */
    int64_t tat_us;      /* when all that has started is paid for, by the steady clock */
    int64_t interval_us; /* the rate by which that was counted */
    uint32_t burst;
    int64_t pushed_ms; /* a segment has said that nothing of the lane is to start before */
};

/* An idempotency key: (environment, kind, scope, text) hashed to 16 bytes → what was made. */
struct key {
    struct row row;
    uint8_t hash[16];
    int64_t target;     /* run or token id */
    int64_t expires_ms; /* by the steady clock; 0: never */
    uint8_t payload[8]; /* of the payload's hash */
};

/* One line of a run's log. They are numbered from 1; one may take an earlier one's place. */
struct log_line {
    struct row row;
    int64_t run_id, at_ms;
    uint32_t line; /* its number */
    uint32_t level, attempt;
    struct slice segment; /* that said it; empty: a version that did not keep it */
    struct slice text;

    /* In memory only: those behind line `keeps` up to `drops` go; 0: none does. */
    uint32_t keeps, drops;
};

/* The next of a list that a reader gave. */
static inline struct log_line *log_line_next(const struct log_line *line)
{
    return (struct log_line *)line->row.next;
}

#endif
