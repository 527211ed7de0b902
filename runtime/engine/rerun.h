/* Reruns: what a call made when its segment ran before must be what it makes now. */
#ifndef RERUN_H
#define RERUN_H

#include "engine/batch.h"

/* What a call makes; `name` is a child's task or a token's schema. */
struct made {
    bool is_child;
    struct slice name, key, concurrency_key;
    struct slice tags;    /* packed */
    struct slice payload; /* packed, of a child, as the segment gives it */
};

/*
 * Of the row under `id`, which the call's number gives, one of `child` (with its input) and
 * `token` is what the call made before; NULL and NULL: it is the first time. False: it differs
 * from what is asked for `now`, and command->err (DIFFERS) names both.
 */
bool rerun_fits(struct batch *batch, struct command *command, const struct run *run, int64_t id,
                const struct run *child, const struct waitpoint *token, const struct made *now);

#endif
