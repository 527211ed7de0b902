#include "cli/client/page.h"

#include "cli/client/member.h"
#include "cli/output/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LIMIT_DEFAULT = 25, LIMIT_MOST = 100 };

static void add_upper(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++)
        buffer_byte(out, *text >= 'a' && *text <= 'z' ? (char)(*text - 32) : *text);
}

/* KEY=VALUE is a parameter for itself: "filter[metadata][KEY]=VALUE". */
static void add_members(struct call *call, struct buffer *path,
                        const struct page_filter *filter)
{
    int position = 0;

    for (const char *text; (text = call_next(call, filter->option, &position)) != NULL;) {
        size_t size = strcspn(text, "=");
        const char *name =
            arena_format(&call->arena, "%s%.*s]", filter->parameter, (int)size, text).data;
        buffer_byte(path, '&');
        path_add(path, name);
        buffer_byte(path, '=');
        path_add(path, text[size] == '=' ? text + size + 1 : "");
    }
}

static void add_filter(struct call *call, struct buffer *path, const struct page_filter *filter)
{
    struct buffer joined = { 0 };
    int position = 0;

    for (const char *text; (text = call_next(call, filter->option, &position)) != NULL;) {
        if (joined.size > 0)
            buffer_byte(&joined, ',');
        if (filter->upper_case)
            add_upper(&joined, text);
        else
            buffer_text(&joined, text);
    }
    if (joined.size > 0) {
        buffer_byte(path, '&');
        path_add(path, filter->parameter);
        buffer_byte(path, '=');
        path_add(path, path_take(&joined, &call->arena));
    }
}

static void print_next(const struct call *call, const struct value *page)
{
    struct slice next = member_text(value_find(page, "pagination"), "next");
    struct buffer out = { 0 };

    if (next.size == 0)
        return;
    buffer_format(&out, "more: add --after ");
    text_add_safe(&out, next, false);
    fprintf(stderr, "%.*s to `bide %s`\n", SLICE_ARG(buffer_view(&out)), call->command->name);
    buffer_finish(&out);
}

/* Of what is rare a server may give an empty page, and where to look further. */
static bool look_on(struct call *call, struct client *client, const char *path,
                    struct slice after, struct reply *reply)
{
    for (;;) {
        struct buffer query = { 0 };
        buffer_text(&query, path);
        if (after.size > 0) {
            buffer_text(&query, "&page%5Bafter%5D=");
            path_add(&query, arena_text(&call->arena, after));
        }
        if (!client_do(client, "GET", path_take(&query, &call->arena), (struct slice){ 0 },
                       reply))
            return false;
        after = member_text(value_find(&reply->value, "pagination"), "next");
        const struct value *data = value_find(&reply->value, "data");
        if (after.size == 0 || data == NULL || data->count > 0)
            return true;
    }
}

int page_show(struct call *call, const char *path, const struct page_filter *filters,
              void (*print)(struct arena *arena, const struct value *page))
{
    struct client client;
    struct buffer query = { 0 };
    struct reply reply;
    struct err err = { 0 };
    const char *after = call_option(call, "after");
    int64_t limit;
    int code;

    if (!call_number(call, "limit", 1, LIMIT_MOST, LIMIT_DEFAULT, &limit, &err))
        return cli_fail(CLI_USAGE, "%s", err.text);
    if (!client_open(&client, call, &code))
        return code;
    buffer_format(&query, "%s?page%%5Bsize%%5D=%" PRId64, path, limit);
    for (; filters->option != NULL; filters++)
        if (filters->is_member)
            add_members(call, &query, filters);
        else
            add_filter(call, &query, filters);
    if (!look_on(call, &client, path_take(&query, &call->arena),
                 after == NULL ? (struct slice){ 0 } : slice_of(after), &reply))
        code = client.failure;
    else if (call->json)
        printf("%.*s\n", SLICE_ARG(reply.body));
    else
        print(&call->arena, &reply.value);
    if (code == CLI_DONE && !call->json)
        print_next(call, &reply.value);
    client_close(&client);
    return code;
}
