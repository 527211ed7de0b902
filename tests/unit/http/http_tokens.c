/* Tokens over HTTP, and their callback URLs. */
#include "site.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct site site;

static void setup(void)
{
    site_init(&site);
    site_start(&site);
}

static void teardown(void)
{
    site_finish(&site);
}

TestSuite(tokens, .init = setup, .fini = teardown, .timeout = 60);

#define TOKENS "/api/v1/waitpoints/tokens"

static struct answer show(const char *token)
{
    return site_get(&site, site_path(&site, TOKENS "/%s", token));
}

/* The path behind the origin of a callback URL. */
static const char *path_of(const char *url)
{
    return strstr(url, "/api/");
}

Test(tokens, a_token_is_made_completed_and_read)
{
    struct answer made = site_post(&site, TOKENS, "{\"tags\":[\"t\"],\"timeout\":\"1h\"}");
    const char *id = answer_text(&site, made, "id");
    struct slice claims = { 0 };
    struct answer pending = show(id);
    struct answer done = site_post(&site, site_path(&site, TOKENS "/%s/complete", id),
                                   "{\"data\":{\"approved\":true}}");
    struct answer again =
        site_post(&site, site_path(&site, TOKENS "/%s/complete", id), "{\"data\":2}");
    struct answer read = show(id);

    cr_assert_eq(made.status, 200, "%s", made.body.data);
    cr_assert(answer_header(made, "x-trigger-jwt-claims", &claims));
    cr_assert_not(answer_find(made, "isCached")->boolean);
    cr_assert_eq(strncmp(answer_text(&site, made, "url"), "http://127.0.0.1:", 17), 0);
    cr_assert_str_eq(answer_text(&site, pending, "status"), "WAITING");
    cr_assert_str_eq(answer_text(&site, pending, "tags.0"), "t");
    cr_assert_str_neq(answer_text(&site, pending, "timeoutAt"), "");
    cr_assert_null(answer_find(pending, "output"));
    cr_assert_eq(done.status, 200);
    cr_assert(answer_find(done, "success")->boolean);
    cr_assert_eq(again.status, 200, "the first result stays, without a word");
    cr_assert_str_eq(answer_text(&site, read, "status"), "COMPLETED");
    cr_assert_str_eq(answer_text(&site, read, "output"), "{\"approved\":true}");
    cr_assert_str_eq(answer_text(&site, read, "outputType"), "application/json");
    cr_assert_not(answer_find(read, "outputIsError")->boolean);
}

Test(tokens, a_run_goes_on_with_what_is_posted_to_the_url)
{
    const char *run = site_run(&site, "approve", "{}");
    struct answer waiting = site_until(&site, run, "WAITING");
    struct answer token = show(answer_text(&site, waiting, "waitingFor.0.id"));
    const char *path = path_of(answer_text(&site, token, "url"));
    struct answer posted = site_ask(&site, "POST", path, "", "{\"by\":\"ann\"}");
    struct answer done = site_until(&site, run, "COMPLETED");

    cr_assert_str_eq(answer_text(&site, token, "runId"), run);
    cr_assert_eq(posted.status, 200, "%s", posted.body.data);
    cr_assert(answer_find(posted, "success")->boolean);
    cr_assert_str_eq(answer_text(&site, done, "output.by"), "ann");
}

Test(tokens, data_against_the_schema_is_422_and_the_run_keeps_waiting)
{
    const char *run = site_run(&site, "approve", "{}");
    struct answer waiting = site_until(&site, run, "WAITING");
    const char *id = answer_text(&site, waiting, "waitingFor.0.id");
    const char *path = path_of(answer_text(&site, show(id), "url"));
    struct answer posted = site_ask(&site, "POST", path, "", "{\"by\":7}");
    struct answer completed =
        site_post(&site, site_path(&site, TOKENS "/%s/complete", id), "{}");
    struct answer after = site_get(&site, site_path(&site, "/api/v3/runs/%s", run));

    cr_assert_eq(posted.status, 422, "%s", posted.body.data);
    cr_assert_str_eq(answer_text(&site, posted, "code"), "invalid_data");
    cr_assert_eq(answer_find(posted, "problems")->count, 1);
    cr_assert_str_eq(answer_text(&site, posted, "problems.0.pointer"), "/by");
    cr_assert_eq(completed.status, 422);
    cr_assert_str_eq(answer_text(&site, after, "status"), "WAITING");
    cr_assert_eq(site_ask(&site, "POST", path, "", "{\"by\":\"ann\"}").status, 200);
    site_until(&site, run, "COMPLETED");
}

