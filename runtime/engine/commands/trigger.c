/* Trigger: a run is made, or the one that an idempotency key stands for is found. */
#include "base/duration.h"
#include "engine/admission/new_run.h"
#include "engine/batches/run_batches.h"
#include "engine/builds/builds.h"
#include "engine/contract.h"
#include "engine/lane_key.h"
#include "engine/parent.h"
#include "engine/rerun.h"
#include "engine/timeline.h"
#include "engine/waits/go_on.h"

#define KEY_TTL_MS (INT64_C(30) * 86400 * 1000)

struct slice trigger_queue(struct batch *batch, const struct trigger *trigger,
                           const struct catalog_task *task)
{
    if (trigger->queue.size > 0)
        return trigger->queue;
    if (task != NULL && task->queue.size > 0)
        return task->queue;
    return arena_format(batch->arena, "task/%.*s", SLICE_ARG(trigger->task));
}

/* Its lane, once its payload is what it will be. */
static void keys_make(struct batch *batch, struct trigger *trigger,
                      const struct queue_rules *rules, struct slice payload)
{
    if (trigger->is_keyed)
        return;
    payload = collect_first(batch, trigger, payload);
    struct lane_key made = { .key = trigger->concurrency_key };
    if (rules->fair.is_said)
        made = lane_key_of(batch, &rules->fair, trigger->concurrency_key, payload);
    trigger->lane_key = made.key;
    trigger->tenant = made.tenant;
    trigger->flaw = made.flaw;
    trigger->is_keyed = true;
}

static bool lane_load(struct batch *batch, const struct trigger *trigger,
                      struct trigger_rows *found)
{
    bool loaded = collect_load(batch, trigger, found->queue_name, &found->collected);

    return (trigger->lane_key.size == 0 || found->queue == NULL ||
            rows_lane_named(&batch->rows, found->queue->id, trigger->lane_key, &found->lane)) &&
           loaded;
}

/* Keys, and what they may stand for. */
static bool keys_load(struct batch *batch, const struct trigger *trigger,
                      struct trigger_rows *found)
{
    struct rows *rows = &batch->rows;
    bool is_call = trigger->id != 0 && trigger->batch == 0, loaded = true;
    bool may_join = found->collected.rule.max != 0 || trigger->debounce.key.size > 0;

    if (trigger->key.size > 0) {
        key_hash(KEY_RUN, trigger->environment, trigger->task,
                 trigger->key_global ? 0 : trigger->parent_id, trigger->key, found->key_hash);
        loaded &= rows_key(rows, found->key_hash, &found->key);
    }
    if (trigger->request_key.size > 0) {
        key_hash(KEY_REQUEST, trigger->environment, trigger->task, 0, trigger->request_key,
                 found->request_hash);
        loaded &= rows_key(rows, found->request_hash, &found->request);
    }
    if (is_call && (may_join || trigger->is_rerun)) {
        key_hash(KEY_JOINED, trigger->environment, (struct slice){ 0 }, trigger->id,
                 (struct slice){ 0 }, found->joined_hash);
        loaded &= rows_key(rows, found->joined_hash, &found->joined);
    }
    if (key_is_live(batch, found->key) && key_is_shared(found->key))
        loaded &= rows_run(rows, found->key->target, 0, &found->keyed);
    return loaded;
}

static bool trigger_load(struct batch *batch, struct trigger *trigger,
                         struct trigger_rows *found)
{
    struct rows *rows = &batch->rows;
    const struct catalog_task *task = catalog_task(batch->catalog, trigger->task);

