/*
 * The schema as steps. Step n takes a file from version n to n + 1; the version is the file's
 * user_version. A step that was released is never edited: a change is a new step at the end.
 *
 *   run ─┬─ run_input, run_state, run_output, run_mail   big values by themselves: a move
 * writes a row of `run` │                                     anew and should not drag the
 * payload along ├─ run_ready (queue, rank)            QUEUED, in the order of dispatch ├─
 * run_running (queue) RUNNING: counts, and the restart ├─ run_parked (task) PARKED, until the
 * plugin comes back ├─ run_place (place)                  DELAYED, WAITING, and what ended
 * other than completed ├─ run_due, run_task, run_parent ├─ edge (waitpoint_id, run_id) what
 * waits; a run's id may stand for a waitpoint ├─ queue                              with its
 * live runs counted by status └─ log_line waitpoint ── waitpoint_due, waitpoint_pending (of an
 * environment; tokens) idempotency   hash of a key → what was made with it name          words
 * that repeat in each run, as small numbers: a task with its environment, and (environment 0)
 * segments, versions, builds, schemas
 *
 * Ids are time-ordered, so rows are appended. A row is its id and packed fields (fields.h); the
 * tables of marks beside it are indexes that record.c keeps by hand: SQLite's own would be
 * looked at for every row that is written, whether it moved or not, and stand in the way of
 * writing in bulk.
 */
#include "migrations.h"

#include <stddef.h>

/* The marks of a table by queue and, before what else they have, by lane. */
#define IN_LANES(table, columns, key, names)                                               \
    "CREATE TABLE " table "_laned (queue INTEGER NOT NULL, lane INTEGER NOT NULL," columns \
    " run_id INTEGER NOT NULL, PRIMARY KEY (queue, lane, " key "run_id)) WITHOUT ROWID;"   \
    "INSERT INTO " table "_laned SELECT queue, queue, " names "run_id FROM " table ";"     \
    "DROP TABLE " table "; ALTER TABLE " table "_laned RENAME TO " table ";"

/* What is kept of a pause (engine/rows/pause.h), and when it ends. */
#define PAUSES(table, key)                                                            \
    "ALTER TABLE " table " ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;"             \
    "ALTER TABLE " table " ADD COLUMN refuses INTEGER NOT NULL DEFAULT 0;"            \
    "ALTER TABLE " table " ADD COLUMN due_is_span INTEGER NOT NULL DEFAULT 0;"        \
    "ALTER TABLE " table " ADD COLUMN due_ms INTEGER;"                                \
    "ALTER TABLE " table " ADD COLUMN until_ms INTEGER;"                              \
    "ALTER TABLE " table " ADD COLUMN frozen_ms INTEGER NOT NULL DEFAULT 0;"          \
    "ALTER TABLE " table " ADD COLUMN frozen_at_ms INTEGER NOT NULL DEFAULT 0;"       \
    "ALTER TABLE " table " ADD COLUMN ramp_from_ms INTEGER;"                          \
    "ALTER TABLE " table " ADD COLUMN ramp_ms INTEGER NOT NULL DEFAULT 0;"            \
    "CREATE TABLE " table "_due (due_ms INTEGER NOT NULL, " key " INTEGER NOT NULL,"  \
    " PRIMARY KEY (due_ms, " key ")) WITHOUT ROWID;"                                  \
    "CREATE TABLE " table "_span (due_ms INTEGER NOT NULL, " key " INTEGER NOT NULL," \
    " PRIMARY KEY (due_ms, " key ")) WITHOUT ROWID;"

