/* What a build would make of the runs that are under way: the server's plan. */
#ifndef CLI_PLUGINS_PLAN_H
#define CLI_PLUGINS_PLAN_H

#include "cli/client/client.h"

/* A whole copy of `path`, on the disk, under a name that nothing has. */
bool plugin_copy(const char *path, const char *to, struct err *err);

/* Where the server's plugins are: as said, else as it has noted. NULL: said on stderr. */
const char *plugins_directory(struct call *call, const struct client *client);

/*
 * Ask for the plan of the file at `path`, as which it would be deployed under `name`, and print
 * it; `is_deploy`: only where it says something, and of runs that are not locked to their
 * builds. CLI_DONE: none is blocked.
 */
int plugins_plan(struct client *client, const char *directory, const char *path,
                 const char *name, bool is_deploy);

#endif
