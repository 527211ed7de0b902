/* What a segment and a trigger can ask for, one by one, through the whole machine. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "steady");
    server_add_plugin(&s, "kinds");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(features, .init = set_up, .fini = tear_down, .timeout = 120);

static const struct reply *play(const char *task, const char *payload, const char *options)
{
    return run_end(&s, run_trigger(&s, task, payload, options));
}

static void assert_status(const struct reply *run, const char *status)
{
    cr_assert_str_eq(reply_text(run, "status"), status, "%s", run->text);
}

static void assert_json(const struct reply *run, const char *path, const char *want)
{
    json_t *expected = json_loads(want, JSON_DECODE_ANY, NULL);
    cr_assert(json_equal(expected, reply_at(run, path)), "%s is not %s: %s", path, want,
              run->text);
    json_decref(expected);
}

/* ---- state --------------------------------------------------------------------------------
 */

Test(features, a_field_of_every_kind_survives_a_wait_and_a_restart)
{
    const struct reply *list = server_call(&s, "GET", "/api/v1/plugins", NULL);
    const char *task = "";
    for (int i = 0; i < 2; i++)
        if (strcmp(reply_text(list, text("data.%d.file", i)), "kinds.so") == 0)
            task = reply_text(list, text("data.%d.tasks.0", i));
    assert_status(play(task, "{}", NULL), "COMPLETED");
}

Test(features, a_loop_of_a_hundred_waits)
{
    const struct reply *run = play("loop", "{\"count\": 100}", NULL);
    assert_status(run, "COMPLETED");
    cr_assert_eq(reply_number(run, "output.count"), 100);
    cr_assert_eq(reply_number(run, "output.entry"), 100);
    cr_assert_leq(json_array_size(reply_at(run, "timeline")), 221, "the timeline is bounded");
}

/* ---- attempts -----------------------------------------------------------------------------
 */

Test(features, a_retry_until_it_works)
{
    const struct reply *run = play("retry", "{\"times\": 3}", NULL);
    assert_status(run, "COMPLETED");
    cr_assert_eq(reply_number(run, "output.attempt"), 4);
    cr_assert_eq(reply_number(run, "output.max_attempts"), 5);
}

Test(features, no_more_attempts_than_asked_for)
{
    const struct reply *run = play("retry", "{\"times\": 9}", "{\"maxAttempts\": 2}");
    assert_status(run, "FAILED");
    cr_assert_eq(reply_number(run, "attemptCount"), 2, "%s", run->text);
}

