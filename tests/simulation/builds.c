#include "builds.h"

#include "world.h"

enum { GAMMA = 2 };

void builds_offer(const struct world *world, struct catalog *catalog)
{
    struct catalog_task *kept = &catalog->tasks[catalog->task_count];

    if (world->builds == 0)
        return;
    *kept = catalog->tasks[GAMMA];
    kept->is_kept = true;
    kept->build = arena_format(&catalog->arena, "%016x", world->builds - 1);
    catalog->task_count++;
}

const struct catalog_task *build_expected(const struct catalog *catalog, struct slice task,
                                          struct slice build)
{
    const struct catalog_task *current = NULL;

    for (uint32_t i = 0; catalog != NULL && i < catalog->task_count; i++) {
        const struct catalog_task *entry = &catalog->tasks[i];
        if (!slice_equal(entry->id, task))
            continue;
        if (build.size > 0 && slice_equal(entry->build, build))
            return entry;
        if (!entry->is_kept)
            current = entry;
    }
    return current;
}
