/* bide queues list|show|pause|resume|limit. A task's own queue is written task/TASK. */
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
#include <string.h>

/* The API has the slash of a name escaped twice. `end` may be "". */
static const char *queue_path(struct arena *arena, const char *name, const char *end)
{
    struct buffer twice = { 0 }, path = { 0 };

    for (; *name != '\0'; name++)
        if (*name == '/')
            buffer_text(&twice, "%2F");
        else
            buffer_byte(&twice, *name);
    buffer_text(&path, "/api/v1/queues/");
    path_add(&path, path_take(&twice, arena));
    buffer_text(&path, end);
    return path_take(&path, arena);
}

static const char *queue_type(const char *name)
{
    if (strncmp(name, "task/", 5) == 0)
        return "task";
    return strncmp(name, "queue_", 6) == 0 ? "id" : "custom";
}

static struct slice shown_name(struct arena *arena, const struct value *queue)
{
    struct slice name = member_text(queue, "name");
    if (slice_is(member_text(queue, "type"), "task"))
        return arena_format(arena, "task/%.*s", SLICE_ARG(name));
    return name;
}

/* ---- list -------------------------------------------------------------------------------- */

/* "100/1m", "100/1m set". */
static struct slice rate_shown(struct arena *arena, const struct value *queue, const char *word,
                               const char *override)
{
    struct slice rate = member_text(queue, word);

    if (value_find(queue, override) == NULL)
        return rate;
    return arena_format(arena, "%.*s set", SLICE_ARG(rate.size > 0 ? rate : SLICE("none")));
}

static void print_list(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "QUEUE", GRID_ELASTIC }, { "RUNNING", GRID_NUMBER }, { "QUEUED", GRID_NUMBER },
        { "LIMIT", GRID_NUMBER },  { "KEY", GRID_NUMBER },     { "TOTAL", GRID_NUMBER },
        { "P95 MS", GRID_NUMBER }, { "RATE", GRID_PLAIN },     { "STATE", GRID_PLAIN },
        { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *queues = member_list(page, "data", &count);

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        static const char *const limits[] = { "concurrencyLimit", "perKeyLimit", "totalLimit" };
        const struct value *queue = &queues[i];
        grid_row(&grid);
        grid_cell(&grid, 0, shown_name(arena, queue));
        grid_format(&grid, 1, "%" PRId64, member_int(queue, "running"));
        grid_format(&grid, 2, "%" PRId64, member_int(queue, "queued"));
        for (unsigned k = 0; k < 3; k++) {
            const struct value *limit = value_find(queue, limits[k]);
            if (limit != NULL && limit->kind == VALUE_INT)
                grid_format(&grid, 3 + k, "%" PRId64, limit->integer);
        }
        struct slice rate = rate_shown(arena, queue, "rate", "rateOverride"),
                     key_rate = rate_shown(arena, queue, "keyRate", "keyRateOverride");
        grid_format(&grid, 6, "%" PRId64,
                    member_int(value_find(queue, "lastHour"), "waitP95Ms"));
        grid_cell(&grid, 7,
                  key_rate.size == 0
                      ? rate
                      : arena_format(arena, "%.*s%skey %.*s", SLICE_ARG(rate),
                                     rate.size > 0 ? "; " : "", SLICE_ARG(key_rate)));
        grid_cell(&grid, 8,
                  member_bool(queue, "paused")              ? SLICE("paused")
                  : member_bool(queue, "environmentPaused") ? SLICE("environment paused")
                  : value_find(queue, "ramp") != NULL       ? SLICE("coming back")
                                                            : SLICE("open"));
    }
    grid_print(&grid);
}

