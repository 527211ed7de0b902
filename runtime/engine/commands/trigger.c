/* Trigger: a run is made, or the one that an idempotency key stands for is found. */
#include "base/duration.h"
#include "codec/pack.h"
#include "engine/admission/debounce.h"
#include "engine/batches/run_batches.h"
#include "engine/contract.h"
#include "engine/lane_key.h"
#include "engine/parent.h"
#include "engine/rerun.h"
#include "engine/timeline.h"

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

/* Everything that the decision looks at: what the catalog says, once, and rows. */
struct trigger_rows {
    const struct catalog_task *task; /* NULL: no plugin offers it */
    struct slice queue_name;
    const struct queue_rules *rules;
    struct queue *queue;
    const struct environment *environment;
    struct lane *lane;
    struct run *parent, *again; /* again: the run of that id, when a segment is run again */
    struct waitpoint *token;    /* likewise */
    struct key *key, *request;
    struct debounced debounced;
    uint8_t key_hash[16], request_hash[16];
    int64_t costs; /* as in run->choices */
};

/* Its lane, once its payload is what it will be. */
static void keys_make(struct batch *batch, struct trigger *trigger,
                      const struct queue_rules *rules, struct slice payload)
{
    if (trigger->is_keyed)
        return;
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
    return trigger->lane_key.size == 0 || found->queue == NULL ||
           rows_lane_named(&batch->rows, found->queue->id, trigger->lane_key, &found->lane);
}

static bool trigger_load(struct batch *batch, struct trigger *trigger,
                         struct trigger_rows *found)
{
    struct rows *rows = &batch->rows;
    const struct catalog_task *task = catalog_task(batch->catalog, trigger->task);

    *found = (struct trigger_rows){ .task = task,
                                    .queue_name = trigger_queue(batch, trigger, task) };
    found->rules = catalog_rules(batch->catalog, found->queue_name);
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
    if (trigger->is_rerun)
        loaded &= rows_waitpoint(rows, trigger->id, &found->token);
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
    return loaded;
}

/* *packed gains defaults. */
static bool payload_check(struct batch *batch, struct command *command,
                          const struct catalog_task *task, struct slice *packed)
{
    const struct trigger *trigger = &command->trigger;
    const struct schema *schema =
        task == NULL || task->schema == NULL ? NULL : schema_input(task->schema);
    struct value payload = { .kind = VALUE_NULL };
    struct problems *problems = ARENA_NEW(command->arena, struct problems);

    if ((int64_t)trigger->payload.size > batch->catalog->limits.payload_bytes)
        return err_set(&command->err, ERR_TOO_LARGE,
                       "the payload has %zu bytes, %lld are allowed", trigger->payload.size,
                       (long long)batch->catalog->limits.payload_bytes);
    if (trigger->payload.size > 0 &&
        !pack_read(batch->arena, trigger->payload, &payload, &command->err))
        return false;
    if (schema == NULL)
        return true;
    if (!payload_fits(schema, trigger->payload.size > 0, &payload, command->arena, problems)) {
        command->problems = problems;
        return err_set(&command->err, ERR_BAD_INPUT,
                       "the payload of %.*s does not match its schema",
                       SLICE_ARG(trigger->task));
    }
    *packed = pack_value(batch->arena, &payload);
    return true;
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

/* The hash of its payload as it came. */
static int64_t given_of(const struct batch *batch, const struct trigger *trigger)
{
    return trigger->given != 0 ? trigger->given : payload_hash(batch->arena, trigger->payload);
}

/* It begins where another one has ended. */
static void run_go_on(struct batch *batch, struct run *run, const struct run *from)
{
    run->segment = arena_copy(batch->arena, from->segment);
    run->wait = arena_copy(batch->arena, from->wait);
    run->once = arena_copy(batch->arena, from->once);
    run->entry = from->entry;
    run->mailed = from->mailed;
    run->secrets |= from->secrets;
    run_set_part(run, PART_STATE, arena_copy(batch->arena, from->state));
    if (from->mailed > 0)
        run_set_part(run, PART_MAIL, arena_copy(batch->arena, from->mail));
}

static struct run *run_make(struct batch *batch, const struct trigger *trigger,
                            struct slice payload, const struct trigger_rows *found,
                            struct queue *queue)
{
    int64_t id = trigger->id != 0 ? trigger->id : id_next(batch->engine->ids, batch->now_ms);
    struct run *run = rows_new_run(&batch->rows, id);
    struct arena *arena = batch->arena;
    struct deadline start = batch_deadline(batch, trigger->due_ms, trigger->delay_ms);
    bool delayed = start.due_ms != 0 && !batch_is_over(batch, start.due_ms, start.is_span);

    run->environment = trigger->environment;
    run->task = arena_copy(arena, trigger->task);
    run->queue = queue->id;
    run->lane =
        lane_get(batch, trigger, queue, found->rules->on_conflict == CONFLICT_QUEUE ? 0 : id);
    run->concurrency_key = arena_copy(arena, trigger->lane_key);
    run->tenant = arena_copy(arena, trigger->tenant);
    run->created_ms = run->updated_ms = batch->now_ms;
    struct slice note = defaults_take(batch, trigger, payload, found->rules, run);
    run->rank_ms = rank_of(batch, &start, delayed, run->priority_ms);
    run->limit_ms = trigger->limit_ms;
    run->max_attempts = trigger->max_attempts;
    run->choices = found->costs;
    run->is_test = trigger->is_test;
    run->tags = trigger->inherits_tags && found->parent != NULL
                    ? tags_joined(batch, trigger->tags, found->parent->tags)
                    : arena_copy(arena, trigger->tags);
    run->metadata = arena_copy(arena, trigger->metadata);
    run->root_id = id;
    if (found->parent != NULL) {
        run->parent_id = found->parent->id;
        run->root_id = found->parent->root_id;
        run->depth = found->parent->depth + 1;
        rows_new_child(&batch->rows, run);
        child_choose(batch, trigger, found->queue_name, found->parent, run);
    }
    run->bulk = trigger->bulk;
    run->replayed = trigger->replayed;
    run->batch = trigger->batch;
    if (run->batch != 0 || run->parent_id != 0)
        run->given = given_of(batch, trigger);
    if (trigger->key.size > 0) {
        run->choices |= trigger->reuse != 0 ? trigger->reuse : found->rules->reuse;
        run->key = arena_copy(arena, (struct slice){ (const char *)found->key_hash, 16 });
        run->key_text =
            arena_copy(arena, trigger->key_text.size > 0 ? trigger->key_text : trigger->key);
    }
    run_set_part(run, PART_INPUT, arena_copy(arena, payload));
    contract_begin(found->task, run);
    run->hooks = found->task != NULL ? found->task->hooks : 0;
    if (trigger->goes_on != NULL)
        run_go_on(batch, run, trigger->goes_on);
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
                        .tags = trigger->inherits_tags && found->again != NULL
                                    ? found->again->tags /* its parent's may be others now */
                                    : trigger->tags,
                        .payload = trigger->payload };

    return rerun_fits(batch, command, found->parent, trigger->id, found->again, found->token,
                      &now);
}

