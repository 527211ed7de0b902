/*
 * Fields: a row as a few bytes, the column `data`. One field after the other:
 *
 *   u8 number << 1       zigzag varint
 *   u8 number << 1 | 1   varint size, bytes
 *
 * Zero and empty fields are left out, times are kept as distances from the creation and ids
 * from the row's own id, so a field mostly takes two or three bytes, and SQLite handles two
 * values a row instead of forty (measured: an insert and a load cost half). Field numbers are
 * stored: never reused. A reader skips numbers it does not know, and a field that is missing is
 * zero: so a field is added or dropped without touching a row.
 */
#ifndef FIELDS_SQLITE_H
#define FIELDS_SQLITE_H

#include "base/buffer.h"
#include "engine/rows/row.h"

/* Words by their numbers (names.h). */
struct run_words {
    int64_t task, segment, version, build;
};

struct waitpoint_words {
    int64_t task, schema;
};

/* Replaces what is in `out`. All but id and big parts; the task's word says the environment. */
void run_pack(struct buffer *out, const struct run *run, const struct run_words *words);
/* Into `run`, whose id is set; slices borrow from `data`. False: the bytes are damaged. */
bool run_unpack(struct slice data, struct run *run, struct run_words *words);

/* All but id and result. */
void waitpoint_pack(struct buffer *out, const struct waitpoint *waitpoint,
                    const struct waitpoint_words *words);
bool waitpoint_unpack(struct slice data, struct waitpoint *waitpoint,
                      struct waitpoint_words *words);

#endif
