/*
 * Do facts imply a schema's own rules about objects? Names fall into three groups: those that
 * some schema mentions, those that match a pattern of the facts, and all others. What a rule
 * asks of more names than it must is only a proof that is not found.
 */
#include "schema/prove/sample.h"

/* ---- which names there are --------------------------------------------------------------- */

/* Do all facts together allow only names that they mention? */
static bool names_are_closed(const struct facts *facts, const struct schema **never)
{
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        if (rules == NULL || rules->additional == NULL || !rules->additional->is_never ||
            rules->pattern_count > 0)
            continue;
        *never = facts->held[i];
        return true;
    }
    return false;
}

/* A name that nobody mentions, for examples. */
static struct slice name_invent(struct cover *cover, const struct facts *facts,
                                const struct map_rules *rules)
{
    static const char *const tries[] = { NAME_INVENTED, "x", "other", "_0", "more-1", "Z9" };

    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        struct slice name = slice_of(tries[i]);
        bool is_free = rules == NULL || property_find(rules, name) == NULL;
        for (uint32_t j = 0; is_free && j < facts->held_count; j++)
            is_free =
                facts->held[j]->map == NULL || property_find(facts->held[j]->map, name) == NULL;
        if (is_free && facts_of_member(cover, facts, name)->kinds != 0)
            return name;
    }
    return (struct slice){ 0 };
}

/* ---- what a member must be --------------------------------------------------------------- */

static bool member_prove(struct cover *cover, const struct frame *frame,
                         const struct facts *facts, struct slice name,
                         const struct schema *schema)
{
    struct frame member = { .up = frame, .facts = facts, .key = name };

    return part_prove(cover, &member, facts_of_member(cover, facts, name), schema);
}

/* All that the rules say of a member with this name. */
static bool name_prove(struct cover *cover, const struct frame *frame,
                       const struct facts *facts, const struct map_rules *rules,
                       struct slice name)
{
    const struct property *property = property_find(rules, name);
    bool is_known = property != NULL && property->schema != NULL, fine = true;

    if (is_known)
        fine = member_prove(cover, frame, facts, name, property->schema);
    for (uint32_t i = 0; i < rules->pattern_count && (fine || cover->is_recording); i++) {
        enum match match = pattern_match(rules->patterns[i].pattern, &cover->matcher, name);
        is_known |= match == MATCH_YES;
        if (match != MATCH_NO)
            fine = member_prove(cover, frame, facts, name, rules->patterns[i].schema) && fine;
    }
    if (!is_known && (fine || cover->is_recording))
        fine = member_prove(cover, frame, facts, name, rules->additional) && fine;
    return fine;
}

static bool own_names_prove(struct cover *cover, const struct frame *frame,
                            const struct facts *facts, const struct map_rules *mentioning,
                            const struct map_rules *rules)
{
    bool fine = true;

    for (uint32_t i = 0; i < mentioning->property_count && (fine || cover->is_recording); i++)
        fine = cover_spend(cover, 1) &&
               name_prove(cover, frame, facts, rules, mentioning->properties[i].name) && fine;
    return fine;
}

/* Twice if both mention a name: the second time it is remembered. */
static bool mentioned_prove(struct cover *cover, const struct frame *frame,
                            const struct facts *facts, const struct map_rules *rules)
{
    bool fine = own_names_prove(cover, frame, facts, rules, rules);

    for (uint32_t i = 0; i < facts->held_count && (fine || cover->is_recording); i++)
        if (facts->held[i]->map != NULL && facts->held[i]->map != rules)
            fine = own_names_prove(cover, frame, facts, facts->held[i]->map, rules) && fine;
    return fine;
}

static bool pattern_has_twin(const struct map_rules *rules, const struct pattern *pattern)
{
    for (uint32_t i = 0; i < rules->pattern_count; i++)
        if (slice_equal(pattern_text(rules->patterns[i].pattern), pattern_text(pattern)))
            return true;
    return false;
}

/* Members whose names nobody mentions but which match `pattern`. */
static bool group_prove(struct cover *cover, const struct frame *frame,
                        const struct facts *facts, const struct pattern *pattern,
                        const struct schema *schema)
{
    struct frame member = { .up = frame, .facts = facts };
    struct slice name;

    if (pattern != NULL && cover->is_recording &&
        pattern_sample(&cover->scratch, pattern_text(pattern), 2, 0, &name))
        member.key = name;
    return part_prove(cover, &member, facts_of_pattern(cover, facts, pattern), schema);
}

