/* hello: the smallest task. One segment, no state; its output is its input. */
#include <bide/bide.h>

#define HELLO_SEGMENTS(S) S(greet)

BIDE_TASK(hello, BIDE_NO_STATE, HELLO_SEGMENTS, .id = "hello")

static bide_next greet(bide_task *t)
{
    bide_out(t, bide_input(t));
    return bide_done(t);
}

BIDE_PLUGIN("hello", "1.0.0", hello_task)
