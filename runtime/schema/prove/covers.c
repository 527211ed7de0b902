/* One schema against another, from the outside: a proof, or what stands against it. */
#include "schema/prove/covers.h"

#include "codec/json.h"

enum {
    PROOF_STEPS = 100000,
    SMALL_PROOF_STEPS = 10000,
    SEARCH_STEPS = 40000,
    EXAMPLE_MAX_BYTES = 200,
};

static void cover_init(struct cover *cover, const struct schema *wide,
                       const struct schema *narrow, struct arena *arena)
{
    *cover = (struct cover){
        .arena = arena,
        .wide = wide,
        .narrow = narrow,
        .steps = PROOF_STEPS,
        .tries = SEARCH_STEPS,
        .lowest = UINT32_MAX,
    };
    table_init(&cover->goals, &cover->scratch);
    matcher_init(&cover->matcher);
}

static void cover_finish(struct cover *cover)
{
    matcher_finish(&cover->matcher);
    arena_finish(&cover->scratch);
}

/* ---- $dynamicRef ------------------------------------------------------------------------- */

/* All schemas that a check may come to. */
struct reach {
    struct cover *cover;
    struct table seen;
    const struct schema **todo;
    uint32_t count, capacity;
};

static void reach_add(struct reach *reach, const struct schema *schema)
{
    struct arena *arena = &reach->cover->scratch;

    if (schema == NULL || table_has(&reach->seen, (uint64_t)(uintptr_t)schema))
        return;
    table_set(&reach->seen, (uint64_t)(uintptr_t)schema, NULL);
    if (reach->count == reach->capacity) {
        uint32_t capacity = reach->capacity == 0 ? 64 : reach->capacity * 2;
        const struct schema **grown = ARENA_ARRAY(arena, const struct schema *, capacity);
        for (uint32_t i = 0; i < reach->count; i++)
            grown[i] = reach->todo[i];
        reach->todo = grown;
        reach->capacity = capacity;
    }
    reach->todo[reach->count++] = schema;
}

static void reach_list(struct reach *reach, const struct schema_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        reach_add(reach, list->items[i]);
}

static void reach_map(struct reach *reach, const struct map_rules *rules)
{
    for (uint32_t i = 0; i < rules->property_count; i++)
        reach_add(reach, rules->properties[i].schema);
    for (uint32_t i = 0; i < rules->pattern_count; i++)
        reach_add(reach, rules->patterns[i].schema);
    for (uint32_t i = 0; i < rules->dependent_count; i++)
        reach_add(reach, rules->dependents[i].schema);
    reach_add(reach, rules->additional);
    reach_add(reach, rules->names);
}

static void reach_branches(struct reach *reach, const struct branches *branches)
{
    const struct schema *const single[] = {
        branches->negated,   branches->when,
        branches->then,      branches->otherwise,
        branches->dynamic,   branches->unevaluated_items,
        branches->reference, branches->unevaluated_members
    };

    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        reach_add(reach, single[i]);
    reach_list(reach, &branches->all);
    reach_list(reach, &branches->any);
    reach_list(reach, &branches->one);
}

static void reach_parts(struct reach *reach, const struct schema *schema)
{
    if (schema->list != NULL) {
        reach_list(reach, &schema->list->prefix);
        reach_add(reach, schema->list->items);
        reach_add(reach, schema->list->contains);
    }
    if (schema->map != NULL)
        reach_map(reach, schema->map);
    if (schema->branches != NULL)
        reach_branches(reach, schema->branches);
}

/* What such a reference means depends on the way to it, which proofs about parts do not know.
 */
static bool is_dynamic(struct cover *cover, const struct schema *schema)
{
    struct reach reach = { .cover = cover };

    table_init(&reach.seen, &cover->scratch);
    reach_add(&reach, schema);
    while (reach.count > 0) {
        const struct schema *one = reach.todo[--reach.count];
        if (one->branches != NULL && one->branches->dynamic_name.size > 0)
            return true;
        reach_parts(&reach, one);
    }
    return false;
}

