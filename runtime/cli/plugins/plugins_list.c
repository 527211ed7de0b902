/* bide plugins list: what the server has loaded, and what it refused and why. */
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/grid.h"
#include "cli/output/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { BUILD_SHOWN = 8 }; /* enough to tell them apart; --json has all */

/* A task's name, whether it comes as a text or as an object. */
static struct slice task_name(const struct value *task)
{
    return task->kind == VALUE_STRING ? task->bytes : member_text(task, "id");
}

/* A line for each task but the first, so that none is cut for the others. */
static void add_tasks(struct grid *grid, const struct value *plugin, uint32_t column)
{
    uint32_t count;
    const struct value *tasks = member_list(plugin, "tasks", &count);

    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            grid_row(grid);
        grid_cell(grid, column, task_name(&tasks[i]));
    }
}

/* Below the table, where there is room for the whole reason. */
static void print_refusing(struct arena *arena, const struct value *plugin)
{
    uint32_t count;
    const struct value *tasks = member_list(plugin, "unavailable", &count);

    if (slice_is(member_text(plugin, "status"), "refused"))
        printf("\n%.*s is refused: %.*s\n",
               SLICE_ARG(text_safe(arena, member_text(plugin, "file"))),
               SLICE_ARG(text_safe(arena, member_text(plugin, "reason"))));
    if (value_find(plugin, "nextTryInMs") != NULL)
        printf("It is tried again in %.*s.\n",
               SLICE_ARG(span_text(arena, member_int(plugin, "nextTryInMs"))));
    if (member_text(plugin, "warning").size > 0)
        printf("\n%.*s: %.*s\n", SLICE_ARG(text_safe(arena, member_text(plugin, "file"))),
               SLICE_ARG(text_safe(arena, member_text(plugin, "warning"))));
    for (uint32_t i = 0; i < count; i++)
        printf("\ntask %.*s is not available: %.*s\n",
               SLICE_ARG(text_safe(arena, member_text(&tasks[i], "task"))),
               SLICE_ARG(text_safe(arena, member_text(&tasks[i], "reason"))));
}

static void print_list(struct arena *arena, const struct value *reply)
{
    static const struct grid_title titles[] = {
        { "FILE", GRID_ELASTIC },  { "PLUGIN", GRID_ELASTIC }, { "VERSION", GRID_ELASTIC },
        { "BUILD", GRID_PLAIN },   { "STATUS", GRID_PLAIN },   { "RUNS", GRID_NUMBER },
        { "TASKS", GRID_ELASTIC }, { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *plugins = member_list(reply, "data", &count);

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *plugin = &plugins[i];
        struct slice reason = member_text(plugin, "reason"),
                     build = member_text(plugin, "build");
        build.size = build.size < BUILD_SHOWN ? build.size : BUILD_SHOWN;
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(plugin, "file"));
        grid_cell(&grid, 1, member_text(plugin, "plugin"));
        grid_cell(&grid, 2, member_text(plugin, "version"));
        grid_cell(&grid, 3, build);
        grid_cell(&grid, 4, member_text(plugin, "status"));
        if (value_find(plugin, "runs") != NULL)
            grid_format(&grid, 5, "%" PRId64, member_int(plugin, "runs"));
        if (reason.size > 0)
            grid_cell(&grid, 6, reason);
        else
            add_tasks(&grid, plugin, 6);
    }
    grid_print(&grid);
    for (uint32_t i = 0; i < count; i++)
        print_refusing(arena, &plugins[i]);
}

static int exec(struct call *call)
{
    return client_show(call, NULL, "/api/v1/plugins", print_list);
}

const struct cli_command plugins_list_command = {
    .name = "plugins list",
    .summary = "List the plugins the server found",
    .help =
        "A refused plugin stays in the list with the reason in place of its tasks, and in full "
        "below,\n"
        "with when it is tried again.\n"
        "What is kept of older content is listed as previous (what a rollback goes back to), "
        "kept (runs\n"
        "need it) or withdrawn (it was taken back), with how many runs need it.\n"
        "Tasks of a loaded one that are not available, over a schema that is wrong, are named "
        "there, too.",
    .is_client = true,
    .exec = exec,
};
