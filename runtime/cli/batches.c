/* bide batches create|show|items|results: many runs asked for together. */
#include "base/clock.h"
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/client/payload.h"
#include "cli/output/grid.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

#define BATCHES_PATH "/api/v3/batches"

enum {
    FILE_MOST = 256 << 20,
    PART_LINES = 1000,
    PART_BYTES = 1 << 20 /* but one item may be longer */
};

static const char *batch_path(struct arena *arena, const char *root, const char *batch,
                              const char *end)
{
    struct buffer path = { 0 };

    buffer_text(&path, root);
    buffer_byte(&path, '/');
    path_add(&path, batch);
    buffer_text(&path, end);
    return path_take(&path, arena);
}

/* ---- create ------------------------------------------------------------------------------ */

/* The lines of the file, each with its index. */
struct lines {
    struct slice *items;
    uint32_t count;
};

static bool line_add(struct call *call, struct lines *lines, uint32_t number, struct slice text,
                     struct err *err)
{
    struct value item;
    struct buffer out = { 0 };

    if (!json_read(&call->arena, text, &item, err))
        return err_set(err, ERR_BAD_REQUEST, "%s:%" PRIu32 ": %s", call->arguments[0], number,
                       arena_format(&call->arena, "%s", err->text).data);
    if (item.kind != VALUE_MAP)
        return err_set(err, ERR_BAD_REQUEST,
                       "%s:%" PRIu32
                       ": an item is an object like {\"task\": …, \"payload\": …}",
                       call->arguments[0], number);
    if (value_find(&item, "index") == NULL)
        value_put(&call->arena, &item, "index", value_int(lines->count));
    json_write(&out, &item);
    buffer_byte(&out, '\n');
    lines->items[lines->count++] = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return true;
}

static bool lines_read(struct call *call, struct lines *lines, struct err *err)
{
    struct slice rest;
    uint32_t number = 0, most = 1;

    if (!payload_file(&call->arena, call->arguments[0], FILE_MOST, &rest, err))
        return false;
    for (size_t i = 0; i < rest.size; i++)
        most += rest.data[i] == '\n';
    lines->items = ARENA_ARRAY(&call->arena, struct slice, most);
    while (rest.size > 0) {
        const char *end = memchr(rest.data, '\n', rest.size);
        struct slice text = { rest.data, end == NULL ? rest.size : (size_t)(end - rest.data) };
        size_t used = text.size + (end != NULL);
        rest = (struct slice){ rest.data + used, rest.size - used };
        number++;
        if (strspn(arena_text(&call->arena, text), " \t\r") < text.size &&
            !line_add(call, lines, number, text, err))
            return false;
    }
    return lines->count > 0 ||
           err_set(err, ERR_BAD_REQUEST, "%s has no items: each is a line of JSON",
                   call->arguments[0]);
}

static struct slice create_body(struct call *call, const struct lines *lines)
{
    struct value body = value_map();
    struct buffer out = { 0 };

