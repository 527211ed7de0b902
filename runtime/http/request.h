/*
 * Requests: one HTTP request from its first line to the last byte of the reply.
 *
 *   HEAD ──headers──▶ BODY ──all of it, route's function──▶ WORKING ──reply_*──▶ ANSWERED ──▶
 * SENT └───────refused: 401, 404, 413 …──────────────────────────────────────────▶ ANSWERED
 *
 * A route's function answers at once with one of reply.h, or hands the request to the pump
 * (request_submit) or to a reader (request_read, job.h), whose callback answers. The connection
 * is suspended meanwhile. Whatever is made on the way lives in `arena`.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "http/params.h"
#include "http/route.h"
#include "http/server.h"

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
    struct MHD_Connection *connection;
    struct peer *peer;
    struct list node; /* http->requests or http->spare */
    struct arena arena;
    struct buffer body;
    enum request_phase phase;
    bool is_suspended, has_body;

    struct slice path, query_text;         /* raw */
    const struct route *route;             /* NULL: none fits */
    struct slice captures[ROUTE_CAPTURES]; /* decoded */
    struct params *params;                 /* of the query; NULL: none were given */
    const struct world *world;             /* whose key was given; NULL on open routes */
    size_t dropped_bytes;                  /* of a body nobody wants */

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
        struct job_reader *reader;
        const struct catalog *catalog; /* for `work`, kept alive for it; NULL: none yet */
        job_work work;
        void (*finish)(struct request *request);
        struct err err;
        bool is_done, hears_failure;
    } job;
    struct longpoll longpoll;
    void *view; /* the route's own, in the arena */
};

/* libmicrohttpd's callbacks; `context` is the server. */
struct MHD_Connection;
void *request_on_uri(void *context, const char *uri, struct MHD_Connection *connection);
void request_on_end(void *context, struct MHD_Connection *connection, void **slot,
                    int termination);
bool request_on_data(struct request *request, const char *method, const char *data,
                     size_t *size);
void request_free_spare(struct http *http);

/* A header of the request; false when absent. Errors (BAD_REQUEST): no UTF-8, over `most`. */
bool request_header(struct request *request, const char *name, size_t most, struct slice *value,
                    struct err *err);

/*
 * The body as a tree (body.h) in http->scratch, which is gone with the next request's: copy
 * what is kept. False: answered 400, 413 or 415.
 */
bool request_json(struct request *request, struct value *value);

/*
 * Hand request->command to the pump. `done` comes after the commit; a command that was refused
 * is answered with what its err says.
 */
void request_submit(struct request *request, void (*done)(struct request *request));

/* The id in capture 0; false: answered 404 with `text`. */
bool request_id(struct request *request, const char *prefix, const char *text, int64_t *id);

#endif
