/*
 * Load: HTTP requests over a few kept-alive connections, as cheap as they can be made, because
 * the generator shares the machine with what it measures. One request is under way per
 * connection.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/buffer.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct load_connection {
    int fd;
    bool busy;
    struct slice unsent; /* of the request; the caller's bytes */
    struct buffer in;
    size_t head_bytes, body_bytes; /* of the reply; head 0: not complete yet */
    int status;
};

struct load {
    int epoll;
    struct load_connection *connections;
    uint32_t count;
    int watched; /* one more descriptor to wake for; -1: none */
    void *context;
    /* The connection is free again, and may be given a request in here. */
    void (*on_reply)(void *context, uint32_t connection, int status, struct slice body);
    void (*on_watched)(void *context);
};

/* Connect all. Set context and callbacks afterwards. Errors: SYSTEM. */
bool load_open(struct load *load, const char *host, uint16_t port, uint32_t count,
               struct err *err);
void load_close(struct load *load);
void load_watch(struct load *load, int fd);

/* `request` must stay where it is until the reply. Errors: SYSTEM, the server hung up. */
bool load_send(struct load *load, uint32_t connection, struct slice request, struct err *err);

/* Wait for at most that long and call back for all that came. Errors: SYSTEM, the server hung
 * up or talks no HTTP/1.1 that we know; an interrupt is not one. */
bool load_poll(struct load *load, int timeout_ms, struct err *err);

/* Append a whole request. `type` is GET or POST. */
void load_request(struct buffer *out, const char *type, struct slice path, const char *key,
                  struct slice body);

/* The text of the first string member of that name, by looking for it: `"id":"…"`. Empty: none.
 */
struct slice load_member(struct slice body, const char *name);
/* The same for a whole number; -1: none. */
int64_t load_number(struct slice body, const char *name);

#endif
