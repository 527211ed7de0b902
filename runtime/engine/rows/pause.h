/*
 * A pause, as it stands in the row of a queue and of an environment, and what is left of it
 * when it is over: a limit that grows back, and the time that did not count.
 */
#ifndef ROWS_PAUSE_H
#define ROWS_PAUSE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define PAUSE_MEMBERS                                                                          \
    bool paused;  /* nothing of it is started */                                               \
    bool frozen;  /* meanwhile the ttl of runs in the queue does not count */                  \
    bool refuses; /* and nothing new is taken */                                               \
    bool due_is_span;                                                                          \
    int64_t due_ms;    /* paused: it ends then; ramping: its limit is another then */          \
    int64_t paused_ms; /* since */                                                             \
    int64_t until_ms;  /* when it ends, a date for show; 0: when somebody ends it */           \
    int64_t frozen_ms, frozen_at_ms;    /* pause_lag */                                        \
    int64_t ramp_from_ms;               /* resumed, by the steady clock; 0: it is all there */ \
    int64_t ramp_ms;                    /* the limit grows for so long, from 1 to all */       \
    struct slice paused_by, paused_why; /* empty: it was not said */

struct pause {
    PAUSE_MEMBERS
};

/* The same members, each by its own name and all of them as one. */
#define PAUSE_ROW           \
    union {                 \
        struct pause pause; \
        struct {            \
            PAUSE_MEMBERS   \
        };                  \
    }

/*
 * How much of the time up to `clock_ms` did not count. Clocks are steady ones: an environment's
 * stands still while it is frozen, a queue's while it or its environment is; so that two pauses
 * at once count once.
 */
static inline int64_t pause_lag(const struct pause *pause, int64_t clock_ms)
{
    return pause->frozen_ms +
           (pause->paused && pause->frozen ? clock_ms - pause->frozen_at_ms : 0);
}

static inline bool pause_is_frozen(const struct pause *pause)
{
    return pause->paused && pause->frozen;
}

static inline bool pause_is_ramping(const struct pause *pause)
{
    return pause->ramp_from_ms != 0;
}

/* What is there of a limit at that time, by the steady clock; UINT32_MAX is no limit. */
static inline uint32_t pause_limit(const struct pause *pause, uint32_t limit, int64_t steady_ms)
{
    int64_t passed_ms = steady_ms - pause->ramp_from_ms;

    if (pause->ramp_from_ms == 0 || limit < 2 || limit == UINT32_MAX ||
        passed_ms >= pause->ramp_ms)
        return limit;
    return passed_ms < 0 ? 1
                         : 1 + (uint32_t)((int64_t)(limit - 1) * passed_ms / pause->ramp_ms);
}

#endif
