/* Groups: what a wait for several things needs, told by a count of its own from the rows. */
#include "base/duration.h"
#include "model.h"
#include "waits.h"

static void flaw(const struct look *look, const struct run *run, const char *what)
{
    world_flaw(look->world, "run %lld (status %u, move %u): %s", (long long)run->id,
               run->status, run->seq, what);
}

static bool is_thing(const struct frame_part *part)
{
    return part->kind == PART_TOKEN || part->kind == PART_RUN;
}

typedef bool has_fn(const struct look *look, const struct frame_part *part, int64_t mailed);

static bool has_come(const struct look *look, const struct frame_part *part, int64_t mailed)
{
    (void)mailed;
    if (part->kind == PART_MESSAGE)
        return part->id != 0;
    return is_thing(part)
               ? wait_has_ended(look, part->kind == PART_TOKEN, part->id)
               : part->due_ms == 0 || look_is_over(look, part->due_ms, part->is_span);
}

/* When the batch began. */
static bool had_come(const struct look *look, const struct frame_part *part, int64_t mailed)
{
    if (part->kind == PART_MESSAGE)
        return part->id != 0 && part->id <= mailed;
    return is_thing(part) ? wait_had_ended(look, part->kind == PART_TOKEN, part->id)
                          : has_come(look, part, mailed) && look->batch->look_for_due;
}

/* How many of a group's own parts are over. */
static uint32_t over_in(const struct look *look, const struct wait_group *group, uint32_t of,
                        has_fn *has, int64_t mailed)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < group->count; i++) {
        const struct frame_part *part = &group->parts[i];
        if (part->of == of)
            count += part->kind == PART_GROUP
                         ? over_in(look, group, i + 1, has, mailed) >= part->needed
                         : has(look, part, mailed);
    }
    return count;
}

/* What has come stays so, also when the server starts anew with a clock that was set back. */
static bool may_have_come(const struct look *look, const struct frame_part *part,
                          int64_t mailed)
{
    return has_come(look, part, mailed) ||
           (part->kind == PART_TIME &&
            part->due_ms <=
                (part->is_span ? look->world->latest_steady_ms : look->world->latest_ms));
}

bool group_is_over(const struct look *look, const struct wait *wait, bool now, int64_t mailed)
{
    return over_in(look, wait->group, 0, now ? may_have_come : had_come, mailed) >=
           wait->needed;
}

/* ---- it begins --------------------------------------------------------------------------- */

/* `acted`: their times may have been moved by hand since. */
static bool same_parts(const struct look *look, const struct wait_group *group,
                       const struct frame_end *end, bool acted, const struct wait_first *first)
{
    bool same = group->count == end->part_count;

    for (uint32_t i = 0; same && i < group->count; i++) {
        const struct frame_part *kept = &group->parts[i], *said = &end->parts[i];
        bool is_span;
        int64_t due_ms = look_deadline(look, said->due_ms, said->span_ms, &is_span);
        if (is_span && due_ms != 0)
            due_ms = time_after(due_ms, first->begun_ms - look->steady_ms);
        same = kept->kind == said->kind && kept->of == said->of &&
               (kept->kind == PART_MESSAGE || kept->id == said->id) &&
               slice_equal(kept->word, said->word) &&
               (acted || first->is_unsure ||
                (kept->due_ms == due_ms && (due_ms == 0 || kept->is_span == is_span))) &&
               slice_equal(kept->name, said->name) &&
               (said->needed == 0 || said->needed == kept->needed);
    }
    return same;
}

/* It begins, or goes on after a reminder. */
static void sleep_look(const struct look *look, const struct shadow *shadow,
                       const struct run *run, const struct wait *wait)
{
    bool sleeps = shadow->path[0].status == RUN_WAITING;
    bool cancels = wait->group->manner.cancels;

    if (!sleeps && (cancels || !group_is_over(look, wait, true, 0)))
        flaw(look, run, "it goes on, and the group that it waits for is not over");
    if (sleeps && !cancels && group_is_over(look, wait, false, shadow->was->mailed))
        flaw(look, run, "it waits for a group that was over before");
}

void rule_group(const struct look *look, const struct shadow *shadow, const struct run *run,
                const struct frame_end *end, const struct wait_first *first)
{
    struct arena arena = { 0 };
    struct wait wait;

    if (run->status == RUN_DONE)
        return;
    if (!wait_read(&arena, run->wait, &wait) || wait.group == NULL ||
        !same_parts(look, wait.group, end, shadow->acts != 0, first) ||
        (!first->is_unsure && shadow->acts == 0 &&
         (wait.due_ms != first->due_ms || wait.group->begun_ms != first->begun_ms)))
        flaw(look, run, "it waits for another group than it was to");
    else if (first->is_skipped && shadow->path[0].status == RUN_WAITING &&
             !wait.group->manner.cancels)
        flaw(look, run, "it waits again for a group that was skipped");
    else if (!first->is_skipped && !first->is_unsure)
        sleep_look(look, shadow, run, &wait);
    arena_finish(&arena);
}

