/*
 * Packed rows: a row as a few bytes, the column `data`. One field after the other:
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
#ifndef PACK_ROW_H
#define PACK_ROW_H

#include "base/buffer.h"
#include "engine/rows/row.h"

/* A row's words by their numbers (names.h), at the places of their fields. */
struct row_words {
    int64_t numbers[FIELDS_MOST];
};

/* Replaces what is in `out`: the packed fields of the row. */
void row_pack(enum row_kind kind, const struct row *row, const struct row_words *words,
              struct buffer *out);
/* Into `row`, whose id is set and which is zero else; slices borrow from `data`, those of words
 * stay empty. False: the bytes are damaged. */
bool row_unpack(enum row_kind kind, struct slice data, struct row *row,
                struct row_words *words);

#endif
