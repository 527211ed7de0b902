/* The sample plugins, each played to its end. */
#include "server.h"
#include "service.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    static const char *const names[] = { "hello",          "approve-refund", "render-image",
                                         "remind",         "monthly-digest", "board-approval",
                                         "nightly-report", "order-saga" };
    server_init(&s);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        server_add_plugin(&s, names[i]);
        server_add_schema(&s, names[i]);
    }
    server_add_schema(&s, "month-report");
    server_add_schema(&s, "store-report");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(samples, .init = set_up, .fini = tear_down, .timeout = 120);

static void assert_completed(const struct reply *run)
{
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
}

Test(samples, hello_echoes_its_input)
{
    const char *inputs[] = {
        "{}", "{\"name\": \"world\"}",
        "{\"deep\": [1, -2, 3.5, null, true, {\"x\": \"\\u00e4\\ud83d\\ude00\"}]}",
        "{\"big\": 9223372036854775807, \"small\": -9223372036854775808, \"e\": 1e-300}"
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        const struct reply *run = run_end(&s, run_trigger(&s, "hello", inputs[i], NULL));
        json_t *want = json_loads(inputs[i], 0, NULL);
        assert_completed(run);
        cr_assert(json_equal(want, reply_at(run, "output")), "%s", run->text);
        json_decref(want);
    }
}

Test(samples, remind_waits_as_often_as_it_was_told)
{
    const char *run = run_trigger(
        &s, "remind", "{\"interval_ms\": 100, \"count\": 5, \"note\": \"water\"}", NULL);
    long long start = now_ms();

    const struct reply *ended = run_end(&s, run);

    assert_completed(ended);
    cr_assert_geq(now_ms() - start, 450, "five waits of 100 ms took %lld ms", now_ms() - start);
}

/* The loop's counter is state: it is not started again by a restart. */
Test(samples, remind_goes_on_after_kill_9)
{
    const char *run = run_trigger(
        &s, "remind", "{\"interval_ms\": 400, \"count\": 4, \"note\": \"water\"}", NULL);
    run_until(&s, run, "WAITING");
    for (int i = 0; i < 3; i++) {
        pause_ms(250);
        server_kill(&s);
        server_start(&s);
    }

    assert_completed(run_end(&s, run));
}

Test(samples, monthly_digest_collects_its_children)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "monthly-digest", "{}", NULL));
    assert_completed(run);
    long long total = reply_number(run, "output.total"), sum = 0;

    const struct reply *list = server_call(
        &s, "GET", "/api/v1/runs?page%5Bsize%5D=100&filter%5BtaskIdentifier%5D=month-report",
        NULL);
    size_t count = json_array_size(reply_at(list, "data"));
    cr_assert_eq(count, 12, "%zu children", count);
    for (size_t i = 0; i < count; i++) {
        const char *id = reply_text(list, text("data.%zu.id", i));
        sum += reply_number(run_get(&s, id), "output.total");
    }
    cr_assert_eq(total, sum);
    cr_assert_neq(total, 0);
}

Test(samples, monthly_digest_survives_kill_9)
{
    const char *run = run_trigger(&s, "monthly-digest", "{\"months\": 6}", NULL);
    server_kill(&s);
    server_start(&s);

    assert_completed(run_end(&s, run));
    const struct reply *list = server_call(
        &s, "GET", "/api/v1/runs?page%5Bsize%5D=100&filter%5BtaskIdentifier%5D=month-report",
        NULL);
    cr_assert_eq(json_array_size(reply_at(list, "data")), 6, "%s", list->text);
}

