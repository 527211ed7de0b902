#include "http/schedules/schedule_view.h"

#include "base/duration.h"
#include "codec/pack.h"
#include "config/schedule_rules.h"
#include "engine/schedules/backfill.h"
#include "http/api/run_view.h"
#include "schedule/zones.h"

enum { UPCOMING = 5 };

static void ticks_write(struct request *request, struct out *out,
                        const struct schedule *schedule, const struct schedule_rules *rules)
{
    const struct zone *zone = zones_find(request->http->options.zones, rules->zone, NULL);
    struct plan plan;
    struct tick tick = { .at_s = schedule->next_ms / 1000 - 1 };
    char text[TIME_TEXT_SIZE];

    out_list(out, "upcoming");
    for (int i = 0; i < UPCOMING && schedule->next_ms != 0 && zone != NULL &&
                    schedule_rules_plan(rules, zone, &plan) &&
                    schedule_rules_next(rules, &plan, tick.at_s, &tick);
         i++)
        out_word(out, NULL, time_format(tick.at_s * 1000, text));
    out_end_list(out);
}

/* Times in it are milliseconds there, and dates here. */
static void events_write(struct request *request, struct out *out, struct slice packed)
{
    struct value list = value_list();

    if (packed.size > 0)
        (void)pack_read(&request->arena, packed, &list, NULL); /* damaged: none */
    out_list(out, "events");
    for (uint32_t i = 0; list.kind == VALUE_LIST && i < list.count; i++) {
        const struct value *event = &list.items[i];
        const struct value *at = value_find(event, "at"), *tick = value_find(event, "tick");
        const struct value *what = value_find(event, "what"), *text = value_find(event, "text");
        if (at == NULL || tick == NULL || what == NULL || text == NULL)
            continue;
        out_map(out, NULL);
        out_time(out, "at", at->integer);
        out_time(out, "tick", tick->integer);
        out_text(out, "what", what->bytes);
        out_text(out, "text", text->bytes);
        out_end_map(out);
    }
    out_end_list(out);
}

static void counts_write(struct out *out, const struct schedule *schedule)
{
    out_int(out, "fired", schedule->fired);
    out_int(out, "skipped", schedule->skipped);
    out_int(out, "missed", schedule->missed);
    out_int(out, "refused", schedule->refused);
    out_int(out, "failuresInRow", schedule->failures);
    out_int(out, "waiting", (int64_t)(schedule->waiting.size / sizeof(int64_t)));
}

static void backfill_view(struct request *request, struct out *out, struct slice packed)
{
    struct backfill backfill;

    if (!backfill_read(&request->arena, packed, &backfill))
        return;
    out_map(out, "backfill");
    out_time(out, "from", backfill.from_ms);
    out_time(out, "to", backfill.until_ms);
    out_int(out, "total", backfill.total);
    out_int(out, "made", backfill.made);
    out_int(out, "found", backfill.found);
    out_int(out, "refused", backfill.refused);
    if (backfill.limit != 0)
        out_int(out, "limit", backfill.limit);
    if (backfill.by.size > 0)
        out_text(out, "by", backfill.by);
    out_end_map(out);
}

/* When the next run is made: the tick, shifted. */
static int64_t effective_ms(struct request *request, const struct schedule *schedule,
                            const struct schedule_rules *rules)
{
    const struct zone *zone = zones_find(request->http->options.zones, rules->zone, NULL);
    struct schedule_rules spread = *rules;
    struct plan plan;

    if (zone != NULL && schedule_rules_plan(rules, zone, &plan))
        schedule_rules_spread(&spread, &plan, schedule->next_ms / 1000);
    return schedule_tick_due(schedule, &spread);
}

static void window_write(struct out *out, const struct schedule_rules *rules)
{
    char text[DURATION_TEXT_SIZE];

    if (rules->spread_percent != 0)
        (void)snprintf(text, sizeof text, "%u%%", rules->spread_percent);
    else if (rules->spread_ms != 0)
        duration_format(rules->spread_ms, text);
    else
        return;
    out_word(out, "window", text);
}

void schedule_write(struct request *request, struct out *out, const struct schedule *schedule,
                    bool is_whole)
{
    const char *environment = request->world->environment->name;
    struct schedule_rules rules;

    if (!schedule_rules_unpack(&request->arena, schedule->rules, &rules))
        rules = schedule_rules_standard();
    struct value said = schedule_rules_value(&request->arena, &rules);
    out_map(out, NULL);
    out_id(out, "id", "sched", schedule->id);
    out_text(out, "name", schedule->name);
    out_text(out, "deduplicationKey", schedule->name);
    out_word(out, "type", schedule->is_declared ? "DECLARATIVE" : "IMPERATIVE");
    out_text(out, "task", rules.task);
    out_bool(out, "active", schedule->active);
    if (rules.external_id.size > 0)
        out_text(out, "externalId", rules.external_id);
    schedule_generator_write(out, rules.cron);
    out_text(out, "timezone", rules.zone);
    if (schedule->next_ms != 0)
        out_time(out, "nextRun", schedule->next_ms);
    else
        out_packed(out, "nextRun", (struct slice){ 0 });
    out_time(out, "nextRunEffectiveAt", effective_ms(request, schedule, &rules));
    window_write(out, &rules);
    out_list(out, "environments");
    out_map(out, NULL);
    out_word(out, "id", environment);
    out_word(out, "type", strcmp(environment, "prod") == 0 ? "PRODUCTION" : "DEVELOPMENT");
    out_end_map(out);
    out_end_list(out);
    out_value(out, "rules", &said);
    out_time(out, "lastRun", schedule->last_ms);
    counts_write(out, schedule);
    backfill_view(request, out, schedule->backfill);
    if (schedule->note.size > 0)
        out_text(out, "note", schedule->note);
    if (is_whole) {
        out_text(out, "zoneData", schedule->zone_data);
        out_time(out, "createdAt", schedule->created_ms);
        out_time(out, "updatedAt", schedule->updated_ms);
        ticks_write(request, out, schedule, &rules);
        events_write(request, out, schedule->events);
    }
    out_end_map(out);
}
