/* What only the whole program shows: references in a circle, where defaults and secrets are,
 * samples that do not fit. */
#include "schema/compile/compile.h"
#include "schema/compile/program_hash.h"

/* ---- loops ------------------------------------------------------------------------------- */

enum { PHASE_NEW, PHASE_OPEN, PHASE_DONE };

/* The number-th schema that looks at the same value as `schema` does. *ends: there is none. */
static struct schema *same_value_at(const struct schema *schema, uint32_t number, bool *ends)
{
    const struct branches *branches = schema->branches;
    const struct map_rules *map = schema->map;

    *ends = false;
    if (branches != NULL) {
        const struct schema *const single[] = { branches->reference, branches->dynamic,
                                                branches->negated,   branches->when,
                                                branches->then,      branches->otherwise };
        const struct schema_list *const lists[] = { &branches->all, &branches->any,
                                                    &branches->one };
        enum { SINGLE_COUNT = sizeof single / sizeof single[0], LIST_COUNT = 3 };
        if (number < SINGLE_COUNT)
            return (struct schema *)(uintptr_t)single[number]; /* ours until it is published */
        number -= SINGLE_COUNT;
        for (size_t i = 0; i < LIST_COUNT; number -= lists[i++]->count)
            if (number < lists[i]->count)
                return (struct schema *)(uintptr_t)lists[i]->items[number];
    }
    if (map != NULL && number < map->dependent_count)
        return (struct schema *)(uintptr_t)map->dependents[number].schema;
    *ends = true;
    return NULL;
}

struct step {
    struct schema *schema;
    uint32_t next;
};

static void loop_complain(struct compiler *compiler, const struct schema *schema)
{
    schema_complain(
        compiler, schema, schema->line, schema->column,
        "this schema leads back to itself without looking into the value, so no check would "
        "end");
}

/* Depth first, on a stack of our own: a chain of references may be as long as the file. */
static void loops_find(struct compiler *compiler, struct schema *start, struct step *stack)
{
    uint32_t depth = 0;

    stack[depth++] = (struct step){ start, 0 };
    start->phase = PHASE_OPEN;
    while (depth > 0) {
        struct step *step = &stack[depth - 1];
        bool ends;
        struct schema *next = same_value_at(step->schema, step->next++, &ends);
        if (ends) {
            step->schema->phase = PHASE_DONE;
            depth--;
        } else if (next != NULL && next->phase == PHASE_OPEN) {
            loop_complain(compiler, next);
        } else if (next != NULL && next->phase == PHASE_NEW) {
            next->phase = PHASE_OPEN;
            stack[depth++] = (struct step){ next, 0 };
        }
    }
}

static void loops_refuse(struct compiler *compiler)
{
    struct schema_file *program = compiler->program;
    struct step *stack =
        ARENA_ARRAY(&compiler->scratch, struct step, program->schema_count + 1);

    for (struct schema *one = program->schemas; one != NULL; one = one->next)
        if (one->phase == PHASE_NEW)
            loops_find(compiler, one, stack);
}

/* ---- what spreads from parts to the whole ------------------------------------------------ */

/* The number-th schema that looks at a part of the value, or at a name. */
static const struct schema *part_at(const struct schema *schema, uint32_t number, bool *ends)
{
    const struct list_rules *list = schema->list;
    const struct map_rules *map = schema->map;
    const struct branches *branches = schema->branches;
    const struct schema *const single[] = {
        schema->content,
        list == NULL ? NULL : list->items,
        list == NULL ? NULL : list->contains,
        map == NULL ? NULL : map->additional,
        map == NULL ? NULL : map->names,
        branches == NULL ? NULL : branches->unevaluated_items,
        branches == NULL ? NULL : branches->unevaluated_members,
    };
    enum { SINGLE_COUNT = sizeof single / sizeof single[0] };

    *ends = false;
    if (number < SINGLE_COUNT)
        return single[number];
    number -= SINGLE_COUNT;
    if (list != NULL) {
        if (number < list->prefix.count)
            return list->prefix.items[number];
        number -= list->prefix.count;
    }
    if (map != NULL) {
        if (number < map->property_count)
            return map->properties[number].schema;
        number -= map->property_count;
        if (number < map->pattern_count)
            return map->patterns[number].schema;
    }
    *ends = true;
    return NULL;
}

/* A property of it may be absent and have a default. What $dynamicRef means is not known yet.
 */
static bool has_own_defaults(const struct schema *schema)
{
    const struct map_rules *map = schema->map;

    for (uint32_t i = 0; map != NULL && i < map->property_count; i++)
        if (schema_default(map->properties[i].schema) != NULL)
            return true;
    return schema->branches != NULL && schema->branches->dynamic != NULL;
}

