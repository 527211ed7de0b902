/* The memory store from behind: what a simulation looks at, and how it makes it fail. */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include "store/store.h"

/* The `calls`th call from now on fails with ERR_STORE; 0: none. */
void store_memory_fail(struct store *store, int calls);

/* The disk is nearly full, or no longer. */
void store_memory_low(struct store *store, bool is_low);

/* Committed rows, valid until the next commit. Runs and waitpoints are in the order of their
 * ids. */
uint32_t store_memory_runs(struct store *store);
const struct run *store_memory_run(struct store *store, uint32_t index);
const struct run *store_memory_find(struct store *store, int64_t id);
const struct waitpoint *store_memory_token(struct store *store, int64_t id);
uint32_t store_memory_waitpoints(struct store *store);
const struct waitpoint *store_memory_waitpoint(struct store *store, uint32_t index);
const struct queue *store_memory_queue(struct store *store, int64_t id);
uint32_t store_memory_queues(struct store *store);
const struct queue *store_memory_queue_at(struct store *store, uint32_t index);
const struct lane *store_memory_lane(struct store *store, int64_t id);
bool store_memory_has_edge(struct store *store, int64_t waitpoint_id, int64_t run_id);
uint32_t store_memory_edges(struct store *store);

#endif
