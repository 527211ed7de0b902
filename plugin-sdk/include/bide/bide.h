/*
 * bide: durable tasks in C. This is all a plugin includes, and it needs nothing at link time.
 *
 * A task is a few functions, its segments, and a declared state. A segment works and returns
 * what comes next: a wait that names the segment to go on with, the end, or a failure. While a
 * run waits it is a row in a database; only its state survives. The author's guide is
 * plugin-sdk/README.md.
 *
 * In here: 1 the ABI (skip it at first), 2 declaring a task, 3 the run, 4 values, 5 output,
 * metadata and log, 6 errors, 7 tokens, children and once, 8 waits and ends, 9 after a wait.
 *
 * Memory: what you get is borrowed until your segment returns, what you give is copied before
 * the call returns. Nobody frees anything across the border. Globals do not survive a wait: use
 * the state.
 *
 * Errors stick: after the first, calls do nothing and return zero, "" or NULL, and the attempt
 * fails with that error whatever the segment returns. So test business, not calls. Nothing is
 * logged either: a line would tell of zeros that nobody meant.
 *
 * Reruns: a segment may run again after a crash, from its top, with the state it started with.
 * Tokens and children made before are found again, not made twice, by the order of the calls;
 * so is what bide_once() recorded, by its name. A rerun that asks for something else than the
 * same call did before, of another kind, task, schema, key, concurrency key or payload, or with
 * other tags, fails the attempt with "calls_differ": what a segment calls depends on its input,
 * state and records only.
 *
 * Prints: what the segment, its libraries and the programs that it starts write to standard
 * output and error are lines of the run's log, also when it crashes or exits.
 *
 * Processes: what a segment forks may compute and print, not call bide ("forked"); when it
 * returns from the segment it exits.
 *
 * Threads: [segment] only from the thread that runs the segment, [any] also from threads that
 * it started and joins.
 *
 * Times are milliseconds, dates are milliseconds since 1970 (UTC). All is since 1.0 unless it
 * says otherwise.
 */
#ifndef BIDE_H
#define BIDE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- 1 the ABI ---------------------------------------------------------------------------
 *
 *   bide_plugin_describe() ──▶ plugin ──▶ task definitions ──▶ segments, fields of the state
 *   segment(t) ──▶ t->api->… ──▶ host
 *
 * Rules of growth. The prefix of struct bide_plugin is frozen. Every other struct starts with
 * its size and grows at its end only; who reads it takes missing fields as zero. Lists come
 * with the size of a row. Numbers of enums are never given to something else. The api table is
 * append-only, each block is labelled with the version that added it.
 */
