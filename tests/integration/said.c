/* What a run says and leaves behind: prints, last words, attempts, tokens, calls of a rerun. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "said");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(said, .init = set_up, .fini = tear_down, .timeout = 120);

static const char *play(const char *task, const char *payload, const char *status)
{
    const char *run = run_trigger(&s, task, payload, NULL);

    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), status);
    return run;
}

static const struct reply *logs_of(const char *run)
{
    return server_call(&s, "GET", text("/api/v1/runs/%s/logs", run), NULL);
}

Test(said, what_is_printed_is_the_runs_log)
{
    const char *const lines[] = { "first hi", "to stderr",      "from a child",
                                  "logged",   "from a program", "without an end" };
    const struct reply *logs = logs_of(play("print", "{\"word\":\"hi\"}", "COMPLETED"));

    for (int i = 0; i < 6; i++) {
        cr_assert_str_eq(reply_text(logs, text("data.%d.text", i)), lines[i], "%s", logs->text);
        cr_assert_str_eq(reply_text(logs, text("data.%d.segment", i)), "print_some");
        cr_assert_eq(reply_number(logs, text("data.%d.attempt", i)), 1);
    }
}

Test(said, the_last_words_of_an_exit_are_the_runs_log)
{
    const struct reply *logs = logs_of(play("last-words", "{\"how\":\"exit\"}", "CRASHED"));

    cr_assert_str_eq(reply_text(logs, "data.1.text"), "on the way", "%s", logs->text);
    cr_assert_str_eq(reply_text(logs, "data.2.text"), "the last words ?", "%s", logs->text);
    cr_assert_eq(strncmp(reply_text(logs, "data.2.at"), "20", 2), 0, "%s", logs->text);
}

Test(said, of_a_flood_the_end_is_kept)
{
    const struct reply *logs =
        logs_of(play("flood", "{\"lines\":3000,\"print\":true}", "COMPLETED"));

    cr_assert_str_eq(reply_text(logs, "data.0.text"), "line 0");
    cr_assert_str_eq(reply_text(logs, "data.199.text"), "line 199");
    cr_assert_not_null(strstr(reply_text(logs, "data.200.text"), "were left out here"), "%s",
                       reply_text(logs, "data.200.text"));
    cr_assert_str_eq(reply_text(logs, "data.1000.text"), "the end");
    cr_assert_null(reply_at(logs, "data.1001"));
}

/* Those that are shown, and those that are said to be missing. */
static long lines_told(const struct reply *logs)
{
    size_t at;
    json_t *line;
    long count = 0, missing;

    json_array_foreach(reply_at(logs, "data"), at, line)
    {
        const char *words = json_string_value(json_object_get(line, "text"));
        if (sscanf(words, "%ld lines were left out here", &missing) == 1)
            count += missing;
        else
            count++;
    }
    return count;
}

/* However fast they come, and whoever is left to tell them. */
Test(said, lines_that_are_not_kept_are_counted)
{
    const struct {
        long lines;
        const char *more, *end;
    } floods[] = { { 50000, "\"print\":true", "COMPLETED" },
                   { 5000, "\"print\":false", "COMPLETED" },
                   { 1000, "\"print\":true,\"wide\":90,\"die\":true", "CRASHED" },
                   { 9000, "\"print\":true,\"wide\":90,\"die\":true", "CRASHED" },
                   { 30000, "\"print\":false,\"wide\":900,\"die\":true", "CRASHED" } };

    for (int i = 0; i < 5; i++) {
        const struct reply *logs =
            logs_of(play("flood", text("{\"lines\":%ld,%s}", floods[i].lines, floods[i].more),
                         floods[i].end));
        size_t size = json_array_size(reply_at(logs, "data"));
        cr_expect_eq(lines_told(logs), floods[i].lines + 1, "%ld of %ld", lines_told(logs),
                     floods[i].lines + 1);
        cr_expect_str_eq(reply_text(logs, text("data.%zu.text", size - 1)), "the end");
        cr_expect_leq(size, 1010);
    }
}

