#include "outbox.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct letter {
    struct list node;
    int fd; /* our own copy; -1: none, or it has left */
    size_t sent, size;
    char bytes[];
};

void outbox_init(struct outbox *outbox)
{
    list_init(&outbox->letters);
}

static void letter_drop(struct letter *letter)
{
    list_remove(&letter->node);
    if (letter->fd >= 0)
        (void)close(letter->fd); /* the other side has its own */
    free(letter);
}

void outbox_finish(struct outbox *outbox)
{
    LIST_EACH(&outbox->letters, node, after)
    letter_drop(container_of(node, struct letter, node));
}

bool outbox_is_empty(const struct outbox *outbox)
{
    return list_is_empty(&outbox->letters);
}

void outbox_add(struct outbox *outbox, const struct frame *frame, int fd)
{
    struct buffer bytes = { 0 };

    frame_write(&bytes, frame);
    struct letter *letter = memory_get(sizeof *letter + bytes.size);
    *letter = (struct letter){ .size = bytes.size,
                               .fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0) };
    memcpy(letter->bytes, bytes.data, bytes.size);
    list_push(&outbox->letters, &letter->node);
    buffer_finish(&bytes);
}

static ssize_t letter_send(struct letter *letter, int socket)
{
    char room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec part = { letter->bytes + letter->sent, letter->size - letter->sent };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

    if (letter->fd >= 0) {
        message.msg_control = room;
        message.msg_controllen = sizeof room;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof letter->fd);
        memcpy(CMSG_DATA(head), &letter->fd, sizeof letter->fd);
    }
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool outbox_flush(struct outbox *outbox, int socket)
{
    while (!list_is_empty(&outbox->letters)) {
        struct letter *letter = container_of(outbox->letters.next, struct letter, node);
        ssize_t sent = letter_send(letter, socket);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) /* too many descriptors are under way in the whole system: the same */
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ||
                   errno == ETOOMANYREFS || errno == ENOMEM;
        letter->sent += (size_t)sent;
        if (letter->fd >= 0)
            (void)close(letter->fd); /* it went with the first byte */
        letter->fd = -1;
        if (letter->sent == letter->size)
            letter_drop(letter);
    }
    return true;
}
