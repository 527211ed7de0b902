/*
 * Requests: one HTTP request from its first line to the last byte of the reply.
 *
 *   HEAD ──headers──▶ BODY ──all of it: route's function──▶ WORKING ──reply──▶ ANSWERED ─▶ SENT
 *     └───────────refused: 401, 404, 413 …─────────────────────────────────────────▲
 *
 * A route's function answers at once with one of reply.h, or hands the request to the pump
 * (request_submit) or to a reader (request_read, read_pool.h), whose callback answers. The
 * connection reads no other request meanwhile. Whatever is made on the way lives in `arena`.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "http/server/params.h"
#include "http/server/route.h"
#include "http/server/server.h"

enum request_phase {
    REQUEST_HEAD,
    REQUEST_BODY,
    REQUEST_WORKING,
    REQUEST_ANSWERED,
    REQUEST_SENT,
};

enum { REQUEST_HEADERS = 8 };

struct request {
    struct http *http;
    struct connection *connection; /* NULL: it is gone, nobody waits for the reply */
    struct list node;              /* http->requests, ->answered or ->spare */
    struct arena arena;
    struct buffer body;
    enum request_phase phase;
    bool is_suspended;    /* others hold it until it is answered */
    bool is_whole;        /* all of it has come */
    bool is_head, is_old; /* HEAD, HTTP/1.0 */
    bool closes;          /* the connection, when it is answered */

    struct header *fields; /* what the client sent */
    uint32_t field_count;

    struct slice path, query_text;         /* raw */
    const struct route *route;             /* NULL: none fits */
    struct slice captures[ROUTE_CAPTURES]; /* decoded */
    struct params *params;                 /* of the query; NULL: none were given */
    const struct world *world;             /* whose key was given; NULL on open routes */
    size_t dropped_bytes;                  /* of a body nobody wants */
    size_t sending_bytes;                  /* of a reply that is in http->reply_bytes */

    struct buffer reply;
    unsigned status;
    const char *type;
    struct {
        const char *name;
        const char *value;
    } headers[REQUEST_HEADERS];
    uint32_t header_count;

    struct command command;
    void (*on_command)(struct request *request);
    struct {
        uv_work_t uv;
        struct list node;
        struct pool_reader *reader;
        const struct catalog *catalog; /* for `work`, kept alive for it; NULL: none yet */
        read_work work;
        void (*finish)(struct request *request);
        struct err err;
        bool is_done, hears_failure;
    } read;
    struct long_poll long_poll;
    void *view; /* the route's own, in the arena */
};

/* For wire.c: a request of `connection` begins; its head is here (it may be answered then); a
 * piece of its body (false: no more of it); all of it is here. */
struct request *request_open(struct http *http, struct connection *connection);
void request_begin(struct request *request, const struct head *head);
bool request_take(struct request *request, struct slice piece);
void request_work(struct request *request);
/* It is over. */
void request_close(struct request *request);
void request_free_spare(struct http *http);

/* A header of the request; false when absent. Errors (BAD_REQUEST): no UTF-8, over `most`. */
bool request_header(struct request *request, const char *name, size_t most, struct slice *value,
                    struct err *err);

/* What names one call and its retries, copied; absent leaves *key alone. Errors: BAD_REQUEST.
 */
bool request_key_read(struct request *request, struct slice *key, struct err *err);

/*
 * The body as a tree (body.h) in http->scratch, which is gone with the next request's: copy
 * what is kept. False: answered 400, 413 or 415.
 */
bool request_json(struct request *request, struct value *value);
bool request_json_in(struct request *request, struct arena *arena, struct value *value);

/*
 * Hand request->command to the pump. `done` comes after the commit; a command that was refused
 * is answered with what its err says.
 */
void request_submit(struct request *request, void (*done)(struct request *request));

/* The id in capture 0; false: answered 404 with `text`. */
bool request_id(struct request *request, const char *prefix, const char *text, int64_t *id);

#endif
