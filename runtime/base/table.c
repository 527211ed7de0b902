#include "table.h"

static uint64_t mix(uint64_t key)
{
    key ^= key >> 33;
    key *= UINT64_C(0xff51afd7ed558ccd);
    key ^= key >> 33;
    key *= UINT64_C(0xc4ceb9fe1a85ec53);
    return key ^ key >> 33;
}

void table_init(struct table *table, struct arena *arena)
{
    *table = (struct table){ .arena = arena };
}

/* The entry that holds `key`, or the free one where it belongs. */
static struct table_entry *entry_for(const struct table *table, uint64_t key)
{
    uint32_t mask = table->capacity - 1;

    for (uint32_t i = (uint32_t)mix(key) & mask;; i = (i + 1) & mask)
        if (!table->entries[i].used || table->entries[i].key == key)
            return &table->entries[i];
}

static void table_grow(struct table *table)
{
    struct table old = *table;

    table->capacity = old.capacity == 0 ? 32 : old.capacity * 2;
    table->entries = ARENA_ARRAY(table->arena, struct table_entry, table->capacity);
    for (uint32_t i = 0; i < old.capacity; i++)
        if (old.entries[i].used)
            *entry_for(table, old.entries[i].key) = old.entries[i];
}

void table_set(struct table *table, uint64_t key, void *value)
{
    if (table->count * 4 >= table->capacity * 3)
        table_grow(table);
    struct table_entry *entry = entry_for(table, key);
    if (!entry->used)
        table->count++;
    *entry = (struct table_entry){ key, value, true };
}

void *table_find(const struct table *table, uint64_t key)
{
    return table->capacity == 0 ? NULL : entry_for(table, key)->value;
}

bool table_has(const struct table *table, uint64_t key)
{
    return table->capacity != 0 && entry_for(table, key)->used;
}

uint64_t table_hash(struct slice bytes, uint64_t seed)
{
    /* Mixed, or names would differ from those of another seed by a letter's bits alone. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ mix(seed);

    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ (unsigned char)bytes.data[i]) * UINT64_C(0x100000001b3);
    return mix(hash);
}
