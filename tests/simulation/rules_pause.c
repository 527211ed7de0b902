/* Queues and environments: who is paused since when, and what is summed up of their runs. */
#include "base/duration.h"
#include "model.h"

static struct shadow_queue *shadow_queue_of(const struct look *look, int64_t id)
{
    struct table *queues = &look->model->queues;
    struct shadow_queue *queue = table_find(queues, (uint64_t)id);

    if (queue == NULL) {
        queue = ARENA_NEW(&look->model->arena, struct shadow_queue);
        table_set(queues, (uint64_t)id, queue);
    }
    return queue;
}

/* ---- pauses ------------------------------------------------------------------------------ */

static void pause_over(const struct look *look, struct shadow_pause *shadow, int64_t ramp_ms)
{
    *shadow = (struct shadow_pause){ .ramp_ms = ramp_ms,
                                     .ramp_from_ms = ramp_ms > 0 ? look->steady_ms : 0 };
}

/* Paused again, it keeps since when, and what is not said anew. */
static void pause_order_take(const struct look *look, struct shadow_pause *shadow,
                             const struct pause_order *order)
{
    bool was_paused = shadow->paused, has_until;

    if (!order->paused) {
        if (was_paused || order->ramp_ms == 0)
            pause_over(look, shadow, order->ramp_ms);
        return;
    }
    if (!was_paused)
        *shadow = (struct shadow_pause){ .paused = true,
                                         .paused_ms = look->now_ms,
                                         .ramp_ms = order->ramp_ms };
    has_until = order->until_date_ms != 0 || order->until_span_ms != 0;
    if (has_until)
        shadow->due_ms = look_deadline(look, order->until_date_ms, order->until_span_ms,
                                       &shadow->due_is_span);
    if (order->freezes != PAUSE_UNSAID)
        shadow->frozen = order->freezes == PAUSE_YES;
    if (order->refuses != PAUSE_UNSAID)
        shadow->refuses = order->refuses == PAUSE_YES;
    if (order->ramp_ms > 0)
        shadow->ramp_ms = order->ramp_ms;
    if (!was_paused || order->why.size > 0)
        shadow->why = model_keep(look, order->why);
}

/* As the row has it; one that comes back has its timer. */
static bool pause_is(const struct look *look, const struct shadow_pause *shadow,
                     const struct pause *pause)
{
    int64_t end_ms = shadow->ramp_from_ms + shadow->ramp_ms;

    if (pause->paused != shadow->paused || pause->paused_ms != shadow->paused_ms ||
        pause->frozen != shadow->frozen || pause->refuses != shadow->refuses ||
        !slice_equal(pause->paused_why, shadow->why))
        return false;
    if (shadow->paused)
        return pause->due_ms == shadow->due_ms && pause->due_is_span == shadow->due_is_span &&
               (pause->due_ms == 0) == (pause->until_ms == 0);
    if (pause->ramp_from_ms == 0)
        return pause->due_ms == 0 && (shadow->ramp_from_ms == 0 || look->steady_ms >= end_ms);
    return pause->ramp_from_ms == shadow->ramp_from_ms && pause->ramp_ms == shadow->ramp_ms &&
           pause->due_is_span && pause->due_ms > 0 && pause->due_ms <= end_ms;
}

static void due_pass(const struct look *look, struct shadow_pause *shadow)
{
    if (shadow->paused && look_is_over(look, shadow->due_ms, shadow->due_is_span))
        pause_over(look, shadow, shadow->ramp_ms);
    else if (shadow->ramp_from_ms != 0 &&
             look->steady_ms >= shadow->ramp_from_ms + shadow->ramp_ms)
        *shadow = (struct shadow_pause){ .ramp_ms = 0 };
}

static bool is_frozen(const struct shadow_pause *shadow)
{
    return shadow->paused && shadow->frozen;
}

void rule_pauses_pass(const struct look *look)
{
    struct model *model = look->model;
    int64_t passed_ms = look->steady_ms - model->steady_ms;

    for (uint32_t i = 0; i < model->queues.capacity; i++) {
        struct shadow_queue *queue =
            model->queues.entries[i].used ? model->queues.entries[i].value : NULL;
        if (queue == NULL)
            continue;
        if (is_frozen(&queue->pause) || is_frozen(&model->environments[queue->environment]))
            queue->frozen_ms += passed_ms;
        if (look->batch->look_for_due)
            due_pass(look, &queue->pause);
    }
    for (uint32_t i = 1; look->batch->look_for_due && i <= ENVIRONMENTS; i++)
        due_pass(look, &model->environments[i]);
    model->steady_ms = look->steady_ms;
}

