/* Edits from outside: metadata, tags, another start of a run that is delayed; and a new run
 * that begins where another had saved. */
#include "engine/waits/save_points.h"
#include "world.h"

void edits_step(struct world *world)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);
    struct command *command = count == 0 ? NULL : world_command(world, COMMAND_RUN_EDIT);

    if (command == NULL)
        return;
    const struct run *run =
        store_memory_run(world->memory, (uint32_t)world_random(world, count));
    struct run_edit *edit = &command->run_edit;
    for (uint32_t i = 0; i < 20 && run->status != RUN_DELAYED && world_chance(world, 90); i++)
        run = store_memory_run(world->memory, (uint32_t)world_random(world, count));
    edit->id = run->id;
    edit->environment = world_chance(world, 90)
                            ? run->environment
                            : 1 + (uint32_t)world_random(world, ENVIRONMENTS);
    edit->moves = world_chance(world, 50);
    if (edit->moves && world_chance(world, 30))
        edit->due_ms = moment_any(world_random(world, 1 << 30), world->now_ms);
    else if (edit->moves)
        edit->delay_ms = (int64_t)world_random(world, 5000);
    if (edit->moves)
        return;
    edit->operations = ARENA_ARRAY(&world->arena, struct frame_meta, 2);
    edit->operations[edit->count++] =
        (struct frame_meta){ META_INCREMENT | (uint32_t)world_random(world, META_WHOSE_COUNT)
                                                  << META_WHOSE_AT,
                             SLICE("given"), SLICE("\x02") };
    if (world_chance(world, 30))
        edit->operations[edit->count++] =
            (struct frame_meta){ META_TAG, SLICE("edited"), { 0 } };
}

/* A save point of an ended run, for a run that begins there. */
void save_point_say(struct world *world, struct trigger *trigger)
{
    uint32_t count = store_memory_count(world->memory, ROW_RUN);
    uint32_t first = count == 0 ? 0 : (uint32_t)world_random(world, count);

    for (uint32_t i = 0; i < count; i++) { /* few have ended, and have one */
        const struct run *run = store_memory_run(world->memory, (first + i) % count);
        if (run->status != RUN_DONE ||
            (run->kept == 0 && (run->state.size == 0 || run->segment.size == 0)))
            continue;
        trigger->environment = run->environment;
        trigger->replayed = run->id;
        trigger->task = arena_copy(&world->arena, run->task);
        run = (struct run *)row_copy(ROW_RUN, &world->arena, &run->row,
                                     PART_STATE | PART_MAIL | PART_STATES);
        struct save_points points = save_points_read(&world->arena, run);
        if (points.count == 0)
            continue;
        trigger->goes_on = save_point_run(
            &world->arena, run,
            &points
                 .items[run->kept > 0 ? world_random(world, points.count) : points.count - 1]);
        return;
    }
}
