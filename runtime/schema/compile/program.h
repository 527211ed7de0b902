/*
 * Programs: what compile.c makes of a document and validate.c runs. Internal to schema/.
 *
 * Rules are grouped by the kind of value they look at, so that a check jumps to what can apply
 * and walks a map once, whatever the number of keywords. Everything lives in the program's
 * arena and never changes after compiling.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "schema/compile/keyword.h"
#include "schema/document/document.h"
#include "schema/format/pattern.h"

/* Types as bits of a mask. */
enum {
    TYPE_NULL = 1 << 0,
    TYPE_BOOLEAN = 1 << 1,
    TYPE_INTEGER = 1 << 2, /* an integer satisfies NUMBER too */
    TYPE_NUMBER = 1 << 3,
    TYPE_STRING = 1 << 4,
    TYPE_ARRAY = 1 << 5,
    TYPE_OBJECT = 1 << 6,
};

#define LIMIT_NONE UINT64_MAX

struct schema_list {
    const struct schema **items;
    uint32_t count;
};

/* Where a keyword stands, for messages. */
struct mark {
    enum keyword keyword;
    uint32_t line, column;
};

struct enumeration {
    struct value *values;
    uint64_t *hashes;      /* sorted; values in the same order */
    struct value *written; /* in the order of the file, for messages */
    uint32_t count;
    uint32_t types; /* of all values: most wrong ones are told by that alone */
};

struct bound {
    bool is_set;
    struct value value;
};

struct number_rules {
    struct bound minimum, maximum, above, below, multiple;
};

struct string_rules {
    uint64_t min_length, max_length; /* code points */
    const struct pattern *pattern;
    const struct format *format; /* NULL: only said, not checked */
};

struct list_rules {
    uint64_t min_items, max_items, min_contains, max_contains;
    bool is_unique;
    struct schema_list prefix;
    const struct schema *items, *contains;
};

struct property {
    struct slice name;
    uint64_t hash;
    const struct schema *schema; /* NULL: only required */
    bool is_required;
};

struct pattern_property {
    const struct pattern *pattern;
    const struct schema *schema;
};
/* When `name` is there, so must be `needs`, and `schema` holds for the whole map. */
struct dependent {
    struct slice name;
    struct slice *needs;
    uint32_t need_count;
    const struct schema *schema;
};

struct map_rules {
    uint64_t min_members, max_members;
    struct property *properties;
    uint32_t property_count, required_count;
    uint32_t *slots; /* number of a property + 1 by hash; 0: free */
    uint32_t slot_mask;
    struct pattern_property *patterns;
    uint32_t pattern_count;
    const struct schema *additional, *names;
    struct dependent *dependents;
    uint32_t dependent_count;
};

/* Schemas that look at the same value again. */
struct branches {
    struct schema_list all, any, one;
    const struct schema *negated, *when, *then, *otherwise;
    const struct schema *reference;
    const struct schema *dynamic; /* $dynamicRef as far as it is known beforehand */
    struct slice dynamic_name;    /* its anchor, when who refers decides; else empty */
    const struct schema *unevaluated_items, *unevaluated_members;
};

struct dynamic_anchor {
    struct slice name;
    const struct schema *schema;
    struct dynamic_anchor *next;
};

/* A schema with an identity of its own: a file, or a part with an $id. */
struct resource {
    const struct schema_file *program;
    struct slice uri; /* without fragment */
    struct slice file;
    const struct node *root;
    struct anchor_name *anchors; /* compile time only */
    struct dynamic_anchor *dynamic;
    bool is_file;          /* a bide file: its root is no schema but holds some */
    bool skips_validation; /* its dialect has no such vocabulary */
    bool asserts_formats;  /* its dialect says so */
    struct resource *next;
};

struct schema {
    const struct resource *resource;
    uint32_t line, column;
    bool is_never;  /* false */
    uint32_t types; /* 0: any */
    const struct value *constant;
    const struct enumeration *enumeration;
    const struct number_rules *number;
    const struct string_rules *string;
    const struct list_rules *list;
    const struct map_rules *map;
    const struct branches *branches;
    const struct schema *content; /* of a string that is decoded: a note, but may be secret */
    const struct value *standard; /* the default */
    bool has_defaults;            /* here or anywhere below */
    bool is_secret;               /* what it describes is never shown */
    bool has_secrets;             /* here or anywhere below */
    struct slice description, message;
    struct mark *marks;
    uint32_t mark_count;
    uint8_t phase;       /* compile time only */
    struct schema *next; /* all of a program */
};

struct token_schema {
    struct slice name;
    const struct schema *schema;
};

/* What is expected of the output of a task that this one triggers. */
struct child_schema {
    struct slice task;
    const struct schema *output; /* NULL: nothing is said */
};

struct schema_file {
    struct arena arena;
    const struct schema *input, *output;
    struct token_schema *tokens, *messages; /* NULL: the file does not speak of any */
    uint32_t token_count, message_count;
    struct child_schema *children;
    uint32_t child_count;
    enum schema_on_invalid on_invalid;
    unsigned char hash[SCHEMA_HASH_BYTES];
    const struct resource *resources; /* newest first */
    struct schema *schemas;
    uint32_t schema_count;
    struct pattern **patterns;
    uint32_t pattern_count, pattern_capacity;
    size_t pattern_bytes; /* compiled */
};

/* The bit of `value`; an integer has INTEGER and NUMBER. In words: "an integer or null". */
uint32_t type_of(const struct value *value);
struct slice types_describe(struct arena *arena, uint32_t types);

/*
 * Equal values have equal hashes: 1 and 1.0, members in any order. Each looks at `steps`, which
 * goes down by one a value and 64 bytes; when it is below 0 the result means nothing.
 */
uint64_t value_hash(const struct value *value, int64_t *steps);
bool value_same(const struct value *a, const struct value *b, int64_t *steps);

bool enumeration_has(const struct enumeration *enumeration, const struct value *value,
                     int64_t *steps);
/* The default beside a $ref or behind it; NULL: none. */
const struct value *schema_default(const struct schema *schema);
const struct property *property_find(const struct map_rules *rules, struct slice name);

#endif
