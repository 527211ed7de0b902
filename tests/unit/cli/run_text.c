/* What a run looks like in one line. */
#include "cli/client/run_text.h"

#include "base/duration.h"
#include "codec/json.h"

#include <criterion/criterion.h>

static struct arena arena;

static void teardown(void)
{
    arena_finish(&arena);
}

TestSuite(runview, .fini = teardown);

static const char *mark(const char *json)
{
    struct err err = { 0 };
    struct value run;

    cr_assert(json_read(&arena, slice_of(json), &run, &err), "%s", err.text);
    return arena_text(&arena, run_status_mark(&arena, &run));
}

Test(runview, a_run_that_is_parked_says_why)
{
    cr_assert_str_eq(
        mark("{\"status\":\"PENDING_VERSION\",\"parkedReason\":"
             "\"task \\\"helo\\\" is unknown here; did you mean \\\"hello\\\"?\"}"),
        "PENDING_VERSION · task \"helo\" is unknown here; did you mean \"hello\"?");
    cr_assert_str_eq(mark("{\"status\":\"PENDING_VERSION\",\"parkedReason\":\"a\\u001b[2Jb\"}"),
                     "PENDING_VERSION · a\\x1b[2Jb");
    cr_assert_str_eq(mark("{\"status\":\"QUEUED\"}"), "QUEUED");
}

/* The mark has no counts in it: they change by themselves. */
Test(runview, what_holds_a_run_is_said_where_its_status_does_not)
{
    static const char held[] = "{\"status\":\"QUEUED\",\"heldBy\":{\"gate\":\"lane\",\"text\":"
                               "\"3 of 3 running in queue "
                               "mail\"}}";
    struct buffer out = { 0 };
    struct value run;

    cr_assert_str_eq(mark(held), "QUEUED · lane");
    cr_assert_str_eq(mark("{\"status\":\"DELAYED\",\"heldBy\":{\"gate\":\"not-before\"}}"),
                     "DELAYED");
    cr_assert(json_read(&arena, slice_of(held), &run, NULL));
    run_print(&out, &arena, &run, 1);
    const char *text = arena_text(&arena, buffer_view(&out));
    cr_assert_not_null(strstr(text, "QUEUED · 3 of 3 running in queue mail"), "%s", text);
    cr_assert_not_null(strstr(text, "held by    lane: 3 of 3 running in queue mail\n"), "%s",
                       text);
    buffer_finish(&out);
}

Test(runview, the_parts_of_a_group_stand_below_it)
{
    static const char json[] =
        "{\"status\":\"WAITING\",\"waitingFor\":["
        "{\"type\":\"group\",\"name\":\"votes\",\"needed\":1,\"parts\":2,\"come\":0,"
        "\"status\":\"WAITING\"},"
        "{\"type\":\"time\",\"name\":\"week\",\"status\":\"COMPLETED\"},"
        "{\"type\":\"token\",\"name\":\"ann\",\"id\":\"waitpoint_1\",\"in\":0,"
        "\"status\":\"WAITING\"},"
        "{\"type\":\"run\",\"id\":\"run_1\",\"in\":0,\"status\":\"CANCELED\","
        "\"heldByChildren\":[\"run_2\"]}]}";
    struct buffer out = { 0 };
    struct value run;

    cr_assert(json_read(&arena, slice_of(json), &run, NULL));
    run_print(&out, &arena, &run, 1);
    const char *text = arena_text(&arena, buffer_view(&out));
    cr_assert_not_null(
        strstr(text, "waits for  group votes WAITING, needs 1 of 2, 0 have come\n"
                     "waits for    token ann waitpoint_1 WAITING\n"
                     "waits for    run run_1 CANCELED, until its children have ended: run_2\n"
                     "waits for  time week COMPLETED\n"),
        "%s", text);
    buffer_finish(&out);
}

Test(runview, one_that_never_started_failed_in_no_segment)
{
    static const char json[] =
        "{\"status\":\"EXPIRED\",\"error\":{\"name\":\"EXPIRED\",\"message\":\"late\","
        "\"segment\":\"work\",\"attempt\":0}}";
    struct buffer out = { 0 };
    struct value run;

    cr_assert(json_read(&arena, slice_of(json), &run, NULL));
    run_error_add(&out, &run);
    cr_assert(slice_is(buffer_view(&out), "error      EXPIRED: late\n"), "%.*s", (int)out.size,
              out.data);
    buffer_finish(&out);
}

/* A time has no name, and leaves no gap for one. */
Test(runview, what_is_waited_for_is_named_where_it_has_a_name)
{
    static const char *const cases[][2] = {
        { "{\"type\":\"time\",\"timeoutAt\":\"2026-01-02T03:04:05.000Z\"}",
          "waits for  time, until 2026-01-02T03:04:05.000Z (in 1h)" },
        { "{\"type\":\"token\",\"id\":\"waitpoint_1\"}", "waits for  token waitpoint_1\n" },
    };
    int64_t now_ms;

    cr_assert(time_parse(SLICE("2026-01-02T02:04:05Z"), &now_ms));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out = { 0 };
        struct slice json =
            arena_format(&arena, "{\"status\":\"WAITING\",\"waitingFor\":[%s]}", cases[i][0]);
        struct value run;
        cr_assert(json_read(&arena, json, &run, NULL));
        run_print(&out, &arena, &run, now_ms);
        cr_assert_not_null(strstr(arena_text(&arena, buffer_view(&out)), cases[i][1]), "%.*s",
                           (int)out.size, out.data);
        buffer_finish(&out);
    }
    cr_assert_str_eq(mark("{\"status\":\"WAITING\",\"waitingFor\":[{\"type\":\"time\"}]}"),
                     "WAITING · for time");
}

Test(runview, every_attempt_is_there_with_its_error)
{
    struct err err = { 0 };
    struct value run;
    struct buffer out = { 0 };
    static const char json[] =
        "{\"id\":\"run_1\",\"status\":\"COMPLETED\",\"isCompleted\":true,\"maxAttempts\":3,"
        "\"attempts\":[{\"number\":1,\"status\":\"FAILED\",\"startedAt\":\"a\",\"error\":"
        "{\"name\":\"busy\",\"message\":\"no room\",\"segment\":\"pay\"}},"
        "{\"number\":2,\"status\":\"COMPLETED\",\"startedAt\":\"b\"}]}";

    cr_assert(json_read(&arena, slice_of(json), &run, &err), "%s", err.text);
    run_print(&out, &arena, &run, 0);
    buffer_byte(&out, 0);

    cr_assert_not_null(strstr(out.data, "attempts (at most 3 from one save point)\n"
                                        "  1  a  FAILED  busy: no room (in pay)\n"
                                        "  2  b  COMPLETED\n"),
                       "%s", out.data);
    buffer_finish(&out);
}
