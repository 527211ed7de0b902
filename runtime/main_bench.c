/* main of bide-bench: the one command that is a program of its own, so that the server need not
 * carry what it is compared with. `bide bench` runs it. */
#include "cli/bench/bench.h"
#include "cli/commands.h"

int main(int argc, char **argv)
{
    struct cli_command command = bench_command; /* its options and help */

    command.exec = bench_exec;
    return cli_run(&command, argc, argv);
}