/* By a schedule: 500 children, ten of which fail. */
Test(samples, nightly_report_tolerates_failures)
{
    server_call(&s, "POST", "/api/v1/schedules",
                "{\"task\": \"nightly-report\", \"cron\": \"30 2 * * *\","
                " \"deduplicationKey\": \"nightly\", \"timezone\": \"Europe/Berlin\"}");
    const struct reply *made = server_call(&s, "POST", "/api/v1/schedules/nightly/run", "{}");
    cr_assert_eq(made->status, 200, "%s", made->text);

    const struct reply *run = run_end(&s, text("%s", reply_text(made, "id")));

    assert_completed(run);
    cr_assert_eq(reply_number(run, "output.stores"), 500, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.failed"), 10);
    cr_assert_eq(reply_number(run, "output.total"), 10 * 125250 - 10 * 2750);
    cr_assert_str_eq(reply_text(run, "schedule.deduplicationKey"), "nightly");
}

/* ---- a board of three ---------------------------------------------------------------------
 */

#define BOARD "{\"question\": \"a party?\", \"people\": [\"ann\", \"bob\", \"cid\"]%s}"

static const char *board_ask(const char *more)
{
    const char *run = run_trigger(&s, "board-approval", text(BOARD, more), NULL);

    run_until(&s, run, "WAITING");
    return run;
}

static int vote(const char *run, const char *who, bool agrees)
{
    const char *url = reply_text(run_get(&s, run), text("metadata.%s", who));

    return server_call_as(&s, NULL, "POST", url,
                          agrees ? "{\"agrees\": true}" : "{\"agrees\": false}")
        ->status;
}

static void assert_board(const char *run, const char *decision, bool by_default,
                         long long reminders)
{
    const struct reply *ended = run_end(&s, run);

    assert_completed(ended);
    cr_assert_str_eq(reply_text(ended, "output.decision"), decision, "%s", ended->text);
    cr_assert_eq(json_is_true(reply_at(ended, "output.by_default")), by_default);
    cr_assert_eq(reply_number(ended, "output.reminders"), reminders);
}

Test(samples, a_board_decides_by_two_of_three)
{
    const char *run = board_ask("");

    const struct reply *seen = run_get(&s, run);
    cr_assert_str_eq(reply_text(seen, "waitingFor.1.name"), "second", "%s", seen->text);
    cr_assert_eq(reply_number(seen, "waitingForNeeded"), 2);
    cr_assert_eq(reply_number(seen, "reminders"), 2);
    cr_assert_str_eq(reply_text(seen, "heldBy.until"), reply_text(seen, "waitGivesUpAt"));
    cr_assert_eq(vote(run, "first", true), 200);
    server_kill(&s);
    server_start(&s);
    cr_assert_str_eq(reply_text(run_get(&s, run), "waitingFor.0.status"), "COMPLETED");
    cr_assert_eq(vote(run, "third", true), 200);

    assert_board(run, "approved", false, 0);
    cr_assert_eq(vote(run, "second", false), 410, "nobody waits for it any more");
}

Test(samples, a_board_that_is_split_asks_the_third)
{
    const char *run = board_ask("");

    vote(run, "first", true);
    vote(run, "second", false);
    run_until(&s, run, "WAITING");
    vote(run, "third", false);

    assert_board(run, "refused", false, 0);
}

Test(samples, a_board_that_says_nothing_is_reminded_and_then_it_is_the_default)
{
    const char *run = board_ask(", \"remind_after_ms\": [200, 400], \"give_up_ms\": 900, "
                                "\"otherwise\": \"approved\"");

    vote(run, "second", false);
    assert_board(run, "approved", true, 2);

    const struct reply *log = server_call(&s, "GET", text("/api/v1/runs/%s/logs", run), NULL);
    cr_assert_neq(strstr(log->text, "ann has not voted yet (reminder 1)"), NULL, "%s",
                  log->text);
    cr_assert_neq(strstr(log->text, "cid has not voted yet (reminder 2)"), NULL);
    cr_assert_eq(strstr(log->text, "bob has"), NULL, "he has voted");
}

/* ---- a third party that calls back --------------------------------------------------------
 */

/* The order's webhook, whatever the member is called. */
static const char *webhook_of(json_t *order)
{
    const char *key;
    json_t *value;
    json_object_foreach(order, key, value)
    {
        const char *words = json_string_value(value);
        if (words != NULL && strstr(words, "/callback/") != NULL)
            return words;
    }
    give_up("the order has no webhook");
}

static const char *order_render(struct service *service)
{
    return run_trigger(
        &s, "render-image",
        text("{\"service_url\": \"%s\", \"image\": \"cat.png\"}", service_url(service)), NULL);
}

Test(samples, render_image_is_called_back)
{
    struct service *service = service_start();
    const char *run = order_render(service);
    json_t *order = service_order(service, 0);
    cr_assert_str_eq(json_string_value(json_object_get(order, "image")), "cat.png");
    cr_assert_eq(json_integer_value(json_object_get(order, "size")), 512,
                 "the schema's default");

    const struct reply *posted = server_call_as(
        &s, NULL, "POST", webhook_of(order),
        "{\"status\": \"done\", \"result_url\": \"http://127.0.0.1/cat-512.png\"}");

    cr_assert_eq(posted->status, 200, "%s", posted->text);
    const struct reply *ended = run_end(&s, run);
    assert_completed(ended);
    cr_assert_neq(strstr(ended->text, "cat-512.png"), NULL, "%s", ended->text);
    cr_assert_eq(service_orders(service), 1);
    service_stop(service);
}

/* The webhook's address was given away before: it must still be good. */
Test(samples, render_image_is_called_back_after_kill_9)
{
    struct service *service = service_start();
    const char *run = order_render(service);
    const char *webhook = webhook_of(service_order(service, 0));
    run_until(&s, run, "WAITING");
    server_kill(&s);
    server_start(&s);

    server_call_as(&s, NULL, "POST", webhook,
                   "{\"status\": \"done\", \"result_url\": \"http://127.0.0.1/cat-512.png\"}");

    assert_completed(run_end(&s, run));
    cr_assert_eq(service_orders(service), 1, "it was ordered once");
    service_stop(service);
}

/* Faster than the run can go to sleep: an answer before the wait is an answer. */
Test(samples, render_image_is_called_back_at_once)
{
    struct service *service = service_start();
    for (unsigned i = 0; i < 10; i++) {
        const char *run = order_render(service);
        server_call_as(
            &s, NULL, "POST", webhook_of(service_order(service, i)),
            "{\"status\": \"done\", \"result_url\": \"http://127.0.0.1/cat-512.png\"}");
        assert_completed(run_end(&s, run));
    }
    service_stop(service);
}

Test(samples, render_image_fails_when_the_service_says_so)
{
    struct service *service = service_start();
    const char *run = order_render(service);

    server_call_as(&s, NULL, "POST", webhook_of(service_order(service, 0)),
                   "{\"status\": \"failed\", \"error\": \"the cat moved\"}");

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "FAILED", "%s", ended->text);
    cr_assert_neq(strstr(reply_text(ended, "error.message"), "the cat moved"), NULL, "%s",
                  ended->text);
    service_stop(service);
}

