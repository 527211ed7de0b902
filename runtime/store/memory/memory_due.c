/* What is due, and when the next thing will be. */
#include "base/memory.h"
#include "store/memory/memory_rows.h"
#include "store/memory/memory_store.h"

#include <stdlib.h>

/* A due row, for sorting. */
struct due_row {
    int64_t due_ms, id;
    bool is_span;
};

static int due_order(const void *a, const void *b)
{
    const struct due_row *x = a, *y = b;

    if (x->is_span != y->is_span)
        return x->is_span ? 1 : -1; /* dates first */
    return x->due_ms != y->due_ms ? rack_order_of(x->due_ms, y->due_ms)
                                  : rack_order_of(x->id, y->id);
}

static bool is_due(const struct due_row *row, const struct moment *now)
{
    return row->due_ms != 0 && row->due_ms <= (row->is_span ? now->steady_ms : now->wall_ms);
}

static struct due_row due_row(const struct rack *rack, uint32_t i, bool is_run)
{
    const struct run *run = &rack->items[i]->run;
    const struct waitpoint *waitpoint = &rack->items[i]->waitpoint;

    return is_run
               ? (struct due_row){ run->due_ms, run->id, run->due_is_span }
               : (struct due_row){ waitpoint->due_ms, waitpoint->id, waitpoint->due_is_span };
}

static void due_find(const struct rack *rack, bool is_run, const struct moment *now,
                     uint32_t limit, struct arena *arena, struct ids *ids)
{
    struct due_row *found = memory_get((rack->count + 1) * sizeof *found);
    uint32_t count = 0, taken[2] = { 0 };

    for (uint32_t i = 0; i < rack->count; i++) {
        found[count] = due_row(rack, i, is_run);
        count += is_due(&found[count], now);
    }
    qsort(found, count, sizeof *found, due_order);
    for (uint32_t i = 0; i < count; i++)
        if (taken[found[i].is_span]++ < limit)
            memory_id_add(arena, ids, found[i].id);
    free(found);
}

bool memory_due(struct store *store, const struct moment *now, uint32_t limit,
                struct arena *arena, struct due *due, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    *due = (struct due){ 0 };
    if (memory_fails(memory, err))
        return false;
    due_find(&memory->waitpoints, false, now, limit, arena, &due->waitpoints);
    due_find(&memory->runs, true, now, limit, arena, &due->runs);
    return true;
}

static void next_find(const struct rack *rack, bool is_run, struct moment *next)
{
    for (uint32_t i = 0; i < rack->count; i++) {
        struct due_row row = due_row(rack, i, is_run);
        int64_t *earliest_ms = row.is_span ? &next->steady_ms : &next->wall_ms;
        if (row.due_ms != 0 && (*earliest_ms == 0 || row.due_ms < *earliest_ms))
            *earliest_ms = row.due_ms;
    }
}

bool memory_next_due(struct store *store, struct moment *next, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    *next = (struct moment){ 0 };
    next_find(&memory->waitpoints, false, next);
    next_find(&memory->runs, true, next);
    return true;
}

/* Here a row is its own mark, so that they always agree. */
bool memory_mend_due(struct store *store, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct due *lost, struct err *err)
{
    (void)now;
    (void)limit;
    (void)arena;
    *lost = (struct due){ 0 };
    return !memory_fails(memory_of(store), err);
}

bool memory_touch(struct store *store, struct err *err)
{
    return !memory_fails(memory_of(store), err);
}

void memory_room(struct store *store, struct room *room)
{
    *room = (struct room){ .low_bytes = 1, .is_low = memory_of(store)->is_low };
}

void store_memory_low(struct store *store, bool is_low)
{
    memory_of(store)->is_low = is_low;
}
