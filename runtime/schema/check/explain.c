/* How a schema and a problem are told to a person. Nothing here runs for a value that is right.
 */
#include "codec/json.h"
#include "schema/check/secret.h"
#include "schema/format/format.h"

#include <assert.h>
#include <inttypes.h>

enum { SHOWN_VALUES = 12, SHOWN_NAMES = 12, SHOWN_DEPTH = 3 };

/* ---- where ------------------------------------------------------------------------------- */

/* As deep as the value is, which is bounded. */
static void pointer_add(struct buffer *out, const struct spot *spot)
{
    if (spot->up == NULL)
        return;
    pointer_add(out, spot->up);
    if (spot->key.data == NULL)
        buffer_format(out, "/%" PRIu32, spot->index);
    else
        json_pointer_add(out, spot->key);
}

static struct slice text_take(struct arena *arena, struct buffer *out)
{
    struct slice text = arena_copy(arena, buffer_view(out));

    buffer_finish(out);
    return text;
}

struct slice spot_pointer(const struct check *check, const struct spot *spot)
{
    const struct spot *secret = secret_above(check->secrets, spot);
    struct buffer out = { 0 };

    pointer_add(&out, secret != NULL ? secret : spot);
    return text_take(check->arena, &out);
}

/* ---- what -------------------------------------------------------------------------------- */

bool visit_hides(const struct visit *visit)
{
    return secret_above(visit->check->secrets, visit->spot) != NULL;
}

struct slice spot_describe(const struct visit *visit)
{
    static const struct {
        enum value_kind kind;
        struct slice text;
    } secret[] = {
        { VALUE_NULL, { "null", 4 } },
        { VALUE_BOOL, { "a secret boolean", 16 } },
        { VALUE_INT, { "a secret number", 15 } },
        { VALUE_UINT, { "a secret number", 15 } },
        { VALUE_DOUBLE, { "a secret number", 15 } },
        { VALUE_STRING, { "a secret string", 15 } },
        { VALUE_BYTES, { "a secret string", 15 } },
        { VALUE_LIST, { "a secret array", 14 } },
        { VALUE_MAP, { "a secret object", 15 } },
    };

    if (!visit_hides(visit))
        return value_describe(visit->check->arena, visit->spot->value);
    assert(secret[visit->spot->value->kind].kind == visit->spot->value->kind);
    return secret[visit->spot->value->kind].text;
}

/* A schema in words. What it says of a secret must not give it away. */
struct telling {
    struct arena *arena;
    struct buffer out;
    bool hides;
};

static struct slice value_short(struct arena *arena, const struct value *value)
{
    return value->kind == VALUE_STRING ? text_quote(arena, value->bytes)
                                       : value_describe(arena, value);
}

static void constant_add(struct telling *telling, const struct value *constant)
{
    if (telling->hides)
        buffer_text(&telling->out, "the one value that is right");
    else
        buffer_slice(&telling->out, value_short(telling->arena, constant));
}

static void enumeration_add(struct telling *telling, const struct enumeration *enumeration)
{
    struct buffer *out = &telling->out;

    if (telling->hides) {
        buffer_format(out, "one of the %" PRIu32 " values that are right", enumeration->count);
        return;
    }
    if (enumeration->count != 1)
        buffer_text(out, enumeration->count == 0 ? "nothing" : "one of ");
    for (uint32_t i = 0; i < enumeration->count && i < SHOWN_VALUES; i++) {
        buffer_text(out, i == 0 ? "" : ", ");
        buffer_slice(out, value_short(telling->arena, &enumeration->written[i]));
    }
    if (enumeration->count > SHOWN_VALUES)
        buffer_format(out, " and %" PRIu32 " more", enumeration->count - SHOWN_VALUES);
}

static struct telling telling_start(const struct visit *visit)
{
    return (struct telling){ .arena = visit->check->arena,
                             .hides = visit->schema->is_secret || visit_hides(visit) };
}

struct slice constant_describe(const struct visit *visit)
{
    struct telling telling = telling_start(visit);

    constant_add(&telling, visit->schema->constant);
    return text_take(telling.arena, &telling.out);
}

struct slice enumeration_describe(const struct visit *visit)
{
    struct telling telling = telling_start(visit);

