/*
 * Rates: how many runs of a queue, or of a lane with a key, start in a time. By GCRA: of each
 * scope one number is kept, the time at which all that has started is paid for, one interval a
 * start. It may be ahead of now by all but one of the burst. So in any stretch of `per_ms` at
 * most limit + burst - 1 start, and what may not start yet may at a time that is known.
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
    struct rate *row;              /* NULL: nothing is known to have started */
    int64_t opens_ms;              /* by the steady clock; 0: it is open */
};

/* `rule` may be NULL; may_be_pushed: it may be pushed back. False: more rows are needed. */
bool meter_load(struct batch *batch, struct meter *meter, int64_t scope,
                const struct queue_rate *rule, bool may_be_pushed);
/* A run starts. */
void meter_start(struct batch *batch, struct meter *meter);
/* How many of so many could start now. */
uint32_t meter_most(const struct batch *batch, const struct meter *meter, uint32_t count);

/* The run's lane is pushed back, by its own segment: its rows are loaded. */
void lane_push_back(struct batch *batch, struct run *run, int64_t ms);
bool lane_push_load(struct batch *batch, const struct run *run);

/* When the next may start, by the steady clock; 0: now. Both may be NULL. */
int64_t rate_opens_ms(const struct queue_rate *rule, const struct rate *row, int64_t now_ms);
/* It may be NULL. */
bool rate_is_pushed(const struct rate *row, int64_t now_ms);
/* The row says no more than none would. */
bool rate_is_past(const struct rate *row, int64_t now_ms);

#endif
