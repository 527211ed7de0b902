/* Log lines and progress of a segment that runs. */
#include "engine/batch.h"

bool notes_decide(struct batch *batch, struct command *command)
{
    const struct notes *notes = &command->notes;
    struct run *run;

    if (!run_fenced(batch, command, notes->run_id, notes->seq, 0, &run))
        return false;
    if (run != NULL)
        run_notes_take(batch, run, notes->notes, notes->note_count);
    return true;
}
