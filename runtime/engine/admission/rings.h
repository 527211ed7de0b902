/*
 * Rings: which lanes may start something, in the order in which they are served. Hints, as all
 * that the engine keeps between batches (hints.h):
 *
 *   environments ─▶ ring of queues ─▶ ring of lanes
 *
 * What cannot start anything leaves its ring, and comes back by the event that changes that: a
 * lane that is at its limit and a queue that is at its total when a run of theirs stops, an
 * environment that has no slot left when any run stops, what is empty when a run is queued,
 * what is paused when it is resumed, what is out of its rate when its alarm rings, what lacks
 * tokens of a pool when who holds some stops (pools.h), all of them with a new catalog. So
 * nothing is looked at because time passes.
 *
 * Queues take turns of one run. Of very many queues each has some short ones when it is its
 * turn: rows of one queue lie side by side, and a start of each of a thousand queues costs
 * pages that no other start uses.
 *
 * Of a queue with very many lanes some are known. The others come from the database by rising
 * id, some at a time, when those that are known have had their turn.
 */
#ifndef RINGS_H
#define RINGS_H

#include "base/id_map.h"
#include "base/list.h"
#include "engine/admission/alarms.h"
#include "engine/admission/fair.h"
#include "engine/admission/pools.h"
#include "engine/rows/rows.h"

enum {
    QUEUES_MANY = 64, /* of an environment: with more of them turns are long */
    TURN_LONG = 8     /* short runs in such a turn; or one that is not short */
};

enum lane_state {
    LANE_OPEN,
    LANE_FULL,   /* at its limit: until one of its runs stops */
    LANE_EARLY,  /* out of its rate: until its alarm rings */
    LANE_SUSPECT /* has nothing but suspects (deaths.h): until nothing else is there */
};

/* A lane that may have QUEUED runs in the database. */
struct lane_hint {
    struct id_node node;
    struct queue_hint *queue;
    enum lane_state state;
    uint32_t suspects; /* that were passed by when it was looked at last */
    struct list link, suspect_link;
    struct alarm alarm;
    struct tenant_hint *tenant; /* of a fair queue (fair.h) */
    int64_t tag;
    uint32_t weight; /* when it was served last */
};

/* A queue of such lanes. */
struct queue_hint {
    struct id_node node;
    uint32_t environment; /* 0: not known yet */
    struct list link;     /* in its environment's ring while it may start something */
    struct list fresh;    /* open lanes that have not had their turn in this pass */
    struct list served;   /* those that have */
    struct list shut;     /* the others */
    struct fair *fair; /* open ones by tenants, and none in fresh and served; NULL: by turns */
    uint32_t open_count;
    uint32_t spent;  /* of its turn */
    int64_t after;   /* lanes above it are not known in this pass; INT64_MAX: there is none */
    bool is_swept;   /* those that were not known have had their turn in this pass */
    bool is_partial; /* some of those below it are not known either */
    bool is_full;    /* at its total: until one of its runs stops */
    bool is_held;    /* paused, or coming back from that: another node may change it */
    struct alarm alarm; /* set: it is out of its rate until then */
    uint32_t
        early_count;    /* lanes that are out of their rate, and are remembered; the others: */
    struct alarm sweep; /* they are looked for then; early.c */
    int64_t forgotten_ms; /* the first of them may start something; 0: there are none */
    bool is_sweeping;     /* since sweep_ms; the next one not before rest_until_ms */
    int64_t sweep_ms, rest_until_ms;
    struct pool_waits pools;
};

struct environment_hint {
    uint32_t environment;
    struct list queues;
    uint32_t queue_count;
    bool is_full; /* it has no slot: until any run stops */
    struct environment_hint *next;
};

struct rings {
    struct id_map queues, lanes;
    struct environment_hint *environments;
    struct list suspects;
    struct alarms alarms;             /* by the steady clock */
    uint32_t early_count, early_most; /* most: of a queue; 0: as usual */
    struct pool_hints pools;
};

void rings_init(struct rings *rings);
void rings_finish(struct rings *rings);

struct queue_hint *rings_queue(const struct rings *rings, int64_t id);
/* The same, made when absent. */
struct queue_hint *rings_queue_add(struct rings *rings, int64_t id, uint32_t environment);
/* What is known of it may not be all, and what was full may not be. */
void rings_queue_forget(struct rings *rings, struct queue_hint *queue);
/* It is out of its rate until then; 0: it is not. is_saving: for its next run. */
void rings_queue_wait(struct rings *rings, struct queue_hint *queue, int64_t until_ms,
                      bool is_saving);
void rings_queue_drop(struct rings *rings, struct queue_hint *queue);

struct lane_hint *rings_lane(const struct rings *rings, int64_t id);
/* It may have something: open, at the end of what is known. */
struct lane_hint *rings_lane_add(struct rings *rings, struct queue_hint *queue, int64_t id);
/* For another open lane, with so many more than usual; one too many is found again when those
 * that are known have had their turn: see is_partial. */
bool rings_queue_has_room(const struct queue_hint *queue, uint32_t spare);
void rings_lane_drop(struct rings *rings, struct lane_hint *lane);
void rings_lane_shut(struct rings *rings, struct lane_hint *lane, enum lane_state state);
void rings_lane_open(struct rings *rings, struct lane_hint *lane);
/* The same. */
void rings_lane_wait(struct rings *rings, struct lane_hint *lane, int64_t until_ms,
                     bool is_saving);
/* A run of them has gone: perhaps the one that was saved up for. */
void rings_spend(struct rings *rings, int64_t queue, int64_t lane);
/* Its lanes are of tenants from now on, or take turns. */
void rings_queue_fair(struct queue_hint *queue, bool is_fair);
/* Of a fair queue: whose it is, as in fair_lane_join, and what it owes more. */
void rings_lane_of(struct lane_hint *lane, int64_t tenant, int64_t floor, int64_t more);
/* early.c: of very many lanes that are early not all are remembered. */
void early_bound(struct rings *rings, struct lane_hint *lane);
/* All of the queue's lanes are gone through: some of those that are not may start something. */
void sweep_begin(struct rings *rings, struct queue_hint *queue, int64_t now_ms);
/* Some of its lanes are not known, and will be looked for. */
static inline bool queue_has_forgotten(const struct queue_hint *queue)
{
    return queue->is_sweeping || queue->forgotten_ms != 0;
}

/* It has had its turn. */
void rings_lane_serve(struct rings *rings, struct lane_hint *lane);

/* What is left of its turn, in short runs. */
uint32_t rings_turn(const struct environment_hint *environment, const struct queue_hint *queue);
/* After changes to a queue: it is where it belongs, the last of its ring when so many short
 * runs more have ended its turn, or gone when there is nothing in it. */
void rings_settle(struct rings *rings, struct queue_hint *queue, uint32_t spent);

/* A run has stopped somewhere: every environment may have a slot. */
void rings_open_environments(struct rings *rings);
void rings_close_environment(struct rings *rings, uint32_t environment);
/* Is there something that only the environment's slots or limit may hold? */
bool rings_environment_waits(const struct rings *rings, uint32_t environment);
/* Another node may have resumed an environment or a queue. */
void rings_open_held(struct rings *rings);
/* What was out of its rate until now is not any more. */
void rings_ring(struct rings *rings, int64_t now_ms);
/* When the next is not; 0: none is. */
int64_t rings_next_ms(const struct rings *rings);
/* Everything may have changed. */
void rings_open_all(struct rings *rings);
/* May anything start? */
bool rings_are_open(const struct rings *rings);

#endif
