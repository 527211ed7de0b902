/*
 * Kinds of rows, each described once. A descriptor says what a row's key is, which fields it
 * has and of which sort, what of it is big, and what it is found by. Loading, comparing,
 * flushing, the memory store, the SQL of a database and the simulation's walk are driven by it:
 * a new kind is a list in fields.h, a line in kind.c, its rules in the engine, and a migration.
 */
#ifndef KIND_H
#define KIND_H

#include "base/arena.h"
#include "engine/rows/fields.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of those that are due at once, the ones of the first kind come first. */
enum row_kind {
    ROW_WAITPOINT,
    ROW_RUN,
    ROW_ENVIRONMENT,
    ROW_QUEUE,
    ROW_LANE,
    ROW_NODE,
    ROW_GRANT,
    ROW_RATE,
    ROW_KEY,
    ROW_EDGE,
    ROW_LOG_LINE,
    ROW_QUEUE_MINUTE,
    ROW_BATCH,
    ROW_BATCH_ITEM,
    ROW_SCHEDULE,
    ROW_BULK_ACTION,
    ROW_BUILD,
    ROW_KINDS
};

/* What each row begins with. */
struct row {
    struct row *next;         /* of its kind in the batch */
    const struct row *loaded; /* as it is in the store; NULL: it is new */
    uint32_t version, leans;  /* in a store of many writers: changes of it, and batches that
                                 leaned on it as it was */
    uint32_t parts;           /* of the big fields: loaded (absent ones are empty) or set */
    uint32_t dirty_parts;     /* to be written; an empty slice deletes */
    bool is_held;             /* nobody else may have changed it, whatever its kind */
    bool is_deleted;          /* to be */
};

enum field_type {
    FIELD_NONE,
    FIELD_ID,      /* int64_t: the key, time-ordered */
    FIELD_CREATED, /* int64_t: usually the time that is in the id */
    FIELD_COUNT,   /* uint32_t */
    FIELD_NUMBER,  /* int64_t */
    FIELD_FLAG,    /* bool */
    FIELD_TIME,    /* int64_t, 0: none */
    FIELD_REF,     /* int64_t: another row's id, 0: none */
    FIELD_SAME,    /* int64_t: another row's id, usually that of the field before it */
    FIELD_SUM,     /* int64_t: is changed by what is added to it, whoever else does */
    FIELD_MOST,    /* int64_t: only grows; the largest of all is kept */
    FIELD_RAW,     /* uint8_t[] */
    /* Slices: */
    FIELD_BYTES,
    FIELD_TEXT,
    FIELD_WORD,   /* text that repeats in many rows */
    FIELD_TASK,   /* the same; it is the row's environment's own */
    FIELD_BESIDE, /* bytes in a column of their own */
    FIELD_PART,   /* bytes that are big: loaded when asked for, each in a table of its own */
    FIELD_PLACE   /* uint32_t: the environment, which is told with the task */
};

struct row_field {
    uint8_t number; /* as stored; 0: not among the packed ones */
    uint8_t type;
    uint16_t offset, size;
    const char *name;
};

/* Where a row stands in an index: at these values, as many as it has columns. */
struct index_at {
    int64_t values[3];
};

/* What rows of a kind are found by: a table of values and the row's id, beside the rows. */
struct row_index {
    const char *table, *words;    /* words: for an error */
    const char *columns[3];       /* NULL: no more */
    const struct row_field *word; /* the first value is this field's number as a word */
    /* Instead of `at`: labels.h. NULL: none; members: no metadata. */
    const struct row_field *tags, *members;
    /* False: it is not in it. NULL values stay 0. */
    bool (*at)(const struct row *row, struct index_at *at);
};

enum { INDEXES_MOST = 12, FIELDS_MOST = 128, NUMBERS_MOST = 128 };

/* Places in a kind's fields, a bit each. */
__extension__ typedef unsigned __int128 field_set;

/* A new row of a key that is there already: */
enum row_again {
    AGAIN_FAILS,
    AGAIN_IGNORED,
    AGAIN_REPLACES,
    AGAIN_ADDS /* its sums are added */
};

