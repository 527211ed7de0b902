/*
 * Tables: a hash map from 64-bit keys to pointers, with its memory in an arena. Made for one
 * batch and dropped with it; a key is set once and its pointer may be replaced, nothing is
 * removed.
 */
#ifndef TABLE_H
#define TABLE_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

struct table_entry {
    uint64_t key;
    void *value;
    bool used;
};

struct table {
    struct arena *arena;
    struct table_entry *entries;
    uint32_t count, capacity; /* capacity is 0 or a power of two */
};

void table_init(struct table *table, struct arena *arena);
void table_set(struct table *table, uint64_t key, void *value);
/* NULL when absent, or when NULL was set: table_has tells. */
void *table_find(const struct table *table, uint64_t key);
bool table_has(const struct table *table, uint64_t key);

/* FNV-1a with a finisher; not for hostile keys that outlive a batch. A hash finds and never
 * decides: two texts may have one, so who looks up by it compares what it found. */
uint64_t table_hash(struct slice bytes, uint64_t seed);

#endif
