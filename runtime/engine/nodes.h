/*
 * Nodes: several engines over one store. All are equal. A node has a row with a lease that it
 * renews within its batches; every batch holds that row, so that one whose row is gone is known
 * to be dead to the others, writes nothing, and begins anew. Whoever sees a lease that is over
 * takes over: runs that the dead node executed go back to their queues, what was at home there
 * is at home here, what it held of limits is free.
 *
 * A process that begins takes a number that has no row, and an epoch that nobody has had: who
 * had the number before may come back late.
 *
 * Alone (number 0) none of this is done, and no row carries a node.
 */
#ifndef NODES_H
#define NODES_H

#include "engine/engine.h"

enum {
    NODE_LEASE_MS = 15000,
    NODE_RENEW_MS = 5000, /* after so much of it */
    NODE_POLL_MS = 250    /* how often it looks what others have left, or want: some such looks
                             until run, grants and slot are together take a second at most */
};

struct batch;

/* What the engine knows of itself. */
struct node_self {
    uint32_t number, epoch;
    bool is_joined;
    int64_t poll_ms;     /* when to look next, */
    int64_t away_lane;   /* and behind which lane of others */
    bool has_fetched;    /* something of theirs has started: there may be more */
    bool is_relimited;   /* the catalog is new, and may have other limits */
    uint32_t roll_epoch; /* of the roll, when limits were looked at last */
    struct grant_hint {
        int64_t scope;
        uint32_t count, limit; /* held; that there is in all, as was known last */
        bool is_hungry;        /* something waits here, and there was none left */
        bool is_lowered;       /* more is held by all than there is now: nothing starts */
        bool is_given;         /* back, in this batch: others are before it */
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
/* The same, or one that another node has ready, if it starts at once. */
bool node_may_start(const struct batch *batch, const struct run *run);
/* Runs that were canceled by another node: their slots are to be told. False: more rows are
 * needed. */
bool node_tell(struct batch *batch);
/* Runs that others have ready are looked at, too. */
bool node_fetch(struct batch *batch, uint32_t slots);
void node_committed(struct batch *batch);
/* How many live; one that is alone counts itself. */
uint32_t nodes_count(const struct batch *batch);
/* Limits are others from now on: all nodes look at them anew. */
void nodes_relimit(struct batch *batch);

/* grants.c: how many may run here of what a limit allows, where `used` run and so many more
 * might start. False: more rows are needed. */
bool grant_look(struct batch *batch, int64_t scope, uint32_t limit, uint32_t used,
                uint32_t more, uint32_t *here);
/* So many run from now on; what was looked at allows it. */
void grant_use(struct batch *batch, int64_t scope, uint32_t limit, uint32_t used);
/* Something waits here for more of it, or nothing does any more. Others hear of it when there
 * is a slot. */
void grant_want(struct batch *batch, int64_t scope, uint32_t limit, bool lacks, bool has_slot);
/* All that is held: see grants.c. */
bool grants_review(struct batch *batch);
/* Of a node that is dead: all that it holds. */
bool grants_release(struct batch *batch, uint32_t node);
void grants_committed(struct batch *batch);
void grants_finish(struct node_self *self);

#endif