bool rule_group_on(const struct look *look, struct shadow *shadow, const struct run *run,
                   const struct frame_end *end)
{
    struct arena arena = { 0 };
    struct wait wait;
    bool is_reminder = wait_read(&arena, shadow->was->wait, &wait) && wait.group != NULL &&
                       wait.group->is_reminder;

    if (is_reminder) {
        struct wait now = wait;
        shadow->segment = model_keep(look, wait.group->then);
        shadow->state = model_keep(look, end->state);
        if (run->status != RUN_DONE && wait_read(&arena, run->wait, &now) && now.group != NULL)
            sleep_look(look, shadow, run, &now); /* with the messages that it has now */
    }
    arena_finish(&arena);
    return is_reminder;
}

/* ---- it ends ----------------------------------------------------------------------------- */

/* What was left of it is canceled before it goes on. */
static void lost_look(const struct look *look, const struct run *run, const struct wait *wait)
{
    for (uint32_t i = 0; i < wait->count; i++) {
        const struct run *child = wait_is_token(wait, i) ? NULL : run_now(look, wait->ids[i]);
        if (child != NULL && child->parent_id == run->id && !run_has_ended(child))
            flaw(look, run, "it goes on, and what it needs no more was not canceled");
    }
}

static struct slice segment_after(const struct wait *wait)
{
    const struct wait_group *group = wait->group;

    return group->is_reminder                                  ? group->manner.remind
           : wait->gave_up && group->manner.otherwise.size > 0 ? group->manner.otherwise
                                                               : group->then;
}

struct slice rule_group_segment(const struct look *look, const struct run *run,
                                struct slice then)
{
    struct arena arena = { 0 };
    struct wait wait;

    if (wait_read(&arena, run->wait, &wait) && wait.group != NULL)
        then = model_keep(look, segment_after(&wait));
    arena_finish(&arena);
    return then;
}

static bool reminder_is_due(const struct look *look, const struct wait_group *group)
{
    return group->reminded < group->manner.reminder_count &&
           look_is_over(look,
                        time_after(group->begun_ms, group->manner.reminders[group->reminded]),
                        true);
}

static void woken_look(const struct look *look, const struct shadow *shadow,
                       const struct run *run, const struct wait *before,
                       const struct wait *wait)
{
    if (run->status == RUN_WAITING && shadow->acts != 0)
        return; /* it was woken by its reminder, which has given way */
    /* An act by hand may change its times, and looks at it. */
    const struct wait *asked = shadow->acts != 0 ? wait : before;
    bool looks = look->batch->look_for_due || shadow->acts != 0;
    bool is_late = (looks && look_is_over(look, asked->due_ms, asked->group->due_is_span)) ||
                   rule_acted(shadow, COMMAND_WAIT_TIMEOUT);
    bool is_skipped = rule_acted(shadow, COMMAND_WAIT_SKIP) && !wait->gave_up;

    if (wait->group->is_reminder
            ? !looks || !reminder_is_due(look, before->group)
            : !(wait->gave_up ? is_late
                              : is_skipped || group_is_over(look, asked, true, 0) ||
                                    group_is_over(look, wait, true, 0)))
        flaw(look, run, "it goes on, and the group that it waits for is not over");
    if ((wait->group->is_reminder || wait->gave_up) &&
        group_is_over(look, before, false, INT64_MAX))
        flaw(look, run, "it is reminded, or gives up, and what it waits for was over");
    if (wait->group->is_reminder && wait->group->reminded <= before->group->reminded)
        flaw(look, run, "it is reminded, and does not count it");
}

void rule_group_waited(const struct look *look, struct shadow *shadow, const struct run *run,
                       const struct wait *before)
{
    struct arena arena = { 0 };
    struct wait wait;

    if (run->status == RUN_DONE || run->entry != shadow->was->entry)
        ; /* it has gone further */
    else if (!wait_read(&arena, run->wait, &wait) || wait.group == NULL)
        flaw(look, run, "the group that it waited for is forgotten");
    else {
        if (before->group->is_over)
            lost_look(look, run, before);
        else
            woken_look(look, shadow, run, before, &wait);
        shadow->segment = model_keep(look, segment_after(&wait));
    }
    arena_finish(&arena);
}

void rule_left(const struct look *look, struct shadow *shadow, const struct run *run)
{
    uint32_t from =
        shadow->moves < 2 ? shadow->was->status : shadow->path[shadow->moves - 2].status;
    struct arena arena = { 0 };
    struct wait wait;

    if (run->status != RUN_DONE || from != RUN_WAITING || run->keeps == 0)
        return;
    if (!wait_read(&arena, run->wait, &wait) ||
        (!wait.gave_up && (wait.group == NULL || !wait.group->manner.cancels)))
        flaw(look, run, "it has ended while it waited, and its save point has not given up");
    else if (wait.group != NULL)
        shadow->segment = model_keep(look, segment_after(&wait));
    if (!slice_equal(run->segment, shadow->segment))
        flaw(look, run, "it has ended while it waited, and its save point goes on elsewhere");
    arena_finish(&arena);
}

