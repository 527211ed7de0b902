/* Maps of what has an id: nodes live inside their owners, whose first member they are. */
#ifndef ID_MAP_H
#define ID_MAP_H

#include <stdint.h>

struct id_node {
    int64_t id;
    struct id_node *next;
};

/* Zeroed: empty. */
struct id_map {
    struct id_node **buckets;
    uint32_t count, capacity;
};

struct id_node *id_map_find(const struct id_map *map, int64_t id); /* NULL: it is not there */
void id_map_add(struct id_map *map, struct id_node *node, int64_t id); /* one that is not */
void id_map_remove(struct id_map *map, struct id_node *node);
/* Of the buckets; the owners of what is in it are the caller's. */
void id_map_finish(struct id_map *map);

#endif
