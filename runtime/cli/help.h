/* Help: what `bide help` prints. */
#ifndef HELP_H
#define HELP_H

#include "base/buffer.h"
#include "cli/cli.h"

void help_all(struct buffer *out);
void help_command(struct buffer *out, const struct cli_command *command);
/* The commands that start with the word; false when there are none. */
bool help_group(struct buffer *out, const char *group);

/* NULL when there is no command of exactly this name. */
const struct cli_command *help_find(const char *name);

#endif
