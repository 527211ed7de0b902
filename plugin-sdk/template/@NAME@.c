/*
 * @NAME@: greets somebody after a pause.
 *
 *   start ──pause──▶ greet ──▶ done
 */
#include "@NAME@.schema.h" /* made from schemas/@NAME@.yaml by the build */

#include <bide/bide.h>
#include <stdio.h>

/* What survives a wait. */
#define MY_STATE(F) \
    F(STR(64), name)

/* Where a run can resume; the first is the entry. */
#define MY_SEGMENTS(S) \
    S(start) \
    S(greet)

BIDE_TASK(my, MY_STATE, MY_SEGMENTS, .id = "@NAME@", .max_attempts = 3)

static bide_next start(bide_task *t)
{
    struct my *s = bide_state(t);
    struct @IDENT@_input in = @IDENT@_input_read(t); /* already checked against the schema */

    bide_set_str(t, s->name, in.name);
    bide_log_info(t, "pausing before greeting %s", s->name);
    return bide_wait_for(t, in.pause_ms, greet);
}

static bide_next greet(bide_task *t)
{
    struct my *s = bide_state(t);
    char greeting[80];

    snprintf(greeting, sizeof greeting, "Hello, %s!", s->name);
    struct @IDENT@_output out = { .greeting = greeting };
    @IDENT@_output_write(t, &out);
    return bide_done(t);
}

BIDE_PLUGIN("@NAME@", "0.1.0", my_task)
