/* Builds: the bytes of a plugin's file, as they were loaded, by their hash. */
#include "base/crypto.h"
#include "http/api/routes.h"
#include "http/body/members.h"
#include "http/server/reply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH_LEAST = 16, FILE_MAX_BYTES = 64 << 20 };

static bool is_hash(struct slice text)
{
    if (text.size < HASH_LEAST || text.size >= SHA256_HEX_SIZE)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!((text.data[i] >= '0' && text.data[i] <= '9') ||
              (text.data[i] >= 'a' && text.data[i] <= 'f')))
            return false;
    return true;
}

/* "<sha256>.so" of the file whose hash begins so; empty: none. */
static struct slice file_find(struct arena *arena, DIR *directory, struct slice hash)
{
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct slice name = slice_of(entry->d_name);
        if (name.size == SHA256_HEX_SIZE - 1 + 3 &&
            memcmp(name.data, hash.data, hash.size) == 0)
            return arena_copy(arena, name);
    }
    return (struct slice){ 0 };
}

static bool bytes_read(int fd, struct buffer *out, struct err *err)
{
    struct stat stat;

    if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
        return err_set(err, ERR_SYSTEM, "the build's file cannot be read");
    if (stat.st_size > FILE_MAX_BYTES)
        return err_set(err, ERR_TOO_LARGE,
                       "the build has %lld bytes, at most %d are sent; it is in the server's "
                       "data directory, builds/",
                       (long long)stat.st_size, FILE_MAX_BYTES);
    while (stat.st_size > 0) {
        ssize_t got = read(fd, buffer_reserve(out, (size_t)stat.st_size), (size_t)stat.st_size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set(err, ERR_SYSTEM, "the build's file cannot be read");
        out->size += (size_t)got;
        stat.st_size -= got;
    }
    return true;
}

static bool file_work(struct request *request, struct pool_reader *reader, struct err *err)
{
    const char *data = request->http->options.config->data;
    struct slice hash = request->captures[0], name = { 0 };
    DIR *directory = opendir(arena_format(&request->arena, "%s/builds", data).data);
    int fd = -1;

    (void)reader; /* it needs none */
    if (directory != NULL && is_hash(hash))
        name = file_find(&request->arena, directory, hash);
    if (name.size > 0)
        fd =
            openat(dirfd(directory), name.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (directory != NULL)
        (void)closedir(directory); /* was only read */
    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND,
                       "Build not found: it is none, or no run has needed it for some time");
    request->type = "application/octet-stream";
    bool is_good = bytes_read(fd, &request->reply, err);
    (void)close(fd); /* was only read */
    if (!is_good)
        request->type = "application/json";
    return is_good;
}

void build_file(struct request *request)
{
    if (request_params(request, NULL))
        request_check(request, file_work, reply_ok);
}
