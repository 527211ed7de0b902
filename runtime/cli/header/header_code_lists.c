/* The functions of a header, continued: lists, enums and unions. */
#include "cli/header/header_parts.h"

/* ---- lists ------------------------------------------------------------------------------- */

static void list_of_write(struct headers *headers, struct buffer *out,
                          const struct shape *shape)
{
    of_write(headers, out, shape, "\n{\n");
    buffer_format(out,
                  "    struct %.*s made;\n\n"
                  "    __builtin_memset(&made, 0, sizeof made);\n"
                  "    %.*s_expect_(t, value, BIDE_LIST, \"%.*s\");\n"
                  "    if (bide_has(t, value, NULL))\n"
                  "        made.value = value;\n"
                  "    made.count = bide_count(t, value);\n"
                  "    return made;\n"
                  "}\n\n",
                  SLICE_ARG(shape->name), SLICE_ARG(headers->prefix), SLICE_ARG(shape->name));
}

static void list_at_write(struct headers *headers, struct buffer *out,
                          const struct shape *shape)
{
    const struct shape *item = shape->item;

    at_write(headers, out, shape, "\n{\n");
    buffer_text(out, "    if (list->item != NULL && index < list->count)\n"
                     "        return list->item[index];\n");
    if (item->kind == SHAPE_TEXT && shape->has_null_items)
        buffer_text(out, "    if (!bide_has(t, bide_at(t, list->value, index), NULL))\n"
                         "        return NULL;\n");
    buffer_text(out, "    return ");
    reading_write(out, item, "bide_at(t, list->value, index)");
    buffer_text(out, ";\n}\n\n");
}

void list_code_write(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    list_of_write(headers, out, shape);
    list_at_write(headers, out, shape);
    value_write(headers, out, shape, "\n{\n");
    buffer_text(out, "    if (from->item == NULL && from->value != NULL)\n"
                     "        return from->value;\n"
                     "    bide_list *list = bide_list_new(t);\n"
                     "    for (uint32_t i = 0; from->item != NULL && i < from->count; i++)\n"
                     "        bide_add(t, list, ");
    making_write(out, shape->item, "from->item[i]");
    buffer_text(out, ");\n    return list;\n}\n\n");
}

/* ---- enums ------------------------------------------------------------------------------- */

static void enum_text_write(struct buffer *out, const struct shape *shape)
{
    buffer_text(out, "/* \"\" for what is unset. */\n");
    text_write(out, shape, "\n{\n");
    buffer_text(out, "    static const char *const texts[] = {\n"
                     "        \"\",\n");
    for (uint32_t i = 0; i < shape->label_count; i++) {
        buffer_text(out, "        ");
        literal_write(out, shape->labels[i].text);
        buffer_text(out, ",\n");
    }
    buffer_format(out,
                  "    };\n"
                  "    uint32_t index = BIDE_CAST_(uint32_t, value);\n\n"
                  "    return index <= %u ? texts[index] : \"\";\n"
                  "}\n\n",
                  (unsigned)shape->label_count);
}

/* What is unknown is an error as a wrong kind is: going on with a guess helps nobody. */
static void enum_of_write(struct headers *headers, struct buffer *out,
                          const struct shape *shape)
{
    bool is_secret = shape->schema->is_secret;

    of_write(headers, out, shape, "\n{\n");
    buffer_format(out,
                  "    const char *text = bide_str(t, value, NULL);\n\n"
                  "    if (!bide_has(t, value, NULL))\n"
                  "        return %.*s;\n"
                  "    for (uint32_t i = 1; i <= %u; i++) {\n"
                  "        enum %.*s one = BIDE_CAST_(enum %.*s, i);\n"
                  "        if (__builtin_strcmp(text, %.*s_text(one)) == 0)\n"
                  "            return one;\n"
                  "    }\n",
                  SLICE_ARG(shape->unset), (unsigned)shape->label_count, SLICE_ARG(shape->name),
                  SLICE_ARG(shape->name), SLICE_ARG(shape->name));
    if (is_secret)
        buffer_format(out,
                      "    bide_raise(t, false, \"unknown_value\", \"no %%s\", \"%.*s\");\n",
                      SLICE_ARG(shape->name));
    else
        buffer_format(out,
                      "    bide_raise(t, false, \"unknown_value\", \"\\\"%%s\\\" is no %%s\", "
                      "text, \"%.*s\");\n",
                      SLICE_ARG(shape->name));
    buffer_format(out, "    return %.*s;\n}\n\n", SLICE_ARG(shape->unset));
}

