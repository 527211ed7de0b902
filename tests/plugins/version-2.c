/* See version-1.c. */
#include <bide/bide.h>

#define ORDER_STATE(F) \
    F(TOKEN, approval) \
    F(STR(16), buyer)  \
    F(U32, added)      \
    F(I64, amount)     \
    F(STR(64), note)

#define ORDER_SEGMENTS(S) \
    S(start)              \
    S(approved)

static const struct bide_rename renames[] = {
    { "customer", "buyer" },
    { "decided", "approved" },
    { NULL, NULL },
};

BIDE_TASK(order, ORDER_STATE, ORDER_SEGMENTS, .id = "versioned", .renamed = renames)

static bide_next start(bide_task *t)
{
    struct order *s = bide_state(t);

    bide_set_str(t, s->note, "a note longer than eight");
    s->approval = bide_token_create(t, (struct bide_token_opts){ .timeout_ms = BIDE_HOURS(1) });
    bide_meta_str(t, "url", bide_token_url(t, &s->approval));
    return bide_wait_token(t, &s->approval, approved);
}

static bide_next approved(bide_task *t)
{
    struct order *s = bide_state(t);

    bide_out_i64(t, "version", 2);
    bide_out_str(t, "note", s->note);
    bide_out_i64(t, "amount", s->amount);
    bide_out_i64(t, "added", s->added);
    bide_out_str(t, "buyer", s->buyer);
    return bide_done(t);
}

BIDE_PLUGIN("versioned", "2.0.0", order_task)
