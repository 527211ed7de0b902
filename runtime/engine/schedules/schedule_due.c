/* A schedule's time has come. */
#include "base/duration.h"
#include "engine/schedules/backfill.h"

#include <inttypes.h>

enum {
    FIRES_AT_ONCE = 100, /* in one batch; the others in the next one */
    COUNTED_MOST = 10000,
    STARTING_MS = 500,
    NO_ROOM_MS = 10000
};

static int64_t number_before(const struct schedule_sense *sense, int64_t after_s,
                             int64_t until_s, int64_t most, int64_t *last_s)
{
    struct tick tick = { .at_s = after_s };
    int64_t count = 0;

    while (count < most && schedule_rules_next(&sense->rules, &sense->plan, tick.at_s, &tick) &&
           tick.at_s <= until_s) {
        *last_s = tick.at_s;
        count++;
    }
    return count;
}

/* The first of the newest `most` ticks in (after, until]; false: there are none. From the end,
 * as there may be millions of them. */
static bool newest_find(const struct schedule_sense *sense, int64_t after_s, int64_t until_s,
                        int64_t most, int64_t *first_s)
{
    int64_t count = 0, from_s = until_s;

    for (int64_t back_s = 64; from_s > after_s && count < most; back_s *= 4) {
        from_s = until_s - back_s > after_s ? until_s - back_s : after_s;
        count = number_before(sense, from_s, until_s, INT64_MAX, first_s);
    }
    if (count == 0)
        return false;
    return number_before(sense, from_s, until_s, count > most ? count - most + 1 : 1, first_s) >
           0;
}

/* The first tick that is still to fire, of those up to now; false: none is. */
static bool first_kept(const struct schedule_sense *sense, int64_t next_s, int64_t now_s,
                       int64_t *first_s)
{
    const struct schedule_rules *rules = &sense->rules;
    int64_t after_s = next_s - 1, in_time_s = now_s - rules->grace_ms / 1000;

    switch ((enum missed_rule)rules->missed) {
    case MISSED_NONE:
        after_s = in_time_s > after_s ? in_time_s : after_s;
        return number_before(sense, after_s, now_s, 1, first_s) == 1;
    case MISSED_LAST:
        return newest_find(sense, after_s, now_s, 1, first_s);
    case MISSED_ALL:
        break;
    }
    if (rules->missed_within_ms != 0 && now_s - rules->missed_within_ms / 1000 > after_s)
        after_s = now_s - rules->missed_within_ms / 1000;
    return newest_find(sense, after_s, now_s, rules->missed_max, first_s);
}

/* Nobody was there when they were due: downtime, or the clock was set forward. */
static void missed_drop(struct batch *batch, struct schedule *schedule,
                        const struct schedule_sense *sense)
{
    const struct schedule_rules *rules = &sense->rules;
    int64_t now_s = (batch->now_ms - rules->spread_ms - rules->jitter_ms) / 1000;
    int64_t next_s = schedule->next_ms / 1000, first_s, last_s;
    char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];

    if (schedule->next_ms == 0 || next_s >= now_s - rules->grace_ms / 1000)
        return;
    bool is_kept = first_kept(sense, next_s, now_s, &first_s);
    if (is_kept && first_s <= next_s)
        return;
    int64_t until_s = is_kept ? first_s - 1 : now_s;
    int64_t count = number_before(sense, next_s - 1, until_s, COUNTED_MOST, &last_s);
    if (count > 0) {
        schedule->missed += count;
        schedule->dropped += (uint32_t)count;
        schedule_say(
            batch, schedule, "missed", schedule->next_ms,
            arena_format(batch->arena, "%" PRId64 "%s, from %s to %s: nobody was there; %s",
                         count, count == COUNTED_MOST ? " or more" : "",
                         time_format(schedule->next_ms, from), time_format(last_s * 1000, to),
                         rules->missed == MISSED_NONE ? "none is made up for"
                         : rules->missed == MISSED_LAST
                             ? "the last one alone is made up for"
                             : "no more are made up for (missed_within, missed_max)"));
    }
    schedule_aim(batch, schedule, sense, until_s);
}

static void waiting_write(struct batch *batch, struct schedule *schedule, uint32_t from,
                          int64_t more_ms)
{
    struct buffer bytes = { 0 };
    uint32_t count = schedule_numbers(schedule->waiting);

    for (uint32_t i = from; i < count; i++) {
        int64_t at_ms = schedule_number(schedule->waiting, i);
        buffer_add(&bytes, &at_ms, sizeof at_ms);
    }
    if (more_ms != 0)
        buffer_add(&bytes, &more_ms, sizeof more_ms);
    schedule->waiting = arena_copy(batch->arena, buffer_view(&bytes));
    buffer_finish(&bytes);
}

/* A run before it is not over. False: it fires all the same. */
static bool overlap_hold(struct batch *batch, struct schedule *schedule,
                         const struct schedule_rules *rules)
{
    uint32_t waiting = schedule_numbers(schedule->waiting);
    uint32_t most = rules->overlap == OVERLAP_QUEUE_ONE   ? 1
                    : rules->overlap == OVERLAP_QUEUE_ALL ? rules->overlap_max
                                                          : 0;

    if (rules->overlap == OVERLAP_ALLOW || rules->overlap == OVERLAP_CANCEL_RUNNING)
        return false;
    if (waiting < most) {
        waiting_write(batch, schedule, 0, schedule->next_ms);
        return true;
    }
    schedule->skipped++;
    schedule_say(batch, schedule, "skipped", schedule->next_ms,
                 most == 0
                     ? SLICE("its run before is not over (overlap: skip)")
                     : SLICE("as many ticks as may wait for its run before (overlap_max)"));
    return true;
}

