/* Triggers: which run they make, and which one their keys find. */
#include "base/duration.h"
#include "batches.h"
#include "codec/pack.h"
#include "engine/key.h"

#define KEY_DAYS_MS (INT64_C(30) * 86400 * 1000)

/* ---- keys -------------------------------------------------------------------------------- */

struct shadow_key *key_of(const struct look *look, uint32_t kind, uint32_t environment,
                          struct slice task, int64_t owner, struct slice text)
{
    struct model *model = look->model;
    int64_t parts[] = { kind, environment, owner };
    uint64_t hash = table_hash((struct slice){ (const char *)parts, sizeof parts },
                               table_hash(task, table_hash(text, 1)));

    for (uint32_t i = 0; i < model->key_count; i++)
        if (model->keys[i].hash == hash)
            return &model->keys[i];
    if (model->key_count == MODEL_KEYS)
        return NULL;
    model->keys[model->key_count] = (struct shadow_key){ .hash = hash, .kind = kind };
    return &model->keys[model->key_count++];
}

void key_set(const struct look *look, struct shadow_key *key, int64_t target, int64_t ttl_ms)
{
    if (key == NULL)
        return;
    key->target = target;
    key->expires_ms = ttl_ms == 0 ? 0 : time_after(look->steady_ms, ttl_ms);
    key->is_released = key->is_shared = false;
}

bool key_is_over(const struct look *look, const struct shadow_key *key)
{
    return key->target == 0 || key->is_released ||
           (key->expires_ms != 0 && key->expires_ms <= look->steady_ms);
}

/* What its trigger said, or its queue, or what is always so. */
static uint32_t reuse_expected(const struct look *look, const struct trigger *trigger,
                               const struct run *run)
{
    uint32_t reuse = trigger->reuse;

    return reuse != 0 ? reuse : world_rules(queue_name_now(look, run))->reuse;
}

static bool outcome_releases(const struct shadow_key *key, const struct run *run)
{
    bool is_kept[OUTCOME_COUNT] = { [OUTCOME_COMPLETED] = (key->reuse & REUSE_SUCCESS) != 0,
                                    [OUTCOME_CANCELED] = (key->reuse & REUSE_CANCELED) != 0,
                                    [OUTCOME_EXPIRED] = (key->reuse & REUSE_EXPIRED) != 0 };

    is_kept[OUTCOME_FAILED] = is_kept[OUTCOME_CRASHED] = is_kept[OUTCOME_TIMED_OUT] =
        (key->reuse & REUSE_FAILED) != 0;
    if (key->reuse == 0)
        is_kept[OUTCOME_COMPLETED] = is_kept[OUTCOME_CANCELED] = true;
    return run->status == RUN_DONE && !is_kept[run->outcome];
}

void rule_keys_released(const struct look *look, const struct run *run)
{
    for (uint32_t i = 0; i < look->model->key_count; i++) {
        struct shadow_key *key = &look->model->keys[i];
        key->is_released |=
            key->kind == KEY_RUN && key->target == run->id && outcome_releases(key, run);
    }
}

/* It failed in this batch: before the trigger, or after it. */
static bool key_may_be_over(const struct look *look, const struct shadow_key *key)
{
    const struct run *run = run_now(look, key->target);
    const struct shadow *shadow = shadow_of(look, key->target);

    if (run == NULL && key->is_shared)
        return true; /* it went, and was looked at */
    return run != NULL && outcome_releases(key, run) &&
           (shadow == NULL || shadow->was == NULL || shadow->was->status != RUN_DONE);
}

bool rule_key_was_reset(const struct look *look, const struct run *run)
{
    for (uint32_t i = 0; i < look->batch->count; i++) {
        const struct command *command = look->batch->commands[i];
        if (command->kind == COMMAND_KEY_RESET && command->err.code == ERR_OK &&
            command->key_reset.run_id == run->id)
            return run->key.size == 0;
    }
    return false;
}

