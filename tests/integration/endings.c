/* Runs that end badly, with a real plugin: what it did is undone once, whatever dies meanwhile.
 */
#include "server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "saga");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(endings, .init = set_up, .fini = tear_down, .timeout = 60);

static const char *saga(const char *ends, const char *undo, const char *options)
{
    char payload[300];

    snprintf(payload, sizeof payload, "{\"dir\": \"%s\", \"ends\": \"%s\", \"undo\": \"%s\"}",
             s.dir, ends, undo);
    return run_trigger(&s, "saga", payload, options);
}

/* All lines that begin so, or all; joined by commas. */
static const char *journal(const char *prefix)
{
    static char joined[4000];
    const char *text = file_read(server_path(&s, "journal"));

    joined[0] = 0;
    for (const char *line = text; line != NULL && *line != 0;) {
        size_t size = strcspn(line, "\n");
        if (strncmp(line, prefix, strlen(prefix)) == 0)
            snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%.*s",
                     joined[0] != 0 ? "," : "", (int)size, line);
        line += size + (line[size] == '\n');
    }
    return joined;
}

static void assert_ends(const char *run, const char *status)
{
    const struct reply *ended = run_end(&s, run);

    cr_assert_str_eq(reply_text(ended, "status"), status, "%s", ended->text);
}

#define FIRST \
    "on_start 0,first 0,on_suspend 1,cleanup 1,on_resume 1,second 1,on_suspend 2,cleanup 2,"

Test(endings, hooks_come_in_their_order)
{
    assert_ends(saga("well", "well", NULL), "COMPLETED");

    cr_assert_str_eq(journal(""), FIRST "on_resume 2,on_success 2,cleanup 2", "%s",
                     journal(""));
}

Test(endings, what_was_done_is_undone_in_reverse_order)
{
    assert_ends(saga("fail", "well", NULL), "FAILED");

    cr_assert_str_eq(journal(""),
                     FIRST "on_resume 2,cleanup 2,undo_second 2 FAILED no,cleanup 7 FAILED no,"
                           "undo_first 7 FAILED no,cleanup 8 FAILED no,on_failure 8 FAILED no,"
                           "cleanup 8 FAILED no",
                     "%s", journal(""));
}

Test(endings, a_crash_for_good_is_undone)
{
    assert_ends(saga("crash", "well", NULL), "CRASHED");

    cr_assert_str_eq(journal("undo"),
                     "undo_second 2 CRASHED SIGSEGV,undo_first 7 CRASHED SIGSEGV");
    cr_assert_str_eq(journal("on_f"), "on_failure 8 CRASHED SIGSEGV");
}

Test(endings, a_time_out_is_undone)
{
    assert_ends(saga("spin", "well", "{\"maxDuration\": 1}"), "TIMED_OUT");

    cr_assert_str_eq(journal("on_f"), "on_failure 8 TIMED_OUT SEGMENT_TIMED_OUT", "%s",
                     journal(""));
}

Test(endings, one_that_waits_when_its_total_time_is_over_is_undone)
{
    const struct reply *ended;
    const char *run = saga("wait", "well", "{\"totalTime\": \"4s\"}");
    run_until(&s, run, "WAITING");
    cr_assert_not_null(strstr(run_get(&s, run)->text, "\"totalTime\":4"), "%s",
                       run_get(&s, run)->text);
    cr_assert_gt(strlen(reply_text(run_get(&s, run), "timesOutAt")), 0);
    server_kill(&s);
    server_start(&s);

    ended = run_end(&s, run);

    cr_assert_str_eq(reply_text(ended, "status"), "TIMED_OUT", "%s", ended->text);
    cr_assert_str_eq(reply_text(ended, "error.name"), "TOTAL_TIME");
    cr_assert_not_null(strstr(ended->text, "nine tenths of its total time of 4s are over"));
    cr_assert_str_eq(journal("undo"),
                     "undo_second 2 TIMED_OUT TOTAL_TIME,undo_first 7 TIMED_OUT TOTAL_TIME");
    cr_assert_str_eq(journal("on_f"), "on_failure 8 TIMED_OUT TOTAL_TIME", "%s", journal(""));
}

