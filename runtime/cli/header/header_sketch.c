/*
 * Sketches: what a schema, what it refers to and what its allOf adds say together about a
 * value. Branches that may apply or not (then, else, dependentSchemas) only add members that
 * may be there. Each schema is looked at once, so what refers to itself ends.
 */
#include "cli/header/header_parts.h"
#include "schema/compile/compile.h"

/* Nothing but a reference, or an allOf of one. */
static const struct schema *only_reference(const struct schema *schema)
{
    const struct branches *b = schema->branches;

    if (b == NULL || schema->types != 0 || schema->constant != NULL ||
        schema->enumeration != NULL || schema->number != NULL || schema->string != NULL ||
        schema->list != NULL || schema->map != NULL || b->any.count != 0 || b->one.count != 0 ||
        b->when != NULL || b->dynamic != NULL || b->dynamic_name.size != 0)
        return NULL;
    if (b->all.count == 0)
        return b->reference;
    return b->all.count == 1 && b->reference == NULL ? b->all.items[0] : NULL;
}

const struct schema *schema_behind(const struct schema *schema)
{
    for (int hops = 0; hops < SKETCH_MAX_DEPTH; hops++) {
        const struct schema *to = only_reference(schema);
        if (to == NULL)
            break;
        schema = to;
    }
    return schema;
}

struct member_sketch *sketch_member(struct arena *arena, struct sketch *sketch,
                                    struct slice name)
{
    uint64_t hash = table_hash(name, 0);
    uintptr_t number = (uintptr_t)table_find(&sketch->names, hash);

    if (number != 0 && slice_equal(sketch->members[number - 1].name, name))
        return &sketch->members[number - 1];
    for (uint32_t i = 0; number != 0 && i < sketch->member_count; i++)
        if (slice_equal(sketch->members[i].name, name))
            return &sketch->members[i];
    if (sketch->member_count == sketch->member_room) {
        uint32_t room = sketch->member_room == 0 ? 16 : sketch->member_room * 2;
        struct member_sketch *more = ARENA_ARRAY(arena, struct member_sketch, room);
        if (sketch->member_count > 0)
            memcpy(more, sketch->members, sketch->member_count * sizeof *more);
        sketch->members = more;
        sketch->member_room = room;
    }
    struct member_sketch *member = &sketch->members[sketch->member_count++];
    *member = (struct member_sketch){ .name = name };
    table_set(&sketch->names, hash, (void *)(uintptr_t)sketch->member_count);
    return member;
}

static void member_add(struct arena *arena, struct sketch *sketch, const struct property *from,
                       bool is_doubtful)
{
    if (from->schema == NULL && is_doubtful)
        return;
    struct member_sketch *member = sketch_member(arena, sketch, from->name);
    struct alternative **last = &member->schemas;

    member->is_required |= from->is_required && !is_doubtful;
    if (from->schema == NULL)
        return;
    if (*last == NULL) {
        member->is_doubtful = is_doubtful;
        sketch->known_count++;
        sketch->sure_count += !is_doubtful;
    }
    while (*last != NULL)
        last = &(*last)->next;
    *last = ARENA_NEW(arena, struct alternative);
    (*last)->schema = from->schema;
}

static void collect(struct arena *arena, struct sketch *sketch, const struct schema *schema,
                    bool is_doubtful, uint32_t depth);

/* Does it say more than that anything, or nothing, goes? */
static bool says_something(const struct schema *schema)
{
    const struct schema *behind = schema_behind(schema);

    return behind->types != 0 || behind->map != NULL || behind->branches != NULL ||
           behind->enumeration != NULL || behind->constant != NULL || behind->list != NULL;
}

static void map_collect(struct arena *arena, struct sketch *sketch, const struct map_rules *map,
                        bool is_doubtful, uint32_t depth)
{
    for (uint32_t i = 0; i < map->property_count; i++)
        member_add(arena, sketch, &map->properties[i], is_doubtful);
    for (uint32_t i = 0; i < map->dependent_count; i++)
        if (map->dependents[i].schema != NULL)
            collect(arena, sketch, map->dependents[i].schema, true, depth);
    bool has_more = map->additional != NULL && says_something(map->additional);
    sketch->has_others |= map->pattern_count > 0 || has_more;
    if (sketch->others == NULL && has_more)
        sketch->others = map->additional;
    if (sketch->others == NULL && map->pattern_count == 1)
        sketch->others = map->patterns[0].schema;
}