void rule_key_reset(const struct look *look, const struct command *command)
{
    const struct key_reset *reset = &command->key_reset;
    struct shadow_key *key =
        key_of(look, KEY_RUN, reset->environment, reset->task, reset->owner, reset->key);
    bool is_taken = command->err.code == ERR_OK;

    if (reset->kind == KEY_WAIT)
        rule_wait_key_reset(look, command);
    if (key == NULL || reset->kind != KEY_RUN)
        return;
    /* That of a run that has collected is looked at when it is used, and there until then. */
    if (is_taken == key_is_over(look, key) &&
        (is_taken ? !key->is_shared : !key_may_be_over(look, key)))
        world_flaw(look->world, "the key of run %lld is %s, and its reset is %s",
                   (long long)key->target, is_taken ? "over" : "there",
                   is_taken ? "taken" : "refused");
    if (is_taken && reset->run_id != key->target)
        world_flaw(look->world, "a key of run %lld was taken from run %lld",
                   (long long)key->target, (long long)reset->run_id);
    const struct run *run = run_now(look, reset->run_id);
    if (is_taken && run != NULL && run->key.size > 0)
        world_flaw(look->world, "the key of run %lld was reset, and it has one",
                   (long long)run->id);
    struct shadow *shadow = shadow_of(look, reset->run_id);
    if (is_taken && shadow != NULL)
        shadow->extra_moves++; /* a remark */
    key->is_released |= is_taken;
}

/* ---- what it makes ----------------------------------------------------------------------- */

static int64_t rank_expected(const struct look *look, int64_t priority_ms, bool is_delayed,
                             int64_t due_ms, bool is_span)
{
    int64_t ready_ms = !is_delayed ? look->steady_ms
                       : is_span   ? due_ms
                                   : time_after(due_ms, look->steady_ms - look->now_ms);
    int64_t rank_ms;

    if (__builtin_sub_overflow(ready_ms, priority_ms, &rank_ms))
        return priority_ms > 0 ? INT64_MIN : INT64_MAX;
    return rank_ms;
}

static void made_queue(const struct look *look, const struct trigger *trigger,
                       const struct run *run, struct shadow *shadow)
{
    const struct queue *queue = store_memory_queue(look->world->memory, run->queue);
    bool is_named = trigger->queue.size > 0;

    if (queue == NULL || (is_named ? !slice_equal(queue->name, trigger->queue)
                                   : !slice_starts(queue->name, "task/")))
        world_flaw(look->world, "run %lld is not in the queue that was asked for",
                   (long long)run->id);
    bool is_flawed = false; /* the timeline says so */
    struct slice tenant =
        fair_tenant_expected(look->world, queue == NULL ? trigger->queue : queue->name,
                             trigger->payload, &is_flawed);
    shadow->extra_moves += is_flawed;
    if (!slice_equal(run->tenant, tenant))
        world_flaw(look->world, "run %lld is of another tenant", (long long)run->id);
    if (!slice_equal(run->concurrency_key,
                     trigger->concurrency_key.size > 0 ? trigger->concurrency_key : tenant))
        world_flaw(look->world, "run %lld has another concurrency key", (long long)run->id);
}

/* Of the second task the children hold, of the others they go with their parent. */
static uint32_t choices_expected(const struct look *look, const struct trigger *trigger,
                                 const struct run *run)
{
    const struct run *parent = run_now(look, trigger->parent_id);
    uint32_t reuse =
        trigger->key.size > 0 || run->collect_most > 0 ? reuse_expected(look, trigger, run) : 0;
    uint32_t rule = trigger->on_parent_end;

    const struct shadow *shadow = shadow_of(look, trigger->parent_id);
    if (shadow != NULL && shadow->was != NULL && shadow->was->ending != OUTCOME_NONE &&
        !trigger->is_accepted)
        rule = CHILDREN_ABANDON;
    if (rule == CHILDREN_UNSAID && parent != NULL && slice_is(parent->task, "beta"))
        rule = CHILDREN_WAIT;
    return reuse | (rule == CHILDREN_WAIT      ? RUN_GOES_ON | RUN_HOLDS
                    : rule == CHILDREN_ABANDON ? RUN_GOES_ON
                                               : 0);
}

