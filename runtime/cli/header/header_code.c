/*
 * The functions of a header: for each type T one that reads it, T_of(t, value), and one that
 * makes a value of it, T_value(t, &x). All of them lean on the errors of bide.h, which stick.
 */
#include "cli/header/header_parts.h"

#include <inttypes.h>

static bool is_passed_by_pointer(const struct shape *shape)
{
    return shape->kind >= SHAPE_STRUCT;
}

/* "bide_i64", without the prefix where it is about values of that kind. */
static const char *kind_word(enum shape_kind kind)
{
    switch (kind) {
    case SHAPE_BOOL:
        return "bool";
    case SHAPE_I64:
        return "i64";
    case SHAPE_U64:
        return "u64";
    case SHAPE_F64:
        return "f64";
    case SHAPE_TEXT:
        return "str";
    case SHAPE_VALUE:
    case SHAPE_CONST:
    case SHAPE_ENUM:
    case SHAPE_STRUCT:
    case SHAPE_LIST:
    case SHAPE_UNION:
        break;
    }
    return NULL;
}

void reading_write(struct buffer *out, const struct shape *shape, const char *value)
{
    if (kind_word(shape->kind) != NULL)
        buffer_format(out, "bide_%s(t, %s, NULL)", kind_word(shape->kind), value);
    else if (shape_has_name(shape))
        buffer_format(out, "%.*s_of(t, %s)", SLICE_ARG(shape->name), value);
    else
        buffer_text(out, value);
}

static void constant_write(struct buffer *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_BOOL:
        buffer_format(out, "bide_of_bool(t, %s)", value->boolean ? "true" : "false");
        return;
    case VALUE_INT:
        if (value->integer == INT64_MIN)
            buffer_text(out, "bide_of_i64(t, INT64_MIN)");
        else
            buffer_format(out, "bide_of_i64(t, INT64_C(%" PRId64 "))", value->integer);
        return;
    case VALUE_UINT:
        buffer_format(out, "bide_of_u64(t, UINT64_C(%" PRIu64 "))", value->big);
        return;
    case VALUE_DOUBLE:
        buffer_format(out, "bide_of_f64(t, %.17g)", value->number);
        return;
    case VALUE_STRING:
        buffer_text(out, "bide_of_str(t, ");
        literal_write(out, value->bytes);
        buffer_byte(out, ')');
        return;
    case VALUE_NULL:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        break;
    }
    buffer_text(out, "NULL");
}

void making_write(struct buffer *out, const struct shape *shape, const char *expression)
{
    if (kind_word(shape->kind) != NULL)
        buffer_format(out, "bide_of_%s(t, %s)", kind_word(shape->kind), expression);
    else if (shape_has_name(shape))
        buffer_format(out, "%.*s_value(t, %s%s)", SLICE_ARG(shape->name),
                      is_passed_by_pointer(shape) ? "&" : "", expression);
    else if (shape->kind == SHAPE_CONST)
        constant_write(out, shape->constant);
    else
        buffer_text(out, expression);
}

/* ---- structs: reading -------------------------------------------------------------------- */

struct place {
    struct slice value, key; /* C expressions: what bide_i64() and the like are asked with */
    struct slice member;     /* the member as a value */
};

static struct place place_of(struct arena *arena, const struct shape *shape, uint32_t index)
{
    struct buffer literal = { 0 };
    struct place place = { SLICE("value"), SLICE("NULL"), { 0 } };

    if (shape->is_tuple) {
        place.value = arena_format(arena, "bide_at(t, value, %u)", (unsigned)index);
        place.member = place.value;
        return place;
    }
    literal_write(&literal, shape->fields[index].key);
    place.key = arena_copy(arena, buffer_view(&literal));
    place.member = arena_format(arena, "bide_get(t, value, %.*s)", SLICE_ARG(place.key));
    buffer_finish(&literal);
    return place;
}

/* Texts that may be missing stay NULL then. */
static bool may_be_missing(const struct field *field)
{
    return !field->is_required || field->type.is_nullable;
}

static void field_read(struct buffer *out, struct arena *arena, const struct shape *shape,
                       uint32_t index)
{
    const struct field *field = &shape->fields[index];
    const struct shape *what = field->type.shape;
    struct place place = place_of(arena, shape, index);

    if (field->presence.size > 0)
        buffer_format(out, "    made.%.*s = bide_has(t, %.*s, %.*s);\n",
                      SLICE_ARG(field->presence), SLICE_ARG(place.value), SLICE_ARG(place.key));
    if (what->kind == SHAPE_CONST)
        return;
    bool is_text = what->kind == SHAPE_TEXT && may_be_missing(field);
    if (is_text)
        buffer_format(out, "    if (bide_has(t, %.*s, %.*s))\n    ", SLICE_ARG(place.value),
                      SLICE_ARG(place.key));
    buffer_format(out, "    made.%.*s = ", SLICE_ARG(field->name));
    if (kind_word(what->kind) != NULL)
        buffer_format(out, "bide_%s(t, %.*s, %.*s)", kind_word(what->kind),
                      SLICE_ARG(place.value), SLICE_ARG(place.key));
    else
        reading_write(out, what, place.member.data);
    buffer_text(out, ";\n");
}

