/* How a schema and a problem are told to a person. Nothing here runs for a value that is right.
 */
#include "schema/format.h"
#include "schema/validate.h"

#include <inttypes.h>

enum { SHOWN_VALUES = 12, SHOWN_NAMES = 12, SHOWN_DEPTH = 3 };

/* ---- where ------------------------------------------------------------------------------- */

static void token_add(struct buffer *out, struct slice key)
{
    for (size_t i = 0; i < key.size; i++) {
        if (key.data[i] == '~')
            buffer_text(out, "~0");
        else if (key.data[i] == '/')
            buffer_text(out, "~1");
        else
            buffer_byte(out, key.data[i]);
    }
}

/* As deep as the value is, which is bounded. */
static void pointer_add(struct buffer *out, const struct spot *spot)
{
    if (spot->up == NULL)
        return;
    pointer_add(out, spot->up);
    buffer_byte(out, '/');
    if (spot->key.data == NULL)
        buffer_format(out, "%" PRIu32, spot->index);
    else
        token_add(out, spot->key);
}

struct slice spot_pointer(struct arena *arena, const struct spot *spot)
{
    struct buffer out = { 0 };

    pointer_add(&out, spot);
    struct slice pointer = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return pointer;
}

/* ---- what -------------------------------------------------------------------------------- */

static struct slice value_short(struct arena *arena, const struct value *value)
{
    return value->kind == VALUE_STRING ? text_quote(arena, value->bytes)
                                       : value_describe(arena, value);
}

struct slice enumeration_describe(struct arena *arena, const struct enumeration *enumeration)
{
    struct buffer out = { 0 };

    if (enumeration->count != 1)
        buffer_text(&out, enumeration->count == 0 ? "nothing" : "one of ");
    for (uint32_t i = 0; i < enumeration->count && i < SHOWN_VALUES; i++) {
        buffer_text(&out, i == 0 ? "" : ", ");
        buffer_slice(&out, value_short(arena, &enumeration->written[i]));
    }
    if (enumeration->count > SHOWN_VALUES)
        buffer_format(&out, " and %" PRIu32 " more", enumeration->count - SHOWN_VALUES);
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

struct slice properties_describe(struct arena *arena, const struct map_rules *rules)
{
    struct buffer out = { 0 };
    uint32_t known = 0;

