/*
 * Values for examples: what facts may allow, and what lies at the edges of the rules that they
 * are compared with. Not all of them fit; who takes one checks it.
 */
#include "schema/prove/sample.h"

#include "schema/format/format.h"

#include <inttypes.h>

enum {
    HINTS_MAX = 64,
    NAMES_MAX = 40,
    LONGEST_TEXT = 4096,
    LONGEST_LIST = 40,
    POOL_MAX = 8,
};

/* Everything whose bounds are worth a try. */
struct hints {
    const struct schema *all[HINTS_MAX];
    uint32_t count;
};

struct making {
    struct cover *cover;
    const struct facts *facts;
    const struct schema *near;
    const struct hints *hints;
    uint32_t depth;
    struct samples *samples;
    uint32_t limit; /* of samples->count */
};

static void hint_add(struct hints *hints, const struct schema *schema)
{
    for (uint32_t i = 0; i < hints->count; i++)
        if (hints->all[i] == schema)
            return;
    if (schema == NULL || hints->count == HINTS_MAX)
        return;
    hints->all[hints->count++] = schema;
    const struct branches *branches = schema->branches;
    if (branches == NULL)
        return;
    hint_add(hints, branches->reference);
    hint_add(hints, branches->dynamic);
    hint_add(hints, branches->negated);
    hint_add(hints, branches->when);
    hint_add(hints, branches->then);
    hint_add(hints, branches->otherwise);
    const struct schema_list *const lists[] = { &branches->all, &branches->any,
                                                &branches->one };
    for (size_t i = 0; i < 3; i++)
        for (uint32_t j = 0; j < lists[i]->count; j++)
            hint_add(hints, lists[i]->items[j]);
}

static void push(struct making *making, struct value value)
{
    struct samples *samples = making->samples;

    making->cover->tries--;
    if (samples->count < making->limit && making->cover->tries > 0)
        samples->values[samples->count++] = value;
}

/* ---- numbers and texts ------------------------------------------------------------------- */

static void around_push(struct making *making, const struct bound *bound)
{
    struct value value = bound->value;

    if (!bound->is_set)
        return;
    push(making, value);
    for (int step = -1; step <= 1; step += 2) {
        struct value next = value;
        if (value.kind == VALUE_INT && value.integer > INT64_MIN / 2 &&
            value.integer < INT64_MAX / 2)
            next.integer += step;
        else if (value.kind == VALUE_DOUBLE)
            next.number += step * 0.5;
        push(making, next);
        if (value.kind == VALUE_INT)
            push(making, value_double((double)value.integer + step * 0.5));
    }
}

static void numbers_push(struct making *making)
{
    static const int64_t whole[] = { 1, 0, 2, -1, 10, 1000000, INT64_C(1) << 53 };

    for (uint32_t i = 0; i < making->hints->count; i++) {
        const struct number_rules *rules = making->hints->all[i]->number;
        if (rules == NULL)
            continue;
        around_push(making, &rules->minimum);
        around_push(making, &rules->above);
        around_push(making, &rules->maximum);
        around_push(making, &rules->below);
        around_push(making, &rules->multiple);
        if (rules->multiple.is_set && rules->multiple.value.kind == VALUE_INT)
            for (int64_t times = 2; times < 8; times++)
                push(making, value_int(rules->multiple.value.integer % 1000000 * times));
    }
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        push(making, value_int(whole[i]));
    push(making, value_double(0.5));
    push(making, value_double(-1.25));
}

static void text_push(struct making *making, char letter, uint64_t length)
{
    if (length > LONGEST_TEXT)
        return;
    char *text = arena_alloc(&making->cover->scratch, length + 1);
    memset(text, letter, length);
    push(making, value_string((struct slice){ text, length }));
}

static void pattern_push(struct making *making, const struct pattern *pattern, uint32_t stretch)
{
    struct slice text;

    for (uint32_t choice = 0; choice < 3; choice++)
        if (pattern_sample(&making->cover->scratch, pattern_text(pattern), stretch, choice,
                           &text))
            push(making, value_string(text));
}

