/*
 * SQL: every statement the SQLite store runs, each with the words an error names it by.
 *
 * A statement is prepared on first use and kept for the connection's life. Column lists are
 * shared by the statement and the function in record.c that binds or reads it: change both.
 * Statuses are literal where a partial index is meant, because SQLite compares the terms
 * themselves; INDEXED BY makes a plan that drifts an error instead of a slow query.
 */
#ifndef SQL_H
#define SQL_H

#define RUN_COLUMNS                                                                          \
    "id, task, status, outcome, seq, queue, rank_ms, due_ms, created_ms, updated_ms,"        \
    " started_ms, finished_ms, ttl_ms, priority_ms, limit_ms, parent_id, root_id, id_block," \
    " busy_us, attempt, max_attempts, entry, depth, remaining, progress, log_lines, flags,"  \
    " segment, version, build, tags, metadata, error, wait, once, timeline, key, key_text"

/* What a run is born with is left out: task, creation, parent, root, depth. */
#define RUN_CHANGES                                                                        \
    " seq = ?5, updated_ms = ?10, started_ms = ?11, finished_ms = ?12, ttl_ms = ?13,"      \
    " priority_ms = ?14, limit_ms = ?15, id_block = ?18, busy_us = ?19, attempt = ?20,"    \
    " max_attempts = ?21, entry = ?22, remaining = ?24, progress = ?25, log_lines = ?26,"  \
    " flags = ?27, segment = ?28, version = ?29, build = ?30, tags = ?31, metadata = ?32," \
    " error = ?33, wait = ?34, once = ?35, timeline = ?36, key = ?37, key_text = ?38"

