/* What only the whole program shows: references in a circle, where defaults are, samples that do not fit. */
#include "schema/compile.h"

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
            branches->negated, branches->when, branches->then, branches->otherwise };
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
    schema_complain(compiler, schema, schema->line, schema->column,
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

/* ---- defaults ---------------------------------------------------------------------------- */

static bool list_has(const struct schema_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i]->has_defaults)
            return true;
    return false;
}

static bool one_has(const struct schema *schema)
{
    return schema != NULL && schema->has_defaults;
}

static bool map_has(const struct map_rules *rules)
{
    bool has = one_has(rules->additional);

    for (uint32_t i = 0; i < rules->property_count && !has; i++)
        has = one_has(rules->properties[i].schema) ||
            schema_default(rules->properties[i].schema) != NULL;
    for (uint32_t i = 0; i < rules->pattern_count && !has; i++)
        has = one_has(rules->patterns[i].schema);
    for (uint32_t i = 0; i < rules->dependent_count && !has; i++)
        has = one_has(rules->dependents[i].schema);
    return has;
}

static bool branches_have(const struct branches *branches)
{
    return one_has(branches->reference) || branches->dynamic != NULL ||
        one_has(branches->then) || one_has(branches->otherwise) || list_has(&branches->all) ||
        list_has(&branches->any) || list_has(&branches->one);
}

static bool schema_has(const struct schema *schema)
{
    const struct list_rules *list = schema->list;

    return (schema->map != NULL && map_has(schema->map)) ||
        (list != NULL && (one_has(list->items) || list_has(&list->prefix))) ||
        (schema->branches != NULL && branches_have(schema->branches));
}

/* Until nothing changes: references may point anywhere. */
static void defaults_mark(struct schema_file *program)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (struct schema *one = program->schemas; one != NULL; one = one->next)
            if (!one->has_defaults && schema_has(one))
                one->has_defaults = changed = true;
    }
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
    loops_refuse(compiler);
    defaults_mark(compiler->program);
    if (!compiler->is_strict || compiler->report.problems->count > 0)
        return; /* what does not stand cannot check anything */
    for (const struct sample *one = compiler->samples; one != NULL; one = one->next)
        sample_check(compiler, one);
}