static void choice_add(struct arena *arena, struct sketch *sketch,
                       const struct schema_list *branches)
{
    struct choice *choice = ARENA_NEW(arena, struct choice);

    if (branches->count == 0)
        return;
    choice->branches = branches;
    if (sketch->last_choice == NULL)
        sketch->choices = choice;
    else
        sketch->last_choice->next = choice;
    sketch->last_choice = choice;
}

static void choice_collect(struct arena *arena, struct sketch *sketch,
                           const struct schema_list *branches, bool is_doubtful, uint32_t depth)
{
    if (!is_doubtful) {
        choice_add(arena, sketch, branches);
        return;
    }
    for (uint32_t i = 0; i < branches->count; i++)
        collect(arena, sketch, branches->items[i], true, depth);
}

static void branches_collect(struct arena *arena, struct sketch *sketch,
                             const struct branches *branches, bool is_doubtful, uint32_t depth)
{
    if (branches->reference != NULL)
        collect(arena, sketch, branches->reference, is_doubtful, depth);
    for (uint32_t i = 0; i < branches->all.count; i++)
        collect(arena, sketch, branches->all.items[i], is_doubtful, depth);
    choice_collect(arena, sketch, &branches->one, is_doubtful, depth);
    choice_collect(arena, sketch, &branches->any, is_doubtful, depth);
    if (branches->then != NULL)
        collect(arena, sketch, branches->then, true, depth);
    if (branches->otherwise != NULL)
        collect(arena, sketch, branches->otherwise, true, depth);
}

/* An integer is a number: what is left of both is the integer. */
uint32_t types_narrow(uint32_t types, uint32_t by)
{
    if (types == 0 || by == 0)
        return types | by;
    uint32_t both = types & by;
    if ((types & TYPE_NUMBER) != 0 && (by & TYPE_INTEGER) != 0)
        both |= TYPE_INTEGER;
    if ((by & TYPE_NUMBER) != 0 && (types & TYPE_INTEGER) != 0)
        both |= TYPE_INTEGER;
    return both;
}

static void scalars_collect(struct sketch *sketch, const struct schema *schema)
{
    uint32_t types = types_narrow(sketch->types, schema->types);

    sketch->is_never |= schema->is_never || (types == 0 && sketch->types != 0);
    sketch->types = types;
    if (sketch->constant == NULL)
        sketch->constant = schema->constant;
    if (sketch->enumeration == NULL)
        sketch->enumeration = schema->enumeration;
    if (sketch->number == NULL)
        sketch->number = schema->number;
    if (sketch->string == NULL)
        sketch->string = schema->string;
    if (sketch->list == NULL || (sketch->list->items == NULL &&
                                 sketch->list->prefix.count == 0 && schema->list != NULL))
        sketch->list = schema->list;
    if (sketch->description.size == 0)
        sketch->description = schema->description;
    if (sketch->standard == NULL)
        sketch->standard = schema->standard;
}

static void collect(struct arena *arena, struct sketch *sketch, const struct schema *schema,
                    bool is_doubtful, uint32_t depth)
{
    uint64_t address = (uint64_t)(uintptr_t)schema;

    if (depth > SKETCH_MAX_DEPTH)
        sketch->is_too_deep = true;
    if (sketch->is_too_deep || table_has(&sketch->seen, address))
        return;
    table_set(&sketch->seen, address, NULL);
    if (!is_doubtful)
        scalars_collect(sketch, schema);
    if (schema->map != NULL)
        map_collect(arena, sketch, schema->map, is_doubtful, depth + 1);
    if (schema->branches != NULL)
        branches_collect(arena, sketch, schema->branches, is_doubtful, depth + 1);
}

void sketch_collect(struct arena *arena, struct sketch *sketch, const struct schema *schema)
{
    *sketch = (struct sketch){ .schema = schema };
    table_init(&sketch->seen, arena);
    table_init(&sketch->names, arena);
    collect(arena, sketch, schema, false, 0);
}

void sketch_add_doubtful(struct arena *arena, struct sketch *sketch,
                         const struct schema *schema)
{
    collect(arena, sketch, schema, true, 0);
}
