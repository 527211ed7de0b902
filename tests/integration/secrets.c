/*
 * Secrets: what a schema marks `secret: true` reaches the task, and nobody else. Each secret of
 * these tests has MARKER in it; whatever people can look at is searched for it.
 */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

#define MARKER  "5ecr3tMARKER"
#define TRIGGER "/api/v1/tasks/vault/trigger"
#define CARD    "card-" MARKER
#define PIN     "pin-" MARKER

static struct server s;

/* `ok` in the output is not secret, so that a botched one has something to be told of. */
#define SCHEMA                                                                     \
    "input:\n"                                                                     \
    "  type: object\n"                                                             \
    "  required: [card, proof]\n"                                                  \
    "  additionalProperties: false\n"                                              \
    "  properties:\n"                                                              \
    "    card: { type: string, secret: true, maxLength: 40, pattern: '^card-' }\n" \
    "    proof: { type: string }\n"                                                \
    "    refuse: { type: boolean }\n"                                              \
    "    botch: { type: boolean }\n"                                               \
    "output:\n"                                                                    \
    "  type: object\n"                                                             \
    "  required: [receipt, ok]\n"                                                  \
    "  properties:\n"                                                              \
    "    receipt: { type: string, secret: true }\n"                                \
    "tokens:\n"                                                                    \
    "  pin:\n"                                                                     \
    "    type: object\n"                                                           \
    "    required: [pin]\n"                                                        \
    "    properties:\n"                                                            \
    "      pin: { type: string, secret: true, maxLength: 40, pattern: '^pin-' }\n"

static const char child_schema[] = "input:\n"
                                   "  type: object\n"
                                   "  additionalProperties: false\n"
                                   "  properties: { code: { type: string, secret: true } }\n"
                                   "output:\n"
                                   "  type: object\n"
                                   "  required: [code]\n"
                                   "  properties: { code: { type: string, secret: true } }\n";

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "vault");
    server_write(&s, "schemas/vault.yaml", SCHEMA);
    server_write(&s, "schemas/vault-child.yaml", child_schema);
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(secrets, .init = set_up, .fini = tear_down, .timeout = 120);

/* ---- everything that people can look at ---------------------------------------------------
 */

static void assert_hidden(const char *where, const char *shown)
{
    cr_assert_neq(shown, NULL, "%s: nothing to look at", where);
    cr_assert_eq(strstr(shown, MARKER), NULL, "%s shows a secret: %s", where, shown);
}

static void look_at(const char *path)
{
    const struct reply *reply = server_call(&s, "GET", path, NULL);
    cr_assert_eq(reply->status, 200, "%s: %ld %s", path, reply->status, reply->text);
    assert_hidden(path, reply->text);
}

static const char *cli(const char *arguments)
{
    int status;
    return command_run(&status, "BIDE_URL='%s' BIDE_KEY='%s' " BINARY_DIR "/bide %s", s.url,
                       s.key, arguments);
}

static void look_at_cli(const char *arguments)
{
    const char *shown = cli(arguments);
    cr_assert_gt(strlen(shown), 2, "bide %s says nothing", arguments);
    assert_hidden(arguments, shown);
}

static void look_everywhere(void)
{
    const struct reply *runs = server_call(&s, "GET", "/api/v1/runs", NULL);
    const struct reply *tokens = server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL);

    assert_hidden("runs", runs->text);
    assert_hidden("tokens", tokens->text);
    for (size_t i = 0; i < json_array_size(reply_at(runs, "data")); i++) {
        const char *id = reply_text(runs, text("data.%zu.id", i));
        look_at(text("/api/v3/runs/%s", id));
        look_at(text("/api/v1/runs/%s/logs", id));
        look_at_cli(text("runs show %s", id));
        look_at_cli(text("runs show %s --json", id));
        if (json_is_true(reply_at(runs, text("data.%zu.isCompleted", i)))) {
            look_at_cli(text("runs watch %s", id));
            look_at_cli(text("runs watch %s --json", id));
        }
    }
    for (size_t i = 0; i < json_array_size(reply_at(tokens, "data")); i++)
        look_at(
            text("/api/v1/waitpoints/tokens/%s", reply_text(tokens, text("data.%zu.id", i))));
    look_at("/metrics");
    look_at("/api/v1/queues");
    look_at("/api/v1/plugins");
    look_at_cli("runs list");
    look_at_cli("runs list --json");
    look_at_cli("tokens list");
    look_at_cli("tokens list --json");
    assert_hidden("the log", file_read(server_path(&s, "log")));
}