static void struct_read(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    of_write(headers, out, shape, "\n{\n");
    buffer_format(out,
                  "    struct %.*s made;\n\n"
                  "    __builtin_memset(&made, 0, sizeof made);\n"
                  "    %.*s_expect_(t, value, %s, \"%.*s\");\n",
                  SLICE_ARG(shape->name), SLICE_ARG(headers->prefix),
                  shape->is_tuple ? "BIDE_LIST" : "BIDE_MAP", SLICE_ARG(shape->name));
    for (uint32_t i = 0; i < shape->field_count; i++)
        field_read(out, headers->arena, shape, i);
    if (shape->others.size > 0)
        buffer_format(out, "    made.%.*s = value;\n", SLICE_ARG(shape->others));
    buffer_text(out, "    return made;\n}\n\n");
}

/* ---- structs: writing -------------------------------------------------------------------- */

/* Whoever sets a number means it: only a zero needs its flag. */
static struct slice flag_or_value(struct arena *arena, const struct field *field)
{
    struct slice flag = field->presence, name = field->name;
    enum shape_kind kind = field->type.shape->kind;

    if (kind == SHAPE_BOOL)
        return arena_format(arena, "from->%.*s || from->%.*s", SLICE_ARG(flag),
                            SLICE_ARG(name));
    if (kind == SHAPE_I64 || kind == SHAPE_U64)
        return arena_format(arena, "from->%.*s || from->%.*s != 0", SLICE_ARG(flag),
                            SLICE_ARG(name));
    if (kind == SHAPE_F64)
        return arena_format(arena, "from->%.*s || from->%.*s < 0 || from->%.*s > 0",
                            SLICE_ARG(flag), SLICE_ARG(name), SLICE_ARG(name));
    return arena_format(arena, "from->%.*s", SLICE_ARG(flag));
}

/* The C condition that the member is there; empty: it always is. */
static struct slice presence_of(struct arena *arena, const struct field *field)
{
    struct slice name = field->name;

    if (field->presence.size > 0)
        return flag_or_value(arena, field);
    switch (field->type.shape->kind) {
    case SHAPE_TEXT:
    case SHAPE_VALUE:
        return arena_format(arena, "from->%.*s != NULL", SLICE_ARG(name));
    case SHAPE_ENUM:
        return arena_format(arena, "from->%.*s != %.*s", SLICE_ARG(name),
                            SLICE_ARG(field->type.shape->unset));
    case SHAPE_UNION:
        return arena_format(arena, "from->%.*s.kind != %.*s", SLICE_ARG(name),
                            SLICE_ARG(field->type.shape->unset));
    case SHAPE_LIST:
        if (may_be_missing(field))
            return arena_format(arena, "from->%.*s.item != NULL || from->%.*s.value != NULL",
                                SLICE_ARG(name), SLICE_ARG(name));
        break;
    case SHAPE_BOOL:
    case SHAPE_I64:
    case SHAPE_U64:
    case SHAPE_F64:
    case SHAPE_CONST:
    case SHAPE_STRUCT:
        break;
    }
    return (struct slice){ 0 };
}

/* bide_put(t, map, "key", …) or bide_add(t, list, …), with as little as the kind allows. */
static void put_write(struct buffer *out, struct arena *arena, const struct shape *shape,
                      uint32_t index, const char *indent)
{
    const struct field *field = &shape->fields[index];
    const char *word = kind_word(field->type.shape->kind);
    struct slice member = arena_format(arena, "from->%.*s", SLICE_ARG(field->name));

    buffer_format(out, "%sbide_%s%s%s(t, %s, ", indent, shape->is_tuple ? "add" : "put",
                  word == NULL ? "" : "_", word == NULL ? "" : word,
                  shape->is_tuple ? "list" : "map");
    if (!shape->is_tuple) {
        literal_write(out, field->key);
        buffer_text(out, ", ");
    }
    if (word != NULL)
        buffer_slice(out, member);
    else
        making_write(out, field->type.shape, member.data);
    buffer_text(out, ");\n");
}

static void null_write(struct buffer *out, const struct shape *shape, const struct field *field)
{
    bool is_null = field->is_required && field->type.is_nullable;

    if (shape->is_tuple) { /* what follows must stay in its place */
        buffer_text(out, "    else\n        bide_add(t, list, NULL);\n");
    } else if (is_null) {
        buffer_text(out, "    else\n        bide_put(t, map, ");
        literal_write(out, field->key);
        buffer_text(out, ", NULL);\n");
    }
}

