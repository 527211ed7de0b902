/*
 * Gates: what a run has to pass before it starts, asked in one order. What holds it is the
 * first that is shut, and the answer to "why is my run not running".
 */
#ifndef GATES_H
#define GATES_H

#include "engine/rows/row.h"

enum gate {
    GATE_NONE,        /* it can start */
    GATE_ENVIRONMENT, /* its environment is paused */
    GATE_PAUSED,      /* its queue is */
    GATE_NOT_BEFORE,  /* it is delayed, or pauses before a retry */
    GATE_TOTAL,       /* its queue's lanes together have as many as they may */
    GATE_LANE,        /* its lane has */
    GATE_PUSHED,      /* whom its lane asks has no room: a segment has said so */
    GATE_RATE,        /* its queue, or its lane, has started as many as it may by now */
    GATE_POOL, /* tokens that it needs are held, or somebody has waited longer for them */
    GATE_ENVIRONMENT_LIMIT, /* its environment has as many as it may */
    GATE_SLOTS, /* no slot is free, or those that are belong to other environments */
    GATE_TURN,  /* others are before it: of its lane by rank, of other lanes and queues by turns
                 */
    GATE_COUNT
};

struct gate_facts {
    bool is_environment_paused, is_paused, is_early;
    uint32_t queue_running, total;
    uint32_t lane_running, lane_limit;
    bool is_pushed_back, is_out_of_rate; /* rates.h */
    bool lacks_tokens;                   /* pools.h */
    uint32_t environment_running, environment_limit;
    uint32_t
        environment_base; /* of it one queue alone may have so many; 0: that is in `total` */
    uint32_t room;        /* slots that are left to its environment */
};

/* Slots, and those of an environment. */
struct slot_facts {
    uint32_t slots;        /* that there are */
    uint32_t factor;       /* of short tasks more run than there are slots: times as many */
    uint32_t in_use, owed; /* of all; owed: kept for environments that do not use them */
    uint32_t kept, running;
};

/* How many runs the environment may start; of short tasks, or of any. */
uint32_t slots_left(const struct slot_facts *facts, bool is_short);

/* Never GATE_TURN: who asks knows whose turn it is. */
enum gate gate_of(const struct gate_facts *facts);

/* "lane": for programs. And a sentence for people, without a full stop. */
const char *gate_name(enum gate gate);
const char *gate_sentence(enum gate gate);

#endif
