/* What is asked of a batch of runs (commands/batch_send.c). */
#ifndef BATCH_SEND_H
#define BATCH_SEND_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct command;
struct run_batch;

/* An item as it was asked for. */
struct batch_ask {
    uint32_t index;
    struct command *command; /* TRIGGER: what it is to be; its err is the reply, if refused */
    struct slice refusal;    /* it is refused already; empty: it is not */
    enum ask_reply {         /* reply */
                     ASK_UNDECIDED,
                     ASK_TAKEN,   /* new: a run, kept aside, or named by its key */
                     ASK_REFUSED, /* new, and command->err says what is wrong with it */
                     ASK_REPEATED,
                     ASK_DIFFERS /* its index has another item already, which stays */
    } reply;
};

/* A batch is begun, gets items, is sealed: one of them, or all at once. */
struct batch_send {
    uint32_t environment;
    int64_t id;        /* 0: a new one */
    bool begins;       /* it is made if it is not there */
    uint32_t expected; /* items; 0: unknown before it is sealed */
    bool is_atomic;    /* all or none */
    struct slice key, key_text;
    int64_t key_ttl_ms; /* 0: 30 days */
    struct slice request_key;
    struct batch_ask *items;
    uint32_t count;
    bool seals;            /* these were the last; only where `expected` is unknown */
    bool refuses_mismatch; /* an item whose key names a run with another payload is refused */
    int64_t parent_id;     /* 0: over HTTP */
    uint32_t parent_seq;
    bool is_rerun; /* its segment was started before in this entry */
    /* Reply */
    int64_t batch_id;
    bool cached;  /* it was named by its key, and has all its items */
    bool differs; /* and had another number of them, or not all or none */
    bool sealed;
    uint32_t taken, repeated, refused, received, wanted; /* wanted: 0: not known yet */
    /* The engine's own: how far it is. */
    struct run_batch *row;
    uint32_t at;
};

/* A segment asks for the answers of items. */
struct batch_read {
    int64_t run_id; /* that asks, with its fence */
    uint32_t seq;
    int64_t batch_id;
    uint32_t from, most; /* so many, from that index */
    /* Reply */
    uint32_t all; /* items of the batch */
    struct batch_answer {
        uint32_t status; /* enum wait_status */
        struct slice output, error, code;
    } * answers;
    uint32_t count;
};

#endif
