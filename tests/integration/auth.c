/* Keys and environments: nobody sees what is not theirs, not even that it is there. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORDER "{\"order_id\": \"A-1\", \"amount_cents\": 1250}"

static struct server s;
static const char *prod;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    server_start(&s);
    prod = server_key(&s, "prod");
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(auth, .init = set_up, .fini = tear_down, .timeout = 60);

static const char *const guarded[][2] = {
    { "POST", "/api/v1/tasks/approve-refund/trigger" },
    { "GET", "/api/v1/runs" },
    { "GET", "/api/v3/runs/run_1" },
    { "POST", "/api/v2/runs/run_1/cancel" },
    { "GET", "/api/v1/waitpoints/tokens" },
    { "POST", "/api/v1/waitpoints/tokens" },
    { "POST", "/api/v1/waitpoints/tokens/waitpoint_1/complete" },
    { "GET", "/api/v1/environments" },
    { "GET", "/api/v1/environments/dev" },
    { "POST", "/api/v1/environments/dev/pause" },
    { "POST", "/api/v1/prune" },
    { "GET", "/api/v1/queues" },
    { "POST", "/api/v1/queues/approve-refund/pause" },
};

Test(auth, without_a_key_or_with_a_wrong_one_it_is_401)
{
    const char *keys[] = { NULL, "", "tr_dev_000000000000000000000000", "x", "tr_dev_" };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++) {
            const struct reply *reply =
                server_call_as(&s, keys[k], guarded[i][0], guarded[i][1],
                               strcmp(guarded[i][0], "POST") == 0 ? "{}" : NULL);
            cr_assert_eq(reply->status, 401, "%s %s with key %s: %ld %s", guarded[i][0],
                         guarded[i][1], keys[k] != NULL ? keys[k] : "(none)", reply->status,
                         reply->text);
            cr_assert(json_is_string(reply_at(reply, "error")), "%s", reply->text);
        }
}

Test(auth, health_needs_no_key)
{
    const char *open[] = { "/healthz", "/readyz" };
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(server_call_as(&s, NULL, "GET", open[i], NULL)->status, 200, "%s",
                     open[i]);
}

Test(auth, metrics_need_a_key_and_tell_of_its_environment_alone)
{
    cr_assert_eq(server_call_as(&s, NULL, "GET", "/metrics", NULL)->status, 401);
    const struct reply *reply = server_call(&s, "GET", "/metrics", NULL);
    cr_assert_eq(reply->status, 200);
    cr_assert_neq(strstr(reply->text, "environment=\"dev\""), NULL, "%s", reply->text);
    cr_assert_null(strstr(reply->text, "environment=\"prod\""), "%s", reply->text);
}

Test(auth, the_environments_have_keys_of_their_own)
{
    cr_assert_str_neq(prod, s.key);
    cr_assert_eq(strncmp(s.key, "tr_dev_", 7), 0);
    cr_assert_eq(strncmp(prod, "tr_prod_", 8), 0);
    cr_assert_eq(strlen(s.key), 7 + 24);
}

Test(auth, another_environments_run_is_404)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    run_until(&s, run, "WAITING");

    cr_assert_eq(server_call_as(&s, prod, "GET", text("/api/v3/runs/%s", run), NULL)->status,
                 404);
    cr_assert_eq(
        server_call_as(&s, prod, "POST", text("/api/v2/runs/%s/cancel", run), "")->status, 404);
    const struct reply *list = server_call_as(&s, prod, "GET", "/api/v1/runs", NULL);
    cr_assert_eq(list->status, 200);
    cr_assert_eq(json_array_size(reply_at(list, "data")), 0, "%s", list->text);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "WAITING");
}

Test(auth, another_environments_token_is_404)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    run_until(&s, run, "WAITING");
    const struct reply *mine = server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL);
    const char *token = reply_text(mine, "data.0.id");
    cr_assert_str_neq(token, "", "%s", mine->text);

    const struct reply *list =
        server_call_as(&s, prod, "GET", "/api/v1/waitpoints/tokens", NULL);
    cr_assert_eq(json_array_size(reply_at(list, "data")), 0, "%s", list->text);
    cr_assert_eq(
        server_call_as(&s, prod, "GET", text("/api/v1/waitpoints/tokens/%s", token), NULL)
            ->status,
        404);
    const struct reply *done =
        server_call_as(&s, prod, "POST", text("/api/v1/waitpoints/tokens/%s/complete", token),
                       "{\"data\": {\"approved\": true, \"by\": \"eve\"}}");
    cr_assert_eq(done->status, 404, "%ld %s", done->status, done->text);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "WAITING");
}

Test(auth, the_same_idempotency_key_in_two_environments_makes_two_runs)
{
    const char *options = "{\"idempotencyKey\": \"same\"}";
    const char *mine = run_trigger(&s, "approve-refund", ORDER, options);

    const struct reply *theirs =
        server_call_as(&s, prod, "POST", "/api/v1/tasks/approve-refund/trigger",
                       text("{\"payload\": %s, \"options\": %s}", ORDER, options));

    cr_assert_eq(theirs->status, 200, "%s", theirs->text);
    cr_assert_str_neq(reply_text(theirs, "id"), mine);
}

static char *callback_of(const char *run)
{
    return strdup(reply_text(run_until(&s, run, "WAITING"), "metadata.approval_url"));
}

Test(auth, a_callback_with_a_wrong_hash_is_401_and_changes_nothing)
{
    const char *decision = "{\"approved\": true, \"by\": \"eve\"}";
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    char *url = callback_of(run);
    char *other = callback_of(run_trigger(&s, "approve-refund", ORDER, NULL));

    /* One digit changed; the hash of another token; no hash at all. */
    char *last = url + strlen(url) - 1;
    char digit = *last;
    *last = digit == '0' ? '1' : '0';
    cr_assert_eq(server_call_as(&s, NULL, "POST", url, decision)->status, 401);
    *last = digit;
    char *hash = strrchr(url, '/');
    const char *stolen = text("%.*s%s", (int)(hash - url), url, strrchr(other, '/'));
    cr_assert_eq(server_call_as(&s, NULL, "POST", stolen, decision)->status, 401);
    const char *short_one = text("%.*s", (int)(strlen(url) - 8), url);
    cr_assert_eq(server_call_as(&s, NULL, "POST", short_one, decision)->status, 401);

    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "WAITING");
    cr_assert_eq(server_call_as(&s, NULL, "GET", url, NULL)->status, 405);
    free(url);
    free(other);
}

