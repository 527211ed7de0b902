/*
 * Held: what very many queued runs that may not start cost those that may.
 *
 *   echo, nothing stored ─▶ stop, fill ─▶ echo beside a queue that is paused, one that starts a
 * run a second, and one whose keys start one an hour each
 */
#include "cli/bench/bench_fill.h"

#include <stdio.h>

enum { PARTS = 3, KEYS = 1000, KEY_BYTES = 32 };

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

bool bench_held(struct bench *bench, struct value *result, struct err *err)
{
    int64_t count = bench->laned < PARTS ? PARTS : bench->laned;
    double empty, held;

    if (!bench_fresh(bench, err) || !bench_echo_queue(bench, &empty, err) ||
        !bench_server_stop(&bench->server, err) || !queues_fill(bench, count, err) ||
        !bench_queues_say(bench, rules, err) ||
        !bench_server_start(&bench->server, bench->program, bench->plugins, err) ||
        !bench_connect(bench, err) || !queues_settle(bench, count, err) ||
        !bench_echo_queue(bench, &held, err))
        return false;
    bench_put(bench, result, "value", held / empty);
    bench_put(bench, result, "empty_runs_per_s", empty);
    bench_put(bench, result, "held_runs_per_s", held);
    bench_put(bench, result, "queued", (double)(count / PARTS * PARTS));
    return true;
}
