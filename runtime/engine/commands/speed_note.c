/* The segments of a task are short, or long: whether one may wait behind another. */
#include "engine/batch.h"

void speed_take(struct engine *engine, struct command *command)
{
    engine_short_set(engine, command->speed.task, command->speed.is_short);
    rings_open_environments(&engine->rings);
}
