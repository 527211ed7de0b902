#include "scan.h"

#include "base/clock.h"
#include "base/elf.h"
#include "base/globals.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 18, SCHEMAS_DEPTH = 8 };

static struct signature signature_of(const struct stat *stat)
{
    return (struct signature){
        .device = stat->st_dev,
        .inode = stat->st_ino,
        .size = (uint64_t)stat->st_size,
        .modified_ns = (int64_t)stat->st_mtim.tv_sec * 1000000000 + stat->st_mtim.tv_nsec,
        .changed_ns = (int64_t)stat->st_ctim.tv_sec * 1000000000 + stat->st_ctim.tv_nsec
    };
}

bool signature_equal(const struct signature *a, const struct signature *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

int64_t signature_age_ms(const struct signature *signature)
{
    int64_t age_ms = clock_now_ms() - signature->changed_ns / 1000000;

    return age_ms < 0 ? INT64_MAX : age_ms;
}

static bool is_plugin_name(const char *name)
{
    size_t size = strlen(name);

    return name[0] != '.' && size > 3 && strcmp(name + size - 3, ".so") == 0;
}

static struct seen *known_find(struct scan *scan, const char *name)
{
    for (uint32_t i = 0; i < scan->known_count; i++)
        if (strcmp(scan->known[i].name, name) == 0)
            return &scan->known[i];
    return NULL;
}

static bool copy_bytes(int from, int to, struct err *err)
{
    char bytes[COPY_BYTES];
    uint64_t total = 0;

    for (;;) {
        ssize_t got = read(from, bytes, sizeof bytes);
        if (got == 0)
            return true;
        if (got < 0 || (total += (uint64_t)got) > SCAN_MAX_FILE_BYTES)
            return err_set(err, ERR_SYSTEM, "cannot read it: %s",
                           got < 0 ? strerror(errno) : "it is too big");
        for (ssize_t put = 0; put < got;) {
            ssize_t wrote = write(to, bytes + put, (size_t)(got - put));
            if (wrote < 0)
                return err_set(err, ERR_SYSTEM, "cannot copy it: %s", strerror(errno));
            put += wrote;
        }
    }
}

/* Is it all there? */
static bool file_check(int fd, struct err *err)
{
    struct elf elf;
    bool is_good = elf_open(&elf, fd, err);

    elf_close(&elf);
    return is_good;
}

/* Name a checked copy by its content. An older copy of the same name is replaced: it may be
 * torn. */
static bool copy_settle(struct scan *scan, const char *temporary, char sha[SHA256_HEX_SIZE],
                        struct err *err)
{
    uint8_t digest[SHA256_SIZE];

    if (!crypto_sha256_file(temporary, digest, err))
        return false;
    crypto_hex(digest, sizeof digest, sha);
    struct slice path = arena_format(&scan->arena, "%s/%s.so", scan->builds, sha);
    /* A nursery that has the old copy mapped keeps it: rename leaves its inode alone. */
    if (rename(temporary, path.data) != 0)
        return err_set(err, ERR_SYSTEM, "cannot rename its copy: %s", strerror(errno));
    return true;
}

static bool file_copy(struct scan *scan, int fd, char sha[SHA256_HEX_SIZE], struct err *err)
{
    struct slice temporary =
        arena_format(&scan->arena, "%s/.copy-%ld", scan->builds, (long)getpid());

    (void)unlink(temporary.data); /* of an earlier life with this pid */
    int copy = open(temporary.data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (copy < 0)
        return err_set(err, ERR_SYSTEM, "cannot make a copy in %s: %s", scan->builds,
                       strerror(errno));
    /* The copy is looked at, not the original: it cannot change under our hands. */
    bool is_good = copy_bytes(fd, copy, err) && file_check(copy, err);
    if (close(copy) != 0 && is_good)
        is_good = err_set(err, ERR_SYSTEM, "cannot copy it: %s", strerror(errno));
    is_good = is_good && copy_settle(scan, temporary.data, sha, err);
    if (!is_good)
        (void)unlink(temporary.data);
    return is_good;
}

/* A slot runs many segments, of many runs. */
static const char *globals_warn(struct scan *scan, int fd)
{
    struct buffer names = { 0 };
    uint32_t count = globals_find(fd, &names);
    const char *text =
        count == 0
            ? ""
            : arena_format(&scan->arena,
                           "it has variables that outlive a run, and are the next run's in "
                           "the same slot: %.*s",
                           SLICE_ARG(buffer_view(&names)))
                  .data;

    buffer_finish(&names);
    return text;
}

static void file_take(struct scan *scan, int fd, struct seen *file)
{
    struct stat after;
    struct err err = { 0 };

    /* Looked at before it is copied: what is half there may be big, and is looked at often. */
    bool is_good = file_check(fd, &err) && file_copy(scan, fd, file->sha, &err);
    bool is_steady = fstat(fd, &after) == 0;
    if (is_steady) {
        struct signature now = signature_of(&after);
        is_steady = signature_equal(&now, &file->signature);
    }
    if (is_good && is_steady) {
        file->kind = SEEN_COPIED;
        file->warning = globals_warn(scan, fd);
    } else if (err.code == ERR_SYSTEM)
        file->kind = SEEN_FAILED;
    else if (!is_steady || signature_age_ms(&file->signature) < SCAN_SETTLE_MS)
        file->kind = SEEN_UNSETTLED;
    else
        file->kind = SEEN_BAD;
    file->reason = arena_text(&scan->arena, slice_of(err.text));
}

static void file_look(struct scan *scan, int directory, const char *name, struct seen *file)
{
    struct stat stat;
    struct seen *known = known_find(scan, name);

    *file = (struct seen){ .name = name, .reason = "", .warning = "" };
    if (known != NULL)
        known->was_found = true;
    /* O_NONBLOCK: a FIFO called x.so must not stop us. */
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        file->kind = errno == ENOENT ? SEEN_UNSETTLED : SEEN_FAILED;
        file->reason = arena_format(&scan->arena, "cannot open it: %s", strerror(errno)).data;
    } else if (!S_ISREG(stat.st_mode)) {
        file->kind = SEEN_BAD;
        file->reason = "not a regular file";
    } else {
        file->signature = signature_of(&stat);
        if (known != NULL && (known->kind == SEEN_COPIED || known->kind == SEEN_BAD) &&
            signature_equal(&known->signature, &file->signature))
            file->kind = SEEN_SAME;
        else
            file_take(scan, fd, file);
    }
    if (fd >= 0)
        (void)close(fd); /* was only read */
}

/* Those that were looked into before have the older right, then names decide: so what is loaded
 * stays, whatever order the directory has. */
static int claim_compare(const void *a, const void *b)
{
    const struct seen *one = a, *other = b;

    if (one->was_found != other->was_found)
        return one->was_found ? -1 : 1;
    return strcmp(one->name, other->name);
}

static void names_read(struct scan *scan, DIR *directory)
{
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const struct seen *known;
        if (!is_plugin_name(entry->d_name))
            continue;
        if (scan->count == SCAN_MAX_NAMES) {
            scan->is_cut = true;
            return;
        }
        if (scan->count == scan->capacity) {
            struct seen *old = scan->files;
            scan->capacity = scan->capacity == 0 ? 64 : scan->capacity * 2;
            scan->files = ARENA_ARRAY(&scan->arena, struct seen, scan->capacity);
            if (scan->count > 0)
                memcpy(scan->files, old, scan->count * sizeof *old);
        }
        known = known_find(scan, entry->d_name);
        scan->files[scan->count++] =
            (struct seen){ .name = arena_text(&scan->arena, slice_of(entry->d_name)),
                           .was_found = known != NULL && known->kind != SEEN_OVER };
    }
}

