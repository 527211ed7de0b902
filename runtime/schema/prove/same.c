/*
 * Two schemas that are written alike, whatever the layout, order of keys and descriptions. They
 * may lead back to themselves: a pair that is being compared counts as alike, and if any
 * difference is found the whole answer is no.
 */
#include "schema/document/number.h"
#include "schema/prove/covers.h"

enum { SAME_MAX_DEPTH = 500 };

struct comparing {
    struct cover *cover;
    struct table pairs; /* hash of both addresses → the pair */
    uint32_t depth;
};

struct pair {
    const struct schema *a, *b;
    struct pair *next;
};

static bool both_same(struct comparing *comparing, const struct schema *a,
                      const struct schema *b);

static bool value_alike(const struct value *a, const struct value *b)
{
    int64_t steps = INT64_MAX; /* documents are bounded */

    return a == NULL || b == NULL ? a == b : value_same(a, b, &steps);
}

static bool enumeration_same(const struct enumeration *a, const struct enumeration *b)
{
    int64_t steps = INT64_MAX;

    if (a == NULL || b == NULL)
        return a == b;
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!enumeration_has(b, &a->values[i], &steps))
            return false;
    return true;
}

static bool bound_same(const struct bound *a, const struct bound *b)
{
    return a->is_set == b->is_set && (!a->is_set || number_compare(&a->value, &b->value) == 0);
}

static bool number_same(const struct number_rules *a, const struct number_rules *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return bound_same(&a->minimum, &b->minimum) && bound_same(&a->maximum, &b->maximum) &&
           bound_same(&a->above, &b->above) && bound_same(&a->below, &b->below) &&
           bound_same(&a->multiple, &b->multiple);
}

static bool pattern_same(const struct pattern *a, const struct pattern *b)
{
    return a == NULL || b == NULL ? a == b : slice_equal(pattern_text(a), pattern_text(b));
}

static bool string_same(const struct string_rules *a, const struct string_rules *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->min_length == b->min_length && a->max_length == b->max_length &&
           pattern_same(a->pattern, b->pattern) && a->format == b->format;
}

static bool schemas_same(struct comparing *comparing, const struct schema_list *a,
                         const struct schema_list *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!both_same(comparing, a->items[i], b->items[i]))
            return false;
    return true;
}

static bool list_same(struct comparing *comparing, const struct list_rules *a,
                      const struct list_rules *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->min_items == b->min_items && a->max_items == b->max_items &&
           a->min_contains == b->min_contains && a->max_contains == b->max_contains &&
           a->is_unique == b->is_unique && schemas_same(comparing, &a->prefix, &b->prefix) &&
           both_same(comparing, a->items, b->items) &&
           both_same(comparing, a->contains, b->contains);
}

static bool properties_same(struct comparing *comparing, const struct map_rules *a,
                            const struct map_rules *b)
{
    if (a->property_count != b->property_count)
        return false;
    for (uint32_t i = 0; i < a->property_count; i++) {
        const struct property *one = &a->properties[i];
        const struct property *other = property_find(b, one->name);
        if (other == NULL || other->is_required != one->is_required ||
            !both_same(comparing, one->schema, other->schema))
            return false;
    }
    return true;
}

static bool patterns_same(struct comparing *comparing, const struct map_rules *a,
                          const struct map_rules *b)
{
    if (a->pattern_count != b->pattern_count)
        return false;
    for (uint32_t i = 0; i < a->pattern_count; i++) {
        const struct pattern_property *one = &a->patterns[i];
        uint32_t j = 0;
        while (j < b->pattern_count && !pattern_same(one->pattern, b->patterns[j].pattern))
            j++;
        if (j == b->pattern_count || !both_same(comparing, one->schema, b->patterns[j].schema))
            return false;
    }
    return true;
}

static bool needs_same(const struct dependent *a, const struct dependent *b)
{
    if (a->need_count != b->need_count)
        return false;
    for (uint32_t i = 0; i < a->need_count; i++) {
        uint32_t j = 0;
        while (j < b->need_count && !slice_equal(a->needs[i], b->needs[j]))
            j++;
        if (j == b->need_count)
            return false;
    }
    return true;
}

