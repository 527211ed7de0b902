/* Keywords about one value alone: types, fixed values, numbers, strings, lists. */
#include "base/suggest.h"
#include "schema/compile/compile.h"
#include "schema/document/number.h"
#include "schema/format/format.h"

#include <stdlib.h>

static const struct {
    const char *name;
    uint32_t type;
} types[] = {
    { "null", TYPE_NULL },     { "boolean", TYPE_BOOLEAN }, { "integer", TYPE_INTEGER },
    { "number", TYPE_NUMBER }, { "string", TYPE_STRING },   { "array", TYPE_ARRAY },
    { "object", TYPE_OBJECT },
};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };

/* ---- the groups, made when a keyword first needs one ------------------------------------- */

struct number_rules *draft_number(struct draft *draft)
{
    if (draft->number == NULL)
        draft->schema->number = draft->number =
            ARENA_NEW(draft->compiler->arena, struct number_rules);
    return draft->number;
}

struct string_rules *draft_string(struct draft *draft)
{
    if (draft->string == NULL) {
        draft->string = ARENA_NEW(draft->compiler->arena, struct string_rules);
        draft->string->max_length = LIMIT_NONE;
        draft->schema->string = draft->string;
    }
    return draft->string;
}

struct list_rules *draft_list(struct draft *draft)
{
    if (draft->list == NULL) {
        draft->list = ARENA_NEW(draft->compiler->arena, struct list_rules);
        draft->list->max_items = draft->list->max_contains = LIMIT_NONE;
        draft->list->min_contains = 1;
        draft->schema->list = draft->list;
    }
    return draft->list;
}

struct map_rules *draft_map(struct draft *draft)
{
    if (draft->map == NULL) {
        draft->map = ARENA_NEW(draft->compiler->arena, struct map_rules);
        draft->map->max_members = LIMIT_NONE;
        draft->schema->map = draft->map;
    }
    return draft->map;
}

struct branches *draft_branches(struct draft *draft)
{
    if (draft->branches == NULL)
        draft->schema->branches = draft->branches =
            ARENA_NEW(draft->compiler->arena, struct branches);
    return draft->branches;
}

/* ---- type, enum, const ------------------------------------------------------------------- */

static void type_add(struct draft *draft, const struct node *node)
{
    struct suggestion near;

    if (node->kind == VALUE_NULL && slice_is(node->text, "null")) {
        draft_complain(draft, node,
                       "the type is \"null\", with quotes: without them it is YAML's "
                       "own null");
        return;
    }
    if (!draft_wants(draft, node, VALUE_STRING, "the name of a type, or a list of them"))
        return;
    suggestion_init(&near, node->text);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (slice_is(node->text, types[i].name)) {
            draft->schema->types |= types[i].type;
            return;
        }
        suggestion_offer(&near, slice_of(types[i].name));
    }
    draft_complain(
        draft, node,
        "%.*s is no type%.*s%.*s%s (types are null, boolean, integer, number, string, array, "
        "object)",
        SLICE_ARG(text_quote(&draft->compiler->scratch, node->text)), SUGGESTION_ARG(&near));
}

static bool stands_before(const struct node *list, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (slice_equal(list->items[i].text, list->items[index].text))
            return true;
    return false;
}

void compile_type(struct draft *draft, const struct entry *entry)
{
    const struct node *node = &entry->node;

    if (node->kind != VALUE_LIST) {
        type_add(draft, node);
        return;
    }
    if (node->count == 0)
        draft_complain(draft, node, "type must not be empty");
    for (uint32_t i = 0; i < node->count; i++)
        if (stands_before(node, i))
            draft_complain(draft, &node->items[i], "the type \"%.*s\" stands twice",
                           SLICE_ARG(node->items[i].text));
        else
            type_add(draft, &node->items[i]);
}

struct hashed {
    uint64_t hash;
    uint32_t number;
};

