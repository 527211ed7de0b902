/* Errors that a task handles: its own, those of calls, and those of its children. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "pay");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(errors, .init = set_up, .fini = tear_down, .timeout = 120);

Test(errors, a_refund_is_reached_after_a_charge_that_failed)
{
    const char *run = run_trigger(&s, "order", "{\"code\": \"card_declined\"}", NULL);
    const struct reply *ended = run_end(&s, run);

    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    cr_expect_str_eq(reply_text(ended, "output.refunded"), "card_declined");
    cr_expect_str_eq(reply_text(ended, "output.refused"), "refused");
    cr_expect_eq(reply_number(ended, "output.calls"), 3, "%s", ended->text);
}

Test(errors, what_a_segment_can_do_nothing_about_stays_raised)
{
    const char *run = run_trigger(&s, "order", "{\"code\": \"calls_differ\"}", NULL);
    const struct reply *ended = run_end(&s, run);

    cr_assert_str_eq(reply_text(ended, "status"), "FAILED", "%s", ended->text);
    cr_expect_str_eq(reply_text(ended, "error.name"), "calls_differ", "%s", ended->text);
}
