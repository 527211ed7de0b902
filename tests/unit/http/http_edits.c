/* Changing a run that is there: metadata, tags, another start; and finding it by them. */
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

TestSuite(edits, .init = setup, .fini = teardown, .timeout = 60);

static struct answer put(const char *run, const char *body)
{
    return site_ask(&site, "PUT", site_path(&site, "/api/v1/runs/%s/metadata", run),
                    "Authorization: Bearer " KEY_DEV "\r\nContent-Type: application/json\r\n",
                    body);
}

static struct answer post(const char *run, const char *what, const char *body)
{
    return site_post(&site, site_path(&site, "/api/v1/runs/%s/%s", run, what), body);
}

static void is_answer(struct answer answer, int status, const char *says)
{
    cr_assert_eq(answer.status, status, "%.*s", SLICE_ARG(answer.body));
    cr_assert(memmem(answer.body.data, answer.body.size, says, strlen(says)) != NULL,
              "%s is not in %.*s", says, SLICE_ARG(answer.body));
}

Test(edits, metadata_is_changed_by_operations_or_as_a_whole)
{
    const char *run = site_run(&site, "hold", "{}");

    is_answer(put(run, "{\"metadata\":{\"a\":1}}"), 200, "{\"metadata\":{\"a\":1}}");
    is_answer(put(run, "{\"operations\":[{\"type\":\"increment\",\"key\":\"a\",\"value\":2},"
                       "{\"type\":\"append\",\"key\":\"$.list\",\"value\":\"x\"}],"
                       "\"rootOperations\":[{\"type\":\"set\",\"key\":\"r\",\"value\":null}],"
                       "\"metadata\":{\"is\":\"ignored\"}}"),
              200, "{\"metadata\":{\"a\":3,\"list\":[\"x\"],\"r\":null}}");
    is_answer(put(run,
                  "{\"operations\":[{\"type\":\"remove\",\"key\":\"list\",\"value\":\"x\"},"
                  "{\"type\":\"delete\",\"key\":\"r\"}]}"),
              200, "{\"metadata\":{\"a\":3,\"list\":[]}}");
    is_answer(put(run, "{\"operations\":[{\"type\":\"update\",\"value\":{}}]}"), 200,
              "{\"metadata\":{}}");
    is_answer(site_get(&site, site_path(&site, "/api/v1/runs/%s/metadata", run)), 200,
              "{\"metadata\":{}}");
}

Test(edits, what_is_no_operation_is_refused_by_its_place)
{
    static const char *const bad[][2] = {
        { "{}", "give \\\"operations\\\"" },
        { "{\"operations\":{}}", "operations must be a list" },
        { "{\"operations\":[{\"type\":\"explode\",\"key\":\"a\",\"value\":1}]}",
          "operations/0/type" },
        { "{\"operations\":[{\"type\":\"delete\",\"key\":\"a\"},{\"type\":\"set\",\"value\":1}]"
          "}",
          "operations/1/key" },
        { "{\"parentOperations\":[{\"type\":\"set\",\"key\":\"a\"}]}",
          "parentOperations/0/value" },
        { "{\"operations\":[{\"type\":\"increment\",\"key\":\"a\",\"value\":\"x\"}]}",
          "operations/0/value must be a number" },
        { "{\"operations\":[{\"type\":\"set\",\"key\":\"__proto__\",\"value\":1}]}",
          "operations/0/key" },
        { "{\"operations\":[{\"type\":\"set\",\"key\":\"$.a.constructor[0]\",\"value\":1}]}",
          "operations/0/key" },
        { "{\"operations\":[{\"type\":\"update\",\"value\":[]}]}", "it cannot be updated" },
        { "{\"operations\":[{\"type\":\"set\",\"key\":\"$.a[3]\",\"value\":1}]}", "no place" },
        { "{\"metadata\":[]}", "metadata must be an object" },
    };
    const char *run = site_run(&site, "hold", "{}");

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        is_answer(put(run, bad[i][0]), 400, bad[i][1]);
    is_answer(put("run_00000000000000000000000001", "{\"metadata\":{}}"), 404, "Run not found");
    is_answer(site_get(&site, site_path(&site, "/api/v1/runs/%s/metadata", run)), 200,
              "{\"metadata\":{}}");
}

Test(edits, tags_are_added_and_found)
{
    const char *run = site_run(&site, "hold", "{}");

    is_answer(post(run, "tags", "{\"tags\":[\"a\",\"b\",\"a\"]}"), 200,
              "Successfully set 2 new tags.");
    is_answer(post(run, "tags", "{\"tags\":\"a\"}"), 200, "No new tags to add");
    is_answer(post(run, "tags", "{\"tags\":[1]}"), 400, "tags must be");
    is_answer(post(run, "tags", "{}"), 400, "tags is missing");
    is_answer(
        post(run, "tags", "{\"tags\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}"),
        422, "at most 10");

    is_answer(site_get(&site, "/api/v1/runs?filter[tag]=b"), 200, run);
}

Test(edits, runs_are_found_by_their_metadata)
{
    const char *run = site_run(&site, "hold", "{}"), *other = site_run(&site, "hold", "{}");

    (void)put(run, "{\"metadata\":{\"customer\":42,\"name\":\"a b\"}}");
    (void)put(other, "{\"metadata\":{\"customer\":42,\"name\":\"c\"}}");
    struct answer both = site_get(&site, "/api/v1/runs?filter[metadata][customer]=42");
    struct answer one = site_get(
        &site, "/api/v1/runs?filter[metadata][customer]=42&filter%5Bmetadata%5D%5Bname%5D=a+b");

    cr_assert_eq(answer_find(both, "data")->count, 2, "%.*s", SLICE_ARG(both.body));
    cr_assert_eq(answer_find(one, "data")->count, 1, "%.*s", SLICE_ARG(one.body));
    is_answer(one, 200, run);
    is_answer(site_get(&site, "/api/v1/runs?filter[metadata][]=1"), 400, "names no key");
    is_answer(site_get(&site, "/api/v1/runs?filter[metadata]=1"), 400, "filter[metadata]");
}

Test(edits, a_delayed_run_is_moved)
{
    struct answer made = site_post(&site, "/api/v1/tasks/echo/trigger",
                                   "{\"payload\":{\"n\":1},\"options\":{\"delay\":\"1h\"}}");
    const char *run = answer_text(&site, made, "id"), *running = site_run(&site, "hold", "{}");

    struct answer moved = post(run, "reschedule", "{\"delay\":\"2100-01-01T00:00:00.000Z\"}");
    is_answer(moved, 200, "\"delayedUntil\":\"2100-01-01T00:00:00.000Z\"");
    cr_assert_str_eq(answer_text(&site, moved, "status"), "DELAYED");
    is_answer(post(run, "reschedule", "{\"delay\":\"soon\"}"), 400, "Invalid delay");
    is_answer(post(run, "reschedule", "{}"), 400, "Invalid delay");
    is_answer(post(running, "reschedule", "{\"delay\":\"1s\"}"), 400,
              "Cannot reschedule a run that is not delayed");
    is_answer(post(run, "reschedule", "{\"delay\":\"0s\"}"), 200, run);
    (void)site_until(&site, run, "COMPLETED");
}