    *found = (struct trigger_rows){ .task = task,
                                    .queue_name = trigger_queue(batch, trigger, task) };
    found->rules = catalog_rules(batch->catalog, found->queue_name);
    found->collected.rule = collect_rule(task, found->rules, trigger);
    bool loaded =
        rows_queue_named(rows, trigger->environment, found->queue_name, &found->queue);
    loaded &= environment_now(batch, trigger->environment, &found->environment);
    if (!trigger->unchecked && batch->catalog != NULL)
        keys_make(batch, trigger, found->rules, trigger->payload);
    if (trigger->is_keyed)
        loaded &= lane_load(batch, trigger, found);
    if (trigger->parent_id != 0)
        loaded &= rows_run(rows, trigger->parent_id, 0, &found->parent);
    if (trigger->id != 0 && trigger->batch == 0) /* an item is new: batch_send.c has looked */
        loaded &=
            rows_run(rows, trigger->id, trigger->is_rerun ? PART_INPUT : 0, &found->again);
    loaded &= debounce_load(batch, trigger, &found->debounced);
    if (trigger->goes_on != NULL)
        loaded &= go_on_load(batch, trigger->goes_on);
    if (trigger->is_rerun)
        loaded &= rows_waitpoint(rows, trigger->id, &found->token);
    return keys_load(batch, trigger, found) && loaded;
}

bool trigger_wants(struct batch *batch, struct trigger *trigger)
{
    struct trigger_rows found;

    return trigger_load(batch, trigger, &found);
}

bool trigger_prefetch(struct batch *batch, const struct command *command)
{
    struct trigger trigger = command->trigger;

    return trigger_wants(batch, &trigger);
}

static bool again_fits(struct batch *batch, struct command *command,
                       const struct trigger_rows *found)
{
    const struct trigger *trigger = &command->trigger;
    struct made now = { .is_child = true,
                        .name = trigger->task,
                        .key = trigger->key_text.size > 0 ? trigger->key_text : trigger->key,
                        .concurrency_key = trigger->concurrency_key.size == 0 &&
                                                   found->again != NULL &&
                                                   found->again->tenant.size > 0
                                               ? found->again->concurrency_key
                                               : trigger->concurrency_key,
                        .tags = (trigger->inherits_tags || trigger->debounce.key.size > 0) &&
                                        found->again != NULL
                                    ? found->again->tags /* they may be others now */
                                    : trigger->tags,
                        .payload = trigger->payload };

    return rerun_fits(batch, command, found->parent, trigger->id, found->again, found->token,
                      &now);
}

/* What collects has many keys: they are not taken from it when it ends, but looked at. */
static bool key_is_spent(const struct trigger_rows *found)
{
    const struct run *run = found->keyed;

    return key_is_shared(found->key) &&
           (run == NULL || (run->status == RUN_DONE && !key_stays(run)));
}

/* The answer is a run that is there already: 0 when there is none. */
static int64_t run_found(struct batch *batch, struct command *command,
                         const struct trigger_rows *found)
{
    struct trigger *trigger = &command->trigger;

    if (key_is_live(batch, found->request)) {
        trigger->differs = key_differs(found->request, trigger_given(batch, trigger));
        return found->request->target;
    }
    if (found->again != NULL)
        return found->again->id; /* the segment is run again */
    if (key_is_live(batch, found->joined)) {
        if (key_differs(found->joined, trigger_given(batch, trigger)))
            err_set(
                &command->err, ERR_DIFFERS,
                "a call of this segment triggered %.*s with another payload when the segment "
                "ran before: what a segment calls must depend on nothing but its input, "
                "state and recorded results",
                SLICE_ARG(trigger->task));
        trigger->cached = true;
        return found->joined->target;
    }
    if (key_is_live(batch, found->key) && !key_is_spent(found)) {
        trigger->cached = true;
        trigger->differs = key_differs(found->key, trigger_given(batch, trigger));
        trigger->on_mismatch = found->rules->on_mismatch;
        return found->key->target;
    }
    return 0;
}

/* Whoever has paused its queue, or its environment, may want nothing new: then command->err
 * says so. False: more rows are needed. */
static bool pauses_ask(struct batch *batch, struct command *command,
                       const struct trigger_rows *found)
{
    struct environment *environment = NULL;
    struct slice what;

    if (found->environment->refuses &&
        !rows_environment(&batch->rows, command->trigger.environment, &environment))
        return false;
    if (environment != NULL) {
        what = arena_format(batch->arena, "environment %.*s", SLICE_ARG(environment->name));
        if (!pause_accepts(&environment->pause, what, batch->arena, &command->err))
            return true;
    }
    if (found->queue == NULL || !found->queue->refuses)
        return true;
    what = arena_format(batch->arena, "queue %.*s", SLICE_ARG(found->queue->name));
    (void)pause_accepts(&found->queue->pause, what, batch->arena, &command->err);
    return true;
}

