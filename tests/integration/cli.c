/* The command line, as a person and as a script use it. */
#include "server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
    assert_says(bide(2, "trigger ''"), "TASK is empty");
    assert_says(bide(2, "trigger hello --delay=''"), "--delay is empty");
    assert_says(bide(2, "runs list --version ''"), "--version is empty");
}

/* It does not matter who finds it: bide, or the server that it asks. */
Test(cli, wrong_use_is_exit_status_2_when_the_server_says_it)
{
    static const char *const options[] = {
        "--max-attempts 0", "--max-attempts 101", "--max-attempts 1.5", "--max-attempts x",
        "--delay soon",     "--ttl eon",          "--key-ttl 1h",       "--priority 1e300",
        "--queue 'a b'",    "--tag 'a,b'",        "--max-duration 0",   "--cost 0",
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        bide(2, text("trigger hello --payload '{}' %s", options[i]));
    assert_says(bide(2, "trigger hello --payload '{}' --max-attempts 0"), "from 1 to 100");
    bide(2, "runs list --status asleep");
    bide(2, "runs list --queue 'a b'");
    bide(2, "tokens create --timeout soon");
    bide(0, "trigger hello --payload '{}' --ttl 0 --priority 1.5 --max-duration 2.5 --cost 2");
    bide(1, "runs show run_0000000000000");
}

Test(cli, logs_are_a_part_of_a_run_in_both_forms)
{
    const char *run = bide(0, "trigger hello --payload '{}'");
    run = text("%.*s", (int)strcspn(run, "\n"), run);
    bide(0, text("runs watch %s", run));
    bide(0, text("runs show %s --json | jq -e '.logs | type == \"array\"'", run));
}

Test(cli, no_task_is_cut_from_the_list_of_plugins)
{
    const char *said = bide(0, "plugins list --json | jq -r '.data[].tasks[]'");
    const char *list = bide(0, "plugins list");

    for (const char *at = said; *at != '\0'; at += strcspn(at, "\n") + 1)
        assert_says(list, text("  %.*s\n", (int)strcspn(at, "\n"), at));
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
                                         "plugins list", "env list" };
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

Test(cli, an_environment_is_paused_and_resumed)
{
    bide(0, "env pause dev --reason 'the disk moves' --by ann");
    assert_says(bide(0, "env list"), "the disk moves");
    assert_says(bide(0, "queues list"), "environment paused");
    const char *run = bide(0, "trigger hello --payload '{}'");
    run = text("%.*s", (int)strcspn(run, "\n"), run);
    assert_says(bide(0, text("runs show %s", run)),
                "environment: its environment is paused by ann, with the key of dev: "
                "the disk moves");
    assert_says(bide(3, "env pause dev"), "by ann, with the key of dev: the disk moves; "
                                          "nothing was changed");
    bide(0, "env pause dev --reason 'it moves still' --json | jq -e .paused");
    assert_says(bide(1, "env pause nosuch"), "the key is that of dev");
    bide(2, "env pause");
    bide(2, "env resume dev --reason x");
    bide(0, "env resume dev");
    assert_says(bide(3, "env resume dev"), "already open");
    bide(0, text("runs watch %s", run));
}

/* Each with its own key. */
Test(cli, all_environments_are_listed_whose_keys_are_at_hand)
{
    int status;
    const char *said =
        command_run(&status,
                    BINARY_DIR "/bide env pause prod --url %s --data '%s/data' && " BINARY_DIR
                               "/bide env list --url %s --data '%s/data'",
                    s.url, s.dir, s.url, s.dir);

    cr_assert_eq(status, 0, "%d %s", status, said);
    const char *dev = strstr(said, "\ndev "), *prod = strstr(said, "\nprod ");
    cr_assert(dev != NULL && prod != NULL && dev < prod, "%s", said);
    cr_assert_not_null(strstr(dev, "open"));
    cr_assert_not_null(strstr(prod, "paused"));
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

/* ---- what changed nothing is exit status 3 ------------------------------------------------
 */

static const char *word(const char *said)
{
    return text("%.*s", (int)strcspn(said, " \n"), said);
}

Test(cli, an_answer_that_came_too_late_is_told)
{
    const char *token = text("%s", word(bide(0, "tokens create --json | jq -r .id")));

    bide(0, text("tokens complete %s --payload '{\"n\": 1}'", token));
    const char *said = bide(3, text("tokens complete %s --payload '{\"n\": 2}'", token));
    assert_says(said, "already completed");
    assert_says(said, "ago; this answer was not used");
    assert_says(bide(3, text("tokens timeout %s", token)), "already completed");
    assert_says(bide(0, text("tokens show %s", token)), "{\"n\":1}");

    token = text("%s", word(bide(0, "tokens create --json | jq -r .id")));
    bide(0, text("tokens timeout %s", token));
    assert_says(bide(3, text("tokens complete %s", token)), "already timed out");
    assert_says(bide(3, text("tokens complete %s --json", token)), "this answer was not used");
}

Test(cli, a_cancel_or_a_pause_that_changed_nothing_is_told)
{
    bide(0, "trigger hello --payload '{\"name\": \"x\"}' --wait");
    const char *run = text("%s", word(bide(0, "runs list --json | jq -r '.data[0].id'")));

    assert_says(bide(3, text("runs cancel %s", run)), "already COMPLETED");
    assert_says(bide(1, text("runs cancel %s run_0000000000000", run)),
                "bide: run_0000000000000: refused (404)");
    assert_says(bide(1, text("runs show %s nope", run)), "bide: nope: refused (404)");
    assert_says(bide(1, "queues pause nosuch"), "bide: nosuch: refused (404)");
    bide(0, "queues pause task/hello");
    assert_says(bide(3, "queues pause task/hello"), "already paused");
    bide(0, "queues resume task/hello");
    assert_says(bide(3, "queues resume task/hello"), "already open");
    assert_says(bide(3, "queues limit task/hello reset"), "nothing was changed");
    bide(0, "queues pause task/hello");
    assert_says(bide(0, "queues resume task/hello --ramp 1h"), ", now 1 at a time");
    assert_says(bide(0, "queues limit task/hello 4"), "task/hello  4 at a time; coming back");
    bide(0, "queues limit task/hello reset");
}

Test(cli, a_key_is_free_when_it_is_reset)
{
    const char *run = text("%s", word(bide(0, "trigger hello --payload '{}' --key a/b "
                                              "--reuse success --reuse failed")));

    assert_says(bide(0, "trigger hello --payload '{}' --key a/b"), "an earlier run");
    assert_says(bide(0, "keys reset hello a/b"), run);
    assert_says(bide(1, "keys reset hello a/b"), "No runs found");
    assert_says(bide(2, "trigger hello --payload '{}' --key a/b --reuse lost"),
                "reuse must be");
}

Test(cli, a_pause_ends_by_itself_over_a_restart)
{
    assert_says(bide(0, "queues pause task/hello --by ann --reason 'a move' --until 3s"),
                "a move");
    assert_says(bide(0, "queues pause task/hello --refuse"), "paused");
    assert_says(bide(3, "queues pause task/hello --refuse"), "nothing was changed");
    assert_says(bide(2, "trigger hello"), "takes no runs while it is paused");
    server_stop(&s);
    server_start(&s);
    server_logs(&s, "the time of its pause is over");
    bide(0, "trigger hello --wait");
    bide(0, "env pause dev --until 1h --ttl frozen");
    assert_says(bide(0, "env list"), "20");
    assert_says(bide(0, "env resume dev --ramp 30s"), "coming back until 20");
    assert_says(bide(0, "env resume dev"), "open");
    assert_says(bide(2, "queues pause task/hello --until nonsense"), "until must be");
}

Test(cli, of_several_some_that_changed_are_a_success)
{
    bide(0, "queues pause task/hello");
    assert_says(bide(0, "queues pause task/hello task/approve-refund"), "already paused");
    assert_says(bide(3, "queues pause task/hello task/approve-refund"), "already paused");
    assert_says(bide(1, "queues resume task/hello nosuch"), "refused (404)");
}

/* ---- runs -----------------------------------------------------------------------------------
 */

Test(cli, a_run_shows_its_parent_and_its_children)
{
    server_add_plugin(&s, "monthly-digest");
    server_logs(&s, "monthly-digest.so");
    int status;
    bide(0, "trigger monthly-digest --payload '{\"months\": 2}'");
    const char *child =
        command_run(&status,
                    "for i in $(seq 100); do BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR
                    "/bide runs list --task month-report --json | "
                    "jq -er '.data[0].id' && break; done",
                    s.url, s.key);
    cr_assert_eq(status, 0, "%s", child);
    child = text("%s", word(child));
    const char *shown = text("%s", bide(0, text("runs show %s", child)));
    assert_says(shown, "\nparent     run_");
    const char *parent = text("%s", word(strstr(shown, "\nparent     ") + 12));
    assert_says(bide(0, text("runs show %s", parent)), text("%s  month-report", child));
}

Test(cli, every_status_is_in_the_help_and_can_be_asked_for)
{
    static const char *const statuses[] = {
        "DELAYED",   "QUEUED",         "PENDING_VERSION", "EXECUTING",   "WAITING",
        "COMPLETED", "FAILED",         "CRASHED",         "TIMED_OUT",   "CANCELED",
        "EXPIRED",   "SYSTEM_FAILURE", "PAUSED",          "DEAD_LETTER",
    };
    const char *help = text("%s", bide(0, "help runs list"));

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        assert_says(help, text("\n  %-16s  ", statuses[i]));
        bide(0, text("runs list --status %s", statuses[i]));
    }
    cr_assert_null(strstr(help, "..."), "%s", help);
}

Test(cli, interrupting_a_wait_says_that_the_run_goes_on)
{
    const char *said = bide(130, "trigger approve-refund --wait --payload "
                                 "'{\"order_id\": \"A-1\", \"amount_cents\": 1}' & pid=$!; "
                                 "sleep 1; kill -INT $pid; wait $pid");
    assert_says(said, "goes on; to look at it again: bide runs watch run_");
    assert_says(bide(0, "runs list --json | jq -r '.data[0].status'"), "WAITING");
}

/* One reply with headers, whatever is asked. */
static void answer_once(int listener)
{
    static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n"
                                "X-Bide-Ignored: options.dealy\r\n"
                                "x-bide-warning: \x1b[31mtask helo is unknown here\r\n"
                                "x-bide-warning: twice\r\n\r\n{\"id\":\"r_1\"}";
    char request[4096];
    int connection = accept(listener, NULL, NULL);

    (void)!read(connection, request, sizeof request);
    (void)!write(connection, reply, sizeof reply - 1);
    shutdown(connection, SHUT_WR);
    while (read(connection, request, sizeof request) > 0)
        ;
    _exit(0);
}

Test(cli, what_the_server_did_not_use_or_warns_of_is_told)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int status, listener = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    pid_t child = fork();
    if (child == 0)
        answer_once(listener);
    const char *said = command_run(
        &status, "BIDE_KEY=x " BINARY_DIR "/bide trigger helo --url http://127.0.0.1:%d",
        ntohs(address.sin_port));
    waitpid(child, NULL, 0);
    close(listener);

    cr_assert_eq(status, 0, "%s", said);
    assert_says(said, "bide: not known, not used: options.dealy\n");
    assert_says(said, "bide: \\x1b[31mtask helo is unknown here\n");
    assert_says(said, "bide: twice\n");
    assert_says(said, "r_1\n");
}

