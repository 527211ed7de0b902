/*
 * Server: a real `bide serve` on a directory of its own, for tests that look at it from
 * outside.
 *
 *   struct server s;
 *   server_init(&s);
 *   server_add_plugin(&s, "approve-refund");
 *   server_start(&s);
 *   … server_call(&s, "POST", "/api/v1/tasks/approve-refund/trigger", "{…}") …
 *   server_kill(&s);  server_start(&s);  …
 *   server_destroy(&s);
 *
 * Whatever goes wrong in here ends the test with a sentence and the tail of the server's log.
 */
#ifndef INTEGRATION_SERVER_H
#define INTEGRATION_SERVER_H

#include "client.h"

#include <stdint.h>
#include <sys/types.h>

struct server {
    char dir[64];            /* holds config/, data/, plugins/, schemas/, log */
    char url[64];            /* http://127.0.0.1:PORT */
    char key[96];            /* of environment dev */
    const char *config_more; /* appended to the config file; NULL: nothing */
    const char *data;        /* NULL: dir/data */
    const char *flag;        /* one more option; NULL: none */
    int port;  /* 0 before the first start; then kept, because callback URLs name it */
    uid_t uid; /* to run as; 0: as the test does */
    pid_t pid; /* 0: not running */
    int out;   /* its standard output */
};

void server_init(struct server *server);
/* Stops at nothing: kills, and removes the directory. */
void server_destroy(struct server *server);

/* Starts and waits until it listens. */
void server_start(struct server *server);
/* Only starts. */
void server_spawn(struct server *server);
/* Starts what is expected to end by itself; its exit code, with all it said in *said. */
int server_refuses(struct server *server, const char **said);
/* SIGTERM; the exit code. */
int server_stop(struct server *server);
/* SIGKILL; a server that was dead already ends the test. */
void server_kill(struct server *server);

/* Copies a sample or a test plugin, made to appear whole at once. */
void server_add_plugin(struct server *server, const char *name);
/* Copies schemas/NAME.yaml of the tree. */
void server_add_schema(struct server *server, const char *name);
/* Writes dir/PATH. */
void server_write(struct server *server, const char *path, const char *content);
const char *server_path(struct server *server, const char *path);

/* Body NULL: none. With the key of dev; server_call_as takes another, NULL for none. */
const struct reply *server_call(struct server *server, const char *method, const char *path,
                                const char *body);
const struct reply *server_call_as(struct server *server, const char *key, const char *method,
                                   const char *path, const char *body);
const char *server_key(struct server *server, const char *environment);

/* Trigger with this payload (JSON) and options (JSON object or NULL); the run's id. */
const char *run_trigger(struct server *server, const char *task, const char *payload,
                        const char *options);
const struct reply *run_get(struct server *server, const char *run);
/* Until it has this status, and waits in a waitpoint if WAITING; at most 20 s. */
const struct reply *run_until(struct server *server, const char *run, const char *status);
/* Until it has ended, however. */
const struct reply *run_end(struct server *server, const char *run);

/* Until the log holds these words; at most 20 s. */
void server_logs(struct server *server, const char *words);
const char *file_read(const char *path); /* NULL: there is none */
/* What the program said on both outputs; *status is its exit code, or 128 + signal. */
const char *command_run(int *status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Resident memory of the server process itself, in KiB. */
long server_rss_kib(struct server *server);
/* Processes below the server: nurseries and slots. Fills at most `most`; the number there are.
 */
size_t server_children(struct server *server, pid_t *pids, size_t most);

#endif
