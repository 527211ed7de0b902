/*
 * Shapes: the C type of what a schema describes.
 *
 *   schema ─known?─▶ type
 *     └─▶ sketch ─▶ constant · enum · oneOf/anyOf · one type · several types · anything
 *
 * A shape is listed when all that it contains is: that is the order C wants. While it is being
 * made nothing can contain it, so a schema that contains itself meets a value there.
 */
#include "cli/header/header_parts.h"
#include "schema/compile/compile.h"

#include <inttypes.h>

bool shape_has_name(const struct shape *shape)
{
    return shape->kind >= SHAPE_ENUM;
}

bool text_is_plain(struct slice text)
{
    return text.size <= TEXT_MAX_BYTES &&
           (text.size == 0 || memchr(text.data, '\0', text.size) == NULL);
}

struct type type_plain(struct headers *headers, enum shape_kind kind, bool is_nullable)
{
    struct shape *shape = &headers->plain[kind];

    shape->kind = kind;
    shape->is_laid = true;
    shape->size_bytes = 8;
    return (struct type){ shape, is_nullable };
}

/* A type's name may not be that of one of its functions: those of C++ would hide each other. */
static struct slice type_name(struct headers *headers, enum shape_kind kind, struct slice hint)
{
    const char *third = kind == SHAPE_LIST ? "at" : kind == SHAPE_ENUM ? "text" : NULL;
    const char *const suffixes[] = { "of", "value", third };
    struct slice functions[3], name;
    bool is_taken;

    do {
        name = words_take(&headers->types, hint);
        is_taken = false;
        for (size_t i = 0; i < 3 && suffixes[i] != NULL; i++) {
            functions[i] = name_join(headers->arena, name, slice_of(suffixes[i]));
            is_taken |= table_has(&headers->types.taken, table_hash(functions[i], 0));
        }
    } while (is_taken);
    for (size_t i = 0; i < 3 && suffixes[i] != NULL; i++)
        (void)words_take(&headers->types, functions[i]);
    return name;
}

struct shape *shape_new(struct headers *headers, enum shape_kind kind, struct sketch *sketch,
                        struct slice hint)
{
    struct shape *shape = ARENA_NEW(headers->arena, struct shape);

    shape->kind = kind;
    shape->schema = sketch->schema;
    shape->size_bytes = 8;
    if (shape_has_name(shape))
        shape->name = type_name(headers, kind, hint);
    if (sketch->slot != NULL)
        sketch->slot->shape = shape;
    return shape;
}

void shape_finish(struct headers *headers, struct shape *shape)
{
    shape->is_laid = true;
    if (headers->last == NULL)
        headers->first = shape;
    else
        headers->last->next = shape;
    headers->last = shape;
}

/* ---- names of schemas -------------------------------------------------------------------- */

static uint64_t place_hash(const struct resource *resource, uint32_t line, uint32_t column)
{
    struct {
        uint64_t resource;
        uint32_t line, column;
    } place = { (uint64_t)(uintptr_t)resource, line, column };

    return table_hash((struct slice){ (const char *)&place, sizeof place }, 0);
}

static void defs_read(struct headers *headers, const struct resource *resource)
{
    const struct entry *defs = node_find(resource->root, "$defs");

    table_set(&headers->read, (uint64_t)(uintptr_t)resource, NULL);
    if (defs == NULL || defs->node.kind != VALUE_MAP)
        return;
    for (uint32_t i = 0; i < defs->node.count; i++) {
        struct entry *entry = &defs->node.entries[i];
        table_set(&headers->defs, place_hash(resource, entry->node.line, entry->node.column),
                  &entry->key);
    }
}

/* "address" of "common/address.yaml", for a file that is one schema. */
static struct slice file_stem(struct slice file)
{
    size_t start = file.size, end = file.size;

    while (start > 0 && file.data[start - 1] != '/')
        start--;
    for (size_t i = file.size; i > start + 1; i--)
        if (file.data[i - 1] == '.') {
            end = i - 1;
            break;
        }
    return (struct slice){ file.data + start, end - start };
}

struct slice schema_name(struct headers *headers, const struct schema *schema)
{
    const struct resource *resource = schema->resource;
    struct slice none = { 0 };

    if (!table_has(&headers->read, (uint64_t)(uintptr_t)resource))
        defs_read(headers, resource);
    const struct slice *name =
        table_find(&headers->defs, place_hash(resource, schema->line, schema->column));
    if (name != NULL)
        return *name;
    if (!resource->is_file && schema->line == resource->root->line &&
        schema->column == resource->root->column)
        return file_stem(resource->file);
    return none;
}