static void made_family(const struct look *look, const struct trigger *trigger,
                        const struct run *run)
{
    const struct run *parent = run_now(look, trigger->parent_id);
    uint32_t depth = parent == NULL ? 0 : parent->depth + 1;
    int64_t root_id = parent == NULL ? run->id : parent->root_id;
    uint32_t choices = (uint32_t)run->choices & (RUN_IS_HELD - 1);

    uint32_t expected = choices_expected(look, trigger, run);
    if (parent != NULL && ended_with_children(parent) && run_is_over(parent))
        choices |= RUN_HOLDS, expected |= RUN_HOLDS; /* made before that, or after it */
    if (choices != expected)
        world_flaw(look->world, "run %lld has %u chosen", (long long)run->id, choices);
    if (run->parent_id != trigger->parent_id || run->depth != depth || run->root_id != root_id)
        world_flaw(look->world, "run %lld has parent %lld, depth %u", (long long)run->id,
                   (long long)run->parent_id, run->depth);
    if (look->catalog != NULL && run->depth > look->catalog->limits.depth)
        world_flaw(look->world, "run %lld is %u deep", (long long)run->id, run->depth);
}

static void made_look(const struct look *look, const struct command *command,
                      const struct run *run)
{
    const struct trigger *trigger = &command->trigger;
    struct shadow *shadow = ARENA_NEW(&look->model->arena, struct shadow);
    bool is_span;
    int64_t due_ms = look_deadline(look, trigger->due_ms, trigger->delay_ms, &is_span);
    bool is_delayed = due_ms != 0 && !look_is_over(look, due_ms, is_span);

    shadow->batch = look->model->batches;
    shadow->made = command;
    if (!is_delayed)
        rule_entered(look, shadow, run);
    if (!trigger->is_accepted &&
        rule_refuses(look, run->environment,
                     store_memory_queue(look->world->memory, run->queue)))
        world_flaw(look->world, "run %lld was taken by what takes no runs", (long long)run->id);
    shadow->input = model_keep(look, trigger->payload);
    shadow->tags = model_keep(look, trigger->tags);
    struct slice queue = queue_name_now(look, run);
    int64_t priority_ms = trigger->priority_ms, ttl_ms = trigger->ttl_ms;
    bool has_value = true;
    if (!trigger->has_priority && priority_ms == 0)
        has_value = world_priority(queue, trigger->payload, &priority_ms);
    if (!trigger->has_ttl && ttl_ms == 0)
        ttl_ms = world_rules(queue)->ttl_ms;
    shadow->extra_moves = trigger->note.size > 0;
    if (!has_value)
        shadow->extra_moves++;
    table_set(&look->model->runs, (uint64_t)run->id, shadow);
    bool is_full = collect_is_full(look, run);
    if (is_delayed && !is_full && !run_has_ended(run) &&
        (run->status != RUN_DELAYED || run->due_ms != due_ms || run->due_is_span != is_span))
        world_flaw(look->world, "run %lld is to start in %lld ms, and has status %u",
                   (long long)run->id,
                   (long long)(due_ms - (is_span ? look->steady_ms : look->now_ms)),
                   run->status);
    if (!is_delayed && run->status == RUN_DELAYED)
        world_flaw(look->world, "run %lld is delayed without a reason", (long long)run->id);
    if (!is_full &&
        run->rank_ms != rank_expected(look, priority_ms, is_delayed, due_ms, is_span))
        world_flaw(look->world, "run %lld has rank %lld, priority %lld", (long long)run->id,
                   (long long)run->rank_ms, (long long)priority_ms);
    if (run->environment != trigger->environment || !slice_equal(run->task, trigger->task) ||
        run->priority_ms != priority_ms || run->ttl_ms != ttl_ms ||
        run->limit_ms != trigger->limit_ms || run->max_attempts != trigger->max_attempts ||
        run->max_attempts_total != trigger->max_attempts_total ||
        run->is_test != trigger->is_test || !slice_equal(run->tags, trigger->tags) ||
        run->created_ms != look->now_ms)
        world_flaw(look->world, "run %lld is not as it was asked for", (long long)run->id);
    rule_total_made(look, trigger, run);
    if (!rule_key_was_reset(look, run) &&
        !slice_equal(run->key_text,
                     trigger->key_text.size > 0 ? trigger->key_text : trigger->key))
        world_flaw(look->world, "run %lld does not say its key", (long long)run->id);
    made_queue(look, trigger, run, shadow);
    rates_check_made(look, trigger, run, queue);
    made_family(look, trigger, run);
    if (trigger->goes_on != NULL && !trigger->is_accepted)
        rule_goes_on(look, shadow, trigger->goes_on); /* else rule_redrive says it */
}

