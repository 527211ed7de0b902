/* Records: rows as structs ⇄ rows as columns, one function a table and direction. */
#ifndef RECORD_SQLITE_H
#define RECORD_SQLITE_H

#include "connection.h"
#include "engine/row.h"
#include "store/reader.h"

/* Where a run stands in the index run_place: its status while it is live. The numbers are
 * stored. */
enum place {
    PLACE_DELAYED = RUN_DELAYED,
    PLACE_QUEUED = RUN_QUEUED,
    PLACE_PARKED = RUN_PARKED,
    PLACE_RUNNING = RUN_RUNNING,
    PLACE_WAITING = RUN_WAITING,
    PLACE_ENDED = 8, /* and its outcome, unless that is COMPLETED */
};

/* ---- writing; inside a transaction --------------------------------------------------------
 */

bool run_insert(struct connection *connection, const struct run *run, struct err *err);
/* Environment, task and parent are as at birth. Picks the narrow statement when nothing that is
 * indexed has changed. */
bool run_update(struct connection *connection, const struct run *run, struct err *err);
/* One of the big columns; empty deletes it. */
bool part_write(struct connection *connection, int64_t run_id, enum run_part part,
                struct slice data, struct err *err);
bool waitpoint_write(struct connection *connection, const struct waitpoint *waitpoint,
                     struct err *err);
bool edge_write(struct connection *connection, int64_t waitpoint_id, int64_t run_id,
                bool is_deleted, struct err *err);
bool queue_write(struct connection *connection, const struct queue *queue, struct err *err);
bool key_write(struct connection *connection, const struct key *key, struct err *err);
bool log_line_write(struct connection *connection, const struct log_line *line,
                    struct err *err);

/* ---- reading: the row `query` stands on; slices as query->arena says ----------------------
 */

bool run_take(struct query *query, struct run *run, struct err *err);
bool waitpoint_take(struct query *query, struct waitpoint *waitpoint, struct err *err);
void queue_take(struct query *query, struct queue *queue);
/* The counts that follow a queue's columns. */
void queue_counts_take(struct query *query, struct queue_stats *stats);
void key_take(struct query *query, struct key *key);

/* One row by its id; *found is false when absent. */
bool run_find(struct connection *connection, struct arena *arena, int64_t id, struct run *run,
              bool *found, struct err *err);
bool waitpoint_find(struct connection *connection, struct arena *arena, int64_t id,
                    struct waitpoint *waitpoint, bool *found, struct err *err);
/* Those of `parts` that are there; all of them are marked as loaded. */
bool parts_find(struct connection *connection, struct arena *arena, uint32_t parts,
                struct run *run, struct err *err);

#endif
