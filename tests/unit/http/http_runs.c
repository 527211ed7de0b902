/* Looking at runs, and canceling them. */
#include "base/clock.h"
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

TestSuite(runs, .init = setup, .fini = teardown, .timeout = 60);

static struct answer show(const char *run)
{
    return site_get(&site, site_path(&site, "/api/v3/runs/%s", run));
}

Test(runs, the_object_has_all_that_the_client_demands)
{
    static const char *const required[] = {
        "id",           "status",      "taskIdentifier",  "isQueued",    "isExecuting",
        "isWaiting",    "isCompleted", "isSuccess",       "isFailed",    "isCancelled",
        "isTest",       "createdAt",   "updatedAt",       "tags",        "costInCents",
        "durationMs",   "depth",       "triggerFunction", "relatedRuns", "baseCostInCents",
        "attemptCount", "attempts",    "timeline",        "queue",       "priority",
        "progress",     "attempt",     "version",         "startedAt",   "finishedAt",
    };
    struct answer run = site_until(&site, site_run(&site, "echo", "{\"n\":1}"), "COMPLETED");

    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        const struct value *value = answer_find(run, required[i]);
        cr_expect_not_null(value, "%s is missing: %s", required[i], run.body.data);
        cr_expect(value == NULL || value->kind != VALUE_NULL, "%s is null", required[i]);
    }
    cr_assert(answer_find(run, "isCompleted")->boolean);
    cr_assert(answer_find(run, "isSuccess")->boolean);
    cr_assert_str_eq(answer_text(&site, run, "queue"), "task/echo");
    cr_assert_eq(answer_find(run, "durationMs")->integer, 1);
    cr_assert_str_eq(answer_text(&site, run, "timeline.0.status"), "QUEUED");
}

Test(runs, a_failed_run_shows_its_error)
{
    struct answer run = site_until(&site, site_run(&site, "flop", "{}"), "FAILED");

    cr_assert(answer_find(run, "isFailed")->boolean);
    cr_assert_not_null(strstr(answer_text(&site, run, "error.message"), "it did not work"));
    cr_assert_str_eq(answer_text(&site, run, "error.name"), "no_luck");
    cr_assert_null(answer_find(run, "output"));
}

Test(runs, a_waiting_run_shows_its_state_and_what_it_waits_for)
{
    struct answer sleepy = site_until(&site, site_run(&site, "sleepy", "{}"), "WAITING");
    struct answer approve = site_until(&site, site_run(&site, "approve", "{}"), "WAITING");

    cr_assert_eq(answer_find(sleepy, "state.nights")->integer, 3);
    cr_assert_str_eq(answer_text(&site, sleepy, "waitingFor.0.type"), "time");
    cr_assert_str_eq(answer_text(&site, sleepy, "waitingFor.0.timeoutAt"),
                     "3000-01-01T00:00:00.000Z");
    cr_assert_str_eq(answer_text(&site, approve, "waitingFor.0.type"), "token");
    cr_assert_str_eq(answer_text(&site, approve, "waitingFor.0.status"), "WAITING");
    cr_assert_str_eq(answer_text(&site, approve, "segment"), "decided");
}

Test(runs, unknown_and_foreign_runs_are_not_found)
{
    const char *run = site_run(&site, "hold", "{}");
    struct answer foreign = site_ask(&site, "GET", site_path(&site, "/api/v3/runs/%s", run),
                                     "authorization: Bearer " KEY_PROD "\r\n", NULL);
    struct answer cancel =
        site_ask(&site, "POST", site_path(&site, "/api/v2/runs/%s/cancel", run),
                 "authorization: Bearer " KEY_PROD "\r\n", "");
    struct answer logs = site_ask(&site, "GET", site_path(&site, "/api/v1/runs/%s/logs", run),
                                  "authorization: Bearer " KEY_PROD "\r\n", NULL);
    struct slice retry = { 0 };

    cr_assert_eq(show("run_0000000000000").status, 404);
    cr_assert_eq(show("run_x").status, 404);
    cr_assert_eq(show("waitpoint_0000000000000").status, 404);
    cr_assert_eq(foreign.status, 404);
    cr_assert_str_eq(answer_text(&site, foreign, "error"), "Run not found");
    cr_assert(answer_header(foreign, "x-should-retry", &retry));
    cr_assert_eq(cancel.status, 404);
    cr_assert_eq(logs.status, 404);
    cr_assert_str_eq(answer_text(&site, show(run), "status"), "EXECUTING");
}