static void others_write(struct buffer *out, const struct shape *shape)
{
    buffer_format(out,
                  "    for (uint32_t i = 0; i < bide_count(t, from->%.*s); i++)\n"
                  "        bide_put(t, map, bide_key_at(t, from->%.*s, i),\n"
                  "                 bide_at(t, from->%.*s, i));\n",
                  SLICE_ARG(shape->others), SLICE_ARG(shape->others), SLICE_ARG(shape->others));
}

static bool is_silent(const struct field *field)
{
    return field->type.shape->kind == SHAPE_CONST && field->presence.size == 0;
}

static void member_make(struct headers *headers, struct buffer *out, const struct shape *shape,
                        uint32_t index)
{
    const struct field *field = &shape->fields[index];
    struct slice condition = presence_of(headers->arena, field);

    if (condition.size > 0)
        buffer_format(out, "    if (%.*s)\n", SLICE_ARG(condition));
    put_write(out, headers->arena, shape, index, condition.size > 0 ? "        " : "    ");
    if (condition.size > 0 && shape->is_tuple && !field->is_required)
        buffer_text(out,
                    "    else\n        return list; /* the last items may be missing */\n");
    else if (condition.size > 0)
        null_write(out, shape, field);
}

static void struct_make(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    const char *kind = shape->is_tuple ? "list" : "map";
    bool is_used = shape->others.size > 0;

    value_write(headers, out, shape, "\n{\n");
    buffer_format(out, "    bide_%s *%s = bide_%s_new(t);\n\n", kind, kind, kind);
    for (uint32_t i = 0; i < shape->field_count; i++)
        is_used |= !is_silent(&shape->fields[i]);
    if (!is_used)
        buffer_text(out, "    (void)from;\n");
    if (shape->others.size > 0)
        others_write(out, shape);
    for (uint32_t i = 0; i < shape->field_count; i++)
        member_make(headers, out, shape, i);
    buffer_format(out, "    return %s;\n}\n\n", kind);
}

/* ---- all of them ------------------------------------------------------------------------- */

void of_write(struct headers *headers, struct buffer *out, const struct shape *shape,
              const char *end)
{
    signature_write(out, type_text(headers->arena, shape), shape->name, "_of",
                    SLICE("bide_task *t, const bide_value *value"), end);
}

void value_write(struct headers *headers, struct buffer *out, const struct shape *shape,
                 const char *end)
{
    struct slice made = SLICE("const bide_value *");

    if (shape->kind == SHAPE_STRUCT)
        made = shape->is_tuple ? SLICE("bide_list *") : SLICE("bide_map *");
    signature_write(out, made, shape->name, "_value",
                    arena_format(headers->arena, "bide_task *t, %s%.*s%sfrom",
                                 is_passed_by_pointer(shape) ? "const " : "",
                                 SLICE_ARG(type_text(headers->arena, shape)),
                                 is_passed_by_pointer(shape) ? "*" : ""),
                    end);
}

void at_write(struct headers *headers, struct buffer *out, const struct shape *shape,
              const char *end)
{
    signature_write(out, type_text(headers->arena, shape->item), shape->name, "_at",
                    arena_format(headers->arena,
                                 "bide_task *t, const struct %.*s *list, uint32_t index",
                                 SLICE_ARG(shape->name)),
                    end);
}

void text_write(struct buffer *out, const struct shape *shape, const char *end)
{
    struct buffer parameter = { 0 };

    buffer_format(&parameter, "enum %.*s value", SLICE_ARG(shape->name));
    signature_write(out, SLICE("const char *"), shape->name, "_text", buffer_view(&parameter),
                    end);
    buffer_finish(&parameter);
}

void prototypes_write(struct headers *headers, struct buffer *out)
{
    for (const struct shape *shape = headers->first; shape != NULL; shape = shape->next) {
        of_write(headers, out, shape, ";\n");
        value_write(headers, out, shape, ";\n");
        if (shape->kind == SHAPE_LIST)
            at_write(headers, out, shape, ";\n");
        if (shape->kind == SHAPE_ENUM)
            text_write(out, shape, ";\n");
    }
    buffer_byte(out, '\n');
}

void functions_write(struct headers *headers, struct buffer *out)
{
    for (const struct shape *shape = headers->first; shape != NULL; shape = shape->next) {
        if (shape->kind == SHAPE_STRUCT) {
            struct_read(headers, out, shape);
            struct_make(headers, out, shape);
        } else if (shape->kind == SHAPE_LIST) {
            list_code_write(headers, out, shape);
        } else if (shape->kind == SHAPE_UNION) {
            union_code_write(headers, out, shape);
        } else {
            enum_code_write(headers, out, shape);
        }
    }
}
