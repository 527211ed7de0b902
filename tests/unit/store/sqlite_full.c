/*
 * A disk without room: the batch is refused with a sentence, what was committed is there, and
 * it goes on when there is room. On a real small file system where one can be mounted, and by a
 * file size limit, which needs no privilege.
 */
#include "sqlite_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture fixture;
static char mounted[80];

static void start(void)
{
    fixture_start(&fixture);
}

static void finish(void)
{
    fixture_finish(&fixture);
    if (mounted[0] != '\0') {
        umount(mounted);
        rmdir(mounted);
    }
}

TestSuite(sqlite_full, .init = start, .fini = finish, .timeout = 120);

enum { BATCH = 20, MOST = 10000 };

static char payload[1000];
static int64_t made[MOST];

/* One batch of runs; true when it is durable. */
static bool add_batch(uint32_t *count)
{
    int64_t ids[BATCH];

    arena_reset(&fixture.arena);
    rows_init(&fixture.rows, &fixture.arena);
    if (!fixture.store->ops->begin(fixture.store, &fixture.err)) {
        fixture.store->ops->rollback(fixture.store);
        return false;
    }
    for (int i = 0; i < BATCH; i++) {
        struct run *run = fixture_run(&fixture, RUN_QUEUED);
        run->input = (struct slice){ payload, sizeof payload };
        run->row.dirty_parts = PART_INPUT;
        ids[i] = run->id;
    }
    if (!fixture_try(&fixture))
        return false;
    for (int i = 0; i < BATCH; i++)
        made[(*count)++] = ids[i];
    return true;
}

static void check_made(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct run *run = fixture_show(&fixture, made[i], PART_INPUT);
        cr_assert_not_null(run, "run %u of %u is lost", i, count);
        cr_assert_eq(run->input.size, sizeof payload);
    }
    cr_assert_eq(fixture_sql(&fixture, "SELECT queued FROM queue"), count);
}

static uint32_t fill(void)
{
    uint32_t count = 0;

    while (count + BATCH <= MOST && add_batch(&count))
        ;
    cr_assert_gt(count, 0);
    cr_assert_lt(count, MOST, "the disk was never full");
    cr_assert_eq(fixture.err.code, ERR_STORE);
    return count;
}

static void check_goes_on(uint32_t count)
{
    uint32_t before = count;

    for (int i = 0; i < 20; i++)
        CHECK(&fixture, add_batch(&count));
    cr_assert_eq(count, before + 20 * BATCH);
    check_made(count);
    fixture_close(&fixture);
    fixture_open(&fixture);
    check_made(count);
    cr_assert_eq(fixture_sql(&fixture, "SELECT count(*) FROM pragma_integrity_check "
                                       "WHERE integrity_check <> 'ok'"),
                 0);
}

Test(sqlite_full, a_full_file_system_refuses_and_goes_on_when_there_is_room)
{
    char ballast[128];

    fixture_finish(&fixture);
    fixture_init(&fixture);
    if (mount("bide-test", fixture.directory, "tmpfs", 0, "size=4m") != 0)
        cr_skip_test("no small file system can be mounted here: %s", strerror(errno));
    strcpy(mounted, fixture.directory);
    snprintf(ballast, sizeof ballast, "%s/ballast", fixture.directory);
    FILE *file = fopen(ballast, "wb");
    for (int i = 0; i < 1800; i++)
        fwrite(payload, 1, sizeof payload, file);
    fclose(file);
    fixture_open(&fixture);
    fixture.environment = 1;
    fixture.queue = fixture_queue(&fixture, 1, "task/pay");

    uint32_t count = fill();
    check_made(count);
    for (int i = 0; i < 30; i++) {
        uint32_t more = count;
        (void)add_batch(&more); /* again and again, as clients do */
        count = more;
    }
    check_made(count);

    unlink(ballast);
    check_goes_on(count);
}

/* EFBIG comes as an I/O error, in the log as in the file, at any statement. */
Test(sqlite_full, a_limit_of_the_file_size_refuses_and_goes_on_when_it_is_lifted)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (rlim_t size = 150; size < 1000; size += 250) {
        limit.rlim_cur = size << 10;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        uint32_t count = fill();
        limit.rlim_cur = RLIM_INFINITY;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        check_goes_on(count);

        fixture_finish(&fixture);
        fixture_start(&fixture);
    }
}

/* Refused in the middle of a flush: a page limit hits any statement, not only the commit. */
Test(sqlite_full, a_batch_that_does_not_fit_is_rolled_back_whole)
{
    struct rlimit limit;
    uint32_t count = 0;

    CHECK(&fixture, add_batch(&count));
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 1 << 20;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);

    /* More than the page cache holds, so that pages are written before the commit. */
    size_t size = 40 << 20;
    char *big = calloc(1, size);
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_QUEUED);
    int64_t id = run->id;
    run->input = (struct slice){ big, size };
    run->row.dirty_parts = PART_INPUT;
    cr_assert_not(fixture_try(&fixture));
    cr_assert_eq(fixture.err.code, ERR_STORE);

    cr_assert_null(fixture_show(&fixture, id, 0));
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fixture_begin(&fixture);
    run = fixture_run(&fixture, RUN_QUEUED);
    id = run->id;
    run->input = (struct slice){ big, size };
    run->row.dirty_parts = PART_INPUT;
    fixture_commit(&fixture);
    cr_assert_eq(fixture_show(&fixture, id, PART_INPUT)->input.size, size);
    free(big);
}

static bool is_low(void)
{
    struct room room;

    for (int i = 0; i < 2; i++) { /* it looks every fifth of a second */
        usleep(250000);
        fixture_begin(&fixture);
        fixture_rollback(&fixture);
    }
    fixture.store->ops->room(fixture.store, &room);
    return room.is_low;
}

/* All of the disk but some kilobytes is taken by others. */
static void disk_take(const char *path)
{
    FILE *file = fopen(path, "wb");

    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(payload, 1, sizeof payload, file) == sizeof payload)
        ;
    fclose(file);
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(truncate(path, status.st_size - (64 << 10)), 0);
}

Test(sqlite_full, free_pages_are_room)
{
    struct store_limits limits = { .low_water_bytes = 1 << 20, .log_bytes = 1 << 20 };
    char ballast[128];
    uint32_t count = 0;

    fixture_finish(&fixture);
    fixture_init(&fixture);
    if (mount("bide-test", fixture.directory, "tmpfs", 0, "size=16m") != 0)
        cr_skip_test("no small file system can be mounted here: %s", strerror(errno));
    strcpy(mounted, fixture.directory);
    snprintf(ballast, sizeof ballast, "%s/ballast", fixture.directory);
    CHECK(&fixture,
          store_sqlite_open_with(fixture.path, &limits, &fixture.store, &fixture.err));
    fixture.environment = 1;
    fixture.queue = fixture_queue(&fixture, 1, "task/pay");
    while (count < 4000)
        CHECK(&fixture, add_batch(&count));
    cr_assert_not(is_low());
    disk_take(ballast);
    cr_assert(is_low());
    for (uint32_t i = 0; i < count; i++) {
        if (i % 100 == 0)
            fixture_begin(&fixture);
        fixture_find(&fixture, made[i], 0)->row.is_deleted = true;
        if (i % 100 == 99)
            fixture_commit(&fixture);
    }
    cr_assert_not(is_low(), "the disk is as full as before, and the database is empty");
    count = 0;
    while (count < 1500)
        CHECK(&fixture, add_batch(&count));
    cr_assert_not(is_low());
}
