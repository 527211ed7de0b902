/*
 * bide: durable tasks in C. This is all a plugin includes, and it needs nothing at link time.
 *
 * A task is a few functions, its segments, and a declared state. A segment works and returns what comes
 * next: a wait that names the segment to go on with, the end, or a failure. While a run waits it is a row
 * in a database; only its state survives. The author's guide is plugin-sdk/README.md.
 *
 * Holds for every function here:
 *   Memory    What you get is borrowed until your segment returns, what you give is copied before the call
 *             returns. Nobody frees anything across the border. Globals do not survive: use the state.
 *   Errors    stick. After the first, calls do nothing and return zero, "" or NULL, and the attempt
 *             fails with that error whatever the segment returns. So test business, not calls.
 *   Reruns    A segment may run again after a crash, from its top with the state it started with. Tokens and
 *             children made before are found again, not made twice; so is what bide_once() recorded.
 *   Threads   [segment]: only from the thread that runs the segment. [any]: also from threads it
 *             started and joins.
 *   Times     are milliseconds, dates milliseconds since 1970 (UTC).
 * All is since 1.0 unless it says otherwise.
 */
#ifndef BIDE_BIDE_H
#define BIDE_BIDE_H

#include "abi.h"
#include "declare.h"

#define BIDE_MUST_RETURN      __attribute__((warn_unused_result))
#define BIDE_PRINTF_(at, args) __attribute__((format(printf, at, args)))

#define BIDE_SECONDS(n) (INT64_C(1000) * (n))
#define BIDE_MINUTES(n) (INT64_C(60000) * (n))
#define BIDE_HOURS(n)   (INT64_C(3600000) * (n))
#define BIDE_DAYS(n)    (INT64_C(86400000) * (n))

/* ---- the run: where am I, what was asked ---------------------------------------------------- */

/* The task's state, as it was when the last segment ended; all zero in the first.      [segment] */
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

/* The payload of the trigger, already checked against the task's schema. Never NULL.   [segment] */
static inline const bide_value *bide_input(bide_task *t)
{
    return t->api->input(t);
}

/* Run id, attempt, environment, tags and so on: see struct bide_run_info.                      [any] */
static inline const struct bide_run_info *bide_info(bide_task *t)
{
    return t->info;
}

/* "run_…": unique for ever, the same in each attempt: a good idempotency key for others.   [any] */
static inline const char *bide_run_id(bide_task *t)
{
    return t->info->run_id;
}

/* The time now. Moves on in a rerun; keep it in the state where that matters.              [any] */
static inline int64_t bide_now(bide_task *t)
{
    return t->api->now_ms(t);
}

/*
 * Has the run been canceled, or an error been raised? Long computations ask now and then and
 * return early, whatever they return; those that do not are killed after a grace time. [segment]
 */
static inline bool bide_canceled(bide_task *t)
{
    return t->api->is_canceled(t);
}

/* ---- reading values -------------------------------------------------------------------------
 *
 * `key` names a member of the map `value`; NULL means `value` itself. What is missing or null reads as
 * zero, "" or NULL; what is of another kind raises "wrong_kind", which is not retried.       [segment]
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

/* ---- the state's texts and bytes ------------------------------------------------------------ */

/*
 * bide_set_str(t, s->order_id, text): copy `text` (NULL: "") into a STR field. Raises "too_long" when it
 * does not fit; nothing is ever cut.                                                    [segment]
 * bide_set_bytes(t, s->digest, bytes, size): the same for a BYTES field.
 */
static inline bool bide_copy_(bide_task *t, void *field, size_t capacity, const void *bytes,
    size_t size);

static inline void bide_set_text_(bide_task *t, char *field, size_t field_size, const char *text)
{
    size_t size = text == NULL ? 0 : __builtin_strlen(text);
    if (bide_copy_(t, field, field_size - 1, text, size))
        field[size] = 0;
}

#ifdef __cplusplus
template <size_t N> static inline void bide_set_str(bide_task *t, char (&field)[N], const char *text)
{
    bide_set_text_(t, field, N, text);
}
template <uint32_t N>
static inline void bide_set_bytes(bide_task *t, bide_bytes_of<N> &field, const void *bytes,
    size_t size)
{
    if (bide_copy_(t, field.data, N, bytes, size))
        field.size = static_cast<uint32_t>(size);
}
#else
#define bide_set_str(t, field, text) bide_set_str_((t), &(field), sizeof(field), (text))
#define bide_set_bytes(t, field, bytes, bytes_size)                                            \
    bide_set_bytes_((t), &(field).size, (field).data, sizeof(field).data, (bytes), (bytes_size))

static inline void bide_set_str_(bide_task *t, char (*field)[], size_t size, const char *text)
{
    bide_set_text_(t, *field, size, text);
}

static inline void bide_set_bytes_(bide_task *t, uint32_t *field_size, unsigned char *data,
    size_t capacity, const void *bytes, size_t size)
{
    if (bide_copy_(t, data, capacity, bytes, size))
        *field_size = (uint32_t)size;
}
#endif

/* ---- making values --------------------------------------------------------------------------
 *
 * For payloads, outputs, metadata and VALUE fields. A map or list that is put into another is copied as
 * it is then. Text must be UTF-8, else "not_utf8" is raised.                            [segment]
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

/* Not finite: null. */
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

/* Put a member into a map, replacing one of that key; add an item to a list. NULL values: null. */
static inline void bide_put(bide_task *t, bide_map *map, const char *key, const bide_value *value)
{
    t->api->put(t, map, key, value);
}

static inline void bide_add(bide_task *t, bide_list *list, const bide_value *value)
{
    t->api->add(t, list, value);
}

