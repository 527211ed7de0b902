/* How much a text may be, by what its schema says: for who wants to put it into a field. */
#include "schema/compile/program.h"
#include "schema/format/format.h"

#include <inttypes.h>

enum { LONGEST_DEPTH = 8, CHARACTER_BYTES = 4 };

static const struct schema_text anything = { UINT64_MAX, UINT64_MAX, 0 };
static const struct schema_text nothing = { 0, 0, 0 };

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void text_limit(struct schema_text *text, uint64_t characters, uint64_t bytes)
{
    text->characters = smaller(text->characters, characters);
    text->bytes = smaller(text->bytes, bytes);
}

static void value_allow(struct schema_text *text, const struct value *value)
{
    uint64_t size = value->kind == VALUE_STRING ? value->bytes.size : 0;

    text->characters = text->characters > size ? text->characters : size;
    text->bytes = text->bytes > size ? text->bytes : size;
}

/* What a format says of itself: characters, and whether all of them are ASCII. */
static void format_limit(struct schema_text *text, const struct format *format,
                         uint64_t *character_bytes)
{
    static const struct {
        const char *name;
        uint64_t most;
    } formats[] = {
        { "uuid", 36 },
        { "date", 10 },
        { "ipv4", 15 },
        { "ipv6", 45 },
        { "hostname", 253 },
        { "date-time", UINT64_MAX },
        { "time", UINT64_MAX },
        { "uri", UINT64_MAX },
        { "uri-reference", UINT64_MAX },
        { "email", UINT64_MAX },
        { "duration", UINT64_MAX },
    };

    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(format->name, formats[i].name) == 0) {
            text_limit(text, formats[i].most, formats[i].most);
            *character_bytes = 1;
        }
}

static void strings_limit(struct schema_text *text, const struct string_rules *rules)
{
    uint64_t each = CHARACTER_BYTES, most = rules->max_length;

    if (rules->format != NULL)
        format_limit(text, rules->format, &each);
    text_limit(text, most, most > UINT64_MAX / each ? UINT64_MAX : most * each);
}

static bool text_narrow(const struct schema *schema, int depth, struct schema_text *text);

/* Any of them may hold: as long as the longest. */
static bool branches_limit(const struct schema_list *list, int depth, struct schema_text *text)
{
    struct schema_text longest = nothing;

    for (uint32_t i = 0; i < list->count; i++) {
        struct schema_text branch = anything;
        if (!text_narrow(list->items[i], depth, &branch))
            return false;
        longest.characters =
            branch.characters > longest.characters ? branch.characters : longest.characters;
        longest.bytes = branch.bytes > longest.bytes ? branch.bytes : longest.bytes;
    }
    if (list->count > 0)
        text_limit(text, longest.characters, longest.bytes);
    return true;
}

/* False: there is a rule whose part in it cannot be told. */
static bool text_narrow(const struct schema *schema, int depth, struct schema_text *text)
{
    const struct branches *branches = schema->branches;
    struct schema_text listed = nothing;

    if (depth == LONGEST_DEPTH)
        return false;
    if (schema->is_never || (schema->types != 0 && (schema->types & TYPE_STRING) == 0))
        text_limit(text, 0, 0);
    if (schema->constant != NULL)
        value_allow(&listed, schema->constant);
    for (uint32_t i = 0; schema->enumeration != NULL && i < schema->enumeration->count; i++)
        value_allow(&listed, &schema->enumeration->values[i]);
    if (schema->constant != NULL || schema->enumeration != NULL)
        text_limit(text, listed.characters, listed.bytes);
    if (schema->string != NULL && schema->string->pattern != NULL)
        return text->bytes == 0;
    if (schema->string != NULL)
        strings_limit(text, schema->string);
    if (branches == NULL)
        return true;
    if (branches->negated != NULL || branches->when != NULL || branches->dynamic != NULL ||
        branches->dynamic_name.size > 0)
        return false;
    for (uint32_t i = 0; i < branches->all.count; i++)
        if (!text_narrow(branches->all.items[i], depth + 1, text))
            return false;
    return (branches->reference == NULL || text_narrow(branches->reference, depth + 1, text)) &&
           branches_limit(&branches->any, depth + 1, text) &&
           branches_limit(&branches->one, depth + 1, text);
}

/* False as above; text->line stays 0 where nobody speaks of the property. */
static bool property_narrow(const struct schema *schema, struct slice name, int depth,
                            struct schema_text *text)
{
    if (schema == NULL || depth == LONGEST_DEPTH)
        return schema == NULL;
    for (uint32_t i = 0; schema->map != NULL && i < schema->map->property_count; i++) {
        const struct property *property = &schema->map->properties[i];
        if (property->schema == NULL || !slice_equal(property->name, name))
            continue;
        text->line = property->schema->line;
        if (!text_narrow(property->schema, 0, text))
            return false;
    }
    if (schema->branches == NULL)
        return true;
    for (uint32_t i = 0; i < schema->branches->all.count; i++)
        if (!property_narrow(schema->branches->all.items[i], name, depth + 1, text))
            return false;
    return property_narrow(schema->branches->reference, name, depth + 1, text);
}

bool schema_longest_text(const struct schema *schema, struct slice property,
                         struct schema_text *text)
{
    *text = anything;
    return property_narrow(schema, property, 0, text) && text->line != 0;
}

struct slice schema_text_flaw(const struct schema *schema, struct slice place,
                              struct slice property, uint64_t size, struct arena *arena)
{
    struct slice allowed = SLICE("of any length"), flaw;
    struct schema_text text;
    uint64_t room = size - 1;

    if (size == 0 || !schema_longest_text(schema, property, &text) || text.bytes <= room)
        return (struct slice){ 0 };
    bool is_ascii = text.characters != UINT64_MAX && text.bytes == text.characters;
    if (text.characters != UINT64_MAX)
        allowed = arena_format(arena, "of %" PRIu64 " characters, up to %" PRIu64 " bytes",
                               text.characters, text.bytes);
    flaw = arena_format(arena,
                        "%.*s:%u allows texts %.*s as /%.*s of the input, and the field of "
                        "that name in the state, STR(%" PRIu64 "), holds %" PRIu64
                        " bytes: say maxLength: %" PRIu64,
                        SLICE_ARG(place), text.line, SLICE_ARG(allowed), SLICE_ARG(property),
                        size, room, is_ascii ? room : room / 4);
    if (text.characters != UINT64_MAX)
        flaw = arena_format(arena, "%.*s there, or STR(%" PRIu64 ") here", SLICE_ARG(flaw),
                            text.bytes + 1);
    return flaw;
}
