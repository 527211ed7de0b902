/* Settling: what follows from an end (settle.c); for the engine's own files. */
#ifndef SETTLE_H
#define SETTLE_H

#include "engine/rows/row.h"
#include "engine/waits/wait.h"

struct batch;

/* A waitpoint has ended, or has left something to do; the same for a run. */
void settle_token(struct batch *batch, struct waitpoint *token);
void settle_run(struct batch *batch, struct run *run);
/* Go on with it in the next batch. */
void settle_later(struct run *run);
/* A time that is over, whatever the clocks are set to. It is another one than before: what
 * hangs on the row has changed, and no other node may go by what it has loaded of that. */
int64_t settle_due(int64_t loaded_ms);
/* Draw the consequences of fired waitpoints and cancellations. */
bool batch_settle(struct batch *batch);
/* A child of a run that may have ended already, and takes it along then, or is held by it. */
void child_late(struct batch *batch, struct run *parent, struct run *child);
/* Has all that it waits for ended, whether or not it was told? False: more rows are needed. */
bool wait_is_over(struct batch *batch, const struct wait *wait, bool *is_over);

#endif