static void lengths_push(struct making *making, const struct string_rules *rules)
{
    const uint64_t lengths[] = { rules->min_length, rules->min_length - 1, rules->max_length,
                                 rules->max_length + 1 };

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        if (lengths[i] > LONGEST_TEXT)
            continue;
        text_push(making, 'a', lengths[i]);
        text_push(making, '1', lengths[i]);
        for (uint32_t j = 0; j < making->hints->count; j++) {
            const struct string_rules *other = making->hints->all[j]->string;
            if (other != NULL && other->pattern != NULL)
                pattern_push(making, other->pattern, (uint32_t)lengths[i]);
        }
    }
}

static void texts_push(struct making *making)
{
    static const char *const plain[] = { "a", "", "?", "1", "A", "x y", "-" };

    for (uint32_t i = 0; i < making->hints->count; i++) {
        const struct string_rules *rules = making->hints->all[i]->string;
        if (rules == NULL)
            continue;
        if (rules->pattern != NULL)
            pattern_push(making, rules->pattern, 1);
        if (rules->format != NULL && format_sample(rules->format->name) != NULL)
            push(making, value_text(format_sample(rules->format->name)));
        lengths_push(making, rules);
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        push(making, value_text(plain[i]));
}

/* ---- lists ------------------------------------------------------------------------------- */

static uint32_t pool_fill(struct making *making, const struct facts *facts,
                          const struct schema *near, struct value pool[POOL_MAX])
{
    struct samples *samples = ARENA_NEW(&making->cover->scratch, struct samples);
    uint32_t count = 0;

    samples_make(making->cover, facts, near, making->depth - 1, samples);
    for (uint32_t i = 0; i < samples->count && count < POOL_MAX; i++)
        if (facts_accept(making->cover, facts, &samples->values[i]) == ACCEPT_YES)
            pool[count++] = samples->values[i];
    return count;
}

static void list_push(struct making *making, uint64_t length, uint32_t shift)
{
    struct cover *cover = making->cover;
    uint32_t prefix = facts_prefix(making->facts), count = 0;
    struct value list = value_list(), pool[POOL_MAX];

    if (length > LONGEST_LIST || cover->tries <= 0)
        return;
    for (uint32_t i = 0; i < length; i++) {
        if (i <= prefix)
            count = pool_fill(making, facts_of_item(cover, making->facts, i), NULL, pool);
        if (count == 0)
            return;
        value_add(&cover->scratch, &list, pool[shift == 0 ? 0 : i * shift % count]);
    }
    push(making, list);
}

/* One item that is looked for, and others beside it. */
static void contained_push(struct making *making, const struct schema *contains)
{
    struct cover *cover = making->cover;
    const struct facts *item =
        facts_with(cover, facts_of_item(cover, making->facts, 0), contains);
    struct value list = value_list(), value;

    if (contains == NULL || !sample_first(cover, item, making->depth - 1, &value))
        return;
    for (int i = 0; i < 3; i++) {
        value_add(&cover->scratch, &list, value);
        push(making, value_copy(&cover->scratch, &list));
    }
}

static void lists_push(struct making *making)
{
    push(making, value_list());
    if (making->depth == 0)
        return;
    for (uint32_t i = 0; i < making->hints->count; i++) {
        const struct list_rules *rules = making->hints->all[i]->list;
        if (rules == NULL)
            continue;
        const uint64_t lengths[] = { rules->min_items, rules->min_items - 1, rules->max_items,
                                     rules->max_items + 1, rules->prefix.count };
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
            list_push(making, lengths[j], 1);
            list_push(making, lengths[j], 0);
        }
        contained_push(making, rules->contains);
    }
    list_push(making, 1, 1);
    list_push(making, 2, 1);
    list_push(making, 2, 0);
}

