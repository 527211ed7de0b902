/*
 * Pauses. What takes a time goes by the steady clock; an `until` may be a date. A ttl that does
 * not count while its queue is frozen moves no row when it is paused or resumed: a run whose
 * time comes is looked at then, and put off by what did not count (pause_lag); as long as it
 * is frozen by more and more, so that very many of them are not looked at again and again.
 */
#include "engine/pauses.h"

#include "base/duration.h"
#include "engine/batch.h"

enum {
    RAMP_STEPS = 100, /* of a limit, at most */
    PUT_OFF_LEAST_MS = 10000,
    PUT_OFF_MOST_MS = 3600000 /* it may count again while it is paused */
};

int64_t environment_clock(const struct batch *batch, const struct environment *environment)
{
    return batch->steady_ms - pause_lag(&environment->pause, batch->steady_ms);
}

struct ramp queue_ramp(const struct batch *batch, const struct queue *queue)
{
    const struct catalog *catalog = batch->catalog;

    if (catalog == NULL)
        return (struct ramp){ { UINT32_MAX } };
    uint32_t total = catalog_queue_most(catalog, queue);
    return (struct ramp){
        { catalog_limit_now(catalog, queue, false), catalog_limit_now(catalog, queue, true),
          total == UINT32_MAX ? catalog->slots * nodes_count(batch) : total }
    };
}

struct ramp environment_ramp(const struct batch *batch)
{
    return (struct ramp){
        { batch->catalog == NULL ? UINT32_MAX : batch->catalog->slots * nodes_count(batch) }
    };
}

/* When there is one more of one of the limits; of a large one, when there are some more. */
static int64_t ramp_next(const struct pause *pause, const struct ramp *ramp, int64_t steady_ms)
{
    int64_t passed_ms = steady_ms > pause->ramp_from_ms ? steady_ms - pause->ramp_from_ms : 0;
    int64_t next_ms = pause->ramp_ms;

    for (size_t i = 0; i < sizeof ramp->limits / sizeof ramp->limits[0]; i++) {
        int64_t steps = (int64_t)ramp->limits[i] - 1;
        if (steps <= 0)
            continue;
        steps = steps < RAMP_STEPS ? steps : RAMP_STEPS;
        int64_t step = passed_ms * steps / pause->ramp_ms + 1;
        int64_t at_ms = (step * pause->ramp_ms + steps - 1) / steps;
        next_ms = at_ms < next_ms ? at_ms : next_ms;
    }
    return time_after(pause->ramp_from_ms, next_ms);
}

static void due_set(struct pause *pause, int64_t due_ms, bool is_span)
{
    pause->due_ms = due_ms;
    pause->due_is_span = is_span;
}

static void until_set(const struct batch *batch, struct pause *pause,
                      const struct pause_order *order)
{
    struct deadline end = batch_deadline(batch, order->until_date_ms, order->until_span_ms);

    due_set(pause, end.due_ms, end.is_span);
    pause->until_ms = order->until_date_ms != 0 ? time_moment(order->until_date_ms)
                      : order->until_span_ms != 0
                          ? time_after(batch->now_ms, order->until_span_ms)
                          : 0;
}

static void pause_begin(const struct batch *batch, struct pause *pause,
                        const struct pause_order *order, int64_t clock_ms)
{
    pause->paused = true;
    pause->paused_ms = batch->now_ms;
    pause->frozen = order->freezes == PAUSE_YES;
    pause->refuses = order->refuses == PAUSE_YES;
    pause->frozen_at_ms = pause->frozen ? clock_ms : 0;
    pause->ramp_from_ms = 0;
    pause->ramp_ms = order->ramp_ms; /* of its end, where that comes by itself */
    until_set(batch, pause, order);
}

/* Paused again, it keeps since when, and all that is not said anew. */
static bool pause_change(const struct batch *batch, struct pause *pause,
                         const struct pause_order *order, int64_t clock_ms)
{
    bool is_why = order->why.size > 0 && !slice_equal(order->why, pause->paused_why);
    bool freezes = order->freezes != PAUSE_UNSAID && pause->frozen != (order->freezes == 2);
    bool refuses = order->refuses != PAUSE_UNSAID && pause->refuses != (order->refuses == 2);
    bool is_ramp = order->ramp_ms > 0 && order->ramp_ms != pause->ramp_ms;
    bool is_until =
        order->until_span_ms != 0 ||
        (order->until_date_ms != 0 &&
         (pause->due_is_span || pause->due_ms != time_moment(order->until_date_ms)));

    if (order->is_mild || !(is_why || freezes || refuses || is_ramp || is_until))
        return false;
    if (freezes) {
        pause->frozen_ms = pause_lag(pause, clock_ms);
        pause->frozen = !pause->frozen;
        pause->frozen_at_ms = pause->frozen ? clock_ms : 0;
    }
    pause->refuses ^= refuses;
    pause->ramp_ms = is_ramp ? order->ramp_ms : pause->ramp_ms;
    if (is_until)
        until_set(batch, pause, order);
    return true;
}

static void pause_end(const struct batch *batch, struct pause *pause, int64_t ramp_ms,
                      int64_t clock_ms, const struct ramp *ramp)
{
    pause->frozen_ms = pause_lag(pause, clock_ms);
    pause->paused = pause->frozen = pause->refuses = false;
    pause->paused_ms = pause->until_ms = pause->frozen_at_ms = 0;
    pause->paused_by = pause->paused_why = (struct slice){ 0 };
    pause->ramp_ms = ramp_ms;
    pause->ramp_from_ms = ramp_ms > 0 ? batch->steady_ms : 0;
    due_set(pause, ramp_ms > 0 ? ramp_next(pause, ramp, batch->steady_ms) : 0, ramp_ms > 0);
}

