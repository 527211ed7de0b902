/* Conflicts: triggers that meet a run of their queue and key. */
#include "model.h"

#define TAKEN "a newer run of its key came (on_conflict)"

static uint32_t rule_of(const struct look *look, const struct run *run)
{
    bool is_keyed = run->lane != run->queue;

    const struct queue_rules *rules = world_rules(queue_name_now(look, run));

    return is_keyed && rules != world_rules(SLICE("")) && rules->collect.max == 0
               ? look->world->on_conflict
               : CONFLICT_QUEUE;
}

void rule_conflict_new(const struct look *look, const struct run *run)
{
    struct store *memory = look->world->memory;
    uint32_t rule = rule_of(look, run);

    for (uint32_t i = 0; rule != CONFLICT_QUEUE && i < store_memory_count(memory, ROW_RUN);
         i++) {
        const struct run *other = store_memory_run(memory, i);
        const struct shadow *shadow = shadow_of(look, other->id);
        const struct run *was = shadow == NULL ? NULL : shadow->was;
        if (other->lane != run->lane || other->id == run->id || was == NULL ||
            was->status == RUN_DONE || run_has_ended(other) ||
            is_part_of(look->world, run, other->id))
            continue;
        if (rule == CONFLICT_SKIP || rule == CONFLICT_CANCEL ||
            (was->started_ms == 0 && other->started_ms == 0))
            world_flaw(look->world, "run %lld was made, and run %lld of its key is there",
                       (long long)run->id, (long long)other->id);
    }
}

bool rule_conflict_skipped(const struct look *look, const struct trigger *trigger)
{
    const struct run *run = run_now(look, trigger->run_id);
    const struct shadow *shadow = shadow_of(look, trigger->run_id);

    if (trigger->is_new || !trigger->cached || run == NULL || shadow == NULL ||
        rule_of(look, run) != CONFLICT_SKIP)
        return false;
    if (run->environment != trigger->environment ||
        (shadow->was != NULL && shadow->was->status == RUN_DONE))
        world_flaw(look->world, "a trigger was answered with run %lld, which is over",
                   (long long)run->id);
    return true;
}

bool rule_replaced(const struct look *look, const struct run *run, const struct move *move)
{
    struct store *memory = look->world->memory;
    uint32_t rule = rule_of(look, run);

    if (!slice_is(move->text, TAKEN))
        return false;
    if (rule != CONFLICT_CANCEL && (rule != CONFLICT_REPLACE || run->started_ms != 0))
        world_flaw(look->world, "run %lld was replaced, which its queue does not do",
                   (long long)run->id);
    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++)
        if (store_memory_run(memory, i)->lane == run->lane &&
            (store_memory_run(memory, i)->id > run->id ||
             store_memory_run(memory, i)->batch != 0)) /* ids that were set aside before */
            return true;
    world_flaw(look->world, "run %lld was replaced by none", (long long)run->id);
    return true;
}
