/*
 * Nodes: several engines over one store. All are equal. A node has a row with a lease that it
 * renews within its batches; every batch holds that row, so that one whose row is gone is known
 * to be dead to the others, writes nothing, and begins anew. Whoever sees a lease that is over
 * takes over: runs that the dead node executed go back to their queues, what was at home there
 * is at home here, what it held of limits is free.
 *
 * Alone (number 0) none of this is done, and no row carries a node.
 */
#ifndef NODES_H
#define NODES_H

#include "engine/engine.h"

enum {
    NODE_LEASE_MS = 15000,
    NODE_RENEW_MS = 5000, /* after so much of it */
    NODE_POLL_MS = 1000   /* how often it looks what others have left, or want */
};

struct batch;

/* What the engine knows of itself. */
struct node_self {
    uint32_t number, epoch;
    bool is_joined;
    int64_t poll_ms; /* when to look next */
    struct grant_hint {
        int64_t scope;
        uint32_t count;
        bool is_hungry; /* it would take more, and was told that there is none */
        bool is_given;  /* back, in this batch: others are before it */
    } * grants; /* malloc'ed, by rising scope: its own, so that nobody else changes it */
    uint32_t grant_count, grant_capacity;
};

static inline bool node_is_alone(const struct node_self *self)
{
    return self->number == 0;
}

/* Join, renew, take over; false: more rows are needed. */
bool node_begin(struct batch *batch);
/* Does another node that lives offer the task? Then the run is nobody's (home 0) until that
 * one fetches it. */
bool node_is_offered(const struct batch *batch, struct slice task);
/* Is it QUEUED, and this node the one that may start it? */
bool node_has_ready(const struct batch *batch, const struct run *run);
/* Did it execute here when it was loaded? */
bool node_was_executing(const struct batch *batch, const struct run *run);
bool node_is_executing(const struct batch *batch, const struct run *run);
/* Runs that others have ready, and that could start here: they are at home here from now on.
 * False: more rows are needed. */
/* Runs that were canceled by another node: their slots are to be told. False: more rows are
 * needed. */
bool node_tell(struct batch *batch);
bool node_fetch(struct batch *batch, uint32_t slots);
void node_committed(struct batch *batch);

/* grants.c: how much of a limit this node may use, at least `need` where there is enough left.
 * False: more rows are needed. */
bool grant_take(struct batch *batch, int64_t scope, uint32_t limit, uint32_t need,
                uint32_t *granted);
/* What is held beyond `used` is of no use without another grant. */
void grant_leave(struct batch *batch, int64_t scope, uint32_t used);
/* What is held and not used is given back to those who are hungry. */
bool grants_return(struct batch *batch);
/* Of a node that is dead: all that it holds. */
bool grants_release(struct batch *batch, uint32_t node);
void grants_committed(struct batch *batch);
void grants_finish(struct node_self *self);

#endif