#define FORM "content-type: application/x-www-form-urlencoded\r\n"
#define TEXT "content-type: text/plain\r\n"

Test(tokens, a_callback_is_completed_by_what_is_understood)
{
    static const struct {
        const char *headers, *body, *output;
    } cases[] = {
        { "", NULL, "{}" },
        { "", "", "{}" },
        { "", "\xef\xbb\xbf{\"a\":1}", "{\"a\":1}" },
        { FORM, "approved=true&by=ann", "{\"approved\":\"true\",\"by\":\"ann\"}" },
        { FORM, "{\"approved\": false}", "{\"approved\":false}" },
        { TEXT, "oops", "\"oops\"" },
        { "", "[1.5,null]", "[1.5,null]" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer made = site_post(&site, TOKENS, "{}");
        struct answer posted = site_ask(&site, "POST", path_of(answer_text(&site, made, "url")),
                                        cases[i].headers, cases[i].body);
        cr_expect_eq(posted.status, 200, "%s", posted.body.data);
        cr_expect_str_eq(answer_text(&site, show(answer_text(&site, made, "id")), "output"),
                         cases[i].output);
    }
}

Test(tokens, what_is_not_understood_completes_nothing)
{
    static const struct {
        const char *headers, *body;
        int status;
    } cases[] = {
        { "", "{\"a\": ", 400 },
        { "", "oops", 400 },
        { "", "approved=true&by=ann", 400 },
        { "", "{\"a\":1} x", 400 },
        { "", "\xff", 400 },
        { "", "\xff\xfe{", 415 },
        { FORM, "oops", 400 },
        { FORM, "{\"a\": ", 400 },
        { "content-encoding: gzip\r\n", "{\"a\":1}", 400 },
        { "content-encoding: br\r\n", "{\"a\":1}", 415 },
        { "content-type: application/xml\r\n", "<a/>", 415 },
        { "content-type: application/json; charset=utf-16\r\n", "{}", 415 },
        { "", "{\"n\":18446744073709551616}", 400 },
    };
    struct answer made = site_post(&site, TOKENS, "{}");
    const char *path = path_of(answer_text(&site, made, "url"));
    struct slice accepted = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer posted = site_ask(&site, "POST", path, cases[i].headers, cases[i].body);
        cr_expect_eq(posted.status, cases[i].status, "%s: %d %s", cases[i].body, posted.status,
                     posted.body.data);
        cr_expect_gt(strlen(answer_text(&site, posted, "error")), 10);
    }
    const char *id = answer_text(&site, made, "id");
    cr_assert_str_eq(answer_text(&site, show(id), "status"), "WAITING");
    struct answer right = site_ask(&site, "POST", path, "", "{\"a\":1}");
    cr_assert_eq(right.status, 200);
    cr_assert(answer_header(right, "x-bide-accepted", &accepted));
    cr_assert(slice_is(accepted, "true"));
    cr_assert_str_eq(answer_text(&site, show(id), "output"), "{\"a\":1}");
    cr_assert(answer_header(site_ask(&site, "POST", path, "", "{\"a\":2}"), "x-bide-accepted",
                            &accepted));
    cr_assert(slice_is(accepted, "false"), "the first result stays, and it is told");
}