static void file_pass_over(struct scan *scan, struct seen *file)
{
    struct seen *known = known_find(scan, file->name);

    if (known != NULL)
        known->was_found = true;
    *file = (struct seen){ .name = file->name,
                           .kind = SEEN_OVER,
                           .warning = "",
                           .reason = arena_format(&scan->arena,
                                                  "there are %u plugins already, which is the "
                                                  "limit (limits.plugins)",
                                                  scan->limit)
                                         .data };
}

static void plugins_scan(struct scan *scan)
{
    DIR *directory = opendir(scan->plugins);

    if (directory == NULL) {
        (void)snprintf(scan->problem, sizeof scan->problem, "cannot read %s: %s", scan->plugins,
                       strerror(errno));
        return;
    }
    names_read(scan, directory);
    if (scan->count > 1)
        qsort(scan->files, scan->count, sizeof *scan->files, claim_compare);
    for (uint32_t i = 0; i < scan->count; i++)
        if (i < scan->limit)
            file_look(scan, dirfd(directory), scan->files[i].name, &scan->files[i]);
        else
            file_pass_over(scan, &scan->files[i]);
    (void)closedir(directory); /* was only read */
}

/* Order does not matter: the directory may list the same files in another one next time. */
static uint64_t path_mix(int directory, const char *name)
{
    struct stat stat;

    if (fstatat(directory, name, &stat, 0) != 0)
        return 0;
    struct signature signature = signature_of(&stat);
    uint64_t hash = 1469598103934665603u;
    const unsigned char *bytes = (const unsigned char *)&signature;
    for (size_t i = 0; i < sizeof signature; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return hash;
}

/* With what is below: references lead there, too. */
static uint64_t schemas_mix(int at, const char *path, int depth)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    uint64_t sum = 0;

    if (directory == NULL) {
        if (fd >= 0)
            (void)close(fd); /* was only read */
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        sum += path_mix(fd, entry->d_name);
        if (depth < SCHEMAS_DEPTH && entry->d_type == DT_DIR)
            sum += 31 * schemas_mix(fd, entry->d_name, depth + 1);
    }
    (void)closedir(directory); /* was only read */
    return sum;
}

void scan_run(struct scan *scan)
{
    plugins_scan(scan);
    scan->environment = schemas_mix(AT_FDCWD, scan->schemas, 0) +
                        31 * path_mix(AT_FDCWD, scan->queues) +
                        17 * path_mix(AT_FDCWD, scan->schedules);
}
