/* bide tokens list|show|create|complete|timeout|close|move: the doors through which the outside
 * resumes runs. */
#include "base/clock.h"
#include "cli/client/act_words.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/page.h"
#include "cli/client/payload.h"
#include "cli/output/grid.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <stdio.h>

#define TOKENS_PATH "/api/v1/waitpoints/tokens"

/* ---- list -------------------------------------------------------------------------------- */

static const struct page_filter list_filters[] = {
    { "status", "filter[status]", true, false },
    { "tag", "filter[tags]", false, false },
    { "key", "filter[idempotencyKey]", false, false },
    { "period", "filter[createdAt][period]", false, false },
    { NULL, NULL, false, false },
};

/* Over because its run has ended: the contract calls it completed, with an error. */
static struct slice status_of(const struct value *token)
{
    return member_bool(token, "isCancelled") ? SLICE("CANCELED") : member_text(token, "status");
}

static void print_list(struct arena *arena, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "TOKEN", GRID_PLAIN },     { "STATUS", GRID_PLAIN }, { "CREATED", GRID_PLAIN },
        { "TIMES OUT", GRID_PLAIN }, { "TAGS", GRID_ELASTIC }, { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *tokens = member_list(page, "data", &count);
    int64_t now_ms = clock_now_ms();

    grid_init(&grid, arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        const struct value *token = &tokens[i];
        grid_row(&grid);
        grid_cell(&grid, 0, member_text(token, "id"));
        grid_cell(&grid, 1, status_of(token));
        grid_cell(&grid, 2, ago_text(arena, member_time(token, "createdAt"), now_ms));
        grid_cell(&grid, 3, ago_text(arena, member_time(token, "timeoutAt"), now_ms));
        grid_cell(&grid, 4, names_text(arena, value_find(token, "tags")));
    }
    grid_print(&grid);
}

static int exec_list(struct call *call)
{
    return page_show(call, TOKENS_PATH, list_filters, print_list);
}

static const struct cli_option list_options[] = {
    { "status", "STATUS", "only these: WAITING, COMPLETED, TIMED_OUT, CANCELED" },
    { "tag", "TAG", "only those with one of these tags" },
    { "key", "KEY", "only the one with this idempotency key" },
    { "period", "DURATION", "only those created since: 30m, 7d" },
    { "limit", "COUNT", "how many, 1 to 100 (default: 25)" },
    { "after", "CURSOR", "the page after this one" },
    { NULL, NULL, NULL },
};

const struct cli_command tokens_list_command = {
    .name = "tokens list",
    .summary = "List tokens, newest first",
    .options = list_options,
    .is_client = true,
    .exec = exec_list,
};

/* ---- requests about one token ------------------------------------------------------------ */

static const char *token_path(struct arena *arena, const char *token, const char *end)
{
    struct buffer path = { 0 };
    buffer_text(&path, TOKENS_PATH "/");
    path_add(&path, token);
    buffer_text(&path, end);
    return path_take(&path, arena);
}

