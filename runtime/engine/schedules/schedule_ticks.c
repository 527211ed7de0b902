/* When a schedule is next, and what is told of it. */
#include "base/duration.h"
#include "codec/pack.h"
#include "engine/schedules/schedules.h"

enum { EVENTS_KEPT = 20 };

bool schedule_find(struct batch *batch, uint32_t environment, int64_t id, struct slice name,
                   struct schedule **schedule)
{
    bool loaded = id != 0 ? rows_schedule(&batch->rows, id, schedule)
                          : rows_schedule_named(&batch->rows, environment, name, schedule);

    if (loaded && *schedule != NULL &&
        ((*schedule)->environment != environment || (*schedule)->row.is_deleted))
        *schedule = NULL;
    return loaded;
}

bool schedule_read(struct batch *batch, const struct schedule *schedule,
                   struct schedule_sense *sense, struct err *err)
{
    const struct zone_source *zones = &batch->engine->zones;

    if (!schedule_rules_unpack(batch->arena, schedule->rules, &sense->rules))
        return err_set(err, ERR_RULE, "what its row says is not understood");
    const struct zone *zone =
        zones->find == NULL ? NULL : zones->find(zones->context, sense->rules.zone);
    if (zone == NULL)
        return err_set(err, ERR_RULE, "there is no time zone %.*s any more",
                       SLICE_ARG(sense->rules.zone));
    if (!schedule_rules_plan(&sense->rules, zone, &sense->plan))
        return err_set(err, ERR_RULE, "its expression is not understood any more");
    schedule_rules_spread(&sense->rules, &sense->plan, schedule->next_ms / 1000);
    return true;
}

static uint64_t mix(uint64_t number)
{
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

/* So much later than the tick, always the same for one schedule; and for one tick. */
static int64_t shift_ms(const struct schedule *schedule, const struct schedule_rules *rules)
{
    uint64_t id = (uint64_t)schedule->id, at = (uint64_t)schedule->next_ms;
    /* In proportion, for a spread that follows what lies between two ticks. */
    uint64_t spread = (mix(id) >> 32) * ((uint64_t)rules->spread_ms + 1) >> 32;

    return (int64_t)(spread + mix(id ^ mix(at)) % ((uint64_t)rules->jitter_ms + 1));
}

int64_t schedule_tick_due(const struct schedule *schedule, const struct schedule_rules *rules)
{
    return schedule->next_ms == 0 ? 0
                                  : time_after(schedule->next_ms, shift_ms(schedule, rules));
}

void schedule_at_once(struct schedule *schedule)
{
    const struct schedule *loaded = (const struct schedule *)schedule->row.loaded;

    schedule->due_ms = settle_due(loaded == NULL ? 0 : loaded->due_ms);
}

/* What is due of it beside its ticks is looked at first, and that leads to them. */
static void schedule_rest(struct schedule *schedule, int64_t due_ms)
{
    bool has_more = schedule->backfill.size > 0 ||
                    (schedule->active && schedule_numbers(schedule->waiting) > 0);

    schedule->due_ms = due_ms;
    if (has_more)
        schedule_at_once(schedule);
}

void schedule_stop(struct schedule *schedule, struct slice why)
{
    schedule->active = false;
    schedule->next_ms = 0;
    schedule->note = why;
    schedule_rest(schedule, 0);
}

int64_t schedule_now_s(const struct batch *batch, const struct schedule *schedule)
{
    int64_t now_s = batch->now_ms / 1000, last_s = schedule->last_ms / 1000;

    return now_s > last_s ? now_s : last_s;
}

void schedule_aim(struct batch *batch, struct schedule *schedule,
                  const struct schedule_sense *sense, int64_t after_s)
{
    const struct schedule_rules *rules = &sense->rules;
    struct tick tick;

    schedule->zone_data = arena_copy(batch->arena, slice_of(batch->engine->zones.data));
    if (!schedule->active)
        return;
    if (rules->fires_max != 0 && schedule->fired >= rules->fires_max) {
        schedule_stop(schedule, SLICE("it has fired as often as it may (fires_max)"));
    } else if (!schedule_rules_next(rules, &sense->plan, after_s, &tick)) {
        schedule_stop(schedule, SLICE("there is no tick any more"));
    } else {
        struct schedule_rules spread = *rules;
        schedule->next_ms = tick.at_s * 1000;
        schedule_rules_spread(&spread, &sense->plan, tick.at_s);
        schedule_rest(schedule, schedule_tick_due(schedule, &spread));
    }
}

void schedule_say(struct batch *batch, struct schedule *schedule, const char *what,
                  int64_t at_ms, struct slice text)
{
    struct value list = value_list(), kept = value_list(), event = value_map();

    if (schedule->events.size > 0)
        (void)pack_read(batch->arena, schedule->events, &list, NULL); /* damaged: begun anew */
    if (list.kind != VALUE_LIST)
        list = value_list();
    for (uint32_t i = list.count < EVENTS_KEPT ? 0 : list.count - EVENTS_KEPT + 1;
         i < list.count; i++)
        value_add(batch->arena, &kept, list.items[i]);
    value_put(batch->arena, &event, "at", value_int(batch->now_ms));
    value_put(batch->arena, &event, "tick", value_int(at_ms));
    value_put(batch->arena, &event, "what", value_text(what));
    value_put(batch->arena, &event, "text", value_string(text));
    value_add(batch->arena, &kept, event);
    schedule->events = pack_value(batch->arena, &kept);
}

/* ---- those of schedules.yaml ------------------------------------------------------------- */

static void declared_write(struct batch *batch, const struct catalog_schedule *declared,
                           struct schedule *schedule)
{
    struct schedule_sense sense;
    struct err err;

    if (schedule == NULL) {
        schedule =
            rows_new_schedule(&batch->rows, id_next(batch->engine->ids, batch->now_ms),
                              declared->environment, arena_copy(batch->arena, declared->name));
        schedule->created_ms = batch->now_ms;
        schedule->active = true;
    }
    schedule->is_declared = true;
    schedule->updated_ms = batch->now_ms;
    schedule->rules = arena_copy(batch->arena, declared->rules);
    schedule->waiting = (struct slice){ 0 };
    if (!schedule_read(batch, schedule, &sense, &err))
        schedule_stop(schedule, arena_format(batch->arena, "%s", err.text));
    else
        schedule_aim(batch, schedule, &sense, schedule_now_s(batch, schedule));
}

bool schedules_ensure(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;
    struct schedule *schedule;
    bool loaded = true;

    for (uint32_t i = 0; i < catalog->schedule_count; i++)
        loaded &= rows_schedule_named(&batch->rows, catalog->schedules[i].environment,
                                      catalog->schedules[i].name, &schedule);
    for (uint32_t i = 0; loaded && i < catalog->schedule_count; i++) {
        const struct catalog_schedule *declared = &catalog->schedules[i];
        (void)rows_schedule_named(&batch->rows, declared->environment, declared->name,
                                  &schedule); /* loaded */
        if (schedule == NULL || !schedule->is_declared ||
            !slice_equal(schedule->rules, declared->rules))
            declared_write(batch, declared, schedule);
    }
    return loaded;
}
