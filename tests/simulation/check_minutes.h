/* Statistics: whatever happens, each start and each end is counted once. */
#ifndef CHECK_MINUTES_H
#define CHECK_MINUTES_H

#include "world.h"

/* Now and then; so many runs have completed, and ended, by the totals of the queues. */
void check_minutes(struct world *world, int64_t completed, int64_t ended);

#endif
