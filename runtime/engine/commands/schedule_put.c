/* Schedules by hand: made, changed, paused, run, backfilled, deleted; and looked at when zone
 * data changed.
 */
#include "base/duration.h"
#include "base/name.h"
#include "engine/schedules/backfill.h"

#include <inttypes.h>

static bool may_change(struct command *command, const struct schedule *schedule)
{
    return !schedule->is_declared ||
           err_set(&command->err, ERR_RULE,
                   "the schedule %.*s is declared in schedules.yaml; it is changed there",
                   SLICE_ARG(schedule->name));
}

bool schedule_put_decide(struct batch *batch, struct command *command)
{
    struct schedule_put *put = &command->schedule_put;
    struct schedule_sense sense;
    struct schedule *schedule;

    if (!schedule_find(batch, put->environment, put->id, put->name, &schedule))
        return false;
    if (schedule == NULL && !put->creates) {
        err_set(&command->err, ERR_NOT_FOUND, "there is no such schedule here");
        return true;
    }
    if (schedule != NULL && !may_change(command, schedule))
        return true;
    if (schedule == NULL && !batch_has_room(batch, command))
        return true;
    put->is_new = schedule == NULL;
    if (schedule == NULL) {
        int64_t id = id_next(batch->engine->ids, batch->now_ms);
        char text[ID_TEXT_SIZE];
        struct slice name =
            put->name.size > 0 ? put->name : slice_of(id_format("sched", id, text));
        schedule = rows_new_schedule(&batch->rows, id, put->environment,
                                     arena_copy(batch->arena, name));
        schedule->created_ms = batch->now_ms;
        schedule->active = true;
    }
    put->schedule_id = schedule->id;
    if (!put->is_new && slice_equal(schedule->rules, put->rules))
        return true;
    schedule->updated_ms = batch->now_ms;
    schedule->rules = arena_copy(batch->arena, put->rules);
    schedule->waiting = (struct slice){ 0 };
    if (!schedule_read(batch, schedule, &sense, &command->err)) { /* it was checked */
        schedule_stop(schedule, arena_format(batch->arena, "%s", command->err.text));
        command->err = (struct err){ 0 };
        return true;
    }
    schedule_aim(batch, schedule, &sense, schedule_now_s(batch, schedule));
    return true;
}

void schedule_put_clear(struct command *command)
{
    command->schedule_put.schedule_id = 0;
    command->schedule_put.is_new = false;
}

/* False: more rows are needed. */
static bool run_now(struct batch *batch, struct command *command, struct schedule *schedule,
                    const struct schedule_sense *sense)
{
    struct schedule_act *act = &command->schedule_act;
    struct schedule_firing firing = { .at_ms = batch->now_ms,
                                      .before_ms = schedule->last_ms,
                                      .how = FIRING_MANUAL };
    struct ids alive;

    if (!schedule_runs(batch, schedule, sense, &alive))
        return false;
    bool may_run = act->is_forced || alive.count == 0 ||
                   sense->rules.overlap == OVERLAP_ALLOW ||
                   sense->rules.overlap == OVERLAP_CANCEL_RUNNING;
    if (!may_run) {
        err_set(&command->err, ERR_NOT_NOW,
                "%u run%s of the schedule %s not over (overlap); force it to run all the same",
                alive.count, alive.count == 1 ? "" : "s", alive.count == 1 ? "is" : "are");
        return true;
    }
    int64_t refused = schedule->refused;
    if (!schedule_fire(batch, schedule, sense, &firing))
        return false;
    act->run_id = firing.run_id;
    if (firing.is_later || schedule->refused != refused) {
        schedule->refused = refused; /* whoever asked is told */
        err_set(&command->err, firing.is_later ? ERR_STORE : ERR_RULE, "no run was made: %s",
                firing.is_later ? "there is no room just now"
                                : "the task refuses it, see the schedule's events");
        return true;
    }
    schedule_run_add(batch, schedule, sense, act->run_id, &alive);
    return true;
}

static void active_set(struct batch *batch, struct schedule *schedule,
                       const struct schedule_sense *sense, const struct schedule_act *act)
{
    bool is_active = act->what == SCHEDULE_RESUME;
    char at[TIME_TEXT_SIZE];

    schedule->updated_ms = batch->now_ms;
    if (!is_active) {
        schedule_stop(schedule,
                      arena_format(batch->arena, "paused at %s%s%.*s%s%.*s",
                                   time_format(batch->now_ms, at),
                                   act->by.size > 0 ? " by " : "", SLICE_ARG(act->by),
                                   act->why.size > 0 ? ": " : "", SLICE_ARG(act->why)));
        return;
    }
    schedule->active = true;
    schedule->failures = 0;
    schedule->note = (struct slice){ 0 };
    schedule_aim(batch, schedule, sense,
                 schedule_now_s(batch, schedule)); /* a pause is no downtime */
}

bool schedule_act_decide(struct batch *batch, struct command *command)
{
    struct schedule_act *act = &command->schedule_act;
    struct schedule_sense sense;
    struct schedule *schedule;

    if (!schedule_find(batch, act->environment, act->id, act->name, &schedule))
        return false;
    if (schedule == NULL) {
        err_set(&command->err, ERR_NOT_FOUND, "there is no such schedule here");
        return true;
    }
    act->schedule_id = schedule->id;
    if (act->what == SCHEDULE_DELETE) {
        if (may_change(command, schedule))
            schedule->row.is_deleted = act->is_changed = true;
        return true;
    }
    if (act->what != SCHEDULE_PAUSE && !schedule_read(batch, schedule, &sense, &command->err))
        return true;
    if (act->what == SCHEDULE_RUN)
        return run_now(batch, command, schedule, &sense);
    act->is_changed = schedule->active != (act->what == SCHEDULE_RESUME);
    if (act->is_changed)
        active_set(batch, schedule, &sense, act);
    return true;
}

