/* The memory store from the inside: what its files share. */
#ifndef MEMORY_ROWS_H
#define MEMORY_ROWS_H

#include "store/memory/rack.h"
#include "store/store.h"

enum { ENVIRONMENTS_MAX = 16 };

struct memory_store {
    struct store store;
    struct rack runs, waitpoints, queues, lanes, keys, edges;
    char *environments[ENVIRONMENTS_MAX];
    uint32_t environment_count;
    struct rows *flushed; /* of the transaction under way */
    int fail_in;          /* calls until one fails; 0: never */
    bool is_low;          /* on room */
};

static inline struct memory_store *memory_of(struct store *store)
{
    return (struct memory_store *)(void *)store; /* its first member */
}

/* Whether this call is the one that store_memory_fail chose. */
bool memory_fails(struct memory_store *memory, struct err *err);
void memory_id_add(struct arena *arena, struct ids *ids, int64_t id);

void memory_load_idle(struct memory_store *memory, struct rows *rows,
                      const struct idle_want *want);

/* memory_lanes.c */
void memory_load_lanes(struct memory_store *memory, struct rows *rows);
void memory_commit_lanes(struct memory_store *memory, const struct rows *rows);

/* store_ops */
bool memory_due(struct store *store, const struct moment *now, uint32_t limit,
                struct arena *arena, struct due *due, struct err *err);
bool memory_next_due(struct store *store, struct moment *next, struct err *err);
bool memory_mend_due(struct store *store, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct due *lost, struct err *err);
bool memory_touch(struct store *store, struct err *err);
void memory_room(struct store *store, struct room *room);

#endif
