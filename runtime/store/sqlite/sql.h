/*
 * SQL: every statement the SQLite store runs, each with the words an error names it by.
 *
 * A statement is prepared on first use and kept for the connection's life. Column lists are shared by
 * the statement and the function in record.c that binds or reads it: change both. INDEXED BY makes a
 * plan that drifts an error instead of a slow query.
 */
#ifndef SQL_H
#define SQL_H

#define RUN_COLUMNS "id, task, place, lane, rank_ms, due_ms, parent_id, data"
#define WAITPOINT_COLUMNS "id, pending, due_ms, data, result"

#define QUEUE_COLUMNS                                                                    \
    "id, environment, name, paused, paused_ms, created_ms, completed, failed, canceled," \
    " wait_ms, busy_us"
#define QUEUE_COUNTS "delayed, queued, parked, running, waiting"

#define KEY_COLUMNS "hash, target, expires_ms, payload"

/* Ids newest first below ?2, and oldest first above it; ?1 is what the list is of. */
#define IDS(X, name, from, where)                                                  \
    X(name, "list ids",                                                            \
      "SELECT id FROM " from " WHERE " where " id < ?2 ORDER BY id DESC LIMIT ?3") \
    X(name##_UP, "list ids",                                                       \
      "SELECT id FROM " from " WHERE " where " id > ?2 ORDER BY id LIMIT ?3")

