/*
 * Batches: of 100 items, over 8 connections, beside bare SQLite with the same rows a commit;
 * then one of very many, whose ends are counted, beside echo in the same server, and the same
 * made by a run that waits for it.
 */
#include "base/clock.h"
#include "cli/bench/bench.h"

#include <stdio.h>
#include <string.h>

enum { ITEMS = 100, CONNECTIONS = 8, MANY = 10000 };

static void item_add(struct buffer *out, uint32_t index, const char *queue)
{
    size_t start = out->size;

    buffer_format(out,
                  "{\"index\":%u,\"task\":\"bench-echo\",\"payload\":{\"order\":%u,\"note\":\"",
                  index, index);
    while (out->size - start < BENCH_PAYLOAD_BYTES)
        buffer_byte(out, 'n');
    buffer_format(out, "\"},\"options\":{\"queue\":{\"name\":\"%s\"}}}", queue);
}

/* The queue is paused, so that only taking them is measured. */
static bool small_ones(struct bench *bench, struct value *result, struct err *err)
{
    static const char queue[] = "bench-batch";
    struct bench_counts before, after;
    struct bench_meter meter;
    struct buffer request = { 0 }, body = { 0 };
    struct flow flow = { 0 };
    double rate = 1, rows = 0;

    buffer_text(&body, "{\"items\":[");
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (i > 0)
            buffer_byte(&body, ',');
        item_add(&body, i, queue);
    }
    buffer_text(&body, "]}");
    load_request(&request, "POST", SLICE("/api/v2/tasks/batch"), bench->server.key,
                 buffer_view(&body));
    bool done = bench_pause(bench, queue, true, err) &&
                bench_counts(bench, queue, &before, err) &&
                bench_meter_read(bench, &meter, err) &&
                flow_run(&flow, bench->server.host, bench->server.port, buffer_view(&request),
                         CONNECTIONS, bench->duration_ms, 0, &rate, err) &&
                bench_meter_put(bench, &meter, (double)flow.done, (double)flow.done / rate,
                                result, err) &&
                bench_counts(bench, queue, &after, err);
    if (done && after.queued - before.queued != (int64_t)flow.done * ITEMS)
        done =
            err_set(err, ERR_SYSTEM, "%lld batches were acknowledged, but %lld runs are there",
                    (long long)flow.done, (long long)(after.queued - before.queued));
    if (done && !bench->is_own) /* as usable as before */
        done = bench_pause(bench, queue, false, err) &&
               bench_drain(bench, queue, &before, after.queued, err);
    uint32_t per_commit = (uint32_t)((bench->per_commit < 1 ? 1 : bench->per_commit) * ITEMS);
    done = done && bench_sqlite_limit(bench->dir, LIMIT_INGEST, per_commit,
                                      (uint32_t)(bench->duration_ms / 2), &rows, err);
    if (done && rows > 0)
        bench_put(bench, result, "value", rate * ITEMS / rows);
    bench_put(bench, result, "items_per_s", rate * ITEMS);
    bench_put(bench, result, "sqlite_rows_per_s", rows);
    bench_put(bench, result, "rows_per_commit", per_commit);
    bench_put(bench, result, "p99_ms", samples_percentile(&flow.times, 99));
    flow_finish(&flow);
    buffer_finish(&request);
    buffer_finish(&body);
    return done;
}

static bool need_accepted(struct bench *bench, const char *path, struct slice body,
                          struct err *err)
{
    return bench_ask(bench, "POST", path, body, err) &&
           (bench->status / 100 == 2 ||
            err_set(err, ERR_SYSTEM, "POST %s is refused (%d)", path, bench->status));
}

static bool large_one(struct bench *bench, double *rate, struct err *err)
{
    static const char queue[] = "bench-many";
    struct bench_counts before;
    struct buffer lines = { 0 };
    char path[BENCH_PATH_BYTES], id[BENCH_ID_BYTES] = "";

    for (uint32_t i = 0; i < MANY; i++) {
        item_add(&lines, i, queue);
        buffer_byte(&lines, '\n');
    }
    uint64_t start_ns = clock_monotonic_ns();
    snprintf(path, sizeof path, "{\"runCount\":%d}", MANY);
    bool done = bench_counts(bench, queue, &before, err) &&
                need_accepted(bench, "/api/v3/batches", slice_of(path), err);
    const char *at = done ? memmem(bench->body.data, bench->body.size, "batch_", 6) : NULL;
    if (at != NULL)
        snprintf(id, sizeof id, "%.19s", at);
    snprintf(path, sizeof path, "/api/v3/batches/%s/items", id);
    done = done && need_accepted(bench, path, buffer_view(&lines), err) &&
           bench_drain(bench, queue, &before, MANY, err);
    *rate = MANY * 1e9 / (double)(clock_monotonic_ns() - start_ns);
    buffer_finish(&lines);
    return done;
}

/* The parent is told of each, and is done when it has looked at all. */
static bool parent_of_many(struct bench *bench, double *rate, struct err *err)
{
    static const char queue[] = "bench-parent";
    struct bench_counts before;
    struct buffer request = { 0 };
    char id[BENCH_ID_BYTES];

    bench_trigger(bench, &request, "bench-many", queue, NULL);
    uint64_t start_ns = clock_monotonic_ns();
    bool done = bench_counts(bench, queue, &before, err) &&
                bench_start(bench, buffer_view(&request), id, err) &&
                bench_drain(bench, queue, &before, 1, err);
    *rate = MANY * 1e9 / (double)(clock_monotonic_ns() - start_ns);
    buffer_finish(&request);
    return done;
}

bool bench_batch(struct bench *bench, struct value *result, struct err *err)
{
    double echo = 1, many = 0, parent = 0;

    if (!bench_fresh(bench, err) || !small_ones(bench, result, err) ||
        !bench_echo_queue(bench, &echo, err) || !large_one(bench, &many, err) ||
        !parent_of_many(bench, &parent, err))
        return false;
    bench_put(bench, result, "echo_runs_per_s", echo);
    bench_put(bench, result, "many_runs_per_s", many);
    bench_put(bench, result, "many_ratio", many / echo);
    bench_put(bench, result, "parent_runs_per_s", parent);
    bench_put(bench, result, "parent_ratio", parent / echo);
    bench_put(bench, result, "many_floor", 0.7); /* of both */
    return true;
}
