/* Pruning: what is old and asked for by nobody goes. */
#ifndef PRUNE_H
#define PRUNE_H

#include "engine/rows/rows.h"

struct batch;
struct catalog;
struct command;
struct engine;
struct err;

/* How many, and between which times what went had ended. */
struct pruned_kind {
    uint32_t count;
    int64_t oldest_ms, newest_ms;
};

struct pruned {
    struct pruned_kind runs, tokens, early_answers, logs, queues, batches;
};

enum { PRUNE_LOOKS = 250, PRUNE_MOST = 100 }; /* so much in one command that nobody notices */

/* The rows of a kind above `after`, as many as are looked at in one command. */
struct prune {
    enum row_kind kind;   /* of runs, waitpoints, batches, their items, bulk actions, queues */
    uint32_t environment; /* 0: all, and what runs wait for is marked by the way */
    int64_t after;
    uint32_t looks, most; /* rows to look at, and to remove */
    bool is_dry;          /* only count */
    int64_t asked_ms;     /* of one environment: all that had ended then is looked at; 0: now */
    struct ids ids;       /* the store's answer; */
    bool is_all;          /* there are no more behind them */
    /* Reply */
    int64_t last; /* go on behind it */
    bool is_end;
    bool is_waiting; /* for a walk over all that began after asked_ms; ask again with that */
    int64_t shortest_ms; /* of the times that anything is kept */
    bool has_marks; /* false: it is not known yet what runs wait for, so that little goes */
    struct pruned pruned;
};

/* A run begins to wait for what has ended before: it must stay until the run has asked. */
void prune_hold_run(const struct batch *batch, struct run *run);
void prune_hold_token(struct batch *batch, struct waitpoint *token);
/* Was it made so long ago that what is not there was removed, or else is still to come? */
bool prune_is_past(const struct batch *batch, int64_t id);
/* What is said of a token that is not there: GONE or NOT_FOUND. Returns false. */
bool prune_token_missing(const struct catalog *catalog, int64_t now_ms, int64_t id,
                         struct err *err);
/* Of what is kept as long as runs: has it ended so long ago, and does nobody wait for it? */
bool prune_may_go(const struct batch *batch, uint32_t environment, int64_t id,
                  int64_t since_ms);
void pruned_count_one(struct pruned_kind *to, int64_t ended_ms);
void pruned_add(struct pruned *to, const struct pruned *more);
/* What its next walk is to begin for, though it may not be due. */
struct prune_wish {
    bool marks;                 /* somebody is_waiting */
    uint32_t retention_changes; /* so far */
};

struct prune_wish prune_wish(const struct engine *engine);
/* Another catalog: are things kept for other times now? */
void prune_catalog(struct engine *engine, const struct catalog *next);
/* The clocks as a batch found them. */
void prune_look(struct batch *batch);
void prune_commit(struct batch *batch);

#endif