/* ---- scalars ----------------------------------------------------------------------------- */

static bool is_beyond_i64(const struct bound *bound)
{
    return bound->is_set &&
           (bound->value.kind == VALUE_UINT ||
            (bound->value.kind == VALUE_DOUBLE && bound->value.number >= 0x1p63));
}

static bool is_below_zero(const struct bound *bound)
{
    return !bound->is_set || (bound->value.kind == VALUE_INT && bound->value.integer < 0) ||
           (bound->value.kind == VALUE_DOUBLE && bound->value.number < 0);
}

/* Unsigned only where the schema speaks of numbers that need it. */
static enum shape_kind integer_kind(const struct number_rules *rules)
{
    bool is_large =
        rules != NULL && (is_beyond_i64(&rules->maximum) || is_beyond_i64(&rules->below) ||
                          is_beyond_i64(&rules->minimum) || is_beyond_i64(&rules->above));

    return is_large && !(is_below_zero(&rules->minimum) && is_below_zero(&rules->above))
               ? SHAPE_U64
               : SHAPE_I64;
}

static struct type type_constant(struct headers *headers, struct sketch *sketch)
{
    const struct value *constant = sketch->constant;
    bool is_short = constant->kind != VALUE_STRING || text_is_plain(constant->bytes);

    if (constant->kind == VALUE_MAP || constant->kind == VALUE_LIST || !is_short)
        return type_plain(headers, SHAPE_VALUE, false);
    struct shape *shape = shape_new(headers, SHAPE_CONST, sketch, (struct slice){ 0 });
    shape->constant = constant;
    shape->is_laid = true;
    return (struct type){ shape, constant->kind == VALUE_NULL };
}

struct type type_enum(struct headers *headers, struct sketch *sketch, struct label *labels,
                      uint32_t count, bool is_nullable, struct slice hint)
{
    struct shape *shape = shape_new(headers, SHAPE_ENUM, sketch, hint);
    struct slice upper = name_upper(headers->arena, shape->name);

    shape->labels = labels;
    shape->label_count = count;
    shape->unset = words_take(&headers->tags, name_join(headers->arena, upper, SLICE("UNSET")));
    for (uint32_t i = 0; i < count; i++) {
        struct slice part = name_clean(headers->arena, labels[i].text, false);
        labels[i].name = words_take(
            &headers->tags, name_join(headers->arena, upper, name_upper(headers->arena, part)));
    }
    shape_finish(headers, shape);
    return (struct type){ shape, is_nullable };
}

static struct type type_enumeration(struct headers *headers, struct sketch *sketch,
                                    struct slice hint)
{
    const struct enumeration *all = sketch->enumeration;
    struct label *labels = ARENA_ARRAY(headers->arena, struct label, all->count);
    bool has_null = (all->types & TYPE_NULL) != 0;
    uint32_t count = 0, types = all->types & ~(uint32_t)TYPE_NULL;

    if (sketch->types != 0)
        has_null &= (sketch->types & TYPE_NULL) != 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (all->written[i].kind == VALUE_STRING && text_is_plain(all->written[i].bytes))
            labels[count++].text = all->written[i].bytes;
    bool is_enum = types == TYPE_STRING && count <= LABELS_MAX &&
                   count + ((all->types & TYPE_NULL) != 0) == all->count;
    if (is_enum)
        return type_enum(headers, sketch, labels, count, has_null, hint);
    /* 1.0 is an integer for JSON Schema. */
    bool is_whole = types == (TYPE_INTEGER | TYPE_NUMBER) || types == TYPE_INTEGER;
    for (uint32_t i = 0; is_whole && i < all->count; i++)
        is_whole = all->written[i].kind == VALUE_INT || all->written[i].kind == VALUE_NULL;
    if (is_whole)
        return type_plain(headers, SHAPE_I64, has_null);
    if ((types & ~(uint32_t)(TYPE_INTEGER | TYPE_NUMBER)) == 0)
        return type_plain(headers, SHAPE_F64, has_null);
    if (types == TYPE_STRING || types == TYPE_BOOLEAN)
        return type_plain(headers, types == TYPE_STRING ? SHAPE_TEXT : SHAPE_BOOL, has_null);
    return type_plain(headers, SHAPE_VALUE, has_null);
}

/* ---- by type ----------------------------------------------------------------------------- */

static struct type type_map(struct headers *headers, struct sketch *sketch, bool is_nullable,
                            struct slice hint)
{
    struct type type = type_plain(headers, SHAPE_VALUE, is_nullable);