    for (uint32_t i = 0; i < rules->property_count; i++) {
        if (rules->properties[i].schema == NULL || known++ >= SHOWN_NAMES)
            continue;
        buffer_text(&out, known == 1 ? "" : ", ");
        buffer_slice(&out, rules->properties[i].name);
    }
    if (known > SHOWN_NAMES)
        buffer_format(&out, " and %" PRIu32 " more", known - SHOWN_NAMES);
    for (uint32_t i = 0; i < rules->pattern_count && i < SHOWN_NAMES; i++)
        buffer_format(&out, "%snames that match %.*s", out.size == 0 ? "" : " or ",
                      SLICE_ARG(pattern_text(rules->patterns[i].pattern)));
    if (out.size == 0)
        buffer_text(&out, "none at all");
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

static void bound_add(struct arena *arena, struct buffer *out, const struct bound *bound,
                      const char *sign, bool *any)
{
    if (!bound->is_set)
        return;
    buffer_format(out, "%s%s %.*s", *any ? " and " : " ", sign,
                  SLICE_ARG(value_describe(arena, &bound->value)));
    *any = true;
}

static void number_add(struct arena *arena, struct buffer *out,
                       const struct number_rules *rules)
{
    bool any = false;

    bound_add(arena, out, &rules->minimum, ">=", &any);
    bound_add(arena, out, &rules->above, ">", &any);
    bound_add(arena, out, &rules->maximum, "<=", &any);
    bound_add(arena, out, &rules->below, "<", &any);
    bound_add(arena, out, &rules->multiple, "a multiple of", &any);
}

/* " of 1 to 64 characters" */
static void range_add(struct buffer *out, uint64_t least, uint64_t most, const char *unit)
{
    if (most == LIMIT_NONE && least > 0)
        buffer_format(out, " of at least %" PRIu64 " %s%s", least, unit, least == 1 ? "" : "s");
    else if (most != LIMIT_NONE && least == 0)
        buffer_format(out, " of at most %" PRIu64 " %s%s", most, unit, most == 1 ? "" : "s");
    else if (most != LIMIT_NONE && least == most)
        buffer_format(out, " of %" PRIu64 " %s%s", most, unit, most == 1 ? "" : "s");
    else if (most != LIMIT_NONE)
        buffer_format(out, " of %" PRIu64 " to %" PRIu64 " %ss", least, most, unit);
}

static void types_add(struct arena *arena, struct buffer *out, const struct schema *schema)
{
    uint32_t types = schema->types;

    if (types == TYPE_STRING && schema->string != NULL && schema->string->format != NULL) {
        buffer_text(out, schema->string->format->noun);
        return;
    }
    buffer_slice(out, types_describe(arena, types));
    if ((types == TYPE_INTEGER || types == TYPE_NUMBER) && schema->number != NULL)
        number_add(arena, out, schema->number);
    if (types == TYPE_STRING && schema->string != NULL) {
        range_add(out, schema->string->min_length, schema->string->max_length, "character");
        if (schema->string->pattern != NULL)
            buffer_format(out, " that matches %.*s",
                          SLICE_ARG(pattern_text(schema->string->pattern)));
    }
    if (types == TYPE_ARRAY && schema->list != NULL)
        range_add(out, schema->list->min_items, schema->list->max_items, "item");
    if (types == TYPE_OBJECT && schema->map != NULL)
        range_add(out, schema->map->min_members, schema->map->max_members, "member");
}

static void schema_add(struct arena *arena, struct buffer *out, const struct schema *schema,
                       unsigned depth);

static void branches_add(struct arena *arena, struct buffer *out,
                         const struct branches *branches, unsigned depth)
{
    const struct schema_list *list = branches->any.count > 0 ? &branches->any : &branches->one;

    if (branches->reference != NULL && list->count == 0) {
        schema_add(arena, out, branches->reference, depth + 1);
        return;
    }
    for (uint32_t i = 0; i < list->count && i < SHOWN_VALUES; i++) {
        buffer_text(out, i == 0 ? "" : " or ");
        schema_add(arena, out, list->items[i], depth + 1);
    }
}

static void schema_add(struct arena *arena, struct buffer *out, const struct schema *schema,
                       unsigned depth)
{
    size_t start = out->size;

    if (schema->is_never)
        buffer_text(out, "nothing");
    else if (schema->constant != NULL)
        buffer_slice(out, value_short(arena, schema->constant));
    else if (schema->enumeration != NULL)
        buffer_slice(out, enumeration_describe(arena, schema->enumeration));
    else if (schema->types != 0)
        types_add(arena, out, schema);
    else if (schema->branches != NULL && depth < SHOWN_DEPTH)
        branches_add(arena, out, schema->branches, depth);
    if (out->size > start)
        return;
    buffer_text(out, "a value that fits ");
    buffer_slice(out, schema->resource->file.size > 0 ? schema->resource->file : SLICE("line"));
    buffer_format(out, ":%" PRIu32, schema->line);
}

struct slice schema_describe(struct arena *arena, const struct schema *schema)
{
    struct buffer out = { 0 };

    schema_add(arena, &out, schema, 0);
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

/* ---- the problem ------------------------------------------------------------------------- */

static struct slice message_make(struct arena *arena, const struct schema *schema,
                                 const struct problem *problem)
{
    if (schema->message.size > 0)
        return arena_copy(arena, schema->message);
    return arena_format(
        arena, "%.*s%sexpected %.*s, got %.*s%s%.*s%s", SLICE_ARG(problem->pointer),
        problem->pointer.size > 0 ? ": " : "", SLICE_ARG(problem->expected),
        SLICE_ARG(problem->got), schema->description.size > 0 ? " (" : "",
        SLICE_ARG(schema->description), schema->description.size > 0 ? ")" : "");
}

static void mark_find(const struct schema *schema, enum keyword keyword,
                      struct problem *problem)
{
    problem->line = schema->line;
    problem->column = schema->column;
    for (uint32_t i = 0; i < schema->mark_count; i++)
        if (schema->marks[i].keyword == keyword) {
            problem->line = schema->marks[i].line;
            problem->column = schema->marks[i].column;
        }
}

bool problem_expect(const struct visit *visit, enum keyword keyword, struct slice got,
                    const char *format, ...)
{
    struct arena *arena = visit->check->arena;
    struct problem problem = {
        .pointer = spot_pointer(arena, visit->spot),
        .got = got.size > 0 ? got : value_describe(arena, visit->spot->value),
        .keyword = keyword_text(keyword),
        .file = arena_copy(arena, visit->schema->resource->file),
    };
    va_list arguments;

    va_start(arguments, format);
    problem.expected = arena_vformat(arena, format, arguments);
    va_end(arguments);
    problem.message = message_make(arena, visit->schema, &problem);
    mark_find(visit->schema, keyword, &problem);
    problem_add(arena, visit->check->problems, problem);
    return false;
}
