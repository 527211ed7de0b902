/* Batches over HTTP: the two phases of the official client, the one of older ones, and what is
 * read of them. */
#include "site.h"

#include <criterion/criterion.h>
#include <stdio.h>

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

TestSuite(batches, .init = setup, .fini = teardown, .timeout = 60);

#define LINES "content-type: application/x-ndjson\r\nauthorization: Bearer " KEY_DEV "\r\n"

static const char *create(const char *body)
{
    struct answer made = site_post(&site, "/api/v3/batches", body);

    cr_assert_eq(made.status, 202, "%s", made.body.data);
    return answer_text(&site, made, "id");
}

static struct answer items(const char *batch, const char *lines)
{
    return site_ask(&site, "POST", site_path(&site, "/api/v3/batches/%s/items", batch), LINES,
                    lines);
}

static struct answer get(const char *batch, const char *end)
{
    return site_get(&site, site_path(&site, "/api/v2/batches/%s%s", batch, end));
}

static int64_t number(struct answer answer, const char *path)
{
    const struct value *found = answer_find(answer, path);

    cr_assert_not_null(found, "%s in %s", path, answer.body.data);
    return found->integer;
}

static struct answer finished(const char *batch)
{
    for (;;) {
        struct answer shown = get(batch, "");
        if (*answer_text(&site, shown, "finishedAt") != '\0')
            return shown;
    }
}

Test(batches, created_filled_sealed_and_read_by_index)
{
    const char *id = create("{\"runCount\":3,\"taskIdentifiers\":[\"echo\"]}");

    cr_assert_eq(strncmp(id, "batch_", 6), 0);
    struct answer some = items(id, "{\"index\":2,\"task\":\"echo\",\"payload\":{\"n\":2}}\n"
                                   "{\"index\":0,\"task\":\"flop\"}\n");
    cr_assert_eq(some.status, 200, "%s", some.body.data);
    cr_assert(number(some, "itemsAccepted") == 2 && number(some, "enqueuedCount") == 2 &&
              number(some, "expectedCount") == 3);
    cr_assert_not(answer_find(some, "sealed")->boolean);
    cr_assert_str_eq(answer_text(&site, get(id, ""), "status"), "PENDING");
    some = items(id, "{\"index\":2,\"task\":\"echo\",\"payload\":{\"n\":2}}\n"
                     "{\"index\":1,\"task\":\"echo\",\"payload\":{\"n\":1}}");
    cr_assert(number(some, "itemsAccepted") == 1 && number(some, "itemsDeduplicated") == 1);
    cr_assert(answer_find(some, "sealed")->boolean);
    some = items(id, "{\"index\":1,\"task\":\"echo\",\"payload\":{\"n\":1}}\n");
    cr_assert(number(some, "itemsAccepted") == 0 && answer_find(some, "sealed")->boolean);

    struct answer shown = finished(id);
    cr_assert_str_eq(answer_text(&site, shown, "status"), "COMPLETED");
    cr_assert_eq(answer_find(shown, "runs")->count, 3);
    cr_assert(number(shown, "endedCount") == 3 && number(shown, "failedCount") == 1);
    struct answer results = site_get(&site, site_path(&site, "/api/v1/batches/%s/results", id));
    cr_assert_eq(answer_find(results, "items")->count, 3, "%s", results.body.data);
    cr_assert_not(answer_find(results, "items.0.ok")->boolean);
    cr_assert_str_eq(answer_text(&site, results, "items.1.output"),
                     "{\"n\":1,\"note\":\"none\"}");
    cr_assert_str_eq(answer_text(&site, results, "items.2.output"),
                     "{\"n\":2,\"note\":\"none\"}");
    const char *run = answer_text(&site, results, "items.2.id");
    struct answer of = site_get(&site, site_path(&site, "/api/v3/runs/%s", run));
    cr_assert_str_eq(answer_text(&site, of, "batchId"), id);
    results =
        site_get(&site, site_path(&site, "/api/v1/batches/%s/results?offset=1&limit=1", id));
    cr_assert(answer_find(results, "items")->count == 1 && number(results, "next") == 2);
}

