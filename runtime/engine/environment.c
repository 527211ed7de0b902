/* Environments: pause and resume. */
#include "engine/batch.h"

/* Paused again, it keeps since when, and takes the new reason. */
bool environment_pause_decide(struct batch *batch, struct command *command)
{
    struct environment_pause *pause = &command->environment_pause;
    struct environment *environment;

    if (!rows_environment(&batch->rows, pause->environment, &environment))
        return false;
    if (environment == NULL) {
        err_set(&command->err, ERR_NOT_FOUND, "Environment not found");
        return true;
    }
    if (!pause->paused) {
        environment->paused_ms = 0;
        environment->paused_by = environment->paused_why = (struct slice){ 0 };
    } else {
        environment->paused_by = arena_copy(batch->arena, pause->by);
        environment->paused_why = arena_copy(batch->arena, pause->why);
        if (!environment->paused)
            environment->paused_ms = batch->now_ms;
    }
    batch->admission.is_resumed |= environment->paused && !pause->paused;
    environment->paused = pause->paused;
    pause->paused_ms = environment->paused_ms;
    return true;
}