/* clang-format off */
#define SQL_WRITE_MAP(X)                                                                       \
    X(BEGIN, "begin", "BEGIN IMMEDIATE")                                                       \
    X(COMMIT, "commit", "COMMIT")                                                              \
    X(ROLLBACK, "rollback", "ROLLBACK")                                                        \
    X(RUN_INSERT, "insert run", "INSERT INTO run (" RUN_COLUMNS ")"                            \
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                            \
    X(RUN_MOVE, "update run", "UPDATE run SET place = ?3, lane = ?4, rank_ms = ?5,"            \
        " due_ms = ?6, data = ?8 WHERE id = ?1")                                               \
    /* Nothing that is indexed has changed. */                                                 \
    X(RUN_STAY, "update run", "UPDATE run SET data = ?8 WHERE id = ?1")                        \
    X(INPUT_WRITE, "write input", "REPLACE INTO run_input (run_id, data) VALUES (?1, ?2)")     \
    X(STATE_WRITE, "write state", "REPLACE INTO run_state (run_id, data) VALUES (?1, ?2)")     \
    X(OUTPUT_WRITE, "write output", "REPLACE INTO run_output (run_id, data) VALUES (?1, ?2)")  \
    X(INPUT_DELETE, "delete input", "DELETE FROM run_input WHERE run_id = ?1")                 \
    X(STATE_DELETE, "delete state", "DELETE FROM run_state WHERE run_id = ?1")                 \
    X(OUTPUT_DELETE, "delete output", "DELETE FROM run_output WHERE run_id = ?1")              \
    X(WAITPOINT_INSERT, "insert waitpoint", "INSERT INTO waitpoint (" WAITPOINT_COLUMNS ")"    \
        " VALUES (?1, ?2, ?3, ?4, ?5)")                                                        \
    X(WAITPOINT_UPDATE, "update waitpoint", "UPDATE waitpoint SET pending = ?2, due_ms = ?3,"  \
        " data = ?4, result = ?5 WHERE id = ?1")                                               \
    X(EDGE_WRITE, "write edge", "REPLACE INTO edge (waitpoint_id, run_id) VALUES (?1, ?2)")    \
    X(EDGE_DELETE, "delete edge", "DELETE FROM edge WHERE waitpoint_id = ?1 AND run_id = ?2")  \
    X(QUEUE_INSERT, "insert queue", "INSERT INTO queue (" QUEUE_COLUMNS ")"                    \
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")                              \
    X(QUEUE_UPDATE, "update queue", "UPDATE queue SET paused = ?4, paused_ms = ?5,"            \
        " completed = ?7, failed = ?8, canceled = ?9, wait_ms = ?10, busy_us = ?11"            \
        " WHERE id = ?1")                                                                      \
    X(QUEUE_COUNT, "count runs", "UPDATE queue SET delayed = delayed + ?2,"                    \
        " queued = queued + ?3, parked = parked + ?4, running = running + ?5,"                 \
        " waiting = waiting + ?6 WHERE id = ?1")                                               \
    X(KEY_WRITE, "write key", "REPLACE INTO idempotency (" KEY_COLUMNS ")"                     \
        " VALUES (?1, ?2, ?3, ?4)")                                                            \
    X(KEY_DELETE, "delete key", "DELETE FROM idempotency WHERE hash = ?1")                     \
    X(KEY_SWEEP, "sweep keys", "DELETE FROM idempotency WHERE hash IN (SELECT hash"            \
        " FROM idempotency INDEXED BY idempotency_expiry WHERE expires_ms <= ?1"               \
        " ORDER BY expires_ms LIMIT ?2)")                                                      \
    X(LOG_WRITE, "write log line", "INSERT INTO log_line (run_id, line, at_ms, level, attempt,"\
        " text) SELECT ?1, coalesce(max(line), 0) + 1, ?2, ?3, ?4, ?5 FROM log_line"           \
        " WHERE run_id = ?1")                                                                  \
    X(NAME_INSERT, "insert name", "INSERT INTO name (environment, text) VALUES (?1, ?2)")      \
    X(ENVIRONMENT_INSERT, "insert environment", "INSERT INTO environment (name) VALUES (?1)")

#define SQL_READ_MAP(X)                                                                        \
    X(SNAPSHOT, "begin", "BEGIN")                                                              \
    X(RUN, "load run", "SELECT " RUN_COLUMNS " FROM run WHERE id = ?1")                        \
    X(INPUT, "load input", "SELECT data FROM run_input WHERE run_id = ?1")                     \
    X(STATE, "load state", "SELECT data FROM run_state WHERE run_id = ?1")                     \
    X(OUTPUT, "load output", "SELECT data FROM run_output WHERE run_id = ?1")                  \
    X(WAITPOINT, "load waitpoint", "SELECT " WAITPOINT_COLUMNS " FROM waitpoint WHERE id = ?1")\
    X(EDGES, "load edges", "SELECT run_id FROM edge WHERE waitpoint_id = ?1")                  \
    X(LIVE_CHILDREN, "load children", "SELECT id FROM run INDEXED BY run_parent"               \
        " WHERE parent_id = ?1 AND place < 8")                                                 \
    X(QUEUE, "load queue", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"             \
        " WHERE id = ?1")                                                                      \
    X(QUEUE_NAMED, "load queue", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"       \
        " WHERE environment = ?1 AND name = ?2")                                               \
    X(KEY, "load key", "SELECT " KEY_COLUMNS " FROM idempotency WHERE hash = ?1")              \
    X(READY, "load ready runs", "SELECT " RUN_COLUMNS " FROM run INDEXED BY run_place"         \
        " WHERE place = 1 AND lane = ?1 ORDER BY rank_ms, id LIMIT ?2")                        \
    X(RUNNING_COUNTS, "count running runs", "SELECT lane, count(*) FROM run"                   \
        " INDEXED BY run_place WHERE place = 3 GROUP BY lane")                                 \
    X(RUNNING_IDS, "list running runs", "SELECT id FROM run INDEXED BY run_place WHERE place = 3")\
    X(BACKLOG, "list backlog", "SELECT lane FROM run INDEXED BY run_place"                     \
        " WHERE place = 1 AND lane > ?1 ORDER BY lane LIMIT 1")                                \
    X(PARKED, "list parked runs", "SELECT id FROM run INDEXED BY run_place"                    \
        " WHERE place = 2 AND lane = ?1 AND rank_ms IS NULL ORDER BY id LIMIT ?2")             \
    X(DUE_RUNS, "list due runs", "SELECT id FROM run INDEXED BY run_due"                       \
        " WHERE due_ms <= ?1 ORDER BY due_ms LIMIT ?2")                                        \
    X(DUE_WAITPOINTS, "list due waitpoints", "SELECT id FROM waitpoint"                        \
        " INDEXED BY waitpoint_due WHERE due_ms <= ?1 ORDER BY due_ms LIMIT ?2")               \
    X(NEXT_DUE_RUN, "find next due run", "SELECT due_ms FROM run INDEXED BY run_due"           \
        " WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT 1")                                   \
    X(NEXT_DUE_WAITPOINT, "find next due waitpoint", "SELECT due_ms FROM waitpoint"            \
        " INDEXED BY waitpoint_due WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT 1")          \
    X(NAME_FIND, "find name", "SELECT id FROM name WHERE environment = ?1 AND text = ?2")      \
    X(NAME_TEXT, "load name", "SELECT environment, text FROM name WHERE id = ?1")              \
    X(NAMES_OF_TEXT, "find names", "SELECT id FROM name INDEXED BY name_text"                  \
        " WHERE text = ?1 AND environment > 0 AND (?2 = 0 OR environment = ?2) LIMIT ?3")      \
    X(NAMES_OF_ENVIRONMENT, "list names", "SELECT id FROM name WHERE environment = ?1"         \
        " LIMIT ?2")                                                                           \
    X(ENVIRONMENT, "find environment", "SELECT number FROM environment WHERE name = ?1")       \
    X(ENVIRONMENTS, "count environments", "SELECT count(*) FROM environment")

#define SQL_SHOW_MAP(X)                                                                        \
    IDS(X, RUNS_ALL, "run", "")                                                                \
    IDS(X, RUNS_TASK, "run INDEXED BY run_task", "task = ?1 AND")                              \
    /* Places where ids follow one another, and those with lanes, where all are looked through. */\
    IDS(X, RUNS_PLACE, "run INDEXED BY run_place",                                             \
        "place = ?1 AND lane IS NULL AND rank_ms IS NULL AND")                                 \
    IDS(X, RUNS_LANES, "run INDEXED BY run_place", "place = ?1 AND")                           \
    IDS(X, RUNS_CHILDREN, "run INDEXED BY run_parent", "parent_id = ?1 AND")                   \
    IDS(X, TOKENS_ALL, "waitpoint", "")                                                        \
    IDS(X, TOKENS_PENDING, "waitpoint INDEXED BY waitpoint_pending", "pending = ?1 AND")       \
    X(QUEUES_ALL, "list queues", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"       \
        " ORDER BY name, environment LIMIT ?3 OFFSET ?2")                                      \
    X(QUEUES, "list queues", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"           \
        " WHERE environment = ?1 ORDER BY name LIMIT ?3 OFFSET ?2")                            \
    X(QUEUES_COUNT, "count queues", "SELECT count(*) FROM queue WHERE ?1 = 0"                  \
        " OR environment = ?1")                                                                \
    X(QUEUE_OLDEST, "find oldest run", "SELECT min(id) FROM (SELECT id FROM run"               \
        " INDEXED BY run_place WHERE place = 1 AND lane = ?1 ORDER BY rank_ms, id LIMIT ?2)")  \
    X(TOTALS, "sum queues", "SELECT sum(delayed), sum(queued), sum(parked), sum(running),"     \
        " sum(waiting), sum(completed), sum(failed), sum(canceled) FROM queue WHERE ?1 = 0"    \
        " OR environment = ?1")                                                                \
    X(PENDING_COUNT, "count tokens", "SELECT count(*) FROM waitpoint"                          \
        " INDEXED BY waitpoint_pending WHERE pending = ?1")                                    \
    X(PENDING_COUNT_ALL, "count tokens", "SELECT count(*) FROM waitpoint"                      \
        " INDEXED BY waitpoint_pending WHERE pending IS NOT NULL")                             \
    X(LOG_LINES, "load log", "SELECT at_ms, level, attempt, text FROM (SELECT * FROM log_line" \
        " WHERE run_id = ?1 ORDER BY line DESC LIMIT ?2) ORDER BY line")
/* clang-format on */

#define SQL_MAP(X) SQL_WRITE_MAP(X) SQL_READ_MAP(X) SQL_SHOW_MAP(X)

enum sql {
#define X(name, what, text) SQL_##name,
    SQL_MAP(X)
#undef X
        SQL_COUNT
};

#endif
