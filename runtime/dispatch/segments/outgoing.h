/*
 * Outgoing: commands to the engine, with their memory, on their way. What a slot did must not
 * get lost because the pump is full or the disk is: such a command is submitted again until it
 * is decided.
 */
#ifndef DISPATCH_OUTGOING_H
#define DISPATCH_OUTGOING_H

#include "base/arena.h"
#include "base/list.h"
#include "engine/command.h"

struct dispatch;
struct job;
struct slot;

struct outgoing {
    struct command command; /* command.arena is &arena */
    struct arena arena;
    struct list node; /* free or to be submitted again; else unlinked */
    struct dispatch *dispatch;
    struct slot *slot;   /* of a call, NULL when it is gone; else NULL */
    uint32_t call, kind; /* of a call */
    /* Of a token that was sent ahead (early_token.h): */
    struct list rider;    /* in a job's list, or in riders; else unlinked */
    struct job *job;      /* whose END has not come; else NULL */
    struct outgoing *end; /* held until this is decided; else NULL */
    struct list riders;   /* of an END: commands that go with it */
    uint32_t waits_for;   /* of an END: how many hold it */
    int64_t give_up_ms;   /* 0: try for ever */
    uint32_t tries;
    /* The engine has decided, or it was given up; then it is freed. NULL: nobody cares. */
    void (*on_decided)(struct outgoing *outgoing);
};

struct outgoings {
    struct list spare, again;
    uint32_t spare_count;
    uint32_t under_way;
    int64_t again_ms; /* when to submit those in `again`; 0: there are none */
};

void outgoings_init(struct outgoings *outgoings);
void outgoings_finish(struct outgoings *outgoings);

struct outgoing *outgoing_take(struct dispatch *dispatch, enum command_kind kind);
void outgoing_submit(struct outgoing *outgoing);
/* Without a submit. */
void outgoing_drop(struct outgoing *outgoing);

/* Submit again what is due; the next due time, 0: none. */
int64_t outgoings_tick(struct dispatch *dispatch, int64_t now_ms);

#endif