/* The wait is behind it; what the failed attempt changed is forgotten. */
Test(features, a_retry_resumes_at_the_last_wait)
{
    const struct reply *run = play("retry-later", "{\"times\": 2}", NULL);
    assert_status(run, "COMPLETED");
    cr_assert_eq(reply_number(run, "output.count"), 2, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.attempt"), 3);
}

Test(features, a_retry_from_the_start_when_the_task_says_so)
{
    const struct reply *run = play("retry-start", "{\"times\": 2}", NULL);
    assert_status(run, "COMPLETED");
    cr_assert_eq(reply_number(run, "output.count"), 2, "state begins anew: %s", run->text);
}

Test(features, a_failure_for_good_is_not_retried)
{
    const struct reply *run =
        play("fail", "{\"code\": \"no_money\", \"text\": \"sold out\"}", NULL);
    assert_status(run, "FAILED");
    cr_assert_eq(reply_number(run, "attemptCount"), 1);
    cr_assert_neq(strstr(reply_text(run, "error.message"), "sold out"), NULL, "%s", run->text);
    cr_assert_neq(strstr(run->text, "no_money"), NULL, "%s", run->text);
}

Test(features, the_first_raised_error_stays)
{
    const struct reply *run = play("raise", "{}", NULL);
    assert_status(run, "FAILED");
    cr_assert_neq(strstr(run->text, "the first error stays"), NULL, "%s", run->text);
}

Test(features, a_value_of_the_wrong_kind_fails_for_good)
{
    const struct reply *run = play("wrong-kind", "{\"value\": \"text\"}", NULL);
    assert_status(run, "FAILED");
    cr_assert_neq(strstr(run->text, "wrong_kind"), NULL, "%s", run->text);
    cr_assert_eq(reply_number(run, "attemptCount"), 1);
}

/* ---- signs of life ------------------------------------------------------------------------
 */

Test(features, log_lines_are_kept_in_order_with_their_levels)
{
    const char *run = run_trigger(&s, "log-lines", "{\"lines\": 8}", NULL);
    assert_status(run_end(&s, run), "COMPLETED");
    const struct reply *logs = server_call(&s, "GET", text("/api/v1/runs/%s/logs", run), NULL);
    cr_assert_eq(logs->status, 200, "%s", logs->text);
    const char *at = logs->text;
    for (int i = 0; i < 8; i++) {
        at = strstr(at, text("line %d ", i));
        cr_assert_neq(at, NULL, "no line %d in order: %s", i, logs->text);
    }
}

Test(features, a_flood_of_log_lines_is_cut)
{
    const char *run = run_trigger(&s, "log-lines", "{\"lines\": 50000, \"size\": 100}", NULL);
    assert_status(run_end(&s, run), "COMPLETED");
    const struct reply *logs = server_call(&s, "GET", text("/api/v1/runs/%s/logs", run), NULL);
    cr_assert_eq(logs->status, 200);
    cr_assert_lt(logs->size, 4 << 20, "%zu bytes", logs->size);
}

/* And whatever has its queue and key waits with it. */
Test(features, a_segment_pushes_its_run_back)
{
    long long start_ms = now_ms();
    const char *run = run_trigger(&s, "push-back", "{\"ms\": 2000}", NULL), *second;
    const struct reply *why;

    do {
        cr_assert_lt(now_ms() - start_ms, 60000);
        why = server_call(&s, "GET", text("/api/v1/runs/%s/why", run), NULL);
    } while (strstr(why->text, "\"gate\":\"pushed-back\"") == NULL);
    cr_assert_not_null(strstr(why->text, "\"until\":"), "%s", why->text);
    cr_assert_not_null(strstr(why->text, "pushed back until "), "%s", why->text);
    second = run_trigger(&s, "push-back", "{\"ms\": 0}", NULL);

    const struct reply *ended = run_end(&s, run);
    assert_status(ended, "COMPLETED");
    assert_json(ended, "output", "{\"attempt\": 1}");
    cr_assert_geq(now_ms() - start_ms, 2000);
    assert_status(run_end(&s, second), "COMPLETED");
}

Test(features, progress_shows_while_it_runs)
{
    const char *run = run_trigger(&s, "progress", "{\"steps\": 4, \"ms\": 900}", NULL);
    long long deadline = now_ms() + 20000, seen = 0;
    while (seen == 0 || seen == 100) {
        seen = reply_number(run_get(&s, run), "progress");
        cr_assert_lt(now_ms(), deadline, "progress %lld", seen);
        pause_ms(50);
    }
    cr_assert_eq(reply_number(run_end(&s, run), "progress"), 100);
}

Test(features, metadata_is_set_added_to_and_read)
{
    const struct reply *run = play("metadata", "{}", "{\"metadata\": {\"from\": \"outside\"}}");
    assert_status(run, "COMPLETED");
    assert_json(
        run, "metadata",
        "{\"from\": \"outside\", \"stage\": \"second\", \"flag\": true, \"list\": [1, \"two\"],"
        " \"sum\": 2.5}");
}

Test(features, a_segment_knows_where_it_is)
{
    const char *run =
        run_trigger(&s, "context", "{}",
                    "{\"tags\": [\"red\", \"blue\"], \"test\": true, \"maxAttempts\": 7}");
    const struct reply *ended = run_end(&s, run);
    assert_status(ended, "COMPLETED");
    cr_assert_str_eq(reply_text(ended, "output.run"), run);
    cr_assert_str_eq(reply_text(ended, "output.root"), run);
    cr_assert_str_eq(reply_text(ended, "output.parent"), "");
    cr_assert_str_eq(reply_text(ended, "output.environment"), "dev");
    cr_assert_str_eq(reply_text(ended, "output.task"), "context");
    cr_assert_eq(reply_number(ended, "output.max_attempts"), 7);
    cr_assert(json_is_true(reply_at(ended, "output.is_test")));
    assert_json(ended, "output.tags", "[\"blue\", \"red\"]");
}

/* ---- waits --------------------------------------------------------------------------------
 */

Test(features, a_wait_of_a_duration_and_of_a_date)
{
    const struct reply *run = play("pause", "{\"ms\": 300}", NULL);
    assert_status(run, "COMPLETED");
    cr_assert_geq(reply_number(run, "output.waited_ms"), 299);
    cr_assert_lt(reply_number(run, "output.waited_ms"), 5000);
    assert_status(play("pause", "{\"until_ms\": 1000}", NULL), "COMPLETED");
}

Test(features, a_token_answered_and_one_that_times_out)
{
    const char *run = run_trigger(&s, "token", "{}", NULL);
    const char *url = reply_text(run_until(&s, run, "WAITING"), "metadata.url");
    server_call_as(&s, NULL, "POST", url, "{\"answer\": [1, 2]}");
    const struct reply *ended = run_end(&s, run);
    assert_json(ended, "output.result", "{\"answer\": [1, 2]}");
    assert_json(ended, "output.timed_out", "false");

    ended = play("token", "{\"timeout_ms\": 100}", NULL);
    assert_json(ended, "output.timed_out", "true");
    assert_json(ended, "output.result", "null");
}

/* The answer comes while the segment that made the token still runs. */
Test(features, an_answer_before_the_wait)
{
    const char *run = run_trigger(&s, "token", "{\"sleep_ms\": 1500}", NULL);
    const struct reply *tokens;
    long long deadline = now_ms() + 10000;
    do {
        tokens = server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL);
        cr_assert_lt(now_ms(), deadline, "no token");
        pause_ms(10);
    } while (json_array_size(reply_at(tokens, "data")) == 0);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "EXECUTING");

    const struct reply *posted =
        server_call_as(&s, NULL, "POST", reply_text(tokens, "data.0.url"), "{\"early\": true}");

    cr_assert_eq(posted->status, 200, "%s", posted->text);
    assert_json(run_end(&s, run), "output.result", "{\"early\": true}");
}

