/* See version-1.c. */
#include <bide/bide.h>

#define ORDER_STATE(F) \
    F(STR(16), amount) \
    F(TOKEN, approval)

#define ORDER_SEGMENTS(S) \
    S(start)              \
    S(decided)            \
    S(approved)

BIDE_TASK(order, ORDER_STATE, ORDER_SEGMENTS, .id = "versioned")

static bide_next start(bide_task *t)
{
    struct order *s = bide_state(t);

    s->approval = bide_token_create(t, (struct bide_token_opts){ .timeout_ms = BIDE_HOURS(1) });
    return bide_wait_token(t, &s->approval, decided);
}

static bide_next decided(bide_task *t)
{
    bide_out_i64(t, "version", 3);
    return bide_done(t);
}

static bide_next approved(bide_task *t)
{
    return decided(t);
}

BIDE_PLUGIN("versioned", "3.0.0", order_task)
