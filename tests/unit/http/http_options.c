/* What clients say, taken apart: no socket needed. */
#include "base/duration.h"
#include "codec/json.h"
#include "http/body/trigger_options.h"
#include "http/server/params.h"
#include "http/server/route.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;

static void teardown(void)
{
    arena_finish(&arena);
}

TestSuite(options, .fini = teardown);

static const struct config_limits limits = {
    .tags = 10, .tag_bytes = 128, .metadata_bytes = 1000, .max_attempts = 250
};

#define NOW INT64_C(1767225600000) /* 2026-01-01 */

static bool read_trigger(const char *text, struct trigger *trigger, struct err *err)
{
    struct trigger_options_from from = { &arena, &limits };
    struct value value;

    *trigger = (struct trigger){ 0 };
    *err = (struct err){ 0 };
    cr_assert(json_read(&arena, slice_of(text), &value, err), "%s", err->text);
    return trigger_options_read(&from, &value, trigger, err);
}

Test(options, moments_are_durations_or_dates)
{
    int64_t date_ms, span_ms;

    cr_assert(when_read(SLICE("1h30m"), &date_ms, &span_ms));
    cr_assert(date_ms == 0 && span_ms == 5400000);
    cr_assert(when_read(SLICE("0s"), &date_ms, &span_ms));
    cr_assert(date_ms == 0 && span_ms < 0, "over at once, and not none");
    cr_assert(when_read(SLICE("-1h30m"), &date_ms, &span_ms));
    cr_assert_eq(span_ms, -1, "it is over");
    cr_assert_not(when_read(SLICE("-"), &date_ms, &span_ms));
    cr_assert_not(when_read(SLICE("--5s"), &date_ms, &span_ms));
    cr_assert(when_read(SLICE("2026-01-02T00:00:00Z"), &date_ms, &span_ms));
    cr_assert(date_ms == NOW + 86400000 && span_ms == 0);
    cr_assert(when_read(SLICE("9999-12-31T23:59:59Z"), &date_ms, &span_ms));
    cr_assert_eq(date_ms, TIME_MAX_MS - 999, "it is kept as it is");
    cr_assert(when_read(SLICE("0001-01-01"), &date_ms, &span_ms));
    cr_assert_eq(date_ms, 1);
    cr_assert_not(when_read(SLICE("10000-01-01"), &date_ms, &span_ms));
    cr_assert_not(when_read(SLICE("99999d"), &date_ms, &span_ms));
    cr_assert_not(when_read(SLICE("tomorrow"), &date_ms, &span_ms));
    cr_assert_not(when_read(SLICE(""), &date_ms, &span_ms));
}

Test(options, delays_and_ttls)
{
    struct trigger trigger;
    struct err err;

    cr_assert(read_trigger("{\"delay\":\"2d\",\"ttl\":\"1m\"}", &trigger, &err));
    cr_assert(trigger.due_ms == 0 && trigger.delay_ms == 2 * 86400000);
    cr_assert_eq(trigger.ttl_ms, 60000);
    cr_assert(read_trigger("{\"delay\":\"2025-01-01\",\"ttl\":0}", &trigger, &err));
    cr_assert_eq(trigger.due_ms, NOW - INT64_C(365) * 86400000, "past, and so at once");
    cr_assert_eq(trigger.ttl_ms, 0);
    cr_assert(read_trigger("{\"ttl\":\"0\"}", &trigger, &err));
    cr_assert_eq(trigger.ttl_ms, 0);
    cr_assert(read_trigger("{\"delay\":\"-5s\",\"ttl\":\"-1m\"}", &trigger, &err));
    cr_assert_eq(trigger.ttl_ms, -1, "it is over");
    cr_assert(read_trigger("{\"ttl\":-3.5}", &trigger, &err));
    cr_assert_eq(trigger.ttl_ms, -1);
    cr_assert(read_trigger("{\"ttl\":\"90\"}", &trigger, &err));
    cr_assert_eq(trigger.ttl_ms, 90000);
    cr_assert_not(read_trigger("{\"ttl\":\"1m3\"}", &trigger, &err));
    cr_assert(read_trigger("{\"ttl\":0.0001}", &trigger, &err));
    cr_assert_eq(trigger.ttl_ms, 1, "short, but not none");
    cr_assert(read_trigger("{\"delay\":null,\"ttl\":null}", &trigger, &err));
    static const char *const far[] = { "{\"ttl\":1e300}", "{\"delay\":\"99999d\"}",
                                       "{\"ttl\":\"99999d\"}" };
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        cr_assert_not(read_trigger(far[i], &trigger, &err));
        cr_assert_not_null(strstr(err.text, "at most 100 years"), "%s", err.text);
    }
}