static const struct reply *ask_several(const char *payload, unsigned answers)
{
    const char *run = run_trigger(&s, "tokens", payload, NULL);
    const struct reply *waiting = run_until(&s, run, "WAITING");
    for (unsigned i = 0; i < answers; i++)
        server_call_as(&s, NULL, "POST", reply_text(waiting, text("metadata.urls.%u", i)),
                       text("%u", i));
    return run_end(&s, run);
}

Test(features, all_any_and_some_of_several_tokens)
{
    assert_json(ask_several("{\"count\": 3}", 3), "output.results", "[0, 1, 2]");
    assert_json(ask_several("{\"count\": 3, \"needed\": 1}", 1), "output.results",
                "[0, null, null]");
    assert_json(ask_several("{\"count\": 4, \"needed\": 2}", 2), "output.results",
                "[0, 1, null, null]");
    assert_json(ask_several("{\"count\": 3, \"timeout_ms\": 200}", 1), "output.timed_out",
                "true");
}

Test(features, children_all_some_failed_and_any)
{
    const struct reply *run = play("parent", "{\"count\": 5}", NULL);
    assert_json(run, "output.statuses", "[1, 1, 1, 1, 1]");
    run = play("parent", "{\"count\": 3, \"fail\": 1}", NULL);
    assert_json(run, "output.statuses", "[4, 1, 1]");
    cr_assert_neq(strstr(reply_text(run, "output.first_error"), "told to fail"), NULL, "%s",
                  run->text);
    run = play("parent", "{\"count\": 4, \"ms\": 3000, \"needed\": 1}", NULL);
    assert_status(run, "COMPLETED");
    cr_assert_eq(json_integer_value(reply_at(run, "output.statuses.0")), 1, "%s", run->text);
    assert_status(play("parent", "{\"count\": 0}", NULL), "COMPLETED");
}

Test(features, a_child_with_a_key_is_one_child)
{
    const struct reply *run = play("unwaited", "{}", NULL);
    assert_status(run, "COMPLETED");
    cr_assert_eq(reply_number(run, "output.status"), 1, "%s", run->text);
}

/* ---- asked for by the trigger -------------------------------------------------------------
 */

