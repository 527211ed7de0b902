/* A segment asks what came of a batch's items: some of them, by index. */
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/contract.h"
#include "engine/failure.h"

enum { OUTPUTS_BYTES_MAX = 16 << 20 };

/* The rows of one item; false: not loaded. */
static bool item_load(struct batch *batch, int64_t id, struct run **run,
                      struct batch_item **item)
{
    *item = NULL;
    if (!rows_run(&batch->rows, id, PART_OUTPUT, run))
        return false;
    if (*run != NULL)
        return true;
    return rows_item(&batch->rows, id, item) &&
           (*item == NULL || (*item)->kind != ITEM_LINKED ||
            rows_run(&batch->rows, (*item)->target, PART_OUTPUT, run));
}

static void answer_fill(const struct run_batch *made, const struct run *run,
                        const struct batch_item *item, struct arena *arena,
                        struct batch_answer *answer)
{
    if (run != NULL) {
        answer->status = run_ended(run);
        if (answer->status == WAIT_OK)
            answer->output = arena_copy(arena, run->output);
        else if (answer->status != WAIT_NONE)
            failure_said(arena, arena_copy(arena, run->error), &answer->code, &answer->error);
    } else if (item != NULL && item->kind == ITEM_REFUSED) {
        answer->status = WAIT_FAILED;
        answer->error = arena_copy(arena, item->error);
        answer->code = SLICE("refused");
    } else if (item != NULL && item->kind == ITEM_LINKED) {
        answer->status = WAIT_CANCELLED;
        answer->error = SLICE("the run that its idempotency key named was removed");
    } else if (made->status == BATCH_ABORTED) {
        answer->status = WAIT_FAILED;
        answer->error = arena_copy(arena, made->why);
    }
}

bool batch_read_decide(struct batch *batch, struct command *command)
{
    struct batch_read *read = &command->batch_read;
    struct run_batch *made;
    struct batch_item *item;
    struct run *run, *asks;
    size_t bytes = 0;
    bool loaded = run_fenced(batch, command, read->run_id, read->seq, 0, &asks);

    loaded &= rows_run_batch(&batch->rows, read->batch_id, &made);
    if (!loaded)
        return false;
    read->all = read->count = 0;
    if (asks == NULL)
        return true;
    if (made == NULL || made->environment != asks->environment)
        return err_set(&command->err, ERR_NOT_FOUND, "there is no such batch here") || true;
    read->all = made->expected > made->most ? made->expected : made->most;
    uint32_t end = read->from < read->all ? read->from : read->all;
    end = read->all - end > read->most ? end + read->most : read->all;
    for (uint32_t i = read->from; i < end; i++)
        loaded &= item_load(batch, made->first_id + i, &run, &item);
    if (!loaded)
        return false;
    read->answers = ARENA_ARRAY(command->arena, struct batch_answer, (size_t)read->most + 1);
    for (uint32_t i = read->from; i < end && bytes < OUTPUTS_BYTES_MAX; i++) {
        struct batch_answer *answer = &read->answers[read->count++];
        (void)item_load(batch, made->first_id + i, &run, &item); /* loaded */
        if (run != NULL && run->secrets != 0)
            run_met_secrets(asks);
        *answer = (struct batch_answer){ .status = WAIT_NONE };
        answer_fill(made, run, item, command->arena, answer);
        bytes += answer->output.size;
    }
    return true;
}
