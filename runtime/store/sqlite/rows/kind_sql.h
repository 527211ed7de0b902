/*
 * The statements that a kind of rows needs, made from its descriptor (engine/rows/kind.h). They
 * have numbers behind those of sql.h and are used alike.
 */
#ifndef KIND_SQL_H
#define KIND_SQL_H

#include "engine/rows/kind.h"
#include "store/sqlite/sql.h"

enum { PARTS_MOST = 5 };

/* With + n: of the n-th part, index or clock. */
enum kind_op {
    KIND_LOAD,   /* rows whose keys are in `bulk` */
    KIND_FIND,   /* ?1 is the id */
    KIND_TITLED, /* ?1 is the scope, ?2 the title */
    KIND_INSERT, /* from `bulk` */
    KIND_WRITE,  /* the same over what is there; sums are added to */
    KIND_ADD,    /* to what is there, and nothing else; ?1 …: the key, sums, greatest ones */
    KIND_WALK,   /* ids above ?1, at most ?2 */
    KIND_DELETE, /* ?1 …: the key */
    KIND_PART_LOAD,
    KIND_PART_FIND = KIND_PART_LOAD + PARTS_MOST,
    KIND_PART_WRITE = KIND_PART_FIND + PARTS_MOST,
    KIND_PART_DELETE = KIND_PART_WRITE + PARTS_MOST,
    KIND_INDEX_ADD = KIND_PART_DELETE + PARTS_MOST,  /* from `bulk`: id, and values */
    KIND_INDEX_DROP = KIND_INDEX_ADD + INDEXES_MOST, /* ?1 …: values, and the id */
    KIND_DUE_LIST = KIND_INDEX_DROP + INDEXES_MOST,  /* ?1 is the time, ?2 how many */
    KIND_DUE_NEXT = KIND_DUE_LIST + 2,               /* 0: dates, 1: spans */
    KIND_DUE_FORGET = KIND_DUE_NEXT + 2,             /* ?1 is the time, ?2 the id */
    KIND_OPS = KIND_DUE_FORGET + 2
};

enum { STATEMENT_COUNT = SQL_COUNT + ROW_KINDS * KIND_OPS };

static inline unsigned kind_sql(enum row_kind kind, unsigned op)
{
    return SQL_COUNT + (unsigned)kind * KIND_OPS + op;
}

enum { STATEMENT_TEXT_SIZE = 4000 };

/* Of any statement; `text` is room for one that must be made. NULL: the kind has none such. */
const char *statement_text(unsigned which, char text[STATEMENT_TEXT_SIZE]);
/* What it does, in an error. */
const char *statement_words(unsigned which, char text[STATEMENT_TEXT_SIZE]);

#endif
