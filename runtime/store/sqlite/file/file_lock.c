/*
 * The lock: flock on the database itself. It is apart from the locks of fcntl that SQLite uses,
 * and which closing any descriptor of the file would drop: this one is opened before SQLite
 * opens the file, and closed after it has closed it.
 *
 *   path is there ── open, flock ── is it still what `path` names? ── ours
 *   it is not ────── open path.new, flock ── file_create fills it and renames it ── ours
 */
#include "database_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 10 };

/* The process that has the lock, as the kernel tells it; 0 when it does not. */
static long owner_find(int fd)
{
    struct stat status;
    char line[160];
    long owner = 0;

    if (fstat(fd, &status) != 0)
        return 0;
    FILE *locks = fopen("/proc/locks", "re");
    while (locks != NULL && owner == 0 && fgets(line, sizeof line, locks) != NULL) {
        long pid;
        uintmax_t inode;
        if (sscanf(line, "%*d: FLOCK %*s WRITE %ld %*[^:]:%*[^:]:%ju", &pid, &inode) == 2 &&
            inode == (uintmax_t)status.st_ino)
            owner = pid;
    }
    if (locks != NULL)
        (void)fclose(locks); /* it was only read */
    return owner;
}

static bool lock_take(const char *path, int fd, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        return err_set(err, ERR_STORE, "cannot lock %s: %s", path, strerror(errno));
    long pid = owner_find(fd);
    if (pid > 0)
        return err_set(err, ERR_STORE,
                       "%s is in use by another bide server (process %ld); stop that one first",
                       path, pid);
    return err_set(err, ERR_STORE, "%s is in use by another bide server; stop that one first",
                   path);
}

/* A server of an older version has a lock beside the file. */
static bool old_lock_take(const char *path, struct err *err)
{
    char lock[FILE_PATH_BYTES];

    if (!file_name(lock, path, ".lock", err))
        return false;
    int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return true;
    bool done = lock_take(path, fd, err);
    if (done)
        (void)unlink(lock); /* of no use any more, and no harm when it stays */
    (void)close(fd);        /* nothing was written */
    return done;
}

static bool has_content(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && (!S_ISREG(status.st_mode) || status.st_size > 0);
}

/* Somebody may have put another file there since `fd` was opened. */
static bool is_named(const char *path, int fd)
{
    struct stat named, opened;

    return stat(path, &named) == 0 && fstat(fd, &opened) == 0 &&
           named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

bool file_lock(const char *path, int *lock_fd, struct err *err)
{
    char fresh[FILE_PATH_BYTES];

    *lock_fd = -1;
    if (!file_name(fresh, path, ".new", err))
        return false;
    for (int i = 0; i < TRIES; i++) {
        bool is_there = has_content(path);
        const char *name = is_there ? path : fresh;
        int fd = is_there ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
                          : open(fresh, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0 && errno == ENOENT && is_there)
            continue;
        if (fd < 0)
            return err_set(err, ERR_STORE, "cannot %s %s: %s", is_there ? "open" : "make", name,
                           strerror(errno));
        if (!lock_take(path, fd, err)) {
            (void)close(fd); /* nothing was written */
            return false;
        }
        if (is_named(name, fd) && is_there == has_content(path)) {
            *lock_fd = fd;
            return old_lock_take(path, err);
        }
        (void)close(fd); /* it is not what it was */
    }
    return err_set(err, ERR_STORE, "%s is put in place by others again and again", path);
}

void file_unlock(int lock_fd)
{
    if (lock_fd >= 0)
        (void)close(lock_fd); /* lets go of the lock whatever it returns */
}
