/* closer: a segment closes a token that it has just made, and hears of it when it waits. */
#include <bide/bide.h>

#define CLOSER_STATE(F)    F(TOKEN, door) F(TOKEN, other)
#define CLOSER_SEGMENTS(S) S(start) S(after)

BIDE_TASK(closer, CLOSER_STATE, CLOSER_SEGMENTS, .id = "closer")
BIDE_PLUGIN("closer", "1.0.0", closer_task)

static bide_next start(bide_task *t)
{
    struct closer *s = bide_state(t);

    s->door = bide_token_create(t, (struct bide_token_opts){ 0 });
    bide_token_close(t, &s->other); /* there is none */
    bide_token_close(t, &s->door);
    bide_token_close(t, &s->door); /* nothing is changed */
    return bide_wait_token(t, &s->door, after);
}

static bide_next after(bide_task *t)
{
    bide_out_str(t, "told", bide_wait_status(t) == BIDE_WAIT_CANCELLED ? "closed" : "else");
    return bide_done(t);
}