/* A host takes plugins of its own major version whose minor version is not above its own. */
#define BIDE_ABI_MAJOR 1u
#define BIDE_ABI_MINOR 1u
#define BIDE_MAGIC                             \
    {                                          \
        'b', 'i', 'd', 'e', 'p', 'l', 'u', 'g' \
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
/*
 * ABI 1.1: a hook. One in the execution of a segment may read, log, and change metadata; what
 * it raises in on_start and on_resume fails the attempt, and elsewhere is logged and shown.
 * on_failure and on_cancel may do what a segment may, but wait; they end when they return.
 */
typedef void (*bide_hook_fn)(bide_task *t);
/*
 * ABI 1.1: takes over a state that another version saved: `old` is the whole as it is stored (a
 * map by the names of then), bide_state() what could be read by itself, the rest begins as
 * declared. Called before the segment when a stored value does not fit its field, or when names
 * are stored that this version has not. It may look at values and bide_input(),
 * write the state and log. What it raises parks the run with that sentence; so does a value
 * that does not fit and that it has not looked at.
 */
typedef void (*bide_migrate_fn)(bide_task *t, const bide_value *old);

/* ---- what a plugin says of itself ----------------------------------------------------- */

enum bide_field_kind {
    BIDE_KIND_NONE = 0,
    BIDE_KIND_BOOL = 1,  /* bool */
    BIDE_KIND_I32 = 2,   /* int32_t */
    BIDE_KIND_U32 = 3,   /* uint32_t */
    BIDE_KIND_I64 = 4,   /* int64_t */
    BIDE_KIND_U64 = 5,   /* uint64_t */
    BIDE_KIND_F64 = 6,   /* double */
    BIDE_KIND_STR = 7,   /* char[n]: UTF-8, ends in a zero within its n bytes */
    BIDE_KIND_BYTES = 8, /* struct { uint32_t size; unsigned char data[n]; } */
    BIDE_KIND_TOKEN = 9, /* bide_token */
    BIDE_KIND_RUN = 10,  /* bide_run */
    BIDE_KIND_LIST = 11, /* struct { uint32_t count, unused_; T item[n]; } */
    BIDE_KIND_STRUCT = 12,
    BIDE_KIND_VALUE = 13, /* const bide_value *: the host's memory, NULL is null */
    BIDE_KIND_BATCH = 14  /* ABI 1.1: bide_batch */
};

/* One field of a state or of a struct in it. Rows end with one whose name is NULL. */
struct bide_field {
    const char *name;
    uint32_t offset, size;                    /* in the struct it belongs to */
    uint32_t kind;                            /* enum bide_field_kind */
    uint32_t capacity;                        /* STR, BYTES: n; LIST: items */
    uint32_t item_size;                       /* LIST: of one item */
    uint32_t item_kind;                       /* LIST: of its items */
    uint32_t item_capacity;                   /* LIST of STR or BYTES: their n */
    const struct bide_field *(*fields)(void); /* STRUCT, and LIST of it: the rows; else NULL */
    const char *initial; /* ABI 1.1: what it begins with, as JSON; "" or NULL: zero */
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

/* ABI 1.1: what becomes of a child whose parent is canceled or times out. However else a parent
 * ends, its children go on. */
enum bide_children {
    BIDE_CHILDREN_CANCEL = 1,  /* canceled as well, with all below it; the standard */
    BIDE_CHILDREN_ABANDON = 2, /* goes on */
    BIDE_CHILDREN_WAIT = 3     /* goes on; whoever waits for the parent waits for it, too */
};

/* ABI 1.1: what becomes of a run whose attempts are used up. */
enum bide_exhausted {
    BIDE_EXHAUSTED_FAIL = 1,       /* it has failed; the standard */
    BIDE_EXHAUSTED_PAUSE = 2,      /* it is kept, until somebody lets it go on or cancels it */
    BIDE_EXHAUSTED_DEAD_LETTER = 3 /* it has failed, and `bide runs redrive` lets a new one go
                                      on where it has ended */
};

/* ABI 1.1: of one class of errors, before what the task says of all. */
struct bide_retry_policy {
    uint32_t max_attempts, unused_;
    int64_t min_ms, max_ms;
    double factor;
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
    uint32_t max_attempts;    /* from one save point (a wait, bide_save()), or from the start */
    uint32_t retry_from;      /* enum bide_retry_from */
    int64_t retry_min_ms, retry_max_ms; /* the second attempt comes within; at most, later */
    double retry_factor;                /* each such span to the one before */
    int64_t limit_ms;                   /* how long one segment may take */
    const struct bide_rename *renamed;
    /* ABI 1.1 */
    uint32_t children;           /* enum bide_children, of the children that its runs make */
    uint32_t max_attempts_total; /* of a run, whatever it has saved; 0: any number */
    /* When its code says so, a signal or exit() ends it, it takes too long, bide_upstream(). */
    struct bide_retry_policy retry_user, retry_crash, retry_timeout, retry_upstream;
    uint32_t on_exhausted;   /* enum bide_exhausted */
    uint32_t abort_attempts; /* of each compensation, of on_failure and of on_cancel; 0: 5 */
    int64_t cpu_ms; /* processor time that one segment may use, all its threads; 0: any */
    /* In the execution of a segment; what they may call: see bide_hook_fn. */
    bide_hook_fn on_start;   /* before the first segment, in the first attempt */
    bide_hook_fn on_suspend; /* after a segment that ends in a wait */
    bide_hook_fn on_resume;  /* before a segment that goes on after one */
    bide_hook_fn on_success; /* after bide_done() */
    /* In an execution of its own, when the run has ended so and all is undone. */
    bide_hook_fn on_failure; /* failed, crashed or timed out */
    bide_hook_fn on_cancel;
    bide_hook_fn cleanup; /* the last of each execution, whatever has come of it */
    uint32_t keep_states; /* so many of a run's last save points are kept, for people and for
                             replays; at most 20; 0: 1 */
    uint32_t unused2_;
    int64_t total_time_ms; /* of a run, from its trigger to its end, waits included; 0: any */
    int64_t grace_ms; /* that a segment has when its run is canceled; 0: as bide.yaml says */
    bide_migrate_fn migrate; /* NULL: what does not load by itself parks the run */
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

/* ---- what a segment handles ----------------------------------------------------------- */

/* A door for one answer from outside. A state may hold it: url is kept with it. */
typedef struct bide_token {
    int64_t id; /* 0: none */
    char url[248];
} bide_token;

typedef struct bide_run {
    int64_t id; /* 0: none */
} bide_run;

/* ABI 1.1: runs that were asked for together. A state may hold it. */
typedef struct bide_batch {
    int64_t id; /* 0: none */
} bide_batch;

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

/* ABI 1.1: with which outcomes a run stays the one that its idempotency key stands for. With
 * the others the key is free when the run ends. */
enum bide_reuse {
    BIDE_REUSE_SUCCESS = 1,
    BIDE_REUSE_CANCELED = 2,
    BIDE_REUSE_FAILED = 4, /* also crashed, timed out */
    BIDE_REUSE_EXPIRED = 8,
    BIDE_REUSE_NONE = 16 /* only while it is not done */
};

/* ABI 1.1: whose payload, metadata and tags a run has that several triggers became. */
enum bide_debounce {
    BIDE_DEBOUNCE_LEADING = 0,
    BIDE_DEBOUNCE_TRAILING = 1,
    BIDE_DEBOUNCE_MERGE = 2 /* maps: members of the later one over those before */
};

enum bide_meta_op {
    BIDE_META_SET = 0,
    BIDE_META_DELETE = 1,
    BIDE_META_APPEND = 2,
    BIDE_META_ADD = 3,
    BIDE_META_REMOVE = 4, /* ABI 1.1 */
    BIDE_META_TAG = 5,    /* ABI 1.1 */
    /* ABI 1.1: with one of the others, joined by |: of the run's parent, of the root of its
     * tree; of the run itself where it has none. */
    BIDE_META_OF_PARENT = 256,
    BIDE_META_OF_ROOT = 512
};

struct bide_token_opts {
    uint32_t size;      /* set by bide_token_create() */
    uint32_t key_scope; /* enum bide_scope */
    int64_t timeout_ms; /* 0: none; less is over at once */
    int64_t due_ms;     /* times out at this date, ms since 1970; 0: timeout_ms counts */
    const char *schema; /* `tokens.<schema>` in the task's schema file checks what is posted */
    const char *const *tags; /* ends with NULL */
    const char *key;         /* idempotency: the same key gives the same token */
    int64_t key_ttl_ms;      /* 0: as long as the token exists; less is over at once */
};

struct bide_trigger_opts {
    uint32_t size; /* set by bide_trigger_with() */
    uint32_t key_scope;
    const char *queue;
    int64_t delay_ms; /* start so much later; 0 or less: now */
    int64_t due_ms;   /* start at this date; 0: delay_ms counts */
    int64_t ttl_ms;   /* expires when not started within; 0: as its queue says; less: at once */
    int64_t priority_ms; /* head start; 0: as its queue says */
    int64_t limit_ms;    /* how long one segment may take; 0: as the task says */
    const char *const *tags;
    const char *key;
    int64_t key_ttl_ms;
    uint32_t max_attempts;
    uint32_t may_be_full;       /* ABI 1.1: 1: a queue that is full gives the zero run */
    const bide_value *metadata; /* a map */
    /* ABI 1.1: runs of a queue with the same key share a limit, those of each key take turns.
     */
    const char *concurrency_key;
    /* ABI 1.1: enum bide_reuse, joined by |; 0: as its queue says, else BIDE_REUSE_SUCCESS |
     * BIDE_REUSE_CANCELED. */
    uint32_t reuse;
    uint32_t on_parent_end; /* ABI 1.1: enum bide_children; 0: as this task's .children */
    uint32_t cost; /* ABI 1.1: a start counts for so many at rates; 0: as its queue says */
    uint32_t inherit_tags; /* ABI 1.1: 1: this run's tags as well, as far as there is room */
    /* ABI 1.1: triggers of the task with one such key are one run, which starts debounce_ms (1
     * s or more) after the last of them and debounce_most_ms (0: ten times that) after the
     * first at the latest. No delay, and no item of a batch. */
    uint32_t debounce; /* enum bide_debounce */
    const char *debounce_key;
    int64_t debounce_ms, debounce_most_ms;
    int64_t
        total_time_ms; /* ABI 1.1: from now to its end, waits included; 0: as its queue says */
    int64_t cpu_ms;    /* ABI 1.1: processor time of one segment; 0: as the task says */
    uint32_t max_attempts_total; /* ABI 1.1: whatever it has saved; 0: as its queue says */
    uint32_t unused_;
};

/* ABI 1.1 */
struct bide_batch_opts {
    uint32_t size;           /* set by bide_batch_begin_with() */
    uint32_t all_or_nothing; /* 1: no item starts unless all are good */
};

enum bide_wait_kind {
    BIDE_WAIT_TIME = 0,
    BIDE_WAIT_TOKENS = 1,
    BIDE_WAIT_RUNS = 2,
    BIDE_WAIT_GROUP = 3 /* ABI 1.1 */
};

enum bide_part_kind {
    BIDE_PART_TOKEN = 0,
    BIDE_PART_RUN = 1,
    BIDE_PART_TIME = 2,
    BIDE_PART_MESSAGE = 3,
    BIDE_PART_GROUP = 4
};

/* ABI 1.1: one of several things to wait for; bide_part_token() and the like make them. */
struct bide_part {
    const char *name;              /* to ask for it in `then`; NULL: nobody will */
    uint32_t kind;                 /* enum bide_part_kind */
    uint32_t needed;               /* GROUP: how many of its parts must end; 0: all */
    int64_t id;                    /* TOKEN, RUN */
    int64_t for_ms;                /* TIME: so long from now on */
    int64_t until_ms;              /* TIME: a date instead; 0: for_ms counts */
    const struct bide_part *parts; /* GROUP */
    uint32_t count, unused_;
    const char *word; /* MESSAGE: the name of the messages, of which it takes one */
};

/* ABI 1.1 */
struct bide_send_opts {
    uint32_t size;        /* set by bide_send_with() */
    uint32_t may_be_full; /* 1: a mailbox that is full gives 0 */
    const char *key;      /* sent twice with one key, it is received once; NULL: none */
};

/* What to wait for. No tokens or runs at all: the wait ends at once. */
struct bide_wait_opts {
    uint32_t size;
    uint32_t kind;    /* enum bide_wait_kind */
    int64_t for_ms;   /* TIME: wait as long; else give up then, 0: never, less: at once */
    int64_t until_ms; /* the same as a date, ms since 1970; 0: for_ms counts */
    const bide_token *tokens;
    const bide_run *runs;
    uint32_t count;  /* of tokens or runs */
    uint32_t needed; /* how many of them must end; 0: all */
    /* ABI 1.1 */
    const struct bide_part *parts; /* GROUP; needed is of these */
    uint32_t part_count;
    uint32_t cancel_rest; /* 1: what has not ended when the wait has is canceled: children, and
                             tokens of this run that nobody else waits for */
    bide_segment_fn otherwise; /* the segment to enter when the wait gives up; NULL: `then` */
    bide_segment_fn remind;    /* the segment to enter after each of these times; it ends in
                                  bide_wait_on() */
    const int64_t *remind_ms;  /* from the beginning of the wait, rising */
    uint32_t remind_count;
    uint32_t key_scope; /* enum bide_scope */
    /* Where a retry begins anew: a later wait with this key is the same wait. It ends, gives up
     * and reminds when that was to, which is at once when that is long over. */
    const char *key;
    int64_t key_ttl_ms; /* counted from now; 0: 30 days more than the wait's own time */
};

/* How a token, a run or the whole wait ended. */
struct bide_ending {
    uint32_t size;
    uint32_t status;         /* enum bide_wait */
    const bide_value *value; /* what was posted, or the run's output; NULL when not OK */
    const char *error;       /* FAILED: for a person; else "" */
    const char *code;        /* ABI 1.1: FAILED: for programs; else "" */
};

/* ABI 1.1: how an attempt fails that is to be tried again. */
struct bide_retry_opts {
    uint32_t size;     /* set by bide_retry_with() and bide_raise_with() */
    uint32_t upstream; /* 1: somebody else has failed: .retry_upstream counts */
    int64_t after_ms;  /* again in so much, at most 365 days; 0: as the policy says */
    int64_t at_ms;     /* or at this date, ms since 1970; 0: after_ms counts */
};

/* ABI 1.1: an error as a value. */
struct bide_error {
    uint32_t size;
    uint32_t retryable; /* 1: the attempt would have failed, not the run */
    const char *code, *text;
};

/* Where and what this segment is. The text is never NULL. */
struct bide_run_info {
    uint32_t size;
    uint32_t attempt, max_attempts;  /* counts from 1, 0: it was never started; the last one
                                        unless it saves before */
    uint32_t entry;                  /* segments this run entered before this one */
    const char *run_id;              /* "run_…" */
    const char *parent_id, *root_id; /* parent: "" for none; root: the run itself then */
    const char *environment, *task, *segment;
    const char *const *tags; /* ends with NULL */
    int64_t created_ms;
    bool is_test;
    /* ABI 1.1. When the run ends badly and this undoes something, or is on_failure or
     * on_cancel: "FAILED", "CRASHED", "TIMED_OUT", "CANCELED"; else "". */
    const char *ending;
    const char *error_code, *error_text; /* of its last attempt; "" for none */
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
 * and when an error is already raised: it then does nothing and returns zero, "" or NULL. Calls
 * are from the segment's thread unless tagged [any].
 */
struct bide_api {
    uint32_t size;
    uint32_t abi_major, abi_minor; /* the host's */
    uint32_t unused_;

    /* ---- 1.0 ------------------------------------------------------------------------------
     */

    /* Values. With a key, `value` is a map and its member is meant; with NULL the value itself.
     * Missing or null: zero, "", NULL. Of another kind: raises "wrong_kind", not retryable. */
    uint32_t (*kind)(bide_task *t, const bide_value *value, const char *key);
    bool (*get_bool)(bide_task *t, const bide_value *value, const char *key);
    int64_t (*get_i64)(bide_task *t, const bide_value *value, const char *key);
    uint64_t (*get_u64)(bide_task *t, const bide_value *value, const char *key);
    double (*get_f64)(bide_task *t, const bide_value *value, const char *key);
    /* Text ends in a zero; *size (may be NULL) counts without it. */
    const char *(*get_text)(bide_task *t, const bide_value *value, const char *key,
                            size_t *size);
    const void *(*get_bytes)(bide_task *t, const bide_value *value, const char *key,
                             size_t *size);
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
    const bide_value *(*input)(bide_task *t);                            /* never NULL */
    void (*out)(bide_task *t, const char *key, const bide_value *value); /* NULL: the whole */
    const bide_value *(*metadata)(bide_task *t); /* a map, with this segment's changes */
    void (*meta)(bide_task *t, uint32_t op, const char *key, const bide_value *value);
    void (*progress)(bide_task *t, uint32_t percent);
    void (*log)(bide_task *t, uint32_t level, const char *format, va_list arguments);
    int64_t (*now_ms)(bide_task *t);   /* since 1970 */
    bool (*is_canceled)(bide_task *t); /* also when an error is raised */

    /* Durable before they return; a token without key and schema may be so a little later, at
     * the latest with the end of the segment. Its URL is good at once: an answer that comes
     * first is kept for it. */
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

    /* ---- 1.1 ------------------------------------------------------------------------------
     */

    bide_next (*push_back)(bide_task *t, int64_t ms);
    /* Batches. Items are sent some at a time; `add` gives the index. */
    void (*batch_begin)(bide_task *t, const struct bide_batch_opts *opts, bide_batch *batch);
    uint32_t (*batch_add)(bide_task *t, const bide_batch *batch, const char *task,
                          const bide_value *payload, const struct bide_trigger_opts *opts);
    void (*batch_seal)(bide_task *t, const bide_batch *batch);
    uint32_t (*batch_count)(bide_task *t, const bide_batch *batch);
    /* Never NULL. */
    const struct bide_ending *(*batch_ending)(bide_task *t, const bide_batch *batch,
                                              uint32_t index);
    /* Goes on with the wait that this segment was entered for a reminder of. */
    bide_next (*wait_on)(bide_task *t);
    uint32_t (*reminder)(bide_task *t); /* counts from 1; 0: it was not entered for one */
    /* Of the wait that ended; never NULL. */
    const struct bide_ending *(*part)(bide_task *t, const char *name);
    bool (*token_by_id)(bide_task *t, const char *text, bide_token *token);
    /* Durable before it returns. */
    void (*token_close)(bide_task *t, const bide_token *token);
    bool (*run_by_id)(bide_task *t, const char *text, bide_run *run);
    /* The message's number among those of the run; 0: it was not sent. */
    int64_t (*send)(bide_task *t, const bide_run *run, const char *word, const bide_value *data,
                    const struct bide_send_opts *opts);
    /* The raised error, which is raised no more; NULL: there is none of that code (NULL: of
     * any), or it is not the segment's to handle. */
    const struct bide_error *(*handle)(bide_task *t, const char *code);
    void (*raise_with)(bide_task *t, const struct bide_retry_opts *opts, const char *code,
                       const char *format, va_list arguments);
    void (*on_abort)(bide_task *t, bide_segment_fn segment);
};

#ifdef __cplusplus
}
#endif

/* ---- 2 declaring a task ------------------------------------------------------------------
 *
 * Each list is written once and read several times, so that struct, prototypes and descriptions
 * cannot disagree. What the macros make is constant data.
 */

/*
 * A state is a list of fields, F(KIND, name) or F(KIND, name, initial):
 *
 *   BOOL I32 U32 I64 U64 F64      numbers
 *   STR(n)                        char[n]: text of at most n - 1 bytes (a character has up to
 *                                 4, and a schema's maxLength counts characters); set by
 *                                 bide_set_str()
 *   BYTES(n)                      { size, data[n] }; set by bide_set_bytes()
 *   TOKEN, RUN, BATCH             bide_token, bide_run, bide_batch
 *   VALUE                         const bide_value *: anything, of any size up to the limit
 *   LIST(KIND, n)                 { count, item[n] } of any kind but LIST
 *   RUNS(n)                       the same as LIST(RUN, n)
 *   STRUCT(name)                  struct name, declared before by BIDE_STRUCT
 *
 * It is saved by name when a segment ends in a wait. What a later version adds begins as zero,
 * or as `initial` (ABI 1.1: a number, a "text", true or false), with which new runs begin as
 * well; what it drops is kept aside; a longer STR, BYTES or LIST is fine, and so is another
 * kind of number or BOOL that can hold the value. What does not fit is for `.migrate`; without
 * it the run is parked.
 */
#define BIDE_TYPE_BOOL      bool
#define BIDE_TYPE_I32       int32_t
#define BIDE_TYPE_U32       uint32_t
#define BIDE_TYPE_I64       int64_t
#define BIDE_TYPE_U64       uint64_t
#define BIDE_TYPE_F64       double
#define BIDE_TYPE_STR(n)    __typeof__(char[n])
#define BIDE_TYPE_TOKEN     bide_token
#define BIDE_TYPE_RUN       bide_run
#define BIDE_TYPE_BATCH     bide_batch
#define BIDE_TYPE_VALUE     const bide_value *
#define BIDE_TYPE_STRUCT(s) struct s
#define BIDE_TYPE_RUNS(n)   BIDE_TYPE_LIST(RUN, n)
#ifdef __cplusplus
#define BIDE_TYPE_BYTES(n)      bide_bytes_of<n>
#define BIDE_TYPE_LIST(kind, n) bide_list_of<BIDE_TYPE_##kind, n>
template <uint32_t N> struct bide_bytes_of {
    uint32_t size;
    unsigned char data[N];
};
template <typename T, uint32_t N> struct bide_list_of {
    uint32_t count, unused_;
    T item[N];
};
#else
#define BIDE_TYPE_BYTES(n)     \
    struct {                   \
        uint32_t size;         \
        unsigned char data[n]; \
    }
#define BIDE_TYPE_LIST(kind, n)   \
    struct {                      \
        uint32_t count, unused_;  \
        BIDE_TYPE_##kind item[n]; \
    }
#endif

/* kind, capacity, item size, item kind, item capacity, rows */
#define BIDE_ROW_BOOL          BIDE_KIND_BOOL, 0, 0, 0, 0, NULL
#define BIDE_ROW_I32           BIDE_KIND_I32, 0, 0, 0, 0, NULL
#define BIDE_ROW_U32           BIDE_KIND_U32, 0, 0, 0, 0, NULL
#define BIDE_ROW_I64           BIDE_KIND_I64, 0, 0, 0, 0, NULL
#define BIDE_ROW_U64           BIDE_KIND_U64, 0, 0, 0, 0, NULL
#define BIDE_ROW_F64           BIDE_KIND_F64, 0, 0, 0, 0, NULL
#define BIDE_ROW_TOKEN         BIDE_KIND_TOKEN, 0, 0, 0, 0, NULL
#define BIDE_ROW_RUN           BIDE_KIND_RUN, 0, 0, 0, 0, NULL
#define BIDE_ROW_BATCH         BIDE_KIND_BATCH, 0, 0, 0, 0, NULL
#define BIDE_ROW_VALUE         BIDE_KIND_VALUE, 0, 0, 0, 0, NULL
#define BIDE_ROW_STR(n)        BIDE_KIND_STR, n, 0, 0, 0, NULL
#define BIDE_ROW_BYTES(n)      BIDE_KIND_BYTES, n, 0, 0, 0, NULL
#define BIDE_ROW_STRUCT(s)     BIDE_KIND_STRUCT, 0, 0, 0, 0, s##_rows
#define BIDE_ROW_LIST(kind, n) BIDE_KIND_LIST, n, sizeof(BIDE_TYPE_##kind), BIDE_ITEM_##kind
#define BIDE_ROW_RUNS(n)       BIDE_ROW_LIST(RUN, n)

/* item kind, item capacity, rows */
#define BIDE_ITEM_BOOL      BIDE_KIND_BOOL, 0, NULL
#define BIDE_ITEM_I32       BIDE_KIND_I32, 0, NULL
#define BIDE_ITEM_U32       BIDE_KIND_U32, 0, NULL
#define BIDE_ITEM_I64       BIDE_KIND_I64, 0, NULL
#define BIDE_ITEM_U64       BIDE_KIND_U64, 0, NULL
#define BIDE_ITEM_F64       BIDE_KIND_F64, 0, NULL
#define BIDE_ITEM_TOKEN     BIDE_KIND_TOKEN, 0, NULL
#define BIDE_ITEM_RUN       BIDE_KIND_RUN, 0, NULL
#define BIDE_ITEM_BATCH     BIDE_KIND_BATCH, 0, NULL
#define BIDE_ITEM_VALUE     BIDE_KIND_VALUE, 0, NULL
#define BIDE_ITEM_STR(n)    BIDE_KIND_STR, n, NULL
#define BIDE_ITEM_BYTES(n)  BIDE_KIND_BYTES, n, NULL
#define BIDE_ITEM_STRUCT(s) BIDE_KIND_STRUCT, 0, s##_rows

/* Of a field's name and what may follow it. */
#define BIDE_NAME_(name, ...)             name
#define BIDE_INITIAL_(name, initial, ...) #initial
#define BIDE_PLACE_(name, ...)            #name, offsetof(bide_self, name), BIDE_SIZE_(name)

#define BIDE_MEMBER_(kind, ...) BIDE_TYPE_##kind BIDE_NAME_(__VA_ARGS__, );
#ifdef __cplusplus
#define BIDE_SIZE_(name)       sizeof(bide_self::name)
#define BIDE_CAST_(type, what) static_cast<type>(what)
#else
#define BIDE_SIZE_(name)       sizeof(((bide_self *)0)->name)
#define BIDE_CAST_(type, what) ((type)(what))
#endif
#define BIDE_FIELD_(kind, ...) \
    { BIDE_PLACE_(__VA_ARGS__, ), BIDE_ROW_##kind, BIDE_INITIAL_(__VA_ARGS__, , ) },
#define BIDE_PROTO_(name)   static bide_next name(bide_task *t);
#define BIDE_SEGMENT_(name) { #name, name },

#ifdef __cplusplus
#define BIDE_CONST_ static constexpr
#else
#define BIDE_CONST_ static const
#endif

/* clang-format off */
#define BIDE_ROWS_(FIELDS)                                                                     \
    BIDE_CONST_ struct bide_field bide_rows_[] = {                                             \
        FIELDS(BIDE_FIELD_)                                                                    \
        { NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL }                                              \
    }
/* clang-format on */

/* A struct for STRUCT(name) and LIST(STRUCT(name), n). */
#define BIDE_STRUCT(name, FIELDS)                                             \
    struct name {                                                             \
        FIELDS(BIDE_MEMBER_)                                                  \
    };                                                                        \
    __attribute__((unused)) static const struct bide_field *name##_rows(void) \
    {                                                                         \
        typedef struct name bide_self;                                        \
        BIDE_ROWS_(FIELDS);                                                   \
        return bide_rows_;                                                    \
    }

/* For a task that keeps nothing across waits. */
#define BIDE_NO_STATE(F)

/*
 * BIDE_TASK(name, STATE, SEGMENTS, .id = "…", …) makes `struct name` (the state), prototypes of
 * the segments (the first is the entry) and `name_task` for BIDE_PLUGIN. The settings are those
 * that struct bide_task_def lists; only .id is needed. In C++ a setting has no comma inside.
 */
/* clang-format off */
#define BIDE_TASK(name, STATE, SEGMENTS, ...)                                                  \
    struct name {                                                                              \
        STATE(BIDE_MEMBER_)                                                                    \
        char bide_end_; /* C has no empty struct */                                            \
    };                                                                                         \
    SEGMENTS(BIDE_PROTO_)                                                                      \
    static const struct bide_task_def *name##_task(void)                                       \
    {                                                                                          \
        typedef struct name bide_self;                                                         \
        BIDE_ROWS_(STATE);                                                                     \
        BIDE_CONST_ struct bide_segment bide_segments_[] = {                                   \
            SEGMENTS(BIDE_SEGMENT_)                                                            \
            { NULL, NULL }                                                                     \
        };                                                                                     \
        BIDE_DEFINE_(__VA_ARGS__)                                                              \
        return &bide_def_;                                                                     \
    }

#ifndef __cplusplus
#define BIDE_DEFINE_(...)                                                                      \
    static const struct bide_task_def bide_def_ = {                                            \
        .size = sizeof(struct bide_task_def), .state_size = sizeof(bide_self),                 \
        .fields = bide_rows_, .field_size = sizeof bide_rows_[0],                              \
        .segments = bide_segments_, .segment_size = sizeof bide_segments_[0],                  \
        __VA_ARGS__                                                                            \
    };
/* clang-format on */
#else
/* C++17 has no designated initialisers: each setting becomes an assignment, "made.id = …;". */
#define BIDE_DEFINE_(...)                                                                      \
    struct bide_made {                                                                         \
        static constexpr bide_task_def make(const bide_field *fields,                          \
                                            const bide_segment *segments, uint32_t state_size) \
        {                                                                                      \
            bide_task_def made{};                                                              \
            made.size = sizeof made;                                                           \
            made.state_size = state_size;                                                      \
            made.fields = fields;                                                              \
            made.segments = segments;                                                          \
            made.field_size = sizeof *fields;                                                  \
            made.segment_size = sizeof *segments;                                              \
            BIDE_EACH_(__VA_ARGS__)                                                            \
            return made;                                                                       \
        }                                                                                      \
    };                                                                                         \
    static constexpr bide_task_def bide_def_ =                                                 \
        bide_made::make(bide_rows_, bide_segments_, sizeof(bide_self));

#define BIDE_EACH_(...)                                                                    \
    BIDE_PICK_(__VA_ARGS__, BIDE_E12_, BIDE_E11_, BIDE_E10_, BIDE_E9_, BIDE_E8_, BIDE_E7_, \
               BIDE_E6_, BIDE_E5_, BIDE_E4_, BIDE_E3_, BIDE_E2_, BIDE_E1_, 0)              \
    (__VA_ARGS__)
#define BIDE_PICK_(a, b, c, d, e, f, g, h, i, j, k, l, pick, ...) pick
/* clang-format off */
#define BIDE_E1_(a)       made a;
#define BIDE_E2_(a, ...)  made a; BIDE_E1_(__VA_ARGS__)
#define BIDE_E3_(a, ...)  made a; BIDE_E2_(__VA_ARGS__)
#define BIDE_E4_(a, ...)  made a; BIDE_E3_(__VA_ARGS__)
#define BIDE_E5_(a, ...)  made a; BIDE_E4_(__VA_ARGS__)
#define BIDE_E6_(a, ...)  made a; BIDE_E5_(__VA_ARGS__)
#define BIDE_E7_(a, ...)  made a; BIDE_E6_(__VA_ARGS__)
#define BIDE_E8_(a, ...)  made a; BIDE_E7_(__VA_ARGS__)
#define BIDE_E9_(a, ...)  made a; BIDE_E8_(__VA_ARGS__)
#define BIDE_E10_(a, ...) made a; BIDE_E9_(__VA_ARGS__)
#define BIDE_E11_(a, ...) made a; BIDE_E10_(__VA_ARGS__)
#define BIDE_E12_(a, ...) made a; BIDE_E11_(__VA_ARGS__)
/* clang-format on */
#endif

/* BIDE_PLUGIN("name", "1.0.0", first_task, second_task, …): once in a plugin, at the end. */
#define BIDE_PLUGIN(plugin_name, plugin_version, ...)                               \
    const struct bide_plugin *bide_plugin_describe(void)                            \
    {                                                                               \
        BIDE_CONST_ bide_task_fn bide_tasks_[] = { __VA_ARGS__ };                   \
        BIDE_CONST_ struct bide_plugin bide_plugin_ = { BIDE_MAGIC,                 \
                                                        BIDE_ABI_MAJOR,             \
                                                        BIDE_ABI_MINOR,             \
                                                        sizeof(struct bide_plugin), \
                                                        sizeof bide_tasks_ /        \
                                                            sizeof bide_tasks_[0],  \
                                                        plugin_name,                \
                                                        plugin_version,             \
                                                        bide_tasks_ };              \
        return &bide_plugin_;                                                       \
    }

#define BIDE_MUST_RETURN       __attribute__((warn_unused_result))
#define BIDE_PRINTF_(at, args) __attribute__((format(printf, at, args)))

#define BIDE_SECONDS(n) (INT64_C(1000) * (n))
#define BIDE_MINUTES(n) (INT64_C(60000) * (n))
#define BIDE_HOURS(n)   (INT64_C(3600000) * (n))
#define BIDE_DAYS(n)    (INT64_C(86400000) * (n))

/* ---- 3 the run: where am I, what was asked -------------------------------------------- */

/* The task's state, as it was when the last segment ended; all zero in the first. [segment] */
#ifdef __cplusplus
struct bide_any_state { /* converts to a pointer to the task's struct */
    void *state;
    template <typename T> operator T *() const
    {
        return static_cast<T *>(state);
    }
};
static inline bide_any_state bide_state(bide_task *t)
{
    return bide_any_state{ t->state };
}
#else
static inline void *bide_state(bide_task *t)
{
    return t->state;
}
#endif

/* The trigger's payload, already checked against the task's schema. Never NULL. [segment] */
static inline const bide_value *bide_input(bide_task *t)
{
    return t->api->input(t);
}

/* Run id, attempt, environment, tags and so on: see struct bide_run_info. [any] */
static inline const struct bide_run_info *bide_info(bide_task *t)
{
    return t->info;
}

/* "run_…": the same in each attempt, so a good idempotency key for other services. [any] */
static inline const char *bide_run_id(bide_task *t)
{
    return t->info->run_id;
}

/* The time now. Moves on in a rerun; keep it in the state where that matters. [any] */
static inline int64_t bide_now(bide_task *t)
{
    return t->api->now_ms(t);
}

/*
 * Has the run been canceled, or an error been raised? Long computations ask now and then and
 * return early, whatever they return; those that do not are killed after a grace time.
 * [segment]
 */
static inline bool bide_canceled(bide_task *t)
{
    return t->api->is_canceled(t);
}

/* ---- 4 values: reading -------------------------------------------------------------------
 *
 * `key` names a member of the map `value`; NULL means `value` itself. What is missing or null
 * reads as zero, "" or NULL; what is of another kind raises "wrong_kind", which is not retried.
 * [segment]
 */

static inline bool bide_bool(bide_task *t, const bide_value *value, const char *key)
{
    return t->api->get_bool(t, value, key);
}

/* Doubles without a fraction are integers too. Out of range: "wrong_kind". */
static inline int64_t bide_i64(bide_task *t, const bide_value *value, const char *key)
{
    return t->api->get_i64(t, value, key);
}

static inline uint64_t bide_u64(bide_task *t, const bide_value *value, const char *key)
{
    return t->api->get_u64(t, value, key);
}

/* Integers are doubles too. */
static inline double bide_f64(bide_task *t, const bide_value *value, const char *key)
{
    return t->api->get_f64(t, value, key);
}

/* Ends in a zero; never NULL. */
static inline const char *bide_str(bide_task *t, const bide_value *value, const char *key)
{
    return t->api->get_text(t, value, key, NULL);
}

/* The same with its size, for text that may hold zeros. */
static inline const char *bide_text(bide_task *t, const bide_value *value, const char *key,
                                    size_t *size)
{
    return t->api->get_text(t, value, key, size);
}

/* NULL when there are none. */
static inline const void *bide_bytes(bide_task *t, const bide_value *value, const char *key,
                                     size_t *size)
{
    return t->api->get_bytes(t, value, key, size);
}

/* A member of a map; NULL when there is none. Raises nothing. */
static inline const bide_value *bide_get(bide_task *t, const bide_value *value, const char *key)
{
    return t->api->find(t, value, key);
}

/* enum bide_value_kind; BIDE_NULL for what is missing. Raises nothing. */
static inline uint32_t bide_kind(bide_task *t, const bide_value *value, const char *key)
{
    return t->api->kind(t, value, key);
}

static inline bool bide_has(bide_task *t, const bide_value *value, const char *key)
{
    return bide_kind(t, value, key) != BIDE_NULL;
}

/* Items of a list or members of a map; 0 for anything else. */
static inline uint32_t bide_count(bide_task *t, const bide_value *value)
{
    return t->api->count(t, value);
}

/* Item or member `index`, and the member's key; NULL and "" past the end. */
static inline const bide_value *bide_at(bide_task *t, const bide_value *value, uint32_t index)
{
    return t->api->at(t, value, index);
}

static inline const char *bide_key_at(bide_task *t, const bide_value *map, uint32_t index)
{
    return t->api->key_at(t, map, index);
}

/* ---- 4 values: the state's texts and bytes -------------------------------------------- */

/*
 * bide_set_str(t, s->order_id, text): copy `text` (NULL: "") into a STR field. Raises
 * "too_long" when it does not fit; nothing is ever cut. [segment]
 *
 * bide_set_bytes(t, s->digest, bytes, size): the same for a BYTES field.
 */
/*
 * ABI 1.1: take a raised error as a value: it is raised no more, and calls do something again.
 * `code`: only if it is this one; NULL: any. NULL when there is none, or when it says that the
 * segment cannot go on: "calls_differ", "payload_differs", "host_failed", "broken_input",
 * "forked", "too_many_calls". [segment]
 *
 *     charge(t, s);
 *     if (bide_handle(t, "card_declined") != NULL)
 *         return bide_save(t, refund);
 */
static inline const struct bide_error *bide_handle(bide_task *t, const char *code)
{
    return t->api->handle(t, code);
}

static inline bool bide_copy_(bide_task *t, const char *name, void *field, size_t capacity,
                              const void *bytes, size_t size);

static inline void bide_set_text_(bide_task *t, const char *name, char *field,
                                  size_t field_size, const char *text)
{
    size_t size = text == NULL ? 0 : __builtin_strlen(text);
    if (bide_copy_(t, name, field, field_size - 1, text, size))
        field[size] = 0;
}

#define bide_set_str(t, field, text) BIDE_SET_STR_((t), #field, field, (text))
#define bide_set_bytes(t, field, bytes, bytes_size) \
    BIDE_SET_BYTES_((t), #field, field, (bytes), (bytes_size))

#ifdef __cplusplus
#define BIDE_SET_STR_   bide_set_str_
#define BIDE_SET_BYTES_ bide_set_bytes_
template <size_t N>
static inline void bide_set_str_(bide_task *t, const char *name, char (&field)[N],
                                 const char *text)
{
    bide_set_text_(t, name, field, N, text);
}
template <uint32_t N>
static inline void bide_set_bytes_(bide_task *t, const char *name, bide_bytes_of<N> &field,
                                   const void *bytes, size_t size)
{
    if (bide_copy_(t, name, field.data, N, bytes, size))
        field.size = static_cast<uint32_t>(size);
}
#else
#define BIDE_SET_STR_(t, name, field, text) \
    bide_set_str_(t, name, &(field), sizeof(field), text)
#define BIDE_SET_BYTES_(t, name, field, bytes, bytes_size)                             \
    bide_set_bytes_(t, name, &(field).size, (field).data, sizeof(field).data, (bytes), \
                    (bytes_size))

static inline void bide_set_str_(bide_task *t, const char *name, char (*field)[], size_t size,
                                 const char *text)
{
    bide_set_text_(t, name, *field, size, text);
}

static inline void bide_set_bytes_(bide_task *t, const char *name, uint32_t *field_size,
                                   unsigned char *data, size_t capacity, const void *bytes,
                                   size_t size)
{
    if (bide_copy_(t, name, data, capacity, bytes, size))
        *field_size = (uint32_t)size;
}
#endif

/* ---- 4 values: making --------------------------------------------------------------------
 *
 * For payloads, outputs, metadata and VALUE fields. A map or list that is put into another is
 * copied as it is then. Text must be UTF-8, else "not_utf8" is raised. [segment]
 */

static inline bide_map *bide_map_new(bide_task *t)
{
    return t->api->make_map(t);
}

static inline bide_list *bide_list_new(bide_task *t)
{
    return t->api->make_list(t);
}

static inline bide_value *bide_of_null(bide_task *t)
{
    return t->api->make_null(t);
}

static inline bide_value *bide_of_bool(bide_task *t, bool value)
{
    return t->api->make_bool(t, value);
}

static inline bide_value *bide_of_i64(bide_task *t, int64_t value)
{
    return t->api->make_i64(t, value);
}

static inline bide_value *bide_of_u64(bide_task *t, uint64_t value)
{
    return t->api->make_u64(t, value);
}

/* One that is not finite is refused where it is put: "not_finite". */
static inline bide_value *bide_of_f64(bide_task *t, double value)
{
    return t->api->make_f64(t, value);
}

static inline bide_value *bide_of_text(bide_task *t, const char *text, size_t size)
{
    return t->api->make_text(t, text, size);
}

/* NULL: null. */
static inline bide_value *bide_of_str(bide_task *t, const char *text)
{
    return text == NULL ? bide_of_null(t) : bide_of_text(t, text, __builtin_strlen(text));
}

/* base64 text where it is shown as JSON. */
static inline bide_value *bide_of_bytes(bide_task *t, const void *bytes, size_t size)
{
    return t->api->make_bytes(t, bytes, size);
}

/* NULL when `text` is no JSON; raises nothing. */
static inline const bide_value *bide_from_json(bide_task *t, const char *text, size_t size)
{
    return t->api->json_read(t, text, size);
}

/* Ends in a zero; `size` may be NULL. */
static inline const char *bide_to_json(bide_task *t, const bide_value *value, size_t *size)
{
    return t->api->json_write(t, value, size);
}

/* Put a member into a map, replacing one of that key; add an item to a list. NULL: null. */
static inline void bide_put(bide_task *t, bide_map *map, const char *key,
                            const bide_value *value)
{
    t->api->put(t, map, key, value);
}

static inline void bide_add(bide_task *t, bide_list *list, const bide_value *value)
{
    t->api->add(t, list, value);
}

/*
 * A value of each kind in one line, e.g. for i64:
 *
 *   bide_put_i64(t, map, key, 5)     a member of a map
 *   bide_add_i64(t, list, 5)         an item of a list
 *   bide_out_i64(t, key, 5)          a member of the run's output
 *   bide_meta_i64(t, key, 5)         a member of the run's metadata
 */
#define BIDE_MAKERS_(kind, type)                                                     \
    static inline void bide_put_##kind(bide_task *t, bide_map *map, const char *key, \
                                       type value)                                   \
    {                                                                                \
        t->api->put(t, map, key, bide_of_##kind(t, value));                          \
    }                                                                                \
    static inline void bide_add_##kind(bide_task *t, bide_list *list, type value)    \
    {                                                                                \
        t->api->add(t, list, bide_of_##kind(t, value));                              \
    }                                                                                \
    static inline void bide_out_##kind(bide_task *t, const char *key, type value)    \
    {                                                                                \
        t->api->out(t, key, bide_of_##kind(t, value));                               \
    }                                                                                \
    static inline void bide_meta_##kind(bide_task *t, const char *key, type value)   \
    {                                                                                \
        t->api->meta(t, BIDE_META_SET, key, bide_of_##kind(t, value));               \
    }

BIDE_MAKERS_(bool, bool)
BIDE_MAKERS_(i64, int64_t)
BIDE_MAKERS_(u64, uint64_t)
BIDE_MAKERS_(f64, double)
BIDE_MAKERS_(str, const char *)

/* ---- 5 output, metadata, progress, log ------------------------------------------------ */

/*
 * The run's output: whole, or one member of it. It is kept when the segment ends in
 * bide_done(); a segment that goes on to wait loses it, so what is known early belongs into the
 * state. [segment]
 */
static inline void bide_out(bide_task *t, const bide_value *value)
{
    t->api->out(t, NULL, value);
}

static inline void bide_out_value(bide_task *t, const char *key, const bide_value *value)
{
    t->api->out(t, key, value);
}

/*
 * Metadata: a small map beside the run that anyone with the environment's key can read while it
 * runs. Changes are kept when the segment ends, with its state. [segment]
 */
static inline const bide_value *bide_meta(bide_task *t)
{
    return t->api->metadata(t);
}

static inline void bide_meta_set(bide_task *t, const char *key, const bide_value *value)
{
    t->api->meta(t, BIDE_META_SET, key, value);
}

static inline void bide_meta_delete(bide_task *t, const char *key)
{
    t->api->meta(t, BIDE_META_DELETE, key, NULL);
}

/* To a list; a missing one is made. */
static inline void bide_meta_append(bide_task *t, const char *key, const bide_value *value)
{
    t->api->meta(t, BIDE_META_APPEND, key, value);
}

/* To a number; a missing one is 0. */
static inline void bide_meta_add(bide_task *t, const char *key, double amount)
{
    t->api->meta(t, BIDE_META_ADD, key, bide_of_f64(t, amount));
}

/* ABI 1.1: from a list, what equals the value. */
static inline void bide_meta_remove(bide_task *t, const char *key, const bide_value *value)
{
    t->api->meta(t, BIDE_META_REMOVE, key, value);
}

/*
 * ABI 1.1: any of these on the metadata of the run's parent or root, which merges what many
 * children say: `op` is one of enum bide_meta_op | BIDE_META_OF_PARENT or BIDE_META_OF_ROOT. A
 * key that begins with "$." is a path: "$.orders[0].state". [segment]
 *
 *   bide_meta_op(t, BIDE_META_ADD | BIDE_META_OF_PARENT, "done", bide_of_i64(t, 1));
 */
static inline void bide_meta_op(bide_task *t, uint32_t op, const char *key,
                                const bide_value *value)
{
    t->api->meta(t, op, key, value);
}

/* ABI 1.1: one more tag of the run, kept when the segment ends. [segment] */
static inline void bide_tag(bide_task *t, const char *tag)
{
    t->api->meta(t, BIDE_META_TAG, tag, NULL);
}

/* 0 to 100; more is 100. Shown at once. [segment] */
static inline void bide_progress(bide_task *t, uint32_t percent)
{
    t->api->progress(t, percent);
}

/* A line in the run's log. Shown at once; of many, a run keeps the first and the last. A rerun
 * logs again. [segment] */
BIDE_PRINTF_(3, 4)
static inline void bide_log(bide_task *t, enum bide_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->log(t, BIDE_CAST_(uint32_t, level), format, arguments);
    va_end(arguments);
}

#define bide_log_debug(t, ...) bide_log((t), BIDE_DEBUG, __VA_ARGS__)
#define bide_log_info(t, ...)  bide_log((t), BIDE_INFO, __VA_ARGS__)
#define bide_log_warn(t, ...)  bide_log((t), BIDE_WARN, __VA_ARGS__)
#define bide_log_error(t, ...) bide_log((t), BIDE_ERROR, __VA_ARGS__)

/* ---- 6 errors ------------------------------------------------------------------------- */

/*
 * Raise an error from inside a helper; the attempt then fails with it. `code` is a word for
 * programs, the text a sentence for people. Not retryable: the run fails at once. [segment]
 */
BIDE_PRINTF_(4, 5)
static inline void bide_raise(bide_task *t, bool retryable, const char *code,
                              const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->raise(t, retryable, code, format, arguments);
    va_end(arguments);
}

/* ABI 1.1: a retryable one, with who is to blame for it and when to try again. A time that is
 * negative or too long, or two of them, is an error of its own ("refused"), for good. [segment]
 */
BIDE_PRINTF_(4, 5)
static inline void bide_raise_with(bide_task *t, struct bide_retry_opts opts, const char *code,
                                   const char *format, ...)
{
    va_list arguments;
    opts.size = BIDE_CAST_(uint32_t, sizeof opts);
    va_start(arguments, format);
    t->api->raise_with(t, &opts, code, format, arguments);
    va_end(arguments);
}

/* The code of the error that was raised; NULL when there is none. [segment] */
static inline const char *bide_raised(bide_task *t)
{
    return t->api->error(t);
}

static inline bool bide_copy_(bide_task *t, const char *name, void *field, size_t capacity,
                              const void *bytes, size_t size)
{
    if (size > capacity) {
        bide_raise(t, false, "too_long", "%s: %zu bytes do not fit a field of %zu", name, size,
                   capacity);
        return false;
    }
    if (size != 0)
        __builtin_memcpy(field, bytes, size);
    return true;
}

/* ---- 7 tokens, children, once --------------------------------------------------------- */

/*
 * A token: a door for one answer from outside. Whoever POSTs JSON to its URL completes it,
 * once. Keep it in the state and wait for it; an answer may come before. Zero token on error.
 * When the run ends it is closed, and who answers it is told so (410), unless another run waits
 * for it or its key is global.
 * One segment makes at most 63 tokens and children together. [segment]
 */
static inline bide_token bide_token_create(bide_task *t, struct bide_token_opts opts)
{
    bide_token token = { 0, "" };
    opts.size = sizeof opts;
    t->api->token_create(t, &opts, &token);
    return token;
}

/* Where to POST; "" for the zero token. The pointer is into `token`. [any] */
static inline const char *bide_token_url(bide_task *t, const bide_token *token)
{
    (void)t;
    return token->url;
}

/*
 * Start a run of another task; durable when this returns. NULL payload: null. A task that does
 * not exist, or a payload that its schema refuses, raises "refused"; a queue that has as many
 * waiting as may (max_queued) raises "queue_full", retryable, or gives the zero run where
 * opts.may_be_full says so. [segment]
 */
static inline bide_run bide_trigger_with(bide_task *t, const char *task,
                                         const bide_value *payload,
                                         struct bide_trigger_opts opts)
{
    bide_run run = { 0 };
    opts.size = sizeof opts;
    t->api->trigger(t, task, payload, &opts, &run);
    return run;
}

static inline bide_run bide_trigger(bide_task *t, const char *task, const bide_value *payload)
{
    bide_run run = { 0 };
    t->api->trigger(t, task, payload, NULL, &run);
    return run;
}

/*
 * ABI 1.1: many runs together, up to 10,000 (limits.batch_items): begin, add each with its
 * index as the result, wait. Its items count as one of the 63, and as one of what a wait names.
 * An item that is refused (its payload does not fit, its queue is full) fails alone: its error
 * is found by its index. With all_or_nothing no item starts unless all are good. [segment]
 */
static inline bide_batch bide_batch_begin_with(bide_task *t, struct bide_batch_opts opts)
{
    bide_batch batch = { 0 };
    opts.size = sizeof opts;
    t->api->batch_begin(t, &opts, &batch);
    return batch;
}

static inline bide_batch bide_batch_begin(bide_task *t)
{
    bide_batch batch = { 0 };
    t->api->batch_begin(t, NULL, &batch);
    return batch;
}

static inline uint32_t bide_batch_add_with(bide_task *t, const bide_batch *batch,
                                           const char *task, const bide_value *payload,
                                           struct bide_trigger_opts opts)
{
    opts.size = sizeof opts;
    return t->api->batch_add(t, batch, task, payload, &opts);
}

static inline uint32_t bide_batch_add(bide_task *t, const bide_batch *batch, const char *task,
                                      const bide_value *payload)
{
    return t->api->batch_add(t, batch, task, payload, NULL);
}

/* These were all. The end of the segment does it, too. [segment] */
static inline void bide_batch_seal(bide_task *t, const bide_batch *batch)
{
    t->api->batch_seal(t, batch);
}

/*
 * Do something to the outside world once: the first time `act` runs and what it returns is
 * recorded before bide_once() returns it; a rerun of the segment gets the record and `act` is
 * not called. NULL from `act` is recorded as null; nothing is recorded when it raised an error.
 * A crash between the act and the record repeats the act: give the other side bide_run_id() as
 * its idempotency key. [segment]
 *
 * `name` is unique within the segment, in a loop too ("charge-1", "charge-2"): a second act of
 * one name raises "name_used_twice", as it would never run. Records are dropped when the
 * segment is done.
 */
typedef const bide_value *(*bide_once_fn)(bide_task *t, void *context);

static inline const bide_value *bide_once(bide_task *t, const char *name, bide_once_fn act,
                                          void *context)
{
    if (bide_raised(t) != NULL)
        return NULL;
    const bide_value *kept = t->api->once_find(t, name);
    if (kept != NULL || bide_raised(t) != NULL)
        return kept;
    return t->api->once_keep(t, name, act(t, context));
}

/* Its two halves: NULL from the first, and no error: do it, then call the second, which returns
 * the record. */
static inline const bide_value *bide_once_find(bide_task *t, const char *name)
{
    return t->api->once_find(t, name);
}

static inline const bide_value *bide_once_keep(bide_task *t, const char *name,
                                               const bide_value *value)
{
    return t->api->once_keep(t, name, value);
}

/* ---- 8 waits and ends ----------------------------------------------------------------- */

/*
 * Waits. `then` is the segment to enter when the wait is over. It must be in this task's
 * segment list, else the attempt fails with "segment_not_listed". State, metadata and the wait
 * are kept in one transaction; from then on the run holds no process. Return the value at once:
 * nothing after it runs. [segment]
 */
BIDE_MUST_RETURN static inline bide_next bide_wait_(bide_task *t, struct bide_wait_opts opts,
                                                    bide_segment_fn then)
{
    opts.size = sizeof opts;
    return t->api->wait(t, &opts, then);
}

static inline struct bide_wait_opts bide_wait_opts_(uint32_t kind, uint32_t count,
                                                    uint32_t needed, int64_t timeout_ms)
{
    struct bide_wait_opts opts = { 0, kind, timeout_ms, 0,    NULL, NULL, count, needed, NULL,
                                   0, 0,    NULL,       NULL, NULL, 0,    0,     NULL,   0 };
    return opts;
}

/* For `duration_ms`, e.g. BIDE_HOURS(24); 0 or less goes on at once, in a fresh segment. */
BIDE_MUST_RETURN static inline bide_next bide_wait_for(bide_task *t, int64_t duration_ms,
                                                       bide_segment_fn then)
{
    return bide_wait_(t, bide_wait_opts_(BIDE_WAIT_TIME, 0, 0, duration_ms), then);
}

/*
 * ABI 1.1: `segment` undoes what this one does. When the run fails, is canceled or times out,
 * all that were registered are entered in reverse order, each in an execution of its own, with
 * the state as it was saved last; what one of them changes in it the next one finds. Only then
 * is the run done. It is registered when this segment ends well, with its state: so do first
 * what can be undone, and nothing that may fail behind it, or bide_save() in between. `segment`
 * is in the task's list, and ends in bide_done(), or fails: then it is tried again as often as
 * the task's abort_attempts say, and after that the others go on. It cannot wait. [segment]
 */
static inline void bide_on_abort(bide_task *t, bide_segment_fn segment)
{
    t->api->on_abort(t, segment);
}

/* ABI 1.1: save the state and go on in a fresh segment at once: what fails from there on does
 * not repeat what came before. [segment] */
BIDE_MUST_RETURN static inline bide_next bide_save(bide_task *t, bide_segment_fn then)
{
    return bide_wait_for(t, 0, then);
}

/*
 * ABI 1.1: the same, once in a run: where a retry begins anew (BIDE_RETRY_START), the wait with
 * this key is over when the first was to be, or at once. In a loop each turn needs its own key.
 */
BIDE_MUST_RETURN static inline bide_next
bide_wait_for_once(bide_task *t, const char *key, int64_t duration_ms, bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_TIME, 0, 0, duration_ms);
    opts.key = key;
    return bide_wait_(t, opts, then);
}

/* Until a date in ms since 1970; a past one goes on at once. */
BIDE_MUST_RETURN static inline bide_next bide_wait_until(bide_task *t, int64_t date_ms,
                                                         bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_TIME, 0, 0, 0);
    opts.until_ms = date_ms > 0 ? date_ms : 1;
    return bide_wait_(t, opts, then);
}

/*
 * Until `token` is completed or its timeout passes. In `then`, bide_timed_out() tells which;
 * bide_result() is the posted body, checked against the token's schema if it has one.
 */
BIDE_MUST_RETURN static inline bide_next bide_wait_token(bide_task *t, const bide_token *token,
                                                         bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_TOKENS, 1, 0, 0);
    opts.tokens = token;
    return bide_wait_(t, opts, then);
}

/* The same, giving up after `timeout_ms` (0: never). The token lives on and can be waited for
 * again. */
BIDE_MUST_RETURN static inline bide_next bide_wait_token_within(bide_task *t,
                                                                const bide_token *token,
                                                                int64_t timeout_ms,
                                                                bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_TOKENS, 1, 0, timeout_ms);
    opts.tokens = token;
    return bide_wait_(t, opts, then);
}

/* Until `needed` of the `count` tokens (0: all) are completed or timed out. */
BIDE_MUST_RETURN static inline bide_next
bide_wait_token_array(bide_task *t, const bide_token *tokens, uint32_t count, uint32_t needed,
                      int64_t timeout_ms, bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_TOKENS, count, needed, timeout_ms);
    opts.tokens = tokens;
    return bide_wait_(t, opts, then);
}

/* Until one run ends, however it ends. */
BIDE_MUST_RETURN static inline bide_next bide_wait_run(bide_task *t, const bide_run *run,
                                                       bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_RUNS, 1, 0, 0);
    opts.runs = run;
    return bide_wait_(t, opts, then);
}

/* Until `needed` of the `count` runs (0: all) have ended, however they end. */
BIDE_MUST_RETURN static inline bide_next bide_wait_run_array(bide_task *t, const bide_run *runs,
                                                             uint32_t count, uint32_t needed,
                                                             int64_t timeout_ms,
                                                             bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_RUNS, count, needed, timeout_ms);
    opts.runs = runs;
    return bide_wait_(t, opts, then);
}

/*
 * The same for a RUNS(n) or LIST(RUN, n), and a LIST(TOKEN, n), of the state; `list` is a
 * pointer to it. Of none at all a wait is over at once.
 */
#define bide_wait_runs(t, list, then) \
    bide_wait_run_array((t), (list)->item, (list)->count, 0, 0, (then))
#define bide_wait_any_run(t, list, then) \
    bide_wait_run_array((t), (list)->item, (list)->count, 1, 0, (then))
#define bide_wait_some_runs(t, list, needed, then) \
    bide_wait_run_array((t), (list)->item, (list)->count, (needed), 0, (then))
#define bide_wait_runs_within(t, list, needed, timeout_ms, then) \
    bide_wait_run_array((t), (list)->item, (list)->count, (needed), (timeout_ms), (then))
#define bide_wait_tokens(t, list, then) \
    bide_wait_token_array((t), (list)->item, (list)->count, 0, 0, (then))
#define bide_wait_any_token(t, list, then) \
    bide_wait_token_array((t), (list)->item, (list)->count, 1, 0, (then))
#define bide_wait_some_tokens(t, list, needed, then) \
    bide_wait_token_array((t), (list)->item, (list)->count, (needed), 0, (then))
#define bide_wait_tokens_within(t, list, needed, timeout_ms, then) \
    bide_wait_token_array((t), (list)->item, (list)->count, (needed), (timeout_ms), (then))

/* ABI 1.1: until every item of the batch has ended, however; it is sealed by this. */
BIDE_MUST_RETURN static inline bide_next bide_wait_batch(bide_task *t, const bide_batch *batch,
                                                         bide_segment_fn then)
{
    bide_token point = { batch->id, "" };
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_TOKENS, 1, 0, 0);
    t->api->batch_seal(t, batch);
    opts.tokens = &point;
    return bide_wait_(t, opts, then);
}

