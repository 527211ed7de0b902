/*
 * Flow: every connection sends its next request as soon as it has the reply to the last, which
 * is what "64 clients" means.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "cli/bench/bench.h"

#include <stdlib.h>

enum { POLL_MS = 100, QUIET_S_MOST = 30 };

static void send_next(struct flow *flow, uint32_t connection)
{
    uint64_t now_ns = clock_monotonic_ns();

    if (flow->failed || now_ns >= flow->until_ns ||
        (flow->most > 0 && flow->sent >= flow->most))
        return;
    flow->sent++;
    flow->sent_ns[connection] = now_ns;
    flow->failed = !load_send(&flow->load, connection, flow->request, &flow->err);
}

static void on_reply(void *context, uint32_t connection, int status, struct slice body)
{
    struct flow *flow = context;

    if (status / 100 != 2 && !flow->failed) {
        size_t size = body.size < 200 ? body.size : 200;
        flow->failed = true;
        err_set(&flow->err, ERR_SYSTEM, "a request was refused (%d): %.*s", status, (int)size,
                body.data);
    }
    flow->done++;
    samples_add(&flow->times, clock_monotonic_ns() - flow->sent_ns[connection]);
    send_next(flow, connection);
}

static bool poll_all(struct flow *flow, struct err *err)
{
    uint64_t seen = 0, since_ns = clock_monotonic_ns();

    while (flow->done < flow->sent && !flow->failed) {
        if (bench_interrupted)
            return err_set(err, ERR_SYSTEM, "interrupted");
        if (!load_poll(&flow->load, POLL_MS, err))
            return false;
        uint64_t now_ns = clock_monotonic_ns();
        if (flow->done != seen)
            since_ns = now_ns;
        seen = flow->done;
        if (now_ns - since_ns > QUIET_S_MOST * UINT64_C(1000000000))
            return err_set(err, ERR_SYSTEM, "no reply for %d s", QUIET_S_MOST);
    }
    if (flow->failed)
        *err = flow->err;
    return !flow->failed;
}

bool flow_run(struct flow *flow, const char *host, uint16_t port, struct slice request,
              uint32_t connections, int64_t duration_ms, uint64_t most, double *rate,
              struct err *err)
{
    *flow = (struct flow){ .request = request, .most = most };
    flow->sent_ns = memory_zeroed(connections, sizeof *flow->sent_ns);
    if (!load_open(&flow->load, host, port, connections, err))
        return false;
    flow->load.context = flow;
    flow->load.on_reply = on_reply;

    uint64_t start_ns = clock_monotonic_ns();
    flow->until_ns = start_ns + (uint64_t)duration_ms * 1000000;
    for (uint32_t i = 0; i < connections; i++)
        send_next(flow, i);
    bool done = poll_all(flow, err);
    *rate = (double)flow->done * 1e9 / (double)(clock_monotonic_ns() - start_ns);
    return done;
}

bool bench_flow(struct bench *bench, struct flow *flow, struct slice request,
                int64_t duration_ms, uint64_t most, double *rate, struct err *err)
{
    return flow_run(flow, bench->server.host, bench->server.port, request, bench->connections,
                    duration_ms, most, rate, err);
}

void flow_finish(struct flow *flow)
{
    load_close(&flow->load);
    samples_finish(&flow->times);
    free(flow->sent_ns);
    flow->sent_ns = NULL;
}

/* ---- ingest ------------------------------------------------------------------------------ */

/* The queue is paused, so that only acknowledging is measured. The database must agree. */
bool bench_ingest(struct bench *bench, struct value *result, struct err *err)
{
    static const char queue[] = "bench-ingest";
    struct bench_counts before, after;
    struct bench_meter meter;
    struct buffer request = { 0 };
    struct flow flow = { 0 };
    double rate = 1;

    bool done = bench_fresh(bench, err) && bench_pause(bench, queue, true, err) &&
                bench_counts(bench, queue, &before, err) &&
                bench_meter_read(bench, &meter, err);
    bench_trigger(bench, &request, "bench-echo", queue, NULL);
    done = done &&
           bench_flow(bench, &flow, buffer_view(&request), bench->duration_ms, 0, &rate, err) &&
           bench_meter_put(bench, &meter, (double)flow.done, (double)flow.done / rate, result,
                           err) &&
           bench_counts(bench, queue, &after, err);
    if (done && after.queued - before.queued != (int64_t)flow.done)
        done =
            err_set(err, ERR_SYSTEM, "%lld triggers were acknowledged, but %lld runs are there",
                    (long long)flow.done, (long long)(after.queued - before.queued));
    bench_put(bench, result, "value", rate);
    bench_put(bench, result, "triggers", (double)flow.done);
    bench_put(bench, result, "p50_ms", samples_percentile(&flow.times, 50));
    bench_put(bench, result, "p99_ms", samples_percentile(&flow.times, 99));
    flow_finish(&flow);
    if (done && !bench->is_own)
        done = bench_pause(bench, queue, false, err) &&
               bench_drain(bench, queue, &before, after.queued, err);
    done = done && limits_put(bench, LIMIT_INGEST, buffer_view(&request), 1, result, err);
    buffer_finish(&request);
    return done;
}

/* ---- echo -------------------------------------------------------------------------------- */

/* Counted from the first trigger to the last run recorded as completed. */
bool bench_echo(struct bench *bench, struct value *result, struct err *err)
{
    static const char queue[] = "bench-echo";
    struct bench_counts before;
    struct bench_meter meter;
    struct buffer request = { 0 };
    struct flow flow = { 0 };
    double rate = 0;

    bool done = bench_fresh(bench, err) && bench_counts(bench, queue, &before, err) &&
                bench_meter_read(bench, &meter, err);
    bench_trigger(bench, &request, "bench-echo", queue, NULL);
    uint64_t start_ns = clock_monotonic_ns();
    done = done &&
           bench_flow(bench, &flow, buffer_view(&request), bench->duration_ms, 0, &rate, err) &&
           bench_drain(bench, queue, &before, (int64_t)flow.done, err);
    double runs = (double)flow.done, seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    done = done && bench_meter_put(bench, &meter, runs, seconds, result, err);
    bench_put(bench, result, "value", runs / seconds);
    bench_put(bench, result, "runs", runs);
    bench_put(bench, result, "triggers_per_s", rate);
    flow_finish(&flow);
    done = done && limits_put(bench, LIMIT_ECHO, buffer_view(&request), 1, result, err);
    buffer_finish(&request);
    return done;
}