static bool dependents_same(struct comparing *comparing, const struct map_rules *a,
                            const struct map_rules *b)
{
    if (a->dependent_count != b->dependent_count)
        return false;
    for (uint32_t i = 0; i < a->dependent_count; i++) {
        const struct dependent *one = &a->dependents[i];
        uint32_t j = 0;
        /* A name may stand in dependentRequired and in dependentSchemas. */
        while (j < b->dependent_count &&
               (!slice_equal(one->name, b->dependents[j].name) ||
                (one->schema == NULL) != (b->dependents[j].schema == NULL)))
            j++;
        if (j == b->dependent_count || !needs_same(one, &b->dependents[j]) ||
            !both_same(comparing, one->schema, b->dependents[j].schema))
            return false;
    }
    return true;
}

static bool map_same(struct comparing *comparing, const struct map_rules *a,
                     const struct map_rules *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->min_members == b->min_members && a->max_members == b->max_members &&
           properties_same(comparing, a, b) && patterns_same(comparing, a, b) &&
           both_same(comparing, a->additional, b->additional) &&
           both_same(comparing, a->names, b->names) && dependents_same(comparing, a, b);
}

static bool branches_same(struct comparing *comparing, const struct branches *a,
                          const struct branches *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return schemas_same(comparing, &a->all, &b->all) &&
           schemas_same(comparing, &a->any, &b->any) &&
           schemas_same(comparing, &a->one, &b->one) &&
           both_same(comparing, a->negated, b->negated) &&
           both_same(comparing, a->when, b->when) && both_same(comparing, a->then, b->then) &&
           both_same(comparing, a->otherwise, b->otherwise) &&
           both_same(comparing, a->reference, b->reference) &&
           both_same(comparing, a->dynamic, b->dynamic) &&
           slice_equal(a->dynamic_name, b->dynamic_name) &&
           both_same(comparing, a->unevaluated_items, b->unevaluated_items) &&
           both_same(comparing, a->unevaluated_members, b->unevaluated_members);
}

/* What a $dynamicRef on the way below may find. */
static bool anchors_same(struct comparing *comparing, const struct dynamic_anchor *a,
                         const struct dynamic_anchor *b)
{
    uint32_t left = 0, right = 0;

    for (const struct dynamic_anchor *one = b; one != NULL; one = one->next)
        right++;
    for (; a != NULL; a = a->next, left++) {
        const struct dynamic_anchor *other = b;
        while (other != NULL && !slice_equal(a->name, other->name))
            other = other->next;
        if (other == NULL || !both_same(comparing, a->schema, other->schema))
            return false;
    }
    return left == right;
}

/* Is the pair being compared, or has it been? If not, it is now. */
static bool pair_is_known(struct comparing *comparing, const struct schema *a,
                          const struct schema *b)
{
    const struct schema *const both[2] = { a, b };
    struct arena *arena = &comparing->cover->scratch;
    uint64_t hash = table_hash((struct slice){ (const char *)both, sizeof both }, 0);
    struct pair *newest = table_find(&comparing->pairs, hash);

    for (const struct pair *pair = newest; pair != NULL; pair = pair->next)
        if (pair->a == a && pair->b == b)
            return true;
    struct pair *added = ARENA_NEW(arena, struct pair);
    *added = (struct pair){ a, b, newest };
    table_set(&comparing->pairs, hash, added);
    return false;
}

static bool rules_same(struct comparing *comparing, const struct schema *a,
                       const struct schema *b)
{
    return a->is_never == b->is_never && a->types == b->types &&
           value_alike(a->constant, b->constant) &&
           enumeration_same(a->enumeration, b->enumeration) &&
           number_same(a->number, b->number) && string_same(a->string, b->string) &&
           list_same(comparing, a->list, b->list) && map_same(comparing, a->map, b->map) &&
           branches_same(comparing, a->branches, b->branches) &&
           anchors_same(comparing, a->resource->dynamic, b->resource->dynamic);
}

static bool both_same(struct comparing *comparing, const struct schema *a,
                      const struct schema *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL)
        return false;
    if (comparing->depth >= SAME_MAX_DEPTH || !cover_spend(comparing->cover, 1))
        return false;
    if (pair_is_known(comparing, a, b))
        return true;
    comparing->depth++;
    bool same = rules_same(comparing, a, b);
    comparing->depth--;
    return same;
}

bool schema_same(struct cover *cover, const struct schema *a, const struct schema *b)
{
    struct comparing comparing = { .cover = cover };

    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->types != b->types || a->is_never != b->is_never)
        return false;
    table_init(&comparing.pairs, &cover->scratch);
    return both_same(&comparing, a, b);
}