/*
 * ABI 1.1: parts of a wait for several things, each with a name by which `then` asks for it
 * (NULL: nobody will). [any]
 */
static inline struct bide_part bide_part_(const char *name, uint32_t kind, int64_t id,
                                          int64_t for_ms, int64_t until_ms)
{
    struct bide_part part = { name, kind, 0, id, for_ms, until_ms, NULL, 0, 0, NULL };
    return part;
}

static inline struct bide_part bide_part_token(const char *name, const bide_token *token)
{
    return bide_part_(name, BIDE_PART_TOKEN, token->id, 0, 0);
}

static inline struct bide_part bide_part_run(const char *name, const bide_run *run)
{
    return bide_part_(name, BIDE_PART_RUN, run->id, 0, 0);
}

/* Sealed before, or by the wait's own segment's end. */
static inline struct bide_part bide_part_batch(const char *name, const bide_batch *batch)
{
    return bide_part_(name, BIDE_PART_TOKEN, batch->id, 0, 0);
}

/* Ends after `duration_ms`, counted from the end of this segment. */
static inline struct bide_part bide_part_for(const char *name, int64_t duration_ms)
{
    return bide_part_(name, BIDE_PART_TIME, 0, duration_ms, 0);
}

static inline struct bide_part bide_part_until(const char *name, int64_t date_ms)
{
    return bide_part_(name, BIDE_PART_TIME, 0, 0, date_ms > 0 ? date_ms : 1);
}

