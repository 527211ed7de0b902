#include "connection.h"

#include "base/memory.h"
#include "http/server/server.h"
#include "http/server/wire.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    BACKLOG = 1024,
    INBOX_BYTES = 64 * 1024,
    KERNEL_BYTES = 128 * 1024, /* unsent ones of a connection that the kernel takes from us */
    LINGER_MS = 1000,
    LINGER_BYTES = 256 * 1024,
    LINGERING = 64, /* at a time; others are closed at once */
};

static int64_t now_of(const struct connections *connections)
{
    return (int64_t)uv_now(connections->loop);
}

/* ---- life -------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct http *http = container_of(connection->connections, struct http, connections);

    list_remove(&connection->all);
    buffer_finish(&connection->input);
    buffer_finish(&connection->unsent);
    free(connection);
    server_closed(http);
}

static void uncount(struct connection *connection)
{
    list_remove(&connection->node);
    list_remove(&connection->neighbours);
    if (!connection->is_cut)
        connection->connections->count--;
    connection->is_cut = true;
    if (connection->is_lingering)
        connection->connections->lingering_count--;
    connection->is_lingering = false;
}

void connection_end(struct connection *connection)
{
    if (uv_is_closing(&connection->uv.handle) != 0)
        return;
    uncount(connection);
    uv_close(&connection->uv.handle, on_closed);
    wire_lost(connection);
}

/* What was sent and has not arrived: ours and the kernel's. */
static size_t left_of(const struct connection *connection)
{
    int fd, left = 0;

    if (uv_fileno(&connection->uv.handle, &fd) != 0 || ioctl(fd, SIOCOUTQ, &left) != 0 ||
        left < 0)
        left = 0;
    return uv_stream_get_write_queue_size(&connection->uv.stream) + (size_t)left;
}

/* Has it not even taken what the kernel has for it? Then the kernel is to forget that too. */
static void connection_drop(struct connection *connection)
{
    const struct linger now = { .l_onoff = 1 };
    int fd;

    if (left_of(connection) > 0 && uv_fileno(&connection->uv.handle, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now,
                         sizeof now); /* else it stays awhile */
    connection_end(connection);
}

/* ---- deadlines --------------------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer);

/* The timer may be early, never late: it is only moved when the new deadline comes before it.
 */
static void arm(struct connections *connections, int64_t deadline_ms)
{
    if (uv_is_active((uv_handle_t *)&connections->timer) != 0 &&
        connections->due_ms <= deadline_ms)
        return;
    int64_t left = deadline_ms - now_of(connections);
    connections->due_ms = deadline_ms;
    uv_timer_start(&connections->timer, on_deadline, left > 0 ? (uint64_t)left : 0, 0);
}

static void move(struct connection *connection, struct list *list, int64_t time_ms)
{
    list_remove(&connection->node);
    if (uv_is_closing(&connection->uv.handle) != 0)
        return;
    connection->deadline_ms = now_of(connection->connections) + time_ms;
    list_push(list, &connection->node);
    arm(connection->connections, connection->deadline_ms);
}

void connection_idle(struct connection *connection)
{
    connection->is_receiving = false;
    move(connection, &connection->connections->idle, connection->connections->idle_ms);
}

void connection_receiving(struct connection *connection)
{
    if (connection->is_receiving)
        return;
    connection->is_receiving = true;
    move(connection, &connection->connections->receiving, connection->connections->receive_ms);
}

void connection_busy(struct connection *connection)
{
    connection->is_receiving = false;
    list_remove(&connection->node);
}

static struct connection *first_of(struct list *list)
{
    return list_is_empty(list) ? NULL : container_of(list->next, struct connection, node);
}

static struct connection *first_due(struct list *list, int64_t now)
{
    struct connection *connection = first_of(list);

    return connection != NULL && connection->deadline_ms <= now ? connection : NULL;
}

/* What is left of its reply must have shrunk by so much, or be gone. */
static void look_at_sending(struct connection *connection)
{
    struct connections *connections = connection->connections;
    size_t left = left_of(connection);
    uint64_t least = (uint64_t)(connections->rate * connections->send_ms / 1000);

    if (connections->rate > 0 && left + least > connection->left_bytes) {
        connections->slow++;
        connection_drop(connection);
        return;
    }
    connection->left_bytes = left;
    move(connection, &connections->sending, connections->send_ms);
}

static void on_deadline(uv_timer_t *timer)
{
    struct connections *connections = container_of(timer, struct connections, timer);
    struct list *lists[] = { &connections->receiving, &connections->idle, &connections->sending,
                             &connections->lingering };
    int64_t now = now_of(connections);
    struct connection *connection;

    while ((connection = first_due(&connections->receiving, now)) != NULL) {
        connections->late++;
        wire_refuse(connection, HTTP_REQUEST_TIMEOUT, "The request did not arrive in time");
    }
    while ((connection = first_due(&connections->sending, now)) != NULL)
        look_at_sending(connection);
    while ((connection = first_due(&connections->idle, now)) != NULL)
        connection_drop(connection);
    while ((connection = first_due(&connections->lingering, now)) != NULL)
        connection_drop(connection);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if ((connection = first_of(lists[i])) != NULL)
            arm(connections, connection->deadline_ms);
}

/* ---- bytes in ---------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;

    (void)size;
    *buffer = uv_buf_init(connection->connections->inbox, INBOX_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;

    if (size == 0 || uv_is_closing(&connection->uv.handle) != 0)
        return;
    if (size == UV_EOF) {
        connection->has_ended = true;
        if (connection->is_lingering)
            connection_end(connection);
        else
            wire_ended(connection);
    } else if (size < 0) {
        connection_end(connection);
    } else if (connection->is_cut) {
        connection->ignored_bytes += (size_t)size;
        if (connection->ignored_bytes > LINGER_BYTES)
            connection_end(connection);
    } else {
        wire_read(connection, (struct slice){ buffer->base, (size_t)size });
    }
}

void connection_pause(struct connection *connection)
{
    if (connection->is_full)
        return;
    connection->is_full = true;
    (void)uv_read_stop(&connection->uv.stream); /* always succeeds */
}