Test(tokens, members_that_meant_something_are_refused_by_name)
{
    static const struct {
        const char *path, *body, *says;
        int status;
    } cases[] = {
        { "/%s/complete", "{\"output\":{\"a\":1}}", "data", 400 },
        { "/%s/complete", "{\"output\":false}", "data", 400 },
        { "/%s/complete", "{\"payload\":1}", "data", 400 },
        { "/%s/complete", "{\"result\":1,\"data\":2}", "result", 400 },
        { "/%s/complete", "{\"approved\":true}", "approved", 400 },
        { "/%s/complete", "{\"error\":\"no\"}", "error", 422 },
        { "/%s/complete", "{\"data\":1,\"isError\":true}", "isError", 422 },
        { "/%s/complete", "{\"isError\":true}", "isError", 422 },
        { "/%s/complete", "[1]", "object", 400 },
        { "/%s/complete", " ", "JSON", 400 },
        { "/%s/timeout", "\r\n", "JSON", 400 },
        { "", " ", "JSON", 400 },
        { "", "{\"timeout\":\"\"}", "timeout", 400 },
        { "", "{\"idempotencyKeyTTL\":\"1h\"}", "idempotencyKeyTTL", 400 },
        { "/%s/timeout", "{\"a\": ", "JSON", 400 },
        { "/%s/timeout", "[1]", "object", 400 },
        { "/%s/timeout", "{\"data\":1}", "data", 400 },
        { "/%s/timeout", "{\"timeout\":\"1h\"}", "move", 400 },
        { "/%s/close", "{\"reason\":7}", "reason", 400 },
        { "/%s/close", "{\"by\":\"\"}", "by", 400 },
        { "/%s/close", "{\"message\":\"x\"}", "reason", 400 },
        { "/%s/move", "{}", "timeout must be", 400 },
        { "/%s/move", "{\"timeout\":\"soon\"}", "\"never\"", 400 },
        { "/%s/move", "{\"until\":\"1h\"}", "timeout", 400 },
        { "", "{\"ttl\":\"1h\"}", "timeout", 400 },
        { "", "{\"data\":1}", "data", 400 },
    };
    const char *id = answer_text(&site, site_post(&site, TOKENS, "{}"), "id");
    struct slice ignored = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[128] = TOKENS;
        snprintf(path + strlen(path), sizeof path - strlen(path), cases[i].path, id);
        struct answer answer = site_post(&site, path, cases[i].body);
        cr_expect_eq(answer.status, cases[i].status, "%s: %d", cases[i].body, answer.status);
        cr_expect_not_null(strstr(answer_text(&site, answer, "error"), cases[i].says), "%s",
                           answer.body.data);
    }
    cr_assert_str_eq(answer_text(&site, show(id), "status"), "WAITING");
    struct answer odd = site_post(&site, site_path(&site, TOKENS "/%s/complete", id),
                                  "{\"data\":1,\"isError\":false,\"new word\":2}");
    cr_assert_eq(odd.status, 200);
    cr_assert(answer_header(odd, "x-bide-ignored", &ignored));
    cr_assert(slice_is(ignored, "new%20word"));
    struct answer near = site_post(&site, TOKENS, "{\"timeuot\":\"1h\"}");
    cr_assert(answer_header(near, "x-bide-ignored", &ignored));
    cr_assert(slice_is(ignored, "timeuot"));
    cr_assert(answer_header(near, "x-bide-warning", &ignored));
    cr_assert(slice_is(ignored, "timeuot is not known; did you mean timeout?"));
}

Test(tokens, only_the_right_url_counts)
{
    struct answer made = site_post(&site, TOKENS, "");
    char *path = arena_text(&site.arena, slice_of(path_of(answer_text(&site, made, "url"))));
    struct slice allow = { 0 };
    struct answer get = site_ask(&site, "GET", path, "", NULL);
    size_t last = strlen(path) - 1;

    path[last] = path[last] == 'a' ? 'b' : 'a';
    struct answer wrong = site_ask(&site, "POST", path, "", "{}");

    cr_assert_eq(get.status, 405);
    cr_assert(answer_header(get, "allow", &allow));
    cr_assert_eq(wrong.status, 401);
    cr_assert_str_eq(answer_text(&site, wrong, "error"), "Invalid URL, hash doesn't match");
    path[last] = '\0';
    cr_assert_eq(site_ask(&site, "POST", path, "", "{}").status, 401);
    cr_assert_eq(site_ask(&site, "POST", TOKENS "/waitpoint_x/callback/00", "", "{}").status,
                 401);
    cr_assert_str_eq(answer_text(&site, show(answer_text(&site, made, "id")), "status"),
                     "WAITING");
}

Test(tokens, a_timeout_by_hand_or_in_the_past_is_an_error_result)
{
    struct answer made = site_post(&site, TOKENS, "{}");
    const char *id = answer_text(&site, made, "id");
    struct answer timeout = site_post(&site, site_path(&site, TOKENS "/%s/timeout", id), "");
    struct answer past = site_post(&site, TOKENS, "{\"timeout\":\"2020-01-01T00:00:00Z\"}");

    cr_assert_eq(timeout.status, 200);
    cr_assert_str_eq(answer_text(&site, show(id), "status"), "TIMED_OUT");
    cr_assert(answer_find(show(id), "outputIsError")->boolean);
    cr_assert_not_null(
        strstr(answer_text(&site, show(id), "output"), "TRIGGER_WAITPOINT_TIMEOUT"));
    cr_assert_str_eq(answer_text(&site, show(answer_text(&site, past, "id")), "status"),
                     "TIMED_OUT");
}