bool rule_refuses(const struct look *look, uint32_t environment, const struct queue *queue)
{
    const struct model *model = look->model;
    bool refuses = model->environments[environment].refuses;

    if (queue != NULL)
        return refuses || shadow_queue_of(look, queue->id)->pause.refuses;
    for (uint32_t i = 0; i < model->queues.capacity; i++) {
        const struct shadow_queue *shadow =
            model->queues.entries[i].used ? model->queues.entries[i].value : NULL;
        refuses |=
            shadow != NULL && shadow->environment == environment && shadow->pause.refuses;
    }
    return refuses;
}

void rule_entered(const struct look *look, struct shadow *shadow, const struct run *run)
{
    struct shadow_queue *queue = shadow_queue_of(look, run->queue);

    queue->environment = run->environment;
    shadow->entered_ms = look->steady_ms;
    shadow->frozen_ms = queue->frozen_ms;
}

int64_t rule_ttl_end(const struct look *look, const struct shadow *shadow,
                     const struct run *run)
{
    int64_t frozen_ms = shadow_queue_of(look, run->queue)->frozen_ms - shadow->frozen_ms;

    return time_after(time_after(shadow->entered_ms, run->ttl_ms), frozen_ms);
}

int64_t rule_ttl_told(const struct look *look, const struct run *run)
{
    const struct environment *environment = (const struct environment *)store_memory_get(
        look->world->memory, ROW_ENVIRONMENT, run->environment);
    const struct queue *queue = store_memory_queue(look->world->memory, run->queue);
    int64_t lag_ms = pause_lag(&environment->pause, look->steady_ms);

    lag_ms += pause_lag(&queue->pause, look->steady_ms - lag_ms);
    return time_after(run->due_ms, lag_ms - run->frozen_ms);
}

/* ---- queues and environments ------------------------------------------------------------- */

static const struct queue *queue_named(const struct look *look, uint32_t environment,
                                       struct slice name)
{
    struct store *memory = look->world->memory;

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_QUEUE); i++) {
        const struct queue *queue = (const struct queue *)store_memory_at(memory, ROW_QUEUE, i);
        if (queue->environment == environment && !queue->removed &&
            slice_equal(queue->name, name))
            return queue;
    }
    return NULL;
}

void rule_queue_pause(const struct look *look, const struct command *command)
{
    const struct pause_order *pause = &command->queue_pause;
    const struct queue *queue = queue_named(look, pause->environment, pause->name);
    bool is_found = command->err.code == ERR_OK;

    if ((queue == NULL && is_found) ||
        (queue != NULL && !is_found && queue->created_ms != look->now_ms) ||
        (is_found && pause->queue_id != queue->id)) {
        world_flaw(look->world,
                   "queue %.*s was found, and is not there; or the other way round",
                   SLICE_ARG(pause->name));
        return;
    }
    if (!is_found)
        return;
    struct shadow_queue *shadow = shadow_queue_of(look, queue->id);
    shadow->environment = queue->environment; /* it may be as old as its pause */
    pause_order_take(look, &shadow->pause, pause);
}

void rule_queue_limit(const struct look *look, const struct command *command)
{
    const struct queue_limit *limit = &command->queue_limit;
    const struct queue *queue = queue_named(look, limit->environment, limit->name);
    struct shadow_queue *shadow = queue == NULL ? NULL : shadow_queue_of(look, queue->id);
    bool of_rates = limit->sets[0] || limit->sets[1];
    bool is_nothing = shadow != NULL && limit->is_reset &&
                      (of_rates ? !(limit->sets[0] && shadow->rates_ms[0] != 0) &&
                                      !(limit->sets[1] && shadow->rates_ms[1] != 0)
                                : shadow->override_ms == 0);

    if (command->err.code != ERR_OK) {
        if (queue != NULL && !is_nothing && queue->created_ms != look->now_ms &&
            !(of_rates && !limit->is_reset)) /* it may be less than what a start costs */
            world_flaw(look->world, "a limit of queue %.*s was refused",
                       SLICE_ARG(limit->name));
        return;
    }
    if (shadow == NULL || is_nothing) {
        world_flaw(look->world, "queue %.*s has no limit that could be set or reset",
                   SLICE_ARG(limit->name));
        return;
    }
    for (int i = 0; i < 2; i++)
        if (limit->sets[i])
            shadow->rates_ms[i] = limit->is_reset ? 0 : look->now_ms;
    if (of_rates) {
        rates_forget(look->world);
        return;
    }
    shadow->override_limit = limit->is_reset ? 0 : limit->limit;
    shadow->override_ms = limit->is_reset ? 0 : look->now_ms;
}

