/* Pools of the world, and what its queues use of them. World.h has it. */
#ifndef SIMULATION_POOLS_H
#define SIMULATION_POOLS_H

#include "engine/rows/row.h"

struct catalog;
struct queue_rules;
struct world;

enum { POOLS = 2, POOL_QUEUES = 3 };

struct known_pools {
    uint32_t tokens[POOLS]; /* 0: it is not there */
    uint32_t uses[POOL_QUEUES][POOLS];
    uint32_t last_epoch; /* of the nodes when they became so */
    int64_t heard_ms;    /* since when all nodes go by them, as was seen; 0: they may not */
};

/* Others from now on, or none. */
void pools_draw(struct world *world);
void pools_offer(const struct world *world, struct catalog *catalog);
void pools_rules(const struct world *world, struct catalog *catalog, uint32_t queue,
                 struct queue_rules *rules);
/* What runs holds no more than there is. */
void pools_check_start(struct world *world, const struct run *started);
/* Does it, or may it, wait for tokens, as the node sees it whose turn it is? */
bool pools_may_hold(struct world *world, const struct run *run, const struct queue *queue);

#endif
