/* A segment has ended in a wait: it is checked, and begins. */
#include "engine/commands/segment_wait.h"

#include "engine/builds/builds.h"
#include "engine/endings/ending.h"
#include "engine/failure.h"
#include "engine/waits/cycle.h"
#include "engine/waits/save_points.h"

void segment_fail_plainly(struct batch *batch, struct run *run, struct slice name,
                          struct slice message)
{
    run_fail(batch, run,
             &(struct failure){ .outcome = OUTCOME_FAILED, .name = name, .message = message });
}

/* The row that a part, or one of the ids, needs. */
static bool thing_load(struct batch *batch, bool is_token, int64_t id)
{
    struct waitpoint *token;
    struct run_batch *made;
    struct run *run;

    if (!is_token)
        return rows_run(&batch->rows, id, 0, &run);
    return rows_waitpoint(&batch->rows, id, &token) &&
           (token == NULL || token->kind != WAITPOINT_BATCH ||
            token->status == WAITPOINT_PENDING || rows_run_batch(&batch->rows, id, &made));
}

static bool wait_on_load(struct batch *batch, struct run *run)
{
    const struct wait *wait = run_wait(batch, run);
    bool loaded = mail_ready(batch, run);

    for (uint32_t i = 0; wait != NULL && wait->group != NULL && i < wait->count; i++)
        loaded &= thing_load(batch, wait_is_token(wait, i), wait->ids[i]);
    if (wait != NULL && wait->group != NULL)
        loaded &= wait_cycle_load_again(batch, run, wait);
    return loaded;
}

bool segment_wait_want(struct batch *batch, const struct frame_end *end)
{
    bool loaded = true;

    for (uint32_t i = 0; end->wait_kind != WAIT_FOR_TIME && i < end->id_count; i++)
        loaded &= thing_load(batch, end->wait_kind == WAIT_FOR_TOKEN, end->ids[i]);
    for (uint32_t i = 0; i < end->part_count; i++)
        if (end->parts[i].kind == PART_TOKEN || end->parts[i].kind == PART_RUN)
            loaded &= thing_load(batch, end->parts[i].kind == PART_TOKEN, end->parts[i].id);
    return loaded;
}

bool segment_wait_load(struct batch *batch, struct run *run, const struct frame_end *end)
{
    if (end->verdict == VERDICT_WAIT_ON)
        return wait_on_load(batch, run);
    if (end->verdict != VERDICT_WAIT)
        return true;
    bool loaded = segment_wait_want(batch, end);
    loaded &= wait_key_load(batch, run, end->key, end->key_global);
    loaded &= mail_ready(batch, run);
    return wait_cycle_load(batch, run, end) && loaded;
}

static bool refuse(struct batch *batch, struct run *run, const char *name, struct slice text)
{
    segment_fail_plainly(batch, run, slice_of(name), text);
    return false;
}

static bool things_exist(struct batch *batch, struct run *run, const struct wait *wait)
{
    for (uint32_t i = 0; i < wait->count; i++) {
        bool is_token = wait_is_token(wait, i);
        if (wait_pending(batch, run, is_token, wait->ids[i]) < 0)
            return refuse(
                batch, run, "wait_unknown",
                is_token
                    ? SLICE("the segment waits for a token that does not exist")
                    : SLICE("the segment waits for a run that does not exist, or for itself"));
    }
    return true;
}

static bool group_make(struct batch *batch, struct run *run, const struct frame_end *end,
                       struct wait *wait)
{
    struct wait_group *group = wait->group = ARENA_NEW(batch->arena, struct wait_group);
    uint32_t wrong;

    group->parts = ARENA_ARRAY(batch->arena, struct frame_part, (size_t)end->part_count + 1);
    group->count = end->part_count;
    group->manner = end->manner;
    group->then = end->then;
    group->begun_ms = batch->steady_ms;
    wait->needed = end->needed;
    for (uint32_t i = 0; i < end->part_count; i++) {
        struct frame_part *part = &group->parts[i];
        *part = end->parts[i];
        struct deadline due = batch_deadline(batch, part->due_ms, part->span_ms);
        part->due_ms = due.due_ms;
        part->is_span = due.is_span;
        part->span_ms = 0;
        if (part->kind == PART_MESSAGE)
            part->id = 0; /* mail_give */
    }
    if (wait_number(batch->arena, wait, &wrong))
        return true;
    struct slice name = wrong == 0 ? (struct slice){ 0 } : group->parts[wrong - 1].name;
    return refuse(batch, run, "wait_impossible",
                  arena_format(batch->arena,
                               "the %s%s%.*s%s needs %u of its parts, and has fewer",
                               wrong == 0 ? "wait" : "group", name.size > 0 ? " \"" : "",
                               SLICE_ARG(name), name.size > 0 ? "\"" : "",
                               wrong == 0 ? wait->needed : group->parts[wrong - 1].needed));
}

