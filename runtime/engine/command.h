/*
 * Commands: everything that is asked of the engine, each with room for its reply.
 *
 * A command lives in its owner's memory. The owner hands it to the pump (store/pump.h), which
 * gives it back on the loop thread when the batch that decided it is durable, or has failed. In
 * between the store thread has it, `arena` included: replies are allocated there.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "base/arena.h"
#include "base/err.h"
#include "codec/frame.h"
#include "codec/value.h"
#include "engine/batches/batch_send.h"
#include "engine/bulk_ask.h"
#include "engine/catalog.h"
#include "engine/debounce_ask.h"
#include "engine/edits.h"
#include "engine/operate.h"
#include "engine/prune.h"
#include "engine/rows/rows.h"
#include "engine/segment_ask.h"
#include "engine/send.h"
#include "engine/token_ask.h"

#include <stdbool.h>
#include <stdint.h>

enum command_kind {
    COMMAND_TRIGGER,
    COMMAND_BATCH_SEND,
    COMMAND_CANCEL,
    COMMAND_TOKEN_CREATE,
    COMMAND_TOKEN_COMPLETE,
    COMMAND_TOKEN_TIMEOUT,
    COMMAND_TOKEN_CLOSE,
    COMMAND_TOKEN_MOVE,
    COMMAND_WAIT_COMPLETE,
    COMMAND_WAIT_TIMEOUT,
    COMMAND_WAIT_SKIP,
    COMMAND_WAIT_MOVE,
    COMMAND_MESSAGE_SEND,
    COMMAND_RUN_EDIT,
    COMMAND_REDRIVE,
    COMMAND_QUEUE_PAUSE,
    COMMAND_QUEUE_LIMIT,
    COMMAND_ENVIRONMENT_PAUSE,
    COMMAND_KEY_RESET,
    COMMAND_SCHEDULE_PUT,
    COMMAND_SCHEDULE_ACT,
    COMMAND_SCHEDULE_BACKFILL,
    COMMAND_SCHEDULES_REVIEW,
    COMMAND_BULK_CREATE,
    COMMAND_BULK_STOP,
    COMMAND_SEGMENT_END,
    COMMAND_ATTEMPT_LOST,
    COMMAND_RELEASE,
    COMMAND_RUN_READ,
    COMMAND_RUN_BUNDLE,
    COMMAND_BATCH_READ,
    COMMAND_ONCE,
    COMMAND_PRUNE,
    COMMAND_NOTES,
    COMMAND_CATALOG,
    COMMAND_SPEED,
    COMMAND_BUILDS_PUT,
    COMMAND_RECOVER,
    COMMAND_KIND_COUNT
};

struct trigger {
    uint32_t environment;
    struct slice task;
    struct slice payload;         /* packed, already checked against the schema; empty: null */
    struct slice queue;           /* empty: the task's */
    struct slice concurrency_key; /* empty: none */
    int64_t due_ms;               /* delayed until this date; 0: delay_ms counts */
    int64_t delay_ms;             /* 0 or less: not at all */
    int64_t ttl_ms;               /* 0: its queue's; negative: over at once */
    int64_t priority_ms;          /* head start; 0: its queue's */
    bool has_ttl, has_priority;   /* 0 was said, and is meant */
    int64_t limit_ms;             /* of an attempt; 0: the task's; negative: no time at all */
    uint32_t max_attempts, cost;  /* 0: the task's; its queue's, of rates */
    uint32_t max_attempts_total;  /* 0: its queue's, or the task's */
    int64_t total_ms, cpu_ms;     /* of the run, of an attempt; 0: the same */
    struct slice tags;            /* packed, sorted list; empty: none */
    struct slice metadata;        /* packed map; empty: none */
    struct slice version; /* of its plugin, that it is to run with; empty: the current */
    bool is_test;
    struct slice key;         /* idempotency key as it came; empty: none */
    struct slice key_text;    /* what to show for it; empty: the key */
    int64_t key_ttl_ms;       /* 0: 30 days */
    uint32_t reuse;           /* enum reuse; 0: as its queue says */
    struct slice request_key; /* the HTTP call's own; empty: none */
    struct slice note;        /* for the first line of its timeline; empty: none */
    int64_t bulk, replayed;   /* as in the run's row */
    struct debounce debounce; /* delay_ms says the same */
    uint32_t items; /* its payload is the list of so many, as a run has collected it */
    /* From a segment: */
    int64_t parent_id; /* 0: none */
    uint32_t parent_seq;
    int64_t id;             /* to give the run; 0: a new one */
    bool unchecked;         /* validate here: the payload comes from a segment */
    bool key_global;        /* from a segment: the key is not this run's alone */
    bool is_rerun;          /* its segment was started before in this entry */
    uint32_t on_parent_end; /* enum children_rule; UNSAID: as the parent's task or its queue */
    bool inherits_tags;     /* its parent's as well, as far as there is room */
    bool is_outside;        /* a parent was named by a client, not by its segment */
    int64_t batch;    /* it is an item of that one, which has looked for it; 0: it is not */
    int64_t given;    /* payload_hash of what came; 0: of `payload` */
    bool only_asks;   /* may it be made? `checked` is its payload with defaults */
    bool is_accepted; /* it may: it is made, whatever is full or paused now */
    const struct run *goes_on; /* it begins where this one has ended; NULL: at the entry */
    /* By the expressions of its queue (lane_key.h), while is_keyed: */
    struct slice lane_key, tenant, flaw, checked;
    bool is_keyed;
    /* Reply */
    int64_t run_id;
    bool debounced;       /* it was made one with a run that was there; */
    bool collected;       /* the same, and its payload is in the list of that */
    bool cached, skipped; /* it was named by its key, or by its lane's: on_conflict is skip */
    bool differs;         /* the run of that key was given another payload */
    bool is_new;          /* it was made by this command */
    uint32_t on_mismatch; /* enum mismatch_rule: what its queue says of that */
};

