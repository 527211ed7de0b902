/* The ends of a segment, and what the next one sees of a wait. Included by bide.h, whose rules hold. */
#ifndef BIDE_WAIT_H
#define BIDE_WAIT_H

#include "abi.h"

/*
 * Waits. `then` is the segment to enter when the wait is over. It must be in this task's segment
 * list, else the attempt fails with "segment_not_listed". State, metadata and the wait are kept in
 * one transaction; from then on the run holds no process. Return the value at once: nothing after
 * it runs.                                                                               [segment]
 */
BIDE_MUST_RETURN static inline bide_next bide_wait_(bide_task *t, struct bide_wait_opts opts,
    bide_segment_fn then)
{
    opts.size = sizeof opts;
    return t->api->wait(t, &opts, then);
}

static inline struct bide_wait_opts bide_wait_opts_(uint32_t kind, uint32_t count, uint32_t needed,
    int64_t timeout_ms)
{
    struct bide_wait_opts opts = { 0, kind, timeout_ms, 0, NULL, NULL, count, needed };
    return opts;
}

/* For `duration_ms`, e.g. BIDE_HOURS(24); 0 or less goes on at once, in a fresh segment. */
BIDE_MUST_RETURN static inline bide_next bide_wait_for(bide_task *t, int64_t duration_ms,
    bide_segment_fn then)
{
    return bide_wait_(t, bide_wait_opts_(BIDE_WAIT_TIME, 0, 0, duration_ms), then);
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

/* The same, giving up after `timeout_ms` (0: never). The token lives on and can be waited for again. */
BIDE_MUST_RETURN static inline bide_next bide_wait_token_within(bide_task *t,
    const bide_token *token, int64_t timeout_ms, bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_TOKENS, 1, 0, timeout_ms);
    opts.tokens = token;
    return bide_wait_(t, opts, then);
}

/* Until `needed` of the `count` tokens (0: all) are completed or timed out. */
BIDE_MUST_RETURN static inline bide_next bide_wait_token_array(bide_task *t,
    const bide_token *tokens, uint32_t count, uint32_t needed, int64_t timeout_ms,
    bide_segment_fn then)
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
    uint32_t count, uint32_t needed, int64_t timeout_ms, bide_segment_fn then)
{
    struct bide_wait_opts opts = bide_wait_opts_(BIDE_WAIT_RUNS, count, needed, timeout_ms);
    opts.runs = runs;
    return bide_wait_(t, opts, then);
}

/*
 * The same for a RUNS(n) or LIST(RUN, n), and a LIST(TOKEN, n), of the state; `list` is a pointer
 * to it. Of none at all a wait is over at once.
 */
#define bide_wait_runs(t, list, then)                                                          \
    bide_wait_run_array((t), (list)->item, (list)->count, 0, 0, (then))
#define bide_wait_any_run(t, list, then)                                                       \
    bide_wait_run_array((t), (list)->item, (list)->count, 1, 0, (then))
#define bide_wait_some_runs(t, list, needed, then)                                             \
    bide_wait_run_array((t), (list)->item, (list)->count, (needed), 0, (then))
#define bide_wait_runs_within(t, list, needed, timeout_ms, then)                               \
    bide_wait_run_array((t), (list)->item, (list)->count, (needed), (timeout_ms), (then))
#define bide_wait_tokens(t, list, then)                                                        \
    bide_wait_token_array((t), (list)->item, (list)->count, 0, 0, (then))
#define bide_wait_any_token(t, list, then)                                                     \
    bide_wait_token_array((t), (list)->item, (list)->count, 1, 0, (then))
#define bide_wait_some_tokens(t, list, needed, then)                                           \
    bide_wait_token_array((t), (list)->item, (list)->count, (needed), 0, (then))
#define bide_wait_tokens_within(t, list, needed, timeout_ms, then)                             \
    bide_wait_token_array((t), (list)->item, (list)->count, (needed), (timeout_ms), (then))

/* The run is completed, with the output made so far in this segment (none: null).        [segment] */
BIDE_MUST_RETURN static inline bide_next bide_done(bide_task *t)
{
    return t->api->done(t);
}

/*
 * The run failed, for good: trying again would end the same. `code` is a word for programs, the
 * text a sentence for people.                                                            [segment]
 */
BIDE_MUST_RETURN BIDE_PRINTF_(3, 4)
static inline bide_next bide_fail(bide_task *t, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->raise(t, false, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/* This attempt failed: try again after a pause while there are attempts left.            [segment] */
BIDE_MUST_RETURN BIDE_PRINTF_(3, 4)
static inline bide_next bide_retry(bide_task *t, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    t->api->raise(t, true, code, format, arguments);
    va_end(arguments);
    return t->api->fail(t);
}

/* ---- after a wait --------------------------------------------------------------------------- */

/* Did the wait give up? For one token: also when the token itself timed out.             [segment] */
static inline bool bide_timed_out(bide_task *t)
{
    return t->api->ending(t, 0)->status == BIDE_WAIT_TIMEOUT;
}

/* How the wait ended; BIDE_WAIT_NONE in the entry segment. For one token or run: how that ended. */
static inline enum bide_wait bide_wait_status(bide_task *t)
{
    return (enum bide_wait)t->api->ending(t, 0)->status;
}

/*
 * What was posted to the token that was waited for, or the output of the run. With several: of the
 * first that ended well, in the order they were named. NULL when it did not end well.    [segment]
 */
static inline const bide_value *bide_result(bide_task *t)
{
    return t->api->ending(t, 0)->value;
}

/* The same for one of several tokens. BIDE_WAIT_NONE: still open.                        [segment] */
static inline enum bide_wait bide_token_status(bide_task *t, const bide_token *token)
{
    return (enum bide_wait)(token->id == 0 ? 0 : t->api->ending(t, token->id)->status);
}

static inline const bide_value *bide_token_result(bide_task *t, const bide_token *token)
{
    return token->id == 0 ? NULL : t->api->ending(t, token->id)->value;
}

/*
 * And for runs, those too that were never waited for. The output is NULL while the run is under way
 * and when it failed or was canceled; a run that completed without output has a null value. The
 * error is a sentence, "" when there is none.                                            [segment]
 */
static inline enum bide_wait bide_run_status(bide_task *t, const bide_run *run)
{
    return (enum bide_wait)(run->id == 0 ? 0 : t->api->ending(t, run->id)->status);
}

static inline const bide_value *bide_run_output(bide_task *t, const bide_run *run)
{
    return run->id == 0 ? NULL : t->api->ending(t, run->id)->value;
}

static inline const char *bide_run_error(bide_task *t, const bide_run *run)
{
    return run->id == 0 ? "" : t->api->ending(t, run->id)->error;
}

/* "run_…", as the API names it.                                                          [segment] */
static inline const char *bide_run_text(bide_task *t, const bide_run *run)
{
    return t->api->run_text(t, run->id);
}

#endif
