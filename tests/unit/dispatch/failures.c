/* Plugins that misbehave while they run: one slot, one attempt of one run, and nothing else. */
#include "stage.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct stage stage;

static void setup(void)
{
    stage_start(&stage, "steady.so", "crash.so", "hostile.so", NULL);
}

static void teardown(void)
{
    stage_finish(&stage);
}

TestSuite(failures, .init = setup, .fini = teardown);

static int64_t crash_of(const char *task, const char *name, const char *message)
{
    int64_t run = stage_trigger(&stage, task, "{}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_CRASHED, "%s",
                 stage_error(&stage, run, "message"));
    cr_assert_str_eq(stage_error(&stage, run, "name"), name);
    cr_assert_neq(strstr(stage_error(&stage, run, "message"), message), NULL, "%s",
                  stage_error(&stage, run, "message"));
    cr_assert_eq(stage_run(&stage, run)->attempt, 3);
    return run;
}

Test(failures, a_crash_says_where)
{
    int64_t run = crash_of("segfault", "SIGSEGV",
                           "SIGSEGV at address 0x0 in segfault/read_null (crash 1.0.0, build ");

    cr_assert_eq(strncmp(stage_error(&stage, run, "stack"), "read_null at crash.c:", 21), 0,
                 "%s", stage_error(&stage, run, "stack"));
}

Test(failures, an_abort)
{
    int64_t run = crash_of("abort", "SIGABRT", "SIGABRT in abort/call_abort");

    cr_assert_neq(strstr(stage_error(&stage, run, "stack"), "call_abort at crash.c:"), NULL);
}

Test(failures, a_stack_overflow)
{
    crash_of("stack-overflow", "SIGSEGV", "stack-overflow/overflow_stack");
}

Test(failures, an_exit)
{
    crash_of("exit-3", "EXITED", "exited with code 3 in exit-3/call_exit (hostile 1.0.0");
}

Test(failures, closed_descriptors)
{
    crash_of("close-all", "PROTOCOL", "in close-all/close_descriptors");
}

Test(failures, garbage_in_the_socket)
{
    crash_of("garbage", "PROTOCOL", "broken frame");
}

Test(failures, a_time_limit)
{
    int64_t run = stage_trigger(&stage, "spin", "{\"times\":3}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_TIMED_OUT);
    cr_assert_neq(strstr(stage_error(&stage, run, "message"), "its limit of 500 ms"), NULL,
                  "%s", stage_error(&stage, run, "message"));
    cr_assert_neq(strstr(stage_error(&stage, run, "stack"), "spin_on at hostile.c:"), NULL,
                  "%s", stage_error(&stage, run, "stack"));
    cr_assert_eq(stage_stats(&stage).timeouts, 3);
}

Test(failures, the_next_attempt_works)
{
    cr_assert_str_eq(stage_output(&stage, "segfault", "{\"times\":2}"), "{\"attempt\":3}");
    cr_assert_str_eq(stage_output(&stage, "exit-3", "{\"times\":1}"), "{\"attempt\":2}");
}

static bool all_done(struct stage *s, const void *what)
{
    (void)what;
    return s->done_count == s->run_count;
}

/* Whatever stood behind a crashing segment in the same slot's socket is run elsewhere. */
Test(failures, others_do_not_notice)
{
    uint32_t completed = 0;

    for (int i = 0; i < 40; i++) {
        stage_trigger(&stage, "segfault", "{\"times\":0}"); /* becomes short */
        stage_trigger(&stage, "echo", "{}");
    }
    stage_until(&stage, all_done, NULL);
    for (int i = 0; i < 200; i++)
        stage_trigger(&stage, i % 20 == 0 ? "segfault" : "echo",
                      i % 20 == 0 ? "{\"times\":1}" : "{}");
    stage_until(&stage, all_done, NULL);

    for (uint32_t i = 0; i < stage.run_count; i++) {
        const struct run *run = stage_run(&stage, stage.runs[i].id);
        completed += run->outcome == OUTCOME_COMPLETED;
        if (slice_is(run->task, "echo"))
            cr_assert_eq(run->attempt, 1, "an innocent run lost an attempt");
        else
            cr_assert_leq(run->attempt, 2);
    }
    cr_assert_eq(completed, stage.run_count);
    cr_assert_eq(stage_stats(&stage).crashes, 10);
}

static bool is_gone(struct stage *s, const void *what)
{
    (void)s;
    return kill(*(const pid_t *)what, 0) != 0;
}

static pid_t nursery_of(const char *build)
{
    char command[300], line[64] = { 0 };

    snprintf(command, sizeof command, "pgrep -f 'bide nursery .*%s/builds/%s'", stage.data,
             build);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    if (fgets(line, sizeof line, pipe) == NULL)
        line[0] = '\0';
    pclose(pipe);
    return (pid_t)atoi(line);
}

Test(failures, a_dead_nursery_costs_no_attempt)
{
    int64_t run = stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":700}");
    stage_until_status(&stage, run, RUN_RUNNING);
    pid_t nursery = nursery_of(stage_plugin(&stage, "steady.so", "build"));
    cr_assert_gt(nursery, 0);

    kill(nursery, SIGKILL);
    stage_until(&stage, is_gone, &nursery);

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED);
    cr_assert_eq(stage_run(&stage, run)->attempt, 1);
    cr_assert_str_eq(stage_plugin(&stage, "steady.so", "status"), "loaded");
}