Test(endings, one_whose_segment_is_out_when_its_total_time_is_over_is_killed_and_undone)
{
    assert_ends(saga("spin", "well", "{\"totalTime\": 3}"), "TIMED_OUT");

    cr_assert_str_eq(journal("undo"),
                     "undo_second 2 TIMED_OUT TOTAL_TIME,undo_first 7 TIMED_OUT TOTAL_TIME");
}

Test(endings, one_that_waits_is_canceled_and_undone)
{
    char path[100];
    const char *run = saga("wait", "well", NULL);
    run_until(&s, run, "WAITING");

    snprintf(path, sizeof path, "/api/v2/runs/%s/cancel", run);
    cr_assert_eq(server_call(&s, "POST", path, "{}")->status, 200);

    assert_ends(run, "CANCELED");
    cr_assert_str_eq(journal("undo"), "undo_second 2 CANCELED,undo_first 7 CANCELED");
    cr_assert_str_eq(journal("on_c"), "on_cancel 8 CANCELED");
}

Test(endings, one_whose_segment_is_out_is_undone_when_that_is_gone)
{
    char path[100];
    const char *run = saga("spin", "well", NULL);
    for (int i = 0; i < 2000 && strstr(journal("on_resume 2"), "2") == NULL; i++)
        usleep(10000);

    snprintf(path, sizeof path, "/api/v2/runs/%s/cancel", run);
    cr_assert_eq(server_call(&s, "POST", path, "{}")->status, 200);

    assert_ends(run, "CANCELED"); /* killed after its grace */
    cr_assert_str_eq(journal("undo"), "undo_second 2 CANCELED,undo_first 7 CANCELED");
}

Test(endings, a_crash_in_the_middle_is_tried_again)
{
    assert_ends(saga("fail", "crash-once", NULL), "FAILED");

    cr_assert_str_eq(journal("undo"),
                     "undo_second 2 FAILED no,undo_second 2 FAILED no,undo_first 7 FAILED no");
    cr_assert_str_eq(journal("on_f"), "on_failure 8 FAILED no");
}

Test(endings, what_cannot_be_undone_is_shown_and_the_others_go_on)
{
    const char *run = saga("fail", "crash", NULL);

    assert_ends(run, "FAILED");

    const struct reply *ended = run_get(&s, run);
    cr_assert_str_eq(reply_text(ended, "undoErrors.0.segment"), "undo_second", "%s",
                     ended->text);
    cr_assert_str_eq(reply_text(ended, "undoErrors.0.name"), "SIGSEGV");
    cr_assert_str_eq(reply_text(ended, "error.name"), "no");
    cr_assert_str_eq(journal("undo_first"), "undo_first 2 FAILED no");
    cr_assert_str_eq(journal("on_f"), "on_failure 8 FAILED no");
    server_logs(&s, "run.undo_failed");
}

Test(endings, a_server_that_is_killed_in_the_middle_goes_on_with_it)
{
    char path[100];
    const char *run = saga("fail", "hang-once", NULL);
    for (int i = 0; i < 2000 && access(server_path(&s, "mark"), F_OK) != 0; i++)
        usleep(10000);
    snprintf(path, sizeof path, "/api/v1/runs/%s/why", run);
    const struct reply *why = server_call(&s, "GET", path, NULL);
    cr_assert_str_eq(reply_text(why, "text"),
                     "ending as FAILED: compensation undo_second, 1 of 3", "%s", why->text);

    server_kill(&s);
    server_start(&s);

    assert_ends(run, "FAILED");
    cr_assert_str_eq(journal("undo"),
                     "undo_second 2 FAILED no,undo_second 2 FAILED no,undo_first 7 FAILED no");
    cr_assert_str_eq(journal("on_f"), "on_failure 8 FAILED no");
}
