/* Builds: of gamma the one before the current is kept for the runs that are locked to it. */
#ifndef SIMULATION_BUILDS_H
#define SIMULATION_BUILDS_H

#include "engine/catalog.h"

struct world;

/* Into a catalog whose other tasks are all there; it has room. */
void builds_offer(const struct world *world, struct catalog *catalog);
/* What a run goes on with that was locked to `build`; empty: to none. NULL: no build has it. */
const struct catalog_task *build_expected(const struct catalog *catalog, struct slice task,
                                          struct slice build);

#endif