static int exec_list(struct call *call)
{
    struct client client;
    struct reply reply;
    struct err err = { 0 };
    int64_t page, limit;
    int code;

    if (!call_number(call, "page", 1, 1000000, 1, &page, &err) ||
        !call_number(call, "limit", 1, 100, 25, &limit, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    struct slice path = arena_format(
        &call->arena, "/api/v1/queues?page=%" PRId64 "&perPage=%" PRId64, page, limit);
    if (!client_do(&client, "GET", path.data, (struct slice){ 0 }, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        print_list(&call->arena, &reply.value);
    const struct value *pagination = value_find(&reply.value, "pagination");
    if (code == CLI_DONE && !call->json && member_int(pagination, "totalPages") > page)
        fprintf(stderr, "more: add --page %" PRId64 "\n", page + 1);
    client_close(&client);
    return code;
}

static const struct cli_option list_options[] = {
    { "limit", "COUNT", "how many, 1 to 100 (default: 25)" },
    { "page", "NUMBER", "which page (default: 1)" },
    { NULL, NULL, NULL },
};

const struct cli_command queues_list_command = {
    .name = "queues list",
    .summary = "List queues by name",
    .help =
        "A task's own queue is written task/TASK. LIMIT is of the runs at a time with one\n"
        "concurrency key, or with none; KEY, where it differs, of those with a key; TOTAL of\n"
        "all of the queue. P95 MS is how long 95 of 100 of what started in the last hour had "
        "been\n"
        "ready at most, about. RATE, where there is one, is how many start in a time.",
    .options = list_options,
    .is_client = true,
    .exec = exec_list,
};

/* ---- show -------------------------------------------------------------------------------- */

/* Whatever the server counts, a line each; what is in a map with its name before it. */
static void members_add(struct call *call, struct buffer *out, const char *before,
                        const struct value *map)
{
    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->count; i++) {
        const struct member *member = &map->members[i];
        struct slice key = arena_format(&call->arena, "%s%.*s", before,
                                        SLICE_ARG(text_safe(&call->arena, member->key)));
        struct buffer value = { 0 };
        if (member->value.kind == VALUE_LIST)
            continue; /* keys: a table */
        if (member->value.kind == VALUE_MAP) {
            members_add(call, out, arena_format(&call->arena, "%.*s.", SLICE_ARG(key)).data,
                        &member->value);
            continue;
        }
        if (member->value.kind == VALUE_STRING)
            buffer_slice(&value, member->value.bytes);
        else
            json_write(&value, &member->value);
        buffer_format(out, "%-26.*s ", SLICE_ARG(key));
        text_add_safe(out, buffer_view(&value), false);
        buffer_byte(out, '\n');
        buffer_finish(&value);
    }
}

static void keys_print(struct arena *arena, const struct value *queue)
{
    static const struct grid_title titles[] = {
        { "KEY", GRID_ELASTIC },    { "RUNNING", GRID_NUMBER }, { "QUEUED", GRID_NUMBER },
        { "DELAYED", GRID_NUMBER }, { "WAITING", GRID_NUMBER }, { "LIMIT", GRID_NUMBER },
        { "STARTED", GRID_NUMBER }, { "P50 MS", GRID_NUMBER },  { "P95 MS", GRID_NUMBER },
        { NULL, GRID_PLAIN },
    };
    static const char *const now[] = { "running", "queued", "delayed", "waiting",
                                       "effectiveLimit" };
    static const char *const hour[] = { "started", "waitP50Ms", "waitP95Ms" };
    struct grid grid;
    uint32_t count;
    const struct value *keys = member_list(queue, "keys", &count);

    if (count == 0)
        return;
    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *of_hour = value_find(&keys[i], "lastHour");
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(&keys[i], "key"));
        for (uint32_t k = 0; k < 5; k++)
            grid_format(&grid, 1 + k, "%" PRId64, member_int(&keys[i], now[k]));
        for (uint32_t k = 0; k < 3; k++)
            grid_format(&grid, 6 + k, "%" PRId64, member_int(of_hour, hour[k]));
    }
    printf("\n");
    grid_print(&grid);
}

static void print_members(struct call *call, const struct value *map)
{
    struct buffer out = { 0 };

    members_add(call, &out, "", map);
    screen_print(stdout, &out);
    keys_print(&call->arena, map);
}

static int exec_show(struct call *call)
{
    struct client client;
    struct reply reply;
    const char *name = call->arguments[0];
    struct slice query = arena_format(&call->arena, "/statistics?type=%s", queue_type(name));
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = name;
    if (!client_do(&client, "GET", queue_path(&call->arena, name, query.data),
                   (struct slice){ 0 }, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        print_members(call, &reply.value);
    client_close(&client);
    return code;
}

const struct cli_command queues_show_command = {
    .name = "queues show",
    .arguments = "QUEUE",
    .summary = "Show a queue's numbers",
    .help =
        "QUEUE is a name, task/TASK for a task's own queue, or an id. lastHour is of the last "
        "60\n"
        "minutes: waitP50Ms and waitP95Ms are how long half, and 95 of 100, of what started "
        "had\n"
        "been ready at most, about. limitedBy names what effectiveLimit comes from. Below are\n"
        "the busiest keys, at most a hundred, with STARTED, P50 and P95 of that hour.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_show,
};

/* ---- pause and resume -------------------------------------------------------------------- */

static int act_on(struct client *client, const char *name, const char *action)
{
    struct call *call = client->call;
    struct reply reply;

    client->subject = name;
    if (!client_do(client, "POST", queue_path(client->arena, name, "/pause"),
                   pause_body(call, action, queue_type(name)), &reply))
        return client->failure;
    struct slice state = text_safe(client->arena, pause_state(client->arena, &reply.value));
    struct slice shown = text_safe(client->arena, shown_name(client->arena, &reply.value));
    if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        printf("%.*s  %.*s\n", SLICE_ARG(shown), SLICE_ARG(state));
    return !reply.is_unused ? CLI_DONE
                            : cli_fail(CLI_UNCHANGED, "%s: already %.*s; nothing was changed",
                                       name, SLICE_ARG(state));
}

static int act(struct call *call, const char *action)
{
    struct client client;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    code = CLI_UNCHANGED;
    for (int i = 0; i < call->argument_count; i++)
        code = cli_worse(code, act_on(&client, call->arguments[i], action));
    client_close(&client);
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

const struct cli_command queues_pause_command = {
    .name = "queues pause",
    .arguments = "QUEUE...",
    .summary = "Start nothing more from queues",
    .help =
        "Runs that are under way go on; the pause survives a restart of the server. Who, why, "
        "since\n"
        "and until when is shown by each run that it holds. A queue that is paused already "
        "keeps what\n"
        "is not said anew; where nothing is, it exits 3.",
    .options = pause_options,
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_pause,
};

const struct cli_command queues_resume_command = {
    .name = "queues resume",
    .arguments = "QUEUE...",
    .summary = "Open paused queues again",
    .help = "What waits starts by rank. A queue that is open already stays so, and exits 3; "
            "one that still\n"
            "comes back by a --ramp is all there at once.",
    .options = resume_options,
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_resume,
};

/* ---- limit ------------------------------------------------------------------------------- */

/* What the API says to a reset where nothing is set. */
#define NOT_OVERRIDDEN "Queue is not overridden"

/* "reset", a number, or "50%". */
static bool limit_body(struct call *call, const char *text, struct slice *body, bool *is_reset)
{
    const char *type = queue_type(call->arguments[0]);
    size_t digits = strspn(text, "0123456789");
    bool is_percent = text[digits] == '%' && text[digits + 1] == '\0';

    *is_reset = strcmp(text, "reset") == 0;
    if (*is_reset)
        *body = arena_format(&call->arena, "{\"type\":\"%s\"}", type);
    else if (digits > 0 && digits < 10 && (is_percent || text[digits] == '\0'))
        *body = arena_format(&call->arena, "{\"type\":\"%s\",\"%s\":%.*s}", type,
                             is_percent ? "percent" : "concurrencyLimit", (int)digits, text);
    else
        return false;
    return true;
}

static void limit_print(struct call *call, const struct value *queue)
{
    struct arena *arena = &call->arena;
    bool is_ramping = value_find(queue, "ramp") != NULL;

    printf("%.*s  %" PRId64 " at a time%s%.*s\n",
           SLICE_ARG(text_safe(arena, shown_name(arena, queue))),
           member_int(queue, "concurrencyLimit"), is_ramping ? "; " : "",
           SLICE_ARG(is_ramping ? text_safe(arena, pause_state(arena, queue))
                                : (struct slice){ 0 }));
}

/* "/concurrency" or "/rate". */
static int override_send(struct call *call, const char *what, struct slice body, bool is_reset,
                         void (*print)(struct call *call, const struct value *queue))
{
    const char *name = call->arguments[0];
    struct client client;
    struct reply reply;
    struct err err = { 0 };
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = name;
    struct slice end =
        arena_format(&call->arena, "%s/%s", what, is_reset ? "reset" : "override");
    const char *path = queue_path(&call->arena, name, end.data);
    if (!client_send(&client, "POST", path, body, &reply, &err))
        code = cli_fail(CLI_FAILED, "%s", err.text);
    else if (is_reset && slice_is(member_text(&reply.value, "error"), NOT_OVERRIDDEN))
        code = cli_fail(CLI_UNCHANGED, "%s: nothing else is set; nothing was changed", name);
    else if (!client_took(&client, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        print(call, &reply.value);
    client_close(&client);
    return code;
}

static int exec_limit(struct call *call)
{
    struct slice body;
    bool is_reset;

    if (!limit_body(call, call->arguments[1], &body, &is_reset))
        return cli_fail(CLI_USAGE,
                        "LIMIT is a number, a part like 50%% of the configured one, or reset");
    return override_send(call, "/concurrency", body, is_reset, limit_print);
}

const struct cli_command queues_limit_command = {
    .name = "queues limit",
    .arguments = "QUEUE LIMIT",
    .summary = "Set another limit of a queue, for now",
    .help = "LIMIT is how many runs at a time, with one concurrency key or with none; or a "
            "part like 50%\n"
            "of what is configured; or reset, which is back to that. It survives a restart of "
            "the server.\n"
            "Where per_key is configured, lanes with a key keep it; total holds as ever. A "
            "reset where no "
            "other\n"
            "limit is set exits 3.",
    .is_client = true,
    .least = 2,
    .most = 2,
    .exec = exec_limit,
};

/* ---- rate -------------------------------------------------------------------------------- */

static void rate_print(struct call *call, const struct value *queue)
{
    struct arena *arena = &call->arena;
    struct slice rate = member_text(queue, "rate"), key_rate = member_text(queue, "keyRate");

    printf("%.*s  rate %.*s; of each key %.*s\n",
           SLICE_ARG(text_safe(arena, shown_name(arena, queue))),
           SLICE_ARG(rate.size > 0 ? rate : SLICE("none")),
           SLICE_ARG(key_rate.size > 0 ? key_rate : SLICE("none")));
}

static int exec_rate(struct call *call)
{
    const char *text = call->arguments[1], *burst = call_option(call, "burst");
    const char *word = call_option(call, "key") != NULL ? "keyRate" : "rate";
    bool is_reset = strcmp(text, "reset") == 0;
    struct value body = value_map();
    struct buffer out = { 0 };
    struct slice rate = burst == NULL ? slice_of(text)
                                      : arena_format(&call->arena, "%s, burst %s", text, burst);

    if (burst != NULL && (is_reset || strcmp(text, "none") == 0))
        return cli_fail(CLI_USAGE, "--burst is for a rate like 100/1m");
    value_put(&call->arena, &body, "type", value_text(queue_type(call->arguments[0])));
    if (!is_reset)
        value_put(&call->arena, &body, word, value_string(rate));
    else if (call_option(call, "key") != NULL) /* else both */
        value_put(&call->arena, &body, word, value_bool(true));
    json_write(&out, &body);
    struct slice sent = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return override_send(call, "/rate", sent, is_reset, rate_print);
}

static const struct cli_option rate_options[] = {
    { "burst", "COUNT", "so many at once after a pause (default: 1)" },
    { "key", NULL, "the rate of each concurrency key" },
    { NULL, NULL, NULL },
};

const struct cli_command queues_rate_command = {
    .name = "queues rate",
    .arguments = "QUEUE RATE",
    .summary = "Set another rate of a queue, for now",
    .help =
        "RATE is how many start in a time, like 100/1m; or none; or reset, which is back to "
        "what is\n"
        "configured, of the queue and of its keys (with --key of these alone). It survives a "
        "restart of\n"
        "the server, and shows as rateOverride. What a start costs stays as it is configured. "
        "A "
        "reset\n"
        "where no other rate is set exits 3.",
    .options = rate_options,
    .is_client = true,
    .least = 2,
    .most = 2,
    .exec = exec_rate,
};
