/* An idempotency key is taken from what it stands for, whatever became of that. */
#include "engine/batch.h"

static const char *const kind_words[] = { [KEY_TOKEN] = "token", [KEY_WAIT] = "wait" };

static bool refuse(struct command *command)
{
    const struct key_reset *reset = &command->key_reset;

    if (reset->kind == KEY_RUN)
        return err_set(&command->err, ERR_NOT_FOUND,
                       "No runs found with idempotency key: %.*s and task: %.*s",
                       SLICE_ARG(reset->key), SLICE_ARG(reset->task));
    return err_set(&command->err, ERR_NOT_FOUND, "No %s found with idempotency key: %.*s%s",
                   kind_words[reset->kind], SLICE_ARG(reset->key),
                   reset->owner != 0 ? " of that run"
                                     : ", as a global one; of a run's own name the run");
}

/* What it stands for says so no more. Its text stays: the segment that gave it may run again.
 */
static bool key_take(struct batch *batch, const struct key_reset *reset, struct key *key)
{
    struct run *run = NULL;
    struct waitpoint *token = NULL;

    if (!(reset->kind == KEY_RUN     ? rows_run(&batch->rows, key->target, 0, &run)
          : reset->kind == KEY_TOKEN ? rows_waitpoint(&batch->rows, key->target, &token)
                                     : true))
        return false; /* not loaded; what has ended is not kept for ever */
    key->row.is_deleted = true;
    if (token != NULL)
        token->key = (struct slice){ 0 };
    if (run != NULL) {
        run->key = (struct slice){ 0 };
        run_note(batch, run, SLICE("its idempotency key was reset"));
    }
    return true;
}

bool key_reset_decide(struct batch *batch, struct command *command)
{
    struct key_reset *reset = &command->key_reset;
    struct key *key;
    uint8_t hash[16];

    key_hash((enum key_kind)reset->kind, reset->environment, reset->task, reset->owner,
             reset->key, hash);
    if (!rows_key(&batch->rows, hash, &key))
        return false;
    if (!key_is_live(batch, key))
        return refuse(command) || true;
    reset->run_id = reset->kind == KEY_WAIT ? 0 : key->target;
    return key_take(batch, reset, key);
}