static enum schedule_step step_take(struct batch *batch, struct schedule *schedule,
                                    struct schedule_sense *sense)
{
    const struct schedule_rules *rules = &sense->rules;
    struct schedule_firing firing = { .before_ms = schedule->last_ms };
    struct ids alive;

    if (!schedule_runs(batch, schedule, sense, &alive))
        return SCHEDULE_STEP_ROWS;
    if (!schedule->active)
        return SCHEDULE_STEP_END;
    schedule_rules_spread(&sense->rules, &sense->plan, schedule->next_ms / 1000);
    uint32_t waiting = schedule_numbers(schedule->waiting);
    bool is_waiting = waiting > 0 && alive.count == 0;
    if (!is_waiting && (schedule->next_ms == 0 ||
                        !batch_is_over(batch, schedule_tick_due(schedule, rules), false)))
        return SCHEDULE_STEP_END;
    if (!is_waiting && (alive.count > 0 || waiting > 0) &&
        overlap_hold(batch, schedule, rules)) {
        schedule_aim(batch, schedule, sense, schedule->next_ms / 1000);
        return SCHEDULE_STEP_DONE;
    }
    firing.at_ms = is_waiting ? schedule_number(schedule->waiting, 0) : schedule->next_ms;
    if (!schedule_fire(batch, schedule, sense, &firing))
        return SCHEDULE_STEP_ROWS;
    if (firing.is_later)
        return SCHEDULE_STEP_LATER;
    schedule_run_add(batch, schedule, sense, firing.run_id, &alive);
    if (is_waiting)
        waiting_write(batch, schedule, 1, 0);
    else
        schedule_aim(batch, schedule, sense, firing.at_ms / 1000);
    return SCHEDULE_STEP_DONE;
}

/* The file does not have it any more. */
static bool is_forgotten(const struct batch *batch, const struct schedule *schedule)
{
    return schedule->is_declared && batch->catalog->has_schedules &&
           catalog_schedule(batch->catalog, schedule->environment, schedule->name) == NULL;
}

/* When it is looked at next. */
static void look_again(struct batch *batch, struct schedule *schedule,
                       struct schedule_sense *sense, enum schedule_step ticks,
                       enum schedule_step backfill)
{
    schedule_rules_spread(&sense->rules, &sense->plan, schedule->next_ms / 1000);
    schedule->due_ms = schedule_tick_due(schedule, &sense->rules);
    if (ticks == SCHEDULE_STEP_DONE || backfill == SCHEDULE_STEP_DONE)
        schedule_at_once(schedule); /* the others in the next batch */
    else if (ticks == SCHEDULE_STEP_LATER ||
             (backfill == SCHEDULE_STEP_LATER &&
              (schedule->due_ms == 0 || schedule->due_ms > batch->now_ms + NO_ROOM_MS)))
        schedule->due_ms = time_after(batch->now_ms, NO_ROOM_MS);
}

bool schedule_due(struct batch *batch, int64_t id)
{
    struct schedule_sense sense;
    struct schedule *schedule;
    struct err err;
    enum schedule_step step = SCHEDULE_STEP_DONE;

    if (!rows_schedule(&batch->rows, id, &schedule))
        return false;
    if (schedule == NULL || schedule->row.is_deleted ||
        !batch_is_over(batch, schedule->due_ms, false)) {
        batch->is_due_wrong |=
            !batch_was_due(batch, ROW_SCHEDULE, schedule == NULL ? NULL : &schedule->row);
        return true;
    }
    if (batch->catalog == NULL) {
        schedule->due_ms = time_after(batch->now_ms, STARTING_MS);
        return true;
    }
    if (is_forgotten(batch, schedule)) {
        schedule->row.is_deleted = true;
        return true;
    }
    if (!schedule_read(batch, schedule, &sense, &err)) {
        schedule_stop(schedule, arena_format(batch->arena, "%s", err.text));
        schedule->due_ms = 0;
        schedule_say(batch, schedule, "stopped", batch->now_ms, schedule->note);
        return true;
    }
    missed_drop(batch, schedule, &sense);
    for (int i = 0; i < FIRES_AT_ONCE && step == SCHEDULE_STEP_DONE; i++)
        step = step_take(batch, schedule, &sense);
    enum schedule_step filled = step == SCHEDULE_STEP_ROWS
                                    ? SCHEDULE_STEP_ROWS
                                    : backfill_take(batch, schedule, &sense);
    if (step == SCHEDULE_STEP_ROWS || filled == SCHEDULE_STEP_ROWS) {
        schedule_at_once(schedule); /* it is asked again */
        return false;
    }
    look_again(batch, schedule, &sense, step, filled);
    return true;
}

bool schedule_load(struct batch *batch, int64_t id)
{
    struct schedule *schedule;

    return rows_schedule(&batch->rows, id, &schedule);
}

void schedule_tell(struct batch *batch, int64_t id)
{
    struct schedule *schedule;

    (void)rows_schedule(&batch->rows, id, &schedule); /* loaded */
    if (schedule != NULL && !schedule->row.is_deleted &&
        ((schedule->active && schedule_numbers(schedule->waiting) > 0) ||
         schedule->backfill.size > 0))
        schedule_at_once(schedule);
}
