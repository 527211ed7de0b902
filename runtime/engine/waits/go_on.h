/* A run begins where another one has ended. */
#ifndef GO_ON_H
#define GO_ON_H

#include "engine/batch.h"

/* What that one has waited for, which is asked for again; false: it is not loaded. */
bool go_on_load(struct batch *batch, const struct run *from);
/* All is loaded. What it waited for is held: it is not removed before it has been asked for. */
void go_on_take(struct batch *batch, struct run *run, const struct run *from);

#endif
