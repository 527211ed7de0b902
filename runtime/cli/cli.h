/* The command line: every subcommand but serve and nursery. A client of the HTTP API like any other. */
#ifndef CLI_H
#define CLI_H

/* argv[0] is the subcommand. Exit codes: 0 done, 1 the thing failed, 2 wrong use. */
struct cli_command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

extern const struct cli_command cli_commands[]; /* ends with a NULL name */

#endif
