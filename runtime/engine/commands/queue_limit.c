/* Queues: another limit than the configured one, or another rate, until it is reset. */
#include "engine/batch.h"
#include "engine/commands/command_table.h"

/* A cost that the file says can be paid, or nothing would start. */
static bool rate_fits(struct batch *batch, struct command *command, const struct queue *queue,
                      bool of_key)
{
    const struct queue_rules *rules = catalog_rules(batch->catalog, queue->name);
    const struct queue_rate *rate = &command->queue_limit.rates[of_key];
    double cost = of_key ? rules->key_rate_cost.number : rules->rate_cost.number;

    return rate->limit == 0 || cost <= rate->burst ||
           err_set(
               &command->err, ERR_RULE,
               "%s: a start of the queue costs %.15g of it, and a burst of %u can never pay "
               "that",
               of_key ? "keyRate" : "rate", cost, rate->burst);
}

static bool rates_set(struct batch *batch, struct command *command, struct queue *queue)
{
    const struct queue_limit *limit = &command->queue_limit;
    struct set_rate *set = ARENA_ARRAY(batch->arena, struct set_rate, 2);
    bool is_changed = false;

    if (batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting");
    for (int i = 0; i < 2; i++) {
        bool was_set = queue_rate_set(queue, i == 1, &set[i]);
        if (!limit->sets[i])
            continue;
        if (!limit->is_reset && !rate_fits(batch, command, queue, i == 1))
            return false;
        is_changed |= !limit->is_reset || was_set;
        set[i] = limit->is_reset ? (struct set_rate){ 0 }
                                 : (struct set_rate){ .since_ms = batch->now_ms,
                                                      .per_ms = limit->rates[i].per_ms,
                                                      .limit = limit->rates[i].limit,
                                                      .burst = limit->rates[i].burst };
    }
    if (!is_changed)
        return err_set(&command->err, ERR_BAD_REQUEST, "Queue is not overridden");
    bool has_any = set[0].since_ms != 0 || set[1].since_ms != 0;
    queue->rates =
        has_any ? (struct slice){ (const char *)set, 2 * sizeof *set } : (struct slice){ 0 };
    if (!limit->is_reset || !has_any)
        queue->rates_by = has_any ? arena_copy(batch->arena, limit->by) : (struct slice){ 0 };
    return true;
}

static bool limit_set(struct batch *batch, struct command *command, struct queue *queue)
{
    const struct queue_limit *limit = &command->queue_limit;

    if (limit->is_reset && queue->override_ms == 0)
        return err_set(&command->err, ERR_BAD_REQUEST, "Queue is not overridden");
    queue->override_limit = limit->is_reset ? 0 : limit->limit;
    queue->override_ms = limit->is_reset ? 0 : batch->now_ms;
    queue->override_by =
        limit->is_reset ? (struct slice){ 0 } : arena_copy(batch->arena, limit->by);
    return true;
}

bool queue_limit_decide(struct batch *batch, struct command *command)
{
    struct queue_limit *limit = &command->queue_limit;
    struct queue *queue;

    if (!rows_queue_named(&batch->rows, limit->environment, limit->name, &queue))
        return false;
    if (queue == NULL || queue->removed)
        return queue_missing(batch, limit->environment, limit->name, "Queue not found",
                             &command->err);
    limit->queue_id = queue->id;
    if (limit->sets[0] || limit->sets[1] ? !rates_set(batch, command, queue)
                                         : !limit_set(batch, command, queue))
        return true;
    queue->used_ms = batch->now_ms;
    nodes_relimit(batch);
    batch_ids_add(batch, &batch->admission.resumed, queue->id); /* more may start now */
    return true;
}