Test(options, numbers_out_of_range_are_refused_with_the_range)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "{\"priority\":1e300}", "to 2147483" },
        { "{\"priority\":-2147484}", "from -2147483" },
        { "{\"maxAttempts\":251}", "from 1 to 250" },
        { "{\"maxAttempts\":1000000}", "from 1 to 250" },
        { "{\"maxAttempts\":0}", "from 1 to 250" },
        { "{\"maxAttempts\":2.5}", "whole" },
        { "{\"cost\":0}", "cost must be a whole number from 1 to 1000000" },
        { "{\"cost\":1.5}", "whole" },
        { "{\"cost\":\"5\"}", "cost must be a number" },
        { "{\"maxDuration\":1e300}", "maxDuration must be" },
        { "{\"maxDuration\":0}", "maxDuration must be" },
        { "{\"ttl\":\"\"}", "ttl" },
        { "{\"delay\":\"\"}", "delay" },
        { "{\"idempotencyKeyTTL\":\"\"}", "idempotencyKeyTTL" },
        { "{\"metadata\":{},\"metadataType\":\"\"}", "metadataType" },
        { "{\"test\":\"yes\"}", "test must be true or false" },
        { "{\"idempotencyKeyOptions\":7}", "idempotencyKeyOptions must be" },
        { "{\"idempotencyKeyOptions\":{\"scope\":\"tree\"}}", "idempotencyKeyOptions.scope" },
        { "{\"idempotencyKeyOptions\":{\"scope\":7}}", "scope must be a string" },
        { "{\"reuse\":\"failed\"}", "reuse must be a list" },
        { "{\"reuse\":[\"failed\",7]}", "reuse must be a list" },
        { "{\"reuse\":[\"lost\"],\"idempotencyKey\":\"k\"}", "reuse must be a list" },
        { "{\"metadata\":{},\"metadataType\":\"text/html\"}", "metadataType must be" },
        { "{\"totalTime\":0}", "totalTime must be a duration like" },
        { "{\"totalTime\":\"-1s\"}", "above 0" },
        { "{\"totalTime\":true}", "totalTime must be" },
        { "{\"cpuTime\":\"soon\"}", "cpuTime must be" },
        { "{\"maxAttempts\":3,\"maxAttemptsTotal\":2}", "maxAttemptsTotal is below" },
    };
    struct trigger trigger;
    struct err err;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_not(read_trigger(cases[i].text, &trigger, &err), "%s", cases[i].text);
        cr_expect_eq(err.code, ERR_BAD_REQUEST);
        cr_expect_not_null(strstr(err.text, cases[i].says), "%s: %s", cases[i].text, err.text);
    }
    cr_assert(read_trigger("{\"priority\":-0.0004,\"maxAttempts\":250,\"maxDuration\":1}",
                           &trigger, &err));
    cr_assert_eq(trigger.priority_ms, 0);
    cr_assert_eq(trigger.max_attempts, 250);
    cr_assert_eq(trigger.limit_ms, 1000, "a second is a second");
    cr_assert(read_trigger("{\"priority\":2147483,\"maxDuration\":0.5}", &trigger, &err));
    cr_assert_eq(trigger.priority_ms, INT64_C(2147483000));
    cr_assert_eq(trigger.limit_ms, 500);
    cr_assert(read_trigger("{\"totalTime\":\"2h\",\"cpuTime\":0.25,\"maxAttemptsTotal\":7}",
                           &trigger, &err));
    cr_assert_eq(trigger.total_ms, 7200000);
    cr_assert_eq(trigger.cpu_ms, 250);
    cr_assert_eq(trigger.max_attempts_total, 7);
    cr_assert(read_trigger("{\"totalTime\":\"90\"}", &trigger, &err));
    cr_assert_eq(trigger.total_ms, 90000, "as a shell says it");
    cr_assert(read_trigger("{\"metadata\":\"{\\\"json\\\":{\\\"a\\\":1}}\",\"metadataType\":"
                           "\"application/super+json\"}",
                           &trigger, &err));
}

