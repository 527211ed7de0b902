/*
 * Structs, tuples and lists.
 *
 * A member that may be missing has a flag beside it, has_name, unless its type can say so
 * itself: texts and values are NULL, enums and unions unset, lists have neither items nor a
 * value.
 */
#include "cli/header/header_parts.h"

static bool is_scalar(const struct shape *shape)
{
    return shape->kind >= SHAPE_BOOL && shape->kind <= SHAPE_TEXT;
}

static enum shape_kind scalar_kind(const struct shape *shape)
{
    if (shape->kind == SHAPE_ENUM)
        return SHAPE_TEXT;
    if (shape->kind != SHAPE_CONST)
        return shape->kind;
    switch (shape->constant->kind) {
    case VALUE_BOOL:
        return SHAPE_BOOL;
    case VALUE_INT:
        return SHAPE_I64;
    case VALUE_UINT:
    case VALUE_DOUBLE:
        return SHAPE_F64;
    case VALUE_STRING:
        return SHAPE_TEXT;
    case VALUE_NULL:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        break;
    }
    return SHAPE_VALUE;
}

/* What holds either: several schemas speak of one member. */
static struct type type_either(struct headers *headers, struct type a, struct type b)
{
    bool is_nullable = a.is_nullable || b.is_nullable;
    enum shape_kind left = scalar_kind(a.shape), right = scalar_kind(b.shape);

    if (a.shape == b.shape)
        return (struct type){ a.shape, is_nullable };
    if (left == right && is_scalar(&(struct shape){ .kind = left }))
        return type_plain(headers, left, is_nullable);
    return type_plain(headers, SHAPE_VALUE, is_nullable);
}

/* Of all that is said: what holds always by the first that says something, else either. */
static struct type member_type(struct headers *headers, const struct member_sketch *member,
                               struct slice hint, const struct schema **schema)
{
    struct type type = type_plain(headers, SHAPE_VALUE, false);
    bool is_first = true;

    *schema = member->schemas == NULL ? NULL : member->schemas->schema;
    for (const struct alternative *one = member->schemas; one != NULL; one = one->next) {
        struct type said = type_of_schema(headers, one->schema, hint);
        if (!is_first && !member->is_doubtful && type.shape->kind != SHAPE_VALUE)
            break; /* the rest only narrows what was said before */
        type = is_first || !member->is_doubtful ? said : type_either(headers, type, said);
        is_first = false;
        if (type.shape == said.shape)
            *schema = one->schema;
    }
    return type;
}

struct type type_within(struct headers *headers, struct type type, size_t used)
{
    struct shape *shape = type.shape;

    if (shape->is_laid && used + shape->size_bytes <= STRUCT_MAX_BYTES)
        return type;
    if (shape->is_laid && shape->size_bytes <= 32) /* a struct may have any number of these */
        return type;
    struct shape *value = ARENA_NEW(headers->arena, struct shape);
    *value = (struct shape){ .kind = SHAPE_VALUE, .is_laid = true, .size_bytes = 8 };
    value->behind = shape_has_name(shape) ? shape : NULL;
    return (struct type){ value, type.is_nullable };
}

/* Those that cannot say themselves that they are missing. */
static bool needs_presence(const struct field *field)
{
    enum shape_kind kind = field->type.shape->kind;

    if (field->is_required && !field->type.is_nullable)
        return false;
    return (kind >= SHAPE_BOOL && kind <= SHAPE_F64) || kind == SHAPE_CONST ||
           kind == SHAPE_STRUCT;
}

/* A constant that must be there tells nothing. */
static bool is_silent(const struct field *field)
{
    return field->type.shape->kind == SHAPE_CONST && field->presence.size == 0;
}

/* Names that are right as they are go first: no newcomer takes them away. */
static void fields_name(struct headers *headers, struct shape *shape)
{
    struct words names;
    struct arena *arena = headers->arena;

    words_init(&names, arena);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < shape->field_count; i++) {
            struct field *field = &shape->fields[i];
            struct slice clean = name_clean(arena, field->key, true);
            if (shape->is_tuple)
                clean = arena_format(arena, "item_%u", (unsigned)i);
            if (slice_equal(clean, field->key) == (pass == 0))
                field->name = words_take(&names, clean);
        }
    for (uint32_t i = 0; i < shape->field_count; i++) {
        struct field *field = &shape->fields[i];
        if (needs_presence(field))
            field->presence = words_take(&names, name_join(arena, SLICE("has"), field->name));
        shape->size_bytes += field->presence.size > 0 ? 8 : 0;
        shape->size_bytes += is_silent(field) ? 0 : field->type.shape->size_bytes;
    }
    if (shape->others.size > 0)
        shape->others = words_take(&names, shape->others);
}

