/* A tick becomes a run; and what is known of the runs before it. */
#include "base/duration.h"
#include "codec/pack.h"
#include "engine/schedules/backfill.h"

#include <inttypes.h>

enum { UPCOMING = 5, KEY_DAYS = 30 };

/* Who asks for no run before it looks at none. */
static bool looks_at_runs(const struct schedule_rules *rules)
{
    return rules->overlap != OVERLAP_ALLOW || rules->pause_after != 0;
}

static struct value date_value(struct arena *arena, int64_t at_ms)
{
    char text[TIME_TEXT_SIZE];

    return value_string(arena_copy(arena, slice_of(time_format(at_ms, text))));
}

static void upcoming_put(struct arena *arena, const struct schedule_sense *sense,
                         int64_t after_s, struct value *payload)
{
    struct value upcoming = value_list();
    struct tick tick = { .at_s = after_s };

    for (int i = 0;
         i < UPCOMING && schedule_rules_next(&sense->rules, &sense->plan, tick.at_s, &tick);
         i++)
        value_add(arena, &upcoming, date_value(arena, tick.at_s * 1000));
    value_put(arena, payload, "upcoming", upcoming);
}

/* What the clock on the wall says, or should say, at that instant. */
static struct tick tick_at(const struct schedule_sense *sense, int64_t at_ms)
{
    struct tick tick;
    int64_t at_s = at_ms / 1000;

    if (tick_next(&sense->plan.cron, sense->plan.zone, sense->plan.dst, at_s - 1, &tick) &&
        tick.at_s == at_s)
        return tick;
    struct zone_span span =
        zone_span(sense->plan.zone, at_s); /* by hand, or by older zone data */
    tick = (struct tick){ .at_s = at_s,
                          .nominal_s = at_s + span.offset_s,
                          .local_s = at_s + span.offset_s,
                          .occurrence = 1,
                          .abbreviation = span.abbreviation };
    return tick;
}

static struct slice payload_of(struct batch *batch, const struct schedule *schedule,
                               const struct schedule_sense *sense,
                               const struct schedule_firing *firing)
{
    int64_t at_ms = firing->at_ms;
    struct arena *arena = batch->arena;
    struct value payload = value_map();
    struct tick tick = tick_at(sense, at_ms);
    char id[ID_TEXT_SIZE], local[CIVIL_TEXT_SIZE];

    value_put(arena, &payload, "scheduleId",
              value_string(arena_copy(arena, slice_of(id_format("sched", schedule->id, id)))));
    value_put(arena, &payload, "type",
              value_text(schedule->is_declared ? "DECLARATIVE" : "IMPERATIVE"));
    value_put(arena, &payload, "timestamp", date_value(arena, at_ms));
    value_put(
        arena, &payload, "local",
        value_string(arena_copy(arena, slice_of(civil_format(tick.nominal_s, 'T', local)))));
    value_put(arena, &payload, "occurrence", value_int(tick.occurrence));
    if (firing->before_ms != 0)
        value_put(arena, &payload, "lastTimestamp", date_value(arena, firing->before_ms));
    value_put(arena, &payload, "timezone", value_string(sense->rules.zone));
    if (sense->rules.external_id.size > 0)
        value_put(arena, &payload, "externalId", value_string(sense->rules.external_id));
    value_put(arena, &payload, "missed",
              value_int(firing->how == FIRING_BACKFILL ? 0 : schedule->dropped));
    value_put(
        arena, &payload, "late",
        value_bool(batch->now_ms - at_ms >
                   sense->rules.grace_ms + sense->rules.spread_ms + sense->rules.jitter_ms));
    value_put(arena, &payload, "manual", value_bool(firing->how == FIRING_MANUAL));
    value_put(arena, &payload, "backfill", value_bool(firing->how == FIRING_BACKFILL));
    upcoming_put(arena, sense, at_ms / 1000, &payload);
    return pack_value(arena, &payload);
}

static const char *const hows[] = { [FIRING_TICK] = "a tick",
                                    [FIRING_MANUAL] = "by hand, a run",
                                    [FIRING_BACKFILL] = "a backfill" };

/* Whose run it is, and why it was made. */
static void mark(struct batch *batch, const struct schedule *schedule,
                 const struct schedule_firing *firing)
{
    struct run *run = rows_run_here(&batch->rows, firing->run_id);

    run->schedule = schedule->id;
    run->is_backfill = firing->how == FIRING_BACKFILL;
}

static void fired(struct batch *batch, struct schedule *schedule,
                  struct schedule_firing *firing, const struct trigger *trigger)
{
    firing->run_id = trigger->run_id;
    firing->is_new = trigger->is_new || trigger->collected;
    if (trigger->is_new)
        mark(batch, schedule, firing);
    if (firing->how == FIRING_BACKFILL)
        return;
    schedule->fired += firing->is_new;
    schedule->dropped = 0;
    if (firing->how == FIRING_TICK)
        schedule->last_ms = firing->at_ms;
}

