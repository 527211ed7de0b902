/* Triggering runs: what is stored, and what is refused before anything is stored. */
#include "base/clock.h"
#include "codec/json.h"
#include "site.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct site site;

static void setup(void)
{
    site_init(&site);
    site_start(&site);
}

static void teardown(void)
{
    site_finish(&site);
}

TestSuite(trigger, .init = setup, .fini = teardown, .timeout = 60);

#define ECHO_PATH "/api/v1/tasks/echo/trigger"
#define HOLD_PATH "/api/v1/tasks/hold/trigger"

static struct answer show(struct answer triggered)
{
    return site_get(&site,
                    site_path(&site, "/api/v3/runs/%s", answer_text(&site, triggered, "id")));
}

static const char *json(const struct value *value)
{
    struct buffer out = { 0 };

    if (value == NULL)
        return "absent";
    json_write(&out, value);
    const char *text = arena_text(&site.arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

Test(trigger, a_run_is_made_and_runs)
{
    struct answer answer =
        site_post(&site, ECHO_PATH, "{\"payload\":{\"n\":4,\"text\":\"hi\"}}");
    struct slice claims = { 0 };

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_eq(strncmp(answer_text(&site, answer, "id"), "run_", 4), 0);
    cr_assert_not(answer_find(answer, "isCached")->boolean);
    cr_assert(answer_header(answer, "x-trigger-jwt-claims", &claims));
    cr_assert(slice_is(claims, "{\"sub\":\"dev\",\"pub\":true}"));
    struct answer run = site_until(&site, answer_text(&site, answer, "id"), "COMPLETED");
    cr_assert_str_eq(json(answer_find(run, "output")),
                     "{\"n\":4,\"text\":\"hi\",\"note\":\"none\"}");
    cr_assert_str_eq(json(answer_find(run, "payload")), json(answer_find(run, "output")));
}

Test(trigger, a_payload_against_the_schema_is_refused_with_every_problem)
{
    struct answer answer = site_post(&site, ECHO_PATH, "{\"payload\":{\"n\":0,\"text\":7}}");
    const struct value *problems = answer_find(answer, "problems");
    struct answer list = site_get(&site, "/api/v1/runs");

    cr_assert_eq(answer.status, 422);
    cr_assert_str_eq(answer_text(&site, answer, "code"), "invalid_payload");
    cr_assert_not_null(strstr(answer_text(&site, answer, "error"), "The payload of echo"));
    cr_assert_not_null(strstr(answer_text(&site, answer, "error"), "schema: /n: "),
                       "the first problem, for clients that show nothing else");
    cr_assert_eq(problems->count, 2, "%s", answer.body.data);
    cr_assert_str_eq(answer_text(&site, answer, "problems.0.pointer"), "/n");
    cr_assert_not_null(
        strstr(answer_text(&site, answer, "problems.0.schema"), "schemas/echo.yaml:"));
    cr_assert_eq(answer_find(list, "data")->count, 0, "nothing is stored");
}

Test(trigger, broken_bodies_are_told_what_is_wrong)
{
    static const struct {
        const char *body, *says;
    } cases[] = {
        { "{\"payload\":", "line 1" },
        { "[1]", "object" },
        { "{\"payload\":1,\"payload\":2}", "uplicate" },
        { "{\"payload\":{},\"options\":7}", "options" },
        { "{\"payload\":{},\"options\":{\"payloadType\":9}}", "payloadType" },
        { "{\"payload\":{},\"options\":{\"payloadType\":\"text/html\"}}", "payloadType" },
        { "{\"payload\":{},\"options\":{\"payloadType\":\"text/plain\"}}", "string" },
        { "{\"payload\":\"p\",\"options\":{\"payloadType\":\"application/store\"}}", "inline" },
        { "{\"payload\":\"{\",\"options\":{\"payloadType\":\"application/super+json\"}}",
          "JSON" },
        { "{\"payload\":{},\"options\":{\"delay\":\"soon\"}}", "delay" },
        { "{\"payload\":{},\"options\":{\"ttl\":\"x\"}}", "ttl" },
        { "{\"payload\":{},\"options\":{\"priority\":\"high\"}}", "priority" },
        { "{\"payload\":{},\"options\":{\"maxAttempts\":0}}", "maxAttempts" },
        { "{\"payload\":{},\"options\":{\"maxDuration\":0}}", "maxDuration" },
        { "{\"payload\":{},\"options\":{\"metadata\":[1]}}", "metadata" },
        { "{\"payload\":{},\"options\":{\"tags\":[1]}}", "tags" },
        { "{\"payload\":{},\"options\":{\"queue\":7}}", "queue" },
        { "{\"payload\":{},\"options\":{\"idempotencyKey\":7}}", "idempotencyKey" },
        { "{\"payload\":{},\"options\":{\"idempotencyKeyTTL\":\"1h30m\"}}",
          "idempotencyKeyTTL" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer answer = site_post(&site, ECHO_PATH, cases[i].body);
        cr_expect_eq(answer.status, 400, "%s: %d", cases[i].body, answer.status);
        cr_expect_not_null(strstr(answer_text(&site, answer, "error"), cases[i].says), "%s: %s",
                           cases[i].body, answer.body.data);
    }
    cr_assert_eq(answer_find(site_get(&site, "/api/v1/runs"), "data")->count, 0);
}

Test(trigger, wrong_utf8_and_deep_nesting_are_refused)
{
    char deep[20100] = "{\"payload\":";
    struct answer answer = site_post(&site, ECHO_PATH, "{\"payload\":\"\xc3\x28\"}");

    cr_assert_eq(answer.status, 400);
    cr_assert(utf8_is_valid(answer.body));
    memset(deep + strlen(deep), '[', 10000);
    memset(deep + strlen(deep), ']', 10000);
    strcat(deep, "}");
    answer = site_post(&site, ECHO_PATH, deep);
    cr_assert_eq(answer.status, 400, "%d", answer.status);
}

Test(trigger, rules_broken_are_422_and_sizes_413)
{
    char tags[400] = "{\"payload\":{},\"options\":{\"tags\":[\"0\"";
    char *large = arena_alloc(&site.arena, 600001);

    for (int i = 1; i <= 10; i++)
        snprintf(tags + strlen(tags), 8, ",\"%d\"", i);
    strcat(tags, "]}}");
    cr_assert_eq(site_post(&site, ECHO_PATH, tags).status, 422);
    memset(large, 'x', 600000);
    cr_assert_eq(
        site_post(&site, HOLD_PATH, site_path(&site, "{\"payload\":\"%s\"}", large)).status,
        413);
    large[5000] = '\0';
    cr_assert_eq(
        site_post(&site, HOLD_PATH,
                  site_path(&site, "{\"options\":{\"metadata\":{\"a\":\"%s\"}}}", large))
            .status,
        413);
}

Test(trigger, payload_types_are_unwrapped)
{
    struct answer super =
        site_post(&site, HOLD_PATH,
                  "{\"payload\":\"{\\\"json\\\":{\\\"at\\\":\\\"2026-01-01T00:00:00.000Z\\\"},"
                  "\\\"meta\\\":{\\\"values\\\":{\\\"at\\\":[\\\"Date\\\"]}}}\","
                  "\"options\":{\"payloadType\":\"application/super+json\"}}");
    struct answer plain =
        site_post(&site, HOLD_PATH,
                  "{\"payload\":\"hello\",\"options\":{\"payloadType\":\"text/plain\"}}");
    struct answer none = site_post(&site, HOLD_PATH, "{}");

    cr_assert_str_eq(json(answer_find(show(super), "payload")),
                     "{\"at\":\"2026-01-01T00:00:00.000Z\"}");
    cr_assert_str_eq(answer_text(&site, show(plain), "payload"), "hello");
    cr_assert_eq(none.status, 200);
    cr_assert_null(answer_find(show(none), "payload"));
}

Test(trigger, options_are_kept)
{
    struct answer answer =
        site_post(&site, HOLD_PATH,
                  "{\"payload\":1,\"options\":{\"queue\":{\"name\":{\"name\":\"q.1/a\"}},"
                  "\"delay\":\"1h\",\"ttl\":90,\"priority\":2.5,\"tags\":[\"b\",\"a\",\"b\"],"
                  "\"metadata\":{\"k\":[1]},\"maxAttempts\":7,\"test\":true}}");
    struct answer run = show(answer);

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_str_eq(answer_text(&site, run, "status"), "DELAYED");
    cr_assert(answer_find(run, "isQueued")->boolean);
    cr_assert_str_neq(answer_text(&site, run, "delayedUntil"), "");
    cr_assert_str_eq(answer_text(&site, run, "queue"), "q.1/a");
    cr_assert_str_eq(answer_text(&site, run, "ttl"), "1m30s");
    cr_assert_str_eq(json(answer_find(run, "priority")), "2.5");
    cr_assert_str_eq(json(answer_find(run, "tags")), "[\"a\",\"b\"]");
    cr_assert_str_eq(json(answer_find(run, "metadata")), "{\"k\":[1]}");
    cr_assert_str_eq(json(answer_find(run, "maxAttempts")), "7");
    cr_assert(answer_find(run, "isTest")->boolean);
}

Test(trigger, a_date_that_has_passed_delays_nothing)
{
    struct answer answer =
        site_post(&site, HOLD_PATH, "{\"options\":{\"delay\":\"2020-01-01T00:00:00Z\"}}");

    cr_assert_str_eq(answer_text(&site, show(answer), "status"), "EXECUTING");
}

Test(trigger, an_idempotency_key_gives_the_same_run)
{
    const char *body = "{\"payload\":1,\"options\":{\"idempotencyKey\":\"%s\","
                       "\"idempotencyKeyOptions\":{\"key\":\"order 7\",\"scope\":\"run\"}}}";
    struct answer first = site_post(&site, HOLD_PATH, site_path(&site, body, "k1"));
    struct answer again = site_post(&site, HOLD_PATH, site_path(&site, body, "k1"));
    struct answer other = site_post(&site, HOLD_PATH, site_path(&site, body, "k2"));
    struct answer header = site_ask(&site, "POST", HOLD_PATH,
                                    "authorization: Bearer " KEY_DEV "\r\n"
                                    "idempotency-key: k1\r\nidempotency-key-ttl: 1h\r\n",
                                    "{\"payload\":2}");
    struct answer prod = site_ask(&site, "POST", HOLD_PATH,
                                  "authorization: Bearer " KEY_PROD "\r\n"
                                  "idempotency-key: k1\r\n",
                                  "{\"payload\":2}");
    const char *id = answer_text(&site, first, "id");

    cr_assert_str_eq(answer_text(&site, again, "id"), id);
    cr_assert(answer_find(again, "isCached")->boolean);
    cr_assert_str_neq(answer_text(&site, other, "id"), id);
    cr_assert_str_eq(answer_text(&site, header, "id"), id);
    cr_assert_str_neq(answer_text(&site, prod, "id"), id);
    cr_assert_not(answer_find(prod, "isCached")->boolean);
    cr_assert_str_eq(answer_text(&site, show(first), "idempotencyKey"), "order 7");
}

/* Members in another order are no other payload. */
Test(trigger, another_payload_under_a_key_is_told_or_refused)
{
    const char *body = "{\"payload\":%s,\"options\":{\"idempotencyKey\":\"k\"}}";
    struct slice warning = { 0 };

    for (int refuses = 0; refuses < 2; refuses++) {
        site.config.refuses_payload_mismatch = refuses != 0; /* read when a reply is made */
        struct answer first =
            site_post(&site, HOLD_PATH, site_path(&site, body, "{\"a\":1,\"b\":2}"));
        struct answer same =
            site_post(&site, HOLD_PATH, site_path(&site, body, "{\"b\":2,\"a\":1}"));
        struct answer other =
            site_post(&site, HOLD_PATH, site_path(&site, body, "{\"a\":1,\"b\":3}"));
        cr_assert_eq(same.status, 200, "%s", same.body.data);
        cr_assert_str_eq(answer_text(&site, other, "id"), answer_text(&site, first, "id"),
                         "%s %s", other.body.data, first.body.data);
        cr_assert_eq(other.status, refuses == 0 ? 200 : 422, "%s", other.body.data);
        cr_assert_eq(answer_header(other, "x-bide-warning", &warning), refuses == 0);
        cr_assert_eq(answer_header(other, "x-bide-payload-differs", &warning), refuses == 0);
        cr_assert(refuses != 0 || slice_is(warning, "true"));
        cr_assert_not(answer_header(same, "x-bide-payload-differs", &warning));
        if (refuses != 0)
            cr_assert_str_eq(answer_text(&site, other, "code"), "idempotency_conflict");
        if (refuses != 0) /* for people, too */
            cr_assert_not_null(
                strstr(answer_text(&site, other, "error"), answer_text(&site, first, "id")),
                "%s", other.body.data);
    }
    cr_assert_eq(answer_find(site_get(&site, "/api/v1/runs"), "data")->count, 1);
}

Test(trigger, a_header_that_stands_twice_is_named)
{
    struct answer answer = site_ask(&site, "GET", "/api/v1/runs",
                                    "authorization: Bearer " KEY_DEV "\r\n"
                                    "idempotency-key: a\r\nidempotency-key: b\r\n",
                                    NULL);

    cr_assert_eq(answer.status, 400);
    cr_assert_not_null(strstr(answer.body.data, "The header idempotency-key stands twice"),
                       "%s", answer.body.data);
}

/* flop fails at once. */
Test(trigger, a_key_keeps_a_run_that_ended_as_it_says)
{
    const char *body =
        "{\"options\":{\"idempotencyKey\":\"%s\",\"reuse\":[\"success\",\"failed\"]}}";
    const char *path = "/api/v1/tasks/flop/trigger";

    for (int keeps = 0; keeps < 2; keeps++) {
        const char *text = keeps != 0 ? site_path(&site, body, "kept")
                                      : "{\"options\":{\"idempotencyKey\":\"free\"}}";
        struct answer first = site_post(&site, path, text);
        cr_assert_eq(first.status, 200, "%s", first.body.data);
        site_until(&site, answer_text(&site, first, "id"), "FAILED");
        struct answer again = site_post(&site, path, text);
        cr_assert_eq(answer_find(again, "isCached")->boolean, keeps != 0, "%s", text);
    }
}

Test(trigger, a_key_is_reset_by_its_task)
{
    const char *path = "/api/v1/idempotencyKeys/order%2F7/reset",
               *task = "{\"taskIdentifier\":\"hold\"}";
    struct answer first =
        site_post(&site, HOLD_PATH, "{\"options\":{\"idempotencyKey\":\"order/7\"}}");

    cr_assert_eq(site_post(&site, path, "{}").status, 400);
    cr_assert_eq(site_post(&site, path, "{\"task\":\"hold\"}").status, 400);
    cr_assert_eq(site_post(&site, path, "{\"taskIdentifier\":\"echo\"}").status, 404);
    struct answer reset = site_post(&site, path, task);
    cr_assert_eq(reset.status, 200, "%s", reset.body.data);
    cr_assert_str_eq(answer_text(&site, reset, "id"), "order/7");
    struct answer none = site_post(&site, path, task);
    cr_assert_eq(none.status, 404, "%s", none.body.data);
    cr_assert_str_eq(answer_text(&site, none, "error"),
                     "No runs found with idempotency key: order/7 and task: hold");
    cr_assert_null(answer_find(show(first), "idempotencyKey"));
    struct answer next =
        site_post(&site, HOLD_PATH, "{\"options\":{\"idempotencyKey\":\"order/7\"}}");
    cr_assert_str_neq(answer_text(&site, next, "id"), answer_text(&site, first, "id"));
}

Test(trigger, a_retried_call_makes_no_second_run)
{
    const char *headers = "authorization: Bearer " KEY_DEV "\r\n"
                          "x-trigger-request-idempotency-key: 0d4f\r\n";
    struct answer first = site_ask(&site, "POST", HOLD_PATH, headers, "{\"payload\":1}");
    struct answer again = site_ask(&site, "POST", HOLD_PATH, headers, "{\"payload\":1}");

    cr_assert_str_eq(answer_text(&site, again, "id"), answer_text(&site, first, "id"));
    cr_assert_not(answer_find(again, "isCached")->boolean);
}

Test(trigger, bad_key_headers_are_refused)
{
    char headers[3200] = "authorization: Bearer " KEY_DEV "\r\nidempotency-key: ";

    memset(headers + strlen(headers), 'k', 2049);
    strcat(headers, "\r\n");
    cr_assert_eq(site_ask(&site, "POST", HOLD_PATH, headers, "{}").status, 400);
    cr_assert_eq(site_ask(&site, "POST", HOLD_PATH,
                          "authorization: Bearer " KEY_DEV "\r\nidempotency-key: a\r\n"
                          "idempotency-key-ttl: never\r\n",
                          "{}")
                     .status,
                 400);
    static const char *const lines[] = { "idempotency-key-ttl: 1h\r\n",
                                         "idempotency-key: a\r\nidempotency-key-ttl:\r\n",
                                         "x-trigger-request-idempotency-key:\r\n" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct answer answer = site_ask(
            &site, "POST", HOLD_PATH,
            site_path(&site, "authorization: Bearer " KEY_DEV "\r\n%s", lines[i]), "{}");
        cr_expect_eq(answer.status, 400, "%s: %d", lines[i], answer.status);
    }
    struct answer alone =
        site_post(&site, HOLD_PATH, "{\"options\":{\"idempotencyKeyTTL\":\"1h\"}}");
    cr_assert_eq(alone.status, 400, "%s", alone.body.data);
    alone = site_post(&site, HOLD_PATH, "{\"options\":{\"reuse\":[\"failed\"]}}");
    cr_assert_eq(alone.status, 400, "%s", alone.body.data);
    cr_assert_eq(site_ask(&site, "POST", HOLD_PATH,
                          "authorization: Bearer " KEY_DEV "\r\nidempotency-key: a\r\n",
                          "{\"options\":{\"idempotencyKeyTTL\":\"1h\"}}")
                     .status,
                 200, "a key in a header, its time beside the options");
}

Test(trigger, a_body_in_chunks_needs_no_length)
{
    static const char *const pieces[] = {
        "POST " ECHO_PATH " HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " KEY_DEV "\r\n"
        "transfer-encoding: chunked\r\n\r\n",
        "9\r\n{\"payload", "\r\nb\r\n\":{\"n\":12}}\r\n", "0\r\n\r\n"
    };
    int fd = site_connect(&site);

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        site_send(fd, pieces[i], strlen(pieces[i]));
        usleep(10000); /* so that each piece is a read of its own */
    }
    struct answer answer = site_receive(&site, fd);
    close(fd);

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    struct answer run = site_until(&site, answer_text(&site, answer, "id"), "COMPLETED");
    cr_assert_eq(answer_find(run, "output.n")->integer, 12);
}

Test(trigger, a_client_that_expects_100_gets_it)
{
    const char *head =
        "POST " ECHO_PATH " HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " KEY_DEV "\r\n"
        "expect: 100-continue\r\ncontent-length: 14\r\n\r\n";
    char reply[64] = "";
    int fd = site_connect(&site);

    site_send(fd, head, strlen(head));
    cr_assert_gt(read(fd, reply, sizeof reply - 1), 0);
    cr_assert_not_null(strstr(reply, "100 Continue"), "%s", reply);
    site_send(fd, "{\"payload\":{}}", 14);
    struct answer answer = site_receive(&site, fd);
    close(fd);

    cr_assert_eq(answer.status, 200);
}

/* The second request learns of a run that has ended meanwhile: waiting for its end is over. */
Test(trigger, a_run_that_a_repeated_request_named_is_waited_for)
{
    static const char headers[] = "authorization: Bearer " KEY_DEV "\r\n"
                                  "x-trigger-request-idempotency-key: once\r\n";
    const char *path = "/api/v1/tasks/echo/trigger";
    struct answer first = site_ask(&site, "POST", path, headers, "{\"payload\":{}}");
    const char *run = answer_text(&site, first, "id");

    site_until(&site, run, "COMPLETED");
    struct answer second = site_ask(&site, "POST", path, headers, "{\"payload\":{}}");
    cr_assert_str_eq(answer_text(&site, second, "id"), run);
    int64_t start_ms = clock_now_ms();
    struct answer shown = site_get(&site, site_path(&site, "/api/v3/runs/%s?wait=8s", run));
    cr_assert_str_eq(answer_text(&site, shown, "status"), "COMPLETED");
    cr_assert_lt(clock_now_ms() - start_ms, 4000);
}
