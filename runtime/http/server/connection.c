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
    KERNEL_BYTES = 128 * 1024, /* unsent ones of a peer that the kernel takes from us */
    LINGER_MS = 1000,
    LINGER_BYTES = 256 * 1024,
    LINGERING = 64, /* at a time; others are closed at once */
};

static int64_t now_of(const struct peers *peers)
{
    return (int64_t)uv_now(peers->loop);
}

/* ---- life -------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;
    struct http *http = container_of(peer->peers, struct http, peers);

    list_remove(&peer->all);
    buffer_finish(&peer->input);
    buffer_finish(&peer->unsent);
    free(peer);
    server_closed(http);
}

static void uncount(struct peer *peer)
{
    list_remove(&peer->node);
    list_remove(&peer->neighbours);
    if (!peer->is_cut)
        peer->peers->count--;
    peer->is_cut = true;
    if (peer->is_lingering)
        peer->peers->lingering_count--;
    peer->is_lingering = false;
}

void peer_close(struct peer *peer)
{
    if (uv_is_closing(&peer->uv.handle) != 0)
        return;
    uncount(peer);
    uv_close(&peer->uv.handle, on_closed);
    wire_lost(peer);
}

/* What was sent and has not arrived: ours and the kernel's. */
static size_t left_of(const struct peer *peer)
{
    int fd, left = 0;

    if (uv_fileno(&peer->uv.handle, &fd) != 0 || ioctl(fd, SIOCOUTQ, &left) != 0 || left < 0)
        left = 0;
    return uv_stream_get_write_queue_size(&peer->uv.stream) + (size_t)left;
}

/* Has it not even taken what the kernel has for it? Then the kernel is to forget that too. */
static void peer_drop(struct peer *peer)
{
    const struct linger now = { .l_onoff = 1 };
    int fd;

    if (left_of(peer) > 0 && uv_fileno(&peer->uv.handle, &fd) == 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now,
                         sizeof now); /* else it stays awhile */
    peer_close(peer);
}

/* ---- deadlines --------------------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer);

/* The timer may be early, never late: it is only moved when the new deadline comes before it.
 */
static void arm(struct peers *peers, int64_t deadline_ms)
{
    if (uv_is_active((uv_handle_t *)&peers->timer) != 0 && peers->due_ms <= deadline_ms)
        return;
    int64_t left = deadline_ms - now_of(peers);
    peers->due_ms = deadline_ms;
    uv_timer_start(&peers->timer, on_deadline, left > 0 ? (uint64_t)left : 0, 0);
}

static void move(struct peer *peer, struct list *list, int64_t time_ms)
{
    list_remove(&peer->node);
    if (uv_is_closing(&peer->uv.handle) != 0)
        return;
    peer->deadline_ms = now_of(peer->peers) + time_ms;
    list_push(list, &peer->node);
    arm(peer->peers, peer->deadline_ms);
}

void peer_idle(struct peer *peer)
{
    peer->is_receiving = false;
    move(peer, &peer->peers->idle, peer->peers->idle_ms);
}

void peer_receiving(struct peer *peer)
{
    if (peer->is_receiving)
        return;
    peer->is_receiving = true;
    move(peer, &peer->peers->receiving, peer->peers->receive_ms);
}

void peer_busy(struct peer *peer)
{
    peer->is_receiving = false;
    list_remove(&peer->node);
}

static struct peer *first_of(struct list *list)
{
    return list_is_empty(list) ? NULL : container_of(list->next, struct peer, node);
}

static struct peer *first_due(struct list *list, int64_t now)
{
    struct peer *peer = first_of(list);

    return peer != NULL && peer->deadline_ms <= now ? peer : NULL;
}

/* What is left of its reply must have shrunk by so much, or be gone. */
static void look_at_sending(struct peer *peer)
{
    struct peers *peers = peer->peers;
    size_t left = left_of(peer);
    uint64_t least = (uint64_t)(peers->rate * peers->send_ms / 1000);

    if (peers->rate > 0 && left + least > peer->left_bytes) {
        peers->slow++;
        peer_drop(peer);
        return;
    }
    peer->left_bytes = left;
    move(peer, &peers->sending, peers->send_ms);
}

