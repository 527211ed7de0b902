/* Reruns: what a call made when its segment ran before must be what it makes now. */
#ifndef RERUN_H
#define RERUN_H

#include "batch.h"

/* What a call makes; `name` is a child's task or a token's schema. */
struct made {
    bool is_child;
    struct slice name, key;
};

/* False: it differs, and command->err (DIFFERS) names both. `id` is what the call's number
 * gives. */
bool rerun_fits(struct command *command, const struct run *run, int64_t id,
                const struct made *was, const struct made *now);

#endif
