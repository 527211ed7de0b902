/*
 * Unions: oneOf, anyOf, and several types at once.
 *
 *   branches ─▶ null apart ─▶ one left: that · only texts: an enum · one scalar for all: that
 *            ─▶ told apart by their types, objects by a member that is another text in each
 *            ─▶ nothing tells them apart: a value
 */
#include "cli/header/header_parts.h"

struct branch {
    const struct schema *schema; /* NULL: one of several types */
    struct sketch sketch;
    uint32_t types; /* without null; 0: anything */
    const struct slice *told_by;
    uint32_t told_count;
};

struct branch_list {
    struct branch *items;
    uint32_t count;
    bool is_nullable;
};

/* ---- branches ---------------------------------------------------------------------------- */

static uint32_t constant_types(const struct value *value)
{
    return type_of(value) & (value->kind == VALUE_INT ? ~(uint32_t)TYPE_NUMBER : UINT32_MAX);
}

static uint32_t branch_types(const struct sketch *sketch, const struct sketch *parent)
{
    uint32_t types = types_narrow(parent->types, sketch->types);

    if (sketch->constant != NULL)
        return constant_types(sketch->constant);
    if (sketch->enumeration != NULL)
        return sketch->enumeration->types;
    return types == 0 ? types_guess(sketch) : types;
}

/* What the parent demands of every branch. */
static void demands_add(struct arena *arena, struct sketch *sketch, const struct sketch *parent)
{
    for (uint32_t i = 0; i < parent->member_count; i++)
        if (parent->members[i].is_required)
            sketch_member(arena, sketch, parent->members[i].name)->is_required = true;
}

static void branch_add(struct headers *headers, struct branch_list *list,
                       const struct schema *schema, const struct sketch *parent)
{
    struct branch *branch = &list->items[list->count];

    sketch_collect(headers->arena, &branch->sketch, schema_behind(schema));
    if (branch->sketch.is_never)
        return;
    branch->schema = schema;
    branch->types = branch_types(&branch->sketch, parent);
    list->is_nullable |= (branch->types & TYPE_NULL) != 0;
    if (branch->types == TYPE_NULL)
        return;
    branch->types &= ~(uint32_t)TYPE_NULL;
    demands_add(headers->arena, &branch->sketch, parent);
    list->count++;
}

/* Each of several types is a branch with all the rest that is said. */
static void types_add(struct branch_list *list, const struct sketch *sketch, uint32_t types)
{
    list->is_nullable = (types & TYPE_NULL) != 0;
    if ((types & TYPE_NUMBER) != 0)
        types &= ~(uint32_t)TYPE_INTEGER;
    for (uint32_t bit = TYPE_BOOLEAN; bit <= TYPE_OBJECT; bit <<= 1)
        if ((types & bit) != 0) {
            struct branch *branch = &list->items[list->count++];
            branch->sketch = *sketch;
            branch->sketch.types = branch->types = bit;
            branch->sketch.choices = NULL;
            branch->sketch.slot = NULL;
        }
}

/* ---- branches that are one plain type together --------------------------------------------
 */

static uint32_t label_add(struct label *labels, uint32_t count, struct slice text,
                          const struct schema *schema)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(labels[i].text, text))
            return count;
    labels[count] = (struct label){ .text = text, .schema = schema };
    return count + 1;
}

static uint32_t texts_of(const struct sketch *sketch, const struct value **texts)
{
    if (sketch->constant != NULL) {
        *texts = sketch->constant;
        return 1;
    }
    *texts = sketch->enumeration == NULL ? NULL : sketch->enumeration->written;
    return sketch->enumeration == NULL ? 0 : sketch->enumeration->count;
}

/* All branches are a text or a list of texts: their number, or 0. */
static uint32_t labels_count(const struct branch_list *list)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *texts;
        uint32_t count = texts_of(&list->items[i].sketch, &texts);
        if (list->items[i].types != TYPE_STRING || count == 0)
            return 0;
        for (uint32_t k = 0; k < count; k++)
            if (texts[k].kind == VALUE_STRING && !text_is_plain(texts[k].bytes))
                return 0;
        total += count;
        if (total > LABELS_MAX)
            return 0;
    }
    return total;
}

