/*
 * Peers: TCP connections, and how long each may take.
 *
 *   idle ──request line──▶ receiving ──all of it──▶ busy ──reply sent──▶ idle
 *
 * An idle peer is closed after idle_ms, or earlier when its place is needed for a new one; a
 * peer that takes longer than receive_ms to send a request is told 408 and closed, however
 * often a byte of it comes. While busy a peer has no deadline here: the work has its own, and a
 * reader that stops reading is libmicrohttpd's business.
 */
#ifndef PEER_H
#define PEER_H

#include "base/list.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct peer {
    struct list node;
    int64_t deadline_ms;
    int fd;
    bool is_cut; /* nothing it sends counts any more */
};

struct peers {
    uv_timer_t timer;
    struct list idle, receiving; /* each in order of its deadlines */
    int64_t idle_ms, receive_ms, due_ms;
    uint32_t count, max; /* cut ones do not count */
    uint64_t opened, refused, evicted, late;
};

void peers_init(struct peers *peers, uv_loop_t *loop);
/* Close the idle ones; those under way may finish. */
void peers_close_idle(struct peers *peers);
/* Close all that do not have a whole request here yet. */
void peers_close_receiving(struct peers *peers);

struct peer *peer_open(struct peers *peers, int fd);
void peer_close(struct peers *peers, struct peer *peer);

void peer_idle(struct peers *peers, struct peer *peer);
void peer_receiving(struct peers *peers, struct peer *peer);
void peer_busy(struct peer *peer);

/*
 * Answer in place of libmicrohttpd, which cannot in the middle of a request, and close. `body`
 * is JSON; status 0: close without a word.
 */
void peer_cut(struct peers *peers, struct peer *peer, unsigned status, struct slice body);

#endif