Test(cli, a_task_that_is_not_known_is_warned_of)
{
    assert_says(bide(0, "trigger helo"), "did you mean \"hello\"?");
}

/* ---- from any directory
 * ---------------------------------------------------------------------- */

Test(cli, the_key_is_found_from_any_directory)
{
    int status;
    const char *said = command_run(&status,
                                   "cd / && BIDE_KEY= XDG_STATE_HOME='%s/state' " BINARY_DIR
                                   "/bide runs list --url %s",
                                   s.dir, s.url);
    cr_assert_eq(status, 0, "%d %s", status, said);
    said = command_run(&status,
                       "cd / && XDG_STATE_HOME='%s/state' " BINARY_DIR
                       "/bide runs list --env prod --url %s",
                       s.dir, s.url);
    cr_assert_eq(status, 0, "%d %s", status, said);

    /* Not what others could have written. */
    said = command_run(&status,
                       "chmod go+w '%s'/state/bide/servers/*; cd / && BIDE_KEY= "
                       "XDG_STATE_HOME='%s/state' " BINARY_DIR "/bide runs list --url %s",
                       s.dir, s.dir, s.url);
    cr_assert_eq(status, 1, "%d %s", status, said);
    assert_says(said, "set BIDE_KEY, or say with --data");

    server_stop(&s);
    said = command_run(&status, "ls '%s/state/bide/servers'", s.dir);
    cr_assert_str_eq(said, "");
}