static bool key_is_fine(struct headers *headers, struct sketch *sketch, struct slice key)
{
    struct report report = { headers->arena, headers->problems,
                             sketch->schema->resource->file };

    if (text_is_plain(key))
        return true;
    return report_add(&report, sketch->schema->line, sketch->schema->column,
                      "the property %.*s cannot be read from C: %s",
                      SLICE_ARG(text_quote(headers->arena, key)),
                      key.size > TEXT_MAX_BYTES ? "its name is too long"
                                                : "there is a zero in its name");
}

static void member_add(struct headers *headers, struct sketch *sketch, struct shape *shape,
                       const struct member_sketch *member, size_t *used)
{
    struct field *field = &shape->fields[shape->field_count];

    if (!key_is_fine(headers, sketch, member->name))
        return;
    if (member->schemas != NULL && schema_behind(member->schemas->schema)->is_never)
        return; /* it must not be there */
    field->key = member->name;
    field->is_required = member->is_required;
    field->type = member_type(headers, member, hint_below(headers, shape->name, member->name),
                              &field->schema);
    field->type = type_within(headers, field->type, *used);
    *used += field->type.shape->size_bytes;
    shape->field_count++;
}

struct type type_struct(struct headers *headers, struct sketch *sketch, bool is_nullable,
                        struct slice hint)
{
    struct shape *shape = shape_new(headers, SHAPE_STRUCT, sketch, hint);
    size_t used = 0;

    shape->others = sketch->has_others ? SLICE("others") : (struct slice){ 0 };
    shape->fields = ARENA_ARRAY(headers->arena, struct field, sketch->member_count);
    for (uint32_t i = 0; i < sketch->member_count; i++)
        member_add(headers, sketch, shape, &sketch->members[i], &used);
    fields_name(headers, shape);
    shape_finish(headers, shape);
    return (struct type){ shape, is_nullable };
}

/* ---- lists ------------------------------------------------------------------------------- */

/* A list whose items each have a meaning, and that ends with them. */
static struct type type_tuple(struct headers *headers, struct sketch *sketch, bool is_nullable,
                              struct slice hint)
{
    const struct list_rules *rules = sketch->list;
    struct shape *shape = shape_new(headers, SHAPE_STRUCT, sketch, hint);
    size_t used = 0;

    shape->is_tuple = true;
    shape->fields = ARENA_ARRAY(headers->arena, struct field, rules->prefix.count);
    for (uint32_t i = 0; i < rules->prefix.count; i++) {
        struct field *field = &shape->fields[shape->field_count++];
        struct slice key = arena_format(headers->arena, "item_%u", (unsigned)i);
        field->schema = rules->prefix.items[i];
        field->is_required = i < rules->min_items;
        field->type =
            type_of_schema(headers, field->schema, hint_below(headers, shape->name, key));
        field->type = type_within(headers, field->type, used);
        used += field->type.shape->size_bytes;
    }
    fields_name(headers, shape);
    shape_finish(headers, shape);
    return (struct type){ shape, is_nullable };
}

/* Items that may be null, and whose type cannot say so, are values. */
static struct shape *item_shape(struct headers *headers, struct type type)
{
    enum shape_kind kind = type.shape->kind;
    bool says_null =
        kind == SHAPE_TEXT || kind == SHAPE_VALUE || kind == SHAPE_ENUM || kind == SHAPE_UNION;

    if (kind == SHAPE_CONST || (type.is_nullable && !says_null)) {
        struct shape *value = ARENA_NEW(headers->arena, struct shape);
        *value = (struct shape){ .kind = SHAPE_VALUE, .is_laid = true, .size_bytes = 8 };
        value->behind = shape_has_name(type.shape) ? type.shape : NULL;
        return value;
    }
    return type.shape;
}

struct type type_list(struct headers *headers, struct sketch *sketch, bool is_nullable,
                      struct slice hint)
{
    const struct list_rules *rules = sketch->list;

    if (rules != NULL && rules->prefix.count > 0) {
        bool is_closed = (rules->items != NULL && rules->items->is_never) ||
                         rules->max_items <= rules->prefix.count;
        return is_closed && rules->prefix.count <= CASES_MAX
                   ? type_tuple(headers, sketch, is_nullable, hint)
                   : type_plain(headers, SHAPE_VALUE, is_nullable);
    }
    if (rules == NULL || rules->items == NULL || rules->items->is_never)
        return type_plain(headers, SHAPE_VALUE, is_nullable);
    struct shape *shape = shape_new(headers, SHAPE_LIST, sketch, hint);
    shape->size_bytes = 24;
    shape_finish(headers, shape); /* it only points to its items, so they may contain it */
    struct type item =
        type_of_schema(headers, rules->items, hint_below(headers, shape->name, SLICE("item")));
    shape->item = item_shape(headers, item);
    shape->has_null_items = item.is_nullable;
    return (struct type){ shape, is_nullable };
}