/* The oldest message of that name that was sent to this run and that no wait has taken yet; two
 * such parts take two. Its result is the message's data. */
static inline struct bide_part bide_part_message(const char *name, const char *word)
{
    struct bide_part part = bide_part_(name, BIDE_PART_MESSAGE, 0, 0, 0);
    part.word = word;
    return part;
}

/* Ends when `needed` (0: all) of its `count` parts have. The parts must outlive the call that
 * waits, not more. */
static inline struct bide_part bide_part_group(const char *name, uint32_t needed,
                                               const struct bide_part *parts, uint32_t count)
{
    struct bide_part part = bide_part_(name, BIDE_PART_GROUP, 0, 0, 0);
    part.needed = needed;
    part.parts = parts;
    part.count = count;
    return part;
}

/*
 * ABI 1.1: until `needed` (0: all) of the parts have ended, however they end. In opts one may
 * set for_ms or until_ms (give up then), otherwise, cancel_rest, remind with remind_ms. More
 * needed than there are, or a name used twice, fails the attempt.
 *
 *     struct bide_part parts[] = { bide_part_token("boss", &s->boss),
 *                                  bide_part_run("check", &s->check),
 *                                  bide_part_for("patience", BIDE_HOURS(4)) };
 *     return bide_wait_group(t, 1, parts, 3, (struct bide_wait_opts){ .cancel_rest = 1 },
 * then);
 */
