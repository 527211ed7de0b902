/* bide bench: short, but every workload to its end, on a server of its own and on one that is
 * there. */
#include "server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The object on stdout alone; progress is on stderr. */
static json_t *bench(int want, const char *arguments)
{
    int status;
    const char *said =
        command_run(&status, BINARY_DIR "/bide bench --seconds 1 %s 2>/dev/null", arguments);
    json_error_t error;
    json_t *report = json_loads(said, 0, &error);

    cr_assert_eq(status, want, "bench %s: status %d: %s", arguments, status, said);
    cr_assert_not_null(report, "%s: %s", error.text, said);
    return report;
}

static json_t *workload(json_t *report, const char *name)
{
    json_t *result = json_object_get(json_object_get(report, "workloads"), name);

    cr_assert_not_null(result, "%s is missing", name);
    cr_assert_null(json_object_get(result, "error"), "%s: %s", name,
                   json_string_value(json_object_get(result, "error")));
    cr_expect_gt(json_number_value(json_object_get(result, "value")), 0, "%s", name);
    cr_expect_gt(json_number_value(json_object_get(result, "floor")), 0, "%s", name);
    return result;
}

static void expect_limits(json_t *result)
{
    json_t *limits = json_object_get(result, "limits");

    cr_expect_gt(json_number_value(json_object_get(limits, "http")), 0);
    cr_expect_gt(json_number_value(json_object_get(limits, "sqlite")), 0);
    cr_expect_gt(json_number_value(json_object_get(result, "ratio")), 0);
}

TestSuite(bench, .timeout = 300);

Test(bench, throughput_comes_beside_its_limits)
{
    json_t *report = bench(0, "--only ingest,echo,wait --connections 8");

    expect_limits(workload(report, "ingest"));
    expect_limits(workload(report, "echo"));
    json_t *wait = workload(report, "wait");
    expect_limits(wait);
    cr_expect_gt(json_number_value(json_object_get(wait, "cpu_server_us_each")), 0);
    cr_expect_gt(json_integer_value(json_object_get(wait, "timelines_checked")), 0);
    json_decref(report);
}

Test(bench, latency_and_costs)
{
    json_t *report = bench(0, "--only latency,resume,parked,restart --parked 300 --queued 30");

    json_t *latency = workload(report, "latency");
    cr_expect_gt(json_number_value(json_object_get(latency, "p99_ms")), 0);
    expect_limits(latency);
    cr_expect_gt(json_number_value(json_object_get(latency, "cpu_server_us_each")), 0);
    json_t *resume = workload(report, "resume");
    cr_expect_gt(json_number_value(json_object_get(resume, "cpu_server_us_each")), 0);
    cr_expect_eq(json_integer_value(json_object_get(workload(report, "parked"), "runs")), 300);
    workload(report, "restart");
    json_decref(report);
}

Test(bench, lanes_beside_others)
{
    json_t *report = bench(0, "--only lanes --laned 3000 --connections 8");

    json_t *lanes = workload(report, "lanes");
    cr_expect_eq(json_integer_value(json_object_get(lanes, "queued")), 3000);
    cr_expect_gt(json_number_value(json_object_get(lanes, "shut_runs_per_s")), 0);
    cr_expect_gt(json_number_value(json_object_get(lanes, "limited_runs_per_s")), 0);
    cr_expect_gt(json_number_value(json_object_get(lanes, "open_ends_per_s")), 0);
    json_decref(report);
}

Test(bench, what_is_held_is_beside_others)
{
    json_t *report = bench(0, "--only held --laned 3000 --connections 8");

    json_t *held = workload(report, "held");
    cr_expect_eq(json_integer_value(json_object_get(held, "queued")), 3000);
    cr_expect_gt(json_number_value(json_object_get(held, "held_runs_per_s")), 0);
    json_decref(report);
}

Test(bench, timers_of_one_second_are_all_seen)
{
    json_t *report = bench(0, "--only timers --parked 3000");

    json_t *timers = workload(report, "timers");
    cr_expect_eq(json_integer_value(json_object_get(timers, "runs")), 3000);
    cr_expect_gt(json_number_value(json_object_get(timers, "queued_s")), 0.9);
    cr_expect_gt(json_number_value(json_object_get(timers, "longest_work_ms")), 0);
    json_decref(report);
}

Test(bench, crowds_are_seen_to_their_end)
{
    json_t *report = bench(0, "--only crowd --parked 3000");

    json_t *crowd = workload(report, "crowd");
    cr_expect_eq(json_integer_value(json_object_get(crowd, "runs")), 3000);
    cr_expect_gt(json_number_value(json_object_get(crowd, "tree_s")), 0);
    cr_expect_gt(json_number_value(json_object_get(crowd, "token_s")), 0);
    json_decref(report);
}

