/* Plugins that misbehave while they run: recorded, retried, and nobody else's business. */
#include "server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
    server_add_plugin(&s, "crash");
    server_add_plugin(&s, "hostile");
    server_add_plugin(&s, "steady");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(crashes, .init = set_up, .fini = tear_down, .timeout = 180);

#define ONE_ATTEMPT "{\"maxAttempts\": 1}"

static void assert_hello_works(void)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "hello", "{\"a\": 1}", NULL));
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_eq(reply_number(run, "attemptCount"), 1, "%s", run->text);
}

static void assert_says(const struct reply *run, const char *path, const char *words)
{
    cr_assert_neq(strstr(reply_text(run, path), words), NULL, "no \"%s\" in %s: %s", words,
                  path, run->text);
}

/* ---- how a process dies -------------------------------------------------------------------
 */

static const struct reply *crash(const char *task, const char *signal, const char *segment)
{
    const struct reply *run = run_end(&s, run_trigger(&s, task, "{}", ONE_ATTEMPT));
    cr_assert_str_eq(reply_text(run, "status"), "CRASHED", "%s", run->text);
    cr_assert_neq(strstr(run->text, signal), NULL, "no %s: %s", signal, run->text);
    assert_says(run, "error.message", segment);
    assert_says(run, "error.message", "1.0.0");
    return run;
}

Test(crashes, a_segmentation_fault_names_signal_segment_version_and_line)
{
    const struct reply *run = crash("segfault", "SIGSEGV", "read_null");
    assert_says(run, "error.stackTrace", "read_null");
    assert_says(run, "error.stackTrace", "crash.c:");
    assert_hello_works();
}

Test(crashes, the_segment_behind_a_wait_is_named)
{
    const struct reply *run = crash("crash-later", "SIGSEGV", "then_crash");
    assert_says(run, "error.stackTrace", "crash.c:");
}

Test(crashes, an_abort)
{
    assert_says(crash("abort", "SIGABRT", "call_abort"), "error.stackTrace", "call_abort");
}

Test(crashes, a_floating_point_exception)
{
    crash("divide", "SIGFPE", "divide_by_zero");
}

/* The handler has a stack of its own. */
Test(crashes, a_stack_that_overflows)
{
    crash("stack-overflow", "SIGSEGV", "overflow_stack");
}

/* The address sanitizer sees it first, and ends the process in its own way. */
Test(crashes, memory_freed_twice)
{
    crash("double-free", strstr(SANITIZE, "address") != NULL ? "exited with" : "SIGABRT",
          "free_twice");
}

Test(crashes, a_crash_is_tried_again)
{
    const struct reply *run =
        run_end(&s, run_trigger(&s, "segfault", "{\"times\": 1}", "{\"maxAttempts\": 3}"));
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_eq(reply_number(run, "output.attempt"), 2, "%s", run->text);
    cr_assert_eq(reply_number(run, "attemptCount"), 2, "%s", run->text);
}

/* Segments are short and share a slot's socket; those behind the crashed one were never begun.
 */
Test(crashes, others_beside_a_crash_notice_nothing)
{
    enum { COUNT = 60 };
    char bad[COUNT][40], good[COUNT][40];
    for (int i = 0; i < COUNT; i++) {
        snprintf(bad[i], sizeof bad[i], "%s",
                 run_trigger(&s, i % 2 == 0 ? "segfault" : "abort", "{}", ONE_ATTEMPT));
        snprintf(good[i], sizeof good[i], "%s",
                 run_trigger(&s, i % 2 == 0 ? "hello" : "echo", "{\"a\": 1}", NULL));
    }
    for (int i = 0; i < COUNT; i++) {
        const struct reply *run = run_end(&s, good[i]);
        cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
        cr_assert_eq(reply_number(run, "attemptCount"), 1, "%s", run->text);
        cr_assert_str_eq(reply_text(run_end(&s, bad[i]), "status"), "CRASHED");
    }
}

/* ---- other ways to be no good -------------------------------------------------------------
 */

Test(crashes, an_exit)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "exit-3", "{}", ONE_ATTEMPT));
    cr_assert_str_eq(reply_text(run, "status"), "CRASHED", "%s", run->text);
    assert_says(run, "error.message", "exited with code 3");
    assert_hello_works();
}

