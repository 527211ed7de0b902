/* Inspecting: what a plugin's .so says of itself, loaded in a process of its own. */
#ifndef PLUGINS_INSPECT_H
#define PLUGINS_INSPECT_H

#include "base/crypto.h"
#include "cli/cli.h"
#include "codec/value.h"

enum { INSPECT_TIME_MS = 5000 };

enum inspect_end {
    INSPECT_LOADED,
    INSPECT_REFUSED, /* by plugin/, which says why */
    INSPECT_CRASHED, /* while it was loading, or it ended that process */
    INSPECT_HUNG,
    INSPECT_NONSENSE,
    INSPECT_UNREAD, /* no such file, or no process to load it in */
};

struct inspected {
    struct value about; /* in the call's arena, as the rest */
    char sha256[SHA256_HEX_SIZE];
    enum inspect_end end;
    struct slice why; /* where it was not loaded: a sentence */
};

/* An exit code; nothing is printed. */
int plugins_inspect(struct call *call, const char *given, int64_t limit_ms, bool is_verbose,
                    struct inspected *inspected);
/* Names of a file's writable globals; empty: none. */
struct slice plugins_globals(struct arena *arena, const char *path);

#endif
