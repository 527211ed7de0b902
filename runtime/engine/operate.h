/* What an operator says of queues, environments and keys: commands, each with its reply. */
#ifndef OPERATE_H
#define OPERATE_H

#include "base/slice.h"
#include "config/queue_rules.h"

#include <stdbool.h>
#include <stdint.h>

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

/* The idempotency key stands for nothing any more, until it comes again. */
struct key_reset {
    uint32_t environment;
    struct slice task, key;
    int64_t owner;  /* the run whose segment gave it, as its own; 0: it is no run's alone */
    int64_t run_id; /* reply: that it stood for */
};

#endif
