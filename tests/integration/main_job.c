/* The main job, from outside: a task waits, the process dies, the task goes on. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

#define ORDER    "{\"order_id\": \"A-1\", \"amount_cents\": 1250}"
#define DECISION "{\"approved\": true, \"by\": \"ada\"}"

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(main_job, .init = set_up, .fini = tear_down, .timeout = 120);

static const char *approval_url(const struct reply *run)
{
    const char *url = reply_text(run, "metadata.approval_url");
    cr_assert_neq(strstr(url, "/callback/"), NULL, "no callback URL: %s", run->text);
    return url;
}

static void assert_refunded(const struct reply *run)
{
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_str_eq(reply_text(run, "output.order_id"), "A-1");
    cr_assert_str_eq(reply_text(run, "output.status"), "refunded");
    cr_assert_str_eq(reply_text(run, "output.decided_by"), "ada");
    cr_assert_eq(json_object_size(reply_at(run, "output")), 3);
}

static void assert_waiting_with_state(const struct reply *run)
{
    cr_assert_str_eq(reply_text(run, "status"), "WAITING", "%s", run->text);
    cr_assert_str_eq(reply_text(run, "state.order_id"), "A-1", "%s", run->text);
    cr_assert_eq(reply_number(run, "state.amount_cents"), 1250);
}

Test(main_job, a_waiting_task_survives_kill_9)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    assert_waiting_with_state(run_until(&s, run, "WAITING"));
    const char *url = approval_url(run_get(&s, run));

    server_kill(&s);
    server_start(&s);

    assert_waiting_with_state(run_get(&s, run));
    const struct reply *posted = server_call_as(&s, NULL, "POST", url, DECISION);
    cr_assert_eq(posted->status, 200, "%s", posted->text);
    cr_assert(json_is_true(reply_at(posted, "success")));
    assert_refunded(run_end(&s, run));
}

Test(main_job, an_acknowledged_trigger_survives_kill_9_at_once)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    server_kill(&s);
    server_start(&s);

    assert_waiting_with_state(run_until(&s, run, "WAITING"));
    cr_assert_eq(reply_number(run_get(&s, run), "attemptCount"), 1,
                 "a restart costs no attempt: %s", run_get(&s, run)->text);
}

Test(main_job, an_acknowledged_completion_survives_kill_9_at_once)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    const char *url = approval_url(run_until(&s, run, "WAITING"));

    const struct reply *posted = server_call_as(&s, NULL, "POST", url, DECISION);
    server_kill(&s);
    cr_assert_eq(posted->status, 200);
    server_start(&s);

    assert_refunded(run_end(&s, run));
}

Test(main_job, a_finished_run_is_still_finished_after_a_restart)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    server_call_as(&s, NULL, "POST", approval_url(run_until(&s, run, "WAITING")), DECISION);
    assert_refunded(run_end(&s, run));

    cr_assert_eq(server_stop(&s), 0, "SIGTERM is a clean end");
    server_start(&s);

    assert_refunded(run_get(&s, run));
}

/* The first answer wins; the second is told that all is well and changes nothing. */
Test(main_job, a_second_completion_changes_nothing)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    const char *url = approval_url(run_until(&s, run, "WAITING"));
    server_call_as(&s, NULL, "POST", url, DECISION);

    const struct reply *second =
        server_call_as(&s, NULL, "POST", url, "{\"approved\": false, \"by\": \"bob\"}");

    cr_assert_eq(second->status, 200, "%s", second->text);
    assert_refunded(run_end(&s, run));
}

Test(main_job, a_token_is_completed_through_the_api_as_well)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    const struct reply *waiting = run_until(&s, run, "WAITING");
    const struct reply *tokens = server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL);
    cr_assert_eq(json_array_size(reply_at(tokens, "data")), 1, "%s", tokens->text);
    const char *token = reply_text(tokens, "data.0.id");
    cr_assert_neq(strstr(approval_url(waiting), token), NULL, "the URL names the token");

    const struct reply *done =
        server_call(&s, "POST", text("/api/v1/waitpoints/tokens/%s/complete", token),
                    "{\"data\": " DECISION "}");

    cr_assert_eq(done->status, 200, "%s", done->text);
    assert_refunded(run_end(&s, run));
    const struct reply *item =
        server_call(&s, "GET", text("/api/v1/waitpoints/tokens/%s", token), NULL);
    cr_assert_str_eq(reply_text(item, "status"), "COMPLETED", "%s", item->text);
}

Test(main_job, nobody_decides_and_the_token_times_out)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    run_until(&s, run, "WAITING");
    const struct reply *tokens = server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL);

    const struct reply *out = server_call(
        &s, "POST",
        text("/api/v1/waitpoints/tokens/%s/timeout", reply_text(tokens, "data.0.id")), "");

    cr_assert_eq(out->status, 200, "%s", out->text);
    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "FAILED", "%s", ended->text);
    cr_assert_neq(strstr(reply_text(ended, "error.message"), "A-1"), NULL, "%s", ended->text);
}

Test(main_job, a_waiting_run_is_canceled)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    const char *url = approval_url(run_until(&s, run, "WAITING"));

    const struct reply *out = server_call(&s, "POST", text("/api/v2/runs/%s/cancel", run), "");

    cr_assert_eq(out->status, 200, "%s", out->text);
    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), "CANCELED");
    server_call_as(&s, NULL, "POST", url, DECISION);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "CANCELED");
    cr_assert_eq(server_call(&s, "POST", text("/api/v2/runs/%s/cancel", run), "")->status, 200,
                 "canceling what has ended is fine");
}

/* Whoever is cut off asks again with the same key, and gets the same run. */
Test(main_job, an_idempotency_key_survives_kill_9)
{
    const char *options = "{\"idempotencyKey\": \"refund-A-1\"}";
    const char *first = run_trigger(&s, "approve-refund", ORDER, options);
    server_kill(&s);
    server_start(&s);

    const char *second = run_trigger(&s, "approve-refund", ORDER, options);

    cr_assert_str_eq(first, second);
    const struct reply *list = server_call(&s, "GET", "/api/v1/runs", NULL);
    cr_assert_eq(json_array_size(reply_at(list, "data")), 1, "%s", list->text);
}

/* Law 2: what waits holds nothing. */
Test(main_job, waiting_holds_no_slot)
{
    for (int i = 0; i < 20; i++)
        run_until(&s, run_trigger(&s, "approve-refund", ORDER, NULL), "WAITING");
    const struct reply *queue =
        server_call(&s, "GET", "/api/v1/queues/approve-refund?type=task", NULL);
    cr_assert_eq(queue->status, 200, "%s", queue->text);
    cr_assert_eq(reply_number(queue, "running"), 0, "%s", queue->text);
    cr_assert_eq(reply_number(queue, "queued"), 0, "%s", queue->text);
}

Test(main_job, no_process_outlives_a_killed_server)
{
    run_until(&s, run_trigger(&s, "approve-refund", ORDER, NULL), "WAITING");
    pid_t pids[64];
    size_t count = server_children(&s, pids, 64);
    cr_assert_geq(count, 1, "there is a nursery at least");

    server_kill(&s);

    long long deadline = now_ms() + 5000;
    for (size_t i = 0; i < count && i < 64; i++)
        while (file_read(text("/proc/%d/cmdline", (int)pids[i])) != NULL) {
            cr_assert_lt(now_ms(), deadline, "process %d outlives the server", (int)pids[i]);
            pause_ms(10);
        }
}
