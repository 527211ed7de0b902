/* Calls something that no library has. */
#include <bide/bide.h>

int nobody_has_this(void);

#define START(S) S(start)

BIDE_TASK(lost, BIDE_NO_STATE, START, .id = "lost")

static bide_next start(bide_task *t)
{
    bide_out_i64(t, "answer", nobody_has_this());
    return bide_done(t);
}

BIDE_PLUGIN("lost", "1.0.0", lost_task)
