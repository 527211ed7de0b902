/* What a task makes: by keys of several scopes, and what becomes of it with its parent. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void begin(const char *more)
{
    server_init(&s);
    s.config_more = more;
    server_add_plugin(&s, "keys");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(keys, .fini = tear_down, .timeout = 120);

enum { RUN, ATTEMPT, ROOT, GLOBAL };

static const char *made_by(const struct reply *run, const char *attempt, int at)
{
    const json_t *ids = reply_at(run, text("metadata.%s", attempt));
    cr_assert(json_is_array(ids), "%s", run->text);
    return text("%s", json_string_value(json_array_get(ids, (size_t)at)));
}

static const struct reply *keyed(int scope, const char *more)
{
    const char *run =
        run_trigger(&s, "keyed", text("{\"key\": \"k\", \"scope\": %d%s}", scope, more), NULL);
    return run_end(&s, run);
}

static void assert_id(bool is_same, const char *a, const char *b, const char *what)
{
    cr_assert_eq(strcmp(a, b) == 0, is_same, "%s: %s %s", what, a, b);
}

/* Twice in a segment, in the next attempt, which begins anew, and in another run. */
Test(keys, each_scope_is_as_wide_as_it_says)
{
    static const struct {
        int scope;
        bool in_attempts, in_runs;
    } scopes[] = { { RUN, true, false },
                   { ATTEMPT, false, false },
                   { ROOT, true, false },
                   { GLOBAL, true, true } };

    begin(NULL);
    for (int i = 0; i < 4; i++) {
        const char *what = text("scope %d", scopes[i].scope);
        const struct reply *one = keyed(scopes[i].scope, ", \"fails\": true");
        cr_assert_str_eq(reply_text(one, "status"), "COMPLETED", "%s", one->text);
        const char *first = made_by(one, "first", 0);
        assert_id(true, first, made_by(one, "first", 1), what);
        assert_id(scopes[i].in_attempts, first, made_by(one, "second", 0), what);
        const struct reply *two = keyed(scopes[i].scope, "");
        assert_id(scopes[i].in_runs, first, made_by(two, "first", 0), what);
    }
}

static const char *refusal(const struct reply *run)
{
    return text("%s: %s", reply_text(run, "error.name"), reply_text(run, "error.message"));
}

Test(keys, another_payload_is_the_first_run_or_an_error_that_is_not_tried_again)
{
    const char *differs = ", \"a\": {\"n\": 1}, \"b\": {\"n\": 2}";

    begin(NULL);
    const struct reply *told = keyed(RUN, differs);
    cr_assert_str_eq(reply_text(told, "status"), "COMPLETED", "%s", told->text);
    assert_id(true, made_by(told, "first", 0), made_by(told, "first", 1), "told");
    server_stop(&s);
    server_destroy(&s);

    begin("on_payload_mismatch: refuse\n");
    const struct reply *refused = keyed(RUN, differs);
    cr_assert_str_eq(reply_text(refused, "status"), "FAILED", "%s", refused->text);
    cr_assert_eq(reply_number(refused, "attemptCount"), 1, "%s", refused->text);
    cr_assert_not_null(strstr(refusal(refused), "payload_differs"), "%s", refusal(refused));
    cr_assert_not_null(strstr(refusal(refused), "\"k\""), "%s", refusal(refused));
    const struct reply *same = keyed(RUN, ", \"a\": {\"n\": 1}, \"b\": {\"n\": 1}");
    cr_assert_str_eq(reply_text(same, "status"), "COMPLETED", "%s", same->text);
}

static const struct reply *reset(long status, const char *more)
{
    const struct reply *reply =
        server_call(&s, "POST", "/api/v1/idempotencyKeys/k/reset",
                    text("{\"taskIdentifier\": \"keyed-child\"%s}", more));
    cr_assert_eq(reply->status, status, "%ld %s", reply->status, reply->text);
    return reply;
}

