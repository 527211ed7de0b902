/*
 * main: three programs of their own in one binary, and the command line.
 *
 *   bide serve …      the host, serve.c
 *   bide nursery …    its child that loads a plugin, worker/; not for people
 *   bide store compact   works on the database itself, offline.c
 *   bide … …          everything else is a client, cli/
 */
#include "cli/cli.h"
#include "offline.h"
#include "serve.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name, *second; /* second: NULL for none */
    int (*run)(int argc, char **argv);
} programs[] = {
    { "serve", NULL, serve_main },
    { "nursery", NULL, nursery_main },
    { "store", "compact", offline_compact_main },
};

/* Help is the command line's business even for serve. */
static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static bool is_called(int argc, char **argv, const char *name, const char *second)
{
    return strcmp(argv[1], name) == 0 &&
           (second == NULL || (argc > 2 && strcmp(argv[2], second) == 0));
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof programs / sizeof *programs; i++)
        if (is_called(argc, argv, programs[i].name, programs[i].second) &&
            !asks_help(argc - 1, argv + 1))
            return programs[i].run(argc - 1, argv + 1);
    return cli_main(argc, argv);
}