Test(batches, what_is_wrong_with_an_item_is_told_by_its_index)
{
    struct answer made = site_post(&site, "/api/v2/tasks/batch",
                                   "{\"items\":[{\"task\":\"echo\",\"payload\":{\"n\":1}},"
                                   "{\"task\":\"echo\",\"payload\":{\"n\":\"x\"}},"
                                   "{\"task\":\"echo\",\"options\":{\"delay\":\"never\"}},{"
                                   "\"task\":\"no such\\u0001\"}]}");

    cr_assert_eq(made.status, 202, "%s", made.body.data);
    cr_assert_eq(answer_find(made, "errors")->count, 3, "%s", made.body.data);
    cr_assert(number(made, "errors.0.index") == 1 && number(made, "errors.2.index") == 3);
    struct answer shown = finished(answer_text(&site, made, "id"));
    cr_assert_str_eq(answer_text(&site, shown, "status"), "PARTIAL_FAILED");
    cr_assert_eq(answer_find(shown, "processing.errors")->count, 3);
    struct answer list = site_get(
        &site, site_path(&site, "/api/v1/batches/%s/items", answer_text(&site, made, "id")));
    cr_assert_str_eq(answer_text(&site, list, "items.1.status"), "REFUSED");
    cr_assert_not_null(strstr(answer_text(&site, list, "items.2.error"), "delay"));
}

Test(batches, all_or_nothing_is_nothing)
{
    struct answer made =
        site_post(&site, "/api/v2/tasks/batch",
                  "{\"allOrNothing\":true,\"items\":[{\"task\":\"echo\",\"payload\":{\"n\":1}},"
                  "{\"task\":\"echo\",\"payload\":{\"n\":\"x\"}}]}");
    struct answer shown = finished(answer_text(&site, made, "id"));

    cr_assert_str_eq(answer_text(&site, shown, "status"), "ABORTED");
    cr_assert_eq(answer_find(shown, "runs")->count, 0);
    cr_assert_eq(answer_find(shown, "processing.errors")->count, 2, "%s", shown.body.data);
}

Test(batches, bad_calls_are_refused)
{
    const char *id = create("{\"runCount\":1}");
    static const struct {
        const char *lines, *said;
        int status;
    } cases[] = {
        { "{\"index\":0", "Invalid JSON in line 1", 400 },
        { "[]\n", "an item must be an object", 422 },
        { "{\"task\":\"echo\"}\n", "index must be", 422 },
        { "{\"index\":1,\"task\":\"echo\"}\n", "item 1 is beyond the batch", 422 },
        { "{\"index\":0}\n", "it has no \\\"task\\\"", 200 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer answer = items(id, cases[i].lines);
        cr_assert_eq(answer.status, cases[i].status, "%s", answer.body.data);
        cr_assert_not_null(strstr(answer.body.data, cases[i].said), "%s", answer.body.data);
    }
    struct answer told = items(create("{\"runCount\":1}"), "{\"index\":0}\n");
    cr_assert_not_null(strstr(told.body.data, "it has no \\\"task\\\""), "%s", told.body.data);
    cr_assert_eq(items("batch_0000000000001", "{\"index\":0,\"task\":\"echo\"}").status, 422);
    cr_assert_eq(get("batch_0000000000001", "").status, 404);
    cr_assert_eq(site_post(&site, "/api/v3/batches", "{}").status, 400);
    cr_assert_eq(site_post(&site, "/api/v3/batches", "{\"runCount\":100000}").status, 422);
    cr_assert_eq(site_ask(&site, "POST", site_path(&site, "/api/v3/batches/%s/items", id),
                          "content-type: text/csv\r\nauthorization: Bearer " KEY_DEV "\r\n",
                          "x")
                     .status,
                 415);
}

Test(batches, a_key_finds_the_batch_that_was_filled)
{
    const char *body = "{\"runCount\":1,\"idempotencyKey\":\"k\"}";
    const char *id = create(body);
    struct answer again = site_post(&site, "/api/v3/batches", body);

    cr_assert_str_eq(answer_text(&site, again, "id"), id);
    cr_assert_not(answer_find(again, "isCached")->boolean, "nothing is in it yet");
    items(id, "{\"index\":0,\"task\":\"hold\"}\n");
    again = site_post(&site, "/api/v3/batches", body);
    cr_assert(answer_find(again, "isCached")->boolean);
    cr_assert_str_eq(answer_text(&site, again, "id"), id);
}
