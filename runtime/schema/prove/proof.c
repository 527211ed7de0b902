/*
 * Proofs. A goal is "these facts imply this part of that schema", and is met
 *
 *   as it stands,  or because no value has the facts,  or in each case that the facts fall into
 *
 * Goals are remembered. One that comes up again inside its own proof is taken for granted if
 * the way led into the value: there it is about something smaller. What was proven on such a
 * premise is not remembered, unless the premise is proven, too.
 */
#include "schema/prove/covers.h"

enum { GOAL_MAX_DEPTH = 250 };

enum part { PART_OWN, PART_ANY, PART_ONE, PART_NOT, PART_IF, PART_REST, PART_EMPTY, PART_ALL };
enum state { GOAL_NEW, GOAL_OPEN, GOAL_PROVEN, GOAL_FAILED };

struct goal {
    const struct facts *facts;
    const struct schema *schema; /* NULL: that nothing has the facts */
    enum part part;
    enum state state;
    uint32_t level, number;
    struct goal *next; /* of the same hash */
};

static bool goal_prove(struct cover *cover, const struct frame *frame,
                       const struct facts *facts, const struct schema *schema, enum part part);

bool cover_spend(struct cover *cover, int64_t count)
{
    cover->steps -= count;
    return cover->steps > 0;
}

bool cover_silence(struct cover *cover)
{
    bool was = cover->is_recording;

    cover->is_recording = false;
    return was;
}

/* ---- by cases ---------------------------------------------------------------------------- */

/* With gaps wanted each case is tried, so that all of them are found. */
static bool cases_prove(struct cover *cover, const struct frame *frame,
                        const struct facts *const *cases, uint32_t count,
                        const struct schema *schema, enum part part)
{
    bool fine = true;

    for (uint32_t i = 0; i < count && (fine || cover->is_recording); i++)
        fine = goal_prove(cover, frame, cases[i], schema, part) && fine;
    return fine;
}

/* ---- parts of a schema ------------------------------------------------------------------- */

static bool values_prove(const struct facts *facts, const struct schema *schema)
{
    if (schema->constant != NULL || schema->enumeration == NULL)
        return schema->constant == NULL;
    /* Few values have been tried one by one; of many, who holds the same enumeration? */
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct schema *held = facts->held[i];
        const struct enumeration *one = held->enumeration, *other = schema->enumeration;
        int64_t steps = INT64_MAX;
        uint32_t found = 0;
        if (one == NULL)
            continue;
        while (found < one->count && enumeration_has(other, &one->values[found], &steps))
            found++;
        if (found == one->count)
            return true;
    }
    return false;
}

static bool own_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                      const struct schema *schema)
{
    if (schema->is_never || !values_prove(facts, schema) ||
        (facts->kinds & ~kinds_of_types(schema->types)) != 0)
        return false;
    bool fine = ((facts->kinds & KIND_NUMBER) == 0 || number_prove(facts, schema)) &&
                ((facts->kinds & KIND_STRING) == 0 || string_prove(facts, schema));
    if ((facts->kinds & KIND_LIST) != 0 && (fine || cover->is_recording))
        fine = list_prove(cover, frame, facts, schema) && fine;
    if ((facts->kinds & KIND_MAP) != 0 && (fine || cover->is_recording))
        fine = map_prove(cover, frame, facts, schema) && fine;
    return fine;
}

static bool any_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                      const struct schema_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (cover_prove(cover, frame, facts, list->items[i]))
            return true;
    return false;
}

/* One of them, and none of the others. */
static bool one_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                      const struct schema_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        bool fine = cover_prove(cover, frame, facts, list->items[i]);
        for (uint32_t j = 0; fine && j < list->count; j++)
            if (j != i)
                fine = cover_empty(cover, facts_with(cover, facts, list->items[j]));
        if (fine)
            return true;
    }
    return false;
}

static bool one_same(struct cover *cover, const struct facts *facts,
                     const struct schema_list *list)
{
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct branches *branches = facts->held[i]->branches;
        uint32_t same = 0;
        if (branches == NULL || branches->one.count != list->count)
            continue;
        while (same < list->count &&
               schema_same(cover, branches->one.items[same], list->items[same]))
            same++;
        if (same == list->count)
            return true;
    }
    return false;
}

static bool not_prove(struct cover *cover, const struct facts *facts,
                      const struct schema *negated)
{
    for (uint32_t i = 0; i < facts->denied_count; i++)
        if (schema_same(cover, facts->denied[i], negated))
            return true;
    return cover_empty(cover, facts_with(cover, facts, negated));
}

static bool if_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                     const struct branches *branches)
{
    bool fine =
        cover_prove(cover, frame, facts_with(cover, facts, branches->when), branches->then);

    if (fine || cover->is_recording)
        fine = cover_prove(cover, frame, facts_without(cover, facts, branches->when),
                           branches->otherwise) &&
               fine;
    return fine;
}

