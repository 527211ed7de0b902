/* Queues over HTTP. */
#include "site.h"

#include <criterion/criterion.h>

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

TestSuite(queues, .init = setup, .fini = teardown, .timeout = 60);

#define QUEUES "/api/v1/queues"

Test(queues, all_that_are_configured_are_listed)
{
    struct answer all = site_get(&site, QUEUES);
    struct answer page = site_get(&site, QUEUES "?page=2&perPage=2");

    cr_assert_eq(all.status, 200);
    cr_assert_eq(answer_find(all, "data")->count, 5, "%s", all.body.data);
    cr_assert_eq(answer_find(all, "pagination.count")->integer, 5);
    cr_assert_eq(answer_find(all, "pagination.totalPages")->integer, 1);
    cr_assert_eq(answer_find(page, "data")->count, 2);
    cr_assert_eq(answer_find(page, "pagination.currentPage")->integer, 2);
    cr_assert_eq(answer_find(page, "pagination.totalPages")->integer, 3);
    cr_assert_eq(site_get(&site, QUEUES "?perPage=101").status, 400);
    cr_assert_eq(site_get(&site, QUEUES "?filter[name]=x").status, 400);
    cr_assert_eq(site_get(&site, QUEUES "?page[size]=3").status, 400);
}

Test(queues, one_has_all_that_the_client_demands)
{
    static const char *const required[] = {
        "id", "name", "type", "running", "queued", "paused"
    };
    struct answer queue = site_get(&site, QUEUES "/slow%252Flane?type=custom");

    cr_assert_eq(queue.status, 200, "%s", queue.body.data);
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        cr_expect_not_null(answer_find(queue, required[i]), "%s", required[i]);
    cr_assert_eq(answer_find(queue, "concurrencyLimit")->integer, 7);
    cr_assert_eq(answer_find(queue, "perKeyLimit")->integer, 2);
    cr_assert_eq(answer_find(queue, "totalLimit")->integer, 9);
    cr_assert_eq(answer_find(queue, "concurrency")->count, 5);
    cr_assert_null(answer_find(queue, "version"));
    cr_assert_str_eq(answer_text(&site, queue, "type"), "custom");
}

Test(queues, one_is_found_by_id_type_and_name)
{
    struct answer task = site_get(&site, QUEUES "/echo?type=task");
    const char *id = answer_text(&site, task, "id");

    cr_assert_str_eq(answer_text(&site, task, "name"), "echo");
    cr_assert_str_eq(answer_text(&site, task, "type"), "task");
    cr_assert_str_eq(
        answer_text(&site, site_get(&site, QUEUES "/task%252Fecho?type=task"), "id"), id);
    cr_assert_str_eq(
        answer_text(&site, site_get(&site, site_path(&site, QUEUES "/%s", id)), "id"), id);
    cr_assert_str_eq(answer_text(&site, site_get(&site, QUEUES "/task%2Fecho"), "id"), id);
    cr_assert_eq(site_get(&site, QUEUES "/nope?type=custom").status, 404);
    cr_assert_eq(site_get(&site, QUEUES "/nope?type=id").status, 404);
    cr_assert_eq(site_get(&site, QUEUES "/nope?type=what").status, 400);
    cr_assert_str_eq(answer_text(&site, site_get(&site, QUEUES "/nope?type=custom"), "error"),
                     "queue-not-found");
    struct answer none = site_get(&site, QUEUES "/%E6%97%A5?type=custom");
    cr_assert_eq(none.status, 422);
    cr_assert_not_null(strstr(none.body.data, "(U+65E5) at character 1"));
    none =
        site_post(&site, QUEUES "/a%20b/pause", "{\"type\":\"custom\",\"action\":\"pause\"}");
    cr_assert_eq(none.status, 422, "%s", none.body.data);
    struct answer foreign = site_ask(&site, "GET", site_path(&site, QUEUES "/%s", id),
                                     "authorization: Bearer " KEY_PROD "\r\n", NULL);
    cr_assert_eq(foreign.status, 404);
}