/* ---- objects ----------------------------------------------------------------------------- */

static void name_add(struct slice names[NAMES_MAX], uint32_t *count, struct slice name)
{
    for (uint32_t i = 0; i < *count; i++)
        if (slice_equal(names[i], name))
            return;
    if (*count < NAMES_MAX)
        names[(*count)++] = name;
}

static uint32_t names_gather(const struct making *making, struct slice names[NAMES_MAX])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < making->hints->count; i++) {
        const struct map_rules *rules = making->hints->all[i]->map;
        for (uint32_t j = 0; rules != NULL && j < rules->property_count; j++)
            name_add(names, &count, rules->properties[j].name);
        for (uint32_t j = 0; rules != NULL && j < rules->dependent_count; j++)
            name_add(names, &count, rules->dependents[j].name);
    }
    return count;
}

static struct value map_with(struct making *making, const struct value *map, struct slice name,
                             struct value member)
{
    struct value more = value_map();

    for (uint32_t i = 0; i < map->count; i++)
        value_put_slice(&making->cover->scratch, &more, map->members[i].key,
                        map->members[i].value);
    value_put_slice(&making->cover->scratch, &more, name, member);
    return more;
}

static const struct schema *near_member(const struct making *making, struct slice name)
{
    for (uint32_t i = making->hints->count; i-- > 0;) {
        const struct map_rules *rules = making->hints->all[i]->map;
        const struct property *property = rules == NULL ? NULL : property_find(rules, name);
        if (property != NULL && property->schema != NULL)
            return property->schema;
    }
    return NULL;
}

/* The required ones. False: one of them has no value that was found. */
static bool base_make(struct making *making, const struct slice *names, uint32_t count,
                      struct value *base)
{
    struct cover *cover = making->cover;
    struct value member;

    *base = value_map();
    for (uint32_t i = 0; i < count; i++) {
        if (!facts_require(making->facts, names[i]))
            continue;
        if (!sample_first(cover, facts_of_member(cover, making->facts, names[i]),
                          making->depth - 1, &member))
            return false;
        value_put_slice(&cover->scratch, base, names[i], member);
    }
    return true;
}

/* As many members more as a rule about their number allows, and one too many. */
static void crowd_push(struct making *making, const struct value *base, uint64_t count)
{
    struct cover *cover = making->cover;
    struct value map = *base, member;

    if (count > LONGEST_LIST || map.count >= count)
        return;
    for (uint32_t i = 0; map.count < count; i++) {
        struct slice name = arena_format(&cover->scratch, NAME_INVENTED "%" PRIu32, i);
        if (!sample_first(cover, facts_of_member(cover, making->facts, name), 0, &member))
            return;
        map = map_with(making, &map, name, member);
    }
    push(making, map);
}

static void patterned_push(struct making *making, const struct value *base,
                           const struct map_rules *rules)
{
    struct cover *cover = making->cover;
    struct value member;
    struct slice name;

    for (uint32_t i = 0; i < rules->pattern_count && i < POOL_MAX; i++)
        if (pattern_sample(&cover->scratch, pattern_text(rules->patterns[i].pattern), 2, 0,
                           &name) &&
            sample_first(cover, facts_of_member(cover, making->facts, name), making->depth - 1,
                         &member))
            push(making, map_with(making, base, name, member));
    crowd_push(making, base, rules->min_members);
    crowd_push(making, base, rules->max_members);
    crowd_push(making, base, rules->max_members + 1);
}

/* The required ones and one more, and all; with a few values of each. */
static void variants_push(struct making *making, const struct value *base,
                          const struct slice *names, uint32_t count)
{
    struct value pool[POOL_MAX], full = *base;
    struct cover *cover = making->cover;

    for (uint32_t i = 0; i < count && cover->tries > 0; i++) {
        const struct facts *member = facts_of_member(cover, making->facts, names[i]);
        uint32_t found = pool_fill(making, member, near_member(making, names[i]), pool);
        for (uint32_t j = 0; j < found; j++)
            push(making, map_with(making, base, names[i], pool[j]));
        if (found > 0)
            full = map_with(making, &full, names[i], pool[0]);
    }
    push(making, full);
}

