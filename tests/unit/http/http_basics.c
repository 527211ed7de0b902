/* What every request has in common: keys, paths, methods, bodies. */
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

TestSuite(basics, .init = setup, .fini = teardown, .timeout = 60);

Test(basics, health_needs_no_key)
{
    struct answer answer = site_ask(&site, "GET", "/healthz", "", NULL);

    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer_text(&site, answer, "status"), "ok");
    cr_assert_eq(site_ask(&site, "GET", "/readyz", "", NULL).status, 200);
}

Test(basics, missing_and_wrong_keys_are_refused)
{
    struct answer none = site_ask(&site, "GET", "/api/v1/runs", "", NULL);
    struct answer wrong =
        site_ask(&site, "GET", "/api/v1/runs", "authorization: Bearer tr_dev_x\r\n", NULL);
    struct answer near =
        site_ask(&site, "GET", "/api/v1/runs", "authorization: Bearer " KEY_DEV "x\r\n", NULL);
    struct answer basic =
        site_ask(&site, "GET", "/api/v1/runs", "authorization: Basic abc\r\n", NULL);

    cr_assert_eq(none.status, 401);
    cr_assert_str_eq(answer_text(&site, none, "error"), "Invalid or Missing API key");
    cr_assert_eq(wrong.status, 401);
    cr_assert_str_eq(answer_text(&site, wrong, "error"), "Invalid API key");
    cr_assert_eq(near.status, 401);
    cr_assert_eq(basic.status, 401);
}

Test(basics, unknown_paths_are_not_found_and_not_retried)
{
    struct answer answer = site_get(&site, "/api/v1/nothing");
    struct slice retry = { 0 };

    cr_assert_eq(answer.status, 404);
    cr_assert_str_eq(answer_text(&site, answer, "error"), "Not found");
    cr_assert(answer_header(answer, "x-should-retry", &retry));
    cr_assert(slice_is(retry, "false"));
}

Test(basics, wrong_methods_are_told_what_is_allowed)
{
    struct answer answer = site_post(&site, "/api/v3/runs/run_0", "");
    struct slice allow = { 0 };

    cr_assert_eq(answer.status, 405);
    cr_assert(answer_header(answer, "allow", &allow));
    cr_assert(slice_is(allow, "GET, HEAD, OPTIONS"), "%.*s", SLICE_ARG(allow));
}

Test(basics, options_tell_browsers_what_they_may_do)
{
    struct answer answer = site_ask(&site, "OPTIONS", "/api/v1/tasks/echo/trigger",
                                    "origin: https://app.example\r\n", NULL);
    struct slice text = { 0 };

    cr_assert_eq(answer.status, 204);
    cr_assert(answer_header(answer, "access-control-allow-origin", &text));
    cr_assert(slice_is(text, "https://app.example"));
    cr_assert(answer_header(answer, "access-control-max-age", &text));
    cr_assert(slice_is(text, "300"));
    answer =
        site_ask(&site, "OPTIONS", "/api/v1/queues", "origin: https://app.example\r\n", NULL);
    cr_assert_eq(answer.status, 204);
    cr_assert_not(answer_header(answer, "access-control-allow-origin", &text));
    cr_assert_eq(site_ask(&site, "OPTIONS", "/nowhere", "", NULL).status, 404);
}

Test(basics, replies_for_browsers_name_their_origin)
{
    struct answer answer =
        site_ask(&site, "GET", "/api/v1/runs",
                 "authorization: Bearer " KEY_DEV "\r\norigin: https://app.example\r\n", NULL);
    struct slice text = { 0 };

    cr_assert(answer_header(answer, "access-control-allow-origin", &text));
    cr_assert(slice_is(text, "https://app.example"));
}

Test(basics, head_is_a_get_without_a_body)
{
    int fd = site_connect(&site);
    const char request[] = "HEAD /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    char reply[2048];
    ssize_t size = 0, got;

    site_send(fd, request, strlen(request));
    while ((got = read(fd, reply + size, sizeof reply - 1 - (size_t)size)) > 0)
        size += got;
    reply[size] = '\0';
    close(fd);

    cr_assert_not_null(strstr(reply, "HTTP/1.1 200"));
    cr_assert_null(strstr(reply, "content-length: 0"));
    cr_assert_not_null(strstr(reply, "\r\n\r\n"));
    cr_assert_str_eq(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
}

Test(basics, a_path_is_split_before_it_is_decoded)
{
    struct answer answer =
        site_post(&site, "/api/v1/tasks/a%2Fb%20c/trigger", "{\"payload\":1}");
    struct answer run =
        site_get(&site, site_path(&site, "/api/v3/runs/%s", answer_text(&site, answer, "id")));

    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer_text(&site, run, "taskIdentifier"), "a/b c");
}