static const char *trigger(const char *more)
{
    return run_trigger(
        &s, "vault",
        text("{\"card\": \"" CARD "\", \"proof\": \"%s\"%s}", server_path(&s, "proof"), more),
        NULL);
}

static const char *url_of(const char *run)
{
    run_until(&s, run, "WAITING");
    return reply_text(run_get(&s, run), "metadata.url");
}

static const struct reply *post_pin(const char *run, const char *body)
{
    return server_call_as(&s, NULL, "POST", url_of(run), body);
}

static const char *run_through(const char *more)
{
    const char *run = trigger(more);
    look_everywhere();
    cr_assert_eq(post_pin(run, "{\"pin\": \"" PIN "\"}")->status, 200);
    run_end(&s, run);
    return run;
}

/* ---- tests --------------------------------------------------------------------------------
 */

Test(secrets, the_task_gets_them_and_nobody_else)
{
    const char *run = run_through("");

    look_everywhere();
    const struct reply *shown = run_get(&s, run);
    cr_assert_str_eq(reply_text(shown, "status"), "COMPLETED", "%s", shown->text);
    cr_assert_str_eq(reply_text(shown, "payload.card"), "[secret]");
    cr_assert_str_eq(reply_text(shown, "output.receipt"), "[secret]");
    cr_assert(json_is_true(reply_at(shown, "output.ok")), "the rest is shown: %s", shown->text);
    const char *proof = file_read(server_path(&s, "proof"));
    cr_assert_str_eq(proof, "card=" CARD "\npin=" PIN "\ncode=" CARD "\n");
}

Test(secrets, a_state_that_may_hold_one_shows_only_its_names)
{
    const char *run = trigger("");

    const struct reply *shown = run_until(&s, run, "WAITING");

    cr_assert_str_eq(reply_text(shown, "state.card"), "[secret]", "%s", shown->text);
    assert_hidden("the waiting run", shown->text);
}

/* What is stored is the value itself. */
Test(secrets, a_replay_gets_the_real_ones)
{
    const char *run = run_through("");
    size_t before = strlen(file_read(server_path(&s, "proof")));

    const struct reply *again =
        server_call(&s, "POST", text("/api/v1/runs/%s/replay", run), NULL);

    cr_assert_eq(again->status, 200, "%ld %s", again->status, again->text);
    assert_hidden("the replay", again->text);
    run_until(&s, reply_text(again, "id"), "WAITING");
    cr_assert_str_eq(file_read(server_path(&s, "proof")) + before, "card=" CARD "\n");
    look_everywhere();
}

/* Refused for many reasons, each told without the value. */
Test(secrets, refused_values_are_not_repeated)
{
    static const char *const payloads[] = {
        "{\"card\": \"" MARKER "\", \"proof\": \"p\"}",
        "{\"card\": {\"n\": \"" MARKER "\"}, \"proof\": \"p\"}",
        "{\"card\": [\"" MARKER "\"], \"proof\": 7}",
        "{\"card\": \"card-" MARKER MARKER MARKER MARKER MARKER "\", \"proof\": \"p\"}",
        "{\"card\": \"card-" MARKER "\"}",
        "{\"card\": \"" MARKER "\", \"prof\": \"p\"}",
    };
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        const struct reply *reply =
            server_call(&s, "POST", TRIGGER, text("{\"payload\": %s}", payloads[i]));
        cr_assert_eq(reply->status, 422, "%s: %ld %s", payloads[i], reply->status, reply->text);
        assert_hidden(payloads[i], reply->text);
        look_at_cli(text("trigger vault --payload '%s'", payloads[i]));
    }
    const struct reply *torn =
        server_call(&s, "POST", TRIGGER, "{\"payload\": {\"card\": \"" MARKER "\" \"" MARKER);
    cr_assert_eq(torn->status, 400);
    assert_hidden("JSON that is torn", torn->text);
    torn = server_call(&s, "POST", TRIGGER,
                       "{\"payload\": \"{\\\"json\\\": {\\\"card\\\": " MARKER "}}\", "
                       "\"options\": {\"payloadType\": \"application/super+json\"}}");
    cr_assert_eq(torn->status, 400);
    assert_hidden("JSON in JSON that is torn", torn->text);
    look_everywhere();
}

