/*
 * Between a schema and its header. Internal to header*.c.
 *
 *   schema ─sketch_collect─▶ sketch    what all that applies to a value says together
 *          ─type_of_schema─▶ shapes  what C makes of it: scalars, enums, structs, lists, unions
 *          ─types_write, functions_write─▶ text
 *
 * What C has no type for becomes SHAPE_VALUE, a `const bide_value *` to be read by hand, so
 * that every schema has a header. Types contain each other by value; what would contain itself,
 * or grow beyond reason, is a value with a function to read it (`behind`).
 */
#ifndef HEADER_PARTS_H
#define HEADER_PARTS_H

#include "cli/header/header_sketch.h"

enum {
    NAME_MAX_BYTES = 100,    /* of an identifier's part */
    TEXT_MAX_BYTES = 1000,   /* of a text that is compared; C promises 4095 a literal */
    LABELS_MAX = 2000,       /* of an enum */
    CASES_MAX = 100,         /* of a union */
    SHAPES_MAX_DEPTH = 200,  /* types in types */
    STRUCT_MAX_BYTES = 16384 /* of what a struct holds in itself, roughly */
};

/* ---- shapes: header_shape.c, header_union.c ---------------------------------------------- */

enum shape_kind {
    SHAPE_VALUE,
    SHAPE_BOOL,
    SHAPE_I64,
    SHAPE_U64,
    SHAPE_F64,
    SHAPE_TEXT,
    SHAPE_CONST, /* says nothing but that it is there */
    SHAPE_ENUM,
    SHAPE_STRUCT,
    SHAPE_LIST,
    SHAPE_UNION
};

struct shape;

/* What a place holds. */
struct type {
    struct shape *shape;
    bool is_nullable;
};

/* A member of a struct, or a case of a union. */
struct field {
    struct slice key;      /* in the document; a tuple and a union have none */
    struct slice name;     /* in C */
    struct slice presence; /* "has_name"; empty: it can say itself that it is missing */
    struct type type;
    const struct schema *schema; /* for its comment; may be NULL */
    bool is_required;
    struct slice tag;            /* union: the enumerator */
    uint32_t types;              /* union: TYPE_… that lead here */
    const struct slice *told_by; /* union: the texts of the member `teller` */
    uint32_t told_count;
};

struct label {
    struct slice text, name;
    const struct schema *schema; /* for its comment; may be NULL */
};

struct shape {
    enum shape_kind kind;
    bool is_laid;      /* false: still being made, so nothing may contain it */
    struct slice name; /* of the C type; the plain kinds have none */
    const struct schema *schema;
    struct field *fields;
    uint32_t field_count;
    bool is_tuple;        /* STRUCT: a list */
    struct slice others;  /* STRUCT: name of the member that holds the whole map; empty: none */
    struct slice teller;  /* UNION: the member whose text tells which; empty: none */
    struct slice unset;   /* ENUM, UNION: the enumerator of zero */
    struct slice kinds;   /* UNION: name of the enum of its cases */
    struct shape *item;   /* LIST, and VALUE that is a map of them */
    bool has_null_items;  /* LIST */
    struct shape *behind; /* VALUE: what it is, when that has a name */
    const struct value *constant;
    struct label *labels;
    uint32_t label_count;
    size_t size_bytes;
    bool is_written;
    struct shape *next; /* in the order in which C wants them */
};

/* What tasks call; name is "x_input", "x_token_approval". */
struct door {
    enum { DOOR_INPUT, DOOR_OUTPUT, DOOR_TOKEN, DOOR_MESSAGE, DOOR_CHILD } kind;
    struct slice name, key;
    const struct schema *schema;
    struct type type;
    struct door *next;
};

struct words {
    struct arena *arena;
    struct table taken;
};

struct headers {
    const struct schema_file *file;
    struct arena *arena;
    struct problems *problems;
    struct slice prefix;
    struct words types, tags;
    struct table known; /* address of a schema → its struct type */
    struct table defs,
        read; /* place of a schema → its name in $defs; resources that were read */
    struct shape *first, *last;
    struct shape plain[SHAPE_CONST];
    struct door *doors, *last_door;
    uint32_t depth;
};

