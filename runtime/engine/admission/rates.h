/*
 * Rates: how many runs of a queue, or of a lane with a key, start in a time. By GCRA: of each
 * scope one number is kept, the time at which all that has started is paid for, one interval
 * for each that a start costs. A run starts when that is not ahead of now by more than the
 * burst then. So in any stretch of `per_ms` what starts costs limit + burst - 1 at most, and
 * what may not start yet may at a time that is known. Who costs more than the burst (somebody
 * has made it smaller since) pays all of it.
 *
 * A run that is the next of a queue, and costs more than is left, has the queue wait for it: of
 * what it saves up nothing is taken by those behind it.
 *
 * Every start counts: of a new run, of a retry, of a run that goes on after a wait, as each of
 * them takes a place under the other limits. The number is a row, written with the start, and
 * guarded, so that nodes and crashes change nothing about the sum.
 */
#ifndef RATES_H
#define RATES_H

#include "config/queue_rules.h"
#include "engine/rows/row.h"

struct batch;

/* A rate while slots are being filled. */
struct meter {
    int64_t scope;                 /* as in its row */
    const struct queue_rate *rule; /* NULL: there is none */
    struct queue_rate set;         /* it, where somebody has set it */
    struct rate *row;              /* NULL: nothing is known to have started */
    const struct queue_amount *cost;
    int64_t opens_ms; /* by the steady clock; 0: it is open */
    bool is_saving;   /* until then, for the run that is the next */
};

/* Of the queue as a whole, or of that lane of it. False: more rows are needed. */
bool meter_load(struct batch *batch, struct meter *meter, int64_t scope,
                const struct queue *queue);
/* When the run may start; 0: now. */
int64_t meter_opens_ms(const struct batch *batch, const struct meter *meter,
                       const struct run *run);
/* It starts. */
void meter_start(struct batch *batch, struct meter *meter, const struct run *run);
/* How many of so many could start now, at most. */
uint32_t meter_most(const struct batch *batch, const struct meter *meter, uint32_t count);

/* The run's lane is pushed back, by its own segment: its rows are loaded. */
void lane_push_back(struct batch *batch, struct run *run, int64_t ms);
bool lane_push_load(struct batch *batch, const struct run *run);

/* What a start of the run (NULL: of most) costs of it, where the queue says `usual`. */
uint32_t rate_cost(const struct queue_rate *rule, const struct queue_amount *usual,
                   const struct run *run, bool of_key);
/* When something of that cost may start, by the steady clock; 0: now. Both may be NULL. */
int64_t rate_opens_ms(const struct queue_rate *rule, const struct rate *row, uint32_t cost,
                      int64_t now_ms);
/* It may be NULL. */
bool rate_is_pushed(const struct rate *row, int64_t now_ms);
/* The row says no more than none would. */
bool rate_is_past(const struct rate *row, int64_t now_ms);

#endif
