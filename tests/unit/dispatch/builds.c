/* What happens when files come, change and go. */
#include "stage.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

TestSuite(builds, .init = setup, .fini = teardown);

static bool offers(struct stage *s, const void *what)
{
    const struct catalog_task *task = catalog_task(s->catalog, slice_of(what));

    return task != NULL && task->available;
}

static bool catalogs_lack(struct stage *s, const void *what)
{
    return !offers(s, what);
}

Test(builds, a_copied_file_is_a_deploy)
{
    cr_assert_null(catalog_task(stage.catalog, SLICE("segfault")));

    stage_put(&stage, "crash.so", "crash.so");

    stage_until(&stage, offers, "segfault");
    cr_assert_str_eq(stage_output(&stage, "segfault", "{\"times\":0}"), "{\"attempt\":1}");
}

Test(builds, a_removed_file_is_not_offered_any_more)
{
    stage_remove(&stage, "steady.so");

    stage_until(&stage, catalogs_lack, "echo");
    stage_until_plugin(&stage, "steady.so", ""); /* no run needs it */
}

Test(builds, what_waits_goes_on_without_its_file_and_what_is_new_waits_for_another)
{
    int64_t run = stage_trigger(&stage, "pause", "{\"ms\":1500}"), other;
    stage_until_status(&stage, run, RUN_WAITING);
    stage_remove(&stage, "steady.so");
    stage_until(&stage, catalogs_lack, "echo");
    other = stage_trigger(&stage, "pause", "{\"ms\":1}");
    stage_until_status(&stage, other, RUN_PARKED);
    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED);

    stage_put(&stage, "steady.so", "again.so");

    cr_assert_eq(stage_outcome(&stage, other), OUTCOME_COMPLETED);
}

/* Written piece by piece, with pauses that are longer than the debounce. */
Test(builds, a_file_that_comes_slowly_is_not_refused)
{
    char path[400], bytes[1024];
    snprintf(path, sizeof path, "%s/slow.so", stage.plugins);
    FILE *from = fopen(BINARY_DIR "/tests/plugins/crash.so", "r");
    cr_assert_not_null(from);
    FILE *to = fopen(path, "w");
    cr_assert_not_null(to);

    for (size_t got, i = 0; (got = fread(bytes, 1, sizeof bytes, from)) > 0; i++) {
        cr_assert_eq(fwrite(bytes, 1, got, to), got);
        cr_assert_eq(fflush(to), 0);
        if (i % 8 == 0)
            stage_rest(&stage, 130);
        cr_assert_str_neq(stage_plugin(&stage, "slow.so", "status"), "refused");
    }
    fclose(from);
    fclose(to);

    stage_until(&stage, offers, "segfault");
    cr_assert_str_eq(stage_plugin(&stage, "slow.so", "status"), "loaded");
}

Test(builds, a_file_that_stays_half_is_refused)
{
    char command[600];
    snprintf(command, sizeof command, "head -c 9000 '%s/tests/plugins/crash.so' > '%s/half.so'",
             BINARY_DIR, stage.plugins);
    cr_assert_eq(system(command), 0);

    stage_until_plugin(&stage, "half.so", "refused");

    cr_assert_neq(strstr(stage_plugin(&stage, "half.so", "reason"), "cut short"), NULL, "%s",
                  stage_plugin(&stage, "half.so", "reason"));
    stage_put(&stage, "crash.so", "half.so");
    stage_until_plugin(&stage, "half.so", "loaded");
}

static void assert_refused(const char *plugin, const char *why)
{
    char from[200];

    snprintf(from, sizeof from, "refused/%s", plugin);
    stage_put(&stage, from, plugin);
    stage_until_plugin(&stage, plugin, "refused");
    cr_assert_neq(strstr(stage_plugin(&stage, plugin, "reason"), why), NULL, "%s: \"%s\"",
                  plugin, stage_plugin(&stage, plugin, "reason"));
    cr_assert_str_eq(stage_output(&stage, "echo", "1"), "1");
}

