/* The command line, as a person and as a script use it. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
    server_add_plugin(&s, "steady");
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(cli, .init = set_up, .fini = tear_down, .timeout = 60);

/* With address and key from the environment, as scripts have them. */
static const char *bide(int want, const char *arguments)
{
    int status;
    const char *said = command_run(&status, "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide %s",
                                   s.url, s.key, arguments);
    cr_assert_eq(status, want, "bide %s: status %d: %s", arguments, status, said);
    return said;
}

static void assert_says(const char *said, const char *words)
{
    cr_assert_neq(strstr(said, words), NULL, "no \"%s\" in: %s", words, said);
}

Test(cli, trigger_and_wait_prints_the_output)
{
    assert_says(bide(0, "trigger hello --payload '{\"name\": \"world\"}' --wait"), "world");
}

Test(cli, a_run_that_fails_is_exit_status_1)
{
    const char *said = bide(1, "trigger fail --wait"
                               " --payload '{\"code\": \"x\", \"text\": \"it went wrong\"}'");
    assert_says(said, "it went wrong");
}

Test(cli, wrong_use_is_exit_status_2)
{
    assert_says(bide(2, "triger hello"), "trigger");
    bide(2, "trigger");
    bide(2, "trigger hello --payload '{'");
    bide(2, "runs show");
    assert_says(bide(2, "runs list --lmit 3"), "limit");
}

Test(cli, a_refused_payload_shows_each_problem)
{
    const char *said =
        bide(1, "trigger approve-refund --payload '{\"order_id\": 7, \"amount_cents\": 0}'");
    assert_says(said, "/order_id");
    assert_says(said, "/amount_cents");
    assert_says(said, "approve-refund.yaml:");
}

Test(cli, a_token_is_listed_and_completed)
{
    const char *run = bide(
        0, "trigger approve-refund --payload '{\"order_id\": \"A-1\", \"amount_cents\": 1}'");
    run = text("%.*s", (int)strcspn(run, "\n"), run);
    run_until(&s, run, "WAITING");
    assert_says(bide(0, text("runs show %s", run)), "A-1");
    const char *token = bide(0, "tokens list --json | jq -r '.data[0].id'");
    token = text("%.*s", (int)strcspn(token, "\n"), token);

    assert_says(bide(1, text("tokens complete %s --payload '{\"approved\": 1}'", token)),
                "approved");
    bide(0,
         text("tokens complete %s --payload '{\"approved\": true, \"by\": \"ada\"}'", token));

    assert_says(bide(0, text("runs watch %s", run)), "refunded");
    assert_says(bide(0, "tokens list"), "COMPLETED");
}

Test(cli, every_list_is_json_when_asked)
{
    bide(0, "trigger hello --wait --payload '{}'");
    static const char *const lists[] = { "runs list", "tokens list", "queues list",
                                         "plugins list" };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        bide(0, text("%s --json | jq -e .data", lists[i]));
}

Test(cli, a_queue_is_paused_and_resumed)
{
    bide(0, "trigger hello --wait --payload '{}'");
    bide(0, "queues pause task/hello");
    assert_says(bide(0, "queues list"), "paused");
    const char *run = bide(0, "trigger hello --payload '{}'");
    run = text("%.*s", (int)strcspn(run, "\n"), run);
    assert_says(bide(0, text("runs show %s", run)), "QUEUED");
    bide(0, "queues resume task/hello");
    bide(0, text("runs watch %s", run));
}

Test(cli, the_key_is_found_beside_the_database)
{
    int status;
    const char *said = command_run(
        &status, BINARY_DIR "/bide runs list --url %s --data '%s/data'", s.url, s.dir);
    cr_assert_eq(status, 0, "%d %s", status, said);
    said =
        command_run(&status, BINARY_DIR "/bide runs list --url %s --data '%s/data' --env prod",
                    s.url, s.dir);
    cr_assert_eq(status, 0, "%d %s", status, said);
    said = command_run(
        &status, "BIDE_KEY=tr_dev_wrong BIDE_URL=%s " BINARY_DIR "/bide runs list", s.url);
    cr_assert_eq(status, 1, "%d %s", status, said);
    assert_says(said, "key");
}

Test(cli, no_server_is_said_plainly)
{
    server_stop(&s);
    int status;
    const char *said =
        command_run(&status, "BIDE_KEY=x BIDE_URL=%s " BINARY_DIR "/bide runs list", s.url);
    cr_assert_eq(status, 1, "%d %s", status, said);
    assert_says(said, s.url + strlen("http://"));
}

/* The author's first ten minutes: a folder, a build, a copy. */
Test(cli, a_new_plugin_builds_and_runs)
{
    int status;
    const char *said = command_run(
        &status,
        "cd '%s' && " BINARY_DIR "/bide new plugin send-mail && " CMAKE_BINARY
        " -S send-mail -B send-mail/build && " CMAKE_BINARY " --build send-mail/build &&"
        " cp send-mail/schemas/*.yaml schemas/ && cp send-mail/build/send-mail.so plugins/",
        s.dir);
    cr_assert_eq(status, 0, "%s", said);
    server_logs(&s, "send-mail");
    const char *run = run_trigger(&s, "send-mail", "{\"name\": \"world\"}", NULL);
    run_end(&s, run);
    said = command_run(&status, "cd '%s' && " BINARY_DIR "/bide new plugin Send_Mail", s.dir);
    cr_assert_eq(status, 2, "%d %s", status, said);
    said = command_run(&status, "cd '%s' && " BINARY_DIR "/bide new plugin send-mail", s.dir);
    cr_assert_neq(status, 0, "it would overwrite: %s", said);
}