static void on_deadline(uv_timer_t *timer)
{
    struct peers *peers = container_of(timer, struct peers, timer);
    struct list *lists[] = { &peers->receiving, &peers->idle, &peers->sending,
                             &peers->lingering };
    int64_t now = now_of(peers);
    struct peer *peer;

    while ((peer = first_due(&peers->receiving, now)) != NULL) {
        peers->late++;
        wire_refuse(peer, HTTP_REQUEST_TIMEOUT, "The request did not arrive in time");
    }
    while ((peer = first_due(&peers->sending, now)) != NULL)
        look_at_sending(peer);
    while ((peer = first_due(&peers->idle, now)) != NULL)
        peer_drop(peer);
    while ((peer = first_due(&peers->lingering, now)) != NULL)
        peer_drop(peer);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if ((peer = first_of(lists[i])) != NULL)
            arm(peers, peer->deadline_ms);
}

/* ---- bytes in ---------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct peer *peer = handle->data;

    (void)size;
    *buffer = uv_buf_init(peer->peers->inbox, INBOX_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct peer *peer = stream->data;

    if (size == 0 || uv_is_closing(&peer->uv.handle) != 0)
        return;
    if (size == UV_EOF) {
        peer->has_ended = true;
        if (peer->is_lingering)
            peer_close(peer);
        else
            wire_ended(peer);
    } else if (size < 0) {
        peer_close(peer);
    } else if (peer->is_cut) {
        peer->ignored_bytes += (size_t)size;
        if (peer->ignored_bytes > LINGER_BYTES)
            peer_close(peer);
    } else {
        wire_read(peer, (struct slice){ buffer->base, (size_t)size });
    }
}

void peer_pause(struct peer *peer)
{
    if (peer->is_full)
        return;
    peer->is_full = true;
    (void)uv_read_stop(&peer->uv.stream); /* always succeeds */
}

void peer_resume(struct peer *peer)
{
    if (!peer->is_full || uv_is_closing(&peer->uv.handle) != 0)
        return;
    peer->is_full = false;
    if (!peer->has_ended && uv_read_start(&peer->uv.stream, on_room, on_read) != 0)
        peer_close(peer);
}

/* ---- bytes out --------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    struct peer *peer = container_of(write, struct peer, write);

    if (uv_is_closing(&peer->uv.handle) != 0)
        return;
    peer->is_writing = false;
    list_remove(&peer->node);
    buffer_finish(&peer->unsent);
    if (status != 0)
        peer_close(peer);
    else if (peer->is_cut)
        peer_linger(peer);
    else
        wire_sent(peer);
}

bool peer_send(struct peer *peer, struct slice first, struct slice second)
{
    uv_buf_t parts[2] = { { (char *)(uintptr_t)first.data, first.size },
                          { (char *)(uintptr_t)second.data, second.size } };
    int sent = uv_try_write(&peer->uv.stream, parts, second.size > 0 ? 2 : 1);

    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0) {
        peer_close(peer);
        return false;
    }
    if ((size_t)sent == first.size + second.size)
        return true;
    size_t of_first = (size_t)sent < first.size ? (size_t)sent : first.size;
    size_t of_second = (size_t)sent - of_first;
    buffer_add(&peer->unsent, first.data + of_first, first.size - of_first);
    parts[0] = uv_buf_init(peer->unsent.data, (unsigned)peer->unsent.size);
    parts[1].base += of_second;
    parts[1].len -= of_second;
    peer->is_writing = true;
    unsigned from = peer->unsent.size == 0, count = second.size > of_second ? 2 : 1;
    if (uv_write(&peer->write, &peer->uv.stream, parts + from, count - from, on_written) != 0) {
        peer_close(peer);
        return false;
    }
    peer->left_bytes = left_of(peer);
    peer->is_receiving = false;
    move(peer, &peer->peers->sending, peer->peers->send_ms);
    return false;
}

void peer_linger(struct peer *peer)
{
    struct peers *peers = peer->peers;
    int fd;

    if (uv_is_closing(&peer->uv.handle) != 0 || peer->is_lingering)
        return;
    uncount(peer);
    buffer_finish(&peer->input);
    if (peer->is_writing) { /* on_written comes back here */
        move(peer, &peers->sending, peers->send_ms);
        return;
    }
    if (peer->has_ended || peers->lingering_count >= LINGERING ||
        uv_fileno(&peer->uv.handle, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
        peer_close(peer);
        return;
    }
    peer->is_lingering = true;
    peers->lingering_count++;
    peer_resume(peer);
    move(peer, &peers->lingering, LINGER_MS);
}