static const char *const steps[] = {
    "CREATE TABLE environment (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE name (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL,"
    " text TEXT NOT NULL);"
    "CREATE UNIQUE INDEX name_unique ON name (environment, text);"
    "CREATE INDEX name_text ON name (text);"
    "CREATE TABLE run (id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE run_task (task INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (task, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_parent (parent_id INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (parent_id, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_ready (queue INTEGER NOT NULL, rank_ms INTEGER NOT NULL,"
    " run_id INTEGER NOT NULL, PRIMARY KEY (queue, rank_ms, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_running (queue INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (queue, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_parked (task INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (task, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_place (place INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (place, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_due (due_ms INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_input (run_id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE run_state (run_id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE run_output (run_id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE waitpoint (id INTEGER PRIMARY KEY, data BLOB NOT NULL, result BLOB);"
    "CREATE TABLE waitpoint_due (due_ms INTEGER NOT NULL, waitpoint_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, waitpoint_id)) WITHOUT ROWID;"
    "CREATE TABLE waitpoint_pending (environment INTEGER NOT NULL,"
    " waitpoint_id INTEGER NOT NULL, PRIMARY KEY (environment, waitpoint_id)) WITHOUT ROWID;"
    "CREATE TABLE edge (waitpoint_id INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (waitpoint_id, run_id)) WITHOUT ROWID;"
    "CREATE TABLE queue (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL,"
    " name TEXT NOT NULL, paused INTEGER NOT NULL, paused_ms INTEGER,"
    " created_ms INTEGER NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT NULL,"
    " canceled INTEGER NOT NULL, wait_ms INTEGER NOT NULL, busy_us INTEGER NOT NULL,"
    " delayed INTEGER NOT NULL DEFAULT 0, queued INTEGER NOT NULL DEFAULT 0,"
    " parked INTEGER NOT NULL DEFAULT 0, running INTEGER NOT NULL DEFAULT 0,"
    " waiting INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX queue_name ON queue (environment, name);"
    "CREATE TABLE idempotency (hash BLOB PRIMARY KEY, target INTEGER NOT NULL,"
    " expires_ms INTEGER, payload BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX idempotency_expiry ON idempotency (expires_ms)"
    " WHERE expires_ms IS NOT NULL;"
    "CREATE TABLE log_line (run_id INTEGER NOT NULL, line INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, level INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " text TEXT NOT NULL, PRIMARY KEY (run_id, line)) WITHOUT ROWID;",

    /* What is due after a time, and not at a date, goes by a clock that is not set back. */
    "CREATE TABLE run_span (due_ms INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, run_id)) WITHOUT ROWID;"
    "CREATE TABLE waitpoint_span (due_ms INTEGER NOT NULL, waitpoint_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, waitpoint_id)) WITHOUT ROWID;",

    /* PENDING tokens by the run that made them, to be closed with it. Older ones are not in it:
     * who answers one of those is told that its run has ended. */
    "CREATE TABLE waitpoint_made (run_id INTEGER NOT NULL, waitpoint_id INTEGER NOT NULL,"
    " PRIMARY KEY (run_id, waitpoint_id)) WITHOUT ROWID;"
    "ALTER TABLE log_line ADD COLUMN segment INTEGER NOT NULL DEFAULT 0;",

    "CREATE TABLE run_out (queue INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (queue, run_id)) WITHOUT ROWID;",

    /* Ids that runs were given for what their segments make: none above this one. */
    "CREATE TABLE given (one INTEGER PRIMARY KEY, last_id INTEGER NOT NULL);"
    "INSERT INTO given VALUES (1, 0);",

    "CREATE TABLE run_tag (tag INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (tag, run_id)) WITHOUT ROWID;"
    "CREATE TABLE waitpoint_tag (tag INTEGER NOT NULL, waitpoint_id INTEGER NOT NULL,"
    " PRIMARY KEY (tag, waitpoint_id)) WITHOUT ROWID;",

    "ALTER TABLE queue ADD COLUMN used_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;"
    "UPDATE queue SET used_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000;"
    "CREATE INDEX queue_live ON queue (environment, name) WHERE removed = 0;",

    /* Runs without a concurrency key, as all of them were, are in a lane with the queue's id.
     */
    "CREATE TABLE lane (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL,"
    " queue INTEGER NOT NULL, key TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    " live INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX lane_key ON lane (queue, key);"
    "CREATE INDEX lane_idle ON lane (id) WHERE live = 0;" IN_LANES(
        "run_ready", " rank_ms INTEGER NOT NULL,", "rank_ms, ", "rank_ms, ")
        IN_LANES("run_running", "", "", "") IN_LANES("run_out", "", "", ""),

    "ALTER TABLE environment ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE environment ADD COLUMN paused_ms INTEGER;"
    "ALTER TABLE environment ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE environment ADD COLUMN paused_why TEXT NOT NULL DEFAULT '';",

    /* One node alone, which is all that a file can have, writes none of these. */
    "CREATE TABLE node (number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,"
    " lease_ms INTEGER NOT NULL, offers BLOB);"
    "CREATE TABLE limit_grant (scope INTEGER PRIMARY KEY, holders BLOB, hungry BLOB);",

    /* Whoever comes from an older format can go back to the copy of it for some days. */
    "CREATE TABLE kept (one INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL);"
    "INSERT INTO kept VALUES (1, 0);",

    "ALTER TABLE queue ADD COLUMN override_limit INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN override_ms INTEGER;"
    "ALTER TABLE queue ADD COLUMN override_by TEXT NOT NULL DEFAULT '';",

    "CREATE TABLE queue_minute (minute INTEGER NOT NULL, queue INTEGER NOT NULL, key TEXT"
    " NOT NULL, started INTEGER NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT"
    " NULL, canceled INTEGER NOT NULL, w0 INTEGER NOT NULL, w1 INTEGER NOT NULL, w2 INTEGER"
    " NOT NULL, w3 INTEGER NOT NULL, w4 INTEGER NOT NULL, w5 INTEGER NOT NULL, w6 INTEGER"
    " NOT NULL, w7 INTEGER NOT NULL, w8 INTEGER NOT NULL, w9 INTEGER NOT NULL, w10 INTEGER"
    " NOT NULL, w11 INTEGER NOT NULL, w12 INTEGER NOT NULL, w13 INTEGER NOT NULL, w14"
    " INTEGER NOT NULL, w15 INTEGER NOT NULL, w16 INTEGER NOT NULL, w17 INTEGER NOT NULL,"
    " w18 INTEGER NOT NULL, w19 INTEGER NOT NULL, w20 INTEGER NOT NULL, w21 INTEGER NOT"
    " NULL, w22 INTEGER NOT NULL, w23 INTEGER NOT NULL, w24 INTEGER NOT NULL, w25 INTEGER"
    " NOT NULL, PRIMARY KEY (minute, queue, key)) WITHOUT ROWID;"
    "ALTER TABLE lane ADD COLUMN delayed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE lane ADD COLUMN queued INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE lane ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE lane ADD COLUMN running INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE lane ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;"
    "UPDATE lane SET queued = (SELECT count(*) FROM run_ready AS r WHERE r.queue = lane.queue"
    " AND r.lane = lane.id), running = (SELECT count(*) FROM run_running AS r"
    " WHERE r.queue = lane.queue AND r.lane = lane.id) + (SELECT count(*) FROM run_out AS r"
    " WHERE r.queue = lane.queue AND r.lane = lane.id);"
    "ALTER TABLE lane ADD COLUMN last INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE rate (scope INTEGER PRIMARY KEY, tat_us INTEGER NOT NULL,"
    " interval_us INTEGER NOT NULL, burst INTEGER NOT NULL, pushed_ms INTEGER NOT NULL);"
    "ALTER TABLE queue ADD COLUMN pushed_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE queue ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE queue ADD COLUMN paused_why TEXT NOT NULL DEFAULT '';" PAUSES("queue", "queue")
        PAUSES("environment", "number"),

    "CREATE TABLE batch (id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE batch_due (due_ms INTEGER NOT NULL, batch_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, batch_id)) WITHOUT ROWID;"
    "CREATE TABLE batch_span (due_ms INTEGER NOT NULL, batch_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, batch_id)) WITHOUT ROWID;"
    "CREATE TABLE batch_item (id INTEGER PRIMARY KEY, data BLOB NOT NULL, asked BLOB);"
    "CREATE TABLE run_mail (run_id INTEGER PRIMARY KEY, data BLOB NOT NULL);",

    "ALTER TABLE queue ADD COLUMN rates BLOB;"
    "ALTER TABLE queue ADD COLUMN rates_by TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE queue ADD COLUMN unstarted INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE schedule (id INTEGER PRIMARY KEY, environment INTEGER NOT NULL,"
    " name TEXT NOT NULL, is_declared INTEGER NOT NULL, active INTEGER NOT NULL,"
    " dropped INTEGER NOT NULL, due_ms INTEGER, next_ms INTEGER, last_ms INTEGER,"
    " zone_data TEXT NOT NULL, rules BLOB, created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL, fired INTEGER NOT NULL, skipped INTEGER NOT NULL,"
    " missed INTEGER NOT NULL, refused INTEGER NOT NULL, failures INTEGER NOT NULL,"
    " runs BLOB, waiting BLOB, events BLOB, note TEXT NOT NULL);"
    "CREATE UNIQUE INDEX schedule_name ON schedule (environment, name);"
    "CREATE TABLE schedule_due (due_ms INTEGER NOT NULL, schedule_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, schedule_id)) WITHOUT ROWID;",

    /* Runs have fields that older versions do not know, and are found by their metadata. */
    "CREATE TABLE bulk_action (id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE bulk_action_due (due_ms INTEGER NOT NULL, bulk_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, bulk_id)) WITHOUT ROWID;"
    "CREATE TABLE bulk_action_span (due_ms INTEGER NOT NULL, bulk_id INTEGER NOT NULL,"
    " PRIMARY KEY (due_ms, bulk_id)) WITHOUT ROWID;"
    "CREATE TABLE run_bulk (bulk_id INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (bulk_id, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_schedule (schedule INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (schedule, run_id)) WITHOUT ROWID;"
    "ALTER TABLE schedule ADD COLUMN backfill BLOB;",

    /* Runs have fields that older versions do not know. */
    "CREATE TABLE run_states (run_id INTEGER PRIMARY KEY, data BLOB NOT NULL);",

    "CREATE TABLE build (id INTEGER PRIMARY KEY, sha TEXT NOT NULL, file TEXT NOT NULL,"
    " plugin TEXT NOT NULL, version TEXT NOT NULL, about BLOB, created_ms INTEGER NOT NULL,"
    " rank_ms INTEGER NOT NULL, in_file INTEGER NOT NULL, heir INTEGER NOT NULL,"
    " ramp_percent INTEGER NOT NULL, ramp_from_ms INTEGER, ramp_ms INTEGER NOT NULL,"
    " note TEXT NOT NULL);",
};

