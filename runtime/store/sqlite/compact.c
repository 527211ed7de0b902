/*
 * The file made as small as what is in it.
 *
 *   lock ─▶ look ─▶ the log into the file ─▶ a whole copy beside it ─▶ closed: nobody else has
 *   it open ─▶ the copy takes its place
 *
 * Not in place: that needs twice the room, and some of it in another directory. Before the
 * rename nothing is different but that the log is empty.
 */
#include "sqlite.h"
#include "store/sqlite/file/database_file.h"
#include "store/sqlite/file/disk_room.h"
#include "store/sqlite/file/whole_copy.h"
#include "store/sqlite/migrations.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHAT "compacting"

static bool size_find(const char *path, int64_t *bytes, struct err *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return err_set(err, ERR_STORE, "cannot look at %s: %s", path, strerror(errno));
    *bytes = status.st_size;
    return true;
}

static bool format_check(struct connection *connection, const char *path, struct err *err)
{
    int64_t version = 0;

    if (!connection_number(connection, "PRAGMA user_version", &version, err))
        return false;
    return version == schema_version() ||
           err_set(
               err, ERR_STORE,
               "%s has format %lld, and this bide writes %d: start the server with it once, "
               "then compact",
               path, (long long)version, schema_version());
}

/* The mode of the log is part of the header, and a server expects it. */
static bool log_mode_set(const char *path, struct err *err)
{
    sqlite3 *db = NULL;
    bool done = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
                sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK;

    if (!done)
        err_set(err, ERR_STORE, WHAT ": cannot write %s: %s", path, sqlite3_errmsg(db));
    (void)sqlite3_close(db); /* what it has written is synced */
    return done;
}

static bool copy_make(const char *path, const char *copy, struct compaction *compaction,
                      struct err *err)
{
    struct connection connection;
    int keeps_log = 0;
    bool done;

    if (!connection_open_writer(&connection, path, WRITER_CACHE_KIB, err))
        return false;
    (void)sqlite3_db_config(connection.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &keeps_log);
    done = format_check(&connection, path, err);
    if (done) {
        (void)sqlite3_db_config(connection.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, &keeps_log);
        done = connection_exec(&connection, WHAT,
                               WRITER_PRAGMAS "; PRAGMA wal_checkpoint(TRUNCATE)", err) &&
               size_find(path, &compaction->before_bytes, err) &&
               whole_copy(connection.db, path, copy, WHAT, err) && log_mode_set(copy, err);
    }
    connection_close(&connection); /* the last connection takes the log with it */
    return done;
}

/* What another program has in the log would be played into the new file. */
static bool is_alone(const char *path, struct err *err)
{
    char log[FILE_PATH_BYTES];

    if (!file_name(log, path, "-wal", err))
        return false;
    return access(log, F_OK) != 0 ||
           err_set(err, ERR_STORE,
                   WHAT ": another program has %s open (%s is still there); close it first; "
                        "nothing was changed",
                   path, log);
}

static bool compact(const char *path, struct compaction *compaction, struct err *err)
{
    char copy[FILE_PATH_BYTES], reserve[FILE_PATH_BYTES];
    bool is_new;

    if (!file_name(copy, path, ".compact", err) ||
        !file_name(reserve, path, ROOM_SUFFIX, err) || !file_check(path, &is_new, err))
        return false;
    (void)unlink(reserve); /* of use to servers, which make it anew; here it is in the way */
    bool done = copy_make(path, copy, compaction, err) && is_alone(path, err) &&
                size_find(copy, &compaction->after_bytes, err) && file_rename(copy, path, err);
    if (!done)
        (void)unlink(copy); /* the error above says it */
    return done;
}

bool store_sqlite_compact(const char *path, struct compaction *compaction, struct err *err)
{
    int lock_fd = -1;
    int64_t bytes;

    *compaction = (struct compaction){ 0 };
    if (!size_find(path, &bytes, err))
        return false;
    if (bytes == 0)
        return err_set(err, ERR_STORE, "%s is empty", path);
    bool done = file_lock(path, &lock_fd, err) && compact(path, compaction, err);
    file_unlock(lock_fd);
    return done;
}