Test(queues, a_paused_queue_starts_nothing_until_it_is_resumed)
{
    struct answer paused =
        site_post(&site, QUEUES "/echo/pause", "{\"type\":\"task\",\"action\":\"pause\"}");
    const char *run = site_run(&site, "echo", "{}");
    struct answer held = site_get(&site, site_path(&site, "/api/v3/runs/%s", run));
    struct answer stats = site_get(&site, QUEUES "/echo/statistics?type=task");
    const char *id = answer_text(&site, paused, "id");
    struct answer resumed =
        site_post(&site, site_path(&site, QUEUES "/%s/pause", id), "{\"action\":\"resume\"}");

    cr_assert_eq(paused.status, 200, "%s", paused.body.data);
    cr_assert(answer_find(paused, "paused")->boolean);
    cr_assert_str_eq(answer_text(&site, held, "status"), "QUEUED");
    cr_assert_eq(answer_find(stats, "queued")->integer, 1);
    cr_assert_str_neq(answer_text(&site, stats, "oldestQueuedAt"), "");
    cr_assert_eq(resumed.status, 200, "%s", resumed.body.data);
    cr_assert_not(answer_find(resumed, "paused")->boolean);
    site_until(&site, run, "COMPLETED");
    stats = site_get(&site, QUEUES "/echo/statistics?type=task");
    cr_assert_eq(answer_find(stats, "completed")->integer, 1);
    cr_assert_eq(answer_find(stats, "queued")->integer, 0);
}