/*
 * One line a kind: bide_put_i64(t, map, key, 5), bide_add_i64(t, list, 5), bide_out_i64(t, key, 5) (the run's
 * output is a map, this is its member) and bide_meta_i64(t, key, 5) (the run's metadata).
 */
#define BIDE_MAKERS_(kind, type)                                                               \
    static inline void bide_put_##kind(bide_task *t, bide_map *map, const char *key, type value) \
    {                                                                                          \
        t->api->put(t, map, key, bide_of_##kind(t, value));                                    \
    }                                                                                          \
    static inline void bide_add_##kind(bide_task *t, bide_list *list, type value)              \
    {                                                                                          \
        t->api->add(t, list, bide_of_##kind(t, value));                                        \
    }                                                                                          \
    static inline void bide_out_##kind(bide_task *t, const char *key, type value)              \
    {                                                                                          \
        t->api->out(t, key, bide_of_##kind(t, value));                                         \
    }                                                                                          \
    static inline void bide_meta_##kind(bide_task *t, const char *key, type value)             \
    {                                                                                          \
        t->api->meta(t, BIDE_META_SET, key, bide_of_##kind(t, value));                         \
    }

BIDE_MAKERS_(bool, bool)
BIDE_MAKERS_(i64, int64_t)
BIDE_MAKERS_(u64, uint64_t)
BIDE_MAKERS_(f64, double)
BIDE_MAKERS_(str, const char *)

/* ---- output, metadata, progress, log -------------------------------------------------------- */

/*
 * The run's output: whole, or one member of it. It is kept when the segment ends in bide_done(); a
 * segment that goes on to wait loses it, so what is known early belongs into the state. [segment]
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
 * Metadata: a small map beside the run that anyone with the environment's key can read while it runs.
 * Changes are kept when the segment ends, with its state.                               [segment]
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

/* 0 to 100; more is 100. Shown at once.                                                 [segment] */
static inline void bide_progress(bide_task *t, uint32_t percent)
{
    t->api->progress(t, percent);
}

/* A line in the run's log. Shown at once, bounded per run; a rerun logs again.          [segment] */
BIDE_PRINTF_(3, 4)
static inline void bide_log(bide_task *t, enum bide_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->log(t, (uint32_t)level, format, arguments);
    va_end(arguments);
}

#define bide_log_debug(t, ...) bide_log((t), BIDE_DEBUG, __VA_ARGS__)
#define bide_log_info(t, ...)  bide_log((t), BIDE_INFO, __VA_ARGS__)
#define bide_log_warn(t, ...)  bide_log((t), BIDE_WARN, __VA_ARGS__)
#define bide_log_error(t, ...) bide_log((t), BIDE_ERROR, __VA_ARGS__)

/* ---- errors --------------------------------------------------------------------------------- */

/*
 * Raise an error from inside a helper; the attempt then fails with it. `code` is a word for programs,
 * the text a sentence for people. Not retryable: the run fails at once.                 [segment]
 */
BIDE_PRINTF_(4, 5)
static inline void bide_raise(bide_task *t, bool retryable, const char *code, const char *format,
    ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->raise(t, retryable, code, format, arguments);
    va_end(arguments);
}

/* The code of the error that was raised; NULL when there is none.                       [segment] */
static inline const char *bide_raised(bide_task *t)
{
    return t->api->error(t);
}

static inline bool bide_copy_(bide_task *t, void *field, size_t capacity, const void *bytes,
    size_t size)
{
    if (size > capacity) {
        bide_raise(t, false, "too_long", "%zu bytes do not fit a field of %zu", size, capacity);
        return false;
    }
    if (size != 0)
        __builtin_memcpy(field, bytes, size);
    return true;
}

/* ---- things that outlive the segment --------------------------------------------------------- */

/*
 * A token: a door for one answer from outside. Whoever POSTs JSON to its URL completes it, once. Keep it
 * in the state and wait for it; an answer may come before. Zero token on error.         [segment]
 */
static inline bide_token bide_token_create(bide_task *t, struct bide_token_opts opts)
{
    bide_token token = { 0, "" };
    opts.size = sizeof opts;
    t->api->token_create(t, &opts, &token);
    return token;
}

/* Where to POST; "" for the zero token. The pointer is into `token`.                       [any] */
static inline const char *bide_token_url(bide_task *t, const bide_token *token)
{
    (void)t;
    return token->url;
}

/* Start a run of another task; durable when this returns. NULL payload: null.           [segment] */
static inline bide_run bide_trigger_with(bide_task *t, const char *task, const bide_value *payload,
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
 * Do something to the outside world once: the first time `act` runs and what it returns is recorded before
 * bide_once() returns it; a rerun of the segment gets the record and `act` is not called. NULL from `act`
 * is recorded as null; nothing is recorded when it raised an error. A crash between the act and the
 * record repeats the act: give the other side bide_run_id() as its idempotency key.     [segment]
 *
 * `name` is unique within the segment. Records are dropped when the segment is done.
 */
typedef const bide_value *(*bide_once_fn)(bide_task *t, void *context);

static inline const bide_value *bide_once(bide_task *t, const char *name, bide_once_fn act,
    void *context)
{
    if (bide_raised(t) != NULL)
        return NULL;
    const bide_value *kept = t->api->once_find(t, name);
    return kept != NULL ? kept : t->api->once_keep(t, name, act(t, context));
}

/* Its two halves: NULL from the first, and no error: do it, then call the second, which returns the record. */
static inline const bide_value *bide_once_find(bide_task *t, const char *name)
{
    return t->api->once_find(t, name);
}

static inline const bide_value *bide_once_keep(bide_task *t, const char *name,
    const bide_value *value)
{
    return t->api->once_keep(t, name, value);
}

#include "wait.h"

#endif