void schedule_act_clear(struct command *command)
{
    command->schedule_act.schedule_id = command->schedule_act.run_id = 0;
    command->schedule_act.is_changed = false;
}

/* At start: what was computed by other zone data is computed anew. Nothing fires for the past.
 */
bool schedules_review_decide(struct batch *batch, struct command *command)
{
    struct schedules_review *review = &command->schedules_review;
    struct schedule *schedule;
    bool loaded = true;

    for (uint32_t i = 0; i < review->ids.count; i++)
        loaded &= rows_schedule(&batch->rows, review->ids.items[i], &schedule);
    for (uint32_t i = 0; loaded && i < review->ids.count; i++) {
        struct schedule_sense sense;
        (void)rows_schedule(&batch->rows, review->ids.items[i], &schedule); /* loaded */
        if (schedule == NULL || !schedule->active || schedule->next_ms == 0 ||
            slice_is(schedule->zone_data, batch->engine->zones.data) ||
            !schedule_read(batch, schedule, &sense, NULL))
            continue;
        int64_t was_ms = schedule->next_ms;
        if (was_ms <= batch->now_ms) {
            schedule->zone_data = arena_copy(batch->arena, slice_of(batch->engine->zones.data));
            continue; /* it is due: as it was, by what was known then */
        }
        int64_t now_s = schedule_now_s(batch, schedule);
        schedule_aim(batch, schedule, &sense, now_s);
        if (schedule->next_ms == was_ms)
            continue;
        char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
        rows_ids_add(batch->arena, &review->moved, schedule->id);
        schedule_say(batch, schedule, "moved", schedule->next_ms,
                     arena_format(batch->arena,
                                  "by the time zone data %s the next tick is %s, not %s",
                                  batch->engine->zones.data, time_format(schedule->next_ms, to),
                                  time_format(was_ms, from)));
    }
    return loaded;
}

/* ---- backfills --------------------------------------------------------------------------- */

/* One under way is another one, or the same: then it is the answer. */
static void begun_answer(struct command *command, const struct backfill *begun)
{
    struct schedule_backfill *ask = &command->schedule_backfill;
    char from[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];

    if (begun->from_ms == ask->from_ms && begun->until_ms == ask->until_ms &&
        begun->limit == ask->limit)
        return;
    err_set(&command->err, ERR_NOT_NOW,
            "a backfill from %s up to %s is under way, %" PRId64 " of %" PRId64
            " ticks are looked at; wait for its end, or stop it",
            time_format(begun->from_ms, from), time_format(begun->until_ms, until),
            begun->made + begun->found + begun->refused, begun->total);
}

/* Is there something to do, and not too much? */
static bool span_check(const struct batch *batch, const struct schedule_sense *sense,
                       struct command *command)
{
    struct schedule_backfill *ask = &command->schedule_backfill;

    if (ask->until_ms <= ask->from_ms)
        return err_set(&command->err, ERR_RULE, "to is not after from");
    if (ask->until_ms > batch->now_ms)
        return err_set(&command->err, ERR_RULE,
                       "to is still to come; what is to come the schedule makes by itself");
    ask->count =
        backfill_count(sense, ask->from_ms, ask->until_ms, &ask->first_ms, &ask->last_ms);
    if (ask->count == 0)
        return err_set(&command->err, ERR_RULE,
                       "no tick of the schedule is between from and to");
    return ask->count <= BACKFILL_TICKS_MOST ||
           err_set(&command->err, ERR_RULE,
                   "there are more than %d ticks between from and to; take less at a time",
                   BACKFILL_TICKS_MOST);
}

static void backfill_begin(struct batch *batch, struct schedule *schedule,
                           const struct schedule_backfill *ask)
{
    struct backfill backfill = { .from_ms = ask->from_ms,
                                 .until_ms = ask->until_ms,
                                 .next_ms = ask->from_ms,
                                 .total = ask->count,
                                 .limit = ask->limit,
                                 .by = ask->by };

    backfill_write(batch->arena, &backfill, &schedule->backfill);
    schedule_at_once(schedule);
}

bool schedule_backfill_decide(struct batch *batch, struct command *command)
{
    struct schedule_backfill *ask = &command->schedule_backfill;
    struct schedule_sense sense;
    struct schedule *schedule;
    struct backfill begun;

    if (!schedule_find(batch, ask->environment, ask->id, ask->name, &schedule))
        return false;
    if (schedule == NULL) {
        err_set(&command->err, ERR_NOT_FOUND, "there is no such schedule here");
        return true;
    }
    ask->schedule_id = schedule->id;
    bool is_begun = backfill_read(batch->arena, schedule->backfill, &begun);
    if (ask->stops) {
        ask->is_changed = is_begun;
        if (is_begun)
            backfill_end(batch, schedule, &begun, "stopped");
        return true;
    }
    if (!schedule_read(batch, schedule, &sense, &command->err) ||
        !span_check(batch, &sense, command) || ask->is_dry)
        return true;
    if (is_begun) {
        begun_answer(command, &begun);
        return true;
    }
    ask->is_changed = true;
    backfill_begin(batch, schedule, ask);
    return true;
}

void schedule_backfill_clear(struct command *command)
{
    struct schedule_backfill *ask = &command->schedule_backfill;

    ask->schedule_id = ask->first_ms = ask->last_ms = 0;
    ask->count = 0;
    ask->is_changed = false;
}
