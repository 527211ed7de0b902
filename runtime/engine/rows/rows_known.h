/* Rows from the inside: what rows.c, rows_new.c and rows_put.c share. */
#ifndef ROWS_KNOWN_H
#define ROWS_KNOWN_H

#include "engine/rows/rows.h"

/* Room for one more item; grows in the arena, the old memory goes with the batch. */
void *rows_room(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
                size_t size);

#define ROOM(arena, items, count, capacity) \
    ((items) = rows_room((arena), (items), (count), &(capacity), sizeof *(items)))

/*
 * What is known of a key: an entry in the table, made when it is first wanted, holds the answer
 * (NULL when absent) and whether it is in. The hash finds, the key decides.
 */
struct known {
    void *row;
    bool is_loaded, is_wanted;
    uint32_t want; /* where it stands in its list of wants while it is wanted */
    struct row_key key;
    struct known *next; /* of the same hash */
};

struct known *known_of(struct rows *rows, struct table *table, struct row_key key);
/* By an id. */
struct known *known_get(struct rows *rows, struct table *table, uint64_t id);
/* Among the rows of its kind, in memory from now on. */
void rows_link(struct rows *rows, enum row_kind kind, struct row *row);
void rows_known_loaded(const struct table *table, int64_t id);
struct edges *known_edges(struct rows *rows, struct known *known);
struct children *known_children(struct rows *rows, struct known *known);
struct edge *rows_edge_find(struct rows *rows, int64_t waitpoint_id, int64_t run_id);
struct edge *rows_edge_add(struct rows *rows, int64_t waitpoint_id, int64_t run_id);

#endif