Test(said, each_attempt_keeps_its_error)
{
    const struct reply *run = run_get(&s, play("fail-again", "{\"times\":2}", "COMPLETED"));

    cr_assert_eq(reply_number(run, "maxAttempts"), 4);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(reply_number(run, text("attempts.%d.number", i)), i + 1, "%s", run->text);
        cr_assert_str_not_empty(reply_text(run, text("attempts.%d.startedAt", i)));
        cr_assert_str_not_empty(reply_text(run, text("attempts.%d.finishedAt", i)));
        cr_assert_str_eq(reply_text(run, text("attempts.%d.error.message", i)),
                         i < 2 ? text("attempt %d did not work", i + 1) : "");
        cr_assert_str_eq(reply_text(run, text("attempts.%d.status", i)),
                         i < 2 ? "FAILED" : "COMPLETED");
    }
    cr_assert_null(reply_at(run, "attempts.3"));
    cr_assert_null(reply_at(run, "error"), "it got there");
}

Test(said, a_rerun_that_calls_otherwise_fails_naming_both)
{
    static const char *const payloads[] = { "{}", "{\"number\":true}" };
    static const char *const words[][2] = {
        { "made a token when", "a run of task once-loop now" },
        { "once-loop with 1 at /number of", "once-loop with 2 at /number of" }
    };

    for (int i = 0; i < 2; i++) {
        const struct reply *run = run_get(&s, play("call-order", payloads[i], "FAILED"));
        const char *message = reply_text(run, "error.message");
        cr_assert_str_eq(reply_text(run, "error.name"), "calls_differ", "%s", run->text);
        cr_assert_not_null(strstr(message, "call 1 of this segment"), "%s", message);
        cr_assert_not_null(strstr(message, words[i][0]), "%s", message);
        cr_assert_not_null(strstr(message, words[i][1]), "%s", message);
        cr_assert_str_eq(reply_text(run, "attempts.0.error.name"), "SIGABRT");
    }
}

Test(said, a_token_ends_with_its_run)
{
    const char *const payloads[] = { "{}", "{\"fail\":true}" };
    const char *const ends[] = { "COMPLETED", "FAILED" };

    for (int i = 0; i < 2; i++) {
        const char *run = play("leave-token", payloads[i], ends[i]);
        const char *url = reply_text(run_get(&s, run), "metadata.url");
        const char *path = strstr(url, "/api/");
        cr_assert_not_null(path, "%s", url);
        const struct reply *late = server_call_as(&s, NULL, "POST", path, "{\"a\":1}");
        cr_assert_eq(late->status, 410, "%s", late->text);
        cr_assert_not_null(strstr(reply_text(late, "error"), "has ended"));
        const char *token = text("%.*s", (int)strcspn(strstr(path, "waitpoint_"), "/"),
                                 strstr(path, "waitpoint_"));
        late = server_call(&s, "POST", text("/api/v1/waitpoints/tokens/%s/complete", token),
                           "{\"data\":1}");
        cr_assert_eq(late->status, 410, "%s", late->text);
        const struct reply *shown =
            server_call(&s, "GET", text("/api/v1/waitpoints/tokens/%s", token), NULL);
        cr_assert_str_eq(reply_text(shown, "status"), "COMPLETED", "the contract has no other");
        cr_assert(json_is_true(reply_at(shown, "isCancelled")), "%s", shown->text);
        cr_assert(json_is_true(reply_at(shown, "outputIsError")), "%s", shown->text);
    }
}

Test(said, two_acts_of_one_name_are_told)
{
    const struct reply *run = run_get(&s, play("once-twice", "{}", "FAILED"));

    cr_assert_str_eq(reply_text(run, "error.name"), "name_used_twice", "%s", run->text);
}