Test(keys, a_key_is_free_when_it_is_reset_or_its_run_has_ended_so)
{
    const char *keep_none = ", \"reuse\": 16";

    begin(NULL);
    const char *first = made_by(keyed(GLOBAL, ""), "first", 0);
    run_end(&s, first);
    assert_id(true, first, made_by(keyed(GLOBAL, ""), "first", 0), "it completed");
    cr_assert_str_eq(reply_text(reset(200, ""), "runId"), first);
    reset(404, "");
    server_kill(&s);
    server_start(&s);
    const char *second = made_by(keyed(GLOBAL, keep_none), "first", 0);
    assert_id(false, first, second, "it was reset");
    run_end(&s, second);
    assert_id(false, second, made_by(keyed(GLOBAL, keep_none), "first", 0), "it keeps nothing");

    const struct reply *own = keyed(RUN, "");
    reset(404, ", \"parentRunId\": \"run_0000000000000\"");
    const char *owner = text("%s", reply_text(own, "id"));
    reset(200, text(", \"parentRunId\": \"%s\"", owner));
}

/* ---- waits --------------------------------------------------------------------------------
 */

static const struct reply *patient(int wait_ms, const char *more)
{
    return run_end(&s, run_trigger(&s, "patient",
                                   text("{\"key\": \"k\", \"wait_ms\": %d%s}", wait_ms, more),
                                   NULL));
}

static long long patient_ms(int wait_ms, const char *more)
{
    long long start = now_ms();
    const struct reply *run = patient(wait_ms, more);

    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    return now_ms() - start;
}

/* An attempt that begins anew does not wait again, and neither does one of another server. */
Test(keys, a_wait_with_a_key_is_waited_for_once)
{
    enum { WAIT_MS = 2000 };

    begin(NULL);
    long long once_ms = patient_ms(WAIT_MS, ", \"fails\": true");
    cr_assert(once_ms >= WAIT_MS && once_ms < 2 * WAIT_MS, "%lld", once_ms);
    cr_assert_geq(patient_ms(WAIT_MS, ""), WAIT_MS, "the key is the run's own");

    cr_assert_geq(patient_ms(WAIT_MS, ", \"scope\": 3"), WAIT_MS);
    server_kill(&s);
    server_start(&s);
    cr_assert_lt(patient_ms(WAIT_MS, ", \"scope\": 3"), WAIT_MS, "it is everybody's");
    const char *reset = "/api/v1/idempotencyKeys/k/reset";
    cr_assert_eq(server_call(&s, "POST", reset, "{\"of\": \"wait\"}")->status, 200);
    cr_assert_eq(server_call(&s, "POST", reset, "{\"of\": \"wait\"}")->status, 404);
    cr_assert_geq(patient_ms(WAIT_MS, ", \"scope\": 3"), WAIT_MS, "it was reset");

    const struct reply *bad = patient(1, ", \"ttl_ms\": -1");
    cr_assert_not_null(strstr(refusal(bad), "more than 0"), "%s", bad->text);
    bad = patient(1, ", \"scope\": 4");
    cr_assert_not_null(strstr(refusal(bad), "scope"), "%s", bad->text);
}

Test(keys, what_is_waited_for_once_is_shown)
{
    begin(NULL);
    const char *run =
        run_trigger(&s, "patient", "{\"key\": \"cool-off\", \"wait_ms\": 100000}", NULL);
    const struct reply *waiting = run_until(&s, run, "WAITING");
    cr_assert_str_eq(reply_text(waiting, "waitIdempotencyKey"), "cool-off", "%s",
                     waiting->text);
    const struct reply *why = server_call(&s, "GET", text("/api/v1/runs/%s/why", run), NULL);
    cr_assert_not_null(strstr(why->text, "once by the key \\\"cool-off\\\""), "%s", why->text);
}

