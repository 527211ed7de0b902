/*
 * Values: a tree of what JSON and msgpack can say. Everything a client or a task hands over is
 * one of these while it is looked at, and msgpack bytes while it is kept. Trees live in an
 * arena.
 */
#ifndef VALUE_H
#define VALUE_H

#include "base/arena.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,    /* fits int64_t */
    VALUE_UINT,   /* above INT64_MAX only */
    VALUE_DOUBLE, /* finite */
    VALUE_STRING, /* UTF-8 */
    VALUE_BYTES,  /* msgpack only; base64 text in JSON */
    VALUE_LIST,
    VALUE_MAP, /* string keys, unique, in the order they came */
};

struct value {
    enum value_kind kind;
    uint32_t count; /* list items or map members */
    union {
        bool boolean;
        int64_t integer;
        uint64_t big;
        double number;
        struct slice bytes; /* strings too */
        struct value *items;
        struct member *members;
    };
};

struct member {
    struct slice key;
    struct value value;
};

/* More lists and maps inside each other are refused by both readers, so that no walk can
 * overflow a stack. */
enum { VALUE_MAX_DEPTH = 128 };
/* What comes in from outside may be this deep, so that a task can put it into something of its
 * own and hand that on. */
enum { VALUE_PAYLOAD_DEPTH = 100 };

const char *value_kind_name(enum value_kind kind); /* JSON's words: "integer", "object", … */

/* NULL when `value` is NULL, no map, or has no such member; the first of that name. */
const struct value *value_find(const struct value *map, const char *key);
const struct value *value_find_slice(const struct value *map, struct slice key);

/* Value equality: 1 and 1.0 are equal, members may come in any order. */
bool value_equal(const struct value *a, const struct value *b);

struct value value_string(struct slice text);
struct value value_text(const char *text);
struct value value_int(int64_t number);
struct value value_bool(bool boolean);
struct value value_double(double number);

/*
 * Build lists and maps: the struct starts as all zeroes with the kind set. The slots live in
 * `arena` and move when they grow, so no pointer to a slot survives the next add.
 */
struct value value_list(void);
struct value value_map(void);
struct value *value_add(struct arena *arena, struct value *list, struct value item);
struct value *
value_put(struct arena *arena, struct value *map, const char *key,
          struct value member); /* replaces a member of that name; `key` is borrowed */
struct value *value_put_slice(struct arena *arena, struct value *map, struct slice key,
                              struct value member);
void value_remove(struct value *map, struct slice key);

/* Lists and maps inside each other: at most so many levels, this one included. */
bool value_fits_depth(const struct value *value, int levels);

/* A deep copy that borrows nothing. */
struct value value_copy(struct arena *arena, const struct value *value);

bool utf8_is_valid(struct slice text);

#endif
