/* What the workloads need besides load: a server to measure and straight questions to it. */
#include "base/clock.h"
#include "cli/bench/bench.h"

#include <stdio.h>
#include <string.h>

enum { ASK_TIME_MS = 60000, READY_TIME_MS = 60000, QUIET_TIME_MS = 30000, POLL_PAUSE_MS = 20 };

static void on_answer(void *context, uint32_t connection, int status, struct slice body)
{
    struct bench *bench = context;
    (void)connection; /* there is one */
    bench->status = status;
    bench->body.size = 0;
    buffer_slice(&bench->body, body);
}

static bool open_control(struct bench *bench, struct err *err)
{
    load_close(&bench->control);
    if (!load_open(&bench->control, bench->server.host, bench->server.port, 1, err))
        return false;
    bench->control.context = bench;
    bench->control.on_reply = on_answer;
    return true;
}

/* The reply is in bench->status and ->body. */
static bool exchange(struct bench *bench, struct slice request, struct err *err)
{
    uint64_t until_ns = clock_monotonic_ns() + ASK_TIME_MS * UINT64_C(1000000);

    if (!load_send(&bench->control, 0, request, err))
        return false;
    while (bench->control.connections[0].busy) {
        if (bench_interrupted)
            return err_set(err, ERR_SYSTEM, "interrupted");
        if (clock_monotonic_ns() > until_ns)
            return err_set(err, ERR_SYSTEM, "no reply for %d s", ASK_TIME_MS / 1000);
        if (!load_poll(&bench->control, 100, err))
            return false;
    }
    return true;
}

bool bench_ask(struct bench *bench, const char *type, const char *path, struct slice body,
               struct err *err)
{
    bench->request.size = 0;
    load_request(&bench->request, type, slice_of(path), bench->server.key, body);
    return exchange(bench, buffer_view(&bench->request), err);
}

bool bench_need(struct bench *bench, const char *type, const char *path, struct slice body,
                struct err *err)
{
    if (!bench_ask(bench, type, path, body, err))
        return false;
    if (bench->status == 200)
        return true;
    int size = bench->body.size < 200 ? (int)bench->body.size : 200;
    return err_set(err, ERR_SYSTEM, "%s %s is refused (%d): %.*s", type, path, bench->status,
                   size, bench->body.data);
}

/* Nothing tells when it is ready but asking; a millisecond is the resolution that results. */
bool bench_connect(struct bench *bench, struct err *err)
{
    uint64_t until_ns = clock_monotonic_ns() + READY_TIME_MS * UINT64_C(1000000);

    if (!open_control(bench, err))
        return false;
    while (clock_monotonic_ns() < until_ns) {
        if (!bench_ask(bench, "GET", "/readyz", (struct slice){ 0 }, err))
            return false;
        if (bench->status == 200)
            return true;
        if (!load_poll(&bench->control, 1, err))
            return false;
    }
    return err_set(err, ERR_SYSTEM, "the server is not ready after %d s", READY_TIME_MS / 1000);
}

static bool check_tasks(struct bench *bench, struct err *err)
{
    static const char task[] = "\"bench-wait\"";

    if (!bench_need(bench, "GET", "/api/v1/plugins", (struct slice){ 0 }, err))
        return false;
    return memmem(bench->body.data, bench->body.size, task, sizeof task - 1) != NULL ||
           err_set(err, ERR_SYSTEM, "the server has not loaded bench.so");
}

bool bench_fresh(struct bench *bench, struct err *err)
{
    if (!bench->is_own)
        return bench_connect(bench, err) && check_tasks(bench, err);
    bench_server_remove(&bench->server);
    return bench_server_prepare(&bench->server, bench->dir, err) &&
           bench_server_start(&bench->server, bench->program, bench->plugins, err) &&
           bench_connect(bench, err);
}

static int64_t count_of(struct slice body, const char *name)
{
    int64_t count = load_number(body, name);
    return count > 0 ? count : 0;
}

/* A queue that nobody used yet has no numbers. */
bool bench_counts(struct bench *bench, const char *queue, struct bench_counts *counts,
                  struct err *err)
{
    char path[BENCH_PATH_BYTES];

    *counts = (struct bench_counts){ 0 };
    snprintf(path, sizeof path, "/api/v1/queues/%s/statistics?type=custom", queue);
    if (!bench_ask(bench, "GET", path, (struct slice){ 0 }, err))
        return false;
    if (bench->status == 404)
        return true;
    if (bench->status != 200)
        return err_set(err, ERR_SYSTEM, "GET %s is refused (%d)", path, bench->status);
    struct slice body = buffer_view(&bench->body);
    *counts = (struct bench_counts){
        .running = count_of(body, "running"),
        .queued = count_of(body, "queued"),
        .waiting = count_of(body, "waiting"),
        .completed = count_of(body, "completed"),
        .failed = count_of(body, "failed"),
        .canceled = count_of(body, "canceled"),
    };
    return true;
}

/* A queue comes into being with its first run, so one goes ahead. */
static bool make_queue(struct bench *bench, const char *queue, struct err *err)
{
    struct buffer request = { 0 };
    char id[BENCH_ID_BYTES], path[BENCH_PATH_BYTES];

    bench_trigger(bench, &request, "bench-echo", queue, NULL);
    bool done = bench_start(bench, buffer_view(&request), id, err);
    buffer_finish(&request);
    snprintf(path, sizeof path, "/api/v3/runs/%s?wait=30s", done ? id : "");
    return done && bench_need(bench, "GET", path, (struct slice){ 0 }, err) &&
           bench_completed(bench, err);
}

