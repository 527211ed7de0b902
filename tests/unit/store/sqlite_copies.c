/* Whole copies: one that takes the file's place because it is smaller, and one that is kept
 * before a migration. */
#include "sqlite_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture fixture;

static void setup(void)
{
    fixture_init(&fixture);
}

static void teardown(void)
{
    fixture_finish(&fixture);
}

TestSuite(sqlite_copies, .init = setup, .fini = teardown, .timeout = 60);

static const char *beside(const char *suffix)
{
    static char path[160];

    snprintf(path, sizeof path, "%s%s", fixture.path, suffix);
    return path;
}

static bool is_there(const char *suffix)
{
    return access(beside(suffix), F_OK) == 0;
}

static int64_t size_of(const char *suffix)
{
    struct stat status;

    cr_assert_eq(stat(beside(suffix), &status), 0);
    return status.st_size;
}

/* On a file that is not the fixture's own. */
static int64_t number_in(const char *path, const char *question)
{
    sqlite3_stmt *statement;
    sqlite3 *db;

    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, question, -1, &statement, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static size_t bytes_read(char **bytes)
{
    FILE *file = fopen(fixture.path, "rb");
    int64_t size = size_of("");

    cr_assert_not_null(file);
    *bytes = malloc((size_t)size);
    cr_assert_eq(fread(*bytes, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return (size_t)size;
}

static void check_same(const char *before, size_t size)
{
    char *after;

    cr_assert_eq(bytes_read(&after), size);
    cr_assert_eq(memcmp(before, after, size), 0);
    free(after);
}

static const char payload[5000];

/* Five megabytes, of which one run in ten stays. */
static int64_t filled_and_emptied(void)
{
    int64_t ids[1000], kept = 0;

    fixture_open(&fixture);
    CHECK(&fixture, fixture.store->ops->environment(fixture.store, "prod", &fixture.environment,
                                                    &fixture.err));
    fixture.queue = fixture_queue(&fixture, fixture.environment, "task/pay");
    fixture_begin(&fixture);
    for (int i = 0; i < 1000; i++) {
        struct run *run = fixture_run(&fixture, RUN_DONE);
        run->input = (struct slice){ payload, sizeof payload };
        run->row.dirty_parts = PART_INPUT;
        ids[i] = run->id;
    }
    fixture_commit(&fixture);
    fixture_begin(&fixture);
    for (int i = 0; i < 1000; i++) {
        if (i % 10 == 0)
            kept = ids[i];
        else
            fixture_find(&fixture, ids[i], 0)->row.is_deleted = true;
    }
    fixture_commit(&fixture);
    return kept;
}

Test(sqlite_copies, a_compact_file_is_smaller_and_has_all_that_was_in_it)
{
    struct compaction compaction;
    int64_t kept = filled_and_emptied();
    struct stat status;

    fixture_close(&fixture);
    int64_t before = size_of("");
    CHECK(&fixture, store_sqlite_compact(fixture.path, &compaction, &fixture.err));

    cr_assert_eq(compaction.before_bytes, before);
    cr_assert_eq(compaction.after_bytes, size_of(""));
    cr_assert_gt(before, 5000000);
    cr_assert_lt(compaction.after_bytes, 1000000);
    cr_assert_eq(stat(fixture.path, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0600);
    cr_assert_not(is_there(".compact"));
    cr_assert_not(is_there("-wal"));
    fixture_open(&fixture);
    cr_assert_eq(fixture_show(&fixture, kept, PART_INPUT)->input.size, 5000);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM run"), 100);
    cr_assert_eq(fixture_sql(&fixture, "PRAGMA freelist_count"), 0);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM pragma_integrity_check "
                                       "WHERE integrity_check <> 'ok'"),
                 0);
}

/* Without it the same room is used again. */
Test(sqlite_copies, free_pages_are_used_before_the_file_grows)
{
    filled_and_emptied();
    int64_t pages = fixture_sql(&fixture, "PRAGMA page_count");
    int64_t unused = fixture_sql(&fixture, "PRAGMA freelist_count");

    cr_assert_gt(unused, 1000);
    fixture_begin(&fixture);
    for (int i = 0; i < 500; i++) {
        struct run *run = fixture_run(&fixture, RUN_DONE);
        run->input = (struct slice){ payload, sizeof payload };
        run->row.dirty_parts = PART_INPUT;
    }
    fixture_commit(&fixture);
    cr_assert_eq(fixture_sql(&fixture, "PRAGMA page_count"), pages);
    cr_assert_lt(fixture_sql(&fixture, "PRAGMA freelist_count"), unused - 500);
}

static void check_not_compacted(const char *words)
{
    struct compaction compaction;
    char *before;
    size_t size = bytes_read(&before);

    cr_assert_not(store_sqlite_compact(fixture.path, &compaction, &fixture.err));
    cr_assert_not_null(strstr(fixture.err.text, words), "%s", fixture.err.text);
    check_same(before, size);
    cr_assert_not(is_there(".compact"));
    cr_assert_not(is_there(".compact.new"));
    free(before);
}

Test(sqlite_copies, a_file_that_somebody_has_open_is_not_compacted)
{
    sqlite3 *db;

    filled_and_emptied();
    check_not_compacted("is in use by another bide server");
    fixture_close(&fixture);
    cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM run", NULL, NULL, NULL),
                 SQLITE_OK);
    check_not_compacted("another program has");
    sqlite3_close(db);
    CHECK(&fixture,
          store_sqlite_compact(fixture.path, &(struct compaction){ 0 }, &fixture.err));
}

static void sql(const char *text)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

Test(sqlite_copies, a_file_of_another_format_or_none_is_not_compacted)
{
    struct compaction compaction;

    cr_assert_not(store_sqlite_compact(fixture.path, &compaction, &fixture.err));
    cr_assert_not_null(strstr(fixture.err.text, "No such file"), "%s", fixture.err.text);
    cr_assert_not(is_there(".new"), "nothing is made where nothing is");
    filled_and_emptied();
    fixture_close(&fixture);
    sql("PRAGMA user_version = 3");
    check_not_compacted("has format 3, and this bide writes");
    sql("PRAGMA user_version = 999");
    check_not_compacted("was written by a newer bide (format 999");
}

/* Room for what is in it, and not for as much again. */
Test(sqlite_copies, too_little_room_is_told_before_anything_is_written)
{
    char ballast[128];

    if (mount("bide-test", fixture.directory, "tmpfs", 0, "size=24m") != 0)
        cr_skip_test("no small file system can be mounted here: %s", strerror(errno));
    filled_and_emptied();
    fixture_close(&fixture);
    snprintf(ballast, sizeof ballast, "%s/ballast", fixture.directory);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    off_t size = 24 << 20;
    while (posix_fallocate(fd, 0, size) != 0)
        size -= 64 << 10;
    cr_assert_eq(ftruncate(fd, size - (128 << 10)), 0); /* for SQLite's own small files */
    close(fd);
    check_not_compacted("MiB are free there; nothing was changed");
    /* What a server kept back is room for it. */
    cr_assert_eq(rename(ballast, beside("-reserve")), 0);
    CHECK(&fixture,
          store_sqlite_compact(fixture.path, &(struct compaction){ 0 }, &fixture.err));
    umount2(fixture.directory, MNT_DETACH);
}

/* ---- before a migration ------------------------------------------------------------------ */

static void older_make(void)
{
    FILE *file = fopen(SOURCE_DIR "/tests/integration/formats/1.sql", "r");
    char *text = NULL;
    size_t size = 0;

    cr_assert_not_null(file);
    cr_assert_gt(getdelim(&text, &size, '\0', file), 0);
    fclose(file);
    sql(text);
    sql("PRAGMA journal_mode = WAL");
    free(text);
}

static bool open_copying(void)
{
    struct store_limits limits = { .log_bytes = 1 << 20, .copies_older = true };

    return store_sqlite_open_with(fixture.path, &limits, &fixture.store, &fixture.err);
}

Test(sqlite_copies, an_older_format_is_copied_before_it_is_migrated)
{
    struct stat status;

    older_make();
    int64_t runs = number_in(fixture.path, "SELECT count(*) FROM run");
    CHECK(&fixture, open_copying());
    cr_assert_gt(number_in(fixture.path, "PRAGMA user_version"), 1);
    cr_assert_eq(stat(beside(".format-1"), &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0600);
    cr_assert_eq(number_in(beside(".format-1"), "PRAGMA user_version"), 1);
    cr_assert_eq(number_in(beside(".format-1"), "SELECT count(*) FROM run"), runs);
    cr_assert_gt(runs, 3);
    /* And nothing old is removed as long as the copy may be wanted back. */
    int64_t days_ms =
        number_in(fixture.path, "SELECT until_ms - strftime('%s', 'now') * 1000 FROM kept");
    cr_assert_geq(days_ms, INT64_C(7) * 86400000 - 60000);
    cr_assert_leq(days_ms, INT64_C(7) * 86400000);
    fixture_close(&fixture);

    /* The copy is a database like any other, and what is of this format is not copied. */
    cr_assert_eq(rename(beside(".format-1"), fixture.path), 0);
    CHECK(&fixture, open_copying());
    fixture_close(&fixture);
    cr_assert_eq(unlink(beside(".format-1")), 0);
    CHECK(&fixture, open_copying());
    cr_assert_not(is_there(".format-1"));
}

Test(sqlite_copies, without_its_copy_nothing_is_migrated)
{
    char *before;

    older_make();
    size_t size = bytes_read(&before);
    cr_assert_eq(mkdir(beside(".format-1.new"), 0700), 0);
    cr_assert_not(open_copying());
    cr_assert_not_null(strstr(fixture.err.text, "the copy before the migration: cannot make"),
                       "%s", fixture.err.text);
    check_same(before, size);
    cr_assert_eq(rmdir(beside(".format-1.new")), 0);
    free(before);
}

/* One number further is as unknown as any. */
Test(sqlite_copies, a_newer_format_is_refused_and_left_alone)
{
    char *before, next[48];

    fixture_open(&fixture);
    fixture_close(&fixture);
    snprintf(next, sizeof next, "PRAGMA user_version = %lld",
             (long long)number_in(fixture.path, "PRAGMA user_version") + 1);
    sql(next);
    size_t size = bytes_read(&before);
    cr_assert_not(open_copying());
    cr_assert_not_null(strstr(fixture.err.text, "was written by a newer bide"), "%s",
                       fixture.err.text);
    check_same(before, size);
    free(before);
}
