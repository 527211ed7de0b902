/*
 * Readers: connections of their own that can only read. Each call, or all of those between
 * begin and end, is one transaction, so it sees one snapshot however long it takes, and does
 * not hold up a commit.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "index_walk.h"
#include "numbers.h"
#include "store/sqlite/file/reader_gate.h"
#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

#include <stdlib.h>

enum { PROGRESS_STEPS = 20000 };

struct sqlite_reader {
    struct reader reader;
    struct connection connection;
    struct gate *gate; /* the store's */
    uint64_t entered_ns;
    bool is_begun, has_entered;
};

static struct sqlite_reader *self(struct reader *reader)
{
    return (struct sqlite_reader *)(void *)reader; /* its first member */
}

static bool run(struct connection *connection, enum sql which, struct err *err)
{
    struct query query;

    return query_start(&query, connection, which, err) && query_run(&query, err);
}

/* Nothing was written, so there is nothing that ending could fail to do; `done` is handed on.
 */
static bool snapshot_end(struct reader *reader, bool done)
{
    struct connection *connection = &self(reader)->connection;

    if (!self(reader)->is_begun && !sqlite3_get_autocommit(connection->db))
        (void)run(connection, SQL_ROLLBACK, NULL);
    if (!self(reader)->is_begun && self(reader)->has_entered) {
        self(reader)->has_entered = false;
        gate_leave(self(reader)->gate);
    }
    return done;
}

/* SQLite asks now and then: is it to be interrupted? */
static int on_progress(void *context)
{
    const struct sqlite_reader *reader = context;

    return reader->has_entered && gate_is_over(reader->gate, reader->entered_ns);
}

static struct connection *snapshot_begin(struct reader *reader, struct err *err)
{
    struct connection *connection = &self(reader)->connection;

    if (self(reader)->is_begun)
        return connection;
    names_trim(&connection->names);
    gate_enter(self(reader)->gate);
    self(reader)->has_entered = true;
    self(reader)->entered_ns = clock_monotonic_ns();
    if (run(connection, SQL_SNAPSHOT, err))
        return connection;
    (void)snapshot_end(reader, false);
    return NULL;
}

static bool reader_begin(struct reader *reader, struct err *err)
{
    self(reader)->is_begun = snapshot_begin(reader, err) != NULL;
    return self(reader)->is_begun;
}

static void reader_end(struct reader *reader)
{
    self(reader)->is_begun = false;
    (void)snapshot_end(reader, true);
}

/* ---- runs -------------------------------------------------------------------------------- */

static bool find_run(struct connection *connection, struct arena *arena, uint32_t environment,
                     int64_t id, uint32_t parts, struct run **row, struct err *err)
{
    struct run *run = ARENA_NEW(arena, struct run);
    bool found;

    if (!row_find(connection, arena, ROW_RUN, id, &run->row, &found, err))
        return false;
    if (!found || (environment != 0 && environment != run->environment))
        return true;
    *row = run;
    if (run->status != RUN_DONE)
        parts &= ~(uint32_t)PART_OUTPUT;
    else if (!run_has_failed(run) && run->keeps == 0)
        parts &= ~(uint32_t)PART_STATE;
    if (run->kept == 0)
        parts &= ~(uint32_t)PART_STATES;
    return parts_find(connection, arena, ROW_RUN, parts, &run->row, err);
}

static bool reader_run(struct reader *reader, struct arena *arena, uint32_t environment,
                       int64_t id, uint32_t parts, struct run **row, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *row = NULL;
    return connection != NULL &&
           snapshot_end(reader, find_run(connection, arena, environment, id, parts, row, err));
}

static bool reader_runs(struct reader *reader, struct arena *arena,
                        const struct run_filter *filter, struct run_page *page, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    return connection != NULL &&
           snapshot_end(reader, sqlite_runs(connection, arena, filter, page, err));
}

static bool reader_children(struct reader *reader, struct arena *arena, int64_t parent_id,
                            uint32_t limit, struct run_page *page, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    return connection != NULL &&
           snapshot_end(reader,
                        sqlite_children(connection, arena, parent_id, limit, page, err));
}

/* ---- tokens ------------------------------------------------------------------------------ */

static bool find_token(struct connection *connection, struct arena *arena, uint32_t environment,
                       int64_t id, struct waitpoint **row, struct err *err)
{
    struct waitpoint *token = ARENA_NEW(arena, struct waitpoint);
    bool found;

    if (!row_find(connection, arena, ROW_WAITPOINT, id, &token->row, &found, err))
        return false;
    if (found && token->kind == WAITPOINT_TOKEN &&
        (environment == 0 || environment == token->environment))
        *row = token;
    return true;
}