Test(crashes, a_segment_that_spins_past_its_limit)
{
    const char *run = run_trigger(&s, "spin", "{}", ONE_ATTEMPT);
    assert_hello_works();
    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "TIMED_OUT", "%s", ended->text);
    assert_says(ended, "error.message", "spin_on");
    assert_hello_works();
}

Test(crashes, a_socket_that_is_closed)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "close-all", "{}", ONE_ATTEMPT));
    cr_assert_str_eq(reply_text(run, "status"), "CRASHED", "%s", run->text);
    assert_says(run, "error.message", "close_descriptors");
    assert_hello_works();
}

Test(crashes, garbage_in_the_socket)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "garbage", "{}", ONE_ATTEMPT));
    cr_assert_str_eq(reply_text(run, "status"), "CRASHED", "%s", run->text);
    assert_says(run, "error.message", "write_garbage");
    assert_hello_works();
}

Test(crashes, a_child_ends_with_its_segment)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "fork-child", "{}", ONE_ATTEMPT));
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_neq(kill((pid_t)reply_number(run, "output.child"), 0), 0, "it lives on");
    assert_hello_works();
}

Test(crashes, more_than_the_limits_allow)
{
    static const char *const tasks[] = { "huge-state", "huge-output", "huge-metadata" };
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        const struct reply *run =
            run_end(&s, run_trigger(&s, tasks[i], "{\"mib\": 48}", ONE_ATTEMPT));
        cr_assert(json_is_true(reply_at(run, "isFailed")), "%s: %s", tasks[i], run->text);
        cr_assert_gt(strlen(reply_text(run, "error.message")), 10, "%s", run->text);
        assert_hello_works();
    }
}

Test(crashes, an_end_that_is_none)
{
    static const char *const tasks[] = { "returns-nothing", "not-listed" };
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        const struct reply *run = run_end(&s, run_trigger(&s, tasks[i], "{}", ONE_ATTEMPT));
        cr_assert_str_eq(reply_text(run, "status"), "FAILED", "%s: %s", tasks[i], run->text);
    }
}

/* ---- the nursery --------------------------------------------------------------------------
 */

/* The nursery that holds this plugin: the server's child whose command line says so and which
 * has the file of this build open as code. */
static pid_t nursery_of(const char *build)
{
    pid_t pids[128];
    size_t count = server_children(&s, pids, 128);
    for (size_t i = 0; i < count && i < 128; i++) {
        int status;
        const char *line =
            command_run(&status,
                        "ppid=$(cut -d' ' -f4 /proc/%d/stat); [ \"$ppid\" = %d ] &&"
                        " tr '\\0' ' ' < /proc/%d/cmdline",
                        (int)pids[i], (int)s.pid, (int)pids[i]);
        if (strstr(line, " nursery ") != NULL && strstr(line, build) != NULL)
            return pids[i];
    }
    give_up("no nursery of build %s", build);
}

static const char *build_of(const char *file)
{
    const struct reply *list = server_call(&s, "GET", "/api/v1/plugins", NULL);
    json_t *row;
    size_t i;
    json_array_foreach(reply_at(list, "data"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "file")), file) == 0)
            return json_string_value(json_object_get(row, "build"));
    }
    give_up("%s is not listed: %s", file, list->text);
}

Test(crashes, a_nurserys_death_costs_no_attempt)
{
    const char *run = run_trigger(&s, "sleep", "{\"ms\": 1500}", "{\"maxAttempts\": 1}");
    run_until(&s, run, "EXECUTING");

    kill(nursery_of(build_of("hostile.so")), SIGKILL);

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    cr_assert_eq(reply_number(ended, "attemptCount"), 1, "%s", ended->text);
    cr_assert_eq(reply_number(ended, "output.attempt"), 1, "%s", ended->text);
    assert_hello_works();
}

/* What it does costs it, and nobody else: not those beside it, not the build. */
Test(crashes, a_plugin_that_kills_its_nursery_is_charged_with_it)
{
    char beside[40];
    snprintf(beside, sizeof beside, "%s",
             run_trigger(&s, "sleep", "{\"ms\": 1500}", ONE_ATTEMPT));
    run_until(&s, beside, "EXECUTING");

    for (int i = 0; i < 4; i++) {
        const struct reply *run = crash("kill-parent", "SIGSYS", "kill_nursery");
        assert_says(run, "error.message", "its parent");
    }

    const struct reply *run = run_end(&s, beside);
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    run = run_end(&s, run_trigger(&s, "exit-3", "{\"times\": 0}", ONE_ATTEMPT));
    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
}

