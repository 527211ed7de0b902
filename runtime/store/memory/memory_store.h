/* The memory store from behind: what a simulation looks at, and how it makes it fail. */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include "store/store.h"

/* The `calls`th call from now on fails with ERR_STORE; 0: none. */
void store_memory_fail(struct store *store, int calls);

/* Another store over the same rows, for another node: a commit of what it has overtaken fails
 * with ERR_CONFLICT. */
struct store *store_memory_share(struct store *store);
/* Called before each call of the store: what others do in between. NULL: nothing. */
void store_memory_between(struct store *store, void (*between)(void *context), void *context);

/* The disk is nearly full, or no longer. */
void store_memory_low(struct store *store, bool is_low);
/* Of this session: how often something was written. */
uint64_t store_memory_commits(struct store *store);

/* Committed rows, valid until the next commit, in the order of their keys. */
uint32_t store_memory_count(struct store *store, enum row_kind kind);
const struct row *store_memory_at(struct store *store, enum row_kind kind, uint32_t index);
const struct row *store_memory_get(struct store *store, enum row_kind kind, int64_t id);
bool store_memory_has_edge(struct store *store, int64_t waitpoint_id, int64_t run_id);

static inline const struct run *store_memory_run(struct store *store, uint32_t index)
{
    return (const struct run *)store_memory_at(store, ROW_RUN, index);
}

static inline const struct run *store_memory_find(struct store *store, int64_t id)
{
    return (const struct run *)store_memory_get(store, ROW_RUN, id);
}

static inline const struct waitpoint *store_memory_waitpoint(struct store *store,
                                                             uint32_t index)
{
    return (const struct waitpoint *)store_memory_at(store, ROW_WAITPOINT, index);
}

static inline const struct waitpoint *store_memory_token(struct store *store, int64_t id)
{
    return (const struct waitpoint *)store_memory_get(store, ROW_WAITPOINT, id);
}

static inline const struct lane *store_memory_lane(struct store *store, int64_t id)
{
    return (const struct lane *)store_memory_get(store, ROW_LANE, id);
}

static inline const struct queue *store_memory_queue(struct store *store, int64_t id)
{
    return (const struct queue *)store_memory_get(store, ROW_QUEUE, id);
}

#endif
