#include "cli/client/payload.h"

#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PAYLOAD_MAX_BYTES = 64 << 20, CHUNK_BYTES = 64 << 10 };

static bool read_all(int fd, struct buffer *out, size_t max_bytes)
{
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(out, CHUNK_BYTES), CHUNK_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        out->size += (size_t)got;
        if (out->size > max_bytes)
            return true;
    }
}

bool payload_file(struct arena *arena, const char *path, size_t max_bytes, struct slice *text,
                  struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct buffer bytes = { 0 };

    if (fd < 0)
        return err_set(err, ERR_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    bool done = read_all(fd, &bytes, max_bytes);
    if (!done)
        err_set(err, ERR_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    else if (bytes.size > max_bytes)
        done = err_set(err, ERR_TOO_LARGE, "%s is over %zu MiB", path, max_bytes >> 20);
    if (done)
        *text = arena_copy(arena, buffer_view(&bytes));
    buffer_finish(&bytes);
    if (!is_stdin)
        close(fd);
    return done;
}

bool payload_option(struct call *call, const char *name, struct slice *text,
                    struct value *value, struct err *err)
{
    const char *given = call_option(call, name);
    struct value parsed;
    struct err why = { 0 };

    *text = (struct slice){ 0 };
    if (given == NULL)
        return true;
    *text = slice_of(given);
    if (*given == '@' || strcmp(given, "-") == 0) {
        const char *path = *given == '@' ? given + 1 : given;
        if (!payload_file(&call->arena, path, PAYLOAD_MAX_BYTES, text, err))
            return false;
    }
    if (text->size >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
        *text = (struct slice){ text->data + 3, text->size - 3 }; /* it goes into a body */
    if (!json_read(&call->arena, *text, value != NULL ? value : &parsed, &why))
        return err_set(err, ERR_BAD_REQUEST, "--%s is not JSON: %s", name, why.text);
    return true;
}