/* ---- what it answers --------------------------------------------------------------------- */

static void refused_look(const struct look *look, const struct command *command)
{
    const struct trigger *trigger = &command->trigger;
    const struct run *parent = run_now(look, trigger->parent_id);
    uint32_t limit = look->catalog == NULL ? 0 : look->catalog->limits.depth;

    if (command->err.code == ERR_LIMIT && parent != NULL && parent->depth < limit)
        world_flaw(look->world, "a child of run %lld was refused, which is %u deep",
                   (long long)trigger->parent_id, parent->depth);
    if (command->err.code == ERR_RULE && trigger->parent_id == 0 &&
        !(is_collected(trigger) && trigger->delay_ms > 0) && !rates_may_refuse(look, trigger))
        world_flaw(look->world, "a trigger was refused: %s", command->err.text);
    if (command->err.code == ERR_FULL)
        rule_full(look, trigger);
    if (command->err.code == ERR_NOT_FOUND && slice_compare(trigger->task, SLICE("unknown")))
        world_flaw(look->world, "task %.*s was not found", SLICE_ARG(trigger->task));
}

/* Found by its key: what must be told besides. */
static void hit_look(const struct look *look, const struct trigger *trigger,
                     const struct shadow_key *key)
{
    bool differs = !slice_equal(key->payload, trigger->payload);

    if (!trigger->cached || trigger->is_new || trigger->run_id != key->target)
        world_flaw(look->world, "a key of run %lld has given %s run %lld",
                   (long long)key->target, trigger->is_new ? "new" : "old",
                   (long long)trigger->run_id);
    if (trigger->differs != differs)
        world_flaw(look->world, "the payload %s, and the reply says another thing",
                   differs ? "differs" : "is the same");
}

void rule_made(const struct look *look, const struct command *command)
{
    const struct trigger *trigger = &command->trigger;
    const struct run *run = run_now(look, trigger->run_id);

    if (run == NULL) {
        world_flaw(look->world, "run %lld was acknowledged and is not there",
                   (long long)trigger->run_id);
        return;
    }
    if (is_collected(trigger))
        command = collect_command(look, command);
    trigger = &command->trigger;
    if (!trigger->is_new || trigger->cached || shadow_of(look, run->id) != NULL ||
        (trigger->id != 0 && trigger->id != run->id))
        world_flaw(look->world, "a trigger was to make a run, and gives run %lld%s",
                   (long long)run->id, trigger->cached ? " by its key" : "");
    else
        made_look(look, command, run);
    rule_conflict_new(look, run);
}

/* A client names the parent. False: it was refused, and rightly. */
static bool outside_look(const struct look *look, const struct command *command)
{
    const struct trigger *trigger = &command->trigger;
    const struct run *parent = run_now(look, trigger->parent_id);
    const struct shadow *shadow = shadow_of(look, trigger->parent_id);
    const struct run *was = shadow == NULL ? NULL : shadow->was;

    if (command->err.code == ERR_OK && trigger->is_new && was != NULL &&
        (run_has_ended(was) || was->environment != trigger->environment))
        world_flaw(look->world, "run %lld has got a child that it may not have",
                   (long long)was->id);
    if (command->err.code != ERR_RULE)
        return true;
    if (parent != NULL && !run_has_ended(parent) &&
        parent->environment == trigger->environment && !rates_may_refuse(look, trigger))
        world_flaw(look->world, "run %lld may have a child, and was refused it: %s",
                   (long long)parent->id, command->err.text);
    return false;
}

