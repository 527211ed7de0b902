/* Total time: a run that is over it has timed out, wherever it was, and not a moment before. */
#include "base/duration.h"
#include "codec/pack.h"
#include "model.h"

static void flaw(const struct look *look, const struct run *run, const char *what)
{
    world_flaw(look->world, "run %lld (status %u, move %u, total time %lld until %lld): %s",
               (long long)run->id, run->status, run->seq, (long long)run->total_ms,
               (long long)run->total_end_ms, what);
}

void total_say(struct world *world, struct trigger *trigger)
{
    if (world_chance(world, 80))
        return;
    trigger->total_ms = world_chance(world, 30) ? moment_any(world_random(world, 1 << 30), 0)
                                                : 1 + (int64_t)world_random(world, 20000);
    if (trigger->total_ms < 0)
        trigger->total_ms = 1;
}

bool rule_total_over(const struct look *look, const struct shadow *shadow)
{
    const struct run *was = shadow == NULL ? NULL : shadow->was;

    return was != NULL && !run_has_ended(was) && look->batch->look_for_due &&
           look_is_over(look, was->total_end_ms, true);
}

/* Ten percent before its end; where that is less than a tenth of a second nobody is told. */
static bool is_warned_now(const struct look *look, const struct shadow *shadow)
{
    const struct run *was = shadow->was;

    return was != NULL && !run_has_ended(was) && look->batch->look_for_due &&
           was->total_end_ms != 0 && was->total_ms >= 1000 && !was->is_total_warned &&
           !rule_total_over(look, shadow) &&
           look->steady_ms >= was->total_end_ms - was->total_ms / 10;
}

void rule_totals_pass(const struct look *look)
{
    const struct frame_note told = { .kind = NOTE_REMARK, .level = 2 };

    for (uint32_t i = 0; i < store_memory_count(look->world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(look->world->memory, i);
        struct shadow *shadow = run->total_ms == 0 ? NULL : shadow_of(look, run->id);
        if (shadow == NULL || !is_warned_now(look, shadow))
            continue;
        if (look->catalog != NULL)
            rule_notes(shadow, &told, 1);
        else
            shadow->extra_moves++;
    }
}

void rule_total_made(const struct look *look, const struct trigger *trigger,
                     const struct run *run)
{
    const struct queue_rules *rules = world_rules(queue_name_now(look, run));
    int64_t total_ms = trigger->total_ms != 0 ? trigger->total_ms : rules->total_ms;

    if (run->total_ms != total_ms)
        flaw(look, run, "it has another total time than its trigger or its queue says");
    if (!run_has_ended(run) && total_ms != 0 &&
        run->total_end_ms != time_after(look->steady_ms, total_ms))
        flaw(look, run, "its total time does not begin with its trigger");
}

static bool has_run_out(const struct run *run)
{
    struct arena arena = { 0 };
    struct value error = { .kind = VALUE_NULL };

    if (run->error.size > 0)
        (void)pack_read(&arena, run->error, &error, NULL);
    const struct value *name = value_find(&error, "name");
    bool is = name != NULL && slice_is(name->bytes, "TOTAL_TIME");
    arena_finish(&arena);
    return is;
}

void rule_total(const struct look *look, const struct shadow *shadow, const struct run *run)
{
    const struct run *was = shadow->was;
    bool is_over = rule_total_over(look, shadow);

    if (was == NULL)
        return;
    if (is_over && (run->outcome | run->ending) != OUTCOME_TIMED_OUT)
        flaw(look, run, "its total time is over, and it has not timed out");
    if (is_over ? !has_run_out(run) : has_run_out(run) && !run_has_ended(was))
        flaw(look, run,
             is_over ? "it does not say that its total time is over"
                     : "it has timed out before its total time was over");
    if (run_has_ended(run) ? run->total_end_ms != 0 || run->is_total_warned
                           : run->total_end_ms != was->total_end_ms)
        flaw(look, run, "its total time has changed, or holds though it has ended");
    if (!run_has_ended(run) &&
        run->is_total_warned != (was->is_total_warned || is_warned_now(look, shadow)))
        flaw(look, run, "it was warned too early, twice or not at all");
}
