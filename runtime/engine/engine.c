/* The engine from begin to end, and what it knows of the tasks' speed. */
#include "base/memory.h"
#include "engine/batch.h"

#include <stdlib.h>

struct engine *engine_create(struct id_source *ids)
{
    struct engine *engine = memory_zeroed(1, sizeof *engine);

    engine->ids = ids;
    rings_init(&engine->rings);
    return engine;
}

void engine_zones(struct engine *engine, const struct zone_source *zones)
{
    engine->zones = *zones;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    for (uint32_t i = 0; i < engine->short_count; i++)
        free(engine->short_tasks[i]);
    free(engine->short_tasks);
    rings_finish(&engine->rings);
    grants_finish(&engine->node);
    busy_finish(&engine->busy);
    free(engine->censuses);
    free(engine->environments);
    marks_finish(&engine->marks);
    marks_finish(&engine->marking);
    free(engine);
}

const struct catalog *engine_catalog(const struct engine *engine)
{
    return engine->catalog;
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