/* ---- nothing has the facts --------------------------------------------------------------- */

static bool members_are_empty(struct cover *cover, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct map_rules *rules = facts->held[i]->map;
        for (uint32_t j = 0; rules != NULL && j < rules->property_count; j++)
            if (rules->properties[j].is_required &&
                part_empty(cover, facts_of_member(cover, facts, rules->properties[j].name)))
                return true;
    }
    return false;
}

static bool items_are_empty(struct cover *cover, const struct facts *facts)
{
    uint64_t least = facts_extent(facts).min_items;
    uint32_t prefix = facts_prefix(facts);

    for (uint32_t i = 0; i < least && i <= prefix; i++)
        if (part_empty(cover, facts_of_item(cover, facts, i)))
            return true;
    return false;
}

static bool empty_prove(struct cover *cover, const struct facts *facts)
{
    const struct value *values[FINITE_MAX];
    uint32_t count;

    if (facts_clash(facts))
        return true;
    if (facts_values(cover, facts, values, &count))
        return count == 0;
    for (uint32_t i = 0; i < facts->denied_count; i++)
        if (cover_prove(cover, NULL, facts_forget(cover, facts, i), facts->denied[i]))
            return true;
    if (facts->kinds == KIND_MAP)
        return members_are_empty(cover, facts);
    return facts->kinds == KIND_LIST && items_are_empty(cover, facts);
}

/* ---- goals ------------------------------------------------------------------------------- */

static bool schema_prove(struct cover *cover, const struct frame *frame,
                         const struct facts *facts, const struct schema *schema);

static bool goal_met(struct cover *cover, const struct frame *frame, const struct goal *goal)
{
    const struct facts *facts = goal->facts;
    const struct schema *schema = goal->schema;

    switch (goal->part) {
    case PART_OWN:
        return own_prove(cover, frame, facts, schema);
    case PART_ANY:
        return any_prove(cover, frame, facts, &schema->branches->any);
    case PART_ONE:
        return one_same(cover, facts, &schema->branches->one) ||
               one_prove(cover, frame, facts, &schema->branches->one);
    case PART_NOT:
        return not_prove(cover, facts, schema->branches->negated);
    case PART_IF:
        return if_prove(cover, frame, facts, schema->branches);
    case PART_REST:
        return rest_prove(cover, facts, schema);
    case PART_EMPTY:
        return empty_prove(cover, facts);
    case PART_ALL:
        break;
    }
    return schema_prove(cover, frame, facts, schema);
}

/* No way is left. Those who can say which part of the value it is that does not fit do so. */
static void goal_record(struct cover *cover, const struct frame *frame, const struct goal *goal)
{
    uint32_t before = cover->gap_count;
    bool is_branching = goal->part == PART_ANY || goal->part == PART_ONE;
    bool wants_sure = cover->wants_sure;

    /* That a branch may not fit means nothing: another one may. */
    cover->wants_sure = wants_sure || is_branching;
    if (is_branching || goal->part == PART_OWN || goal->part == PART_IF)
        (void)goal_met(cover, frame, goal); /* known not to be; it records */
    cover->wants_sure = wants_sure;
    if (cover->gap_count == before)
        gap_find(cover, frame, goal->facts, goal->schema);
}

static bool goal_try(struct cover *cover, const struct frame *frame, const struct goal *goal)
{
    const struct facts *cases[CASES_MAX];
    bool is_recording = cover_silence(cover);
    bool fine = goal_met(cover, frame, goal) ||
                (goal->part != PART_EMPTY && cover_empty(cover, goal->facts));

    cover->is_recording = is_recording;
    if (fine || goal->part == PART_ALL)
        return fine;
    uint32_t count = facts_split(cover, goal->facts, goal->part != PART_OWN, cases);
    if (count > 0)
        return cases_prove(cover, frame, cases, count, goal->schema, goal->part);
    if (is_recording)
        goal_record(cover, frame, goal);
    return false;
}

static struct goal *goal_find(struct cover *cover, const struct facts *facts,
                              const struct schema *schema, enum part part)
{
    uint64_t hash =
        table_hash((struct slice){ (const char *)&schema, sizeof schema }, facts_hash(facts)) +
        part;
    struct goal *newest = table_find(&cover->goals, hash);

    for (struct goal *goal = newest; goal != NULL; goal = goal->next)
        if (goal->schema == schema && goal->part == part && facts_equal(goal->facts, facts))
            return goal;
    struct goal *goal = ARENA_NEW(&cover->scratch, struct goal);
    *goal = (struct goal){ .facts = facts, .schema = schema, .part = part, .next = newest };
    table_set(&cover->goals, hash, goal);
    return goal;
}

/* What the proof leans on beyond itself is what it was before, or what it met. */
static void premise_note(struct cover *cover, uint32_t number)
{
    if (number < cover->lowest)
        cover->lowest = number;
}

