/* See version-1.c: every new run of this one crashes. */
#include <bide/bide.h>

#define ORDER_SEGMENTS(S) S(start)

BIDE_TASK(order, BIDE_NO_STATE, ORDER_SEGMENTS, .id = "versioned", .max_attempts = 1)

static bide_next start(bide_task *t)
{
    volatile int *nowhere = NULL;

    bide_log_info(t, "%d", *nowhere);
    return bide_done(t);
}

BIDE_PLUGIN("versioned", "5.0.0", order_task)
