/*
 * Batches as rows: many runs that were asked for together, each by its index.
 *
 *   OPEN ──all items are there──▶ SEALED, or, of all or none, MAKING ─▶ SEALED
 *     └─────── due_ms, or one is bad of all or none ───────▶ ABORTED
 *
 * Its items have `room` ids that were set aside for them: the run of item i is first_id + i, so
 * that an item which became a run needs no row of its own.
 */
#ifndef RUN_BATCH_H
#define RUN_BATCH_H

#include "base/slice.h"
#include "engine/rows/kind.h"

/* The numbers are stored: append only. */
enum batch_status { BATCH_OPEN, BATCH_MAKING, BATCH_SEALED, BATCH_ABORTED };

struct run_batch {
    struct row row;
    int64_t id;
    uint32_t environment;
    uint32_t status;
    uint32_t expected; /* items; 0: whoever seals it says how many there are */
    uint32_t room;     /* no index is so large */
    uint32_t received; /* items that are there */
    uint32_t most;     /* every index of those is smaller */
    uint32_t refused;  /* of those: they became no run, and have ended as failed */
    uint32_t made;     /* MAKING: how many of those kept aside are runs */
    uint32_t ended;    /* items with an answer */
    uint32_t failed;   /* of those: other than completed */
    bool due_is_span;  /* due_ms is by the steady clock */
    bool is_atomic;    /* all or none: nothing starts before all are there and good */
    int64_t created_ms;
    int64_t due_ms;      /* OPEN: aborted then; MAKING: at once; finished: since when some who
                            wait for it are still to be told; 0: never */
    int64_t sealed_ms;   /* 0: it is open */
    int64_t finished_ms; /* every item has its answer, or it was aborted; 0: not yet */
    int64_t used_ms;     /* a run began to wait for it when it had finished already */
    int64_t first_id;    /* of item 0 */
    int64_t parent_id;   /* the run that made it, and is its runs' parent; 0: over HTTP */
    struct slice key, key_text; /* key: 16 raw bytes of its hash; empty: none */
    struct slice why;           /* it was aborted */
};

enum item_kind {
    ITEM_KEPT,    /* aside, until all are there and good */
    ITEM_REFUSED, /* `error` says why */
    ITEM_LINKED   /* its answer is that of `target`, which was there: by its key, or its
                    lane; or which collects, and has it */
};

/* An item that is no run of its own. */
struct batch_item {
    struct row row;
    int64_t id; /* first_id + index */
    int64_t created_ms;
    int64_t batch, target;
    int64_t given; /* hash of its payload */
    uint32_t kind;
    struct slice task;
    struct slice error; /* REFUSED: a sentence */
    struct slice asked; /* KEPT: what is to be triggered, packed */
};

/* As those of rows.h. */
struct rows;
bool rows_run_batch(struct rows *rows, int64_t id, struct run_batch **row);
bool rows_item(struct rows *rows, int64_t id, struct batch_item **item);
struct run_batch *rows_run_batch_here(const struct rows *rows, int64_t id);
struct batch_item *rows_item_here(const struct rows *rows, int64_t id);
struct run_batch *rows_new_batch(struct rows *rows, int64_t id);
struct batch_item *rows_new_item(struct rows *rows, int64_t id);

#endif
