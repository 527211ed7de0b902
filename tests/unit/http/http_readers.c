/* Readers of replies: slow ones, too many of them, and who may read /metrics. */
#include "base/clock.h"
#include "site.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct site site;

static void setup(void)
{
    site_init(&site);
}

static void teardown(void)
{
    site_finish(&site);
}

TestSuite(readers, .init = setup, .fini = teardown, .timeout = 60);

#define AUTH "authorization: Bearer " KEY_DEV "\r\n"

enum {
    TEXT_BYTES = 400000,
    REPLY_BYTES = 2 * TEXT_BYTES
}; /* it shows what came and what left */

static const char *big_run(void)
{
    char *text = arena_alloc(&site.arena, TEXT_BYTES + 1);

    memset(text, 'x', TEXT_BYTES);
    const char *run = site_run(&site, "echo", site_path(&site, "{\"text\":\"%s\"}", text));
    site_until(&site, run, "COMPLETED");
    return run;
}

static size_t size_of(const char *run)
{
    struct answer answer = site_get(&site, site_path(&site, "/api/v3/runs/%s", run));

    cr_assert_geq(answer.body.size, TEXT_BYTES);
    return answer.body.size;
}

/* Asks for the run, and reads nothing by itself. */
static int ask(const char *run, int room)
{
    int fd = site_connect(&site);
    const char *request =
        site_path(&site, "GET /api/v3/runs/%s HTTP/1.1\r\nhost: x\r\n" AUTH "\r\n", run);

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    site_send(fd, request, strlen(request));
    return fd;
}

static int64_t metric(const char *name)
{
    struct answer answer = site_ask(&site, "GET", "/metrics", "", NULL);
    const char *at = strstr(answer.body.data, site_path(&site, "\n%s ", name));

    cr_assert_not_null(at, "%s", name);
    return strtoll(at + strlen(name) + 2, NULL, 10);
}

static void wait_for(const char *name, bool is_zero)
{
    int64_t end_ms = clock_now_ms() + 20000;

    while ((metric(name) == 0) != is_zero) {
        cr_assert_lt(clock_now_ms(), end_ms, "%s", name);
        usleep(20000);
    }
}

Test(readers, replies_that_wait_for_them_have_a_budget)
{
    enum { READERS = 4 };
    int fds[READERS], refused = 0;
    char start[12];

    site_start(&site);
    const char *run = big_run();
    site.config.max_reply_bytes = (int64_t)(size_of(run) * 5 / 2);
    for (int i = 0; i < READERS; i++)
        fds[i] = ask(run, 4096);
    for (int i = 0; i < READERS; i++) { /* in whatever order they were served */
        struct slice after;
        cr_assert_eq(recv(fds[i], start, sizeof start, MSG_PEEK | MSG_WAITALL), sizeof start);
        if (memcmp(start, "HTTP/1.1 503", sizeof start) != 0)
            continue;
        struct answer answer = site_receive(&site, fds[i]);
        cr_expect_str_neq(answer_text(&site, answer, "error"), "");
        cr_expect(answer_header(answer, "retry-after", &after));
        refused++;
    }
    cr_expect_eq(refused, 2);
    cr_expect_gt(metric("bide_http_replies_bytes"), 0);
    /* What is small is answered as ever, and what changes something. */
    site_run(&site, "hold", "{}");

    for (int i = 0; i < READERS; i++)
        close(fds[i]);
    wait_for("bide_http_replies_bytes", true);
    cr_expect_eq(site_get(&site, site_path(&site, "/api/v3/runs/%s", run)).status, 200);
}

Test(readers, who_takes_too_little_is_cut_off)
{
    char byte;

    site.config.reply_rate = 100000;
    site.config.reply_time_ms = 300;
    site_start(&site);
    int fd = ask(big_run(), 4096);
    wait_for("bide_http_replies_bytes", false);
    int64_t end_ms = clock_now_ms() + 20000;
    while (metric("bide_http_readers_cut_total") == 0) {
        cr_assert_lt(clock_now_ms(), end_ms);
        (void)recv(fd, &byte, 1, MSG_DONTWAIT);
        usleep(20000);
    }
    cr_expect_eq(metric("bide_http_replies_bytes"), 0);
    close(fd);
}

