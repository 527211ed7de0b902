/*
 * How SQLite goes about each statement: by key, never through a whole table that grows, and
 * without sorting. A new statement that does has to be named here, with the reason.
 */
#include "sqlite_fixture.h"
#include "store/sqlite/sqlite_connection.h"

#include <stdio.h>

static const struct {
    const char *name, *text;
} statements[] = {
#define X(name, what, text) { #name, text },
    SQL_MAP(X)
#undef X
};

/* What may be gone through as a whole: */
static const char *const scans[] = {
    "SCAN bulk", /* the rows at hand */
    /* Limited by config; those that were removed are not in this index. */
    "SCAN queue USING INDEX queue_live",
    "SCAN queue USING COVERING INDEX queue_live",
    "SCAN environment",
    "SCAN run_running",       /* bounded by the slots */
    "SCAN run_out",           /* the same */
    "SCAN counts",            /* both, by queue */
    "SCAN run_ready",         /* a list by id of what is ordered by queue, and of … */
    "SCAN run_parked",        /* … what is ordered by task */
    "SCAN waitpoint_pending", /* to count all */
    "SCAN next",              /* from lane to lane, as many as are wanted */
    "SCAN lane USING INDEX lane_idle", /* those without a run, and a limit */
    "SCAN build",                      /* few are kept */
    "SCAN (subquery",
    "SCAN CONSTANT ROW",
};

/* The lists by id of what is ordered otherwise, log lines, queues of all environments, those of
 * one that may go, builds, and the oldest of CROWD_LOOK runs of a queue with many lanes. */
static const char *const sorters[] = { "RUNS_QUEUED",     "RUNS_QUEUED_UP", "RUNS_RUNNING",
                                       "RUNS_RUNNING_UP", "RUNS_PARKED",    "RUNS_PARKED_UP",
                                       "LOG_LINES",       "QUEUES_ALL",     "QUEUES_IDLE",
                                       "BUILDS",          "OLDEST" };

static bool is_allowed_scan(const char *detail)
{
    for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++)
        if (strncmp(detail, scans[i], strlen(scans[i])) == 0)
            return true;
    return false;
}

static bool is_allowed_sorter(const char *name)
{
    for (size_t i = 0; i < sizeof sorters / sizeof sorters[0]; i++)
        if (strcmp(name, sorters[i]) == 0)
            return true;
    return false;
}

static void check_plan(struct connection *connection, const char *name, const char *text)
{
    sqlite3_stmt *statement;
    char explain[2048];

    snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", text);
    cr_assert_eq(sqlite3_prepare_v2(connection->db, explain, -1, &statement, NULL), SQLITE_OK,
                 "%s: %s", name, sqlite3_errmsg(connection->db));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(statement, 3);
        if (strncmp(detail, "SCAN", 4) == 0)
            cr_expect(is_allowed_scan(detail), "%s: %s", name, detail);
        if (strstr(detail, "TEMP B-TREE") != NULL)
            cr_expect(is_allowed_sorter(name), "%s: %s", name, detail);
        cr_expect(strstr(detail, "AUTOMATIC") == NULL, "%s: %s", name, detail);
    }
    sqlite3_finalize(statement);
}

Test(sqlite_plans, no_statement_walks_through_what_grows)
{
    struct fixture fixture;
    struct connection connection;

    fixture_start(&fixture);
    cr_assert(
        connection_open(&connection, fixture.path, SQLITE_OPEN_READWRITE, 100, &fixture.err));
    for (size_t i = 0; i < SQL_COUNT; i++)
        check_plan(&connection, statements[i].name, statements[i].text);
    connection_close(&connection);
    fixture_finish(&fixture);
}