Test(options, queue_names_are_taken_as_they_are)
{
    static const char *const names[] = { "mail.eu", "tenant:7", "tenant.7", "task/t",
                                         "a/b@c+d" };
    struct trigger trigger;
    struct err err;
    char text[400];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(text, sizeof text, "{\"queue\":{\"name\":\"%s\"}}", names[i]);
        cr_assert(read_trigger(text, &trigger, &err), "%s", err.text);
        cr_assert(slice_is(trigger.queue, names[i]));
    }
    cr_assert(read_trigger("{\"queue\":{}}", &trigger, &err));
    cr_assert_eq(trigger.queue.size, 0);
}

/* Names that are none, and the word that says why. */
Test(options, names_are_refused_and_never_changed)
{
    static const char *const cases[][2] = {
        { "{\"queue\":\"a b\"}", "\" \" (U+0020) at character 2" },
        { "{\"queue\":{\"name\":\"\\u65e5\\u672c\"}}", "(U+65E5) at character 1" },
        { "{\"queue\":{\"name\":{\"name\":\"...\"}}}", "(U+002E) at character 1" },
        { "{\"queue\":\"\"}", "empty" },
        { "{\"queue\":\"a\\u0000\"}", "U+0000, at character 2" },
        { "{\"tags\":[\"a\",\" \"]}", "blank" },
        { "{\"tags\":\"a,b\"}", "(U+002C) at character 2" },
        { "{\"tags\":\"a\\nb\"}", "U+000A, at character 2" },
        { "{\"idempotencyKey\":\"\"}", "empty" },
        { "{\"idempotencyKey\":\"k\\u001f1\"}", "U+001F, at character 2" },
        { "{\"metadata\":{\"\":1}}", "empty" },
        { "{\"metadata\":{\"a\\tb\":1}}", "U+0009, at character 2" },
    };
    struct trigger trigger;
    struct err err;
    char text[400] = "{\"queue\":{\"name\":\"";

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_not(read_trigger(cases[i][0], &trigger, &err), "%s", cases[i][0]);
        cr_assert_eq(err_status(err.code), 422, "%s", cases[i][0]);
        cr_assert_not_null(strstr(err.text, cases[i][1]), "%s: %s", cases[i][0], err.text);
    }
    memset(text + strlen(text), 'q', 200);
    strcat(text, "\"}}");
    cr_assert_not(read_trigger(text, &trigger, &err));
    cr_assert_not_null(strstr(err.text, "200 bytes, at most 128"), "%s", err.text);
}

Test(options, key_ttls_have_one_unit)
{
    struct err err = { 0 };
    int64_t ttl_ms;

    cr_assert(key_ttl_read(SLICE("90s"), &ttl_ms, &err));
    cr_assert_eq(ttl_ms, 90000);
    cr_assert(key_ttl_read(SLICE("0d"), &ttl_ms, &err));
    cr_assert_gt(ttl_ms, 0);
    cr_assert_not(key_ttl_read(SLICE("s"), &ttl_ms, &err));
    cr_assert_not(key_ttl_read(SLICE("1w"), &ttl_ms, &err));
    cr_assert_not(key_ttl_read(SLICE("1ms"), &ttl_ms, &err));
    cr_assert_not(key_ttl_read(SLICE("1h1m"), &ttl_ms, &err));
}