/* Names that match a pattern: of the schema, and of the facts. */
static bool patterns_prove(struct cover *cover, const struct frame *frame,
                           const struct facts *facts, const struct map_rules *rules)
{
    bool fine = true;

    for (uint32_t i = 0; i < rules->pattern_count && (fine || cover->is_recording); i++)
        fine = group_prove(cover, frame, facts, rules->patterns[i].pattern,
                           rules->patterns[i].schema) &&
               fine;
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *held = facts->held[i]->map;
        for (uint32_t j = 0; held != NULL && j < held->pattern_count; j++)
            if ((fine || cover->is_recording) &&
                !pattern_has_twin(rules, held->patterns[j].pattern))
                fine = group_prove(cover, frame, facts, held->patterns[j].pattern,
                                   rules->additional) &&
                       fine;
    }
    return fine;
}

static bool others_prove(struct cover *cover, const struct frame *frame,
                         const struct facts *facts, const struct map_rules *rules)
{
    struct frame member = { .up = frame, .facts = facts };

    if (rules->additional == NULL)
        return true;
    if (cover->is_recording)
        member.key = name_invent(cover, facts, rules);
    return part_prove(cover, &member, facts_of_pattern(cover, facts, NULL), rules->additional);
}

/* ---- how many, which must be there, what they are called --------------------------------- */

static bool most_prove(const struct facts *facts, const struct map_rules *rules)
{
    const struct schema *closed;

    if (facts_extent(facts).max_members <= rules->max_members)
        return true;
    return names_are_closed(facts, &closed) &&
           closed->map->property_count <= rules->max_members;
}

static bool required_prove(const struct facts *facts, const struct map_rules *rules)
{
    for (uint32_t i = 0; i < rules->property_count; i++)
        if (rules->properties[i].is_required &&
            !facts_require(facts, rules->properties[i].name))
            return false;
    return true;
}

static bool names_prove(struct cover *cover, const struct facts *facts,
                        const struct map_rules *rules)
{
    const struct schema *closed;

    if (rules->names == NULL)
        return true;
    if (part_prove(cover, NULL, facts_of_names(cover, facts), rules->names))
        return true;
    if (!names_are_closed(facts, &closed))
        return false;
    for (uint32_t i = 0; i < closed->map->property_count; i++) {
        struct value name = value_string(closed->map->properties[i].name);
        if (schema_accepts(cover, rules->names, &name) != ACCEPT_YES &&
            !part_empty(cover, facts_of_member(cover, facts, name.bytes)))
            return false;
    }
    return true;
}

static bool needs_hold(const struct facts *facts, const struct dependent *wanted)
{
    for (uint32_t i = 0; i < wanted->need_count; i++) {
        bool holds = facts_require(facts, wanted->needs[i]);
        for (uint32_t j = 0; !holds && j < facts->held_count; j++) {
            const struct map_rules *rules = facts->held[j]->map;
            for (uint32_t k = 0; rules != NULL && !holds && k < rules->dependent_count; k++) {
                const struct dependent *held = &rules->dependents[k];
                for (uint32_t l = 0;
                     slice_equal(held->name, wanted->name) && !holds && l < held->need_count;
                     l++)
                    holds = slice_equal(held->needs[l], wanted->needs[i]);
            }
        }
        if (!holds)
            return false;
    }
    return true;
}

static const struct facts *facts_when_there(struct cover *cover, const struct facts *facts,
                                            struct slice name)
{
    const struct facts *more = facts;

    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        for (uint32_t j = 0; rules != NULL && j < rules->dependent_count; j++)
            if (slice_equal(rules->dependents[j].name, name))
                more = facts_with(cover, more, rules->dependents[j].schema);
    }
    return more;
}

static bool dependents_prove(struct cover *cover, const struct frame *frame,
                             const struct facts *facts, const struct map_rules *rules)
{
    for (uint32_t i = 0; i < rules->dependent_count; i++) {
        const struct dependent *dependent = &rules->dependents[i];
        if (part_empty(cover, facts_of_member(cover, facts, dependent->name)))
            continue; /* it is never there */
        if (!needs_hold(facts, dependent) ||
            !cover_prove(cover, frame, facts_when_there(cover, facts, dependent->name),
                         dependent->schema))
            return false;
    }
    return true;
}

bool map_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
               const struct schema *schema)
{
    const struct map_rules *rules = schema->map;

    if (rules == NULL)
        return true;
    bool is_recording = cover_silence(cover);
    bool fine = facts_extent(facts).min_members >= rules->min_members &&
                most_prove(facts, rules) && required_prove(facts, rules) &&
                names_prove(cover, facts, rules) &&
                dependents_prove(cover, frame, facts, rules);
    cover->is_recording = is_recording;
    if (!fine && !is_recording)
        return false;
    if (!fine)
        gap_find(cover, frame, facts, schema);
    fine = mentioned_prove(cover, frame, facts, rules) && fine;
    if (fine || is_recording)
        fine = patterns_prove(cover, frame, facts, rules) && fine;
    if (fine || is_recording)
        fine = others_prove(cover, frame, facts, rules) && fine;
    return fine;
}
