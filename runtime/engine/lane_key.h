/* Lane keys: whose a run is, by the expressions of its queue. */
#ifndef LANE_KEY_H
#define LANE_KEY_H

#include "engine/batch.h"

struct lane_key {
    struct slice key;    /* the concurrency key; empty: none */
    struct slice tenant; /* empty: none, or there was no value */
    struct slice flaw;   /* why an expression has no value; empty: it has */
};

/*
 * Of a run of a fair queue, with this payload and the key that its trigger says (empty: none).
 * Of a fair queue everybody has a key: who has none is in the lane of his tenant. In the
 * batch's arena.
 */
struct lane_key lane_key_of(struct batch *batch, const struct queue_fair *fair,
                            struct slice given, struct slice payload);

#endif
