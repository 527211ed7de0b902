/*
 * Pools: tokens of things that there are so many of (GPUs, licences), which the runs of some
 * queues hold while a segment of them runs. A run gets all that its queue says, at once, or
 * nothing: so nobody holds one thing and waits for another. What is held is counted from the
 * runs that are running, of all environments, as every limit is.
 *
 * Who waits longest is reserved for. A queue that is held by a pool leaves its ring and stands
 * in the list of each pool that it needs, in the order in which they began to wait: one order
 * for all pools. What the first of a list needs is left free by all who are behind it, and by
 * those who do not wait; so a run that needs two tokens is not passed for ever by those that
 * need one. The first of all is the first of each of its lists: nothing is reserved before it,
 * and it starts when those that run have ended. When it has started one run it is the last. At
 * most the need of one run is left free of each pool, and only while the environment of who
 * waits has a slot for it.
 *
 * When a run stops the first of the lists of its pools are looked at, POOL_LOOKS of each, and
 * so are they when one leaves a list. Nobody looks because time passes.
 */
#ifndef POOLS_H
#define POOLS_H

#include "base/id_map.h"
#include "base/list.h"
#include "engine/catalog.h"

struct batch;
struct place;
struct queue_hint;
struct rings;

enum { POOL_LOOKS = 8 };

/* A queue in the list of a pool. */
struct pool_wait {
    struct list link;
    struct queue_hint *queue;
    uint32_t pool, tokens;
};

/* Of a queue. */
struct pool_waits {
    struct pool_wait *items; /* malloc'ed: one a use; NULL: it does not wait */
    uint32_t count;
    uint64_t turn; /* since when, in the order of all; 0: it has not waited since it started */
    bool is_shut;  /* out of its ring: until it is looked at again */
};

/* Of all. */
struct pool_hints {
    struct list *waiting; /* malloc'ed: a list of each pool of the catalog, the longest first */
    bool *changed;        /* of each: who waits is to be looked at */
    uint32_t count;
    uint64_t turns;
    struct id_map users; /* what queues that have had runs running use, by their ids */
};

/* Another catalog: its pools are others, and so may be what queues use. */
void pools_renew(struct rings *rings, const struct catalog *catalog);
void pools_finish(struct rings *rings);
/* Out of all lists; it keeps its turn. */
void pools_leave(struct rings *rings, struct queue_hint *queue);

/* A pool while slots are being filled. */
struct pool_now {
    int64_t in_use;       /* by runs of this node, with those that start */
    int64_t here;         /* that this node may have */
    bool is_asked, lacks; /* lacks: more than this node may have is wanted */
};

/* Who uses what; false: more rows are needed. */
bool pools_load(struct batch *batch);
/* With other nodes: what this one has of them, or can take. False: more rows are needed. */
bool pools_look(struct batch *batch, const struct place *place);
/* How many of so many could start now; at least one, so that who waits is known to have one. */
uint32_t pools_most(const struct batch *batch, const struct place *place, uint32_t count);
/* What a run of it needs is not there, or is reserved for others. */
bool pools_lack(struct batch *batch, const struct place *place);
void pools_start(struct batch *batch, struct place *place);
/* With other nodes: what waits for more than this one could take. */
void pools_want(struct batch *batch);
int64_t pools_in_use(const struct batch *batch, int64_t scope);
bool pools_are_wanted(const struct batch *batch, int64_t scope);
/* Who waits for what a stopped run has given back. */
void pools_choose(struct batch *batch, int64_t queue,
                  void (*choose)(struct batch *batch, const struct queue_hint *waiting));
void pools_choose_all(struct batch *batch,
                      void (*choose)(struct batch *batch, const struct queue_hint *waiting));
/* After the commit: what has happened to others than those that were looked at, then those,
 * then who is to be looked at next. */
void pools_keep_events(struct batch *batch);
void pools_keep_place(struct batch *batch, const struct place *place, struct queue_hint *queue);
void pools_keep(struct batch *batch);
/* The environment has no slot any more: what was reserved for it is for others. */
void pools_keep_full(struct rings *rings, uint32_t environment);

#endif
