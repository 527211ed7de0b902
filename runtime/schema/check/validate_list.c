/* Arrays. */
#include "base/table.h"
#include "schema/check/validate.h"

#include <inttypes.h>

static bool size_check(const struct visit *visit)
{
    const struct list_rules *rules = visit->schema->list;
    uint32_t count = visit->spot->value->count;

    if (count < rules->min_items)
        return EXPECTED(visit, MIN_ITEMS, "at least %" PRIu64 " item%s", rules->min_items,
                        rules->min_items == 1 ? "" : "s");
    if (count > rules->max_items)
        return EXPECTED(visit, MAX_ITEMS, "at most %" PRIu64 " item%s", rules->max_items,
                        rules->max_items == 1 ? "" : "s");
    return true;
}

/* ---- uniqueItems ------------------------------------------------------------------------- */

static bool twins_report(const struct visit *visit, uint32_t first, uint32_t second)
{
    return EXPECTED_NOT(visit, UNIQUE_ITEMS,
                        arena_format(visit->check->arena,
                                     "items %" PRIu32 " and %" PRIu32 " that are equal", first,
                                     second),
                        "items that all differ");
}

/* Few items are compared with each other. */
static bool few_are_unique(const struct visit *visit)
{
    const struct value *list = visit->spot->value;

    for (uint32_t i = 1; i < list->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (value_same(&list->items[i], &list->items[j], &visit->check->steps))
                return twins_report(visit, j, i);
    return true;
}

/* Chains of items with one hash, newest first; entries hold the item's number from 1. */
struct twin {
    uint32_t number;
    struct twin *next;
};

static bool many_are_unique(const struct visit *visit, struct arena *scratch)
{
    const struct value *list = visit->spot->value;
    struct twin *twins = ARENA_ARRAY(scratch, struct twin, list->count);
    struct check *check = visit->check;
    struct table table;

    table_init(&table, scratch);
    for (uint32_t i = 0; i < list->count && check_spend(check, 1); i++) {
        uint64_t hash = value_hash(&list->items[i], &check->steps);
        struct twin *same = table_find(&table, hash);
        twins[i] = (struct twin){ i, same };
        table_set(&table, hash, &twins[i]);
        for (; same != NULL && check->steps >= 0; same = same->next)
            if (value_same(&list->items[i], &list->items[same->number], &check->steps))
                return twins_report(visit, same->number, i);
    }
    return !check->is_over;
}

static bool unique_check(const struct visit *visit)
{
    enum { FEW = 8 };
    struct arena scratch = { 0 };

    if (!visit->schema->list->is_unique)
        return true;
    if (visit->spot->value->count <= FEW)
        return few_are_unique(visit);
    bool fine = many_are_unique(visit, &scratch);
    arena_finish(&scratch);
    return fine;
}

/* ---- items ------------------------------------------------------------------------------- */

static bool items_check(const struct visit *visit)
{
    const struct list_rules *rules = visit->schema->list;
    const struct value *list = visit->spot->value;
    bool fine = true;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct schema *schema =
            i < rules->prefix.count ? rules->prefix.items[i] : rules->items;
        struct spot spot = { .up = visit->spot, .value = &list->items[i], .index = i };
        if (schema == NULL)
            break;
        if (visit->seen != NULL)
            seen_add(visit->seen, i);
        if (!check_goes_on(visit->check, &fine,
                           schema_visit(visit->check, schema, &spot, visit->scope, NULL)))
            return false;
    }
    return fine;
}

/* Items may be secret where the array is not. */
static struct slice contained_describe(const struct visit *visit)
{
    const struct schema *contains = visit->schema->list->contains;
    const struct value *list = visit->spot->value;
    struct spot spot = { .up = visit->spot, .value = list };
    struct visit item = *visit;

    item.spot = &spot;
    for (uint32_t i = 0; i < list->count; i++) {
        spot.value = &list->items[i];
        if (visit_hides(&item))
            break;
    }
    return schema_describe(&item, contains);
}

static bool contains_check(const struct visit *visit)
{
    const struct list_rules *rules = visit->schema->list;
    const struct value *list = visit->spot->value;
    struct arena *arena = visit->check->arena;
    uint64_t count = 0;

    if (rules->contains == NULL)
        return true;
    for (uint32_t i = 0; i < list->count; i++) {
        struct spot spot = { .up = visit->spot, .value = &list->items[i], .index = i };
        if (!schema_try(visit->check, rules->contains, &spot, visit->scope, NULL))
            continue;
        count++;
        if (visit->seen != NULL)
            seen_add(visit->seen, i);
        else if (count >= rules->min_contains && rules->max_contains == LIMIT_NONE)
            return true;
    }
    if (count < rules->min_contains)
        return EXPECTED_NOT(visit, CONTAINS, arena_format(arena, "%" PRIu64, count),
                            "at least %" PRIu64 " item%s that %s %.*s", rules->min_contains,
                            rules->min_contains == 1 ? "" : "s",
                            rules->min_contains == 1 ? "is" : "are",
                            SLICE_ARG(contained_describe(visit)));
    if (count > rules->max_contains)
        return EXPECTED_NOT(visit, MAX_CONTAINS, arena_format(arena, "%" PRIu64, count),
                            "at most %" PRIu64 " item%s that %s %.*s", rules->max_contains,
                            rules->max_contains == 1 ? "" : "s",
                            rules->max_contains == 1 ? "is" : "are",
                            SLICE_ARG(contained_describe(visit)));
    return true;
}

bool list_visit(const struct visit *visit)
{
    struct check *check = visit->check;
    bool fine = true;

    if (!check_goes_on(check, &fine, size_check(visit)) ||
        !check_goes_on(check, &fine, items_check(visit)) ||
        !check_goes_on(check, &fine, unique_check(visit)))
        return false;
    (void)check_goes_on(check, &fine, contains_check(visit)); /* the last */
    return fine;
}
