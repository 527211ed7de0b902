/*
 * bench: how fast, beside how fast it could be.
 *
 *   workload ─▶ a fresh server (or --url) ─▶ load ─▶ every run accounted for ─▶ result
 *                                                  the limit: bare parts doing the same work
 *
 * A result only counts when the server says that exactly what was triggered was finished. To
 * add a workload: a function, and a row in bench.c.
 */
#ifndef BENCH_H
#define BENCH_H

#include "cli/bench/bench_load.h"
#include "cli/bench/bench_server.h"
#include "cli/bench/bench_sqlite.h"
#include "cli/cli.h"
#include "codec/value.h"

enum { BENCH_PAYLOAD_BYTES = 200, BENCH_ID_BYTES = 48, BENCH_PATH_BYTES = 160 };

struct bench {
    struct call *call;
    struct arena *arena; /* the call's: results live to the end */
    uint32_t connections;
    int64_t duration_ms; /* of a workload's load */
    int64_t parked, queued, laned;
    struct slice only;   /* names with commas between; empty: all */
    const char *program; /* bide, whose server is measured */
    const char *plugins, *dir;
    bool is_own; /* the server is ours: may be killed, and is fresh */
    struct bench_server server;
    struct load control; /* one connection, for questions in between */
    struct buffer request;
    int status; /* of the last reply to bench_ask */
    struct buffer body;
    double per_commit; /* commands in a commit of the last workload, on average */
};

struct bench_workload {
    const char *name, *unit;
    double floor;
    bool less_is_better;
    bool needs_own;
    bool needs_none;  /* no server at all */
    const char *says; /* one line for people */
    bool (*run)(struct bench *bench, struct value *result, struct err *err);
};

/* Set by SIGINT; loops look at it. */
extern volatile int bench_interrupted;

/* ---- bench_ask.c: the server and questions to it ----------------------------------------- */

/* A new server with nothing in it, or the one given. */
bool bench_fresh(struct bench *bench, struct err *err);
/* Connect `control` to the server as it is now, and wait until it says that it is ready. */
bool bench_connect(struct bench *bench, struct err *err);
/* One request, one reply in bench->status and ->body. Errors: SYSTEM; a refusal is none. */
bool bench_ask(struct bench *bench, const char *type, const char *path, struct slice body,
               struct err *err);
/* The same; anything but 200 is an error that names the request. */
bool bench_need(struct bench *bench, const char *type, const char *path, struct slice body,
                struct err *err);

struct bench_counts {
    int64_t running, queued, waiting, completed, failed, canceled;
};

bool bench_counts(struct bench *bench, const char *queue, struct bench_counts *counts,
                  struct err *err);
bool bench_pause(struct bench *bench, const char *queue, bool paused, struct err *err);
/* Wait until `count` runs of the queue have completed since `before`; anything that failed is
 * an error, and so is no progress for half a minute. */
bool bench_drain(struct bench *bench, const char *queue, const struct bench_counts *before,
                 int64_t count, struct err *err);
/* Wait until `count` runs of the queue wait for their tokens. */
bool bench_settle(struct bench *bench, const char *queue, int64_t count, struct err *err);

/* A whole trigger request of BENCH_PAYLOAD_BYTES of payload; `reply` names a FIFO, or is NULL.
 */
void bench_trigger(const struct bench *bench, struct buffer *out, const char *task,
                   const char *queue, const char *reply);

/* Send a trigger and keep the run's id. */
bool bench_start(struct bench *bench, struct slice request, char id[BENCH_ID_BYTES],
                 struct err *err);
/* Is the run in the last reply COMPLETED? */
bool bench_completed(struct bench *bench, struct err *err);
/* Wait until the run waits for a token; the path whose POST completes it. */
bool bench_token(struct bench *bench, const char *id, char path[BENCH_PATH_BYTES],
                 struct err *err);

/* ---- bench_meter.c: what the server counts --------------------------------------------- */

struct bench_meter {
    double batches, commands, commit_s, busy_s, work_most_s, cpu_ms, server_cpu_ms;
};

bool bench_meter_read(struct bench *bench, struct bench_meter *meter, struct err *err);
/* Put the differences into the result, and keep bench->per_commit for the limit. */
bool bench_meter_put(struct bench *bench, const struct bench_meter *before, double units,
                     double seconds, struct value *result, struct err *err);

