/*
 * Schemas that look at the same value: references, all, any, one, not, if. And what they leave
 * over.
 *
 * When somebody wants to know what is left over (visit->seen), each branch takes notes of its
 * own that are kept only if the branch matched.
 */
#include "base/suggest.h"
#include "schema/check/validate.h"

#include <inttypes.h>

/* ---- notes ------------------------------------------------------------------------------- */

enum { FEW_BITS = 256, BITS_PER_STEP = 64 };

void seen_init(struct check *check, struct seen *seen, uint32_t count)
{
    memset(seen->few, 0, sizeof seen->few);
    seen->count = count;
    seen->bits = seen->few;
    if (count <= FEW_BITS)
        return;
    if (check_spend(check, count / BITS_PER_STEP))
        seen->bits = ARENA_ARRAY(check->arena, uint64_t, count / 64 + 1);
    else
        seen->count = 0; /* the check is over: nothing is noted any more */
}

void seen_add(struct seen *seen, uint32_t number)
{
    if (number < seen->count)
        seen->bits[number / 64] |= UINT64_C(1) << number % 64;
}

bool seen_has(const struct seen *seen, uint32_t number)
{
    return number < seen->count && (seen->bits[number / 64] >> number % 64 & 1) != 0;
}

void seen_join(struct seen *to, const struct seen *from)
{
    uint32_t count = to->count < from->count ? to->count : from->count;

    for (uint32_t i = 0; i < count; i += 64)
        to->bits[i / 64] |= from->bits[i / 64];
}

/* Visit, and keep the notes when it matched. */
static bool branch_visit(const struct visit *visit, const struct schema *schema)
{
    struct seen notes;

    if (visit->seen == NULL)
        return schema_visit(visit->check, schema, visit->spot, visit->scope, NULL);
    seen_init(visit->check, &notes, visit->spot->value->count);
    bool fine = schema_visit(visit->check, schema, visit->spot, visit->scope, &notes);
    if (fine)
        seen_join(visit->seen, &notes);
    return fine;
}

static bool branch_try(const struct visit *visit, const struct schema *schema)
{
    struct problems *problems = visit->check->problems;

    visit->check->problems = NULL;
    bool fine = branch_visit(visit, schema);
    visit->check->problems = problems;
    return fine;
}

/* ---- references -------------------------------------------------------------------------- */

/* The outermost resource on the way here that has the anchor decides. */
static const struct schema *dynamic_find(const struct visit *visit)
{
    const struct branches *branches = visit->schema->branches;
    const struct schema *found = branches->dynamic;

    if (branches->dynamic_name.size == 0)
        return found;
    for (const struct scope *one = visit->scope; one != NULL; one = one->up) {
        for (const struct dynamic_anchor *anchor = one->resource->dynamic; anchor != NULL;
             anchor = anchor->next)
            if (check_spend(visit->check, 1) &&
                slice_equal(anchor->name, branches->dynamic_name))
                found = anchor->schema;
    }
    return found;
}

/* ---- any and one ------------------------------------------------------------------------- */

/* How far off a branch is: a wrong type or tag here weighs most, what is deeper hardly. */
static uint64_t problems_weight(const struct problems *problems, size_t pointer_size)
{
    uint64_t weight = problems->cut ? 1000 : 0;

    for (const struct problem *one = problems->first; one != NULL; one = one->next) {
        bool is_here = one->pointer.size == pointer_size;
        bool is_fixed = slice_is(one->keyword, "const") || slice_is(one->keyword, "enum");
        if (is_here && slice_is(one->keyword, "type"))
            weight += 100000;
        else if (is_fixed)
            weight += is_here ? 10000 : 1000;
        else
            weight += is_here ? 2 : 1;
    }
    return weight;
}

/* One plain refusal of the value itself can be joined with others: "expected a string or null".
 */
static bool is_simple(const struct problems *problems, size_t pointer_size)
{
    return problems->count == 1 && problems->first->pointer.size == pointer_size &&
           problems->first->keyword.size > 0 &&
           !slice_is(problems->first->keyword, "required") &&
           !slice_is(problems->first->keyword, "additionalProperties");
}

/* All branches have failed: say what the one came closest to lacks. */
static bool nearest_report(const struct visit *visit, const struct schema_list *list,
                           enum keyword keyword)
{
    struct check *check = visit->check;
    struct problems *outer = check->problems, nearest = { 0 };
    size_t pointer_size = spot_pointer(check, visit->spot).size;
    struct slice expected = SLICE("");
    uint64_t least = UINT64_MAX;
    bool all_simple = true;

    for (uint32_t i = 0; i < list->count && !check->is_over; i++) {
        struct problems problems = { 0 };
        check->problems = &problems;
        (void)schema_visit(check, list->items[i], visit->spot, visit->scope, NULL); /* fails */
        uint64_t weight = problems_weight(&problems, pointer_size);
        all_simple = all_simple && is_simple(&problems, pointer_size);
        if (all_simple)
            expected = arena_format(check->arena, "%.*s%s%.*s", SLICE_ARG(expected),
                                    expected.size > 0 ? " or " : "",
                                    SLICE_ARG(problems.first->expected));
        if (weight < least) {
            least = weight;
            nearest = problems;
        }
    }
    check->problems = outer;
    if (all_simple && list->count > 1 && expected.size > 0)
        return problem_expect(visit, keyword, SLICE(""), "%.*s", SLICE_ARG(expected));
    problems_join(outer, &nearest);
    return false;
}