static const char *accepted(struct answer answer)
{
    struct slice text = { 0 };

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert(answer_header(answer, "x-bide-accepted", &text));
    return arena_text(&site.arena, text);
}

Test(tokens, one_is_moved_and_closed)
{
    const char *id = answer_text(&site, site_post(&site, TOKENS, "{}"), "id");
    const char *by = "\"by\":\"ann\",\"reason\":\"too late\"}";
    const char *move = site_path(&site, TOKENS "/%s/move", id);
    const char *close = site_path(&site, TOKENS "/%s/close", id);

    cr_assert_str_eq(accepted(site_post(&site, move, "{\"timeout\":\"1h\"}")), "true");
    cr_assert_str_neq(answer_text(&site, show(id), "timeoutAt"), "");
    cr_assert_str_eq(accepted(site_post(&site, move, "{\"timeout\":\"never\"}")), "true");
    cr_assert_str_eq(answer_text(&site, show(id), "timeoutAt"), "");
    cr_assert_str_eq(answer_text(&site, show(id), "note"), "moved to never by the key of dev");
    const char *body = arena_format(&site.arena, "{%s", by).data;
    cr_assert_str_eq(accepted(site_post(&site, close, body)), "true");
    cr_assert(answer_find(show(id), "isCancelled")->boolean);
    cr_assert_str_eq(answer_text(&site, show(id), "note"), "closed by ann: too late");
    cr_assert_str_eq(accepted(site_post(&site, close, "")), "false");
    struct answer late =
        site_post(&site, site_path(&site, TOKENS "/%s/complete", id), "{\"data\":1}");
    cr_assert_eq(late.status, 410);
    cr_assert_not_null(strstr(answer_text(&site, late, "error"), "closed by ann: too late"));
    cr_assert_eq(site_post(&site, TOKENS "/waitpoint_x/close", "").status, 404);
}

#define WAIT(act) site_path(&site, "/api/v1/runs/%s/wait/" act, run)

Test(tokens, what_a_run_waits_for_is_acted_on)
{
    const char *run = site_run(&site, "approve", "{}");
    static const struct {
        const char *act, *body, *says;
        int status;
    } cases[] = {
        { "complete", "{\"data\":{\"by\":7}}", "schema", 422 },
        { "complete", "{\"part\":\"x\"}", "no \"x\"", 422 },
        { "complete", "{\"token\":\"x\"}", "part", 400 },
        { "move", "{}", "timeout must be", 400 },
        { "skip", "{\"part\":\"x\"}", "part", 400 },
        { "timeout", "{\"data\":1}", "data", 400 },
    };

    site_until(&site, run, "WAITING");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path =
            arena_format(&site.arena, "/api/v1/runs/%s/wait/%s", run, cases[i].act).data;
        struct answer answer = site_post(&site, path, cases[i].body);
        cr_expect_eq(answer.status, cases[i].status, "%s: %s", cases[i].body, answer.body.data);
        cr_expect_not_null(strstr(answer_text(&site, answer, "error"), cases[i].says), "%s",
                           answer.body.data);
    }
    cr_assert_str_eq(accepted(site_post(&site, WAIT("move"), "{\"timeout\":\"1h\"}")), "true");
    const char *body = "{\"data\":{\"by\":\"ann\"},\"reason\":\"it is late\"}";
    cr_assert_str_eq(accepted(site_post(&site, WAIT("complete"), body)), "true");
    struct answer done = site_until(&site, run, "COMPLETED");
    cr_assert_str_eq(answer_text(&site, done, "output.by"), "ann");
    cr_assert_not_null(strstr(done.body.data, "completed by the key of dev: it is late"));
    struct answer after = site_post(&site, WAIT("skip"), "");
    cr_assert_eq(after.status, 409);
    cr_assert_not_null(strstr(answer_text(&site, after, "error"), "it waits for nothing"));
    cr_assert_eq(site_post(&site, "/api/v1/runs/run_0000000000000/wait/skip", "").status, 404);
}

Test(tokens, keys_give_the_same_token)
{
    const char *body = "{\"idempotencyKey\":\"invoice\",\"idempotencyKeyTTL\":\"1h\"}";
    struct answer first = site_post(&site, TOKENS, body);
    struct answer again = site_post(&site, TOKENS, body);
    struct answer item = show(answer_text(&site, first, "id"));

    cr_assert_str_eq(answer_text(&site, again, "id"), answer_text(&site, first, "id"));
    cr_assert(answer_find(again, "isCached")->boolean);
    cr_assert_str_eq(answer_text(&site, item, "idempotencyKey"), "invoice");
    cr_assert_str_neq(answer_text(&site, item, "idempotencyKeyExpiresAt"), "");
}

