/* Rows that the store itself writes while no server runs: over HTTP they would take longer than
 * all the rest. */
#ifndef BENCH_FILL_H
#define BENCH_FILL_H

#include "cli/bench/bench.h"
#include "store/store.h"

struct fill {
    struct store *store;
    struct id_source ids;
    struct arena arena; /* of the rows at hand */
    struct rows rows;
    uint32_t environment, rows_made;
    struct arena lasting;
    struct slice payload; /* packed */
};

/* The server has stopped, and left a database. */
bool fill_begin(struct fill *fill, const struct bench *bench, struct err *err);
/* A paused queue; its id. */
int64_t fill_queue(struct fill *fill, const char *name);
int64_t fill_lane(struct fill *fill, int64_t queue, const char *key);
/* A QUEUED run of bench-echo; valid until fill_some. */
struct run *fill_run(struct fill *fill, int64_t queue, int64_t lane, const char *key);
/* Writes what there is when it has become much. */
bool fill_some(struct fill *fill, struct err *err);
/* Writes the rest, unless something has gone wrong before, and closes. */
bool fill_end(struct fill *fill, bool done, struct err *err);

#endif
