/* Wants: what a batch asks a store for in one round. */
#ifndef WANT_H
#define WANT_H

#include "engine/rows/lane.h"
#include "engine/rows/row.h"

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

/* What a row is found by: its id, the bytes that are its key, or (scope, title). */
struct row_key {
    int64_t id; /* or the scope of `bytes` */
    struct slice bytes;
};

struct row_want {
    struct row_key key;
    uint32_t parts; /* besides the core row */
};

struct row_wants {
    struct row_want *items;
    uint32_t count, capacity;
};

struct run_filter;

/* What to load next, each list without repeats inside a round. Cleared by rows_loaded. */
struct wants {
    struct row_wants keys[ROW_KINDS], titles[ROW_KINDS]; /* rows by their key; by their title */
    struct edges_want *edges; /* the first `limit` edges of the waitpoint by run */
    uint32_t edge_count, edge_capacity;
    struct children_want *children; /* the first `limit` runs above `after` with that parent */
    uint32_t child_count, child_capacity;
    struct ids tokens;        /* every PENDING token of one of these runs, but shared ones */
    struct ready_want *ready; /* the first `limit` QUEUED runs of the lane by (rank_ms, id) */
    uint32_t ready_count, ready_capacity;
    struct idle_want {
        uint32_t environment, limit;
    } * idle;
    uint32_t idle_count, idle_capacity;
    struct node_want {
        uint32_t node, limit;
    } * runs_of; /* runs that the node executes, or that are QUEUED at home there */
    uint32_t runs_of_count, runs_of_capacity;
    struct ids grants_of; /* of these nodes, what they hold or want */
    /* Of those QUEUED at home elsewhere and of these tasks, by rising lane: of so many lanes
     * above `after` so many each, best ranked first, but suspects (deaths.h) last; 0 lanes:
     * they are not wanted. */
    struct away_want {
        int64_t after;
        uint32_t lanes, depth;
        const struct slice *tasks;
        uint32_t task_count;
    } away;
    struct select_want {
        int64_t by;
        const struct run_filter *filter;
    } * selects; /* runs of a filter: run_filter.h */
    uint32_t select_count, select_capacity;
    bool nodes;   /* all of them */
    bool running; /* how many runs are RUNNING, by lane */
};

#endif