Test(tokens, foreign_and_unknown_tokens_are_not_found)
{
    const char *id = answer_text(&site, site_post(&site, TOKENS, "{}"), "id");
    const char *prod = "authorization: Bearer " KEY_PROD "\r\n";

    cr_assert_eq(site_ask(&site, "GET", site_path(&site, TOKENS "/%s", id), prod, NULL).status,
                 404);
    cr_assert_eq(
        site_ask(&site, "POST", site_path(&site, TOKENS "/%s/complete", id), prod, "{}").status,
        404);
    /* An id of long ago: what it named may have been removed. */
    cr_assert_eq(show("waitpoint_0000000000000").status, 410);
    cr_assert_eq(site_post(&site, TOKENS "/waitpoint_0000000000000/complete", "{}").status,
                 410);
    cr_assert_eq(show("run_0000000000000").status, 404);
    cr_assert_str_eq(answer_text(&site, show(id), "status"), "WAITING");
}

Test(tokens, bad_requests_are_told)
{
    char *large = arena_alloc(&site.arena, 12001);
    const char *id = answer_text(&site, site_post(&site, TOKENS, "{}"), "id");

    memset(large, 'x', 12000);
    cr_assert_eq(site_post(&site, TOKENS, "{\"timeout\":\"whenever\"}").status, 400);
    cr_assert_eq(site_post(&site, TOKENS, "[]").status, 400);
    cr_assert_eq(site_post(&site, TOKENS, "{").status, 400);
    cr_assert_eq(site_post(&site, TOKENS, site_path(&site, "{\"a\":\"%s\"}", large)).status,
                 413);
    cr_assert_eq(site_post(&site, site_path(&site, TOKENS "/%s/complete", id),
                           site_path(&site, "{\"data\":\"%s\"}", large))
                     .status,
                 413);
    cr_assert_eq(
        site_post(&site, site_path(&site, TOKENS "/%s/complete", id), "\"text\"").status, 400);
    cr_assert_str_eq(answer_text(&site, show(id), "status"), "WAITING");
}

Test(tokens, lists_are_paged_and_filtered)
{
    const char *ids[3];

    for (int i = 0; i < 3; i++)
        ids[i] = answer_text(&site,
                             site_post(&site, TOKENS,
                                       i == 1 ? "{\"tags\":\"one\"}"
                                              : "{\"idempotencyKey\":\"k\","
                                                "\"idempotencyKeyTTL\":\"1s\"}"),
                             "id");
    site_post(&site, site_path(&site, TOKENS "/%s/complete", ids[1]), "{}");
    struct answer page = site_get(&site, TOKENS "?page[size]=1");
    struct answer next =
        site_get(&site, site_path(&site, TOKENS "?page[after]=%s",
                                  answer_text(&site, page, "pagination.next")));
    struct answer done = site_get(&site, TOKENS "?filter[status]=COMPLETED");
    struct answer tagged = site_get(&site, TOKENS "?filter[tags]=one,two");
    struct answer keyed = site_get(&site, TOKENS "?filter[idempotencyKey]=k");

    cr_assert_str_eq(answer_text(&site, page, "data.0.id"), ids[1]);
    cr_assert_eq(answer_find(next, "data")->count, 1);
    cr_assert_str_eq(answer_text(&site, next, "data.0.id"), ids[0]);
    cr_assert_str_eq(answer_text(&site, done, "data.0.id"), ids[1]);
    cr_assert_eq(answer_find(done, "data")->count, 1);
    cr_assert_eq(answer_find(tagged, "data")->count, 1);
    cr_assert_eq(answer_find(keyed, "data")->count, 1);
    cr_assert_eq(site_get(&site, TOKENS "?filter[status]=LOST").status, 400);
    cr_assert_eq(site_get(&site, TOKENS "?filter[tag]=one").status, 400);
    cr_assert_eq(site_get(&site, TOKENS "?page[after]=waitpoint_0000000000000").status, 400);
    cr_assert_eq(site_get(&site, TOKENS "?filter[tags]=").status, 400);
    cr_assert_eq(site_get(&site, TOKENS "?filter[idempotencyKey]=").status, 400);
    cr_assert_eq(site_get(&site, TOKENS "?filter[idempotencyKey]=%01").status, 422);
}
