/* Bulk actions over HTTP: what is asked for, what is refused, and what is shown. */
#include "site.h"

#include <criterion/criterion.h>
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

TestSuite(http_bulk, .init = setup, .fini = teardown, .timeout = 60);

static struct answer post(const char *body)
{
    return site_post(&site, "/api/v1/bulk-actions", body);
}

static struct answer show(const char *id)
{
    return site_get(&site, site_path(&site, "/api/v1/bulk-actions/%s", id));
}

static struct answer until_done(const char *id)
{
    struct answer answer = show(id);

    for (int i = 0; i < 500 && strcmp(answer_text(&site, answer, "status"), "PENDING") == 0;
         i++) {
        usleep(10000);
        answer = show(id);
    }
    return answer;
}

Test(http_bulk, runs_of_a_filter_are_counted_and_canceled)
{
    const char *one = site_run(&site, "hold", "{}"), *two = site_run(&site, "hold", "{}");
    const char *other = site_run(&site, "echo", "{\"n\":1}");
    site_until(&site, other, "COMPLETED");

    struct answer dry = post("{\"action\":\"cancel\",\"dryRun\":true,"
                             "\"filter\":{\"taskIdentifier\":[\"hold\"]}}");
    cr_assert_eq(dry.status, 200, "%s", dry.body.data);
    cr_assert_eq(answer_find(dry, "count")->integer, 2);
    cr_assert_eq(answer_find(dry, "endedCount")->integer, 0);
    struct answer made = post("{\"action\":\"cancel\",\"name\":\"all of hold\","
                              "\"reason\":\"they hang\","
                              "\"filter\":{\"taskIdentifier\":\"hold\"}}");
    cr_assert_eq(made.status, 200, "%s", made.body.data);
    struct answer done = until_done(answer_text(&site, made, "id"));

    cr_assert_str_eq(answer_text(&site, done, "status"), "COMPLETED");
    cr_assert_str_eq(answer_text(&site, done, "type"), "CANCEL");
    cr_assert_str_eq(answer_text(&site, done, "name"), "all of hold");
    cr_assert_eq(answer_find(done, "counts.total")->integer, 2);
    cr_assert_eq(answer_find(done, "counts.success")->integer, 2);
    cr_assert_eq(answer_find(done, "counts.failure")->integer, 0);
    cr_assert_not_null(answer_find(done, "filter.taskIdentifier"));
    site_until(&site, one, "CANCELED");
    site_until(&site, two, "CANCELED");
    struct answer run = site_until(&site, other, "COMPLETED");
    cr_assert_null(answer_find(run, "bulkActionId"));
}

Test(http_bulk, runs_by_their_ids_are_replayed_each_once)
{
    const char *one = site_run(&site, "echo", "{\"n\":1}");
    site_until(&site, one, "COMPLETED");

    struct answer made =
        post(site_path(&site, "{\"action\":\"replay\",\"runIds\":[\"%s\",\"%s\"]}", one, one));
    cr_assert_eq(made.status, 200, "%s", made.body.data);
    const char *id = answer_text(&site, made, "id");
    struct answer done = until_done(id);

    cr_assert_eq(answer_find(done, "counts.success")->integer, 1, "%s", done.body.data);
    struct answer list =
        site_get(&site, site_path(&site, "/api/v1/runs?filter%%5BbulkAction%%5D=%s", id));
    cr_assert_eq(answer_find(list, "data")->count, 1, "%s", list.body.data);
    struct answer all = site_get(&site, "/api/v1/bulk-actions");
    cr_assert_eq(answer_find(all, "data")->count, 1);
    struct answer stopped =
        site_post(&site, site_path(&site, "/api/v1/bulk-actions/%s/abort", id), "");
    struct slice value;
    cr_assert_eq(stopped.status, 200);
    cr_assert(answer_header(stopped, "x-bide-accepted", &value));
}

Test(http_bulk, what_is_wrong_is_refused_by_name)
{
    static const struct {
        const char *body, *word;
    } wrong[] = {
        { "{}", "action" },
        { "{\"action\":\"delete\",\"filter\":{}}", "action" },
        { "{\"action\":\"cancel\"}", "filter" },
        { "{\"action\":\"cancel\",\"filter\":{},\"runIds\":[]}", "filter" },
        { "{\"action\":\"cancel\",\"runIds\":[]}", "runIds" },
        { "{\"action\":\"cancel\",\"runIds\":[\"nonsense\"]}", "runIds[0]" },
        { "{\"action\":\"cancel\",\"filter\":{\"stauts\":\"FAILED\"}}", "filter[stauts]" },
        { "{\"action\":\"cancel\",\"filter\":{\"status\":\"BROKEN\"}}", "filter[status]" },
        { "{\"action\":\"cancel\",\"filter\":{\"tag\":{\"a\":1}}}", "filter.tag" },
        { "{\"action\":\"cancel\",\"filter\":{\"createdAt\":{\"from\":\"soon\"}}}",
          "filter[createdAt][from]" },
        { "{\"action\":\"cancel\",\"filter\":[]}", "filter" },
        { "{\"action\":\"cancel\",\"filter\":{},\"dryRun\":1}", "dryRun" },
        { "{\"action\":\"cancel\",\"filter\":{},\"dryrun\":true}", "dryrun" },
        { "{\"action\":\"cancel\",\"filter\":{},\"name\":7}", "name" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct answer answer = post(wrong[i].body);
        cr_expect_eq(answer.status, 400, "%s: %d", wrong[i].body, answer.status);
        cr_expect_not_null(
            memmem(answer.body.data, answer.body.size, wrong[i].word, strlen(wrong[i].word)),
            "%s: %s", wrong[i].body, answer.body.data);
    }
    cr_assert_eq(show("bulk_0000000000001").status, 404);
    cr_assert_eq(show("nonsense").status, 404);
}

Test(http_bulk, of_another_environment_it_is_not_found)
{
    struct answer made = post("{\"action\":\"cancel\",\"filter\":{\"tag\":\"none\"}}");
    const char *path =
        site_path(&site, "/api/v1/bulk-actions/%s", answer_text(&site, made, "id"));

    struct answer answer =
        site_ask(&site, "GET", path, "Authorization: Bearer " KEY_PROD "\r\n", "");

    cr_assert_eq(answer.status, 404);
}