void connection_resume(struct connection *connection)
{
    if (!connection->is_full || uv_is_closing(&connection->uv.handle) != 0)
        return;
    connection->is_full = false;
    if (!connection->has_ended && uv_read_start(&connection->uv.stream, on_room, on_read) != 0)
        connection_end(connection);
}

/* ---- bytes out --------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = container_of(write, struct connection, write);

    if (uv_is_closing(&connection->uv.handle) != 0)
        return;
    connection->is_writing = false;
    list_remove(&connection->node);
    buffer_finish(&connection->unsent);
    if (status != 0)
        connection_end(connection);
    else if (connection->is_cut)
        connection_linger(connection);
    else
        wire_sent(connection);
}

bool connection_send(struct connection *connection, struct slice first, struct slice second)
{
    uv_buf_t parts[2] = { { (char *)(uintptr_t)first.data, first.size },
                          { (char *)(uintptr_t)second.data, second.size } };
    int sent = uv_try_write(&connection->uv.stream, parts, second.size > 0 ? 2 : 1);

    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0) {
        connection_end(connection);
        return false;
    }
    if ((size_t)sent == first.size + second.size)
        return true;
    size_t of_first = (size_t)sent < first.size ? (size_t)sent : first.size;
    size_t of_second = (size_t)sent - of_first;
    buffer_add(&connection->unsent, first.data + of_first, first.size - of_first);
    parts[0] = uv_buf_init(connection->unsent.data, (unsigned)connection->unsent.size);
    parts[1].base += of_second;
    parts[1].len -= of_second;
    connection->is_writing = true;
    unsigned from = connection->unsent.size == 0, count = second.size > of_second ? 2 : 1;
    if (uv_write(&connection->write, &connection->uv.stream, parts + from, count - from,
                 on_written) != 0) {
        connection_end(connection);
        return false;
    }
    connection->left_bytes = left_of(connection);
    connection->is_receiving = false;
    move(connection, &connection->connections->sending, connection->connections->send_ms);
    return false;
}

void connection_linger(struct connection *connection)
{
    struct connections *connections = connection->connections;
    int fd;

    if (uv_is_closing(&connection->uv.handle) != 0 || connection->is_lingering)
        return;
    uncount(connection);
    buffer_finish(&connection->input);
    if (connection->is_writing) { /* on_written comes back here */
        move(connection, &connections->sending, connections->send_ms);
        return;
    }
    if (connection->has_ended || connections->lingering_count >= LINGERING ||
        uv_fileno(&connection->uv.handle, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
        connection_end(connection);
        return;
    }
    connection->is_lingering = true;
    connections->lingering_count++;
    connection_resume(connection);
    move(connection, &connections->lingering, LINGER_MS);
}

/* ---- new ones ---------------------------------------------------------------------------- */

