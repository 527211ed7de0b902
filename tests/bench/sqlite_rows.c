/*
 * Rows a second of the SQLite store through its contract (load, flush, commit), and what a
 * parked run takes in the file.
 *
 *   bench_sqlite [DIRECTORY [MILLISECONDS]]
 *
 * Each workload runs at 1, 10, 100 and 1,000 a commit, beside bare SQLite doing the same rows.
 */
#include "base/clock.h"
#include "base/id.h"
#include "cli/bench/bench_sqlite.h"
#include "engine/rows/rows.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1000, PAYLOAD_BYTES = 200, STATE_BYTES = 100, PARKED = 100000, SAMPLES = 65536 };

struct bench {
    struct store *store;
    struct arena arena;
    struct rows rows;
    struct id_source ids;
    int64_t queue;
    int64_t runs[MOST], tokens[MOST];
    uint32_t count;
    uint64_t commit_ns[SAMPLES];
    uint32_t commits;
};

static char filler[PAYLOAD_BYTES];

static struct slice bytes(size_t size)
{
    return (struct slice){ filler, size };
}

static void check(bool done, const struct err *err)
{
    if (!done) {
        fprintf(stderr, "bench_sqlite: %s\n", err->text);
        exit(1);
    }
}

/* ---- one batch --------------------------------------------------------------------------- */

static void bench_begin(struct bench *bench)
{
    struct err err = { 0 };

    arena_reset(&bench->arena);
    rows_init(&bench->rows, &bench->arena);
    check(bench->store->ops->begin(bench->store, &err), &err);
}

static void batch_load(struct bench *bench)
{
    struct err err = { 0 };

    check(bench->store->ops->load(bench->store, &bench->rows, &err), &err);
    rows_loaded(&bench->rows);
}

static void batch_end(struct bench *bench)
{
    struct err err = { 0 };

    check(bench->store->ops->flush(bench->store, &bench->rows, &err), &err);
    uint64_t start_ns = clock_monotonic_ns();
    check(bench->store->ops->commit(bench->store, &err), &err);
    bench->commit_ns[bench->commits++ % SAMPLES] = clock_monotonic_ns() - start_ns;
}

static void move(struct bench *bench, struct run *run, uint32_t status)
{
    char *timeline = arena_alloc(&bench->arena, run->timeline.size + 5);

    if (run->timeline.size > 0)
        memcpy(timeline, run->timeline.data, run->timeline.size);
    run->timeline = (struct slice){ timeline, run->timeline.size + 5 };
    run->status = status;
    run->seq++;
    run->updated_ms = clock_now_ms();
}

static struct run *find(struct bench *bench, int64_t id, uint32_t parts)
{
    struct run *run;

    return rows_run(&bench->rows, id, parts, &run) ? run : NULL;
}

static void trigger(struct bench *bench)
{
    int64_t now_ms = clock_now_ms();

    bench_begin(bench);
    for (uint32_t i = 0; i < bench->count; i++) {
        struct run *run = rows_new_run(&bench->rows, id_next(&bench->ids, now_ms));
        bench->runs[i] = run->id;
        run->environment = 1;
        run->root_id = run->id;
        run->queue = run->lane = bench->queue;
        run->created_ms = run->rank_ms = now_ms;
        run->max_attempts = 3;
        run->task = SLICE("approve-refund");
        run->input = bytes(PAYLOAD_BYTES);
        run->row.dirty_parts = PART_INPUT;
        move(bench, run, RUN_QUEUED);
    }
    batch_end(bench);
}

static void load_runs(struct bench *bench, uint32_t parts)
{
    bench_begin(bench);
    for (uint32_t i = 0; i < bench->count; i++)
        (void)find(bench, bench->runs[i], parts);
    batch_load(bench);
}

static void start(struct bench *bench)
{
    load_runs(bench, PART_INPUT);
    for (uint32_t i = 0; i < bench->count; i++) {
        struct run *run = find(bench, bench->runs[i], PART_INPUT);
        run->version = SLICE("1.0.0");
        run->build = SLICE("0123456789abcdef");
        run->attempt = 1;
        run->id_block = id_next_block(&bench->ids, clock_now_ms());
        run->started_ms = clock_now_ms();
        move(bench, run, RUN_RUNNING);
    }
    batch_end(bench);
}

static void suspend(struct bench *bench)
{
    int64_t now_ms = clock_now_ms();

    load_runs(bench, 0);
    for (uint32_t i = 0; i < bench->count; i++) {
        struct run *run = find(bench, bench->runs[i], 0);
        struct waitpoint *token =
            rows_new_waitpoint(&bench->rows, bench->tokens[i] = id_next(&bench->ids, now_ms));
        token->environment = 1;
        token->created_ms = now_ms;
        token->run_id = run->id;
        token->task = run->task;
        run->segment = SLICE("decided");
        run->remaining = 1;
        run->wait = bytes(15);
        run->state = bytes(STATE_BYTES);
        run->row.dirty_parts = PART_STATE;
        (void)rows_new_edge(&bench->rows, token->id, run->id);
        move(bench, run, RUN_WAITING);
    }
    batch_end(bench);
}

