/* What clients and operators do: act.c. */
#ifndef SIMULATION_ACT_H
#define SIMULATION_ACT_H

#include "world.h"

enum { ACT_QUEUES = 6 };
extern const char *const act_queues[ACT_QUEUES]; /* that they name */

/* Somebody completes the token, cancels the run. */
void act_complete(struct world *world, int64_t id);
void act_cancel(struct world *world, const struct run *run);

#endif
