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
    free(engine->backlog.items);
    free(engine);
}

const struct catalog *engine_catalog(const struct engine *engine)
{
    return engine->catalog;
}

void engine_backlog_add(struct engine *engine, int64_t queue)
{
    struct ids *backlog = &engine->backlog;

    for (uint32_t i = 0; i < backlog->count; i++)
        if (backlog->items[i] == queue)
            return;
    if (backlog->count == backlog->capacity) {
        backlog->capacity = backlog->capacity == 0 ? 16 : backlog->capacity * 2;
        backlog->items =
            memory_grow(backlog->items, backlog->capacity * sizeof *backlog->items);
    }
    backlog->items[backlog->count++] = queue;
}

void engine_backlog_drop(struct engine *engine, int64_t queue)
{
    struct ids *backlog = &engine->backlog;

    for (uint32_t i = 0; i < backlog->count; i++)
        if (backlog->items[i] == queue) {
            backlog->items[i] = backlog->items[--backlog->count];
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
