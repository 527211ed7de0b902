#include "cli/commands.h"

#include <stddef.h>

const struct cli_command *const cli_commands[] = {
#define X(name) &name##_command,
    CLI_COMMAND_MAP(X)
#undef X
        NULL,
};
