/*
 * Held: what very many queued runs that may not start cost those that may.
 *
 *   two servers, one with nothing stored, one filled: a queue that is paused, one that starts a
 *   run a second, and one whose keys start one an hour each ─▶ echo, by turns: A B B A A B …
 *
 * What else the machine does changes from second to second: the ratio is that of neighbours.
 */
#include "cli/bench/bench_fill.h"

#include <stdio.h>
#include <stdlib.h>

enum { PARTS = 3, KEYS = 1000, KEY_BYTES = 32, PAIRS = 15, SIDES = 2 };

static const char *const names[PARTS] = { "held-paused", "held-rate", "held-key-rate" };

static const char rules[] = "  held-rate: { rate: 60/1m }\n"
                            "  held-key-rate: { key_rate: 1/1h }\n";

static bool queue_fill(struct fill *fill, const char *name, int64_t keys, int64_t count,
                       struct err *err)
{
    char key[KEY_BYTES] = "";
    int64_t queue = fill_queue(fill, name);

    for (int64_t k = 0; k < keys || k == 0; k++) {
        if (keys > 0)
            snprintf(key, sizeof key, "key-%lld", (long long)k);
        int64_t lane = keys > 0 ? fill_lane(fill, queue, key) : queue;
        for (int64_t i = k; i<count; i += keys> 0 ? keys : 1) {
            (void)fill_run(fill, queue, lane, key); /* written with the others */
            if (!fill_some(fill, err))
                return false;
        }
    }
    return true;
}

static bool queues_fill(struct bench *bench, int64_t count, struct err *err)
{
    struct fill fill;
    bool done = fill_begin(&fill, bench, err);

    for (int i = 0; done && i < PARTS; i++)
        done = !bench_interrupted &&
               queue_fill(&fill, names[i], i == PARTS - 1 ? KEYS : 0, count / PARTS, err);
    return fill_end(&fill, done, err);
}

/* Resumed, until every key has started its one. */
static bool queues_settle(struct bench *bench, int64_t count, struct err *err)
{
    int64_t keys = count / PARTS < KEYS ? count / PARTS : KEYS;
    struct bench_counts before = { 0 };
    bool done = true;

    for (int i = 1; done && i < PARTS; i++)
        done = bench_pause(bench, names[i], false, err);
    return done && bench_drain(bench, names[PARTS - 1], &before, keys, err);
}

static bool held_start(struct bench *bench, int64_t count, struct err *err)
{
    return bench_fresh(bench, err) && bench_server_stop(&bench->server, err) &&
           queues_fill(bench, count, err) && bench_queues_say(bench, rules, err) &&
           bench_server_start(&bench->server, bench->program, bench->plugins, err) &&
           bench_connect(bench, err) && queues_settle(bench, count, err);
}

/* Echo on each; the first of a pair is the second of the next. */
static bool turns(struct bench *bench, struct bench_server *other, double *ratios, double *sums,
                  struct err *err)
{
    bool is_held = true, done = true;

    for (int turn = 0; done && turn < PAIRS * SIDES; turn++) {
        double rate = 0;
        if (turn % SIDES != 0) {
            struct bench_server server = bench->server;
            bench->server = *other;
            *other = server;
            is_held = !is_held;
        }
        done = bench_connect(bench, err) && bench_echo_queue(bench, &rate, err);
        sums[is_held] += rate;
        ratios[turn / SIDES] = turn % SIDES == 0 ? rate
                               : is_held         ? rate / ratios[turn / SIDES]
                                                 : ratios[turn / SIDES] / rate;
    }
    return done;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

bool bench_held(struct bench *bench, struct value *result, struct err *err)
{
    int64_t count = bench->laned < PARTS ? PARTS : bench->laned;
    int64_t duration_ms = bench->duration_ms;
    double ratios[PAIRS], sums[SIDES] = { 0 }, warm;
    struct bench_server other = { 0 };

    bench->duration_ms = duration_ms / 4;
    bool done = bench_fresh(bench, err) && bench_echo_queue(bench, &warm, err);
    if (done) {
        other = bench->server;
        bench->server = (struct bench_server){ 0 };
        done = held_start(bench, count, err) && bench_echo_queue(bench, &warm, err) &&
               turns(bench, &other, ratios, sums, err);
        bench_server_remove(&other);
    }
    bench->duration_ms = duration_ms;
    if (!done)
        return false;
    qsort(ratios, PAIRS, sizeof *ratios, compare);
    bench_put(bench, result, "value", ratios[PAIRS / 2]);
    bench_put(bench, result, "least", ratios[0]);
    bench_put(bench, result, "most", ratios[PAIRS - 1]);
    bench_put(bench, result, "empty_runs_per_s", sums[false] / PAIRS);
    bench_put(bench, result, "held_runs_per_s", sums[true] / PAIRS);
    bench_put(bench, result, "queued", (double)(count / PARTS * PARTS));
    return true;
}