void rule_environment_pause(const struct look *look, const struct command *command)
{
    const struct pause_order *order = &command->environment_pause;

    pause_order_take(look, &look->model->environments[order->environment], order);
}

void rule_environments(const struct look *look)
{
    for (uint32_t i = 1; i <= ENVIRONMENTS; i++) {
        const struct environment *environment = (const struct environment *)store_memory_get(
            look->world->memory, ROW_ENVIRONMENT, i);
        if (environment == NULL ||
            !pause_is(look, &look->model->environments[i], &environment->pause))
            world_flaw(look->world, "environment %u is not paused as it was asked for", i);
    }
}

void rule_ended(const struct look *look, const struct run *run)
{
    struct shadow_queue *queue = shadow_queue_of(look, run->queue);

    queue->completed += run->outcome == OUTCOME_COMPLETED;
    queue->canceled += run->outcome == OUTCOME_CANCELED;
    queue->failed += run->outcome != OUTCOME_COMPLETED && run->outcome != OUTCOME_CANCELED;
    if (run->started_ms > run->created_ms)
        queue->wait_ms += run->started_ms - run->created_ms;
    queue->busy_us += run->busy_us;
    queue->unstarted += run->started_ms == 0;
}

void rule_queue(const struct look *look, const struct queue *queue)
{
    struct shadow_queue *sums = shadow_queue_of(look, queue->id);

    if (queue->removed || queue->name.size == 0)
        return;
    if (sums->created_ms != 0 && sums->created_ms != queue->created_ms) {
        struct shadow_queue before = *sums; /* it was removed */
        *sums = (struct shadow_queue){ .completed = queue->completed,
                                       .failed = queue->failed,
                                       .canceled = queue->canceled,
                                       .wait_ms = queue->wait_ms,
                                       .busy_us = queue->busy_us,
                                       .unstarted = queue->unstarted };
        if (before.pause.paused_ms == queue->created_ms) /* since it is there again */
            sums->pause = before.pause;
        sums->frozen_ms = before.frozen_ms;
        if (before.override_ms == queue->created_ms) {
            sums->override_ms = before.override_ms;
            sums->override_limit = before.override_limit;
        }
        for (int i = 0; i < 2; i++)
            if (before.rates_ms[i] == queue->created_ms)
                sums->rates_ms[i] = before.rates_ms[i];
    }
    sums->created_ms = queue->created_ms;
    if (queue->completed != sums->completed || queue->failed != sums->failed ||
        queue->canceled != sums->canceled || queue->wait_ms != sums->wait_ms ||
        queue->busy_us != sums->busy_us || queue->unstarted != sums->unstarted)
        world_flaw(look->world,
                   "queue %.*s has %lld + %lld + %lld runs, %lld + %lld + %lld are "
                   "counted",
                   SLICE_ARG(queue->name), (long long)sums->completed, (long long)sums->failed,
                   (long long)sums->canceled, (long long)queue->completed,
                   (long long)queue->failed, (long long)queue->canceled);
    sums->environment = queue->environment;
    if (!pause_is(look, &sums->pause, &queue->pause))
        world_flaw(look->world, "queue %.*s is%s paused, since %lld", SLICE_ARG(queue->name),
                   queue->paused ? "" : " not", (long long)queue->paused_ms);
    struct set_rate rate, key_rate;
    (void)queue_rate_set(queue, false, &rate);
    (void)queue_rate_set(queue, true, &key_rate);
    if (queue->override_ms != sums->override_ms ||
        queue->override_limit != sums->override_limit || rate.since_ms != sums->rates_ms[0] ||
        key_rate.since_ms != sums->rates_ms[1])
        world_flaw(look->world, "queue %.*s has another limit than was set",
                   SLICE_ARG(queue->name));
}