    if (sketch->known_count > 0)
        return type_struct(headers, sketch, is_nullable, hint);
    if (sketch->others == NULL)
        return type;
    struct shape *item =
        type_of_schema(headers, sketch->others, hint_below(headers, hint, SLICE("item"))).shape;
    if (!shape_has_name(item))
        return type;
    type.shape = ARENA_NEW(headers->arena, struct shape);
    *type.shape = (struct shape){ .kind = SHAPE_VALUE, .is_laid = true, .item = item };
    type.shape->size_bytes = 8;
    return type;
}

struct type type_of_types(struct headers *headers, struct sketch *sketch, uint32_t types,
                          struct slice hint)
{
    bool is_nullable = (types & TYPE_NULL) != 0;

    switch (types & ~(uint32_t)TYPE_NULL) {
    case TYPE_BOOLEAN:
        return type_plain(headers, SHAPE_BOOL, is_nullable);
    case TYPE_INTEGER:
        return type_plain(headers, integer_kind(sketch->number), is_nullable);
    case TYPE_NUMBER:
    case TYPE_NUMBER | TYPE_INTEGER:
        return type_plain(headers, SHAPE_F64, is_nullable);
    case TYPE_STRING:
        return type_plain(headers, SHAPE_TEXT, is_nullable);
    case TYPE_ARRAY:
        return type_list(headers, sketch, is_nullable, hint);
    case TYPE_OBJECT:
        return type_map(headers, sketch, is_nullable, hint);
    default:
        return type_plain(headers, SHAPE_VALUE, is_nullable);
    }
}

/* Without a type: what the other keywords are about. */
uint32_t types_guess(const struct sketch *sketch)
{
    bool is_map = sketch->sure_count > 0, is_list = sketch->list != NULL;

    if (is_map && !is_list)
        return TYPE_OBJECT;
    return is_list && !is_map && sketch->list->items != NULL ? TYPE_ARRAY : 0;
}

bool types_are_several(uint32_t types)
{
    types &= ~(uint32_t)TYPE_NULL;
    if ((types & TYPE_NUMBER) != 0)
        types &= ~(uint32_t)TYPE_INTEGER;
    return (types & (types - 1)) != 0;
}

struct type type_of_sketch(struct headers *headers, struct sketch *sketch, struct slice hint)
{
    uint32_t types = sketch->types;

    if (sketch->is_never || sketch->is_too_deep)
        return type_plain(headers, SHAPE_VALUE, false);
    if (sketch->constant != NULL)
        return type_constant(headers, sketch);
    if (sketch->enumeration != NULL)
        return type_enumeration(headers, sketch, hint);
    if (sketch->choices != NULL && sketch->known_count == 0)
        return type_of_choice(headers, sketch, hint);
    for (struct choice *choice = sketch->choices; choice != NULL; choice = choice->next)
        for (uint32_t i = 0; i < choice->branches->count; i++)
            sketch_add_doubtful(headers->arena, sketch, choice->branches->items[i]);
    if (types == 0)
        types = types_guess(sketch);
    if (types_are_several(types))
        return type_of_choice(headers, sketch, hint);
    return type_of_types(headers, sketch, types, hint);
}

struct type type_of_schema(struct headers *headers, const struct schema *schema,
                           struct slice hint)
{
    const struct schema *behind = schema_behind(schema);
    struct slice name = behind == schema ? (struct slice){ 0 } : schema_name(headers, behind);
    struct type *known = table_find(&headers->known, (uint64_t)(uintptr_t)behind);
    struct sketch sketch;

    if (known != NULL && known->shape != NULL)
        return *known;
    if (known != NULL || headers->depth >= SHAPES_MAX_DEPTH) /* inside itself, or too deep */
        return type_plain(headers, SHAPE_VALUE, false);
    if (name.size > 0)
        hint = hint_below(headers, headers->prefix, name);
    known = ARENA_NEW(headers->arena, struct type);
    table_set(&headers->known, (uint64_t)(uintptr_t)behind, known);
    headers->depth++;
    sketch_collect(headers->arena, &sketch, behind);
    sketch.slot = known;
    *known = type_of_sketch(headers, &sketch, hint);
    headers->depth--;
    return *known;
}

struct slice hint_below(struct headers *headers, struct slice left, struct slice key)
{
    struct slice part = name_clean(headers->arena, key, false);

    return name_join(headers->arena,
                     left.size + part.size > NAME_MAX_BYTES ? headers->prefix : left, part);
}
