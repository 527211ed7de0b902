/* A database that refuses, and a pump that is full: what a slot did is not lost. */
#include "stage.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct stage stage;

static void setup(void)
{
    stage_make(&stage);
    stage_put(&stage, "steady.so", "steady.so");
    stage.max_commands = 3;
    stage_open(&stage);
}

static void teardown(void)
{
    stage_finish(&stage);
}

TestSuite(pressure, .init = setup, .fini = teardown);

static bool is_ready(struct stage *s, const void *what)
{
    (void)what;
    return s->is_ready;
}

static bool has_segments(struct stage *s, const void *what)
{
    return stage_stats(s).segments >= *(const uint64_t *)what;
}

static bool has_forks(struct stage *s, const void *what)
{
    return stage_stats(s).forks >= *(const uint64_t *)what;
}

static bool all_done(struct stage *s, const void *what)
{
    (void)what;
    return s->done_count == s->run_count;
}

Test(pressure, a_full_pump_loses_no_outcome)
{
    stage_until(&stage, is_ready, NULL);
    for (int i = 0; i < 100; i++)
        stage_trigger(&stage, "loop", "{\"count\":5}");

    stage_until(&stage, all_done, NULL);

    for (uint32_t i = 0; i < stage.run_count; i++)
        cr_assert_eq(stage.runs[i].outcome, OUTCOME_COMPLETED);
    cr_assert_eq(stage_stats(&stage).segments, 600, "no segment ran twice");
}

Test(pressure, an_outcome_waits_for_the_disk)
{
    stage_until(&stage, is_ready, NULL);
    int64_t run = stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":300}");
    stage_until_status(&stage, run, RUN_RUNNING);

    stage_disk(&stage, true);
    stage_until(&stage, has_segments, &(uint64_t){ 1 });
    stage_rest(&stage, 300);
    cr_assert_eq(stage_run(&stage, run)->status, RUN_RUNNING);
    stage_disk(&stage, false);

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED);
    cr_assert_eq(stage_run(&stage, run)->attempt, 1);
    cr_assert_eq(stage_stats(&stage).segments, 1, "it ran once");
}

Test(pressure, a_call_waits_for_the_disk_and_not_on_the_segments_time)
{
    stage_until(&stage, is_ready, NULL);
    stage.config.segment_time_ms = 500; /* of the next catalog, which the schema brings */
    char path[200];
    snprintf(path, sizeof path, "%s/token.yaml", stage.schemas);
    stage_write(path, "input: {}\n");
    uint32_t seen = stage.catalogs;
    while (stage.catalogs == seen)
        stage_rest(&stage, 20);
    stage_rest(&stage, 200); /* the engine has taken it */
    int64_t run = stage_trigger(&stage, "token", "{}");
    stage_disk(&stage, true);

    stage_until(&stage, has_forks, &(uint64_t){ 1 });
    stage_rest(&stage, 1200);
    stage_disk(&stage, false);

    stage_until_status(&stage, run, RUN_WAITING);
    cr_assert_eq(stage_run(&stage, run)->attempt, 1);
    cr_assert_eq(stage_stats(&stage).timeouts, 0);
}

Test(pressure, a_full_disk_does_not_stop_the_start)
{
    stage_disk(&stage, true);

    stage_until(&stage, is_ready, NULL);

    stage_disk(&stage, false);
    cr_assert_str_eq(stage_output(&stage, "echo", "1"), "1");
}

Test(pressure, stopping_with_work_under_way)
{
    stage_until(&stage, is_ready, NULL);
    int64_t run = stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":1000}");
    for (int i = 0; i < 50; i++)
        stage_trigger(&stage, "echo", "{}");
    stage_disk(&stage, true);
    stage_rest(&stage, 100);

    stage_close(&stage);
    stage_disk(&stage, false);
    stage_open(&stage);

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED);
    for (uint32_t i = 0; i < stage.run_count; i++)
        cr_assert_eq(stage_outcome(&stage, stage.runs[i].id), OUTCOME_COMPLETED);
}

/* A machine of many cores, and all runs come in one turn before the first slot is there. */
Test(pressure, a_cold_backlog_for_hundreds_of_slots)
{
    stage.config.slots = 300;
    stage_until(&stage, is_ready, NULL);
    for (int i = 0; i < 300; i++)
        stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":3000}");
    stage_close(&stage);
    stage_open(&stage);

    stage_until(&stage, all_done, NULL);

    for (uint32_t i = 0; i < stage.run_count; i++) {
        const struct run *run = stage_run(&stage, stage.runs[i].id);
        cr_assert_eq(run->outcome, OUTCOME_COMPLETED);
        cr_assert_eq(run->attempt, 1);
    }
    cr_assert_str_eq(stage_plugin(&stage, "steady.so", "status"), "loaded");
}
