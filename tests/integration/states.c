/* Save points of a real plugin: they are kept over a kill, listed, and replayed from. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "stages");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(states, .init = set_up, .fini = tear_down, .timeout = 120);

static const char *const well = "\"payload\": {\"mark\": \"b\", \"ends\": \"well\"}";

static const struct reply *replay(const char *run, const char *from)
{
    return server_call(&s, "POST", text("/api/v1/runs/%s/replay", run),
                       text("{\"fromSavePoint\": %s, %s}", from, well));
}

static void must_end(const struct reply *made, const char *marks)
{
    cr_assert_eq(made->status, 200, "%s", made->text);
    const struct reply *ended = run_end(&s, text("%s", reply_text(made, "id")));

    cr_assert_str_eq(reply_text(ended, "output"), marks, "%s", ended->text);
}

static const char *ended(const char *task, const char *ends, const char *status)
{
    const char *run =
        run_trigger(&s, task, text("{\"mark\": \"a\", \"ends\": \"%s\"}", ends), NULL);
    const struct reply *end = run_end(&s, run);

    cr_assert_str_eq(reply_text(end, "status"), status, "%s", end->text);
    return run;
}

static const char *bide(const char *arguments)
{
    int status;
    const char *said = command_run(&status, "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide %s",
                                   s.url, s.key, arguments);
    cr_assert_eq(status, 0, "bide %s: %s", arguments, said);
    return said;
}

Test(states, a_run_that_has_failed_is_replayed_from_where_it_saved_last)
{
    const char *run = ended("plain", "fail", "FAILED");

    server_kill(&s);
    server_start(&s);
    const struct reply *list =
        server_call(&s, "GET", text("/api/v1/runs/%s/save-points", run), NULL);
    cr_assert_eq(reply_number(list, "data.0.number"), 4, "%s", list->text);
    cr_assert_null(reply_at(list, "data.1"), "%s", list->text);
    must_end(replay(run, "true"), "aaaab");
    const struct reply *refused = replay(run, "3");
    cr_assert_eq(refused->status, 422);
    cr_assert_not_null(strstr(refused->text, "those that are: 4"), "%s", refused->text);
}

Test(states, of_a_task_that_keeps_more_each_can_be_begun_from_whatever_came_of_it)
{
    const char *run = ended("stages", "well", "COMPLETED");

    server_kill(&s);
    server_start(&s);
    const struct reply *list =
        server_call(&s, "GET", text("/api/v1/runs/%s/save-points", run), NULL);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(reply_number(list, text("data.%d.number", i)), i + 2, "%s", list->text);
        cr_assert_str_eq(reply_text(list, text("data.%d.segment", i)), "stage");
        cr_assert_str_eq(reply_text(list, text("data.%d.state.marks", i)), i == 0   ? "aa"
                                                                           : i == 1 ? "aaa"
                                                                                    : "aaaa");
    }
    cr_assert_null(reply_at(list, "data.3"), "%s", list->text);
    must_end(replay(run, "2"), "aabbb");
    must_end(replay(run, "true"), "aaaab");
    const struct reply *refused = replay(run, "1");
    cr_assert_eq(refused->status, 422);
    cr_assert_not_null(strstr(refused->text, "those that are: 2, 3, 4"), "%s", refused->text);
}

Test(states, the_command_line_lists_them_and_begins_at_one)
{
    const char *run = ended("stages", "fail", "FAILED");

    const char *said = bide(text("runs states %s", run));
    cr_assert_not_null(strstr(said, "{\"marks\":\"aaa\"}"), "%s", said);
    said = bide(text("runs replay %s --from-save-point=3 --wait --payload "
                     "'{\"mark\": \"b\", \"ends\": \"well\"}'",
                     run));
    cr_assert_not_null(strstr(said, "aaabb"), "%s", said);
    said = bide(text("runs replay %s --from-save-point --wait --payload "
                     "'{\"mark\": \"b\", \"ends\": \"well\"}'",
                     run));
    cr_assert_not_null(strstr(said, "aaaab"), "%s", said);
}

Test(states, queues_yaml_has_the_last_word)
{
    server_write(&s, "config/queues.yaml", "tasks: {plain: {keep_states: 2}}\n");
    server_kill(&s);
    server_start(&s);
    const char *run = ended("plain", "well", "COMPLETED");

    must_end(replay(run, "3"), "aaabb");
    cr_assert_eq(replay(run, "2")->status, 422);
}

Test(states, inspect_tells_what_is_kept)
{
    const char *said = bide("plugins inspect " BINARY_DIR "/tests/plugins/stages.so");

    cr_assert_not_null(strstr(said, "the last 3 save points"), "%s", said);
    said = bide("plugins inspect " BINARY_DIR "/tests/plugins/saga.so");
    cr_assert_not_null(strstr(said, "hooks       on_start, on_suspend, on_resume, on_success, "
                                    "on_failure, on_cancel, cleanup"),
                       "%s", said);
    cr_assert_not_null(strstr(said, "2 tries of each compensation"), "%s", said);
}
