/*
 * Contracts: the schema of a task through the life of its runs, when it changes, breaks and is
 * mended, when a run is replayed, and between a parent and its child.
 */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
    server_add_plugin(&s, "remind");
    server_add_schema(&s, "hello");
    server_add_schema(&s, "remind");
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(contracts, .init = set_up, .fini = tear_down, .timeout = 120);

static const struct reply *trigger(const char *task, const char *body)
{
    return server_call(&s, "POST", text("/api/v1/tasks/%s/trigger", task), body);
}

static const struct reply *await_status(const char *task, const char *body, long status)
{
    long long deadline = now_ms() + 20000;

    for (;;) {
        const struct reply *reply = trigger(task, body);
        if (reply->status == status)
            return reply;
        cr_assert_lt(now_ms(), deadline, "%s: %ld %s", task, reply->status, reply->text);
        pause_ms(20);
    }
}

/* ---- a payload that is not there ----------------------------------------------------------
 */

Test(contracts, no_payload_is_an_empty_object_where_null_does_not_fit)
{
    server_write(&s, "schemas/remind.yaml", "input: { type: string }\n");
    server_start(&s);

    const char *run = reply_text(trigger("hello", "{}"), "id");
    const struct reply *null = trigger("hello", "{\"payload\": null}");
    const struct reply *other = trigger("remind", "{}");

    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), "COMPLETED");
    cr_assert(json_is_object(reply_at(run_get(&s, run), "payload")));
    cr_assert_eq(null->status, 422, "null is null: %ld %s", null->status, null->text);
    cr_assert_eq(other->status, 422, "an object is no string: %s", other->text);
}

/* ---- outputs ------------------------------------------------------------------------------
 */

static const char bad_output[] = "output:\n"
                                 "  type: object\n"
                                 "  required: [total, name]\n"
                                 "  properties:\n"
                                 "    total: { type: integer }\n";

Test(contracts, a_wrong_output_fails_the_run)
{
    server_write(&s, "schemas/hello.yaml", bad_output);
    server_start(&s);

    const struct reply *run = run_end(&s, run_trigger(&s, "hello", "{\"total\": \"x\"}", NULL));

    cr_assert_str_eq(reply_text(run, "status"), "FAILED", "%s", run->text);
    cr_assert_str_eq(reply_text(run, "error.name"), "output_invalid", "%s", run->text);
    cr_assert_neq(strstr(reply_text(run, "error.message"), "total"), NULL, "%s", run->text);
    cr_assert_neq(strstr(reply_text(run, "error.message"), "name"), NULL, "%s", run->text);
}

Test(contracts, a_wrong_output_may_be_kept_with_a_warning)
{
    server_write(&s, "schemas/hello.yaml", text("on_invalid: warn\n%s", bad_output));
    server_start(&s);

    const char *id = run_trigger(&s, "hello", "{\"total\": \"x\"}", NULL);
    const struct reply *run = run_end(&s, id);
    char *timeline = json_dumps(reply_at(run, "timeline"), JSON_COMPACT);
    const struct reply *logs = server_call(&s, "GET", text("/api/v1/runs/%s/logs", id), NULL);
    int status;
    const char *shown =
        command_run(&status, "BIDE_URL='%s' BIDE_KEY='%s' " BINARY_DIR "/bide runs show %s",
                    s.url, s.key, id);

    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_str_eq(reply_text(run, "output.total"), "x", "%s", run->text);
    cr_assert_neq(strstr(timeline, "total"), NULL, "%s", timeline);
    cr_assert_neq(strstr(timeline, "name"), NULL, "%s", timeline);
    cr_assert_neq(strstr(timeline, "hello.yaml:"), NULL, "%s", timeline);
    cr_assert_neq(strstr(logs->text, "total"), NULL, "%s", logs->text);
    cr_assert_neq(strstr(shown, "the output is not as its schema says"), NULL, "%s", shown);
    server_logs(&s, text("run.output_invalid run=%s problems=2", id));
    free(timeline);
}

