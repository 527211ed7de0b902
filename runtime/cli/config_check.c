/* bide config check: the configuration read as the server would, without a server. */
#include "cli/check/config_report.h"
#include "cli/cli.h"
#include "cli/output/screen.h"
#include "config/config.h"

static int exec(struct call *call)
{
    struct buffer report = { 0 };
    const char *path = call->argument_count > 0 ? call->arguments[0] : NULL;
    int code = config_report(path, call->json, &report);

    screen_report(stdout, &report, call->json);
    return code;
}

const struct cli_command config_check_command = {
    .name = "config check",
    .arguments = "[FILE]",
    .summary = "Check the configuration, the queues and the schedules",
    .help =
        "FILE is config/bide.yaml unless it is said. Prints every problem with file, line and\n"
        "column. Exits 2 when there is one. The keys of bide.yaml, their defaults and what "
        "they\n"
        "mean are listed below.",
    .more = config_describe,
    .most = 1,
    .exec = exec,
};
