/*
 * The queue "fast" is fair, in most worlds: its tenants are said by the payload. Nobody who
 * could start is passed by more often than the others' weights allow; with many nodes, of what
 * is at home at one of them.
 */
#include "codec/expression.h"
#include "world.h"

#include <stdio.h>

enum {
    PASSED_MOST = 24 /* a start of 1 against weights of 3, two others, what was put right */
};

static const char *const tenants[] = { "one", "two", "" };

void fair_rules(struct world *world, struct arena *arena, struct queue_rules *rules)
{
    struct queue_level *level = &rules->fair.levels[WEIGHT_TENANT];
    struct expression_flaw flaw;

    if (world->weight == 0)
        return;
    rules->fair.is_said = true;
    level->by = expression_compile(arena, SLICE("payload.n == 1 ? \"one\" : \"two\""),
                                   EXPRESSION_TEXT, &flaw);
    level->weights = ARENA_NEW(arena, struct queue_weight);
    *level->weights = (struct queue_weight){ SLICE("one"), world->weight };
    level->count = 1;
}

struct slice fair_tenant_expected(const struct world *world, struct slice queue,
                                  struct slice payload, bool *is_flawed)
{
    bool is_fair = world->weight > 0 && slice_is(queue, "fast");
    bool has_number = payload.size == 4 && slice_starts(payload, "\x81\xa1n");

    *is_flawed = is_fair && !has_number;
    if (!is_fair || !has_number)
        return (struct slice){ 0 };
    return payload.data[3] == 1 ? SLICE("one") : SLICE("two");
}

/* Could a run of the tenant have started instead? */
static bool could_start(struct world *world, const struct run *started, const char *tenant)
{
    const struct catalog *catalog = engine_catalog(world->engine);
    const struct queue *queue = store_memory_queue(world->memory, started->queue);

    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++) {
        const struct run *run = store_memory_run(world->memory, i);
        uint32_t in_lane = 0;
        if (run->status != RUN_QUEUED || run->queue != started->queue || run->deaths.size > 0 ||
            run->home != started->home || !slice_is(run->tenant, tenant) ||
            rates_open_ms(world, run, queue) != 0 || pools_may_hold(world, run, queue))
            continue;
        for (uint32_t k = 0; k < store_memory_count(world->memory, ROW_RUN); k++) {
            const struct run *other = store_memory_run(world->memory, k);
            in_lane += run_is_executing(other) && other->lane == run->lane;
        }
        if (in_lane < catalog_limit_now(catalog, queue, run->concurrency_key.size > 0))
            return true;
    }
    return false;
}

void check_fair(struct world *world, const struct run *started)
{
    const struct queue *queue = store_memory_queue(world->memory, started->queue);

    if (world->weight == 0 || queue == NULL || !slice_is(queue->name, "fast") ||
        started->environment != 1)
        return;
    for (int i = 0; i < 3; i++) {
        bool is_passed =
            !slice_is(started->tenant, tenants[i]) && could_start(world, started, tenants[i]);
        world->passed_by[i] = is_passed ? world->passed_by[i] + 1 : 0;
        if (world->passed_by[i] > PASSED_MOST)
            world_flaw(world, "tenant \"%s\" was passed by %u times", tenants[i],
                       world->passed_by[i]);
    }
}
