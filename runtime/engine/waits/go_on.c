#include "engine/waits/go_on.h"

#include "engine/waits/group.h"

bool go_on_load(struct batch *batch, const struct run *from)
{
    struct waitpoint *token;
    struct wait wait;
    struct run *run;
    bool loaded = true;

    if (!wait_read(batch->arena, from->wait, &wait))
        return true;
    for (uint32_t i = 0; i < wait.count; i++)
        loaded &= wait_is_token(&wait, i) ? rows_waitpoint(&batch->rows, wait.ids[i], &token)
                                          : rows_run(&batch->rows, wait.ids[i], 0, &run);
    return loaded;
}

void go_on_take(struct batch *batch, struct run *run, const struct run *from)
{
    struct wait wait;

    run->segment = arena_copy(batch->arena, from->segment);
    run->wait = arena_copy(batch->arena, from->wait);
    run->once = arena_copy(batch->arena, from->once);
    run->entry = from->entry;
    run->mailed = from->mailed;
    run->collected = from->collected;
    run->secrets |= from->secrets;
    run->saved_ms = run->keeps > 0 ? batch->now_ms : 0;
    run_set_part(run, PART_STATE, arena_copy(batch->arena, from->state));
    if (from->mailed > 0)
        run_set_part(run, PART_MAIL, arena_copy(batch->arena, from->mail));
    if (!wait_read(batch->arena, run->wait, &wait))
        return;
    for (uint32_t i = 0; i < wait.count; i++)
        (void)wait_pending(batch, run, wait_is_token(&wait, i),
                           wait.ids[i]); /* which holds it */
}
