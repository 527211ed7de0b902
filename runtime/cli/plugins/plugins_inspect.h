/* Inspecting: what a plugin's .so says of itself, loaded in a process of its own. */
#ifndef PLUGINS_INSPECT_H
#define PLUGINS_INSPECT_H

#include "base/crypto.h"
#include "cli/cli.h"
#include "codec/value.h"

enum { INSPECT_TIME_MS = 5000 };

struct inspected {
    struct value about; /* in the call's arena */
    char sha256[SHA256_HEX_SIZE];
};

/* An exit code; anything but CLI_DONE has been told on stderr. */
int plugins_inspect(struct call *call, const char *given, int64_t limit_ms, bool is_verbose,
                    struct inspected *inspected);

#endif