BIDE_MUST_RETURN static inline bide_next
bide_wait_group(bide_task *t, uint32_t needed, const struct bide_part *parts, uint32_t count,
                struct bide_wait_opts opts, bide_segment_fn then)
{
    opts.kind = BIDE_WAIT_GROUP;
    opts.needed = needed;
    opts.parts = parts;
    opts.part_count = count;
    return bide_wait_(t, opts, then);
}

/*
 * ABI 1.1: until a message of that name has come, by bide_send() of another run, the API or
 * `bide runs send`; one that has come before is there. In `then` bide_result() is its data. A
 * segment that is tried again gets the same; it is received when that segment has ended.
 */
BIDE_MUST_RETURN static inline bide_next
bide_receive_within(bide_task *t, const char *word, int64_t timeout_ms, bide_segment_fn then)
{
    struct bide_part part = bide_part_message(NULL, word);
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_GROUP, 0, 0, timeout_ms);
    return bide_wait_group(t, 1, &part, 1, opts, then);
}

BIDE_MUST_RETURN static inline bide_next bide_receive(bide_task *t, const char *word,
                                                      bide_segment_fn then)
{
    return bide_receive_within(t, word, 0, then);
}

/*
 * ABI 1.1: the end of a segment that a wait has entered for a reminder (`remind`): the wait
 * goes on where it was, its times too. What the segment has put into the state is kept; what
 * ended meanwhile has ended.
 */