bool bench_pause(struct bench *bench, const char *queue, bool paused, struct err *err)
{
    char path[BENCH_PATH_BYTES], body[64];

    snprintf(path, sizeof path, "/api/v1/queues/%s/pause", queue);
    snprintf(body, sizeof body, "{\"type\":\"custom\",\"action\":\"%s\"}",
             paused ? "pause" : "resume");
    if (!bench_ask(bench, "POST", path, slice_of(body), err))
        return false;
    if (bench->status == 200)
        return true;
    return make_queue(bench, queue, err) &&
           bench_need(bench, "POST", path, slice_of(body), err);
}

/* Ask every 20 ms until `is_there`; no change for half a minute is an error. */
static bool wait_until(struct bench *bench, const char *queue,
                       bool (*is_there)(const struct bench_counts *now,
                                        const struct bench_counts *before, int64_t count),
                       const struct bench_counts *before, int64_t count, struct err *err)
{
    struct bench_counts now, last = { 0 };
    uint64_t since_ns = clock_monotonic_ns();

    for (;;) {
        if (!bench_counts(bench, queue, &now, err))
            return false;
        if (now.failed > before->failed || now.canceled > before->canceled)
            return err_set(
                err, ERR_SYSTEM, "%lld runs failed",
                (long long)(now.failed - before->failed + now.canceled - before->canceled));
        if (is_there(&now, before, count))
            return true;
        uint64_t at_ns = clock_monotonic_ns();
        if (memcmp(&now, &last, sizeof now) != 0)
            since_ns = at_ns;
        last = now;
        if (at_ns - since_ns > QUIET_TIME_MS * UINT64_C(1000000))
            return err_set(err, ERR_SYSTEM,
                           "%s stands still: %lld queued, %lld running, %lld waiting, %lld "
                           "completed of %lld",
                           queue, (long long)now.queued, (long long)now.running,
                           (long long)now.waiting,
                           (long long)(now.completed - before->completed), (long long)count);
        if (!load_poll(&bench->control, POLL_PAUSE_MS, err))
            return false;
    }
}

static bool is_drained(const struct bench_counts *now, const struct bench_counts *before,
                       int64_t count)
{
    return now->completed - before->completed == count;
}

static bool is_settled(const struct bench_counts *now, const struct bench_counts *before,
                       int64_t count)
{
    (void)before; /* what waits counts, whenever it came */
    return now->waiting == count;
}

bool bench_drain(struct bench *bench, const char *queue, const struct bench_counts *before,
                 int64_t count, struct err *err)
{
    return wait_until(bench, queue, is_drained, before, count, err);
}

bool bench_settle(struct bench *bench, const char *queue, int64_t count, struct err *err)
{
    struct bench_counts none = { 0 };
    return wait_until(bench, queue, is_settled, &none, count, err);
}

/* {"order":12345,"note":"aaa…"}: the note makes up for what is missing. */
static void add_payload(struct buffer *out, const char *reply)
{
    size_t start = out->size;

    buffer_text(out, "{\"order\":12345,");
    if (reply != NULL)
        buffer_format(out, "\"reply\":\"%s\",", reply);
    buffer_text(out, "\"note\":\"");
    while (out->size - start < BENCH_PAYLOAD_BYTES - 2)
        buffer_byte(out, 'n');
    buffer_text(out, "\"}");
}

void bench_trigger(const struct bench *bench, struct buffer *out, const char *task,
                   const char *queue, const char *reply)
{
    struct buffer body = { 0 };
    char path[BENCH_PATH_BYTES];

    snprintf(path, sizeof path, "/api/v1/tasks/%s/trigger", task);
    buffer_text(&body, "{\"payload\":");
    add_payload(&body, reply);
    buffer_format(&body, ",\"options\":{\"queue\":{\"name\":\"%s\"}}}", queue);
    load_request(out, "POST", slice_of(path), bench->server.key, buffer_view(&body));
    buffer_finish(&body);
}

bool bench_start(struct bench *bench, struct slice request, char id[BENCH_ID_BYTES],
                 struct err *err)
{
    if (!exchange(bench, request, err))
        return false;
    struct slice found = load_member(buffer_view(&bench->body), "id");
    if (bench->status != 200 || found.size == 0 || found.size >= BENCH_ID_BYTES)
        return err_set(err, ERR_SYSTEM, "a trigger was refused (%d)", bench->status);
    snprintf(id, BENCH_ID_BYTES, "%.*s", SLICE_ARG(found));
    return true;
}

bool bench_completed(struct bench *bench, struct err *err)
{
    struct slice status = load_member(buffer_view(&bench->body), "status");
    return slice_is(status, "COMPLETED") ||
           err_set(err, ERR_SYSTEM, "a run is %.*s, not COMPLETED", SLICE_ARG(status));
}

bool bench_token(struct bench *bench, const char *id, char path[BENCH_PATH_BYTES],
                 struct err *err)
{
    enum { TOKEN_MOST = 60 };

    snprintf(path, BENCH_PATH_BYTES, "/api/v3/runs/%s?wait=30s&until=waiting", id);
    if (!bench_need(bench, "GET", path, (struct slice){ 0 }, err))
        return false;
    struct slice body = buffer_view(&bench->body);
    const char *limit = body.data + body.size;
    const char *start = memmem(body.data, body.size, "waitpoint_", 10);
    const char *end = start != NULL ? memchr(start, '"', (size_t)(limit - start)) : NULL;
    if (end == NULL || end - start > TOKEN_MOST)
        return err_set(err, ERR_SYSTEM, "%s does not wait for a token", id);
    snprintf(path, BENCH_PATH_BYTES, "/api/v1/waitpoints/tokens/%.*s/complete",
             (int)(end - start), start);
    return true;
}