#define WAITPOINT_COLUMNS                                                                  \
    "id, environment, kind, status, due_ms, timeout_ms, created_ms, completed_ms, run_id," \
    " task, schema, tags, key_text, key_expires_ms, result"

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
    X(RUN_INSERT, "insert run", "INSERT INTO run (" RUN_COLUMNS ") VALUES (?1, ?2, ?3, ?4,"    \
        " ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,"\
        " ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38)")    \
    X(RUN_MOVE, "update run", "UPDATE run SET status = ?3, outcome = ?4, queue = ?6,"          \
        " rank_ms = ?7, due_ms = ?8," RUN_CHANGES " WHERE id = ?1")                            \
    /* Status, queue, rank and due time as they were: no index is touched. */                  \
    X(RUN_STAY, "update run", "UPDATE run SET" RUN_CHANGES " WHERE id = ?1")                   \
    X(INPUT_WRITE, "write input", "REPLACE INTO run_input (run_id, data) VALUES (?1, ?2)")     \
    X(STATE_WRITE, "write state", "REPLACE INTO run_state (run_id, data) VALUES (?1, ?2)")     \
    X(OUTPUT_WRITE, "write output", "REPLACE INTO run_output (run_id, data) VALUES (?1, ?2)")  \
    X(INPUT_DELETE, "delete input", "DELETE FROM run_input WHERE run_id = ?1")                 \
    X(STATE_DELETE, "delete state", "DELETE FROM run_state WHERE run_id = ?1")                 \
    X(OUTPUT_DELETE, "delete output", "DELETE FROM run_output WHERE run_id = ?1")              \
    X(WAITPOINT_INSERT, "insert waitpoint", "INSERT INTO waitpoint (" WAITPOINT_COLUMNS ")"    \
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)")          \
    X(WAITPOINT_UPDATE, "update waitpoint", "UPDATE waitpoint SET status = ?4, due_ms = ?5,"   \
        " timeout_ms = ?6, completed_ms = ?8, run_id = ?9, schema = ?11, tags = ?12,"          \
        " key_text = ?13, key_expires_ms = ?14, result = ?15 WHERE id = ?1")                   \
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
        " WHERE parent_id = ?1 AND status < 5")                                                \
    X(QUEUE, "load queue", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"             \
        " WHERE id = ?1")                                                                      \
    X(QUEUE_NAMED, "load queue", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"       \
        " WHERE environment = ?1 AND name = ?2")                                               \
    X(KEY, "load key", "SELECT " KEY_COLUMNS " FROM idempotency WHERE hash = ?1")              \
    X(READY, "load ready runs", "SELECT " RUN_COLUMNS " FROM run INDEXED BY run_work"          \
        " WHERE status = 1 AND queue = ?1 ORDER BY rank_ms, id LIMIT ?2")                      \
    X(RUNNING_COUNTS, "count running runs", "SELECT queue, count(*) FROM run"                  \
        " INDEXED BY run_work WHERE status = 3 GROUP BY queue")                                \
    X(RUNNING_IDS, "list running runs", "SELECT id FROM run INDEXED BY run_work"               \
        " WHERE status = 3")                                                                   \
    X(BACKLOG, "list backlog", "SELECT queue FROM run INDEXED BY run_work"                     \
        " WHERE status = 1 AND queue > ?1 ORDER BY queue LIMIT 1")                             \
    X(PARKED, "list parked runs", "SELECT id FROM run INDEXED BY run_parked"                   \
        " WHERE status = 2 AND task = ?1 ORDER BY id LIMIT ?2")                                \
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
    IDS(X, RUNS_DELAYED, "run INDEXED BY run_rest", "status = 0 AND")                          \
    IDS(X, RUNS_QUEUED, "run INDEXED BY run_work", "status = 1 AND")                           \
    IDS(X, RUNS_PARKED, "run INDEXED BY run_rest", "status = 2 AND")                           \
    IDS(X, RUNS_RUNNING, "run INDEXED BY run_work", "status = 3 AND")                          \
    IDS(X, RUNS_WAITING, "run INDEXED BY run_rest", "status = 4 AND")                          \
    IDS(X, RUNS_ENDED, "run INDEXED BY run_ended", "outcome > 1 AND outcome = ?1 AND")         \
    IDS(X, RUNS_CHILDREN, "run INDEXED BY run_parent", "parent_id = ?1 AND")                   \
    IDS(X, TOKENS_ALL, "waitpoint", "kind = 0 AND")                                            \
    IDS(X, TOKENS_PENDING, "waitpoint INDEXED BY waitpoint_pending",                           \
        "status = 0 AND kind = 0 AND environment = ?1 AND")                                    \
    X(QUEUES_ALL, "list queues", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"       \
        " ORDER BY name, environment LIMIT ?3 OFFSET ?2")                                      \
    X(QUEUES, "list queues", "SELECT " QUEUE_COLUMNS ", " QUEUE_COUNTS " FROM queue"           \
        " WHERE environment = ?1 ORDER BY name LIMIT ?3 OFFSET ?2")                            \
    X(QUEUES_COUNT, "count queues", "SELECT count(*) FROM queue WHERE ?1 = 0"                  \
        " OR environment = ?1")                                                                \
    X(QUEUE_OLDEST, "find oldest run", "SELECT min(created_ms) FROM (SELECT created_ms"        \
        " FROM run INDEXED BY run_work WHERE status = 1 AND queue = ?1"                        \
        " ORDER BY rank_ms, id LIMIT ?2)")                                                     \
    X(TOTALS, "sum queues", "SELECT sum(delayed), sum(queued), sum(parked), sum(running),"     \
        " sum(waiting), sum(completed), sum(failed), sum(canceled) FROM queue WHERE ?1 = 0"    \
        " OR environment = ?1")                                                                \
    X(PENDING_COUNT, "count tokens", "SELECT count(*) FROM waitpoint INDEXED BY"               \
        " waitpoint_pending WHERE status = 0 AND kind = 0 AND environment = ?1")               \
    X(PENDING_COUNT_ALL, "count tokens", "SELECT count(*) FROM waitpoint INDEXED BY"           \
        " waitpoint_pending WHERE status = 0 AND kind = 0")                                    \
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
