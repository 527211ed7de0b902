/*
 * pay: tasks that handle errors.
 *
 *   charge   fails with the code that it is told
 *   order    start ──charge──▶ charged ──refused──▶ refund ──▶ done
 */
#include <bide/bide.h>
#include <string.h>

#define CHARGE_SEGMENTS(S) S(charge)

BIDE_TASK(charge_card, BIDE_NO_STATE, CHARGE_SEGMENTS, .id = "charge", .max_attempts = 1)

static bide_next charge(bide_task *t)
{
    return bide_fail(t, bide_str(t, bide_input(t), "code"), "the card was not charged");
}

#define ORDER_STATE(F)    F(RUN, card) F(STR(40), why) F(STR(200), refused) F(I64, calls)
#define ORDER_SEGMENTS(S) S(start) S(charged) S(refund)

BIDE_TASK(order, ORDER_STATE, ORDER_SEGMENTS, .id = "order", .max_attempts = 1)

static bide_next start(bide_task *t)
{
    struct order *s = bide_state(t);

    s->card = bide_trigger(t, "charge", bide_input(t));
    return bide_wait_run(t, &s->card, charged);
}

static const bide_value *call_bank(bide_task *t, void *context)
{
    struct order *s = context;

    if (++s->calls < 3)
        bide_raise(t, true, "bank_busy", "the bank is busy");
    return bide_of_i64(t, s->calls);
}

/* An act that raised has no record: its name is free. */
static int64_t ask_bank(bide_task *t, struct order *s)
{
    const bide_value *said = bide_once(t, "bank", call_bank, s);
    const struct bide_error *error = bide_handle(t, "bank_busy");

    if (error == NULL)
        return bide_i64(t, said, NULL);
    return error->retryable ? ask_bank(t, s) : -1;
}

static bide_next charged(bide_task *t)
{
    struct order *s = bide_state(t);

    s->calls = ask_bank(t, s);
    bide_set_str(t, s->why, bide_run_error_code(t, &s->card));
    if (strcmp(s->why, "card_declined") != 0) {
        bide_raise(t, false, s->why, "nothing can be done about this one");
        return bide_handle(t, s->why) != NULL ? bide_save(t, refund) : bide_done(t);
    }
    (void)bide_trigger(t, "order\nof two lines", NULL); /* refused */
    if (bide_handle(t, "another") != NULL)
        return bide_done(t);
    const struct bide_error *error = bide_handle(t, NULL);
    if (error != NULL)
        bide_set_str(t, s->refused, error->code);
    return bide_save(t, refund);
}

static bide_next refund(bide_task *t)
{
    struct order *s = bide_state(t);

    bide_out_str(t, "refunded", s->why);
    bide_out_str(t, "refused", s->refused);
    bide_out_i64(t, "calls", s->calls);
    return bide_done(t);
}

BIDE_PLUGIN("pay", "1.0.0", charge_card_task, order_task)
