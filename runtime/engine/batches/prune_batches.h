/* Old batches, and what is left of their items; for commands/prune.c. */
#ifndef PRUNE_BATCHES_H
#define PRUNE_BATCHES_H

#include "engine/batch.h"

bool batches_prune(struct batch *batch, struct prune *prune);
bool items_prune(struct batch *batch, struct prune *prune);

#endif
