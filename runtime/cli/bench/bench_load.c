/*
 * The generator. A request is bytes made beforehand and one send; a reply is one recv, a look
 * at its status, its length, and where a caller wants it, one member found by its name. Nothing
 * is copied and nothing is parsed that is not needed, so that a core of the machine is left to
 * the server.
 */
#include "cli/bench/bench_load.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_BYTES = 16 << 10, REPLY_MAX_BYTES = 16 << 20, EVENTS = 64 };

#define WATCHED UINT32_MAX

static bool fail(struct err *err, const char *what)
{
    return err_set(err, ERR_SYSTEM, "%s: %s", what, strerror(errno));
}

static int connect_to(const struct addrinfo *address)
{
    int yes = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool add_to_epoll(struct load *load, int fd, uint32_t number)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool load_open(struct load *load, const char *host, uint16_t port, uint32_t count,
               struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    char service[8];

    *load = (struct load){ .epoll = -1, .watched = -1 };
    snprintf(service, sizeof service, "%u", port);
    int failure = getaddrinfo(host, service, &hints, &found);
    if (failure != 0)
        return err_set(err, ERR_SYSTEM, "%s: %s", host, gai_strerror(failure));
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = memory_zeroed(count, sizeof *load->connections);
    bool done = load->epoll >= 0;
    for (; done && load->count < count; load->count++) {
        struct load_connection *connection = &load->connections[load->count];
        connection->fd = connect_to(found);
        if (connection->fd < 0)
            break;
        done = add_to_epoll(load, connection->fd, load->count);
    }
    done = done && load->count == count;
    if (!done)
        fail(err, "cannot connect");
    freeaddrinfo(found);
    if (!done)
        load_close(load);
    return done;
}

void load_close(struct load *load)
{
    for (uint32_t i = 0; i < load->count; i++) {
        close(load->connections[i].fd);
        buffer_finish(&load->connections[i].in);
    }
    free(load->connections);
    if (load->epoll >= 0)
        close(load->epoll);
    *load = (struct load){ .epoll = -1, .watched = -1 };
}

void load_watch(struct load *load, int fd)
{
    if (add_to_epoll(load, fd, WATCHED))
        load->watched = fd;
}

/* Interest in EPOLLOUT is only had while something is unsent: almost never. */
static bool want(struct load *load, uint32_t number, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u32 = number };
    return epoll_ctl(load->epoll, EPOLL_CTL_MOD, load->connections[number].fd, &event) == 0;
}

