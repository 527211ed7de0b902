/* What a run is, by its row: the end of run.h. */
#ifndef RUN_IS_H
#define RUN_IS_H

#include "engine/rows/run.h"

enum { WARNED_LEAST_MS = 100 /* a tenth of a time that is shorter is not told */ };

/* Its attempts are used up, and it is kept until somebody lets it go on. */
static inline bool run_is_paused(const struct run *run)
{
    return run->status == RUN_DELAYED && run->due_ms == 0;
}

/* Whoever waits for it may go on. */
static inline bool run_is_over(const struct run *run)
{
    return run->status == RUN_DONE && !run->is_out && run->remaining == 0;
}

static inline uint32_t run_cost(const struct run *run, bool of_key)
{
    return (uint32_t)(run->choices >> RUN_COST_AT(of_key)) & ((1U << RUN_COST_BITS) - 1);
}

static inline bool run_has_failed(const struct run *run)
{
    return run->outcome == OUTCOME_FAILED || run->outcome == OUTCOME_CRASHED ||
           run->outcome == OUTCOME_TIMED_OUT || run->outcome == OUTCOME_SYSTEM_FAILURE;
}

/* It has ended, or nothing but its ending is to come. */
static inline bool run_has_ended(const struct run *run)
{
    return run->status == RUN_DONE || run->ending != OUTCOME_NONE;
}

/* It has not begun, and has its time to. A pause before a retry is another delay, also of a
 * hook of what never has begun. */
static inline bool run_awaits_start(const struct run *run)
{
    return run->status == RUN_DELAYED && run->started_ms == 0 && run->ending == OUTCOME_NONE;
}

/* It was canceled, or its total time was over, while its segment was out, and ends when that
 * has returned. */
static inline bool run_is_leaving(const struct run *run)
{
    return run->ending != OUTCOME_NONE && run->undo_number == 0 && run->status == RUN_RUNNING;
}

static inline bool run_ends_children(const struct run *run)
{
    uint32_t outcome = run->ending != OUTCOME_NONE ? run->ending : run->outcome;

    return outcome == OUTCOME_CANCELED || outcome == OUTCOME_TIMED_OUT;
}

/* When its total time is to be looked at, by the steady clock: when nine tenths of it are over,
 * and at its end; 0: it has none. */
static inline int64_t run_total_due(const struct run *run)
{
    int64_t tenth_ms = run->total_ms / 10;

    return run->total_end_ms == 0 || run->is_total_warned || tenth_ms < WARNED_LEAST_MS
               ? run->total_end_ms
               : run->total_end_ms - tenth_ms;
}

#endif
