/* A message to a run: a command, with its reply. */
#ifndef SEND_H
#define SEND_H

#include "base/slice.h"
#include "schema/schema.h"

#include <stdbool.h>
#include <stdint.h>

struct message_send {
    uint32_t environment;
    int64_t run_id; /* whom to */
    struct slice name;
    struct slice data; /* packed; empty: null */
    struct slice key;  /* sent twice with one, it is received once; empty: none */
    /* From a segment: */
    int64_t sender_id; /* 0: from outside */
    uint32_t sender_seq;
    int64_t id; /* the call's, the same in each try of it */
    /* Reply */
    int64_t number; /* the message's, in the order of the run's messages */
    bool cached;    /* it was sent before under its key */
    bool differs;   /* as another message */
    struct problems problems;
};

#endif
