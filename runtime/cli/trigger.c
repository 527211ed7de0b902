/* bide trigger: start a run, and follow it when asked to; bide keys reset: its key is free. */
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/payload.h"
#include "cli/client/run_text.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>

/* Options that go into the request as they are; the server knows what is allowed. */
static const struct {
    const char *option, *name;
} texts[] = {
    { "delay", "delay" },
    { "ttl", "ttl" },
    { "total-time", "totalTime" },
    { "cpu-time", "cpuTime" },
    { "concurrency-key", "concurrencyKey" },
    { "version", "lockToVersion" },
    { "key", "idempotencyKey" },
    { "key-ttl", "idempotencyKeyTTL" },
    { "parent", "parentRunId" },
    { "on-parent-end", "onParentEnd" },
};

/* Of "debounce". */
static const char *const bounces[][2] = {
    { "debounce", "key" },
    { "debounce-delay", "delay" },
    { "debounce-mode", "mode" },
    { "debounce-most", "maxDelay" },
};

static const char *const numbers[][2] = {
    { "priority", "priority" },
    { "max-attempts", "maxAttempts" },
    { "max-attempts-total", "maxAttemptsTotal" },
    { "cost", "cost" },
    { "max-duration", "maxDuration" },
};

static bool add_numbers(struct call *call, struct value *options, struct err *err)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *text = call_option(call, numbers[i][0]);
        struct value number;
        if (text == NULL)
            continue;
        if (!json_read(&call->arena, slice_of(text), &number, NULL) ||
            (number.kind != VALUE_INT && number.kind != VALUE_UINT &&
             number.kind != VALUE_DOUBLE))
            return err_set(err, ERR_BAD_REQUEST, "--%s must be a number, not \"%s\"",
                           numbers[i][0], text);
        value_put(&call->arena, options, numbers[i][1], number);
    }
    return true;
}

/* What may be given more than once. */
static void add_list(struct call *call, const char *option, const char *name,
                     struct value *options)
{
    struct value list = value_list();
    int position = 0;

    for (const char *item; (item = call_next(call, option, &position)) != NULL;)
        value_add(&call->arena, &list, value_text(item));
    if (list.count > 0)
        value_put(&call->arena, options, name, list);
}

static bool make_options(struct call *call, struct value *options, struct err *err)
{
    struct slice metadata_text;
    struct value metadata, queue = value_map();
    const char *name = call_option(call, "queue");

    *options = value_map();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = call_option(call, texts[i].option);
        if (text != NULL)
            value_put(&call->arena, options, texts[i].name, value_text(text));
    }
    if (name != NULL) {
        value_put(&call->arena, &queue, "name", value_text(name));
        value_put(&call->arena, options, "queue", queue);
    }
    struct value bounce = value_map();
    for (size_t i = 0; i < sizeof bounces / sizeof *bounces; i++)
        if (call_option(call, bounces[i][0]) != NULL)
            value_put(&call->arena, &bounce, bounces[i][1],
                      value_text(call_option(call, bounces[i][0])));
    if (bounce.count > 0)
        value_put(&call->arena, options, "debounce", bounce);
    if (call_option(call, "test") != NULL)
        value_put(&call->arena, options, "test", value_bool(true));
    if (call_option(call, "inherit-tags") != NULL)
        value_put(&call->arena, options, "inheritTags", value_bool(true));
    add_list(call, "tag", "tags", options);
    add_list(call, "reuse", "reuse", options);
    if (!payload_option(call, "metadata", &metadata_text, &metadata, err))
        return false;
    if (metadata_text.size > 0 && metadata.kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST, "--metadata must be a JSON object");
    if (metadata_text.size > 0)
        value_put(&call->arena, options, "metadata", metadata);
    return add_numbers(call, options, err);
}

/* {"payload": …, "options": {…}}; the payload's text goes in as it was given. */
static bool make_body(struct call *call, struct slice *body, struct err *err)
{
    struct value options;
    struct slice payload;
    struct buffer out = { 0 };

    if (!payload_option(call, "payload", &payload, NULL, err) ||
        !make_options(call, &options, err))
        return false;
    buffer_byte(&out, '{');
    if (payload.size > 0) {
        buffer_text(&out, "\"payload\":");
        buffer_slice(&out, payload);
        buffer_byte(&out, ',');
    }
    buffer_text(&out, "\"options\":");
    json_write(&out, &options);
    buffer_byte(&out, '}');
    *body = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return true;
}

static int report(struct client *client, const struct reply *reply)
{
    struct call *call = client->call;
    const char *run_id = arena_text(&call->arena, member_text(&reply->value, "id"));
    const char *earlier =
        member_bool(&reply->value, "isSkipped")
            ? "its queue has a run of its concurrency key already, on_conflict: skip"
        : member_bool(&reply->value, "isDebounced")
            ? "debounced: a run of its key that has not started"
        : member_bool(&reply->value, "isCollected")
            ? "collected: added to the list of a run that has not started"
        : member_bool(&reply->value, "isCached") ? "the key is known: an earlier run"
                                                 : NULL;

    if (call_option(call, "wait") != NULL) {
        if (earlier != NULL)
            fprintf(stderr, "bide: %s: %s\n", run_id, earlier);
        return run_watch(client, run_id);
    }
    if (call->json)
        printf("%.*s\n", SLICE_ARG(reply->body));
    else if (earlier != NULL)
        printf("%s  (%s)\n", run_id, earlier);
    else
        printf("%s\n", run_id);
    return CLI_DONE;
}

