/*
 * kept.so is this file, built once against the header of ABI 1.0 (x86-64, stripped), and never
 * again: what was built before the ABI grew must load, suspend and resume unchanged.
 *
 *   cc -shared -fPIC -O2 -fvisibility=hidden -I HEADERS-OF-1.0 -s -o kept.so kept.c
 */
#include <bide/bide.h>

#define KEPT_STATE(F) F(I64, asked) F(TOKEN, token) F(STR(32), note)
#define KEPT(S)       S(ask) S(answered)

BIDE_TASK(kept, KEPT_STATE, KEPT, .id = "kept", .max_attempts = 2)

static bide_next ask(bide_task *t)
{
    struct kept *s = bide_state(t);

    s->asked = bide_i64(t, bide_input(t), "number");
    bide_set_str(t, s->note, "as it was");
    s->token = bide_token_create(t, (struct bide_token_opts){ .timeout_ms = BIDE_MINUTES(10) });
    bide_meta_str(t, "url", bide_token_url(t, &s->token));
    return bide_wait_token(t, &s->token, answered);
}

static bide_next answered(bide_task *t)
{
    struct kept *s = bide_state(t);

    bide_out_i64(t, "sum", s->asked + bide_i64(t, bide_result(t), "number"));
    bide_out_str(t, "note", s->note);
    return bide_done(t);
}

BIDE_PLUGIN("kept", "1.0.0", kept_task)