static void nursery_kill_at_work(int64_t run)
{
    stage_until_status(&stage, run, RUN_RUNNING);
    stage_until_plugin(&stage, "hostile.so", "loaded");
    stage_rest(&stage, 300); /* its slot has begun, so that it counts as work under way */
    pid_t nursery = nursery_of(stage_plugin(&stage, "hostile.so", "build"));
    cr_assert_gt(nursery, 0);
    kill(nursery, SIGKILL);
    stage_until(&stage, is_gone, &nursery);
}

/* Whoever is out each time is charged with it; the build stays in use. */
Test(failures, a_nursery_that_dies_again_and_again_costs_the_run_that_is_out)
{
    int64_t others = stage_trigger(&stage, "loop", "{\"count\":50}");
    int64_t run = stage_trigger(&stage, "sleep", "{\"ms\":20000}");

    for (int i = 0; i < 6; i++)
        nursery_kill_at_work(run);

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_CRASHED);
    cr_assert_eq(stage_run(&stage, run)->attempt, 3, "one free, one charged, three times");
    cr_assert_neq(strstr(stage_error(&stage, run, "message"), "SIGKILL"), NULL, "%s",
                  stage_error(&stage, run, "message"));
    stage_until_plugin(&stage, "hostile.so", "loaded");
    cr_assert_str_eq(stage_output(&stage, "exit-3", "{\"times\":0}"), "{\"attempt\":1}");
    cr_assert_eq(stage_outcome(&stage, others), OUTCOME_COMPLETED);
}

static void assert_completed_at_once(int64_t run)
{
    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED, "%s",
                 stage_error(&stage, run, "message"));
    cr_assert_eq(stage_run(&stage, run)->attempt, 1, "an innocent run lost an attempt");
}

/* Whoever ran beside it, and whoever came meanwhile, is charged with nothing and waits for the
 * turns of the suspects at most. */