Test(runs, waiting_for_a_run_ends_when_it_is_done)
{
    const char *run = site_run(&site, "hold", "{}");
    int fd = site_connect(&site);
    const char *ask = site_path(&site,
                                "GET /api/v3/runs/%s?wait=30s HTTP/1.1\r\nhost: x\r\n"
                                "authorization: Bearer " KEY_DEV "\r\n\r\n",
                                run);

    site_send(fd, ask, strlen(ask));
    usleep(50000); /* it should be waiting by now; if not, the test holds all the same */
    int64_t start_ms = clock_now_ms();
    cr_assert_eq(site_post(&site, site_path(&site, "/api/v2/runs/%s/cancel", run), "").status,
                 200);
    struct answer answer = site_receive(&site, fd);
    close(fd);

    cr_assert_str_eq(answer_text(&site, answer, "status"), "CANCELED");
    cr_assert_lt(clock_now_ms() - start_ms, 5000);
}

Test(runs, waiting_for_a_run_ends_when_the_time_is_over)
{
    const char *run = site_run(&site, "hold", "{}");
    int64_t start_ms = clock_now_ms();
    struct answer answer = site_get(&site, site_path(&site, "/api/v3/runs/%s?wait=300ms", run));
    int64_t took_ms = clock_now_ms() - start_ms;

    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer_text(&site, answer, "status"), "EXECUTING");
    cr_assert_geq(took_ms, 290);
    cr_assert_lt(took_ms, 5000);
}

Test(runs, waiting_for_a_finished_run_ends_at_once)
{
    const char *run = site_run(&site, "echo", "{}");

    site_until(&site, run, "COMPLETED");
    int64_t start_ms = clock_now_ms();
    site_until(&site, run, "COMPLETED");
    cr_assert_lt(clock_now_ms() - start_ms, 3000);
    cr_assert_eq(site_get(&site, "/api/v3/runs/run_0000000000000?wait=20s").status, 404);
    cr_assert_eq(site_get(&site, site_path(&site, "/api/v3/runs/%s?wait=long", run)).status,
                 400);
    cr_assert_eq(
        site_get(&site, site_path(&site, "/api/v3/runs/%s?wait=1s&until=x", run)).status, 400);
}

Test(runs, hundred_clients_may_wait_for_one_run)
{
    enum { CLIENTS = 100 };
    const char *run = site_run(&site, "hold", "{}");
    const char *ask = site_path(&site,
                                "GET /api/v3/runs/%s?wait=30s HTTP/1.1\r\nhost: x\r\n"
                                "authorization: Bearer " KEY_DEV "\r\n\r\n",
                                run);
    int fds[CLIENTS];

    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = site_connect(&site);
        site_send(fds[i], ask, strlen(ask));
    }
    close(fds[0]); /* one loses its patience */
    cr_assert_eq(site_post(&site, site_path(&site, "/api/v2/runs/%s/cancel", run), "").status,
                 200);
    for (int i = 1; i < CLIENTS; i++) {
        struct answer answer = site_receive(&site, fds[i]);
        cr_expect_str_eq(answer_text(&site, answer, "status"), "CANCELED");
        close(fds[i]);
    }
}

Test(runs, canceling_twice_is_fine)
{
    const char *run = site_run(&site, "hold", "{}");
    const char *path = site_path(&site, "/api/v2/runs/%s/cancel", run);
    struct answer first = site_post(&site, path, "{\"reason\":\"changed my mind\"}");
    struct answer again = site_post(&site, path, "");

    cr_assert_eq(first.status, 200);
    cr_assert_str_eq(answer_text(&site, first, "id"), run);
    cr_assert_eq(again.status, 200);
    cr_assert(answer_find(show(run), "isCancelled")->boolean);
    cr_assert_eq(site_post(&site, "/api/v2/runs/run_0000000000000/cancel", "").status, 404);
    cr_assert_eq(site_post(&site, path, "{").status, 400);
}

Test(runs, logs_of_a_run_are_a_list)
{
    const char *run = site_run(&site, "echo", "{}");
    struct answer answer = site_get(&site, site_path(&site, "/api/v1/runs/%s/logs", run));

    cr_assert_eq(answer.status, 200);
    cr_assert_eq(answer_find(answer, "data")->kind, VALUE_LIST);
    cr_assert_eq(site_get(&site, site_path(&site, "/api/v1/runs/%s/logs?limit=0", run)).status,
                 400);
}