/* ---- bench_sample.c: times --------------------------------------------------------------- */

struct samples {
    uint32_t *us;
    size_t count, capacity;
};

void samples_add(struct samples *samples, uint64_t duration_ns);
void samples_finish(struct samples *samples);
/* In milliseconds; sorts. 0 when there are none. */
double samples_percentile(struct samples *samples, double percent);

/* Put a number into a result, with three decimals at most. */
void bench_put(struct bench *bench, struct value *result, const char *name, double number);
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- the load that most workloads share: bench_flow.c ------------------------------------ */

struct flow {
    struct load load;
    struct slice request;
    uint64_t until_ns;   /* no new requests from then on */
    uint64_t most;       /* nor beyond this many; 0: any number */
    uint64_t sent, done; /* done: acknowledged */
    uint64_t *sent_ns;   /* per connection */
    struct samples times;
    struct err err;
    bool failed;
};

/* Send `request` over and over on `connections` connections until `duration_ms` is over or
 * `most` are sent, and wait for the last reply. *rate is done a second. Errors: a refusal is
 * one. */
bool flow_run(struct flow *flow, const char *host, uint16_t port, struct slice request,
              uint32_t connections, int64_t duration_ms, uint64_t most, double *rate,
              struct err *err);
/* The same to the bench's server. */
bool bench_flow(struct bench *bench, struct flow *flow, struct slice request,
                int64_t duration_ms, uint64_t most, double *rate, struct err *err);
void flow_finish(struct flow *flow);

/* ---- limits: bench_limit.c --------------------------------------------------------------- */

/* What bare libuv and llhttp do with `request` on so many connections, with the same generator.
 */
bool limit_http(struct bench *bench, struct slice request, uint32_t connections, double *rate,
                double *p50_ms, struct err *err);
/*
 * Measure both limits and put them beside the result, with the ratio of its value to the
 * smaller one. `requests` of that kind make one unit; bare SQLite has as many rows a commit as
 * the workload had.
 */
bool limits_put(struct bench *bench, enum sqlite_limit kind, struct slice request,
                double requests, struct value *result, struct err *err);
/*
 * The same for one client: the time of `requests` round trips, and of a `share` of the commits
 * of a cycle with one row each. They come one after the other, so the limit is their sum.
 */
bool limits_put_times(struct bench *bench, enum sqlite_limit kind, struct slice request,
                      double requests, double share, struct value *result, struct err *err);

int bench_exec(struct call *call);

/* bench_lanes.c: runs a second through a queue of their own, from the first trigger to the last
 * end. */
bool bench_echo_queue(struct bench *bench, double *rate, struct err *err);
/* bench_crowd.c: triggers one by one until nobody in that queue waits or, where it is NULL, for
 * a second; the longest of them. */
bool bench_trigger_beside(struct bench *bench, const char *queue, double *worst_ms,
                          struct err *err);
/* What queues.yaml says of queues; while no server runs, which would make those at once. */
bool bench_queues_say(const struct bench *bench, const char *lines, struct err *err);

/* ---- workloads --------------------------------------------------------------------------- */

bool bench_ingest(struct bench *bench, struct value *result, struct err *err);
bool bench_echo(struct bench *bench, struct value *result, struct err *err);
bool bench_wait(struct bench *bench, struct value *result, struct err *err);
bool bench_latency(struct bench *bench, struct value *result, struct err *err);
bool bench_resume(struct bench *bench, struct value *result, struct err *err);
bool bench_parked(struct bench *bench, struct value *result, struct err *err);
bool bench_restart(struct bench *bench, struct value *result, struct err *err);
bool bench_lanes(struct bench *bench, struct value *result, struct err *err);
bool bench_tenants(struct bench *bench, struct value *result, struct err *err);
bool bench_held(struct bench *bench, struct value *result, struct err *err);
bool bench_batch(struct bench *bench, struct value *result, struct err *err);
bool bench_crowd(struct bench *bench, struct value *result, struct err *err);
bool bench_timers(struct bench *bench, struct value *result, struct err *err);
bool bench_schema_small(struct bench *bench, struct value *result, struct err *err);
bool bench_schema_large(struct bench *bench, struct value *result, struct err *err);

#endif
