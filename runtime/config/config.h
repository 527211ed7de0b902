/*
 * Config: bide.yaml and queues.yaml as structs. The schemas in schemas/config say what they may
 * say, with defaults, ranges and messages; a table (table.c) says where each key goes.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "base/arena.h"
#include "base/err.h"
#include "config/queue_rules.h"
#include "schema/schema.h"

#include <stdbool.h>
#include <stdint.h>

enum { KEY_TEXT_SIZE = 80 };

enum retention_kind { RETAIN_RUNS, RETAIN_TOKENS, RETAIN_LOGS, RETAIN_KINDS };

#define RETENTION_FOREVER INT64_MAX

/* How long what has ended is kept; 0: not said here. */
struct config_retention {
    int64_t span_ms[RETAIN_KINDS];
};

/* Runs at a time: of one queue, and of all together. */
struct config_burst {
    uint32_t base, most; /* 0: there is no limit */
};

struct config_environment {
    const char *name;        /* [a-z][a-z0-9-]* */
    const char *key_env;     /* name of a variable that holds the key; NULL: none */
    const char *key_file;    /* must be mode 0600 or stricter; NULL: none */
    char key[KEY_TEXT_SIZE]; /* filled by config_keys */
    uint32_t number;         /* filled by serve from the store */
    uint32_t share;          /* of the slots, against the others' */
    struct config_burst limit;
    struct config_retention retention;
};

/* What may be how big; each refused with a clear error beyond. */
struct config_limits {
    int64_t payload_bytes, state_bytes, output_bytes, metadata_bytes, token_bytes;
    int64_t kept_states_bytes; /* of save points of one run before its last */
    uint32_t tags, tag_bytes;
    uint32_t log_lines; /* a run's; more are dropped with one line that says so */
    uint32_t log_line_bytes;
    uint32_t queues;       /* of an environment */
    int64_t idle_queue_ms; /* after which an empty one goes */
    uint32_t waits;        /* ids in one wait */
    uint32_t batch_items;  /* of one batch */
    int64_t batch_open_ms; /* after which a batch is aborted whose items did not all come */
    uint32_t depth;        /* of child runs */
    uint32_t mailbox;      /* messages that a run has not received yet */
    int64_t mailbox_bytes; /* of them together */
    uint32_t calls;        /* of one segment */
    uint32_t max_attempts;
    uint32_t plugins; /* files in the directory */
    uint32_t builds;  /* contents of them that are kept; 0: any number */
    uint32_t steps; /* waiters told and children canceled in one commit; 0: as many as usual */
};

struct config {
    struct arena arena;      /* owns all text */
    const char *path, *base; /* base: where relative paths begin; "": here */
    /* server */
    const char *host;
    uint16_t port;      /* 0: any free one */
    const char *origin; /* public URL for callbacks, without a slash at the end; NULL:
                           http://host:port */
    uint32_t max_connections, max_connections_per_ip;
    int64_t max_body_bytes, max_header_bytes;
    int64_t request_time_ms; /* headers and body must have come */
    int64_t idle_time_ms;    /* of a kept-alive connection */
    int64_t max_reply_bytes; /* of all replies that wait for their readers */
    int64_t reply_rate; /* bytes a second that a reader must take, over reply_time_ms; 0: any */
    int64_t reply_time_ms;
    const char *metrics;   /* "key" or "open" */
    uint32_t max_commands; /* under way at once */
    int64_t awake_ms;      /* base/awake.h; 0: off */
    /* store */
    const char *data;
    int64_t low_water_bytes; /* kept free for what was accepted; 0: nothing */
    int64_t log_bytes;       /* of the database's log, before it must start over */
    /* directories */
    const char *plugins, *schemas, *queues_path;
    const char *schedules_path;    /* beside the file */
    const char **sources;          /* of plugins; ends with NULL; NULL: none */
    bool refuses_unknown_tasks;    /* else a run of one waits for its plugin */
    bool refuses_payload_mismatch; /* else a known key gives its run, and a warning */
    /* workers */
    uint32_t slots;                              /* segments at a time */
    int64_t segment_time_ms;                     /* default limit of a segment */
    int64_t grace_ms;                            /* between cancel and SIGKILL */
    int64_t load_time_ms;                        /* a plugin must have loaded */
    uint32_t rollback_crashes, rollback_percent; /* of segments while a build is coming */
    int64_t idle_slot_ms;                        /* then it is retired */
    int64_t memory_bytes;                        /* RLIMIT_AS of a slot; 0: none */
    uint32_t slot_segments; /* then it is retired; 0: no limit, here and below */
    uint32_t slot_descriptors, slot_threads; /* beyond what it had at its fork */
    int64_t slot_growth_bytes;
    /* retries, when the task does not say */
    uint32_t max_attempts;
    int64_t retry_min_ms, retry_max_ms;
    double retry_factor;
    struct config_limits limits;
    struct config_retention retention;
    int64_t early_answers_ms; /* an answer waits for its token */
    int64_t statistics_ms;    /* minutes of queues are kept */
    const char *log_level;
    struct config_environment *environments; /* at least one */
    uint32_t environment_count;
};

