/*
 * The wait cycle: trigger, token, suspend, POST to the token's URL, resume, finish.
 *
 *   generator ── trigger ──▶ server ──▶ slot: makes a token, tells its URL ──┐
 *       ▲                                                                    │ FIFO
 *       └── urls, oldest first ◀─────────────────────────────────────────────┘
 *       └── POST url ──▶ server ──▶ slot: second segment ──▶ done
 *
 * A URL is kept until HELD later ones have come, so that its run has been suspended by then and
 * is not merely about to be: afterwards the timelines of a sample are looked at, and every one
 * of them must say so. Connections carry whatever is due: a completion when one is, else a
 * trigger.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "cli/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HELD = 192,        /* URLs kept back while the load goes on */
    OUTSTANDING = 768, /* runs triggered and not completed */
    SAMPLE = 200,      /* runs whose timeline is looked at */
    REQUEST_BYTES = 768,
    FIFO_BYTES = 1 << 20,
    QUIET_S_MOST = 30,
};

static const char queue_name[] = "bench-wait";

struct cycle {
    struct bench *bench;
    struct load load;
    int fifo;
    struct buffer lines;             /* what was read and not used yet */
    struct slice trigger;            /* the whole request */
    char (*requests)[REQUEST_BYTES]; /* per connection: the completion under way */
    bool *completes;                 /* per connection: which kind is under way */
    uint32_t *idle, idle_count;
    uint64_t until_ns;
    uint64_t triggered, acknowledged, told, completed;
    char (*runs)[40]; /* of the sample */
    uint32_t run_count;
    bool flushing; /* no more triggers: complete all */
    bool failed;
    struct err err;
};

static void refuse(struct cycle *cycle, const char *what, int status, struct slice body)
{
    if (cycle->failed)
        return;
    cycle->failed = true;
    err_set(&cycle->err, ERR_SYSTEM, "%s was refused (%d): %.*s", what, status,
            body.size < 200 ? (int)body.size : 200, body.data);
}

/* Takes the oldest line: "http://host:port/path". */
static bool complete_next(struct cycle *cycle, uint32_t connection)
{
    static const char body[] = "{\"approved\":true}";
    const char *end = memchr(cycle->lines.data, '\n', cycle->lines.size);
    const char *host = memmem(cycle->lines.data, cycle->lines.size, "://", 3);
    const char *path = host != NULL ? memchr(host + 3, '/', (size_t)(end - host) - 3) : NULL;

    if (path == NULL || path > end)
        return err_set(&cycle->err, ERR_SYSTEM, "a task told something that is no URL");
    int size =
        snprintf(cycle->requests[connection], REQUEST_BYTES,
                 "POST %.*s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n%s",
                 (int)(end - path), path, sizeof body - 1, body);
    if (size <= 0 || size >= REQUEST_BYTES)
        return err_set(&cycle->err, ERR_SYSTEM, "a token's URL is too long");
    buffer_consume(&cycle->lines, (size_t)(end - cycle->lines.data) + 1);
    cycle->told--;
    cycle->completes[connection] = true;
    return load_send(&cycle->load, connection,
                     (struct slice){ cycle->requests[connection], (size_t)size }, &cycle->err);
}

static bool may_complete(const struct cycle *cycle)
{
    return cycle->told > (cycle->flushing ? 0 : HELD);
}

static bool may_trigger(const struct cycle *cycle)
{
    return !cycle->flushing && cycle->triggered - cycle->completed < OUTSTANDING &&
           clock_monotonic_ns() < cycle->until_ns;
}

static void trigger_next(struct cycle *cycle, uint32_t connection)
{
    cycle->triggered++;
    cycle->completes[connection] = false;
    cycle->failed = !load_send(&cycle->load, connection, cycle->trigger, &cycle->err);
}

