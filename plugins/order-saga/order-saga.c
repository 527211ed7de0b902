/*
 * order-saga: reserve, charge, ship. What was done before something fails, or before somebody
 * cancels the run, is undone in reverse order.
 *
 *   reserve ──▶ charge ──▶ ship ──token──▶ shipped ──▶ done
 *                 │                           └─ the carrier refuses ─▶ fails: refund, release
 *                 └─ the card is declined ──▶ declined ──▶ done
 */
#include "order-saga.schema.h" /* made from schemas/order-saga.yaml */

#include <bide/bide.h>
#include <string.h>

#define ORDER_STATE(F)      \
    F(STR(161), order_id)   \
    F(STR(64), reservation) \
    F(STR(64), charge_id)   \
    F(TOKEN, carrier)

#define ORDER_SEGMENTS(S) \
    S(reserve) S(charge) S(ship) S(shipped) S(declined) S(release) S(refund)

static void tell(bide_task *t);

BIDE_TASK(order, ORDER_STATE, ORDER_SEGMENTS, .id = "order-saga", .abort_attempts = 10,
          .on_failure = tell, .on_cancel = tell)

/* Here one would call the warehouse, and the bank, with bide_run_id() as their idempotency key.
 */
static void note(bide_task *t, const char *what)
{
    bide_meta_append(t, "history", bide_of_str(t, what));
    bide_log_info(t, "%s", what);
}

static bide_next reserve(bide_task *t)
{
    struct order *s = bide_state(t);

    bide_set_str(t, s->order_id, bide_str(t, bide_input(t), "order_id"));
    bide_set_str(t, s->reservation, bide_run_id(t));
    note(t, "reserved");
    bide_on_abort(t, release);
    return bide_save(t, charge);
}

static void card_charge(bide_task *t)
{
    struct order *s = bide_state(t);

    if (strcmp(bide_str(t, bide_input(t), "card"), "declined") == 0)
        bide_raise(t, false, "card_declined", "the bank says no");
    bide_set_str(t, s->charge_id, bide_run_id(t)); /* does nothing after an error */
}

static bide_next charge(bide_task *t)
{
    card_charge(t);
    if (bide_handle(t, "card_declined") != NULL)
        return bide_save(t, declined);
    note(t, "charged");
    bide_on_abort(t, refund);
    return bide_save(t, ship);
}

/* Nothing has failed: the order is done, and what it holds is given back. */
static bide_next declined(bide_task *t)
{
    (void)release(t);
    bide_out_str(t, "status", "declined");
    return bide_done(t);
}

static bide_next ship(bide_task *t)
{
    struct order *s = bide_state(t);

    s->carrier = bide_token_create(
        t, (struct bide_token_opts){ .timeout_ms = BIDE_DAYS(2), .schema = "carrier" });
    bide_meta_str(t, "carrier", bide_token_url(t, &s->carrier));
    return bide_wait_token(t, &s->carrier, shipped);
}

static bide_next shipped(bide_task *t)
{
    if (bide_timed_out(t) || !bide_bool(t, bide_result(t), "accepted"))
        return bide_fail(t, "not_shipped", "the carrier does not take it");
    note(t, "shipped");
    bide_out_str(t, "status", "shipped");
    bide_out_str(t, "parcel", bide_str(t, bide_result(t), "parcel"));
    return bide_done(t);
}

static bide_next refund(bide_task *t)
{
    struct order *s = bide_state(t);

    note(t, "refunded");
    bide_set_str(t, s->charge_id, "");
    return bide_done(t);
}

static bide_next release(bide_task *t)
{
    struct order *s = bide_state(t);

    note(t, "released");
    bide_set_str(t, s->reservation, "");
    return bide_done(t);
}

/* All is undone by now. */
static void tell(bide_task *t)
{
    const struct bide_run_info *info = bide_info(t);
    const struct order *s = bide_state(t);

    bide_log_warn(t, "order %s has ended as %s%s%s", s->order_id, info->ending,
                  *info->error_text != 0 ? ": " : "", info->error_text);
    note(t, "told");
}

BIDE_PLUGIN("order-saga", "1.0.0", order_task)