/* The answer is a run that is there already: 0 when there is none. */
static int64_t run_found(struct batch *batch, struct command *command,
                         const struct trigger_rows *found)
{
    struct trigger *trigger = &command->trigger;

    if (key_is_live(batch, found->request)) {
        trigger->differs = key_differs(found->request, given_of(batch, trigger));
        return found->request->target;
    }
    if (found->again != NULL)
        return found->again->id; /* the segment is run again */
    if (key_is_live(batch, found->key)) {
        trigger->cached = true;
        trigger->differs = key_differs(found->key, given_of(batch, trigger));
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

static void keys_write(struct batch *batch, const struct trigger *trigger,
                       const struct trigger_rows *found)
{
    int64_t ttl_ms = trigger->key_ttl_ms != 0 ? trigger->key_ttl_ms : KEY_TTL_MS;

    if (trigger->key.size > 0)
        key_give(key_make(batch, found->key_hash, trigger->run_id, ttl_ms),
                 given_of(batch, trigger));
    if (trigger->request_key.size > 0)
        key_give(key_make(batch, found->request_hash, trigger->run_id, REQUEST_TTL_MS),
                 given_of(batch, trigger));
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
    if (command->err.code != ERR_OK)
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
    if (trigger->unchecked && !payload_check(batch, command, found.task, &payload))
        return true;
    if (found.debounced.run != NULL) {
        debounce_join(batch, command, &found.debounced, found.task, payload);
        return true;
    }
    keys_make(batch, trigger, found.rules, payload);
    if (!costs_take(batch, command, found.rules, found.queue, payload, &found.costs))
        return true;
    if (!lane_load(batch, trigger, &found) || !queue_takes(batch, command, &found, &met))
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
    if (run->status != RUN_DELAYED && batch_is_over(batch, run->due_ms, run->due_is_span))
        (void)run_due(batch, run->id); /* its ttl is over; all rows are there */
    return true;
}

void trigger_clear(struct command *command)
{
    command->trigger.run_id = 0;
    command->trigger.is_keyed = false;
    command->trigger.cached = command->trigger.differs = command->trigger.is_new = false;
    command->trigger.skipped = command->trigger.debounced = false;
}
