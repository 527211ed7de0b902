/* Another catalog: what may run here from now on. */
#include "engine/batch.h"

void catalog_take(struct engine *engine, struct command *command)
{
    /* Lent to us until replaced; only the loop thread, which made it, may change it. */
    union {
        const struct catalog *lent;
        struct catalog *own;
    } previous = { .lent = engine->catalog };

    command->catalog.previous = previous.own;
    prune_catalog(engine, command->catalog.next);
    engine->catalog = command->catalog.next;
    engine->queues_missing = true;
    engine->node.is_relimited = true;
    for (uint32_t k = 0; k < engine->census_count; k++)
        engine->censuses[k].is_full = false;
    engine->rings.early_most = engine->catalog->early_lanes;
    pools_renew(&engine->rings, engine->catalog);
    rings_open_all(&engine->rings);
    engine->unpark_at = 0;
    engine->unpark_after = 0;
}
