/*
 * Cycles: runs that wait for each other, none of which can go on. For the engine's own files.
 */
#ifndef CYCLE_H
#define CYCLE_H

#include "engine/waits/group.h"

/* Who cannot go on before a run has ended; nor those before these have, and so on. */
struct waiters {
    struct waiter {
        int64_t id;   /* a run's, or a batch's */
        uint32_t of;  /* the place of one that it waits for; the run itself has place 0 */
        bool is_free; /* it can go on: enough of what it waits for may come */
    } * found;
    uint32_t count, capacity;
    struct table places; /* id → its place */
    struct waiter_link {
        uint32_t from, to; /* whoever is at `to` waits for it */
    } * links;
    uint32_t link_count, link_capacity;
};

/* False: more rows are needed. */
bool waiters_find(struct batch *batch, int64_t run_id, struct waiters *waiters);
/* Is it one of them, other than the run itself? */
bool waiters_have(const struct waiters *waiters, int64_t id);

/* Would the run wait for itself, if it waited so? In words; empty: no. Where that is because a
 * child holds a run that has ended, it does not any more. */
struct slice wait_cycle(struct batch *batch, const struct run *run, const struct wait *wait);
/* What that needs, before the wait is made; or of one that is there. False: more rows are
 * needed. */
bool wait_cycle_load(struct batch *batch, const struct run *run, const struct frame_end *end);
bool wait_cycle_load_again(struct batch *batch, const struct run *run, const struct wait *wait);

/* settle.c: it holds its parent, which has ended, no more. */
void child_let_go(struct batch *batch, struct run *child, struct run *parent);

#endif
