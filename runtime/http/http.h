/* HTTP: the API, served on the libuv loop. */
#ifndef HTTP_H
#define HTTP_H

#include "config/config.h"
#include "store/pump.h"
#include "store/reader.h"

#include <uv.h>

struct http;
struct trial_ops;

struct http_options {
    uv_loop_t *loop;
    struct pump *pump;
    struct store *store; /* for its readers */
    const struct config *config;
    uint8_t secret[32];
    struct zones *zones;
    const char *origin; /* of callback URLs; NULL: http://host:port */
    void *context;
    struct value (*plugins)(void *context, struct arena *arena); /* GET /api/v1/plugins */
    /* Which builds new runs take: fills a command; applied once that is decided. */
    bool (*plugins_ask)(void *context, const struct plugins_wish *wish, struct command *command,
                        struct err *err);
    void (*plugins_apply)(void *context, const struct command *command);
    const struct trial_ops *trials; /* with `context`; NULL: there are none */
    void (*metrics)(void *context, struct buffer *out); /* more lines for GET /metrics */
};

/* Loop thread, all of it. `port` gets the one that is bound. Errors: SYSTEM (address in use …).
 */
bool http_create(const struct http_options *options, struct http **http, uint16_t *port,
                 struct err *err);
/* Until the first catalog, and while stopping, GET /readyz answers 503. Reads under way keep
 * the one before alive: *catalog->readers. */
void http_catalog(struct http *http, const struct catalog *catalog);
void http_event(struct http *http, const struct event *event);
/* The newest catalog is in use: what was asked of builds has come about. */
void http_settled(struct http *http);
/* Refuse new requests, let those under way finish (at most a few seconds), then `done`. */
void http_stop(struct http *http, void (*done)(void *context), void *context);
/* After http_stop, pump_stop and a last pump_collect: the pump must hold no command of ours.
 * The loop has to turn once more, then all memory is given back. */
void http_destroy(struct http *http);

/* What callback URLs start with. */
const char *http_origin(const struct http *http);

#endif
