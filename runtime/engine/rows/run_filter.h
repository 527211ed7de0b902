/* Which runs are meant: of a list, or of an action on many. */
#ifndef RUN_FILTER_H
#define RUN_FILTER_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct run;
struct rows;

struct slices {
    struct slice *items;
    uint32_t count;
};

/* Newest first. Lists are "any of"; empty lists and zeroes do not filter. */
struct run_filter {
    uint32_t environment;
    uint32_t limit; /* rows wanted; the page says whether there are more */
    int64_t after;  /* only ids below: the next page; 0: from the newest */
    int64_t before; /* only ids above: the previous page; wins over after */
    /* (status, outcome) pairs; outcome only matters with RUN_DONE, and GIVEN_UP: of those that
     * are DELAYED the paused alone, of those that are DONE the dead letters. */
    struct {
        uint32_t status, outcome;
    } statuses[16];
    uint32_t status_count;
    struct slices tasks, queues, versions, tags;
    struct slices schedules; /* ids, or names; of a list alone */
    /* Of the metadata; all of them. */
    struct {
        struct slice key, text; /* text: label_text() of the value */
    } members[8];
    uint32_t member_count;
    int64_t from_ms, to_ms; /* created; inclusive */
    int64_t bulk;           /* of that bulk action; 0: any */
    int is_test;            /* -1 any, 0, 1 */
    uint32_t
        looks; /* a walk over all of them, so many rows at a time: nobody asks what comes
                  before, and no index is used that is not in the order of ids; 0: a page */
};

enum { FILTER_QUEUES_MOST = 256, OUTCOME_GIVEN_UP = 99 };

/* `queues`: the ids of those that it names. `scratch` is reset. */
bool run_filter_matches(const struct run_filter *filter, const int64_t *queues,
                        uint32_t queue_count, const struct run *run, struct arena *scratch);
/* List of packed strings: does it have one of `any`? `scratch` is reset. */
bool list_has_any(struct arena *scratch, struct slice packed, const struct slices *any);

/* What a store has found of a walk: runs that match, the newest first, all of them in memory.
 */
struct selected {
    int64_t *ids;
    uint32_t count, capacity;
    int64_t next; /* go on below it; 0: that was all */
};

/* One a batch for each `by`, which is some row's id. `filter` stays until it is answered. */
bool rows_selected(struct rows *rows, int64_t by, const struct run_filter *filter,
                   struct selected **selected);
/* The store's side: one more run, which has been put; where to go on. */
void rows_put_selected(struct rows *rows, int64_t by, int64_t run_id);
void rows_put_selected_next(struct rows *rows, int64_t by, int64_t next);
void selects_loaded(struct rows *rows);

#endif