bool schedule_fire(struct batch *batch, struct schedule *schedule,
                   const struct schedule_sense *sense, struct schedule_firing *firing)
{
    bool is_backfill = firing->how == FIRING_BACKFILL;
    char id[ID_TEXT_SIZE], at[TIME_TEXT_SIZE];
    struct slice key = arena_format(
        batch->arena, "schedule/%s/%s%s", id_format("sched", schedule->id, id),
        time_format(firing->at_ms, at), firing->how == FIRING_MANUAL ? "/manual" : "");
    struct command command = {
        .kind = COMMAND_TRIGGER,
        .arena = batch->arena,
        .trigger = { .environment = schedule->environment,
                     .task = sense->rules.task,
                     .payload = payload_of(batch, schedule, sense, firing),
                     .unchecked = true,
                     .key = key,
                     .key_ttl_ms = INT64_C(86400) * 1000 * KEY_DAYS,
                     .key_global = true,
                     .reuse = REUSE_MASK, /* however it ended: one tick, one run */
                     .priority_ms = is_backfill ? BACKFILL_PRIORITY_MS : 0,
                     .has_priority = is_backfill,
                     .note = arena_format(batch->arena, "%s of schedule %.*s",
                                          hows[firing->how], SLICE_ARG(schedule->name)) },
    };

    firing->run_id = 0;
    firing->is_new = firing->is_later = false;
    if (!trigger_decide(batch, &command))
        return false;
    if (command.err.code == ERR_STORE) { /* no room on the disk: it will be late */
        firing->is_later = true;
    } else if (command.err.code != ERR_OK) {
        schedule->refused++;
        schedule_say(batch, schedule, "refused", firing->at_ms,
                     arena_format(batch->arena, "%s", command.err.text));
    } else {
        fired(batch, schedule, firing, &command.trigger);
    }
    return true;
}

static void runs_write(struct batch *batch, struct schedule *schedule, const struct ids *ids)
{
    struct slice bytes = { (const char *)ids->items, ids->count * sizeof *ids->items };

    if (!slice_equal(schedule->runs, bytes))
        schedule->runs = arena_copy(batch->arena, bytes);
}

void schedule_run_add(struct batch *batch, struct schedule *schedule,
                      const struct schedule_sense *sense, int64_t run_id,
                      const struct ids *before)
{
    bool cancels = sense->rules.overlap == OVERLAP_CANCEL_RUNNING;
    struct ids ids = { 0 };
    uint32_t count = schedule_numbers(schedule->runs);

    if (run_id == 0 || !looks_at_runs(&sense->rules))
        return;
    for (uint32_t i = 0; cancels && i < before->count; i++)
        batch_ids_add(batch, &batch->canceled, before->items[i]);
    for (uint32_t i = count < SCHEDULE_OVERLAP_MOST ? 0 : 1; i < count; i++)
        batch_ids_add(batch, &ids, schedule_number(schedule->runs, i));
    batch_ids_add(batch, &ids, run_id);
    runs_write(batch, schedule, &ids);
    /* Also where no tick waits for it: the rules may be others when it ends. */
    (void)rows_new_edge(&batch->rows, run_id, schedule->id);
}

static void ended_count(struct batch *batch, struct schedule *schedule,
                        const struct schedule_rules *rules, const struct run *run)
{
    if (run->outcome == OUTCOME_COMPLETED)
        schedule->failures = 0;
    else if (run->outcome != OUTCOME_CANCELED)
        schedule->failures++;
    if (rules->pause_after == 0 || schedule->failures < rules->pause_after || !schedule->active)
        return;
    schedule_stop(schedule, arena_format(batch->arena,
                                         "paused: %" PRIu32 " runs in a row have failed "
                                         "(pause_after)",
                                         schedule->failures));
    schedule_say(batch, schedule, "paused", batch->now_ms, schedule->note);
}

bool schedule_runs(struct batch *batch, struct schedule *schedule,
                   const struct schedule_sense *sense, struct ids *alive)
{
    uint32_t count = schedule_numbers(schedule->runs);
    struct slice ids = schedule->runs;
    struct run *run;
    bool loaded = true;

    *alive = (struct ids){ 0 };
    for (uint32_t i = 0; i < count; i++)
        loaded &= rows_run(&batch->rows, schedule_number(ids, i), 0, &run);
    for (uint32_t i = 0; loaded && i < count; i++) {
        (void)rows_run(&batch->rows, schedule_number(ids, i), 0, &run); /* loaded */
        if (run == NULL)
            continue;
        if (!run_is_over(run))
            batch_ids_add(batch, alive, run->id);
        else
            ended_count(batch, schedule, &sense->rules, run);
    }
    if (loaded)
        runs_write(batch, schedule, alive);
    return loaded;
}