Test(features, a_delayed_run_starts_later)
{
    const char *run = run_trigger(&s, "echo", "{}", "{\"delay\": \"2s\"}");
    long long start = now_ms();
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "DELAYED");
    assert_status(run_end(&s, run), "COMPLETED");
    cr_assert_geq(now_ms() - start, 1500);
}

Test(features, a_delayed_run_survives_kill_9)
{
    const char *run = run_trigger(&s, "echo", "{}", "{\"delay\": \"1s\"}");
    server_kill(&s);
    server_start(&s);
    assert_status(run_end(&s, run), "COMPLETED");
}

Test(features, a_run_that_was_not_started_in_time_expires)
{
    const struct reply *run =
        run_end(&s, run_trigger(&s, "no-such-task", "{}", "{\"ttl\": \"1s\"}"));
    assert_status(run, "EXPIRED");
}

Test(features, a_running_segment_sees_that_it_is_canceled)
{
    const char *path = server_path(&s, "seen");
    const char *run = run_trigger(&s, "poll-cancel", text("{\"path\": \"%s\"}", path), NULL);
    long long deadline = now_ms() + 10000;
    /* Canceled before a slot has it, the segment would not be entered at all. */
    while (reply_number(run_get(&s, run), "progress") == 0) {
        cr_assert_lt(now_ms(), deadline, "the segment never begins");
        pause_ms(5);
    }

    server_call(&s, "POST", text("/api/v2/runs/%s/cancel", run), "");

    assert_status(run_end(&s, run), "CANCELED");
    while (access(path, F_OK) != 0) {
        cr_assert_lt(now_ms(), deadline, "the segment never sees it");
        pause_ms(20);
    }
}

Test(features, the_same_call_sent_twice_is_one_run)
{
    struct request request = { .method = "POST",
                               .key = s.key,
                               .body = "{\"payload\": {}}",
                               .headers = {
                                   "x-trigger-request-idempotency-key: 3f1c9a52-0001" } };
    request.url = text("%s/api/v1/tasks/echo/trigger", s.url);
    const struct reply *first = client_send(&request), *second = client_send(&request);
    cr_assert_eq(first->status, 200, "%s", first->text);
    cr_assert_str_eq(reply_text(first, "id"), reply_text(second, "id"));
}

/* ---- lists --------------------------------------------------------------------------------
 */

Test(features, runs_are_listed_newest_first_in_pages)
{
    enum { COUNT = 25 };
    char ids[COUNT][40];
    for (int i = 0; i < COUNT; i++)
        strcpy(ids[i], run_trigger(&s, "echo", text("%d", i), NULL));

    const char *after = "";
    int seen = 0;
    do {
        const struct reply *page =
            server_call(&s, "GET",
                        text("/api/v1/runs?page%%5Bsize%%5D=10%s%s",
                             after[0] != 0 ? "&page%5Bafter%5D=" : "", after),
                        NULL);
        size_t count = json_array_size(reply_at(page, "data"));
        cr_assert_leq(count, 10);
        for (size_t i = 0; i < count; i++, seen++)
            cr_assert_str_eq(reply_text(page, text("data.%zu.id", i)), ids[COUNT - 1 - seen]);
        after = reply_text(page, "pagination.next");
    } while (after[0] != 0);
    cr_assert_eq(seen, COUNT);
}

Test(features, metrics_are_prometheus_text)
{
    assert_status(play("echo", "{}", NULL), "COMPLETED");
    const struct reply *metrics = server_call(&s, "GET", "/metrics", NULL);
    cr_assert_eq(metrics->status, 200);
    cr_assert_neq(strcasestr(metrics->headers, "content-type: text/plain"), NULL);
    cr_assert_neq(strstr(metrics->text, "\n# TYPE bide_"), NULL, "%s", metrics->text);
    int status;
    const char *odd = command_run(&status,
                                  "curl -s -H 'Authorization: Bearer %s' %s/metrics | grep -vE "
                                  "'^(#.*|[a-z_]+(\\{[^}]*\\})? -?[0-9.e+-]+|)$' | head -3",
                                  s.key, s.url);
    cr_assert_str_eq(odd, "", "lines that are no metric: %s", odd);
}