Test(builds, bad_plugins_are_refused_with_the_reason)
{
    assert_refused("text.so", "not a shared object");
    assert_refused("no-symbol.so", "bide_plugin_describe");
    assert_refused("abi-major.so", "rebuild");
    assert_refused("constructor-crash.so", "SIGSEGV");
    assert_refused("constructor-exit.so", "exited with code");
    assert_refused("duplicate-segments.so", "segment");
    assert_refused("many-attempts.so", "100 are allowed (limits.max_attempts)");
    assert_refused("many-upstream.so", "retry_upstream.max_attempts is 1000, 100 are allowed");
}

/* Nobody touches the file: what stood in the way is gone. */
Test(builds, one_that_was_set_aside_is_tried_again)
{
    char ill[100];

    snprintf(ill, sizeof ill, "%s/ill", stage.root);
    stage_write(ill, "");
    setenv("POISON_ILL", ill, 1);
    stage_put(&stage, "poison.so", "poison.so");
    stage_until_plugin(&stage, "poison.so", "refused");
    cr_assert_eq(unlink(ill), 0);

    stage_until_plugin(&stage, "poison.so", "loaded");
    stage_output(&stage, "good", "{\"ms\":1}");
}

Test(builds, a_constructor_that_hangs_is_refused_in_time)
{
    stage.config.load_time_ms = 500;

    assert_refused("constructor-hang.so", "did not finish within 500 ms");
}

Test(builds, a_newer_build_takes_over_and_the_old_one_finishes)
{
    stage_put(&stage, "version-1.so", "versions.so");
    stage_until_plugin(&stage, "versions.so", "loaded");
    const char *first = stage_plugin(&stage, "versions.so", "build");
    int64_t busy = stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":1500}");
    stage_until_status(&stage, busy, RUN_RUNNING);

    stage_put(&stage, "version-2.so", "versions.so");
    stage_put(&stage, "crash.so", "steady.so");
    stage_until(&stage, offers, "segfault");

    cr_assert_str_neq(stage_plugin(&stage, "versions.so", "build"), first);
    cr_assert_eq(stage_outcome(&stage, busy), OUTCOME_COMPLETED);
    cr_assert_eq(stage_run(&stage, busy)->attempt, 1);
}

static bool has_slots(struct stage *s, const void *what)
{
    return stage_stats(s).slots == *(const uint32_t *)what;
}

/* Its file's content is kept, its processes are not. */
Test(builds, an_old_build_rests_when_it_is_through)
{
    cr_assert_eq(stage_stats(&stage).builds, 1);
    cr_assert_str_eq(stage_output(&stage, "echo", "1"), "1");

    stage_put(&stage, "crash.so", "steady.so");
    stage_until(&stage, offers, "segfault");

    stage_until(&stage, has_slots, &(uint32_t){ 0 });
}

Test(builds, a_broken_newer_file_leaves_the_old_build_at_work)
{
    stage_put(&stage, "refused/no-symbol.so", "steady.so");

    stage_until_plugin(&stage, "steady.so", "refused");

    cr_assert_str_eq(stage_output(&stage, "echo", "2"), "2");
}

Test(builds, the_second_file_with_a_task_is_refused)
{
    stage_put(&stage, "version-1.so", "b-first.so");
    stage_until_plugin(&stage, "b-first.so", "loaded");

    stage_put(&stage, "version-2.so", "a-second.so");

    stage_until_plugin(&stage, "a-second.so", "refused");
    cr_assert_neq(strstr(stage_plugin(&stage, "a-second.so", "reason"), "b-first.so"), NULL,
                  "%s", stage_plugin(&stage, "a-second.so", "reason"));
    cr_assert_str_eq(stage_plugin(&stage, "b-first.so", "status"), "loaded");
    stage_remove(&stage, "b-first.so");
    stage_until_plugin(&stage, "a-second.so", "loaded");
}