/* Its queue says it, or else the server. */
static inline bool mismatch_is_refused(const struct trigger *trigger, bool server_refuses)
{
    return trigger->differs &&
           (trigger->on_mismatch == MISMATCH_UNSAID ? server_refuses
                                                    : trigger->on_mismatch == MISMATCH_REFUSE);
}

struct command {
    enum command_kind kind;
    struct arena *arena; /* for replies; NULL: none wanted */
    union {
        struct trigger trigger;
        struct cancel cancel;
        struct batch_send batch_send;
        struct batch_read batch_read;
        struct token_create token_create;
        struct token_complete token_complete; /* of TOKEN_TIMEOUT, …, WAIT_MOVE too */
        struct message_send message_send;
        struct run_edit run_edit;
        struct redrive redrive;
        struct pause_order queue_pause;
        struct queue_limit queue_limit;
        struct pause_order environment_pause;
        struct key_reset key_reset;
        struct builds_put builds_put;
        struct schedule_put schedule_put;
        struct schedule_act schedule_act;
        struct schedule_backfill schedule_backfill;
        struct schedules_review schedules_review;
        struct bulk_create bulk_create;
        struct bulk_stop bulk_stop;
        struct segment_end segment_end; /* ATTEMPT_LOST and RELEASE too */
        struct run_read run_read;
        struct run_bundle run_bundle;
        struct prune prune;
        struct once once;
        struct notes notes;
        struct ids recover; /* runs that were RUNNING when the process started */
        struct {
            struct catalog *next;
            struct catalog *previous; /* reply: no longer used, the caller's to destroy */
        } catalog;
        struct {
            struct slice task;
            bool is_short;
        } speed;
    };
    bool is_clean;             /* RECOVER: the server stops, it has not died */
    struct err err;            /* reply: code OK when done */
    struct problems *problems; /* reply: of a refused payload; NULL: none */
    /* For the pump and its owner. */
    void (*on_reply)(struct command *command); /* loop thread; NULL: the pump frees nothing */
    void *owner;
    struct command *next;
};

uint32_t command_weight(const struct command *command); /* how much work it is, beside others */

#endif
