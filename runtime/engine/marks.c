#include "engine/marks.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Of a million ids it holds one in twenty others by mistake. Memory that no mark was put in is
 * never touched. */
enum { MARK_BITS = 1 << 23, MARK_HASHES = 2, WORD_BITS = 64 };

void marks_begin(struct marks *marks, int64_t since_ms)
{
    marks_finish(marks);
    marks->bits = memory_zeroed(MARK_BITS / WORD_BITS, sizeof *marks->bits);
    marks->salt = (uint64_t)since_ms;
    marks->since_ms = since_ms;
}

void marks_finish(struct marks *marks)
{
    free(marks->bits);
    *marks = (struct marks){ 0 };
}

static uint32_t mark_at(const struct marks *marks, int64_t id, uint32_t which)
{
    uint64_t hash = ((uint64_t)id ^ marks->salt << 20) * UINT64_C(0x9e3779b97f4a7c15);

    hash = (hash ^ hash >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(hash >> (which * 30)) % MARK_BITS;
}

void marks_add(struct marks *marks, int64_t id)
{
    for (uint32_t i = 0; i < MARK_HASHES; i++) {
        uint32_t at = mark_at(marks, id, i);
        marks->bits[at / WORD_BITS] |= UINT64_C(1) << at % WORD_BITS;
    }
}

bool marks_have(const struct marks *marks, int64_t id)
{
    bool has = marks->bits != NULL;

    for (uint32_t i = 0; has && i < MARK_HASHES; i++) {
        uint32_t at = mark_at(marks, id, i);
        has = (marks->bits[at / WORD_BITS] >> at % WORD_BITS & 1) != 0;
    }
    return has;
}
