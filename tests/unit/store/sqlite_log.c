/* The log in front of the database file: it stays bounded, also when a reader holds it up for a
 * while. */
#include "sqlite_fixture.h"
#include "store/sqlite/sqlite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture fixture;
static char *payload;

enum { PAYLOAD = 400 << 10, PAGE = 4096, BATCH_FRAMES = PAYLOAD / PAGE + 20 };

static void start(void)
{
    fixture_start(&fixture);
    payload = calloc(1, PAYLOAD);
}

static void finish(void)
{
    free(payload);
    fixture_finish(&fixture);
}

TestSuite(sqlite_log, .init = start, .fini = finish, .timeout = 300);

/* About a hundred frames. */
static int64_t add_batch(void)
{
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_QUEUED);
    int64_t id = run->id;
    run->input = (struct slice){ payload, PAYLOAD };
    run->row.dirty_parts = PART_INPUT;
    fixture_commit(&fixture);
    return id;
}

static int64_t log_frames(void)
{
    char log[128];
    struct stat status;

    snprintf(log, sizeof log, "%s-wal", fixture.path);
    cr_assert_eq(stat(log, &status), 0);
    return status.st_size / (PAGE + 24);
}

Test(sqlite_log, it_starts_over_while_batches_go_on)
{
    int64_t ids[250];

    for (int i = 0; i < 250; i++) {
        ids[i] = add_batch();
        cr_assert_leq(log_frames(), CHECKPOINT_MOST + 2 * BATCH_FRAMES);
    }
    for (int i = 0; i < 250; i += 20)
        cr_assert_eq(fixture_show(&fixture, ids[i], PART_INPUT)->input.size, PAYLOAD);
    fixture_close(&fixture);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM run_input"), 250);
}

Test(sqlite_log, a_reader_that_stands_on_old_pages_holds_it_up_only_so_long)
{
    sqlite3 *db;
    sqlite3_stmt *statement;

    add_batch();
    cr_assert_eq(sqlite3_open_v2(fixture.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, "SELECT count(*) FROM run", -1, &statement, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    cr_assert_eq(sqlite3_column_int(statement, 0), 1);

    for (int i = 0; i < 70; i++)
        add_batch(); /* none of it is refused */
    int64_t longest = log_frames();
    cr_assert_gt(longest, CHECKPOINT_FRAMES);
    sqlite3_reset(statement);
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    cr_assert_eq(sqlite3_column_int(statement, 0), 1, "the reader's snapshot has changed");
    sqlite3_finalize(statement);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);

    for (int i = 0; i < 200; i++)
        add_batch();
    cr_assert_leq(log_frames(), CHECKPOINT_MOST + 10 * BATCH_FRAMES,
                  "the log never started over");
    fixture_close(&fixture);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM run_input"), 271);
}

/* ---- readers that overlap ---------------------------------------------------------------- */

static atomic_bool is_over;

/* Reads, stays for a while in what it saw, and comes again at once. */
static void *overlap(void *context)
{
    useconds_t *stay_us = context;
    struct err err;
    struct reader *reader = fixture.store->ops->reader_open(fixture.store, &err);
    struct arena arena = { 0 };
    struct totals totals;

    for (int i = 0; reader != NULL && !atomic_load(&is_over); i++) {
        if (reader->ops->begin(reader, &err)) {
            (void)reader->ops->totals(reader, 0, &totals, &err); /* that it reads is enough */
            usleep(*stay_us);
            reader->ops->end(reader);
        }
        arena_reset(&arena);
    }
    if (reader != NULL)
        reader->ops->close(reader);
    arena_finish(&arena);
    return NULL;
}

Test(sqlite_log, it_starts_over_whatever_readers_do)
{
    enum { READERS = 3, LIMIT = 8 << 20 };
    pthread_t threads[READERS];
    useconds_t stays[READERS] = { 7000, 11000, 17000 };
    struct store_limits limits = { .log_bytes = LIMIT };

    fixture_close(&fixture);
    cr_assert(store_sqlite_open_with(fixture.path, &limits, &fixture.store, &fixture.err));
    for (int i = 0; i < READERS; i++)
        pthread_create(&threads[i], NULL, overlap, &stays[i]);
    for (int i = 0; i < 150; i++) { /* sixty megabytes */
        add_batch();
        cr_assert_leq(log_frames(), LIMIT / PAGE + 2 * BATCH_FRAMES, "after batch %d", i);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
}
