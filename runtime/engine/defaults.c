/* What a queue's rules give to a run whose trigger does not say. */
#include "codec/pack.h"
#include "engine/batch.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define PRIORITY_MOST_MS INT32_MAX

static int64_t priority_ms(double seconds)
{
    double ms = round(seconds * 1000);

    return ms > PRIORITY_MOST_MS    ? PRIORITY_MOST_MS
           : ms < -PRIORITY_MOST_MS ? -PRIORITY_MOST_MS
                                    : (int64_t)ms;
}

bool amount_get(struct batch *batch, const struct queue_amount *amount, struct slice packed,
                double *number, struct expression_flaw *flaw)
{
    struct value payload = { .kind = VALUE_NULL }, value;

    *number = amount->number;
    if (amount->expression == NULL)
        return true;
    if (packed.size > 0)
        (void)pack_read(batch->arena, packed, &payload, NULL); /* it was read before */
    if (!expression_value(amount->expression, &payload, batch->arena, &value, flaw))
        return false;
    *number = value.kind == VALUE_INT    ? (double)value.integer
              : value.kind == VALUE_UINT ? (double)value.big
                                         : value.number;
    return true;
}

struct slice defaults_take(struct batch *batch, const struct trigger *trigger,
                           struct slice payload, const struct queue_rules *rules,
                           struct run *run)
{
    struct expression_flaw flaw;
    double seconds;

    run->ttl_ms = trigger->ttl_ms != 0 || trigger->has_ttl ? trigger->ttl_ms : rules->ttl_ms;
    run->priority_ms = trigger->priority_ms;
    if (trigger->priority_ms != 0 || trigger->has_priority)
        return SLICE("");
    if (amount_get(batch, &rules->priority, payload, &seconds, &flaw)) {
        run->priority_ms = priority_ms(seconds);
        return SLICE("");
    }
    return arena_format(batch->arena,
                        "its priority is 0: its queue's expression has no value at %d:%d: %s",
                        flaw.line, flaw.column, flaw.text);
}

/* ---- what its starts cost ---------------------------------------------------------------- */

static bool cost_refuse(struct command *command, bool of_key, const char *text, uint32_t most)
{
    const char *key = of_key ? "key_rate" : "rate";

    if (command->trigger.cost > 0)
        return err_set(&command->err, ERR_RULE,
                       "options.cost is %" PRIu32 ", and %s of the queue can never pay more "
                       "than its burst, %" PRIu32,
                       command->trigger.cost, key, most);
    return err_set(&command->err, ERR_RULE,
                   "%s.cost of the queue must be from 1 to its burst, %" PRIu32
                   ", and of this payload %s",
                   key, most, text);
}

/* 0: the queue says a number, or nothing. */
static bool cost_take(struct batch *batch, struct command *command,
                      const struct queue_rules *rules, const struct queue *queue, bool of_key,
                      struct slice payload, uint32_t *cost)
{
    struct queue_rate room;
    const struct queue_rate *rate = of_key ? &rules->key_rate : &rules->rate;
    const struct queue_amount *amount = of_key ? &rules->key_rate_cost : &rules->rate_cost;
    double asked = command->trigger.cost;
    struct expression_flaw flaw;
    char text[sizeof flaw.text + 40];

    *cost = 0;
    if (asked == 0 && amount->expression == NULL)
        return true;
    if (queue != NULL)
        rate = catalog_rate_now(batch->catalog, queue, of_key, &room);
    uint32_t most = rate == NULL || rate->limit == 0 ? RUN_COST_MOST : rate->burst;
    bool has_value = asked != 0 || amount_get(batch, amount, payload, &asked, &flaw);
    if (has_value && ceil(asked) >= 1 && ceil(asked) <= most) {
        *cost = (uint32_t)ceil(asked);
        return true;
    }
    if (command->trigger.is_accepted) {
        *cost = has_value && asked > most ? most : 1; /* it was taken already */
        return true;
    }
    if (has_value)
        (void)snprintf(text, sizeof text, "it is %.15g", asked);
    else
        (void)snprintf(text, sizeof text, "it has no value, at %d:%d: %s", flaw.line,
                       flaw.column, flaw.text);
    return cost_refuse(command, of_key, text, most);
}

bool costs_take(struct batch *batch, struct command *command, const struct queue_rules *rules,
                const struct queue *queue, struct slice payload, int64_t *costs)
{
    bool has_key = command->trigger.lane_key.size > 0;
    uint32_t cost;

    *costs = 0;
    for (int of_key = 0; of_key <= (int)has_key; of_key++) {
        if (!cost_take(batch, command, rules, queue, of_key == 1, payload, &cost))
            return false;
        *costs |= (int64_t)cost << RUN_COST_AT(of_key == 1);
    }
    return true;
}
