/* What is known of rates, and what they allow. World.h has it. */
#ifndef SIMULATION_RATES_H
#define SIMULATION_RATES_H

#include "engine/rows/row.h"

struct world;

enum { STARTS_MAX = 1024 };

/* When queues and lanes that have a rate started something, by the steady clock: the last. */
struct known_starts {
    struct known_start {
        int64_t scope, at_ms;
    } items[STARTS_MAX];
    uint32_t count;
};

/* Others from now on, or none. */
void rates_draw(struct world *world);
/* What is known of them holds no more: they are others, or the clock is. */
void rates_forget(struct world *world);
/* Until when its lane is pushed back; 0: it never was. */
int64_t rates_pushed_ms(struct world *world, const struct run *run);
void rates_check_start(struct world *world, const struct run *started);
/* When it may start by its rates, as the node sees it whose turn it is; 0: now. */
int64_t rates_open_ms(struct world *world, const struct run *run, const struct queue *queue);

#endif
