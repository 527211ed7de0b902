/* Who is to be the parent of a new run: may it, and what becomes of the child when it ends. */
#ifndef ENGINE_PARENT_H
#define ENGINE_PARENT_H

#include "engine/batch.h"

/* From a segment: is that still the run's? From a client: may the run still have children?
 * And may it go deeper? */
bool parent_check(struct batch *batch, struct command *command, const struct run *parent);

/*
 * A tree that is being canceled takes nothing new: whoever is below a canceled run is canceled
 * as well, some at a time, and who wants a child before that goes at once; but for those who go
 * on. False: more rows are needed.
 */
bool parent_doom(struct batch *batch, struct command *command, const struct run *parent);

/* What becomes of the child when its parent is canceled or takes too long. */
void child_choose(struct batch *batch, const struct trigger *trigger, struct slice queue,
                  struct run *parent, struct run *child);

#endif
