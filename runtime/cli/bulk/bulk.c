/* bide bulk cancel|replay|list|show|stop: many runs at once. */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/page.h"
#include "cli/output/grid.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BULK_PATH "/api/v1/bulk-actions"

enum { LOOK_PAUSE_MS = 300 };

static const char *bulk_path(struct arena *arena, const char *id, const char *end)
{
    struct buffer path = { 0 };

    buffer_text(&path, BULK_PATH "/");
    path_add(&path, id);
    buffer_text(&path, end);
    return path_take(&path, arena);
}

/* ---- which runs -------------------------------------------------------------------------- */

static const struct where {
    const char *option, *member;
    bool upper_case; /* people write statuses in lower case */
} wheres[] = {
    { "status", "status", true },    { "task", "taskIdentifier", false },
    { "queue", "queue", false },     { "tag", "tag", false },
    { "version", "version", false }, { "period", "period", false },
    { "from", "from", false },       { "to", "to", false },
};

enum { WHERES = sizeof wheres / sizeof wheres[0] };

static struct slice upper(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.size + 1);

    for (size_t i = 0; i < text.size; i++)
        copy[i] = text.data[i] >= 'a' && text.data[i] <= 'z' ? (char)(text.data[i] - 32)
                                                             : text.data[i];
    return (struct slice){ copy, text.size };
}

/* Given several times, or with commas: any of them. */
static struct value texts_of(struct call *call, const struct where *where)
{
    struct value list = value_list();
    int position = 0;

    for (const char *text; (text = call_next(call, where->option, &position)) != NULL;)
        for (const char *end; text != NULL; text = *end == ',' ? end + 1 : NULL) {
            end = text + strcspn(text, ",");
            struct slice one = { text, (size_t)(end - text) };
            value_add(&call->arena, &list,
                      value_string(where->upper_case ? upper(&call->arena, one) : one));
        }
    return list;
}

static struct value metadata_of(struct call *call)
{
    struct value map = value_map();
    int position = 0;

    for (const char *text; (text = call_next(call, "meta", &position)) != NULL;) {
        const char *equals = strchr(text, '=');
        size_t size = equals == NULL ? strlen(text) : (size_t)(equals - text);
        const char *key = arena_text(&call->arena, (struct slice){ text, size });
        value_put(&call->arena, &map, key, value_text(equals == NULL ? "" : equals + 1));
    }
    return map;
}

/* False: it is not said which. */
static bool target_put(struct call *call, struct value *body)
{
    struct value filter = value_map(), runs = value_list();

    for (int i = 0; i < call->argument_count; i++)
        value_add(&call->arena, &runs, value_text(call->arguments[i]));
    for (int i = 0; i < WHERES; i++) {
        struct value texts = texts_of(call, &wheres[i]);
        if (texts.count > 0)
            value_put(&call->arena, &filter, wheres[i].member, texts);
    }
    struct value metadata = metadata_of(call);
    if (metadata.count > 0)
        value_put(&call->arena, &filter, "metadata", metadata);
    if (runs.count > 0)
        value_put(&call->arena, body, "runIds", runs);
    if (filter.count > 0 || call_option(call, "all") != NULL)
        value_put(&call->arena, body, "filter", filter);
    return body->count > 0;
}

