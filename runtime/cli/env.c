/*
 * bide env list|pause|resume. A key opens one environment, so each is asked with its own: as
 * with --env NAME, and where there is no such file the key that is exported.
 */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/pause_words.h"
#include "cli/output/grid.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

#define PATH "/api/v1/environments"

/* ---- list -------------------------------------------------------------------------------- */

static void print_list(struct arena *arena, const struct value *environments)
{
    static const struct grid_title titles[] = {
        { "ENVIRONMENT", GRID_PLAIN }, { "STATE", GRID_PLAIN },    { "RUNNING", GRID_NUMBER },
        { "QUEUED", GRID_NUMBER },     { "WAITING", GRID_NUMBER }, { "SINCE", GRID_PLAIN },
        { "UNTIL", GRID_PLAIN },       { "BY", GRID_ELASTIC },     { "REASON", GRID_ELASTIC },
        { NULL, GRID_PLAIN },
    };
    static const char *const counts[] = { "running", "queued", "waiting" };
    struct grid grid;

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < environments->count; i++) {
        const struct value *one = &environments->items[i];
        int64_t since_ms = member_time(one, "pausedAt");
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(one, "name"));
        grid_cell(&grid, 1,
                  member_bool(one, "paused")        ? SLICE("paused")
                  : value_find(one, "ramp") != NULL ? SLICE("coming back")
                                                    : SLICE("open"));
        for (uint32_t k = 0; k < 3; k++)
            grid_format(&grid, 2 + k, "%" PRId64, member_int(one, counts[k]));
        if (since_ms != 0)
            grid_cell(&grid, 5, ago_text(arena, since_ms, clock_now_ms()));
        grid_cell(&grid, 6, member_text(one, "pausedUntil"));
        grid_cell(&grid, 7, member_text(one, "pausedBy"));
        grid_cell(&grid, 8, member_text(one, "pausedReason"));
    }
    grid_print(&grid);
}

/* Those of one key, behind the others. NULL: of the key that any command takes. */
static int list_add(struct call *call, const char *name, struct value *all)
{
    struct client client;
    struct reply reply;
    uint32_t count;
    int code;

    if (!client_open_in(&client, call, name, &code))
        return code;
    client.subject = name;
    if (!client_do(&client, "GET", PATH, (struct slice){ 0 }, &reply)) {
        code = client.failure;
    } else {
        const struct value *items = member_list(&reply.value, "data", &count);
        for (uint32_t i = 0; i < count; i++)
            value_add(&call->arena, all, items[i]);
    }
    client_close(&client);
    return code;
}

static int exec_list(struct call *call)
{
    struct value all = value_list();
    struct buffer out = { 0 };
    char **names;
    uint32_t count = settings_environments(call, &names);
    int code = count == 0 ? list_add(call, NULL, &all) : CLI_DONE;

    for (uint32_t i = 0; i < count; i++)
        code = cli_worse(code, list_add(call, names[i], &all));
    if (call->json) {
        struct value page = value_map();
        value_put(&call->arena, &page, "data", all);
        json_write(&out, &page);
        buffer_byte(&out, '\n');
        screen_print(stdout, &out);
    } else if (all.count > 0) {
        print_list(&call->arena, &all);
    }
    return code;
}

const struct cli_command env_list_command = {
    .name = "env list",
    .summary = "List environments, and who has paused them",
    .help = "All whose keys are at hand; with --env, or a key in the environment variables, "
            "the one of\n"
            "that key.",
    .is_client = true,
    .exec = exec_list,
};

/* ---- pause and resume -------------------------------------------------------------------- */

static int act_on(struct call *call, const char *name, const char *action)
{
    struct buffer path = { 0 };
    struct client client;
    struct reply reply;
    int code;

    if (!client_open_in(&client, call, call_option(call, "env") == NULL ? name : NULL, &code))
        return code;
    client.subject = name;
    buffer_text(&path, PATH "/");
    path_add(&path, name);
    buffer_text(&path, "/pause");
    if (!client_do(&client, "POST", path_take(&path, &call->arena),
                   pause_body(call, action, NULL), &reply)) {
        code = client.failure;
    } else {
        struct slice state = text_safe(&call->arena, pause_state(&call->arena, &reply.value));
        if (call->json)
            printf("%.*s\n", SLICE_ARG(reply.body));
        else
            printf("%s  %.*s\n", name, SLICE_ARG(state));
        if (reply.is_unused)
            code = cli_fail(CLI_UNCHANGED, "%s: already %.*s; nothing was changed", name,
                            SLICE_ARG(state));
    }
    client_close(&client);
    return code;
}

static int act(struct call *call, const char *action)
{
    int code = CLI_UNCHANGED;

    for (int i = 0; i < call->argument_count; i++)
        code = cli_worse(code, act_on(call, call->arguments[i], action));
    return code;
}

static int exec_pause(struct call *call)
{
    return act(call, "pause");
}

static int exec_resume(struct call *call)
{
    return act(call, "resume");
}

const struct cli_command env_pause_command = {
    .name = "env pause",
    .arguments = "NAME...",
    .summary = "Start nothing more of environments",
    .help = "Triggers are taken and queued, waits end, segments under way go on; the pause "
            "survives a\n"
            "restart of the server. Who, why and since when is shown by `bide env list` and by "
            "each run\n"
            "that it holds. One that is paused already keeps what is not said anew; where "
            "nothing is, it\n"
            "exits 3.",
    .options = pause_options,
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_pause,
};

const struct cli_command env_resume_command = {
    .name = "env resume",
    .arguments = "NAME...",
    .summary = "Open paused environments again",
    .help = "One that is open already stays so, and exits 3. What `bide serve --start-paused` "
            "has paused\n"
            "is resumed by this as well.",
    .options = resume_options,
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_resume,
};
