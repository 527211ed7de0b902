/*
 * Before a database is opened for writing:
 *
 *   lock (lock.c) ──▶ look at the header ──▶ absent: make one beside it, rename ──▶ open
 *                └─▶ anything wrong: a sentence, and not one byte is changed
 *
 * SQLite would notice most of this too, but only after it has rolled back journals, and in
 * words that do not say what to do.
 */
#include "database_file.h"

#include "store/sqlite/migrations.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { HEADER_BYTES = 100, PAGE_BYTES = 4096 };

/* Offsets in the header; numbers are big-endian. */
enum {
    AT_PAGE_SIZE = 16,
    AT_WRITE_FORMAT = 18,
    AT_READ_FORMAT = 19,
    AT_FRACTIONS = 21,
    AT_PAGE_COUNT = 28,
    AT_SCHEMA_FORMAT = 44,
    AT_ENCODING = 56,
    AT_VERSION = 60,
    AT_APPLICATION = 68
};

bool file_name(char path[FILE_PATH_BYTES], const char *base, const char *suffix,
               struct err *err)
{
    int size = snprintf(path, FILE_PATH_BYTES, "%s%s", base, suffix);

    return (size >= 0 && size < FILE_PATH_BYTES) ||
           err_set(err, ERR_STORE, "the path of the database is too long: %.80s…", base);
}

/* ---- header ------------------------------------------------------------------------------ */

static uint32_t number_at(const uint8_t *header, int at, int size)
{
    uint32_t number = 0;

    for (int i = 0; i < size; i++)
        number = number << 8 | header[at + i];
    return number;
}

/* 1 stands for 65536. */
static uint32_t page_size(const uint8_t *header)
{
    uint32_t size = number_at(header, AT_PAGE_SIZE, 2);

    return size == 1 ? 65536 : size;
}

static bool header_is_sound(const uint8_t *header)
{
    static const uint8_t fractions[] = { 64, 32, 32 }; /* fixed by the format */
    uint32_t page = page_size(header);

    return page >= 512 && (page & (page - 1)) == 0 && header[AT_WRITE_FORMAT] >= 1 &&
           header[AT_WRITE_FORMAT] <= 2 && header[AT_READ_FORMAT] >= 1 &&
           header[AT_READ_FORMAT] <= 2 &&
           memcmp(header + AT_FRACTIONS, fractions, sizeof fractions) == 0 &&
           number_at(header, AT_SCHEMA_FORMAT, 4) <= 4 &&
           number_at(header, AT_ENCODING, 4) == 1;
}

/* Pages that the header promises may still be in the log, so only a file without one can be
 * short. */
static bool is_whole(const char *path, const uint8_t *header, int64_t size)
{
    char log[FILE_PATH_BYTES];
    struct stat status;
    int64_t promised = (int64_t)number_at(header, AT_PAGE_COUNT, 4) * page_size(header);

    if (file_name(log, path, "-wal", NULL) && stat(log, &status) == 0 && status.st_size > 0)
        return true;
    return size >= promised;
}

static bool header_check(const char *path, const uint8_t *header, ssize_t size,
                         int64_t file_size, struct err *err)
{
    static const char magic[] = "SQLite format 3";

    if (size < HEADER_BYTES || memcmp(header, magic, sizeof magic) != 0)
        return err_set(
            err, ERR_STORE,
            "%s is no bide database (it does not start like one); the file was not touched",
            path);
    if (!header_is_sound(header))
        return err_set(
            err, ERR_STORE,
            "the header of %s is damaged; the file was not touched, restore it from a backup",
            path);
    if (number_at(header, AT_APPLICATION, 4) != SCHEMA_APPLICATION)
        return err_set(
            err, ERR_STORE,
            "%s is a SQLite database, but not one of bide's; the file was not touched", path);
    if (number_at(header, AT_VERSION, 4) > (uint32_t)schema_version())
        return err_set(err, ERR_STORE,
                       "%s was written by a newer bide (format %u, this one knows up to %d); "
                       "the file was not touched",
                       path, number_at(header, AT_VERSION, 4), schema_version());
    if (!is_whole(path, header, file_size))
        return err_set(
            err, ERR_STORE,
            "%s is cut short: %lld bytes of %lld; the file was not touched, restore it from a "
            "backup",
            path, (long long)file_size,
            (long long)number_at(header, AT_PAGE_COUNT, 4) * page_size(header));
    return true;
}

/* A log that is left without its database would be played into the new one. */
static bool log_is_absent(const char *path, struct err *err)
{
    char log[FILE_PATH_BYTES];
    struct stat status;

    if (!file_name(log, path, "-wal", err))
        return false;
    return stat(log, &status) != 0 || status.st_size == 0 ||
           err_set(err, ERR_STORE,
                   "%s is missing, but its log %s is there: put the database back, or move the "
                   "log away",
                   path, log);
}