/* ---- an order -----------------------------------------------------------------------------
 */

#define ORDER "{\"order_id\": \"4711\", \"amount_cents\": 1250%s}"

static void assert_history(const struct reply *run, const char *const *steps)
{
    size_t count = json_array_size(reply_at(run, "metadata.history"));

    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(reply_text(run, text("metadata.history.%zu", i)), steps[i], "%s",
                         run->text);
    cr_assert_null(steps[count], "%s", run->text);
}

static const char *order_wait(void)
{
    const char *run = run_trigger(&s, "order-saga", text(ORDER, ""), NULL);

    run_until(&s, run, "WAITING");
    return run;
}

static void carrier_says(const char *run, const char *answer)
{
    const char *url = reply_text(run_get(&s, run), "metadata.carrier");

    cr_assert_eq(server_call_as(&s, NULL, "POST", url, answer)->status, 200);
}

Test(samples, an_order_is_shipped)
{
    const char *run = order_wait();

    carrier_says(run, "{\"accepted\": true, \"parcel\": \"P1\"}");

    const struct reply *ended = run_end(&s, run);
    assert_completed(ended);
    cr_assert_str_eq(reply_text(ended, "output.parcel"), "P1");
    assert_history(ended, (const char *[]){ "reserved", "charged", "shipped", NULL });
}

Test(samples, an_order_that_nobody_ships_is_undone)
{
    const char *run = order_wait();
    cr_assert_str_eq(reply_text(run_get(&s, run), "compensations.1"), "refund");
    server_kill(&s);
    server_start(&s);

    carrier_says(run, "{\"accepted\": false}");

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "FAILED", "%s", ended->text);
    cr_assert_str_eq(reply_text(ended, "error.name"), "not_shipped");
    assert_history(
        ended, (const char *[]){ "reserved", "charged", "refunded", "released", "told", NULL });
}

Test(samples, an_order_that_is_canceled_is_undone)
{
    const char *run = order_wait();

    server_call(&s, "POST", text("/api/v2/runs/%s/cancel", run), "{}");

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "CANCELED", "%s", ended->text);
    assert_history(
        ended, (const char *[]){ "reserved", "charged", "refunded", "released", "told", NULL });
}

Test(samples, an_order_with_a_declined_card_is_done_without_being_shipped)
{
    const struct reply *ended = run_end(
        &s, run_trigger(&s, "order-saga", text(ORDER, ", \"card\": \"declined\""), NULL));

    assert_completed(ended);
    cr_assert_str_eq(reply_text(ended, "output.status"), "declined");
    assert_history(ended, (const char *[]){ "reserved", "released", NULL });
}
