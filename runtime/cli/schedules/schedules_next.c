/* bide schedules next: when would it fire, and why then? Asks no server. */
#include "base/clock.h"
#include "base/duration.h"
#include "cli/cli.h"
#include "cli/output/grid.h"
#include "cli/output/screen.h"
#include "codec/json.h"
#include "schedule/plan.h"
#include "schedule/zones.h"

#include <inttypes.h>

enum {
    COUNT_MAX = 1000,
    CHANGES_SHOWN = 2,
    LOOK_BACK_FIRST_S = 4 * HOUR_S,
    LOOK_BACK_LAST_S = 400 * DAY_S
};

struct forecast {
    struct plan plan;
    struct slice text;
    struct tick *ticks; /* count_most of them have room */
    uint32_t count, count_most;
};

static bool expression_read(const struct call *call, struct forecast *forecast)
{
    struct cron_flaw flaw;

    forecast->text = slice_of(call->arguments[0]);
    if (cron_read(forecast->text, &forecast->plan.cron, &flaw))
        return true;
    cli_fail(CLI_USAGE, "column %" PRIu32 " of \"%s\": %s", flaw.column, call->arguments[0],
             flaw.text);
    return false;
}

static bool options_read(const struct call *call, struct forecast *forecast, int64_t *from_s)
{
    const char *dst = call_option(call, "dst"), *days = call_option(call, "days");
    const char *from = call_option(call, "from");
    int64_t from_ms = clock_now_ms();

    if (dst != NULL && !tick_dst_find(slice_of(dst), &forecast->plan.dst)) {
        cli_fail(CLI_USAGE, "--dst is run, skip or twice, not \"%s\"", dst);
        return false;
    }
    if (days != NULL && strcmp(days, "or") != 0 && strcmp(days, "and") != 0) {
        cli_fail(CLI_USAGE, "--days is or, or and, not \"%s\"", days);
        return false;
    }
    forecast->plan.cron.both_days = days != NULL && strcmp(days, "and") == 0;
    if (from != NULL && !time_parse(slice_of(from), &from_ms)) {
        cli_fail(CLI_USAGE, "--from is a date like 2027-03-27 or 2027-03-27T12:00Z, not \"%s\"",
                 from);
        return false;
    }
    *from_s = from_ms / 1000 - (from_ms % 1000 < 0);
    return true;
}

static void ticks_take(struct forecast *forecast, int64_t after_s, uint32_t most)
{
    struct tick tick = { .at_s = after_s };

    for (uint32_t i = 0; i < most && forecast->count < forecast->count_most; i++) {
        if (!tick_next(&forecast->plan.cron, forecast->plan.zone, forecast->plan.dst, tick.at_s,
                       &tick))
            return;
        forecast->ticks[forecast->count++] = tick;
    }
}

static uint32_t ticks_between(const struct plan *plan, int64_t after_s, int64_t until_s,
                              uint32_t most, int64_t *last_s)
{
    struct tick tick = { .at_s = after_s };
    uint32_t count = 0;

    while (count < most && tick_next(&plan->cron, plan->zone, plan->dst, tick.at_s, &tick) &&
           tick.at_s < until_s) {
        *last_s = tick.at_s;
        count++;
    }
    return count;
}

/* After which instant are there just `wanted` ticks up to the change, or as many as there are?
 */
static int64_t before_change(const struct plan *plan, int64_t from_s, int64_t change_s,
                             uint32_t wanted)
{
    int64_t back_s = LOOK_BACK_FIRST_S, start_s = from_s, ignored;
    uint32_t found = 0;

    for (; found <= wanted && back_s < LOOK_BACK_LAST_S; back_s *= 2) {
        start_s = change_s - back_s > from_s ? change_s - back_s : from_s;
        found = ticks_between(plan, start_s, change_s, UINT32_MAX, &ignored);
    }
    if (found > wanted)
        (void)ticks_between(plan, start_s, change_s, found - wanted, &start_s);
    return start_s;
}

/* Half of what is asked for around each of the next two times that clocks are set. */
static bool around_take(struct forecast *forecast, int64_t from_s)
{
    uint32_t each = forecast->count_most / CHANGES_SHOWN;
    bool has_any = false;

    each = each < 2 ? 2 : each;
    for (int i = 0; i < CHANGES_SHOWN; i++) {
        struct zone_span span = zone_span(forecast->plan.zone, from_s);
        while (span.until_s != INT64_MAX) {
            span = zone_span(forecast->plan.zone, span.until_s);
            if (span.offset_s != span.offset_before_s)
                break;
        }
        if (span.from_s <= from_s)
            break;
        has_any = true;
        ticks_take(forecast, before_change(&forecast->plan, from_s, span.from_s, each / 2),
                   each);
        from_s = span.from_s;
        if (forecast->count > 0 && forecast->ticks[forecast->count - 1].at_s > from_s)
            from_s = forecast->ticks[forecast->count - 1].at_s;
    }
    return has_any;
}

