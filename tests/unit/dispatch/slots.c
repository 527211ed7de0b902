/* Slots: when they start, how builds share them, what they are replaced for. */
#include "stage.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct stage stage;

static void teardown(void)
{
    stage_finish(&stage);
}

static bool offers(struct stage *s, const void *what)
{
    const struct catalog_task *task = catalog_task(s->catalog, slice_of(what));

    return task != NULL && task->available;
}

static void slots_setup(void)
{
    stage_make(&stage);
    stage.config.slots = 2;
    stage.config.idle_slot_ms = 150;
    stage_put(&stage, "steady.so", "steady.so");
    stage_put(&stage, "crash.so", "crash.so");
    stage_put(&stage, "hostile.so", "hostile.so");
    stage_open(&stage);
    stage_until(&stage, offers, "echo");
}

TestSuite(slots, .init = slots_setup, .fini = teardown);

static bool all_done(struct stage *s, const void *what)
{
    (void)what;
    cr_assert_leq(stage_stats(s).slots, 2);
    return s->done_count == s->run_count;
}

Test(slots, start_when_they_are_needed)
{
    cr_assert_eq(stage_stats(&stage).slots, 0);

    stage_output(&stage, "echo", "1");

    cr_assert_eq(stage_stats(&stage).slots, 1);
    cr_assert_eq(stage_stats(&stage).forks, 1);
}

Test(slots, are_shared_by_builds)
{
    for (int i = 0; i < 30; i++) {
        stage_trigger(&stage, "echo", "{}");
        stage_trigger(&stage, "segfault", "{\"times\":0}");
        stage_trigger(&stage, "exit-3", "{\"times\":0}");
    }

    stage_until(&stage, all_done, NULL);

    for (uint32_t i = 0; i < stage.run_count; i++)
        cr_assert_eq(stage_run(&stage, stage.runs[i].id)->outcome, OUTCOME_COMPLETED);
}

static bool has_slots(struct stage *s, const void *what)
{
    return stage_stats(s).slots == *(const uint32_t *)what;
}

Test(slots, idle_ones_go_but_one)
{
    stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":200}");
    stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":200}");
    stage_until(&stage, all_done, NULL);
    cr_assert_eq(stage_stats(&stage).forks, 2);

    stage_until(&stage, has_slots, &(uint32_t){ 1 });
    stage_rest(&stage, 400);

    cr_assert_eq(stage_stats(&stage).slots, 1, "one stays warm");
}

/* Two long segments of one build have both slots; a third build's run is not starved by more.
 */
Test(slots, one_build_does_not_keep_them_all)
{
    for (int i = 0; i < 40; i++)
        stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":40}");
    int64_t other = stage_trigger(&stage, "segfault", "{\"times\":0}");

    cr_assert_eq(stage_outcome(&stage, other), OUTCOME_COMPLETED);

    stage_until(&stage, all_done, NULL);
}

/* Both slots are busy, one for each build; the engine hands out one more of a task that is
 * short. The slot that is free first makes room for it. */
Test(slots, an_idle_slot_of_another_build_makes_room)
{
    for (int i = 0; i < 20; i++)
        stage_output(&stage, "echo", "{}");
    int64_t first = stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":6000}");
    stage_trigger(&stage, "sleep", "{\"ms\":600}");
    stage_rest(&stage, 100);
    int64_t waiting = stage_trigger(&stage, "echo", "{}");

    cr_assert_eq(stage_outcome(&stage, waiting), OUTCOME_COMPLETED);

    cr_assert_eq(stage_run(&stage, first)->status, RUN_RUNNING, "it had to wait for its own");
}

/* The slot of a canceled run is free when it is, not when somebody wished it. */
Test(slots, a_canceled_segment_keeps_its_place_until_it_ends)
{
    stage_write(stage.queues, "queues:\n  task/sleep: 1\n");
    stage.config.grace_ms = 1000;
    stage_rest(&stage, 500);
    int64_t run = stage_trigger(&stage, "sleep", "{\"ms\":20000}");
    int64_t next = stage_trigger(&stage, "sleep", "{\"ms\":1}");
    stage_until_status(&stage, run, RUN_RUNNING);
    stage_rest(&stage, 300); /* it has begun */

    stage_cancel(&stage, run);
    cr_assert_eq(stage_run(&stage, run)->outcome, OUTCOME_CANCELED, "at once");
    cr_assert_eq(stage_run(&stage, next)->status, RUN_QUEUED);

    cr_assert_eq(stage_outcome(&stage, next), OUTCOME_COMPLETED);
    cr_assert_geq(stage_run(&stage, next)->started_ms - stage_run(&stage, run)->finished_ms,
                  900);
}

static void assert_killed_after(int64_t run, int64_t least_ms, int64_t most_ms)
{
    int64_t next = stage_trigger(&stage, "sleep", "{\"ms\":1}");

    cr_assert_eq(stage_outcome(&stage, next), OUTCOME_COMPLETED);
    int64_t took_ms = stage_run(&stage, next)->started_ms - stage_run(&stage, run)->finished_ms;
    cr_assert(took_ms >= least_ms && took_ms <= most_ms, "%lld ms", (long long)took_ms);
}

