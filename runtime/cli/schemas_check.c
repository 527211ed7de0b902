/* bide schemas check, bide config check: files read as the server would, without a server. */
#include "cli/check/schema_report.h"
#include "cli/cli.h"
#include "cli/output/screen.h"
#include "cli/output/text.h"
#include "config/check.h"
#include "config/config.h"

#include <stdio.h>
#include <string.h>

/* A file may hold anything; what is said of it is for a terminal. */
static void print(const struct call *call, struct buffer *report)
{
    struct buffer safe = { 0 };

    if (call->json)
        buffer_slice(&safe, buffer_view(report));
    else
        text_add_safe(&safe, buffer_view(report), true);
    if (safe.size > 0 && safe.data[safe.size - 1] != '\n')
        buffer_byte(&safe, '\n');
    screen_print(stdout, &safe);
    buffer_finish(report);
}

static int exec_schemas(struct call *call)
{
    struct buffer report = { 0 };
    const char *value = call_option(call, "value"), *part = call_option(call, "part");
    const char **paths =
        ARENA_ARRAY(&call->arena, const char *, (size_t)call->argument_count + 1);

    if (value == NULL && part != NULL)
        return cli_fail(CLI_USAGE, "--part is of --value: say which value to try");
    if (value != NULL && call->argument_count != 1)
        return cli_fail(CLI_USAGE, "--value is tried against one FILE");
    if (value != NULL) {
        int tried = schemas_check_value(call->arguments[0], part == NULL ? "input" : part,
                                        strcmp(value, "-") == 0 ? "/dev/stdin" : value,
                                        call->json, &report);
        print(call, &report);
        return tried;
    }
    for (int i = 0; i < call->argument_count; i++)
        paths[i] = call->arguments[i];
    int code = schemas_check(paths, call->argument_count, call->json, &report);
    print(call, &report);
    return code;
}

static const struct cli_option schemas_options[] = {
    { "value", "VALUE", "try the value in this YAML or JSON file (- is standard input)" },
    { "part", "PART", "against input (when not said), output, tokens.NAME or children.TASK" },
    { NULL, NULL, NULL },
};

const struct cli_command schemas_check_command = {
    .name = "schemas check",
    .arguments = "FILE...",
    .summary = "Check schema files; a directory stands for its *.yaml",
    .help = "Prints every problem with file, line and column. Exits 2 when there is one.",
    .options = schemas_options,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec_schemas,
};

static int exec_config(struct call *call)
{
    struct buffer report = { 0 };
    const char *path = call->argument_count > 0 ? call->arguments[0] : NULL;
    int code = config_check(path, call->json, &report);

    print(call, &report);
    return code;
}

const struct cli_command config_check_command = {
    .name = "config check",
    .arguments = "[FILE]",
    .summary = "Check the configuration and the queues",
    .help =
        "FILE is config/bide.yaml unless it is said. Prints every problem with file, line and\n"
        "column. Exits 2 when there is one. The keys of bide.yaml, their defaults and what "
        "they\n"
        "mean are listed below.",
    .more = config_describe,
    .most = 1,
    .exec = exec_config,
};
