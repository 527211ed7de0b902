/* bide schedules list|show|create|pause|resume|run|delete: what starts tasks by the clock. */
#include "base/clock.h"
#include "cli/client/act_words.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/grid.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

#define SCHEDULES_PATH "/api/v1/schedules"

static const char *schedule_path(struct arena *arena, const char *schedule, const char *end)
{
    struct buffer path = { 0 };

    buffer_text(&path, SCHEDULES_PATH "/");
    path_add(&path, schedule);
    buffer_text(&path, end);
    return path_take(&path, arena);
}

/* ---- list and show ----------------------------------------------------------------------- */

static struct slice expression_of(const struct value *schedule)
{
    return member_text(value_find(schedule, "generator"), "expression");
}

static void list_print(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "SCHEDULE", GRID_ELASTIC }, { "TASK", GRID_ELASTIC }, { "CRON", GRID_PLAIN },
        { "ZONE", GRID_ELASTIC },     { "NEXT", GRID_PLAIN },   { "LAST", GRID_PLAIN },
        { "FIRED", GRID_NUMBER },     { "NOT", GRID_NUMBER },   { NULL, GRID_PLAIN },
    };
    const struct value *pages = value_find(page, "pagination");
    struct grid grid;
    uint32_t count;
    const struct value *schedules = member_list(page, "data", &count);
    int64_t now_ms = clock_now_ms();

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *schedule = &schedules[i];
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(schedule, "name"));
        grid_cell(&grid, 1, member_text(schedule, "task"));
        grid_cell(&grid, 2, expression_of(schedule));
        grid_cell(&grid, 3, member_text(schedule, "timezone"));
        grid_cell(&grid, 4,
                  member_bool(schedule, "active")
                      ? ago_text(arena, member_time(schedule, "nextRunEffectiveAt"), now_ms)
                      : SLICE("paused"));
        grid_cell(&grid, 5, ago_text(arena, member_time(schedule, "lastRun"), now_ms));
        grid_format(&grid, 6, "%" PRId64, member_int(schedule, "fired"));
        grid_format(&grid, 7, "%" PRId64,
                    member_int(schedule, "skipped") + member_int(schedule, "missed") +
                        member_int(schedule, "refused"));
    }
    grid_print(&grid);
    if (member_int(pages, "currentPage") < member_int(pages, "totalPages"))
        printf("more: --page %" PRId64 "\n", member_int(pages, "currentPage") + 1);
}