/* Who triggers from a segment must still be in it, and as it was. False: more rows are needed;
 * else command->err says whether it is. */
static bool parent_ask(struct batch *batch, struct command *command,
                       const struct trigger_rows *found)
{
    if (command->trigger.parent_id == 0 || command->trigger.is_accepted ||
        !parent_check(batch, command, found->parent))
        return true;
    if (!parent_doom(batch, command, found->parent))
        return false;
    if (command->err.code == ERR_OK)
        (void)again_fits(batch, command, found); /* it tells */
    return true;
}

/* Is there room for a new run of the task, and may it be taken? A child is part of what was
 * accepted. */
static bool task_takes(struct batch *batch, struct command *command,
                       const struct catalog_task *task)
{
    const struct trigger *trigger = &command->trigger;
    bool is_childs = trigger->parent_id != 0 && !trigger->is_outside;

    if (!is_childs && !batch_has_room(batch, command))
        return false;
    if (task == NULL && is_childs) {
        struct slice unknown = catalog_unknown(batch->catalog, batch->arena, trigger->task);
        return err_set(&command->err, ERR_NOT_FOUND, "%.*s", SLICE_ARG(unknown));
    }
    if (trigger->version.size > 0 &&
        catalog_task_version(batch->catalog, trigger->task, trigger->version) == NULL)
        return err_set(&command->err, ERR_RULE,
                       "options.lockToVersion: no build of version \"%.*s\" has task %.*s; "
                       "`bide plugins list` shows which are kept",
                       SLICE_ARG(trigger->version), SLICE_ARG(trigger->task));
    return task == NULL || !task->is_refusing ||
           err_set(&command->err, ERR_UNAVAILABLE, "task %.*s is not available: %.*s",
                   SLICE_ARG(trigger->task), SLICE_ARG(task->reason));
}

/* Does its queue take it? *met: the run that goes for it. False: more rows are needed; else
 * command->err or trigger->run_id are set when no run is to be made. */
static bool queue_takes(struct batch *batch, struct command *command,
                        const struct trigger_rows *found, struct run **met)
{
    struct trigger *trigger = &command->trigger;
    bool drops = found->rules->on_full == FULL_DROP_OLDEST, has_room;
    uint32_t ahead = 0;

    if (!conflict_find(batch, found->rules, found->lane, found->parent, met))
        return false;
    if (*met != NULL && found->rules->on_conflict == CONFLICT_SKIP && !trigger->only_asks) {
        trigger->run_id = (*met)->id;
        trigger->cached = trigger->skipped = true;
        return true;
    }
    if (trigger->only_asks && found->rules->max_queued != 0 && !drops &&
        !items_ahead(batch, trigger->batch, found->queue_name, &ahead))
        return false;
    /* Who must go for it goes when it is made. */
    if (!(drops ? trigger->only_asks : trigger->is_accepted) &&
        !crowd_admit(batch, command, found->queue, found->rules, *met, ahead))
        return false;
    if (trigger->is_accepted)
        command->err = (struct err){ 0 };
    if (command->err.code != ERR_OK || trigger->is_accepted ||
        (found->queue != NULL && !found->queue->removed))
        return true;
    if (!queue_room(batch, trigger->environment, &has_room))
        return false;
    if (!has_room)
        err_set(&command->err, ERR_LIMIT,
                "the environment has %u queues already, each with runs that are not done, "
                "paused, or named by a file or a plugin; no more may be made",
                batch->catalog->limits.queues);
    return true;
}

/* A segment that runs again finds by its call what that was made one with. */
static void joined_write(struct batch *batch, const struct trigger *trigger,
                         const struct trigger_rows *found)
{
    if (trigger->id != 0 && trigger->batch == 0 && trigger->run_id != trigger->id)
        key_give(key_make(batch, found->joined_hash, trigger->run_id, KEY_TTL_MS),
                 trigger_given(batch, trigger));
}