/* Give free connections what is due, as long as there is both. */
static void use_idle(struct cycle *cycle)
{
    while (cycle->idle_count > 0 && !cycle->failed) {
        if (may_complete(cycle))
            cycle->failed = !complete_next(cycle, cycle->idle[--cycle->idle_count]);
        else if (may_trigger(cycle))
            trigger_next(cycle, cycle->idle[--cycle->idle_count]);
        else
            return;
    }
}

static void keep_sample(struct cycle *cycle, struct slice body)
{
    struct slice id = load_member(body, "id");

    /* Every 16th: from all over the beginning, not only the very first. */
    if (cycle->run_count < SAMPLE && cycle->acknowledged % 16 == 0 &&
        id.size < sizeof *cycle->runs)
        memcpy(cycle->runs[cycle->run_count++], id.data, id.size);
}

static void on_reply(void *context, uint32_t connection, int status, struct slice body)
{
    struct cycle *cycle = context;

    if (status != 200) {
        refuse(cycle, cycle->completes[connection] ? "a completion" : "a trigger", status,
               body);
    } else if (cycle->completes[connection]) {
        cycle->completed++;
    } else {
        keep_sample(cycle, body);
        cycle->acknowledged++;
    }
    cycle->idle[cycle->idle_count++] = connection;
    use_idle(cycle);
}

static void on_lines(void *context)
{
    struct cycle *cycle = context;
    enum { CHUNK_BYTES = 64 << 10 };
    char *start = buffer_reserve(&cycle->lines, CHUNK_BYTES);
    ssize_t got = read(cycle->fifo, start, CHUNK_BYTES);

    if (got <= 0)
        return;
    cycle->lines.size += (size_t)got;
    for (const char *at = start, *end = start + got; at < end; at++)
        cycle->told += *at == '\n';
    use_idle(cycle);
}

/* Until the time is over and every run has told its URL; `flushed`: until all are completed. */
static bool poll_until(struct cycle *cycle, bool flushed, struct err *err)
{
    uint64_t since_ns = clock_monotonic_ns(), seen = 0;

    for (;;) {
        uint64_t now_ns = clock_monotonic_ns();
        uint64_t moved = cycle->acknowledged + cycle->completed + cycle->told;
        bool all_told = cycle->acknowledged == cycle->triggered &&
                        cycle->completed + cycle->told == cycle->triggered;
        if (flushed ? cycle->completed == cycle->triggered
                    : now_ns >= cycle->until_ns && all_told)
            return true;
        if (bench_interrupted)
            return err_set(err, ERR_SYSTEM, "interrupted");
        if (moved != seen)
            since_ns = now_ns;
        seen = moved;
        if (now_ns - since_ns > QUIET_S_MOST * UINT64_C(1000000000))
            return err_set(err, ERR_SYSTEM,
                           "nothing moves: %llu triggered, %llu URLs told, %llu completed",
                           (unsigned long long)cycle->triggered,
                           (unsigned long long)(cycle->told + cycle->completed),
                           (unsigned long long)cycle->completed);
        if (!load_poll(&cycle->load, 100, err))
            return false;
        if (cycle->failed) {
            *err = cycle->err;
            return false;
        }
    }
}

static bool open_fifo(struct cycle *cycle, const char *path, struct err *err)
{
    if (mkfifo(path, 0600) != 0)
        return err_set(err, ERR_SYSTEM, "cannot make %s: %s", path, strerror(errno));
    /* For writing too: then it never ends. */
    cycle->fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (cycle->fifo < 0)
        return err_set(err, ERR_SYSTEM, "cannot open %s: %s", path, strerror(errno));
    if (fcntl(cycle->fifo, F_SETPIPE_SZ, FIFO_BYTES) < 0)
        return err_set(err, ERR_SYSTEM, "cannot enlarge %s: %s", path, strerror(errno));
    load_watch(&cycle->load, cycle->fifo);
    return true;
}

