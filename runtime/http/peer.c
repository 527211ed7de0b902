#include "peer.h"

#include "base/memory.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void on_deadline(uv_timer_t *timer);

void peers_init(struct peers *peers, uv_loop_t *loop)
{
    list_init(&peers->idle);
    list_init(&peers->receiving);
    uv_timer_init(loop, &peers->timer);
    uv_unref((uv_handle_t *)&peers->timer);
}

static int64_t now_of(const struct peers *peers)
{
    return (int64_t)uv_now(peers->timer.loop);
}

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

static struct peer *first_of(struct list *list)
{
    return list_is_empty(list) ? NULL : container_of(list->next, struct peer, node);
}

static void on_deadline(uv_timer_t *timer)
{
    struct peers *peers = container_of(timer, struct peers, timer);
    int64_t now = now_of(peers);
    struct peer *peer;

    while ((peer = first_of(&peers->receiving)) != NULL && peer->deadline_ms <= now) {
        peers->late++;
        peer_cut(peers, peer, MHD_HTTP_REQUEST_TIMEOUT,
                 SLICE("{\"error\":\"The request did not arrive in time\"}"));
    }
    while ((peer = first_of(&peers->idle)) != NULL && peer->deadline_ms <= now)
        peer_cut(peers, peer, 0, (struct slice){ 0 });
    if ((peer = first_of(&peers->receiving)) != NULL)
        arm(peers, peer->deadline_ms);
    if ((peer = first_of(&peers->idle)) != NULL)
        arm(peers, peer->deadline_ms);
}

void peers_close_idle(struct peers *peers)
{
    struct peer *peer;

    while ((peer = first_of(&peers->idle)) != NULL)
        peer_cut(peers, peer, 0, (struct slice){ 0 });
}

void peers_close_receiving(struct peers *peers)
{
    struct peer *peer;

    while ((peer = first_of(&peers->receiving)) != NULL)
        peer_cut(peers, peer, MHD_HTTP_SERVICE_UNAVAILABLE,
                 SLICE("{\"error\":\"The server is stopping\"}"));
}

struct peer *peer_open(struct peers *peers, int fd)
{
    struct peer *peer = memory_zeroed(1, sizeof *peer), *oldest;

    list_init(&peer->node);
    peer->fd = fd;
    peers->count++;
    peers->opened++;
    if (peers->count > peers->max) {
        /* Whoever wants something goes before whoever might want something later. */
        if ((oldest = first_of(&peers->idle)) != NULL) {
            peers->evicted++;
            peer_cut(peers, oldest, 0, (struct slice){ 0 });
        } else {
            peers->refused++;
            peer_cut(peers, peer, MHD_HTTP_SERVICE_UNAVAILABLE,
                     SLICE("{\"error\":\"Too many connections, try again later\"}"));
            return peer;
        }
    }
    peer_idle(peers, peer);
    return peer;
}

void peer_close(struct peers *peers, struct peer *peer)
{
    list_remove(&peer->node);
    if (!peer->is_cut)
        peers->count--;
    free(peer);
}

static void move(struct peers *peers, struct peer *peer, struct list *list, int64_t time_ms)
{
    list_remove(&peer->node);
    if (peer->is_cut)
        return;
    peer->deadline_ms = now_of(peers) + time_ms;
    list_push(list, &peer->node);
    arm(peers, peer->deadline_ms);
}

void peer_idle(struct peers *peers, struct peer *peer)
{
    move(peers, peer, &peers->idle, peers->idle_ms);
}

void peer_receiving(struct peers *peers, struct peer *peer)
{
    move(peers, peer, &peers->receiving, peers->receive_ms);
}

void peer_busy(struct peer *peer)
{
    list_remove(&peer->node);
}

void peer_cut(struct peers *peers, struct peer *peer, unsigned status, struct slice body)
{
    char text[1024];

    list_remove(&peer->node);
    if (peer->is_cut)
        return;
    peer->is_cut = true;
    peers->count--;
    if (status != 0) {
        int size =
            snprintf(text, sizeof text,
                     "HTTP/1.1 %u %s\r\ncontent-type: application/json\r\nconnection: close\r\n"
                     "retry-after: 1\r\ncontent-length: %zu\r\n\r\n%.*s",
                     status, MHD_get_reason_phrase_for(status), body.size, SLICE_ARG(body));
        /* As good as it gets: who does not read sees a closed connection. */
        if (size > 0 && (size_t)size < sizeof text)
            (void)send(peer->fd, text, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    /* libmicrohttpd sees the end of the stream and closes in its next run. */
    (void)shutdown(peer->fd, SHUT_RDWR);
}