static void text_print(const struct forecast *forecast, const char *version,
                       struct arena *arena)
{
    static const struct grid_title titles[] = {
        { "LOCAL", GRID_PLAIN }, { "", GRID_PLAIN },   { "UTC", GRID_PLAIN },
        { "WHY", GRID_ELASTIC }, { NULL, GRID_PLAIN },
    };
    struct cron_flaw warning;
    struct grid grid;

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < forecast->count; i++) {
        const struct tick *tick = &forecast->ticks[i];
        char text[CIVIL_TEXT_SIZE], why[PLAN_WHY_SIZE], utc[TIME_TEXT_SIZE];
        grid_row(&grid);
        grid_cell(&grid, 0, slice_of(civil_format(tick->local_s, ' ', text)));
        grid_cell(&grid, 1, slice_of(tick->abbreviation));
        grid_cell(&grid, 2, slice_of(time_format(tick->at_s * 1000, utc)));
        grid_cell(&grid, 3, slice_of(plan_why(&forecast->plan, tick, why)));
    }
    grid_print(&grid);
    printf("%s, zone data %s\n", forecast->plan.zone->name, version);
    for (uint32_t i = 0; cron_warning(forecast->text, i, &warning); i++)
        printf("column %" PRIu32 ": %s\n", warning.column, warning.text);
}

static struct value text_value(struct arena *arena, const char *text)
{
    return value_string(arena_format(arena, "%s", text));
}

static void json_print(const struct forecast *forecast, const char *version,
                       struct arena *arena)
{
    struct value root = value_map(), ticks = value_list(), warnings = value_list();
    struct buffer out = { 0 };
    struct cron_flaw warning;

    for (uint32_t i = 0; i < forecast->count; i++) {
        const struct tick *tick = &forecast->ticks[i];
        struct value item = value_map();
        char text[CIVIL_TEXT_SIZE], why[PLAN_WHY_SIZE], utc[TIME_TEXT_SIZE];
        value_put(arena, &item, "at", text_value(arena, time_format(tick->at_s * 1000, utc)));
        value_put(arena, &item, "local", text_value(arena, plan_local(tick, text)));
        value_put(arena, &item, "nominal",
                  text_value(arena, civil_format(tick->nominal_s, 'T', text)));
        value_put(arena, &item, "occurrence", value_int(tick->occurrence));
        value_put(arena, &item, "why", text_value(arena, plan_why(&forecast->plan, tick, why)));
        value_add(arena, &ticks, item);
    }
    for (uint32_t i = 0; cron_warning(forecast->text, i, &warning); i++)
        value_add(arena, &warnings, text_value(arena, warning.text));
    value_put(arena, &root, "expression", value_string(forecast->text));
    value_put(arena, &root, "timezone", value_text(forecast->plan.zone->name));
    value_put(arena, &root, "zoneData", value_text(version));
    value_put(arena, &root, "ticks", ticks);
    value_put(arena, &root, "warnings", warnings);
    json_write_pretty(&out, &root);
    buffer_byte(&out, '\n');
    screen_report(stdout, &out, true);
}

static int forecast_make(struct call *call, struct forecast *forecast, struct zones *zones)
{
    const char *zone = call_option(call, "zone");
    bool is_around = call_option(call, "around-dst") != NULL;
    char version[ZONES_VERSION_SIZE];
    struct tick first;
    struct err err = { 0 };
    int64_t from_s, count;

    zones_version(zones, version);
    if (!expression_read(call, forecast) || !options_read(call, forecast, &from_s))
        return CLI_USAGE;
    if (!call_number(call, "count", 1, COUNT_MAX, 10, &count, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    forecast->plan.zone = zones_find(zones, slice_of(zone == NULL ? "UTC" : zone), &err);
    if (forecast->plan.zone == NULL ||
        !plan_fires(&forecast->plan, forecast->text, from_s, &first, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    forecast->count_most = (uint32_t)count;
    forecast->ticks = ARENA_ARRAY(&call->arena, struct tick, forecast->count_most);
    if (is_around && !around_take(forecast, from_s))
        return cli_fail(CLI_FAILED, "clocks are not set any more in %s",
                        forecast->plan.zone->name);
    if (!is_around)
        ticks_take(forecast, from_s, forecast->count_most);
    if (call->json)
        json_print(forecast, version, &call->arena);
    else
        text_print(forecast, version, &call->arena);
    return CLI_DONE;
}

static int exec(struct call *call)
{
    struct zones *zones = zones_create(NULL);
    struct forecast forecast = { 0 };
    int code = forecast_make(call, &forecast, zones);

    zones_destroy(zones);
    return code;
}

static const struct cli_option options[] = {
    { "zone", "ZONE", "the time zone, like Europe/Berlin (default: UTC)" },
    { "count", "N", "how many ticks (default: 10)" },
    { "from", "TIME", "those after this date (default: now)" },
    { "around-dst", NULL, "those around the next two times that clocks are set" },
    { "dst", "WORD", "run (when not said), skip or twice: see below" },
    { "days", "WORD", "or (when not said), and: a day of the month and a weekday, both given" },
    { NULL, NULL, NULL },
};

const struct cli_command schedules_next_command = {
    .name = "schedules next",
    .arguments = "EXPR",
    .summary = "Tell when a cron expression fires, and why then",
    .help =
        "EXPR has 5 fields (minute hour day month weekday), 6 with seconds in front, 7 with "
        "the "
        "year\n"
        "at the end: *, lists, ranges, steps, names, ?, L, L-2, LW, 15W, 5L, 5#2; or @daily, "
        "@every 90s.\n"
        "Where clocks go forward, a fixed hour that is missing fires at the end of the gap, "
        "once; "
        "where\n"
        "they go back it fires in the first of the two. An hour that is * or a step follows "
        "the "
        "time\n"
        "that passes. With --dst skip, what is missing does not fire, and what comes twice "
        "fires "
        "once;\n"
        "with --dst twice a fixed hour fires in both. Asks no server. Exits 2 for what does "
        "not "
        "parse\n"
        "or never fires.",
    .options = options,
    .least = 1,
    .most = 1,
    .exec = exec,
};
