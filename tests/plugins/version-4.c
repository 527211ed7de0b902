/* See version-1.c. */
#include <bide/bide.h>

#define ORDER_SEGMENTS(S) S(start)

BIDE_TASK(order, BIDE_NO_STATE, ORDER_SEGMENTS, .id = "versioned")

static bide_next start(bide_task *t)
{
    bide_out_i64(t, "version", 4);
    return bide_done(t);
}

BIDE_PLUGIN("versioned", "4.0.0", order_task)