/* Its total time is over: there is no grace, as with the time of an attempt. */
Test(slots, a_segment_of_a_run_whose_total_time_is_over_is_killed_at_once)
{
    stage_write(stage.queues,
                "queues:\n  task/sleep: { concurrency: 1, total_time: 1500ms }\n");
    stage.config.grace_ms = 20000;
    stage_rest(&stage, 500);
    int64_t run = stage_trigger(&stage, "sleep", "{\"ms\":20000}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_TIMED_OUT);

    assert_killed_after(run, 0, 5000);
}

/* Its task says how much time a canceled segment has, and a run as a whole. */
Test(slots, a_task_has_its_own_grace_and_its_own_total_time)
{
    stage.config.grace_ms = 60000;
    int64_t run = stage_trigger(&stage, "hurried", "{\"ms\":20000}");
    stage_until_status(&stage, run, RUN_RUNNING);
    stage_rest(&stage, 300);
    stage_cancel(&stage, run);
    for (int i = 0; i < 100 && stage_run(&stage, run)->is_out; i++)
        stage_rest(&stage, 100);
    cr_assert_not(stage_run(&stage, run)->is_out, "killed after 200 ms");

    int64_t other = stage_trigger(&stage, "hurried", "{\"ms\":20000}");
    cr_assert_eq(stage_outcome(&stage, other), OUTCOME_TIMED_OUT);
}

/* Nodes that share a store say it again and again. */
Test(slots, a_second_cancel_gives_no_more_time)
{
    stage_write(stage.queues, "queues:\n  task/sleep: 1\n");
    stage.config.grace_ms = 1500;
    stage_rest(&stage, 500);
    int64_t run = stage_trigger(&stage, "sleep", "{\"ms\":20000}");
    stage_until_status(&stage, run, RUN_RUNNING);
    stage_rest(&stage, 300);
    stage_cancel(&stage, run);
    struct event again = {
        .run_id = run, .status = RUN_DONE, .outcome = OUTCOME_CANCELED, .was_running = true
    };

    for (int i = 0; i < 12; i++) {
        stage_rest(&stage, 250);
        dispatch_event(stage.dispatch, &again);
    }

    assert_killed_after(run, 1000, 6000);
}

Test(slots, a_child_of_a_segment_goes_with_its_slot)
{
    stage_output(&stage, "fork-child", "{}");

    stage_until(&stage, has_slots, &(uint32_t){ 1 });
    stage_close(&stage); /* which looks for processes that are left */
    stage_open(&stage);
}

/* ---- what segments leave in their slot ----------------------------------------------------
 */

static void assert_next_is_another(const char *left, bool is_another)
{
    char first[100];
    snprintf(first, sizeof first, "%s", stage_output(&stage, "leave-open", left));
    const char *next = stage_output(&stage, "leave-open", "{}");
    cr_assert_eq(strcmp(first, next) != 0, is_another, "%s left, then %s and %s", left, first,
                 next);
}

Test(slots, one_that_has_grown_is_replaced)
{
    assert_next_is_another("{}", false);
    assert_next_is_another("{\"descriptors\":8}", false);
    assert_next_is_another("{\"descriptors\":900}", true);
    assert_next_is_another("{\"threads\":1}", true);
    assert_next_is_another("{\"mib\":16}", false);
    assert_next_is_another("{\"mib\":400}", true);
}

Test(slots, what_a_segment_sets_of_its_process_ends_with_it)
{
    char first[600];

    snprintf(first, sizeof first, "%s", stage_output(&stage, "change-process", "{}"));

    for (int i = 0; i < 2; i++)
        cr_assert_str_eq(stage_output(&stage, "change-process", "{}"), first);
    cr_assert_not_null(strstr(first, "\"timer\":0,"), "%s", first);
    cr_assert_not_null(strstr(first, "\"blocked\":0}"), "%s", first);
}

Test(slots, one_that_has_run_enough_is_replaced)
{
    stage.config.slot_segments = 5;
    stage_put(&stage, "hostile.so", "hostile.so");
    stage_close(&stage);
    stage.catalog = NULL;
    stage_open(&stage);
    stage_until(&stage, offers, "count-on");
    for (int i = 0; i < 40; i++)
        stage_trigger(&stage, "count-on", "{}");

    stage_until(&stage, all_done, NULL);

    for (uint32_t i = 0; i < stage.run_count; i++) {
        const struct run *run = stage_run(&stage, stage.runs[i].id);
        cr_assert_eq(run->outcome, OUTCOME_COMPLETED);
        cr_assert_eq(run->attempt, 1);
        cr_assert_leq(strlen(stage_json(&stage, run->output)), strlen("{\"calls\":5}"));
    }
    cr_assert_geq(stage_stats(&stage).forks, 8);
}
