/* Marks: what rows are found by, and the SQL that sets and takes them away. */
#ifndef MARKS_SQLITE_H
#define MARKS_SQLITE_H

/* clang-format off */
/*
 * Marks: tables of (a value, an id) by which rows are found. X(name, table, value, id, words)
 */
#define MARK_MAP(X)                                                                            \
    X(PLACE, "run_place", "place", "run_id", "place of run")                                   \
    X(PARKED, "run_parked", "task", "run_id", "parked run")                                    \
    X(TASK, "run_task", "task", "run_id", "task of run")                                       \
    X(PARENT, "run_parent", "parent_id", "run_id", "parent of run")                            \
    X(RUN_DUE, "run_due", "due_ms", "run_id", "due run")                                       \
    X(WAITPOINT_DUE, "waitpoint_due", "due_ms", "waitpoint_id", "due waitpoint")               \
    X(RUN_SPAN, "run_span", "due_ms", "run_id", "due run")                                     \
    X(WAITPOINT_SPAN, "waitpoint_span", "due_ms", "waitpoint_id", "due waitpoint")             \
    X(TAG, "run_tag", "tag", "run_id", "tag of run")                                           \
    X(TOKEN_TAG, "waitpoint_tag", "tag", "waitpoint_id", "tag of token")                       \
    X(PENDING, "waitpoint_pending", "environment", "waitpoint_id", "pending token")            \
    X(MADE, "waitpoint_made", "run_id", "waitpoint_id", "token of run")                        \
    X(EDGE, "edge", "waitpoint_id", "run_id", "edge")

/* The same by queue and lane. X(name, table, words) */
#define LANE_MARK_MAP(X)                                                                       \
    X(RUNNING, "run_running", "running run")                                                   \
    X(OUT, "run_out", "run that is out")

#define MARK_SQL(name, table, value, id, words)                                                \
    X(MARK_##name, "write " words,                                                             \
        "INSERT OR IGNORE INTO " table " (" value ", " id ") SELECT a, id FROM bulk")          \
    X(UNMARK_##name, "delete " words, "DELETE FROM " table " WHERE " value " = ?1"             \
        " AND " id " = ?2")

#define LANE_MARK_SQL(name, table, words)                                                      \
    X(MARK_##name, "write " words,                                                             \
        "INSERT OR IGNORE INTO " table " (queue, lane, run_id) SELECT a, c, id FROM bulk")     \
    X(UNMARK_##name, "delete " words, "DELETE FROM " table " WHERE queue = ?1"                 \
        " AND lane = ?2 AND run_id = ?3")
/* clang-format on */

#endif