Test(runs, pages_go_forward_and_back)
{
    const char *ids[7];

    for (int i = 0; i < 7; i++)
        ids[i] = site_run(&site, "hold", "{}");
    struct answer first = site_get(&site, "/api/v1/runs?page%5Bsize%5D=3");
    const char *next = answer_text(&site, first, "pagination.next");
    struct answer second =
        site_get(&site, site_path(&site, "/api/v1/runs?page[size]=3&page[after]=%s", next));
    struct answer last =
        site_get(&site, site_path(&site, "/api/v1/runs?page[size]=3&page[after]=%s",
                                  answer_text(&site, second, "pagination.next")));
    struct answer back =
        site_get(&site, site_path(&site, "/api/v1/runs?page[size]=3&page[before]=%s",
                                  answer_text(&site, second, "pagination.previous")));
    struct answer both = site_get(
        &site, site_path(&site, "/api/v1/runs?page[after]=%s&page[before]=%s", next, next));

    cr_assert_str_eq(answer_text(&site, first, "data.0.id"), ids[6]);
    cr_assert_null(answer_find(first, "pagination.previous"));
    cr_assert_str_eq(answer_text(&site, second, "data.0.id"), ids[3]);
    cr_assert_str_eq(answer_text(&site, last, "data.0.id"), ids[0]);
    cr_assert_null(answer_find(last, "pagination.next"));
    cr_assert_str_eq(answer_text(&site, back, "data.0.id"), ids[6]);
    cr_assert_eq(answer_find(back, "data")->count, 3);
    cr_assert_eq(both.status, 400);
}

Test(runs, filters_pick)
{
    const char *echo = site_run(&site, "echo", "{}"), *hold = site_run(&site, "hold", "{}");
    struct answer tagged =
        site_post(&site, "/api/v1/tasks/hold/trigger",
                  "{\"options\":{\"tags\":[\"blue\",\"red\"],\"test\":true}}");
    const char *blue = answer_text(&site, tagged, "id");
    static const struct {
        const char *query;
        uint32_t count;
    } cases[] = {
        { "", 3 },
        { "?filter[status]=COMPLETED", 1 },
        { "?filter[status]=COMPLETED,EXECUTING", 3 },
        { "?filter[status]=DEQUEUED", 0 },
        { "?filter[taskIdentifier]=hold", 2 },
        { "?filter[taskIdentifier]=hold,echo", 3 },
        { "?filter[tag]=blue,green", 1 },
        { "?filter[tag]=green", 0 },
        { "?filter[queue]=task/echo", 1 },
        { "?filter[queue]=slow%2Flane", 2 },
        { "?filter[version]=1.0.0", 3 },
        { "?filter[version]=9", 0 },
        { "?filter[isTest]=true", 1 },
        { "?filter[isTest]=false", 2 },
        { "?filter[createdAt][period]=1h", 3 },
        { "?filter[createdAt][from]=4102444800000", 0 },
        { "?filter[createdAt][to]=2020-01-01", 0 },
        { "?filter[env]=dev", 3 },
        { "?unheard=1", 3 },
        { "?unheard=", 3 },
    };

    site_until(&site, echo, "COMPLETED");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer list =
            site_get(&site, site_path(&site, "/api/v1/runs%s", cases[i].query));
        cr_expect_eq(list.status, 200, "%s: %s", cases[i].query, list.body.data);
        cr_expect_eq(answer_find(list, "data")->count, cases[i].count, "%s: %s", cases[i].query,
                     list.body.data);
    }
    struct answer list = site_get(&site, "/api/v1/projects/any/runs?filter[tag]=red");
    cr_assert_str_eq(answer_text(&site, list, "data.0.id"), blue);
    cr_assert_str_eq(answer_text(&site, list, "data.0.env.name"), "dev");
    cr_assert_str_neq(hold, blue);
}

Test(runs, bad_filters_are_query_errors)
{
    static const char *const queries[] = {
        "filter[status]=SLEEPING",
        "filter[machine]=huge",
        "filter[machine]=micro",
        "filter[region]=eu",
        "filter[batch]=batch_1",
        "filter[schedule]=sched_1",
        "filter[bulkAction]=bulk_1",
        "filter[error]=e",
        "filter[parentRunId]=run_0000000000000",
        "filter[env]=prod",
        "filter[env]=dev,prod",
        "filter[stauts]=COMPLETED",
        "filter=x",
        "page[before]=run_0000000000000",
        "page[after]=run_0000000000000",
        "page[siez]=3",
        "filter[isTest]=maybe",
        "page[size]=0",
        "page[size]=101",
        "page[size]=x",
        "page[after]=somewhere",
        "page[before]=waitpoint_0000000000000",
        "filter[createdAt][period]=eon",
        "filter[createdAt][from]=yesterday",
        "filter[machine]=",
        "filter[status]=",
        "filter[status]=,",
        "filter[status]=COMPLETED,",
        "filter[taskIdentifier]=",
        "filter[version]=",
        "filter[tag]=",
        "filter[tag]=a,%20,b",
        "filter[queue]=",
        "filter[isTest]",
        "filter[env]=",
        "filter[createdAt][period]=",
        "filter[createdAt][from]=",
        "filter[createdAt][to]=",
        "page[size]=",
        "page[after]=",
        "page[before]=",
    };

    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct answer answer = site_get(&site, site_path(&site, "/api/v1/runs?%s", queries[i]));
        cr_expect_eq(answer.status, 400, "%s", queries[i]);
        cr_expect_not_null(strstr(answer_text(&site, answer, "error"), "Query Error"));
    }
}

