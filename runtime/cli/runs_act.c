/* bide runs cancel|replay: acting on runs. */
#include "cli/client.h"
#include "cli/member.h"
#include "cli/text.h"

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

static bool cancel_one(struct client *client, const char *run)
{
    struct reply reply;
    const char *path = act_path(client->arena, "v2", run, "/cancel");

    if (!client_do(client, "POST", path, (struct slice){ 0 }, &reply))
        return false;
    if (client->call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        printf("%.*s\n", SLICE_ARG(text_safe(client->arena, member_text(&reply.value, "id"))));
    return true;
}

static int exec_cancel(struct call *call)
{
    struct client client;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    for (int i = 0; i < call->argument_count; i++)
        if (!cancel_one(&client, call->arguments[i]))
            code = CLI_FAILED;
    client_close(&client);
    return code;
}

const struct cli_command runs_cancel_command = {
    .name = "runs cancel",
    .arguments = "RUN...",
    .summary = "Cancel runs",
    .help = "A run that is done already stays as it is; that is no error.",
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_cancel,
};

/* ---- replay ------------------------------------------------------------------------------ */

/* 404 means either that there is no such run or that this server has no such request. */
static void complain_replay(struct client *client, const char *run, const struct reply *refusal)
{
    struct reply reply;
    struct err err = { 0 };
    const char *path = act_path(client->arena, "v3", run, "");

    if (refusal->status == 404 &&
        client_send(client, "GET", path, (struct slice){ 0 }, &reply, &err) &&
        reply.status == 200)
        cli_fail(CLI_FAILED, "this server cannot replay runs");
    else
        client_complain(refusal);
}

static int exec_replay(struct call *call)
{
    struct client client;
    struct reply reply;
    struct err err = { 0 };
    int code;

    if (!client_open(&client, call, &code))
        return code;
    const char *run = call->arguments[0], *path = act_path(&call->arena, "v1", run, "/replay");
    bool answered = client_send(&client, "POST", path, (struct slice){ 0 }, &reply, &err);
    bool done = answered && reply.status == 200 && reply.is_json;
    if (!answered)
        cli_fail(CLI_FAILED, "%s", err.text);
    else if (!done)
        complain_replay(&client, run, &reply);
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        printf("%.*s\n", SLICE_ARG(text_safe(&call->arena, member_text(&reply.value, "id"))));
    client_close(&client);
    return done ? CLI_DONE : CLI_FAILED;
}

const struct cli_command runs_replay_command = {
    .name = "runs replay",
    .arguments = "RUN",
    .summary = "Start a new run with the payload of an old one",
    .help = "Prints the new run's id. Works from any status.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_replay,
};