Test(failures, a_run_that_ends_its_nursery_is_found_among_others)
{
    enum { BESIDE = 3 }; /* and itself: as many as there are slots */
    int64_t beside[BESIDE], behind[BESIDE];

    stage_put(&stage, "poison.so", "poison.so");
    stage_until_plugin(&stage, "poison.so", "loaded");
    for (int i = 0; i < BESIDE; i++)
        beside[i] = stage_trigger(&stage, "good", "{\"ms\":600}");
    for (int i = 0; i < BESIDE; i++)
        stage_until_status(&stage, beside[i], RUN_RUNNING);
    int64_t run = stage_trigger(&stage, "poison", "{\"ms\":200}");
    stage_until_status(&stage, run, RUN_RUNNING);
    for (int i = 0; i < BESIDE; i++)
        behind[i] = stage_trigger(&stage, "good", "{\"ms\":1}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_CRASHED);
    cr_assert_eq(stage_run(&stage, run)->attempt, 3);
    cr_assert_str_eq(stage_error(&stage, run, "name"), "NURSERY_DIED");
    for (int i = 0; i < BESIDE; i++) {
        assert_completed_at_once(beside[i]);
        assert_completed_at_once(behind[i]);
    }
    assert_completed_at_once(stage_trigger(&stage, "good", "{\"ms\":1}"));
}

/* Two of the kind, and a stream of others: each costs itself. */
Test(failures, two_runs_that_end_their_nursery_are_both_found)
{
    enum { GOOD = 40 };
    int64_t good[GOOD], bad[2];

    stage_put(&stage, "poison.so", "poison.so");
    stage_until_plugin(&stage, "poison.so", "loaded");
    for (int i = 0; i < GOOD; i++) {
        good[i] = stage_trigger(&stage, "good", "{\"ms\":20}");
        if (i == 10 || i == 20)
            bad[i / 20] = stage_trigger(&stage, "poison", "{\"ms\":0}");
    }

    for (int i = 0; i < GOOD; i++)
        assert_completed_at_once(good[i]);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(stage_outcome(&stage, bad[i]), OUTCOME_CRASHED);
    stage_until_plugin(&stage, "poison.so", "loaded");
}

/* The one that sends the signal is what ends, beside others of the same build. */
static void assert_only_it_ends(const char *task, const char *function)
{
    int64_t beside = stage_trigger(&stage, "sleep", "{\"ms\":1500}");
    stage_until_status(&stage, beside, RUN_RUNNING);

    int64_t run = crash_of(task, "SIGSYS", "a signal to a process of the server");

    cr_assert_neq(strstr(stage_error(&stage, run, "stack"), function), NULL, "%s",
                  stage_error(&stage, run, "stack"));
    cr_assert_eq(stage_outcome(&stage, beside), OUTCOME_COMPLETED);
    cr_assert_eq(stage_run(&stage, beside)->attempt, 1);
    cr_assert_str_eq(stage_plugin(&stage, "hostile.so", "status"), "loaded");
}

Test(failures, a_segment_that_kills_its_parent)
{
    assert_only_it_ends("kill-parent", "kill_nursery at hostile.c");
}

Test(failures, a_segment_that_stops_its_parent)
{
    assert_only_it_ends("stop-parent", "stop_nursery at hostile.c");
}

/* Everything that reaches the processes above it, and what would leave it: by what it is told,
 * or by its end. */
Test(failures, a_segment_reaches_no_process_above_it)
{
    const struct {
        const char *call;
        int error; /* 0: it ends by SIGSYS */
    } calls[] = { { "tkill", 0 },     { "tgkill", 0 },     { "setown", 0 },
                  { "prlimit", 0 },   { "ptrace", 0 },     { "setown_ex", EPERM },
                  { "clone", EPERM }, { "clone3", ENOSYS } };
    char text[80];

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        snprintf(text, sizeof text, "{\"call\":\"%s\"}", calls[i].call);
        int64_t run = stage_trigger(&stage, "call", text);
        cr_assert_eq(stage_outcome(&stage, run),
                     calls[i].error == 0 ? OUTCOME_CRASHED : OUTCOME_COMPLETED, "%s",
                     calls[i].call);
        snprintf(text, sizeof text, "{\"errno\":%d}", calls[i].error);
        if (calls[i].error == 0)
            cr_assert_str_eq(stage_error(&stage, run, "name"), "SIGSYS", "%s", calls[i].call);
        else
            cr_assert_str_eq(stage_json(&stage, stage_run(&stage, run)->output), text, "%s",
                             calls[i].call);
    }
    cr_assert_str_eq(stage_output(&stage, "exit-3", "{\"times\":0}"), "{\"attempt\":1}");
}

/* It neither answers nor takes anything for a while: that is back-pressure, not an end. */
Test(failures, a_nursery_that_is_stopped_for_a_while_goes_on)
{
    char children[100];
    int nursery = 0;
    pid_t guard = nursery_of(stage_plugin(&stage, "steady.so", "build"));
    snprintf(children, sizeof children, "/proc/%d/task/%d/children", (int)guard, (int)guard);
    FILE *file = fopen(children, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%d", &nursery), 1);
    fclose(file);

    kill(nursery, SIGSTOP);
    for (int i = 0; i < 20; i++)
        stage_trigger(&stage, "echo", "{}");
    stage_rest(&stage, 1000);
    kill(nursery, SIGCONT);
    stage_until(&stage, all_done, NULL);

    for (uint32_t i = 0; i < stage.run_count; i++)
        cr_assert_eq(stage_run(&stage, stage.runs[i].id)->attempt, 1);
    cr_assert_eq(kill(nursery, 0), 0, "the same one");
}

/* ... but not for ever. */
Test(failures, a_nursery_that_hangs_is_replaced)
{
    char command[200];
    pid_t guard = nursery_of(stage_plugin(&stage, "steady.so", "build"));

    stage.config.load_time_ms = 800;
    snprintf(command, sizeof command, "kill -STOP $(cat /proc/%d/task/%d/children)", (int)guard,
             (int)guard);
    cr_assert_eq(system(command), 0);

    cr_assert_str_eq(stage_output(&stage, "echo", "7"), "7");
}

Test(failures, a_huge_output_fails_the_run)
{
    int64_t run = stage_trigger(&stage, "huge-output", "{\"mib\":2}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_FAILED);
    cr_assert_str_eq(stage_error(&stage, run, "name"), "output_too_large");
    cr_assert_eq(stage_run(&stage, run)->attempt, 1);
}
