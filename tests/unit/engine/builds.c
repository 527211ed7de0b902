/* Which build a run goes on with, when several of its task are kept. */
#include "engine/builds/builds.h"

#include "bench.h"
#include "engine/rows/build_row.h"

TestSuite(builds, .init = bench_open, .fini = bench_close);

#define OLD   SLICE("00000000000000aa")
#define NEW   SLICE("00000000000000bb")
#define NEWER SLICE("00000000000000cc")

static void of(struct catalog_task *task, struct slice build, const char *version)
{
    task->build = build;
    task->version = slice_of(version);
}

/* "t" and "u" have a build more, the one before stays for its runs. */
static void deploy(struct slice build, const char *version)
{
    uint32_t count = bench.task_count;

    for (uint32_t i = 0; i < count; i++) {
        struct catalog_task current = bench.tasks[i];
        if (current.is_kept)
            continue;
        struct catalog_task *old = bench_task("");
        *old = current;
        old->is_kept = true;
        of(&bench.tasks[i], build, version);
        bench.tasks[i].rank_ms = current.rank_ms + 1;
    }
    bench_catalog();
}

static void begin(void)
{
    for (uint32_t i = 0; i < bench.task_count; i++) {
        of(&bench.tasks[i], OLD, "1.0.0");
        bench.tasks[i].rank_ms = 1;
    }
    bench_catalog();
}

static void assert_build(int64_t run, struct slice build)
{
    cr_assert(slice_equal(run_of(run)->build, build), "%.*s is not %.*s",
              SLICE_ARG(run_of(run)->build), SLICE_ARG(build));
}

static bool starts_in(const char *task, struct slice build)
{
    int64_t run = start(task);
    bool is_in_it = slice_equal(run_of(run)->build, build);

    end_done(run);
    return is_in_it;
}

static int64_t waits(const char *task)
{
    int64_t run = start(task);

    wait_time(run, bench.now_ms + MINUTES(1));
    return run;
}

static void wake(void)
{
    sleep_until(bench.now_ms + MINUTES(1));
    cr_assert(commit());
}

Test(builds, a_run_goes_on_in_the_build_that_it_started_in)
{
    begin();
    int64_t run = waits("t");
    deploy(NEW, "2.0.0");
    int64_t other = start("t");
    wake();
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    assert_build(run, OLD);
    assert_build(other, NEW);
    end_fail(run, true);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    assert_build(run, OLD);
    cr_assert(slice_is(run_of(run)->version, "1.0.0"));
}

Test(builds, where_its_task_follows_it_goes_on_in_the_current_one)
{
    begin();
    int64_t run = waits("t");
    bench.tasks[0].follows = true;
    deploy(NEW, "2.0.0");
    wake();
    assert_build(run, NEW);
}

Test(builds, without_a_current_build_nothing_starts_and_what_has_started_goes_on)
{
    begin();
    int64_t run = waits("t");
    for (uint32_t i = 0; i < bench.task_count; i++)
        bench.tasks[i].is_kept = true;
    bench_catalog();
    int64_t other = trigger("t");
    cr_assert_eq(run_of(other)->status, RUN_PARKED);
    wake();
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    assert_build(run, OLD);
}

Test(builds, one_whose_build_cannot_be_loaded_waits_for_it)
{
    begin();
    int64_t run = waits("t");
    deploy(NEW, "2.0.0");
    bench.tasks[2].available = false;
    bench.tasks[2].reason = SLICE("it crashes");
    bench_catalog();
    wake();
    cr_assert_eq(run_of(run)->status, RUN_PARKED);
    cr_assert_str_eq(last_move(run), "it crashes");
    bench.tasks[2].available = true;
    bench_catalog();
    cr_assert(commit());
    assert_build(run, OLD);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(builds, one_whose_build_is_gone_goes_on_in_the_current_one)
{
    begin();
    int64_t run = waits("t");
    deploy(NEW, "2.0.0");
    bench.task_count = 2;
    bench_catalog();
    wake();
    assert_build(run, NEW);
}

Test(builds, a_build_takes_over_the_runs_of_another)
{
    begin();
    int64_t run = waits("t");
    deploy(NEW, "2.0.0");
    bench.tasks[2].heir = NEW;
    deploy(NEWER, "3.0.0");
    wake();
    assert_build(run, NEW);
    wait_time(run, bench.now_ms + MINUTES(1));
    wake();
    assert_build(run, NEW);
}

Test(builds, a_child_stays_in_its_parents_build)
{
    begin();
    int64_t parent = start("t");
    deploy(NEW, "2.0.0");
    int64_t child = make_child(parent, 1, "u");
    cr_assert(commit());
    assert_build(child, OLD);
    int64_t own = start("t");
    int64_t outside = make_child(own, 1, "u");
    cr_assert(commit());
    assert_build(outside, NEW);
}

Test(builds, a_trigger_names_a_version)
{
    begin();
    deploy(NEW, "2.0.0");
    struct command *command = add_trigger("t");
    command->trigger.version = SLICE("1.0.0");
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    assert_build(command->trigger.run_id, OLD);
    cr_assert_eq(run_of(command->trigger.run_id)->status, RUN_RUNNING);

    command = add_trigger("t");
    command->trigger.version = SLICE("3.0.0");
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_RULE);
}

Test(builds, a_part_of_what_starts_takes_a_build_that_is_coming)
{
    uint32_t taken = 0, later = 0;

    begin();
    deploy(NEW, "2.0.0");
    bench.tasks[0].ramp_percent = 20;
    bench.tasks[0].ramp_from_ms = bench.now_ms;
    bench.tasks[0].ramp_ms = MINUTES(10);
    bench_catalog();
    for (int i = 0; i < 400; i++)
        taken += starts_in("t", NEW);
    cr_assert(taken > 45 && taken < 120, "%u of 400", taken);
    sleep_until(bench.now_ms + MINUTES(5));
    for (int i = 0; i < 400; i++)
        later += starts_in("t", NEW);
    cr_assert(later > 190 && later < 290, "%u of 400", later);
    sleep_until(bench.now_ms + MINUTES(5));
    for (int i = 0; i < 50; i++)
        cr_assert(starts_in("t", NEW));
}

Test(builds, what_is_kept_of_them_is_written_and_removed)
{
    struct build_row rows[] = {
        { .id = 7, .sha = SLICE("aa"), .file = SLICE("t.so"), .rank_ms = 3, .in_file = true },
        { .id = 8, .row = { .is_deleted = true } }
    };
    struct command *command = add(COMMAND_BUILDS_PUT);
    command->builds_put = (struct builds_put){ rows, 2 };
    cr_assert(commit());
    const struct build_row *found =
        (const struct build_row *)store_memory_get(bench.store, ROW_BUILD, 7);
    cr_assert_not_null(found);
    cr_assert(slice_is(found->file, "t.so") && found->in_file && found->rank_ms == 3);

    rows[0].row.is_deleted = true;
    command = add(COMMAND_BUILDS_PUT);
    command->builds_put = (struct builds_put){ rows, 1 };
    cr_assert(commit());
    cr_assert_null(store_memory_get(bench.store, ROW_BUILD, 7));
}
