/*
 * Bulk: rows of ours as a table in a statement. "INSERT … SELECT id, data FROM bulk" writes a
 * thousand rows in one statement, "FROM bulk CROSS JOIN run ON …" finds them. What a statement
 * costs to start and end is more than a row does: measured, a run is inserted for a third of
 * what a statement of its own costs, and loaded for a fifth.
 *
 * Columns: id, a, b, c (integers), data, extra (bytes; NULL when empty).
 */
#ifndef BULK_SQLITE_H
#define BULK_SQLITE_H

#include "base/arena.h"
#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct bulk_row {
    int64_t id, a, b, c;
    struct slice data, extra; /* borrowed until the statement has ended */
};

struct bulk {
    struct bulk_row *rows;
    uint32_t count, capacity;
};

void bulk_add(struct bulk *bulk, struct arena *arena, const struct bulk_row *row);

/* Makes the table `bulk` known to `db`; a statement sees the rows **source has when it starts.
 */
bool bulk_register(sqlite3 *db, const struct bulk **source);

#endif
