/* Keywords about objects, and schemas that look at the same value again. */
#include "base/suggest.h"
#include "schema/compile/compile.h"
#include "schema/document/number.h"

/* ---- properties -------------------------------------------------------------------------- */

/* The keywords `properties` and `required` fill one list, whichever comes first. */
static struct property *property_get(struct draft *draft, struct slice name)
{
    struct map_rules *rules = draft_map(draft);
    uint64_t hash = table_hash(name, 0);

    if (draft->properties.arena == NULL)
        table_init(&draft->properties, &draft->compiler->scratch);
    uintptr_t number = (uintptr_t)table_find(&draft->properties, hash);
    if (number != 0 && slice_equal(rules->properties[number - 1].name, name))
        return &rules->properties[number - 1];
    for (uint32_t i = 0; number != 0 && i < rules->property_count; i++)
        if (slice_equal(rules->properties[i].name, name))
            return &rules->properties[i];
    struct property *property = &rules->properties[rules->property_count++];
    *property = (struct property){ .name = name, .hash = hash };
    table_set(&draft->properties, hash, (void *)(uintptr_t)rules->property_count);
    return property;
}

/* Room for all that both keywords may name, so that nothing moves afterwards. */
static void properties_reserve(struct draft *draft)
{
    const struct entry *properties = node_find(draft->node, "properties");
    const struct entry *required = node_find(draft->node, "required");
    uint32_t count = (properties == NULL ? 0 : properties->node.count) +
                     (required == NULL ? 0 : required->node.count);
    struct map_rules *rules = draft_map(draft);

    if (rules->properties == NULL)
        rules->properties = ARENA_ARRAY(draft->compiler->arena, struct property, count);
}

static void compile_properties(struct draft *draft, const struct node *node)
{
    if (!draft_wants(draft, node, VALUE_MAP, "a map from names to schemas"))
        return;
    properties_reserve(draft);
    for (uint32_t i = 0; i < node->count; i++)
        property_get(draft, node->entries[i].key)->schema =
            schema_at(draft->compiler, &node->entries[i].node);
}

static void compile_required(struct draft *draft, const struct node *node)
{
    struct map_rules *rules = draft_map(draft);

    if (node->kind == VALUE_BOOL) {
        draft_complain(
            draft, node,
            "required is a list of names and stands beside properties, not inside one");
        return;
    }
    if (!draft_wants(draft, node, VALUE_LIST, "a list of names"))
        return;
    properties_reserve(draft);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *name = &node->items[i];
        if (!draft_wants(draft, name, VALUE_STRING, "a list of names"))
            continue;
        struct property *property = property_get(draft, name->text);
        if (property->is_required && draft->compiler->is_strict)
            draft_complain(draft, name, "%.*s is required twice", SLICE_ARG(name->text));
        rules->required_count += !property->is_required;
        property->is_required = true;
    }
}

static void compile_patterns(struct draft *draft, const struct node *node)
{
    struct map_rules *rules = draft_map(draft);

    if (!draft_wants(draft, node, VALUE_MAP, "a map from regular expressions to schemas"))
        return;
    rules->patterns = ARENA_ARRAY(draft->compiler->arena, struct pattern_property, node->count);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct entry *entry = &node->entries[i];
        const struct pattern *pattern =
            draft_pattern(draft, entry->key, entry->line, entry->column);
        if (pattern == NULL)
            continue;
        rules->patterns[rules->pattern_count++] =
            (struct pattern_property){ pattern, schema_at(draft->compiler, &entry->node) };
    }
}

/* ---- dependents -------------------------------------------------------------------------- */

static void needs_read(struct draft *draft, const struct node *node,
                       struct dependent *dependent)
{
    if (!draft_wants(draft, node, VALUE_LIST, "a map from names to lists of names"))
        return;
    dependent->needs = ARENA_ARRAY(draft->compiler->arena, struct slice, node->count);
    for (uint32_t i = 0; i < node->count; i++)
        if (draft_wants(draft, &node->items[i], VALUE_STRING,
                        "a map from names to lists of names"))
            dependent->needs[dependent->need_count++] = node->items[i].text;
}

/* Both keywords make rows of one list; the second appends to the first's. */
static void compile_dependents(struct draft *draft, const struct node *node)
{
    struct map_rules *rules = draft_map(draft);

    if (!draft_wants(draft, node, VALUE_MAP, "a map from names"))
        return;
    struct dependent *rows = ARENA_ARRAY(draft->compiler->arena, struct dependent,
                                         rules->dependent_count + node->count);
    if (rules->dependent_count > 0)
        memcpy(rows, rules->dependents, rules->dependent_count * sizeof *rows);
    rules->dependents = rows;
    for (uint32_t i = 0; i < node->count; i++) {
        struct dependent *dependent = &rows[rules->dependent_count++];
        dependent->name = node->entries[i].key;
        if (draft->keyword == KEYWORD_DEPENDENT_REQUIRED)
            needs_read(draft, &node->entries[i].node, dependent);
        else
            dependent->schema = schema_at(draft->compiler, &node->entries[i].node);
    }
}

