/*
 * A build's slots: made by its nursery on demand, and what their ends mean for their runs.
 * Slots and nurseries know neither each other nor the build; what they tell comes together
 * here.
 */
#ifndef DISPATCH_BUILD_SLOTS_H
#define DISPATCH_BUILD_SLOTS_H

#include "build.h"

/* One more; NULL when the system refuses: the build then waits a little. */
struct slot *build_fork(struct build *build);
void build_kill(struct build *build, const struct slot *slot, int signal);

/* The nursery tells. */
void build_slot_forked(struct build *build, const struct frame_forked *forked);
void build_slot_ended(struct build *build, const struct frame_exited *exited);
/* Its nursery died, and so it did. */
void build_slot_orphaned(struct build *build, struct slot *slot);
/* It was alone under suspicion, and its nursery died again. */
void build_slot_blame(struct build *build, struct slot *slot, const char *how);

#endif
