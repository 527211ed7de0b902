#include "prints.h"

#include "segment_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FILE_BYTES = 16 << 20, /* more is not taken: the write fails */
    KEEP_BYTES = 1 << 18,  /* of the end, when it is too much */
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

static void file_read(int fd, off_t used, struct buffer *out)
{
    static const char full[] =
        "\n\x1d" /* FRAME_LEVEL_MARK */
        "2more than 16 MiB were printed between two log lines: what came "
        "behind them is lost\n";

    for (off_t at = 0; at < used;) {
        size_t size = (size_t)(used - at);
        ssize_t got = pread(fd, buffer_reserve(out, size), size, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return;
        out->size += (size_t)got;
        at += got;
    }
    if (used >= FILE_BYTES)
        buffer_add(out, full, sizeof full - 1);
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

static uint32_t lines_count(struct slice rest, bool is_end)
{
    struct slice line;
    uint32_t count = 0;

    while (line_take(&rest, is_end, &line))
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
    uint32_t count = lines_count(*rest, true);

    lines_send(segment, rest, room, is_end, true);
    if (!is_end || count <= room)
        return;
    count -= room;
    if (count > last) {
        lines_send(segment, rest, count - last, true, false);
        segment->left_out += count - last;
    }
    lines_send(segment, rest, last, true, true);
}

/* The last KEEP_BYTES at most, from the beginning of a line if there is one; how many lines are
 * in front of them. */
static uint32_t end_cut(struct slice *all)
{
    struct slice front = *all, line;

    if (all->size <= KEEP_BYTES)
        return 0;
    front.size -= KEEP_BYTES;
    *all = (struct slice){ front.data + front.size, KEEP_BYTES };
    if (front.data[front.size - 1] != '\n' && memchr(all->data, '\n', KEEP_BYTES - 1) != NULL)
        (void)line_take(all, false, &line);
    front.size = (size_t)(all->data - front.data);
    return lines_count(front, false);
}

void prints_take(struct segment *segment, bool is_end)
{
    uint32_t most = segment->limits->log_lines;

    if (is_end && __fpending(stdout) > 0)
        (void)fflush(stdout); /* what cannot be written is lost */
    off_t used = printed_bytes();
    bool is_late = !is_end && most > 0 && segment->lines >= most;
    if (used == 0 || (is_late && used <= FILE_BYTES / 2))
        return;
    struct buffer bytes = { 0 };
    file_read(prints_fd, used, &bytes);
    struct slice rest = buffer_view(&bytes);
    if (!is_late)
        bytes_take(segment, &rest, is_end);
    if (rest.size > FILE_BYTES / 2) {
        segment->left_out += end_cut(&rest);
        lines_send(segment, &rest, 1, false, true); /* a crash would lose that number */
    }
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

uint32_t prints_rest(int fd, struct buffer *out)
{
    off_t used = fd < 0 ? 0 : lseek(fd, 0, SEEK_CUR);

    if (used <= 0)
        return 0;
    file_read(fd, used, out);
    struct slice end = buffer_view(out);
    uint32_t count = end_cut(&end);
    buffer_consume(out, out->size - end.size);
    return count;
}
