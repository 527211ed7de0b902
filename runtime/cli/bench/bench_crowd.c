/*
 * Crowds: how long others are held up by what concerns very many runs at once.
 *
 *   stop, fill ─▶ cancel a run with all below it, and trigger others one by one meanwhile
 *             ─▶ complete a token for which as many wait, the same
 */
#include "base/clock.h"
#include "base/id.h"
#include "cli/bench/bench_fill.h"
#include "engine/waits/wait.h"

#include <stdio.h>

enum { LOOK_EVERY = 16, CROWD_MAX_S = 300 };

static const char tree_queue[] = "bench-tree", waiters_queue[] = "bench-waiters";

struct crowd {
    int64_t parent, token;
};

static bool tree_fill(struct fill *fill, struct crowd *crowd, int64_t count, struct err *err)
{
    int64_t queue = fill_queue(fill, tree_queue);
    bool done = true;

    crowd->parent = fill_run(fill, queue, queue, "")->id;
    for (int64_t i = 0; done && i < count; i++) {
        struct run *run = fill_run(fill, queue, queue, "");
        run->parent_id = run->root_id = crowd->parent;
        run->depth = 1;
        done = !bench_interrupted && fill_some(fill, err);
    }
    return done;
}

static bool waiters_fill(struct fill *fill, struct crowd *crowd, int64_t count, struct err *err)
{
    int64_t queue = fill_queue(fill, waiters_queue);
    bool done = true;

    crowd->token = id_next(&fill->ids, clock_now_ms());
    struct waitpoint *token = rows_new_waitpoint(&fill->rows, crowd->token);
    token->environment = fill->environment;
    token->kind = WAITPOINT_TOKEN;
    token->status = WAITPOINT_PENDING;
    token->created_ms = clock_now_ms();
    const struct wait wait = {
        .kind = WAIT_FOR_TOKEN, .needed = 1, .ids = &crowd->token, .count = 1
    };
    struct slice packed = wait_pack(&fill->lasting, &wait);
    for (int64_t i = 0; done && i < count; i++) {
        struct run *run = fill_run(fill, queue, queue, "");
        run->status = RUN_WAITING;
        run->wait = packed;
        run->remaining = 1;
        (void)rows_new_edge(&fill->rows, crowd->token, run->id); /* written with the others */
        done = !bench_interrupted && fill_some(fill, err);
    }
    return done;
}

bool bench_trigger_beside(struct bench *bench, const char *queue, double *worst_ms,
                          struct err *err)
{
    struct bench_counts counts = { 0 };
    struct buffer request = { 0 };
    char id[BENCH_ID_BYTES];
    uint64_t begin_ns = clock_monotonic_ns(), worst_ns = 0, start_ns = begin_ns;
    uint64_t most_ns = (queue == NULL ? 1 : CROWD_MAX_S) * UINT64_C(1000000000);
    bool done = true, is_over = false;

    bench_trigger(bench, &request, "bench-echo", "bench-echo", NULL);
    for (int i = 1; done && !is_over; i++) {
        start_ns = clock_monotonic_ns();
        done = bench_start(bench, buffer_view(&request), id, err);
        uint64_t now_ns = clock_monotonic_ns();
        worst_ns = now_ns - start_ns > worst_ns ? now_ns - start_ns : worst_ns;
        is_over = queue == NULL && now_ns - begin_ns > most_ns;
        if (queue == NULL || i % LOOK_EVERY != 0 || !done)
            continue;
        done = bench_counts(bench, queue, &counts, err);
        is_over = counts.waiting == 0 && (queue != tree_queue || counts.queued == 0);
        if (bench_interrupted || now_ns - begin_ns > most_ns)
            done = err_set(err, ERR_SYSTEM, "the crowd in %s does not end", queue);
    }
    *worst_ms = (double)worst_ns / 1e6;
    buffer_finish(&request);
    return done;
}

/* What ends a crowd, and under which names it is told. */
struct end {
    const char *path, *queue;
    struct slice body;
    const char *seconds, *reply_ms, *worst_ms;
};

/* All of it, from the request to the last run. */
static bool crowd_end(struct bench *bench, struct value *result, const struct end *end,
                      double *worst_ms, struct err *err)
{
    uint64_t start_ns = clock_monotonic_ns();
    bool done = bench_need(bench, "POST", end->path, end->body, err);
    double reply_ms = (double)(clock_monotonic_ns() - start_ns) / 1e6;

    done = done && bench_trigger_beside(bench, end->queue, worst_ms, err);
    bench_put(bench, result, end->seconds, (double)(clock_monotonic_ns() - start_ns) / 1e9);
    bench_put(bench, result, end->reply_ms, reply_ms);
    bench_put(bench, result, end->worst_ms, *worst_ms);
    return done;
}

static bool crowds_make(struct bench *bench, struct crowd *crowd, struct err *err)
{
    struct fill fill;
    bool done = fill_begin(&fill, bench, err) && tree_fill(&fill, crowd, bench->parked, err) &&
                waiters_fill(&fill, crowd, bench->parked, err);

    return fill_end(&fill, done, err);
}

bool bench_crowd(struct bench *bench, struct value *result, struct err *err)
{
    char cancel[BENCH_PATH_BYTES], complete[BENCH_PATH_BYTES], id[ID_TEXT_SIZE];
    double quiet = 0, tree = 0, token = 0;
    struct crowd crowd;

    if (!bench_fresh(bench, err) || !bench_server_stop(&bench->server, err) ||
        !crowds_make(bench, &crowd, err) ||
        !bench_server_start(&bench->server, bench->program, bench->plugins, err) ||
        !bench_connect(bench, err) || !bench_trigger_beside(bench, NULL, &quiet, err))
        return false;
    snprintf(cancel, sizeof cancel, "/api/v2/runs/%s/cancel",
             id_format("run", crowd.parent, id));
    snprintf(complete, sizeof complete, "/api/v1/waitpoints/tokens/%s/complete",
             id_format("waitpoint", crowd.token, id));
    const struct end ends[] = {
        { cancel, tree_queue, { 0 }, "tree_s", "tree_reply_ms", "tree_worst_ms" },
        { complete, waiters_queue, SLICE("{\"data\":1}"), "token_s", "token_reply_ms",
          "token_worst_ms" },
    };
    if (!crowd_end(bench, result, &ends[0], &tree, err) ||
        !crowd_end(bench, result, &ends[1], &token, err))
        return false;
    bench_put(bench, result, "value", tree > token ? tree : token);
    bench_put(bench, result, "quiet_worst_ms", quiet);
    bench_put(bench, result, "runs", (double)bench->parked);
    return true;
}