bool rule_group_loses(const struct look *look, int64_t run_id, int64_t id)
{
    struct arena arena = { 0 };
    const struct shadow *shadow = shadow_of(look, run_id);
    const struct run *was = shadow == NULL ? NULL : shadow->was;
    struct wait wait;

    bool loses = was != NULL && wait_read(&arena, was->wait, &wait) && wait.group != NULL &&
                 wait.group->manner.cancels && wait.group->is_over &&
                 wait_part_of(&arena, &wait, id, 0) != 0;
    arena_finish(&arena);
    return loses;
}

/* ---- what the next segment is told ------------------------------------------------------- */

static uint32_t told_in(const struct wait_group *group, const struct frame_segment *frame,
                        uint32_t of)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < group->count; i++)
        count += group->parts[i].of == of && frame->results[i].status != WAIT_NONE;
    return count;
}

void rule_group_told(const struct look *look, const struct run *run, const struct wait *wait,
                     const struct frame_segment *frame)
{
    const struct wait_group *group = wait->group;
    uint32_t extra = !group->is_reminder;

    if (frame->reminder != (group->is_reminder ? group->reminded : 0))
        flaw(look, run, "it is told wrongly of a reminder");
    if (frame->result_count != group->count + extra) {
        flaw(look, run, "it is told too much, or too little, of its group");
        return;
    }
    for (uint32_t i = 0; i < group->count; i++) {
        const struct frame_part *part = &group->parts[i];
        const struct frame_result *result = &frame->results[i];
        uint32_t status = result->status;
        if (!slice_equal(result->name, part->name))
            flaw(look, run, "a part of its group has another name");
        if (is_thing(part))
            wait_result_look(look, run, part->kind == PART_TOKEN, part->id, result);
        else if (part->kind == PART_MESSAGE)
            message_result_look(look, run, part, result);
        else if (status != (uint32_t)((part->kind == PART_GROUP
                                           ? told_in(group, frame, i + 1) >= part->needed
                                           : has_come(look, part, 0))
                                          ? WAIT_OK
                                          : WAIT_NONE))
            flaw(look, run, "it is told wrongly how far a part of its group is");
    }
    if (extra && frame->results[group->count].status !=
                     (uint32_t)(wait->gave_up ? WAIT_TIMEOUT : WAIT_OK))
        flaw(look, run, "it is told wrongly how its group has ended");
}

/* ---- between batches --------------------------------------------------------------------- */

/* What is left to come, of the wait at 0 and of each group by its part: as linked says, and
 * with none or all of its times. */
static uint32_t left_in(const struct wait_group *group, uint32_t of, uint32_t needed,
                        const bool *is_over)
{
    uint32_t over = 0;

    for (uint32_t i = 0; i < group->count; i++)
        if (group->parts[i].of == of)
            over += group->parts[i].kind == PART_GROUP
                        ? left_in(group, i + 1, group->parts[i].needed, is_over) == 0
                        : is_over[i];
    return over < needed ? needed - over : 0;
}

void check_group(struct world *world, const struct run *run, const struct wait *wait,
                 struct arena *arena)
{
    const struct wait_group *group = wait->group;
    bool *is_over = ARENA_ARRAY(arena, bool, (size_t)group->count + 1);
    bool has_time = wait->due_ms != 0 || group->reminded < group->manner.reminder_count;

    if (group->is_over) {
        if (run->due_ms == 0 || run->remaining != 0)
            world_flaw(world, "run %lld has a group that is over, and does not go on",
                       (long long)run->id);
        return;
    }
    for (uint32_t i = 0; i < group->count; i++) {
        is_over[i] =
            group->parts[i].kind == PART_MESSAGE
                ? group->parts[i].id != 0
                : is_thing(&group->parts[i]) &&
                      !store_memory_has_edge(world->memory, group->parts[i].id, run->id);
        has_time |=
            group->parts[i].kind == PART_TIME &&
            group->parts[i].due_ms >
                /* what has come stays so: may_have_come */ (
                    group->parts[i].is_span ? world->latest_steady_ms : world->latest_ms);
    }
    if (left_in(group, 0, wait->needed, is_over) == 0)
        world_flaw(world, "run %lld has a group that is over, and sleeps", (long long)run->id);
    if (has_time && run->due_ms == 0)
        world_flaw(world, "run %lld has a group with a time, and is never due",
                   (long long)run->id);
    if (run->remaining == 0)
        world_flaw(world, "run %lld has a group, and is not linked to it", (long long)run->id);
}