/* Steps, counted from 0, that need more than SQL: rows that are there get their marks, and are
 * counted. */
enum { STEP_TAGS = 5, STEP_LANES = 12, STEP_MEMBERS = 15 };

/* After a migration nothing old is removed for so long. */
enum { KEPT_SECONDS = 7 * 86400 };

int schema_version(void)
{
    return (int)(sizeof steps / sizeof steps[0]);
}

static bool run_steps(sqlite3 *db, int from)
{
    char *pragmas = sqlite3_mprintf(
        "PRAGMA application_id = %d; PRAGMA user_version = %d;"
        "UPDATE kept SET until_ms = (strftime('%%s', 'now') + %d) * 1000 WHERE %d > 0",
        (int)SCHEMA_APPLICATION, schema_version(), KEPT_SECONDS, from);
    bool done = pragmas != NULL;

    for (int step = from; done && step < schema_version(); step++)
        done = sqlite3_exec(db, steps[step], NULL, NULL, NULL) == SQLITE_OK &&
               ((step != STEP_TAGS && step != STEP_MEMBERS) || from == 0 ||
                schema_fill_labels(db)) &&
               (step != STEP_LANES || from == 0 || schema_count_lanes(db));
    done = done && sqlite3_exec(db, pragmas, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_free(pragmas);
    return done;
}

bool schema_apply(sqlite3 *db, int from, struct err *err)
{
    if (from == schema_version())
        return true;
    if (sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK &&
        run_steps(db, from) && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return true;
    err_set(err, ERR_STORE, "could not bring the database from version %d to %d: %s", from,
            schema_version(), sqlite3_errmsg(db));
    if (!sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* the error above says it */
    return false;
}
