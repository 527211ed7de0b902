/*
 * Connections of TCP: what comes and goes on them, and how long each may take.
 *
 *   idle ──first byte──▶ receiving ──all of it──▶ busy ──reply──▶ (sending) ──▶ idle
 *     └── refused, told so ──▶ lingering ──▶ closed
 *
 * An idle connection is closed after idle_ms, or earlier when its place is needed for a new
 * one; a connection that takes longer than receive_ms to send a request is told 408 and closed,
 * however often a byte of it comes. While busy a connection has no deadline: the work has its
 * own. One that is sent to must take `rate` bytes a second, measured over send_ms, or is cut
 * off. One that was refused in the middle of something is listened to for a moment without
 * being heard: bytes that nobody reads would make the kernel throw away what it was told.
 *
 * What comes goes to wire_read, in wire.c; nothing but this file knows that it is a socket.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "base/buffer.h"
#include "base/list.h"
#include "http/server/message.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { CONNECTION_ADDRESSES = 1024 };

struct request;

struct connection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
    } uv;
    struct connections *connections;
    struct list node; /* idle, receiving, sending or lingering */
    struct list all, neighbours;
    uint64_t address;
    int64_t deadline_ms;

    struct message message;
    struct buffer input;     /* has come and was not looked at */
    struct request *request; /* under way; NULL: none */

    uv_write_t write;
    struct buffer unsent; /* the kernel did not take it at once */
    size_t left_bytes;    /* not arrived when it was last looked at */
    size_t ignored_bytes;
    bool is_receiving, is_writing, is_full, has_blank, has_ended, is_lingering, is_cut;
};

struct connections {
    uv_loop_t *loop;
    uv_tcp_t listener;
    uv_timer_t timer;
    char *inbox;                                          /* what is read comes here first */
    struct list all, idle, receiving, sending, lingering; /* each in order of its deadlines */
    struct list addresses[CONNECTION_ADDRESSES];
    int64_t idle_ms, receive_ms, send_ms, due_ms;
    int64_t rate;        /* bytes a second; 0: any */
    uint32_t count, max; /* cut ones do not count */
    uint32_t lingering_count, max_per_ip;
    uint64_t opened, refused, evicted, late, slow;
};

/* `fd` listens; it is the connections' from here on. */
bool connections_open(struct connections *connections, uv_loop_t *loop, int fd);
void connections_finish(struct connections *connections);
/* Take no more of them. */
void connections_close_listener(struct connections *connections, uv_close_cb closed);
/* Close the idle ones; those under way may finish. */
void connections_close_idle(struct connections *connections);
/* Close all that do not have a whole request here yet. */
void connections_close_receiving(struct connections *connections);
/* Close all, now. */
void connections_close_all(struct connections *connections);

void connection_idle(struct connection *connection);
void connection_receiving(struct connection *connection);
void connection_busy(struct connection *connection);
/* Read no more until connection_resume: there is enough. */
void connection_pause(struct connection *connection);
void connection_resume(struct connection *connection);

/*
 * Send `first` and `second`. True: all of it is gone. False: `second` must stay where it is
 * until wire_sent, or the connection is closed.
 */
bool connection_send(struct connection *connection, struct slice first, struct slice second);
/* It counts no more, and nothing it sends does: close it when it has heard what was said. */
void connection_linger(struct connection *connection);
/* Now; what was not sent is lost. wire_lost is told of it. */
void connection_end(struct connection *connection);

#endif