struct kind {
    const char *name;   /* of the table, and in errors */
    const char *key;    /* column that others call it by: "run_id" */
    uint16_t size;      /* of the struct */
    uint16_t from, to;  /* what is durable of it, but for the parts: in one piece */
    uint8_t key_fields; /* the first so many are the key */
    bool is_locked;     /* from its load to the commit nobody else may have changed it */
    bool is_packed;     /* stored as its id and packed fields, else in columns */
    enum row_again again;
    uint8_t field_count, index_count;
    uint8_t part_count;
    const struct row_field *fields, *parts; /* parts[i] is bit i of a row's `parts` */
    const uint8_t *at; /* number of a field → its place in `fields` and 1 */
    /* Of the packed ones, words, columns beside them, SAME ones, and what is added to. */
    field_set packed, words, beside, same, sums;
    const struct row_index *indexes;
    /* Found by two fields besides its key, one of them a text; NULL: by none. */
    const struct row_field *scope, *title;
    const struct row_field *due;         /* NULL: it is never due */
    const struct row_field *due_is_span; /* NULL: it goes by dates */
    int64_t (*also_due)(
        const struct row *row);          /* then as well, by the steady clock; NULL: never */
    const struct row_field *environment; /* of its words */
    bool (*is_sound)(const struct row *row); /* as it was read; NULL: always */
};

extern const struct kind row_kinds[ROW_KINDS];

static inline void *row_at(const struct row *row, const struct row_field *field)
{
    return (char *)(uintptr_t)row + field->offset;
}

static inline bool field_is_slice(const struct row_field *field)
{
    return field->type >= FIELD_BYTES && field->type <= FIELD_PART;
}

/* A number, count, flag or time; 0 for what is none. */
static inline int64_t row_number(const struct row *row, const struct row_field *field)
{
    const void *at = row_at(row, field);

    if (field_is_slice(field) || field->type == FIELD_RAW)
        return 0;
    if (field->size == sizeof(int64_t))
        return *(const int64_t *)at;
    return field->size == sizeof(uint32_t) ? *(const uint32_t *)at : *(const bool *)at;
}

/* A slice field's; the bytes of a raw one; else empty. */
static inline struct slice row_slice(const struct row *row, const struct row_field *field)
{
    if (field_is_slice(field))
        return *(const struct slice *)row_at(row, field);
    return field->type == FIELD_RAW ? (struct slice){ row_at(row, field), field->size }
                                    : (struct slice){ 0 };
}

void row_set_number(struct row *row, const struct row_field *field, int64_t number);
void row_set_slice(struct row *row, const struct row_field *field, struct slice slice);

/* The place of the lowest bit that is set, which is taken away. */
static inline int field_take(field_set *bits)
{
    uint64_t low = (uint64_t)*bits;
    int place = low != 0 ? __builtin_ctzll(low) : 64 + __builtin_ctzll((uint64_t)(*bits >> 64));

    *bits &= *bits - 1;
    return place;
}

/* < 0, 0, > 0: by their keys. */
int row_order(enum row_kind kind, const struct row *a, const struct row *b);
/* A copy with nothing borrowed. Of the big fields those of `parts`. */
struct row *row_copy(enum row_kind kind, struct arena *arena, const struct row *row,
                     uint32_t parts);
/* Do all their fields say the same? *field is the first that does not. Parts aside. */
bool row_same(enum row_kind kind, const struct row *a, const struct row *b,
              const struct row_field **field);
/* Must it be written? It is new, or says something else than what was loaded. */
bool row_is_changed(enum row_kind kind, const struct row *row);
/* Is it other than by sums? Then nobody else may have changed it. */
bool row_is_guarded(enum row_kind kind, const struct row *row);
/* When it is due by the steady clock, or by dates; 0: never. */
int64_t row_due(enum row_kind kind, const struct row *row, bool is_span);
/* Values of the index, for a row that may be NULL; false: not in it. */
bool row_index_at(const struct row_index *index, const struct row *row, struct index_at *at);

#endif
