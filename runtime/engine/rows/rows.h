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
#include "engine/rows/lane.h"
#include "engine/rows/row.h"
#include "engine/rows/run_batch.h"
#include "engine/rows/want.h"

/* Does it take a place, in its queue and in a slot? Until its segment has returned, or was
 * killed. */
static inline bool run_is_executing(const struct run *run)
{
    return run->status == RUN_RUNNING || run->is_out;
}

/* As it is in the store, NULL when it is new. */
static inline const struct run *run_loaded(const struct run *run)
{
    return (const struct run *)run->row.loaded;
}

static inline bool run_was_executing(const struct run *run)
{
    return run->row.loaded != NULL && run_is_executing(run_loaded(run));
}

/* A row by its kind and id. */
struct row_ref {
    enum row_kind kind;
    int64_t id;
};

struct row_refs {
    struct row_ref *items;
    uint32_t count, capacity;
};

void row_refs_add(struct arena *arena, struct row_refs *refs, enum row_kind kind, int64_t id);

void rows_ids_add(struct arena *arena, struct ids *ids, int64_t id);

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
    struct ids ids; /* those that are not over (run_is_over) */
    int64_t last;   /* the last that was looked at, over or not; 0: none */
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
    struct table by_key[ROW_KINDS], by_title[ROW_KINDS];
    struct table edges, children, tokens, ready, idle, selected; /* answers */
    struct table edge_ends;  /* edges by the hash of both ends */
    struct table young;      /* parent → the runs it made in this batch */
    struct running *running; /* as in the database */
    uint32_t running_count, running_capacity;
    bool running_loaded;
    struct lane_rows lanes;
    /* With many nodes: */
    uint32_t node; /* whose batch it is: what is ready or running is asked of it alone */
    struct table runs_of, grants_of;
    struct ids away;
    bool away_loaded, away_is_all, nodes_loaded;
    struct row *list[ROW_KINDS]; /* all in memory, the last first; of edges the changed ones */
};

#define EACH_ROW(rows, which, type, each)                                      \
    for (struct type *each = (struct type *)(rows)->list[which]; each != NULL; \
         each = (struct type *)each->row.next)
#define EACH_RUN(rows, each) EACH_ROW(rows, ROW_RUN, run, each)

void rows_init(struct rows *rows, struct arena *arena);

/* ---- the engine's side: false while not loaded ------------------------------------------- */

/* *row is NULL when there is none; `parts` are those of its big fields that are needed. */
bool rows_get(struct rows *rows, enum row_kind kind, struct row_key key, uint32_t parts,
              struct row **row);
bool rows_titled(struct rows *rows, enum row_kind kind, int64_t scope, struct slice title,
                 struct row **row);
bool rows_run(struct rows *rows, int64_t id, uint32_t parts, struct run **run);
bool rows_waitpoint(struct rows *rows, int64_t id, struct waitpoint **waitpoint);
/* At least the first `limit` edges of the waitpoint. */
bool rows_edges(struct rows *rows, int64_t waitpoint_id, uint32_t limit, struct edges **edges);
/* Asked once a batch, it keeps the first `after` and `limit`. */
bool rows_children(struct rows *rows, int64_t parent_id, int64_t after, uint32_t limit,
                   struct children **children);
/* Those in the database: what this batch has made or settled is in memory. */
bool rows_tokens(struct rows *rows, int64_t run_id, struct tokens **tokens);
/* What is in memory already, NULL when it is not. */
struct run *rows_run_here(const struct rows *rows, int64_t id);
struct environment *rows_environment_here(const struct rows *rows, uint32_t number);
struct waitpoint *rows_waitpoint_here(const struct rows *rows, int64_t id);
/* The first of the runs that `parent_id` made in this batch; the others by next_young. */
struct run *rows_young(const struct rows *rows, int64_t parent_id);
bool rows_environment(struct rows *rows, uint32_t number, struct environment **environment);
bool rows_queue(struct rows *rows, int64_t id, struct queue **queue);
/* nodes_rows.c */
bool rows_nodes(struct rows *rows); /* all of them are in memory */
bool rows_grant(struct rows *rows, int64_t scope, struct grant **grant);
struct node *rows_new_node(struct rows *rows, uint32_t number);
struct grant *rows_new_grant(struct rows *rows, int64_t scope);
bool rows_runs_of(struct rows *rows, uint32_t node, uint32_t limit, struct tokens **runs);
bool rows_grants_of(struct rows *rows, uint32_t node, struct tokens **scopes);
bool rows_away(struct rows *rows, const struct away_want *want, struct ids **runs);
/* Are there no more lanes behind them? */
bool rows_away_is_all(const struct rows *rows);
void nodes_rows_init(struct rows *rows);
bool nodes_wanted(const struct rows *rows);
void nodes_loaded(struct rows *rows);
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
/* Or the one that is there, to be written over. */
struct key *rows_new_key(struct rows *rows, const uint8_t hash[16]);
struct edge *rows_new_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
void rows_delete_edge(struct rows *rows, struct edge *edge);
/* Takes the edge run → waitpoint away without loading the others. */
void rows_unlink(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
struct log_line *rows_new_log(struct rows *rows, int64_t run_id);
/* All that the run has said goes. */
void rows_drop_log(struct rows *rows, int64_t run_id);

bool rows_wanted(const struct rows *rows);  /* is there anything to load? */
bool rows_changed(const struct rows *rows); /* is there anything to write? */

/* ---- the store's side: copies the row into the batch's arena ----------------------------- */

/* Takes `row`, which is in the batch's arena with all that it borrows, and returns the one in
 * memory: what is there already keeps what it has, and only gains the parts that it lacked. */
struct row *rows_put(struct rows *rows, enum row_kind kind, struct row *row);
void rows_put_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
/* By rising id; each that was looked at, whether it is over or not. */
void rows_put_child(struct rows *rows, const struct run *run);
void rows_put_token(struct rows *rows, int64_t run_id, int64_t waitpoint_id);
/* In (rank_ms, id) order; the row has been put. */
void rows_put_ready(struct rows *rows, int64_t lane, struct run *run);
void rows_put_idle(struct rows *rows, uint32_t environment, struct queue *queue);
void rows_put_live(struct rows *rows, uint32_t environment, uint32_t count);
void rows_put_run_of(struct rows *rows, uint32_t node, int64_t run_id);
void rows_put_grant_of(struct rows *rows, uint32_t node, int64_t scope);
void rows_put_away(struct rows *rows, int64_t run_id);
void rows_put_running(struct rows *rows, const struct running *running);

/* The store has answered every want of this round. */
void rows_loaded(struct rows *rows);

#endif