static int exec_list(struct call *call)
{
    struct err err = { 0 };
    int64_t page;

    if (!call_number(call, "page", 1, 1000000, 1, &page, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    return client_show(
        call, NULL,
        arena_format(&call->arena, SCHEDULES_PATH "?perPage=100&page=%" PRId64, page).data,
        list_print);
}

static const struct cli_option list_options[] = {
    { "page", "N", "which hundred of them (default: 1)" },
    { NULL, NULL, NULL },
};

const struct cli_command schedules_list_command = {
    .name = "schedules list",
    .summary = "List schedules, when they are next, and how often they have fired",
    .help =
        "NOT counts ticks that made no run: skipped, missed or refused; see schedules show.",
    .options = list_options,
    .is_client = true,
    .exec = exec_list,
};

static void line_print(struct arena *arena, const char *label, struct slice text)
{
    if (text.size > 0)
        printf("%-9s %.*s\n", label, SLICE_ARG(text_safe(arena, text)));
}

static void rules_print(struct arena *arena, const struct value *rules)
{
    for (uint32_t i = 0; rules != NULL && rules->kind == VALUE_MAP && i < rules->count; i++) {
        struct buffer text = { 0 };
        if (rules->members[i].value.kind == VALUE_STRING)
            buffer_slice(&text, rules->members[i].value.bytes);
        else
            json_write(&text, &rules->members[i].value);
        printf("  %.*s: %.*s\n", SLICE_ARG(text_safe(arena, rules->members[i].key)),
               SLICE_ARG(text_safe(arena, buffer_view(&text))));
        buffer_finish(&text);
    }
}

static void events_print(struct arena *arena, const struct value *schedule)
{
    uint32_t count;
    const struct value *events = member_list(schedule, "events", &count);

    for (uint32_t i = 0; i < count; i++)
        printf("%.*s  %.*s, the tick of %.*s: %.*s\n",
               SLICE_ARG(text_safe(arena, member_text(&events[i], "at"))),
               SLICE_ARG(text_safe(arena, member_text(&events[i], "what"))),
               SLICE_ARG(text_safe(arena, member_text(&events[i], "tick"))),
               SLICE_ARG(text_safe(arena, member_text(&events[i], "text"))));
}

static void backfill_print(const struct value *backfill)
{
    if (backfill != NULL)
        printf("%-9s under way: of %" PRId64 " ticks %" PRId64 " got a run, %" PRId64
               " had one, %" PRId64 " were refused\n",
               "backfill", member_int(backfill, "total"), member_int(backfill, "made"),
               member_int(backfill, "found"), member_int(backfill, "refused"));
}

static void show_print(struct arena *arena, const struct value *schedule)
{
    line_print(arena, "schedule", member_text(schedule, "id"));
    line_print(arena, "name", member_text(schedule, "name"));
    printf("%-9s %s\n", "active", member_bool(schedule, "active") ? "yes" : "no");
    line_print(arena, "note", member_text(schedule, "note"));
    line_print(arena, "next", member_text(schedule, "nextRun"));
    line_print(arena, "last", member_text(schedule, "lastRun"));
    printf("%-9s %" PRId64 "; skipped %" PRId64 ", missed %" PRId64 ", refused %" PRId64
           ", waiting %" PRId64 "\n",
           "fired", member_int(schedule, "fired"), member_int(schedule, "skipped"),
           member_int(schedule, "missed"), member_int(schedule, "refused"),
           member_int(schedule, "waiting"));
    backfill_print(value_find(schedule, "backfill"));
    line_print(arena, "upcoming", names_text(arena, value_find(schedule, "upcoming")));
    line_print(arena, "zone data", member_text(schedule, "zoneData"));
    rules_print(arena, value_find(schedule, "rules"));
    events_print(arena, schedule);
}

static int exec_show(struct call *call)
{
    return client_show(call, call->arguments[0],
                       schedule_path(&call->arena, call->arguments[0], ""), show_print);
}

const struct cli_command schedules_show_command = {
    .name = "schedules show",
    .arguments = "SCHEDULE",
    .summary = "Show a schedule, its next ticks, and those that made no run",
    .help = "SCHEDULE is its id, or its name.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_show,
};

/* ---- requests about one ------------------------------------------------------------------ */

static int request(struct call *call, const char *method, const char *path, struct slice body,
                   const char *said)
{
    struct client client;
    struct reply reply;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = call->arguments[0];
    if (!client_do(&client, method, path, body, &reply)) {
        code = client.failure;
    } else {
        code = reply.is_unused ? CLI_UNCHANGED : CLI_DONE;
        if (call->json)
            printf("%.*s\n", SLICE_ARG(reply.body));
        else
            printf("%.*s%s%s\n",
                   SLICE_ARG(text_safe(&call->arena, member_text(&reply.value, "id"))),
                   *said == '\0' ? "" : " ", reply.is_unused ? "was so already" : said);
    }
    client_close(&client);
    return code;
}

/* "overlap=queue_one": numbers are numbers, and dates to leave out a list. */
static bool rules_add(struct call *call, struct value *rules)
{
    int position = 0;

    for (const char *said; (said = call_next(call, "set", &position)) != NULL;) {
        const char *equals = strchr(said, '=');
        if (equals == NULL || equals == said) {
            cli_fail(CLI_USAGE, "--set takes WORD=VALUE, like overlap=queue_one, not \"%s\"",
                     said);
            return false;
        }
        struct slice key = { said, (size_t)(equals - said) };
        struct value value = value_text(equals + 1);
        if (slice_is(key, "except") || strspn(equals + 1, "0123456789") == strlen(equals + 1)) {
            struct err err;
            struct slice text = slice_is(key, "except")
                                    ? arena_format(&call->arena, "[\"%s\"]", equals + 1)
                                    : slice_of(equals + 1);
            if (!json_read(&call->arena, text, &value, &err))
                value = value_text(equals + 1);
        }
        if (slice_is(key, "except") && value_find_slice(rules, key) != NULL) {
            struct value list = *value_find_slice(rules, key);
            value_add(&call->arena, &list, value.items[0]);
            value = list;
        }
        value_put_slice(&call->arena, rules, key, value);
    }
    return true;
}

static int exec_create(struct call *call)
{
    static const char *const options[][2] = { { "zone", "timezone" },
                                              { "external-id", "externalId" } };
    struct value body = value_map(), rules = value_map();
    struct buffer out = { 0 };

    value_put(&call->arena, &body, "deduplicationKey", value_text(call->arguments[0]));
    value_put(&call->arena, &body, "task", value_text(call->arguments[1]));
    value_put(&call->arena, &body, "cron", value_text(call->arguments[2]));
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (call_option(call, options[i][0]) != NULL)
            value_put(&call->arena, &body, options[i][1],
                      value_text(call_option(call, options[i][0])));
    if (!rules_add(call, &rules))
        return CLI_USAGE;
    if (rules.count > 0)
        value_put(&call->arena, &body, "rules", rules);
    json_write(&out, &body);
    struct slice text = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return request(call, "POST", SCHEDULES_PATH, text, "");
}

static const struct cli_option create_options[] = {
    { "zone", "ZONE", "the time zone, like Europe/Berlin (default: UTC)" },
    { "external-id", "ID", "what its runs get as externalId" },
    { "set", "WORD=VALUE", "a word of schedules.yaml: overlap=queue_one; may be repeated" },
    { NULL, NULL, NULL },
};

const struct cli_command schedules_create_command = {
    .name = "schedules create",
    .arguments = "NAME TASK CRON",
    .summary = "Make a schedule, or change the one of that name",
    .help =
        "What has changed counts from now on and never fires for the past; its history "
        "stays. One that\n"
        "schedules.yaml declares is changed there. bide schedules next tells when CRON fires.",
    .options = create_options,
    .is_client = true,
    .least = 3,
    .most = 3,
    .exec = exec_create,
};

static int act(struct call *call, const char *end, const char *said)
{
    struct slice body;
    struct err err = { 0 };

    if (!act_body(call, false, NULL, &body, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    return request(call, "POST", schedule_path(&call->arena, call->arguments[0], end), body,
                   said);
}

static int exec_pause(struct call *call)
{
    return act(call, "/deactivate", "is paused");
}

const struct cli_command schedules_pause_command = {
    .name = "schedules pause",
    .arguments = "SCHEDULE",
    .summary = "Let a schedule fire no more until it is resumed",
    .help = "Runs of it go on. One that is paused already stays as it is: exits 3.",
    .options = act_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_pause,
};

static int exec_resume(struct call *call)
{
    return act(call, "/activate", "is active");
}

const struct cli_command schedules_resume_command = {
    .name = "schedules resume",
    .arguments = "SCHEDULE",
    .summary = "Let a paused schedule fire again",
    .help =
        "It begins with its next tick: what was due while it was paused is not made up for.\n"
        "One that is active already stays as it is: exits 3.",
    .options = act_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_resume,
};

static int exec_run(struct call *call)
{
    bool is_forced = call_option(call, "force") != NULL;

    return request(call, "POST", schedule_path(&call->arena, call->arguments[0], "/run"),
                   is_forced ? SLICE("{\"force\":true}") : SLICE("{}"), "");
}

static const struct cli_option run_options[] = {
    { "force", NULL, "whatever its overlap says to a run of it that is not over" },
    { NULL, NULL, NULL },
};

const struct cli_command schedules_run_command = {
    .name = "schedules run",
    .arguments = "SCHEDULE",
    .summary = "Start a run of a schedule now, beside its ticks",
    .help = "Prints the run's id. It is refused where another run of it is not over and its "
            "overlap "
            "does not\n"
            "allow it.",
    .options = run_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_run,
};

static int exec_delete(struct call *call)
{
    return request(call, "DELETE", schedule_path(&call->arena, call->arguments[0], ""),
                   (struct slice){ 0 }, "is deleted");
}

const struct cli_command schedules_delete_command = {
    .name = "schedules delete",
    .arguments = "SCHEDULE",
    .summary = "Delete a schedule; its runs stay",
    .help = "One that schedules.yaml declares goes when it is taken out there.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_delete,
};
