/* Queues: a row each, made when first named. */
#include "engine/batch.h"

bool queue_get(struct batch *batch, uint32_t environment, struct slice name,
               struct queue **queue)
{
    if (!rows_queue_named(&batch->rows, environment, name, queue))
        return false;
    if (*queue != NULL && !(*queue)->removed)
        return true;
    if (*queue == NULL)
        *queue = rows_new_queue(&batch->rows, id_next(batch->engine->ids, batch->now_ms),
                                environment, arena_copy(batch->arena, name));
    (*queue)->created_ms = (*queue)->used_ms = batch->now_ms;
    (*queue)->removed = false;
    struct census *census = census_get(batch, environment);
    census->live++;
    census->made++;
    return true;
}

struct slice queue_name_of(struct batch *batch, const struct run *run)
{
    struct queue *queue;

    return !rows_queue(&batch->rows, run->queue, &queue) || queue == NULL ? SLICE("")
                                                                          : queue->name;
}

struct census *census_get(struct batch *batch, uint32_t environment)
{
    for (uint32_t i = 0; i < batch->census_count; i++)
        if (batch->censuses[i].environment == environment)
            return &batch->censuses[i];
    struct census *more = ARENA_ARRAY(batch->arena, struct census, batch->census_count + 1);
    if (batch->census_count > 0)
        memcpy(more, batch->censuses, batch->census_count * sizeof *more);
    batch->censuses = more;
    more[batch->census_count] = (struct census){ .environment = environment };
    return &more[batch->census_count++];
}

static struct slice task_queue(struct batch *batch, const struct catalog_task *task)
{
    return task->queue.size > 0 ? task->queue
                                : arena_format(batch->arena, "task/%.*s", SLICE_ARG(task->id));
}

/* The queues that the catalog names, in every environment: people want to see and pause them
 * before the first run comes. */
bool queues_ensure(struct batch *batch)
{
    const struct catalog *catalog = batch->catalog;
    struct queue *queue;
    bool loaded = true;

    for (int pass = 0; pass < 2 && loaded; pass++)
        for (uint32_t e = 0; e < catalog->environment_count; e++) {
            uint32_t environment = catalog->environments[e];
            for (uint32_t i = 0; i < catalog->queue_count; i++)
                loaded &= pass == 0
                              ? rows_queue_named(&batch->rows, environment,
                                                 catalog->queues[i].name, &queue)
                              : queue_get(batch, environment, catalog->queues[i].name, &queue);
            for (uint32_t i = 0; i < catalog->task_count; i++) {
                struct slice name = task_queue(batch, &catalog->tasks[i]);
                loaded &= pass == 0 ? rows_queue_named(&batch->rows, environment, name, &queue)
                                    : queue_get(batch, environment, name, &queue);
            }
        }
    return loaded;
}
