/*
 * Latency: one client that waits for each answer.
 *
 *   run      POST trigger ─▶ id ─▶ GET run?wait ─▶ done    from before the POST to the end
 *   resume   (GET run?wait is under way) POST url ─▶ done  from before the POST to the end
 */
#include "base/clock.h"
#include "cli/bench/bench.h"

#include <stdio.h>
#include <string.h>

enum { WARM_UP = 50, SAMPLES_LEAST = 20 };

#define WAIT_MOST "30s"

static const char queue_name[] = "bench-latency";

static void put_times(struct bench *bench, struct value *result, struct samples *times)
{
    bench_put(bench, result, "value", samples_percentile(times, 50));
    bench_put(bench, result, "p99_ms", samples_percentile(times, 99));
    bench_put(bench, result, "samples", (double)times->count);
}

static bool put_meter(struct bench *bench, const struct bench_meter *before, int runs,
                      uint64_t first_ns, struct value *result, struct err *err)
{
    double seconds = (double)(clock_monotonic_ns() - first_ns) / 1e9;
    return bench_meter_put(bench, before, runs, seconds, result, err);
}

bool bench_latency(struct bench *bench, struct value *result, struct err *err)
{
    struct samples times = { 0 };
    struct buffer request = { 0 };
    struct bench_meter meter;
    char id[BENCH_ID_BYTES], path[BENCH_PATH_BYTES];
    int runs = 0;
    bool done = bench_fresh(bench, err) && bench_meter_read(bench, &meter, err);
    uint64_t first_ns = clock_monotonic_ns();
    uint64_t until_ns = first_ns + (uint64_t)bench->duration_ms * 1000000;

    bench_trigger(bench, &request, "bench-echo", queue_name, NULL);
    for (; done && (runs < WARM_UP + SAMPLES_LEAST || clock_monotonic_ns() < until_ns);
         runs++) {
        uint64_t start_ns = clock_monotonic_ns();
        done = bench_start(bench, buffer_view(&request), id, err);
        snprintf(path, sizeof path, "/api/v3/runs/%s?wait=" WAIT_MOST, id);
        done = done && bench_need(bench, "GET", path, (struct slice){ 0 }, err) &&
               bench_completed(bench, err);
        if (runs >= WARM_UP)
            samples_add(&times, clock_monotonic_ns() - start_ns);
    }
    done = done && put_meter(bench, &meter, runs, first_ns, result, err);
    put_times(bench, result, &times);
    samples_finish(&times);
    done =
        done && limits_put_times(bench, LIMIT_ECHO, buffer_view(&request), 2, 1, result, err);
    buffer_finish(&request);
    return done;
}

/* ---- completion → done ------------------------------------------------------------------- */

struct watcher {
    struct load load; /* the long poll's connection */
    struct buffer request;
    bool answered;
    bool completed;
};

static void on_done(void *context, uint32_t connection, int status, struct slice body)
{
    struct watcher *watcher = context;
    (void)connection; /* there is one */
    watcher->answered = true;
    watcher->completed = status == 200 && slice_is(load_member(body, "status"), "COMPLETED");
}

static bool watch(struct bench *bench, struct watcher *watcher, const char *id, struct err *err)
{
    char path[BENCH_PATH_BYTES];

    snprintf(path, sizeof path, "/api/v3/runs/%s?wait=" WAIT_MOST, id);
    watcher->answered = watcher->completed = false;
    watcher->request.size = 0;
    load_request(&watcher->request, "GET", slice_of(path), bench->server.key,
                 (struct slice){ 0 });
    return load_send(&watcher->load, 0, buffer_view(&watcher->request), err);
}

static bool resume_one(struct bench *bench, struct watcher *watcher,
                       const struct buffer *request, uint64_t *duration_ns, struct err *err)
{
    char id[BENCH_ID_BYTES], path[BENCH_PATH_BYTES];

    if (!bench_start(bench, buffer_view(request), id, err) ||
        !bench_token(bench, id, path, err) || !watch(bench, watcher, id, err))
        return false;
    uint64_t start_ns = clock_monotonic_ns();
    if (!bench_need(bench, "POST", path, SLICE("{\"data\":{\"approved\":true}}"), err))
        return false;
    while (!watcher->answered)
        if (bench_interrupted || !load_poll(&watcher->load, 1000, err))
            return bench_interrupted ? err_set(err, ERR_SYSTEM, "interrupted") : false;
    *duration_ns = clock_monotonic_ns() - start_ns;
    return watcher->completed || err_set(err, ERR_SYSTEM, "a resumed run did not complete");
}

bool bench_resume(struct bench *bench, struct value *result, struct err *err)
{
    struct samples times = { 0 };
    struct buffer request = { 0 };
    struct watcher watcher = { .load = { .epoll = -1 } };
    struct bench_meter meter;
    uint64_t duration_ns = 0;
    int runs = 0;
    bool done = bench_fresh(bench, err) && bench_meter_read(bench, &meter, err) &&
                load_open(&watcher.load, bench->server.host, bench->server.port, 1, err);
    uint64_t first_ns = clock_monotonic_ns();
    uint64_t until_ns = first_ns + (uint64_t)bench->duration_ms * 1000000;

    watcher.load.context = &watcher;
    watcher.load.on_reply = on_done;
    bench_trigger(bench, &request, "bench-wait", queue_name, NULL);
    for (; done && (runs < WARM_UP + SAMPLES_LEAST || clock_monotonic_ns() < until_ns);
         runs++) {
        done = resume_one(bench, &watcher, &request, &duration_ns, err);
        if (runs >= WARM_UP)
            samples_add(&times, duration_ns);
    }
    done = done && put_meter(bench, &meter, runs, first_ns, result, err);
    put_times(bench, result, &times);
    samples_finish(&times);
    load_close(&watcher.load);
    /* Of the four commits of a cycle the last two: completed, done. */
    done =
        done && limits_put_times(bench, LIMIT_WAIT, buffer_view(&request), 1, 0.5, result, err);
    buffer_finish(&watcher.request);
    buffer_finish(&request);
    return done;
}
