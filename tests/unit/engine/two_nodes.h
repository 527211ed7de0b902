/* Two nodes over one store: those of the one whose turn it is are in `bench`. */
#ifndef TWO_NODES_H
#define TWO_NODES_H

#include "bench.h"
#include "engine/nodes.h"

/* Of the node whose turn it is not. */
struct other_node {
    struct store *store;
    struct engine *engine;
    struct catalog *catalog;
};

extern struct other_node other;
extern uint32_t turn; /* 1 or 2 */

/* For TestSuite; 1 has its turn. */
void open_two(void);
void close_two(void);
void node_turn(uint32_t number);

/* Both look, again and again. */
void pass(int64_t ms);
/* Each has what a bench_catalog offers. */
void catalogs(void);
/* On both. */
uint32_t running(void);
/* So many runs that start on each. */
void start_on_both(uint32_t count, int64_t *runs);

#endif
