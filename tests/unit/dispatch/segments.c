/* Segments through the whole host: what is asked for in them, and how they end. */
#include "stage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static struct stage stage;

static void setup(void)
{
    stage_start(&stage, "steady.so", NULL);
}

static void teardown(void)
{
    stage_finish(&stage);
}

TestSuite(segments, .init = setup, .fini = teardown);

Test(segments, echo)
{
    cr_assert_str_eq(stage_output(&stage, "echo", "{\"a\":[1,\"two\",null]}"),
                     "{\"a\":[1,\"two\",null]}");
}

static bool all_done(struct stage *s, const void *what)
{
    (void)what;
    return s->done_count == s->run_count;
}

Test(segments, many_at_once)
{
    char input[32];

    for (int i = 0; i < 500; i++) {
        snprintf(input, sizeof input, "{\"n\":%d}", i);
        stage_trigger(&stage, "echo", input);
    }
    stage_until(&stage, all_done, NULL);

    cr_assert_eq(stage_stats(&stage).segments, 500);
    cr_assert_leq(stage_stats(&stage).slots, 4);
    for (uint32_t i = 0; i < stage.run_count; i++)
        cr_assert_eq(stage.runs[i].outcome, OUTCOME_COMPLETED);
}

Test(segments, a_loop_of_waits)
{
    cr_assert_str_eq(stage_output(&stage, "loop", "{\"count\":20}"),
                     "{\"count\":20,\"entry\":20}");
}

Test(segments, retries_until_it_works)
{
    cr_assert_str_eq(stage_output(&stage, "retry", "{\"times\":2}"),
                     "{\"attempt\":3,\"max_attempts\":5}");
}

Test(segments, classes_of_errors_have_their_own_bounds)
{
    int64_t upstream = stage_trigger(&stage, "again", "{\"how\":\"upstream\"}");
    int64_t crash = stage_trigger(&stage, "again", "{\"how\":\"crash\"}");
    int64_t after = stage_trigger(&stage, "again", "{\"how\":\"after\",\"ms\":30}");

    cr_assert_eq(stage_outcome(&stage, upstream), OUTCOME_FAILED);
    cr_assert_eq(stage_outcome(&stage, crash), OUTCOME_CRASHED);
    cr_assert_eq(stage_outcome(&stage, after), OUTCOME_FAILED);
    cr_assert_eq(stage_run(&stage, upstream)->attempt, 3);
    cr_assert_eq(stage_run(&stage, crash)->attempt, 1);
    cr_assert_eq(stage_run(&stage, after)->attempt, 2);
}

Test(segments, processor_time_is_limited_and_rest_is_none)
{
    int64_t burns = stage_trigger(&stage, "burn", "{\"ms\":60000}");
    int64_t rests = stage_trigger(&stage, "burn", "{\"ms\":1,\"rest\":600}");

    cr_assert_eq(stage_outcome(&stage, burns), OUTCOME_TIMED_OUT);
    cr_assert_str_eq(stage_error(&stage, burns, "name"), "CPU_TIME");
    cr_assert_not_null(strstr(stage_error(&stage, burns, "message"), "processor time (CPU)"));
    cr_assert_eq(stage_outcome(&stage, rests), OUTCOME_COMPLETED);
}

Test(segments, a_retry_goes_on_behind_the_wait)
{
    cr_assert_str_eq(stage_output(&stage, "retry-later", "{\"times\":1}"),
                     "{\"attempt\":2,\"count\":2}");
}