/* Its parent is canceled, with or without a word for it. */
Test(keys, a_child_ends_with_its_parent_as_it_was_made_to)
{
    static const struct {
        const char *word, *child;
    } rules[] = { { "abandon", "COMPLETED" },
                  { "cancel", "CANCELED" },
                  { "abandon", "COMPLETED" },
                  { "wait", "COMPLETED" } };

    begin(NULL);
    for (int i = 0; i < 4; i++) {
        const char *run =
            run_trigger(&s, "family", text("{\"rule\": %d, \"wait_ms\": 1500}", i), NULL);
        const struct reply *parent = run_until(&s, run, "WAITING");
        const char *child =
            text("%s", json_string_value(json_object_get(
                           json_array_get(reply_at(parent, "waitingFor"), 0), "id")));
        const struct reply *cancel =
            server_call(&s, "POST", text("/api/v2/runs/%s/cancel", run), NULL);
        cr_assert_eq(cancel->status, 200, "%s", cancel->text);
        parent = run_get(&s, run);
        cr_assert_str_eq(reply_text(parent, "status"), "CANCELED", "%s", parent->text);
        cr_assert_eq(json_is_true(reply_at(parent, "waitsForChildren")), i == 3, "%s",
                     parent->text);
        if (i == 3) { /* what holds it is named */
            const struct reply *why =
                server_call(&s, "GET", text("/api/v1/runs/%s/why", run), NULL);
            cr_assert_str_eq(reply_text(why, "waitsFor.0.id"), child, "%s", why->text);
            cr_assert_not_null(strstr(reply_text(why, "text"), "children have ended"), "%s",
                               why->text);
        }
        const struct reply *end = run_end(&s, child);
        cr_assert_str_eq(reply_text(end, "onParentEnd"), rules[i].word, "%s", end->text);
        cr_assert_str_eq(reply_text(end, "status"), rules[i].child, "%d: %s", i, end->text);
        cr_assert_null(reply_at(run_get(&s, run), "waitsForChildren"));
    }
}

static const struct reply *child_of(const char *parent, const char *more)
{
    return server_call(&s, "POST", "/api/v1/tasks/keyed-child/trigger",
                       text("{\"payload\": {\"wait_ms\": 1000},"
                            " \"options\": {\"parentRunId\": \"%s\"%s}}",
                            parent, more));
}

/* A client names the parent. */
Test(keys, a_run_becomes_a_child_over_http)
{
    static const char *const rules[] = { "", ", \"onParentEnd\": \"abandon\"" };

    begin(NULL);
    const char *parent = run_trigger(&s, "keyed-child", "{\"wait_ms\": 100000}", NULL);
    run_until(&s, parent, "WAITING");
    const char *children[2];
    for (int i = 0; i < 2; i++) {
        const struct reply *made = child_of(parent, rules[i]);
        cr_assert_eq(made->status, 200, "%s", made->text);
        children[i] = text("%s", reply_text(made, "id"));
        cr_assert_str_eq(reply_text(run_get(&s, children[i]), "relatedRuns.parent.id"), parent);
    }
    cr_assert_eq(child_of(parent, ", \"onParentEnd\": \"perhaps\"")->status, 400);
    server_call(&s, "POST", text("/api/v2/runs/%s/cancel", parent), NULL);
    cr_assert_str_eq(reply_text(run_end(&s, children[0]), "status"), "CANCELED");
    cr_assert_str_eq(reply_text(run_end(&s, children[1]), "status"), "COMPLETED");
    const struct reply *late = child_of(parent, "");
    cr_assert_eq(late->status, 422, "%s", late->text);
    cr_assert_not_null(strstr(late->text, "has ended"), "%s", late->text);
    cr_assert_eq(child_of("run_0000000000000", "")->status, 422);
}

/* Whatever the server says. */
Test(keys, a_queue_says_what_becomes_of_another_payload)
{
    static const char body[] = "{\"payload\": {\"wait_ms\": %d}, \"options\":"
                               " {\"idempotencyKey\": \"k\", \"queue\": {\"name\": \"%s\"}}}";
    static const struct {
        const char *queue;
        long status;
    } cases[] = { { "strict", 422 }, { "mild", 200 } };

    server_init(&s);
    server_add_plugin(&s, "keys");
    server_write(&s, "config/queues.yaml",
                 "queues:\n"
                 "  strict: { on_payload_mismatch: refuse }\n"
                 "  mild: { on_payload_mismatch: tell }\n");
    server_start(&s);
    const char *path = "/api/v1/tasks/keyed-child/trigger";
    server_call(&s, "POST", path, text(body, 1, "strict"));
    for (int i = 0; i < 2; i++) {
        const struct reply *other =
            server_call(&s, "POST", path, text(body, 2, cases[i].queue));
        cr_assert_eq(other->status, cases[i].status, "%s", other->text);
    }
}
