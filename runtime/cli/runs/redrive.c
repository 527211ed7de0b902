/* bide runs redrive: runs whose attempts are used up go on. */
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void text_put(struct call *call, struct value *map, const char *name, const char *text)
{
    if (text != NULL && *text != '\0')
        value_put(&call->arena, map, name, value_text(text));
}

/* What both kinds of requests say. */
static struct value body_of(struct call *call)
{
    const char *by = call_option(call, "by");
    struct value map = value_map();

    text_put(call, &map, "from", call_option(call, "from"));
    text_put(call, &map, "by", by == NULL ? getenv("USER") : by);
    return map;
}

static bool post(struct client *client, const char *path, const struct value *body,
                 struct reply *reply)
{
    struct buffer out = { 0 };

    json_write(&out, body);
    bool done = client_do(client, "POST", path, buffer_view(&out), reply);
    buffer_finish(&out);
    return done;
}

/* ---- one by one -------------------------------------------------------------------------- */

static int redrive_one(struct client *client, const char *run, const struct value *body)
{
    struct arena *arena = client->arena;
    struct reply reply;

    client->subject = run;
    if (!post(client, path_of_run(arena, "v1", run, "/redrive"), body, &reply))
        return client->failure;
    if (client->call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        printf("%.*s\n", SLICE_ARG(text_safe(arena, member_text(&reply.value, "id"))));
    return CLI_DONE;
}

/* ---- all --------------------------------------------------------------------------------- */

static int print_all(struct client *client, const struct reply *reply)
{
    struct arena *arena = client->arena;
    uint32_t count;
    const struct value *runs = member_list(&reply->value, "runs", &count);
    int code = CLI_DONE;

    if (client->call->json) {
        printf("%.*s\n", SLICE_ARG(reply->body));
        return CLI_DONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct slice id = text_safe(arena, member_text(&runs[i], "id"));
        struct slice next = text_safe(arena, member_text(&runs[i], "goesOnAs"));
        struct slice error = text_safe(arena, member_text(&runs[i], "error"));
        if (error.size > 0)
            code = cli_fail(CLI_UNCHANGED, "%.*s: %.*s", SLICE_ARG(id), SLICE_ARG(error));
        else if (next.size == 0 || slice_equal(next, id))
            printf("%.*s\n", SLICE_ARG(id));
        else
            printf("%.*s goes on as %.*s\n", SLICE_ARG(id), SLICE_ARG(next));
    }
    fprintf(stderr, "%" PRId64 " %s%s\n", member_int(&reply->value, "count"),
            call_option(client->call, "dry-run") != NULL ? "would go on" : "go on",
            member_bool(&reply->value, "more") ? "; there are more" : "");
    return code;
}

static int redrive_all(struct client *client, struct value *body)
{
    struct call *call = client->call;
    struct reply reply;
    struct err err = { 0 };
    int64_t limit;

    if (!call_number(call, "limit", 1, 100, 25, &limit, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    text_put(call, body, "queue", call_option(call, "queue"));
    text_put(call, body, "taskIdentifier", call_option(call, "task"));
    value_put(&call->arena, body, "limit", value_int(limit));
    value_put(&call->arena, body, "dryRun", value_bool(call_option(call, "dry-run") != NULL));
    if (!post(client, "/api/v1/runs/redrive", body, &reply))
        return client->failure;
    return print_all(client, &reply);
}

/* ---- both -------------------------------------------------------------------------------- */

static int exec_redrive(struct call *call)
{
    bool is_all = call_option(call, "queue") != NULL || call_option(call, "task") != NULL;
    struct value body = body_of(call);
    struct client client;
    int code;

    if (is_all == (call->argument_count > 0))
        return cli_fail(CLI_USAGE, "%s",
                        is_all ? "name runs, or a --queue and --task, not both"
                               : "which runs? Name them, or say --queue or --task");
    if (!is_all && (call_option(call, "limit") != NULL || call_option(call, "dry-run") != NULL))
        return cli_fail(CLI_USAGE, "--limit and --dry-run go with --queue and --task");
    if (!client_open(&client, call, &code))
        return code;
    if (is_all)
        code = redrive_all(&client, &body);
    for (int i = 0; i < call->argument_count; i++) {
        int one = redrive_one(&client, call->arguments[i], &body);
        code = i == 0 ? one : cli_worse(code, one);
    }
    client_close(&client);
    return code;
}

static const struct cli_option options[] = {
    { "queue", "NAME", "all of this queue's; task/TASK is a task's own" },
    { "task", "TASK", "all of this task's" },
    { "limit", "COUNT", "of those the newest, 1 to 100 (default: 25)" },
    { "from", "WHERE", "save_point (default) or start" },
    { "by", "NAME", "who does it (default: $USER)" },
    { "dry-run", NULL, "only say which ones would go on" },
    { NULL, NULL, NULL },
};

const struct cli_command runs_redrive_command = {
    .name = "runs redrive",
    .arguments = "[RUN...]",
    .summary = "Let runs go on whose attempts are used up",
    .help =
        "One that is PAUSED goes on itself. For a DEAD_LETTER a new run does, where the old "
        "one has ended,\n"
        "and its id is printed; whoever waited for the old one has been told of its end.",
    .options = options,
    .is_client = true,
    .least = 0,
    .most = CLI_ANY_NUMBER,
    .exec = exec_redrive,
};
