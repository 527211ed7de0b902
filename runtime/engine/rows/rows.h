/*
 * Rows of a batch: what the engine has asked for, what a store has loaded, what is to be
 * written.
 *
 * The engine asks with rows_* below; each returns false while the answer is not loaded and
 * notes the want. The batch loop then lets the store load every want in bulk and asks the
 * engine again. The store answers with rows_put_*; what it does not answer is absent.
 */
#ifndef ROWS_H
#define ROWS_H

#include "base/table.h"
#include "engine/admission/lane.h"
#include "engine/rows/row.h"

/* Does it take a place, in its queue and in a slot? Until its segment has returned, or was
 * killed. */
static inline bool run_is_executing(const struct run *run)
{
    return run->status == RUN_RUNNING || run->is_out;
}

static inline bool run_was_executing(const struct run *run)
{
    return run->loaded_status == RUN_RUNNING || run->loaded_is_out;
}

struct edges_want {
    int64_t waitpoint_id;
    uint32_t limit;
};

struct children_want {
    int64_t parent_id, after;
    uint32_t limit;
};

struct ready_want {
    int64_t queue, lane;
    uint32_t limit;
};

/* What to load next, each list without repeats inside a round. Cleared by rows_loaded. */
struct wants {
    struct run_want {
        int64_t id;
        uint32_t parts; /* enum run_part, besides the core row */
    } * runs;
    uint32_t run_count, run_capacity;
    struct ids waitpoints;
    struct edges_want *edges; /* the first `limit` edges of the waitpoint by run */
    uint32_t edge_count, edge_capacity;
    struct children_want *children; /* the first `limit` runs above `after` with that parent */
    uint32_t child_count, child_capacity;
    struct ids tokens; /* every PENDING token of one of these runs, but shared ones */
    struct ids queues;
    struct name_want {
        uint32_t environment;
        struct slice name;
    } * queue_names;
    uint32_t queue_name_count, queue_name_capacity;
    uint8_t (*keys)[16];
    uint32_t key_count, key_capacity;
    struct ready_want *ready; /* the first `limit` QUEUED runs of the lane by (rank_ms, id) */
    uint32_t ready_count, ready_capacity;
    struct idle_want {
        uint32_t environment, limit;
    } * idle;
    uint32_t idle_count, idle_capacity;
    bool running; /* how many runs are RUNNING, by lane */
};

/* One lane's answer to `ready`, in order. */
struct ready {
    struct run **runs;
    uint32_t count, capacity;
    uint32_t limit; /* that was asked for: fewer runs than this are all there are */
};

/* How many queues an environment has, and the unpaused without live runs, longest unused first.
 */
struct idle {
    uint32_t live;
    struct queue **queues;
    uint32_t count, capacity;
};

struct running {
    int64_t queue, lane;
    uint32_t environment, count;
};

struct children {
    struct ids ids; /* those that live (status < DONE) */
    int64_t last;   /* the last that was looked at, living or not; 0: none */
    uint32_t limit,
        count; /* that was asked for; that were looked at: fewer are all there are */
};

/* The ids of tokens; the rows are asked for one by one. */
struct tokens {
    struct ids ids;
};

struct edges {
    struct edge *first;
    uint32_t limit, count; /* that was asked for; that were found: fewer are all there are */
};

struct rows {
    struct arena *arena;
    struct wants wants;
    struct table runs, waitpoints, edges, children, tokens, queues, queue_names, keys, ready;
    struct table idle, edge_ends; /* edges by the hash of both their ends */
    struct table young;           /* parent → the runs it made in this batch */
    struct running *running;      /* as in the database */
    uint32_t running_count, running_capacity;
    bool running_loaded;
    struct lane_rows lanes;
    /* Everything in memory, for the flush; look at is_new and is_dirty. */
    struct run *run_list;
    struct waitpoint *waitpoint_list;
    struct edge *edge_list; /* new and deleted ones only */
    struct queue *queue_list;
    struct key *key_list;
    struct log_line *log_first, *log_last;
    uint32_t log_count;
};

