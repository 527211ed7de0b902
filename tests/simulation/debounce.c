/* Debounced triggers: which run they become, and that its bound holds. */
#include "base/duration.h"
#include "batches.h"
#include "engine/key.h"

enum { DELAY_MS = 700, MOST_MS = 1000 };

/* Data of the last one is not drawn here: it would say what another command has changed. */
void debounce_say(struct world *world, struct trigger *trigger)
{
    static const char *const keys[] = { "b0", "b1" };

    if (!world_chance(world, 12))
        return;
    *trigger = (struct trigger){ .environment = trigger->environment,
                                 .task = trigger->task,
                                 .payload = trigger->payload,
                                 .queue = trigger->queue,
                                 .delay_ms = DELAY_MS };
    trigger->debounce.key = slice_of(keys[world_random(world, 2)]);
    trigger->debounce.mode = world_chance(world, 50) ? DEBOUNCE_LEADING : DEBOUNCE_MERGE;
    trigger->debounce.delay_ms = DELAY_MS;
    trigger->debounce.most_ms = MOST_MS;
}

static bool waits(const struct look *look, const struct run *run)
{
    return run != NULL && run->status == RUN_DELAYED && run->started_ms == 0 &&
           !run_has_ended(run) && !look_is_over(look, run->due_ms, run->due_is_span);
}

/* It must have been made one with that run. */
static bool was_missed(const struct look *look, const struct shadow_key *key)
{
    const struct shadow *shadow = shadow_of(look, key->target);

    return !key_is_over(look, key) && waits(look, run_now(look, key->target)) &&
           shadow != NULL && (shadow->was == NULL || waits(look, shadow->was));
}

static void joined_look(const struct look *look, const struct trigger *trigger,
                        const struct shadow_key *key)
{
    const struct run *run = run_now(look, trigger->run_id);
    struct shadow *shadow = shadow_of(look, trigger->run_id);

    if (run == NULL || shadow == NULL || key_is_over(look, key) || key->target != run->id) {
        world_flaw(look->world, "a trigger was made one with run %lld, which is not its key's",
                   (long long)trigger->run_id);
        return;
    }
    if (shadow->was != NULL && (shadow->was->started_ms != 0 || run_has_ended(shadow->was)))
        world_flaw(look->world, "a trigger was made one with run %lld, which does not wait",
                   (long long)run->id);
    if (!trigger->cached || trigger->is_new || run->bounce_ms != key->expires_ms)
        world_flaw(look->world, "run %lld has another bound than its first trigger gave it",
                   (long long)run->id);
    if (shadow->was != NULL && run->due_is_span == shadow->was->due_is_span &&
        shadow->rescheduled == NULL && run->status == RUN_DELAYED &&
        run->due_ms < shadow->was->due_ms)
        world_flaw(look->world, "run %lld starts earlier than it did", (long long)run->id);
    if (shadow->rescheduled == NULL && run->status == RUN_DELAYED && run->due_is_span &&
        run->due_ms > run->bounce_ms &&
        (shadow->was == NULL || shadow->was->due_ms != run->due_ms))
        world_flaw(look->world, "run %lld starts after its bound", (long long)run->id);
    shadow->bounced = look->model->batches;
    shadow->rescheduled = NULL;
    if (trigger->debounce.mode == DEBOUNCE_MERGE && trigger->payload.size > 0)
        shadow->input = model_keep(look, trigger->payload);
    else if (trigger->debounce.mode == DEBOUNCE_MERGE && shadow->input.size == 0)
        shadow->input = SLICE("\x80");
}

bool rule_debounced(const struct look *look, const struct trigger *trigger)
{
    struct shadow_key *key = key_of(look, KEY_DEBOUNCE, trigger->environment, trigger->task, 0,
                                    trigger->debounce.key);

    if (trigger->debounced && key != NULL)
        joined_look(look, trigger, key);
    else if (key != NULL && was_missed(look, key))
        world_flaw(look->world, "run %lld had not started, and its key has made another",
                   (long long)key->target);
    else
        key_set(look, key, trigger->run_id, trigger->debounce.most_ms);
    return trigger->debounced;
}
