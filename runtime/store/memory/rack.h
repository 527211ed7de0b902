/* Racks: sorted arrays of rows that own their memory. */
#ifndef RACK_H
#define RACK_H

#include "base/arena.h"
#include "engine/admission/lane.h"
#include "engine/rows/row.h"

/* A row and the memory of its slices. */
struct held {
    struct arena arena;
    union {
        struct run run;
        struct waitpoint waitpoint;
        struct queue queue;
        struct lane lane;
        struct key key;
        struct edge edge;
    };
};

struct rack {
    struct held **items;
    uint32_t count, capacity;
    int (*order)(const struct held *a, const struct held *b);
};

int rack_order_of(int64_t a, int64_t b);
int rack_run_order(const struct held *a, const struct held *b);
int rack_waitpoint_order(const struct held *a, const struct held *b);
int rack_queue_order(const struct held *a, const struct held *b);
int rack_lane_order(const struct held *a, const struct held *b);
int rack_key_order(const struct held *a, const struct held *b);
int rack_edge_order(const struct held *a, const struct held *b);
uint32_t rack_at(const struct rack *rack, const struct held *wanted, bool *found);
struct held *rack_find(const struct rack *rack, const struct held *wanted);
void held_destroy(struct held *held);
void rack_put(struct rack *rack, struct held *held);
void rack_drop(struct rack *rack, const struct held *wanted);
void rack_finish(struct rack *rack);
void held_run_own(struct arena *arena, struct run *run);
void held_waitpoint_own(struct arena *arena, struct waitpoint *row);
struct held *held_create(void);

#endif