/* The token is completed, its edges found, their runs woken and started at once. */
static void complete(struct bench *bench)
{
    struct waitpoint *token;
    struct edges *edges;

    bench_begin(bench);
    for (uint32_t i = 0; i < bench->count; i++) {
        (void)rows_waitpoint(&bench->rows, bench->tokens[i], &token);
        (void)rows_edges(&bench->rows, bench->tokens[i], 1000, &edges);
    }
    batch_load(bench);
    for (uint32_t i = 0; i < bench->count; i++) {
        (void)rows_edges(&bench->rows, bench->tokens[i], 1000, &edges);
        (void)find(bench, edges->first->run_id, PART_INPUT | PART_STATE);
    }
    batch_load(bench);
    for (uint32_t i = 0; i < bench->count; i++) {
        (void)rows_waitpoint(&bench->rows, bench->tokens[i], &token);
        (void)rows_edges(&bench->rows, bench->tokens[i], 1000, &edges);
        struct run *run = find(bench, edges->first->run_id, PART_INPUT | PART_STATE);
        token->status = WAITPOINT_COMPLETED;
        token->completed_ms = clock_now_ms();
        token->result = bytes(20);
        rows_delete_edge(&bench->rows, edges->first);
        run->remaining = 0;
        move(bench, run, RUN_RUNNING);
    }
    batch_end(bench);
}

static void finish(struct bench *bench)
{
    load_runs(bench, 0);
    for (uint32_t i = 0; i < bench->count; i++) {
        struct run *run = find(bench, bench->runs[i], 0);
        bool has_state = run->wait.size > 0;
        run->outcome = OUTCOME_COMPLETED;
        run->finished_ms = clock_now_ms();
        run->wait = bytes(0);
        run->output = bytes(20);
        run->state = bytes(0);
        run->row.dirty_parts = PART_OUTPUT | (has_state ? PART_STATE : 0);
        move(bench, run, RUN_DONE);
    }
    batch_end(bench);
}

/* ---- workloads --------------------------------------------------------------------------- */

typedef void step(struct bench *bench);

struct workload {
    const char *name;
    step *steps[6];
    step *timed; /* NULL: all of them */
    enum sqlite_limit limit;
};

static const struct workload workloads[] = {
    { "trigger", { trigger }, NULL, LIMIT_INGEST },
    { "echo", { trigger, start, finish }, NULL, LIMIT_ECHO },
    { "finish alone", { trigger, start, finish }, finish, LIMIT_ECHO },
    { "wait cycle", { trigger, start, suspend, complete, finish }, NULL, LIMIT_WAIT },
};

/* Of this thread: what is left when others use the machine as well. */
static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int by_time(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void measure(struct bench *bench, const struct workload *workload, uint32_t count,
                    uint32_t time_ms, const char *directory)
{
    uint64_t start_ns = clock_monotonic_ns(), timed_ns = 0, timed_cpu_ns = 0, done = 0;
    double limit = 0;
    struct err err = { 0 };

    bench->count = count;
    bench->commits = 0;
    while (clock_monotonic_ns() - start_ns < time_ms * UINT64_C(1000000)) {
        for (int i = 0; i < 6 && workload->steps[i] != NULL; i++) {
            uint64_t before_ns = clock_monotonic_ns(), before_cpu_ns = cpu_ns();
            workload->steps[i](bench);
            if (workload->timed != NULL && workload->timed != workload->steps[i])
                continue;
            timed_ns += clock_monotonic_ns() - before_ns;
            timed_cpu_ns += cpu_ns() - before_cpu_ns;
        }
        done += count;
    }
    check(bench_sqlite_limit(directory, workload->limit, count, time_ms, &limit, &err), &err);
    uint32_t samples = bench->commits < SAMPLES ? bench->commits : SAMPLES;
    qsort(bench->commit_ns, samples, sizeof bench->commit_ns[0], by_time);
    double each = (double)done * 1e3;
    printf("%-12s %4u a commit %8.0f/s, %6.1f us and %5.1f us of CPU each, commit p50 %5.0f "
           "p99 %5.0f max %6.0f us",
           workload->name, count, (double)done * 1e9 / (double)timed_ns,
           (double)timed_ns / each, (double)timed_cpu_ns / each,
           (double)bench->commit_ns[samples / 2] / 1e3,
           (double)bench->commit_ns[samples * 99 / 100] / 1e3,
           (double)bench->commit_ns[samples - 1] / 1e3);
    if (workload->timed == NULL)
        printf(", bare %8.0f/s", limit);
    printf("\n");
    fflush(stdout);
}

static void parked(struct bench *bench, const char *path)
{
    static const uint32_t sizes[] = { 1, 10, 100, 1000 };
    struct stat status;

    (void)path;
    bench->count = sizes[3];
    for (uint32_t made = 0; made < PARKED; made += bench->count) {
        trigger(bench);
        start(bench);
        suspend(bench);
    }
    bench->store->ops->close(bench->store); /* the log goes into the file */
    bench->store = NULL;
    if (stat(path, &status) == 0)
        printf("parked %d runs: %.0f bytes each\n", PARKED, (double)status.st_size / PARKED);
}

static void bench_open(struct bench *bench, const char *path)
{
    struct err err = { 0 };
    uint32_t environment;

    (void)unlink(path);
    check(store_sqlite_open(path, &bench->store, &err), &err);
    check(bench->store->ops->environment(bench->store, "prod", &environment, &err), &err);
    id_source_init(&bench->ids, 1);
    bench_begin(bench);
    bench->queue = id_next(&bench->ids, clock_now_ms());
    (void)rows_new_queue(&bench->rows, bench->queue, environment, SLICE("task/approve-refund"));
    batch_end(bench);
}

int main(int argc, char **argv)
{
    static const uint32_t counts[] = { 1, 10, 100, 1000 };
    static struct bench bench;
    const char *directory = argc > 1 ? argv[1] : ".";
    uint32_t time_ms = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000;
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/bench-%ld.db", directory, (long)getpid());
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
        for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++) {
            bench_open(&bench, path);
            measure(&bench, &workloads[i], counts[j], time_ms, directory);
            bench.store->ops->close(bench.store);
        }
    bench_open(&bench, path);
    parked(&bench, path);
    arena_finish(&bench.arena);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/bench-%ld.db.lock", directory, (long)getpid());
    (void)unlink(path);
    return 0;
}
