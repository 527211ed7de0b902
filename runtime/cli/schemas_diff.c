/* bide schemas diff: what a new version of a schema breaks, without a server. */
#include "cli/cli.h"
#include "cli/output/screen.h"
#include "cli/schema_diff/schema_diff.h"

#include <stdio.h>

static int exec(struct call *call)
{
    struct buffer report = { 0 };
    int code = schema_diff(call->arguments[0], call->arguments[1], call->json, &report);

    screen_report(code == CLI_USAGE && !call->json ? stderr : stdout, &report, call->json);
    return code;
}

const struct cli_command schemas_diff_command = {
    .name = "schemas diff",
    .arguments = "OLD NEW",
    .summary = "Say what a new version of a schema file breaks, and for which values",
    .help =
        "The input and the tokens must go on accepting what OLD accepted, so that callers and\n"
        "waiting runs go on; the output must stay within what OLD promised. Each break comes\n"
        "with where it is, what changed and a value that was checked against both. Exits 0\n"
        "when NEW is compatible, 1 when it breaks something or that cannot be told, 2 when a\n"
        "file is wrong.",
    .least = 2,
    .most = 2,
    .exec = exec,
};
