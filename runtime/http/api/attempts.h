/* Attempts of a run, as the API shows them: each with when it ran, how it ended, and why. */
#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include "engine/catalog.h"
#include "engine/rows/row.h"
#include "http/server/out.h"

/* A list: number, status, startedAt, finishedAt, error. Of many failed ones the first few and
 * the last are known. */
void attempts_write(struct out *out, struct arena *arena, const struct run *run);
/* How many it may have; `catalog` may be NULL. */
uint32_t attempts_most(const struct catalog *catalog, const struct run *run,
                       struct slice queue);

#endif
