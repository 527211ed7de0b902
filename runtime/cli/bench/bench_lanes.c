/*
 * Lanes: what many queues with many keys, all with queued runs, cost one that has nothing to do
 * with them.
 *
 *   echo, nothing stored ─▶ stop, fill ─▶ echo, all others paused ─▶ echo, some of them at
 * their limits ─▶ resume all, echo beside them
 */
#include "base/clock.h"
#include "base/id.h"
#include "cli/bench/bench_fill.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    QUEUES = 1000,
    LIMITED = 8, /* the first of them may have one run */
    NAME_BYTES = 32,
    LOOKS_MAX = 100000
};

static const char echo_queue[] = "bench-echo";

/* Runs that keep those at their limits. */
static int64_t holders[LIMITED];

/* A queue with `count` runs in `keys` lanes. */
static bool queue_fill(struct fill *fill, int number, int64_t keys, int64_t count,
                       struct err *err)
{
    char name[NAME_BYTES], key[NAME_BYTES];

    snprintf(name, sizeof name, "lanes-%d", number);
    int64_t queue = fill_queue(fill, name);
    for (int64_t k = 0; k < keys; k++) {
        snprintf(key, sizeof key, "key-%lld", (long long)k);
        int64_t lane = fill_lane(fill, queue, key);
        for (int64_t i = k; i < count; i += keys) {
            struct run *run = fill_run(fill, queue, lane, key);
            if (i > 0 || number >= LIMITED)
                continue;
            run->task = SLICE("bench-hold");
            holders[number] = run->id;
        }
        if (!fill_some(fill, err))
            return false;
    }
    return true;
}

static bool queues_fill(struct bench *bench, int64_t keys, int64_t count, struct err *err)
{
    struct fill fill;
    bool done = fill_begin(&fill, bench, err);

    for (int i = 0; done && i < QUEUES; i++)
        done = !bench_interrupted && queue_fill(&fill, i, keys, count / QUEUES, err);
    return fill_end(&fill, done, err);
}

bool bench_queues_say(const struct bench *bench, const char *lines, struct err *err)
{
    const char *path = arena_format(bench->arena, "%s/queues.yaml", bench->server.dir).data;
    FILE *file = fopen(path, "a");
    bool done = file != NULL && fprintf(file, "queues:\n%s", lines) > 0;

    if (file != NULL)
        done = fclose(file) == 0 && done;
    return done || err_set(err, ERR_SYSTEM, "cannot write %s", path);
}

static bool limits_write(const struct bench *bench, struct err *err)
{
    char lines[LIMITED * NAME_BYTES] = "";
    size_t size = 0;

    for (int i = 0; i < LIMITED; i++)
        size += (size_t)snprintf(&lines[size], sizeof lines - size,
                                 "  lanes-%d: { total: 1 }\n", i);
    return bench_queues_say(bench, lines, err);
}

bool bench_echo_queue(struct bench *bench, double *rate, struct err *err)
{
    struct bench_counts before;
    struct buffer request = { 0 };
    struct flow flow = { 0 };
    double triggers;

    bench_trigger(bench, &request, "bench-echo", echo_queue, NULL);
    uint64_t start_ns = clock_monotonic_ns();
    bool done = bench_counts(bench, echo_queue, &before, err) &&
                bench_flow(bench, &flow, buffer_view(&request), bench->duration_ms, 0,
                           &triggers, err) &&
                bench_drain(bench, echo_queue, &before, (int64_t)flow.done, err);
    *rate = (double)flow.done * 1e9 / (double)(clock_monotonic_ns() - start_ns);
    flow_finish(&flow);
    buffer_finish(&request);
    return done;
}

/* The same with some of the others open, and at their limits. */
static bool echo_limited(struct bench *bench, double *rate, struct err *err)
{
    char name[NAME_BYTES], path[BENCH_PATH_BYTES], id[ID_TEXT_SIZE];
    struct bench_counts counts = { 0 };
    bool done = true;

    for (int i = 0; done && i < LIMITED; i++) {
        snprintf(name, sizeof name, "lanes-%d", i);
        done = bench_pause(bench, name, false, err);
        for (int look = 0; done && counts.running <= 0 && look < LOOKS_MAX; look++)
            done = bench_counts(bench, name, &counts, err);
        if (done && counts.running != 1)
            done = err_set(err, ERR_SYSTEM, "%s is not at its limit", name);
        counts.running = 0;
    }
    done = done && bench_echo_queue(bench, rate, err);
    for (int i = 0; done && i < LIMITED; i++) {
        snprintf(path, sizeof path, "/api/v2/runs/%s/cancel", id_format("run", holders[i], id));
        done = bench_need(bench, "POST", path, (struct slice){ 0 }, err);
    }
    return done;
}

