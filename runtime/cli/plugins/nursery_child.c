#include "cli/plugins/nursery_child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { CONTROL_FD = 3, CHUNK_BYTES = 64 << 10, ARGUMENTS_MAX = 64 };

/* ---- frames ------------------------------------------------------------------------------ */

enum heard stream_take(struct frame_stream *stream, struct arena *arena, struct frame *frame)
{
    size_t used = 0;

    buffer_consume(&stream->bytes, stream->taken);
    stream->taken = 0;
    if (!frame_read(arena, buffer_view(&stream->bytes), FRAME_MAX_BYTES, frame, &used, NULL))
        return HEARD_GARBAGE;
    stream->taken = used;
    return used > 0 ? HEARD_FRAME : HEARD_NOTHING;
}

bool stream_fill(struct frame_stream *stream)
{
    ssize_t got;

    do
        got = read(stream->fd, buffer_reserve(&stream->bytes, CHUNK_BYTES), CHUNK_BYTES);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        stream->bytes.size += (size_t)got;
    return got > 0;
}

enum heard stream_hear(struct frame_stream *stream, struct arena *arena, uint64_t until_ns,
                       struct frame *frame)
{
    for (;;) {
        enum heard heard = stream_take(stream, arena, frame);
        if (heard != HEARD_NOTHING)
            return heard;
        uint64_t now_ns = clock_monotonic_ns();
        struct pollfd poll_fd = { .fd = stream->fd, .events = POLLIN };
        int left_ms = now_ns < until_ns ? (int)((until_ns - now_ns) / 1000000) + 1 : 0;
        int ready = poll(&poll_fd, 1, left_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return HEARD_NOTHING;
        if (!stream_fill(stream))
            return HEARD_END;
    }
}

void stream_send(const struct frame_stream *stream, const struct frame *frame)
{
    struct buffer bytes = { 0 };
    size_t sent = 0;

    frame_write(&bytes, frame);
    while (sent < bytes.size) {
        ssize_t wrote = send(stream->fd, bytes.data + sent, bytes.size - sent, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EINTR)
            break; /* it is gone, which is heard next */
        sent += wrote < 0 ? 0 : (size_t)wrote;
    }
    buffer_finish(&bytes);
}

void stream_close(struct frame_stream *stream)
{
    if (stream->fd >= 0)
        (void)close(stream->fd); /* nothing is lost: it was sent */
    stream->fd = -1;
    buffer_finish(&stream->bytes);
}

/* ---- the process ------------------------------------------------------------------------- */

bool nursery_child_start(struct nursery_child *nursery, char *const *arguments, bool is_quiet,
                         struct err *err)
{
    char program[] = "/proc/self/exe", name[] = "bide", word[] = "nursery";
    char *all[ARGUMENTS_MAX] = { name, word };
    posix_spawn_file_actions_t actions;
    int pair[2];

    *nursery = (struct nursery_child){ .pid = -1, .control.fd = -1 };
    for (int i = 0; arguments[i] != NULL && i + 3 < ARGUMENTS_MAX; i++)
        all[i + 2] = arguments[i];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(err, ERR_SYSTEM, "socketpair: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], CONTROL_FD);
    if (is_quiet)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int failure = posix_spawn(&nursery->pid, program, &actions, NULL, all, environ);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(pair[1]); /* the child has it */
    nursery->control.fd = pair[0];
    if (failure != 0)
        nursery->pid = -1;
    return failure == 0 ||
           err_set(err, ERR_SYSTEM, "cannot start %s: %s", program, strerror(failure));
}

void nursery_child_stop(struct nursery_child *nursery, int *status)
{
    *status = 0;
    stream_close(&nursery->control);
    if (nursery->pid < 0)
        return;
    (void)kill(nursery->pid,
               SIGTERM); /* to its guard, which ends all that the plugin started */
    while (waitpid(nursery->pid, status, 0) < 0 && errno == EINTR)
        ;
    nursery->pid = -1;
}