static bool send_some(struct load *load, uint32_t number, struct err *err)
{
    struct load_connection *connection = &load->connections[number];
    struct slice *unsent = &connection->unsent;

    while (unsent->size > 0) {
        ssize_t sent =
            send(connection->fd, unsent->data, unsent->size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return want(load, number, EPOLLIN | EPOLLOUT) || fail(err, "epoll");
        if (sent < 0)
            return fail(err, "send");
        unsent->data += sent;
        unsent->size -= (size_t)sent;
    }
    return true;
}

bool load_send(struct load *load, uint32_t number, struct slice request, struct err *err)
{
    struct load_connection *connection = &load->connections[number];

    connection->busy = true;
    connection->unsent = request;
    connection->head_bytes = 0;
    return send_some(load, number, err);
}

/* The length in a reply's head, or -1. */
static int64_t content_length(struct slice head)
{
    static const char name[] = "content-length:";
    const char *end = head.data + head.size;

    for (const char *line = head.data; line != NULL && line < end;) {
        size_t left = (size_t)(end - line);
        if (left > sizeof name && (*line | 32) == 'c' &&
            strncasecmp(line, name, sizeof name - 1) == 0)
            return strtoll(line + sizeof name - 1, NULL, 10);
        line = memchr(line, '\n', left);
        line = line != NULL ? line + 1 : NULL;
    }
    return -1;
}

/* True when the head is complete and understood, or not there yet (head_bytes 0). */
static bool read_head(struct load_connection *connection, struct err *err)
{
    struct slice bytes = buffer_view(&connection->in);
    const char *end = memmem(bytes.data, bytes.size, "\r\n\r\n", 4);

    if (end == NULL)
        return true;
    struct slice head = { bytes.data, (size_t)(end - bytes.data) + 2 };
    int64_t length = content_length(head);
    if (head.size < 13 || memcmp(head.data, "HTTP/1.1 ", 9) != 0 || length < 0 ||
        length > REPLY_MAX_BYTES)
        return err_set(err, ERR_SYSTEM, "the server's reply is none that is known here");
    connection->status = (int)strtol(head.data + 9, NULL, 10);
    connection->head_bytes = head.size + 2;
    connection->body_bytes = (size_t)length;
    return true;
}

static bool receive(struct load *load, uint32_t number, struct err *err)
{
    struct load_connection *connection = &load->connections[number];
    struct buffer *in = &connection->in;
    ssize_t got =
        recv(connection->fd, buffer_reserve(in, CHUNK_BYTES), CHUNK_BYTES, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got < 0)
        return fail(err, "recv");
    if (got == 0)
        return err_set(err, ERR_SYSTEM, "the server closed the connection");
    in->size += (size_t)got;
    if (connection->head_bytes == 0 && !read_head(connection, err))
        return false;
    size_t whole = connection->head_bytes + connection->body_bytes;
    if (connection->head_bytes == 0 || in->size < whole)
        return true;
    struct slice body = { in->data + connection->head_bytes, connection->body_bytes };
    in->size = 0; /* nothing else is under way: the bytes stay until the next recv */
    connection->busy = false;
    load->on_reply(load->context, number, connection->status, body);
    return true;
}

bool load_poll(struct load *load, int timeout_ms, struct err *err)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(load->epoll, events, EVENTS, timeout_ms);

    if (count < 0 && errno != EINTR)
        return fail(err, "epoll_wait");
    for (int i = 0; i < count; i++) {
        uint32_t number = events[i].data.u32;
        if (number == WATCHED) {
            load->on_watched(load->context);
            continue;
        }
        if ((events[i].events & EPOLLOUT) != 0 &&
            (!want(load, number, EPOLLIN) || !send_some(load, number, err)))
            return false;
        if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0 && !receive(load, number, err))
            return false;
    }
    return true;
}

void load_request(struct buffer *out, const char *type, struct slice path, const char *key,
                  struct slice body)
{
    buffer_format(out, "%s %.*s HTTP/1.1\r\nHost: localhost\r\n", type, SLICE_ARG(path));
    if (key != NULL)
        buffer_format(out, "Authorization: Bearer %s\r\n", key);
    if (strcmp(type, "POST") == 0)
        buffer_format(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                      body.size);
    buffer_text(out, "\r\n");
    buffer_slice(out, body);
}

static const char *find_member(struct slice body, const char *name)
{
    char wanted[64];
    int size = snprintf(wanted, sizeof wanted, "\"%s\":", name);
    const char *found = memmem(body.data, body.size, wanted, (size_t)size);
    return found != NULL ? found + size : NULL;
}

struct slice load_member(struct slice body, const char *name)
{
    const char *start = find_member(body, name), *limit = body.data + body.size;

    if (start == NULL || start >= limit || *start != '"')
        return SLICE("");
    start++;
    const char *end = memchr(start, '"', (size_t)(limit - start));
    return end != NULL ? (struct slice){ start, (size_t)(end - start) } : SLICE("");
}

int64_t load_number(struct slice body, const char *name)
{
    const char *start = find_member(body, name), *limit = body.data + body.size;
    int64_t number = 0;

    if (start == NULL || start >= limit || *start < '0' || *start > '9')
        return -1;
    for (; start < limit && *start >= '0' && *start <= '9'; start++)
        number = number * 10 + (*start - '0');
    return number;
}