Test(segments, a_failure_has_its_code_and_text)
{
    int64_t run =
        stage_trigger(&stage, "fail", "{\"code\":\"no_luck\",\"text\":\"none today\"}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_FAILED);
    cr_assert_str_eq(stage_error(&stage, run, "name"), "no_luck");
    cr_assert_str_eq(stage_error(&stage, run, "message"), "none today");
}

Test(segments, children_and_their_outputs)
{
    const char *output = stage_output(&stage, "parent", "{\"count\":5,\"fail\":1}");

    cr_assert_neq(strstr(output, "\"statuses\":[4,1,1,1,1]"), NULL, "%s", output);
    cr_assert_neq(strstr(output, "[null,{\"value\":1},{\"value\":2}"), NULL, "%s", output);
    cr_assert_neq(strstr(output, "this child was told to fail"), NULL, "%s", output);
}

Test(segments, more_children_than_ids_are_refused)
{
    int64_t run = stage_trigger(&stage, "parent", "{\"count\":64}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_FAILED);
    cr_assert_str_eq(stage_error(&stage, run, "name"), "too_many_calls");
}

Test(segments, a_key_finds_the_same_child)
{
    const char *output = stage_output(&stage, "unwaited", "{}");

    cr_assert_str_eq(output, "{\"status\":1,\"output\":{\"value\":\"kept\"}}");
}

Test(segments, a_token_has_a_url_and_waits)
{
    int64_t run = stage_trigger(&stage, "token", "{}");

    stage_until_status(&stage, run, RUN_WAITING);

    const char *metadata = stage_json(&stage, stage_run(&stage, run)->metadata);
    cr_assert_neq(strstr(metadata, "http://127.0.0.1:1/api/v1/waitpoints/tokens/"), NULL, "%s",
                  metadata);
    cr_assert_eq(stage_stats(&stage).busy, 0, "a waiting run holds nothing");
}

Test(segments, a_token_times_out)
{
    const char *output = stage_output(&stage, "token", "{\"timeout_ms\":50}");

    cr_assert_neq(strstr(output, "\"timed_out\":true"), NULL, "%s", output);
}

Test(segments, a_token_of_a_schema_that_does_not_exist_is_refused)
{
    int64_t run = stage_trigger(&stage, "token", "{\"schema\":\"nowhere\"}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_FAILED);
    cr_assert_str_eq(stage_error(&stage, run, "name"), "refused");
}

Test(segments, an_act_is_recorded_once)
{
    char path[100], input[200], text[64] = { 0 };
    snprintf(path, sizeof path, "%s/acts", stage.root);
    snprintf(input, sizeof input, "{\"path\":\"%s\",\"times\":2,\"how\":\"crash\"}", path);

    const char *output = stage_output(&stage, "once", input);

    cr_assert_str_eq(output, "{\"acted_in_attempt\":1,\"attempt\":3}");
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    cr_assert_eq(size, 6, "it acted more than once: %s", text);
}

static uint32_t log_count(int64_t run)
{
    struct log_line *line;
    struct err err = { 0 };
    uint32_t count = 0;

    cr_assert(stage.reader->ops->logs(stage.reader, &stage.arena, run, 10000, &line, &err));
    for (; line != NULL; line = log_line_next(line))
        count++;
    return count;
}

Test(segments, log_lines_are_kept)
{
    int64_t run = stage_trigger(&stage, "log-lines", "{\"lines\":20}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED);
    cr_assert_eq(log_count(run), 20);
}

Test(segments, a_flood_of_log_lines_is_bounded)
{
    int64_t run = stage_trigger(&stage, "log-lines", "{\"lines\":50000,\"size\":100}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED);
    cr_assert_leq(log_count(run), 1001);
    cr_assert_geq(log_count(run), 500);
}

static bool has_progress(struct stage *s, const void *what)
{
    const struct run *run = stage_run(s, *(const int64_t *)what);

    cr_assert_neq(run->status, RUN_DONE, "it ended before its progress was seen");
    return run->progress > 0;
}

Test(segments, progress_is_seen_while_it_runs)
{
    int64_t run = stage_trigger(&stage, "progress", "{\"steps\":100,\"ms\":40}");

    stage_until(&stage, has_progress, &run);

    stage_cancel(&stage, run);
    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_CANCELED);
}

Test(segments, metadata_is_changed)
{
    const char *output = stage_output(&stage, "metadata", "{}");

    cr_assert_neq(strstr(output, "\"list\":[1,\"two\"]"), NULL, "%s", output);
    cr_assert_neq(strstr(output, "\"stage\":\"second\""), NULL, "%s", output);
    cr_assert_eq(strstr(output, "gone"), NULL, "%s", output);
}

/* ---- canceling -------------------------------------------------------------------------- */

static bool exists(struct stage *s, const void *what)
{
    (void)s;
    return access(what, F_OK) == 0;
}

static bool has_two_lines(struct stage *s, const void *what)
{
    (void)s;
    return log_count(*(const int64_t *)what) == 2;
}

Test(segments, a_canceled_segment_is_told)
{
    char path[100], input[200];
    snprintf(path, sizeof path, "%s/told", stage.root);
    snprintf(input, sizeof input, "{\"path\":\"%s\"}", path);
    stage.config.grace_ms = 20000;
    int64_t run = stage_trigger(&stage, "poll-cancel", input);
    stage_until_status(&stage, run, RUN_RUNNING);
    stage_rest(&stage, 500); /* canceled before it is entered, it would not be entered at all */

    stage_cancel(&stage, run);

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_CANCELED);
    stage_until(&stage, exists, path);
    cr_assert_str_eq(stage_output(&stage, "echo", "1"), "1");
    cr_assert_eq(stage_stats(&stage).crashes, 0);
    stage_until(&stage, has_two_lines, &run); /* what it said before and after */
}

static bool no_slots(struct stage *s, const void *what)
{
    (void)what;
    return stage_stats(s).slots == 0;
}

Test(segments, one_that_does_not_listen_is_killed_after_the_grace)
{
    int64_t run = stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":20000}");
    stage_until(&stage, has_progress, &run); /* it has been entered */

    stage_cancel(&stage, run);

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_CANCELED);
    stage_until(&stage, no_slots, NULL);
    cr_assert_eq(stage_stats(&stage).crashes, 0, "nothing is reported");
    cr_assert_str_eq(stage_output(&stage, "echo", "1"), "1");
}
