/*
 * Collecting.
 *
 *   the first trigger of a task and lane ──▶ a run that is DELAYED, with a list of one
 *   another, while it is ────────────────▶ the same run: its payload is added to the list
 *   the list is full, in items or bytes ──▶ it starts now
 *   another, once it is not DELAYED ──────▶ a run
 *
 * How many it takes and until when is in the run's row, so that another file does not change
 * it. It belongs to nobody: it is no child of who triggers it and no item of a batch, or else
 * who gives it up would take along what others have given.
 */
#include "engine/admission/collect.h"

#include "codec/pack.h"
#include "engine/batch.h"

enum { LIST_HEAD = 5, NIL = 0xc0, LIST_32 = 0xdd, ROOM_LEAST = 256 };

static bool is_merged(const struct trigger *trigger)
{
    return trigger->due_ms == 0 && trigger->delay_ms <= 0 && trigger->debounce.key.size == 0 &&
           !trigger->is_outside;
}

struct queue_collect collect_rule(const struct catalog_task *task,
                                  const struct queue_rules *rules,
                                  const struct trigger *trigger)
{
    /* A list that is there is taken as it is, and what was accepted is never refused. */
    if (trigger->items > 0 || trigger->goes_on != NULL ||
        (trigger->is_accepted && (trigger->batch == 0 || !is_merged(trigger))))
        return (struct queue_collect){ 0 };
    return task != NULL && task->collect.max != 0 ? task->collect : rules->collect;
}

bool collect_admits(struct command *command, struct slice queue)
{
    const struct trigger *trigger = &command->trigger;
    const char *what = trigger->debounce.key.size > 0 ? "options.debounce"
                       : trigger->is_outside          ? "options.parentRunId"
                                                      : "options.delay";

    return is_merged(trigger) ||
           err_set(
               &command->err, ERR_RULE,
               "%s: triggers of %.*s in queue %.*s are collected into one run, which is "
               "nobody's alone and starts when its list is full, or its time is over; leave "
               "it out",
               what, SLICE_ARG(trigger->task), SLICE_ARG(queue));
}

struct slice collect_first(struct batch *batch, const struct trigger *trigger,
                           struct slice payload)
{
    struct value list;

    if (trigger->items == 0 || !pack_read(batch->arena, payload, &list, NULL) ||
        list.kind != VALUE_LIST || list.count == 0 || list.items[0].kind == VALUE_NULL)
        return trigger->items == 0 ? payload : (struct slice){ 0 };
    return pack_value(batch->arena, &list.items[0]);
}

bool collect_load(struct batch *batch, const struct trigger *trigger, struct slice queue,
                  struct collected *collected)
{
    struct key *key;
    struct run *run;

    collected->run = NULL;
    if (collected->rule.max == 0)
        return true;
    struct slice of = arena_format(batch->arena, "%zu %.*s%.*s", queue.size, SLICE_ARG(queue),
                                   SLICE_ARG(trigger->lane_key));
    key_hash(KEY_COLLECT, trigger->environment, trigger->task, 0, of, collected->hash);
    if (!rows_key(&batch->rows, collected->hash, &key))
        return false;
    if (!key_is_live(batch, key))
        return true;
    if (!rows_run(&batch->rows, key->target, PART_INPUT, &run))
        return false;
    if (run == NULL || !run_collects(run) || run->bounce_ms <= batch->steady_ms ||
        batch_is_over(batch, run->due_ms, run->due_is_span))
        return true;
    collected->run = run;
    bool ready = run_finish_ready(batch, run); /* it may have to start */
    return run_ttl_ready(batch, run) && ready;
}

/* Who was given another start by hand keeps it. */
static void start_now(struct batch *batch, struct run *run)
{
    if (!run->due_is_span || run->due_ms != run->bounce_ms)
        return;
    run->rank_ms += batch->steady_ms - run->due_ms;
    run->due_ms = batch->steady_ms;
    (void)run_due(batch, run->id); /* all rows are there */
}

static void count_write(char *list, uint32_t count)
{
    list[0] = (char)LIST_32; /* always: so that the head never grows */
    for (int i = 1; i < LIST_HEAD; i++)
        list[i] = (char)(count >> (8 * (LIST_HEAD - 1 - i)));
}

/* At the end of the list; in a batch of many it is not copied for each. */
static void add(struct batch *batch, struct run *run, struct slice payload)
{
    struct slice nil = { (const char[]){ (char)NIL }, 1 };
    struct slice item = payload.size > 0 ? payload : nil;
    size_t size = run->collected == 0 ? LIST_HEAD : run->input.size;
    char *list = (char *)(uintptr_t)run->input.data; /* its own, while it has room */

    if ((run->row.dirty_parts & PART_INPUT) == 0 || run->collected == 0)
        run->input_room = 0; /* of another batch */
    if (size + item.size > run->input_room) {
        run->input_room = (size + item.size) * 2 + ROOM_LEAST;
        list = arena_alloc(batch->arena, run->input_room);
        if (run->collected > 0)
            memcpy(list, run->input.data, run->input.size);
    }
    memcpy(list + size, item.data, item.size);
    count_write(list, ++run->collected);
    run_set_part(run, PART_INPUT, (struct slice){ list, size + item.size });
}

bool collect_join(struct batch *batch, struct command *command, struct run *run,
                  struct slice payload)
{
    struct trigger *trigger = &command->trigger;

    if (run == NULL)
        return false;
    if ((int64_t)(run->input.size + payload.size) >= batch->catalog->limits.payload_bytes) {
        start_now(batch, run);
        return false;
    }
    add(batch, run, payload);
    run->updated_ms = batch->now_ms;
    trigger->run_id = run->id;
    trigger->cached = trigger->collected = true;
    if (run->collected == run->collect_most)
        start_now(batch, run);
    return true;
}

void collect_begin(struct batch *batch, const struct collected *collected, struct run *run)
{
    if (collected->rule.max == 0)
        return;
    run->collect_most = collected->rule.max;
    add(batch, run, run->input);
    if (collected->rule.max == 1)
        return;
    run->bounce_ms = run->due_ms;
    (void)key_make(batch, collected->hash, run->id, collected->rule.for_ms);
}
