/* bide runs states: the save points of a run that are kept. */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/grid.h"
#include "codec/json.h"

static void print_states(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "NUMBER", GRID_NUMBER }, { "SEGMENT", GRID_PLAIN }, { "SAVED", GRID_PLAIN },
        { "BYTES", GRID_NUMBER },  { "STATE", GRID_ELASTIC }, { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *points = member_list(page, "data", &count);

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *state = value_find(&points[i], "state");
        int64_t saved_ms = member_time(&points[i], "savedAt");
        struct buffer text = { 0 };
        if (state != NULL)
            json_write(&text, state);
        grid_row(&grid);
        grid_format(&grid, 0, "%lld", (long long)member_int(&points[i], "number"));
        grid_cell(&grid, 1, member_text(&points[i], "segment"));
        grid_cell(&grid, 2,
                  saved_ms == 0 ? SLICE("-") : ago_text(arena, saved_ms, clock_now_ms()));
        grid_format(&grid, 3, "%lld", (long long)member_int(&points[i], "bytes"));
        grid_cell(&grid, 4, arena_copy(arena, buffer_view(&text)));
        buffer_finish(&text);
    }
    grid_print(&grid);
}

static int exec(struct call *call)
{
    const char *run = call->arguments[0];

    return client_show(call, run, path_of_run(&call->arena, "v1", run, "/save-points"),
                       print_states);
}

const struct cli_command runs_states_command = {
    .name = "runs states",
    .arguments = "RUN",
    .summary = "List the save points of a run that are kept",
    .help = "The oldest first; the last is where the run is, or where it ended. A run that has "
            "failed keeps\n"
            "its last, and one of a task with keep_states as many as that says. `bide runs "
            "replay\n"
            "--from-save-point=NUMBER` begins at one of them.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec,
};
