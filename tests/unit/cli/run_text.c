/* What a run looks like in one line. */
#include "cli/client/run_text.h"

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