BIDE_MUST_RETURN static inline bide_next bide_wait_on(bide_task *t)
{
    return t->api->wait_on(t);
}

/* ABI 1.1: which reminder it is, from 1; 0: this segment was not entered for one. [segment] */
static inline uint32_t bide_reminder(bide_task *t)
{
    return t->api->reminder(t);
}

/*
 * ABI 1.1: a token that was made elsewhere (by the API, or another run), by its id,
 * "waitpoint_..."; it has no URL. That it is there is seen when it is waited for. False: it is
 * no such id, which is raised. [segment]
 */
static inline bool bide_token_by_id(bide_task *t, const char *text, bide_token *token)
{
    return t->api->token_by_id(t, text, token);
}

/*
 * ABI 1.1: nobody is to answer the token any more: whoever waits for it is told
 * BIDE_WAIT_CANCELLED, and who answers it that it is closed (410). One that is over already,
 * and the zero token, stay as they are. [segment]
 */
static inline void bide_token_close(bide_task *t, const bide_token *token)
{
    t->api->token_close(t, token);
}

/* ABI 1.1: the same for a run, "run_...": to wait for it, or to send to it. [segment] */
static inline bool bide_run_by_id(bide_task *t, const char *text, bide_run *run)
{
    return t->api->run_by_id(t, text, run);
}

