#include "engine/admission/new_run.h"

#include "base/duration.h"
#include "engine/admission/total.h"
#include "engine/batch.h"
#include "engine/builds/builds.h"
#include "engine/contract.h"
#include "engine/edits.h"
#include "engine/parent.h"
#include "engine/waits/go_on.h"
#include "engine/waits/save_points.h"

/* When it is ready, less its head start. By the steady clock, so that a run that was queued
 * before the wall clock was set back stands before those that come after. */
static int64_t rank_of(const struct batch *batch, const struct deadline *start, bool delayed,
                       int64_t priority_ms)
{
    int64_t ready_ms = !delayed ? batch->steady_ms
                       : start->is_span
                           ? start->due_ms
                           : time_after(start->due_ms, batch->steady_ms - batch->now_ms);
    int64_t rank_ms;

    if (__builtin_sub_overflow(ready_ms, priority_ms, &rank_ms))
        return priority_ms > 0 ? INT64_MIN : INT64_MAX;
    return rank_ms;
}

/* Its queue's own, or that of its key; one that was about to go stays. `last`: the run that is
 * made in it, where that is to be known. */
static int64_t lane_get(struct batch *batch, const struct trigger *trigger,
                        const struct queue *queue, int64_t last)
{
    struct slice key = trigger->lane_key;
    struct lane *lane;

    if (key.size == 0)
        return queue->id;
    (void)rows_lane_named(&batch->rows, queue->id, key, &lane); /* loaded, or made before */
    if (lane == NULL) {
        int64_t id = id_next(batch->engine->ids, batch->now_ms);
        lane = rows_new_lane(&batch->rows, id, queue->id, key);
        lane->environment = queue->environment;
        lane->created_ms = batch->now_ms;
    }
    lane->row.is_deleted = false;
    if (last != 0)
        lane->last = last;
    return lane->id;
}

int64_t trigger_given(const struct batch *batch, const struct trigger *trigger)
{
    return trigger->given != 0 ? trigger->given : payload_hash(batch->arena, trigger->payload);
}

struct run *run_make(struct batch *batch, const struct trigger *trigger, struct slice payload,
                     const struct trigger_rows *found, struct queue *queue)
{
    int64_t id = trigger->id != 0 ? trigger->id : id_next(batch->engine->ids, batch->now_ms);
    bool collects = found->collected.rule.max != 0;
    if (collects) /* it is no child and no item: whoever adds to it has as much of it */
        id = id_next(batch->engine->ids, batch->now_ms);
    struct run *run = rows_new_run(&batch->rows, id);
    struct arena *arena = batch->arena;
    struct deadline start = batch_deadline(
        batch, trigger->due_ms,
        found->collected.rule.max > 1 ? found->collected.rule.for_ms : trigger->delay_ms);
    bool delayed = start.due_ms != 0 && !batch_is_over(batch, start.due_ms, start.is_span);

    run->environment = trigger->environment;
    run->task = arena_copy(arena, trigger->task);
    run->queue = queue->id;
    run->lane =
        lane_get(batch, trigger, queue, found->rules->on_conflict == CONFLICT_QUEUE ? 0 : id);
    run->concurrency_key = arena_copy(arena, trigger->lane_key);
    run->tenant = arena_copy(arena, trigger->tenant);
    run->created_ms = run->updated_ms = batch->now_ms;
    struct slice note = defaults_take(batch, trigger, collect_first(batch, trigger, payload),
                                      found->rules, run);
    run->rank_ms = rank_of(batch, &start, delayed, run->priority_ms);
    run->limit_ms = trigger->limit_ms;
    run->cpu_ms = trigger->cpu_ms;
    total_begin(batch, trigger, found->rules, found->task, run);
    run->max_attempts = trigger->max_attempts;
    run->max_attempts_total = trigger->max_attempts_total;
    run->choices = found->costs;
    run->is_test = trigger->is_test;
    run->tags = trigger->inherits_tags && found->parent != NULL
                    ? tags_joined(batch, trigger->tags, found->parent->tags)
                    : arena_copy(arena, trigger->tags);
    run->metadata = arena_copy(arena, trigger->metadata);
    run->root_id = id;
    if (found->parent != NULL && !collects) {
        run->parent_id = found->parent->id;
        run->root_id = found->parent->root_id;
        run->depth = found->parent->depth + 1;
        rows_new_child(&batch->rows, run);
        child_choose(batch, trigger, found->queue_name, found->parent, run);
    }
    run->bulk = trigger->bulk;
    run->replayed = trigger->replayed;
    run->batch = collects ? 0 : trigger->batch;
    if (run->batch != 0 || run->parent_id != 0)
        run->given = trigger_given(batch, trigger);
    if (trigger->key.size > 0 || collects)
        run->choices |= trigger->reuse != 0 ? trigger->reuse : found->rules->reuse;
    if (trigger->key.size > 0 && !collects) { /* else there may be one of each trigger */
        run->key = arena_copy(arena, (struct slice){ (const char *)found->key_hash, 16 });
        run->key_text =
            arena_copy(arena, trigger->key_text.size > 0 ? trigger->key_text : trigger->key);
    }
    run_set_part(run, PART_INPUT, arena_copy(arena, payload));
    run->collected = trigger->items;
    build_lock(batch, trigger, found->parent, run);
    contract_begin(found->task, run);
    run->hooks = found->task != NULL ? found->task->hooks : 0;
    save_points_learn(run, found->task);
    if (trigger->goes_on != NULL)
        go_on_take(batch, run, trigger->goes_on);
    run->status = delayed ? RUN_DELAYED : RUN_QUEUED; /* for the notes; it moves there below */
    if (trigger->note.size > 0)
        run_note(batch, run, trigger->note);
    if (trigger->flaw.size > 0)
        run_note(batch, run, trigger->flaw);
    if (delayed) {
        run->due_ms = start.due_ms;
        run->due_is_span = start.is_span;
        (void)run_move(batch, run, RUN_DELAYED,
                       (struct slice){ 0 }); /* a first status is legal */
    } else {
        run_ttl_begin(batch, run);
        run_enqueue(batch, run, (struct slice){ 0 });
    }
    if (note.size > 0)
        run_note(batch, run, note);
    return run;
}
