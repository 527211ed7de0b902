/*
 * Records: rows as structs, and as what the tables hold.
 *
 *   changes_* collect the rows of a batch, packed ── changes_write ─▶ one statement a table
 *
 * A row is its id and its fields packed into `data`. What it is found by stands beside it in
 * marks: small tables of (value, id), which are taken away and set here whenever the row moves.
 */
#ifndef RECORD_SQLITE_H
#define RECORD_SQLITE_H

#include "base/buffer.h"
#include "connection.h"
#include "engine/admission/lane.h"
#include "engine/rows/row.h"
#include "store/reader.h"

enum mark {
#define X(name, table, value, id, words) MARK_##name,
    MARK_MAP(X)
#undef X
#define X(name, table, words) MARK_##name,
        LANE_MARK_MAP(X)
#undef X
            MARK_READY, /* with a lane and a rank */
    MARK_COUNT
};

/* Values of run_place: live runs that are not queued, running or parked by their status, … */
enum {
    PLACE_ENDED = 8
}; /* … and this + the outcome of those that ended other than completed */

enum { PART_COUNT = 3 };

/* What a tag of an environment is found by. Stored: others may have the same, so the row
 * decides. */
int64_t tag_number(uint32_t environment, struct slice tag);

/* ---- writing; inside a transaction --------------------------------------------------------
 */

struct changes {
    struct connection *connection;
    struct arena *arena;
    struct buffer scratch;
    struct bulk new_runs, runs, parts[PART_COUNT], new_waitpoints, waitpoints, keys;
    struct bulk marks[MARK_COUNT];
};

/* `arena` and what the rows borrow must last until changes_write. */
void changes_init(struct changes *changes, struct connection *connection, struct arena *arena);
void changes_finish(struct changes *changes);

/* The loaded_* of a row say which marks it has; environment, task, parent and kind never
 * change. */
bool changes_run(struct changes *changes, const struct run *run, struct err *err);
/* One of the big columns; empty deletes it. */
bool changes_part(struct changes *changes, int64_t run_id, enum run_part part,
                  struct slice data, struct err *err);
bool changes_waitpoint(struct changes *changes, const struct waitpoint *waitpoint,
                       struct err *err);
bool changes_edge(struct changes *changes, int64_t waitpoint_id, int64_t run_id,
                  bool is_deleted, struct err *err);
bool changes_key(struct changes *changes, const struct key *key, struct err *err);
bool changes_write(struct changes *changes, struct err *err);

bool queue_write(struct connection *connection, const struct queue *queue, struct err *err);
bool lane_write(struct connection *connection, const struct lane *lane, struct err *err);
bool log_line_write(struct connection *connection, const struct log_line *line,
                    struct err *err);

/* ---- reading: the row `query` stands on; slices as query->arena says ----------------------
 */

bool run_take(struct query *query, struct run *run, struct err *err);
bool waitpoint_take(struct query *query, struct waitpoint *waitpoint, struct err *err);
void queue_take(struct query *query, struct queue *queue);
/* The counts that follow a queue's columns. */
void queue_counts_take(struct query *query, struct queue_stats *stats);
void lane_take(struct query *query, struct lane *lane);
void key_take(struct query *query, struct key *key);
bool log_line_take(struct query *query, struct log_line *line, struct err *err);

/* One row by its id; *found is false when absent. */
bool run_find(struct connection *connection, struct arena *arena, int64_t id, struct run *run,
              bool *found, struct err *err);
bool waitpoint_find(struct connection *connection, struct arena *arena, int64_t id,
                    struct waitpoint *waitpoint, bool *found, struct err *err);
/* Those of `parts` that are there; all of them are marked as loaded. */
bool parts_find(struct connection *connection, struct arena *arena, uint32_t parts,
                struct run *run, struct err *err);

struct slice *run_part(struct run *run, enum run_part part);

#endif