static bool any_visit(const struct visit *visit)
{
    const struct schema_list *list = &visit->schema->branches->any;
    bool fine = list->count == 0;

    for (uint32_t i = 0; i < list->count; i++) {
        fine |= branch_try(visit, list->items[i]);
        if (fine && visit->seen == NULL)
            break; /* the others could only add notes */
    }
    return fine || (problem_is_wanted(visit) && nearest_report(visit, list, KEYWORD_ANY_OF));
}

static bool one_visit(const struct visit *visit)
{
    const struct schema_list *list = &visit->schema->branches->one;
    uint32_t matches = 0, first = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if (!branch_try(visit, list->items[i]))
            continue;
        if (++matches == 2)
            return EXPECTED_NOT(
                visit, ONE_OF,
                arena_format(visit->check->arena,
                             "a value that matches both number %" PRIu32 " and number %" PRIu32,
                             first + 1, i + 1),
                "exactly one of the %" PRIu32 " schemas of oneOf to match", list->count);
        first = i;
    }
    return matches == 1 || list->count == 0 ||
           (problem_is_wanted(visit) && nearest_report(visit, list, KEYWORD_ONE_OF));
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool condition_visit(const struct visit *visit)
{
    const struct branches *branches = visit->schema->branches;

    if (branches->when == NULL)
        return true;
    return branch_visit(visit, branch_try(visit, branches->when) ? branches->then
                                                                 : branches->otherwise);
}

static bool not_visit(const struct visit *visit)
{
    const struct schema *negated = visit->schema->branches->negated;

    if (negated == NULL || !schema_try(visit->check, negated, visit->spot, visit->scope, NULL))
        return true;
    return EXPECTED(visit, NOT, "anything but %.*s",
                    SLICE_ARG(schema_describe(visit, negated)));
}

bool branches_visit(const struct visit *visit)
{
    const struct branches *branches = visit->schema->branches;
    struct check *check = visit->check;
    bool fine = true;

    if (branches->reference != NULL &&
        !check_goes_on(check, &fine, branch_visit(visit, branches->reference)))
        return false;
    if (branches->dynamic != NULL &&
        !check_goes_on(check, &fine, branch_visit(visit, dynamic_find(visit))))
        return false;
    for (uint32_t i = 0; i < branches->all.count; i++)
        if (!check_goes_on(check, &fine, branch_visit(visit, branches->all.items[i])))
            return false;
    if (!check_goes_on(check, &fine, any_visit(visit)) ||
        !check_goes_on(check, &fine, one_visit(visit)) ||
        !check_goes_on(check, &fine, not_visit(visit)))
        return false;
    (void)check_goes_on(check, &fine, condition_visit(visit)); /* the last */
    return fine;
}

/* ---- what is left over ------------------------------------------------------------------- */

static void names_offer(struct suggestion *near, const struct schema *schema)
{
    enum { OFFERED_MAX = 256 };
    const struct map_rules *rules = schema == NULL ? NULL : schema->map;

    for (uint32_t i = 0; rules != NULL && i < rules->property_count && i < OFFERED_MAX; i++)
        suggestion_offer(near, rules->properties[i].name);
}

/* The names that are spoken of here or one reference away. */
static struct suggestion near_find(const struct visit *visit, struct slice name)
{
    const struct branches *branches = visit->schema->branches;
    struct suggestion near;

    suggestion_init(&near, name);
    names_offer(&near, visit->schema);
    names_offer(&near, branches->reference);
    for (uint32_t i = 0; i < branches->all.count; i++)
        names_offer(&near, branches->all.items[i]);
    return near;
}

static bool rest_report(const struct visit *visit, const struct spot *spot)
{
    struct arena *arena = visit->check->arena;

    if (spot->key.data == NULL)
        return problem_expect(visit, KEYWORD_UNEVALUATED_ITEMS,
                              arena_format(arena, "item %" PRIu32, spot->index),
                              "no items but those that a schema here speaks of");
    struct suggestion near = near_find(visit, spot->key);
    return problem_name(visit, KEYWORD_UNEVALUATED_PROPERTIES, spot->key,
                        arena_format(arena, "%.*s%.*s%.*s%s",
                                     SLICE_ARG(text_quote(arena, spot->key)),
                                     SUGGESTION_ARG(&near)),
                        "no properties but those that a schema here speaks of");
}

static bool rest_visit(const struct visit *visit, const struct spot *spot,
                       const struct schema *schema)
{
    if (schema->is_never)
        return problem_is_wanted(visit) && rest_report(visit, spot);
    return schema_visit(visit->check, schema, spot, visit->scope, NULL);
}

bool unevaluated_visit(const struct visit *visit)
{
    const struct branches *branches = visit->schema->branches;
    const struct value *value = visit->spot->value;
    bool is_map = value->kind == VALUE_MAP, fine = true;
    const struct schema *schema = is_map                      ? branches->unevaluated_members
                                  : value->kind == VALUE_LIST ? branches->unevaluated_items
                                                              : NULL;

    for (uint32_t i = 0; schema != NULL && i < value->count; i++) {
        struct spot spot = { .up = visit->spot, .index = i };
        if (seen_has(visit->seen, i))
            continue;
        seen_add(visit->seen, i);
        spot.value = is_map ? &value->members[i].value : &value->items[i];
        spot.key = is_map ? value->members[i].key : (struct slice){ 0 };
        if (is_map && spot.key.data == NULL)
            spot.key = SLICE("");
        if (!check_goes_on(visit->check, &fine, rest_visit(visit, &spot, schema)))
            return false;
    }
    return fine;
}