Test(options, percent_escapes)
{
    struct err err = { 0 };
    struct slice text;

    cr_assert(percent_decode(&arena, SLICE("a%2Fb+c%c3%A4"), false, &text, &err));
    cr_assert(slice_is(text, "a/b+c\xc3\xa4"));
    cr_assert(percent_decode(&arena, SLICE("a+b"), true, &text, &err));
    cr_assert(slice_is(text, "a b"));
    cr_assert(percent_decode(&arena, SLICE("%41"), true, &text, &err));
    cr_assert(slice_is(text, "A"));
    cr_assert_not(percent_decode(&arena, SLICE("%4"), false, &text, &err));
    cr_assert_not(percent_decode(&arena, SLICE("%"), false, &text, &err));
    cr_assert_not(percent_decode(&arena, SLICE("%g0"), false, &text, &err));
    cr_assert_not(percent_decode(&arena, SLICE("%00"), false, &text, &err));
    cr_assert_not(percent_decode(&arena, SLICE("%ff"), false, &text, &err));
}

Test(options, parameters)
{
    struct params params;
    struct err err = { 0 };
    struct slice text;
    struct slices list;
    int64_t number = 5;

    cr_assert(params_read(&arena, SLICE("a=2&&b&c=x%2C+y,z&d=a,,b&n=12"), &params, &err));
    cr_assert(params_find(&params, "a", &text));
    cr_assert(slice_is(text, "2"));
    cr_assert(params_find(&params, "b", &text));
    cr_assert_not(params_given(SLICE("b"), text, &err));
    cr_assert(params_list(&arena, &params, "c", &list, &err));
    cr_assert_eq(list.count, 3);
    cr_assert(slice_is(list.items[1], "y"));
    cr_assert_not(params_list(&arena, &params, "d", &list, &err), "an empty item");
    cr_assert(params_number(&params, "none", 1, 100, &number, &err));
    cr_assert_eq(number, 5);
    cr_assert(params_number(&params, "n", 1, 100, &number, &err));
    cr_assert_eq(number, 12);
    cr_assert_not(params_number(&params, "n", 1, 11, &number, &err));
    cr_assert_not(params_number(&params, "c", 1, 11, &number, &err));
    cr_assert_not(params_read(&arena, SLICE("a=1&b=2&%61=3"), &params, &err), "a stands twice");
    cr_assert_eq(err.code, ERR_BAD_REQUEST);
}

Test(options, parameters_are_bounded)
{
    static char text[1000];
    struct params params;
    struct err err = { 0 };

    for (int i = 0; i <= PARAMS_MAX; i++)
        sprintf(text + strlen(text), "a%d=1&", i);
    cr_assert_not(params_read(&arena, slice_of(text), &params, &err));
    cr_assert_eq(err.code, ERR_BAD_REQUEST);
}

Test(options, routes_capture_raw_segments)
{
    struct slice captures[ROUTE_CAPTURES];
    const struct route *route;
    bool known;

    route = route_find("POST", SLICE("/api/v1/tasks/a%2Fb/trigger"), captures, &known);
    cr_assert_not_null(route);
    cr_assert(slice_is(captures[0], "a%2Fb"));
    cr_assert_null(route_find("POST", SLICE("/api/v1/tasks//trigger"), captures, &known));
    cr_assert_not(known);
    cr_assert_null(route_find("POST", SLICE("/api/v1/tasks/a/trigger/"), captures, &known));
    cr_assert_null(route_find("PUT", SLICE("/api/v1/tasks/a/trigger"), captures, &known));
    cr_assert(known);
    cr_assert_not_null(route_find("HEAD", SLICE("/healthz"), captures, &known));
    route =
        route_find("POST", SLICE("/api/v1/waitpoints/tokens/t/callback/h"), captures, &known);
    cr_assert(slice_is(captures[1], "h"));
    cr_assert(slice_is(route_allowed(&arena, SLICE("/api/v1/waitpoints/tokens")),
                       "POST, GET, HEAD, OPTIONS"));
}
