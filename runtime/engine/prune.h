/* Pruning: what is old and asked for by nobody goes; for the engine's own files. */
#ifndef PRUNE_H
#define PRUNE_H

#include "engine/command.h"

struct batch;

/* A run begins to wait for what has ended before: it must stay until the run has asked. */
void prune_hold_run(const struct batch *batch, struct run *run);
void prune_hold_token(const struct batch *batch, struct waitpoint *token);
/* Was it made so long ago that what is not there was removed, or else is still to come? */
bool prune_is_past(const struct batch *batch, int64_t id);
/* The clocks as a batch found them. */
void prune_look(struct batch *batch);
void prune_commit(struct batch *batch);

#endif
