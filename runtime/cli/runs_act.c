/* bide runs cancel|replay|wait|send|messages: acting on runs. */
#include "base/clock.h"
#include "base/suggest.h"
#include "cli/client/act_words.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/payload.h"
#include "cli/client/run_text.h"
#include "cli/output/grid.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

/* ---- cancel ------------------------------------------------------------------------------ */

/* Looked at first: the reply to a cancel is the same for a run that was done already. */
static int cancel_one(struct client *client, const char *run)
{
    struct arena *arena = client->arena;
    struct reply before, reply;
    const char *path = path_of_run(arena, "v2", run, "/cancel");

    client->subject = run;
    if (!client_do(client, "GET", path_of_run(arena, "v3", run, ""), (struct slice){ 0 },
                   &before) ||
        !client_do(client, "POST", path, (struct slice){ 0 }, &reply))
        return client->failure;
    bool was_done = member_bool(&before.value, "isCompleted");
    if (client->call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else if (!was_done)
        printf("%.*s\n", SLICE_ARG(text_safe(arena, member_text(&reply.value, "id"))));
    if (!was_done)
        return CLI_DONE;
    struct slice ago =
        ago_text(arena, member_time(&before.value, "finishedAt"), clock_now_ms());
    return cli_fail(CLI_UNCHANGED, "%s: already %.*s %.*s; nothing was changed", run,
                    SLICE_ARG(member_text(&before.value, "status")), SLICE_ARG(ago));
}

static int exec_cancel(struct call *call)
{
    struct client client;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    code = CLI_UNCHANGED;
    for (int i = 0; i < call->argument_count; i++)
        code = cli_worse(code, cancel_one(&client, call->arguments[i]));
    client_close(&client);
    return code;
}

const struct cli_command runs_cancel_command = {
    .name = "runs cancel",
    .arguments = "RUN...",
    .summary = "Cancel runs",
    .help =
        "The runs that it has triggered, and theirs, are canceled with it. A run that is done "
        "already stays\n"
        "as it is, and exits 3.",
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_cancel,
};

/* ---- replay ------------------------------------------------------------------------------ */

/* {"payload": …}, as it was given; empty when nothing is to be changed. */
static bool replay_body(struct call *call, struct slice *body, struct err *err)
{
    const char *from = call_option(call, "from-save-point");
    struct slice payload;
    int64_t number;

    *body = (struct slice){ 0 };
    if (!payload_option(call, "payload", &payload, NULL, err) ||
        (from != NULL && *from != '\0' &&
         !call_number(call, "from-save-point", 0, UINT32_MAX, 0, &number, err)))
        return false;
    if (payload.size > 0 || from != NULL)
        *body =
            arena_format(&call->arena, "{%s%.*s%s%s%s}", payload.size > 0 ? "\"payload\":" : "",
                         SLICE_ARG(payload), payload.size > 0 && from != NULL ? "," : "",
                         from != NULL ? "\"fromSavePoint\":" : "",
                         from == NULL    ? ""
                         : *from == '\0' ? "true"
                                         : from);
    return true;
}

static int report(struct client *client, const struct reply *reply)
{
    struct call *call = client->call;
    const char *run_id = arena_text(&call->arena, member_text(&reply->value, "id"));

    if (call_option(call, "wait") != NULL)
        return run_watch(client, run_id);
    if (call->json)
        printf("%.*s\n", SLICE_ARG(reply->body));
    else
        printf("%.*s\n", SLICE_ARG(text_safe(&call->arena, slice_of(run_id))));
    return CLI_DONE;
}

static int exec_replay(struct call *call)
{
    struct client client;
    struct reply reply;
    struct slice body;
    struct err err = { 0 };
    int code;

    if (!replay_body(call, &body, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    const char *path = path_of_run(&call->arena, "v1", call->arguments[0], "/replay");
    client.subject = call->arguments[0];
    if (client_do(&client, "POST", path, body, &reply))
        code = report(&client, &reply);
    else
        code = client.failure;
    client_close(&client);
    return code;
}

static const struct cli_option replay_options[] = {
    { "payload", "JSON", "another payload than the old one: JSON, @FILE, or - for stdin" },
    { "from-save-point", "[=N]", "begin where the old run saved last, or at save point N" },
    { "wait", NULL, "stay until the new run is done; print its output" },
    { NULL, NULL, NULL },
};

const struct cli_command runs_replay_command = {
    .name = "runs replay",
    .arguments = "RUN",
    .summary = "Start a new run with the payload of an old one",
    .help = "Prints the new run's id. Works from any status. The payload is checked against "
            "the task's\n"
            "schema as it is now; tags, metadata and queue are kept, the rest is as for a new "
            "run.\n"
            "`bide runs states RUN` lists the save points that are kept.",
    .options = replay_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_replay,
};

/* ---- wait -------------------------------------------------------------------------------- */

static const struct act {
    const char *name;
    bool has_when, has_part, has_payload;
} acts[] = {
    { "complete", false, true, true },
    { "timeout", false, false, false },
    { "skip", false, false, false },
    { "move", true, true, false },
};

enum { ACTS = sizeof acts / sizeof acts[0] };

static const struct act *act_find(const char *name)
{
    for (size_t i = 0; i < ACTS; i++)
        if (strcmp(acts[i].name, name) == 0)
            return &acts[i];
    return NULL;
}

static int no_act(const char *name)
{
    struct suggestion suggestion;

    suggestion_init(&suggestion, slice_of(name));
    for (size_t i = 0; i < ACTS; i++)
        suggestion_offer(&suggestion, slice_of(acts[i].name));
    if (suggestion.best.size > 0)
        return cli_fail(CLI_USAGE, "a wait has no \"%s\"; did you mean \"%.*s\"?", name,
                        SLICE_ARG(suggestion.best));
    return cli_fail(CLI_USAGE, "a wait has no \"%s\": complete, timeout, skip or move it",
                    name);
}

/* What does not go with it; NULL: all does. */
static const char *misplaced(const struct call *call, const struct act *act)
{
    if (!act->has_part && call_option(call, "part") != NULL)
        return "--part goes with complete and move: the whole wait is meant";
    if (!act->has_payload && call_option(call, "payload") != NULL)
        return "--payload goes with complete";
    if (act->has_when != (call->argument_count == 3))
        return act->has_when ? "move needs a time: `bide runs wait RUN move 10m`"
                             : "only move takes a time";
    return NULL;
}

static int exec_wait(struct call *call)
{
    const char *run = call->arguments[0];
    const struct act *act = act_find(call->arguments[1]);
    struct err err = { 0 };
    struct client client;
    struct reply reply;
    struct slice body;
    int code;

    if (act == NULL)
        return no_act(call->arguments[1]);
    if (misplaced(call, act) != NULL)
        return cli_fail(CLI_USAGE, "%s", misplaced(call, act));
    if (!act_body(call, act->has_payload, act->has_when ? call->arguments[2] : NULL, &body,
                  &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    const char *end = arena_format(&call->arena, "/wait/%s", act->name).data;
    const char *path = path_of_run(&call->arena, "v1", run, end);
    client.subject = run;
    if (!client_do(&client, "POST", path, body, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else if (!reply.is_unused)
        printf("%s\n", run);
    if (code == CLI_DONE && reply.is_unused)
        code = cli_fail(CLI_UNCHANGED, "%s: that was over already; nothing was changed", run);
    client_close(&client);
    return code;
}

static const struct cli_option wait_options[] = {
    { "part", "NAME", "with complete and move: one of the things it waits for, by name or id" },
    { "payload", "JSON", "with complete: what the run gets: JSON, @FILE, or - for stdin" },
    ACT_OPTIONS,
    { NULL, NULL, NULL },
};

const struct cli_command runs_wait_command = {
    .name = "runs wait",
    .arguments = "RUN ACT [WHEN]",
    .summary = "Act on what a run waits for",
    .help =
        "ACT is one of: complete, a token or a time, by --part where there are several (a "
        "token "
        "gets null\n"
        "without --payload; a message is sent instead: `bide runs send`; a run or a batch ends "
        "by itself);\n"
        "timeout, the wait gives up now; skip, it is over now as if all had come; move, it "
        "gives "
        "up, or its\n"
        "time comes, at WHEN: a duration from now (10m), a date, or never. Who did it and why "
        "stands in the\n"
        "run's timeline. A run that does not wait is refused.",
    .options = wait_options,
    .is_client = true,
    .least = 2,
    .most = 3,
    .exec = exec_wait,
};

/* ---- send -------------------------------------------------------------------------------- */

static bool send_body(struct call *call, struct slice *body, struct err *err)
{
    struct buffer name = { 0 }, key = { 0 };
    const char *given = call_option(call, "key");
    struct value text = value_text(call->arguments[1]);
    struct slice payload;

    if (!payload_option(call, "payload", &payload, NULL, err))
        return false;
    json_write(&name, &text);
    text = value_text(given == NULL ? "" : given);
    json_write(&key, &text);
    *body = arena_format(
        &call->arena, "{\"name\":%.*s%s%.*s%s%.*s}", SLICE_ARG(buffer_view(&name)),
        payload.size > 0 ? ",\"data\":" : "", SLICE_ARG(payload),
        given == NULL ? "" : ",\"key\":", (int)(given == NULL ? 0 : key.size), key.data);
    buffer_finish(&name);
    buffer_finish(&key);
    return true;
}

static int exec_send(struct call *call)
{
    const char *run = call->arguments[0];
    struct client client;
    struct reply reply;
    struct slice body;
    struct err err = { 0 };
    int code;

    if (!send_body(call, &body, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    client.subject = run;
    if (!client_do(&client, "POST", path_of_run(&call->arena, "v1", run, "/messages"), body,
                   &reply)) {
        code = client.failure;
    } else {
        if (call->json)
            printf("%.*s\n", SLICE_ARG(reply.body));
        else
            printf("%lld\n", (long long)member_int(&reply.value, "number"));
        if (member_bool(&reply.value, "isCached"))
            code = cli_fail(CLI_UNCHANGED,
                            "%s: message %lld was sent with this key before; nothing was sent",
                            run, (long long)member_int(&reply.value, "number"));
    }
    client_close(&client);
    return code;
}

static const struct cli_option send_options[] = {
    { "payload", "JSON", "what the run gets: JSON, @FILE, or - for stdin" },
    { "key", "KEY", "sent twice with one key, it is received once" },
    { NULL, NULL, NULL },
};

const struct cli_command runs_send_command = {
    .name = "runs send",
    .arguments = "RUN NAME",
    .summary = "Send a message to a run",
    .help =
        "Prints its number. It is kept until the run waits for a message of that name. "
        "Where the\n"
        "task's schema declares messages, it must be one of them. One that was sent with the "
        "same key\n"
        "before is not sent again, and exits 3.",
    .options = send_options,
    .is_client = true,
    .least = 2,
    .most = 2,
    .exec = exec_send,
};

/* ---- messages ---------------------------------------------------------------------------- */

static struct slice data_text(struct arena *arena, const struct value *message)
{
    const struct value *data = value_find(message, "data");
    struct buffer text = { 0 };

    if (data != NULL)
        json_write(&text, data);
    struct slice kept = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return kept;
}

static void print_messages(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "NUMBER", GRID_PLAIN }, { "NAME", GRID_PLAIN },   { "SENT", GRID_PLAIN },
        { "TAKEN", GRID_PLAIN },  { "DATA", GRID_ELASTIC }, { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *messages = member_list(page, "data", &count);

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *message = &messages[i];
        grid_row(&grid);
        grid_cell(&grid, 0,
                  arena_format(arena, "%lld", (long long)member_int(message, "number")));
        grid_cell(&grid, 1, member_text(message, "name"));
        grid_cell(&grid, 2, ago_text(arena, member_time(message, "createdAt"), clock_now_ms()));
        grid_cell(&grid, 3, member_bool(message, "isTaken") ? SLICE("yes") : SLICE("no"));
        grid_cell(&grid, 4, data_text(arena, message));
    }
    grid_print(&grid);
}

static int exec_messages(struct call *call)
{
    const char *run = call->arguments[0];

    return client_show(call, run, path_of_run(&call->arena, "v1", run, "/messages"),
                       print_messages);
}

const struct cli_command runs_messages_command = {
    .name = "runs messages",
    .arguments = "RUN",
    .summary = "List the messages that a run has not received yet",
    .help = "The oldest first. One that is taken was told to the segment that runs, and goes "
            "when that ends.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_messages,
};
