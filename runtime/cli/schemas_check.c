/* bide schemas check: files read as the server would, without a server. */
#include "cli/check/schema_report.h"
#include "cli/cli.h"
#include "cli/output/screen.h"

#include <string.h>

static int exec(struct call *call)
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
        int tried = schema_report_value(call->arguments[0], part == NULL ? "input" : part,
                                        strcmp(value, "-") == 0 ? "/dev/stdin" : value,
                                        call->json, &report);
        screen_report(stdout, &report, call->json);
        return tried;
    }
    for (int i = 0; i < call->argument_count; i++)
        paths[i] = call->arguments[i];
    int code = schema_report(paths, call->argument_count, call->json, &report);
    screen_report(stdout, &report, call->json);
    return code;
}

static const struct cli_option options[] = {
    { "value", "VALUE", "try the value in this YAML or JSON file (- is standard input)" },
    { "part", "PART", "input (default), output, tokens.NAME, messages.NAME or children.TASK" },
    { NULL, NULL, NULL },
};

const struct cli_command schemas_check_command = {
    .name = "schemas check",
    .arguments = "FILE...",
    .summary = "Check schema files; a directory stands for its *.yaml",
    .help = "Prints every problem with file, line and column. Exits 2 when there is one.",
    .options = options,
    .least = 1,
    .most = CLI_ANY_NUMBER,
    .exec = exec,
};
