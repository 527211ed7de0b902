/* bide plugins promote|rollback: which build new runs take. */
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/grid.h"
#include "codec/json.h"

#include <inttypes.h>

static void print_builds(struct arena *arena, const struct value *reply)
{
    static const struct grid_title titles[] = {
        { "FILE", GRID_ELASTIC }, { "PLUGIN", GRID_ELASTIC }, { "VERSION", GRID_ELASTIC },
        { "BUILD", GRID_PLAIN },  { "NEW RUNS", GRID_PLAIN }, { "", GRID_ELASTIC },
        { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *builds = member_list(reply, "data", &count);

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *current = value_find(&builds[i], "current");
        int64_t percent = member_int(&builds[i], "percent");
        bool is_current = current != NULL && current->kind == VALUE_BOOL && current->boolean;
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(&builds[i], "file"));
        grid_cell(&grid, 1, member_text(&builds[i], "plugin"));
        grid_cell(&grid, 2, member_text(&builds[i], "version"));
        grid_cell(&grid, 3, member_text(&builds[i], "build"));
        if (is_current && percent > 0)
            grid_format(&grid, 4, "%" PRId64 " %%", percent);
        else
            grid_cell(&grid, 4, is_current ? SLICE("all") : SLICE("none"));
        grid_cell(&grid, 5, member_text(&builds[i], "reason"));
    }
    grid_print(&grid);
}

static void text_add(struct call *call, struct value *body, const char *option,
                     const char *name)
{
    const char *text = call_option(call, option);

    if (text != NULL)
        value_put(&call->arena, body, name, value_text(text));
}

static int send(struct call *call, struct value *body, const char *path)
{
    if (call_option(call, "with-runs") != NULL)
        value_put(&call->arena, body, "withRuns", value_bool(true));
    return client_ask(call, call->arguments[0], "POST", path, body, print_builds);
}

static int exec_promote(struct call *call)
{
    struct value body = value_map();
    struct err err = { 0 };
    int64_t percent;

    if (!call_number(call, "percent", 1, 100, 100, &percent, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    value_put(&call->arena, &body, "build", value_text(call->arguments[0]));
    if (call_option(call, "percent") != NULL)
        value_put(&call->arena, &body, "percent", value_int(percent));
    text_add(call, &body, "over", "over");
    return send(call, &body, "/api/v1/plugins/promote");
}

static int exec_rollback(struct call *call)
{
    struct value body = value_map();

    value_put(&call->arena, &body, "plugin", value_text(call->arguments[0]));
    text_add(call, &body, "reason", "reason");
    text_add(call, &body, "by", "by");
    return send(call, &body, "/api/v1/plugins/rollback");
}

static const struct cli_option promote_options[] = {
    { "percent", "N", "of what starts takes it, the rest the build before (default: 100)" },
    { "over", "DURATION", "grows from there to all within that time: 30m" },
    { "with-runs", NULL, "runs that are locked to other builds of the file go on in it" },
    { NULL, NULL, NULL },
};

const struct cli_command plugins_promote_command = {
    .name = "plugins promote",
    .arguments = "BUILD",
    .summary = "Let new runs start in a build that is kept",
    .help =
        "BUILD is what `bide plugins list --json` shows, 16 digits. With --percent a part of "
        "what starts\n"
        "takes it; when segments of it crash (workers.rollback_crashes and rollback_percent "
        "of\n"
        "bide.yaml say how many) it is taken back by itself. Runs that have started stay where "
        "they are.",
    .options = promote_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_promote,
};

static const struct cli_option rollback_options[] = {
    { "with-runs", NULL, "its runs go on in the build before, too" },
    { "reason", "TEXT", "why; `bide plugins list` shows it" },
    { "by", "NAME", "who does it (default: whose key it is)" },
    { NULL, NULL, NULL },
};

const struct cli_command plugins_rollback_command = {
    .name = "plugins rollback",
    .arguments = "PLUGIN",
    .summary = "Go back to the build before the current one",
    .help = "PLUGIN is the name of a plugin, or of its file. New runs take the build before; "
            "what has started\n"
            "in this one ends in it, unless --with-runs is given.",
    .options = rollback_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_rollback,
};