void compile_map(struct draft *draft, const struct entry *entry)
{
    struct map_rules *rules = draft_map(draft);
    const struct node *node = &entry->node;

    if (draft->keyword == KEYWORD_PROPERTIES)
        compile_properties(draft, node);
    else if (draft->keyword == KEYWORD_REQUIRED)
        compile_required(draft, node);
    else if (draft->keyword == KEYWORD_PATTERN_PROPERTIES)
        compile_patterns(draft, node);
    else if (draft->keyword == KEYWORD_ADDITIONAL_PROPERTIES)
        rules->additional = schema_at(draft->compiler, node);
    else if (draft->keyword == KEYWORD_PROPERTY_NAMES)
        rules->names = schema_at(draft->compiler, node);
    else if (draft->keyword == KEYWORD_MIN_PROPERTIES)
        (void)draft_wants_count(draft, node, &rules->min_members);
    else if (draft->keyword == KEYWORD_MAX_PROPERTIES)
        (void)draft_wants_count(draft, node, &rules->max_members);
    else
        compile_dependents(draft, node);
}

/* ---- branches ---------------------------------------------------------------------------- */

void compile_branch(struct draft *draft, const struct entry *entry)
{
    struct compiler *compiler = draft->compiler;
    struct branches *branches = draft_branches(draft);
    const struct node *node = &entry->node;
    struct slice anchor = { 0 };

    switch ((int)draft->keyword) {
    case KEYWORD_REF:
        branches->reference = schema_referred(draft, entry, &anchor);
        break;
    case KEYWORD_DYNAMIC_REF:
        branches->dynamic = schema_referred(draft, entry, &anchor);
        branches->dynamic_name = anchor;
        break;
    case KEYWORD_ALL_OF:
        branches->all = draft_schemas(draft, node);
        break;
    case KEYWORD_ANY_OF:
        branches->any = draft_schemas(draft, node);
        break;
    case KEYWORD_ONE_OF:
        branches->one = draft_schemas(draft, node);
        break;
    case KEYWORD_NOT:
        branches->negated = schema_at(compiler, node);
        break;
    case KEYWORD_IF:
        branches->when = schema_at(compiler, node);
        break;
    case KEYWORD_THEN:
        branches->then = schema_at(compiler, node);
        break;
    case KEYWORD_ELSE:
        branches->otherwise = schema_at(compiler, node);
        break;
    case KEYWORD_UNEVALUATED_ITEMS:
        branches->unevaluated_items = schema_at(compiler, node);
        break;
    default:
        branches->unevaluated_members = schema_at(compiler, node);
    }
}

/* ---- the whole schema -------------------------------------------------------------------- */

/* Open addressing, at most half full. */
static void slots_make(struct draft *draft)
{
    struct map_rules *rules = draft->map;
    uint32_t size = 4;

    while (size < rules->property_count * 2)
        size *= 2;
    rules->slots = ARENA_ARRAY(draft->compiler->arena, uint32_t, size);
    rules->slot_mask = size - 1;
    for (uint32_t i = 0; i < rules->property_count; i++) {
        uint32_t slot = (uint32_t)rules->properties[i].hash & rules->slot_mask;
        while (rules->slots[slot] != 0)
            slot = (slot + 1) & rules->slot_mask;
        rules->slots[slot] = i + 1;
    }
}

static void required_check(struct draft *draft)
{
    const struct map_rules *rules = draft->map;
    const struct entry *additional = node_find(draft->node, "additionalProperties");
    struct suggestion near;

    if (additional == NULL || additional->node.kind != VALUE_BOOL || additional->node.boolean ||
        rules->pattern_count > 0)
        return;
    for (uint32_t i = 0; i < rules->property_count; i++) {
        if (rules->properties[i].schema != NULL || !compiler_complains(draft->compiler))
            continue;
        suggestion_init(&near, rules->properties[i].name);
        for (uint32_t j = 0; j < rules->property_count; j++)
            if (rules->properties[j].schema != NULL)
                suggestion_offer(&near, rules->properties[j].name);
        draft_complain(
            draft, &node_find(draft->node, "required")->node,
            "%.*s is required but is not among properties, and additionalProperties is "
            "false%.*s%.*s%s",
            SLICE_ARG(text_quote(&draft->compiler->scratch, rules->properties[i].name)),
            SUGGESTION_ARG(&near));
    }
}

static void order_check(struct draft *draft, const char *low, const char *high)
{
    const struct entry *least = node_find(draft->node, low);
    const struct entry *most = node_find(draft->node, high);

    if (least == NULL || most == NULL)
        return;
    struct value a = node_value(&draft->compiler->scratch, &least->node);
    struct value b = node_value(&draft->compiler->scratch, &most->node);
    if (number_is(&a) && number_is(&b) && number_compare(&a, &b) > 0)
        draft_complain(draft, &least->node, "%s is above %s: nothing can match", low, high);
}

/* A branch of a condition that is never taken is a typing mistake, or a wish that is not met.
 */
static void condition_check(struct draft *draft)
{
    const struct branches *branches = draft->branches;

    if (branches == NULL)
        return;
    if (branches->when == NULL && (branches->then != NULL || branches->otherwise != NULL))
        draft_complain(draft, draft->node, "then and else mean nothing without if");
}

void rules_finish(struct draft *draft)
{
    if (draft->map != NULL)
        slots_make(draft);
    if (!draft->compiler->is_strict)
        return;
    if (draft->map != NULL)
        required_check(draft);
    order_check(draft, "minimum", "maximum");
    order_check(draft, "minLength", "maxLength");
    order_check(draft, "minItems", "maxItems");
    order_check(draft, "minProperties", "maxProperties");
    order_check(draft, "minContains", "maxContains");
    condition_check(draft);
}
