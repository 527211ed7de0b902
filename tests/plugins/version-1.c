/*
 * version-1 … version-4: the same task as it grows. A run that waits in one of them goes on in
 * the next:
 *
 *   1  the first
 *   2  a longer text, a new field, one dropped, a field and a segment renamed: runs of 1 go on
 *   3  `amount` is a text now: runs of 1 and 2 are parked
 *   4  the segment is gone: runs are parked
 */
#include <bide/bide.h>

#define ORDER_STATE(F)   \
    F(STR(8), note)      \
    F(I64, amount)       \
    F(U32, dropped)      \
    F(STR(16), customer) \
    F(TOKEN, approval)

#define ORDER_SEGMENTS(S) \
    S(start)              \
    S(decided)

BIDE_TASK(order, ORDER_STATE, ORDER_SEGMENTS, .id = "versioned")

static bide_next start(bide_task *t)
{
    struct order *s = bide_state(t);

    bide_set_str(t, s->note, "first");
    s->amount = 1250;
    s->dropped = 7;
    bide_set_str(t, s->customer, "Grace");
    s->approval = bide_token_create(t, (struct bide_token_opts){ .timeout_ms = BIDE_HOURS(1) });
    bide_meta_str(t, "url", bide_token_url(t, &s->approval));
    return bide_wait_token(t, &s->approval, decided);
}

static bide_next decided(bide_task *t)
{
    struct order *s = bide_state(t);

    bide_out_i64(t, "version", 1);
    bide_out_str(t, "note", s->note);
    bide_out_i64(t, "amount", s->amount);
    bide_out_i64(t, "dropped", s->dropped);
    bide_out_str(t, "customer", s->customer);
    return bide_done(t);
}

BIDE_PLUGIN("versioned", "1.0.0", order_task)
