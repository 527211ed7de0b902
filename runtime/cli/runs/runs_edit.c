/* bide runs metadata|tag|reschedule: changing a run that is there. */
#include "cli/client/client.h"
#include "cli/client/member.h"
#include "cli/output/text.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

static int edit(struct call *call, const char *method, const char *end,
                const struct value *body, client_print *print)
{
    const char *run = call->arguments[0];

    return client_ask(call, run, method, path_of_run(&call->arena, "v1", run, end), body,
                      print);
}

/* ---- metadata ---------------------------------------------------------------------------- */

static void metadata_print(struct arena *arena, const struct value *reply)
{
    const struct value *map = value_find(reply, "metadata");

    for (uint32_t i = 0; map != NULL && i < map->count; i++) {
        struct buffer text = { 0 };
        json_write(&text, &map->members[i].value);
        printf("%.*s = %.*s\n", SLICE_ARG(text_safe(arena, map->members[i].key)),
               SLICE_ARG(text_safe(arena, buffer_view(&text))));
        buffer_finish(&text);
    }
}

/* The first sign in the text ends the key. */
static const struct change {
    const char *sign, *type;
} changes[] = {
    { "[]=", "append" }, { "+=", "increment" }, { "-=", "remove" }, { "=", "set" }
};

static bool change_read(struct arena *arena, const char *text, struct value *operation,
                        struct err *err)
{
    const struct change *change = NULL;
    const char *at = NULL;
    size_t size = strlen(text);
    struct value value;

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const char *found = strstr(text, changes[i].sign);
        if (found != NULL && found != text && (at == NULL || found < at)) {
            at = found;
            change = &changes[i];
        }
    }
    *operation = value_map();
    if (change == NULL && size > 1 && text[size - 1] == '-') {
        value_put(arena, operation, "type", value_text("delete"));
        value_put(arena, operation, "key", value_string((struct slice){ text, size - 1 }));
        return true;
    }
    if (change == NULL)
        return err_set(err, ERR_BAD_REQUEST,
                       "%s is no change: KEY=JSON, KEY+=NUMBER, KEY[]=JSON, KEY-=JSON or KEY-",
                       text);
    struct slice said = slice_of(at + strlen(change->sign));
    if (!json_read(arena, said, &value, NULL)) /* a word without its quotes */
        value = value_string(said);
    value_put(arena, operation, "type", value_text(change->type));
    value_put(arena, operation, "key",
              value_string((struct slice){ text, (size_t)(at - text) }));
    value_put(arena, operation, "value", value);
    return true;
}

static int exec_metadata(struct call *call)
{
    struct value body = value_map(), list = value_list();
    struct err err = { 0 };

    if (call->argument_count == 1)
        return edit(call, "GET", "/metadata", NULL, metadata_print);
    for (int i = 1; i < call->argument_count; i++) {
        struct value operation;
        if (!change_read(&call->arena, call->arguments[i], &operation, &err))
            return cli_fail(CLI_USAGE, "%s", err.text);
        value_add(&call->arena, &list, operation);
    }
    value_put(&call->arena, &body, "operations", list);
    return edit(call, "PUT", "/metadata", &body, metadata_print);
}

const struct cli_command runs_metadata_command = {
    .name = "runs metadata",
    .arguments = "RUN [CHANGE...]",
    .summary = "Show a run's metadata, or change it",
    .help =
        "A CHANGE is KEY=JSON (a word may go without quotes), KEY+=NUMBER, KEY[]=JSON (to a "
        "list),\n"
        "KEY-=JSON (from a list) or KEY- (it goes). A KEY that begins with \"$.\" is a path, "
        "like\n"
        "'$.order.items[0]'. All are done, or none; what others change meanwhile stays.\n"
        "\n"
        "  bide runs metadata run_... step=3 'seen[]=\"ann\"' tries+=1",
    .is_client = true,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_metadata,
};

/* ---- tag --------------------------------------------------------------------------------- */

static void tag_print(struct arena *arena, const struct value *reply)
{
    printf("%.*s\n", SLICE_ARG(text_safe(arena, member_text(reply, "message"))));
}

static int exec_tag(struct call *call)
{
    struct value body = value_map(), list = value_list();

    for (int i = 1; i < call->argument_count; i++)
        value_add(&call->arena, &list, value_text(call->arguments[i]));
    value_put(&call->arena, &body, "tags", list);
    return edit(call, "POST", "/tags", &body, tag_print);
}

const struct cli_command runs_tag_command = {
    .name = "runs tag",
    .arguments = "RUN TAG...",
    .summary = "Add tags to a run",
    .help = "Those that it has already stay. A run has ten at most (limits.tags).",
    .is_client = true,
    .least = 2,
    .most = CLI_ANY_NUMBER,
    .exec = exec_tag,
};

/* ---- reschedule -------------------------------------------------------------------------- */

static void delay_print(struct arena *arena, const struct value *reply)
{
    printf("%.*s\n", SLICE_ARG(text_safe(arena, member_text(reply, "delayedUntil"))));
}

static int exec_reschedule(struct call *call)
{
    struct value body = value_map();

    value_put(&call->arena, &body, "delay", value_text(call->arguments[1]));
    return edit(call, "POST", "/reschedule", &body, delay_print);
}

const struct cli_command runs_reschedule_command = {
    .name = "runs reschedule",
    .arguments = "RUN WHEN",
    .summary = "Let a delayed run start at another time",
    .help =
        "WHEN is a duration from now (10m), or a date (2030-01-31T09:00:00Z). Prints when it "
        "starts. A run\n"
        "that is not delayed is refused.",
    .is_client = true,
    .least = 2,
    .most = 2,
    .exec = exec_reschedule,
};
