/* Save points that are kept before the last: what segments have saved, and what must be there.
 */
#ifndef SIMULATION_KEEP_H
#define SIMULATION_KEEP_H

#include "model.h"

/* Of a run: those that may still be there, the oldest first; in bounds of what a task keeps. */
struct shadow_points {
    struct shadow_point {
        int64_t number, bytes; /* bytes: 0: not known yet */
        struct slice state;
    } items[64];
    uint32_t count;
};

/* keep_states of the task in this world, and what bounds the bytes. */
void keep_offer(const struct world *world, struct catalog *catalog);
/* The row is another one than before the batch. */
void rule_keep(const struct look *look, struct shadow *shadow, const struct run *run);
/* Is that one of `old`'s save points before its last? Then *state is what it must begin with.
 */
bool rule_keep_was(const struct shadow *old, const struct run *from, struct slice *state);

#endif
