/* What is due, and when the next thing will be. */
#include "base/memory.h"
#include "store/memory/memory_rows.h"

#include <stdlib.h>

/* A due row, for sorting. */
struct due_row {
    int64_t due_ms, id;
};

static int due_order(const void *a, const void *b)
{
    const struct due_row *x = a, *y = b;

    return x->due_ms != y->due_ms ? rack_order_of(x->due_ms, y->due_ms)
                                  : rack_order_of(x->id, y->id);
}

static void due_take(struct arena *arena, struct due_row *found, uint32_t count, uint32_t limit,
                     struct ids *ids)
{
    if (count > 1)
        qsort(found, count, sizeof *found, due_order);
    for (uint32_t i = 0; i < count && i < limit; i++)
        memory_id_add(arena, ids, found[i].id);
}

bool memory_due(struct store *store, int64_t now_ms, uint32_t limit, struct arena *arena,
                struct due *due, struct err *err)
{
    struct memory_store *memory = memory_of(store);
    uint32_t count = 0, most = memory->waitpoints.count + memory->runs.count;

    if (memory_fails(memory, err))
        return false;
    struct due_row *found = memory_get(most * sizeof *found);
    for (uint32_t i = 0; i < memory->waitpoints.count; i++) {
        const struct waitpoint *row = &memory->waitpoints.items[i]->waitpoint;
        if (row->due_ms > 0 && row->due_ms <= now_ms)
            found[count++] = (struct due_row){ row->due_ms, row->id };
    }
    due_take(arena, found, count, limit, &due->waitpoints);
    count = 0;
    for (uint32_t i = 0; i < memory->runs.count; i++) {
        const struct run *run = &memory->runs.items[i]->run;
        if (run->due_ms > 0 && run->due_ms <= now_ms)
            found[count++] = (struct due_row){ run->due_ms, run->id };
    }
    due_take(arena, found, count, limit, &due->runs);
    free(found);
    return true;
}

bool memory_next_due(struct store *store, int64_t *due_ms, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    *due_ms = 0;
    for (uint32_t i = 0; i < memory->waitpoints.count; i++) {
        const struct waitpoint *row = &memory->waitpoints.items[i]->waitpoint;
        if (row->due_ms > 0 && (*due_ms == 0 || row->due_ms < *due_ms))
            *due_ms = row->due_ms;
    }
    for (uint32_t i = 0; i < memory->runs.count; i++) {
        const struct run *run = &memory->runs.items[i]->run;
        if (run->due_ms > 0 && (*due_ms == 0 || run->due_ms < *due_ms))
            *due_ms = run->due_ms;
    }
    return true;
}
