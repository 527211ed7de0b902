/*
 * A bulk action as a row: runs that are canceled or replayed, one after the other, in as many
 * batches as it takes.
 *
 *   PENDING ──all were looked at──▶ COMPLETED
 *      └──somebody stops it──▶ ABORTED
 *
 * It goes from the newest run to older ones, and `cursor` moves in the transaction in which a
 * run is touched: whatever happens, none is touched twice.
 */
#ifndef BULK_ACTION_H
#define BULK_ACTION_H

#include "base/slice.h"
#include "engine/rows/kind.h"

/* The numbers are stored: append only. */
enum bulk_status { BULK_PENDING, BULK_COMPLETED, BULK_ABORTED };
enum bulk_what { BULK_CANCEL, BULK_REPLAY };

struct bulk_action {
    struct row row;
    int64_t id;
    uint32_t environment;
    uint32_t status, what;
    uint32_t total; /* runs that were counted when it was made; all of them when it is done */
    uint32_t done, unchanged, failed; /* unchanged: they had ended already */
    uint32_t at;                      /* of `runs`: so many were looked at */
    bool due_is_span;
    int64_t created_ms, finished_ms;
    int64_t due_ms;        /* PENDING: when it goes on */
    int64_t cursor;        /* of `filter`: runs with ids from here on were looked at */
    struct slice filter;   /* packed (bulk/bulk_filter.c); empty: `runs` are meant */
    struct slice runs;     /* eight bytes each: their ids */
    struct slice failures; /* packed list of [run, why]: the first of them */
    struct slice name, by, why;
    struct slice stopped; /* who has stopped it; empty: nobody */
};

enum { BULK_RUNS_MOST = 1000, BULK_FAILURES_MOST = 100 };

/* As those of rows.h. */
struct rows;
bool rows_bulk(struct rows *rows, int64_t id, struct bulk_action **row);
struct bulk_action *rows_new_bulk(struct rows *rows, int64_t id);

#endif
