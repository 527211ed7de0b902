/* The client: requests to the server's API, one at a time, waiting for the reply. */
#ifndef CLIENT_H
#define CLIENT_H

#include "base/buffer.h"
#include "cli/cli.h"
#include "cli/client/settings.h"
#include "codec/value.h"

struct client {
    struct call *call;
    struct arena *arena; /* holds the replies; the call's, unless somebody puts another */
    struct settings settings;
    void *curl;
    const char *subject; /* what is asked about, one of several perhaps; NULL: the server */
    int failure;         /* what to exit with after a request that client_do has told of */
};

struct reply {
    long status;
    struct slice body;
    struct value value; /* the body when it is JSON, else null */
    bool is_json;
    struct slice headers; /* of bide's own, a line each */
    bool is_unused;       /* x-bide-accepted: false; it changed nothing */
};

/* Reads the settings; *code is CLI_DONE. False: it has said on stderr why, *code is the exit
 * code. */
bool client_open(struct client *client, struct call *call, int *code);
/* The same with the key of an environment: see settings_find_in. */
bool client_open_in(struct client *client, struct call *call, const char *environment,
                    int *code);
void client_close(struct client *client);

/*
 * `path` starts with a slash. An empty body is sent as none. False: no reply came, and `err`
 * says why in a sentence; a refusal is a reply.
 */
bool client_send(struct client *client, const char *method, const char *path, struct slice body,
                 struct reply *reply, struct err *err);

/* The same; anything but 2xx is told on stderr with all its problems, and so is what the server
 * did not understand of a request, or warns of. */
bool client_do(struct client *client, const char *method, const char *path, struct slice body,
               struct reply *reply);

typedef void client_print(struct arena *arena, const struct value *reply);

/* A command that is one request: what comes is printed, or with --json as it came. `subject` is
 * whose it is, or NULL; so is `body`. Returns the exit code. */
int client_ask(struct call *call, const char *subject, const char *method, const char *path,
               const struct value *body, client_print *print);
/* The same with a GET. */
int client_show(struct call *call, const char *subject, const char *path, client_print *print);

/* The second half of client_do(), of a reply that has come. */
bool client_took(struct client *client, const struct reply *reply);

/* Say on stderr what a refusal says. Returns the exit code for it: wrong use is wrong use
 * whichever side finds it. */
int client_complain(const struct client *client, const struct reply *reply);

/* Between two tries: nothing tells when a server is back but asking it. */
void client_pause(uint32_t duration_ms);

/* One percent-encoded path segment, or query value. */
void path_add(struct buffer *path, const char *text);
/* The finished path in the arena; frees the buffer. */
const char *path_take(struct buffer *path, struct arena *arena);
/* The path of a run in this version of the API, like "v1", and what follows it. */
const char *path_of_run(struct arena *arena, const char *version, const char *run,
                        const char *end);

#endif
