/* Rows of one kind, sorted by their keys, each with memory of its own. */
#ifndef SORTED_ROWS_H
#define SORTED_ROWS_H

#include "base/arena.h"
#include "engine/rows/rows.h"

struct held {
    struct arena arena; /* of the row and all that it holds */
    struct row *row;
};

struct sorted_rows {
    enum row_kind kind;
    struct held *items;
    uint32_t count, capacity;
};

/* Where the row with that key is, or belongs. */
uint32_t sorted_at(const struct sorted_rows *rows, const struct row *key, bool *found);
/* NULL when absent. */
struct row *sorted_find(const struct sorted_rows *rows, const struct row *key);
struct row *sorted_find_id(const struct sorted_rows *rows, int64_t id);
/* Keeps a copy, in place of the one with its key. */
struct row *sorted_put(struct sorted_rows *rows, const struct row *row);
void sorted_drop(struct sorted_rows *rows, const struct row *key);
void sorted_finish(struct sorted_rows *rows);

#define EACH_SORTED(rows, type, each)                                                       \
    for (uint32_t at_##each = 0; at_##each < (rows)->count; at_##each++)                    \
        for (struct type *each = (struct type *)(rows)->items[at_##each].row; each != NULL; \
             each = NULL)

#endif
