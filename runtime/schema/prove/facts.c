/*
 * What is known of a value. Facts never change; each of these functions makes new ones. What
 * follows from a schema that is held, by reference, allOf or not, is added with it.
 */
#include "schema/document/number.h"
#include "schema/prove/covers.h"

#include <math.h>

enum { EXACT_MAX = 1 << 30 };

/* ---- sets of schemas --------------------------------------------------------------------- */

static struct facts *facts_copy(struct cover *cover, const struct facts *facts)
{
    struct facts *copy = ARENA_NEW(&cover->scratch, struct facts);

    *copy = *facts;
    return copy;
}

static bool set_has(const struct schema *const *set, uint32_t count,
                    const struct schema *schema)
{
    for (uint32_t i = 0; i < count; i++)
        if (set[i] == schema)
            return true;
    return false;
}

/* A new array in the order of addresses, which makes equal sets equal. */
static void set_add(struct cover *cover, const struct schema ***set, uint32_t *count,
                    const struct schema *schema)
{
    const struct schema **grown =
        ARENA_ARRAY(&cover->scratch, const struct schema *, *count + 1);
    uint32_t at = 0;

    for (; at < *count && (uintptr_t)(*set)[at] < (uintptr_t)schema; at++)
        grown[at] = (*set)[at];
    grown[at] = schema;
    for (; at < *count; at++)
        grown[at + 1] = (*set)[at];
    *set = grown;
    ++*count;
}

uint32_t kinds_of_types(uint32_t types)
{
    uint32_t kinds = 0;

    if (types == 0)
        return KIND_ALL;
    kinds |= (types & TYPE_NULL) != 0 ? KIND_NULL : 0;
    kinds |= (types & TYPE_BOOLEAN) != 0 ? KIND_BOOLEAN : 0;
    kinds |= (types & TYPE_INTEGER) != 0 ? KIND_INTEGER : 0;
    kinds |= (types & TYPE_NUMBER) != 0 ? KIND_NUMBER : 0;
    kinds |= (types & TYPE_STRING) != 0 ? KIND_STRING : 0;
    kinds |= (types & TYPE_ARRAY) != 0 ? KIND_LIST : 0;
    kinds |= (types & TYPE_OBJECT) != 0 ? KIND_MAP : 0;
    return kinds;
}

/* An enumeration of integers has NUMBER among its types, which is more than it has. */
static uint32_t kinds_of_schema(const struct schema *schema)
{
    uint32_t kinds = schema->is_never ? 0 : kinds_of_types(schema->types);

    if (schema->constant != NULL)
        kinds &= kinds_of_types(type_of(schema->constant));
    if (schema->enumeration != NULL)
        kinds &=
            schema->enumeration->count == 0 ? 0 : kinds_of_types(schema->enumeration->types);
    return kinds;
}

static void denied_add(struct cover *cover, struct facts *facts, const struct schema *schema)
{
    if (schema == NULL) /* what accepts everything is denied */
        facts->kinds = 0;
    else if (facts->denied_count < FACTS_MAX &&
             !set_has(facts->denied, facts->denied_count, schema))
        set_add(cover, &facts->denied, &facts->denied_count, schema);
}

/* What is left out when there are too many only makes the facts weaker. */
static void held_add(struct cover *cover, struct facts *facts, const struct schema *schema)
{
    if (schema == NULL || facts_hold(facts, schema) || facts->held_count >= FACTS_MAX ||
        !cover_spend(cover, 1 + facts->held_count / 8))
        return;
    set_add(cover, &facts->held, &facts->held_count, schema);
    facts->kinds &= kinds_of_schema(schema);
    const struct branches *branches = schema->branches;
    if (branches == NULL)
        return;
    held_add(cover, facts, branches->reference);
    held_add(cover, facts, branches->dynamic);
    for (uint32_t i = 0; i < branches->all.count; i++)
        held_add(cover, facts, branches->all.items[i]);
    if (branches->negated != NULL)
        denied_add(cover, facts, branches->negated);
}

/* Members that must be there bring what depends on them; only objects must have any. */
static void dependents_add(struct cover *cover, struct facts *facts)
{
    for (uint32_t i = 0; facts->kinds == KIND_MAP && i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        for (uint32_t j = 0; rules != NULL && j < rules->dependent_count; j++) {
            const struct dependent *dependent = &rules->dependents[j];
            if (dependent->schema == NULL || facts_hold(facts, dependent->schema) ||
                !facts_require(facts, dependent->name))
                continue;
            uint32_t before = facts->held_count;
            held_add(cover, facts, dependent->schema);
            if (facts->held_count == before)
                return;
            i = UINT32_MAX; /* the set is another one: once more from the start */
            break;
        }
    }
}

const struct facts *facts_none(struct cover *cover, uint32_t kinds)
{
    struct facts *facts = ARENA_NEW(&cover->scratch, struct facts);

    facts->kinds = kinds;
    return facts;
}

const struct facts *facts_with(struct cover *cover, const struct facts *facts,
                               const struct schema *schema)
{
    struct facts *more = facts_copy(cover, facts);

    held_add(cover, more, schema);
    dependents_add(cover, more);
    return more;
}

