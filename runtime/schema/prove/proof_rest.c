/*
 * unevaluatedProperties and unevaluatedItems: what a schema has left over depends on all that
 * looks at the same value. What is surely seen, through references and allOf, need not fit;
 * what no branch may see, of a schema that is held, does fit.
 */
#include "schema/prove/covers.h"

enum { SEEN_MAX_DEPTH = 20 };

static bool schema_sees(struct cover *cover, const struct schema *schema,
                        const struct rest_part *part, bool surely, unsigned depth);

static bool pattern_sees(struct cover *cover, const struct map_rules *rules,
                         const struct rest_part *part, bool surely)
{
    for (uint32_t i = 0; i < rules->pattern_count; i++) {
        const struct pattern *pattern = rules->patterns[i].pattern;
        bool is_twin = part->pattern != NULL &&
                       slice_equal(pattern_text(pattern), pattern_text(part->pattern));
        if (part->name == NULL && (!surely || is_twin))
            return true;
        enum match match = part->name == NULL
                               ? MATCH_NO
                               : pattern_match(pattern, &cover->matcher, *part->name);
        if (match == MATCH_YES || (match == MATCH_TOO_LONG && !surely))
            return true;
    }
    return false;
}

/* Without a name the part is a member that no fact mentions; who is no fact may mention it. */
static bool map_sees(struct cover *cover, const struct schema *schema,
                     const struct rest_part *part, bool surely)
{
    const struct map_rules *rules = schema->map;
    bool is_fact = part->facts != NULL && facts_hold(part->facts, schema);
    const struct property *property =
        part->name == NULL ? NULL : property_find(rules, *part->name);

    if (rules->additional != NULL || (property != NULL && property->schema != NULL))
        return true;
    if (part->name == NULL && is_fact && part->pattern == NULL)
        return false;
    if (part->name == NULL && !is_fact && !surely && rules->property_count > 0)
        return true;
    return pattern_sees(cover, rules, part, surely);
}

static bool list_sees(const struct list_rules *rules, const struct rest_part *part, bool surely)
{
    return part->index < rules->prefix.count || rules->items != NULL ||
           (!surely && rules->contains != NULL);
}

static bool any_sees(struct cover *cover, const struct schema_list *list,
                     const struct rest_part *part, bool surely, unsigned depth)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (schema_sees(cover, list->items[i], part, surely, depth))
            return true;
    return false;
}

static bool branches_see(struct cover *cover, const struct branches *branches,
                         const struct rest_part *part, bool surely, unsigned depth)
{
    const struct schema *rest =
        part->is_item ? branches->unevaluated_items : branches->unevaluated_members;

    if ((depth > 0 && rest != NULL) ||
        schema_sees(cover, branches->reference, part, surely, depth + 1) ||
        schema_sees(cover, branches->dynamic, part, surely, depth + 1) ||
        any_sees(cover, &branches->all, part, surely, depth + 1))
        return true;
    return !surely && (any_sees(cover, &branches->any, part, surely, depth + 1) ||
                       any_sees(cover, &branches->one, part, surely, depth + 1) ||
                       schema_sees(cover, branches->when, part, surely, depth + 1) ||
                       schema_sees(cover, branches->then, part, surely, depth + 1) ||
                       schema_sees(cover, branches->otherwise, part, surely, depth + 1));
}

/* Does one of the keywords that look at the whole value look at this part, too? */
static bool schema_sees(struct cover *cover, const struct schema *schema,
                        const struct rest_part *part, bool surely, unsigned depth)
{
    if (schema == NULL)
        return false;
    if (depth > SEEN_MAX_DEPTH || !cover_spend(cover, 1))
        return !surely;
    if (part->is_item && schema->list != NULL && list_sees(schema->list, part, surely))
        return true;
    if (!part->is_item && schema->map != NULL && map_sees(cover, schema, part, surely))
        return true;
    for (uint32_t i = 0; !surely && schema->map != NULL && i < schema->map->dependent_count;
         i++)
        if (schema_sees(cover, schema->map->dependents[i].schema, part, surely, depth + 1))
            return true;
    return schema->branches != NULL &&
           branches_see(cover, schema->branches, part, surely, depth);
}

const struct facts *facts_with_rest(struct cover *cover, const struct facts *facts,
                                    const struct facts *known, const struct rest_part *part)
{
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct branches *branches = facts->held[i]->branches;
        const struct schema *rest = branches == NULL ? NULL
                                    : part->is_item  ? branches->unevaluated_items
                                                     : branches->unevaluated_members;
        if (rest != NULL && !schema_sees(cover, facts->held[i], part, false, 0))
            known = facts_with(cover, known, rest);
    }
    return known;
}

/* ---- proofs ------------------------------------------------------------------------------ */

static bool names_prove(struct cover *cover, const struct facts *facts,
                        const struct map_rules *rules, const struct schema *schema)
{
    bool fine = true;

    for (uint32_t i = 0; fine && i < rules->property_count; i++) {
        struct rest_part part = { .name = &rules->properties[i].name };
        fine = schema_sees(cover, schema, &part, true, 0) ||
               part_prove(cover, NULL, facts_of_member(cover, facts, *part.name),
                          schema->branches->unevaluated_members);
    }
    return fine;
}

static bool groups_prove(struct cover *cover, const struct facts *facts,
                         const struct map_rules *rules, const struct schema *schema)
{
    bool fine = true;

    for (uint32_t i = 0; fine && i < rules->pattern_count; i++) {
        struct rest_part part = { .pattern = rules->patterns[i].pattern };
        fine = schema_sees(cover, schema, &part, true, 0) ||
               part_prove(cover, NULL, facts_of_pattern(cover, facts, part.pattern),
                          schema->branches->unevaluated_members);
    }
    return fine;
}

static bool members_prove(struct cover *cover, const struct facts *facts,
                          const struct schema *schema)
{
    const struct rest_part others = { 0 };

    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        if (rules != NULL && (!names_prove(cover, facts, rules, schema) ||
                              !groups_prove(cover, facts, rules, schema)))
            return false;
    }
    return schema_sees(cover, schema, &others, true, 0) ||
           part_prove(cover, NULL, facts_of_pattern(cover, facts, NULL),
                      schema->branches->unevaluated_members);
}

/* No list has a prefix that is longer: the item behind all of them stands for the others. */
static bool items_prove(struct cover *cover, const struct facts *facts,
                        const struct schema *schema)
{
    uint64_t most = facts_extent(facts).max_items;
    uint32_t end = facts_prefix(facts);
    const struct facts *own = facts_with(cover, facts_none(cover, KIND_LIST), schema);

    if (facts_prefix(own) > end)
        end = facts_prefix(own);
    for (uint32_t i = 0; i <= end && i < most; i++) {
        struct rest_part part = { .is_item = true, .index = i };
        if (!schema_sees(cover, schema, &part, true, 0) &&
            !part_prove(cover, NULL, facts_of_item(cover, facts, i),
                        schema->branches->unevaluated_items))
            return false;
    }
    return true;
}

bool rest_prove(struct cover *cover, const struct facts *facts, const struct schema *schema)
{
    const struct branches *branches = schema->branches;
    bool is_recording = cover_silence(cover);
    bool fine = ((facts->kinds & KIND_MAP) == 0 || branches->unevaluated_members == NULL ||
                 members_prove(cover, facts, schema)) &&
                ((facts->kinds & KIND_LIST) == 0 || branches->unevaluated_items == NULL ||
                 items_prove(cover, facts, schema));

    cover->is_recording = is_recording;
    return fine;
}
