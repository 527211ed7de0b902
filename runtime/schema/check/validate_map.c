/* Objects: one walk over the members serves all keywords about them. */
#include "base/suggest.h"
#include "schema/check/validate.h"

#include <inttypes.h>

enum { REQUIRED_NOTED = 256, NAME_BYTES_PER_STEP = 64 };

/* What the walk has met of the required properties; those numbered higher are looked up. */
struct met {
    uint64_t bits[REQUIRED_NOTED / 64];
    uint32_t count;
};

static bool size_check(const struct visit *visit)
{
    const struct map_rules *rules = visit->schema->map;
    uint32_t count = visit->spot->value->count;

    if (count < rules->min_members)
        return EXPECTED(visit, MIN_PROPERTIES, "at least %" PRIu64 " member%s",
                        rules->min_members, rules->min_members == 1 ? "" : "s");
    if (count > rules->max_members)
        return EXPECTED(visit, MAX_PROPERTIES, "at most %" PRIu64 " member%s",
                        rules->max_members, rules->max_members == 1 ? "" : "s");
    return true;
}

/* ---- the walk ---------------------------------------------------------------------------- */

static bool child_visit(const struct visit *visit, const struct member *member,
                        const struct schema *schema)
{
    struct spot spot = { .up = visit->spot, .value = &member->value, .key = member->key };

    if (spot.key.data == NULL)
        spot.key = SLICE(""); /* NULL is for list items */
    return schema_visit(visit->check, schema, &spot, visit->scope, NULL);
}

/* A message of propertyNames is about the names, not the object. */
static bool name_report(const struct visit *visit, const struct member *member)
{
    const struct schema *names = visit->schema->map->names;
    struct schema wanted = *names; /* of strings: a name is nothing else */
    struct check *check = visit->check;
    const struct schema *speaker = check->speaker;
    const struct spot *spoken_of = check->spoken_of;

    if (wanted.types == 0 && wanted.string != NULL)
        wanted.types = TYPE_STRING;
    if (names->message.size > 0) {
        check->speaker = names;
        check->spoken_of = visit->spot;
    }
    (void)problem_name(visit, KEYWORD_PROPERTY_NAMES, member->key,
                       arena_format(check->arena, "the name %.*s",
                                    SLICE_ARG(text_quote(check->arena, member->key))),
                       "every name to be %.*s", SLICE_ARG(schema_describe(visit, &wanted)));
    check->speaker = speaker;
    check->spoken_of = spoken_of;
    return false;
}

static bool name_check(const struct visit *visit, const struct member *member)
{
    struct value name = value_string(member->key);
    struct spot spot = { .up = visit->spot, .value = &name, .key = member->key };

    if (spot.key.data == NULL)
        spot.key = SLICE("");
    if (schema_try(visit->check, visit->schema->map->names, &spot, visit->scope, NULL))
        return true;
    return problem_is_wanted(visit) && name_report(visit, member);
}

/* *met: some pattern matched the member's name. */
static bool patterns_visit(const struct visit *visit, const struct member *member,
                           bool *matched)
{
    const struct map_rules *rules = visit->schema->map;
    bool fine = true;

    for (uint32_t i = 0; i < rules->pattern_count; i++) {
        enum match match =
            pattern_match(rules->patterns[i].pattern, &visit->check->matcher, member->key);
        if (match == MATCH_TOO_LONG)
            visit->check->is_over = true;
        if (match != MATCH_YES)
            continue;
        *matched = true;
        if (!check_goes_on(visit->check, &fine,
                           child_visit(visit, member, rules->patterns[i].schema)))
            return false;
    }
    return fine;
}

static bool unknown_report(const struct visit *visit, const struct member *member)
{
    const struct map_rules *rules = visit->schema->map;
    struct arena *arena = visit->check->arena;
    struct suggestion near;

    suggestion_init(&near, member->key);
    for (uint32_t i = 0; i < rules->property_count && i < REQUIRED_NOTED; i++)
        suggestion_offer(&near, rules->properties[i].name);
    return problem_name(visit, KEYWORD_ADDITIONAL_PROPERTIES, member->key,
                        arena_format(arena, "%.*s%.*s%.*s%s",
                                     SLICE_ARG(text_quote(arena, member->key)),
                                     SUGGESTION_ARG(&near)),
                        "no properties but %.*s", SLICE_ARG(properties_describe(arena, rules)));
}

static bool additional_visit(const struct visit *visit, const struct member *member)
{
    const struct schema *schema = visit->schema->map->additional;

    if (schema->is_never)
        return problem_is_wanted(visit) && unknown_report(visit, member);
    return child_visit(visit, member, schema);
}

