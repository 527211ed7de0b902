/* The table of commands. */
#include "engine/commands/commands.h"

/* clang-format off */
const struct command_rule command_rules[COMMAND_KIND_COUNT] = {
    [COMMAND_TRIGGER] = { "trigger", "start a run, or find the one that its key names",
        trigger_decide, .prefetch = trigger_prefetch, .clear = trigger_clear },
    [COMMAND_CANCEL] = { "cancel", "end a run, and all below it",
        cancel_decide },
    [COMMAND_TOKEN_CREATE] = { "token create", "make a token, or find the one that its key names",
        token_create_decide, .prefetch = token_create_prefetch, .clear = token_create_clear },
    [COMMAND_TOKEN_COMPLETE] = { "token complete", "answer a token; the first answer stays",
        token_complete_decide, .prefetch = token_complete_prefetch, .clear = token_complete_clear },
    [COMMAND_TOKEN_TIMEOUT] = { "token timeout", "time a token out by hand",
        token_complete_decide, .prefetch = token_complete_prefetch, .clear = token_complete_clear },
    [COMMAND_QUEUE_PAUSE] = { "queue pause", "pause or resume a queue",
        queue_pause_decide },
    [COMMAND_ENVIRONMENT_PAUSE] = { "environment pause", "pause or resume an environment",
        environment_pause_decide },
    [COMMAND_SEGMENT_END] = { "segment end", "what a segment has decided",
        segment_end_decide, .prefetch = segment_end_prefetch },
    [COMMAND_ATTEMPT_LOST] = { "segment lost", "a crash, an exit, a limit of time: costs the attempt",
        segment_lost_decide, .prefetch = segment_end_prefetch },
    [COMMAND_RELEASE] = { "segment release", "not started, or its nursery died: costs nothing",
        segment_release_decide, .prefetch = segment_end_prefetch },
    [COMMAND_RUN_READ] = { "run read", "a segment asks for another run, or for a token",
        run_read_decide, .clear = run_read_clear },
    [COMMAND_ONCE] = { "once", "record what a segment does once",
        once_decide },
    [COMMAND_NOTES] = { "notes", "log lines and progress of a segment that runs",
        notes_decide },
    [COMMAND_RECOVER] = { "recover", "at start and stop: what was running goes back to its queue",
        recover_decide },
    [COMMAND_CATALOG] = { "catalog", "another catalog: what may run here",
        .take = catalog_take },
    [COMMAND_SPEED] = { "speed", "the segments of a task are short, or long",
        .take = speed_take },
};
/* clang-format on */
