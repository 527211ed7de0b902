/* An idempotency key is taken from its run, whatever became of that. */
#include "engine/batch.h"

bool key_reset_decide(struct batch *batch, struct command *command)
{
    struct key_reset *reset = &command->key_reset;
    struct run *run = NULL;
    struct key *key;
    uint8_t hash[16];

    key_hash(KEY_RUN, reset->environment, reset->task, reset->owner, reset->key, hash);
    if (!rows_key(&batch->rows, hash, &key))
        return false;
    if (!key_is_live(batch, key)) {
        err_set(&command->err, ERR_NOT_FOUND,
                "No runs found with idempotency key: %.*s and task: %.*s",
                SLICE_ARG(reset->key), SLICE_ARG(reset->task));
        return true;
    }
    if (!rows_run(&batch->rows, key->target, 0, &run))
        return false;
    reset->run_id = key->target;
    key->row.is_deleted = true;
    if (run == NULL) /* what has ended is not kept for ever */
        return true;
    run->key = (struct slice){ 0 }; /* its text stays: the segment that gave it may run again */
    run_note(batch, run, SLICE("its idempotency key was reset"));
    return true;
}
