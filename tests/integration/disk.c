/* A full disk: refused with 503 what cannot be made durable, kept what was acknowledged, and on
 * it goes when there is room. Needs the right to mount a small file system. */
#include "server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* The ballast is more than all the rest: what was accepted needs as much again once there is
 * room, for its outputs and for the log being copied into the file. */
enum { MAX_RUNS = 2000, PAYLOAD = 20000 };

static struct server s;
static bool is_mounted;
static char *runs[MAX_RUNS];

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    s.data = strdup(server_path(&s, "small"));
    int status;
    command_run(&status, "mkdir -m 700 '%s'", s.data);
    is_mounted = mount("tmpfs", s.data, "tmpfs", 0, "size=18m,mode=700") == 0;
}

static void tear_down(void)
{
    if (s.pid != 0)
        server_kill(&s);
    if (is_mounted)
        umount2(s.data, MNT_DETACH);
    server_destroy(&s);
    for (int i = 0; i < MAX_RUNS; i++)
        free(runs[i]);
    free((char *)s.data);
}

TestSuite(disk, .init = set_up, .fini = tear_down, .timeout = 180);

static const struct reply *trigger(const char *padding)
{
    return server_call(&s, "POST", "/api/v1/tasks/hello/trigger",
                       text("{\"payload\": {\"padding\": \"%s\"}}", padding));
}

/* Until the server says `what`, which it may say after another reason, and take one more in
 * between; how many it took, with the `count` of before. */
static int fill(const char *padding, int count, const char *what)
{
    while (count < MAX_RUNS) {
        const struct reply *reply = trigger(padding);
        if (reply->status == 503) {
            cr_assert_gt(strlen(reply_text(reply, "error")), 5, "%s", reply->text);
            if (strstr(reply->text, what) != NULL)
                return count;
            continue;
        }
        cr_assert_eq(reply->status, 200, "%ld %s", reply->status, reply->text);
        runs[count++] = strdup(reply_text(reply, "id"));
    }
    cr_assert_fail("the disk never gets full");
    return 0;
}

Test(disk, full_and_then_with_room_again)
{
    if (!is_mounted)
        cr_skip_test("no right to mount a small file system");
    char padding[PAYLOAD + 1];
    memset(padding, 'x', PAYLOAD);
    padding[PAYLOAD] = 0;
    int status;
    server_start(&s);
    const char *waiting =
        run_trigger(&s, "approve-refund", "{\"order_id\": \"A-1\", \"amount_cents\": 5}", NULL);
    const char *url =
        strdup(reply_text(run_until(&s, waiting, "WAITING"), "metadata.approval_url"));
    command_run(&status, "head -c 11M /dev/zero > '%s/ballast'", s.data);

    int count = fill(padding, 0, "");
    cr_assert_gt(count, 10, "%d", count);
    /* Full again and again, and still answering. Now and then there is room for one more, when
     * the log has been copied into the file: then it counts. */
    for (int i = 0; i < 5; i++)
        count = fill(padding, count, "");
    cr_assert_eq(server_call(&s, "GET", "/healthz", NULL)->status, 200);
    for (int i = 0; i < count; i++)
        run_get(&s, runs[i]);

    command_run(&status, "rm '%s/ballast'", s.data);
    long long deadline = now_ms() + 20000;
    const struct reply *reply;
    while ((reply = trigger("small"))->status != 200) {
        cr_assert_lt(now_ms(), deadline, "there is room, and it does not go on: %s",
                     reply->text);
        pause_ms(50);
    }
    for (int i = 0; i < count; i++)
        cr_assert_str_eq(reply_text(run_end(&s, runs[i]), "status"), "COMPLETED");
    const struct reply *posted =
        server_call_as(&s, NULL, "POST", url, "{\"approved\": true, \"by\": \"ada\"}");
    cr_assert_eq(posted->status, 200, "%s", posted->text);
    cr_assert_str_eq(reply_text(run_end(&s, waiting), "status"), "COMPLETED");
    free((char *)url);
}

