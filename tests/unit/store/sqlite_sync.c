/* A commit returns after the disk has it, and goes there in few pieces: counted at the calls
 * that the default VFS gets. */
#include "sqlite_fixture.h"

#include <sqlite3.h>

static sqlite3_vfs counting;
/* The Unix VFS has a set of methods for each kind of locking. */
static struct {
    const sqlite3_io_methods *real;
    sqlite3_io_methods counted;
} methods[8];
static int (*real_open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *);
static int (*real_sync)(sqlite3_file *, int);
static int (*real_write)(sqlite3_file *, const void *, int, sqlite3_int64);
static int syncs, writes;
static bool is_refused, is_full;

static int on_sync(sqlite3_file *file, int flags)
{
    syncs++;
    return is_refused ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

static int on_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    writes++;
    return is_full ? SQLITE_FULL : real_write(file, bytes, size, offset);
}

static const sqlite3_io_methods *count_calls(const sqlite3_io_methods *real)
{
    int i = 0;

    while (methods[i].real != NULL && methods[i].real != real)
        i++;
    methods[i].real = real;
    methods[i].counted = *real;
    methods[i].counted.xSync = on_sync;
    methods[i].counted.xWrite = on_write;
    real_sync = real->xSync;
    real_write = real->xWrite;
    return &methods[i].counted;
}

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                   int *given)
{
    int rc = real_open(vfs, name, file, flags, given);

    if (file->pMethods != NULL)
        file->pMethods = count_calls(file->pMethods);
    return rc;
}

static struct fixture fixture;

static void start(void)
{
    counting = *sqlite3_vfs_find(NULL);
    real_open = counting.xOpen;
    counting.xOpen = on_open;
    counting.zName = "counting";
    cr_assert_eq(sqlite3_vfs_register(&counting, 1), SQLITE_OK);
    fixture_start(&fixture);
}

static void finish(void)
{
    is_refused = is_full = false;
    fixture_finish(&fixture);
}

TestSuite(sqlite_sync, .init = start, .fini = finish);

Test(sqlite_sync, every_commit_is_synced_once_and_before_it_returns)
{
    for (int i = 0; i < 20; i++) {
        int before = syncs;
        fixture_begin(&fixture);
        fixture_run(&fixture, RUN_QUEUED);
        CHECK(&fixture, fixture.store->ops->flush(fixture.store, &fixture.rows, &fixture.err));
        cr_assert_eq(syncs, before);
        CHECK(&fixture, fixture.store->ops->commit(fixture.store, &fixture.err));
        cr_assert_eq(syncs, before + 1);
    }
}

Test(sqlite_sync, a_commit_that_could_not_be_synced_is_refused)
{
    fixture_begin(&fixture);
    int64_t id = fixture_run(&fixture, RUN_QUEUED)->id;
    is_refused = true;
    cr_assert_not(fixture_try(&fixture));
    cr_assert_eq(fixture.err.code, ERR_STORE);
    is_refused = false;

    cr_assert_null(fixture_show(&fixture, id, 0));
    fixture_begin(&fixture);
    id = fixture_run(&fixture, RUN_QUEUED)->id;
    fixture_commit(&fixture);
    cr_assert_not_null(fixture_show(&fixture, id, 0));
}

/* Another connection reads what this one has written, so it was written where it belongs. */
static void check_input(int64_t id, size_t size, char byte)
{
    struct slice input = fixture_show(&fixture, id, PART_INPUT)->input;

    cr_assert_eq(input.size, size);
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(input.data[i], byte);
}

Test(sqlite_sync, a_commit_is_written_in_few_pieces)
{
    enum { SMALL = 20, LARGE = 700 << 10 };
    static char bytes[LARGE];
    static const size_t sizes[] = { SMALL, LARGE };
    static const int most[] = { 1, 8 };

    memset(bytes, 'x', sizeof bytes);
    fixture_begin(&fixture);
    fixture_run(&fixture, RUN_QUEUED);
    fixture_commit(&fixture); /* the head of the log is written by itself */
    for (int i = 0; i < 2; i++) {
        int before = writes;
        fixture_begin(&fixture);
        struct run *run = fixture_run(&fixture, RUN_QUEUED);
        int64_t id = run->id;
        run->input = (struct slice){ bytes, sizes[i] };
        run->row.dirty_parts = PART_INPUT;
        CHECK(&fixture, fixture.store->ops->flush(fixture.store, &fixture.rows, &fixture.err));
        CHECK(&fixture, fixture.store->ops->commit(fixture.store, &fixture.err));
        cr_assert_geq(writes, before + 1);
        cr_assert_leq(writes, before + most[i]);
        fixture_close(&fixture);
        fixture_open(&fixture);
        check_input(id, sizes[i], 'x');
    }
}

Test(sqlite_sync, a_commit_that_found_no_room_is_refused_and_the_next_one_is_whole)
{
    fixture_begin(&fixture);
    int64_t id = fixture_run(&fixture, RUN_QUEUED)->id;
    is_full = true;
    cr_assert_not(fixture_try(&fixture));
    cr_assert_eq(fixture.err.code, ERR_STORE);
    is_full = false;

    cr_assert_null(fixture_show(&fixture, id, 0));
    fixture_begin(&fixture);
    struct run *run = fixture_run(&fixture, RUN_QUEUED);
    id = run->id;
    run->input = SLICE("later");
    run->row.dirty_parts = PART_INPUT;
    fixture_commit(&fixture);
    fixture_close(&fixture);
    fixture_open(&fixture);
    cr_assert(slice_is(fixture_show(&fixture, id, PART_INPUT)->input, "later"));
}
