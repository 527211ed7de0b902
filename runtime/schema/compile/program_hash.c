/*
 * What a schema file means, as a hash. The compiled program is written down in one way whatever
 * the layout of its file, and the bytes are hashed:
 *
 *   file ──roots──▶ queue ──one schema after the other──▶ bytes ──SHA-256──▶ hash
 *
 * A schema gets its number when somebody first refers to it, and is written once; what refers
 * to it holds the number. So names of $defs and files do not matter, and circles end. Sets are
 * sorted. What people read and nothing checks is not in the program, or left out here. A new
 * keyword that changes what is accepted must be written here, or old runs keep its hash.
 */
#include "schema/compile/program_hash.h"

#include "base/buffer.h"
#include "base/crypto.h"
#include "base/table.h"
#include "schema/document/number.h"
#include "schema/format/format.h"

#include <inttypes.h>
#include <stdlib.h>

struct hashing {
    struct arena scratch;
    struct buffer out;
    struct table numbers;        /* address of a schema or a resource → its number from 1 */
    const struct schema **queue; /* in the order of their numbers */
    uint32_t count, resource_count;
};

/* ---- words ------------------------------------------------------------------------------- */

/* Length first, so that no two lists of texts are written the same way. */
static void text_add(struct hashing *hashing, struct slice text)
{
    buffer_format(&hashing->out, "%zu:", text.size);
    buffer_slice(&hashing->out, text);
}

static void count_add(struct hashing *hashing, const char *name, uint64_t count)
{
    buffer_format(&hashing->out, "%s=%" PRIu64 ";", name, count);
}

static void number_add(struct hashing *hashing, const struct value *value)
{
    if (value->kind == VALUE_INT)
        buffer_format(&hashing->out, "%" PRId64, value->integer);
    else if (value->kind == VALUE_UINT)
        buffer_format(&hashing->out, "%" PRIu64, value->big);
    else if (number_is_integer(value) && value->number >= -0x1p63 && value->number < 0x1p63)
        buffer_format(&hashing->out, "%" PRId64, (int64_t)value->number); /* 1.0 is 1 */
    else if (number_is_integer(value) && value->number >= 0x1p63 && value->number < 0x1p64)
        buffer_format(&hashing->out, "%" PRIu64, (uint64_t)value->number);
    else
        buffer_format(&hashing->out, "%.17g", value->number);
    buffer_byte(&hashing->out, ';');
}

static int member_compare(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;

    return slice_compare((*x)->key, (*y)->key);
}

static void value_add_to(struct hashing *hashing, const struct value *value);

static void map_add(struct hashing *hashing, const struct value *map)
{
    const struct member **order =
        ARENA_ARRAY(&hashing->scratch, const struct member *, map->count + 1);

    for (uint32_t i = 0; i < map->count; i++)
        order[i] = &map->members[i];
    qsort(order, map->count, sizeof *order, member_compare);
    for (uint32_t i = 0; i < map->count; i++) {
        text_add(hashing, order[i]->key);
        value_add_to(hashing, &order[i]->value);
    }
}

/* As deep as a document may be. */
static void value_add_to(struct hashing *hashing, const struct value *value)
{
    if (number_is(value)) {
        buffer_text(&hashing->out, "n");
        number_add(hashing, value);
        return;
    }
    buffer_format(&hashing->out, "k%d,", (int)value->kind);
    if (value->kind == VALUE_BOOL)
        buffer_byte(&hashing->out, value->boolean ? '1' : '0');
    if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES)
        text_add(hashing, value->bytes);
    if (value->kind != VALUE_LIST && value->kind != VALUE_MAP)
        return;
    buffer_format(&hashing->out, "%" PRIu32 ",", value->count);
    if (value->kind == VALUE_MAP)
        map_add(hashing, value);
    for (uint32_t i = 0; value->kind == VALUE_LIST && i < value->count; i++)
        value_add_to(hashing, &value->items[i]);
}

static void named_value_add(struct hashing *hashing, const char *name,
                            const struct value *value)
{
    if (value == NULL)
        return;
    buffer_format(&hashing->out, "%s=", name);
    value_add_to(hashing, value);
}

