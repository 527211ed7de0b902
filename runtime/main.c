/*
 * main: two programs of their own in one binary, and the command line.
 *
 *   bide serve …      the host, serve.c
 *   bide nursery …    its child that loads a plugin, worker/; not for people
 *   bide … …          everything else is a client, cli/
 */
#include "cli/cli.h"
#include "serve.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} programs[] = {
    { "serve", serve_main },
    { "nursery", nursery_main },
};

/* Help is the command line's business even for serve. */
static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof programs / sizeof *programs; i++)
        if (strcmp(argv[1], programs[i].name) == 0 && !asks_help(argc - 1, argv + 1))
            return programs[i].run(argc - 1, argv + 1);
    return cli_main(argc, argv);
}
