/* What bad input gets: a clear status or a closed connection; memory bounded; other clients
 * served. */
#include "raw.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIGGER "/api/v1/tasks/hello/trigger"

static struct server s;

static void set_up(void)
{
    server_init(&s);
    s.config_more = "server:\n  request_time: 2s\n";
    server_add_plugin(&s, "hello");
    server_add_schema(&s, "hello");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(bad_input, .init = set_up, .fini = tear_down, .timeout = 300);

/* Another client is served at once, and the work it asks for is done. */
static void assert_serves(void)
{
    long long start = now_ms();
    const char *run = run_trigger(&s, "hello", "{\"name\": \"you\"}", NULL);
    const struct reply *reply = run_end(&s, run);
    cr_assert_str_eq(reply_text(reply, "status"), "COMPLETED", "%s", reply->text);
    cr_assert_lt(now_ms() - start, 5000, "it took %lld ms", now_ms() - start);
}

static void assert_refused(const char *body, size_t size, long status)
{
    struct request request = { .method = "POST",
                               .url = text("%s" TRIGGER, s.url),
                               .key = s.key };
    request.body = body;
    request.size = size;
    const struct reply *reply = client_send(&request);
    cr_assert_eq(reply->status, status, "%ld %s", reply->status, reply->text);
    cr_assert_gt(strlen(reply_text(reply, "error")), 5, "a sentence: %s", reply->text);
    assert_serves();
}

Test(bad_input, broken_json)
{
    const char *bodies[] = { "{",
                             "{\"payload\": }",
                             "nonsense",
                             "{\"payload\": 1} trailing",
                             "{\"payload\": 01}",
                             "{\"payload\": \"\\ud800\"}",
                             "[1, 2]",
                             "\"text\"",
                             "12",
                             "{'a': 1}",
                             "{\"payload\": 1e999}",
                             "{\"payload\": nul" };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        const struct reply *reply = server_call(&s, "POST", TRIGGER, bodies[i]);
        cr_assert_eq(reply->status, 400, "%s: %ld %s", bodies[i], reply->status, reply->text);
        cr_assert_gt(strlen(reply_text(reply, "error")), 5, "%s", reply->text);
    }
    assert_serves();
}

/* It is {}: a trigger without a payload, and hello's schema wants nothing of one. */
Test(bad_input, no_body_at_all)
{
    struct request request = {
        .method = "POST", .url = text("%s" TRIGGER, s.url), .key = s.key, .body = ""
    };

    const struct reply *reply = client_send(&request);
    cr_assert_eq(reply->status, 200, "%ld %s", reply->status, reply->text);
    cr_assert_str_eq(reply_text(run_end(&s, strdup(reply_text(reply, "id"))), "status"),
                     "COMPLETED");
}

Test(bad_input, wrong_utf8)
{
    assert_refused("{\"payload\": {\"name\": \"\xff\xfe\"}}", 0, 400);
    assert_refused("{\"payload\": {\"name\": \"\xc0\xaf\"}}", 0, 400);
    assert_refused("{\"payload\": {\"name\": \"\xed\xa0\x80\"}}", 0, 400);
}

Test(bad_input, ten_thousand_nested_arrays)
{
    enum { DEPTH = 10000 };
    char *body = malloc(2 * DEPTH + 40);
    int at = sprintf(body, "{\"payload\": {\"a\": ");
    memset(body + at, '[', DEPTH);
    memset(body + at + DEPTH, ']', DEPTH);
    strcpy(body + at + 2 * DEPTH, "}}");

    assert_refused(body, 0, 400);
    free(body);
}

/* The same on the callback's side: a refusal or a value, never a crash. */
Test(bad_input, a_token_gets_nested_arrays)
{
    const struct reply *token = server_call(&s, "POST", "/api/v1/waitpoints/tokens", "{}");
    cr_assert_eq(token->status, 200, "%s", token->text);
    char body[20001];
    memset(body, '[', 10000);
    memset(body + 10000, ']', 10000);
    body[20000] = 0;

    const struct reply *reply =
        server_call_as(&s, NULL, "POST", reply_text(token, "url"), body);

    cr_assert(reply->status == 400 || reply->status == 200, "%ld", reply->status);
    assert_serves();
}

/* The size is announced: the answer comes before the body does. */
Test(bad_input, a_hundred_megabytes_announced)
{
    long before = server_rss_kib(&s);
    int fd = raw_connect(&s);
    raw_say(fd, text("POST " TRIGGER " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                     "Content-Type: application/json\r\nContent-Length: 104857600\r\n\r\n",
                     s.key));
    const char *heard = raw_hear(fd, 10000);
    cr_assert_eq(raw_status(heard), 413, "heard: %s", heard);
    close(fd);

    assert_serves();
    cr_assert_lt(server_rss_kib(&s) - before, 65536);
}