static int hashed_compare(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static const struct enumeration *enumeration_make(struct draft *draft, const struct node *node)
{
    struct arena *arena = draft->compiler->arena;
    struct value list = node_value(arena, node);
    struct hashed *order =
        ARENA_ARRAY(&draft->compiler->scratch, struct hashed, list.count + 1);
    struct enumeration *made = ARENA_NEW(arena, struct enumeration);
    int64_t steps = INT64_MAX; /* the document is bounded */

    for (uint32_t i = 0; i < list.count; i++)
        order[i] = (struct hashed){ value_hash(&list.items[i], &steps), i };
    qsort(order, list.count, sizeof *order, hashed_compare);
    made->values = ARENA_ARRAY(arena, struct value, list.count);
    made->hashes = ARENA_ARRAY(arena, uint64_t, list.count);
    made->written = list.items;
    made->count = list.count;
    for (uint32_t i = 0; i < list.count; i++) {
        made->values[i] = list.items[order[i].number];
        made->hashes[i] = order[i].hash;
        made->types |= type_of(&made->values[i]);
        if (i > 0 && draft->compiler->is_strict && made->hashes[i] == made->hashes[i - 1] &&
            value_same(&made->values[i], &made->values[i - 1], &steps))
            draft_complain(draft, &node->items[order[i].number], "this value is here twice");
    }
    return made;
}

void compile_values(struct draft *draft, const struct entry *entry)
{
    if (draft->keyword == KEYWORD_CONST) {
        struct value *value = ARENA_NEW(draft->compiler->arena, struct value);
        *value = node_value(draft->compiler->arena, &entry->node);
        draft->schema->constant = value;
        return;
    }
    if (!draft_wants(draft, &entry->node, VALUE_LIST, "a list of values"))
        return;
    if (entry->node.count == 0 && draft->compiler->is_strict)
        draft_complain(draft, &entry->node, "enum must not be empty: nothing would match");
    draft->schema->enumeration = enumeration_make(draft, &entry->node);
}

/* ---- numbers ----------------------------------------------------------------------------- */

void compile_number(struct draft *draft, const struct entry *entry)
{
    struct value value = node_value(draft->compiler->arena, &entry->node);
    struct value zero = value_int(0);
    struct number_rules *rules = draft_number(draft);
    struct bound *bound = draft->keyword == KEYWORD_MINIMUM             ? &rules->minimum
                          : draft->keyword == KEYWORD_MAXIMUM           ? &rules->maximum
                          : draft->keyword == KEYWORD_EXCLUSIVE_MINIMUM ? &rules->above
                          : draft->keyword == KEYWORD_EXCLUSIVE_MAXIMUM ? &rules->below
                                                                        : &rules->multiple;

    if (!number_is(&value)) {
        (void)draft_wants(draft, &entry->node, VALUE_INT, "a number"); /* complains */
        return;
    }
    if (bound == &rules->multiple && number_compare(&value, &zero) <= 0) {
        draft_complain(draft, &entry->node, "multipleOf must be above 0");
        return;
    }
    *bound = (struct bound){ true, value };
}

/* ---- strings ----------------------------------------------------------------------------- */

/* A note in JSON Schema unless its dialect asserts formats, a rule for bide: who writes
 * `format: date` means it. */
static void compile_format(struct draft *draft, const struct node *node)
{
    struct suggestion near;

    suggestion_init(&near, node->text);
    const struct format *format = format_find(node->text, &near);
    if (!draft->compiler->is_strict && !draft->schema->resource->asserts_formats)
        return;
    if (format == NULL)
        draft_complain(draft, node, "%.*s is no format%.*s%.*s%s",
                       SLICE_ARG(text_quote(&draft->compiler->scratch, node->text)),
                       SUGGESTION_ARG(&near));
    draft_string(draft)->format = format;
}

void compile_string(struct draft *draft, const struct entry *entry)
{
    const struct node *node = &entry->node;

    if (draft->keyword == KEYWORD_MIN_LENGTH)
        (void)draft_wants_count(draft, node, &draft_string(draft)->min_length);
    else if (draft->keyword == KEYWORD_MAX_LENGTH)
        (void)draft_wants_count(draft, node, &draft_string(draft)->max_length);
    else if (!draft_wants(draft, node, VALUE_STRING, "text"))
        return;
    else if (draft->keyword == KEYWORD_FORMAT)
        compile_format(draft, node);
    else
        draft_string(draft)->pattern =
            draft_pattern(draft, node->text, node->line, node->column);
}

/* ---- lists ------------------------------------------------------------------------------- */

void compile_list(struct draft *draft, const struct entry *entry)
{
    struct list_rules *rules = draft_list(draft);
    const struct node *node = &entry->node;

    if (draft->keyword == KEYWORD_MIN_ITEMS)
        (void)draft_wants_count(draft, node, &rules->min_items);
    else if (draft->keyword == KEYWORD_MAX_ITEMS)
        (void)draft_wants_count(draft, node, &rules->max_items);
    else if (draft->keyword == KEYWORD_MIN_CONTAINS)
        (void)draft_wants_count(draft, node, &rules->min_contains);
    else if (draft->keyword == KEYWORD_MAX_CONTAINS)
        (void)draft_wants_count(draft, node, &rules->max_contains);
    else if (draft->keyword == KEYWORD_UNIQUE_ITEMS)
        rules->is_unique =
            draft_wants(draft, node, VALUE_BOOL, "true or false") && node->boolean;
    else if (draft->keyword == KEYWORD_PREFIX_ITEMS)
        rules->prefix = draft_schemas(draft, node);
    else if (draft->keyword == KEYWORD_CONTAINS)
        rules->contains = schema_at(draft->compiler, node);
    else if (node->kind == VALUE_LIST)
        draft_complain(draft, node,
                       "items is one schema for all items; a list of schemas is prefixItems");
    else
        rules->items = schema_at(draft->compiler, node);
}
