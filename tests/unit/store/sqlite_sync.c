/* A commit returns after the disk has it: counted at the calls that SQLite makes to the system.
 */
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
static int syncs;
static bool is_refused;

static int on_sync(sqlite3_file *file, int flags)
{
    syncs++;
    return is_refused ? SQLITE_IOERR_FSYNC : real_sync(file, flags);
}

static const sqlite3_io_methods *count_syncs(const sqlite3_io_methods *real)
{
    int i = 0;

    while (methods[i].real != NULL && methods[i].real != real)
        i++;
    methods[i].real = real;
    methods[i].counted = *real;
    methods[i].counted.xSync = on_sync;
    real_sync = real->xSync;
    return &methods[i].counted;
}

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                   int *given)
{
    int rc = real_open(vfs, name, file, flags, given);

    if (file->pMethods != NULL)
        file->pMethods = count_syncs(file->pMethods);
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
    is_refused = false;
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