/* ---- fields that are shorter than texts ---------------------------------------------------
 */

static const struct reply *await_warning(const char *words)
{
    long long deadline = now_ms() + 20000;

    for (;;) {
        const struct reply *reply = server_call(&s, "GET", "/api/v1/plugins", NULL);
        for (size_t i = 0; i < json_array_size(reply_at(reply, "data")); i++) {
            const char *warning = reply_text(reply, text("data.%zu.warning", i));
            if (strcmp(reply_text(reply, text("data.%zu.file", i)), "approve-refund.so") != 0)
                continue;
            if (*words == '\0' ? *warning == '\0' : strstr(warning, words) != NULL)
                return reply;
        }
        cr_assert_lt(now_ms(), deadline, "%s: %s", words, reply->text);
        pause_ms(20);
    }
}

Test(contracts, a_text_that_its_field_cannot_hold_is_warned_of_at_load)
{
    static const char good[] = "input:\n  properties:\n"
                               "    order_id: { type: string, maxLength: 64 }\n";
    static const char ascii[] = "input:\n  properties:\n"
                                "    order_id: { type: string, pattern: '^[0-9]*$' }\n";

    server_add_plugin(&s, "approve-refund");
    server_write(&s, "schemas/approve-refund.yaml",
                 "input:\n  properties:\n    order_id: { type: string, maxLength: 65 }\n");
    server_start(&s);

    server_logs(&s, "task.unsure task=approve-refund warning=\"");
    const struct reply *plugins =
        await_warning("approve-refund.yaml:3 allows texts of 65 characters, up to 260 bytes as "
                      "/order_id of the input, and the field of that name in the state, "
                      "STR(257), holds 256 bytes: say maxLength: 64 there, or STR(261) here");
    cr_assert_null(strstr(plugins->text, s.dir), "%s", plugins->text);
    server_write(&s, "schemas/approve-refund.yaml", good);
    await_warning("");
    server_write(&s, "schemas/approve-refund.yaml",
                 "input:\n  properties:\n    order_id: { type: string }\n");
    await_warning("allows texts of any length as /order_id of the input");
    server_write(&s, "schemas/approve-refund.yaml", ascii);
    await_warning("");
    server_write(&s, "schemas/approve-refund.yaml",
                 "input:\n  properties:\n    order_id: {}\n");
    await_warning("any length");
}

/* ---- the hash -----------------------------------------------------------------------------
 */

Test(contracts, a_run_tells_its_schema_and_when_it_goes_on_under_another)
{
    server_start(&s);
    const char *id = run_trigger(
        &s, "remind", "{\"note\": \"n\", \"interval_ms\": 1500, \"count\": 2}", NULL);
    const char *first = text("%s", reply_text(run_until(&s, id, "WAITING"), "schema"));
    cr_assert_eq(strlen(first), 16, "\"%s\"", first);

    server_write(&s, "schemas/remind.yaml", "input:\n  type: object\n  required: [note]\n");
    const char *other =
        reply_text(await_status("remind", "{\"payload\": {\"note\": 1}}", 200), "id");
    const struct reply *run = run_end(&s, id);

    const char *second = reply_text(run_get(&s, other), "schema");
    cr_assert_eq(strlen(second), 16, "\"%s\"", second);
    cr_assert_str_neq(first, second);
    cr_assert_str_eq(reply_text(run, "schema"), first);
    cr_assert_str_eq(reply_text(run, "schemaNow"), second, "%s", run->text);
    cr_assert_neq(strstr(run->text, text("goes on under schema %s; it was %s", second, first)),
                  NULL, "%s", run->text);
}

