/*
 * Debouncing.
 *
 *   the first trigger of a key ──▶ a run that is DELAYED, and its bound
 *   another, while it is ─────────▶ the same run starts later, at the bound at last
 *   another, once it is not ──────▶ a run
 *
 * The bound is in the run's row, so that no later trigger moves it. Queue, lane and total time
 * are those of the first trigger, whatever the last one says.
 */
#include "engine/admission/debounce.h"

#include "base/duration.h"
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/contract.h"
#include "engine/edits.h"

enum { KEY_MOST = 512, BOUND_USUAL = 10, LEAST_MS = 1000 };

bool debounce_check(struct debounce *debounce, struct err *err)
{
    if (debounce->key.size == 0 || debounce->key.size > KEY_MOST)
        return err_set(err, ERR_BAD_REQUEST, "debounce.key must have 1 to %d bytes", KEY_MOST);
    if (debounce->mode > DEBOUNCE_MERGE)
        return err_set(err, ERR_BAD_REQUEST,
                       "debounce.mode must be \"leading\", \"trailing\" or \"merge\"");
    if (debounce->delay_ms < LEAST_MS)
        return err_set(err, ERR_BAD_REQUEST,
                       "debounce.delay must be a duration of 1s or more, like \"30s\"");
    if (debounce->most_ms == 0 &&
        __builtin_mul_overflow(debounce->delay_ms, BOUND_USUAL, &debounce->most_ms))
        debounce->most_ms = INT64_MAX;
    return debounce->most_ms > debounce->delay_ms ||
           err_set(err, ERR_RULE, "debounce.maxDelay must be longer than debounce.delay");
}

bool debounce_load(struct batch *batch, const struct trigger *trigger,
                   struct debounced *debounced)
{
    uint32_t parts = trigger->debounce.mode == DEBOUNCE_MERGE ? PART_INPUT : 0;
    struct run *run;

    *debounced = (struct debounced){ 0 };
    if (trigger->debounce.key.size == 0)
        return true;
    key_hash(KEY_DEBOUNCE, trigger->environment, trigger->task, 0, trigger->debounce.key,
             debounced->hash);
    if (!rows_key(&batch->rows, debounced->hash, &debounced->key))
        return false;
    if (!key_is_live(batch, debounced->key))
        return true;
    if (!rows_run(&batch->rows, debounced->key->target, parts, &run))
        return false;
    if (run != NULL && run_awaits_start(run) && run->bounce_ms != 0 &&
        !batch_is_over(batch, run->due_ms, run->due_is_span))
        debounced->run = run;
    return true;
}

/* Members of `packed` over those of `before`. False: one of them is no map. */
static bool maps_merge(struct batch *batch, struct slice before, struct slice packed,
                       struct slice *merged)
{
    struct value old = value_map(), more = value_map();

    if ((before.size > 0 && !pack_read(batch->arena, before, &old, NULL)) ||
        (packed.size > 0 && !pack_read(batch->arena, packed, &more, NULL)) ||
        old.kind != VALUE_MAP || more.kind != VALUE_MAP)
        return false;
    for (uint32_t i = 0; i < more.count; i++)
        (void)value_put_slice(batch->arena, &old, more.members[i].key, more.members[i].value);
    *merged = pack_value(batch->arena, &old);
    return true;
}

/* Never earlier, and never beyond the bound. Who was given another start by hand keeps it. */
static void push(struct batch *batch, const struct trigger *trigger, struct run *run)
{
    int64_t due_ms = time_after(batch->steady_ms, trigger->debounce.delay_ms);

    if (due_ms > run->bounce_ms)
        due_ms = run->bounce_ms;
    if (!run->due_is_span || due_ms <= run->due_ms)
        return;
    run->rank_ms += due_ms - run->due_ms;
    run->due_ms = due_ms;
    run->bounces++;
}

static void replace(struct batch *batch, const struct trigger *trigger, struct run *run,
                    struct slice payload)
{
    run_set_part(run, PART_INPUT, arena_copy(batch->arena, payload));
    run->metadata = arena_copy(batch->arena, trigger->metadata);
    run->tags = arena_copy(batch->arena, trigger->tags);
    run->max_attempts = trigger->max_attempts;
    run->limit_ms = trigger->limit_ms;
    run->cpu_ms = trigger->cpu_ms;
    run->max_attempts_total = trigger->max_attempts_total;
    run->is_test = trigger->is_test;
}

static bool merge(struct batch *batch, struct command *command, const struct catalog_task *task,
                  struct run *run, struct slice payload)
{
    const struct trigger *trigger = &command->trigger;
    struct slice input, metadata = run->metadata;

    if (!maps_merge(batch, run->input, payload, &input))
        return err_set(&command->err, ERR_BAD_INPUT,
                       "debounce.mode is \"merge\", and a payload is no object");
    /* Each fits by itself; do all of them together? */
    if (!payload_admit(batch, command, task, "the merged payload", &input))
        return false;
    if (trigger->metadata.size > 0 &&
        !maps_merge(batch, run->metadata, trigger->metadata, &metadata))
        metadata = arena_copy(batch->arena, trigger->metadata);
    run_set_part(run, PART_INPUT, input);
    run->metadata = metadata;
    run->tags = tags_joined(batch, run->tags, trigger->tags);
    return true;
}

void debounce_join(struct batch *batch, struct command *command,
                   const struct debounced *debounced, const struct catalog_task *task,
                   struct slice payload)
{
    struct trigger *trigger = &command->trigger;
    struct run *run = debounced->run;

    if (trigger->debounce.mode == DEBOUNCE_MERGE && !merge(batch, command, task, run, payload))
        return;
    if (trigger->debounce.mode == DEBOUNCE_TRAILING)
        replace(batch, trigger, run, payload);
    push(batch, trigger, run);
    run->updated_ms = batch->now_ms;
    trigger->run_id = run->id;
    trigger->cached = trigger->debounced = true;
}

void debounce_begin(struct batch *batch, const struct trigger *trigger,
                    const struct debounced *debounced, struct run *run)
{
    if (trigger->debounce.key.size == 0)
        return;
    run->bounce_ms = time_after(batch->steady_ms, trigger->debounce.most_ms);
    run->bounce_key = arena_copy(batch->arena, trigger->debounce.key);
    (void)key_make(batch, debounced->hash, run->id, trigger->debounce.most_ms);
}
