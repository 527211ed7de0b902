/* Rows from the inside: what rows.c, rows_new.c and rows_put.c share. */
#ifndef ROWS_KNOWN_H
#define ROWS_KNOWN_H

#include "engine/rows/rows.h"

/* Room for one more item; grows in the arena, the old memory goes with the batch. */
void *rows_room(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
                size_t size);

#define ROOM(arena, items, count, capacity) \
    ((items) = rows_room((arena), (items), (count), &(capacity), sizeof *(items)))

void rows_ids_add(struct arena *arena, struct ids *ids, int64_t id);

/*
 * What is known of a key: an entry in the table, made when it is first wanted, holds the row
 * (NULL when absent) and whether the answer is in.
 */
struct known {
    void *row;
    bool is_loaded, is_wanted;
    uint32_t want; /* where it stands in its list of wants while it is wanted */
};

/* The same under a name: the hash finds, the name decides. */
struct known_name {
    struct known known;
    int64_t scope; /* an environment, or a queue */
    struct slice name;
    struct known_name *next; /* of the same hash */
};

struct known *known_get(struct rows *rows, struct table *table, uint64_t key);
struct known *known_named(struct rows *rows, struct table *table, int64_t scope,
                          struct slice name);
struct known *known_queue(struct rows *rows, uint32_t environment, struct slice name);
struct known *known_key(struct rows *rows, const uint8_t hash[16]);
struct edges *known_edges(struct rows *rows, struct known *known);
struct children *known_children(struct rows *rows, struct known *known);
struct edge *rows_edge_find(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
struct edge *rows_edge_add(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
void rows_known_loaded(const struct table *table, int64_t id);
void rows_queue_know(struct rows *rows, struct queue *queue);

#endif
