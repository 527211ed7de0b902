/* Sketches: what all schemas that apply to a value say about it together. Internal to
 * header*.c.
 */
#ifndef HEADER_SKETCH_H
#define HEADER_SKETCH_H

#include "base/table.h"
#include "schema/compile/program.h"

enum { SKETCH_MAX_DEPTH = 100 }; /* schemas that apply through each other */

struct alternative {
    const struct schema *schema;
    struct alternative *next;
};

struct member_sketch {
    struct slice name;
    struct alternative *schemas;   /* in order; NULL: it is only said to be needed */
    bool is_required, is_doubtful; /* doubtful: only some branches know it */
};

/* A oneOf or anyOf. */
struct choice {
    const struct schema_list *branches;
    struct choice *next;
};

struct type;

struct sketch {
    const struct schema *schema;
    uint32_t types; /* 0: any */
    bool is_never, is_too_deep;
    const struct value *constant;
    const struct enumeration *enumeration;
    const struct number_rules *number;
    const struct string_rules *string;
    const struct list_rules *list;
    struct member_sketch *members;
    uint32_t member_count, member_room;
    uint32_t known_count, sure_count; /* with a schema; with one that always applies */
    bool has_others;             /* patternProperties, or additionalProperties with a schema */
    const struct schema *others; /* of these, when there is one for all */
    struct choice *choices, *last_choice;
    struct slice description;
    const struct value *standard;
    struct table seen, names;
    struct type *slot; /* where the shape is announced as soon as there is one; may be NULL */
};

void sketch_collect(struct arena *arena, struct sketch *sketch, const struct schema *schema);
/* Also what a branch says that may or may not apply. */
void sketch_add_doubtful(struct arena *arena, struct sketch *sketch,
                         const struct schema *schema);
struct member_sketch *sketch_member(struct arena *arena, struct sketch *sketch,
                                    struct slice name);

/* What is left of two sets of types; 0: any. */
uint32_t types_narrow(uint32_t types, uint32_t by);

/* Behind plain references: the schema that says something. */
const struct schema *schema_behind(const struct schema *schema);

#endif
