/*
 * Parked: what a run costs while it waits. Restart: what many of them cost when the server is
 * killed.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "cli/bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char parked_queue[] = "bench-parked", queued_queue[] = "bench-queued";

/* The sooner of "all sent" and an hour. */
enum { NO_HURRY_MS = 3600 * 1000 };

/* Trigger runs until `count` of them wait, `have` of which do so already; keeps the last one's
 * id. */
static bool park(struct bench *bench, int64_t have, int64_t count, double *rate,
                 char id[BENCH_ID_BYTES], struct err *err)
{
    struct buffer request = { 0 };
    struct flow flow = { 0 };
    uint64_t start_ns = clock_monotonic_ns();
    double ignored;

    bench_trigger(bench, &request, "bench-wait", parked_queue, NULL);
    bool done = bench_flow(bench, &flow, buffer_view(&request), NO_HURRY_MS,
                           (uint64_t)(count - have - 1), &ignored, err) &&
                bench_start(bench, buffer_view(&request), id, err);
    flow_finish(&flow);
    buffer_finish(&request);
    done = done && bench_settle(bench, parked_queue, count, err);
    *rate = (double)(count - have) * 1e9 / (double)(clock_monotonic_ns() - start_ns);
    return done;
}

/*
 * Two runs first, so that what a server needs once is not counted as a run's. The log of the
 * database is bounded, so it is told apart: a clean stop folds it into the file.
 */
bool bench_parked(struct bench *bench, struct value *result, struct err *err)
{
    struct bench_usage before, running, stopped;
    double rate = 0, count = (double)bench->parked;
    char id[BENCH_ID_BYTES];

    if (!bench_fresh(bench, err) || !park(bench, 0, 2, &rate, id, err))
        return false;
    bench_server_usage(&bench->server, &before);
    if (!park(bench, 2, bench->parked, &rate, id, err))
        return false;
    bench_server_usage(&bench->server, &running);
    if (!bench_server_stop(&bench->server, err))
        return false;
    bench_server_usage(&bench->server, &stopped);
    bench_put(bench, result, "value", (double)stopped.disk_bytes / count);
    bench_put(bench, result, "runs", count);
    bench_put(bench, result, "disk_bytes", (double)stopped.disk_bytes);
    bench_put(bench, result, "disk_bytes_running", (double)running.disk_bytes);
    bench_put(bench, result, "memory_bytes_per_run",
              (double)(running.server_bytes - before.server_bytes) / (count - 2));
    bench_put(bench, result, "memory_bytes", (double)running.server_bytes);
    bench_put(bench, result, "memory_floor_bytes", 64.0 * 1024 * 1024);
    bench_put(bench, result, "workers_bytes", (double)running.workers_bytes);
    bench_put(bench, result, "parked_per_s", rate);
    return true;
}

/* ---- restart ----------------------------------------------------------------------------- */

static bool queue_up(struct bench *bench, int64_t count, struct bench_counts *before,
                     struct err *err)
{
    struct buffer request = { 0 };
    struct flow flow = { 0 };
    double rate;

    bench_trigger(bench, &request, "bench-echo", queued_queue, NULL);
    bool done = bench_pause(bench, queued_queue, true, err) &&
                bench_counts(bench, queued_queue, before, err) &&
                bench_flow(bench, &flow, buffer_view(&request), NO_HURRY_MS, (uint64_t)count,
                           &rate, err);
    flow_finish(&flow);
    buffer_finish(&request);
    return done;
}

/* Complete the token that the run waits for, and wait until it is done. */
static bool resume(struct bench *bench, const char *id, struct err *err)
{
    char path[BENCH_PATH_BYTES];

    if (!bench_token(bench, id, path, err) ||
        !bench_need(bench, "POST", path, SLICE("{\"data\":{\"approved\":true}}"), err))
        return false;
    snprintf(path, sizeof path, "/api/v3/runs/%s?wait=30s", id);
    return bench_need(bench, "GET", path, (struct slice){ 0 }, err) &&
           bench_completed(bench, err);
}

/*
 * The queued runs are let go and the server is killed at that moment, so that it starts with
 * all of them to do, as after a crash under load.
 */
bool bench_restart(struct bench *bench, struct value *result, struct err *err)
{
    struct bench_counts before;
    char id[BENCH_ID_BYTES];
    double rate;

    if (!bench_fresh(bench, err) || !park(bench, 0, bench->parked, &rate, id, err) ||
        !queue_up(bench, bench->queued, &before, err) ||
        !bench_pause(bench, queued_queue, false, err))
        return false;
    bench_server_kill(&bench->server);

    uint64_t start_ns = clock_monotonic_ns();
    if (!bench_server_start(&bench->server, bench->program, bench->plugins, err))
        return false;
    uint64_t listening_ns = clock_monotonic_ns();
    if (!bench_connect(bench, err))
        return false;
    uint64_t ready_ns = clock_monotonic_ns();
    if (!resume(bench, id, err))
        return false;
    uint64_t resumed_ns = clock_monotonic_ns();
    if (!bench_drain(bench, queued_queue, &before, bench->queued, err))
        return false;
    uint64_t drained_ns = clock_monotonic_ns();
    if (!bench_settle(bench, parked_queue, bench->parked - 1, err))
        return false;
    bench_put(bench, result, "value", (double)(ready_ns - start_ns) / 1e9);
    bench_put(bench, result, "listening_s", (double)(listening_ns - start_ns) / 1e9);
    bench_put(bench, result, "first_resume_s", (double)(resumed_ns - start_ns) / 1e9);
    bench_put(bench, result, "queued_done_s", (double)(drained_ns - start_ns) / 1e9);
    bench_put(bench, result, "parked", (double)bench->parked);
    bench_put(bench, result, "queued", (double)bench->queued);
    return true;
}
