/* Pauses of queues and environments: begun, changed, ended by somebody or by their time. */
#ifndef PAUSES_H
#define PAUSES_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/operate.h"
#include "engine/rows/row.h"

struct batch;

/* The environment's clock (rows/pause.h): a queue's pause is counted by it. */
int64_t environment_clock(const struct batch *batch, const struct environment *environment);

/* The limits that come back after a pause; 0: none. Which they are may not be known
 * yet: a large one then. */
struct ramp {
    uint32_t limits[3];
};
struct ramp queue_ramp(const struct batch *batch, const struct queue *queue);
struct ramp environment_ramp(const struct batch *batch);

/* As it was ordered; false: it is so already. `clock_ms` is pause_lag's. */
bool pause_take(const struct batch *batch, struct pause *pause, const struct pause_order *order,
                int64_t clock_ms, const struct ramp *ramp);
/* Its time has come: it is over, or there is more of the limits than before. */
void pause_due(struct batch *batch, struct pause *pause, int64_t clock_ms,
               const struct ramp *ramp);

/* A pause that has ended by itself is told. */
void resumed_add(struct batch *batch, const char *what, struct slice name,
                 uint32_t environment);

/* Nothing new is taken: false with `err` set. `what` is "queue mail". */
bool pause_accepts(const struct pause *pause, struct slice what, struct arena *arena,
                   struct err *err);

/* " by ann, until 2026-01-02T03:04:05.678Z: the disk moves", for people; since is not in it. */
struct slice pause_text(struct arena *arena, const struct pause *pause);

/* ---- ttl --------------------------------------------------------------------------------- */

/* It enters its queue for the first time: from now on its ttl counts. */
void run_ttl_begin(struct batch *batch, struct run *run);
/* The rows that are needed; false: they are not loaded. */
bool run_ttl_ready(struct batch *batch, const struct run *run);
/* Is its ttl over? One that is not is put off: its due_ms is as it looks now. */
bool run_ttl_is_over(struct batch *batch, struct run *run);

#endif
