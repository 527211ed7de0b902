#include "prints.h"

#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FILE_BYTES = 16 << 20, /* more is not taken: the write fails */
    KEEP_BYTES = 64 << 10, /* of the end, when it is too much */
    HOLD_BYTES = 1 << 20,  /* memory that a silent slot may keep */
    HIGH_FD = 200,
};

static int prints_fd = -1; /* of this slot */

int prints_open(void)
{
    int fd = memfd_create("bide-prints", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (ftruncate(fd, FILE_BYTES) == 0 && /* holes: it takes what is written */
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0)
        return fd;
    (void)close(fd); /* an empty file */
    return -1;
}

void prints_close(int fd)
{
    if (fd >= 0)
        (void)close(fd); /* the memory goes with the last who has it */
}

void prints_begin(int fd)
{
    if (fd < 0)
        return;
    prints_fd = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (prints_fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        prints_fd = -1;                     /* what is printed is lost then */
    (void)close(fd);                        /* the others stay */
    (void)setvbuf(stdout, NULL, _IONBF, 0); /* a crash loses nothing */
}

static off_t printed_bytes(void)
{
    off_t size = prints_fd < 0 ? 0 : lseek(prints_fd, 0, SEEK_CUR);

    return size < 0 ? 0 : size;
}

/* Start the file again, with what is not yet done with. */
static void file_reset(off_t used, struct slice rest)
{
    (void)lseek(prints_fd, 0, SEEK_SET); /* a file in memory can be sought in */
    if (used > HOLD_BYTES)
        (void)fallocate(prints_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, used);
    while (rest.size > 0) {
        ssize_t wrote = write(prints_fd, rest.data, rest.size);
        if (wrote <= 0)
            return;
        rest.data += wrote;
        rest.size -= (size_t)wrote;
    }
}

void prints_forget(void)
{
    off_t used = printed_bytes();

    if (used > 0)
        file_reset(used, (struct slice){ 0 });
}

static void file_read(int fd, off_t from, off_t to, struct buffer *out)
{
    while (from < to) {
        size_t size = (size_t)(to - from);
        ssize_t got = pread(fd, buffer_reserve(out, size), size, from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        out->size += (size_t)got;
        from += got;
    }
}

/* Take a line off the front; without its end it counts only where nothing can follow. */
static bool line_take(struct slice *rest, bool is_end, struct slice *line)
{
    const char *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
    size_t size = end == NULL ? rest->size : (size_t)(end - rest->data);

    if (rest->size == 0 || (end == NULL && !is_end))
        return false;
    *line = (struct slice){ rest->data, size };
    size += end != NULL;
    rest->data += size;
    rest->size -= size;
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return true;
}

static uint32_t lines_count(struct slice rest)
{
    struct slice line;
    uint32_t count = 0;

    while (line_take(&rest, true, &line))
        count += line.size > 0;
    return count;
}

static void line_send(struct segment *segment, struct slice line)
{
    uint32_t level = BIDE_INFO;

    if (line.size >= 2 && line.data[0] == FRAME_LEVEL_MARK) {
        level = (uint32_t)(unsigned char)line.data[1] & 3;
        line.data += 2;
        line.size -= 2;
    }
    segment_line(segment, level, line);
}

/* Send `count` lines, or pass them by. */
static void lines_send(struct segment *segment, struct slice *rest, uint32_t count, bool is_end,
                       bool is_sent)
{
    struct slice line;

    while (count > 0 && line_take(rest, is_end, &line)) {
        if (line.size == 0)
            continue;
        count--;
        if (is_sent)
            line_send(segment, line);
    }
}

static void bytes_take(struct segment *segment, struct slice *rest, bool is_end)
{
    uint32_t most = segment->limits->log_lines, last = most - most / 5;
    uint32_t room = most == 0 ? UINT32_MAX : most > segment->lines ? most - segment->lines : 0;
    uint32_t count = lines_count(*rest);
    char text[80];

    lines_send(segment, rest, room, is_end, true);
    if (!is_end || count <= room)
        return;
    count -= room;
    if (count > last) {
        lines_send(segment, rest, count - last, true, false);
        (void)snprintf(text, sizeof text, "%u lines were left out here", count - last);
        segment_line(segment, BIDE_WARN, slice_of(text));
    }
    lines_send(segment, rest, last, true, true);
}

/* The end of a file that would be full else. */
static void file_shorten(off_t used)
{
    struct buffer bytes = { 0 };

    file_read(prints_fd, used - KEEP_BYTES, used, &bytes);
    file_reset(used, buffer_view(&bytes));
    buffer_finish(&bytes);
}

void prints_take(struct segment *segment, bool is_end)
{
    uint32_t most = segment->limits->log_lines;

    if (is_end && __fpending(stdout) > 0)
        (void)fflush(stdout); /* what cannot be written is lost */
    off_t used = printed_bytes();
    if (used == 0)
        return;
    if (!is_end && most > 0 && segment->lines >= most) {
        if (used > FILE_BYTES / 2)
            file_shorten(used);
        return;
    }
    struct buffer bytes = { 0 };
    file_read(prints_fd, 0, used, &bytes);
    struct slice rest = buffer_view(&bytes);
    bytes_take(segment, &rest, is_end);
    file_reset(used, rest);
    buffer_finish(&bytes);
}

void prints_keep(uint32_t level, struct slice line)
{
    struct buffer text = { 0 };

    buffer_byte(&text, FRAME_LEVEL_MARK);
    buffer_byte(&text, (char)('0' + level));
    for (size_t i = 0; i < line.size; i++)
        buffer_byte(&text, line.data[i] == '\n' ? ' ' : line.data[i]);
    buffer_byte(&text, '\n');
    if (prints_fd >= 0)
        (void)!write(prints_fd, text.data, text.size); /* full: prints_take() makes room */
    buffer_finish(&text);
}

void prints_rest(int fd, struct buffer *out)
{
    off_t used = fd < 0 ? 0 : lseek(fd, 0, SEEK_CUR);

    if (used > 0)
        file_read(fd, used > KEEP_BYTES ? used - KEEP_BYTES : 0, used, out);
}
