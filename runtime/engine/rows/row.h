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
#include "engine/rows/kind.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers are stored: append only. DONE is last so that "live" is `< RUN_DONE`. */
enum run_status {
    RUN_DELAYED, /* until due_ms: a delayed start, or the pause before a retry */
    RUN_QUEUED,
    RUN_PARKED, /* no loaded build has the task, or the segment; waits for one that does */
    RUN_RUNNING,
    RUN_WAITING,
    RUN_DONE,
    RUN_STATUS_COUNT
};

enum run_outcome {
    OUTCOME_NONE,
    OUTCOME_COMPLETED,
    OUTCOME_FAILED,
    OUTCOME_CRASHED,
    OUTCOME_TIMED_OUT,
    OUTCOME_CANCELED,
    OUTCOME_EXPIRED,
    OUTCOME_SYSTEM_FAILURE,
    OUTCOME_COUNT
};

/* What is known of secrets in a run's values: why people may not see them as they are. */
enum run_secrets {
    SECRETS_DECLARED = 1, /* a schema file that it was under marks some */
    SECRETS_MIXED = 2,    /* it was under several files, so none of them says all */
    SECRETS_MET = 4       /* a token of its own, or a child, had some */
};

/* What a run that is not QUEUED, RUNNING or PARKED is found by: its status while it lives, and
 * this + the outcome when it ended other than completed. */
enum { PLACE_ENDED = 8 };

/* Of a schema file's 32 bytes of hash, these are kept with each run: enough to tell the files
 * of one task from each other, and a parked run is a row of some hundred bytes. */
enum { SCHEMA_KEPT_BYTES = 8 };

/* Which big columns of a run are in memory. Each is a table of its own. */
enum run_part { PART_INPUT = 1, PART_STATE = 2, PART_OUTPUT = 4 };

struct run {
    struct row row;
    int64_t id;
    uint32_t environment;
    uint32_t status, outcome;
    uint32_t seq;        /* counts the moves; the fence */
    int64_t queue, lane; /* of its concurrency key; without one the lane is the queue */
    int64_t rank_ms;     /* queued_at - priority; smaller starts first; kept for life */
    int64_t due_ms;   /* DELAYED: when it is ready; QUEUED: when its ttl ends; WAITING: when the
                         time it  waits for comes, or when it gives up waiting; DONE: since when
                         what follows from its end is not done yet (settle.c); else 0 */
    bool due_is_span; /* due_ms is by the steady clock, no date (base/clock.h) */
    int64_t created_ms, updated_ms, started_ms, finished_ms;
    int64_t ttl_ms; /* 0: none; counts from entering the queue, until the first start */
    int64_t priority_ms;
    int64_t limit_ms;           /* attempt time asked for by the trigger; 0: the task's own */
    int64_t parent_id, root_id; /* parent 0: none; root is the run itself then */
    int64_t id_block;           /* of the current entry; 0 before the first */
    int64_t swept_id; /* canceled: its children up to this one are, too; 0: none, all */
    int64_t busy_us;  /* time in segments */
    uint32_t attempt, max_attempts;
    uint32_t entry;     /* segments entered so far */
    uint32_t depth;     /* 0 for a root */
    uint32_t remaining; /* WAITING: edges that must still fire */
    uint32_t progress;  /* percent */
    uint32_t log_lines; /* said so far; of many, the first and the last are kept */
    uint32_t secrets;   /* enum run_secrets */
    bool is_test;
    bool is_out;       /* DONE, but its segment has not returned yet: its place is taken */
    bool needs_parent; /* made by a task that may wait for it; informational */
    bool has_tokens;   /* it has made some: they are closed when it ends */
    struct slice task;
    struct slice segment; /* the one to enter next or being run; empty: the task's first */
    struct slice version, build; /* of the last start; build is 16 hex digits of its SHA-256 */
    struct slice tags;           /* packed list of strings, sorted; empty: none */
    struct slice metadata;       /* packed map; empty: none */
    struct slice error; /* of this attempt and of earlier ones: failure.c; empty: none */
    struct slice wait;  /* packed; engine/wait.h; kept until the segment after the wait ends */
    struct slice once;  /* packed map name → value of this entry; empty: none */
    struct slice timeline; /* moves, opaque bytes; engine/timeline.h */
    struct slice key;      /* 16 raw bytes of the idempotency key's hash; empty: none */
    struct slice key_text; /* what the user called it */
    struct slice concurrency_key;
    /* SCHEMA_KEPT_BYTES of the hash of its task's schema file: when it was triggered (empty:
     * there was none, or the row is older than this field), and when it was started last
     * (empty: the same; one zero byte: there was none). */
    struct slice schema, schema_now;
    struct slice deaths; /* of the server while it was out; engine/deaths.h */

    struct slice input, state, output; /* packed; row.parts says which are in memory */

    /* In memory only. */
    uint32_t problems;      /* of its output, which is kept all the same: for the event */
    struct slice why;       /* it is canceled: for the timeline */
    bool makes_tokens;      /* in this batch */
    struct run *next_young; /* made in this batch by the same parent */
};

enum waitpoint_kind { WAITPOINT_TOKEN, WAITPOINT_TIME };
enum waitpoint_status {
    WAITPOINT_PENDING,
    WAITPOINT_COMPLETED,
    WAITPOINT_TIMED_OUT,
    WAITPOINT_CANCELLED /* the run that made it has ended, and nobody else waits for it */
};

/* Tokens and timers. A run is its own waitpoint: an edge may name a run's id. */
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
    int64_t run_id;      /* that made it; 0: made over HTTP */
    uint32_t is_shared;  /* its key is not that run's alone: it outlives the run */
    struct slice task;   /* of that run; empty: none */
    struct slice schema; /* the token's name in the task's schema file; empty: unchecked */
    struct slice tags;   /* packed list; empty: none */
    struct slice key_text;
    int64_t key_expires_ms;
    struct slice result; /* packed; empty until completed */
    struct slice secret; /* SCHEMA_KEPT_BYTES of the schema file that marks secrets in the
                            result; empty: none are marked */
};

/* run waits for waitpoint (a token's, timer's or run's id). */
struct edge {
    struct row row; /* listed with the batch's when it is new or deleted */
    int64_t waitpoint_id, run_id;
    struct edge *next;      /* of the same waitpoint */
    struct edge *next_same; /* whose ends have the same hash */
};

struct queue {
    struct row row;
    int64_t id;
    uint32_t environment;
    struct slice name; /* "task/<id>" for a task's own queue */
    bool paused;
    int64_t paused_ms, created_ms;
    /* Totals since the queue exists. */
    int64_t completed, failed, canceled; /* failed: every other outcome */
    int64_t wait_ms, busy_us;            /* summed over finished runs */
    int64_t used_ms;                     /* made, resumed, or a run of it finished */
    /* Not there for anybody, but done runs know it by its id, and it comes back when it is
     * named again. Its totals went to the environment's queue without a name. */
    bool removed;
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
