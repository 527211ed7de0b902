/*
 * SQL: the statements of the SQLite store that a row's descriptor cannot make (kind_sql.h),
 * each with the words that an error names it by.
 *
 * A statement is prepared on first use and kept for the connection's life. `bulk` is the rows
 * at hand (bulk.h).
 */
#ifndef SQL_H
#define SQL_H

#include "engine/rows/fields.h"
#include "store/sqlite/rows/lane_sql.h"

/* clang-format off */
/* Columns in the order of the fields, each with a comma behind it. */
#define COLUMN(row, number, type, member) #member ", "
#define QUEUE_COLUMNS QUEUE_FIELDS(COLUMN, queue)
#define LOG_LINE_COLUMNS LOG_LINE_FIELDS(COLUMN, log_line)
#define LANE_COLUMNS LANE_FIELDS(COLUMN, lane)
#define MINUTE_COLUMNS MINUTE_FIELDS(COLUMN, queue_minute)
#define QUEUE_COUNTS "delayed, queued, parked, running, waiting"

#define SQL_WRITE_MAP(X)                                                                       \
    X(BEGIN, "begin", "BEGIN IMMEDIATE")                                                       \
    X(COMMIT, "commit", "COMMIT")                                                              \
    X(ROLLBACK, "rollback", "ROLLBACK")                                                        \
    X(QUEUE_COUNT, "count runs", "UPDATE queue SET delayed = delayed + ?2,"                    \
        " queued = queued + ?3, parked = parked + ?4, running = running + ?5,"                 \
        " waiting = waiting + ?6 WHERE id = ?1")                                               \
    X(KEY_SWEEP, "sweep keys", "DELETE FROM idempotency WHERE hash IN (SELECT hash"            \
        " FROM idempotency INDEXED BY idempotency_expiry WHERE expires_ms <= ?1"               \
        " ORDER BY expires_ms LIMIT ?2)")                                                      \
    X(MINUTE_SWEEP, "sweep minutes", "DELETE FROM queue_minute WHERE (minute, queue, key) IN"  \
        " (SELECT minute, queue, key FROM queue_minute WHERE minute < ?1"                      \
        " ORDER BY minute, queue, key LIMIT ?2)")                                              \
    X(LOG_DROP, "delete log lines", "DELETE FROM log_line WHERE run_id = ?1 AND line > ?2"     \
        " AND line <= ?3")                                                                     \
    X(GIVEN_WRITE, "write the last id", "UPDATE given SET last_id = max(last_id, ?1)"          \
        " WHERE one = 1")                                                                      \
    X(NAME_INSERT, "insert name", "INSERT INTO name (environment, text) VALUES (?1, ?2)")      \
    X(ENVIRONMENT_INSERT, "insert environment", "INSERT INTO environment (name) VALUES (?1)")

