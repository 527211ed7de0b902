/* bide runs send|messages: what is sent to a run, and what is there of it. */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/payload.h"
#include "cli/output/grid.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <stdio.h>

static const char *messages_path(struct arena *arena, const char *run)
{
    struct buffer path = { 0 };

    buffer_text(&path, "/api/v1/runs/");
    path_add(&path, run);
    buffer_text(&path, "/messages");
    return path_take(&path, arena);
}

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
    if (!client_do(&client, "POST", messages_path(&call->arena, run), body, &reply)) {
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
    struct client client;
    struct reply reply;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = call->arguments[0];
    if (!client_do(&client, "GET", messages_path(&call->arena, call->arguments[0]),
                   (struct slice){ 0 }, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        print_messages(&call->arena, &reply.value);
    client_close(&client);
    return code;
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
