/* bide runs list|show|watch: looking at runs. */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/page.h"
#include "cli/client/run_text.h"
#include "cli/output/grid.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- list -------------------------------------------------------------------------------- */

static const struct page_filter list_filters[] = {
    { "status", "filter[status]", true, false },
    { "task", "filter[taskIdentifier]", false, false },
    { "queue", "filter[queue]", false, false },
    { "tag", "filter[tag]", false, false },
    { "meta", "filter[metadata][", false, true },
    { "schedule", "filter[schedule]", false, false },
    { "version", "filter[version]", false, false },
    { "bulk-action", "filter[bulkAction]", false, false },
    { "period", "filter[createdAt][period]", false, false },
    { "from", "filter[createdAt][from]", false, false },
    { "to", "filter[createdAt][to]", false, false },
    { NULL, NULL, false, false },
};

static void print_list(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "RUN", GRID_PLAIN },     { "TASK", GRID_ELASTIC }, { "STATUS", GRID_PLAIN },
        { "CREATED", GRID_PLAIN }, { "TOOK", GRID_NUMBER },  { "TAGS", GRID_ELASTIC },
        { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *runs = member_list(page, "data", &count);
    int64_t now_ms = clock_now_ms();

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *run = &runs[i];
        int64_t finished_ms = member_time(run, "finishedAt");
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(run, "id"));
        grid_cell(&grid, 1, member_text(run, "taskIdentifier"));
        grid_cell(&grid, 2, member_text(run, "status"));
        grid_cell(&grid, 3, ago_text(arena, member_time(run, "createdAt"), now_ms));
        if (finished_ms != 0)
            grid_cell(&grid, 4, span_text(arena, finished_ms - member_time(run, "createdAt")));
        grid_cell(&grid, 5, names_text(arena, value_find(run, "tags")));
    }
    grid_print(&grid);
}

static int exec_list(struct call *call)
{
    return page_show(call, "/api/v1/runs", list_filters, print_list);
}

static const struct cli_option list_options[] = {
    { "status", "STATUS", "only these; all are listed above" },
    { "task", "TASK", "only this task's" },
    { "queue", "NAME", "only this queue's; task/TASK is a task's own" },
    { "tag", "TAG", "only those with one of these tags" },
    { "meta", "KEY=VALUE", "only those whose metadata says so" },
    { "schedule", "SCHEDULE", "only those that this schedule made, by its id or name" },
    { "version", "VERSION", "only those that ran with this plugin version" },
    { "bulk-action", "ID", "only those that this bulk action has made or canceled" },
    { "period", "DURATION", "only those created since: 30m, 7d" },
    { "from", "DATE", "only those created from then on" },
    { "to", "DATE", "only those created until then" },
    { "limit", "COUNT", "how many, 1 to 100 (default: 25)" },
    { "after", "CURSOR", "the page after this one" },
    { NULL, NULL, NULL },
};

const struct cli_command runs_list_command = {
    .name = "runs list",
    .summary = "List runs, newest first",
    .help =
        "Filters may be given several times, or with commas: any of them then. The statuses:\n"
        "\n"
        "  DELAYED           starts at a time to come\n"
        "  PAUSED            its attempts are used up, and it is kept: bide runs redrive\n"
        "  QUEUED            starts as soon as its queue and the slots let it\n"
        "  PENDING_VERSION   waits for a plugin that offers the task, or that its state fits\n"
        "  EXECUTING         a segment of it runs\n"
        "  WAITING           for a time, a token or other runs; costs nothing meanwhile\n"
        "  COMPLETED         done, as the task wanted it\n"
        "  FAILED            the task said so, or its attempts are used up\n"
        "  CRASHED           the same, and the last attempt ended in a crash\n"
        "  TIMED_OUT         it took longer than it may\n"
        "  CANCELED          by somebody, or with its parent\n"
        "  EXPIRED           it was not started within its TTL\n"
        "  SYSTEM_FAILURE    bide could not go on with it\n"
        "  DEAD_LETTER       only asked by: a FAILED, CRASHED or TIMED_OUT that may be "
        "redriven",
    .options = list_options,
    .is_client = true,
    .exec = exec_list,
};

/* ---- show -------------------------------------------------------------------------------- */

static const char *run_path(struct arena *arena, const char *run, const char *end)
{
    struct buffer path = { 0 };
    path_add(&path, run);
    buffer_text(&path, end);
    return path_take(&path, arena);
}

static void add_log(struct buffer *out, const struct value *line)
{
    buffer_text(out, "  ");
    text_add_safe(out, member_text(line, "at"), false);
    buffer_format(out, "  %-5.*s ", SLICE_ARG(member_text(line, "level")));
    if (member_text(line, "segment").size > 0) {
        buffer_format(out, "%" PRId64 "/", member_int(line, "attempt"));
        text_add_safe(out, member_text(line, "segment"), false);
        buffer_text(out, "  ");
    }
    text_add_safe(out, member_text(line, "text"), false);
    buffer_byte(out, '\n');
}

static void add_logs(struct buffer *out, const struct value *reply)
{
    uint32_t count;
    const struct value *lines = member_list(reply, "data", &count);

    if (count > 0)
        buffer_text(out, "\nlogs\n");
    for (uint32_t i = 0; i < count; i++)
        add_log(out, &lines[i]);
}

static bool show_one(struct client *client, const char *run)
{
    struct arena *arena = client->arena;
    struct slice path = arena_format(arena, "/api/v3/runs/%s", run_path(arena, run, ""));
    struct reply reply, logs = { 0 };
    struct buffer out = { 0 };

    client->subject = run;
    if (!client_do(client, "GET", path.data, (struct slice){ 0 }, &reply))
        return false;
    path = arena_format(arena, "/api/v1/runs/%s", run_path(arena, run, "/logs"));
    bool done = client_do(client, "GET", path.data, (struct slice){ 0 }, &logs);
    const struct value *lines = value_find(&logs.value, "data");
    if (client->call->json) {
        if (reply.value.kind == VALUE_MAP && lines != NULL)
            value_put(arena, &reply.value, "logs", *lines);
        json_write(&out, &reply.value);
        buffer_byte(&out, '\n');
    } else {
        run_print(&out, arena, &reply.value, clock_now_ms());
        add_logs(&out, &logs.value);
    }
    screen_print(stdout, &out);
    return done;
}

static int exec_show(struct call *call)
{
    struct client client;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    for (int i = 0; i < call->argument_count; i++) {
        if (i > 0 && !call->json)
            puts("");
        if (!show_one(&client, call->arguments[i]))
            code = cli_worse(code, client.failure);
    }
    client_close(&client);
    return code;
}

const struct cli_command runs_show_command = {
    .name = "runs show",
    .arguments = "RUN...",
    .summary = "Show everything about runs",
    .help = "Status, what it waits for, its parent and children, its saved state, payload, "
            "output, error,\n"
            "timeline and logs.",
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_show,
};

/* ---- watch ------------------------------------------------------------------------------- */

static int exec_watch(struct call *call)
{
    struct client client;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    code = run_watch(&client, call->arguments[0]);
    client_close(&client);
    return code;
}

const struct cli_command runs_watch_command = {
    .name = "runs watch",
    .arguments = "RUN",
    .summary = "Follow a run until it is done",
    .help = "A status line on stderr while it goes on, then its output on stdout. Exits 1 "
            "unless the run\n"
            "completed. Ctrl-C ends the watching, not the run.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_watch,
};
