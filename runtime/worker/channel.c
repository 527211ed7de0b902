#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HIGH_FD = 200, CHUNK_BYTES = 1 << 16, KEEP_BYTES = 1 << 20 };

void channel_broken(void)
{
    _exit(SLOT_EXIT_BROKEN);
}

void channel_init(struct channel *channel, int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

    *channel = (struct channel){ .fd = high >= 0 ? high : fd, .owner = getpid() };
    if (high >= 0)
        (void)close(fd); /* the other number stays */
}

bool channel_is_ours(const struct channel *channel)
{
    return getpid() == channel->owner;
}

/* Take what is there; false: nothing, and not at the end. Exits at the end. */
static bool channel_fill(struct channel *channel)
{
    for (;;) {
        char *room = buffer_reserve(&channel->in, CHUNK_BYTES);
        ssize_t got =
            recv(channel->fd, room, channel->in.capacity - channel->in.size, MSG_DONTWAIT);
        if (got > 0) {
            channel->in.size += (size_t)got;
            channel->has_more = true;
            channel->is_fresh = true;
            return true;
        }
        if (got == 0)
            _exit(0); /* the host lets us go, or is gone */
        if (errno == EAGAIN)
            return false;
        if (errno != EINTR)
            channel_broken();
    }
}

/*
 * Block until something came, and take it. In poll(), not in recv(): who sleeps in recv() on a
 * Unix socket is woken as well when the other side reads what was sent last, once a segment,
 * for nothing.
 */
static void channel_await(struct channel *channel)
{
    struct pollfd entry = { .fd = channel->fd, .events = POLLIN };

    while (!channel_fill(channel))
        if (poll(&entry, 1, -1) < 0 && errno != EINTR)
            channel_broken();
}

/* The size of the frame at `at` with its head; 0: it is not all there. */
static size_t frame_size(const struct channel *channel, size_t at)
{
    const unsigned char *head = (const unsigned char *)channel->in.data + at;
    size_t rest = channel->in.size - at, size;

    if (rest < FRAME_HEADER_BYTES)
        return 0;
    size = FRAME_HEADER_BYTES + ((size_t)head[0] | (size_t)head[1] << 8 |
                                 (size_t)head[2] << 16 | (size_t)head[3] << 24);
    return size <= rest ? size : 0;
}

static enum frame_kind frame_kind_at(const struct channel *channel, size_t at)
{
    return (enum frame_kind)(unsigned char)channel->in.data[at + 4];
}

/* Copy the frame at `at` out of the buffer and take it away. */
static void frame_take(struct channel *channel, size_t at, size_t size, struct arena *arena,
                       struct frame *frame)
{
    struct slice bytes = arena_copy(arena, (struct slice){ channel->in.data + at, size });
    size_t used;

    memmove(channel->in.data + at, channel->in.data + at + size, channel->in.size - at - size);
    channel->in.size -= size;
    if (!frame_read(arena, bytes, FRAME_MAX_BYTES, frame, &used, NULL))
        channel_broken();
}

void channel_segment(struct channel *channel, struct arena *arena, struct frame *frame)
{
    channel->is_fresh = false;
    for (;;) {
        size_t size = frame_size(channel, 0);
        if (size == 0) {
            if (channel->in.size == 0 && channel->in.capacity > KEEP_BYTES)
                buffer_finish(&channel->in);
            channel_await(channel);
        } else if (frame_kind_at(channel, 0) == FRAME_SEGMENT) {
            frame_take(channel, 0, size, arena, frame);
            channel->has_more = true; /* its CANCEL may be here already */
            return;
        } else {
            buffer_consume(&channel->in, size); /* for a segment that has ended */
        }
    }
}

void channel_reply(struct channel *channel, struct arena *arena, struct frame *frame)
{
    size_t at = 0;

    for (;;) {
        size_t size = frame_size(channel, at);
        if (size == 0) {
            channel_await(channel);
        } else if (frame_kind_at(channel, at) == FRAME_REPLY) {
            frame_take(channel, at, size, arena, frame);
            return;
        } else {
            at += size;
        }
    }
}

/* Is there a CANCEL for the run among what has been read? */
static bool cancel_find(struct channel *channel, int64_t run_id)
{
    struct arena arena = { 0 };
    struct frame frame;
    bool is_found = false;

    if (!channel->has_more)
        return false;
    for (size_t at = 0, size; !is_found && (size = frame_size(channel, at)) > 0; at += size) {
        size_t used;
        if (frame_kind_at(channel, at) == FRAME_CANCEL &&
            frame_read(&arena, (struct slice){ channel->in.data + at, size }, FRAME_MAX_BYTES,
                       &frame, &used, NULL))
            is_found = frame.cancel.run_id == run_id;
    }
    arena_finish(&arena);
    channel->has_more = false;
    return is_found;
}

bool channel_has_cancel(struct channel *channel, int64_t run_id)
{
    (void)channel_fill(channel); /* nothing new is fine */
    return cancel_find(channel, run_id);
}

bool channel_came_canceled(struct channel *channel, int64_t run_id)
{
    if (!channel->is_fresh)
        (void)channel_fill(channel);
    return cancel_find(channel, run_id);
}

void channel_write(struct channel *channel, const struct frame *frame)
{
    size_t sent = 0;

    channel->out.size = 0;
    frame_write(&channel->out, frame);
    while (sent < channel->out.size) {
        ssize_t wrote =
            send(channel->fd, channel->out.data + sent, channel->out.size - sent, MSG_NOSIGNAL);
        if (wrote < 0 && errno != EINTR)
            channel_broken();
        sent += wrote < 0 ? 0 : (size_t)wrote;
    }
    if (channel->out.capacity > KEEP_BYTES)
        buffer_finish(&channel->out);
}