/* By address, without the port. */
static uint64_t address_of(const struct connection *connection)
{
    struct sockaddr_storage name;
    int size = sizeof name;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const unsigned char *bytes = (const unsigned char *)&name;
    size_t from = offsetof(struct sockaddr_in, sin_addr), count = 4;

    if (uv_tcp_getpeername(&connection->uv.tcp, (struct sockaddr *)&name, &size) != 0)
        return 0;
    if (name.ss_family == AF_INET6) {
        from = offsetof(struct sockaddr_in6, sin6_addr);
        count = 16;
    }
    for (size_t i = from; i < from + count; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* False: there are enough of that address. */
static bool address_fits(struct connection *connection)
{
    struct connections *connections = connection->connections;
    uint32_t count = 0;

    if (connections->max_per_ip == 0)
        return true;
    connection->address = address_of(connection);
    struct list *street =
        &connections->addresses[(connection->address >> 20) % CONNECTION_ADDRESSES];
    LIST_EACH(street, node, after)
    count += container_of(node, struct connection, neighbours)->address == connection->address;
    if (count >= connections->max_per_ip)
        return false;
    list_push(street, &connection->neighbours);
    return true;
}

/* Whoever wants something goes before whoever might want something later. */
static bool place_found(struct connections *connections)
{
    struct connection *oldest = first_of(&connections->idle);

    if (connections->count <= connections->max)
        return true;
    if (oldest == NULL)
        return false;
    connections->evicted++;
    connection_end(oldest);
    return true;
}

static struct connection *connection_make(struct connections *connections)
{
    struct connection *connection = memory_zeroed(1, sizeof *connection);

    (void)uv_tcp_init(connections->loop, &connection->uv.tcp); /* makes no socket yet */
    connection->uv.handle.data = connection;
    connection->connections = connections;
    message_init(&connection->message);
    list_init(&connection->node);
    list_init(&connection->all);
    list_init(&connection->neighbours);
    list_push(&connections->all, &connection->all);
    connections->count++;
    connections->opened++;
    server_opened(container_of(connections, struct http, connections));
    return connection;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct connections *connections =
        container_of((uv_tcp_t *)listener, struct connections, listener);

    if (status != 0)
        return;
    struct connection *connection = connection_make(connections);
    if (uv_accept(listener, &connection->uv.stream) != 0 || !address_fits(connection) ||
        uv_read_start(&connection->uv.stream, on_room, on_read) != 0) {
        connection_end(connection);
        return;
    }
    if (place_found(connections)) {
        connection_idle(connection);
        return;
    }
    connections->refused++;
    wire_refuse(connection, HTTP_SERVICE_UNAVAILABLE, "Too many connections, try again later");
}

/* Accepted sockets inherit both. */
static void listener_set(int fd)
{
    const int on = 1, most = KERNEL_BYTES;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* slower without */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most); /* takes more */
}

bool connections_open(struct connections *connections, uv_loop_t *loop, int fd)
{
    connections->loop = loop;
    connections->inbox = memory_get(INBOX_BYTES);
    list_init(&connections->all);
    list_init(&connections->idle);
    list_init(&connections->receiving);
    list_init(&connections->sending);
    list_init(&connections->lingering);
    for (uint32_t i = 0; i < CONNECTION_ADDRESSES; i++)
        list_init(&connections->addresses[i]);
    uv_timer_init(loop, &connections->timer);
    uv_unref((uv_handle_t *)&connections->timer);
    uv_tcp_init(loop, &connections->listener);
    listener_set(fd);
    return uv_tcp_open(&connections->listener, fd) == 0 &&
           uv_listen((uv_stream_t *)&connections->listener, BACKLOG, on_connection) == 0;
}

void connections_finish(struct connections *connections)
{
    free(connections->inbox);
}

void connections_close_listener(struct connections *connections, uv_close_cb closed)
{
    if (uv_is_closing((uv_handle_t *)&connections->listener) == 0)
        uv_close((uv_handle_t *)&connections->listener, closed);
}

void connections_close_idle(struct connections *connections)
{
    struct connection *connection;

    while ((connection = first_of(&connections->idle)) != NULL)
        connection_end(connection);
}

void connections_close_receiving(struct connections *connections)
{
    struct connection *connection;

    while ((connection = first_of(&connections->receiving)) != NULL)
        wire_refuse(connection, HTTP_SERVICE_UNAVAILABLE, "The server is stopping");
}

void connections_close_all(struct connections *connections)
{
    LIST_EACH(&connections->all, node, after)
    connection_end(container_of(node, struct connection, all));
}
