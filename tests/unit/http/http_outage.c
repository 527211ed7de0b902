/* A server that is not ready, not well, or going. */
#include "base/clock.h"
#include "site.h"
#include "store/store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
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

TestSuite(outage, .init = setup, .fini = teardown, .timeout = 120);

#define AUTH         "authorization: Bearer " KEY_DEV "\r\n"
#define HOLD_TRIGGER "POST /api/v1/tasks/hold/trigger HTTP/1.1\r\nhost: x\r\n" AUTH

static void say(int fd, const char *text)
{
    site_send(fd, text, strlen(text));
}

static bool is_closed(int fd)
{
    char bytes[4096];
    ssize_t got;

    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0)
        ;
    return got == 0 || errno == ECONNRESET;
}

static void healthy(void)
{
    cr_assert_eq(site_ask(&site, "GET", "/healthz", "", NULL).status, 200);
}

Test(outage, before_the_first_catalog_the_server_is_not_ready)
{
    site.is_ready = false;
    site_start(&site);
    struct answer ready = site_ask(&site, "GET", "/readyz", "", NULL);
    struct answer answer = site_post(&site, "/api/v1/tasks/echo/trigger", "{}");
    struct slice after = { 0 };

    cr_assert_eq(ready.status, 503);
    cr_assert_str_eq(answer_text(&site, ready, "status"), "starting");
    cr_assert_eq(answer.status, 503);
    cr_assert(answer_header(answer, "retry-after", &after));
    healthy();
}

static const struct store_ops *good_ops;
static struct store_ops bad_ops;
static uv_sem_t may_commit;

static bool failing_commit(struct store *store, struct err *err)
{
    (void)store;
    return err_set(err, ERR_STORE, "the disk is full");
}

static bool waiting_commit(struct store *store, struct err *err)
{
    uv_sem_wait(&may_commit);
    return good_ops->commit(store, err);
}

Test(outage, what_cannot_be_made_durable_is_not_acknowledged)
{
    site_start(&site);
    good_ops = site.store->ops;
    bad_ops = *good_ops;
    bad_ops.commit = failing_commit;
    site.store->ops = &bad_ops;
    struct answer answer = site_post(&site, "/api/v1/tasks/hold/trigger", "{\"payload\":1}");
    struct answer ready = site_ask(&site, "GET", "/readyz", "", NULL);
    site.store->ops = good_ops;
    struct slice after = { 0 };

    cr_assert_eq(answer.status, 503);
    cr_assert(answer_header(answer, "retry-after", &after));
    cr_assert_not_null(strstr(answer_text(&site, answer, "error"), "disk is full"));
    cr_assert_eq(ready.status, 503);
    cr_assert_eq(answer_find(site_get(&site, "/api/v1/runs"), "data")->count, 0);
    site_run(&site, "hold", "1");
    cr_assert_eq(site_ask(&site, "GET", "/readyz", "", NULL).status, 200);
}

static struct reader *no_reader(struct store *store, struct err *err)
{
    (void)store;
    err_set(err, ERR_STORE, "the database cannot be opened");
    return NULL;
}

Test(outage, what_cannot_be_read_is_503_until_it_can)
{
    site_start(&site);
    good_ops = site.store->ops;
    bad_ops = *good_ops;
    bad_ops.reader_open = no_reader;
    site.store->ops = &bad_ops;
    cr_assert_eq(site_get(&site, "/api/v1/runs").status, 503);
    cr_assert_eq(site_ask(&site, "GET", "/metrics", "", NULL).status, 503);
    cr_assert_eq(site_ask(&site, "GET", "/metrics", "", NULL).status, 503);
    site.store->ops = good_ops;
    cr_assert_eq(site_get(&site, "/api/v1/runs").status, 200);
    cr_assert_eq(site_ask(&site, "GET", "/metrics", "", NULL).status, 200);
}

Test(outage, more_commands_than_allowed_are_told_to_come_back)
{
    enum { MANY = 12 };
    int fds[MANY], refused = 0;

    site.config.max_commands = 4;
    site_start(&site);
    uv_sem_init(&may_commit, 0);
    good_ops = site.store->ops;
    bad_ops = *good_ops;
    bad_ops.commit = waiting_commit;
    site.store->ops = &bad_ops;
    for (int i = 0; i < MANY; i++) {
        fds[i] = site_connect(&site);
        say(fds[i], HOLD_TRIGGER "content-length: 2\r\n\r\n{}");
        usleep(10000); /* one after the other */
    }
    site.store->ops = good_ops;
    for (int i = 0; i < MANY; i++)
        uv_sem_post(&may_commit);
    for (int i = 0; i < MANY; i++) {
        struct answer answer = site_receive(&site, fds[i]);
        cr_expect(answer.status == 200 || answer.status == 503, "%d", answer.status);
        refused += answer.status == 503;
        close(fds[i]);
    }
    cr_assert_geq(refused, 1);
    cr_assert_lt(refused, MANY);
}

Test(outage, a_stopping_server_lets_waiting_clients_go)
{
    site_start(&site);
    const char *run = site_run(&site, "hold", "{}");
    int fd = site_connect(&site), idle = site_connect(&site);
    const char *ask = site_path(
        &site, "GET /api/v3/runs/%s?wait=60s HTTP/1.1\r\nhost: x\r\n" AUTH "\r\n", run);

    say(fd, ask);
    usleep(100000); /* it is waiting now */
    int64_t start_ms = clock_now_ms();
    site_finish(&site);
    int64_t took_ms = clock_now_ms() - start_ms;
    struct answer answer = site_receive(&site, fd);
    cr_assert_eq(answer.status, 200);
    cr_assert(is_closed(idle));
    cr_assert_lt(took_ms, 3000);
    close(fd);
    close(idle);
    arena_finish(&site.arena);
    setup();
    site_start(&site); /* for the teardown */
}
