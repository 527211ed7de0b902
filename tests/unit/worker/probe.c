#include "probe.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL_FD = 3, READ_BYTES = 65536 };

static void nursery_exec(const char *path, const char *const *more)
{
    char program[] = BINARY_DIR "/bide", word[] = "nursery", none[] = "0";
    char *arguments[16] = { program, word, strdup(path), none };

    for (int i = 0; more != NULL && more[i] != NULL; i++)
        arguments[3 + i] = strdup(more[i]);
    execv(program, arguments);
    _exit(127);
}

void probe_start_with(struct probe *probe, const char *plugin, const char *const *arguments)
{
    char path[4096];
    int ends[2];

    *probe = (struct probe){ 0 };
    snprintf(path, sizeof path, plugin[0] == '/' ? "%s" : BINARY_DIR "/tests/plugins/%s",
             plugin);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    probe->pid = fork();
    if (probe->pid == 0) {
        if (ends[1] == CONTROL_FD)
            fcntl(CONTROL_FD, F_SETFD, 0);
        else
            dup2(ends[1], CONTROL_FD);
        nursery_exec(path, arguments);
    }
    close(ends[1]);
    probe->control.fd = ends[0];
}

void probe_start(struct probe *probe, const char *plugin)
{
    probe_start_with(probe, plugin, NULL);
}

void probe_load(struct probe *probe, const char *plugin)
{
    probe_start(probe, plugin);
    struct frame frame = link_read(probe, &probe->control);
    cr_assert_eq(frame.kind, FRAME_LOADED, "%.*s", SLICE_ARG(frame.refused.reason));
}

int probe_wait(struct probe *probe)
{
    int status = -1;

    while (waitpid(probe->pid, &status, 0) < 0 && errno == EINTR)
        ;
    probe->pid = 0;
    return status;
}

void probe_finish(struct probe *probe)
{
    for (uint32_t i = 0; i < probe->slot_count; i++) {
        close(probe->slots[i].fd);
        buffer_finish(&probe->slots[i].in);
    }
    close(probe->control.fd);
    buffer_finish(&probe->control.in);
    if (probe->pid > 0)
        probe_wait(probe);
    arena_finish(&probe->arena);
}

void link_send(struct link *link, const struct frame *frame)
{
    struct buffer bytes = { 0 };

    frame_write(&bytes, frame);
    cr_assert_eq(send(link->fd, bytes.data, bytes.size, MSG_NOSIGNAL), (ssize_t)bytes.size);
    buffer_finish(&bytes);
}

/* False at the end of the file. */
static bool link_fill(struct link *link)
{
    struct pollfd poll_fd = { .fd = link->fd, .events = POLLIN };

    cr_assert_gt(poll(&poll_fd, 1, PROBE_TIME_MS), 0, "nothing came in %d ms", PROBE_TIME_MS);
    ssize_t got = recv(link->fd, buffer_reserve(&link->in, READ_BYTES), READ_BYTES, 0);
    if (got <= 0)
        return false;
    link->in.size += (size_t)got;
    return true;
}

static bool link_next(struct probe *probe, struct link *link, struct frame *frame)
{
    struct err err = { 0 };
    size_t used = 0;

    for (;;) {
        /* A copy: the buffer moves, frames are looked at later. */
        struct slice bytes = arena_copy(&probe->arena, buffer_view(&link->in));
        cr_assert(frame_read(&probe->arena, bytes, FRAME_MAX_BYTES, frame, &used, &err), "%s",
                  err.text);
        if (used > 0)
            break;
        if (!link_fill(link))
            return false;
    }
    buffer_consume(&link->in, used);
    return true;
}

struct frame link_read(struct probe *probe, struct link *link)
{
    struct frame frame = { 0 };

    cr_assert(link_next(probe, link, &frame), "the other end closed its socket");
    return frame;
}

bool link_ends(struct probe *probe, struct link *link)
{
    struct frame frame = { 0 };
    bool has_frame = link_next(probe, link, &frame);

    cr_assert_not(has_frame, "a frame of kind %d came instead of the end", (int)frame.kind);
    return true;
}

uint32_t probe_fork(struct probe *probe)
{
    uint32_t slot = ++probe->slot_count;
    struct frame frame = { .kind = FRAME_FORK, .fork = { .slot = slot } };
    struct buffer bytes = { 0 };
    char room[CMSG_SPACE(sizeof(int))] = { 0 };
    int ends[2];

    cr_assert_leq(slot, PROBE_SLOTS);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    frame_write(&bytes, &frame);
    struct iovec part = { bytes.data, bytes.size };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &ends[1], sizeof(int));
    cr_assert_eq(sendmsg(probe->control.fd, &message, MSG_NOSIGNAL), (ssize_t)bytes.size);
    buffer_finish(&bytes);
    close(ends[1]);
    probe->slots[slot - 1].fd = ends[0];
    struct frame answer = link_read(probe, &probe->control);
    cr_assert_eq(answer.kind, FRAME_FORKED);
    cr_assert_eq(answer.forked.slot, slot);
    cr_assert_gt(answer.forked.pid, 0);
    probe->slot_pids[slot - 1] = answer.forked.pid;
    return slot;
}

struct frame segment_frame(struct probe *probe, const char *task, const char *segment,
                           const char *input)
{
    struct value value;
    struct err err = { 0 };

    cr_assert(json_read(&probe->arena, slice_of(input), &value, &err), "%s", err.text);
    return (struct frame){ .kind = FRAME_SEGMENT,
                           .segment = { .run_id = 0x1234,
                                        .seq = 3,
                                        .attempt = 1,
                                        .max_attempts = 3,
                                        .id_block = 0x40000,
                                        .root_id = 0x1234,
                                        .environment = SLICE("dev"),
                                        .task = slice_of(task),
                                        .segment = slice_of(segment),
                                        .input = pack_value(&probe->arena, &value) } };
}

struct frame segment_do(struct probe *probe, const char *task, const char *input)
{
    struct frame frame = segment_frame(probe, task, "", input);

    link_send(&probe->slots[0], &frame);
    return link_read(probe, &probe->slots[0]);
}

struct frame probe_exited(struct probe *probe, uint32_t slot)
{
    struct frame frame = link_read(probe, &probe->control);

    cr_assert_eq(frame.kind, FRAME_EXITED);
    cr_assert_eq(frame.exited.slot, slot);
    return frame;
}

const char *json_of(struct probe *probe, struct slice packed)
{
    struct buffer text = { 0 };

    json_write_packed(&text, packed);
    const char *kept = arena_text(&probe->arena, buffer_view(&text));
    buffer_finish(&text);
    return kept;
}
