/* Environments: pause and resume. */
#include "engine/batch.h"

/* Paused again, it keeps since when, and takes another reason. */
static void pause_set(struct batch *batch, struct environment *environment,
                      struct environment_pause *pause)
{
    bool is_told = pause->why.size > 0 && !pause->is_mild &&
                   !slice_equal(pause->why, environment->paused_why);

    pause->is_changed = !environment->paused || is_told;
    if (!pause->is_changed)
        return;
    environment->paused_by = arena_copy(batch->arena, pause->by);
    environment->paused_why = arena_copy(batch->arena, pause->why);
    if (!environment->paused)
        environment->paused_ms = batch->now_ms;
    environment->paused = true;
}

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
    if (pause->paused) {
        pause_set(batch, environment, pause);
    } else {
        pause->is_changed = environment->paused;
        batch->admission.is_resumed |= environment->paused;
        environment->paused = false;
        environment->paused_ms = 0;
        environment->paused_by = environment->paused_why = (struct slice){ 0 };
    }
    return true;
}
