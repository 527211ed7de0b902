/* The SQLite store's own parts, for its own files: how a batch is loaded and flushed. */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H

#include "engine/rows/rows.h"
#include "sqlite_connection.h"
#include "store/store.h"

/* Pages in memory. With 100,000 suspended runs the whole runtime has to stay under 64 MiB. */
enum { WRITER_CACHE_KIB = 16 << 10, READER_CACHE_KIB = 1 << 10 };

/* The log keeps its size when it starts over, up to this: overwriting is cheaper than growing.
 */
#define WRITER_PRAGMAS                                      \
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" \
    "PRAGMA journal_size_limit = 67108864"

/*
 * In frames of one page: when the log is copied; how much the store copies itself, how many
 * passes before that it may take to come down to it, and how long the log may get by then; when
 * to try again after readers were in the way.
 */
enum {
    CHECKPOINT_FRAMES = 4000,
    CHECKPOINT_REST = 1000,
    CHECKPOINT_PASSES = 3,
    CHECKPOINT_MOST = 4 * CHECKPOINT_FRAMES,
    CHECKPOINT_AGAIN = 1000,
    CHECKPOINT_BUSY_MS = 20,
    LOG_READY_FRAMES = CHECKPOINT_FRAMES + 2 * CHECKPOINT_REST,
    LOG_FRAME_BYTES = 4096 + 24
};

#define LOG_BYTES_USUAL (INT64_C(64) << 20)

bool sqlite_load(struct connection *connection, struct rows *rows, struct err *err);
bool sqlite_load_lanes(struct connection *connection, struct rows *rows, struct err *err);
/* Runs of a filter: questions/list_runs.c. */
bool sqlite_select(struct connection *connection, struct rows *rows,
                   const struct select_want *want, struct err *err);
bool sqlite_flush(struct connection *connection, struct rows *rows, struct err *err);

/* Append the first column of every row, the query being bound. */
bool ids_take(struct query *query, struct arena *arena, struct ids *ids, struct err *err);

/* Safe from any thread: `path` is copied. */
struct gate;
struct reader *sqlite_reader_open(const char *path, struct gate *gate, struct err *err);

#endif
