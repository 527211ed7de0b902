#include "engine/builds/builds.h"

#include "base/table.h"
#include "engine/batch.h"

enum { HEIRS_MOST = 16 };

/* The first of the task's entries: they stand together, the current one first. */
static const struct catalog_task *entries_of(const struct catalog *catalog, struct slice id,
                                             uint32_t *count)
{
    uint32_t low = 0, high = catalog == NULL ? 0 : catalog->task_count;

    *count = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (slice_compare(catalog->tasks[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (catalog != NULL && low + *count < catalog->task_count &&
           slice_equal(catalog->tasks[low + *count].id, id))
        ++*count;
    return *count == 0 ? NULL : &catalog->tasks[low];
}

const struct catalog_task *catalog_task_any(const struct catalog *catalog, struct slice id)
{
    uint32_t count;

    return entries_of(catalog, id, &count);
}

const struct catalog_task *catalog_task(const struct catalog *catalog, struct slice id)
{
    uint32_t count;
    const struct catalog_task *first = entries_of(catalog, id, &count);

    return first == NULL || first->is_kept ? NULL : first;
}

const struct catalog_task *catalog_task_built(const struct catalog *catalog, struct slice id,
                                              struct slice build)
{
    uint32_t count;
    const struct catalog_task *first = entries_of(catalog, id, &count);

    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(first[i].build, build))
            return &first[i];
    return NULL;
}

const struct catalog_task *catalog_task_version(const struct catalog *catalog, struct slice id,
                                                struct slice version)
{
    uint32_t count;
    const struct catalog_task *first = entries_of(catalog, id, &count);

    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(first[i].version, version))
            return &first[i];
    return NULL;
}

const struct catalog_task *catalog_task_of(const struct catalog *catalog, const struct run *run)
{
    const struct catalog_task *current = catalog_task(catalog, run->task), *locked;
    struct slice build = run->build;

    if (build.size == 0 || (current != NULL && current->follows) ||
        (current != NULL && slice_equal(current->build, build)))
        return current;
    locked = catalog_task_built(catalog, run->task, build);
    for (int i = 0; locked != NULL && locked->heir.size > 0 && i < HEIRS_MOST; i++) {
        const struct catalog_task *heir = catalog_task_built(catalog, run->task, locked->heir);
        if (heir == NULL)
            break;
        locked = heir;
    }
    return locked != NULL ? locked : current;
}

uint32_t ramp_share(const struct catalog_task *task, int64_t now_ms)
{
    uint32_t share = task->ramp_percent * (RAMP_WHOLE / 100);
    int64_t passed_ms = now_ms - task->ramp_from_ms;

    if (share == 0)
        return RAMP_WHOLE;
    if (task->ramp_ms == 0 || passed_ms <= 0)
        return share;
    return passed_ms >= task->ramp_ms
               ? RAMP_WHOLE
               : share + (uint32_t)((double)(RAMP_WHOLE - share) * (double)passed_ms /
                                    (double)task->ramp_ms);
}

const struct catalog_task *catalog_task_start(const struct catalog *catalog,
                                              const struct run *run, int64_t now_ms)
{
    const struct catalog_task *task = catalog_task_of(catalog, run);
    uint32_t count;

    if (task == NULL || run->build.size > 0 || task->ramp_percent == 0)
        return task;
    if (table_hash((struct slice){ (const char *)&run->id, sizeof run->id }, 0) % RAMP_WHOLE <
        ramp_share(task, now_ms))
        return task;
    const struct catalog_task *first = entries_of(catalog, run->task, &count);
    for (uint32_t i = 1; i < count; i++) /* the next by rank */
        if (first[i].rank_ms != 0 && first[i].available &&
            catalog_has_segment(&first[i], run->segment))
            return &first[i];
    return task;
}

void build_lock(struct batch *batch, const struct trigger *trigger, const struct run *parent,
                struct run *run)
{
    const struct catalog_task *task = NULL;

    if (trigger->version.size > 0)
        task = catalog_task_version(batch->catalog, trigger->task, trigger->version);
    else if (parent != NULL && parent->build.size > 0 && !trigger->is_outside)
        task = catalog_task_built(batch->catalog, trigger->task, parent->build);
    if (task != NULL) {
        run->build = arena_copy(batch->arena, task->build);
        run->version = arena_copy(batch->arena, task->version);
    }
}