/* The client sends all of it, whatever it is told. */
static void send_hundred_megabytes(int fd, bool is_chunked)
{
    static char block[1 << 16];
    memset(block, ' ', sizeof block);
    for (int i = 0; i < 1600; i++) {
        if (is_chunked && !raw_say(fd, "10000\r\n"))
            return;
        if (!raw_send(fd, block, sizeof block))
            return;
        if (is_chunked && !raw_say(fd, "\r\n"))
            return;
    }
}

static void assert_hundred_megabytes_refused(const char *how, bool is_chunked)
{
    long before = server_rss_kib(&s);
    int fd = raw_connect(&s);
    raw_say(fd, text("POST " TRIGGER " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                     "Content-Type: application/json\r\n%s\r\n\r\n",
                     s.key, how));
    send_hundred_megabytes(fd, is_chunked);
    const char *heard = raw_hear(fd, 10000);
    int status = raw_status(heard);
    cr_assert(status == 413 || status == 0, "heard: %s", heard);
    if (status != 0)
        cr_assert_neq(strstr(heard, "error"), NULL, "heard: %s", heard);
    close(fd);
    assert_serves();
    cr_assert_lt(server_rss_kib(&s) - before, 65536, "%ld KiB more",
                 server_rss_kib(&s) - before);
}

Test(bad_input, a_hundred_megabytes_sent)
{
    assert_hundred_megabytes_refused("Content-Length: 104857600", false);
}

Test(bad_input, a_hundred_megabytes_in_chunks)
{
    assert_hundred_megabytes_refused("Transfer-Encoding: chunked", true);
}

Test(bad_input, a_small_chunked_body_is_fine)
{
    int fd = raw_connect(&s);
    raw_say(fd, text("POST " TRIGGER " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                     "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
                     s.key));
    raw_say(fd, "9\r\n{\"payload\r\n");
    raw_say(fd, "e\r\n\": {\"name\": 1}\r\n");
    raw_say(fd, "1\r\n}\r\n0\r\n\r\n");
    const char *heard = raw_hear(fd, 10000);
    cr_assert(raw_status(heard) == 200 || raw_status(heard) == 400, "heard: %s", heard);
    close(fd);
}

Test(bad_input, a_head_without_end)
{
    static char block[1 << 16];
    memset(block, 'a', sizeof block);
    int fd = raw_connect(&s);
    raw_say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ");
    bool is_open = true;
    for (int i = 0; i < 160 && is_open; i++)
        is_open = raw_send(fd, block, sizeof block);
    const char *heard = raw_hear(fd, 10000);
    int status = raw_status(heard);
    cr_assert(status == 0 || status == 431 || status == 413 || status == 400, "heard: %s",
              heard);
    cr_assert(status != 0 || raw_closes(fd, 10000));
    close(fd);
    assert_serves();
}

