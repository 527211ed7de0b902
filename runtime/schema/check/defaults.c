/*
 * Defaults: what absent properties get, once the value is known to be right. They are put in
 * from the outside in, so that a default's own absent properties get theirs.
 */
#include "schema/check/validate.h"

/* Schemas are visited again here, and a default that has itself as a default never ends. */
static bool default_enter(struct check *check)
{
    if (check->depth >= CHECK_MAX_DEPTH || check->level > VALUE_MAX_DEPTH)
        check->is_over = true;
    if (!check_spend(check, 1))
        return false;
    check->depth++;
    return true;
}

static bool value_fits(struct check *check, const struct schema *schema, struct value *value)
{
    struct spot root = { .value = value };

    return schema_try(check, schema, &root, NULL, NULL);
}

/* ---- maps -------------------------------------------------------------------------------- */

enum { STEPS_PER_DEFAULT = 32 }; /* what is put in takes memory, not time alone */

static uint64_t value_weight(const struct value *value)
{
    uint64_t weight = 1;

    for (uint32_t i = 0; value->kind == VALUE_LIST && i < value->count; i++)
        weight += value_weight(&value->items[i]);
    for (uint32_t i = 0; value->kind == VALUE_MAP && i < value->count; i++)
        weight += value_weight(&value->members[i].value);
    return weight;
}

static void absent_add(struct check *check, const struct map_rules *rules, struct value *map)
{
    for (uint32_t i = 0; i < rules->property_count; i++) {
        const struct property *property = &rules->properties[i];
        const struct value *standard = schema_default(property->schema);
        if (standard == NULL || !check_spend(check, map->count + UINT64_C(1)) ||
            value_find_slice(map, property->name) != NULL ||
            !check_spend(check, value_weight(standard) * STEPS_PER_DEFAULT))
            continue;
        value_put_slice(check->arena, map, arena_copy(check->arena, property->name),
                        value_copy(check->arena, standard));
    }
}

static void member_apply(struct check *check, const struct map_rules *rules,
                         struct member *member)
{
    const struct property *property = property_find(rules, member->key);
    bool is_known = property != NULL && property->schema != NULL;

    if (is_known)
        defaults_apply(check, property->schema, &member->value);
    for (uint32_t i = 0; i < rules->pattern_count; i++) {
        if (pattern_match(rules->patterns[i].pattern, &check->matcher, member->key) !=
            MATCH_YES)
            continue;
        is_known = true;
        defaults_apply(check, rules->patterns[i].schema, &member->value);
    }
    if (!is_known)
        defaults_apply(check, rules->additional, &member->value);
}

static void map_apply(struct check *check, const struct map_rules *rules, struct value *map)
{
    absent_add(check, rules, map);
    check->level++;
    for (uint32_t i = 0; i < map->count; i++)
        member_apply(check, rules, &map->members[i]);
    check->level--;
    for (uint32_t i = 0; i < rules->dependent_count; i++)
        if (value_find_slice(map, rules->dependents[i].name) != NULL)
            defaults_apply(check, rules->dependents[i].schema, map);
}

static void list_apply(struct check *check, const struct list_rules *rules, struct value *list)
{
    check->level++;
    for (uint32_t i = 0; i < list->count; i++)
        defaults_apply(check, i < rules->prefix.count ? rules->prefix.items[i] : rules->items,
                       &list->items[i]);
    check->level--;
}

/* ---- branches ---------------------------------------------------------------------------- */

/* Of several that match, the first gives its defaults: two would argue. */
static void first_apply(struct check *check, const struct schema_list *list,
                        struct value *value)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (value_fits(check, list->items[i], value)) {
            defaults_apply(check, list->items[i], value);
            return;
        }
}

static void branches_apply(struct check *check, const struct branches *branches,
                           struct value *value)
{
    /* The condition is asked before anything is put in that could change its answer. */
    const struct schema *chosen = branches->when == NULL ? NULL
                                  : value_fits(check, branches->when, value)
                                      ? branches->then
                                      : branches->otherwise;

    first_apply(check, &branches->any, value);
    first_apply(check, &branches->one, value);
    defaults_apply(check, branches->reference, value);
    defaults_apply(check, branches->dynamic, value);
    for (uint32_t i = 0; i < branches->all.count; i++)
        defaults_apply(check, branches->all.items[i], value);
    defaults_apply(check, chosen, value);
}

void defaults_apply(struct check *check, const struct schema *schema, struct value *value)
{
    if (schema == NULL || !schema->has_defaults || !default_enter(check))
        return;
    if (schema->branches != NULL)
        branches_apply(check, schema->branches, value);
    if (schema->map != NULL && value->kind == VALUE_MAP)
        map_apply(check, schema->map, value);
    if (schema->list != NULL && value->kind == VALUE_LIST)
        list_apply(check, schema->list, value);
    check->depth--;
}