static int exec(struct call *call)
{
    struct client client;
    struct buffer path = { 0 };
    struct slice body;
    struct reply reply;
    struct err err = { 0 };
    int code;

    if (!make_body(call, &body, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    buffer_text(&path, "/api/v1/tasks/");
    path_add(&path, call->arguments[0]);
    buffer_text(&path, "/trigger");
    if (client_do(&client, "POST", path_take(&path, &call->arena), body, &reply))
        code = report(&client, &reply);
    else
        code = client.failure;
    if (code != CLI_DONE && call->json && member_text(&reply.value, "id").size > 0)
        printf("%.*s\n", SLICE_ARG(reply.body)); /* another payload for the key of that run */
    client_close(&client);
    return code;
}

static const struct cli_option options[] = {
    { "payload", "JSON", "the task's input: JSON, @FILE, or - for stdin" },
    { "wait", NULL, "stay until the run is done; print its output" },
    { "queue", "NAME", "queue to enter instead of the task's own" },
    { "concurrency-key", "KEY", "share the queue's limit with the runs of this key alone" },
    { "delay", "WHEN", "start later: a duration (10m) or a date (2030-01-31T09:00:00Z)" },
    { "debounce", "KEY",
      "one with the last trigger of this key, while its run has not started" },
    { "debounce-delay", "DURATION", "start so long after the last of them" },
    { "debounce-mode", "MODE", "leading, trailing or merge: whose payload counts" },
    { "debounce-most", "DURATION", "start so long after the first (default: 10 x the delay)" },
    { "ttl", "DURATION", "expire when not started by then; 0 is never" },
    { "priority", "SECONDS", "head start over others in the queue; may have a fraction" },
    { "tag", "TAG", "may be given up to ten times" },
    { "key", "KEY", "idempotency key: the same key gives the same run" },
    { "version", "VERSION", "of its plugin, one that is kept (default: the current)" },
    { "key-ttl", "DURATION", "how long the key counts (default: 30d)" },
    { "reuse", "OUTCOME", "success, canceled, failed, expired: it keeps the key" },
    { "parent", "RUN", "it becomes a child of this run" },
    { "inherit-tags", NULL, "it has the tags of that run as well" },
    { "on-parent-end", "RULE", "cancel, abandon or wait, when that is canceled or times out" },
    { "metadata", "JSON", "a JSON object, @FILE, or - for stdin" },
    { "max-attempts", "COUNT", "attempts from one save point" },
    { "max-attempts-total", "COUNT", "attempts in all, whatever it has saved" },
    { "cost", "COUNT", "each start counts for so many at the rates of its queue" },
    { "max-duration", "SECONDS", "how long an attempt may take; may have a fraction" },
    { "cpu-time", "DURATION", "processor time that an attempt may use" },
    { "total-time", "DURATION", "how long the run may take, its waits included" },
    { "test", NULL, "mark the run as a test" },
    { NULL, NULL, NULL },
};

const struct cli_command trigger_command = {
    .name = "trigger",
    .arguments = "TASK",
    .summary = "Start a run of a task",
    .help =
        "Prints the run's id once the run is durable. With --wait it follows the run with a "
        "status\n"
        "line on stderr, prints the output on stdout, and exits 1 unless the run completed.\n"
        "Without --payload it is null, or {} where the task's schema wants an object.\n"
        "\n"
        "  bide trigger hello --payload '{\"name\": \"you\"}' --wait",
    .options = options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec,
};

/* ---- keys -------------------------------------------------------------------------------- */

static int exec_reset(struct call *call)
{
    struct value body = value_map();
    struct buffer path = { 0 }, text = { 0 };
    struct client client;
    struct reply reply;
    int code;

    const char *of = call_option(call, "of");
    bool is_of_task = of == NULL || strcmp(of, "run") == 0;
    if (is_of_task != (call->argument_count == 2))
        return is_of_task
                   ? cli_fail(CLI_USAGE, "bide keys reset TASK KEY: one is missing")
                   : cli_fail(CLI_USAGE, "bide keys reset --of %s KEY: such a key is no task's",
                              of);
    const char *key = call->arguments[call->argument_count - 1];
    if (is_of_task)
        value_put(&call->arena, &body, "taskIdentifier", value_text(call->arguments[0]));
    else
        value_put(&call->arena, &body, "of", value_text(of));
    if (call_option(call, "run") != NULL)
        value_put(&call->arena, &body, "parentRunId", value_text(call_option(call, "run")));
    json_write(&text, &body);
    struct slice said = arena_copy(&call->arena, buffer_view(&text));
    buffer_finish(&text);
    if (!client_open(&client, call, &code))
        return code;
    client.subject = key;
    buffer_text(&path, "/api/v1/idempotencyKeys/");
    path_add(&path, key);
    buffer_text(&path, "/reset");
    if (!client_do(&client, "POST", path_take(&path, &call->arena), said, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else if (is_of_task || member_text(&reply.value, "tokenId").size > 0)
        printf("%.*s  is not what the key stands for any more\n",
               SLICE_ARG(member_text(&reply.value, is_of_task ? "runId" : "tokenId")));
    else
        printf("The next wait with the key begins anew\n");
    client_close(&client);
    return code;
}

static const struct cli_option reset_options[] = {
    { "run", "RUN", "the key is one that a segment of this run gave, as the run's own" },
    { "of", "KIND", "the key is one of a token, or of a wait; it has no TASK then" },
    { NULL, NULL, NULL },
};

const struct cli_command keys_reset_command = {
    .name = "keys reset",
    .arguments = "TASK KEY",
    .summary = "Free an idempotency key: its next trigger makes a run",
    .help = "Whatever became of the run that it stood for, which is printed and goes on. A key "
            "that stands for\n"
            "nothing is an error.\n"
            "\n"
            "  bide keys reset hello order-7\n"
            "  bide keys reset --of wait --run run_... cool-off",
    .options = reset_options,
    .is_client = true,
    .least = 1,
    .most = 2,
    .exec = exec_reset,
};
