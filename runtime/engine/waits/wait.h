/*
 * Waits: why a run is asleep and what wakes it.
 *
 *   RUNNING ──bide_wait_*──▶ WAITING ──edge fires | due_ms comes──▶ QUEUED
 *
 * A wait names tokens or runs and how many of them must end; each that has not yet ended is an
 * edge. A time is the run's own due_ms, and so is the moment at which a wait for others gives
 * up. A wait for a group (group.h) names parts, of which some may be groups again.
 */
#ifndef WAIT_H
#define WAIT_H

#include "base/arena.h"
#include "base/table.h"
#include "codec/frame.h"

/* What a wait for a group has beside. */
struct wait_group {
    struct frame_part *parts; /* due_ms is what asks for the end, a date or by is_span */
    uint32_t count;
    struct frame_manner manner;
    struct slice then; /* the segment to enter when it is over */
    int64_t begun_ms;  /* by the steady clock: what reminders count from */
    bool due_is_span;  /* of the whole */
    uint32_t reminded; /* so many reminders have been given */
    bool is_reminder;  /* the segment that is entered is the last of these: it is not over */
    bool is_over;      /* what is left of it is being canceled: */
    uint32_t lost;     /* so many of the first ids were */

    /* In memory only. */
    uint32_t *numbers; /* of the part at a place, if it is a group: which group it is, from 1 */
    uint32_t groups;
    bool *is_token; /* of the id at a place */
    uint32_t *same; /* the next place with the same id, + 1; made with `places` */
};

struct wait {
    uint32_t kind;   /* enum wait_kind */
    uint32_t needed; /* how many of ids; at most count. GROUP: of its outermost parts */
    int64_t due_ms;  /* TIME: when; others: gives up then, 0: never */
    int64_t *ids;    /* GROUP: of the tokens and runs among its parts, in their order */
    uint32_t count;
    bool gave_up;             /* due_ms came first */
    struct wait_group *group; /* of a GROUP */
    struct slice key; /* idempotency (wait_key.c), as the engine keeps it; empty: none */
    bool key_global;
    bool is_skipped; /* in memory only: the wait of this key was */

    struct table places; /* id → 1 + its first part; made when it is asked for */
};

struct slice wait_pack(struct arena *arena, const struct wait *wait);
/* False for empty or damaged bytes: no wait. */
bool wait_read(struct arena *arena, struct slice packed, struct wait *wait);
/* Each id once: waiting for the same thing twice is waiting for it. */
uint32_t wait_distinct(struct arena *arena, const int64_t *all, uint32_t count, int64_t **ids);
bool wait_has(struct arena *arena, struct wait *wait, int64_t id);
/* Is the id at that place a token's? Else it is a run's. */
bool wait_is_token(const struct wait *wait, uint32_t place);
/* A group's parts with that id: the first when `place` is 0, then the next behind `place`; each
 * is 1 + where it stands, 0: none is left. */
uint32_t wait_part_of(struct arena *arena, struct wait *wait, int64_t id, uint32_t place);
/* From the parts of a group: its ids, the numbers of its groups, and all for a needed of 0.
 * False, with the place + 1 of it in *wrong (0: the wait itself): it needs more than it has. */
bool wait_number(struct arena *arena, struct wait *wait, uint32_t *wrong);

/* When its next reminder is to be given, by the steady clock; 0: there is none. */
int64_t wait_reminds_ms(const struct wait_group *group);

#endif
