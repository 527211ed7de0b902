/*
 * A site: a real HTTP server on a port of its own, with the real pump and a SQLite file, its
 * loop in a thread. What is missing is dispatch: segments are "run" by site_worker.c, which
 * answers assignments with the commands that dispatch would submit.
 *
 *   echo     done at once, its output is its input; has an input schema
 *   hold     stays running
 *   sleepy   waits an hour, with a state
 *   approve  makes a token (its data must have `by`) and waits for it; then done with what was
 * posted flop     fails, without a retry; with a payload its only attempt is used up, and it is
 * a dead letter, or in queue slow/lane paused; its second attempt works
 */
#ifndef SITE_H
#define SITE_H

#include "base/buffer.h"
#include "codec/value.h"
#include "http/http.h"

#include <pthread.h>

struct site {
    struct config config;
    struct config_environment environments[2]; /* dev, prod */
    char directory[64], file[96];
    uv_loop_t loop;
    uv_async_t wake, call;
    struct store *store;
    struct pump *pump;
    struct http *http;
    struct catalog *catalog;
    struct config_burst bursts[2]; /* of dev and prod; before site_start */
    bool collects;                 /* queue "many", three triggers each; the same */
    struct schema_file *schema, *token_schema;
    uint16_t port;
    bool is_ready; /* to be cleared by a test that wants a server without a catalog */
    pthread_t thread;
    void (*to_call)(struct site *site);
    uv_sem_t called;
    struct arena arena; /* of the test */
};

/* Fill in defaults; a test may change config before site_start. */
void site_init(struct site *site);
void site_start(struct site *site);
/* As serve does it: stop HTTP, the pump, destroy. */
void site_finish(struct site *site);
/* Run `function` on the loop thread and wait for it. */
void site_call(struct site *site, void (*function)(struct site *site));
void site_assign(struct site *site, struct assignment *assignment);

#define KEY_DEV  "tr_dev_0123456789abcdefABCDEFgh"
#define KEY_PROD "tr_prod_0123456789abcdefABCDEFgh"

/* ---- a client ---------------------------------------------------------------------------- */

struct answer {
    int status; /* 0: the connection was closed without one */
    struct slice head, body;
    struct value json;
    bool was_closed;
};

/* A connected socket that gives up after ten seconds. */
int site_connect(const struct site *site);
void site_send(int fd, const void *bytes, size_t size);
/* Read one answer off the socket. */
struct answer site_receive(struct site *site, int fd);

/* One request on a connection of its own. `headers` are whole lines, each with its \r\n. */
struct answer site_ask(struct site *site, const char *method, const char *path,
                       const char *headers, const char *body);
/* With the key of dev. */
struct answer site_get(struct site *site, const char *path);
struct answer site_post(struct site *site, const char *path, const char *body);

/* The value of a header; false when it is not there. */
bool answer_header(struct answer answer, const char *name, struct slice *value);
/* A member's text; "" when absent or no string. `path` may have dots: "relatedRuns.root". */
const char *answer_text(struct site *site, struct answer answer, const char *path);
const struct value *answer_find(struct answer answer, const char *path);

/* A path with something in it. */
const char *site_path(struct site *site, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Trigger, and the run's id. */
const char *site_run(struct site *site, const char *task, const char *payload);
/* The run when it has come to `status`. */
struct answer site_until(struct site *site, const char *run, const char *status);

#endif
