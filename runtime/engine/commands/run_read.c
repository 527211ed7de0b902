/* A segment asks for another run, or for a token: how far it is, and with what it ended. */
#include "engine/batch.h"
#include "engine/contract.h"

/* The data of a token that did not fit the segment's frame, as if it were a run's output. */
static void token_read(struct batch *batch, struct command *command, const struct run *run,
                       const struct waitpoint *token)
{
    if (run == NULL || token == NULL || token->environment != run->environment)
        return;
    command->run_read.status = token_ended(batch, token);
    if (token->status != WAITPOINT_COMPLETED)
        return;
    command->run_read.run = ARENA_NEW(command->arena, struct run);
    *command->run_read.run =
        (struct run){ .id = token->id,
                      .environment = token->environment,
                      .status = RUN_DONE,
                      .outcome = OUTCOME_COMPLETED,
                      .row.parts = PART_OUTPUT,
                      .output = arena_copy(command->arena, token->result) };
}

bool run_read_decide(struct batch *batch, struct command *command)
{
    struct run_read *read = &command->run_read;
    struct run *run, *target;
    struct waitpoint *token = NULL;
    bool loaded = run_fenced(batch, command, read->run_id, read->seq, 0, &run);

    loaded &= rows_run(&batch->rows, read->target, PART_OUTPUT, &target);
    if (loaded && target == NULL)
        loaded = rows_waitpoint(&batch->rows, read->target, &token);
    if (!loaded)
        return false;
    read->run = NULL;
    read->status = WAIT_CANCELLED;
    token_read(batch, command, run, token);
    if (run == NULL || target == NULL || target->environment != run->environment)
        return true;
    if (target->secrets != 0)
        run_met_secrets(run);
    read->status = run_ended(target);
    /* The row dies with the batch; the reply is the command's. */
    read->run = ARENA_NEW(command->arena, struct run);
    *read->run = (struct run){ .id = target->id,
                               .environment = target->environment,
                               .status = target->status,
                               .outcome = target->outcome,
                               .row.parts = PART_OUTPUT,
                               .task = arena_copy(command->arena, target->task),
                               .error = arena_copy(command->arena, target->error),
                               .output = arena_copy(command->arena, target->output) };
    return true;
}

void run_read_clear(struct command *command)
{
    command->run_read.run = NULL;
}