Test(disk, killed_while_full)
{
    if (!is_mounted)
        cr_skip_test("no right to mount a small file system");
    char padding[PAYLOAD + 1];
    memset(padding, 'x', PAYLOAD);
    padding[PAYLOAD] = 0;
    int status;
    server_start(&s);
    command_run(&status, "head -c 11M /dev/zero > '%s/ballast'", s.data);
    int count = fill(padding, 0, "");

    server_kill(&s);
    command_run(&status, "rm '%s/ballast'", s.data);
    server_start(&s);

    for (int i = 0; i < count; i++)
        cr_assert_str_eq(reply_text(run_end(&s, runs[i]), "status"), "COMPLETED");
}

static const struct reply *ready(void)
{
    return server_call(&s, "GET", "/readyz", NULL);
}

/* Others fill the disk to the last byte: nothing new is taken, what was accepted goes on. */
Test(disk, what_was_accepted_goes_on_when_there_is_no_room)
{
    if (!is_mounted)
        cr_skip_test("no right to mount a small file system");
    int status;
    server_start(&s);
    cr_assert_eq(ready()->status, 200, "%s", ready()->text);
    const char *refund = "{\"order_id\": \"A-1\", \"amount_cents\": 5}";
    const char *first = strdup(run_trigger(&s, "approve-refund", refund, NULL));
    const char *second = strdup(run_trigger(&s, "approve-refund", refund, NULL));
    run_until(&s, second, "WAITING");
    const char *url =
        strdup(reply_text(run_until(&s, first, "WAITING"), "metadata.approval_url"));

    command_run(&status, "dd if=/dev/zero of='%s/ballast' bs=64k 2>/dev/null", s.data);
    long long deadline = now_ms() + 20000;
    while (trigger("small")->status != 503)
        cr_assert_lt(now_ms(), deadline, "triggers are taken on a full disk");
    const struct reply *refused = trigger("small");
    cr_expect_not_null(strstr(refused->text, "nearly full"), "%s", refused->text);
    cr_expect_eq(ready()->status, 503, "%s", ready()->text);
    const struct reply *posted =
        server_call_as(&s, NULL, "POST", url, "{\"approved\": true, \"by\": \"ada\"}");
    cr_assert_eq(posted->status, 200, "%s", posted->text);
    cr_assert_str_eq(reply_text(run_end(&s, first), "status"), "COMPLETED");
    const struct reply *canceled =
        server_call(&s, "POST", text("/api/v2/runs/%s/cancel", second), NULL);
    cr_assert_eq(canceled->status, 200, "%s", canceled->text);
    cr_assert_str_eq(reply_text(run_end(&s, second), "status"), "CANCELED");

    server_kill(&s);
    server_start(&s);
    cr_expect_eq(ready()->status, 503, "right after a start: %s", ready()->text);
    command_run(&status, "rm '%s/ballast'", s.data);
    deadline = now_ms() + 20000;
    while (trigger("small")->status != 200)
        cr_assert_lt(now_ms(), deadline, "there is room, and it does not go on");
    cr_expect_eq(ready()->status, 200, "%s", ready()->text);
}

/* A limit of the size of files is a disk that is full, and no reason to die. */
Test(disk, files_that_may_not_grow)
{
    char padding[PAYLOAD + 1];
    memset(padding, 'x', PAYLOAD);
    padding[PAYLOAD] = 0;
    server_start(&s);
    struct rlimit limit = { 2 << 20, 64 << 20 }, before;
    cr_assert_eq(prlimit(s.pid, RLIMIT_FSIZE, &limit, &before), 0);

    int count = fill(padding, 0, "larger than 2048 KiB (ulimit -f");
    cr_assert_eq(server_call(&s, "GET", "/healthz", NULL)->status, 200);
    for (int i = 0; i < count; i++)
        run_get(&s, runs[i]);

    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(prlimit(s.pid, RLIMIT_FSIZE, &limit, &before), 0);
    long long deadline = now_ms() + 20000;
    while (trigger("small")->status != 200)
        cr_assert_lt(now_ms(), deadline, "there is room, and it does not go on");
    for (int i = 0; i < count; i++)
        cr_assert_str_eq(reply_text(run_end(&s, runs[i]), "status"), "COMPLETED");
}
