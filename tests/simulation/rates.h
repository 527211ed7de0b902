/* What is known of rates, and what they allow. World.h has it. */
#ifndef SIMULATION_RATES_H
#define SIMULATION_RATES_H

#include "config/queue_rules.h"
#include "engine/command.h"
#include "engine/rows/row.h"

struct world;
struct look;

enum { STARTS_MAX = 1024 };

/* When queues and lanes that have a rate started something, by the steady clock: the last. */
struct known_starts {
    struct known_start {
        int64_t scope, at_ms, per_ms;
        uint32_t limit, burst, cost;
    } items[STARTS_MAX];
    uint32_t count;
    uint32_t rate_cost, key_rate_cost; /* of each, as the file says; 0: as the payload does */
};

/* Others from now on, or none. */
void rates_draw(struct world *world);
/* Others for one queue. */
void rates_say(struct world *world, struct queue_limit *limit);
void rates_rules(struct world *world, struct arena *arena, uint32_t queue,
                 struct queue_rules *rules);
/* Nothing that it could ever pay: it may be refused. */
bool rates_may_refuse(const struct look *look, const struct trigger *trigger);
/* It was made: it costs what it should. */
void rates_check_made(const struct look *look, const struct trigger *trigger,
                      const struct run *run, struct slice queue);
/* What is known of them holds no more: they are others, or the clock is. */
void rates_forget(struct world *world);
/* Until when its lane is pushed back; 0: it never was. */
int64_t rates_pushed_ms(struct world *world, const struct run *run);
void rates_check_start(struct world *world, const struct run *started);
/* When it may start by its rates, as the node sees it whose turn it is, and whoever else waits
 * there; 0: now. */
int64_t rates_open_ms(struct world *world, const struct run *run, const struct queue *queue);

#endif
