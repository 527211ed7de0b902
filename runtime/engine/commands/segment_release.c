/* A segment that was not started, or whose nursery died: it costs nothing. */
#include "engine/endings/ending.h"

bool segment_release_decide(struct batch *batch, struct command *command)
{
    const struct segment_end *lost = &command->segment_end;
    struct run *run;

    if (!run_fenced(batch, command, lost->run_id, lost->seq, 0, &run))
        return false;
    if (run == NULL)
        return segment_free(batch, lost);
    if (run_is_leaving(run)) {
        run_notes_take(batch, run, lost->notes, lost->note_count);
        ending_go_on(batch, run);
        return true;
    }
    /* Back to its queue, at its old rank, as if it had not been started. */
    run_enqueue(batch, run, SLICE("its worker is gone; no attempt is lost"));
    return true;
}