/* What only people read changes no hash. */
Test(contracts, a_description_is_no_other_schema)
{
    server_write(&s, "schemas/hello.yaml", "input:\n  type: object\n  description: one\n");
    server_start(&s);
    const char *before =
        text("%s", reply_text(run_get(&s, run_trigger(&s, "hello", "{}", NULL)), "schema"));

    server_stop(&s);
    server_write(&s, "schemas/hello.yaml",
                 "# two\ninput:\n  description: two\n  type: object\n");
    server_start(&s);

    cr_assert_str_eq(reply_text(run_get(&s, run_trigger(&s, "hello", "{}", NULL)), "schema"),
                     before);
}

/* ---- replay -------------------------------------------------------------------------------
 */

static const struct reply *replay(const char *run, const char *body)
{
    return server_call(&s, "POST", text("/api/v1/runs/%s/replay", run), body);
}

Test(contracts, a_replay_is_a_new_run_with_the_old_payload)
{
    server_start(&s);
    const char *old = run_trigger(
        &s, "hello", "{\"a\": 1}",
        "{\"tags\": [\"x\", \"y\"], \"queue\": {\"name\": \"slow\"}, \"test\": true, "
        "\"metadata\": {\"m\": 1}, \"idempotencyKey\": \"k\", \"priority\": 5, \"ttl\": "
        "\"1h\", "
        "\"maxAttempts\": 2}");
    run_end(&s, old);

    const struct reply *made = replay(old, NULL);
    const struct reply *run = run_end(&s, reply_text(made, "id"));

    cr_assert_eq(made->status, 200, "%ld %s", made->status, made->text);
    cr_assert_str_neq(reply_text(made, "id"), old);
    cr_assert_eq(reply_number(run, "output.a"), 1, "%s", run->text);
    cr_assert_str_eq(reply_text(run, "tags.1"), "y");
    cr_assert_str_eq(reply_text(run, "queue"), "slow");
    cr_assert_eq(reply_number(run, "metadata.m"), 1);
    cr_assert(json_is_true(reply_at(run, "isTest")));
    cr_assert_eq(reply_at(run, "idempotencyKey"), NULL);
    cr_assert_eq(reply_at(run, "ttl"), NULL);
    cr_assert_eq(reply_number(run, "priority"), 0);
    cr_assert_neq(reply_number(run, "maxAttempts"), 2, "the old run's own are not kept");
}

Test(contracts, a_replay_takes_another_payload_and_other_options)
{
    server_start(&s);
    const char *old = run_trigger(&s, "hello", "{\"a\": 1}", "{\"tags\": \"x\"}");

    const struct reply *plain = run_end(
        &s, reply_text(replay(old, "{\"payload\": {\"b\": 2}, \"tags\": [\"z\"]}"), "id"));
    const struct reply *packed =
        run_end(&s, reply_text(replay(old, "{\"payload\": \"{\\\"json\\\":{\\\"b\\\":3}}\", "
                                           "\"payloadType\": \"application/super+json\"}"),
                               "id"));

    cr_assert_eq(reply_number(plain, "output.b"), 2, "%s", plain->text);
    cr_assert_str_eq(reply_text(plain, "tags.0"), "z");
    cr_assert_eq(reply_number(packed, "output.b"), 3, "%s", packed->text);
    cr_assert_str_eq(reply_text(packed, "tags.0"), "x");
    cr_assert_eq(replay(old, "[]")->status, 400);
    cr_assert_eq(replay(old, "{\"payload\": 7}")->status, 422, "the schema wants an object");
}

