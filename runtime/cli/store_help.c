/* bide store compact: only what its help says; main.c runs it. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    { "config", "FILE",
      "configuration that says where the data is (default: config/bide.yaml)" },
    { "data", "DIR", "where the database is; no configuration is read then" },
    { NULL, NULL, NULL },
};

const struct cli_command store_compact_command = {
    .name = "store compact",
    .summary = "Make the database's file as small as what is in it",
    .help = "What is removed leaves room that is used again, but the file keeps its size. This "
            "writes a\n"
            "copy beside it, for which there must be room, and puts it in its place; the sizes "
            "before and\n"
            "after are printed. No server may have the database open meanwhile: stop it first.",
    .options = options,
};
