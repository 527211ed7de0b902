/*
 * approve-refund: ask a human before money moves.
 *
 *   start ──token, 10 min──▶ decided ──▶ done | failed
 */
#include "approve-refund.schema.h" /* made from schemas/approve-refund.yaml */

#include <bide/bide.h>

#define REFUND_STATE(F)   /* the only memory that survives a wait */ \
    F(STR(257), order_id) /* 64 characters of up to 4 bytes */       \
    F(I64, amount_cents)                                             \
    F(TOKEN, approval)

#define REFUND_SEGMENTS(S) /* the only places a run can resume; first is the entry */ \
    S(start)                                                                          \
    S(decided)

BIDE_TASK(refund, REFUND_STATE, REFUND_SEGMENTS, .id = "approve-refund", .max_attempts = 3)

static bide_next start(bide_task *t)
{
    struct refund *s = bide_state(t);
    struct approve_refund_input in = approve_refund_input_read(t); /* already valid */

    bide_set_str(t, s->order_id, in.order_id);
    s->amount_cents = in.amount_cents;
    s->approval = bide_token_create(
        t, (struct bide_token_opts){ .timeout_ms = BIDE_MINUTES(10), .schema = "approval" });

    /* Whoever reads the run's metadata can now POST the decision to this URL. */
    bide_meta_str(t, "approval_url", bide_token_url(t, &s->approval));
    return bide_wait_token(t, &s->approval, decided);
}

static bide_next decided(bide_task *t)
{
    struct refund *s = bide_state(t);

    if (bide_timed_out(t))
        return bide_fail(t, "approval_timeout", "nobody decided on order %s", s->order_id);

    struct approve_refund_token_approval posted = approve_refund_token_approval_read(t);
    struct approve_refund_output out = {
        .order_id = s->order_id,
        .status = posted.approved ? APPROVE_REFUND_OUTPUT_STATUS_REFUNDED
                                  : APPROVE_REFUND_OUTPUT_STATUS_REFUSED,
        .decided_by = posted.by,
    };
    approve_refund_output_write(t, &out);
    return bide_done(t);
}

BIDE_PLUGIN("refunds", "1.0.0", refund_task)