/* True when each run of the sample has been WAITING. */
static bool check_sample(struct cycle *cycle, struct err *err)
{
    char path[80];

    for (uint32_t i = 0; i < cycle->run_count; i++) {
        snprintf(path, sizeof path, "/api/v3/runs/%s", cycle->runs[i]);
        if (!bench_need(cycle->bench, "GET", path, (struct slice){ 0 }, err))
            return false;
        struct slice body = buffer_view(&cycle->bench->body);
        const char *timeline = memmem(body.data, body.size, "\"timeline\":", 11);
        size_t left = timeline != NULL ? (size_t)(body.data + body.size - timeline) : 0;
        if (timeline == NULL || memmem(timeline, left, "\"WAITING\"", 9) == NULL)
            return err_set(err, ERR_SYSTEM, "%s was completed before it was suspended",
                           cycle->runs[i]);
    }
    return true;
}

static bool run_cycles(struct cycle *cycle, const char *fifo, double *seconds, struct err *err)
{
    struct bench *bench = cycle->bench;
    struct bench_counts before;

    if (!bench_counts(bench, queue_name, &before, err) ||
        !load_open(&cycle->load, bench->server.host, bench->server.port, bench->connections,
                   err) ||
        !open_fifo(cycle, fifo, err))
        return false;
    cycle->load.context = cycle;
    cycle->load.on_reply = on_reply;
    cycle->load.on_watched = on_lines;

    uint64_t start_ns = clock_monotonic_ns();
    cycle->until_ns = start_ns + (uint64_t)bench->duration_ms * 1000000;
    for (uint32_t i = 0; i < bench->connections; i++)
        cycle->idle[cycle->idle_count++] = i;
    use_idle(cycle);
    if (!poll_until(cycle, false, err) ||
        !bench_settle(bench, queue_name, (int64_t)(cycle->triggered - cycle->completed), err))
        return false;
    cycle->flushing = true;
    use_idle(cycle);
    bool done = poll_until(cycle, true, err) &&
                bench_drain(bench, queue_name, &before, (int64_t)cycle->triggered, err);
    *seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    return done;
}

static void cycle_finish(struct cycle *cycle, const char *fifo)
{
    load_close(&cycle->load);
    if (cycle->fifo >= 0)
        close(cycle->fifo);
    (void)unlink(fifo); /* gone with its directory otherwise */
    buffer_finish(&cycle->lines);
    free(cycle->requests);
    free(cycle->completes);
    free(cycle->idle);
    free(cycle->runs);
}

bool bench_wait(struct bench *bench, struct value *result, struct err *err)
{
    struct buffer request = { 0 };
    struct bench_meter meter;
    double seconds = 1;
    char fifo[320];
    struct cycle cycle = {
        .bench = bench,
        .fifo = -1,
        .load = { .epoll = -1 },
        .requests = memory_zeroed(bench->connections, sizeof *cycle.requests),
        .completes = memory_zeroed(bench->connections, sizeof *cycle.completes),
        .idle = memory_zeroed(bench->connections, sizeof *cycle.idle),
        .runs = memory_zeroed(SAMPLE, sizeof *cycle.runs),
    };

    bool done = bench_fresh(bench, err) && bench_meter_read(bench, &meter, err);
    snprintf(fifo, sizeof fifo, "%s/bench-%d.fifo",
             bench->is_own ? bench->server.dir : bench->dir, (int)getpid());
    bench_trigger(bench, &request, "bench-wait", queue_name, fifo);
    cycle.trigger = buffer_view(&request);
    done = done && run_cycles(&cycle, fifo, &seconds, err) &&
           bench_meter_put(bench, &meter, (double)cycle.completed, seconds, result, err) &&
           check_sample(&cycle, err);
    bench_put(bench, result, "value", (double)cycle.completed / seconds);
    bench_put(bench, result, "cycles", (double)cycle.completed);
    bench_put(bench, result, "timelines_checked", cycle.run_count);
    done = done && limits_put(bench, LIMIT_WAIT, cycle.trigger, 2, result, err);
    cycle_finish(&cycle, fifo);
    buffer_finish(&request);
    return done;
}
