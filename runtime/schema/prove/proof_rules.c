/* Do facts imply a schema's own rules about numbers, texts and lists? */
#include "schema/document/number.h"
#include "schema/prove/covers.h"

/* ---- numbers ----------------------------------------------------------------------------- */

static bool low_fits(const struct extent *extent, const struct bound *bound, bool is_open)
{
    if (!bound->is_set)
        return true;
    if (!extent->low.is_set)
        return false;
    int order = number_compare(&extent->low.value, &bound->value);
    return order > 0 || (order == 0 && (!is_open || extent->is_low_open));
}

static bool high_fits(const struct extent *extent, const struct bound *bound, bool is_open)
{
    if (!bound->is_set)
        return true;
    if (!extent->high.is_set)
        return false;
    int order = number_compare(&extent->high.value, &bound->value);
    return order < 0 || (order == 0 && (!is_open || extent->is_high_open));
}

/* A multiple of 0.15 is one of 0.05. */
static bool multiple_fits(const struct facts *facts, const struct bound *bound)
{
    const struct value one = value_int(1);

    if (!bound->is_set)
        return true;
    if ((facts->kinds & KIND_FRACTION) == 0 && number_is_multiple(&one, &bound->value))
        return true;
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct number_rules *rules = facts->held[i]->number;
        if (rules != NULL && rules->multiple.is_set &&
            number_is_multiple(&rules->multiple.value, &bound->value))
            return true;
    }
    return false;
}

bool number_prove(const struct facts *facts, const struct schema *schema)
{
    const struct number_rules *rules = schema->number;
    struct extent extent = facts_extent(facts);

    if (rules == NULL)
        return true;
    return low_fits(&extent, &rules->minimum, false) &&
           low_fits(&extent, &rules->above, true) &&
           high_fits(&extent, &rules->maximum, false) &&
           high_fits(&extent, &rules->below, true) && multiple_fits(facts, &rules->multiple);
}

/* ---- texts ------------------------------------------------------------------------------- */

static bool pattern_holds(const struct facts *facts, const struct pattern *pattern)
{
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct string_rules *rules = facts->held[i]->string;
        if (rules != NULL && rules->pattern != NULL &&
            slice_equal(pattern_text(rules->pattern), pattern_text(pattern)))
            return true;
    }
    return false;
}

static bool format_holds(const struct facts *facts, const struct format *format)
{
    for (uint32_t i = 0; i < facts->held_count; i++)
        if (facts->held[i]->string != NULL && facts->held[i]->string->format == format)
            return true;
    return false;
}

bool string_prove(const struct facts *facts, const struct schema *schema)
{
    const struct string_rules *rules = schema->string;
    struct extent extent = facts_extent(facts);

    if (rules == NULL)
        return true;
    return extent.min_length >= rules->min_length && extent.max_length <= rules->max_length &&
           (rules->pattern == NULL || pattern_holds(facts, rules->pattern)) &&
           (rules->format == NULL || format_holds(facts, rules->format));
}

/* ---- lists ------------------------------------------------------------------------------- */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Each item of the beginnings, and one that stands for all others. */
static bool items_prove(struct cover *cover, const struct frame *frame,
                        const struct facts *facts, const struct schema_list *prefix,
                        const struct schema *items)
{
    uint64_t most = facts_extent(facts).max_items;
    uint32_t end = larger(facts_prefix(facts), prefix->count);
    bool fine = true;

    for (uint32_t i = 0; i <= end && i < most && (fine || cover->is_recording); i++) {
        const struct schema *schema = i < prefix->count ? prefix->items[i] : items;
        struct frame item = { .up = frame, .facts = facts, .index = i, .is_item = true };
        if (schema == NULL)
            break;
        /* No list is so long if there is no value for an item before. */
        const struct facts *known = facts_of_item(cover, facts, i);
        fine = part_prove(cover, &item, known, schema) && fine;
    }
    return fine;
}

static bool enough_contained(struct cover *cover, const struct facts *facts,
                             const struct list_rules *rules)
{
    const struct schema_list none = { 0 };

    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct list_rules *held = facts->held[i]->list;
        if (held != NULL && held->contains != NULL &&
            held->min_contains >= rules->min_contains &&
            part_prove(cover, NULL,
                       facts_with(cover, facts_none(cover, KIND_ALL), held->contains),
                       rules->contains))
            return true;
    }
    return facts_extent(facts).min_items >= rules->min_contains &&
           items_prove(cover, NULL, facts, &none, rules->contains);
}

static bool few_contained(struct cover *cover, const struct facts *facts,
                          const struct list_rules *rules)
{
    for (uint32_t i = 0; i < facts->held_count; i++) {
        const struct list_rules *held = facts->held[i]->list;
        if (held != NULL && held->contains != NULL &&
            held->max_contains <= rules->max_contains &&
            part_prove(cover, NULL,
                       facts_with(cover, facts_none(cover, KIND_ALL), rules->contains),
                       held->contains))
            return true;
    }
    return facts_extent(facts).max_items <= rules->max_contains;
}

static bool contains_prove(struct cover *cover, const struct facts *facts,
                           const struct list_rules *rules)
{
    if (rules->contains == NULL)
        return true;
    bool is_recording = cover_silence(cover);
    bool fine = (rules->min_contains == 0 || enough_contained(cover, facts, rules)) &&
                (rules->max_contains == LIMIT_NONE || few_contained(cover, facts, rules));
    cover->is_recording = is_recording;
    return fine;
}

bool list_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                const struct schema *schema)
{
    const struct list_rules *rules = schema->list;
    struct extent extent = facts_extent(facts);

    if (rules == NULL)
        return true;
    bool fine = extent.min_items >= rules->min_items && extent.max_items <= rules->max_items &&
                (!rules->is_unique || extent.is_unique || extent.max_items <= 1) &&
                contains_prove(cover, facts, rules);
    if (!fine && !cover->is_recording)
        return false;
    if (!fine)
        gap_find(cover, frame, facts, schema);
    return items_prove(cover, frame, facts, &rules->prefix, rules->items) && fine;
}
