/*
 * Timers: very many runs whose waits end within the same second.
 *
 *   stop, fill ─▶ the second comes; trigger others one by one until nobody waits
 *
 * Two things are allowed, and the worse of them is the value: ten seconds until the last is
 * queued, and a tenth of a second of work in one batch.
 */
#include "base/clock.h"
#include "cli/bench/bench_fill.h"
#include "engine/waits/wait.h"

#include <time.h>

enum { WITHIN_MS = 1000, LEAD_MS = 4000 };

static const double allowed_s = 10, allowed_work_s = 0.1;
static const char timers_queue[] = "bench-timers";

static bool timers_fill(struct bench *bench, int64_t count, int64_t from_ms, struct err *err)
{
    struct fill fill;
    bool done = fill_begin(&fill, bench, err);
    int64_t queue = done ? fill_queue(&fill, timers_queue) : 0;

    for (int64_t i = 0; done && i < count; i++) {
        struct run *run = fill_run(&fill, queue, queue, "");
        const struct wait wait = { .kind = WAIT_FOR_TIME,
                                   .due_ms = from_ms + i * WITHIN_MS / count };
        run->status = RUN_WAITING;
        run->due_ms = wait.due_ms;
        run->wait = wait_pack(&fill.arena, &wait);
        done = !bench_interrupted && fill_some(&fill, err);
    }
    return fill_end(&fill, done, err);
}

static bool moment_await(int64_t from_ms, struct err *err)
{
    int64_t ms = from_ms - clock_now_ms();
    struct timespec at = clock_monotonic_in(ms > 0 ? ms : 0);

    if (ms <= 0)
        return err_set(err, ERR_SYSTEM, "filling took so long that the timers are late");
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == 0 ||
           err_set(err, ERR_SYSTEM, "interrupted");
}

bool bench_timers(struct bench *bench, struct value *result, struct err *err)
{
    double quiet_ms = 0, worst_ms = 0;
    struct bench_meter meter;

    if (!bench_fresh(bench, err) || !bench_server_stop(&bench->server, err))
        return false;
    int64_t from_ms = clock_now_ms() + LEAD_MS + bench->parked / 10;
    if (!timers_fill(bench, bench->parked, from_ms, err) ||
        !bench_server_start(&bench->server, bench->program, bench->plugins, err) ||
        !bench_connect(bench, err) || !bench_trigger_beside(bench, NULL, &quiet_ms, err) ||
        !moment_await(from_ms, err) ||
        !bench_trigger_beside(bench, timers_queue, &worst_ms, err))
        return false;
    double seconds = (double)(clock_now_ms() - from_ms) / 1000;
    if (!bench_meter_read(bench, &meter, err))
        return false;
    double of_time = seconds / allowed_s, of_work = meter.work_most_s / allowed_work_s;
    bench_put(bench, result, "value", of_time > of_work ? of_time : of_work);
    bench_put(bench, result, "queued_s", seconds);
    bench_put(bench, result, "longest_work_ms", meter.work_most_s * 1000);
    bench_put(bench, result, "trigger_worst_ms", worst_ms);
    bench_put(bench, result, "quiet_worst_ms", quiet_ms);
    bench_put(bench, result, "runs", (double)bench->parked);
    return true;
}