/*
 * ABI 1.1: a message to a run of the same environment, kept until it waits for one of that
 * name. Durable before it returns, and sent once however often the segment is tried. The result
 * is the message's number among all that the run was sent; 0 when it was not sent, which is
 * raised ("mailbox_full" is retryable; "refused": the run has ended, or its schema does not
 * take it). [segment]
 *
 *     bide_send(t, &s->parent, "progress", bide_of_i64(t, 50));
 */
static inline int64_t bide_send_with(bide_task *t, const bide_run *run, const char *word,
                                     const bide_value *data, struct bide_send_opts opts)
{
    opts.size = BIDE_CAST_(uint32_t, sizeof opts);
    return t->api->send(t, run, word, data, &opts);
}

static inline int64_t bide_send(bide_task *t, const bide_run *run, const char *word,
                                const bide_value *data)
{
    struct bide_send_opts opts = { 0, 0, NULL };
    return bide_send_with(t, run, word, data, opts);
}

/* The run is completed, with the output made so far in this segment (none: null). [segment] */
BIDE_MUST_RETURN static inline bide_next bide_done(bide_task *t)
{
    return t->api->done(t);
}

/*
 * The run failed, for good: trying again would end the same. `code` is a word for programs, the
 * text a sentence for people. [segment]
 */