static void schema_add(struct hashing *hashing, const char *name, const struct schema *schema)
{
    uint64_t address = (uint64_t)(uintptr_t)schema;

    if (schema == NULL)
        return;
    if (!table_has(&hashing->numbers, address)) {
        hashing->queue[hashing->count++] = schema;
        table_set(&hashing->numbers, address, (void *)(uintptr_t)hashing->count);
    }
    count_add(hashing, name, (uintptr_t)table_find(&hashing->numbers, address));
}

static void schemas_add(struct hashing *hashing, const char *name,
                        const struct schema_list *list)
{
    if (list->count > 0)
        count_add(hashing, name, list->count);
    for (uint32_t i = 0; i < list->count; i++)
        schema_add(hashing, "", list->items[i]);
}

/* ---- groups of rules --------------------------------------------------------------------- */

static void bound_add(struct hashing *hashing, const char *name, const struct bound *bound)
{
    if (bound->is_set)
        named_value_add(hashing, name, &bound->value);
}

static void numbers_add(struct hashing *hashing, const struct number_rules *rules)
{
    if (rules == NULL)
        return;
    bound_add(hashing, "minimum", &rules->minimum);
    bound_add(hashing, "maximum", &rules->maximum);
    bound_add(hashing, "above", &rules->above);
    bound_add(hashing, "below", &rules->below);
    bound_add(hashing, "multiple", &rules->multiple);
}

static void strings_add(struct hashing *hashing, const struct string_rules *rules)
{
    if (rules == NULL)
        return;
    count_add(hashing, "minLength", rules->min_length);
    count_add(hashing, "maxLength", rules->max_length);
    if (rules->pattern != NULL)
        text_add(hashing, pattern_text(rules->pattern));
    if (rules->format != NULL)
        text_add(hashing, slice_of(rules->format->name));
}

static void lists_add(struct hashing *hashing, const struct list_rules *rules)
{
    if (rules == NULL)
        return;
    count_add(hashing, "minItems", rules->min_items);
    count_add(hashing, "maxItems", rules->max_items);
    count_add(hashing, "unique", rules->is_unique);
    schemas_add(hashing, "prefix", &rules->prefix);
    schema_add(hashing, "items", rules->items);
    if (rules->contains == NULL)
        return;
    schema_add(hashing, "contains", rules->contains);
    count_add(hashing, "minContains", rules->min_contains);
    count_add(hashing, "maxContains", rules->max_contains);
}

static int property_compare(const void *a, const void *b)
{
    const struct property *const *x = a, *const *y = b;

    return slice_compare((*x)->name, (*y)->name);
}

static void properties_add(struct hashing *hashing, const struct map_rules *rules)
{
    const struct property **order =
        ARENA_ARRAY(&hashing->scratch, const struct property *, rules->property_count + 1);

    for (uint32_t i = 0; i < rules->property_count; i++)
        order[i] = &rules->properties[i];
    qsort(order, rules->property_count, sizeof *order, property_compare);
    for (uint32_t i = 0; i < rules->property_count; i++) {
        text_add(hashing, order[i]->name);
        count_add(hashing, "required", order[i]->is_required);
        schema_add(hashing, "schema", order[i]->schema);
    }
}

static int pattern_compare(const void *a, const void *b)
{
    const struct pattern_property *const *x = a, *const *y = b;

    return slice_compare(pattern_text((*x)->pattern), pattern_text((*y)->pattern));
}

static void patterns_add(struct hashing *hashing, const struct map_rules *rules)
{
    const struct pattern_property **order = ARENA_ARRAY(
        &hashing->scratch, const struct pattern_property *, rules->pattern_count + 1);

    for (uint32_t i = 0; i < rules->pattern_count; i++)
        order[i] = &rules->patterns[i];
    qsort(order, rules->pattern_count, sizeof *order, pattern_compare);
    for (uint32_t i = 0; i < rules->pattern_count; i++) {
        text_add(hashing, pattern_text(order[i]->pattern));
        schema_add(hashing, "pattern", order[i]->schema);
    }
}