Test(basics, broken_escapes_are_refused)
{
    cr_assert_eq(site_post(&site, "/api/v1/tasks/a%zz/trigger", "{}").status, 400);
    cr_assert_eq(site_post(&site, "/api/v1/tasks/a%0/trigger", "{}").status, 400);
    cr_assert_eq(site_post(&site, "/api/v1/tasks/a%00b/trigger", "{}").status, 400);
    cr_assert_eq(site_post(&site, "/api/v1/tasks/%ff%fe/trigger", "{}").status, 400);
    cr_assert_eq(site_get(&site, "/api/v1/runs?filter%5Btag%5D=%c3%28").status, 400);
}

Test(basics, an_absolute_url_is_as_good_as_a_path)
{
    cr_assert_eq(site_ask(&site, "GET", "http://localhost/healthz", "", NULL).status, 200);
}

Test(basics, pipelined_requests_are_answered_in_order)
{
    static const char requests[] = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
                                   "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n"
                                   "GET /api/v1/queues HTTP/1.1\r\nhost: x\r\n"
                                   "authorization: Bearer " KEY_DEV "\r\nconnection: close\r\n"
                                   "\r\n";
    int fd = site_connect(&site);
    char reply[8192];
    ssize_t size = 0, got;

    site_send(fd, requests, sizeof requests - 1);
    while ((got = read(fd, reply + size, sizeof reply - 1 - (size_t)size)) > 0)
        size += got;
    reply[size] = '\0';
    close(fd);

    char *first = strstr(reply, "HTTP/1.1 200"), *second = strstr(reply, "HTTP/1.1 404");
    cr_assert_not_null(first);
    cr_assert_not_null(second);
    cr_assert_lt(first, second);
    cr_assert_not_null(strstr(second, "HTTP/1.1 200"));
}

Test(basics, plugins_are_what_dispatch_says)
{
    struct answer answer = site_get(&site, "/api/v1/plugins");

    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer_text(&site, answer, "data.0.file"), "echo.so");
}

Test(basics, metrics_count_runs_queues_and_requests)
{
    site_until(&site, site_run(&site, "echo", "{}"), "COMPLETED");
    site_until(&site, site_run(&site, "sleepy", "{}"), "WAITING");
    struct answer answer = site_ask(&site, "GET", "/metrics", "", NULL);
    const char *text = answer.body.data;

    cr_assert_eq(answer.status, 200);
    cr_assert_not_null(strstr(text, "bide_runs{environment=\"dev\",status=\"waiting\"} 1\n"),
                       "%s", text);
    cr_assert_not_null(strstr(
        text, "bide_runs_finished_total{environment=\"dev\",outcome=\"completed\"} 1\n"));
    cr_assert_not_null(
        strstr(text, "bide_queue_depth{environment=\"prod\",queue=\"slow/lane\"}"));
    cr_assert_not_null(strstr(
        text, "bide_queue_limit{environment=\"dev\",of=\"lane\",queue=\"slow/lane\"} 7\n"));
    cr_assert_not_null(strstr(
        text,
        "bide_queue_limit{environment=\"dev\",of=\"keyed_lane\",queue=\"slow/lane\"} 2\n"));
    cr_assert_not_null(strstr(
        text, "bide_queue_limit{environment=\"dev\",of=\"total\",queue=\"slow/lane\"} 9\n"));
    cr_assert_null(strstr(text, "of=\"total\",queue=\"task/echo\""), "it has none");
    cr_assert_not_null(strstr(text,
                              "bide_http_requests_total{method=\"POST\","
                              "route=\"/api/v1/tasks/:task/trigger\",status=\"200\"} 2\n"));
    cr_assert_not_null(strstr(text, "bide_store_ok 1\n"));
    cr_assert_not_null(strstr(text, "bide_slots 4\n"));
}

Test(basics, all_who_ask_for_metrics_at_once_are_answered)
{
    enum { CLIENTS = 40 };
    static const char request[] = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
    int fds[CLIENTS];

    site_run(&site, "hold", "{}");
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = site_connect(&site);
        site_send(fds[i], request, sizeof request - 1);
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct answer answer = site_receive(&site, fds[i]);
        cr_expect_eq(answer.status, 200);
        cr_expect_not_null(strstr(answer.body.data, "status=\"running\"} 1\n"));
        close(fds[i]);
    }
}