/* Who refers to a schema: the way that "there is one below" spreads. */
struct edge {
    struct schema *from;
    struct edge *next;
};

static void edge_add(struct compiler *compiler, struct table *edges, struct schema *from,
                     const struct schema *to)
{
    uint64_t address = (uint64_t)(uintptr_t)to;

    if (to == NULL)
        return;
    struct edge *edge = ARENA_NEW(&compiler->scratch, struct edge);
    *edge = (struct edge){ from, table_find(edges, address) };
    table_set(edges, address, edge);
}

static void edges_add(struct compiler *compiler, struct table *edges, struct schema *schema)
{
    bool ends = false;

    for (uint32_t i = 0; !ends; i++)
        edge_add(compiler, edges, schema, same_value_at(schema, i, &ends));
    ends = false;
    for (uint32_t i = 0; !ends; i++)
        edge_add(compiler, edges, schema, part_at(schema, i, &ends));
}

enum spreading { SPREAD_DEFAULTS, SPREAD_SECRETS };

static bool *flag_of(struct schema *schema, enum spreading which)
{
    return which == SPREAD_DEFAULTS ? &schema->has_defaults : &schema->has_secrets;
}

/* From the schemas that have the flag to all that lead to them. */
static void flag_spread(struct compiler *compiler, const struct table *edges,
                        enum spreading which)
{
    struct schema_file *program = compiler->program;
    struct schema **stack =
        ARENA_ARRAY(&compiler->scratch, struct schema *, program->schema_count + 1);
    uint32_t count = 0;

    for (struct schema *one = program->schemas; one != NULL; one = one->next)
        if (*flag_of(one, which))
            stack[count++] = one;
    while (count > 0) {
        const struct edge *edge = table_find(edges, (uint64_t)(uintptr_t)stack[--count]);
        for (; edge != NULL; edge = edge->next) {
            if (*flag_of(edge->from, which))
                continue;
            *flag_of(edge->from, which) = true;
            stack[count++] = edge->from;
        }
    }
}

/* A $dynamicRef may mean any schema of its anchor's name: if there is a secret, it may be
 * there. */
static bool has_own_secrets(const struct schema *schema, bool any_secret)
{
    return schema->is_secret ||
           (any_secret && schema->branches != NULL && schema->branches->dynamic_name.size > 0);
}

static void flags_mark(struct compiler *compiler)
{
    struct schema_file *program = compiler->program;
    bool any_secret = false;
    struct table edges;

    table_init(&edges, &compiler->scratch);
    for (const struct schema *one = program->schemas; one != NULL; one = one->next)
        any_secret |= one->is_secret;
    for (struct schema *one = program->schemas; one != NULL; one = one->next) {
        edges_add(compiler, &edges, one);
        one->has_defaults = has_own_defaults(one);
        one->has_secrets = has_own_secrets(one, any_secret);
    }
    flag_spread(compiler, &edges, SPREAD_DEFAULTS);
    flag_spread(compiler, &edges, SPREAD_SECRETS);
}

/* Names are in the pointer of every problem below them. */
static void secret_names_refuse(struct compiler *compiler)
{
    for (const struct schema *one = compiler->program->schemas; one != NULL; one = one->next)
        if (one->map != NULL && one->map->names != NULL && one->map->names->has_secrets)
            schema_complain(compiler, one->map->names, one->map->names->line,
                            one->map->names->column,
                            "the name of a property cannot be secret; make the object secret");
}

/* ---- samples ----------------------------------------------------------------------------- */

static void sample_check(struct compiler *compiler, const struct sample *sample)
{
    struct arena *arena = compiler->report.arena;
    struct value value = node_value(arena, sample->node);
    struct problems problems = { 0 };

    if (!schema_check(sample->schema, &value, arena, &problems) && problems.first != NULL)
        schema_complain(compiler, sample->schema, sample->node->line, sample->node->column,
                        "this %s does not fit its own schema: %.*s",
                        sample->keyword == KEYWORD_DEFAULT ? "default" : "example",
                        SLICE_ARG(problems.first->message));
}

void program_finish(struct compiler *compiler)
{
    compiler->program->resources = compiler->resources;
    loops_refuse(compiler);
    flags_mark(compiler);
    secret_names_refuse(compiler);
    program_hash(compiler->program);
    if (!compiler->is_strict || compiler->report.problems->count > 0)
        return; /* what does not stand cannot check anything */
    for (const struct sample *one = compiler->samples; one != NULL; one = one->next)
        sample_check(compiler, one);
}