static struct slice body_of(struct call *call, struct value target, const char *action,
                            bool is_dry)
{
    static const char *const texts[][2] = { { "name", "name" },
                                            { "reason", "reason" },
                                            { "by", "by" } };
    struct buffer out = { 0 };

    value_put(&call->arena, &target, "action", value_text(action));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (call_option(call, texts[i][0]) != NULL)
            value_put(&call->arena, &target, texts[i][1],
                      value_text(call_option(call, texts[i][0])));
    if (call_option(call, "by") == NULL && getenv("USER") != NULL && *getenv("USER") != '\0')
        value_put(&call->arena, &target, "by", value_text(getenv("USER")));
    if (is_dry)
        value_put(&call->arena, &target, "dryRun", value_bool(true));
    json_write(&out, &target);
    struct slice text = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

/* ---- cancel and replay ------------------------------------------------------------------- */

static struct slice count_text(struct arena *arena, const struct value *dry)
{
    int64_t count = member_int(dry, "count"), ended = member_int(dry, "endedCount");

    return arena_format(arena, "%s%" PRId64 " run%s, %" PRId64 " of them ended",
                        member_bool(dry, "isMore") ? "more than " : "", count,
                        count == 1 ? "" : "s", ended);
}

/* Nobody is asked where nobody can answer. */
static bool is_wanted(const struct call *call, const char *action, struct slice count,
                      int *code)
{
    char line[16] = "";

    *code = CLI_UNCHANGED;
    if (call_option(call, "yes") != NULL)
        return true;
    if (isatty(STDIN_FILENO) == 0) {
        *code = cli_fail(CLI_USAGE, "%.*s: add --yes to %s them, or --dry-run to look",
                         SLICE_ARG(count), action);
        return false;
    }
    fprintf(stderr, "%s %.*s? [y/N] ", action, SLICE_ARG(count));
    return fgets(line, sizeof line, stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static struct slice progress_text(struct arena *arena, const struct value *bulk)
{
    const struct value *counts = value_find(bulk, "counts");
    struct slice text =
        arena_format(arena, "%.*s  %.*s  %" PRId64 " of %" PRId64,
                     SLICE_ARG(member_text(bulk, "id")), SLICE_ARG(member_text(bulk, "status")),
                     member_int(counts, "success") + member_int(counts, "failure"),
                     member_int(counts, "total"));

    if (member_int(counts, "unchanged") > 0)
        text = arena_format(arena, "%.*s, %" PRId64 " had ended", SLICE_ARG(text),
                            member_int(counts, "unchanged"));
    if (member_int(counts, "failure") > 0)
        text = arena_format(arena, "%.*s, %" PRId64 " failed", SLICE_ARG(text),
                            member_int(counts, "failure"));
    return text;
}

static void failures_add(struct buffer *out, const struct value *bulk)
{
    uint32_t count;
    const struct value *failures = member_list(bulk, "failures", &count);
    int64_t all = member_int(value_find(bulk, "counts"), "failure");

    for (uint32_t i = 0; i < count; i++) {
        buffer_text(out, "  ");
        text_add_safe(out, member_text(&failures[i], "id"), false);
        buffer_text(out, "  ");
        text_add_safe(out, member_text(&failures[i], "error"), false);
        buffer_byte(out, '\n');
    }
    if (all > count)
        buffer_format(out, "  and %" PRId64 " more\n", all - count);
}

/* Until it is done; Ctrl-C ends the watching only. */
static int follow(struct client *client, const char *id)
{
    const char *path = bulk_path(&client->call->arena, id, "");
    struct buffer failures = { 0 };
    struct screen_line line;
    struct reply reply;

    screen_line_init(&line);
    for (;;) {
        if (!client_do(client, "GET", path, (struct slice){ 0 }, &reply))
            return client->failure;
        struct slice text = progress_text(client->arena, &reply.value);
        screen_line_draw(&line, text, member_text(&reply.value, "status"));
        if (!slice_is(member_text(&reply.value, "status"), "PENDING"))
            break;
        client_pause(LOOK_PAUSE_MS);
    }
    screen_line_end(&line);
    failures_add(&failures, &reply.value);
    screen_print(stderr, &failures);
    if (client->call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        printf("%s\n", id);
    bool is_fine = slice_is(member_text(&reply.value, "status"), "COMPLETED") &&
                   member_int(value_find(&reply.value, "counts"), "failure") == 0;
    return is_fine ? CLI_DONE : CLI_FAILED;
}

static int begin(struct client *client, struct value target, const char *action)
{
    struct call *call = client->call;
    struct reply reply;
    int code;

    if (!client_do(client, "POST", BULK_PATH, body_of(call, target, action, true), &reply))
        return client->failure;
    struct slice count = count_text(&call->arena, &reply.value);
    if (call_option(call, "dry-run") != NULL) {
        printf("%.*s\n", SLICE_ARG(call->json ? reply.body : count));
        return CLI_DONE;
    }
    if (member_int(&reply.value, "count") == 0)
        return cli_fail(CLI_UNCHANGED, "there is no such run; nothing was changed");
    if (!is_wanted(call, action, count, &code))
        return code;
    if (!client_do(client, "POST", BULK_PATH, body_of(call, target, action, false), &reply))
        return client->failure;
    const char *id = arena_text(&call->arena, member_text(&reply.value, "id"));
    if (call_option(call, "no-wait") == NULL)
        return follow(client, id);
    printf("%.*s\n", SLICE_ARG(call->json ? reply.body : slice_of(id)));
    return CLI_DONE;
}

static int exec_action(struct call *call, const char *action)
{
    struct value target = value_map();
    struct client client;
    int code;

    if (!target_put(call, &target))
        return cli_fail(CLI_USAGE,
                        "say which runs: by their ids, by a filter like --status failed, or "
                        "--all");
    if (!client_open(&client, call, &code))
        return code;
    code = begin(&client, target, action);
    client_close(&client);
    return code;
}

static int exec_cancel(struct call *call)
{
    return exec_action(call, "cancel");
}

static int exec_replay(struct call *call)
{
    return exec_action(call, "replay");
}

static const struct cli_option action_options[] = {
    { "status", "STATUS", "only these, as in runs list" },
    { "task", "TASK", "only this task's" },
    { "queue", "NAME", "only this queue's; task/TASK is a task's own" },
    { "tag", "TAG", "only those with one of these tags" },
    { "meta", "KEY=VALUE", "only those whose metadata says so" },
    { "version", "VERSION", "only those that ran with this plugin version" },
    { "period", "DURATION", "only those created since: 30m, 7d" },
    { "from", "DATE", "only those created from then on" },
    { "to", "DATE", "only those created until then" },
    { "all", NULL, "all runs of the environment" },
    { "dry-run", NULL, "say how many runs that are; change nothing" },
    { "yes", NULL, "do not ask" },
    { "no-wait", NULL, "print the action's id and leave it to the server" },
    { "name", "TEXT", "what to call it" },
    { "reason", "TEXT", "why, for whoever looks at it" },
    { "by", "NAME", "who does it (default: $USER)" },
    { NULL, NULL, NULL },
};

#define ACTION_HELP                                                                            \
    "Of runs by their ids, or of all that a filter finds; filters are those of runs list, "    \
    "and may be\ngiven several times, or with commas. Says how many they are and asks first. " \
    "The server works through\nthem bit by bit, from the newest to the oldest, each once, "    \
    "also over a restart; runs that are made\nmeanwhile are not touched. Prints the "          \
    "action's id, and why runs failed. Exits 1 when one did, 3 when\nthere is no such run. "

const struct cli_command bulk_cancel_command = {
    .name = "bulk cancel",
    .arguments = "[RUN...]",
    .summary = "Cancel many runs",
    .help = ACTION_HELP "A run\nthat has ended stays as it is.",
    .options = action_options,
    .is_client = true,
    .most = CLI_ANY_NUMBER,
    .exec = exec_cancel,
};

const struct cli_command bulk_replay_command = {
    .name = "bulk replay",
    .arguments = "[RUN...]",
    .summary = "Start many runs again, with their payloads",
    .help = ACTION_HELP "Each\nnew run is as that of runs replay; `bide runs list "
                        "--bulk-action ID` lists them.",
    .options = action_options,
    .is_client = true,
    .most = CLI_ANY_NUMBER,
    .exec = exec_replay,
};

/* ---- list and show ----------------------------------------------------------------------- */

static void print_list(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "BULK ACTION", GRID_PLAIN }, { "TYPE", GRID_PLAIN },  { "STATUS", GRID_PLAIN },
        { "TOTAL", GRID_NUMBER },      { "DONE", GRID_NUMBER }, { "FAILED", GRID_NUMBER },
        { "CREATED", GRID_PLAIN },     { "BY", GRID_ELASTIC },  { "NAME", GRID_ELASTIC },
        { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *actions = member_list(page, "data", &count);

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *bulk = &actions[i], *counts = value_find(bulk, "counts");
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(bulk, "id"));
        grid_cell(&grid, 1, member_text(bulk, "type"));
        grid_cell(&grid, 2, member_text(bulk, "status"));
        grid_format(&grid, 3, "%" PRId64, member_int(counts, "total"));
        grid_format(&grid, 4, "%" PRId64, member_int(counts, "success"));
        grid_format(&grid, 5, "%" PRId64, member_int(counts, "failure"));
        grid_cell(&grid, 6, ago_text(arena, member_time(bulk, "createdAt"), clock_now_ms()));
        grid_cell(&grid, 7, member_text(bulk, "by"));
        grid_cell(&grid, 8, member_text(bulk, "name"));
    }
    grid_print(&grid);
}

static int exec_list(struct call *call)
{
    static const struct page_filter none[] = { { NULL, NULL, false, false } };

    return page_show(call, BULK_PATH, none, print_list);
}

static const struct cli_option list_options[] = {
    { "limit", "COUNT", "how many, 1 to 100 (default: 25)" },
    { "after", "CURSOR", "the page after this one" },
    { NULL, NULL, NULL },
};

const struct cli_command bulk_list_command = {
    .name = "bulk list",
    .summary = "List bulk actions, newest first",
    .help = "DONE counts runs that had ended before a cancel came to them, too.",
    .options = list_options,
    .is_client = true,
    .exec = exec_list,
};

static void line_add(struct buffer *out, const char *label, struct slice text)
{
    if (text.size == 0)
        return;
    buffer_format(out, "%-9s ", label);
    text_add_safe(out, text, false);
    buffer_byte(out, '\n');
}

static void print_show(struct arena *arena, const struct value *bulk)
{
    const struct value *filter = value_find(bulk, "filter");
    struct buffer out = { 0 }, text = { 0 };

    buffer_format(&out, "%.*s\n", SLICE_ARG(text_safe(arena, progress_text(arena, bulk))));
    line_add(&out, "type", member_text(bulk, "type"));
    line_add(&out, "name", member_text(bulk, "name"));
    line_add(&out, "by", member_text(bulk, "by"));
    line_add(&out, "reason", member_text(bulk, "reason"));
    line_add(&out, "stopped", member_text(bulk, "stoppedBy"));
    line_add(&out, "created", ago_text(arena, member_time(bulk, "createdAt"), clock_now_ms()));
    if (member_time(bulk, "completedAt") != 0)
        line_add(&out, "ended",
                 ago_text(arena, member_time(bulk, "completedAt"), clock_now_ms()));
    if (filter != NULL)
        json_write(&text, filter);
    line_add(&out, "filter", buffer_view(&text));
    buffer_finish(&text);
    failures_add(&out, bulk);
    screen_print(stdout, &out);
}

static int exec_show(struct call *call)
{
    return client_show(call, call->arguments[0],
                       bulk_path(&call->arena, call->arguments[0], ""), print_show);
}

const struct cli_command bulk_show_command = {
    .name = "bulk show",
    .arguments = "ID",
    .summary = "Show how far a bulk action is, and what failed",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_show,
};

/* ---- stop -------------------------------------------------------------------------------- */

static int exec_stop(struct call *call)
{
    const char *id = call->arguments[0];
    struct value body = value_map();
    struct buffer text = { 0 };
    struct client client;
    struct reply reply;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = id;
    const char *by = call_option(call, "by") != NULL ? call_option(call, "by") : getenv("USER");
    if (by != NULL && *by != '\0')
        value_put(&call->arena, &body, "by", value_text(by));
    json_write(&text, &body);
    if (!client_do(&client, "POST", bulk_path(&call->arena, id, "/abort"), buffer_view(&text),
                   &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else if (!reply.is_unused)
        printf("%s\n", id);
    if (code == CLI_DONE && reply.is_unused)
        code = cli_fail(CLI_UNCHANGED, "%s: that was over already; nothing was changed", id);
    buffer_finish(&text);
    client_close(&client);
    return code;
}

static const struct cli_option stop_options[] = {
    { "by", "NAME", "who does it (default: $USER)" },
    { NULL, NULL, NULL },
};

const struct cli_command bulk_stop_command = {
    .name = "bulk stop",
    .arguments = "ID",
    .summary = "Stop a bulk action where it is",
    .help = "What it has done stays done. One that is over stays as it is: exits 3.",
    .options = stop_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_stop,
};