Test(bench, tenants_beside_each_other)
{
    json_t *report = bench(0, "--only tenants --seconds 1");

    json_t *tenants = workload(report, "tenants");
    cr_expect_eq(json_integer_value(json_object_get(tenants, "big_runs")), 2000);
    cr_expect_gt(json_number_value(json_object_get(tenants, "batch_ms")), 0);
    json_decref(report);
}

/* Neither a server nor bench.so is needed, and both sizes come with what parsing takes. */
Test(bench, checking_by_a_schema_is_compared_with_parsing)
{
    static const char *const names[] = { "schema", "schema-20k" };
    static const int sizes[] = { 100, 20000 };
    json_t *report = bench(0, "schema --plugins /nowhere");

    for (int i = 0; i < 2; i++) {
        json_t *result = workload(report, names[i]);
        cr_expect_gt(json_number_value(json_object_get(result, "parse")), 0);
        cr_expect_gt(json_number_value(json_object_get(result, "limit")), 0);
        cr_expect_gt(json_number_value(json_object_get(result, "ratio")), 0);
        cr_expect_geq(json_integer_value(json_object_get(result, "bytes")), sizes[i]);
    }
    json_decref(report);
}

/* Nothing is left of its servers and directories. */
Test(bench, cleans_up)
{
    int status;
    const char *said =
        command_run(&status, "dir=$(mktemp -d /tmp/bide-test-XXXXXX) && " BINARY_DIR
                             "/bide bench --seconds 1 --only latency --dir $dir "
                             ">/dev/null 2>&1 && rmdir $dir");
    cr_assert_eq(status, 0, "%s", said);
}

Test(bench, measures_a_server_that_is_there)
{
    static struct server s;
    int status;
    json_error_t error;

    server_init(&s);
    command_run(&status, "cp " BINARY_DIR "/bench/bench.so '%s/plugins/'", s.dir);
    cr_assert_eq(status, 0);
    server_start(&s);

    const char *said = command_run(
        &status,
        "cd '%s' && " BINARY_DIR "/bide bench --seconds 1 --url %s --dir . --json 2>/dev/null",
        s.dir, s.url);

    cr_expect_eq(status, 0, "%s", said);
    json_t *report = json_loads(said, 0, &error);
    cr_assert_not_null(report, "%s: %s", error.text, said);
    workload(report, "ingest");
    workload(report, "echo");
    workload(report, "wait");
    workload(report, "latency");
    workload(report, "resume");
    json_decref(report);
    /* It is as usable as before: nothing stays paused or queued. */
    const struct reply *queues = server_call(&s, "GET", "/api/v1/queues", NULL);
    cr_expect_null(strstr(queues->text, "\"paused\":true"), "%s", queues->text);
    server_destroy(&s);
}

Test(bench, what_cannot_be_is_refused)
{
    int status;

    command_run(&status, BINARY_DIR "/bide bench --only nonsense");
    cr_expect_eq(status, 2);
    command_run(&status, BINARY_DIR "/bide bench nonsense");
    cr_expect_eq(status, 2);
    command_run(&status, BINARY_DIR "/bide bench schema --only schema");
    cr_expect_eq(status, 2);
    command_run(&status, BINARY_DIR "/bide bench --connections 0");
    cr_expect_eq(status, 2);
    const char *said =
        command_run(&status, "BIDE_KEY=x " BINARY_DIR
                             "/bide bench --url http://127.0.0.1:1 --only restart");
    cr_expect_eq(status, 2);
    cr_expect_not_null(strstr(said, "restart kills its server"), "%s", said);
}

/* Each workload is measured with both, in turns, and what was measured is not measured again.
 */
Test(bench, two_binaries_are_compared)
{
    int status;
    char *dir = strdup(command_run(&status, "mktemp -d /tmp/bide-test-XXXXXX | tr -d '\\n'"));
    const char *command = SOURCE_DIR "/tests/bench/compare " BINARY_DIR "/bide " BINARY_DIR
                                     "/bide --pairs 2 --seconds 1 --only latency --results %s"
                                     " 2>/dev/null";

    const char *said = command_run(&status, command, dir);
    cr_assert_eq(status, 0, "%s", said);
    cr_expect_not_null(strstr(said, "latency   ms p50"), "%s", said);
    cr_expect_null(strstr(said, "n/a"), "%s", said);
    char *first = strdup(said);
    command_run(&status, "test $(ls %s | wc -l) -eq 4", dir);
    cr_expect_eq(status, 0);
    cr_expect_str_eq(command_run(&status, command, dir), first);
    free(first);
    command_run(&status, SOURCE_DIR "/tests/bench/compare " BINARY_DIR "/bide /nowhere 2>&1");
    cr_expect_eq(status, 2);
    command_run(&status, "rm -r %s", dir);
    free(dir);
}