/* ---- new ones ---------------------------------------------------------------------------- */

/* By address, without the port. */
static uint64_t address_of(const struct peer *peer)
{
    struct sockaddr_storage name;
    int size = sizeof name;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const unsigned char *bytes = (const unsigned char *)&name;
    size_t from = offsetof(struct sockaddr_in, sin_addr), count = 4;

    if (uv_tcp_getpeername(&peer->uv.tcp, (struct sockaddr *)&name, &size) != 0)
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
static bool address_fits(struct peer *peer)
{
    struct peers *peers = peer->peers;
    uint32_t count = 0;

    if (peers->max_per_ip == 0)
        return true;
    peer->address = address_of(peer);
    struct list *street = &peers->addresses[(peer->address >> 20) % PEER_ADDRESSES];
    LIST_EACH(street, node, after)
    count += container_of(node, struct peer, neighbours)->address == peer->address;
    if (count >= peers->max_per_ip)
        return false;
    list_push(street, &peer->neighbours);
    return true;
}

/* Whoever wants something goes before whoever might want something later. */
static bool place_found(struct peers *peers)
{
    struct peer *oldest = first_of(&peers->idle);

    if (peers->count <= peers->max)
        return true;
    if (oldest == NULL)
        return false;
    peers->evicted++;
    peer_close(oldest);
    return true;
}

static struct peer *peer_make(struct peers *peers)
{
    struct peer *peer = memory_zeroed(1, sizeof *peer);

    (void)uv_tcp_init(peers->loop, &peer->uv.tcp); /* makes no socket yet */
    peer->uv.handle.data = peer;
    peer->peers = peers;
    message_init(&peer->message);
    list_init(&peer->node);
    list_init(&peer->all);
    list_init(&peer->neighbours);
    list_push(&peers->all, &peer->all);
    peers->count++;
    peers->opened++;
    server_opened(container_of(peers, struct http, peers));
    return peer;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct peers *peers = container_of((uv_tcp_t *)listener, struct peers, listener);

    if (status != 0)
        return;
    struct peer *peer = peer_make(peers);
    if (uv_accept(listener, &peer->uv.stream) != 0 || !address_fits(peer) ||
        uv_read_start(&peer->uv.stream, on_room, on_read) != 0) {
        peer_close(peer);
        return;
    }
    if (place_found(peers)) {
        peer_idle(peer);
        return;
    }
    peers->refused++;
    wire_refuse(peer, HTTP_SERVICE_UNAVAILABLE, "Too many connections, try again later");
}

/* Accepted sockets inherit both. */
static void listener_set(int fd)
{
    const int on = 1, most = KERNEL_BYTES;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* slower without */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most); /* takes more */
}

bool peers_open(struct peers *peers, uv_loop_t *loop, int fd)
{
    peers->loop = loop;
    peers->inbox = memory_get(INBOX_BYTES);
    list_init(&peers->all);
    list_init(&peers->idle);
    list_init(&peers->receiving);
    list_init(&peers->sending);
    list_init(&peers->lingering);
    for (uint32_t i = 0; i < PEER_ADDRESSES; i++)
        list_init(&peers->addresses[i]);
    uv_timer_init(loop, &peers->timer);
    uv_unref((uv_handle_t *)&peers->timer);
    uv_tcp_init(loop, &peers->listener);
    listener_set(fd);
    return uv_tcp_open(&peers->listener, fd) == 0 &&
           uv_listen((uv_stream_t *)&peers->listener, BACKLOG, on_connection) == 0;
}

void peers_finish(struct peers *peers)
{
    free(peers->inbox);
}

void peers_close_listener(struct peers *peers, uv_close_cb closed)
{
    if (uv_is_closing((uv_handle_t *)&peers->listener) == 0)
        uv_close((uv_handle_t *)&peers->listener, closed);
}

void peers_close_idle(struct peers *peers)
{
    struct peer *peer;

    while ((peer = first_of(&peers->idle)) != NULL)
        peer_close(peer);
}

void peers_close_receiving(struct peers *peers)
{
    struct peer *peer;

    while ((peer = first_of(&peers->receiving)) != NULL)
        wire_refuse(peer, HTTP_SERVICE_UNAVAILABLE, "The server is stopping");
}

void peers_close_all(struct peers *peers)
{
    LIST_EACH(&peers->all, node, after)
    peer_close(container_of(node, struct peer, all));
}
