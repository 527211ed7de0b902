/* What an operator says of queues and environments: commands, each with its reply. */
#ifndef OPERATE_H
#define OPERATE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct queue_pause {
    uint32_t environment;
    struct slice name;
    bool paused;
    int64_t queue_id; /* reply */
};

struct queue_limit {
    uint32_t environment;
    struct slice name;
    bool is_reset; /* to the configured one */
    uint32_t limit;
    struct slice by;  /* empty: it was not said */
    int64_t queue_id; /* reply */
};

struct environment_pause {
    uint32_t environment;
    bool paused, is_mild; /* is_mild: one that is paused keeps its reason */
    struct slice by, why; /* empty: it was not said */
    bool is_changed;      /* reply */
};

#endif