static void keys_write(struct batch *batch, const struct trigger *trigger,
                       const struct trigger_rows *found)
{
    int64_t ttl_ms = trigger->key_ttl_ms != 0 ? trigger->key_ttl_ms : KEY_TTL_MS;

    if (trigger->key.size > 0) {
        struct key *key = key_make(batch, found->key_hash, trigger->run_id, ttl_ms);
        key_give(key, trigger_given(batch, trigger));
        if (found->collected.rule.max != 0)
            key_share(key);
    }
    if (trigger->request_key.size > 0)
        key_give(key_make(batch, found->request_hash, trigger->run_id, REQUEST_TTL_MS),
                 trigger_given(batch, trigger));
    joined_write(batch, trigger, found);
}

/* What is asked for must go together with what else becomes one run. */
static bool joins_check(struct command *command, const struct trigger_rows *found)
{
    const struct trigger *trigger = &command->trigger;

    if (trigger->batch != 0 && trigger->debounce.key.size > 0)
        return err_set(&command->err, ERR_RULE,
                       "options.debounce: an item of a batch is a run of its own");
    return found->collected.rule.max == 0 || collect_admits(command, found->queue_name);
}

bool trigger_decide(struct batch *batch, struct command *command)
{
    struct trigger *trigger = &command->trigger;
    struct trigger_rows found;
    struct queue *queue;
    struct run *met;

    if (!trigger_load(batch, trigger, &found))
        return false;
    if (batch->catalog == NULL) {
        err_set(&command->err, ERR_STOPPING, "the server is still starting");
        return true;
    }
    if (!parent_ask(batch, command, &found))
        return false;
    if (command->err.code != ERR_OK || !joins_check(command, &found))
        return true;
    trigger->run_id = run_found(batch, command, &found);
    if (trigger->run_id != 0)
        return true;
    if (!trigger->is_accepted && !pauses_ask(batch, command, &found))
        return false;
    if (command->err.code != ERR_OK ||
        (!trigger->is_accepted && !task_takes(batch, command, found.task)))
        return true;
    struct slice payload = trigger->payload; /* that stays as it came: it may come again */
    if (trigger->unchecked &&
        !payload_admit(batch, command, found.task, "the payload", &payload))
        return true;
    if (found.debounced.run != NULL) {
        debounce_join(batch, command, &found.debounced, found.task, payload);
        if (command->err.code == ERR_OK)
            joined_write(batch, trigger, &found);
        return true;
    }
    keys_make(batch, trigger, found.rules, payload);
    if (!lane_load(batch, trigger, &found))
        return false;
    if (!trigger->only_asks && collect_join(batch, command, found.collected.run, payload)) {
        keys_write(batch, trigger, &found);
        return true;
    }
    if (!costs_take(batch, command, found.rules, found.queue,
                    collect_first(batch, trigger, payload), &found.costs))
        return true;
    if (!queue_takes(batch, command, &found, &met))
        return false;
    if (command->err.code != ERR_OK || trigger->run_id != 0)
        return true;
    if (trigger->only_asks) {
        trigger->checked = payload;
        return true;
    }
    (void)queue_get(batch, trigger->environment, found.queue_name, &queue); /* loaded */
    if (met != NULL)
        conflict_cancel(batch, met);
    struct run *run = run_make(batch, trigger, payload, &found, queue);
    trigger->run_id = run->id;
    trigger->is_new = true;
    keys_write(batch, trigger, &found);
    debounce_begin(batch, trigger, &found.debounced, run);
    collect_begin(batch, &found.collected, run);
    if (run->status != RUN_DELAYED && batch_is_over(batch, run->due_ms, run->due_is_span))
        (void)run_due(batch, run->id); /* its ttl is over; all rows are there */
    return true;
}

void trigger_clear(struct command *command)
{
    command->trigger.run_id = 0;
    command->trigger.is_keyed = false;
    command->trigger.cached = command->trigger.differs = command->trigger.is_new = false;
    command->trigger.skipped = command->trigger.debounced = command->trigger.collected = false;
}