void enum_code_write(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    enum_text_write(out, shape);
    enum_of_write(headers, out, shape);
    value_write(headers, out, shape, "\n{\n");
    buffer_format(out,
                  "    if (from == %.*s)\n"
                  "        return NULL;\n"
                  "    return bide_of_str(t, %.*s_text(from));\n"
                  "}\n\n",
                  SLICE_ARG(shape->unset), SLICE_ARG(shape->name));
}

/* ---- unions ------------------------------------------------------------------------------ */

static const struct {
    uint32_t types;
    const char *test;
} tests[] = {
    { TYPE_BOOLEAN, "kind == BIDE_BOOL" },
    { TYPE_INTEGER | TYPE_NUMBER, "kind == BIDE_INT || kind == BIDE_DOUBLE" },
    { TYPE_STRING, "kind == BIDE_TEXT" },
    { TYPE_ARRAY, "kind == BIDE_LIST" },
    { TYPE_OBJECT, "kind == BIDE_MAP" },
};

static void test_write(struct headers *headers, struct buffer *out, const struct shape *shape,
                       const struct field *field)
{
    const char *before = "";

    for (size_t i = 0; field->told_count == 0 && i < sizeof tests / sizeof tests[0]; i++)
        if ((field->types & tests[i].types) != 0) {
            buffer_format(out, "%s%s", before, tests[i].test);
            before = " || ";
        }
    for (uint32_t i = 0; i < field->told_count; i++) {
        buffer_format(out, "%s%.*s_is_(t, value, ", before, SLICE_ARG(headers->prefix));
        literal_write(out, shape->teller);
        buffer_text(out, ", ");
        literal_write(out, field->told_by[i]);
        buffer_byte(out, ')');
        before = " ||\n               ";
    }
}

static void union_of_write(struct headers *headers, struct buffer *out,
                           const struct shape *shape)
{
    of_write(headers, out, shape, "\n{\n");
    buffer_format(out,
                  "    uint32_t kind = bide_kind(t, value, NULL);\n"
                  "    struct %.*s made;\n\n"
                  "    __builtin_memset(&made, 0, sizeof made);\n"
                  "    ",
                  SLICE_ARG(shape->name));
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct field *field = &shape->fields[i];
        buffer_text(out, "if (");
        test_write(headers, out, shape, field);
        buffer_format(out, ") {\n        made.kind = %.*s;\n", SLICE_ARG(field->tag));
        if (field->type.shape->kind != SHAPE_CONST) {
            buffer_format(out, "        made.as.%.*s = ", SLICE_ARG(field->name));
            reading_write(out, field->type.shape, "value");
            buffer_text(out, ";\n");
        }
        buffer_text(out, "    } else ");
    }
    buffer_format(out,
                  "if (kind != BIDE_NULL) {\n"
                  "        bide_raise(t, false, \"unknown_value\", \"no %%s\", \"%.*s\");\n"
                  "    }\n"
                  "    return made;\n"
                  "}\n\n",
                  SLICE_ARG(shape->name));
}

void union_code_write(struct headers *headers, struct buffer *out, const struct shape *shape)
{
    union_of_write(headers, out, shape);
    value_write(headers, out, shape, "\n{\n");
    buffer_text(out, "    (void)t;\n    switch (from->kind) {\n");
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct field *field = &shape->fields[i];
        struct slice member =
            arena_format(headers->arena, "from->as.%.*s", SLICE_ARG(field->name));
        buffer_format(out, "    case %.*s:\n        return ", SLICE_ARG(field->tag));
        making_write(out, field->type.shape, member.data);
        buffer_text(out, ";\n");
    }
    buffer_format(out,
                  "    case %.*s:\n"
                  "        break;\n"
                  "    }\n"
                  "    return NULL;\n"
                  "}\n\n",
                  SLICE_ARG(shape->unset));
}
