/*
 * Lookups: symbols for a crashed slot's stack, found by a child of the nursery, so that broken
 * debug information costs nothing but that child.
 */
#ifndef WORKER_LOOKUP_H
#define WORKER_LOOKUP_H

#include "codec/frame.h"

#include <sys/types.h>

enum { LOOKUPS_MAX = 4, LOOKUP_MS = 2500 };

struct lookup {
    pid_t pid; /* 0: none */
    int fd;
    uint32_t slot;
    uint64_t due_ns;
    struct buffer lines;
};

struct lookups {
    struct lookup items[LOOKUPS_MAX];
};

/* False when there are too many already, or the system refuses: the stack stays without names.
 */
bool lookup_begin(struct lookups *lookups, const char *plugin_path, const char *const *sources,
                  const struct frame_symbolize *asked);
/* Read what has come; true when it is all there, or its time is over. The child is killed then.
 */
bool lookup_read(struct lookup *lookup, uint64_t now_ns);
void lookup_finish(struct lookup *lookup);

#endif
