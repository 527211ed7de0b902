/* What a queue's rules give to a run whose trigger does not say. */
#include "codec/pack.h"
#include "engine/batch.h"

#include <math.h>

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
