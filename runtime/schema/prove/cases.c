/* Facts in cases: the kinds of values, the branches that a value may take, all its values. */
#include "schema/document/number.h"
#include "schema/prove/covers.h"

/* ---- cases ------------------------------------------------------------------------------- */

/* Numbers stay together unless somebody branches on whether they are whole. */
static uint32_t kinds_split(struct cover *cover, const struct facts *facts, bool is_branching,
                            const struct facts *cases[CASES_MAX])
{
    uint32_t groups[] = { KIND_NULL, KIND_BOOLEAN, KIND_STRING,  KIND_LIST,
                          KIND_MAP,  KIND_INTEGER, KIND_FRACTION };
    uint32_t group_count = sizeof groups / sizeof groups[0], count = 0;
    bool is_number = (facts->kinds & ~(uint32_t)KIND_NUMBER) == 0;

    if (!is_number || !is_branching) {
        groups[5] = KIND_NUMBER;
        group_count = 6;
    }
    for (uint32_t i = 0; i < group_count; i++)
        if ((facts->kinds & groups[i]) != 0)
            cases[count++] = facts_of_kinds(cover, facts, groups[i]);
    return count > 1 ? count : 0;
}

static bool any_is_held(const struct facts *facts, const struct schema_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (facts_hold(facts, list->items[i]))
            return true;
    return false;
}

static bool is_denied(const struct facts *facts, const struct schema *schema)
{
    for (uint32_t i = 0; i < facts->denied_count; i++)
        if (facts->denied[i] == schema)
            return true;
    return false;
}

static uint32_t any_split(struct cover *cover, const struct facts *facts,
                          const struct schema_list *list, bool is_one,
                          const struct facts *cases[CASES_MAX])
{
    if (list->count == 0 || list->count > CASES_MAX || any_is_held(facts, list))
        return 0;
    for (uint32_t i = 0; i < list->count; i++) {
        cases[i] = facts_with(cover, facts, list->items[i]);
        for (uint32_t j = 0; is_one && j < list->count; j++)
            if (j != i)
                cases[i] = facts_without(cover, cases[i], list->items[j]);
    }
    return list->count;
}

static uint32_t if_split(struct cover *cover, const struct facts *facts,
                         const struct branches *branches, const struct facts *cases[CASES_MAX])
{
    const struct schema *when = branches->when;

    if (when == NULL || facts_hold(facts, when) || is_denied(facts, when))
        return 0;
    cases[0] = facts_with(cover, facts_with(cover, facts, when), branches->then);
    cases[1] = facts_with(cover, facts_without(cover, facts, when), branches->otherwise);
    return 2;
}

uint32_t facts_split(struct cover *cover, const struct facts *facts, bool is_branching,
                     const struct facts *cases[CASES_MAX])
{
    uint32_t count = kinds_split(cover, facts, is_branching, cases);

    for (uint32_t i = 0; count == 0 && i < facts->held_count; i++) {
        const struct branches *branches = facts->held[i]->branches;
        if (branches == NULL)
            continue;
        count = any_split(cover, facts, &branches->any, false, cases);
        if (count == 0)
            count = any_split(cover, facts, &branches->one, true, cases);
        if (count == 0)
            count = if_split(cover, facts, branches, cases);
    }
    return count;
}

/* ---- all values -------------------------------------------------------------------------- */

static bool value_keep(struct cover *cover, const struct facts *facts,
                       const struct value *value, const struct value *values[FINITE_MAX],
                       uint32_t *count)
{
    /* Which cannot be checked may fit. */
    if (facts_accept(cover, facts, value) == ACCEPT_NO)
        return true;
    if (*count == FINITE_MAX)
        return false;
    values[(*count)++] = value;
    return true;
}

static bool number_values(struct cover *cover, const struct facts *facts,
                          const struct value *values[FINITE_MAX], uint32_t *count)
{
    struct extent extent = facts_extent(facts);
    const struct value *low = &extent.low.value, *high = &extent.high.value;

    if (!extent.low.is_set || !extent.high.is_set || low->kind != VALUE_INT ||
        high->kind != VALUE_INT || extent.is_low_open || extent.is_high_open ||
        low->integer > high->integer ||
        (uint64_t)high->integer - (uint64_t)low->integer >= FINITE_MAX)
        return false;
    for (int64_t number = low->integer; number <= high->integer; number++) {
        struct value *value = ARENA_NEW(&cover->scratch, struct value);
        *value = value_int(number);
        if (!value_keep(cover, facts, value, values, count))
            return false;
    }
    return true;
}

static bool enumeration_values(struct cover *cover, const struct facts *facts,
                               const struct enumeration *enumeration,
                               const struct value *values[FINITE_MAX], uint32_t *count)
{
    for (uint32_t i = 0; i < enumeration->count; i++)
        if (!value_keep(cover, facts, &enumeration->written[i], values, count))
            return false;
    return true;
}

static bool plain_values(struct cover *cover, const struct facts *facts,
                         const struct value *values[FINITE_MAX], uint32_t *count)
{
    static const struct value plain[] = { { .kind = VALUE_NULL },
                                          { .kind = VALUE_BOOL, .boolean = true },
                                          { .kind = VALUE_BOOL, .boolean = false } };

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (!value_keep(cover, facts, &plain[i], values, count))
            return false;
    return true;
}

bool facts_values(struct cover *cover, const struct facts *facts,
                  const struct value *values[FINITE_MAX], uint32_t *count)
{
    const struct enumeration *least = NULL;

    *count = 0;
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct schema *schema = facts->held[i];
        if (schema->constant != NULL)
            return value_keep(cover, facts, schema->constant, values, count);
        if (schema->enumeration != NULL &&
            (least == NULL || schema->enumeration->count < least->count))
            least = schema->enumeration;
    }
    if (least != NULL)
        return enumeration_values(cover, facts, least, values, count);
    if ((facts->kinds & ~(uint32_t)(KIND_NULL | KIND_BOOLEAN)) == 0)
        return plain_values(cover, facts, values, count);
    return facts->kinds == KIND_INTEGER && number_values(cover, facts, values, count);
}
