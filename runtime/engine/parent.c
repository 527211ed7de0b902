#include "engine/parent.h"

#include "engine/builds/builds.h"

/* A client names a run as the parent: it must be one that may still have children. */
static bool parent_takes(struct command *command, const struct run *parent)
{
    if (parent == NULL || parent->environment != command->trigger.environment)
        return err_set(&command->err, ERR_RULE,
                       "options.parentRunId is no run of this environment");
    return !run_has_ended(parent) ||
           err_set(&command->err, ERR_RULE,
                   "options.parentRunId is a run that has ended, and has no more children");
}

bool parent_check(struct batch *batch, struct command *command, const struct run *parent)
{
    const struct trigger *trigger = &command->trigger;

    if (trigger->is_outside) {
        if (!parent_takes(command, parent))
            return false;
    } else if (parent == NULL || parent->status != RUN_RUNNING || run_is_leaving(parent) ||
               parent->seq != trigger->parent_seq) {
        return err_set(&command->err, ERR_RULE, "the run has moved on");
    }
    if (parent->depth + 1 > batch->catalog->limits.depth)
        return err_set(&command->err, ERR_LIMIT, "runs are nested %u deep, no more is allowed",
                       parent->depth);
    return true;
}

bool parent_doom(struct batch *batch, struct command *command, const struct run *parent)
{
    const struct run *below = parent;
    struct run *above = NULL;

    if (run_has_ended(parent))
        return true; /* to undo something it may need others */
    for (int64_t id = parent->parent_id; id != 0; below = above, id = above->parent_id) {
        if (!rows_run(&batch->rows, id, 0, &above))
            return false;
        if (above == NULL || run_has_ended(above))
            break; /* what is above one that has ended does not concern those below it */
    }
    if (above != NULL && run_has_ended(above) && run_ends_children(above) &&
        (below->choices & RUN_GOES_ON) == 0) {
        batch_ids_add(batch, &batch->canceled, parent->id);
        err_set(&command->err, ERR_RULE,
                command->trigger.is_outside
                    ? "options.parentRunId is a run that is being canceled"
                    : "the run has moved on");
    }
    return true;
}

void child_choose(struct batch *batch, const struct trigger *trigger, struct slice queue,
                  struct run *parent, struct run *child)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, parent);
    uint32_t rule = trigger->on_parent_end != CHILDREN_UNSAID ? trigger->on_parent_end
                    : task != NULL                            ? task->children
                                                              : CHILDREN_UNSAID;

    if (rule == CHILDREN_UNSAID)
        rule = catalog_rules(batch->catalog, queue)->on_parent_end;
    if (parent->ending != OUTCOME_NONE && !trigger->is_accepted)
        rule = CHILDREN_ABANDON; /* what undoes something is not to be canceled with it */
    if (rule == CHILDREN_ABANDON || rule == CHILDREN_WAIT)
        child->choices |= RUN_GOES_ON;
    if (rule != CHILDREN_WAIT)
        return;
    child->choices |= RUN_HOLDS;
    parent->choices |= RUN_IS_HELD;
}
