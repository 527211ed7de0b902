/*
 * Hints: what the engine remembers between batches, to save looking. Each could be computed
 * again from the rows, and none of them changes before the commit of the batch that found it
 * out: a batch that fails has changed nothing, and leaves everything to be looked at again.
 */
#include "base/memory.h"
#include "engine/batch.h"

enum { SWEEP_MS = 60000 /* between looks for queues that may go */ };

uint32_t engine_backlog_from(const struct engine *engine, int64_t queue)
{
    uint32_t low = 0, high = engine->backlog_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (engine->backlog[middle].queue < queue)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct backlog *backlog_find(const struct engine *engine, int64_t queue)
{
    uint32_t at = engine_backlog_from(engine, queue);

    return at < engine->backlog_count && engine->backlog[at].queue == queue
               ? &engine->backlog[at]
               : NULL;
}

bool engine_backlog_has(const struct engine *engine, int64_t queue)
{
    return backlog_find(engine, queue) != NULL;
}

static void backlog_add(struct engine *engine, int64_t queue, uint32_t environment)
{
    uint32_t at = engine_backlog_from(engine, queue);

    if (at < engine->backlog_count && engine->backlog[at].queue == queue) {
        if (environment != 0)
            engine->backlog[at].environment = environment;
        return;
    }
    if (engine->backlog_count == engine->backlog_capacity) {
        engine->backlog_capacity =
            engine->backlog_capacity == 0 ? 16 : engine->backlog_capacity * 2;
        engine->backlog =
            memory_grow(engine->backlog, engine->backlog_capacity * sizeof *engine->backlog);
    }
    memmove(&engine->backlog[at + 1], &engine->backlog[at],
            (engine->backlog_count++ - at) * sizeof *engine->backlog);
    engine->backlog[at] = (struct backlog){ queue, engine->round - 1, environment };
}

static void backlog_drop(struct engine *engine, int64_t queue)
{
    struct backlog *backlog = backlog_find(engine, queue);

    if (backlog == NULL)
        return;
    size_t behind = (size_t)(engine->backlog + engine->backlog_count - backlog - 1);
    memmove(backlog, backlog + 1, behind * sizeof *backlog);
    engine->backlog_count--;
}

void engine_backlog(struct engine *engine, const struct ids *queues)
{
    for (uint32_t i = 0; i < queues->count; i++)
        backlog_add(engine, queues->items[i], 0);
}

void censuses_lend(struct batch *batch)
{
    const struct engine *engine = batch->engine;

    batch->census_count = engine->census_count;
    batch->censuses = ARENA_ARRAY(batch->arena, struct census, engine->census_count + 1);
    for (uint32_t i = 0; i < engine->census_count; i++) {
        batch->censuses[i] = engine->censuses[i];
        batch->censuses[i].made = 0;
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

/* As far as the batch knows it. */
static uint32_t environment_of(struct batch *batch, int64_t queue)
{
    struct queue *row;

    (void)rows_queue(&batch->rows, queue, &row);
    return row == NULL ? 0 : row->environment;
}

void hints_commit(struct batch *batch)
{
    struct engine *engine = batch->engine;

    engine->queues_missing = false;
    engine->suspect = batch->suspect;
    engine->suspect_count = batch->suspect_count;
    censuses_keep(batch);
    if (batch->is_sweep) {
        int64_t idle_ms = batch->catalog->limits.idle_queue_ms;
        engine->sweep_ms = batch->now_ms + (idle_ms < SWEEP_MS ? idle_ms : SWEEP_MS);
        engine->sweep_at++;
    }
    engine->unpark_at = batch->unpark_next;
    engine->unpark_after = batch->unpark_after;
    engine->backlog_at = batch->backlog_at;
    engine->round = batch->round;
    for (uint32_t i = 0; i < batch->backlog_looked.count; i++)
        backlog_find(engine, batch->backlog_looked.items[i])->round = batch->looked_round;
    for (uint32_t i = 0; i < batch->backlog_add.count; i++)
        backlog_add(engine, batch->backlog_add.items[i],
                    environment_of(batch, batch->backlog_add.items[i]));
    for (uint32_t i = 0; i < batch->backlog_drop.count; i++)
        backlog_drop(engine, batch->backlog_drop.items[i]);
}

/* A catalog that came with it is in use all the same, and may have opened any of them. */
void hints_drop(struct batch *batch)
{
    batch->engine->round++;
}