static bool completed_read(struct bench *bench, double *completed, struct err *err)
{
    static const char name[] =
        "\nbide_runs_finished_total{environment=\"dev\",outcome=\"completed\"} ";

    if (!bench_need(bench, "GET", "/metrics", (struct slice){ 0 }, err))
        return false;
    buffer_byte(&bench->body, '\0'); /* for strtod */
    const char *found = strstr(bench->body.data, name);
    *completed = found == NULL ? 0 : strtod(found + strlen(name), NULL);
    return true;
}

/*
 * All lanes are open and take turns, so that the one queue has a thousandth of the starts: what
 * counts are the runs of all queues. And nothing holds the clients back until theirs are done:
 * triggers and ends are counted each for half a run.
 */
static bool echo_beside(struct bench *bench, struct value *result, double *rate,
                        struct err *err)
{
    struct buffer request = { 0 };
    struct flow flow = { 0 };
    char name[NAME_BYTES];
    double before = 0, after = 0, triggers = 0;

    for (int i = 0; i < QUEUES; i++) {
        snprintf(name, sizeof name, "lanes-%d", i);
        if (!bench_pause(bench, name, false, err))
            return false;
    }
    bench_trigger(bench, &request, "bench-echo", echo_queue, NULL);
    bool done = completed_read(bench, &before, err);
    uint64_t start_ns = clock_monotonic_ns();
    done = done &&
           bench_flow(bench, &flow, buffer_view(&request), bench->duration_ms, 0, &triggers,
                      err) &&
           completed_read(bench, &after, err);
    double seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    double ended = done ? (after - before) / seconds : 0;
    bench_put(bench, result, "open_triggers_per_s", triggers);
    bench_put(bench, result, "open_ends_per_s", ended);
    *rate = (triggers + ended) / 2;
    flow_finish(&flow);
    buffer_finish(&request);
    return done;
}

bool bench_lanes(struct bench *bench, struct value *result, struct err *err)
{
    int64_t count = bench->laned < QUEUES ? QUEUES : bench->laned;
    int64_t keys = count / QUEUES < 1000 ? count / QUEUES : 1000;
    double empty, shut, limited, open;

    if (!bench_fresh(bench, err) || !bench_echo_queue(bench, &empty, err) ||
        !bench_server_stop(&bench->server, err))
        return false;
    uint64_t start_ns = clock_monotonic_ns();
    if (!queues_fill(bench, keys, count, err) || !limits_write(bench, err))
        return false;
    uint64_t filled_ns = clock_monotonic_ns();
    if (!bench_server_start(&bench->server, bench->program, bench->plugins, err) ||
        !bench_connect(bench, err))
        return false;
    uint64_t ready_ns = clock_monotonic_ns();
    if (!bench_echo_queue(bench, &shut, err) || !echo_limited(bench, &limited, err) ||
        !echo_beside(bench, result, &open, err))
        return false;
    bench_put(bench, result, "value", (shut < limited ? shut : limited) / empty);
    bench_put(bench, result, "open_ratio", open / empty);
    bench_put(bench, result, "open_floor", 0.5);
    bench_put(bench, result, "empty_runs_per_s", empty);
    bench_put(bench, result, "shut_runs_per_s", shut);
    bench_put(bench, result, "limited_runs_per_s", limited);
    bench_put(bench, result, "open_runs_per_s", open);
    bench_put(bench, result, "queues", QUEUES);
    bench_put(bench, result, "keys", (double)keys);
    bench_put(bench, result, "queued", (double)(count / QUEUES * QUEUES));
    bench_put(bench, result, "fill_s", (double)(filled_ns - start_ns) / 1e9);
    bench_put(bench, result, "ready_s", (double)(ready_ns - filled_ns) / 1e9);
    return true;
}