static struct type type_of_labels(struct headers *headers, struct sketch *sketch,
                                  const struct branch_list *list, uint32_t most,
                                  struct slice hint)
{
    struct label *labels = ARENA_ARRAY(headers->arena, struct label, most);
    uint32_t count = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *texts;
        uint32_t texts_count = texts_of(&list->items[i].sketch, &texts);
        bool is_alone = texts_count == 1;
        for (uint32_t k = 0; k < texts_count; k++)
            if (texts[k].kind == VALUE_STRING)
                count = label_add(labels, count, texts[k].bytes,
                                  is_alone ? list->items[i].sketch.schema : NULL);
    }
    return type_enum(headers, sketch, labels, count, list->is_nullable, hint);
}

/* The type that is good for all of them; 0: none is. */
static uint32_t common_scalar(const struct branch_list *list)
{
    uint32_t types = 0, numbers = TYPE_INTEGER | TYPE_NUMBER;

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].types == 0)
            return 0;
        types |= list->items[i].types;
    }
    if (types == TYPE_BOOLEAN || types == TYPE_STRING || types == TYPE_INTEGER)
        return types;
    return (types & ~numbers) == 0 ? TYPE_NUMBER : 0;
}

/* ---- telling objects apart ----------------------------------------------------------------
 */

static uint32_t teller_texts(struct headers *headers, const struct sketch *sketch,
                             struct slice name, const struct slice **told_by)
{
    const struct value *texts = NULL;
    uint32_t count = 0;

    for (uint32_t i = 0; i < sketch->member_count; i++) {
        const struct member_sketch *member = &sketch->members[i];
        if (!slice_equal(member->name, name) || member->schemas == NULL || !member->is_required)
            continue;
        const struct schema *schema = schema_behind(member->schemas->schema);
        struct sketch said = { .constant = schema->constant,
                               .enumeration = schema->enumeration };
        count = texts_of(&said, &texts);
    }
    struct slice *copy = ARENA_ARRAY(headers->arena, struct slice, count);
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i].kind != VALUE_STRING || !text_is_plain(texts[i].bytes))
            return 0;
        copy[i] = texts[i].bytes;
    }
    *told_by = copy;
    return count;
}

static bool is_told_once(const struct branch_list *list, uint32_t index)
{
    const struct branch *branch = &list->items[index];

    for (uint32_t i = 0; i < index; i++)
        for (uint32_t a = 0; a < list->items[i].told_count; a++)
            for (uint32_t b = 0; b < branch->told_count; b++)
                if (slice_equal(list->items[i].told_by[a], branch->told_by[b]))
                    return false;
    return true;
}

static bool is_teller(struct headers *headers, struct branch_list *list, struct slice name)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < list->count; i++)
        list->items[i].told_count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        struct branch *branch = &list->items[i];
        if ((branch->types & TYPE_OBJECT) == 0)
            continue;
        branch->told_count = teller_texts(headers, &branch->sketch, name, &branch->told_by);
        total += branch->told_count;
        if (branch->told_count == 0 || total > LABELS_MAX || !is_told_once(list, i))
            return false;
    }
    return true;
}

/* Which member is another text in each of the objects? */
static bool teller_find(struct headers *headers, struct branch_list *list, struct slice *teller)
{
    const struct branch *first = NULL;

    for (uint32_t i = 0; first == NULL && i < list->count; i++)
        if ((list->items[i].types & TYPE_OBJECT) != 0)
            first = &list->items[i];
    for (uint32_t i = 0; i < first->sketch.member_count && i < LABELS_MAX; i++) {
        *teller = first->sketch.members[i].name;
        if (text_is_plain(*teller) && is_teller(headers, list, *teller))
            return true;
    }
    return false;
}

/* `objects`: how many of them are told apart by a member. */
static bool types_tell(const struct branch_list *list, uint32_t *objects)
{
    uint32_t seen = 0;

    *objects = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t types = list->items[i].types;
        if ((types & TYPE_NUMBER) != 0 || (types & TYPE_INTEGER) != 0)
            types |= TYPE_NUMBER | TYPE_INTEGER;
        if (types == 0 || (types & seen & ~(uint32_t)TYPE_OBJECT) != 0)
            return false;
        seen |= types;
        *objects += (types & TYPE_OBJECT) != 0;
        if (types != TYPE_OBJECT && (types & TYPE_OBJECT) != 0)
            return false;
    }
    return true;
}

/* ---- the union --------------------------------------------------------------------------- */

static struct slice case_word(struct headers *headers, const struct branch *branch)
{
    struct slice name = { 0 };