/* ---- the answer -------------------------------------------------------------------------- */

static const struct facts *root_facts(struct cover *cover)
{
    const struct facts *facts = facts_none(cover, KIND_ALL);

    return cover->narrow == NULL ? facts : facts_with(cover, facts, cover->narrow);
}

static bool root_prove(struct cover *cover, const struct facts *facts)
{
    if (is_dynamic(cover, cover->wide) || is_dynamic(cover, cover->narrow))
        return schema_same(cover, cover->wide, cover->narrow);
    return cover_prove(cover, NULL, facts, cover->wide);
}

/* Once more, for what stands against it. */
static void root_record(struct cover *cover, const struct facts *facts)
{
    cover->steps = PROOF_STEPS;
    cover->is_recording = true;
    if (!is_dynamic(cover, cover->wide) && !is_dynamic(cover, cover->narrow))
        (void)cover_prove(cover, NULL, facts, cover->wide); /* it is not */
    cover->is_recording = false;
    if (cover->gaps == NULL)
        gap_find(cover, NULL, facts, cover->wide);
    cover->is_partial |= cover->steps <= 0 || cover->tries <= 0;
}

static bool gap_is_before(const struct cover_gap *a, const struct cover_gap *b)
{
    if (a->is_sure != b->is_sure)
        return a->is_sure;
    return a->problem.line < b->problem.line ||
           (a->problem.line == b->problem.line && a->problem.column < b->problem.column);
}

/* Sure ones first, then as one goes through the file. They are few. */
static struct cover_gap *gaps_sort(struct cover_gap *left)
{
    struct cover_gap *sorted = NULL;

    while (left != NULL) {
        struct cover_gap *one = left, **place = &sorted;
        left = left->next;
        while (*place != NULL && !gap_is_before(one, *place))
            place = &(*place)->next;
        one->next = *place;
        *place = one;
    }
    return sorted;
}

enum schema_answer cover_gaps(const struct schema *wide, const struct schema *narrow,
                              struct arena *arena, struct cover_gaps *gaps)
{
    enum schema_answer answer = SCHEMA_YES;
    struct cover cover;

    *gaps = (struct cover_gaps){ 0 };
    if (wide == NULL || wide == narrow)
        return SCHEMA_YES;
    cover_init(&cover, wide, narrow, arena);
    const struct facts *facts = root_facts(&cover);
    if (!root_prove(&cover, facts)) {
        root_record(&cover, facts);
        gaps->first = gaps_sort(cover.gaps);
        gaps->is_partial = cover.is_partial;
        answer = gaps->first != NULL && gaps->first->is_sure ? SCHEMA_NO : SCHEMA_UNKNOWN;
    }
    cover_finish(&cover);
    return answer;
}

bool cover_proven(const struct schema *wide, const struct schema *narrow)
{
    struct cover cover;

    if (wide == NULL || wide == narrow)
        return true;
    cover_init(&cover, wide, narrow, NULL);
    cover.steps = SMALL_PROOF_STEPS;
    bool fine = root_prove(&cover, root_facts(&cover));
    cover_finish(&cover);
    return fine;
}

/* ---- as problems ------------------------------------------------------------------------- */

static struct slice example_text(struct arena *arena, const struct value *example)
{
    struct buffer out = { 0 };

    json_write_short(&out, example, EXAMPLE_MAX_BYTES);
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

enum schema_answer schema_covers(const struct schema *wide, const struct schema *narrow,
                                 struct arena *arena, struct problems *problems)
{
    struct cover_gaps gaps;
    enum schema_answer answer = cover_gaps(wide, narrow, arena, &gaps);

    for (struct cover_gap *gap = gaps.first; gap != NULL; gap = gap->next) {
        struct problem problem = gap->problem;
        if (gap->is_sure) {
            problem.got = example_text(arena, &gap->example);
            problem.message = arena_format(arena, "%.*s; for example in %.*s",
                                           SLICE_ARG(problem.message), SLICE_ARG(problem.got));
        }
        problem_add(arena, problems, problem);
    }
    return answer;
}
