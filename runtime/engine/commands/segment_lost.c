/* An attempt is lost: a crash, an exit, a limit of time. */
#include "engine/batch.h"
#include "engine/failure.h"

bool segment_lost_decide(struct batch *batch, struct command *command)
{
    const struct segment_end *lost = &command->segment_end;
    struct run *run;

    if (!run_fenced(batch, command, lost->run_id, lost->seq, 0, &run))
        return false;
    if (run == NULL)
        return segment_free(batch, lost);
    if (!run_finish_ready(batch, run))
        return false;
    run->busy_us += lost->busy_us;
    run_notes_take(batch, run, lost->notes, lost->note_count);
    run_fail(batch, run,
             &(struct failure){
                 .outcome = lost->loss == LOSS_TIMED_OUT ? OUTCOME_TIMED_OUT : OUTCOME_CRASHED,
                 .retryable = true,
                 .class = lost->loss == LOSS_TIMED_OUT ? RETRY_TIMEOUT : RETRY_CRASH,
                 .name = arena_copy(batch->arena, lost->error_name),
                 .message = arena_copy(batch->arena, lost->error_text),
                 .stack = arena_copy(batch->arena, lost->stack) });
    return true;
}