void rows_init(struct rows *rows, struct arena *arena);

/* ---- the engine's side: false while not loaded ------------------------------------------- */

/* *run is NULL when there is none. */
bool rows_run(struct rows *rows, int64_t id, uint32_t parts, struct run **run);
bool rows_waitpoint(struct rows *rows, int64_t id, struct waitpoint **waitpoint);
/* At least the first `limit` edges of the waitpoint. */
bool rows_edges(struct rows *rows, int64_t waitpoint_id, uint32_t limit, struct edges **edges);
/* Asked once a batch for a parent, it keeps the first `after` and `limit`. */
bool rows_children(struct rows *rows, int64_t parent_id, int64_t after, uint32_t limit,
                   struct children **children);
/* Those in the database: what this batch has made or settled is in memory. */
bool rows_tokens(struct rows *rows, int64_t run_id, struct tokens **tokens);
/* What is in memory already, NULL when it is not. */
struct run *rows_run_here(const struct rows *rows, int64_t id);
struct waitpoint *rows_waitpoint_here(const struct rows *rows, int64_t id);
/* The first of the runs that `parent_id` made in this batch; the others by next_young. */
struct run *rows_young(const struct rows *rows, int64_t parent_id);
bool rows_queue(struct rows *rows, int64_t id, struct queue **queue);
bool rows_queue_named(struct rows *rows, uint32_t environment, struct slice name,
                      struct queue **queue);
bool rows_key(struct rows *rows, const uint8_t hash[16], struct key **key);
bool rows_ready(struct rows *rows, int64_t queue, int64_t lane, uint32_t limit,
                struct ready **ready);
bool rows_running(struct rows *rows);
bool rows_idle(struct rows *rows, uint32_t environment, uint32_t limit, struct idle **idle);

/* New rows, zeroed, in memory from now on and marked for the flush. */
struct run *rows_new_run(struct rows *rows, int64_t id);
/* Its parent is known from now on. */
void rows_new_child(struct rows *rows, struct run *run);
struct waitpoint *rows_new_waitpoint(struct rows *rows, int64_t id);
struct queue *rows_new_queue(struct rows *rows, int64_t id, uint32_t environment,
                             struct slice name);
struct key *rows_new_key(struct rows *rows, const uint8_t hash[16]);
struct edge *rows_new_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
void rows_delete_edge(struct rows *rows, struct edge *edge);
/* Takes the edge run → waitpoint away without loading the others. */
void rows_unlink(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
struct log_line *rows_new_log(struct rows *rows, int64_t run_id);

bool rows_wanted(const struct rows *rows);  /* is there anything to load? */
bool rows_changed(const struct rows *rows); /* is there anything to write? */

/* ---- the store's side: copies the row into the batch's arena ----------------------------- */

/* Slices of `row` must live as long as the arena; rows_arena(rows) is for copying them. An id
 * that is in memory already keeps what it has, and only gains the parts it lacked. */
struct run *rows_put_run(struct rows *rows, const struct run *row);
void rows_put_waitpoint(struct rows *rows, const struct waitpoint *row);
void rows_put_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
/* By rising id; each that was looked at, whether it lives or not. */
void rows_put_child(struct rows *rows, int64_t parent_id, int64_t run_id, bool is_live);
void rows_put_token(struct rows *rows, int64_t run_id, int64_t waitpoint_id);
void rows_put_queue(struct rows *rows, const struct queue *row);
void rows_put_key(struct rows *rows, const struct key *row);
/* In (rank_ms, id) order; the core row is put at the same time. */
void rows_put_ready(struct rows *rows, int64_t lane, const struct run *row);
void rows_put_idle(struct rows *rows, uint32_t environment, const struct queue *row);
void rows_put_live(struct rows *rows, uint32_t environment, uint32_t count);
void rows_put_running(struct rows *rows, const struct running *running);

/* The store has answered every want of this round. */
void rows_loaded(struct rows *rows);

#endif