/* Sends, and prints JSON or leaves the reply to `print`. */
static int request(struct call *call, const char *method, const char *path, struct slice body,
                   void (*print)(struct call *call, const struct value *reply))
{
    struct client client;
    struct reply reply;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = call->argument_count > 0 ? call->arguments[0] : NULL;
    if (!client_do(&client, method, path, body, &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        print(call, &reply.value);
    client_close(&client);
    return code;
}

static void print_member(struct call *call, const char *label, const struct value *map,
                         const char *name)
{
    struct slice text = text_safe(&call->arena, member_text(map, name));
    if (text.size > 0)
        printf("%-9s %.*s\n", label, SLICE_ARG(text));
}

static void print_token(struct call *call, const struct value *token)
{
    struct slice tags = names_text(&call->arena, value_find(token, "tags"));

    print_member(call, "token", token, "id");
    printf("%-9s %.*s\n", "status", SLICE_ARG(text_safe(&call->arena, status_of(token))));
    print_member(call, "url", token, "url");
    print_member(call, "created", token, "createdAt");
    print_member(call, "times out", token, "timeoutAt");
    print_member(call, "completed", token, "completedAt");
    print_member(call, "note", token, "note");
    print_member(call, "key", token, "idempotencyKey");
    if (tags.size > 0)
        printf("%-9s %.*s\n", "tags", SLICE_ARG(text_safe(&call->arena, tags)));
    print_member(call, "output", token, "output");
}

static int exec_show(struct call *call)
{
    const char *path = token_path(&call->arena, call->arguments[0], "");
    return request(call, "GET", path, (struct slice){ 0 }, print_token);
}

const struct cli_command tokens_show_command = {
    .name = "tokens show",
    .arguments = "TOKEN",
    .summary = "Show a token: its status, its URL, what it was completed with",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_show,
};

/* ---- create ------------------------------------------------------------------------------ */

static void print_created(struct call *call, const struct value *reply)
{
    struct slice id = text_safe(&call->arena, member_text(reply, "id"));

    printf("%-9s %.*s%s\n", "token", SLICE_ARG(id),
           member_bool(reply, "isCached") ? "  (the key is known: an earlier token)" : "");
    print_member(call, "url", reply, "url");
}

static int exec_create(struct call *call)
{
    static const char *const texts[][2] = {
        { "timeout", "timeout" },
        { "key", "idempotencyKey" },
        { "key-ttl", "idempotencyKeyTTL" },
    };
    struct value body = value_map(), tags = value_list();
    struct buffer out = { 0 };
    int position = 0;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (call_option(call, texts[i][0]) != NULL)
            value_put(&call->arena, &body, texts[i][1],
                      value_text(call_option(call, texts[i][0])));
    for (const char *tag; (tag = call_next(call, "tag", &position)) != NULL;)
        value_add(&call->arena, &tags, value_text(tag));
    if (tags.count > 0)
        value_put(&call->arena, &body, "tags", tags);
    json_write(&out, &body);
    int code = request(call, "POST", TOKENS_PATH, buffer_view(&out), print_created);
    buffer_finish(&out);
    return code;
}

static const struct cli_option create_options[] = {
    { "timeout", "WHEN", "a duration (10m) or a date; default: it never times out" },
    { "tag", "TAG", "may be given up to ten times" },
    { "key", "KEY", "idempotency key: the same key gives the same token" },
    { "key-ttl", "DURATION", "how long the key counts" },
    { NULL, NULL, NULL },
};

const struct cli_command tokens_create_command = {
    .name = "tokens create",
    .summary = "Create a token that no run made",
    .help = "Prints its id and the URL whose POST completes it.",
    .options = create_options,
    .is_client = true,
    .exec = exec_create,
};

/* ---- complete, timeout, close, move ------------------------------------------------------ */

/* "already completed 3 s ago; this answer was not used" */
static int say_unused(struct client *client, const char *token, const char *what)
{
    struct arena *arena = client->arena;
    struct reply reply;
    const struct value *shown = &reply.value;

    if (!client_do(client, "GET", token_path(arena, token, ""), (struct slice){ 0 }, &reply))
        return client->failure;
    bool timed_out = slice_is(member_text(shown, "status"), "TIMED_OUT");
    bool completed = slice_is(status_of(shown), "COMPLETED");
    int64_t at_ms = member_time(shown, "completedAt");
    struct slice ago =
        at_ms == 0
            ? SLICE("")
            : arena_format(arena, " %.*s", SLICE_ARG(ago_text(arena, at_ms, clock_now_ms())));
    return cli_fail(CLI_UNCHANGED, "%s: already %s%.*s; %s", token,
                    timed_out   ? "timed out"
                    : completed ? "completed"
                                : "closed",
                    SLICE_ARG(ago), what);
}

static int finish_one(struct client *client, const char *token, const char *end,
                      struct slice body, const char *what)
{
    struct call *call = client->call;
    struct reply reply;

    client->subject = token;
    if (!client_do(client, "POST", token_path(client->arena, token, end), body, &reply))
        return client->failure;
    if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else if (!reply.is_unused)
        printf("%s\n", token);
    return reply.is_unused ? say_unused(client, token, what) : CLI_DONE;
}

static int finish_tokens(struct call *call, const char *end, int count, struct slice body,
                         const char *what)
{
    struct client client;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    code = CLI_UNCHANGED;
    for (int i = 0; i < count; i++)
        code = cli_worse(code, finish_one(&client, call->arguments[i], end, body, what));
    client_close(&client);
    return code;
}

static int exec_complete(struct call *call)
{
    struct slice body;
    struct err err = { 0 };

    if (!act_body(call, true, NULL, &body, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    return finish_tokens(call, "/complete", 1, body, "this answer was not used");
}

static const struct cli_option complete_options[] = {
    { "payload", "JSON", "what the run gets: JSON, @FILE, or - for stdin" },
    ACT_OPTIONS,
    { NULL, NULL, NULL },
};

const struct cli_command tokens_complete_command = {
    .name = "tokens complete",
    .arguments = "TOKEN",
    .summary = "Complete a token: the run that waits for it goes on",
    .help =
        "Without --payload it is completed with null. The first completion wins; a later one "
        "changes\n"
        "nothing, and exits 3. Data that does not match the token's schema is refused with "
        "every "
        "problem,\n"
        "and the run keeps waiting.",
    .options = complete_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_complete,
};

static int exec_end(struct call *call, const char *end)
{
    struct slice body;
    struct err err = { 0 };

    return act_body(call, false, NULL, &body, &err)
               ? finish_tokens(call, end, call->argument_count, body, "nothing was changed")
               : cli_fail(CLI_USAGE, "%s", err.text);
}

static int exec_timeout(struct call *call)
{
    return exec_end(call, "/timeout");
}

const struct cli_command tokens_timeout_command = {
    .name = "tokens timeout",
    .arguments = "TOKEN...",
    .summary = "Let tokens time out now",
    .help = "A token that is completed or timed out already stays as it is: exits 3.",
    .options = act_options,
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_timeout,
};

static int exec_close(struct call *call)
{
    return exec_end(call, "/close");
}

const struct cli_command tokens_close_command = {
    .name = "tokens close",
    .arguments = "TOKEN...",
    .summary = "Close tokens: nobody is to answer them any more",
    .help =
        "The runs that wait are told that it is canceled; who answers it gets a 410. A token "
        "that is\n"
        "over already stays as it is: exits 3.",
    .options = act_options,
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_close,
};

static int exec_move(struct call *call)
{
    struct slice body;
    struct err err = { 0 };

    return act_body(call, false, call->arguments[1], &body, &err)
               ? finish_tokens(call, "/move", 1, body, "nothing was changed")
               : cli_fail(CLI_USAGE, "%s", err.text);
}

const struct cli_command tokens_move_command = {
    .name = "tokens move",
    .arguments = "TOKEN WHEN",
    .summary = "Let a token time out at another time",
    .help = "WHEN is a duration from now (10m), a date, or never. A token that is over already "
            "stays as it\n"
            "is: exits 3.",
    .options = act_options,
    .is_client = true,
    .least = 2,
    .most = 2,
    .exec = exec_move,
};
