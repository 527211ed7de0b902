/* What an operator says of queues, environments and keys: commands, each with its reply. */
#ifndef OPERATE_H
#define OPERATE_H

#include "base/err.h"
#include "base/slice.h"
#include "config/queue_rules.h"
#include "engine/rows/rows.h"

#include <stdbool.h>
#include <stdint.h>

struct cancel {
    uint32_t environment;
    int64_t id;
    struct slice reason; /* for its timeline; empty: none was given */
};

/* Of a queue, or of an environment: paused, or resumed. What is not said stays as it is. */
struct pause_order {
    uint32_t environment;
    struct slice name;    /* a queue's */
    bool paused, is_mild; /* is_mild: one that is paused keeps its reason */
    struct slice by, why; /* empty: it was not said */
    enum pause_say { PAUSE_UNSAID, PAUSE_NO, PAUSE_YES } freezes, refuses; /* pause.h */
    int64_t until_date_ms, until_span_ms; /* it resumes then, or after so long; 0: unsaid */
    int64_t ramp_ms;  /* resumed, its limit grows from 1 for so long; 0: it is all there */
    int64_t queue_id; /* reply; 0: an environment's */
    bool is_changed;  /* reply */
};

struct queue_limit {
    uint32_t environment;
    struct slice name;
    bool is_reset; /* to the configured one */
    uint32_t limit;
    bool sets[2];               /* not that: its rate, and that of its keys */
    struct queue_rate rates[2]; /* limit 0: any number */
    struct slice by;            /* empty: it was not said */
    int64_t queue_id;           /* reply */
};

/* A schedule is made, or what it says is changed. */
/* Kept builds as they are from now on, or, with row.is_deleted, no more. */
struct build_row;
struct builds_put {
    const struct build_row *items;
    uint32_t count;
};

/* Which builds new runs take. */
struct plugins_wish {
    enum { PLUGINS_PROMOTE, PLUGINS_ROLLBACK } what;
    struct slice build;  /* to promote: 16 to 64 hex digits */
    struct slice plugin; /* to roll back: its name, or its file's */
    uint32_t percent;    /* of what starts; 100: all of it */
    int64_t over_ms;     /* to become all of it; 0: it stays so */
    bool with_runs;      /* those of the others go on in it */
    struct slice by, reason;
};

struct schedules_review {
    struct ids ids;   /* of all schedules */
    struct ids moved; /* reply */
};

struct schedule_put {
    uint32_t environment;
    int64_t id;          /* 0: of that name */
    bool creates;        /* where there is none of that name */
    struct slice name;   /* empty: its id, once it has one */
    struct slice rules;  /* packed, and checked: config/schedule_rules.h */
    int64_t schedule_id; /* reply */
    bool is_new;         /* reply */
};

struct schedule_act {
    uint32_t environment;
    int64_t id; /* 0: of that name */
    struct slice name;
    enum schedule_what { SCHEDULE_PAUSE, SCHEDULE_RESUME, SCHEDULE_RUN, SCHEDULE_DELETE } what;
    bool is_forced;              /* RUN: whatever of it runs */
    struct slice by, why;        /* empty: it was not said */
    int64_t schedule_id, run_id; /* reply */
    bool is_changed;             /* reply */
};

/* Runs whose attempts are used up are to go on. */
struct redrive {
    uint32_t environment;
    struct redrive_item {
        int64_t id;
        int64_t run_id; /* reply: the run that goes on: itself, or a new one; 0: err says */
        struct err err; /* why it does not */
        struct command *made; /* TRIGGER of a new one */
    } * items;
    uint32_t count;
    bool from_start; /* else from the last save point */
    struct slice by; /* empty: it was not said */
    uint32_t at;     /* the engine's own: how far it is */
};

/* Runs for ticks that are past, whether they had some or not; each instant has one at most. */
struct schedule_backfill {
    uint32_t environment;
    int64_t id; /* 0: of that name */
    struct slice name;
    int64_t from_ms, until_ms; /* ticks from one up to the other, which is not among them */
    uint32_t limit;            /* runs at a time; 0: any number */
    bool is_dry;               /* it is only told what would be done */
    bool stops;                /* the one that is under way makes no more runs */
    struct slice by;           /* empty: it was not said */
    /* Reply: */
    int64_t schedule_id, first_ms, last_ms;
    uint32_t count;
    bool is_changed;
};

/* The idempotency key stands for nothing any more, until it comes again. */
struct key_reset {
    uint32_t environment;
    uint32_t kind;          /* enum key_kind: of a RUN, TOKEN or WAIT */
    struct slice task, key; /* task: of a RUN */
    int64_t owner;  /* the run whose segment gave it, as its own; 0: it is no run's alone */
    int64_t run_id; /* reply: that it stood for; the token's id */
};

#endif
