/* Messages to runs: from the API, the command line and other runs. */
#include "server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    s.config_more = "limits: {mailbox: 4}\n";
    server_add_plugin(&s, "mail");
    server_write(&s, "schemas/pair.yaml",
                 "messages:\n  yes: {type: string}\n  no:\n    type: object\n    properties:\n"
                 "      pin: {type: integer, secret: true}\n");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(mail, .init = set_up, .fini = tear_down, .timeout = 120);

static const struct reply *send(const char *run, const char *body)
{
    return server_call(&s, "POST", text("/api/v1/runs/%s/messages", run), body);
}

static const struct reply *there(const char *run)
{
    return server_call(&s, "GET", text("/api/v1/runs/%s/messages", run), NULL);
}

static const char *bide(int want, const char *arguments)
{
    int status;
    const char *said = command_run(&status, "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide %s",
                                   s.url, s.key, arguments);
    cr_assert_eq(status, want, "bide %s: status %d: %s", arguments, status, said);
    return said;
}

static void must_say(const char *said, const char *words)
{
    cr_assert(strstr(said, words) != NULL, "no \"%s\" in: %s", words, said);
}

Test(mail, each_is_received_once_in_order_whoever_sends_it)
{
    const char *run = run_trigger(&s, "box", "{\"count\": 5}", NULL);

    cr_assert_eq(send(run, "{\"name\": \"word\", \"data\": 1}")->status, 200);
    run_until(&s, run, "WAITING");
    server_kill(&s);
    server_start(&s);
    must_say(bide(0, text("runs why %s", run)), text("bide runs send %s 'word'", run));
    must_say(bide(0, text("runs send %s word --payload 2 --key k", run)), "2");
    must_say(bide(3, text("runs send %s word --payload 2 --key k", run)), "nothing was sent");
    const struct reply *man = run_end(
        &s, run_trigger(&s, "man", text("{\"run\": \"%s\", \"data\": \"three\"}", run), NULL));
    cr_assert_eq(reply_number(man, "output.number"), 4, "%s", man->text);
    const struct reply *again = send(run, "{\"name\": \"word\", \"data\": 5, \"key\": \"k\"}");
    cr_assert(json_is_true(reply_at(again, "isCached")), "%s", again->text);
    cr_assert_eq(send(run, "{\"name\": \"word\"}")->status, 200);

    const struct reply *ended = run_end(&s, run);
    char *words = json_dumps(reply_at(ended, "output.words"), JSON_COMPACT);
    cr_assert_str_eq(words, "[1,2,\"three\",\"three\",null]", "%s", ended->text);
    free(words);
    cr_assert_eq(send(run, "{\"name\": \"word\"}")->status, 410);
}

Test(mail, what_has_come_is_listed_and_secrets_are_not)
{
    const char *run = run_trigger(&s, "pair", "{}", NULL);

    cr_assert_eq(send(run, "{\"name\": \"no\", \"data\": {\"pin\": 7777}}")->status, 200);
    run_until(&s, run, "WAITING");
    const struct reply *list = there(run);
    cr_assert(json_is_true(reply_at(list, "data.0.isTaken")), "%s", list->text);
    cr_assert_str_eq(reply_text(list, "data.0.name"), "no");
    cr_assert(strstr(list->text, "7777") == NULL, "%s", list->text);
    must_say(bide(0, text("runs messages %s", run)), "no");
    cr_assert_eq(send(run, "{\"name\": \"yes\", \"data\": \"y\"}")->status, 200);

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "output"), "[secret]", "%s", ended->text);
}

Test(mail, one_that_gives_up_says_what_has_come)
{
    const char *run = run_trigger(&s, "pair", "{\"within_ms\": 300}", NULL);

    cr_assert_eq(send(run, "{\"name\": \"yes\", \"data\": \"y\"}")->status, 200);

    const struct reply *ended = run_end(&s, run);
    cr_assert(json_is_true(reply_at(ended, "output.late")), "%s", ended->text);
    cr_assert_str_eq(reply_text(ended, "output.yes"), "y", "%s", ended->text);
}

static void must_refuse(const struct reply *reply, long status, const char *words)
{
    cr_assert_eq(reply->status, status, "%s", reply->text);
    must_say(reply->text, words);
}

Test(mail, what_cannot_be_sent_is_refused_by_name)
{
    const char *run = run_trigger(&s, "pair", "{}", NULL);
    const char *path = text("/api/v1/runs/%s/messages", run);

    must_refuse(send(run, "{\"data\": 1}"), 422, "name");
    must_refuse(send(run, "{\"name\": \"yes\", \"payload\": 1}"), 400, "data");
    must_refuse(send(run, "{\"name\": \"maybe\"}"), 422, "declares no message");
    must_refuse(send(run, "{\"name\": \"yes\", \"data\": 1}"), 422, "schema of message");
    must_refuse(server_call_as(&s, server_key(&s, "prod"), "POST", path,
                               "{\"name\": \"yes\", \"data\": \"y\"}"),
                404, "in this environment");
    for (int i = 0; i < 4; i++)
        cr_assert_eq(send(run, "{\"name\": \"yes\", \"data\": \"y\"}")->status, 200);
    must_refuse(send(run, "{\"name\": \"yes\", \"data\": \"y\"}"), 429, "is full");
}
