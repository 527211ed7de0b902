/*
 * Changes: two schemas side by side, keyword by keyword and down into their parts. What is said
 * here is what was written otherwise; whether it breaks anybody is another question.
 */
#include "cli/schema_diff/schema_diff.h"
#include "codec/json.h"
#include "schema/document/number.h"
#include "schema/format/format.h"
#include "schema/prove/covers.h"

#include <inttypes.h>

enum { CHANGES_MAX = 300, WALK_MAX_DEPTH = 60, WALK_MAX_STEPS = 20000, SHOWN_BYTES = 60 };

#define SECRET_TEXT "[secret]"

struct walk {
    struct arena *arena;
    struct cover cover; /* for schema_same alone */
    struct changes *changes;
    struct table pairs;
    uint32_t depth, steps;
};

struct both {
    const struct schema *before, *after;
    struct slice pointer;
};

static void walk_both(struct walk *walk, const struct schema *before,
                      const struct schema *after, struct slice pointer);

/* ---- saying it --------------------------------------------------------------------------- */

static struct slice mark_place(struct arena *arena, const struct schema *schema,
                               enum keyword keyword)
{
    return place_of(arena, schema, SLICE(""), keyword_text(keyword));
}

static struct change *change_add(struct walk *walk, const struct both *both,
                                 enum keyword keyword, struct slice text)
{
    struct changes *changes = walk->changes;

    if (changes->count >= CHANGES_MAX) {
        changes->is_cut = true;
        return changes->last;
    }
    struct change *change = ARENA_NEW(walk->arena, struct change);
    change->pointer = both->pointer;
    change->text = text;
    change->keyword = keyword;
    change->old_schema = both->before;
    change->new_schema = both->after;
    change->before = mark_place(walk->arena, both->before, keyword);
    change->after = mark_place(walk->arena, both->after, keyword);
    if (changes->last == NULL)
        changes->first = change;
    else
        changes->last->next = change;
    changes->last = change;
    changes->count++;
    return change;
}