    enumeration_add(&telling, visit->schema->enumeration);
    return text_take(telling.arena, &telling.out);
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
    return text_take(arena, &out);
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

static void schema_add(struct telling *telling, const struct schema *schema, unsigned depth);

static void branches_add(struct telling *telling, const struct branches *branches,
                         unsigned depth)
{
    const struct schema_list *list = branches->any.count > 0 ? &branches->any : &branches->one;

    if (branches->reference != NULL && list->count == 0) {
        schema_add(telling, branches->reference, depth + 1);
        return;
    }
    for (uint32_t i = 0; i < list->count && i < SHOWN_VALUES; i++) {
        buffer_text(&telling->out, i == 0 ? "" : " or ");
        schema_add(telling, list->items[i], depth + 1);
    }
}

static void schema_add(struct telling *telling, const struct schema *schema, unsigned depth)
{
    struct buffer *out = &telling->out;
    size_t start = out->size;
    bool hid = telling->hides;

    telling->hides |= schema->is_secret;
    if (schema->is_never)
        buffer_text(out, "nothing");
    else if (schema->constant != NULL)
        constant_add(telling, schema->constant);
    else if (schema->enumeration != NULL)
        enumeration_add(telling, schema->enumeration);
    else if (schema->types != 0)
        types_add(telling->arena, out, schema);
    else if (schema->branches != NULL && depth < SHOWN_DEPTH)
        branches_add(telling, schema->branches, depth);
    telling->hides = hid;
    if (out->size > start)
        return;
    buffer_text(out, "a value that fits ");
    buffer_slice(out, schema->resource->file.size > 0 ? schema->resource->file : SLICE("line"));
    buffer_format(out, ":%" PRIu32, schema->line);
}

struct slice schema_describe(const struct visit *visit, const struct schema *schema)
{
    struct telling telling = telling_start(visit);

    schema_add(&telling, schema, 0);
    return text_take(telling.arena, &telling.out);
}

/* ---- the problem ------------------------------------------------------------------------- */

/* The author's own sentence, if there is one for this part, and what was expected anyway. */
static struct slice message_make(const struct visit *visit, const struct problem *problem)
{
    const struct check *check = visit->check;
    struct slice pointer = problem->pointer, description = visit->schema->description;
    const char *colon = pointer.size > 0 ? ": " : "";

    if (check->spoken_of == visit->spot && check->speaker != NULL)
        return arena_format(check->arena, "%.*s%s%.*s (expected %.*s, got %.*s)",
                            SLICE_ARG(pointer), colon, SLICE_ARG(check->speaker->message),
                            SLICE_ARG(problem->expected), SLICE_ARG(problem->got));
    return arena_format(check->arena, "%.*s%sexpected %.*s, got %.*s%s%.*s%s",
                        SLICE_ARG(pointer), colon, SLICE_ARG(problem->expected),
                        SLICE_ARG(problem->got), description.size > 0 ? " (" : "",
                        SLICE_ARG(description), description.size > 0 ? ")" : "");
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

static void __attribute__((format(printf, 5, 0)))
problem_make(const struct visit *visit, enum keyword keyword, struct slice name,
             struct slice got, const char *format, va_list arguments)
{
    struct arena *arena = visit->check->arena;
    struct problem problem = {
        .pointer = spot_pointer(visit->check, visit->spot),
        .expected = arena_vformat(arena, format, arguments),
        .got = got.size > 0 ? got : spot_describe(visit),
        .keyword = keyword_text(keyword),
        .file = arena_copy(arena, visit->schema->resource->file),
        .name = visit_hides(visit) ? SLICE("") : name,
    };

    problem.message = message_make(visit, &problem);
    mark_find(visit->schema, keyword, &problem);
    problem_add(arena, visit->check->problems, problem);
}

bool problem_expect(const struct visit *visit, enum keyword keyword, struct slice got,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    problem_make(visit, keyword, SLICE(""), got, format, arguments);
    va_end(arguments);
    return false;
}

bool problem_name(const struct visit *visit, enum keyword keyword, struct slice name,
                  struct slice got, const char *format, ...)
{
    struct slice told = visit_hides(visit) ? SLICE("a member of a secret object") : got;
    va_list arguments;

    va_start(arguments, format);
    problem_make(visit, keyword, arena_copy(visit->check->arena, name), told, format,
                 arguments);
    va_end(arguments);
    return false;
}