/* The wait in `end` as a row; false when the attempt failed over it instead. */
static bool wait_make(struct batch *batch, struct run *run, const struct frame_end *end,
                      struct wait *wait)
{
    *wait = (struct wait){ .kind = end->wait_kind };
    if (wait->kind == WAIT_FOR_GROUP) {
        if (!group_make(batch, run, end, wait))
            return false;
    } else if (wait->kind != WAIT_FOR_TIME) {
        wait->count = wait_distinct(batch->arena, end->ids, end->id_count, &wait->ids);
        wait->needed =
            end->needed == 0 || end->needed > wait->count ? wait->count : end->needed;
    }
    return things_exist(batch, run, wait);
}

static bool segment_is_listed(struct batch *batch, struct run *run, struct slice name)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);

    return task == NULL || !task->available || !slice_equal(task->build, run->build) ||
           catalog_has_segment(task, name);
}

static bool state_fits(struct batch *batch, struct run *run, const struct frame_end *end)
{
    int64_t limit = batch->catalog->limits.state_bytes;
    struct slice code, flaw = aborts_flaw(batch, run, end, &code);

    if (flaw.size > 0) {
        segment_fail_plainly(batch, run, code, flaw);
        return false;
    }
    return (int64_t)end->state.size <= limit ||
           refuse(batch, run, "state_too_large",
                  arena_format(batch->arena, "the state has %zu bytes, %lld are allowed",
                               end->state.size, (long long)limit));
}

/* The segments it names, and its size. */
static bool wait_fits(struct batch *batch, struct run *run, const struct frame_end *end)
{
    uint32_t most = batch->catalog->limits.waits;
    const struct slice names[] = { end->then, end->manner.otherwise, end->manner.remind };
    uint32_t count = end->id_count + end->part_count;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].size == 0 ? i == 0 : !segment_is_listed(batch, run, names[i]))
            return refuse(batch, run, "segment_not_listed",
                          arena_format(batch->arena,
                                       "segment \"%.*s\" is not in the task's list",
                                       SLICE_ARG(names[i])));
    if (!state_fits(batch, run, end))
        return false;
    return count <= most ||
           refuse(batch, run, "wait_too_large",
                  arena_format(batch->arena,
                               "the segment waits for %u things at once, %u are allowed", count,
                               most));
}

/* What the segment did is kept, whatever it waits for. */
static void segment_keep(struct batch *batch, struct run *run, const struct frame_end *end,
                         struct slice then)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);

    save_point_keep(batch, run, true);
    run->saved_ms = run->keeps > 0 ? batch->now_ms : 0;
    run->segment = arena_copy(batch->arena, then);
    run_set_part(run, PART_STATE, arena_copy(batch->arena, end->state));
    aborts_push(batch, run, end);
    run->once = (struct slice){ 0 };
    if (task != NULL && task->retry_from == RETRY_FROM_SEGMENT)
        run->tries = 0; /* a bad day is forgotten */
    run->entry++;
    run->id_block = 0;
}

static bool ends_some_day(struct batch *batch, struct run *run, const struct wait *wait)
{
    struct slice cycle = wait_cycle(batch, run, wait);

    return cycle.size == 0 || refuse(batch, run, "wait_cycle", cycle);
}

void segment_wait(struct batch *batch, struct run *run, const struct frame_end *end)
{
    struct deadline until = batch_deadline(batch, end->due_ms, end->span_ms);
    struct wait wait;

    if (run->ending != OUTCOME_NONE) {
        (void)refuse(batch, run, "cannot_wait",
                     SLICE("what undoes something, or a hook, cannot wait: it ends in "
                           "bide_done(), bide_retry() or bide_fail()"));
        return;
    }
    if (!wait_fits(batch, run, end) || !wait_make(batch, run, end, &wait))
        return;
    wait.due_ms = until.due_ms;
    if (!ends_some_day(batch, run, &wait))
        return;
    run->due_is_span = until.is_span;
    if (wait.group != NULL)
        wait.group->due_is_span = until.is_span;
    wait_key_take(batch, run, end, &wait);
    segment_keep(batch, run, end, end->then);
    mail_drop(batch, run, run_wait(batch, run));
    mail_give(batch, run, &wait);
    wait_begin(batch, run, &wait);
}

void segment_wait_on(struct batch *batch, struct run *run, const struct frame_end *end)
{
    struct wait *wait = run_wait(batch, run);

    if (wait == NULL || wait->group == NULL || !wait->group->is_reminder) {
        segment_fail_plainly(batch, run, SLICE("nothing_to_wait_on"),
                             SLICE("the segment was not entered for a reminder, so there is "
                                   "no wait to go on with"));
        return;
    }
    if (!state_fits(batch, run, end) || !ends_some_day(batch, run, wait))
        return;
    wait->group->is_reminder = false;
    segment_keep(batch, run, end, wait->group->then);
    mail_give(batch, run, wait);
    wait_begin(batch, run, wait);
}