Test(secrets, refused_token_data_is_not_repeated_and_the_run_keeps_waiting)
{
    const char *run = trigger("");
    const char *url = url_of(run);
    const char *token =
        reply_text(server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL), "data.0.id");

    const struct reply *callback =
        server_call_as(&s, NULL, "POST", url, "{\"pin\": \"" MARKER "\"}");
    const struct reply *api =
        server_call(&s, "POST", text("/api/v1/waitpoints/tokens/%s/complete", token),
                    "{\"data\": {\"pin\": [\"" MARKER "\"]}}");

    cr_assert_eq(callback->status, 422, "%ld %s", callback->status, callback->text);
    cr_assert_eq(json_array_size(reply_at(callback, "problems")), 1, "%s", callback->text);
    cr_assert_eq(api->status, 422, "%ld %s", api->status, api->text);
    assert_hidden("the callback's reply", callback->text);
    assert_hidden("the API's reply", api->text);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "WAITING");
    look_everywhere();
}

Test(secrets, a_childs_refused_payload_is_not_repeated_by_its_parent)
{
    const char *run = run_through(", \"refuse\": true");

    const struct reply *shown = run_get(&s, run);
    cr_assert_str_eq(reply_text(shown, "status"), "FAILED", "%s", shown->text);
    cr_assert_neq(strstr(shown->text, "more"), NULL, "the problem is told: %s", shown->text);
    look_everywhere();
}

Test(secrets, an_output_that_is_refused_is_not_repeated)
{
    const char *run = run_through(", \"botch\": true");

    const struct reply *shown = run_get(&s, run);
    cr_assert_str_eq(reply_text(shown, "error.name"), "output_invalid", "%s", shown->text);
    look_everywhere();
}

/* A task may give back what it got; where its file says nothing of that, nothing is shown. */
Test(secrets, an_output_that_nobody_describes_is_hidden)
{
    server_write(&s, "schemas/vault-child.yaml",
                 "input: { properties: { code: { secret: true } } }\n");
    long long deadline = now_ms() + 20000;
    const struct reply *run;
    do {
        cr_assert_lt(now_ms(), deadline, "the new schema is not used");
        run = run_end(&s, run_trigger(&s, "vault-child", "{\"code\": \"" MARKER "\"}", NULL));
        assert_hidden("the run", run->text);
    } while (strcmp(reply_text(run, "output"), "[secret]") != 0);
    look_everywhere();
}

static void await_plugins(const char *words, bool is_there)
{
    long long deadline = now_ms() + 20000;

    while ((strstr(server_call(&s, "GET", "/api/v1/plugins", NULL)->text, words) != NULL) !=
           is_there) {
        cr_assert_lt(now_ms(), deadline, "the plugins never %s \"%s\"",
                     is_there ? "say" : "cease to say", words);
        pause_ms(20);
    }
}

/* Nobody knows any more what of it was secret: all of it is. */
Test(secrets, without_the_schema_the_whole_value_is_hidden)
{
    const char *run = run_through("");

    server_write(&s, "schemas/vault.yaml", "input: { type: objekt }\n");
    await_plugins("objekt", true);
    look_everywhere();
    cr_assert_str_eq(reply_text(run_get(&s, run), "payload"), "[secret]");
    cr_assert_str_eq(reply_text(run_get(&s, run), "output"), "[secret]");

    server_write(&s, "schemas/vault.yaml", SCHEMA);
    await_plugins("objekt", false);
    look_everywhere();
    cr_assert_str_eq(reply_text(run_get(&s, run), "payload.card"), "[secret]");
    cr_assert_str_eq(reply_text(run_get(&s, run), "payload.proof"), server_path(&s, "proof"));
}

Test(secrets, a_schema_that_no_longer_marks_them_shows_nothing_of_before)
{
    const char *run = run_through("");

    server_write(&s, "schemas/vault.yaml", "input: { type: object }\n");
    long long deadline = now_ms() + 20000;
    while (strcmp(reply_text(run_get(&s, run), "payload"), "[secret]") != 0) {
        cr_assert_lt(now_ms(), deadline, "the new schema is not used");
        assert_hidden("the run", run_get(&s, run)->text);
        pause_ms(20);
    }
    look_everywhere();
}

Test(secrets, without_the_plugin_the_whole_value_is_hidden)
{
    const char *run = run_through("");
    int status;

    command_run(&status, "rm '%s'", server_path(&s, "plugins/vault.so"));
    await_plugins("vault", false);
    long long deadline = now_ms() + 20000;
    while (strcmp(reply_text(run_get(&s, run), "payload"), "[secret]") != 0) {
        cr_assert_lt(now_ms(), deadline, "its payload is shown in part");
        pause_ms(20);
    }
    look_everywhere();
}