Test(readers, who_takes_it_steadily_gets_all_of_it)
{
    static char bytes[32768];
    ssize_t got, all = 0;

    site.config.reply_rate = 100000;
    site.config.reply_time_ms = 1000;
    site_start(&site);
    const char *run = big_run();
    ssize_t size = (ssize_t)size_of(run);
    int fd = ask(run, 65536);
    while (all < size && (got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        all += got;
        usleep(10000);
    }
    close(fd);
    cr_expect_geq(all, size);
    cr_expect_eq(metric("bide_http_readers_cut_total"), 0);
}

/* Replies of earlier requests are still on their way while a later one is at work. */
Test(readers, who_asks_much_before_reading_gets_every_reply)
{
    enum { PAIRS = 600 };
    static const char ask_sync[] = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    static char bytes[65536];
    size_t replies = 0, kept = 0;
    ssize_t got;

    site_start(&site);
    const char *ask_read =
        site_path(&site, "GET /api/v3/runs/%s HTTP/1.1\r\nhost: x\r\n" AUTH "\r\n",
                  site_run(&site, "hold", "{}"));
    int fd = site_connect(&site), room = 32768;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < PAIRS; i++) {
            site_send(fd, ask_sync, sizeof ask_sync - 1);
            site_send(fd, ask_read, strlen(ask_read));
        }
        shutdown(fd, SHUT_WR);
        _exit(0);
    }
    usleep(500000);
    while ((got = recv(fd, bytes + kept, sizeof bytes - kept, 0)) > 0) {
        size_t size = kept + (size_t)got, from = 0;
        const char *at;
        while ((at = memmem(bytes + from, size - from, "HTTP/1.1 200", 12)) != NULL) {
            replies++;
            from = (size_t)(at - bytes) + 12;
        }
        kept = size - from < 11 ? size - from : 11; /* one may be cut in two */
        memmove(bytes, bytes + size - kept, kept);
    }
    close(fd);
    cr_expect_eq(replies, 2 * PAIRS);
    waitpid(child, NULL, 0);
}

Test(readers, metrics_are_of_the_environment_whose_key_is_given)
{
    site.config.metrics = "key";
    site_start(&site);
    site_run(&site, "hold", "{}");
    struct answer dev = site_get(&site, "/metrics");
    struct answer prod =
        site_ask(&site, "GET", "/metrics", "authorization: Bearer " KEY_PROD "\r\n", NULL);

    cr_expect_eq(site_ask(&site, "GET", "/metrics", "", NULL).status, 401);
    cr_expect_not_null(strstr(dev.body.data, "{environment=\"dev\",status=\"running\"} 1\n"));
    cr_expect_null(strstr(dev.body.data, "prod"));
    cr_expect_not_null(strstr(prod.body.data, "{environment=\"prod\",status=\"running\"} 0\n"));
    cr_expect_null(strstr(prod.body.data, "\"dev\""));
}

Test(readers, many_queues_are_few_lines)
{
    enum { QUEUES = 130 };
    uint32_t lines = 0;
    long all = 0;

    site.config.limits.queues = 1000;
    site_start(&site);
    for (int i = 0; i < QUEUES; i++) {
        const char *body =
            site_path(&site, "{\"payload\":{},\"options\":{\"queue\":{\"name\":\"q%d\"}}}", i);
        cr_assert_eq(site_post(&site, "/api/v1/tasks/hold/trigger", body).status, 200);
    }
    const char *text = site_get(&site, "/metrics").body.data, *at = text;
    const char name[] = "\nbide_queue_running{environment=\"dev\"";
    while ((at = strstr(at + 1, name)) != NULL) {
        lines++;
        all += strtol(strchr(at, '}') + 1, NULL, 10);
    }
    cr_expect_eq(lines, 101);
    cr_expect_not_null(strstr(text, "queue=\"(other)\"} "));
    cr_expect_gt(all, 0);
    const char *running = strstr(text, "bide_runs{environment=\"dev\",status=\"running\"} ");
    cr_expect_eq(all, strtol(strchr(running, '}') + 1, NULL, 10));
}