    value_put(&call->arena, &body, "runCount", value_int(lines->count));
    if (call_option(call, "all-or-nothing") != NULL)
        value_put(&call->arena, &body, "allOrNothing", value_bool(true));
    if (call_option(call, "key") != NULL)
        value_put(&call->arena, &body, "idempotencyKey", value_text(call_option(call, "key")));
    json_write(&out, &body);
    struct slice text = arena_copy(&call->arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

/* Returns how many were refused. */
static uint32_t errors_tell(struct call *call, const struct value *reply)
{
    uint32_t count;
    const struct value *errors = member_list(reply, "errors", &count);

    for (uint32_t i = 0; i < count; i++) {
        struct slice text = text_safe(&call->arena, member_text(&errors[i], "error"));
        fprintf(stderr, "bide: item %" PRId64 ": %.*s\n", member_int(&errors[i], "index"),
                SLICE_ARG(text));
    }
    return count;
}

static bool parts_send(struct client *client, const char *id, const struct lines *lines,
                       uint32_t *refused)
{
    struct arena *arena = client->arena;
    const char *path = batch_path(arena, BATCHES_PATH, id, "/items");

    for (uint32_t at = 0; at < lines->count;) {
        struct buffer part = { 0 };
        struct reply reply;
        for (uint32_t i = 0;
             i < PART_LINES && at < lines->count &&
             (part.size == 0 || part.size + lines->items[at].size <= PART_BYTES);
             i++)
            buffer_slice(&part, lines->items[at++]);
        bool ok = client_do(client, "POST", path, buffer_view(&part), &reply);
        buffer_finish(&part);
        if (!ok)
            return false;
        *refused += errors_tell(client->call, &reply.value);
    }
    return true;
}

static int exec_create(struct call *call)
{
    struct client client;
    struct lines lines = { 0 };
    struct reply reply;
    struct err err = { 0 };
    uint32_t refused = 0;
    int code;

    if (!lines_read(call, &lines, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    if (!client_do(&client, "POST", BATCHES_PATH, create_body(call, &lines), &reply)) {
        code = client.failure;
    } else {
        const char *id = arena_text(&call->arena, member_text(&reply.value, "id"));
        bool cached = member_bool(&reply.value, "isCached");
        if (!parts_send(&client, id, &lines, &refused)) /* those that are there are compared */
            code = client.failure;
        else if (call->json)
            printf("%.*s\n", SLICE_ARG(reply.body));
        else
            printf("%s%s\n", id, cached ? "  (the key is known: an earlier batch)" : "");
        if (code == CLI_DONE && refused > 0)
            code = CLI_FAILED;
    }
    client_close(&client);
    return code;
}

static const struct cli_option create_options[] = {
    { "all-or-nothing", NULL, "start nothing unless every item is good" },
    { "key", "KEY", "idempotency key: the same key gives the same batch" },
    { NULL, NULL, NULL },
};

const struct cli_command batches_create_command = {
    .name = "batches create",
    .arguments = "FILE",
    .summary = "Start a run for each line of a file (- is stdin)",
    .help = "A line is {\"task\": \"hello\", \"payload\": {…}, \"options\": {…}}. Prints the "
            "batch's id once\n"
            "all of them are durable; an item that is refused is told with its index, the "
            "others run,\n"
            "and the command exits 1.",
    .options = create_options,
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_create,
};

/* ---- show, items, results ---------------------------------------------------------------- */

/* One page after the other, as long as the server says that there is a next. */
static int pages_show(struct call *call, const char *end,
                      void (*print)(struct call *call, const struct value *reply))
{
    struct client client;
    int64_t next = 0;
    int code;

    if (!client_open(&client, call, &code))
        return code;
    client.subject = call->arguments[0];
    do {
        struct slice query = *end == '\0'
                                 ? SLICE("")
                                 : arena_format(&call->arena, "%s?offset=%" PRId64, end, next);
        const char *path =
            batch_path(&call->arena, "/api/v1/batches", call->arguments[0], query.data);
        struct reply reply;
        if (!client_do(&client, "GET", path, (struct slice){ 0 }, &reply)) {
            code = client.failure;
            break;
        }
        if (call->json)
            printf("%.*s\n", SLICE_ARG(reply.body));
        else
            print(call, &reply.value);
        next = member_int(&reply.value, "next");
    } while (next > 0);
    client_close(&client);
    return code;
}

static void line(struct call *call, const char *label, struct slice text)
{
    text = text_safe(&call->arena, text);
    if (text.size > 0)
        printf("%-9s %.*s\n", label, SLICE_ARG(text));
}

/* COMPLETED is of the items: each has become a run, or has been refused. */
static struct slice status_text(struct arena *arena, const struct value *batch)
{
    struct slice status = member_text(batch, "status");
    bool is_sealed = slice_is(status, "COMPLETED") || slice_is(status, "PARTIAL_FAILED");
    bool is_finished = member_text(batch, "finishedAt").size > 0;

    return !is_sealed ? status
                      : arena_format(arena, "%.*s (all items are there; %s)", SLICE_ARG(status),
                                     is_finished ? "all have ended" : "not all have ended");
}

static void print_batch(struct call *call, const struct value *batch)
{
    struct arena *arena = &call->arena;
    uint32_t count;
    const struct value *errors = member_list(value_find(batch, "processing"), "errors", &count);

    line(call, "batch", member_text(batch, "id"));
    line(call, "status", status_text(arena, batch));
    line(call, "reason", member_text(batch, "reason"));
    line(call, "items",
         arena_format(arena,
                      "%" PRId64 " of %" PRId64 " received, %" PRId64 " refused, %" PRId64
                      " ended, %" PRId64 " failed",
                      member_int(batch, "receivedCount"), member_int(batch, "runCount"),
                      member_int(batch, "refusedCount"), member_int(batch, "endedCount"),
                      member_int(batch, "failedCount")));
    line(call, "created", member_text(batch, "createdAt"));
    line(call, "aborts", member_text(batch, "abortsAt"));
    line(call, "sealed", member_text(batch, "sealedAt"));
    line(call, "finished", member_text(batch, "finishedAt"));
    line(call, "parent", member_text(batch, "parentRunId"));
    line(call, "key", member_text(batch, "idempotencyKey"));
    for (uint32_t i = 0; i < count; i++)
        line(call, "refused",
             arena_format(arena, "item %" PRId64 ": %.*s", member_int(&errors[i], "index"),
                          SLICE_ARG(member_text(&errors[i], "error"))));
}

static int exec_show(struct call *call)
{
    return pages_show(call, "", print_batch);
}

const struct cli_command batches_show_command = {
    .name = "batches show",
    .arguments = "BATCH",
    .summary =
        "Show a batch: how many of its items came, ended, failed, and which were refused",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_show,
};

static void print_items(struct call *call, const struct value *page)
{
    static const struct grid_title titles[] = {
        { "ITEM", GRID_PLAIN }, { "STATUS", GRID_PLAIN },  { "RUN", GRID_PLAIN },
        { "TASK", GRID_PLAIN }, { "ERROR", GRID_ELASTIC }, { NULL, GRID_PLAIN },
    };
    struct grid grid;
    uint32_t count;
    const struct value *items = member_list(page, "items", &count);

    grid_init(&grid, &call->arena, titles);
    for (uint32_t i = 0; i < count; i++) {
        grid_row(&grid);
        grid_cell(&grid, 0,
                  arena_format(&call->arena, "%" PRId64, member_int(&items[i], "index")));
        grid_cell(&grid, 1, member_text(&items[i], "status"));
        grid_cell(&grid, 2, member_text(&items[i], "runId"));
        grid_cell(&grid, 3, member_text(&items[i], "taskIdentifier"));
        grid_cell(&grid, 4, member_text(&items[i], "error"));
    }
    grid_print(&grid);
}

static int exec_items(struct call *call)
{
    return pages_show(call, "/items", print_items);
}

const struct cli_command batches_items_command = {
    .name = "batches items",
    .arguments = "BATCH",
    .summary = "List a batch's items by their index, each with its run",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_items,
};

static void print_results(struct call *call, const struct value *page)
{
    uint32_t count;
    const struct value *items = member_list(page, "items", &count);

    (void)call;
    for (uint32_t i = 0; i < count; i++) {
        struct buffer out = { 0 };
        json_write(&out, &items[i]);
        printf("%.*s\n", (int)out.size, out.data);
        buffer_finish(&out);
    }
}

static int exec_results(struct call *call)
{
    return pages_show(call, "/results", print_results);
}

const struct cli_command batches_results_command = {
    .name = "batches results",
    .arguments = "BATCH",
    .summary = "Print what the items have ended with, a line of JSON each, by index",
    .help = "Those that have not ended yet are left out.",
    .is_client = true,
    .least = 1,
    .most = 1,
    .exec = exec_results,
};