BIDE_MUST_RETURN BIDE_PRINTF_(3, 4) static inline bide_next
    bide_fail(bide_task *t, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->raise(t, false, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/* This attempt failed: try again after a pause while there are attempts left since the last
 * save point. [segment] */
BIDE_MUST_RETURN BIDE_PRINTF_(3, 4) static inline bide_next
    bide_retry(bide_task *t, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->raise(t, true, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/*
 * ABI 1.1: this attempt failed, as bide_raise_with() says.
 *
 *     return bide_retry_with(t, (struct bide_retry_opts){ .after_ms = BIDE_HOURS(1) },
 *                            "closed", "the bank opens at eight");
 */
BIDE_MUST_RETURN BIDE_PRINTF_(4, 5) static inline bide_next
    bide_retry_with(bide_task *t, struct bide_retry_opts opts, const char *code,
                    const char *format, ...)
{
    va_list arguments;
    opts.size = BIDE_CAST_(uint32_t, sizeof opts);
    va_start(arguments, format);
    t->api->raise_with(t, &opts, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/* ABI 1.1: this attempt failed: try again at that date (one that is past: at once), to the
 * millisecond, while there are attempts left. [segment] */
BIDE_MUST_RETURN BIDE_PRINTF_(4, 5) static inline bide_next
    bide_retry_at(bide_task *t, int64_t date_ms, const char *code, const char *format, ...)
{
    struct bide_retry_opts opts = { BIDE_CAST_(uint32_t, sizeof opts), 0, 0,
                                    date_ms == 0 ? -1 : date_ms };
    va_list arguments;
    va_start(arguments, format);
    t->api->raise_with(t, &opts, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/* ABI 1.1: the same after `ms`; 0: at once. [segment] */
BIDE_MUST_RETURN BIDE_PRINTF_(4, 5) static inline bide_next
    bide_retry_after(bide_task *t, int64_t ms, const char *code, const char *format, ...)
{
    struct bide_retry_opts opts = { BIDE_CAST_(uint32_t, sizeof opts), 0, ms == 0 ? 1 : ms, 0 };
    va_list arguments;
    va_start(arguments, format);
    t->api->raise_with(t, &opts, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/* ABI 1.1: this attempt failed because somebody else did, who may be well again later: as
 * bide_retry(), by what `.retry_upstream` or `retry: {upstream: …}` says. [segment] */
BIDE_MUST_RETURN BIDE_PRINTF_(3, 4) static inline bide_next
    bide_upstream(bide_task *t, const char *code, const char *format, ...)
{
    struct bide_retry_opts opts = { BIDE_CAST_(uint32_t, sizeof opts), 1, 0, 0 };
    va_list arguments;
    va_start(arguments, format);
    t->api->raise_with(t, &opts, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/*
 * ABI 1.1: somebody else has no room just now (an HTTP 429, say): the run goes back to its
 * queue, at its rank, and this segment begins again in `ms` at the earliest, or up to a tenth
 * later. No attempt is lost. The others of the queue with the run's concurrency key, or without
 * one, wait as long. The state is what it was when the segment began; what once() has kept
 * stays. [segment]
 */
BIDE_MUST_RETURN static inline bide_next bide_push_back(bide_task *t, int64_t ms)
{
    return t->api->push_back(t, ms);
}

/* ---- 9 after a wait ------------------------------------------------------------------- */

/* Did the wait give up? For one token: also when the token itself timed out. [segment] */
static inline bool bide_timed_out(bide_task *t)
{
    return t->api->ending(t, 0)->status == BIDE_WAIT_TIMEOUT;
}

/* How the wait ended; BIDE_WAIT_NONE in the entry segment. For one token or run: how that
 * ended. */
static inline enum bide_wait bide_wait_status(bide_task *t)
{
    return BIDE_CAST_(enum bide_wait, t->api->ending(t, 0)->status);
}

/*
 * What was posted to the token that was waited for, or the output of the run. With several: of
 * the first that ended well, in the order they were named. NULL when it did not end well.
 * [segment]
 */
static inline const bide_value *bide_result(bide_task *t)
{
    return t->api->ending(t, 0)->value;
}

/* The same for one of several tokens. BIDE_WAIT_NONE: still open. [segment] */
static inline enum bide_wait bide_token_status(bide_task *t, const bide_token *token)
{
    return BIDE_CAST_(enum bide_wait,
                      token->id == 0 ? 0 : t->api->ending(t, token->id)->status);
}

static inline const bide_value *bide_token_result(bide_task *t, const bide_token *token)
{
    return token->id == 0 ? NULL : t->api->ending(t, token->id)->value;
}

/*
 * And for runs, those too that were never waited for. The output is NULL while the run is under
 * way and when it failed or was canceled; a run that completed without output has a null value.
 * The error is a sentence, "" when there is none. [segment]
 */
static inline enum bide_wait bide_run_status(bide_task *t, const bide_run *run)
{
    return BIDE_CAST_(enum bide_wait, run->id == 0 ? 0 : t->api->ending(t, run->id)->status);
}

static inline const bide_value *bide_run_output(bide_task *t, const bide_run *run)
{
    return run->id == 0 ? NULL : t->api->ending(t, run->id)->value;
}

static inline const char *bide_run_error(bide_task *t, const bide_run *run)
{
    return run->id == 0 ? "" : t->api->ending(t, run->id)->error;
}

/* ABI 1.1: its word for programs, as bide_fail() has said it. */
static inline const char *bide_run_error_code(bide_task *t, const bide_run *run)
{
    return run->id == 0 ? "" : t->api->ending(t, run->id)->code;
}

/*
 * ABI 1.1: how many items a batch has, and how each ended, by its index: as for runs. After
 * bide_wait_batch() every item has an answer; bide_wait_status() is BIDE_WAIT_OK then, or
 * BIDE_WAIT_FAILED where the batch was aborted: of all or nothing one was bad, or its items did
 * not all come in time. They are fetched a hundred at a time, when they are looked at.
 * [segment]
 */
static inline uint32_t bide_batch_count(bide_task *t, const bide_batch *batch)
{
    return t->api->batch_count(t, batch);
}

static inline enum bide_wait bide_batch_status(bide_task *t, const bide_batch *batch,
                                               uint32_t index)
{
    return BIDE_CAST_(enum bide_wait, t->api->batch_ending(t, batch, index)->status);
}

static inline const bide_value *bide_batch_output(bide_task *t, const bide_batch *batch,
                                                  uint32_t index)
{
    return t->api->batch_ending(t, batch, index)->value;
}

static inline const char *bide_batch_error(bide_task *t, const bide_batch *batch,
                                           uint32_t index)
{
    return t->api->batch_ending(t, batch, index)->error;
}

/* "refused" where the item made no run. */
static inline const char *bide_batch_error_code(bide_task *t, const bide_batch *batch,
                                                uint32_t index)
{
    return t->api->batch_ending(t, batch, index)->code;
}

/*
 * ABI 1.1: how a part of the group that was waited for ended, by its name. BIDE_WAIT_NONE: it
 * has not. A group has no value, and neither has a time. A name that no part has raises
 * "no_such_part". [segment]
 */
static inline enum bide_wait bide_part_status(bide_task *t, const char *name)
{
    return BIDE_CAST_(enum bide_wait, t->api->part(t, name)->status);
}

static inline const bide_value *bide_part_result(bide_task *t, const char *name)
{
    return t->api->part(t, name)->value;
}

static inline const char *bide_part_error(bide_task *t, const char *name)
{
    return t->api->part(t, name)->error;
}

/* "run_…", as the API names it. [segment] */
static inline const char *bide_run_text(bide_task *t, const bide_run *run)
{
    return t->api->run_text(t, run->id);
}

#endif
