#include "timers.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/id.h"
#include "base/log.h"

enum {
    STEP_MS = 20, /* by less nobody sets a clock, and so exactly it is not measured */
    MEND_LIMIT = 1000,
    ASIDE_LINES = 10 /* of the log at once */
};

struct moment moment_now(void)
{
    return (struct moment){ clock_now_ms(), clock_steady_ms() };
}

bool moment_is_due(const struct moment *next, const struct moment *now)
{
    return (next->wall_ms != 0 && next->wall_ms <= now->wall_ms) ||
           (next->steady_ms != 0 && next->steady_ms <= now->steady_ms);
}

void moment_sooner(struct moment *next, int64_t steady_ms)
{
    if (steady_ms != 0 && (next->steady_ms == 0 || steady_ms < next->steady_ms))
        next->steady_ms = steady_ms;
}

static int64_t sooner(int64_t idle_ms, int64_t due_ms, int64_t now_ms)
{
    return due_ms == 0 || due_ms > now_ms + idle_ms ? idle_ms : due_ms - now_ms;
}

int64_t moment_idle_ms(const struct moment *next, const struct moment *now, int64_t most_ms)
{
    if (moment_is_due(next, now))
        return 0;
    return sooner(sooner(most_ms, next->wall_ms, now->wall_ms), next->steady_ms,
                  now->steady_ms);
}

bool clock_watch_look(struct clock_watch *watch)
{
    int64_t offset_ns, step_ms;
    char text[DURATION_TEXT_SIZE];

    if (!clock_offset_ns(&offset_ns))
        return false; /* the next look will tell */
    step_ms = watch->is_known ? (offset_ns - watch->offset_ns) / 1000000 : 0;
    if (watch->is_known && step_ms > -STEP_MS && step_ms < STEP_MS)
        return false;
    *watch = (struct clock_watch){ offset_ns, true };
    if (step_ms > 0)
        log_warn("clock.set",
                 "the system's clock went forward by %s, or the machine slept; "
                 "what is due by now goes off now",
                 duration_format(step_ms, text));
    else if (step_ms < 0)
        log_warn("clock.set",
                 "the system's clock was set back by %s; what waits for a time to pass is not "
                 "made to wait longer, what waits for a date goes by the new time",
                 duration_format(-step_ms, text));
    return step_ms != 0;
}

static uint32_t aside_log(const struct row_refs *rows)
{
    char text[ID_TEXT_SIZE];

    for (uint32_t i = 0; i < rows->count && i < ASIDE_LINES; i++)
        log_error("timer.aside", "id=%s was due and cannot be handled; its timer is put aside",
                  id_format(row_kinds[rows->items[i].kind].name, rows->items[i].id, text));
    if (rows->count > ASIDE_LINES)
        log_error("timer.aside", "and %u more like the last one", rows->count - ASIDE_LINES);
    return rows->count;
}

static void resumed_log(const struct resumed *resumed)
{
    for (; resumed != NULL; resumed = resumed->next)
        log_info(resumed->environment == 0 ? "environment.resumed" : "queue.resumed",
                 "%s=%.*s environment=%u: the time of its pause is over", resumed->what,
                 SLICE_ARG(resumed->name), resumed->environment);
}

uint32_t timers_outcome_log(const struct outcome *outcome)
{
    resumed_log(outcome->resumed);
    return aside_log(&outcome->aside);
}

uint32_t timers_mend(struct store *store, const struct moment *now)
{
    struct arena arena = { 0 };
    struct row_refs lost = { 0 };
    struct err err;
    uint32_t count = 0;

    if (!store->ops->begin(store, &err))
        return 0; /* then it is the store that fails, and not a row */
    if (store->ops->mend_due(store, now, MEND_LIMIT, &arena, &lost, &err) &&
        store->ops->commit(store, &err))
        count = aside_log(&lost);
    else
        store->ops->rollback(store);
    arena_finish(&arena);
    return count;
}