static void maps_push(struct making *making)
{
    struct slice names[NAMES_MAX];
    uint32_t count = names_gather(making, names);
    struct value base = value_map();

    if (making->depth == 0 || !base_make(making, names, count, &base)) {
        push(making, value_map());
        return;
    }
    push(making, base);
    crowd_push(making, &base, base.count + UINT64_C(1));
    for (uint32_t i = 0; i < making->hints->count; i++)
        if (making->hints->all[i]->map != NULL)
            patterned_push(making, &base, making->hints->all[i]->map);
    variants_push(making, &base, names, count);
}

/* ---- all --------------------------------------------------------------------------------- */

static void written_push(struct making *making)
{
    for (uint32_t i = 0; i < making->hints->count; i++) {
        const struct schema *schema = making->hints->all[i];
        if (schema->constant != NULL)
            push(making, *schema->constant);
        for (uint32_t j = 0; schema->enumeration != NULL && j < schema->enumeration->count; j++)
            push(making, schema->enumeration->written[j]);
        if (schema->standard != NULL)
            push(making, *schema->standard);
    }
}

static void case_make(struct making *making)
{
    uint32_t kinds = making->facts->kinds;

    written_push(making);
    if ((kinds & KIND_STRING) != 0)
        texts_push(making);
    if ((kinds & KIND_NUMBER) != 0)
        numbers_push(making);
    if ((kinds & KIND_BOOLEAN) != 0) {
        push(making, value_bool(true));
        push(making, value_bool(false));
    }
    if ((kinds & KIND_NULL) != 0)
        push(making, (struct value){ .kind = VALUE_NULL });
    if ((kinds & KIND_LIST) != 0)
        lists_push(making);
    if ((kinds & KIND_MAP) != 0)
        maps_push(making);
}

/* Each case gets its share of the room. */
static void cases_make(struct making *making, uint32_t splits)
{
    const struct facts *cases[CASES_MAX], *facts = making->facts;
    uint32_t count = splits == 0 ? 0 : facts_split(making->cover, facts, false, cases);
    uint32_t limit = making->limit;

    if (count == 0) {
        struct hints hints = { 0 };
        for (uint32_t i = 0; i < facts->held_count; i++)
            hint_add(&hints, facts->held[i]);
        hint_add(&hints, making->near);
        making->hints = &hints;
        case_make(making);
        making->hints = NULL;
        return;
    }
    for (uint32_t i = 0; i < count && making->cover->tries > 0; i++) {
        uint32_t left = limit - making->samples->count;
        making->facts = cases[i];
        making->limit = making->samples->count + left / (count - i);
        cases_make(making, splits - 1);
    }
    making->facts = facts;
    making->limit = limit;
}

void samples_make(struct cover *cover, const struct facts *facts, const struct schema *near,
                  uint32_t depth, struct samples *samples)
{
    enum { SPLITS_MAX = 6 };
    struct making making = {
        .cover = cover,
        .facts = facts,
        .near = near,
        .depth = depth,
        .samples = samples,
        .limit = SAMPLES_MAX,
    };

    samples->count = 0;
    if (cover->tries > 0)
        cases_make(&making, SPLITS_MAX);
}

bool sample_first(struct cover *cover, const struct facts *facts, uint32_t depth,
                  struct value *value)
{
    struct samples *samples = ARENA_NEW(&cover->scratch, struct samples);

    samples_make(cover, facts, NULL, depth, samples);
    for (uint32_t i = 0; i < samples->count; i++)
        if (facts_accept(cover, facts, &samples->values[i]) == ACCEPT_YES) {
            *value = samples->values[i];
            return true;
        }
    return false;
}