static bool goal_prove(struct cover *cover, const struct frame *frame,
                       const struct facts *facts, const struct schema *schema, enum part part)
{
    if (!cover_spend(cover, 1) || cover->depth >= GOAL_MAX_DEPTH)
        return false;
    struct goal *goal = goal_find(cover, facts, schema, part);
    if (goal->state == GOAL_OPEN) {
        if (goal->level < cover->level)
            premise_note(cover, goal->number);
        return goal->level < cover->level;
    }
    if (goal->state == GOAL_PROVEN || (goal->state == GOAL_FAILED && !cover->is_recording))
        return goal->state == GOAL_PROVEN;
    uint32_t outer = cover->lowest;
    cover->lowest = UINT32_MAX;
    goal->state = GOAL_OPEN;
    goal->level = cover->level;
    goal->number = cover->depth++;
    bool fine = goal_try(cover, frame, goal);
    cover->depth--;
    bool is_premised = fine && cover->lowest < goal->number;
    goal->state = is_premised ? GOAL_NEW : fine ? GOAL_PROVEN : GOAL_FAILED;
    if (!is_premised)
        cover->lowest = UINT32_MAX; /* its own premise is proven with it */
    premise_note(cover, outer);
    return fine;
}

/* ---- schemas ----------------------------------------------------------------------------- */

static bool finite_prove(struct cover *cover, const struct frame *frame,
                         const struct facts *facts, const struct schema *schema,
                         const struct value *const *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (schema_accepts(cover, schema, values[i]) != ACCEPT_YES) {
            if (cover->is_recording)
                gap_find(cover, frame, facts, schema);
            return false;
        }
    return true;
}

static bool branches_prove(struct cover *cover, const struct frame *frame,
                           const struct facts *facts, const struct schema *schema)
{
    const struct branches *branches = schema->branches;
    bool fine = cover_prove(cover, frame, facts, branches->reference);

    if (fine || cover->is_recording)
        fine = cover_prove(cover, frame, facts, branches->dynamic) && fine;
    for (uint32_t i = 0; i < branches->all.count && (fine || cover->is_recording); i++)
        fine = cover_prove(cover, frame, facts, branches->all.items[i]) && fine;
    if (branches->any.count > 0 && (fine || cover->is_recording))
        fine = goal_prove(cover, frame, facts, schema, PART_ANY) && fine;
    if (branches->one.count > 0 && (fine || cover->is_recording))
        fine = goal_prove(cover, frame, facts, schema, PART_ONE) && fine;
    if (branches->negated != NULL && (fine || cover->is_recording))
        fine = goal_prove(cover, frame, facts, schema, PART_NOT) && fine;
    if (branches->when != NULL && (fine || cover->is_recording))
        fine = goal_prove(cover, frame, facts, schema, PART_IF) && fine;
    if (fine || cover->is_recording)
        fine = goal_prove(cover, frame, facts, schema, PART_REST) && fine;
    return fine;
}

static bool schema_prove(struct cover *cover, const struct frame *frame,
                         const struct facts *facts, const struct schema *schema)
{
    const struct value *values[FINITE_MAX];
    uint32_t count;

    for (uint32_t i = 0; i < facts->held_count; i++)
        if (schema_same(cover, facts->held[i], schema))
            return true;
    if (facts_values(cover, facts, values, &count))
        return finite_prove(cover, frame, facts, schema, values, count);
    bool fine = goal_prove(cover, frame, facts, schema, PART_OWN);
    if (schema->branches != NULL && (fine || cover->is_recording))
        fine = branches_prove(cover, frame, facts, schema) && fine;
    return fine;
}

bool cover_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                 const struct schema *schema)
{
    if (schema == NULL || facts->kinds == 0)
        return true;
    if (!cover->is_recording)
        return goal_prove(cover, frame, facts, schema, PART_ALL);
    bool is_recording = cover_silence(cover);
    bool fine = goal_prove(cover, frame, facts, schema, PART_ALL);
    cover->is_recording = is_recording;
    /* Not by way of the goal: its parts are recorded one by one. */
    return fine || schema_prove(cover, frame, facts, schema);
}

bool cover_empty(struct cover *cover, const struct facts *facts)
{
    bool is_recording = cover_silence(cover);
    bool fine = facts->kinds == 0 || goal_prove(cover, NULL, facts, NULL, PART_EMPTY);

    cover->is_recording = is_recording;
    return fine;
}

bool part_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                const struct schema *schema)
{
    if (schema == NULL)
        return true;
    cover->level++;
    bool fine = cover_prove(cover, frame, facts, schema);
    cover->level--;
    return fine;
}

bool part_empty(struct cover *cover, const struct facts *facts)
{
    cover->level++;
    bool fine = cover_empty(cover, facts);
    cover->level--;
    return fine;
}
