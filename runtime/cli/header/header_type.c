/* The declarations of a header: enums first, then structs and unions, each after what it holds.
 */
#include "cli/header/header_parts.h"

struct slice type_text(struct arena *arena, const struct shape *shape)
{
    switch (shape->kind) {
    case SHAPE_BOOL:
        return SLICE("bool ");
    case SHAPE_I64:
        return SLICE("int64_t ");
    case SHAPE_U64:
        return SLICE("uint64_t ");
    case SHAPE_F64:
        return SLICE("double ");
    case SHAPE_TEXT:
        return SLICE("const char *");
    case SHAPE_ENUM:
        return arena_format(arena, "enum %.*s ", SLICE_ARG(shape->name));
    case SHAPE_STRUCT:
    case SHAPE_LIST:
    case SHAPE_UNION:
        return arena_format(arena, "struct %.*s ", SLICE_ARG(shape->name));
    case SHAPE_VALUE:
    case SHAPE_CONST:
        break;
    }
    return SLICE("const bide_value *");
}

/* ---- enums ------------------------------------------------------------------------------- */

static void tag_write(struct buffer *out, struct slice name, bool is_last)
{
    buffer_format(out, "    %.*s%s\n", SLICE_ARG(name), is_last ? "" : ",");
}

/* The text itself, and what is said of it where it has a schema of its own. */
static struct slice label_note(struct arena *arena, const struct label *label)
{
    struct slice note = { 0 };

    if (label->schema != NULL)
        note = note_of(arena, label->schema, NULL);
    return arena_format(arena, "\"%.*s\"%s%.*s", SLICE_ARG(label->text),
                        note.size > 0 ? ": " : "", SLICE_ARG(note));
}

static void enum_write(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    comment_write(out, 0, note_of(headers->arena, shape->schema, NULL));
    buffer_format(out, "enum %.*s {\n    %.*s, /* missing or null */\n", SLICE_ARG(shape->name),
                  SLICE_ARG(shape->unset));
    for (uint32_t i = 0; i < shape->label_count; i++) {
        comment_write(out, 4, label_note(headers->arena, &shape->labels[i]));
        tag_write(out, shape->labels[i].name, i + 1 == shape->label_count);
    }
    buffer_text(out, "};\n\n");
}

static void kinds_write(struct buffer *out, const struct shape *shape)
{
    buffer_format(out, "enum %.*s {\n    %.*s, /* missing or null */\n",
                  SLICE_ARG(shape->kinds), SLICE_ARG(shape->unset));
    for (uint32_t i = 0; i < shape->field_count; i++)
        tag_write(out, shape->fields[i].tag, i + 1 == shape->field_count);
    buffer_text(out, "};\n\n");
}

/* ---- structs ----------------------------------------------------------------------------- */

static bool field_write(struct headers *headers, struct buffer *out, const struct field *field,
                        uint32_t indent)
{
    const struct shape *shape = field->type.shape;
    bool is_const = shape->kind == SHAPE_CONST;

    if (is_const && field->presence.size == 0)
        return false;
    comment_write(out, indent, note_of(headers->arena, field->schema, field));
    if (field->presence.size > 0)
        buffer_format(out, "%*sbool %.*s;\n", (int)indent, "", SLICE_ARG(field->presence));
    if (!is_const)
        buffer_format(out, "%*s%.*s%.*s;\n", (int)indent, "",
                      SLICE_ARG(type_text(headers->arena, shape)), SLICE_ARG(field->name));
    return true;
}

static void struct_write(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    bool is_empty = shape->others.size == 0;

    comment_write(out, 0, note_of(headers->arena, shape->schema, NULL));
    buffer_format(out, "struct %.*s {\n", SLICE_ARG(shape->name));
    for (uint32_t i = 0; i < shape->field_count; i++)
        is_empty &= !field_write(headers, out, &shape->fields[i], 4);
    if (shape->others.size > 0) {
        comment_write(out, 4,
                      SLICE("the whole map, for members that are not named here; when it is "
                            "written, these come along"));
        buffer_format(out, "    const bide_value *%.*s;\n", SLICE_ARG(shape->others));
    }
    if (is_empty)
        buffer_text(out, "    char unused_; /* C has no empty struct */\n");
    buffer_text(out, "};\n\n");
}

static void list_write(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    struct slice item = type_text(headers->arena, shape->item);
    bool is_pointer = item.data[item.size - 1] == '*';

    if (shape_has_name(shape->item) && shape->item->kind != SHAPE_ENUM &&
        !shape->item->is_written)
        buffer_format(out, "struct %.*s;\n\n", SLICE_ARG(shape->item->name));
    comment_write(out, 0, note_of(headers->arena, shape->schema, NULL));
    buffer_format(
        out,
        "struct %.*s {\n"
        "    uint32_t count;\n"
        "    %s%.*s%s*item; /* to write it: count items */\n"
        "    const bide_value *value; /* what was read: %.*s_at() gives its items */\n"
        "};\n\n",
        SLICE_ARG(shape->name), is_pointer ? "" : "const ", SLICE_ARG(item),
        is_pointer ? "const " : "", SLICE_ARG(shape->name));
}

static void union_write(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    bool has_any = false;

    comment_write(out, 0, note_of(headers->arena, shape->schema, NULL));
    buffer_format(out, "struct %.*s {\n    enum %.*s kind;\n", SLICE_ARG(shape->name),
                  SLICE_ARG(shape->kinds));
    for (uint32_t i = 0; i < shape->field_count; i++)
        has_any |= shape->fields[i].type.shape->kind != SHAPE_CONST;
    if (has_any)
        buffer_text(out, "    union {\n");
    for (uint32_t i = 0; has_any && i < shape->field_count; i++)
        (void)field_write(headers, out, &shape->fields[i], 8); /* a constant needs no place */
    if (has_any)
        buffer_text(out, "    } as;\n");
    buffer_text(out, "};\n\n");
}

void types_write(struct headers *headers, struct buffer *out)
{
    for (struct shape *shape = headers->first; shape != NULL; shape = shape->next) {
        if (shape->kind == SHAPE_ENUM)
            enum_write(headers, out, shape);
        else if (shape->kind == SHAPE_UNION)
            kinds_write(out, shape);
    }
    for (struct shape *shape = headers->first; shape != NULL; shape = shape->next) {
        if (shape->kind == SHAPE_STRUCT)
            struct_write(headers, out, shape);
        else if (shape->kind == SHAPE_LIST)
            list_write(headers, out, shape);
        else if (shape->kind == SHAPE_UNION)
            union_write(headers, out, shape);
        shape->is_written = true;
    }
}