bool pause_take(const struct batch *batch, struct pause *pause, const struct pause_order *order,
                int64_t clock_ms, const struct ramp *ramp)
{
    bool was_paused = pause->paused;

    if (!order->paused) {
        if (!was_paused && (pause->ramp_from_ms == 0 || order->ramp_ms > 0))
            return false;
        pause_end(batch, pause, order->ramp_ms, clock_ms, ramp);
        return true;
    }
    if (was_paused && !pause_change(batch, pause, order, clock_ms))
        return false;
    if (!was_paused)
        pause_begin(batch, pause, order, clock_ms);
    pause->paused_by = arena_copy(batch->arena, order->by);
    if (!was_paused || order->why.size > 0)
        pause->paused_why = arena_copy(batch->arena, order->why);
    return true;
}

void pause_due(struct batch *batch, struct pause *pause, int64_t clock_ms,
               const struct ramp *ramp)
{
    if (pause->paused) {
        pause_end(batch, pause, pause->ramp_ms, clock_ms, ramp);
    } else if (pause_is_ramping(pause) &&
               batch->steady_ms < time_after(pause->ramp_from_ms, pause->ramp_ms)) {
        due_set(pause, ramp_next(pause, ramp, batch->steady_ms), true);
    } else {
        pause->ramp_from_ms = pause->ramp_ms = 0;
        due_set(pause, 0, false);
    }
}

void resumed_add(struct batch *batch, const char *what, struct slice name, uint32_t environment)
{
    struct resumed *resumed = ARENA_NEW(batch->arena, struct resumed);

    *resumed = (struct resumed){ what, name, environment, batch->first_resumed };
    batch->first_resumed = resumed;
}

struct slice pause_text(struct arena *arena, const struct pause *pause)
{
    char until[TIME_TEXT_SIZE];
    struct slice by = pause->paused_by, why = pause->paused_why;

    return arena_format(arena, "%s%.*s%s%s%s%.*s", by.size > 0 ? " by " : "", SLICE_ARG(by),
                        pause->until_ms != 0 ? ", until " : "",
                        pause->until_ms != 0 ? time_format(pause->until_ms, until) : "",
                        why.size > 0 ? ": " : "", SLICE_ARG(why));
}

bool pause_accepts(const struct pause *pause, struct slice what, struct arena *arena,
                   struct err *err)
{
    if (!pause->paused || !pause->refuses)
        return true;
    struct slice text = pause_text(arena, pause);
    return err_set(err, ERR_RULE, "%.*s takes no runs while it is paused%.*s", SLICE_ARG(what),
                   SLICE_ARG(text));
}

/* ---- ttl --------------------------------------------------------------------------------- */

bool run_ttl_ready(struct batch *batch, const struct run *run)
{
    const struct environment *environment;
    struct queue *queue;
    bool ready = run->ttl_ms == 0 || environment_now(batch, run->environment, &environment);

    return (run->ttl_ms == 0 || rows_queue(&batch->rows, run->queue, &queue)) && ready;
}

/* How much of the time till now did not count for runs of its queue, and of that, for how long
 * now; 0: it counts. */
static int64_t lag_of(struct batch *batch, const struct run *run, int64_t *frozen_ms)
{
    const struct environment *environment;
    struct queue *queue;

    (void)environment_now(batch, run->environment, &environment); /* both are loaded */
    (void)rows_queue(&batch->rows, run->queue, &queue);
    int64_t clock_ms = environment_clock(batch, environment);
    int64_t lag_ms = batch->steady_ms - clock_ms;
    *frozen_ms = lag_ms - environment->frozen_ms;
    if (queue == NULL)
        return lag_ms;
    int64_t own_ms = pause_lag(&queue->pause, clock_ms);
    *frozen_ms += own_ms - queue->frozen_ms;
    return lag_ms + own_ms;
}

void run_ttl_begin(struct batch *batch, struct run *run)
{
    bool counts = run->started_ms == 0 && !run_has_ended(run);
    struct deadline end = batch_deadline(batch, 0, counts ? run->ttl_ms : 0);
    int64_t frozen_ms;

    run->due_ms = end.due_ms;
    run->due_is_span = end.is_span;
    run->frozen_ms = end.due_ms == 0 ? 0 : lag_of(batch, run, &frozen_ms);
}

bool run_ttl_is_over(struct batch *batch, struct run *run)
{
    int64_t frozen_ms, off_ms;

    if (run->ttl_ms == 0 || run->due_ms == 0)
        return false;
    int64_t lag_ms = lag_of(batch, run, &frozen_ms);
    int64_t end_ms = time_after(run->due_ms, lag_ms - run->frozen_ms);
    int64_t left_ms = end_ms - batch->steady_ms;
    if (left_ms <= 0 || lag_ms == run->frozen_ms) {
        run->due_ms = end_ms;
        run->frozen_ms = lag_ms;
        return left_ms <= 0;
    }
    /* Looked at again when it would be over if it counted from now on; or, as long as it does
     * not, after as long as it has not counted by now. */
    off_ms = left_ms;
    if (frozen_ms > 0 && off_ms < PUT_OFF_LEAST_MS)
        off_ms = PUT_OFF_LEAST_MS;
    if (frozen_ms > off_ms)
        off_ms = frozen_ms < PUT_OFF_MOST_MS ? frozen_ms : PUT_OFF_MOST_MS;
    run->due_ms = time_after(batch->steady_ms, off_ms);
    run->frozen_ms = lag_ms + off_ms - left_ms;
    return false;
}