Test(builds, a_fifo_or_directory_with_that_name_does_no_harm)
{
    char path[400];
    snprintf(path, sizeof path, "%s/fifo.so", stage.plugins);
    cr_assert_eq(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/directory.so", stage.plugins);
    cr_assert_eq(mkdir(path, 0700), 0);

    stage_until_plugin(&stage, "fifo.so", "refused");
    stage_until_plugin(&stage, "directory.so", "refused");

    cr_assert_str_eq(stage_output(&stage, "echo", "3"), "3");
}

/* ---- schemas and queues ----------------------------------------------------------------- */

static void schema_write(const char *name, const char *text)
{
    char path[400];

    snprintf(path, sizeof path, "%s/%s.yaml", stage.schemas, name);
    stage_write(path, text);
}

static bool has_schema(struct stage *s, const void *what)
{
    const struct catalog_task *task = catalog_task(s->catalog, slice_of(what));

    return task != NULL && task->available && task->schema != NULL;
}

Test(builds, a_schema_is_used_when_it_comes)
{
    schema_write("echo", "input:\n  type: object\n  required: [a]\n");
    stage_until(&stage, has_schema, "echo");

    cr_assert_eq(stage_refused(&stage, "echo", "{}"), ERR_BAD_INPUT);
    cr_assert_str_eq(stage_output(&stage, "echo", "{\"a\":1}"), "{\"a\":1}");
}

Test(builds, a_wrong_schema_makes_its_task_unavailable)
{
    schema_write("echo", "input:\n  type: no-such-type\n");
    stage_until(&stage, catalogs_lack, "echo");

    const struct catalog_task *task = catalog_task(stage.catalog, SLICE("echo"));
    cr_assert_not_null(task);
    cr_assert_neq(strstr(arena_text(&stage.arena, task->reason), "echo.yaml"), NULL, "%.*s",
                  SLICE_ARG(task->reason));
    cr_assert(offers(&stage, "retry"), "the plugin's other tasks stay");

    schema_write("echo", "input: {}\n");
    stage_until(&stage, offers, "echo");
}

static const struct catalog_task *refused_task(struct stage *s)
{
    for (uint32_t i = 0; i < s->catalog->task_count; i++)
        if (s->catalog->tasks[i].is_refusing)
            return &s->catalog->tasks[i];
    return NULL;
}

static bool refuses(struct stage *s, const void *what)
{
    (void)what;
    return refused_task(s) != NULL;
}

/* That task alone: the plugin's others go on, whenever the file comes or goes. */
Test(builds, a_task_that_names_a_missing_schema_waits_for_it)
{
    char path[400];
    stage_put(&stage, "refused/missing-schema.so", "missing.so");
    stage_until_plugin(&stage, "missing.so", "loaded");
    stage_until(&stage, refuses, NULL);
    const struct catalog_task *task = refused_task(&stage);
    const char *name = arena_text(&stage.arena, task->id);
    const char *reason = arena_text(&stage.arena, task->reason);
    cr_assert_neq(strstr(reason, "names a missing schema"), NULL, "%s", reason);
    cr_assert(offers(&stage, "echo"));

    const char *file = strstr(reason, "there is no ") + strlen("there is no ");
    cr_assert_null(strstr(reason, stage.schemas), "%s", reason);
    snprintf(path, sizeof path, "%.*s", (int)strcspn(file, "."), file);
    schema_write(path, "input: {}\n");
    stage_until(&stage, offers, name);

    snprintf(path, sizeof path, "%s/%s", stage.schemas, file);
    cr_assert_eq(unlink(path), 0);
    stage_until(&stage, catalogs_lack, name);
    cr_assert_str_eq(stage_plugin(&stage, "missing.so", "status"), "loaded");
}

static bool has_limit(struct stage *s, const void *what)
{
    return catalog_lane_limit(s->catalog, SLICE("narrow"), false) == *(const uint32_t *)what;
}

Test(builds, queues_are_read_again)
{
    stage_write(stage.queues, "queues:\n  narrow: 7\n");
    stage_until(&stage, has_limit, &(uint32_t){ 7 });

    stage_write(stage.queues, "queues:\n  narrow: many\n");
    stage_rest(&stage, 500);
    cr_assert_eq(catalog_lane_limit(stage.catalog, SLICE("narrow"), false), 7,
                 "the old one stays");

    stage_write(stage.queues, "queues:\n  narrow: 9\n");
    stage_until(&stage, has_limit, &(uint32_t){ 9 });
}

/* ---- start and stop --------------------------------------------------------------------- */

Test(starting, waits_until_all_plugins_have_spoken)
{
    stage_start(&stage, "steady.so", "crash.so", "refused/text.so",
                "refused/constructor-crash.so", NULL);

    cr_assert_str_eq(stage_plugin(&stage, "steady.so", "status"), "loaded");
    cr_assert_str_eq(stage_plugin(&stage, "crash.so", "status"), "loaded");
    cr_assert_str_eq(stage_plugin(&stage, "text.so", "status"), "refused");
    cr_assert_str_eq(stage_plugin(&stage, "constructor-crash.so", "status"), "refused");
    cr_assert(offers(&stage, "echo") && offers(&stage, "segfault"));
    stage_finish(&stage);
}

Test(starting, without_a_plugin_directory_it_starts_and_finds_it_later)
{
    stage_make(&stage);
    cr_assert_eq(rmdir(stage.plugins), 0);
    stage_open(&stage);
    stage_until(&stage, catalogs_lack, "echo"); /* turns until there is a catalog */

    cr_assert_eq(mkdir(stage.plugins, 0700), 0);
    stage_put(&stage, "steady.so", "steady.so");

    stage_until(&stage, offers, "echo");
    stage_finish(&stage);
}

Test(starting, goes_on_with_what_was_running)
{
    stage_start(&stage, "steady.so", NULL);
    int64_t run = stage_trigger(&stage, "progress", "{\"steps\":1,\"ms\":1000}");
    stage_until_status(&stage, run, RUN_RUNNING);

    stage_close(&stage);
    stage_open(&stage);

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_COMPLETED);
    cr_assert_eq(stage_run(&stage, run)->attempt, 1);
    struct slice moves = stage_run(&stage, run)->timeline;
    cr_assert_null(memmem(moves.data, moves.size, "no plugin", 9), "it was parked meanwhile");
    cr_assert_eq(stage_run(&stage, run)->deaths.size, 0, "a stop is no death");
    stage_finish(&stage);
}