#define SQL_READ_MAP(X)                                                                        \
    X(EDGES, "load edges", "SELECT waitpoint_id, run_id FROM bulk"                             \
        " CROSS JOIN edge ON waitpoint_id = bulk.id")                                          \
    X(CHILDREN, "load children", "SELECT parent_id, run.id, run.data FROM bulk"                \
        " CROSS JOIN run_parent ON parent_id = bulk.id AND run_id > bulk.a"                    \
        " CROSS JOIN run ON run.id = run_id")                                                  \
    X(TOKENS, "load tokens of runs", "SELECT run_id, waitpoint_id FROM bulk"                   \
        " CROSS JOIN waitpoint_made ON run_id = bulk.id")                                      \
    X(QUEUE, "load queue", "SELECT " QUEUE_COLUMNS QUEUE_COUNTS " FROM queue"                  \
        " WHERE id = ?1")                                                                      \
    X(QUEUE_NAMED, "load queue", "SELECT " QUEUE_COLUMNS QUEUE_COUNTS " FROM queue"            \
        " WHERE environment = ?1 AND name = ?2")                                               \
    /* The one without a name has the totals of those that were removed. */                    \
    X(QUEUES_LIVE, "count queues", "SELECT count(*) FROM queue WHERE environment = ?1"         \
        " AND removed = 0 AND name <> ''")                                                     \
    X(QUEUES_IDLE, "find idle queues", "SELECT " QUEUE_COLUMNS QUEUE_COUNTS " FROM queue"      \
        " WHERE environment = ?1 AND removed = 0 AND name <> '' AND paused = 0"                \
        " AND coalesce(override_ms, 0) = 0 AND coalesce(length(rates), 0) = 0"                 \
        " AND delayed = 0 AND queued = 0 AND parked = 0 AND running = 0 AND waiting = 0"       \
        " ORDER BY used_ms, id LIMIT ?2")                                                      \
    X(READY, "load ready runs", "SELECT run.id, run.data FROM run_ready"                       \
        " CROSS JOIN run ON run.id = run_id WHERE queue = ?1 AND lane = ?2"                    \
        " ORDER BY rank_ms, run_id LIMIT ?3")                                                  \
    X(RUNNING_COUNTS, "count running runs", "SELECT queue, lane, n, (SELECT environment FROM"  \
        " queue WHERE id = counts.queue) FROM (SELECT queue, lane, count(*) AS n FROM"         \
        " run_running GROUP BY queue, lane UNION ALL SELECT queue, lane, count(*)"             \
        " FROM run_out GROUP BY queue, lane) AS counts")                                       \
    X(RUNNING, "list running runs", "SELECT run_id FROM run_running"                           \
        " UNION ALL SELECT run_id FROM run_out")                                               \
    X(BACKLOG, "list backlog", "SELECT queue FROM run_ready WHERE queue > ?1"                  \
        " ORDER BY queue LIMIT 1")                                                             \
    X(PARKED, "list parked runs", "SELECT run_id FROM run_parked WHERE task = ?1"              \
        " AND run_id > ?2 ORDER BY run_id LIMIT ?3")                                           \
    X(NAME_FIND, "find name", "SELECT id FROM name WHERE environment = ?1 AND text = ?2")      \
    X(NAME_TEXT, "load name", "SELECT environment, text FROM name WHERE id = ?1")              \
    X(NAMES_OF_TEXT, "find names", "SELECT id FROM name INDEXED BY name_text"                  \
        " WHERE text = ?1 AND environment > 0 AND (?2 = 0 OR environment = ?2) LIMIT ?3")      \
    X(NAMES_OF_ENVIRONMENT, "list names", "SELECT id FROM name WHERE environment = ?1"         \
        " LIMIT ?2")                                                                           \
    X(ENVIRONMENT, "find environment", "SELECT number FROM environment WHERE name = ?1")       \
    X(ENVIRONMENTS, "count environments", "SELECT count(*) FROM environment")

/* Ids newest first below ?2, and oldest first above it; ?1 is what the list is of. */
#define IDS(X, name, id, from, where)                                                          \
    X(name, "list ids", "SELECT " id " FROM " from " WHERE " where " " id " < ?2"              \
        " ORDER BY " id " DESC LIMIT ?3")                                                      \
    X(name##_UP, "list ids", "SELECT " id " FROM " from " WHERE " where " " id " > ?2"         \
        " ORDER BY " id " LIMIT ?3")