static struct slice value_shown(struct walk *walk, const struct both *both,
                                const struct value *value)
{
    struct arena *arena = walk->arena;
    struct buffer out = { 0 };

    if (both->before->is_secret || both->after->is_secret)
        return SLICE(SECRET_TEXT);
    json_write_short(&out, value, SHOWN_BYTES);
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

/* "minimum 1 -> 5", "minimum 5 added", "minimum 1 removed" */
static void texts_compare(struct walk *walk, const struct both *both, enum keyword keyword,
                          struct slice before, struct slice after)
{
    struct slice word = keyword_text(keyword);
    struct arena *arena = walk->arena;

    if (slice_equal(before, after) && !slice_is(before, SECRET_TEXT))
        return;
    (void)change_add(
        walk, both, keyword,
        before.size == 0
            ? arena_format(arena, "%.*s %.*s added", SLICE_ARG(word), SLICE_ARG(after))
        : after.size == 0
            ? arena_format(arena, "%.*s %.*s removed", SLICE_ARG(word), SLICE_ARG(before))
            : arena_format(arena, "%.*s %.*s -> %.*s", SLICE_ARG(word), SLICE_ARG(before),
                           SLICE_ARG(after)));
}

static void counts_compare(struct walk *walk, const struct both *both, enum keyword keyword,
                           uint64_t before, uint64_t after, uint64_t none)
{
    struct arena *arena = walk->arena;

    texts_compare(walk, both, keyword,
                  before == none ? SLICE("") : arena_format(arena, "%" PRIu64, before),
                  after == none ? SLICE("") : arena_format(arena, "%" PRIu64, after));
}

static void values_compare(struct walk *walk, const struct both *both, enum keyword keyword,
                           const struct value *before, const struct value *after)
{
    if ((before == NULL && after == NULL) ||
        (before != NULL && after != NULL && value_equal(before, after)))
        return;
    texts_compare(walk, both, keyword,
                  before == NULL ? SLICE("") : value_shown(walk, both, before),
                  after == NULL ? SLICE("") : value_shown(walk, both, after));
}

static void flags_compare(struct walk *walk, const struct both *both, enum keyword keyword,
                          bool before, bool after)
{
    texts_compare(walk, both, keyword, before ? SLICE("true") : SLICE(""),
                  after ? SLICE("true") : SLICE(""));
}

/* ---- values without parts ---------------------------------------------------------------- */

static void missing_add(struct walk *walk, const struct both *both,
                        const struct enumeration *from, const struct enumeration *to,
                        const char *what)
{
    int64_t steps = INT64_MAX;

    for (uint32_t i = 0; i < from->count; i++)
        if (!enumeration_has(to, &from->written[i], &steps))
            (void)change_add(walk, both, KEYWORD_ENUM,
                             arena_format(walk->arena, "enum: %.*s %s",
                                          SLICE_ARG(value_shown(walk, both, &from->written[i])),
                                          what));
}

static void enumerations_compare(struct walk *walk, const struct both *both)
{
    const struct enumeration *before = both->before->enumeration;
    const struct enumeration *after = both->after->enumeration;

    if (before != NULL && after != NULL) {
        missing_add(walk, both, before, after, "removed");
        missing_add(walk, both, after, before, "added");
    } else if (before != NULL || after != NULL) {
        (void)change_add(walk, both, KEYWORD_ENUM,
                         before == NULL ? SLICE("enum added") : SLICE("enum removed"));
    }
}

static const struct value *bound_value(const struct bound *bound)
{
    return bound->is_set ? &bound->value : NULL;
}

static void numbers_compare(struct walk *walk, const struct both *both)
{
    static const struct number_rules none = { 0 };
    const struct number_rules *a = both->before->number != NULL ? both->before->number : &none;
    const struct number_rules *b = both->after->number != NULL ? both->after->number : &none;

    values_compare(walk, both, KEYWORD_MINIMUM, bound_value(&a->minimum),
                   bound_value(&b->minimum));
    values_compare(walk, both, KEYWORD_MAXIMUM, bound_value(&a->maximum),
                   bound_value(&b->maximum));
    values_compare(walk, both, KEYWORD_EXCLUSIVE_MINIMUM, bound_value(&a->above),
                   bound_value(&b->above));
    values_compare(walk, both, KEYWORD_EXCLUSIVE_MAXIMUM, bound_value(&a->below),
                   bound_value(&b->below));
    values_compare(walk, both, KEYWORD_MULTIPLE_OF, bound_value(&a->multiple),
                   bound_value(&b->multiple));
}

static void strings_compare(struct walk *walk, const struct both *both)
{
    static const struct string_rules none = { .max_length = LIMIT_NONE };
    const struct string_rules *a = both->before->string != NULL ? both->before->string : &none;
    const struct string_rules *b = both->after->string != NULL ? both->after->string : &none;

    counts_compare(walk, both, KEYWORD_MIN_LENGTH, a->min_length, b->min_length, 0);
    counts_compare(walk, both, KEYWORD_MAX_LENGTH, a->max_length, b->max_length, LIMIT_NONE);
    texts_compare(walk, both, KEYWORD_PATTERN,
                  a->pattern == NULL ? SLICE("") : pattern_text(a->pattern),
                  b->pattern == NULL ? SLICE("") : pattern_text(b->pattern));
    texts_compare(walk, both, KEYWORD_FORMAT,
                  a->format == NULL ? SLICE("") : slice_of(a->format->name),
                  b->format == NULL ? SLICE("") : slice_of(b->format->name));
}

/* ---- lists ------------------------------------------------------------------------------- */

static struct slice pointer_below(struct walk *walk, struct slice pointer, struct slice key)
{
    struct buffer out = { 0 };

    buffer_slice(&out, pointer);
    json_pointer_add(&out, key);
    struct slice below = arena_copy(walk->arena, buffer_view(&out));
    buffer_finish(&out);
    return below;
}

static const struct schema *item_of(const struct list_rules *rules, uint32_t index)
{
    return index < rules->prefix.count ? rules->prefix.items[index] : rules->items;
}

static void lists_compare(struct walk *walk, const struct both *both)
{
    static const struct list_rules none = { .max_items = LIMIT_NONE,
                                            .max_contains = LIMIT_NONE,
                                            .min_contains = 1 };
    const struct list_rules *a = both->before->list != NULL ? both->before->list : &none;
    const struct list_rules *b = both->after->list != NULL ? both->after->list : &none;
    uint32_t count = a->prefix.count > b->prefix.count ? a->prefix.count : b->prefix.count;

    counts_compare(walk, both, KEYWORD_MIN_ITEMS, a->min_items, b->min_items, 0);
    counts_compare(walk, both, KEYWORD_MAX_ITEMS, a->max_items, b->max_items, LIMIT_NONE);
    flags_compare(walk, both, KEYWORD_UNIQUE_ITEMS, a->is_unique, b->is_unique);
    counts_compare(walk, both, KEYWORD_MIN_CONTAINS, a->min_contains, b->min_contains, 1);
    counts_compare(walk, both, KEYWORD_MAX_CONTAINS, a->max_contains, b->max_contains,
                   LIMIT_NONE);
    if (!schema_same(&walk->cover, a->contains, b->contains))
        (void)change_add(walk, both, KEYWORD_CONTAINS, SLICE("contains changed"));
    for (uint32_t i = 0; i < count; i++)
        walk_both(walk, item_of(a, i), item_of(b, i),
                  arena_format(walk->arena, "%.*s/%" PRIu32, SLICE_ARG(both->pointer), i));
    walk_both(walk, a->items, b->items, pointer_below(walk, both->pointer, SLICE("*")));
}

/* ---- objects ----------------------------------------------------------------------------- */

/* Never NULL: what does not fit any more goes into the last one. */
static void name_text(struct walk *walk, const struct both *both, enum keyword keyword,
                      struct slice name, const char *what)
{
    struct change *change = change_add(
        walk, both, keyword,
        arena_format(walk->arena, "%s %.*s", what, SLICE_ARG(text_quote(walk->arena, name))));

    change->name = name;
}

static void property_compare(struct walk *walk, const struct both *both,
                             const struct property *before, const struct property *after)
{
    struct slice name = before != NULL ? before->name : after->name;
    struct slice pointer = pointer_below(walk, both->pointer, name);
    const struct schema *a = before == NULL ? NULL : before->schema;
    const struct schema *b = after == NULL ? NULL : after->schema;
    bool was_required = before != NULL && before->is_required;
    bool is_required = after != NULL && after->is_required;

    if (a == NULL && b != NULL)
        name_text(walk, &(struct both){ both->before, b, both->pointer },
                  is_required ? KEYWORD_REQUIRED : KEYWORD_NONE, name,
                  is_required ? "new, required property" : "new property, may be left out:");
    else if (a != NULL && b == NULL)
        name_text(walk, &(struct both){ a, both->after, both->pointer }, KEYWORD_NONE, name,
                  "no longer a property:");
    else
        walk_both(walk, a, b, pointer);
    if (was_required && !is_required)
        name_text(walk, both, KEYWORD_REQUIRED, name, "no longer required:");
    if (!was_required && is_required && a != NULL)
        name_text(walk, both, KEYWORD_REQUIRED, name, "now required:");
    else if (!was_required && is_required && b == NULL)
        name_text(walk, both, KEYWORD_REQUIRED, name, "now required:");
}

static bool keyword_same(struct walk *walk, const struct map_rules *a,
                         const struct map_rules *b)
{
    for (uint32_t i = 0; i < a->pattern_count && a->pattern_count == b->pattern_count; i++)
        if (!slice_equal(pattern_text(a->patterns[i].pattern),
                         pattern_text(b->patterns[i].pattern)) ||
            !schema_same(&walk->cover, a->patterns[i].schema, b->patterns[i].schema))
            return false;
    return a->pattern_count == b->pattern_count;
}

static bool dependents_same(struct walk *walk, const struct map_rules *a,
                            const struct map_rules *b)
{
    for (uint32_t i = 0; i < a->dependent_count && a->dependent_count == b->dependent_count;
         i++) {
        const struct dependent *one = &a->dependents[i], *other = &b->dependents[i];
        if (!slice_equal(one->name, other->name) || one->need_count != other->need_count ||
            !schema_same(&walk->cover, one->schema, other->schema))
            return false;
        for (uint32_t j = 0; j < one->need_count; j++)
            if (!slice_equal(one->needs[j], other->needs[j]))
                return false;
    }
    return a->dependent_count == b->dependent_count;
}

static void additional_compare(struct walk *walk, const struct both *both,
                               const struct schema *before, const struct schema *after)
{
    bool was_closed = before != NULL && before->is_never;
    bool is_closed = after != NULL && after->is_never;

    if (was_closed != is_closed)
        (void)change_add(walk, both, KEYWORD_ADDITIONAL_PROPERTIES,
                         is_closed ? SLICE("other properties are refused now")
                                   : SLICE("other properties are accepted now"));
    else if (!was_closed)
        walk_both(walk, before, after, pointer_below(walk, both->pointer, SLICE("*")));
}

static void maps_compare(struct walk *walk, const struct both *both)
{
    static const struct map_rules none = { .max_members = LIMIT_NONE };
    const struct map_rules *a = both->before->map != NULL ? both->before->map : &none;
    const struct map_rules *b = both->after->map != NULL ? both->after->map : &none;

    for (uint32_t i = 0; i < a->property_count; i++)
        property_compare(walk, both, &a->properties[i],
                         property_find(b, a->properties[i].name));
    for (uint32_t i = 0; i < b->property_count; i++)
        if (property_find(a, b->properties[i].name) == NULL)
            property_compare(walk, both, NULL, &b->properties[i]);
    additional_compare(walk, both, a->additional, b->additional);
    counts_compare(walk, both, KEYWORD_MIN_PROPERTIES, a->min_members, b->min_members, 0);
    counts_compare(walk, both, KEYWORD_MAX_PROPERTIES, a->max_members, b->max_members,
                   LIMIT_NONE);
    if (!keyword_same(walk, a, b))
        (void)change_add(walk, both, KEYWORD_PATTERN_PROPERTIES,
                         SLICE("patternProperties changed"));
    if (!schema_same(&walk->cover, a->names, b->names))
        (void)change_add(walk, both, KEYWORD_PROPERTY_NAMES, SLICE("propertyNames changed"));
    if (!dependents_same(walk, a, b))
        (void)change_add(walk, both, KEYWORD_DEPENDENT_REQUIRED,
                         SLICE("what depends on other properties changed"));
}

/* ---- branches ---------------------------------------------------------------------------- */

static void lists_of_schemas(struct walk *walk, const struct both *both, enum keyword keyword,
                             const struct schema_list *before, const struct schema_list *after)
{
    if (before->count != after->count) {
        counts_compare(walk, both, keyword, before->count, after->count, 0);
        return;
    }
    for (uint32_t i = 0; i < before->count; i++)
        walk_both(walk, before->items[i], after->items[i], both->pointer);
}

static void branch_compare(struct walk *walk, const struct both *both, enum keyword keyword,
                           const struct schema *before, const struct schema *after)
{
    if (!schema_same(&walk->cover, before, after))
        (void)change_add(
            walk, both, keyword,
            arena_format(walk->arena, "%.*s changed", SLICE_ARG(keyword_text(keyword))));
}

static void branches_compare(struct walk *walk, const struct both *both)
{
    static const struct branches none = { 0 };
    const struct branches *a = both->before->branches != NULL ? both->before->branches : &none;
    const struct branches *b = both->after->branches != NULL ? both->after->branches : &none;

    walk_both(walk, a->reference, b->reference, both->pointer);
    branch_compare(walk, both, KEYWORD_DYNAMIC_REF, a->dynamic, b->dynamic);
    lists_of_schemas(walk, both, KEYWORD_ALL_OF, &a->all, &b->all);
    lists_of_schemas(walk, both, KEYWORD_ANY_OF, &a->any, &b->any);
    lists_of_schemas(walk, both, KEYWORD_ONE_OF, &a->one, &b->one);
    branch_compare(walk, both, KEYWORD_NOT, a->negated, b->negated);
    branch_compare(walk, both, KEYWORD_IF, a->when, b->when);
    branch_compare(walk, both, KEYWORD_THEN, a->then, b->then);
    branch_compare(walk, both, KEYWORD_ELSE, a->otherwise, b->otherwise);
    branch_compare(walk, both, KEYWORD_UNEVALUATED_ITEMS, a->unevaluated_items,
                   b->unevaluated_items);
    branch_compare(walk, both, KEYWORD_UNEVALUATED_PROPERTIES, a->unevaluated_members,
                   b->unevaluated_members);
}

/* ---- the walk ---------------------------------------------------------------------------- */

/* A schema that is nothing but a reference is what it refers to. */
static const struct schema *schema_resolve(const struct schema *schema)
{
    for (int i = 0; i < WALK_MAX_DEPTH && schema != NULL; i++) {
        const struct branches *branches = schema->branches;
        if (branches == NULL || branches->reference == NULL || schema->types != 0 ||
            schema->constant != NULL || schema->enumeration != NULL || schema->number != NULL ||
            schema->string != NULL || schema->list != NULL || schema->map != NULL ||
            schema->standard != NULL || schema->is_secret ||
            branches->all.count + branches->any.count + branches->one.count > 0)
            break;
        schema = branches->reference;
    }
    return schema;
}

static bool pair_is_new(struct walk *walk, const struct both *both)
{
    const struct schema *const key[2] = { both->before, both->after };
    uint64_t hash = table_hash((struct slice){ (const char *)key, sizeof key }, 1);

    if (table_has(&walk->pairs, hash))
        return false;
    table_set(&walk->pairs, hash, NULL);
    return true;
}

static void rules_compare(struct walk *walk, const struct both *both)
{
    const struct schema *a = both->before, *b = both->after;

    if (a->is_never != b->is_never)
        (void)change_add(walk, both, KEYWORD_NONE,
                         b->is_never ? SLICE("nothing is accepted any more")
                                     : SLICE("accepted now"));
    if (a->types != b->types)
        texts_compare(walk, both, KEYWORD_TYPE,
                      a->types == 0 ? SLICE("") : types_describe(walk->arena, a->types),
                      b->types == 0 ? SLICE("") : types_describe(walk->arena, b->types));
    values_compare(walk, both, KEYWORD_CONST, a->constant, b->constant);
    enumerations_compare(walk, both);
    numbers_compare(walk, both);
    strings_compare(walk, both);
    lists_compare(walk, both);
    maps_compare(walk, both);
    branches_compare(walk, both);
    values_compare(walk, both, KEYWORD_DEFAULT, a->standard, b->standard);
    flags_compare(walk, both, KEYWORD_SECRET, a->is_secret, b->is_secret);
}

static void walk_both(struct walk *walk, const struct schema *before,
                      const struct schema *after, struct slice pointer)
{
    struct both both = { schema_resolve(before), schema_resolve(after), pointer };

    if (both.before == NULL && both.after == NULL)
        return;
    if (both.before == NULL || both.after == NULL) {
        (void)change_add(walk, &both, KEYWORD_NONE,
                         both.after == NULL ? SLICE("nothing is asked any more")
                                            : SLICE("now has a schema"));
        return;
    }
    if (walk->depth >= WALK_MAX_DEPTH || walk->steps++ >= WALK_MAX_STEPS) {
        walk->changes->is_cut = true;
        return;
    }
    if (!pair_is_new(walk, &both))
        return;
    walk->depth++;
    rules_compare(walk, &both);
    walk->depth--;
}

void changes_find(struct arena *arena, const struct schema *before, const struct schema *after,
                  struct changes *changes)
{
    enum { SAME_STEPS = 1000000 };
    struct walk walk = { .arena = arena, .changes = changes, .cover = { .steps = SAME_STEPS } };

    *changes = (struct changes){ 0 };
    table_init(&walk.pairs, &walk.cover.scratch);
    walk_both(&walk, before, after, SLICE(""));
    arena_finish(&walk.cover.scratch);
}
