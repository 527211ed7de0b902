/* bide serve: only what its help says; main.c runs it. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    { "config", "FILE", "configuration (also -c FILE; default: config/bide.yaml)" },
    { "listen", "HOST:PORT", "address to listen on; port 0 is any free one" },
    { "data", "DIR", "where the database and the keys are" },
    { "plugins", "DIR", "where the tasks' .so files are; watched" },
    { "schemas", "DIR", "where the tasks' schemas are; watched" },
    { "start-paused", NULL, "pause all environments before anything is started" },
    { "backup-before-migrate", NULL, "keep a copy of a database of an older format beside it" },
    { NULL, NULL, NULL },
};

const struct cli_command serve_command = {
    .name = "serve",
    .summary = "Run the server",
    .help = "Prints one line, \"listening on http://...\", when it is ready, and stops cleanly "
            "on SIGTERM\n"
            "and SIGINT. Options win over the configuration file. Plugins, schemas and "
            "queues.yaml are\n"
            "watched and take effect without a restart.",
    .options = options,
};
