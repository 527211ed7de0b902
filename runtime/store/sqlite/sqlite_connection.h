/*
 * Connections: one SQLite handle with its prepared statements and the names it knows. Used by
 * one thread at a time; the writer has one, each reader has one.
 */
#ifndef SQLITE_CONNECTION_H
#define SQLITE_CONNECTION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "store/sqlite/rows/bulk.h"
#include "store/sqlite/rows/kind_sql.h"
#include "store/sqlite/rows/words.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a statement waits for another connection's lock; only a restart of the log takes
 * one. */
enum { BUSY_MS = 5000 };

struct connection {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* NULL until first used */
    struct names names;
    const struct bulk *bulk; /* what the table `bulk` holds for the statement under way */
    int64_t given_until;     /* no id up to this need be written as given out; 0: unknown */
    bool is_due_changed;     /* marks of what is due were written since it was cleared */
};

/*
 * `flags` are sqlite3_open_v2's; `cache_kib` bounds the pages kept in memory. On failure
 * nothing is left open. Errors: STORE.
 */
bool connection_open(struct connection *connection, const char *path, int flags, int cache_kib,
                     struct err *err);
/* The one that writes the log, with what WRITER_PRAGMAS says (log_vfs.h). */
bool connection_open_writer(struct connection *connection, const char *path, int cache_kib,
                            struct err *err);
void connection_close(struct connection *connection);

/* Fill `err` with what SQLite says about the last failure; returns false. */
bool connection_refuse(struct connection *connection, const char *what, struct err *err);

/* One or more statements without results. */
bool connection_exec(struct connection *connection, const char *what, const char *text,
                     struct err *err);
/* The first column of the first row of a statement prepared for this once. */
bool connection_number(struct connection *connection, const char *text, int64_t *number,
                       struct err *err);

/*
 * One use of a statement: start, bind in order, then `query_run`, or `query_row` until it says
 * no. A query that fails, ends or is finished is reset; what was bound is only borrowed until
 * then.
 */
struct query {
    struct connection *connection;
    sqlite3_stmt *statement;
    unsigned which;
    int next;            /* parameter to bind, or column to read */
    int rc;              /* the first failure of a bind */
    struct arena *arena; /* for what is read; NULL: slices borrow until the next row */
};

bool query_start(struct query *query, struct connection *connection, unsigned which,
                 struct err *err);
/* For a statement that reads `bulk`, which must stay until it has ended. */
bool query_start_bulk(struct query *query, struct connection *connection, unsigned which,
                      const struct bulk *bulk, struct err *err);
bool query_run(struct query *query, struct err *err);
/* *row is false at the end. */
bool query_row(struct query *query, bool *row, struct err *err);
void query_finish(struct query *query);

/* Write the rows of `bulk`; nothing to do when there are none. */
bool bulk_run(struct connection *connection, unsigned which, const struct bulk *bulk,
              struct err *err);

/* One number: *number keeps its value when there is no row. */
bool query_number(struct query *query, int64_t *number, struct err *err);

static inline void bind_int(struct query *query, int64_t number)
{
    query->rc |= sqlite3_bind_int64(query->statement, query->next++, number);
}

static inline void bind_null(struct query *query)
{
    query->rc |= sqlite3_bind_null(query->statement, query->next++);
}

/* Zero is NULL: takes no room, and stays out of partial indexes. */
static inline void bind_some(struct query *query, int64_t number)
{
    query->rc |= number == 0 ? sqlite3_bind_null(query->statement, query->next++)
                             : sqlite3_bind_int64(query->statement, query->next++, number);
}

static inline void bind_bytes(struct query *query, struct slice bytes)
{
    query->rc |= bytes.size == 0 ? sqlite3_bind_null(query->statement, query->next++)
                                 : sqlite3_bind_blob64(query->statement, query->next++,
                                                       bytes.data, bytes.size, SQLITE_STATIC);
}

static inline void bind_text(struct query *query, struct slice text)
{
    query->rc |=
        sqlite3_bind_text64(query->statement, query->next++, text.size == 0 ? "" : text.data,
                            text.size, SQLITE_STATIC, SQLITE_UTF8);
}

static inline void bind_some_text(struct query *query, struct slice text)
{
    if (text.size == 0)
        bind_some(query, 0);
    else
        bind_text(query, text);
}

static inline int64_t take_int(struct query *query)
{
    return sqlite3_column_int64(query->statement, query->next++);
}

static inline uint32_t take_count(struct query *query)
{
    return (uint32_t)sqlite3_column_int64(query->statement, query->next++);
}

/* Bytes or text; empty for NULL. */
struct slice take_bytes(struct query *query);

#endif
