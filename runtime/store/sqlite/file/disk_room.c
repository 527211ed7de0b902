#include "disk_room.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    LOOK_MS = 200,
    SPACE_MS = 10,   /* a figure of the disk's is good for so long: what fits in is a trifle */
    LEAST_SHARE = 20 /* at most a twentieth of a small disk is kept */
};

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = memory_text(slash == NULL ? "." : path);

    if (slash != NULL)
        folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

static bool space_find(struct room_keeper *keeper, int64_t *free_bytes, int64_t *all_bytes)
{
    uint64_t now_ns = clock_monotonic_ns();
    struct statvfs space;

    if (now_ns >= atomic_load(&keeper->space_ns)) {
        if (statvfs(keeper->folder, &space) != 0)
            return false;
        atomic_store(&keeper->free_bytes, (int64_t)(space.f_bavail * space.f_frsize));
        atomic_store(&keeper->all_bytes, (int64_t)(space.f_blocks * space.f_frsize));
        atomic_store(&keeper->space_ns, now_ns + (uint64_t)SPACE_MS * 1000000);
    }
    *free_bytes = atomic_load(&keeper->free_bytes);
    *all_bytes = atomic_load(&keeper->all_bytes);
    return true;
}

/* What is kept: as configured, but a small disk is not half taken by it. */
static int64_t low_of(const struct room_keeper *keeper, int64_t all_bytes)
{
    int64_t share = all_bytes / LEAST_SHARE;

    return keeper->low_bytes < share ? keeper->low_bytes : share;
}

static bool reserve_make(struct room_keeper *keeper, int64_t size_bytes)
{
    int fd = open(keeper->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int code = fd < 0 ? errno : posix_fallocate(fd, 0, size_bytes);

    if (fd >= 0)
        (void)close(fd); /* nothing was written through it */
    if (code == 0)
        return true;
    (void)unlink(keeper->path);
    keeper->cannot_reserve = code != ENOSPC; /* a limit, or a kind of disk: not tried again */
    return false;
}

void room_open(struct room_keeper *keeper, const char *path, int64_t low_bytes)
{
    size_t size = strlen(path) + sizeof ROOM_SUFFIX;

    *keeper = (struct room_keeper){ .path = memory_get(size),
                                    .folder = folder_of(path),
                                    .low_bytes = low_bytes };
    (void)snprintf(keeper->path, size, "%s" ROOM_SUFFIX, path); /* it fits */
    (void)unlink(keeper->path); /* made anew, where there is room for it */
    room_look(keeper);
}

void room_close(struct room_keeper *keeper)
{
    free(keeper->path);
    free(keeper->folder);
}

void room_release(struct room_keeper *keeper)
{
    if (keeper->low_bytes == 0)
        return;
    if (keeper->has_reserve && unlink(keeper->path) == 0)
        log_warn("store.reserve", "the disk is full; what was kept back is used now");
    keeper->has_reserve = false;
    keeper->next_ns = clock_monotonic_ns() + (uint64_t)LOOK_MS * 1000000;
    atomic_store(&keeper->is_low, true);
}

bool room_is_due(const struct room_keeper *keeper)
{
    return keeper->low_bytes != 0 && clock_monotonic_ns() >= keeper->next_ns;
}

void room_look(struct room_keeper *keeper)
{
    int64_t free_bytes, all_bytes;
    uint64_t now_ns = clock_monotonic_ns();

    if (keeper->low_bytes == 0 || !space_find(keeper, &free_bytes, &all_bytes))
        return;
    int64_t low_bytes = low_of(keeper, all_bytes);
    int64_t page_bytes = atomic_load(&keeper->page_bytes);
    bool was_low = atomic_load(&keeper->is_low);
    if (keeper->has_reserve && free_bytes + page_bytes < low_bytes / 2) {
        room_release(keeper); /* at once: what is written next needs it */
    } else if (now_ns >= keeper->next_ns) {
        keeper->next_ns = now_ns + (uint64_t)LOOK_MS * 1000000;
        /* After it was given back there must be room for it and as much again. */
        if (!keeper->has_reserve && !keeper->cannot_reserve && free_bytes >= 2 * low_bytes)
            keeper->has_reserve = reserve_make(keeper, low_bytes);
        bool is_kept =
            keeper->has_reserve || keeper->cannot_reserve || page_bytes >= 2 * low_bytes;
        atomic_store(&keeper->is_low, !is_kept || free_bytes + page_bytes < low_bytes);
    }
    if (was_low != atomic_load(&keeper->is_low))
        log_warn("store.room", "free=%lld pages=%lld low=%lld; %s", (long long)free_bytes,
                 (long long)page_bytes, (long long)low_bytes,
                 was_low ? "triggers are taken again"
                         : "triggers are refused, what was accepted goes on");
}

/* 0: there is none. */
static int64_t file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= INT64_MAX)
        return 0;
    return (int64_t)limit.rlim_cur;
}

void room_tell(struct room_keeper *keeper, struct room *room)
{
    int64_t all_bytes;

    *room = (struct room){ 0 };
    if (keeper->low_bytes == 0 || !space_find(keeper, &room->free_bytes, &all_bytes))
        return;
    room->low_bytes = low_of(keeper, all_bytes);
    room->free_bytes += atomic_load(&keeper->page_bytes);
    room->is_low = atomic_load(&keeper->is_low) || room->free_bytes < room->low_bytes;
    if (room->is_low && room->free_bytes >= 2 * room->low_bytes)
        room->file_bytes = file_limit();
}
