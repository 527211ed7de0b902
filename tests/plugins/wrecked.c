/*
 * wrecked: a run with something of everything when it crashes: a state, a token's result, what
 * it did once. Built twice: as `mended` it does not crash.
 *
 * Input: { name }. Output: { name, sum }.
 */
#include <bide/bide.h>
#include <stdlib.h>

#define WRECKED_STATE(F)    F(STR(40), name) F(I64, amount) F(BYTES(4), raw) F(TOKEN, answer)
#define WRECKED_SEGMENTS(S) S(begin) S(answered)

BIDE_TASK(wrecked, WRECKED_STATE, WRECKED_SEGMENTS, .id = "wrecked", .max_attempts = 1)

static bide_next begin(bide_task *t)
{
    struct wrecked *s = bide_state(t);

    bide_set_str(t, s->name, bide_str(t, bide_input(t), "name"));
    s->amount = 40;
    bide_set_bytes(t, s->raw, "\x00\xff\x10", 3);
    s->answer =
        bide_token_create(t, (struct bide_token_opts){ .timeout_ms = BIDE_MINUTES(10) });
    return bide_wait_token(t, &s->answer, answered);
}

static bide_next answered(bide_task *t)
{
    struct wrecked *s = bide_state(t);
    int64_t sum = s->amount + bide_i64(t, bide_result(t), "more");

    bide_log_info(t, "%s has %lld, raw %u", s->name, (long long)sum, s->raw.size);
#ifndef MENDED
    if (sum == 42)
        abort(); /* what reports name */
#endif
    bide_out_str(t, "name", s->name);
    bide_out_i64(t, "sum", sum);
    return bide_done(t);
}

BIDE_PLUGIN("wrecked", "1.0.0", wrecked_task)
