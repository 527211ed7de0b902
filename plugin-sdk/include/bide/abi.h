/*
 * What a plugin and bide agree on, bit by bit. Authors read bide.h; this file is for those who load
 * plugins or wonder what is exported.
 *
 *   bide_plugin_describe() ──▶ plugin ──▶ task definitions ──▶ segments (functions), fields (state)
 *   segment(t) ──▶ t->api->… ──▶ host
 *
 * Rules of growth: the prefix of struct bide_plugin is frozen. Every other struct starts with its
 * size, grows at its end only, and a reader takes missing fields as zero. Rows of lists come with
 * the size of a row. Numbers of enums are never given to something else. Pointers that the host gives
 * are borrowed until the segment returns; what is given to the host is copied before the call
 * returns; nobody frees anything across the border.
 */
#ifndef BIDE_ABI_H
#define BIDE_ABI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A host takes a plugin of its own major version, made with a minor version not above its own. */
#define BIDE_ABI_MAJOR 1u
#define BIDE_ABI_MINOR 0u
#define BIDE_MAGIC                                                                             \
    {                                                                                          \
        'b', 'i', 'd', 'e', 'p', 'l', 'u', 'g'                                                 \
    }

#ifdef __cplusplus
extern "C" {
#endif

/* A value as in JSON, plus bytes. Maps and lists are values that can still be added to. */
typedef struct bide_value bide_value;
typedef struct bide_value bide_map;
typedef struct bide_value bide_list;

/* What a segment returns: only the calls that end a segment can make one. */
typedef struct bide_next {
    uint64_t mark;
} bide_next;

typedef struct bide_task bide_task;
typedef bide_next (*bide_segment_fn)(bide_task *t);

/* ---- what a plugin says of itself ---------------------------------------------------------- */

enum bide_field_kind {
    BIDE_KIND_NONE = 0,
    BIDE_KIND_BOOL = 1,   /* bool */
    BIDE_KIND_I32 = 2,    /* int32_t */
    BIDE_KIND_U32 = 3,    /* uint32_t */
    BIDE_KIND_I64 = 4,    /* int64_t */
    BIDE_KIND_U64 = 5,    /* uint64_t */
    BIDE_KIND_F64 = 6,    /* double */
    BIDE_KIND_STR = 7,    /* char[n]: UTF-8, ends in a zero within its n bytes */
    BIDE_KIND_BYTES = 8,  /* struct { uint32_t size; unsigned char data[n]; } */
    BIDE_KIND_TOKEN = 9,  /* bide_token */
    BIDE_KIND_RUN = 10,   /* bide_run */
    BIDE_KIND_LIST = 11,  /* struct { uint32_t count, unused_; T item[n]; } */
    BIDE_KIND_STRUCT = 12,
    BIDE_KIND_VALUE = 13  /* const bide_value *: the host's memory, NULL is null */
};

/* One field of a state or of a struct in it. Rows end with one whose name is NULL. */
struct bide_field {
    const char *name;
    uint32_t kind; /* enum bide_field_kind */
    uint32_t item_kind; /* LIST: of its items */
    uint32_t offset, size; /* in the struct it belongs to */
    uint32_t capacity; /* STR, BYTES: n; LIST: items */
    uint32_t item_size, item_capacity; /* LIST: of one item; item_capacity where items are STR, BYTES */
    const struct bide_field *(*fields)(void); /* STRUCT, and LIST of it: the rows; else NULL */
};

/* A place where a run can resume. Rows end with one whose name is NULL. */
struct bide_segment {
    const char *name;
    bide_segment_fn run;
};

/* A field or segment that had another name once. Rows end with one whose `old_name` is NULL. */
struct bide_rename {
    const char *old_name, *new_name;
};

enum bide_retry_from {
    BIDE_RETRY_SEGMENT = 0, /* at the last wait, with the state saved there */
    BIDE_RETRY_START = 1    /* at the entry, with empty state */
};

/* Zero or NULL leaves a choice to the configuration. */
struct bide_task_def {
    uint32_t size;
    uint32_t state_size; /* of the state struct */
    const struct bide_field *fields;
    const struct bide_segment *segments;
    uint32_t field_size, segment_size; /* of one row */
    /* 1.0: what authors set in BIDE_TASK */
    const char *id;           /* needed: lower case words, "approve-refund" */
    const char *input_schema; /* schemas/<this>.yaml; NULL: the id, if there is such a file */
    const char *queue;        /* default queue; NULL: one of the task's own */
    uint32_t max_attempts;
    uint32_t retry_from; /* enum bide_retry_from */
    int64_t retry_min_ms, retry_max_ms; /* pause before the second attempt; longest pause */
    double retry_factor;                /* each pause to the one before */
    int64_t limit_ms;                   /* how long one segment may take */
    const struct bide_rename *renamed;
};

typedef const struct bide_task_def *(*bide_task_fn)(void);

struct bide_plugin {
    /* Frozen for ever. */
    char magic[8]; /* BIDE_MAGIC, no zero after it */
    uint32_t abi_major, abi_minor;
    uint32_t size;
    /* 1.0 */
    uint32_t task_count;
    const char *name, *version;
    const bide_task_fn *tasks;
};

/* The one symbol that a plugin exports. */
__attribute__((visibility("default"))) const struct bide_plugin *bide_plugin_describe(void);

/* ---- what a segment handles ---------------------------------------------------------------- */

/* A door for one answer from outside. A state may hold it: url is kept with it. */
typedef struct bide_token {
    int64_t id; /* 0: none */
    char url[248];
} bide_token;

typedef struct bide_run {
    int64_t id; /* 0: none */
} bide_run;

/* How something that was waited for ended. */
enum bide_wait {
    BIDE_WAIT_NONE = 0, /* not yet */
    BIDE_WAIT_OK = 1,
    BIDE_WAIT_TIMEOUT = 2,
    BIDE_WAIT_CANCELLED = 3,
    BIDE_WAIT_FAILED = 4 /* a run that failed, crashed, timed out or expired */
};

enum bide_value_kind {
    BIDE_NULL = 0,
    BIDE_BOOL = 1,
    BIDE_INT = 2,
    BIDE_DOUBLE = 3,
    BIDE_TEXT = 4,
    BIDE_BYTES = 5,
    BIDE_LIST = 6,
    BIDE_MAP = 7
};

enum bide_level { BIDE_DEBUG = 0, BIDE_INFO = 1, BIDE_WARN = 2, BIDE_ERROR = 3 };

/* Whose an idempotency key is: the same key in another scope is another key. */
enum bide_scope {
    BIDE_SCOPE_RUN = 0,
    BIDE_SCOPE_ATTEMPT = 1,
    BIDE_SCOPE_ROOT = 2,  /* of the whole tree of runs */
    BIDE_SCOPE_GLOBAL = 3 /* of the environment */
};

enum bide_meta_op { BIDE_META_SET = 0, BIDE_META_DELETE = 1, BIDE_META_APPEND = 2, BIDE_META_ADD = 3 };

struct bide_token_opts {
    uint32_t size; /* set by bide_token_create() */
    uint32_t key_scope; /* enum bide_scope */
    int64_t timeout_ms; /* 0: none */
    int64_t due_ms;     /* times out at this date, ms since 1970; 0: none */
    const char *schema; /* `tokens.<schema>` in the task's schema file checks what is posted */
    const char *const *tags; /* ends with NULL */
    const char *key;         /* idempotency: the same key gives the same token */
    int64_t key_ttl_ms;      /* 0: as long as the token exists */
};

struct bide_trigger_opts {
    uint32_t size; /* set by bide_trigger_with() */
    uint32_t key_scope;
    const char *queue;
    int64_t delay_ms;
    int64_t due_ms; /* start at this date; 0: now */
    int64_t ttl_ms; /* expires when not started within; 0: never */
    int64_t priority_ms; /* head start */
    int64_t limit_ms;    /* how long one segment may take */
    const char *const *tags;
    const char *key;
    int64_t key_ttl_ms;
    uint32_t max_attempts;
    uint32_t unused_;
    const bide_value *metadata; /* a map */
};

enum bide_wait_kind { BIDE_WAIT_TIME = 0, BIDE_WAIT_TOKENS = 1, BIDE_WAIT_RUNS = 2 };

/* What to wait for. No tokens or runs at all: the wait ends at once. */
struct bide_wait_opts {
    uint32_t size;
    uint32_t kind;     /* enum bide_wait_kind */
    int64_t for_ms;    /* TIME: wait as long; else give up then, 0: never */
    int64_t until_ms;  /* the same as a date, ms since 1970; 0: for_ms counts */
    const bide_token *tokens;
    const bide_run *runs;
    uint32_t count;  /* of tokens or runs */
    uint32_t needed; /* how many of them must end; 0: all */
};

/* How a token, a run or the whole wait ended. */
struct bide_ending {
    uint32_t size;
    uint32_t status;         /* enum bide_wait */
    const bide_value *value; /* what was posted, or the run's output; NULL when not OK */
    const char *error;       /* FAILED: for a person; else "" */
};

/* Where and what this segment is. The text is never NULL. */
struct bide_run_info {
    uint32_t size;
    uint32_t attempt, max_attempts; /* attempt counts from 1 */
    uint32_t entry;                 /* segments this run entered before this one */
    const char *run_id;             /* "run_…" */
    const char *parent_id, *root_id; /* parent: "" for none; root: the run itself then */
    const char *environment, *task, *segment;
    const char *const *tags; /* ends with NULL */
    int64_t created_ms;
    bool is_test;
};

/* What a task object holds; made by the host for each segment. */
struct bide_task {
    const struct bide_api *api;
    void *host; /* the host's own */
    void *state;
    const struct bide_run_info *info;
};

/*
 * The host's side, append-only. Every function may be called with NULL values and keys as told,
 * and when an error is already raised: it then does nothing and returns zero, "" or NULL. Calls are
 * from the segment's thread unless tagged [any].
 */
struct bide_api {
    uint32_t size;
    uint32_t abi_major, abi_minor; /* the host's */
    uint32_t unused_;

    /* ---- 1.0 ---- */

    /* Values. With a key, `value` is a map and its member is meant; with NULL the value itself.
     * Missing or null: zero, "", NULL. Of another kind: raises "wrong_kind", not retryable. */
    uint32_t (*kind)(bide_task *t, const bide_value *value, const char *key);
    bool (*get_bool)(bide_task *t, const bide_value *value, const char *key);
    int64_t (*get_i64)(bide_task *t, const bide_value *value, const char *key);
    uint64_t (*get_u64)(bide_task *t, const bide_value *value, const char *key);
    double (*get_f64)(bide_task *t, const bide_value *value, const char *key);
    /* Text ends in a zero; *size (may be NULL) counts without it. */
    const char *(*get_text)(bide_task *t, const bide_value *value, const char *key, size_t *size);
    const void *(*get_bytes)(bide_task *t, const bide_value *value, const char *key, size_t *size);
    /* A map's member; NULL when there is none. Raises nothing. */
    const bide_value *(*find)(bide_task *t, const bide_value *value, const char *key);
    uint32_t (*count)(bide_task *t, const bide_value *value); /* 0 for what is no list or map */
    const bide_value *(*at)(bide_task *t, const bide_value *value, uint32_t index);
    const char *(*key_at)(bide_task *t, const bide_value *map, uint32_t index);

    bide_value *(*make_null)(bide_task *t);
    bide_value *(*make_bool)(bide_task *t, bool value);
    bide_value *(*make_i64)(bide_task *t, int64_t value);
    bide_value *(*make_u64)(bide_task *t, uint64_t value);
    bide_value *(*make_f64)(bide_task *t, double value);
    bide_value *(*make_text)(bide_task *t, const char *text, size_t size); /* UTF-8 */
    bide_value *(*make_bytes)(bide_task *t, const void *bytes, size_t size);
    bide_value *(*make_list)(bide_task *t);
    bide_value *(*make_map)(bide_task *t);
    /* Copies `value` (NULL: null) as it is now. A second put of one key replaces the first. */
    void (*put)(bide_task *t, bide_map *map, const char *key, const bide_value *value);
    void (*add)(bide_task *t, bide_list *list, const bide_value *value);
    /* NULL when it is no JSON; raises nothing, as the text comes from outside. */
    const bide_value *(*json_read)(bide_task *t, const char *text, size_t size);
    const char *(*json_write)(bide_task *t, const bide_value *value, size_t *size);

    /* The run. */
    const bide_value *(*input)(bide_task *t); /* never NULL */
    void (*out)(bide_task *t, const char *key, const bide_value *value); /* NULL: the whole */
    const bide_value *(*metadata)(bide_task *t); /* a map, with this segment's changes */
    void (*meta)(bide_task *t, uint32_t op, const char *key, const bide_value *value);
    void (*progress)(bide_task *t, uint32_t percent);
    void (*log)(bide_task *t, uint32_t level, const char *format, va_list arguments);
    int64_t (*now_ms)(bide_task *t);   /* since 1970 */
    bool (*is_canceled)(bide_task *t); /* also when an error is raised */

    /* Durable before they return. */
    void (*token_create)(bide_task *t, const struct bide_token_opts *opts, bide_token *token);
    void (*trigger)(bide_task *t, const char *task, const bide_value *payload,
        const struct bide_trigger_opts *opts, bide_run *run);
    const bide_value *(*once_find)(bide_task *t, const char *name); /* NULL: not recorded */
    const bide_value *(*once_keep)(bide_task *t, const char *name, const bide_value *value);

    /* The wait that ended (id 0), or one token or run; runs that were not waited for are asked
     * for. Never NULL. */
    const struct bide_ending *(*ending)(bide_task *t, int64_t id);
    /* "run_…" of any run; "" for id 0. */
    const char *(*run_text)(bide_task *t, int64_t id);

    /* Errors. The first raised one stays. */
    void (*raise)(bide_task *t, bool retryable, const char *code, const char *format,
        va_list arguments);
    const char *(*error)(bide_task *t); /* the code of the raised one; NULL: none */

    /* The ends of a segment; the last one called must be the one returned. */
    bide_next (*wait)(bide_task *t, const struct bide_wait_opts *opts, bide_segment_fn then);
    bide_next (*done)(bide_task *t);
    bide_next (*fail)(bide_task *t); /* after raise */
};

#ifdef __cplusplus
}
#endif

#endif
