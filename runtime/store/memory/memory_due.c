/* What is due, and when the next thing will be. */
#include "base/memory.h"
#include "store/memory/memory_rows.h"
#include "store/memory/memory_store.h"
#include "store/timers.h"

#include <stdlib.h>

/* A due row, for sorting; one that is due by both clocks is two. */
struct due_row {
    int64_t due_ms, id;
    bool is_span;
};

static int due_order(const void *a, const void *b)
{
    const struct due_row *x = a, *y = b;

    if (x->is_span != y->is_span)
        return x->is_span ? 1 : -1; /* dates first */
    if (x->due_ms != y->due_ms)
        return x->due_ms > y->due_ms ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static struct due_row due_row(const struct sorted_rows *rows, uint32_t i, bool is_span)
{
    const struct row *row = rows->items[i].row;

    return (struct due_row){ .id = row_number(row, &row_kinds[rows->kind].fields[0]),
                             .due_ms = row_due(rows->kind, row, is_span),
                             .is_span = is_span };
}

static void due_find(const struct sorted_rows *rows, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct row_refs *refs)
{
    struct due_row *found = memory_get((rows->count * 2 + 1) * sizeof *found);
    uint32_t count = 0, taken[2] = { 0 };

    for (uint32_t i = 0; i < rows->count * 2; i++) {
        struct due_row *due = &found[count];
        *due = due_row(rows, i / 2, i % 2 == 1);
        count +=
            due->due_ms != 0 && due->due_ms <= (due->is_span ? now->steady_ms : now->wall_ms);
    }
    qsort(found, count, sizeof *found, due_order);
    for (uint32_t i = 0; i < count; i++)
        if (taken[found[i].is_span]++ < limit)
            row_refs_add(arena, refs, rows->kind, found[i].id);
    free(found);
}

bool memory_due(struct store *store, const struct moment *now, uint32_t limit,
                struct arena *arena, struct row_refs *due, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    *due = (struct row_refs){ 0 };
    if (memory_fails(memory, err))
        return false;
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        if (row_kinds[kind].due != NULL)
            due_find(&memory->db->rows[kind], now, limit, arena, due);
    return true;
}

bool memory_next_due(struct store *store, struct moment *next, struct err *err)
{
    struct memory_store *memory = memory_of(store);

    (void)err; /* looking at memory cannot fail */
    *next = (struct moment){ 0 };
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        for (uint32_t i = 0;
             row_kinds[kind].due != NULL && i < memory->db->rows[kind].count * 2; i++) {
            struct due_row row = due_row(&memory->db->rows[kind], i / 2, i % 2 == 1);
            int64_t *earliest_ms = row.is_span ? &next->steady_ms : &next->wall_ms;
            if (row.due_ms != 0 && (*earliest_ms == 0 || row.due_ms < *earliest_ms))
                *earliest_ms = row.due_ms;
        }
    return true;
}

/* Here a row is its own mark, so that they always agree. */
bool memory_mend_due(struct store *store, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct row_refs *lost, struct err *err)
{
    (void)now;
    (void)limit;
    (void)arena;
    *lost = (struct row_refs){ 0 };
    return !memory_fails(memory_of(store), err);
}

bool memory_touch(struct store *store, struct err *err)
{
    return !memory_fails(memory_of(store), err);
}

void memory_now(struct store *store, struct moment *now)
{
    (void)store;
    *now = moment_now();
}

void memory_room(struct store *store, struct room *room)
{
    *room = (struct room){ .low_bytes = 1, .is_low = memory_of(store)->is_low };
}

void store_memory_low(struct store *store, bool is_low)
{
    memory_of(store)->is_low = is_low;
}
