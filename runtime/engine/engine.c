/* What the engine remembers between batches: hints. */
#include "base/memory.h"
#include "batch.h"

#include <stdlib.h>

struct engine *engine_create(struct id_source *ids)
{
    struct engine *engine = memory_zeroed(1, sizeof *engine);

    engine->ids = ids;
    return engine;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (uint32_t i = 0; i < engine->short_count; i++)
        free(engine->short_tasks[i]);
    free(engine->short_tasks);
    free(engine->backlog);
    free(engine);
}

const struct catalog *engine_catalog(const struct engine *engine)
{
    return engine->catalog;
}

bool engine_backlog_has(const struct engine *engine, int64_t queue)
{
    for (uint32_t i = 0; i < engine->backlog_count; i++)
        if (engine->backlog[i].queue == queue)
            return true;
    return false;
}

void engine_backlog_add(struct engine *engine, int64_t queue)
{
    if (engine_backlog_has(engine, queue))
        return;
    if (engine->backlog_count == engine->backlog_capacity) {
        engine->backlog_capacity =
            engine->backlog_capacity == 0 ? 16 : engine->backlog_capacity * 2;
        engine->backlog =
            memory_grow(engine->backlog, engine->backlog_capacity * sizeof *engine->backlog);
    }
    engine->backlog[engine->backlog_count++] = (struct backlog){ queue, engine->round - 1 };
}

void engine_backlog_drop(struct engine *engine, int64_t queue)
{
    for (uint32_t i = 0; i < engine->backlog_count; i++)
        if (engine->backlog[i].queue == queue) {
            engine->backlog[i] = engine->backlog[--engine->backlog_count];
            return;
        }
}

void engine_backlog(struct engine *engine, const struct ids *queues)
{
    for (uint32_t i = 0; i < queues->count; i++)
        engine_backlog_add(engine, queues->items[i]);
}

void engine_queues(struct engine *engine, uint32_t count)
{
    engine->queue_count = count;
}

void engine_short_set(struct engine *engine, struct slice task, bool is_short)
{
    for (uint32_t i = 0; i < engine->short_count; i++)
        if (slice_is(task, engine->short_tasks[i])) {
            if (is_short)
                return;
            free(engine->short_tasks[i]);
            engine->short_tasks[i] = engine->short_tasks[--engine->short_count];
            return;
        }
    if (!is_short)
        return;
    engine->short_tasks =
        memory_grow(engine->short_tasks, (engine->short_count + 1) * sizeof(char *));
    char *name = memory_get(task.size + 1);
    memcpy(name, task.data, task.size);
    name[task.size] = '\0';
    engine->short_tasks[engine->short_count++] = name;
}