/* A payload that was right may not be so any more. */
Test(contracts, a_replay_is_checked_by_the_schema_of_today)
{
    server_start(&s);
    const char *old = run_trigger(&s, "hello", "{\"a\": 1, \"b\": 2}", NULL);
    run_end(&s, old);
    server_write(&s, "schemas/hello.yaml",
                 "input:\n  type: object\n  properties:\n    a: { type: string }\n"
                 "    b: { maximum: 1 }\n");
    await_status("hello", "{\"payload\": {\"a\": 1}}", 422);
    size_t runs =
        json_array_size(reply_at(server_call(&s, "GET", "/api/v1/runs", NULL), "data"));

    const struct reply *refused = replay(old, NULL);
    int status;
    const char *said =
        command_run(&status, "BIDE_URL='%s' BIDE_KEY='%s' " BINARY_DIR "/bide runs replay %s",
                    s.url, s.key, old);

    cr_assert_eq(refused->status, 422, "%ld %s", refused->status, refused->text);
    cr_assert_eq(json_array_size(reply_at(refused, "problems")), 2, "%s", refused->text);
    cr_assert_eq(status, 1, "%d %s", status, said);
    cr_assert_neq(strstr(said, "hello.yaml:4"), NULL, "%s", said);
    cr_assert_eq(
        json_array_size(reply_at(server_call(&s, "GET", "/api/v1/runs", NULL), "data")), runs,
        "nothing is stored");

    said = command_run(&status,
                       "BIDE_URL='%s' BIDE_KEY='%s' " BINARY_DIR
                       "/bide runs replay %s --payload '{\"a\": \"x\"}' --wait",
                       s.url, s.key, old);
    cr_assert_eq(status, 0, "%d %s", status, said);
}

Test(contracts, a_replay_works_from_any_status_but_not_from_elsewhere)
{
    server_write(&s, "config/bide.yaml", "environments:\n  dev: {}\n  prod: {}\n");
    server_start(&s);
    const char *waiting = run_trigger(&s, "remind", "{\"note\": \"n\"}", NULL);
    run_until(&s, waiting, "WAITING");
    const char *delayed = run_trigger(&s, "hello", "{}", "{\"delay\": \"1h\"}");

    const struct reply *first = replay(waiting, NULL), *second = replay(delayed, NULL);
    const struct reply *foreign = server_call_as(&s, server_key(&s, "prod"), "POST",
                                                 text("/api/v1/runs/%s/replay", waiting), NULL);

    cr_assert_eq(first->status, 200, "%s", first->text);
    run_until(&s, reply_text(first, "id"), "WAITING");
    cr_assert_eq(second->status, 200, "%s", second->text);
    cr_assert_str_eq(reply_text(run_end(&s, reply_text(second, "id")), "status"), "COMPLETED",
                     "a delay is not kept");
    cr_assert_eq(foreign->status, 404, "%ld %s", foreign->status, foreign->text);
    cr_assert_eq(replay("run_nothing", NULL)->status, 404);
}

/* ---- a schema that is wrong for a while ---------------------------------------------------
 */

Test(contracts, a_task_comes_back_when_its_schema_is_mended)
{
    server_start(&s);
    const char *waiting = run_trigger(
        &s, "remind", "{\"note\": \"n\", \"interval_ms\": 1000, \"count\": 1}", NULL);
    const char *good = text("%s", file_read(server_path(&s, "schemas/remind.yaml")));
    run_until(&s, waiting, "WAITING");

    server_write(&s, "schemas/remind.yaml", "input:\n  type: [object\n");
    const struct reply *refused =
        await_status("remind", "{\"payload\": {\"note\": \"n\"}}", 503);
    cr_assert_neq(strstr(refused->text, "remind.yaml:"), NULL, "%s", refused->text);
    cr_assert_eq(replay(waiting, NULL)->status, 503);
    cr_assert_eq(trigger("hello", "{}")->status, 200, "the others run");
    const struct reply *parked = run_until(&s, waiting, "PENDING_VERSION");
    cr_assert_neq(strstr(reply_text(parked, "parkedReason"), "remind.yaml:"), NULL, "%s",
                  parked->text);

    server_write(&s, "schemas/remind.yaml", good);
    await_status("remind", "{\"payload\": {\"note\": \"n\"}}", 200);
    cr_assert_str_eq(reply_text(run_end(&s, waiting), "status"), "COMPLETED");
    server_logs(&s, "task.available task=remind");
    int status;
    const char *said = command_run(
        &status, "BIDE_URL='%s' BIDE_KEY='%s' " BINARY_DIR "/bide plugins list", s.url, s.key);
    cr_assert_eq(strstr(said, "not available"), NULL, "%s", said);
}

