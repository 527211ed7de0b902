/* Collected triggers over HTTP: what is answered, shown, refused, and repeated. */
#include "site.h"

#include <criterion/criterion.h>

static struct site site;

static void setup(void)
{
    site_init(&site);
    site.collects = true;
    site_start(&site);
}

static void teardown(void)
{
    site_finish(&site);
}

TestSuite(http_collect, .init = setup, .fini = teardown, .timeout = 60);

static struct answer trigger(int n, const char *options)
{
    return site_post(&site, "/api/v1/tasks/echo/trigger",
                     site_path(&site,
                               "{\"payload\":{\"n\":%d},\"options\":{\"queue\":\"many\"%s}}", n,
                               options));
}

Test(http_collect, triggers_are_one_run_with_a_list)
{
    struct answer first = trigger(1, ""), second = trigger(2, "");
    cr_assert_eq(first.status, 200, "%s", first.body.data);
    const char *id = answer_text(&site, first, "id");

    cr_assert_not(answer_find(first, "isCached")->boolean);
    cr_assert_str_eq(answer_text(&site, second, "id"), id);
    cr_assert(answer_find(second, "isCached")->boolean);
    cr_assert(answer_find(second, "isCollected")->boolean);
    struct answer run = site_until(&site, id, "DELAYED");
    cr_assert_eq(answer_find(run, "collected")->integer, 2);
    cr_assert_not_null(answer_find(run, "collectsUntil"));
    struct answer why = site_get(&site, site_path(&site, "/api/v1/runs/%s/why", id));
    cr_assert_not_null(strstr(answer_text(&site, why, "text"), "it has collected 2 triggers"));
    cr_assert_not_null(strstr(answer_text(&site, why, "text"), "as soon as 1 more"));

    trigger(3, "");
    run = site_until(&site, id, "COMPLETED");
    cr_assert_eq(answer_find(run, "payload")->count, 3);
    cr_assert_eq(value_find(&answer_find(run, "payload")->items[2], "n")->integer, 3);

    struct answer again =
        site_post(&site, site_path(&site, "/api/v1/runs/%s/replay", id), "{}");
    cr_assert_eq(again.status, 200, "%s", again.body.data);
    cr_assert_str_neq(answer_text(&site, again, "id"), id);
    run = site_until(&site, answer_text(&site, again, "id"), "COMPLETED");
    cr_assert_eq(answer_find(run, "payload")->count, 3);
    cr_assert_eq(answer_find(run, "collected")->integer, 3);
    again = site_post(&site, site_path(&site, "/api/v1/runs/%s/replay", id),
                      "{\"payload\":{\"n\":1}}");
    cr_assert_eq(again.status, 422, "%s", again.body.data);
}

Test(http_collect, what_cannot_be_merged_is_refused_by_name)
{
    static const char *const wrong[][2] = {
        { ",\"delay\":\"1m\"", "options.delay" },
        { ",\"debounce\":{\"key\":\"k\",\"delay\":\"1m\"}", "options.debounce" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct answer answer = trigger(1, wrong[i][0]);
        cr_assert_eq(answer.status, 422, "%s", answer.body.data);
        cr_assert_not_null(strstr(answer_text(&site, answer, "error"), wrong[i][1]));
    }
}

Test(http_collect, a_debounced_run_says_by_what)
{
    static const char body[] = "{\"options\":{\"debounce\":{\"key\":\"k\",\"delay\":\"1m\"}}}";
    struct answer first = site_post(&site, "/api/v1/tasks/echo/trigger", body);
    site_post(&site, "/api/v1/tasks/echo/trigger", body);
    const char *id = answer_text(&site, first, "id");
    struct answer why = site_get(&site, site_path(&site, "/api/v1/runs/%s/why", id));

    cr_assert_not_null(strstr(answer_text(&site, why, "text"),
                              "it is delayed by debounce key k, was pushed back"));
}