#define SQL_SHOW_MAP(X)                                                                        \
    X(SNAPSHOT, "begin", "BEGIN")                                                              \
    IDS(X, RUNS_ALL, "id", "run", "")                                                          \
    IDS(X, RUNS_TASK, "run_id", "run_task", "task = ?1 AND")                                   \
    IDS(X, RUNS_TAG, "run_id", "run_tag", "tag = ?1 AND")                                      \
    IDS(X, RUNS_BULK, "run_id", "run_bulk", "bulk_id = ?1 AND")                                \
    IDS(X, RUNS_SCHEDULE, "run_id", "run_schedule", "schedule = ?1 AND")                       \
    IDS(X, RUNS_PLACE, "run_id", "run_place", "place = ?1 AND")                                \
    IDS(X, RUNS_CHILDREN, "run_id", "run_parent", "parent_id = ?1 AND")                        \
    /* By queue or task, not by id: all of them are looked through. */                         \
    IDS(X, RUNS_QUEUED, "run_id", "run_ready", "")                                             \
    IDS(X, RUNS_RUNNING, "run_id", "run_running", "")                                          \
    IDS(X, RUNS_PARKED, "run_id", "run_parked", "")                                            \
    IDS(X, BULK_ALL, "id", "bulk_action", "")                                                  \
    IDS(X, TOKENS_ALL, "id", "waitpoint", "")                                                  \
    IDS(X, TOKENS_TAG, "waitpoint_id", "waitpoint_tag", "tag = ?1 AND")                        \
    IDS(X, TOKENS_PENDING, "waitpoint_id", "waitpoint_pending", "environment = ?1 AND")        \
    X(QUEUES_ALL, "list queues", "SELECT " QUEUE_COLUMNS QUEUE_COUNTS " FROM queue"            \
        " WHERE removed = 0 AND name <> ''"                                                    \
        " ORDER BY name, environment LIMIT ?3 OFFSET ?2")                                      \
    X(QUEUES, "list queues", "SELECT " QUEUE_COLUMNS QUEUE_COUNTS " FROM queue"                \
        " WHERE environment = ?1 AND removed = 0 AND name <> ''"                               \
        " ORDER BY name LIMIT ?3 OFFSET ?2")                                                   \
    X(QUEUES_COUNT, "count queues", "SELECT count(*) FROM queue"                               \
        " WHERE removed = 0 AND name <> '' AND (?1 = 0 OR environment = ?1)")                  \
    X(SCHEDULES, "list schedules", "SELECT id FROM schedule WHERE environment = ?1"            \
        " ORDER BY name LIMIT ?3 OFFSET ?2")                                                   \
    X(SCHEDULE_NAMED, "find schedule", "SELECT id FROM schedule WHERE environment = ?1"        \
        " AND name = ?2")                                                                      \
    X(SCHEDULES_COUNT, "count schedules", "SELECT count(*) FROM schedule"                      \
        " WHERE environment = ?1")                                                             \
    X(BUILDS, "list builds", "SELECT id FROM build ORDER BY created_ms DESC, id")              \
    X(LANE_OLDEST, "find oldest run", "SELECT min(run_id) FROM (SELECT run_id FROM run_ready"  \
        " WHERE queue = ?1 AND lane = ?2 ORDER BY rank_ms, run_id LIMIT ?3)")                  \
    X(LANE_BEFORE, "count runs before one", "SELECT count(*) FROM (SELECT 1 FROM run_ready"     \
        " WHERE queue = ?1 AND lane = ?2 AND (rank_ms, run_id) < (?3, ?4) LIMIT ?5)")          \
    X(TOTALS, "sum queues", "SELECT sum(delayed), sum(queued), sum(parked), sum(running),"     \
        " sum(waiting), sum(completed), sum(failed), sum(canceled) FROM queue"                 \
        " WHERE removed = 0 AND (?1 = 0 OR environment = ?1)")                                 \
    X(PENDING_COUNT, "count tokens", "SELECT count(*) FROM waitpoint_pending"                  \
        " WHERE environment = ?1")                                                             \
    X(PENDING_COUNT_ALL, "count tokens", "SELECT count(*) FROM waitpoint_pending")             \
    X(MINUTE, "load a minute", "SELECT " MINUTE_COLUMNS "0 FROM queue_minute"                  \
        " WHERE minute = ?1 AND queue = ?2 AND key = ''")                                      \
    X(MINUTE_KEYS, "load minutes of keys", "SELECT " MINUTE_COLUMNS "0 FROM queue_minute"      \
        " WHERE minute = ?1 AND queue = ?2")                                                   \
    X(LOG_LINES, "load log", "SELECT " LOG_LINE_COLUMNS "0 FROM"                               \
        " (SELECT * FROM log_line WHERE run_id = ?1 ORDER BY line DESC LIMIT ?2)"              \
        " ORDER BY line")

/* clang-format on */

#define SQL_MAP(X) SQL_LANE_MAP(X) SQL_WRITE_MAP(X) SQL_READ_MAP(X) SQL_SHOW_MAP(X)

enum sql {
#define X(name, what, text) SQL_##name,
    SQL_MAP(X)
#undef X
        SQL_COUNT
};

#endif