const struct facts *facts_of_kinds(struct cover *cover, const struct facts *facts,
                                   uint32_t kinds)
{
    struct facts *less = facts_copy(cover, facts);

    less->kinds &= kinds;
    dependents_add(cover, less);
    return less;
}

const struct facts *facts_without(struct cover *cover, const struct facts *facts,
                                  const struct schema *denied)
{
    struct facts *more = facts_copy(cover, facts);

    denied_add(cover, more, denied);
    return more;
}

const struct facts *facts_forget(struct cover *cover, const struct facts *facts, uint32_t index)
{
    struct facts *less = facts_copy(cover, facts);

    less->denied = NULL;
    less->denied_count = 0;
    for (uint32_t i = 0; i < facts->denied_count; i++)
        if (i != index)
            set_add(cover, &less->denied, &less->denied_count, facts->denied[i]);
    return less;
}

bool facts_hold(const struct facts *facts, const struct schema *schema)
{
    return set_has(facts->held, facts->held_count, schema);
}

bool facts_equal(const struct facts *a, const struct facts *b)
{
    return a->kinds == b->kinds && a->held_count == b->held_count &&
           a->denied_count == b->denied_count &&
           (a->held_count == 0 ||
            memcmp(a->held, b->held, a->held_count * sizeof *a->held) == 0) &&
           (a->denied_count == 0 ||
            memcmp(a->denied, b->denied, a->denied_count * sizeof *a->denied) == 0);
}

uint64_t facts_hash(const struct facts *facts)
{
    struct slice held = { (const char *)facts->held, facts->held_count * sizeof *facts->held };
    struct slice denied = { (const char *)facts->denied,
                            facts->denied_count * sizeof *facts->denied };

    return table_hash(held, table_hash(denied, facts->kinds));
}

/* ---- bounds ------------------------------------------------------------------------------ */

static void low_set(struct extent *extent, const struct bound *bound, bool is_open)
{
    int order = !extent->low.is_set ? 1 : number_compare(&bound->value, &extent->low.value);

    if (order > 0)
        extent->is_low_open = is_open;
    else if (order == 0)
        extent->is_low_open |= is_open;
    if (order > 0)
        extent->low = *bound;
}

static void high_set(struct extent *extent, const struct bound *bound, bool is_open)
{
    int order = !extent->high.is_set ? -1 : number_compare(&bound->value, &extent->high.value);

    if (order < 0)
        extent->is_high_open = is_open;
    else if (order == 0)
        extent->is_high_open |= is_open;
    if (order < 0)
        extent->high = *bound;
}

/* Integers have integers for ends: above 0.5 is from 1 on. */
static void end_round(struct bound *bound, bool *is_open, int step)
{
    if (!bound->is_set)
        return;
    if (bound->value.kind == VALUE_DOUBLE && fabs(bound->value.number) < EXACT_MAX) {
        double number = bound->value.number;
        double whole = step > 0 ? ceil(number) : floor(number);
        *is_open = *is_open && whole == number;
        bound->value = value_int((int64_t)whole);
    }
    if (*is_open && bound->value.kind == VALUE_INT && bound->value.integer < INT64_MAX / 2 &&
        bound->value.integer > INT64_MIN / 2) {
        bound->value.integer += step;
        *is_open = false;
    }
}

static void number_extend(struct extent *extent, const struct number_rules *rules)
{
    if (rules->minimum.is_set)
        low_set(extent, &rules->minimum, false);
    if (rules->above.is_set)
        low_set(extent, &rules->above, true);
    if (rules->maximum.is_set)
        high_set(extent, &rules->maximum, false);
    if (rules->below.is_set)
        high_set(extent, &rules->below, true);
}

#define RAISE(to, from) ((to) = (from) > (to) ? (from) : (to))
#define LOWER(to, from) ((to) = (from) < (to) ? (from) : (to))

static void rules_extend(struct extent *extent, const struct schema *schema)
{
    if (schema->number != NULL)
        number_extend(extent, schema->number);
    if (schema->string != NULL) {
        RAISE(extent->min_length, schema->string->min_length);
        LOWER(extent->max_length, schema->string->max_length);
    }
    if (schema->list != NULL) {
        RAISE(extent->min_items, schema->list->min_items);
        LOWER(extent->max_items, schema->list->max_items);
        extent->is_unique |= schema->list->is_unique;
        if (schema->list->contains != NULL)
            RAISE(extent->min_items, schema->list->min_contains);
    }
    if (schema->map != NULL) {
        RAISE(extent->min_members, schema->map->min_members);
        RAISE(extent->min_members, schema->map->required_count);
        LOWER(extent->max_members, schema->map->max_members);
    }
}

struct extent facts_extent(const struct facts *facts)
{
    struct extent extent = { .max_length = LIMIT_NONE,
                             .max_items = LIMIT_NONE,
                             .max_members = LIMIT_NONE };