/* Head complete, body never comes; and a head that stops in the middle. */
Test(bad_input, half_a_request_is_given_up)
{
    int half_body = raw_connect(&s), half_head = raw_connect(&s);
    raw_say(half_body,
            text("POST " TRIGGER " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                 "Content-Length: 100\r\n\r\n{\"payl",
                 s.key));
    raw_say(half_head, "POST " TRIGGER " HTTP/1.1\r\nHost: x\r\nAuthor");

    assert_serves();

    cr_assert(raw_closes(half_body, 15000), "half a body holds its connection");
    cr_assert(raw_closes(half_head, 15000), "half a head holds its connection");
    close(half_body);
    close(half_head);
    assert_serves();
}

/* One byte a time: each keeps the connection busy, all of them together take too long. */
Test(bad_input, a_slow_request_is_given_up)
{
    int fd = raw_connect(&s);
    raw_say(fd, "POST " TRIGGER " HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    long long start = now_ms();
    while (now_ms() - start < 20000 && raw_say(fd, "a") && !raw_closes(fd, 200))
        ;
    cr_assert_lt(now_ms() - start, 20000, "it is still listened to");
    close(fd);
    assert_serves();
}

/* Those that are refused are closed at once; the server knows how many it can hold. */
Test(bad_input, five_thousand_idle_connections)
{
    enum { COUNT = 5000 };
    static int fds[COUNT];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < COUNT + 100)
        cr_skip_test("this process may not open 5,000 files");

    long before = server_rss_kib(&s);
    for (int i = 0; i < COUNT; i++)
        fds[i] = raw_connect(&s);
    assert_serves();
    long more = server_rss_kib(&s) - before;
    cr_assert_lt(more, 200 * 1024, "5,000 connections cost %ld KiB", more);

    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    assert_serves();
}

/* In bytes, waiting for their readers. */
static long replies_waiting(void)
{
    const struct reply *metrics = server_call(&s, "GET", "/metrics", NULL);
    const char *at = strstr(metrics->text, "\nbide_http_replies_bytes ");

    cr_assert_not_null(at, "%s", metrics->text);
    return atol(strchr(at + 1, ' '));
}

/* They hold no more than there may be for all of them, and when they are gone it is given back.
 */
Test(bad_input, readers_that_do_not_read)
{
    enum { COUNT = 300, PAYLOAD = 2 << 20, ROOM_MIB = 320, REST_MIB = 64 };
    static int fds[COUNT];
    int small = 4096, served = 0;
    char *letters = malloc(PAYLOAD + 1), start[12];

    server_stop(&s); /* a leak checker keeps what was freed for a while */
    const char *options = getenv("ASAN_OPTIONS");
    setenv("ASAN_OPTIONS", text("%s:quarantine_size_mb=8", options == NULL ? "" : options), 1);
    server_start(&s);
    memset(letters, 'x', PAYLOAD);
    letters[PAYLOAD] = '\0';
    const char *run =
        run_trigger(&s, "nobody-has-it", text("{\"text\": \"%s\"}", letters), NULL);
    free(letters);
    cr_assert_gt(strlen(run_get(&s, run)->text), PAYLOAD);
    long before = server_rss_kib(&s);

    for (int i = 0; i < COUNT; i++) {
        fds[i] = raw_connect(&s);
        setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
        raw_say(fds[i], text("GET /api/v3/runs/%s HTTP/1.1\r\nHost: x\r\nAuthorization: "
                             "Bearer %s\r\n\r\n",
                             run, s.key));
    }
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(recv(fds[i], start, sizeof start, MSG_PEEK | MSG_WAITALL), sizeof start);
        served += memcmp(start, "HTTP/1.1 200", sizeof start) == 0;
    }
    long during = server_rss_kib(&s), waiting = replies_waiting();
    cr_expect_gt(served, 10);
    cr_expect_lt(served, COUNT, "there is no limit");
    cr_expect_gt(waiting, PAYLOAD);
    cr_expect_lt(during - before, ROOM_MIB << 10, "%d readers cost %ld KiB", served,
                 during - before);
    assert_serves();

    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    long long deadline = now_ms() + 20000;
    while (replies_waiting() > 0 || server_rss_kib(&s) - before > REST_MIB << 10) {
        cr_assert_lt(now_ms(), deadline, "%ld bytes wait, and %ld KiB are kept",
                     replies_waiting(), server_rss_kib(&s) - before);
        pause_ms(20);
    }
}

Test(bad_input, garbage_instead_of_http)
{
    const char *said[] = {
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "GET /healthz HTTP/9.9\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        int fd = raw_connect(&s);
        raw_say(fd, said[i]);
        int status = raw_status(raw_hear(fd, 500));
        cr_assert(status == 0 || status >= 400, "case %zu: %d", i, status);
        close(fd);
    }
    assert_serves();
}

Test(bad_input, unknown_paths_and_methods)
{
    const struct reply *reply = server_call(&s, "GET", "/api/v1/nothing", NULL);
    cr_assert_eq(reply->status, 404);
    cr_assert_neq(strcasestr(reply->headers, "x-should-retry: false"), NULL, "%s",
                  reply->headers);
    reply = server_call(&s, "DELETE", TRIGGER, NULL);
    cr_assert_eq(reply->status, 405, "%ld", reply->status);
    cr_assert_neq(strcasestr(reply->headers, "allow:"), NULL, "%s", reply->headers);
    const char *paths[] = { "/api/v1/tasks//trigger",     "/api/v3/runs/",
                            "/api/v3/runs/%00",           "/api/v3/runs/../../etc/passwd",
                            "/api/v3/runs/run_%ff",       "/api/v3/runs/token_1",
                            "/api/v1/runs?page[size]=-1", "/api/v1/runs?page[after]=%00%ff" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        reply = server_call(&s, "GET", paths[i], NULL);
        cr_assert(reply->status >= 400 && reply->status < 500, "%s: %ld %s", paths[i],
                  reply->status, reply->text);
    }
    assert_serves();
}
