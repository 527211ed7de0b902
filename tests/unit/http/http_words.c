/* Words of a trigger: what is taken, told, refused; and tasks that nobody knows. */
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

TestSuite(words, .init = setup, .fini = teardown, .timeout = 60);

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

/* Everything that the official client may send by itself. */
#define SDK_OPTIONS                                                                      \
    "\"payloadType\":\"application/json\",\"payloadSize\":7,\"queue\":{\"name\":\"q\"}," \
    "\"idempotencyKeyOptions\":{\"key\":\"k\",\"scope\":\"run\"},\"tags\":[\"a\"],"      \
    "\"metadata\":{},\"metadataType\":\"application/json\",\"test\":false,"              \
    "\"debounce\":null,\"resumeParentOnCompletion\":false,\"parentRunId\":null,"         \
    "\"lockToVersion\":null,\"externalDeploymentId\":null"

Test(words, what_the_official_client_sends_is_taken_in_silence)
{
    struct answer answer =
        site_post(&site, HOLD_PATH, "{\"payload\":\"1\",\"options\":{" SDK_OPTIONS "}}");
    struct slice header;

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_not(answer_header(answer, "x-bide-ignored", &header));
    cr_assert_not(answer_header(answer, "x-bide-warning", &header));
    cr_assert_eq(answer_find(show(answer), "timeline")->count, 2, "queued, running");
}

Test(words, options_that_are_not_built_are_refused_by_name)
{
    static const struct {
        const char *option, *value;
        int status;
    } cases[] = {
        { "concurrencyKey", "7", 400 },
        { "concurrency", "[\"a\"]", 422 },
        { "gates", "[]", 422 },
        { "lockToVersion", "\"9.9\"", 422 },
        { "lockToVersion", "7", 400 },
        { "externalDeploymentId", "\"d\"", 422 },
        { "resumeParentOnCompletion", "true", 422 },
        { "parentBatch", "\"batch_1\"", 422 },
        { "parentRunId", "\"run_0000000000000\"", 422 },
        { "parentRunId", "\"nonsense\"", 400 },
        { "retry", "{\"maxAttempts\":3}", 400 },
        { "queue", "{\"name\":\"q\",\"concurrencyLimit\":1}", 422 },
        { "queue", "{\"name\":{\"name\":\"q\",\"concurrencyLimit\":1}}", 422 },
    };
    const char *run = site_run(&site, "echo", "{}");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int door = 0; door < 2; door++) {
            struct answer answer = site_post(
                &site, door == 0 ? HOLD_PATH : site_path(&site, "/api/v1/runs/%s/replay", run),
                site_path(&site,
                          door == 0 ? "{\"payload\":{},\"options\":{\"%s\":%s}}"
                                    : "{\"%s\":%s}",
                          cases[i].option, cases[i].value));
            cr_expect_eq(answer.status, cases[i].status, "%s: %d %s", cases[i].option,
                         answer.status, answer.body.data);
            cr_expect_not_null(strstr(answer_text(&site, answer, "error"), cases[i].option));
        }
    cr_assert_eq(answer_find(site_get(&site, "/api/v1/runs"), "data")->count, 1);
}