    if (branch->told_count == 1)
        return branch->told_by[0];
    if (branch->schema != NULL)
        name = schema_name(headers, schema_behind(branch->schema));
    if (name.size > 0)
        return name;
    switch (branch->types) {
    case TYPE_BOOLEAN:
        return SLICE("boolean");
    case TYPE_INTEGER:
        return SLICE("integer");
    case TYPE_NUMBER:
    case TYPE_NUMBER | TYPE_INTEGER:
        return SLICE("number");
    case TYPE_STRING:
        return SLICE("text");
    case TYPE_ARRAY:
        return SLICE("list");
    case TYPE_OBJECT:
        return SLICE("map");
    default:
        return SLICE("other");
    }
}

static struct type case_type(struct headers *headers, struct branch *branch,
                             const struct sketch *parent, struct slice hint)
{
    bool has_demands = false;

    if (branch->schema == NULL)
        return type_of_types(headers, &branch->sketch, branch->types, hint);
    for (uint32_t i = 0; i < parent->member_count; i++)
        has_demands |= parent->members[i].is_required;
    if (!has_demands && branch->sketch.types != 0)
        return type_of_schema(headers, branch->schema, hint);
    branch->sketch.types = branch->types; /* what the parent says is not in the branch */
    return type_of_sketch(headers, &branch->sketch, hint);
}

static struct type type_union(struct headers *headers, struct sketch *sketch,
                              struct branch_list *list, struct slice teller, struct slice hint)
{
    struct shape *shape = shape_new(headers, SHAPE_UNION, sketch, hint);
    struct slice upper = name_upper(headers->arena, shape->name);
    size_t largest = 0;
    struct words names;

    words_init(&names, headers->arena);
    shape->teller = teller;
    shape->kinds =
        words_take(&headers->types, name_join(headers->arena, shape->name, SLICE("kind")));
    shape->unset = words_take(&headers->tags, name_join(headers->arena, upper, SLICE("UNSET")));
    shape->fields = ARENA_ARRAY(headers->arena, struct field, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        struct branch *branch = &list->items[i];
        struct field *field = &shape->fields[shape->field_count++];
        struct slice word = case_word(headers, branch);
        field->name = words_take(&names, name_clean(headers->arena, word, true));
        field->tag = words_take(
            &headers->tags,
            name_join(headers->arena, upper,
                      name_upper(headers->arena, name_clean(headers->arena, word, false))));
        field->schema = branch->schema;
        field->types = branch->types;
        field->told_by = branch->told_by;
        field->told_count = branch->told_count;
        field->type =
            case_type(headers, branch, sketch, hint_below(headers, shape->name, word));
        field->type = type_within(headers, field->type, 0);
        field->is_required = true;
        if (field->type.shape->size_bytes > largest)
            largest = field->type.shape->size_bytes;
    }
    shape->size_bytes += largest;
    shape_finish(headers, shape);
    return (struct type){ shape, list->is_nullable };
}

static struct type branches_type(struct headers *headers, struct sketch *sketch,
                                 struct branch_list *list, struct slice hint)
{
    uint32_t labels = labels_count(list), objects;
    struct slice teller = { 0 };

    if (labels > 0)
        return type_of_labels(headers, sketch, list, labels, hint);
    if (common_scalar(list) != 0) {
        struct type type = type_of_types(headers, sketch, common_scalar(list), hint);
        type.is_nullable = list->is_nullable;
        return type;
    }
    if (!types_tell(list, &objects) || (objects > 1 && !teller_find(headers, list, &teller)))
        return type_plain(headers, SHAPE_VALUE, list->is_nullable);
    return type_union(headers, sketch, list, teller, hint);
}

struct type type_of_choice(struct headers *headers, struct sketch *sketch, struct slice hint)
{
    struct branch_list list = { 0 };
    uint32_t count = sketch->choices == NULL ? 8 : sketch->choices->branches->count;

    if (count > CASES_MAX || (sketch->choices != NULL && sketch->choices->next != NULL))
        return type_plain(headers, SHAPE_VALUE, false);
    list.items = ARENA_ARRAY(headers->arena, struct branch, count);
    if (sketch->choices == NULL)
        types_add(&list, sketch, sketch->types);
    for (uint32_t i = 0; sketch->choices != NULL && i < count; i++)
        branch_add(headers, &list, sketch->choices->branches->items[i], sketch);
    if (list.count == 1 && list.items[0].schema != NULL) {
        struct type type = case_type(headers, &list.items[0], sketch, hint);
        type.is_nullable |= list.is_nullable;
        return type;
    }
    if (list.count == 0)
        return type_plain(headers, SHAPE_VALUE, list.is_nullable);
    return branches_type(headers, sketch, &list, hint);
}
