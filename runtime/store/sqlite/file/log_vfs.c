#include "log_vfs.h"

#include "base/buffer.h"

#include <pthread.h>
#include <sqlite3.h>

/* SQLite's file for Unix takes the number of bytes of one write modulo 128 KiB: its own are
 * never longer. */
enum { COLLECT_MAX = (128 << 10) - 1 };

struct log_file {
    sqlite3_file base; /* what SQLite sees; its first member */
    struct buffer pending;
    sqlite3_int64 offset;                 /* of `pending` in the file */
    _Alignas(sqlite3_int64) char below[]; /* the default VFS's own file; SQLite aligns it so */
};

static struct log_file *self(sqlite3_file *file)
{
    return (struct log_file *)(void *)file;
}

static sqlite3_file *below(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)self(file)->below;
}

/* What cannot be written is dropped: SQLite rolls back, and writes over it later. */
static int pending_write(sqlite3_file *file)
{
    struct log_file *log = self(file);
    sqlite3_file *real = below(file);
    size_t size = log->pending.size;

    if (size == 0)
        return SQLITE_OK;
    log->pending.size = 0;
    return real->pMethods->xWrite(real, log->pending.data, (int)size, log->offset);
}

static int on_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    struct log_file *log = self(file);

    if (log->pending.size > 0 && (offset != log->offset + (sqlite3_int64)log->pending.size ||
                                  log->pending.size + (size_t)size > COLLECT_MAX)) {
        int rc = pending_write(file);
        if (rc != SQLITE_OK)
            return rc;
    }
    if (log->pending.size == 0)
        log->offset = offset;
    buffer_add(&log->pending, bytes, (size_t)size);
    return SQLITE_OK;
}

/* Everything else comes after what was written. */

static int on_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    int rc = pending_write(file);

    return rc != SQLITE_OK ? rc
                           : below(file)->pMethods->xRead(below(file), bytes, size, offset);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = pending_write(file);

    return rc != SQLITE_OK ? rc : below(file)->pMethods->xTruncate(below(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
    int rc = pending_write(file);

    return rc != SQLITE_OK ? rc : below(file)->pMethods->xSync(below(file), flags);
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int rc = pending_write(file);

    return rc != SQLITE_OK ? rc : below(file)->pMethods->xFileSize(below(file), size);
}

static int on_control(sqlite3_file *file, int what, void *argument)
{
    int rc = pending_write(file);

    return rc != SQLITE_OK ? rc
                           : below(file)->pMethods->xFileControl(below(file), what, argument);
}

static int on_close(sqlite3_file *file)
{
    int written = pending_write(file);
    int closed = below(file)->pMethods->xClose(below(file));

    buffer_finish(&self(file)->pending);
    return written != SQLITE_OK ? written : closed;
}

/* The log is not locked by itself, and these say what the disk below is like. */

static int on_lock(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xLock(below(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xUnlock(below(file), level);
}

static int on_check(sqlite3_file *file, int *is_reserved)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), is_reserved);
}

static int on_sector_size(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

static int on_traits(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

static const sqlite3_io_methods methods = { .iVersion = 1,
                                            .xClose = on_close,
                                            .xRead = on_read,
                                            .xWrite = on_write,
                                            .xTruncate = on_truncate,
                                            .xSync = on_sync,
                                            .xFileSize = on_size,
                                            .xLock = on_lock,
                                            .xUnlock = on_unlock,
                                            .xCheckReservedLock = on_check,
                                            .xFileControl = on_control,
                                            .xSectorSize = on_sector_size,
                                            .xDeviceCharacteristics = on_traits };

/* ---- the VFS ----------------------------------------------------------------------------- */

static sqlite3_vfs vfs;
static sqlite3_vfs *default_vfs;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int on_open(sqlite3_vfs *unused, sqlite3_filename name, sqlite3_file *file, int flags,
                   int *given)
{
    (void)unused;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return default_vfs->xOpen(default_vfs, name, file, flags, given);
    struct log_file *log = self(file);
    log->base.pMethods = NULL; /* SQLite closes only what has some */
    log->pending = (struct buffer){ 0 };
    int rc = default_vfs->xOpen(default_vfs, name, below(file), flags, given);
    if (below(file)->pMethods != NULL)
        log->base.pMethods = &methods;
    return rc;
}

static void add(void)
{
    default_vfs = sqlite3_vfs_find(NULL);
    if (default_vfs == NULL)
        return;
    vfs = *default_vfs;
    vfs.zName = "bide-log";
    vfs.szOsFile += (int)sizeof(struct log_file);
    vfs.xOpen = on_open;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        default_vfs = NULL;
}

const char *log_vfs(void)
{
    (void)pthread_once(&once, add); /* cannot fail with a valid control */
    return default_vfs != NULL ? vfs.zName : NULL;
}
