/* Of what is due, the ids of one kind. */
#ifndef DUE_OF_H
#define DUE_OF_H

#include "engine/rows/rows.h"

static inline uint32_t due_count(const struct row_refs *due, enum row_kind kind)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < due->count; i++)
        count += due->items[i].kind == kind;
    return count;
}

/* 0: there are not so many. */
static inline int64_t due_at(const struct row_refs *due, enum row_kind kind, uint32_t at)
{
    for (uint32_t i = 0; i < due->count; i++)
        if (due->items[i].kind == kind && at-- == 0)
            return due->items[i].id;
    return 0;
}

#endif