Test(runs, names_that_nothing_can_have_are_refused_by_their_rule)
{
    static const char *const queries[] = { "filter[queue]=a%20b", "filter[queue]=ok,..",
                                           "filter[tag]=%E2%80%AE",
                                           "filter[taskIdentifier]=%01" };

    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct answer answer = site_get(&site, site_path(&site, "/api/v1/runs?%s", queries[i]));
        cr_expect_eq(answer.status, 422, "%s: %d", queries[i], answer.status);
        cr_expect_not_null(strstr(answer_text(&site, answer, "error"), "at character"));
    }
}

Test(runs, what_is_asked_for_has_a_value)
{
    const char *run = site_run(&site, "hold", "{}");
    static const char *const paths[] = { "/api/v3/runs/%s?wait=",
                                         "/api/v3/runs/%s?wait",
                                         "/api/v3/runs/%s?wait=1ms&until=",
                                         "/api/v1/runs/%s/logs?limit=",
                                         "/api/v1/queues?page=&x=%s",
                                         "/api/v1/queues?perPage=&x=%s",
                                         "/api/v1/queues/task%%2Fhold?type=&x=%s" };

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char path[200];
        snprintf(path, sizeof path, paths[i], run);
        struct answer answer = site_get(&site, path);
        cr_expect_eq(answer.status, 400, "%s: %d", path, answer.status);
        cr_expect_not_null(strstr(answer_text(&site, answer, "error"), "is empty"));
    }
}

Test(runs, words_of_a_query_that_nobody_knows_are_told)
{
    const char *run = site_run(&site, "hold", "{}");
    struct slice ignored = { 0 };

    cr_assert(
        answer_header(site_get(&site, "/api/v1/runs?unheard=1"), "x-bide-ignored", &ignored));
    cr_assert(slice_is(ignored, "?unheard"));
    cr_assert(answer_header(site_get(&site, site_path(&site, "/api/v3/runs/%s?wiat=1s", run)),
                            "x-bide-warning", &ignored));
    cr_assert(slice_is(ignored, "?wiat is not known; did you mean ?wait?"));
    cr_assert(answer_header(
        site_get(&site, site_path(&site, "/api/v3/runs/%s?filter[status]=DONE", run)),
        "x-bide-ignored", &ignored));
    cr_assert(slice_is(ignored, "?filter[status]"));
    cr_assert_not(answer_header(
        site_get(&site, site_path(&site, "/api/v3/runs/%s?wait=1ms&until=done", run)),
        "x-bide-ignored", &ignored));
}

Test(runs, a_foreign_cursor_is_no_cursor)
{
    const char *run = site_run(&site, "hold", "{}");
    struct answer prod =
        site_ask(&site, "GET", site_path(&site, "/api/v1/runs?page[after]=%s", run),
                 "authorization: Bearer " KEY_PROD "\r\n", NULL);

    cr_assert_eq(prod.status, 400, "%s", prod.body.data);
    cr_assert_eq(site_get(&site, site_path(&site, "/api/v1/runs?page[after]=%s", run)).status,
                 200);
}

Test(runs, a_cancel_is_understood_or_changes_nothing)
{
    static const char *const bodies[] = {
        "[1]", "7", "\"x\"", "{", "{\"reason\":7}", "{\"message\":\"m\"}"
    };
    const char *run = site_run(&site, "hold", "{}");
    const char *path = site_path(&site, "/api/v2/runs/%s/cancel", run);

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        cr_expect_eq(site_post(&site, path, bodies[i]).status, 400, "%s", bodies[i]);
    cr_assert_str_eq(answer_text(&site, show(run), "status"), "EXECUTING");
    cr_assert_eq(site_post(&site, path, "{\"resaon\":\"r\"}").status, 200);
    cr_assert(answer_find(show(run), "isCancelled")->boolean);
}

Test(runs, another_environment_sees_none_of_them)
{
    site_run(&site, "hold", "{}");
    struct answer list =
        site_ask(&site, "GET", "/api/v1/runs", "authorization: Bearer " KEY_PROD "\r\n", NULL);

    cr_assert_eq(answer_find(list, "data")->count, 0);
}

/* The end of a run may come between its client's read and the end of that request. */
Test(runs, a_client_is_answered_once_however_fast_its_run_is)
{
    for (int i = 0; i < 150; i++) {
        site_until(&site, site_run(&site, "sleepy", "{}"), "WAITING");
        site_until(&site, site_run(&site, "echo", "{}"), "COMPLETED");
    }
}
