/* needy: is linked with a library, needed.c, that ld.so will not find. */
#include <bide/bide.h>

int needed(void);

#define ONLY(S) S(only)

BIDE_TASK(needy, BIDE_NO_STATE, ONLY, .id = "needy")

static bide_next only(bide_task *t)
{
    bide_out_i64(t, "answer", needed());
    return bide_done(t);
}

BIDE_PLUGIN("needy", "1.0.0", needy_task)
