/* Numbers of a queue and of its keys, as the API shows them. */
#include "sqlite_fixture.h"

#include <sqlite3.h>

static struct fixture f;
static struct reader *reader;
static struct arena shown;

static void setup(void)
{
    fixture_start(&f);
    reader = f.store->ops->reader_open(f.store, &f.err);
    cr_assert_not_null(reader, "%s", f.err.text);
}

static void teardown(void)
{
    reader->ops->close(reader);
    arena_finish(&shown);
    fixture_finish(&f);
}

TestSuite(sqlite_numbers, .init = setup, .fini = teardown);

static struct queue_hour *hour_of(int64_t since, int64_t until, bool has_keys)
{
    struct queue_hour *hour = ARENA_NEW(&shown, struct queue_hour);

    CHECK(&f, reader->ops->hour(reader, &shown, f.queue, since, until, has_keys, hour, &f.err));
    return hour;
}

static void started(int64_t minute, const char *key, int64_t count)
{
    struct queue_minute *row = rows_minute(&f.rows, minute, f.queue, slice_of(key));

    row->started += count;
    row->waits[4] += count;
}

Test(sqlite_numbers, minutes_are_added_to)
{
    for (int i = 0; i < 2; i++) {
        fixture_begin(&f);
        started(100, "", 3);
        started(100, "a", 1);
        started(100, "b", 2);
        rows_minute(&f.rows, 100, f.queue, SLICE(""))->completed = 5;
        rows_minute(&f.rows, 100, 12345, SLICE(""))->started = 77; /* another queue's */
        fixture_commit(&f);
    }
    fixture_begin(&f);
    started(101, "", 1);
    fixture_commit(&f);

    struct queue_hour *hour = hour_of(100, 101, true);
    cr_assert_eq(hour->all.started, 7);
    cr_assert_eq(hour->all.completed, 10);
    cr_assert_eq(hour->all.waits[4], 7);
    cr_assert_eq(hour->all.waits[5], 0);
    cr_assert_eq(hour->count, 2);
    cr_assert(slice_is(hour->keys[0].key, "b") && hour->keys[0].hour->started == 4);
    cr_assert(slice_is(hour->keys[1].key, "a") && hour->keys[1].hour->started == 2);
    hour = hour_of(101, 160, false);
    cr_assert(hour->all.started == 1 && hour->count == 0);
    cr_assert_eq(hour_of(0, 99, true)->all.started, 0);
}

Test(sqlite_numbers, old_minutes_go_some_at_a_time)
{
    for (int64_t minute = 10; minute < 20; minute++) {
        fixture_begin(&f);
        started(minute, "", 1);
        fixture_commit(&f);
    }

    fixture_begin(&f);
    CHECK(&f, f.store->ops->sweep(f.store, 0, 15, 2, &f.err));
    fixture_commit(&f);
    cr_assert_eq(hour_of(0, 60, false)->all.started, 8);
    fixture_begin(&f);
    CHECK(&f, f.store->ops->sweep(f.store, 0, 15, 100, &f.err));
    fixture_commit(&f);

    cr_assert_eq(hour_of(0, 60, false)->all.started, 5);
    cr_assert_eq(hour_of(0, 14, false)->all.started, 0);
}

/* ---- keys ---------------------------------------------------------------------------------
 */

static struct run *keyed_run(uint32_t status, const struct lane *lane)
{
    struct run *run = fixture_run(&f, status);

    run->lane = lane->id;
    run->concurrency_key = lane->key;
    if (status == RUN_DELAYED)
        run->due_ms = f.now_ms + 1000; /* else it is paused, which no older version knows */
    return run;
}

static struct lane *lane_make(const char *key)
{
    struct lane *lane =
        rows_new_lane(&f.rows, id_next(&f.ids, f.now_ms), f.queue, slice_of(key));

    lane->environment = f.environment;
    return lane;
}

static int64_t waiting;

static void fill(void)
{
    fixture_begin(&f);
    struct lane *lane = lane_make("a");
    lane_make("idle");
    for (uint32_t status = RUN_DELAYED; status <= RUN_DONE; status++)
        for (uint32_t i = 0; i <= status; i++)
            waiting = keyed_run(status == RUN_DONE ? RUN_WAITING : status, lane)->id;
    keyed_run(RUN_DONE, lane)->is_out = true;
    fixture_commit(&f);
}

static void check(int64_t more_queued, int64_t fewer_waiting)
{
    const struct queue_hour *hour = hour_of(0, 0, true);
    const struct queue_stats *now = &hour->keys[0].now;

    cr_assert_eq(hour->count, 1, "what has no run is not shown");
    cr_assert(slice_is(hour->keys[0].key, "a"));
    cr_assert_null(hour->keys[0].hour);
    cr_assert_eq(now->delayed, RUN_DELAYED + 1);
    cr_assert_eq(now->queued, RUN_QUEUED + 1 + more_queued);
    cr_assert_eq(now->parked, RUN_PARKED + 1);
    cr_assert_eq(now->running, RUN_RUNNING + 1 + 1, "one is out");
    cr_assert_eq(now->waiting, RUN_WAITING + 1 + RUN_DONE + 1 - fewer_waiting);
    cr_assert_neq(now->oldest_queued_ms, 0);
}

Test(sqlite_numbers, a_key_that_only_has_runs_is_shown)
{
    fill();
    check(0, 0);

    fixture_begin(&f);
    struct run *run = fixture_find(&f, waiting, 0);
    run->status = RUN_QUEUED;
    fixture_commit(&f);
    check(1, 1);
}

Test(sqlite_numbers, in_a_file_of_before_they_are_counted)
{
    sqlite3 *db;

    fill();
    reader->ops->close(reader);
    fixture_close(&f);
    cr_assert_eq(sqlite3_open(f.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, BACK_TO_12 "PRAGMA user_version = 12", NULL, NULL, NULL),
                 SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    fixture_open(&f);
    reader = f.store->ops->reader_open(f.store, &f.err);
    cr_assert_not_null(reader, "%s", f.err.text);

    check(0, 0);
}
