/* A run is canceled, with all below it (settle.c). */
#include "engine/batch.h"

bool cancel_decide(struct batch *batch, struct command *command)
{
    const struct cancel *cancel = &command->cancel;
    struct run *run;

    if (!rows_run(&batch->rows, cancel->id, 0, &run))
        return false;
    if (run == NULL || run->environment != cancel->environment) {
        err_set(&command->err, ERR_NOT_FOUND, "Run not found");
        return true;
    }
    if (run->status != RUN_DONE) {
        run->why = cancel->reason;
        batch_ids_add(batch, &batch->canceled, run->id);
    }
    return true;
}