Test(starting, does_not_wait_for_a_constructor_that_hangs)
{
    stage_make(&stage);
    stage_put(&stage, "steady.so", "steady.so");
    for (int i = 0; i < 4; i++) /* as many as load at once */
        stage_put(&stage, "refused/constructor-hang.so",
                  (const char *[]){ "a.so", "b.so", "c.so", "d.so" }[i]);
    stage.config.load_time_ms = 600000;

    stage_open(&stage);

    stage_until(&stage, offers, "echo");
    cr_assert_str_eq(stage_output(&stage, "echo", "1"), "1");
    stage_finish(&stage);
}

Test(starting, private_copies_are_private)
{
    char path[400];
    struct stat status;

    stage_start(&stage, "steady.so", NULL);
    snprintf(path, sizeof path, "%s/builds", stage.data);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0700);
    stage_finish(&stage);
}

Test(builds, writable_globals_are_warned_of)
{
    stage_put(&stage, "hostile.so", "hostile.so");
    stage_until_plugin(&stage, "hostile.so", "loaded");

    cr_assert_neq(strstr(stage_plugin(&stage, "hostile.so", "warning"), ": calls_so_far"), NULL,
                  "%s", stage_plugin(&stage, "hostile.so", "warning"));
    cr_assert_str_eq(stage_plugin(&stage, "steady.so", "warning"), "");
}

/* Which files are looked into does not depend on the directory's order, and what is loaded
 * stays. */
Test(builds, one_plugin_too_many_is_refused)
{
    stage.config.limits.plugins = 2;
    stage_put(&stage, "version-1.so", "m.so");
    stage_until_plugin(&stage, "m.so", "loaded");

    stage_put(&stage, "crash.so", "a.so");
    stage_put(&stage, "hostile.so", "b.so");

    stage_until_plugin(&stage, "a.so", "refused");
    stage_until_plugin(&stage, "b.so", "refused");
    cr_assert_neq(strstr(stage_plugin(&stage, "a.so", "reason"), "limits.plugins"), NULL);
    cr_assert_str_eq(stage_plugin(&stage, "steady.so", "status"), "loaded");
    cr_assert_str_eq(stage_plugin(&stage, "m.so", "status"), "loaded");
    stage_remove(&stage, "m.so");
    stage_until_plugin(&stage, "a.so", "loaded");
    cr_assert_str_eq(stage_plugin(&stage, "b.so", "status"), "refused");
}
