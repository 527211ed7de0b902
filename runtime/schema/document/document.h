/*
 * Documents: a YAML 1.2 file (so a JSON file too) as a tree that remembers where everything
 * stands. Scalars follow the core schema: `no` is a string, `0o17` a number. Immutable once
 * read.
 */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include "codec/value.h"
#include "schema/document/problem.h"

enum {
    DOCUMENT_MAX_BYTES = 1 << 20,
    DOCUMENT_MAX_NODES = 100000, /* aliases counted as if they were written out */
    DOCUMENT_MAX_DEPTH = 100,    /* likewise */
    DOCUMENT_MAX_ANCHORS = 1000,
};

struct node {
    enum value_kind kind; /* never BYTES */
    uint32_t count;       /* items or entries */
    union {
        bool boolean;
        int64_t integer;
        uint64_t big;
        double number;
        struct node *items;
        struct entry *entries;
    };
    struct slice text;     /* a scalar as it is written, without quotes; ends in a zero */
    uint32_t line, column; /* from 1; 0: not from a file */
    uint32_t weight;       /* nodes in it, itself included */
    uint32_t height;       /* levels below it */
    bool is_plain;         /* a scalar without quotes */
};

struct entry {
    struct slice key; /* ends in a zero; unique in its map */
    uint32_t line, column;
    struct node node;
};

/*
 * Read one document. Everything lives in `arena`. False: one problem in `report`, since after a
 * broken line nothing that follows can be trusted.
 */
bool document_read(struct arena *arena, struct slice text, struct node *root,
                   struct report *report);
/* The same from a file. */
bool document_load(struct arena *arena, const char *path, struct node *root,
                   struct report *report);
/* The bytes of such a file, at most one more than is allowed. */
bool document_bytes(struct arena *arena, const char *path, struct slice *text,
                    struct report *report);

/* NULL when `map` is no map or has no such entry. */
const struct entry *node_find(const struct node *map, const char *key);
const struct entry *node_find_slice(const struct node *map, struct slice key);

/* A copy as a value, and back; both borrow texts. */
struct value node_value(struct arena *arena, const struct node *node);
struct node node_of_value(struct arena *arena, const struct value *value);
/* How many slots a map or list of `count` must have, so that value_put and value_add can go on
 * with it. */
size_t slots_for(uint32_t count);

/* Say of each problem where in the document its value stands: `root` is what the value was made
 * of, `file` is kept. */
void problems_locate(struct problems *problems, const struct node *root, struct slice file);

/* What the scalar `node->text` means without quotes and tag; the text is bounded and
 * zero-ended. */
void scalar_resolve(struct node *node);
/* False: it is no number, or an integer that no double is. */
bool scalar_to_double(struct node *node);

#endif
