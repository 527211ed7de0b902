/* Schemas: what a payload must be, and what a refusal says. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

#define TRIGGER "/api/v1/tasks/approve-refund/trigger"
#define ORDER   "{\"order_id\": \"A-1\", \"amount_cents\": 1250}"

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "approve-refund");
    server_add_schema(&s, "approve-refund");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(schemas, .init = set_up, .fini = tear_down, .timeout = 60);

/* The problem at this place of the payload, with everything that a person needs to put it
 * right. */
static json_t *problem_at(const struct reply *reply, const char *pointer)
{
    json_t *problems = reply_at(reply, "problems"), *problem;
    size_t i;
    json_array_foreach(problems, i, problem)
    {
        if (strcmp(json_string_value(json_object_get(problem, "pointer")), pointer) == 0) {
            const char *where = json_string_value(json_object_get(problem, "schema"));
            cr_assert(json_is_string(json_object_get(problem, "expected")), "%s", reply->text);
            cr_assert(json_is_string(json_object_get(problem, "got")), "%s", reply->text);
            cr_assert(json_is_string(json_object_get(problem, "message")), "%s", reply->text);
            cr_assert_neq(where, NULL, "no schema file: %s", reply->text);
            const char *file = strstr(where, "approve-refund.yaml:");
            cr_assert_neq(file, NULL, "%s", where);
            cr_assert_gt(atoi(file + strlen("approve-refund.yaml:")), 0, "a line: %s", where);
            return problem;
        }
    }
    give_up("no problem at %s: %s", pointer, reply->text);
}

static void assert_no_runs(void)
{
    const struct reply *list = server_call(&s, "GET", "/api/v1/runs", NULL);
    cr_assert_eq(json_array_size(reply_at(list, "data")), 0, "%s", list->text);
}

Test(schemas, every_problem_is_named)
{
    const struct reply *reply = server_call(
        &s, "POST", TRIGGER, "{\"payload\": {\"order_id\": 7, \"amount_cents\": 0}}");

    cr_assert_eq(reply->status, 422, "%ld %s", reply->status, reply->text);
    cr_assert_gt(strlen(reply_text(reply, "error")), 5);
    cr_assert_eq(json_array_size(reply_at(reply, "problems")), 2, "%s", reply->text);
    json_t *id = problem_at(reply, "/order_id"), *amount = problem_at(reply, "/amount_cents");
    cr_assert_neq(strstr(json_string_value(json_object_get(id, "expected")), "string"), NULL);
    cr_assert_neq(strstr(json_string_value(json_object_get(id, "got")), "7"), NULL);
    cr_assert_neq(strstr(json_string_value(json_object_get(amount, "expected")), "1"), NULL);
    cr_assert_neq(strstr(json_string_value(json_object_get(amount, "got")), "0"), NULL);
    assert_no_runs();
}

Test(schemas, what_is_missing_is_named)
{
    const struct reply *reply = server_call(&s, "POST", TRIGGER, "{\"payload\": {}}");

    cr_assert_eq(reply->status, 422, "%ld %s", reply->status, reply->text);
    cr_assert_neq(strstr(reply->text, "order_id"), NULL, "%s", reply->text);
    cr_assert_neq(strstr(reply->text, "amount_cents"), NULL, "%s", reply->text);
    assert_no_runs();
}

Test(schemas, a_payload_of_another_kind)
{
    const char *payloads[] = { "null", "12", "\"text\"", "[]", "true", "1.5" };
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        const struct reply *reply =
            server_call(&s, "POST", TRIGGER, text("{\"payload\": %s}", payloads[i]));
        cr_assert_eq(reply->status, 422, "%s: %ld %s", payloads[i], reply->status, reply->text);
    }
    cr_assert_eq(server_call(&s, "POST", TRIGGER, "{}")->status, 422, "no payload at all");
    assert_no_runs();
}

/* A number that looks like an integer is one; text never is. */
Test(schemas, the_edges_of_a_number)
{
    const char *good[] = { "1", "1.0", "9007199254740993", "1e3" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        run_trigger(&s, "approve-refund",
                    text("{\"order_id\": \"A\", \"amount_cents\": %s}", good[i]), NULL);
    const char *bad[] = { "0", "-1", "1.5", "\"1\"", "null", "[1]", "true" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct reply *reply = server_call(
            &s, "POST", TRIGGER,
            text("{\"payload\": {\"order_id\": \"A\", \"amount_cents\": %s}}", bad[i]));
        cr_assert_eq(reply->status, 422, "%s: %ld %s", bad[i], reply->status, reply->text);
        problem_at(reply, "/amount_cents");
    }
}

static const char *token_of(const char *run)
{
    run_until(&s, run, "WAITING");
    return reply_text(server_call(&s, "GET", "/api/v1/waitpoints/tokens", NULL), "data.0.id");
}

Test(schemas, wrong_token_data_is_422_and_the_run_keeps_waiting)
{
    const char *run = run_trigger(&s, "approve-refund", ORDER, NULL);
    const char *token = token_of(run);
    const char *url = reply_text(run_get(&s, run), "metadata.approval_url");

    const struct reply *api =
        server_call(&s, "POST", text("/api/v1/waitpoints/tokens/%s/complete", token),
                    "{\"data\": {\"approved\": \"yes\"}}");
    const struct reply *callback = server_call_as(&s, NULL, "POST", url, "{\"by\": \"ada\"}");

    cr_assert_eq(api->status, 422, "%ld %s", api->status, api->text);
    problem_at(api, "/approved");
    cr_assert_neq(strstr(api->text, "by"), NULL, "%s", api->text);
    cr_assert_eq(callback->status, 422, "%ld %s", callback->status, callback->text);
    cr_assert_str_eq(reply_text(run_get(&s, run), "status"), "WAITING");

    callback = server_call_as(&s, NULL, "POST", url, "{\"approved\": false, \"by\": \"ada\"}");
    cr_assert_eq(callback->status, 200, "%s", callback->text);
    cr_assert_str_eq(reply_text(run_end(&s, run), "output.status"), "refused");
}

/* The file is read again when it changes; a broken one makes the task unavailable and says why.
 */
Test(schemas, a_changed_schema_counts_from_then_on)
{
    const char *big = "{\"payload\": {\"order_id\": \"A\", \"amount_cents\": 100000}}";
    cr_assert_eq(server_call(&s, "POST", TRIGGER, big)->status, 200);

    server_write(
        &s, "schemas/approve-refund.yaml.part",
        "input:\n  type: object\n  properties:\n    amount_cents:\n      type: integer\n"
        "      maximum: 500\n");
    int status;
    command_run(&status, "mv '%s' '%s'", server_path(&s, "schemas/approve-refund.yaml.part"),
                server_path(&s, "schemas/approve-refund.yaml"));

    long long deadline = now_ms() + 20000;
    const struct reply *reply;
    do {
        cr_assert_lt(now_ms(), deadline, "the new schema is not used");
        pause_ms(20);
        reply = server_call(&s, "POST", TRIGGER, big);
    } while (reply->status == 200);
    cr_assert_eq(reply->status, 422, "%ld %s", reply->status, reply->text);
    problem_at(reply, "/amount_cents");
}
