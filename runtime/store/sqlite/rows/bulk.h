/*
 * Bulk: rows of ours as a table in a statement. "INSERT … SELECT id, data FROM bulk" writes a
 * thousand rows in one statement, "FROM bulk CROSS JOIN run ON …" finds them. What a statement
 * costs to start and end is more than a row does: measured, a run is inserted for a third of
 * what a statement of its own costs, and loaded for a fifth.
 *
 * Columns: id, a … k (integers), data, extra, third, fourth (bytes;
 * NULL when empty).
 */
#ifndef BULK_SQLITE_H
#define BULK_SQLITE_H

#include "base/arena.h"
#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { BULK_NUMBERS = 40, BULK_BYTES = 8 };

/* Each row has the first `width` integers and the first `depth` bytes. */
struct bulk {
    int64_t *numbers;
    struct slice *bytes; /* borrowed until the statement has ended */
    uint32_t width, depth, count, capacity;
};

/* One more row, zeroed. Of the first one width and depth are remembered. */
void bulk_add(struct bulk *bulk, struct arena *arena, uint32_t width, uint32_t depth,
              int64_t **numbers, struct slice **bytes);
/* The same for one that is an id alone. */
void bulk_add_id(struct bulk *bulk, struct arena *arena, int64_t id);

/* Column names, by place. */
const char *bulk_number_name(uint32_t at);
const char *bulk_bytes_name(uint32_t at);

/* Makes the table `bulk` known to `db`; a statement sees the rows **source has when it starts.
 */
bool bulk_register(sqlite3 *db, const struct bulk **source);

#endif
