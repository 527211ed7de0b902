#include "store/memory/sorted_rows.h"

#include "base/memory.h"

#include <stdlib.h>

uint32_t sorted_at(const struct sorted_rows *rows, const struct row *key, bool *found)
{
    uint32_t low = 0, high = rows->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row_order(rows->kind, rows->items[middle].row, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < rows->count && row_order(rows->kind, rows->items[low].row, key) == 0;
    return low;
}

struct row *sorted_find(const struct sorted_rows *rows, const struct row *key)
{
    bool found;
    uint32_t at = sorted_at(rows, key, &found);

    return found ? rows->items[at].row : NULL;
}

struct row *sorted_find_id(const struct sorted_rows *rows, int64_t id)
{
    uint32_t low = 0, high = rows->count;
    const struct row_field *field = &row_kinds[rows->kind].fields[0];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t other = row_number(rows->items[middle].row, field);
        if (other == id)
            return rows->items[middle].row;
        if (other < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct row *sorted_put(struct sorted_rows *rows, const struct row *row)
{
    bool found;
    uint32_t at = sorted_at(rows, row, &found);
    struct held held = { 0 };

    held.row = row_copy(rows->kind, &held.arena, row, UINT32_MAX);
    held.row->loaded = held.row->next = NULL;
    if (found) {
        arena_finish(&rows->items[at].arena);
    } else {
        if (rows->count == rows->capacity) {
            rows->capacity = rows->capacity == 0 ? 64 : rows->capacity * 2;
            rows->items = memory_grow(rows->items, rows->capacity * sizeof *rows->items);
        }
        memmove(&rows->items[at + 1], &rows->items[at],
                (rows->count - at) * sizeof *rows->items);
        rows->count++;
    }
    rows->items[at] = held;
    return held.row;
}

void sorted_drop(struct sorted_rows *rows, const struct row *key)
{
    bool found;
    uint32_t at = sorted_at(rows, key, &found);

    if (!found)
        return;
    arena_finish(&rows->items[at].arena);
    rows->count--;
    memmove(&rows->items[at], &rows->items[at + 1], (rows->count - at) * sizeof *rows->items);
}

void sorted_finish(struct sorted_rows *rows)
{
    for (uint32_t i = 0; i < rows->count; i++)
        arena_finish(&rows->items[i].arena);
    free(rows->items);
}
