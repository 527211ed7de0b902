/* Attempts of a run, as the API shows them: each with when it ran, how it ended, and why; and
 * what is done when it ends badly. */
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
/* What its trigger allows it, and when it times out as a whole. */
void run_limits_write(struct out *out, const struct run *run);

/* "ending as CANCELED: compensation refund, 1 of 3"; empty: it is not ending. */
struct slice ending_text(struct arena *arena, const struct run *run);
/* "compensations", "ending" and "undoErrors", where there are any. */
void ending_write(struct out *out, struct arena *arena, const struct run *run);

#endif
