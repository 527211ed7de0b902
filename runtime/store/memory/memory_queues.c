/* Queues of the memory store: those that may go, and a look at them. */
#include "base/memory.h"
#include "store/memory/memory_rows.h"
#include "store/memory/memory_store.h"

#include <stdlib.h>

/* One that was canceled has its place until its segment has returned. */
static bool has_live_run(const struct memory_store *memory, int64_t queue)
{
    for (uint32_t k = 0; k < memory->runs.count; k++) {
        const struct run *run = &memory->runs.items[k]->run;
        if (run->queue == queue && (run->status != RUN_DONE || run->is_out))
            return true;
    }
    return false;
}

static int used_order(const void *a, const void *b)
{
    const struct queue *x = *(const struct queue *const *)a,
                       *y = *(const struct queue *const *)b;

    return x->used_ms != y->used_ms ? rack_order_of(x->used_ms, y->used_ms)
                                    : rack_order_of(x->id, y->id);
}

void memory_load_idle(struct memory_store *memory, struct rows *rows,
                      const struct idle_want *want)
{
    const struct queue **found = memory_get((memory->queues.count + 1) * sizeof *found);
    uint32_t live = 0, count = 0;

    for (uint32_t k = 0; k < memory->queues.count; k++) {
        const struct queue *queue = &memory->queues.items[k]->queue;
        if (queue->environment != want->environment || queue->is_removed ||
            queue->name.size == 0)
            continue;
        live++;
        if (!queue->paused && !has_live_run(memory, queue->id))
            found[count++] = queue;
    }
    if (count > 1)
        qsort(found, count, sizeof *found, used_order);
    rows_put_live(rows, want->environment, live);
    for (uint32_t k = 0; k < count && k < want->limit; k++) {
        struct queue lent = *found[k];
        lent.name = arena_copy(rows->arena, lent.name);
        rows_put_idle(rows, want->environment, &lent);
    }
    free(found);
}

const struct queue *store_memory_queue(struct store *store, int64_t id)
{
    struct held wanted = { .queue.id = id };
    struct held *held = rack_find(&memory_of(store)->queues, &wanted);

    return held == NULL ? NULL : &held->queue;
}

uint32_t store_memory_queues(struct store *store)
{
    return memory_of(store)->queues.count;
}

const struct queue *store_memory_queue_at(struct store *store, uint32_t index)
{
    return &memory_of(store)->queues.items[index]->queue;
}
