/* hello: the smallest task. One segment, no state; its output is its input. */
#include "hello.schema.h" /* made from schemas/hello.yaml */

#include <bide/bide.h>

#define HELLO_SEGMENTS(S) S(greet)

BIDE_TASK(hello, BIDE_NO_STATE, HELLO_SEGMENTS, .id = "hello")

static bide_next greet(bide_task *t)
{
    hello_output_write(t, hello_input_read(t)); /* any object: no struct knows its members */
    return bide_done(t);
}

BIDE_PLUGIN("hello", "1.0.0", hello_task)
