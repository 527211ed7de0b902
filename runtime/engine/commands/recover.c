/* What was running when the server, or a node, ended goes back to its queue. */
#include "engine/batch.h"
#include "engine/deaths.h"
#include "engine/endings/ending.h"

void run_recover(struct batch *batch, struct run *run, bool is_clean)
{
    if (run_is_leaving(run)) {
        ending_go_on(batch, run);
        return;
    }
    if (!is_clean && deaths_add(batch, run)) {
        (void)run_move(batch, run, RUN_PARKED, /* RUNNING may be parked */
                       SLICE("the server died five times within an hour while this run was "
                             "out; it waits for another build"));
        return;
    }
    run_enqueue(batch, run,
                is_clean ? SLICE("the server stops; no attempt is lost")
                         : SLICE("the server died while it was out; no attempt is lost"));
}

bool recover_decide(struct batch *batch, struct command *command)
{
    const struct ids *ids = &command->recover;
    struct run *run;
    bool loaded = true;

    for (uint32_t i = 0; i < ids->count; i++)
        loaded &= rows_run(&batch->rows, ids->items[i], 0, &run);
    if (!loaded)
        return false;
    batch->is_stopping = command->is_clean;
    for (uint32_t i = 0; i < ids->count; i++) {
        (void)rows_run(&batch->rows, ids->items[i], 0, &run); /* loaded above */
        if (run == NULL)
            continue;
        id_source_skip(batch->engine->ids,
                       run->id_block + ID_BLOCK - 1); /* given out already */
        if (run->status == RUN_RUNNING)
            run_recover(batch, run, command->is_clean);
        else if (run->is_out)
            run_free(batch, run);
    }
    return true;
}