/* A server that loses its callback secret would break every URL it ever handed out. */
Test(auth, a_callback_url_is_the_same_after_a_restart)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    char *url = callback_of(run);
    server_stop(&s);
    server_start(&s);

    const struct reply *tokens = server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL);

    cr_assert_str_eq(reply_text(tokens, "data.0.url"), url, "%s", tokens->text);
    free(url);
}

static uid_t owner_of(pid_t pid)
{
    struct stat about;

    cr_assert_eq(stat(text("/proc/%d/maps", (int)pid), &about), 0);
    return about.st_uid;
}

enum { NOBODY = 65534 };

static void assert_closed(pid_t pid)
{
    int status;

    cr_expect_eq(owner_of(pid), 0);
    if (s.uid == 0)
        return;
    command_run(&status,
                "setpriv --reuid=%d --regid=%d --clear-groups cat /proc/%d/environ "
                "/proc/%d/maps",
                NOBODY, NOBODY, (int)pid, (int)pid);
    cr_expect_neq(status, 0);
}

/* The system gives /proc files of a process that must not be looked into to root, and lets
 * nobody of its own user attach to it. Plugins run as that user, in slots, which may be looked
 * into and tell where they crashed. */
Test(memory, of_the_server_is_closed_to_its_own_user, .timeout = 60)
{
    pid_t children[8];
    int status;

    server_init(&s);
    server_add_plugin(&s, "crash");
    server_write(&s, "config/bide.yaml", "");
    if (getuid() == 0) {
        s.uid = NOBODY;
        command_run(&status, "chown -R %d:%d %s", NOBODY, NOBODY, s.dir);
        cr_assert_eq(status, 0);
    }
    server_start(&s);
    const struct reply *run = run_end(&s, run_trigger(&s, "segfault", "{}", NULL));
    cr_expect_not_null(strstr(reply_text(run, "error.stackTrace"), "crash.c:"), "%s",
                       run->text);
    run_end(&s, run_trigger(&s, "segfault", "{\"times\": 0}", NULL));
    size_t count = server_children(&s, children, 8), slots = 0;

    assert_closed(s.pid);
    for (size_t i = 0; i < count; i++) {
        const char *name = command_run(&status, "cat /proc/%d/comm", (int)children[i]);
        if (strncmp(name, "slot:", 5) != 0)
            assert_closed(children[i]);
        else if (++slots > 0)
            cr_expect_eq(owner_of(children[i]), s.uid == 0 ? getuid() : s.uid);
    }
    cr_expect_gt(count, slots);
    cr_expect_gt(slots, 0);
    server_destroy(&s);
}
