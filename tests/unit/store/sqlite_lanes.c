/* A file of before there were lanes: its runs are in the lanes of their queues. */
#include "sqlite_fixture.h"

#include <sqlite3.h>
#include <stdio.h>

static const char before[] = BACK_TO_8
    "DROP TABLE lane; DROP TABLE run_ready; DROP TABLE run_running; DROP TABLE run_out;"
    "CREATE TABLE run_ready (queue INTEGER NOT NULL, rank_ms INTEGER NOT NULL,"
    " run_id INTEGER NOT NULL, PRIMARY KEY (queue, rank_ms, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_running (queue INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (queue, run_id)) WITHOUT ROWID;"
    "CREATE TABLE run_out (queue INTEGER NOT NULL, run_id INTEGER NOT NULL,"
    " PRIMARY KEY (queue, run_id)) WITHOUT ROWID; PRAGMA user_version = 7;";

Test(sqlite_lanes, a_file_of_before_has_the_queues_own)
{
    struct fixture f;
    struct ready *ready;
    char marks[300];
    int64_t ids[3];
    sqlite3 *db;

    fixture_start(&f);
    fixture_begin(&f);
    for (int i = 0; i < 3; i++) {
        struct run *run = fixture_run(&f, i == 2 ? RUN_RUNNING : RUN_QUEUED);
        run->rank_ms = 10 - i;
        ids[i] = run->id;
    }
    fixture_commit(&f);
    fixture_close(&f);
    snprintf(marks, sizeof marks,
             "INSERT INTO run_ready VALUES (%lld, 10, %lld), (%lld, 9, %lld);"
             "INSERT INTO run_running VALUES (%lld, %lld);",
             (long long)f.queue, (long long)ids[0], (long long)f.queue, (long long)ids[1],
             (long long)f.queue, (long long)ids[2]);
    cr_assert_eq(sqlite3_open(f.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, before, NULL, NULL, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_exec(db, marks, NULL, NULL, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    sqlite3_close(db);
    fixture_open(&f);

    fixture_begin(&f);
    (void)rows_ready(&f.rows, f.queue, f.queue, 5, &ready);
    (void)rows_running(&f.rows);
    fixture_load(&f);
    cr_assert(rows_ready(&f.rows, f.queue, f.queue, 5, &ready));
    cr_assert(ready->count == 2 && ready->runs[0]->id == ids[1]);
    cr_assert_eq(ready->runs[0]->lane, f.queue);
    cr_assert(f.rows.running_count == 1 && f.rows.running[0].lane == f.queue);
    fixture_rollback(&f);
    fixture_finish(&f);
}