static bool reader_token(struct reader *reader, struct arena *arena, uint32_t environment,
                         int64_t id, struct waitpoint **row, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *row = NULL;
    return connection != NULL &&
           snapshot_end(reader, find_token(connection, arena, environment, id, row, err));
}

static bool reader_tokens(struct reader *reader, struct arena *arena,
                          const struct token_filter *filter, struct token_page *page,
                          struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    return connection != NULL &&
           snapshot_end(reader, sqlite_tokens(connection, arena, filter, page, err));
}

static bool reader_bulk_actions(struct reader *reader, struct arena *arena,
                                const struct bulk_filter *filter, struct bulk_page *page,
                                struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    return connection != NULL &&
           snapshot_end(reader, sqlite_bulk_actions(connection, arena, filter, page, err));
}

/* ---- queues ------------------------------------------------------------------------------ */

/* The next row of a queue query, NULL at its end. */
static bool next_queue(struct query *query, struct queue_stats *stats, bool *row,
                       struct err *err)
{
    if (!query_row(query, row, err))
        return false;
    if (*row) {
        *stats = (struct queue_stats){ 0 };
        (void)row_take(query, ROW_QUEUE, &stats->queue.row, err); /* it has no words */
        queue_counts_take(query, stats);
    }
    return true;
}

static bool find_queues(struct connection *connection, struct arena *arena,
                        uint32_t environment, uint32_t offset, uint32_t limit,
                        struct queue_page *page, struct err *err)
{
    struct query query;
    int64_t total = 0;
    bool row = true;

    if (!query_start(&query, connection, SQL_QUEUES_COUNT, err))
        return false;
    bind_int(&query, environment);
    if (!query_number(&query, &total, err))
        return false;
    page->total = (uint32_t)total;
    if (limit > LIST_MAX)
        limit = LIST_MAX;
    page->rows = ARENA_ARRAY(arena, struct queue_stats, limit + 1);
    if (!query_start(&query, connection, environment == 0 ? SQL_QUEUES_ALL : SQL_QUEUES, err))
        return false;
    query.arena = arena;
    bind_int(&query, environment);
    bind_int(&query, offset);
    bind_int(&query, limit);
    while (row) {
        if (!next_queue(&query, &page->rows[page->count], &row, err))
            return false;
        page->count += row ? 1 : 0;
    }
    for (uint32_t i = 0; i < page->count; i++)
        if (!sqlite_oldest(connection, arena, &page->rows[i], err))
            return false;
    return true;
}

static bool reader_queues(struct reader *reader, struct arena *arena, uint32_t environment,
                          uint32_t offset, uint32_t limit, struct queue_page *page,
                          struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *page = (struct queue_page){ 0 };
    return connection != NULL &&
           snapshot_end(reader,
                        find_queues(connection, arena, environment, offset, limit, page, err));
}

static bool find_queue(struct connection *connection, struct arena *arena, uint32_t environment,
                       struct slice name, int64_t id, struct queue_stats **row, struct err *err)
{
    struct queue_stats *stats = ARENA_NEW(arena, struct queue_stats);
    struct query query;
    bool found;

    if (!query_start(&query, connection, name.size > 0 ? SQL_QUEUE_NAMED : SQL_QUEUE, err))
        return false;
    query.arena = arena;
    if (name.size > 0) {
        bind_int(&query, environment);
        bind_text(&query, name);
    } else {
        bind_int(&query, id);
    }
    if (!next_queue(&query, stats, &found, err))
        return false;
    query_finish(&query);
    if (!found || (environment != 0 && environment != stats->queue.environment))
        return true;
    *row = stats;
    return sqlite_oldest(connection, arena, stats, err);
}

static bool reader_queue(struct reader *reader, struct arena *arena, uint32_t environment,
                         struct slice name, int64_t id, struct queue_stats **row,
                         struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *row = NULL;
    return connection != NULL &&
           snapshot_end(reader, find_queue(connection, arena, environment, name, id, row, err));
}

/* ---- schedules --------------------------------------------------------------------------- */

static bool reader_schedules(struct reader *reader, struct arena *arena, uint32_t environment,
                             struct slice name, uint32_t offset, uint32_t limit,
                             struct schedule_page *page, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *page = (struct schedule_page){ 0 };
    return connection != NULL &&
           snapshot_end(reader, sqlite_schedules(connection, arena, environment, name, offset,
                                                 limit, page, err));
}

static bool reader_builds(struct reader *reader, struct arena *arena, struct build_row ***rows,
                          uint32_t *count, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    return connection != NULL &&
           snapshot_end(reader, sqlite_builds(connection, arena, rows, count, err));
}

