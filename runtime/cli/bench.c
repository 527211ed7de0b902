/* bide bench: what its help says; bide-bench, a program of its own, measures. */
#include "base/self.h"
#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int exec(struct call *call)
{
    static const char *const places[] = { "bide-bench", "../libexec/bide/bide-bench", NULL };
    const char *program = self_find(&call->arena, places);

    if (program == NULL)
        return cli_fail(CLI_FAILED,
                        "bide-bench, which measures, is neither beside this program nor in "
                        "../libexec/bide; build or install it with bide");
    (void)execv(program, call->words);
    return cli_fail(CLI_FAILED, "cannot run %s: %s", program, strerror(errno));
}

static const struct cli_option options[] = {
    { "seconds", "COUNT", "load of each workload (default: 5)" },
    { "connections", "COUNT", "clients, with one request under way each (default: 64)" },
    { "only", "LIST", "some of the workloads of bide-bench(1), with commas between" },
    { "parked", "COUNT",
      "runs of parked, restart, crowd and timers that wait (default: 100000)" },
    { "queued", "COUNT", "queued runs of restart (default: 10000)" },
    { "laned", "COUNT", "queued runs of lanes and of held (default: 1000000)" },
    { "dir", "DIR", "where the data goes: on the disk to be measured (default: /var/tmp)" },
    { "plugins", "DIR", "where bench.so is (default: beside this program)" },
    { NULL, NULL, NULL },
};

const struct cli_command bench_command = {
    .name = "bench",
    .arguments = "[WORKLOAD...]",
    .summary = "Measure a server beside the limits of its parts",
    .help = "Starts a server of its own on a fresh directory for each workload, drives it over "
            "HTTP and\n"
            "kills it. With --url an existing server that has bench.so is measured instead, "
            "without the\n"
            "workloads that kill it. Progress is on stderr; stdout gets a table on a terminal, "
            "else one\n"
            "JSON object. WORKLOAD is what --only takes; schema needs no server.",
    .options = options,
    .most = CLI_ANY_NUMBER,
    .is_client = true,
    .exec = exec,
};