bool file_private(const char *path, struct err *err)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    char name[FILE_PATH_BYTES];
    struct stat status;

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (!file_name(name, path, suffixes[i], err))
            return false;
        if (stat(name, &status) != 0 || (status.st_mode & 077) == 0)
            continue;
        if (chmod(name, status.st_mode & 07700) != 0)
            return err_set(err, ERR_STORE,
                           "%s can be read or changed by others (mode %04o), and this user may "
                           "not change that: %s",
                           name, (unsigned)(status.st_mode & 07777), strerror(errno));
    }
    return true;
}

bool file_check(const char *path, bool *is_new, struct err *err)
{
    uint8_t header[HEADER_BYTES];
    struct stat status;

    *is_new = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *is_new = true;
        return log_is_absent(path, err);
    }
    if (fd < 0)
        return err_set(err, ERR_STORE, "cannot open %s: %s", path, strerror(errno));
    bool done = false;
    if (fstat(fd, &status) != 0)
        err_set(err, ERR_STORE, "cannot look at %s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        err_set(err, ERR_STORE, "%s is not a file", path);
    else if (status.st_size == 0)
        done = *is_new = log_is_absent(path, err);
    else
        done = header_check(path, header, pread(fd, header, sizeof header, 0), status.st_size,
                            err);
    (void)close(fd); /* it was only read */
    return done;
}

/* ---- create ------------------------------------------------------------------------------ */

static bool create_in(const char *path, struct err *err)
{
    sqlite3 *db = NULL;
    char pragmas[64];
    bool done = false;

    (void)snprintf(pragmas, sizeof pragmas, "PRAGMA page_size = %d; PRAGMA auto_vacuum = NONE",
                   PAGE_BYTES);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
        err_set(err, ERR_STORE, "cannot make %s: %s", path, sqlite3_errmsg(db));
    else
        done = schema_apply(db, 0, err);
    /* The log mode is part of the header, so it is there before anybody else sees the file. */
    if (done && sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
        done = err_set(err, ERR_STORE, "cannot make %s: %s", path, sqlite3_errmsg(db));
    if (sqlite3_close(db) != SQLITE_OK && done)
        done = err_set(err, ERR_STORE, "cannot close %s", path);
    return done;
}

/* A rename is durable when its directory is. */
static bool directory_sync(const char *path, struct err *err)
{
    char copy[FILE_PATH_BYTES];

    if (!file_name(copy, path, "", err))
        return false;
    const char *directory = dirname(copy);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (!done)
        err_set(err, ERR_STORE, "cannot sync %s: %s", directory, strerror(errno));
    if (fd >= 0)
        (void)close(fd); /* it was only synced */
    return done;
}

bool file_rename(const char *from, const char *to, struct err *err)
{
    if (rename(from, to) != 0)
        return err_set(err, ERR_STORE, "cannot make %s: %s", to, strerror(errno));
    return directory_sync(to, err);
}

bool file_create(const char *path, struct err *err)
{
    static const char *const leftovers[] = { "-journal", "-wal", "-shm" };
    char fresh[FILE_PATH_BYTES], name[FILE_PATH_BYTES];

    if (!file_name(fresh, path, ".new", err))
        return false;
    for (size_t i = 0; i < sizeof leftovers / sizeof leftovers[0]; i++)
        if (file_name(name, fresh, leftovers[i], NULL))
            (void)unlink(name); /* of a start that was killed here; usually absent */
    if (truncate(fresh, 0) != 0 && errno != ENOENT)
        return err_set(err, ERR_STORE, "cannot make %s: %s", fresh, strerror(errno));
    return create_in(fresh, err) && file_rename(fresh, path, err);
}

/* Room for the log is only taken where this much more is left. */
static bool has_room(int fd, int64_t size_bytes)
{
    struct statvfs space;

    return fstatvfs(fd, &space) == 0 &&
           (int64_t)(space.f_bavail * space.f_frsize) / 32 > size_bytes;
}

void file_ready_log(const char *path, int64_t size_bytes)
{
    static const char zeros[1 << 16];
    struct stat info;
    char log[PATH_MAX];

    if (snprintf(log, sizeof log, "%s-wal", path) >= (int)sizeof log)
        return;
    int fd = open(log, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &info) == 0 && has_room(fd, size_bytes)) {
        int64_t at = info.st_size;
        ssize_t wrote = 1;
        while (at < size_bytes && wrote > 0) {
            int64_t left = size_bytes - at;
            wrote =
                pwrite(fd, zeros, left < (int64_t)sizeof zeros ? (size_t)left : sizeof zeros,
                       (off_t)at);
            at += wrote > 0 ? wrote : 0;
        }
        bool is_whole = at == info.st_size || (wrote > 0 && fdatasync(fd) == 0);
        /* As it was; if that fails too, zeros do no harm. */
        bool is_mended = is_whole || ftruncate(fd, info.st_size) == 0;
        (void)is_mended;
    }
    (void)close(fd); /* what it did not write is written by the commits */
}