Test(words, members_that_meant_something_are_refused_by_name)
{
    static const struct {
        const char *body, *says;
    } cases[] = {
        { "{\"name\":\"you\"}", "{\"payload\": {\"name\"" },
        { "{\"input\":{},\"options\":{}}", "input" },
        { "{\"payload\":{},\"delay\":\"1h\"}", "delay belongs into \"options\"" },
        { "{\"payload\":{},\"debounce\":{}}", "debounce belongs into \"options\"" },
        { "{\"delay\":\"1h\"}", "delay belongs into \"options\"" },
        { "{\"options\":{\"payload\":{}}}", "payload belongs beside" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer answer = site_post(&site, HOLD_PATH, cases[i].body);
        cr_expect_eq(answer.status, 400, "%s: %d", cases[i].body, answer.status);
        cr_expect_not_null(strstr(answer_text(&site, answer, "error"), cases[i].says), "%s",
                           answer.body.data);
    }
    cr_assert_eq(answer_find(site_get(&site, "/api/v1/runs"), "data")->count, 0);
}

static struct slice header_of(struct answer answer, const char *name)
{
    struct slice value = { 0 };

    (void)answer_header(answer, name, &value);
    return value;
}

Test(words, words_that_nobody_knows_pass_and_are_told)
{
    struct answer answer = site_post(
        &site, HOLD_PATH "?wiat=1s",
        "{\"payload\":{},\"x\":1,\"context\":{},\"options\":{\"dealy\":\"1h\","
        "\"machine\":\"micro\",\"queue\":{\"name\":\"q\",\"color\":7},\"\xc3\xa4\\r\\n\":1}}");
    struct answer run = show(answer);

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert(slice_is(header_of(answer, "x-bide-ignored"),
                       "x, context, options.dealy, options.machine, options.%C3%A4%0D%0A, "
                       "options.queue.color, ?wiat"),
              "%.*s", SLICE_ARG(header_of(answer, "x-bide-ignored")));
    cr_assert(slice_is(header_of(answer, "x-bide-warning"),
                       "options.dealy is not known; did you mean options.delay?"));
    cr_assert_not_null(strstr(answer_text(&site, run, "timeline.0.text"), "options.dealy"));
    cr_assert_str_eq(answer_text(&site, run, "timeline.0.status"), "QUEUED");
    answer = site_post(
        &site, site_path(&site, "/api/v1/runs/%s/replay", answer_text(&site, answer, "id")),
        "{\"prioritty\":3}");
    cr_assert(slice_is(header_of(answer, "x-bide-ignored"), "prioritty"));
    cr_assert_not_null(
        strstr(answer_text(&site, show(answer), "timeline.0.text"), "priority?"));
}

Test(words, what_is_told_is_bounded)
{
    struct buffer body = { 0 };

    buffer_text(&body, "{\"payload\":{},\"options\":{");
    for (int i = 0; i < 300; i++)
        buffer_format(&body, "\"%0200d\":1,", i);
    buffer_text(&body, "\"z\":1}}");
    struct answer answer =
        site_post(&site, HOLD_PATH, arena_text(&site.arena, buffer_view(&body)));
    buffer_finish(&body);

    cr_assert_eq(answer.status, 200);
    cr_assert_lt(header_of(answer, "x-bide-ignored").size, 2500);
    cr_assert_not_null(strstr(header_of(answer, "x-bide-ignored").data, ", ..."));
}

Test(words, what_comes_in_can_go_out)
{
    struct buffer deep = { 0 };

    for (int levels = 98; levels <= 130; levels++)
        for (int is_super = 0; is_super < 2; is_super++) {
            deep.size = 0;
            buffer_text(&deep,
                        is_super != 0 ? "{\"payload\":\"{\\\"json\\\":" : "{\"payload\":");
            for (int i = 0; i < levels; i++)
                buffer_byte(&deep, '[');
            for (int i = 0; i < levels; i++)
                buffer_byte(&deep, ']');
            buffer_text(&deep,
                        is_super != 0
                            ? "}\",\"options\":{\"payloadType\":\"application/super+json\"}}"
                            : "}");
            struct answer answer =
                site_post(&site, HOLD_PATH, arena_text(&site.arena, buffer_view(&deep)));
            cr_expect_eq(answer.status, levels <= 100 ? 200 : 400, "%d levels: %d", levels,
                         answer.status);
        }
    buffer_finish(&deep);
}

Test(words, numbers_keep_every_digit_or_are_refused)
{
    struct answer kept = site_post(
        &site, HOLD_PATH,
        "{\"payload\":[18446744073709551615,-9223372036854775808,9007199254740993,0.1]}");
    struct answer lost =
        site_post(&site, HOLD_PATH, "{\"payload\":{\"a\":[1,18446744073709551616]}}");
    struct answer super =
        site_post(&site, HOLD_PATH,
                  "{\"payload\":\"{\\\"json\\\":1e999}\",\"options\":{\"payloadType\":"
                  "\"application/super+json\"}}");

    cr_assert_str_eq(json(answer_find(show(kept), "payload")),
                     "[18446744073709551615,-9223372036854775808,9007199254740993,0.1]");
    cr_assert_eq(lost.status, 400);
    cr_assert_not_null(strstr(answer_text(&site, lost, "error"), "/payload/a/1 "), "%s",
                       lost.body.data);
    cr_assert_eq(super.status, 400);
}

Test(words, an_unknown_task_waits_for_its_plugin)
{
    struct answer answer = site_post(&site, "/api/v1/tasks/ecko/trigger", "{\"payload\":1}");
    struct answer run = show(answer);
    const char *said = "task \"ecko\" is unknown here; did you mean \"echo\"?";

    cr_assert_eq(answer.status, 200);
    cr_assert(slice_is(header_of(answer, "x-bide-warning"), said), "%.*s",
              SLICE_ARG(header_of(answer, "x-bide-warning")));
    cr_assert_str_eq(answer_text(&site, run, "status"), "PENDING_VERSION");
    cr_assert_str_eq(answer_text(&site, run, "parkedReason"), said);
    answer = site_post(&site, "/api/v1/tasks/completely%20different%0a%c3%a4/trigger",
                       "{\"payload\":1,\"options\":{\"dealy\":1}}");
    cr_assert_eq(answer.status, 422, "no control characters in a task's id");
    answer = site_post(&site, "/api/v1/tasks/completely%20different%c3%a4/trigger",
                       "{\"payload\":1,\"options\":{\"dealy\":1}}");
    cr_assert(slice_is(header_of(answer, "x-bide-warning"),
                       "options.dealy is not known; did you mean options.delay?; "
                       "task \"completely different%C3%A4\" is unknown here"),
              "%.*s", SLICE_ARG(header_of(answer, "x-bide-warning")));
    cr_assert_not_null(
        strstr(answer_text(&site, show(answer), "parkedReason"), "unknown here"));
}

TestSuite(words_apart, .timeout = 60, .fini = teardown);

Test(words_apart, the_config_may_refuse_unknown_tasks)
{
    site_init(&site);
    site.config.refuses_unknown_tasks = true;
    site_start(&site);
    struct answer answer = site_post(&site, "/api/v1/tasks/ecko/trigger", "{\"payload\":1}");

    cr_assert_eq(answer.status, 404, "%s", answer.body.data);
    cr_assert_str_eq(answer_text(&site, answer, "error"),
                     "task \"ecko\" is unknown here; did you mean \"echo\"?");
    cr_assert_eq(answer_find(site_get(&site, "/api/v1/runs"), "data")->count, 0);
    cr_assert_eq(site_post(&site, ECHO_PATH, "{}").status, 200);
}

/* Eight payloads that take a fifth of a second each to refuse, two that are large; meanwhile
 * others are served. */
Test(words, long_checks_hold_up_nobody)
{
    enum { SLOW = 4 };
    char slow[200] = "{\"payload\":{\"slow\":\"", *large = arena_alloc(&site.arena, 300001);
    int fds[SLOW], big = site_connect(&site);

    memset(slow + strlen(slow), 'a', 100);
    strcat(slow, "!\"}}");
    memset(large, 'x', 300000);
    const char *big_ask =
        site_path(&site,
                  "POST " ECHO_PATH " HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " KEY_DEV
                  "\r\ncontent-length: %d\r\n\r\n{\"payload\":{\"text\":\"%s\"}}",
                  300023, large);
    const char *ask =
        site_path(&site,
                  "POST " ECHO_PATH " HTTP/1.1\r\nhost: x\r\nauthorization: Bearer " KEY_DEV
                  "\r\ncontent-length: %zu\r\n\r\n%s",
                  strlen(slow), slow);
    site_send(big, big_ask, strlen(big_ask));
    for (int i = 0; i < SLOW; i++) {
        fds[i] = site_connect(&site);
        site_send(fds[i], ask, strlen(ask));
    }
    usleep(20000); /* they should be at work by now; if not, the test holds all the same */
    int64_t worst_ms = 0;
    for (int i = 0; i < 20; i++) {
        int64_t start_ms = clock_now_ms();
        cr_assert_eq(site_get(&site, "/healthz").status, 200);
        cr_assert_eq(site_post(&site, ECHO_PATH, "{\"payload\":{\"n\":1}}").status, 200);
        int64_t took_ms = clock_now_ms() - start_ms;
        worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
    }
    cr_assert_lt(worst_ms, 800, /* on the loop it would be all of them: 1,600 */
                 "%d ms for two small requests", (int)worst_ms);
    for (int i = 0; i < SLOW; i++) {
        struct answer answer = site_receive(&site, fds[i]);
        cr_assert_eq(answer.status, 422, "%s", answer.body.data);
        close(fds[i]);
    }
    struct answer answer = site_receive(&site, big);
    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    close(big);
    struct answer run = site_until(&site, answer_text(&site, answer, "id"), "COMPLETED");
    cr_assert_str_eq(answer_text(&site, run, "output.note"), "none", "defaults are put in");
}