/* ---- deploy
 * ---------------------------------------------------------------------------------- */

static const char *deploy(int want, const char *arguments)
{
    return bide(want, text("deploy --plugins '%s/plugins' %s", s.dir, arguments));
}

/* The promise: what is triggered after it starts in the new build, each time. */
Test(cli, what_is_triggered_after_a_deploy_starts_in_the_new_build, .timeout = 120)
{
    int status;
    command_run(&status, "mkdir '%s/new'", s.dir);
    for (int i = 1; i <= 6; i++) {
        const char *path = text("%s/new/versions.so", s.dir);
        command_run(&status, "cp " BINARY_DIR "/tests/plugins/version-%d.so %s", i % 2 + 1,
                    path);
        assert_says(deploy(0, path), i == 1 ? "versions.so  " : " -> ");
        const char *run = text("%s", word(bide(0, "trigger versioned --payload '{}'")));
        run_until(&s, run, "WAITING");
        assert_says(bide(0, text("runs show %s --json | jq -r .version", run)),
                    text("%d.0.0", i % 2 + 1));
    }
    assert_says(deploy(0, text("%s/new/versions.so", s.dir)), "there already");
}

Test(cli, a_plugin_that_would_be_refused_is_not_copied)
{
    server_write(&s, "bad.so", "no plugin");

    assert_says(deploy(1, text("%s/bad.so", s.dir)), "bad.so");
    assert_says(deploy(2, text("%s/log", s.dir)), "NAME.so");
    deploy(1, text("%s/none.so", s.dir));
    assert_says(deploy(1, text(BINARY_DIR "/plugins/remind.so %s/bad.so", s.dir)), "bad.so");
    cr_assert_null(file_read(text("%s/plugins/bad.so", s.dir)));
    cr_assert_null(file_read(text("%s/plugins/remind.so", s.dir)), "nothing is copied then");
    cr_assert_null(strstr(bide(0, "plugins list"), "remind"));
}

Test(cli, a_schema_is_deployed_with_its_plugin)
{
    const char *so = BINARY_DIR "/tests/plugins/version-1.so";
    server_write(&s, "versioned.yaml", "input:\n  type: object\n  required: [who]\n");
    server_write(&s, "bad.yaml", "input:\n  type: nothing\n");

    assert_says(
        deploy(1, text("%s --schemas '%s/schemas' --schema %s/bad.yaml", so, s.dir, s.dir)),
        "bad.yaml:2");
    cr_assert_null(strstr(bide(0, "plugins list"), "versioned"));
    deploy(0, text("%s --schemas '%s/schemas' --schema %s/versioned.yaml", so, s.dir, s.dir));
    assert_says(bide(1, "trigger versioned --payload '{}'"), "who");
}
