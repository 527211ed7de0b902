/*
 * Records: rows as structs, and as what the tables hold.
 *
 *   changes_* collect the rows of a batch, packed ── changes_write ─▶ one statement a table
 *
 * A row of a packed kind is its id and its fields in `data`. What it is found by stands beside
 * it in its kind's indexes: small tables of (values, id), written and taken away here whenever
 * the row moves.
 */
#ifndef RECORD_SQLITE_H
#define RECORD_SQLITE_H

#include "base/buffer.h"
#include "engine/rows/row.h"
#include "store/reader.h"
#include "store/sqlite/sqlite_connection.h"

/* ---- writing; inside a transaction --------------------------------------------------------
 */

struct kind_changes {
    struct bulk inserts, writes, parts[PARTS_MOST], indexes[INDEXES_MOST];
};

struct changes {
    struct connection *connection;
    struct arena *arena;
    struct buffer scratch;
    struct kind_changes kinds[ROW_KINDS];
};

/* `arena` and what the rows borrow must last until changes_write. */
void changes_init(struct changes *changes, struct connection *connection, struct arena *arena);
void changes_finish(struct changes *changes);
/* Its row->loaded says which indexes it is in. */
bool changes_row(struct changes *changes, enum row_kind kind, const struct row *row,
                 struct err *err);
bool changes_write(struct changes *changes, struct err *err);

/* ---- reading: the row `query` stands on; slices as query->arena says ----------------------
 */

/* Into `row`, all of it. */
bool row_take(struct query *query, enum row_kind kind, struct row *row, struct err *err);
/* The counts that follow a queue's columns. */
void queue_counts_take(struct query *query, struct queue_stats *stats);

/* Of RUNNING_COUNTS. */
void running_take(struct query *query, struct running *running);

/* One row by its id; *found is false when absent. */
bool row_find(struct connection *connection, struct arena *arena, enum row_kind kind,
              int64_t id, struct row *row, bool *found, struct err *err);
/* Those of `parts` that are there; all of them are marked as loaded. */
bool parts_find(struct connection *connection, struct arena *arena, enum row_kind kind,
                uint32_t parts, struct row *row, struct err *err);

#endif
