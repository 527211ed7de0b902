/* Replaying runs; what readers do with the catalog. */
#include "engine/catalog.h"
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

TestSuite(replay, .init = setup, .fini = teardown, .timeout = 60);

static struct answer replay(const char *run, const char *body)
{
    return site_post(&site, site_path(&site, "/api/v1/runs/%s/replay", run), body);
}

Test(replay, the_body_may_be_empty_or_say_what_is_different)
{
    const char *old = site_run(&site, "echo", "{\"n\":1}");
    site_until(&site, old, "COMPLETED");

    struct answer plain = replay(old, ""), other = replay(old, "{\"payload\":{\"n\":2}}");

    cr_assert_eq(plain.status, 200, "%s", plain.body.data);
    struct answer run = site_until(&site, answer_text(&site, plain, "id"), "COMPLETED");
    cr_assert_eq(answer_find(run, "output.n")->integer, 1);
    run = site_until(&site, answer_text(&site, other, "id"), "COMPLETED");
    cr_assert_eq(answer_find(run, "output.n")->integer, 2);
}

Test(replay, keeps_the_concurrency_key_unless_the_body_has_another)
{
    struct answer made =
        site_post(&site, "/api/v1/tasks/echo/trigger",
                  "{\"payload\":{\"n\":1},\"options\":{\"concurrencyKey\":\"tenant-7\"}}");
    cr_assert_eq(made.status, 200, "%s", made.body.data);
    const char *old = answer_text(&site, made, "id");
    struct answer run = site_until(&site, old, "COMPLETED");
    cr_assert_str_eq(answer_text(&site, run, "concurrencyKey"), "tenant-7");

    struct answer same = replay(old, ""), other = replay(old, "{\"concurrencyKey\":\"b\"}");

    run = site_until(&site, answer_text(&site, same, "id"), "COMPLETED");
    cr_assert_str_eq(answer_text(&site, run, "concurrencyKey"), "tenant-7");
    run = site_until(&site, answer_text(&site, other, "id"), "COMPLETED");
    cr_assert_str_eq(answer_text(&site, run, "concurrencyKey"), "b");
    cr_assert_eq(replay(old, "{\"concurrencyKey\":\"\"}").status, 422);
}

Test(replay, what_is_wrong_is_refused)
{
    const char *old = site_run(&site, "echo", "{\"n\":1}");

    cr_assert_eq(replay(old, "{\"payload\":{\"n\":0}}").status, 422);
    cr_assert_eq(replay(old, "{\"payload\":null}").status, 422);
    cr_assert_eq(replay(old, "{\"delay\":\"soon\"}").status, 400);
    cr_assert_eq(replay(old, "{\"payloadType\":7,\"payload\":{}}").status, 400);
    cr_assert_eq(replay(old, "[]").status, 400);
    cr_assert_eq(replay(old, "{").status, 400);
    cr_assert_eq(replay("run_00000000000000000000000001", "").status, 404);
    cr_assert_eq(replay("nonsense", "").status, 404);
}

Test(replay, a_save_point_that_is_not_there_is_refused)
{
    const char *echo = site_run(&site, "echo", "{\"n\":1}"),
               *flop = site_run(&site, "flop", "{}");
    const char *hold = site_run(&site, "hold", "{}");
    site_until(&site, echo, "COMPLETED");

    struct answer kept = replay(echo, "{\"fromSavePoint\":true}");
    struct answer runs = replay(hold, "{\"fromSavePoint\":true}");
    cr_assert_eq(kept.status, 422);
    cr_assert_not_null(strstr(kept.body.data, "only runs that have failed"));
    cr_assert_eq(runs.status, 422);
    cr_assert_not_null(strstr(runs.body.data, "has not ended"));
    cr_assert_eq(replay(flop, "{\"fromSavePoint\":true}").status, 422);
    cr_assert_eq(replay(echo, "{\"fromSavePoint\":1}").status, 422);
    cr_assert_eq(replay(echo, "{\"fromSavePoint\":\"1\"}").status, 400);
    cr_assert_eq(replay(echo, "{\"fromSavePoint\":false}").status, 200);
}

Test(replay, of_another_environments_run_is_not_found)
{
    const char *old = site_run(&site, "echo", "{\"n\":1}");
    const char *path = site_path(&site, "/api/v1/runs/%s/replay", old);

    struct answer answer =
        site_ask(&site, "POST", path, "Authorization: Bearer " KEY_PROD "\r\n", "");

    cr_assert_eq(answer.status, 404, "%s", answer.body.data);
}

/* The same call sent twice, as a client does whose first answer was lost. */
Test(replay, the_retry_of_a_call_makes_no_second_run)
{
    static const char headers[] = "Authorization: Bearer " KEY_DEV "\r\n"
                                  "x-trigger-request-idempotency-key: once\r\n";
    const char *path =
        site_path(&site, "/api/v1/runs/%s/replay", site_run(&site, "echo", "{\"n\":1}"));

    struct answer first = site_ask(&site, "POST", path, headers, "");
    const char *id = answer_text(&site, first, "id");
    struct answer second = site_ask(&site, "POST", path, headers, "");

    cr_assert_str_eq(id, answer_text(&site, second, "id"));
}

static uint32_t readers;

static void readers_look(struct site *it)
{
    readers = *it->catalog->readers;
}

/* Or no catalog would ever be given back. */
Test(replay, nobody_holds_the_catalog_after_an_answer)
{
    const char *run = site_run(&site, "echo", "{\"n\":1}");

    site_until(&site, run, "COMPLETED");
    replay(run, "");
    site_get(&site, "/api/v1/runs");
    site_call(&site, readers_look);

    cr_assert_eq(readers, 0);
}