struct config_queue {
    struct slice name;
    struct queue_rules rules;
    struct config_retention retention;
};

struct config_task {
    struct slice task, queue; /* queue empty: it is not said */
    struct queue_rules rules; /* of which `collect` may be said */
    uint32_t keep_states;     /* 0: it is not said */
    bool follows;             /* its runs take whatever build is current */
    struct config_retention retention;
};

struct config_pool {
    struct slice name;
    uint32_t tokens;
};

struct config_queues {
    struct arena arena;
    uint32_t concurrency; /* of queues that are not named */
    struct config_queue *queues;
    uint32_t queue_count;
    struct config_task *tasks; /* default queue of a task */
    uint32_t task_count;
    struct config_pool *pools; /* sorted by name */
    uint32_t pool_count;
};

/* Relative paths in the file are relative to the file's directory's parent when the file lies
 * in a directory called "config", else to the file's own. False: `problems`, with line and
 * column. */
bool config_load(const char *path, struct config *config, struct arena *arena,
                 struct problems *problems);
/* The same from memory; `path` is named in messages and decides about relative paths. */
bool config_parse(const char *path, struct slice text, struct config *config,
                  struct arena *arena, struct problems *problems);
void config_finish(struct config *config);

/* How many bytes of a path are nobody's business who is not on this machine: all above the
 * directory where relative paths begin, or above that of the file. */
size_t config_hidden(const struct config *config, const char *path);

/* Every key with its default and what it is for, as a YAML file. */
void config_describe(struct buffer *out);

/* Where it is unless the configuration at `path` says something else. */
const char *config_queues_beside(struct arena *arena, const char *path);
const char *config_schedules_beside(struct arena *arena, const char *path);
/* A missing file is an empty one. most_attempts: limits.max_attempts. */
bool config_queues_load(const char *path, uint32_t most_attempts, struct config_queues *queues,
                        struct arena *arena, struct problems *problems);
bool config_queues_parse(const char *path, struct slice text, uint32_t most_attempts,
                         struct config_queues *queues, struct arena *arena,
                         struct problems *problems);
void config_queues_finish(struct config_queues *queues);

/*
 * Fill every environment's key: from key_env, key_file, or <data>/keys/<name>, which is made
 * with a random key, "tr_<name>_" and 24 characters, mode 0600, when neither is set and it is
 * not there. Makes <data> and <data>/keys (0700). Errors: CONFIG (a file others can read, an
 * empty variable), SYSTEM.
 */
bool config_keys(struct config *config, struct err *err);
/* Whether those keys can be had that the file says are elsewhere; makes nothing. */
bool config_keys_check(const struct config *config, uint32_t environment, struct err *err);

/* 32 random bytes kept in <data>/keys/.callback, made when absent; signs callback URLs. */
bool config_secret(const struct config *config, uint8_t secret[32], struct err *err);

#endif
