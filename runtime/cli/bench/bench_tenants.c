/*
 * Tenants: how long a small one waits beside one with a hundred times its load, in one queue
 * that is fair.
 *
 *   the small one alone ─▶ stop, fill: the big one's runs, of a thousand keys ─▶ the small one
 *                                                                                beside them
 */
#include "base/clock.h"
#include "base/duration.h"
#include "cli/bench/bench_fill.h"

#include <stdio.h>
#include <time.h>

enum {
    EVERY_MS = 50, /* a trigger of the small one */
    TIMES = 100,   /* as many runs has the big one */
    KEYS = 1000,
    SMALL_MOST = 2000,
    NAP_MS = 20 /* of the task */
};

static const char alone_queue[] = "bench-alone", both_queue[] = "bench-both";

/* While no server runs: it would make the queue, which is to be filled. */
static bool queue_write(const struct bench *bench, const char *before, const char *name,
                        struct err *err)
{
    const char *path = arena_format(bench->arena, "%s/queues.yaml", bench->server.dir).data;
    FILE *file = fopen(path, "a");
    bool done = file != NULL && fprintf(file,
                                        "%s  %s: { concurrency: 1000, fair: { tenant: { by: "
                                        "payload.org }, key: { by: payload.user } } }\n",
                                        before, name) > 0;

    if (file != NULL)
        done = fclose(file) == 0 && done;
    return done || err_set(err, ERR_SYSTEM, "cannot write %s", path);
}

static bool big_fill(struct bench *bench, int64_t count, struct err *err)
{
    struct fill fill;
    bool done = fill_begin(&fill, bench, err);
    int64_t queue = done ? fill_queue(&fill, both_queue) : 0;

    for (int k = 0; done && k < KEYS; k++) {
        char key[32];
        snprintf(key, sizeof key, "user-%d", k);
        int64_t lane = fill_lane(&fill, queue, key);
        for (int64_t i = k; done && i < count; i += KEYS) {
            struct run *run = fill_run(&fill, queue, lane, key);
            run->task = SLICE("bench-nap");
            run->tenant = SLICE("big");
            done = !bench_interrupted && fill_some(&fill, err);
        }
    }
    return fill_end(&fill, done, err);
}

static void small_trigger(const struct bench *bench, const char *queue, struct buffer *out)
{
    struct buffer body = { 0 };

    buffer_format(&body,
                  "{\"payload\":{\"org\":\"small\",\"user\":\"one\"},"
                  "\"options\":{\"queue\":{\"name\":\"%s\"}}}",
                  queue);
    load_request(out, "POST", SLICE("/api/v1/tasks/bench-nap/trigger"), bench->server.key,
                 buffer_view(&body));
    buffer_finish(&body);
}

/* How long the run waited before it started. */
static bool waited(struct bench *bench, const char *id, struct samples *samples,
                   struct err *err)
{
    char path[BENCH_PATH_BYTES];
    int64_t created_ms, started_ms;

    snprintf(path, sizeof path, "/api/v3/runs/%.*s?wait=30s", BENCH_ID_BYTES, id);
    if (!bench_need(bench, "GET", path, (struct slice){ 0 }, err) ||
        !bench_completed(bench, err))
        return false;
    struct slice body = buffer_view(&bench->body);
    if (!time_parse(load_member(body, "createdAt"), &created_ms) ||
        !time_parse(load_member(body, "startedAt"), &started_ms))
        return err_set(err, ERR_SYSTEM, "run %s does not say when it started", id);
    samples_add(samples,
                (uint64_t)(started_ms > created_ms ? started_ms - created_ms : 0) * 1000000);
    return true;
}

static void sleep_until(uint64_t at_ns)
{
    uint64_t now_ns = clock_monotonic_ns();
    struct timespec left = { .tv_sec = 0 };

    if (at_ns <= now_ns)
        return;
    left.tv_sec = (time_t)((at_ns - now_ns) / 1000000000);
    left.tv_nsec = (long)((at_ns - now_ns) % 1000000000);
    (void)nanosleep(&left, NULL); /* a signal ends the bench soon anyway */
}

static bool small_run(struct bench *bench, const char *queue, int64_t count, double *p95_ms,
                      struct err *err)
{
    static char ids[SMALL_MOST][BENCH_ID_BYTES];
    struct buffer request = { 0 };
    struct samples samples = { 0 };
    bool done = true;

    small_trigger(bench, queue, &request);
    uint64_t start_ns = clock_monotonic_ns();
    for (int64_t i = 0; done && i < count; i++) {
        sleep_until(start_ns + (uint64_t)i * EVERY_MS * 1000000);
        done = !bench_interrupted && bench_start(bench, buffer_view(&request), ids[i], err);
    }
    for (int64_t i = 0; done && i < count; i++)
        done = waited(bench, ids[i], &samples, err);
    *p95_ms = samples_percentile(&samples, 95);
    samples_finish(&samples);
    buffer_finish(&request);
    return done;
}

bool bench_tenants(struct bench *bench, struct value *result, struct err *err)
{
    int64_t count =
        bench->duration_ms / EVERY_MS < SMALL_MOST ? bench->duration_ms / EVERY_MS : SMALL_MOST;
    struct bench_meter before, after;
    double alone_ms, beside_ms;

    if (!bench_fresh(bench, err) || !bench_server_stop(&bench->server, err) ||
        !queue_write(bench, "queues:\n", alone_queue, err) ||
        !bench_server_start(&bench->server, bench->program, bench->plugins, err) ||
        !bench_connect(bench, err) || !small_run(bench, alone_queue, count, &alone_ms, err) ||
        !bench_server_stop(&bench->server, err) || !big_fill(bench, count * TIMES, err) ||
        !queue_write(bench, "", both_queue, err) ||
        !bench_server_start(&bench->server, bench->program, bench->plugins, err) ||
        !bench_connect(bench, err) || !bench_pause(bench, both_queue, false, err) ||
        !bench_meter_read(bench, &before, err) ||
        !small_run(bench, both_queue, count, &beside_ms, err) ||
        !bench_meter_read(bench, &after, err))
        return false;
    double batch_ms =
        (after.busy_s - before.busy_s) * 1000 / (after.batches - before.batches + 1);
    bench_put(bench, result, "value", beside_ms - alone_ms);
    bench_put(bench, result, "alone_p95_ms", alone_ms);
    bench_put(bench, result, "beside_p95_ms", beside_ms);
    bench_put(bench, result, "batch_ms", batch_ms);
    bench_put(bench, result, "most_ms", NAP_MS + 2 * batch_ms);
    bench_put(bench, result, "small_runs", (double)count);
    bench_put(bench, result, "big_runs", (double)(count * TIMES));
    return true;
}
