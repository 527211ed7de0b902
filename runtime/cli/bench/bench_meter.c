/*
 * Meters: what the server itself counts while a workload runs. Rows per commit decide what bare
 * SQLite can do, so the limit is measured with as many of them as the server had.
 */
#include "cli/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of the metrics page: "name 12.5". */
static double metric(const struct bench *bench, const char *name)
{
    char wanted[64];
    int size = snprintf(wanted, sizeof wanted, "\n%s ", name);
    const char *found = memmem(bench->body.data, bench->body.size, wanted, (size_t)size);
    return found != NULL ? strtod(found + size, NULL) : 0;
}

bool bench_meter_read(struct bench *bench, struct bench_meter *meter, struct err *err)
{
    struct bench_usage usage = { 0 };

    if (!bench_need(bench, "GET", "/metrics", (struct slice){ 0 }, err))
        return false;
    buffer_byte(&bench->body, '\0'); /* for strtod */
    if (bench->is_own)
        bench_server_usage(&bench->server, &usage);
    *meter = (struct bench_meter){
        .batches = metric(bench, "bide_batches_total"),
        .commands = metric(bench, "bide_commands_total"),
        .commit_s = metric(bench, "bide_commit_seconds_total"),
        .busy_s = metric(bench, "bide_store_busy_seconds_total"),
        .work_most_s = metric(bench, "bide_batch_work_seconds_max"),
        .cpu_ms = (double)usage.cpu_ms,
        .server_cpu_ms = (double)usage.server_cpu_ms,
    };
    return true;
}

bool bench_meter_put(struct bench *bench, const struct bench_meter *before, double units,
                     double seconds, struct value *result, struct err *err)
{
    struct bench_meter now;

    if (!bench_meter_read(bench, &now, err))
        return false;
    double batches = now.batches - before->batches;
    bench->per_commit = batches > 0 ? (now.commands - before->commands) / batches : 1;
    bench_put(bench, result, "commands_per_commit", bench->per_commit);
    bench_put(bench, result, "commits_per_s", batches / seconds);
    bench_put(bench, result, "store_busy", (now.busy_s - before->busy_s) / seconds);
    bench_put(bench, result, "in_commit", (now.commit_s - before->commit_s) / seconds);
    if (bench->is_own && units > 0) {
        bench_put(bench, result, "cpu_us_each", (now.cpu_ms - before->cpu_ms) * 1000 / units);
        bench_put(bench, result, "cpu_server_us_each",
                  (now.server_cpu_ms - before->server_cpu_ms) * 1000 / units);
    }
    return true;
}