Test(queues, the_last_hour_is_shown_of_a_queue_and_of_its_keys)
{
    struct answer made =
        site_post(&site, "/api/v1/tasks/echo/trigger",
                  "{\"payload\":{},\"options\":{\"concurrencyKey\":\"acme\"}}");
    site_until(&site, answer_text(&site, made, "id"), "COMPLETED");
    site_until(&site, site_run(&site, "echo", "{}"), "COMPLETED");

    struct answer stats = site_get(&site, QUEUES "/echo/statistics?type=task");
    cr_assert_eq(answer_find(stats, "lastHour.started")->integer, 2, "%s", stats.body.data);
    cr_assert_eq(answer_find(stats, "lastHour.completed")->integer, 2);
    const struct value *keys = answer_find(stats, "keys");
    cr_assert_eq(keys->count, 1);
    cr_assert(slice_is(value_find(&keys->items[0], "key")->bytes, "acme"));
    const struct value *hour = value_find(&keys->items[0], "lastHour");
    cr_assert_eq(value_find(hour, "started")->integer, 1);
    cr_assert_eq(value_find(&keys->items[0], "running")->integer, 0);

    const char *text = site_get(&site, "/metrics").body.data;
    static const char *const lines[] = {
        "bide_queue_last_hour_started{environment=\"dev\",queue=\"task/echo\"} 2\n",
        "bide_queue_last_hour_ended{environment=\"dev\",queue=\"task/echo\"} 2\n",
        "bide_queue_last_hour_wait_seconds{environment=\"dev\",quantile=\"0.95\",queue=",
        "bide_key_last_hour_started{environment=\"dev\",key=\"acme\",queue=\"task/echo\"} 1\n",
        "bide_key_last_hour_wait_seconds{environment=\"dev\",key=\"acme\",quantile=\"0.5\",",
        "_finished_total{environment=\"dev\",outcome=\"completed\",queue=\"task/echo\"} 2\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_expect_not_null(strstr(text, lines[i]), "%s in %s", lines[i], text);

    struct answer one = site_get(&site, QUEUES "/echo?type=task");
    cr_assert_eq(answer_find(one, "lastHour.started")->integer, 2, "%s", one.body.data);
    int64_t limit = answer_find(one, "effectiveLimit")->integer;
    cr_assert_gt(limit, 0);
    site_post(&site, QUEUES "/echo/pause", "{\"type\":\"task\",\"action\":\"pause\"}");
    one = site_get(&site, QUEUES "/echo?type=task");
    cr_assert_eq(answer_find(one, "effectiveLimit")->integer, 0);
    cr_assert_str_eq(answer_text(&site, one, "limitedBy"), "paused");
}

Test(queues, a_pause_says_who_why_and_until_and_may_refuse_what_comes)
{
    static const char task[] = "/api/v1/tasks/echo/trigger";
    struct answer paused = site_post(
        &site, QUEUES "/echo/pause",
        "{\"type\":\"task\",\"action\":\"pause\",\"by\":\"ann\",\"reason\":\"a move\","
        "\"until\":\"2100-01-02T03:04:05Z\",\"ttl\":\"frozen\"}");
    cr_assert_eq(paused.status, 200, "%s", paused.body.data);
    cr_assert_str_eq(answer_text(&site, paused, "pausedBy"), "ann, with the key of dev");
    cr_assert_str_eq(answer_text(&site, paused, "pausedReason"), "a move");
    cr_assert_str_eq(answer_text(&site, paused, "pausedUntil"), "2100-01-02T03:04:05.000Z");
    cr_assert_str_eq(answer_text(&site, paused, "ttl"), "frozen");
    cr_assert(answer_find(paused, "accept")->boolean);
    struct answer why =
        site_get(&site, site_path(&site, "/api/v1/runs/%s/why", site_run(&site, "echo", "{}")));
    cr_assert_str_eq(answer_text(&site, why, "heldBy.text"),
                     "its queue task/echo is paused by ann, with the key of dev, until "
                     "2100-01-02T03:04:05.000Z: a move");
    cr_assert_str_eq(answer_text(&site, why, "heldBy.pausedBy"), "ann, with the key of dev");

    struct answer again =
        site_post(&site, QUEUES "/echo/pause",
                  "{\"type\":\"task\",\"action\":\"pause\",\"accept\":false,\"by\":\"ann\"}");
    cr_assert_not(answer_find(again, "accept")->boolean, "%s", again.body.data);
    struct answer refused = site_post(&site, task, "{\"payload\":{}}");
    cr_assert_eq(refused.status, 422);
    cr_assert_str_eq(answer_text(&site, refused, "error"),
                     "queue task/echo takes no runs while it is paused by ann, with the key of "
                     "dev, until 2100-01-02T03:04:05.000Z: a move");

    struct answer resumed =
        site_post(&site, QUEUES "/echo/pause",
                  "{\"type\":\"task\",\"action\":\"resume\",\"ramp\":\"1h\"}");
    cr_assert_not_null(answer_find(resumed, "ramp.until"), "%s", resumed.body.data);
    cr_assert_eq(answer_find(resumed, "ramp.concurrencyLimit")->integer, 1);
    cr_assert_eq(site_post(&site, task, "{\"payload\":{}}").status, 200);
}

Test(queues, bad_pauses_are_refused)
{
    static const char *const bad[] = {
        "\"pause\",\"until\":\"soon\"", "\"pause\",\"until\":\"2001-01-01\"",
        "\"pause\",\"until\":7",        "\"pause\",\"until\":\"0s\"",
        "\"pause\",\"ttl\":\"ice\"",    "\"pause\",\"ttl\":true",
        "\"pause\",\"accept\":\"no\"",  "\"pause\",\"ramp\":\"60s\"",
        "\"resume\",\"ramp\":\"25h\"",  "\"resume\",\"ramp\":60",
        "\"resume\",\"until\":\"2h\"",  "\"resume\",\"ttl\":\"frozen\"",
        "\"resume\",\"accept\":false",  "\"pause\",\"reason\":\"\""
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(
            site_post(&site, QUEUES "/echo/pause", site_path(&site, "{\"action\":%s}", bad[i]))
                .status,
            400, "%s", bad[i]);
    cr_assert_eq(site_post(&site, QUEUES "/echo/pause", "").status, 400);
    cr_assert_eq(site_post(&site, QUEUES "/echo/pause", "{\"action\":\"stop\"}").status, 400);
    cr_assert_eq(
        site_post(&site, QUEUES "/nope/pause", "{\"type\":\"custom\",\"action\":\"pause\"}")
            .status,
        404);
    cr_assert_eq(
        site_post(&site, QUEUES "/queue_0000000000000/pause", "{\"action\":\"pause\"}").status,
        404);
}

/* ---- another limit ----------------------------------------------------------------------- */

#define LANE "/api/v1/queues/slow%252Flane"

static struct answer override(const char *body)
{
    return site_post(&site, LANE "/concurrency/override", body);
}

Test(queues, a_limit_is_what_is_set_also_while_it_comes_back)
{
    (void)site_post(&site, LANE "/pause", "{\"type\":\"custom\",\"action\":\"pause\"}");
    struct answer resumed = site_post(
        &site, LANE "/pause", "{\"type\":\"custom\",\"action\":\"resume\",\"ramp\":\"1h\"}");
    cr_assert_eq(answer_find(resumed, "concurrencyLimit")->integer, 7, "%s", resumed.body.data);
    cr_assert_eq(answer_find(resumed, "concurrency.current")->integer, 7);
    cr_assert_eq(answer_find(resumed, "perKeyLimit")->integer, 2);
    cr_assert_eq(answer_find(resumed, "totalLimit")->integer, 9);
    cr_assert_eq(answer_find(resumed, "ramp.concurrencyLimit")->integer, 1);
    cr_assert_eq(answer_find(resumed, "ramp.perKeyLimit")->integer, 1);
    cr_assert_eq(answer_find(resumed, "ramp.totalLimit")->integer, 1);
    cr_assert_eq(answer_find(resumed, "effectiveLimit")->integer, 1);
    cr_assert_str_eq(answer_text(&site, resumed, "limitedBy"), "ramp");

    struct answer half = override("{\"type\":\"custom\",\"percent\":50}");
    cr_assert_eq(answer_find(half, "concurrencyLimit")->integer, 3, "%s", half.body.data);
    cr_assert_eq(answer_find(half, "ramp.concurrencyLimit")->integer, 1);
    struct answer reset = site_post(&site, LANE "/concurrency/reset", "{\"type\":\"custom\"}");
    cr_assert_eq(answer_find(reset, "concurrencyLimit")->integer, 7, "%s", reset.body.data);
    struct answer shown = site_get(&site, LANE "/statistics?type=custom");
    cr_assert_eq(answer_find(shown, "concurrencyLimit")->integer, 7, "%s", shown.body.data);
    cr_assert_eq(answer_find(shown, "ramp.concurrencyLimit")->integer, 1);
}

Test(queues, the_queue_of_a_task_may_be_meant)
{
    site_run(&site, "echo", "{}");
    struct answer shown = site_get(&site, "/api/v1/queues/echo");
    struct answer paused =
        site_post(&site, "/api/v1/queues/echo/pause", "{\"action\":\"pause\"}");

    cr_assert_eq(shown.status, 404);
    cr_assert_not_null(strstr(shown.body.data, "did you mean task/echo"), "%s",
                       shown.body.data);
    cr_assert_eq(paused.status, 404);
    cr_assert_not_null(strstr(paused.body.data, "did you mean task/echo"), "%s",
                       paused.body.data);
    cr_assert_eq(site_get(&site, "/api/v1/queues/task%2Fecho").status, 200);
}

Test(queues, a_limit_is_overridden_and_reset)
{
    struct answer less =
        override("{\"type\":\"custom\",\"concurrencyLimit\":1,\"by\":\"ann\"}");

    cr_assert_eq(less.status, 200, "%s", less.body.data);
    cr_assert_eq(answer_find(less, "concurrencyLimit")->integer, 1);
    cr_assert_eq(answer_find(less, "concurrency.current")->integer, 1);
    cr_assert_eq(answer_find(less, "concurrency.base")->integer, 7);
    cr_assert_eq(answer_find(less, "concurrency.override")->integer, 1);
    cr_assert_str_eq(answer_text(&site, less, "concurrency.overriddenBy"), "ann");
    cr_assert_str_neq(answer_text(&site, less, "concurrency.overriddenAt"), "");
    cr_assert_eq(answer_find(less, "perKeyLimit")->integer, 2, "it is configured by itself");
    cr_assert_not_null(
        strstr(site_get(&site, "/metrics").body.data,
               "bide_queue_limit{environment=\"dev\",of=\"lane\",queue=\"slow/lane\"} 1\n"));

    struct answer half = override("{\"type\":\"custom\",\"percent\":50}");
    cr_assert_eq(answer_find(half, "concurrencyLimit")->integer, 3, "%s", half.body.data);
    struct answer reset = site_post(&site, LANE "/concurrency/reset", "{\"type\":\"custom\"}");
    cr_assert_eq(answer_find(reset, "concurrencyLimit")->integer, 7, "%s", reset.body.data);
    cr_assert_eq(answer_find(reset, "concurrency.override")->kind, VALUE_NULL);
    reset = site_post(&site, LANE "/concurrency/reset", "{\"type\":\"custom\"}");
    cr_assert_eq(reset.status, 400);
    cr_assert_str_eq(answer_text(&site, reset, "error"), "Queue is not overridden");
}

Test(queues, a_limit_holds_and_lets_go)
{
    override("{\"type\":\"custom\",\"concurrencyLimit\":0}");
    const char *run = site_run(&site, "hold", "{}");
    struct answer held = site_get(&site, site_path(&site, "/api/v3/runs/%s", run));

    const char *text = answer_text(&site, held, "heldBy.text");
    cr_assert(strstr(text, "0 of 0 running in queue slow/lane; that limit was set") == text,
              "%s", held.body.data);
    override("{\"type\":\"custom\",\"concurrencyLimit\":1}");
    site_until(&site, run, "EXECUTING");
    const char *second = site_run(&site, "hold", "{}");
    site_until(&site, second, "QUEUED");
    site_post(&site, LANE "/concurrency/reset", "{\"type\":\"custom\"}");
    site_until(&site, second, "EXECUTING");
}

Test(queues, a_rate_is_set_and_reset)
{
    struct answer set = site_post(&site, LANE "/rate/override",
                                  "{\"type\":\"custom\",\"rate\":\"1/1h\",\"keyRate\":\"5/1s, "
                                  "burst 2\",\"by\":\"ann\"}");
    cr_assert_eq(set.status, 200, "%s", set.body.data);
    cr_assert_str_eq(answer_text(&site, set, "rate"), "1/1h");
    cr_assert_str_eq(answer_text(&site, set, "keyRate"), "5/1s, burst 2");
    cr_assert_str_eq(answer_text(&site, set, "rateOverride.base"), "none");
    cr_assert_str_eq(answer_text(&site, set, "rateOverride.override"), "1/1h");
    cr_assert_str_eq(answer_text(&site, set, "keyRateOverride.overriddenBy"), "ann");
    site_until(&site, site_run(&site, "hold", "{}"), "EXECUTING");
    const char *second = site_run(&site, "hold", "{}");
    struct answer held = site_get(&site, site_path(&site, "/api/v3/runs/%s", second));
    cr_assert_str_eq(answer_text(&site, held, "heldBy.gate"), "rate", "%s", held.body.data);
    struct answer shown = site_get(&site, LANE "/statistics?type=custom");
    cr_assert_str_eq(answer_text(&site, shown, "limitedBy"), "rate");

    struct answer reset =
        site_post(&site, LANE "/rate/reset", "{\"type\":\"custom\",\"rate\":true}");
    cr_assert_eq(reset.status, 200, "%s", reset.body.data);
    cr_assert_null(answer_find(reset, "rate"));
    cr_assert_str_eq(answer_text(&site, reset, "keyRate"), "5/1s, burst 2");
    site_until(&site, second, "EXECUTING");
    reset = site_post(&site, LANE "/rate/reset", "{\"type\":\"custom\"}");
    cr_assert_null(answer_find(reset, "keyRateOverride"));
    reset = site_post(&site, LANE "/rate/reset", "{\"type\":\"custom\"}");
    cr_assert_eq(reset.status, 400);
}

Test(queues, a_key_says_that_its_rate_holds_it)
{
    (void)site_post(&site, LANE "/rate/override", "{\"keyRate\":\"1/1h\"}");
    for (int i = 0; i < 2; i++)
        (void)site_post(&site, "/api/v1/tasks/hold/trigger",
                        "{\"payload\":{},\"options\":{\"concurrencyKey\":\"k\"}}");
    struct answer shown = site_get(&site, LANE "/statistics?type=custom");
    cr_assert_str_eq(answer_text(&site, shown, "keys.0.limitedBy"), "keyRate", "%s",
                     shown.body.data);
    cr_assert_str_neq(answer_text(&site, shown, "limitedBy"), "keyRate");
}

Test(queues, bad_rates_are_refused)
{
    static const char *const bad[][2] = {
        { "{\"type\":\"custom\"}", "give rate or keyRate" },
        { "{\"rate\":\"fast\"}", "rate must be like 100/1m" },
        { "{\"rate\":5}", "rate must be a string" },
        { "{\"keyRate\":\"5/1s, burst x\"}", "keyRate must be like 100/1m, burst 10" },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct answer said = site_post(&site, LANE "/rate/override", bad[i][0]);
        cr_expect_eq(said.status, 400, "%s", said.body.data);
        cr_expect_not_null(strstr(said.body.data, bad[i][1]), "%s", said.body.data);
    }
}

Test(queues, bad_limits_are_refused)
{
    static const char *const bad[] = {
        "{\"type\":\"custom\"}",
        "{\"type\":\"custom\",\"concurrencyLimit\":-1}",
        "{\"type\":\"custom\",\"concurrencyLimit\":100001}",
        "{\"type\":\"custom\",\"concurrencyLimit\":1.5}",
        "{\"type\":\"custom\",\"concurrencyLimit\":\"3\"}",
        "{\"type\":\"custom\",\"concurrencyLimit\":3,\"percent\":50}",
        "{\"type\":\"custom\",\"percent\":1001}",
        "{\"type\":\"custom\",\"concurrencyLimit\":3,\"by\":7}",
        "{\"type\":\"queue\",\"concurrencyLimit\":3}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(override(bad[i]).status, 400, "%s", bad[i]);
    struct answer none = site_post(&site, "/api/v1/queues/nowhere/concurrency/override",
                                   "{\"type\":\"custom\",\"concurrencyLimit\":3}");
    cr_assert_eq(none.status, 404);
    cr_assert_str_eq(answer_text(&site, none, "error"), "Queue not found");
}
