#include "id_map.h"

#include "memory.h"

#include <stdlib.h>

static struct id_node **bucket_of(const struct id_map *map, int64_t id)
{
    uint64_t hash = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    return &map->buckets[hash & (map->capacity - 1)];
}

struct id_node *id_map_find(const struct id_map *map, int64_t id)
{
    struct id_node *node = map->capacity == 0 ? NULL : *bucket_of(map, id);

    while (node != NULL && node->id != id)
        node = node->next;
    return node;
}

static void map_grow(struct id_map *map)
{
    struct id_map grown = { .capacity = map->capacity == 0 ? 64 : map->capacity * 2 };

    grown.buckets = memory_zeroed(grown.capacity, sizeof(struct id_node *));
    for (uint32_t i = 0; i < map->capacity; i++)
        for (struct id_node *node = map->buckets[i], *next; node != NULL; node = next) {
            struct id_node **bucket = bucket_of(&grown, node->id);
            next = node->next;
            node->next = *bucket;
            *bucket = node;
        }
    free(map->buckets);
    grown.count = map->count;
    *map = grown;
}

void id_map_add(struct id_map *map, struct id_node *node, int64_t id)
{
    if (map->count == map->capacity)
        map_grow(map);
    struct id_node **bucket = bucket_of(map, id);
    node->id = id;
    node->next = *bucket;
    *bucket = node;
    map->count++;
}

void id_map_remove(struct id_map *map, struct id_node *node)
{
    struct id_node **at = bucket_of(map, node->id);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    map->count--;
}

void id_map_finish(struct id_map *map)
{
    free(map->buckets);
}
