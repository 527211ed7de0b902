/* Pools as people see them: how much of each is held, over the rows of one snapshot. */
#ifndef POOL_VIEW_H
#define POOL_VIEW_H

#include "engine/catalog.h"
#include "store/reader.h"

struct pool_count {
    struct slice name;
    int64_t tokens, in_use;
    int64_t of_others; /* of in_use: held by runs of other environments */
};

struct pool_counts {
    struct pool_count *pools; /* as in the catalog */
    uint32_t count;
};

/* `environment`: whose is not another's; 0: all are its own. `catalog` may be NULL: none. */
bool pool_counts_read(struct pool_counts *counts, uint32_t environment,
                      const struct catalog *catalog, struct reader *reader, struct arena *arena,
                      struct err *err);
/* The names of the queues that use the pool; UINT32_MAX: any. */
struct slices pool_queues(struct arena *arena, const struct catalog *catalog, uint32_t pool);

#endif