/* One name may stand in dependentRequired and in dependentSchemas. */
static int dependent_compare(const void *a, const void *b)
{
    const struct dependent *const *x = a, *const *y = b;
    int order = slice_compare((*x)->name, (*y)->name);

    return order != 0 ? order : ((*x)->schema != NULL) - ((*y)->schema != NULL);
}

static int slices_compare(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static void needs_add(struct hashing *hashing, const struct dependent *dependent)
{
    struct slice *order =
        ARENA_ARRAY(&hashing->scratch, struct slice, dependent->need_count + 1);

    for (uint32_t i = 0; i < dependent->need_count; i++)
        order[i] = dependent->needs[i];
    qsort(order, dependent->need_count, sizeof *order, slices_compare);
    count_add(hashing, "needs", dependent->need_count);
    for (uint32_t i = 0; i < dependent->need_count; i++)
        text_add(hashing, order[i]);
}

static void dependents_add(struct hashing *hashing, const struct map_rules *rules)
{
    const struct dependent **order =
        ARENA_ARRAY(&hashing->scratch, const struct dependent *, rules->dependent_count + 1);

    for (uint32_t i = 0; i < rules->dependent_count; i++)
        order[i] = &rules->dependents[i];
    qsort(order, rules->dependent_count, sizeof *order, dependent_compare);
    for (uint32_t i = 0; i < rules->dependent_count; i++) {
        text_add(hashing, order[i]->name);
        needs_add(hashing, order[i]);
        schema_add(hashing, "schema", order[i]->schema);
    }
}

static void maps_add(struct hashing *hashing, const struct map_rules *rules)
{
    if (rules == NULL)
        return;
    count_add(hashing, "minProperties", rules->min_members);
    count_add(hashing, "maxProperties", rules->max_members);
    count_add(hashing, "properties", rules->property_count);
    properties_add(hashing, rules);
    count_add(hashing, "patterns", rules->pattern_count);
    patterns_add(hashing, rules);
    schema_add(hashing, "additional", rules->additional);
    schema_add(hashing, "names", rules->names);
    count_add(hashing, "dependents", rules->dependent_count);
    dependents_add(hashing, rules);
}

static void branches_add(struct hashing *hashing, const struct branches *branches)
{
    if (branches == NULL)
        return;
    schemas_add(hashing, "all", &branches->all);
    schemas_add(hashing, "any", &branches->any);
    schemas_add(hashing, "one", &branches->one);
    schema_add(hashing, "not", branches->negated);
    schema_add(hashing, "if", branches->when);
    schema_add(hashing, "then", branches->then);
    schema_add(hashing, "else", branches->otherwise);
    schema_add(hashing, "reference", branches->reference);
    schema_add(hashing, "dynamic", branches->dynamic);
    if (branches->dynamic != NULL)
        text_add(hashing, branches->dynamic_name);
    schema_add(hashing, "unevaluatedItems", branches->unevaluated_items);
    schema_add(hashing, "unevaluatedProperties", branches->unevaluated_members);
}

/* ---- schemas ----------------------------------------------------------------------------- */

static void enumeration_add(struct hashing *hashing, const struct enumeration *enumeration)
{
    if (enumeration == NULL)
        return;
    count_add(hashing, "enum", enumeration->count);
    for (uint32_t i = 0; i < enumeration->count; i++) /* sorted by their hashes */
        value_add_to(hashing, &enumeration->values[i]);
}

static int anchor_compare(const void *a, const void *b)
{
    const struct dynamic_anchor *const *x = a, *const *y = b;

    return slice_compare((*x)->name, (*y)->name);
}

/* Where a schema stands matters only to $dynamicRef. */
static void resource_add_to(struct hashing *hashing, const struct resource *resource)
{
    uint64_t address = (uint64_t)(uintptr_t)resource;
    const struct dynamic_anchor **order;
    uint32_t count = 0;

    if (resource->dynamic == NULL)
        return;
    bool is_known = table_has(&hashing->numbers, address);
    if (!is_known)
        table_set(&hashing->numbers, address, (void *)(uintptr_t)++hashing->resource_count);
    count_add(hashing, "resource", (uintptr_t)table_find(&hashing->numbers, address));
    if (is_known)
        return;
    for (const struct dynamic_anchor *one = resource->dynamic; one != NULL; one = one->next)
        count++;
    order = ARENA_ARRAY(&hashing->scratch, const struct dynamic_anchor *, count);
    count = 0;
    for (const struct dynamic_anchor *one = resource->dynamic; one != NULL; one = one->next)
        order[count++] = one;
    qsort(order, count, sizeof *order, anchor_compare);
    for (uint32_t i = 0; i < count; i++) {
        text_add(hashing, order[i]->name);
        schema_add(hashing, "anchor", order[i]->schema);
    }
}

static void schema_write(struct hashing *hashing, const struct schema *schema)
{
    buffer_text(&hashing->out, "\nschema ");
    resource_add_to(hashing, schema->resource);
    if (schema->is_never)
        buffer_text(&hashing->out, "never;");
    if (schema->is_secret)
        buffer_text(&hashing->out, "secret;");
    count_add(hashing, "types", schema->types);
    named_value_add(hashing, "const", schema->constant);
    named_value_add(hashing, "default", schema->standard);
    enumeration_add(hashing, schema->enumeration);
    numbers_add(hashing, schema->number);
    strings_add(hashing, schema->string);
    lists_add(hashing, schema->list);
    maps_add(hashing, schema->map);
    branches_add(hashing, schema->branches);
}

/* ---- the file ---------------------------------------------------------------------------- */

static int token_compare(const void *a, const void *b)
{
    const struct token_schema *const *x = a, *const *y = b;

    return slice_compare((*x)->name, (*y)->name);
}

static void names_add(struct hashing *hashing, const char *what,
                      const struct token_schema *list, uint32_t count)
{
    const struct token_schema **order =
        ARENA_ARRAY(&hashing->scratch, const struct token_schema *, count + 1);

    for (uint32_t i = 0; i < count; i++)
        order[i] = &list[i];
    qsort(order, count, sizeof *order, token_compare);
    for (uint32_t i = 0; i < count; i++) {
        text_add(hashing, order[i]->name);
        schema_add(hashing, what, order[i]->schema);
    }
}

static int child_compare(const void *a, const void *b)
{
    const struct child_schema *const *x = a, *const *y = b;

    return slice_compare((*x)->task, (*y)->task);
}

static void children_add(struct hashing *hashing, const struct schema_file *file)
{
    const struct child_schema **order =
        ARENA_ARRAY(&hashing->scratch, const struct child_schema *, file->child_count + 1);

    for (uint32_t i = 0; i < file->child_count; i++)
        order[i] = &file->children[i];
    qsort(order, file->child_count, sizeof *order, child_compare);
    for (uint32_t i = 0; i < file->child_count; i++) {
        text_add(hashing, order[i]->task);
        schema_add(hashing, "child", order[i]->output);
    }
}

void program_hash(struct schema_file *file)
{
    struct hashing hashing = { 0 };

    table_init(&hashing.numbers, &hashing.scratch);
    hashing.queue =
        ARENA_ARRAY(&hashing.scratch, const struct schema *, file->schema_count + 1);
    schema_add(&hashing, "input", file->input);
    schema_add(&hashing, "output", file->output);
    count_add(&hashing, "on_invalid", file->on_invalid);
    count_add(&hashing, "tokens", file->token_count);
    names_add(&hashing, "token", file->tokens, file->token_count);
    if (file->messages != NULL) { /* else its hash is what it was before there were any */
        count_add(&hashing, "messages", file->message_count);
        names_add(&hashing, "message", file->messages, file->message_count);
    }
    count_add(&hashing, "children", file->child_count);
    children_add(&hashing, file);
    for (uint32_t i = 0; i < hashing.count; i++) /* which grows meanwhile */
        schema_write(&hashing, hashing.queue[i]);
    crypto_sha256(buffer_view(&hashing.out), file->hash);
    buffer_finish(&hashing.out);
    arena_finish(&hashing.scratch);
}