static bool reader_hour(struct reader *reader, struct arena *arena, int64_t queue,
                        int64_t since, int64_t until, bool has_keys, struct queue_hour *hour,
                        struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    hour->all = (struct queue_minute){ 0 };
    hour->count = 0; /* behind it nobody looks */
    return connection != NULL &&
           snapshot_end(reader, sqlite_hour(connection, arena, queue, since, until, has_keys,
                                            hour, err));
}

/* ---- what holds runs --------------------------------------------------------------------- */

static bool reader_row(struct reader *reader, struct arena *arena, enum row_kind kind,
                       int64_t key, struct row **row, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);
    bool found = false;

    *row = arena_alloc(arena, row_kinds[kind].size);
    if (connection == NULL ||
        !snapshot_end(reader, row_find(connection, arena, kind, key, *row, &found, err)))
        return false;
    *row = found ? *row : NULL;
    return true;
}

static bool reader_running(struct reader *reader, struct arena *arena,
                           struct running_page *page, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *page = (struct running_page){ 0 };
    return connection != NULL &&
           snapshot_end(reader, sqlite_running(connection, arena, page, err));
}

static bool reader_before(struct reader *reader, const struct run *run, uint32_t most,
                          int64_t *count, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    return connection != NULL &&
           snapshot_end(
               reader, sqlite_before(connection, run, run->queue, run->lane, most, count, err));
}

static bool reader_others(struct reader *reader, struct arena *arena, const struct run *run,
                          int64_t queue, uint32_t turns, uint32_t most, int64_t *count,
                          struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    return connection != NULL &&
           snapshot_end(reader,
                        sqlite_others(connection, arena, run, queue, turns, most, count, err));
}

/* ---- the rest ---------------------------------------------------------------------------- */

static bool find_logs(struct connection *connection, struct arena *arena, int64_t run_id,
                      uint32_t limit, struct log_line **lines, struct err *err)
{
    struct query query;
    struct row **end = (struct row **)lines;
    bool row;

    if (!query_start(&query, connection, SQL_LOG_LINES, err))
        return false;
    query.arena = arena;
    bind_int(&query, run_id);
    bind_int(&query, limit);
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        struct log_line *line = ARENA_NEW(arena, struct log_line);
        if (!row_take(&query, ROW_LOG_LINE, &line->row, err)) {
            query_finish(&query);
            return false;
        }
        *end = &line->row;
        end = &line->row.next;
    }
    return false;
}

static bool reader_logs(struct reader *reader, struct arena *arena, int64_t run_id,
                        uint32_t limit, struct log_line **lines, struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *lines = NULL;
    return connection != NULL &&
           snapshot_end(reader, find_logs(connection, arena, run_id, limit, lines, err));
}

static bool reader_totals(struct reader *reader, uint32_t environment, struct totals *totals,
                          struct err *err)
{
    struct connection *connection = snapshot_begin(reader, err);

    *totals = (struct totals){ 0 };
    return connection != NULL &&
           snapshot_end(reader, sqlite_totals(connection, environment, totals, err));
}

static void reader_close(struct reader *reader)
{
    connection_close(&self(reader)->connection);
    gate_drop(self(reader)->gate);
    free(reader);
}

static const struct reader_ops ops = {
    .close = reader_close,
    .begin = reader_begin,
    .end = reader_end,
    .run = reader_run,
    .runs = reader_runs,
    .children = reader_children,
    .token = reader_token,
    .tokens = reader_tokens,
    .bulk_actions = reader_bulk_actions,
    .queues = reader_queues,
    .queue = reader_queue,
    .row = reader_row,
    .schedules = reader_schedules,
    .builds = reader_builds,
    .hour = reader_hour,
    .running = reader_running,
    .before = reader_before,
    .others = reader_others,
    .logs = reader_logs,
    .totals = reader_totals,
};

struct reader *sqlite_reader_open(const char *path, struct gate *gate, struct err *err)
{
    struct sqlite_reader *reader = memory_zeroed(1, sizeof *reader);

    reader->reader.ops = &ops;
    reader->gate = gate_share(gate);
    if (connection_open(&reader->connection, path, SQLITE_OPEN_READONLY, READER_CACHE_KIB,
                        err)) {
        if (connection_exec(&reader->connection, path, "PRAGMA query_only = ON", err)) {
            sqlite3_progress_handler(reader->connection.db, PROGRESS_STEPS, on_progress,
                                     reader);
            return &reader->reader;
        }
        connection_close(&reader->connection);
    }
    gate_drop(reader->gate);
    free(reader);
    return NULL;
}
