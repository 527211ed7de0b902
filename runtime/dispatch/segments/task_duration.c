#include "task_duration.h"

#include "dispatch/host.h"

/* Two thresholds, so that a task on the edge does not flap. */
enum { SHORT_US = 2000, LONG_US = 5000, SAMPLES = 8 };

void task_durations_init(struct task_durations *durations)
{
    *durations = (struct task_durations){ 0 };
    table_init(&durations->table, &durations->arena);
}

void task_durations_finish(struct task_durations *durations)
{
    arena_finish(&durations->arena);
    *durations = (struct task_durations){ 0 };
}

struct task_duration *task_duration_get(struct task_durations *durations, struct slice task,
                                        struct slice segment)
{
    uint64_t hash = table_hash(segment, table_hash(task, 0));
    struct task_duration *first = table_find(&durations->table, hash);

    for (struct task_duration *duration = first; duration != NULL; duration = duration->next)
        if (slice_equal(duration->task, task) && slice_equal(duration->segment, segment))
            return duration;
    struct task_duration *added = ARENA_NEW(&durations->arena, struct task_duration);
    added->task = arena_copy(&durations->arena, task);
    added->segment = arena_copy(&durations->arena, segment);
    added->next = first;
    table_set(&durations->table, hash, added);
    return added;
}

/* True when it became short or stopped being so. */
static bool task_duration_add(struct task_duration *duration, int64_t took_us)
{
    bool was_short = duration->is_short;

    if (duration->samples < SAMPLES)
        duration->samples++;
    duration->average_us += ((double)took_us - duration->average_us) / duration->samples;
    if (duration->samples == SAMPLES && duration->average_us < SHORT_US)
        duration->is_short = true;
    else if (duration->average_us > LONG_US)
        duration->is_short = false;
    return duration->is_short != was_short;
}

void task_duration_measure(struct dispatch *dispatch, struct task_duration *task,
                           struct task_duration *segment, int64_t took_us)
{
    (void)task_duration_add(segment, took_us); /* only slots look at it */
    if (!task_duration_add(task, took_us))
        return;
    struct outgoing *outgoing = outgoing_take(dispatch, COMMAND_SPEED);
    outgoing->command.speed.task = arena_copy(&outgoing->arena, task->task);
    outgoing->command.speed.is_short = task->is_short;
    outgoing_submit(outgoing);
}
