/*
 * The server under test: a real `bide serve` on a directory of its own, killed and removed at
 * the end.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct bench_server {
    pid_t pid;      /* 0: not running */
    int output;     /* its stdout */
    char dir[256];  /* config, schemas and data; "" before server_prepare */
    char host[256]; /* once it listens */
    uint16_t port;
    char key[128];
};

/* What is used of the system at one moment. */
struct bench_usage {
    int64_t server_bytes;  /* resident memory of the runtime */
    int64_t workers_bytes; /* of its children, what is shared counted once */
    int64_t disk_bytes;    /* the database's files */
    int64_t cpu_ms;        /* of the server and its children so far */
    int64_t server_cpu_ms; /* of the server alone */
};

/* Make a directory for it under `parent`, with the configuration. */
bool bench_server_prepare(struct bench_server *server, const char *parent, struct err *err);
/* Start it, `program` being bide, and wait until it says where it listens. `plugins` is the
 * folder with the bench's own. */
bool bench_server_start(struct bench_server *server, const char *program, const char *plugins,
                        struct err *err);
/* SIGTERM, and wait until it has put everything in order. Errors: SYSTEM, it did not end well.
 */
bool bench_server_stop(struct bench_server *server, struct err *err);
/* SIGKILL, as a crash would be. */
void bench_server_kill(struct bench_server *server);
/* Kill what runs, remove the directory. */
void bench_server_remove(struct bench_server *server);

void bench_server_usage(const struct bench_server *server, struct bench_usage *usage);

/* The folder with the bench's own plugin, next to the binary or installed. NULL: not there. */
const char *bench_plugins_find(struct arena *arena);
/* "ext4", "tmpfs", … of a directory. */
const char *bench_disk_name(const char *path);

#endif
