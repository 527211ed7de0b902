/*
 *   is there room? ─▶ target.new: made empty with its owner and mode ─▶ VACUUM INTO ─▶ synced
 *                     ─▶ renamed
 */
#include "whole_copy.h"

#include "database_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SPARE_BYTES = 1 << 20 }; /* of the directory's own, and for what is counted in blocks */

static bool number(sqlite3 *db, const char *question, int64_t *found)
{
    sqlite3_stmt *statement = NULL;
    bool done = sqlite3_prepare_v2(db, question, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;

    *found = done ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement); /* repeats a failure already told */
    return done;
}

static bool has_room(sqlite3 *db, int fd, const char *what, struct err *err)
{
    int64_t pages, unused, page;
    struct statvfs space;

    if (!number(db, "PRAGMA page_count", &pages) ||
        !number(db, "PRAGMA freelist_count", &unused) || !number(db, "PRAGMA page_size", &page))
        return err_set(err, ERR_STORE, "%s: %s", what, sqlite3_errmsg(db));
    if (fstatvfs(fd, &space) != 0)
        return err_set(err, ERR_STORE, "%s: %s", what, strerror(errno));
    int64_t needed = (pages - unused) * page + SPARE_BYTES;
    int64_t there = (int64_t)(space.f_bavail * space.f_frsize);
    return there >= needed || err_set(err, ERR_STORE,
                                      "%s needs %" PRId64 " MiB on the disk, and %" PRId64
                                      " MiB are free there; nothing was changed",
                                      what, (needed >> 20) + 1, there >> 20);
}

static bool copy_into(sqlite3 *db, const char *target, struct err *err, const char *what)
{
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", target);
    bool done = sql != NULL && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;

    sqlite3_free(sql);
    return done || err_set(err, ERR_STORE, "%s: cannot write %s: %s; nothing was changed", what,
                           target, sqlite3_errmsg(db));
}

bool whole_copy(sqlite3 *db, const char *path, const char *target, const char *what,
                struct err *err)
{
    char fresh[FILE_PATH_BYTES];
    struct stat owner;

    if (!file_name(fresh, target, ".new", err))
        return false;
    (void)unlink(fresh); /* of a try that was killed here; usually absent */
    int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_STORE, "%s: cannot make %s: %s; nothing was changed", what,
                       fresh, strerror(errno));
    bool done = has_room(db, fd, what, err);
    if (done && (stat(path, &owner) != 0 || fchown(fd, owner.st_uid, owner.st_gid) != 0))
        done = err_set(err, ERR_STORE,
                       "%s: cannot give %s to the owner of %s: %s; nothing was changed", what,
                       fresh, path, strerror(errno));
    done = done && copy_into(db, fresh, err, what);
    if (done && fsync(fd) != 0)
        done = err_set(err, ERR_STORE, "%s: cannot write %s: %s; nothing was changed", what,
                       fresh, strerror(errno));
    (void)close(fd); /* it was only synced */
    done = done && file_rename(fresh, target, err);
    if (!done)
        (void)unlink(fresh); /* the error above says it */
    return done;
}
