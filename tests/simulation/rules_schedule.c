/* Runs that schedules have made: as their triggers say. */
#include "config/queue_rules.h"
#include "engine/schedules/backfill.h"
#include "model.h"

void rule_scheduled(const struct look *look)
{
    struct store *memory = look->world->memory;

    for (uint32_t i = 0; i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(memory, i);
        if (run->schedule == 0 || shadow_of(look, run->id) != NULL)
            continue;
        struct command *command = ARENA_NEW(&look->model->arena, struct command);
        *command = (struct command){
            .kind = COMMAND_TRIGGER,
            .trigger = { .environment = run->environment,
                         .task = model_keep(look, run->task),
                         .payload = model_keep(look, run->input),
                         .key = model_keep(look, run->key_text),
                         .key_global = true,
                         .reuse = REUSE_MASK,
                         .priority_ms = run->is_backfill ? BACKFILL_PRIORITY_MS : 0,
                         .has_priority = run->is_backfill,
                         .note = SLICE("a tick"),
                         .is_accepted = true, /* what is due comes before all commands */
                         .run_id = run->id,
                         .is_new = true },
        };
        rule_made(look, command);
    }
}

static bool cancels(struct slice packed)
{
    struct schedule_rules rules;
    struct arena arena = { 0 };
    bool is_so = packed.size > 0 && schedule_rules_unpack(&arena, packed, &rules) &&
                 rules.overlap == OVERLAP_CANCEL_RUNNING;

    arena_finish(&arena);
    return is_so;
}

/* A newer run of its schedule came, which says so, or did before this batch. */
bool rule_schedule_cancels(const struct look *look, const struct run *run)
{
    struct store *memory = look->world->memory;
    const struct schedule *row =
        (const struct schedule *)store_memory_get(memory, ROW_SCHEDULE, run->schedule);
    bool may = row != NULL && cancels(row->rules), has_newer = false;

    for (uint32_t i = 0; i < look->world->schedules.count; i++)
        may |= look->world->schedules.items[i].id == run->schedule &&
               cancels(look->world->schedules.items[i].packed);
    for (uint32_t i = 0; run->schedule != 0 && i < store_memory_count(memory, ROW_RUN); i++) {
        const struct run *other = store_memory_run(memory, i);
        const struct shadow *shadow = shadow_of(look, other->id);
        has_newer |= other->schedule == run->schedule && other->id != run->id &&
                     !other->is_backfill && shadow != NULL && shadow->was == NULL;
    }
    return may && has_newer;
}
