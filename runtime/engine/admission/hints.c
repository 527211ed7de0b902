/*
 * Hints: what the engine remembers between batches, to save looking. Each could be computed
 * again from the rows, and none of them changes before the commit of the batch that found it
 * out: a batch that fails has changed nothing, and leaves everything to be looked at again.
 */
#include "base/memory.h"
#include "engine/batch.h"

enum { SWEEP_MS = 60000 /* between looks for queues that may go */ };

void engine_backlog(struct engine *engine, const struct ids *queues)
{
    for (uint32_t i = 0; i < queues->count; i++) {
        struct queue_hint *queue = rings_queue_add(&engine->rings, queues->items[i], 0);
        rings_queue_forget(&engine->rings, queue);
        rings_settle(&engine->rings, queue, 0);
    }
}

void censuses_lend(struct batch *batch)
{
    const struct engine *engine = batch->engine;

    batch->census_count = engine->census_count;
    batch->censuses = ARENA_ARRAY(batch->arena, struct census, engine->census_count + 1);
    for (uint32_t i = 0; i < engine->census_count; i++) {
        batch->censuses[i] = engine->censuses[i];
        batch->censuses[i].made = 0;
        if (!node_is_alone(&engine->node)) /* others make and remove them, too */
            batch->censuses[i].is_counted = batch->censuses[i].is_full = false;
    }
}

static void censuses_keep(const struct batch *batch)
{
    struct engine *engine = batch->engine;
    size_t size = batch->census_count * sizeof *engine->censuses;

    if (batch->census_count > engine->census_count)
        engine->censuses = memory_grow(engine->censuses, size);
    if (size > 0)
        memcpy(engine->censuses, batch->censuses, size);
    engine->census_count = batch->census_count;
}

static void environments_keep(struct batch *batch)
{
    struct engine *engine = batch->engine;

    EACH_ROW(&batch->rows, ROW_ENVIRONMENT, environment, row)
    {
        uint32_t at = 0;
        while (at < engine->environment_count && engine->environments[at].number != row->number)
            at++;
        if (at == engine->environment_count)
            engine->environments =
                memory_grow(engine->environments,
                            ++engine->environment_count * sizeof *engine->environments);
        struct environment *seen = &engine->environments[at];
        *seen = *row;
        seen->row = (struct row){ 0 };
        seen->name = seen->paused_by = seen->paused_why = (struct slice){ 0 };
    }
}

void hints_commit(struct batch *batch)
{
    struct engine *engine = batch->engine;

    engine->queues_missing = false;
    engine->suspect = batch->admission.suspect;
    censuses_keep(batch);
    environments_keep(batch);
    if (batch->is_sweep) {
        int64_t idle_ms = batch->catalog->limits.idle_queue_ms;
        engine->sweep_ms = batch->now_ms + (idle_ms < SWEEP_MS ? idle_ms : SWEEP_MS);
        engine->sweep_at++;
    }
    if (batch->is_lane_sweep) {
        engine->lane_sweep_ms = batch->now_ms + (batch->has_more_lanes ? 0 : SWEEP_MS);
        engine->lane_sweep_after = batch->has_more_lanes ? batch->lane_swept : 0;
    }
    engine->unpark_at = batch->unpark_next;
    engine->unpark_after = batch->unpark_after;
    prune_commit(batch);
    admission_keep(batch);
    minutes_keep(batch);
    node_committed(batch);
}