    for (uint32_t i = 0; i < facts->held_count; i++)
        rules_extend(&extent, facts->held[i]);
    if ((facts->kinds & KIND_NUMBER) == KIND_INTEGER) {
        end_round(&extent.low, &extent.is_low_open, 1);
        end_round(&extent.high, &extent.is_high_open, -1);
    }
    return extent;
}

bool facts_clash(const struct facts *facts)
{
    struct extent extent = facts_extent(facts);
    uint32_t kinds = facts->kinds;

    if (extent.low.is_set && extent.high.is_set) {
        int order = number_compare(&extent.low.value, &extent.high.value);
        if (order > 0 || (order == 0 && (extent.is_low_open || extent.is_high_open)))
            kinds &= ~(uint32_t)KIND_NUMBER;
    }
    if (extent.min_length > extent.max_length)
        kinds &= ~(uint32_t)KIND_STRING;
    if (extent.min_items > extent.max_items)
        kinds &= ~(uint32_t)KIND_LIST;
    if (extent.min_members > extent.max_members)
        kinds &= ~(uint32_t)KIND_MAP;
    return kinds == 0;
}

static bool needs_have(const struct dependent *dependent, struct slice name)
{
    for (uint32_t i = 0; i < dependent->need_count; i++)
        if (slice_equal(dependent->needs[i], name))
            return true;
    return false;
}

static bool own_require(const struct facts *facts, struct slice name)
{
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        const struct property *property = rules == NULL ? NULL : property_find(rules, name);
        if (property != NULL && property->is_required)
            return true;
    }
    return false;
}

bool facts_require(const struct facts *facts, struct slice name)
{
    if (own_require(facts, name))
        return true;
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        for (uint32_t j = 0; rules != NULL && j < rules->dependent_count; j++)
            if (needs_have(&rules->dependents[j], name) &&
                own_require(facts, rules->dependents[j].name))
                return true;
    }
    return false;
}

/* ---- parts ------------------------------------------------------------------------------- */

uint32_t facts_prefix(const struct facts *facts)
{
    uint32_t prefix = 0;

    for (uint32_t i = 0; i < facts->held_count; i++)
        if (facts->held[i]->list != NULL)
            RAISE(prefix, facts->held[i]->list->prefix.count);
    return prefix;
}

const struct facts *facts_of_item(struct cover *cover, const struct facts *facts,
                                  uint32_t index)
{
    const struct facts *item = facts_none(cover, KIND_ALL);

    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct list_rules *rules = facts->held[i]->list;
        if (rules != NULL)
            item = facts_with(cover, item,
                              index < rules->prefix.count ? rules->prefix.items[index]
                                                          : rules->items);
    }
    return facts_with_rest(
        cover, facts, item,
        &(struct rest_part){ .facts = facts, .is_item = true, .index = index });
}

static const struct facts *member_facts(struct cover *cover, const struct facts *member,
                                        const struct map_rules *rules, struct slice name)
{
    const struct property *property = property_find(rules, name);
    bool is_known = property != NULL && property->schema != NULL;

    if (is_known)
        member = facts_with(cover, member, property->schema);
    for (uint32_t i = 0; i < rules->pattern_count; i++) {
        enum match match = pattern_match(rules->patterns[i].pattern, &cover->matcher, name);
        is_known |= match != MATCH_NO;
        if (match == MATCH_YES)
            member = facts_with(cover, member, rules->patterns[i].schema);
    }
    return is_known ? member : facts_with(cover, member, rules->additional);
}

const struct facts *facts_of_member(struct cover *cover, const struct facts *facts,
                                    struct slice name)
{
    const struct facts *member = facts_none(cover, KIND_ALL);

    for (uint32_t i = 0; i < facts->held_count; i++)
        if (facts->held[i]->map != NULL)
            member = member_facts(cover, member, facts->held[i]->map, name);
    return facts_with_rest(cover, facts, member,
                           &(struct rest_part){ .facts = facts, .name = &name });
}

const struct facts *facts_of_pattern(struct cover *cover, const struct facts *facts,
                                     const struct pattern *pattern)
{
    const struct facts *member = facts_none(cover, KIND_ALL);

    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        if (rules == NULL)
            continue;
        for (uint32_t j = 0; pattern != NULL && j < rules->pattern_count; j++)
            if (slice_equal(pattern_text(pattern), pattern_text(rules->patterns[j].pattern)))
                member = facts_with(cover, member, rules->patterns[j].schema);
        /* Another pattern may match the name, too, and then nothing is additional. */
        if (rules->pattern_count == 0 || pattern == NULL)
            member = facts_with(cover, member, rules->additional);
    }
    return facts_with_rest(cover, facts, member,
                           &(struct rest_part){ .facts = facts, .pattern = pattern });
}

const struct facts *facts_of_names(struct cover *cover, const struct facts *facts)
{
    const struct facts *names = facts_none(cover, KIND_STRING);

    for (uint32_t i = 0; i < facts->held_count; i++)
        if (facts->held[i]->map != NULL)
            names = facts_with(cover, names, facts->held[i]->map->names);
    return names;
}
