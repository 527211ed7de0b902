#include "task_duration.h"

#include "dispatch/host.h"

/* Two thresholds, so that a task on the edge does not flap. */
enum { SHORT_US = 2000, LONG_US = 5000, SAMPLES = 8 };

void speeds_init(struct speeds *speeds)
{
    *speeds = (struct speeds){ 0 };
    table_init(&speeds->table, &speeds->arena);
}

void speeds_finish(struct speeds *speeds)
{
    arena_finish(&speeds->arena);
    *speeds = (struct speeds){ 0 };
}

struct speed *speed_get(struct speeds *speeds, struct slice task, struct slice segment)
{
    uint64_t hash = table_hash(segment, table_hash(task, 0));
    struct speed *first = table_find(&speeds->table, hash);

    for (struct speed *speed = first; speed != NULL; speed = speed->next)
        if (slice_equal(speed->task, task) && slice_equal(speed->segment, segment))
            return speed;
    struct speed *added = ARENA_NEW(&speeds->arena, struct speed);
    added->task = arena_copy(&speeds->arena, task);
    added->segment = arena_copy(&speeds->arena, segment);
    added->next = first;
    table_set(&speeds->table, hash, added);
    return added;
}

/* True when it became short or stopped being so. */
static bool speed_add(struct speed *speed, int64_t took_us)
{
    bool was_short = speed->is_short;

    if (speed->samples < SAMPLES)
        speed->samples++;
    speed->average_us += ((double)took_us - speed->average_us) / speed->samples;
    if (speed->samples == SAMPLES && speed->average_us < SHORT_US)
        speed->is_short = true;
    else if (speed->average_us > LONG_US)
        speed->is_short = false;
    return speed->is_short != was_short;
}

void speed_measure(struct dispatch *dispatch, struct speed *task, struct speed *segment,
                   int64_t took_us)
{
    (void)speed_add(segment, took_us); /* only slots look at it */
    if (!speed_add(task, took_us))
        return;
    struct cell *cell = cell_take(dispatch, COMMAND_SPEED);
    cell->command.speed.task = arena_copy(&cell->arena, task->task);
    cell->command.speed.is_short = task->is_short;
    cell_submit(cell);
}
