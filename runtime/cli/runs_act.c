/* bide runs cancel|replay: acting on runs. */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/payload.h"
#include "cli/client/run_text.h"
#include "cli/output/text.h"

#include <stdio.h>

static const char *act_path(struct arena *arena, const char *version, const char *run,
                            const char *end)
{
    struct buffer path = { 0 };
    buffer_format(&path, "/api/%s/runs/", version);
    path_add(&path, run);
    buffer_text(&path, end);
    return path_take(&path, arena);
}

/* ---- cancel ------------------------------------------------------------------------------ */

/* Looked at first: the reply to a cancel is the same for a run that was done already. */
static int cancel_one(struct client *client, const char *run)
{
    struct arena *arena = client->arena;
    struct reply before, reply;
    const char *path = act_path(arena, "v2", run, "/cancel");

    client->subject = run;
    if (!client_do(client, "GET", act_path(arena, "v3", run, ""), (struct slice){ 0 },
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
    struct slice payload;

    *body = (struct slice){ 0 };
    if (!payload_option(call, "payload", &payload, NULL, err))
        return false;
    if (payload.size > 0)
        *body = arena_format(&call->arena, "{\"payload\":%.*s}", SLICE_ARG(payload));
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
    const char *path = act_path(&call->arena, "v1", call->arguments[0], "/replay");
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
            "run.",
    .options = replay_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_replay,
};