/* In a way that nothing stands before: those beside it run once more, and are charged with
 * nothing. */
Test(crashes, a_plugin_whose_helper_kills_its_nursery_is_charged_with_it)
{
    enum { BESIDE = 3 };
    char beside[BESIDE][40];
    server_add_plugin(&s, "poison");
    server_logs(&s, "file=poison.so");
    for (int i = 0; i < BESIDE; i++)
        snprintf(beside[i], sizeof beside[i], "%s",
                 run_trigger(&s, "good", "{\"ms\": 800}", ONE_ATTEMPT));
    for (int i = 0; i < BESIDE; i++)
        run_until(&s, beside[i], "EXECUTING");

    const struct reply *run =
        run_end(&s, run_trigger(&s, "poison", "{\"ms\": 100}", ONE_ATTEMPT));
    cr_assert_str_eq(reply_text(run, "status"), "CRASHED", "%s", run->text);
    assert_says(run, "error.message", "when it was out alone");
    for (int i = 0; i < BESIDE; i++) {
        run = run_end(&s, beside[i]);
        cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    }
}

/* ---- what segments have started -----------------------------------------------------------
 */

enum { LEFT = 10 };

/* A segment under way that has started daemons; their ids. */
static void leave_behind(int *left)
{
    const char *path = server_path(&s, "left");
    run_trigger(
        &s, "leave-behind",
        text("{\"path\": \"%s\", \"count\": %d, \"daemons\": 1, \"ms\": 60000}", path, LEFT),
        NULL);
    for (long long end = now_ms() + 20000; now_ms() < end; pause_ms(10)) {
        FILE *file = fopen(path, "r");
        int count = 0;
        while (file != NULL && count < LEFT && fscanf(file, "%d", &left[count]) == 1)
            count++;
        if (file != NULL)
            fclose(file);
        if (count == LEFT)
            return;
    }
    give_up("the segment has not started its daemons");
}

static void assert_they_end(const int *left)
{
    for (long long end = now_ms() + 5000; now_ms() < end; pause_ms(10)) {
        int alive = 0;
        for (int i = 0; i < LEFT; i++)
            alive += kill(left[i], 0) == 0;
        if (alive == 0)
            return;
    }
    give_up("processes of a segment live on");
}

Test(crashes, daemons_of_a_segment_end_with_a_server_that_is_killed)
{
    int left[LEFT];
    leave_behind(left);
    server_kill(&s);
    assert_they_end(left);
    server_start(&s);
}

Test(crashes, daemons_of_a_segment_end_with_a_server_that_stops)
{
    int left[LEFT];
    leave_behind(left);
    cr_assert_eq(server_stop(&s), 0);
    assert_they_end(left);
    server_start(&s);
}

Test(crashes, slots_of_different_plugins_look_different)
{
    int status;
    run_until(&s, run_trigger(&s, "sleep", "{\"ms\": 3000}", NULL), "EXECUTING");
    assert_hello_works();
    const char *list = command_run(&status, "ps -eo comm,args");
    cr_assert_neq(strstr(list, "slot of hostile 1.0.0"), NULL, "%s", list);
    cr_assert_neq(strstr(list, "slot:hello"), NULL, "%s", list);
}

/* ---- the server itself --------------------------------------------------------------------
 */

Test(crashes, a_restart_costs_no_attempt)
{
    const char *run = run_trigger(&s, "sleep", "{\"ms\": 700}", "{\"maxAttempts\": 1}");
    run_until(&s, run, "EXECUTING");
    server_kill(&s);
    server_start(&s);

    const struct reply *ended = run_end(&s, run);
    cr_assert_str_eq(reply_text(ended, "status"), "COMPLETED", "%s", ended->text);
    cr_assert_eq(reply_number(ended, "attemptCount"), 1, "%s", ended->text);
}

/* A record made before a crash is found after it: the effect is not repeated. */
Test(crashes, what_was_done_once_is_not_done_again)
{
    const char *path = server_path(&s, "effects");
    const struct reply *run = run_end(
        &s,
        run_trigger(&s, "once",
                    text("{\"path\": \"%s\", \"times\": 2, \"how\": \"crash\"}", path), NULL));

    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_eq(reply_number(run, "output.acted_in_attempt"), 1, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.attempt"), 3, "%s", run->text);
    cr_assert_str_eq(file_read(path), "acted\n");
}