/* References lead to files below; what they say is looked at again, too. */
Test(contracts, a_file_that_is_referred_to_may_change)
{
    int status;
    command_run(&status, "mkdir '%s'", server_path(&s, "schemas/parts"));
    server_write(&s, "schemas/parts/number.yaml", "$defs: { n: { maximum: 5 } }\n");
    server_write(&s, "schemas/hello.yaml",
                 "input:\n  type: object\n  properties:\n"
                 "    n: { $ref: 'parts/number.yaml#/$defs/n' }\n");
    server_start(&s);
    cr_assert_eq(trigger("hello", "{\"payload\": {\"n\": 7}}")->status, 422);

    server_write(&s, "schemas/parts/number.yaml", "$defs: { n: { maximum: 9 } }\n");
    await_status("hello", "{\"payload\": {\"n\": 7}}", 200);
    server_write(&s, "schemas/parts/number.yaml", "$defs: { n: { maximum: [] } }\n");
    const struct reply *refused = await_status("hello", "{\"payload\": {\"n\": 7}}", 503);
    cr_assert_neq(strstr(refused->text, "number.yaml:1"), NULL, "%s", refused->text);
}

/* ---- parent and child ---------------------------------------------------------------------
 */

static void expect_of_child(const char *type)
{
    server_write(&s, "schemas/vault.yaml",
                 text("input: { type: object }\n"
                      "children:\n"
                      "  vault-child:\n"
                      "    output:\n"
                      "      type: object\n"
                      "      required: [code]\n"
                      "      properties:\n"
                      "        code: { type: %s }\n",
                      type));
}

static const char child_schema[] = "output:\n"
                                   "  type: object\n"
                                   "  required: [code]\n"
                                   "  properties:\n"
                                   "    code: { type: string }\n";

Test(contracts, a_child_that_does_not_promise_what_its_parent_expects)
{
    server_add_plugin(&s, "vault");
    expect_of_child("integer");
    server_write(&s, "schemas/vault-child.yaml", child_schema);
    server_start(&s);

    const struct reply *refused = trigger("vault", "{}");
    cr_assert_eq(refused->status, 503, "%ld %s", refused->status, refused->text);
    cr_assert_neq(strstr(refused->text, "vault.yaml:5"), NULL, "%s", refused->text);
    cr_assert_neq(strstr(refused->text, "vault-child.yaml:2"), NULL, "%s", refused->text);
    cr_assert_neq(strstr(refused->text, "{\\\"code\\\":"), NULL, "an example: %s",
                  refused->text);
    cr_assert_eq(trigger("vault-child", "{\"payload\": {\"code\": \"x\"}}")->status, 200);
    int status;
    const char *said = command_run(
        &status, "BIDE_URL='%s' BIDE_KEY='%s' " BINARY_DIR "/bide plugins list", s.url, s.key);
    cr_assert_neq(strstr(said, "task vault is not available"), NULL, "%s", said);

    expect_of_child("string");
    await_status("vault", "{\"payload\": {\"proof\": \"/dev/null\"}}", 200);
    server_write(&s, "schemas/vault-child.yaml", "output: { type: object }\n");
    await_status("vault", "{\"payload\": {\"proof\": \"/dev/null\"}}", 503);
}

/* It is looked at when it comes. */
Test(contracts, a_child_that_is_not_there_yet_is_no_hindrance)
{
    server_write(&s, "schemas/hello.yaml",
                 "input: { type: object }\n"
                 "children:\n  vault-child:\n    output: { type: string }\n");
    server_write(&s, "schemas/vault-child.yaml", child_schema);
    server_start(&s);
    cr_assert_eq(trigger("hello", "{}")->status, 200);

    server_add_plugin(&s, "vault");

    const struct reply *refused = await_status("hello", "{}", 503);
    cr_assert_neq(strstr(refused->text, "hello.yaml"), NULL, "%s", refused->text);
}
