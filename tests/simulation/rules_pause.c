/* Queues and environments: who is paused since when, and what is summed up of their runs. */
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
    const struct queue_pause *pause = &command->queue_pause;
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
    if (shadow->paused != pause->paused)
        shadow->paused_ms = pause->paused ? look->now_ms : 0;
    shadow->paused = pause->paused;
}

void rule_queue_limit(const struct look *look, const struct command *command)
{
    const struct queue_limit *limit = &command->queue_limit;
    const struct queue *queue = queue_named(look, limit->environment, limit->name);
    struct shadow_queue *shadow = queue == NULL ? NULL : shadow_queue_of(look, queue->id);
    bool is_nothing = shadow != NULL && limit->is_reset && shadow->override_ms == 0;

    if (command->err.code != ERR_OK) {
        if (queue != NULL && !is_nothing && queue->created_ms != look->now_ms)
            world_flaw(look->world, "a limit of queue %.*s was refused",
                       SLICE_ARG(limit->name));
        return;
    }
    if (shadow == NULL || is_nothing) {
        world_flaw(look->world, "queue %.*s has no limit that could be set or reset",
                   SLICE_ARG(limit->name));
        return;
    }
    shadow->override_limit = limit->is_reset ? 0 : limit->limit;
    shadow->override_ms = limit->is_reset ? 0 : look->now_ms;
}

/* Paused again, it keeps since when. */
void rule_environment_pause(const struct look *look, const struct command *command)
{
    const struct environment_pause *pause = &command->environment_pause;
    struct shadow_environment *shadow = &look->model->environments[pause->environment];

    if (!shadow->paused || !pause->paused) {
        shadow->paused_ms = pause->paused ? look->now_ms : 0;
        shadow->why = pause->paused ? model_keep(look, pause->why) : (struct slice){ 0 };
    } else if (pause->why.size > 0) {
        shadow->why = model_keep(look, pause->why);
    }
    shadow->paused = pause->paused;
}

void rule_environments(const struct look *look)
{
    for (uint32_t i = 1; i <= ENVIRONMENTS; i++) {
        const struct shadow_environment *shadow = &look->model->environments[i];
        const struct environment *environment = (const struct environment *)store_memory_get(
            look->world->memory, ROW_ENVIRONMENT, i);
        if (environment == NULL || environment->paused != shadow->paused ||
            environment->paused_ms != shadow->paused_ms ||
            !slice_equal(environment->paused_why, shadow->why))
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
                                       .busy_us = queue->busy_us };
        if (before.paused_ms == queue->created_ms) { /* since it is there again */
            sums->paused_ms = before.paused_ms;
            sums->paused = before.paused;
        }
        if (before.override_ms == queue->created_ms) {
            sums->override_ms = before.override_ms;
            sums->override_limit = before.override_limit;
        }
    }
    sums->created_ms = queue->created_ms;
    if (queue->completed != sums->completed || queue->failed != sums->failed ||
        queue->canceled != sums->canceled || queue->wait_ms != sums->wait_ms ||
        queue->busy_us != sums->busy_us)
        world_flaw(look->world,
                   "queue %.*s has %lld + %lld + %lld runs, %lld + %lld + %lld are "
                   "counted",
                   SLICE_ARG(queue->name), (long long)sums->completed, (long long)sums->failed,
                   (long long)sums->canceled, (long long)queue->completed,
                   (long long)queue->failed, (long long)queue->canceled);
    if (queue->paused != sums->paused || queue->paused_ms != sums->paused_ms)
        world_flaw(look->world, "queue %.*s is%s paused, since %lld", SLICE_ARG(queue->name),
                   queue->paused ? "" : " not", (long long)queue->paused_ms);
    if (queue->override_ms != sums->override_ms ||
        queue->override_limit != sums->override_limit)
        world_flaw(look->world, "queue %.*s has another limit than was set",
                   SLICE_ARG(queue->name));
}