/* `hint` is the name for a type that has none of its own. */
struct type type_of_schema(struct headers *headers, const struct schema *schema,
                           struct slice hint);
struct type type_of_sketch(struct headers *headers, struct sketch *sketch, struct slice hint);
struct type type_of_choice(struct headers *headers, struct sketch *sketch, struct slice hint);
uint32_t types_guess(const struct sketch *sketch);
bool types_are_several(uint32_t types);
struct type type_of_types(struct headers *headers, struct sketch *sketch, uint32_t types,
                          struct slice hint);
struct shape *shape_new(struct headers *headers, enum shape_kind kind, struct sketch *sketch,
                        struct slice hint);
/* It is whole: C may see it. */
void shape_finish(struct headers *headers, struct shape *shape);
struct type type_plain(struct headers *headers, enum shape_kind kind, bool is_nullable);
struct type type_enum(struct headers *headers, struct sketch *sketch, struct label *labels,
                      uint32_t count, bool is_nullable, struct slice hint);
/* What may stand inside a struct that has `used` bytes already: itself, or a value. */
struct type type_within(struct headers *headers, struct type type, size_t used);
/* The name of a type in the type `left`. */
struct slice hint_below(struct headers *headers, struct slice left, struct slice key);
struct type type_struct(struct headers *headers, struct sketch *sketch, bool is_nullable,
                        struct slice hint);
struct type type_list(struct headers *headers, struct sketch *sketch, bool is_nullable,
                      struct slice hint);
bool shape_has_name(const struct shape *shape);
bool text_is_plain(struct slice text);
/* The schema's name in `$defs`; empty: none. */
struct slice schema_name(struct headers *headers, const struct schema *schema);

/* ---- names: header_name.c ---------------------------------------------------------------- */

/* An identifier, or a part of one: `is_whole` gets no keyword and no leading digit. */
struct slice name_clean(struct arena *arena, struct slice text, bool is_whole);
struct slice name_upper(struct arena *arena, struct slice name);
struct slice name_join(struct arena *arena, struct slice left, struct slice right);
void words_init(struct words *names, struct arena *arena);
/* `name`, or name_2, name_3 … when it is taken. */
struct slice words_take(struct words *names, struct slice name);

/* ---- text: header_note.c, header_type.c, header_code.c ----------------------------------- */

/* "text" as a C literal, quotes included. */
void literal_write(struct buffer *out, struct slice text);
/* A block comment, wrapped. Empty text: nothing. */
void comment_write(struct buffer *out, uint32_t indent, struct slice text);
/* "static inline T x_input_read(bide_task *t)" and `end`; `type` comes with its space or star.
 */
void signature_write(struct buffer *out, struct slice type, struct slice name,
                     const char *suffix, struct slice parameters, const char *end);
/* Description, range, default of what a place holds; `field` may be NULL. */
struct slice note_of(struct arena *arena, const struct schema *schema,
                     const struct field *field);

/* "int64_t ", "const char *": up to the name. */
struct slice type_text(struct arena *arena, const struct shape *shape);
void types_write(struct headers *headers, struct buffer *out);

/* The functions of all types. */
void of_write(struct headers *headers, struct buffer *out, const struct shape *shape,
              const char *end);
void value_write(struct headers *headers, struct buffer *out, const struct shape *shape,
                 const char *end);
void at_write(struct headers *headers, struct buffer *out, const struct shape *shape,
              const char *end);
void text_write(struct buffer *out, const struct shape *shape, const char *end);
void prototypes_write(struct headers *headers, struct buffer *out);
void functions_write(struct headers *headers, struct buffer *out);
/* Read a shape from the C expression of a value; make a value of a C expression. */
void reading_write(struct buffer *out, const struct shape *shape, const char *value);
void making_write(struct buffer *out, const struct shape *shape, const char *expression);
void list_code_write(struct headers *headers, struct buffer *out, const struct shape *shape);
void enum_code_write(struct headers *headers, struct buffer *out, const struct shape *shape);
void union_code_write(struct headers *headers, struct buffer *out, const struct shape *shape);

#endif