void rule_trigger(const struct look *look, const struct command *command)
{
    const struct trigger *trigger = &command->trigger;
    struct shadow_key *key = NULL, *request = NULL, *joined = NULL;
    bool is_call = trigger->id != 0 && trigger->batch == 0 && is_collected(trigger);

    if (look->catalog == NULL) {
        if (command->err.code != ERR_STOPPING)
            world_flaw(look->world, "a trigger was taken before there were tasks");
        return;
    }
    if (command->err.code == ERR_RULE && rule_refuses(look, trigger->environment, NULL))
        return;
    if (trigger->is_outside) {
        if (!outside_look(look, command))
            return;
    } else if (trigger->parent_id != 0 &&
               !rule_fence(look, command, trigger->parent_id, trigger->parent_seq) &&
               command->err.code == ERR_RULE)
        return;
    if (command->err.code != ERR_OK) {
        refused_look(look, command);
        return;
    }
    if (trigger->key.size > 0)
        key = key_of(look, KEY_RUN, trigger->environment, trigger->task,
                     trigger->key_global ? 0 : trigger->parent_id, trigger->key);
    if (trigger->request_key.size > 0)
        request = key_of(look, KEY_REQUEST, trigger->environment, trigger->task, 0,
                         trigger->request_key);
    if (is_call)
        joined =
            key_of(look, KEY_JOINED, trigger->environment, SLICE(""), trigger->id, SLICE(""));
    if ((trigger->key.size > 0 && key == NULL) || (is_call && joined == NULL) ||
        (trigger->request_key.size > 0 && request == NULL))
        return; /* too many to know */
    if (request != NULL && !key_is_over(look, request)) {
        if (trigger->is_new || trigger->run_id != request->target)
            world_flaw(look->world, "one request has made runs %lld and %lld",
                       (long long)request->target, (long long)trigger->run_id);
        return;
    }
    if (trigger->id != 0 && trigger->batch == 0 && shadow_of(look, trigger->id) != NULL) {
        if (trigger->is_new || trigger->run_id != trigger->id)
            world_flaw(look->world, "a segment that runs again has made run %lld anew",
                       (long long)trigger->run_id);
        return;
    }
    if (joined != NULL && !key_is_over(look, joined)) {
        if (trigger->is_new || trigger->collected || trigger->run_id != joined->target)
            world_flaw(look->world, "a segment that runs again has added to run %lld anew",
                       (long long)trigger->run_id);
        return;
    }
    if (key != NULL && !key_is_over(look, key) &&
        !((trigger->is_new || trigger->collected) && key_may_be_over(look, key))) {
        hit_look(look, trigger, key);
        return;
    }
    if (trigger->debounce.key.size > 0 && rule_debounced(look, trigger))
        return;
    if (rule_conflict_skipped(look, trigger))
        return;
    if (!rule_collected(look, command))
        rule_made(look, command);
    key_set(look, joined, trigger->run_id, KEY_DAYS_MS);
    key_set(look, key, trigger->run_id,
            trigger->key_ttl_ms != 0 ? trigger->key_ttl_ms : KEY_DAYS_MS);
    const struct run *made = run_now(look, trigger->run_id);
    if (key != NULL && made != NULL) {
        key->payload = model_keep(look, trigger->payload);
        key->is_shared = is_collected(trigger);
        key->reuse = key->is_shared ? (uint32_t)made->choices & REUSE_MASK
                                    : reuse_expected(look, trigger, made);
    }
    key_set(look, request, trigger->run_id, REQUEST_TTL_MS);
}
