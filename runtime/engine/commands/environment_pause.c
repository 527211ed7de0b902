/* Environments: pause and resume. */
#include "engine/batch.h"

bool environment_pause_decide(struct batch *batch, struct command *command)
{
    struct pause_order *order = &command->environment_pause;
    struct environment *environment;

    if (!rows_environment(&batch->rows, order->environment, &environment))
        return false;
    if (environment == NULL) {
        err_set(&command->err, ERR_NOT_FOUND, "Environment not found");
        return true;
    }
    struct ramp ramp = environment_ramp(batch);
    order->is_changed = pause_take(batch, &environment->pause, order, batch->steady_ms, &ramp);
    batch->admission.is_resumed |= order->is_changed && !environment->paused;
    return true;
}

bool environment_due(struct batch *batch, int64_t number)
{
    struct environment *environment;

    if (!rows_environment(&batch->rows, (uint32_t)number, &environment))
        return false;
    if (environment == NULL ||
        !batch_is_over(batch, environment->due_ms, environment->due_is_span)) {
        batch->is_due_wrong |= !batch_was_due(batch, ROW_ENVIRONMENT,
                                              environment == NULL ? NULL : &environment->row);
        return true;
    }
    if (environment->paused)
        resumed_add(batch, "environment", environment->name, 0);
    struct ramp ramp = environment_ramp(batch);
    pause_due(batch, &environment->pause, batch->steady_ms, &ramp);
    batch->admission.is_resumed = true;
    return true;
}
