/*
 * A segment being run: what the plugin sees of it (struct bide_task), and what it has said so
 * far.
 *
 *   SEGMENT ─▶ state decoded ─▶ plugin code ⇄ api functions ─▶ verdict ─▶ state encoded ─▶ END
 *
 * All its memory is one arena, which is reset after the END. The first error that is raised
 * sticks, and is the verdict whatever the plugin's code returns.
 */
#ifndef WORKER_SEGMENT_RUN_H
#define WORKER_SEGMENT_RUN_H

#include "base/name.h"
#include "channel.h"
#include "plugin/plugin.h"
#include "plugin/state.h"
#include "wear.h"

struct worker_limits {
    /* 0: no limit, all of them */
    int64_t state_bytes, output_bytes, metadata_bytes, payload_bytes;
    uint32_t log_lines, log_line_bytes, waits, calls;
    struct wear_limits wear;
    const char *origin; /* what callback URLs begin with; NULL: the host makes them */
};

struct segment {
    struct bide_task task;
    struct bide_run_info info;
    const struct worker_limits *limits;
    const struct plugin_task *about;
    const struct frame_segment *frame;
    struct channel *channel;
    struct arena arena;
    struct value input, metadata, kept;
    struct value once; /* name → value, of earlier tries and of this one */
    struct value used; /* names of records that this try has asked for */
    bool has_metadata; /* read from the frame */
    bool is_canceled;
    void *state;
    /* While migrate() is called: what it gets, and what of it it has looked at. */
    const struct value *old;
    bool *old_is_seen;
    bool is_migrated;
    struct state_report *report; /* of reading the state */

    struct sending *sendings; /* batches that it has begun */
    struct reading *readings; /* and those whose answers it looks at */

    bool has_output;
    struct value output;
    struct frame_meta *meta;
    uint32_t meta_count, meta_capacity;
    uint32_t made, asked, records,
        lines;         /* ids given out, other calls, those of once, log lines */
    uint32_t left_out; /* lines since the last that was sent */
    struct bide_ending
        *endings; /* of frame->results, as far as they were asked for; then the whole */
    bool *has_ending;

    bool is_raised, is_retryable;
    const char *hook; /* that is called in its execution just now; NULL: none */
    struct slice *aborts;
    uint32_t abort_count, abort_capacity;
    struct bide_retry_opts again; /* of what is raised, and retryable */
    bool may_be_full;             /* the trigger under way takes a full queue for an answer */
    struct slice error_code, error_text;

    uint64_t mark; /* of the last end that was called; 0: none */
    struct frame_end end;
};

/* Run the segment and answer it. */
void segment_run(struct channel *channel, const struct plugin *plugin,
                 const struct worker_limits *limits, struct arena *arena,
                 const struct frame_segment *frame);

/* ---- for the files of the api ------------------------------------------------------------ */

extern const struct bide_api worker_api;

static inline struct segment *segment_of(bide_task *task)
{
    return task->host;
}

static inline struct value *value_of(bide_value *value)
{
    return (struct value *)(void *)value;
}

static inline const struct value *value_seen(const bide_value *value)
{
    return (const struct value *)(const void *)value;
}

static inline bide_value *value_shown(struct value *value)
{
    return (bide_value *)(void *)value;
}

static inline const bide_value *value_lent(const struct value *value)
{
    return (const bide_value *)(const void *)value;
}

/* A number that the plugin's code can only have from here. */
bide_next segment_end_mark(struct segment *segment, enum verdict verdict);
void segment_fork_ends(struct segment *segment);
/* Keep the first error; always false. */
bool segment_raise(struct segment *segment, bool is_retryable, const char *code,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* hooks.c: those in its execution, before and after it, and one that has its own. What a hook
 * may not do is raised. */
void hooks_before(struct segment *segment);
void hooks_after(struct segment *segment);
void hook_run(struct segment *segment);
bool hook_may(struct segment *segment, const char *what);
/* state_load.c: read the run's state; false: it stays parked. */
bool state_load(struct segment *segment);
/* The END of a segment that only loads. */
void state_load_answer(struct segment *segment);
/* migrate() looks at `key` (NULL: at all) of `value`. */
void state_look(struct segment *segment, const struct value *value, const char *key);
/* Not known to migrate(), so that the same state always becomes the same. False: raised. */
bool migrate_may(struct segment *segment, const char *what);
/* For the run's timeline and its log. */
void segment_remark(struct segment *segment, struct slice text);
/* A line of the run's log. */
void segment_line(struct segment *segment, uint32_t level, struct slice text);
/* Is it a name of that kind? NULL is none. Raises "not_utf8" or "refused". */
bool name_take(struct segment *segment, enum name_kind kind, const char *name);
/* The text as UTF-8, bytes that are none replaced, cut at `limit` bytes. */
struct slice text_clean(struct arena *arena, struct slice text, size_t limit);
/* The same for what stands in a line: control characters become "?", too. */
struct slice word_clean(struct arena *arena, struct slice word, size_t limit);
/* A whole value fits into what readers take; raises "too_deep" or "not_finite", with its name
 * (or NULL). */
bool value_fits(struct segment *segment, const struct value *value, const char *name);

/* Ask the host and wait; false when it refused, which is raised. */
bool segment_call(struct segment *segment, enum call_kind kind, const struct value *body,
                  struct value *reply);
/* Send it ahead: nothing is waited for. *id: of what it makes. */
bool segment_send(struct segment *segment, enum call_kind kind, const struct value *body,
                  int64_t *id);

/* api_ending.c: what the host says of how something ended. */
void ending_take(struct segment *segment, const struct value *said, struct bide_ending *ending);

/* The id of something that it makes; false: one too many, which is raised. */
bool segment_makes(struct segment *segment, int64_t *id);
/* Batches that nobody has sealed are, with what is left of their items. */
void segment_batches_seal(struct segment *segment);
/* What a trigger asks for; `opts` may be NULL. False: it is raised. */
/* An idempotency key as the engine keeps it: its own run's, or global; the scopes between are
 * spelled into it. False: raised. */
bool segment_key(struct segment *segment, const char *key, uint32_t scope, struct slice *text,
                 bool *is_global);
bool segment_trigger_body(struct segment *segment, const char *task, const bide_value *payload,
                          const struct bide_trigger_opts *opts, struct value *body);

/* The table's functions, by file. */
/* clang-format off */
#define WORKER_API_MAP(X)                                                         \
    X(kind) X(get_bool) X(get_i64) X(get_u64) X(get_f64) X(get_text) X(get_bytes) \
    X(find) X(count) X(at) X(key_at) X(make_null) X(make_bool) X(make_i64)        \
    X(make_u64) X(make_f64) X(make_text) X(make_bytes) X(make_list) X(make_map)   \
    X(put) X(add) X(json_read) X(json_write) X(input) X(out) X(metadata) X(meta)  \
    X(progress) X(log) X(now_ms) X(is_canceled) X(token_create) X(trigger)        \
    X(once_find) X(once_keep) X(ending) X(run_text) X(raise) X(error) X(wait)     \
    X(done) X(fail) X(push_back) X(batch_begin) X(batch_add) X(batch_seal)        \
    X(batch_count) X(batch_ending) X(wait_on) X(reminder) X(part) X(token_by_id) \
    X(token_close) X(run_by_id) X(send) X(handle) X(raise_with) X(on_abort)
/* clang-format on */

/* Each has the type of its member. */
#define X(name) extern __typeof__(*((struct bide_api *)0)->name) api_##name;
WORKER_API_MAP(X)
#undef X

#endif