static bool member_visit(const struct visit *visit, uint32_t number, struct met *met)
{
    const struct map_rules *rules = visit->schema->map;
    const struct member *member = &visit->spot->value->members[number];
    const struct property *property = property_find(rules, member->key);
    bool is_known = property != NULL && property->schema != NULL, fine = true;

    if (!check_spend(visit->check, 1 + member->key.size / NAME_BYTES_PER_STEP))
        return false;
    if (property != NULL && property->is_required) {
        uint32_t index = (uint32_t)(property - rules->properties);
        if (index < REQUIRED_NOTED)
            met->bits[index / 64] |= UINT64_C(1) << index % 64;
        met->count++;
    }
    if (is_known &&
        !check_goes_on(visit->check, &fine, child_visit(visit, member, property->schema)))
        return false;
    if (rules->names != NULL && !check_goes_on(visit->check, &fine, name_check(visit, member)))
        return false;
    if (rules->pattern_count > 0 &&
        !check_goes_on(visit->check, &fine, patterns_visit(visit, member, &is_known)))
        return false;
    if (!is_known && rules->additional != NULL) {
        is_known = true;
        if (!check_goes_on(visit->check, &fine, additional_visit(visit, member)))
            return false;
    }
    if (is_known && visit->seen != NULL)
        seen_add(visit->seen, number);
    return fine;
}

/* ---- what must be there ------------------------------------------------------------------ */

static bool missing_report(const struct visit *visit, enum keyword keyword, struct slice name,
                           const struct schema *schema, struct slice because)
{
    struct arena *arena = visit->check->arena;
    struct slice wanted = schema == NULL ? SLICE("") : schema_describe(visit, schema);

    return problem_expect(visit, keyword, SLICE("nothing"), "the property %.*s%s%.*s%s%.*s",
                          SLICE_ARG(text_quote(arena, name)), wanted.size > 0 ? " (" : "",
                          SLICE_ARG(wanted), wanted.size > 0 ? ")" : "", SLICE_ARG(because));
}

static bool noted(const struct met *met, uint32_t number)
{
    return (met->bits[number / 64] >> number % 64 & 1) != 0;
}

static bool required_check(const struct visit *visit, const struct met *met)
{
    const struct map_rules *rules = visit->schema->map;
    bool fine = met->count == rules->required_count;

    for (uint32_t i = 0; !fine && i < rules->property_count && problem_is_wanted(visit); i++) {
        const struct property *property = &rules->properties[i];
        if (!property->is_required || (i < REQUIRED_NOTED && noted(met, i)))
            continue;
        if (i >= REQUIRED_NOTED && !check_spend(visit->check, visit->spot->value->count))
            break;
        if (i < REQUIRED_NOTED || value_find_slice(visit->spot->value, property->name) == NULL)
            missing_report(visit, KEYWORD_REQUIRED, property->name, property->schema,
                           SLICE(""));
    }
    return fine;
}

static bool needs_check(const struct visit *visit, const struct dependent *dependent)
{
    struct arena *arena = visit->check->arena;
    bool fine = true;

    for (uint32_t i = 0; i < dependent->need_count; i++) {
        if (value_find_slice(visit->spot->value, dependent->needs[i]) != NULL)
            continue;
        if (!problem_is_wanted(visit))
            return false;
        fine = missing_report(visit, KEYWORD_DEPENDENT_REQUIRED, dependent->needs[i], NULL,
                              arena_format(arena, ", since %.*s is there",
                                           SLICE_ARG(text_quote(arena, dependent->name))));
    }
    return fine;
}

static bool dependents_check(const struct visit *visit)
{
    const struct map_rules *rules = visit->schema->map;
    struct check *check = visit->check;
    bool fine = true;

    for (uint32_t i = 0; i < rules->dependent_count; i++) {
        const struct dependent *dependent = &rules->dependents[i];
        if (!check_spend(check,
                         visit->spot->value->count * (dependent->need_count + UINT64_C(1))))
            return false;
        if (value_find_slice(visit->spot->value, dependent->name) == NULL)
            continue;
        if (!check_goes_on(check, &fine, needs_check(visit, dependent)) ||
            !check_goes_on(
                check, &fine,
                schema_visit(check, dependent->schema, visit->spot, visit->scope, visit->seen)))
            return false;
    }
    return fine;
}

bool map_visit(const struct visit *visit)
{
    struct check *check = visit->check;
    struct met met = { 0 };
    bool fine = true;

    if (!check_goes_on(check, &fine, size_check(visit)))
        return false;
    for (uint32_t i = 0; i < visit->spot->value->count; i++)
        if (!check_goes_on(check, &fine, member_visit(visit, i, &met)))
            return false;
    if (!check_goes_on(check, &fine, required_check(visit, &met)))
        return false;
    (void)check_goes_on(check, &fine, dependents_check(visit)); /* the last */
    return fine;
}
