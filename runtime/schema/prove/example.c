/*
 * Where no proof was found: a value that the facts allow and the schema does not, put into a
 * whole value along the way that led there, and checked against both schemas.
 */
#include "codec/json.h"
#include "schema/prove/sample.h"

#include <inttypes.h>

enum { ACCEPT_MAX_STEPS = 20000, SAMPLE_DEPTH = 4, EXAMPLES_MAX = 6, GAPS_MAX = PROBLEMS_MAX };

/* ---- checking ---------------------------------------------------------------------------- */

enum accept schema_accepts(struct cover *cover, const struct schema *schema,
                           const struct value *value)
{
    struct spot root = { .value = value };
    struct check check;

    check_init(&check, &cover->scratch);
    check.steps = ACCEPT_MAX_STEPS;
    bool fine = schema_visit(&check, schema, &root, NULL, NULL);
    bool is_over = check.is_over || check.steps < 0;
    int64_t used = (ACCEPT_MAX_STEPS - check.steps) / 16 + 1;
    check_finish(&check);
    cover->steps -= used;
    cover->tries -= used;
    return is_over ? ACCEPT_OVER : fine ? ACCEPT_YES : ACCEPT_NO;
}

static bool kind_fits(uint32_t kinds, const struct value *value)
{
    uint32_t types = type_of(value);

    if ((types & TYPE_NUMBER) != 0)
        return (kinds & ((types & TYPE_INTEGER) != 0 ? KIND_INTEGER : KIND_FRACTION)) != 0;
    return (kinds & kinds_of_types(types)) != 0;
}

enum accept facts_accept(struct cover *cover, const struct facts *facts,
                         const struct value *value)
{
    bool is_sure = true;

    if (!kind_fits(facts->kinds, value))
        return ACCEPT_NO;
    for (uint32_t i = 0; i < facts->held_count; i++) {
        enum accept accept = schema_accepts(cover, facts->held[i], value);
        if (accept == ACCEPT_NO)
            return ACCEPT_NO;
        is_sure = is_sure && accept == ACCEPT_YES;
    }
    for (uint32_t i = 0; i < facts->denied_count; i++) {
        enum accept accept = schema_accepts(cover, facts->denied[i], value);
        if (accept == ACCEPT_YES)
            return ACCEPT_NO;
        is_sure = is_sure && accept == ACCEPT_NO;
    }
    return is_sure ? ACCEPT_YES : ACCEPT_OVER;
}

/* ---- gaps -------------------------------------------------------------------------------- */

/* Names that were made up stand for each other. */
static bool name_same(struct slice a, struct slice b)
{
    return slice_equal(a, b) ||
           (slice_starts(a, NAME_INVENTED) && slice_starts(b, NAME_INVENTED));
}

static bool gap_is_known(const struct cover *cover, const struct problem *problem)
{
    for (const struct cover_gap *gap = cover->gaps; gap != NULL; gap = gap->next)
        if (gap->problem.line == problem->line && gap->problem.column == problem->column &&
            slice_equal(gap->problem.keyword, problem->keyword) &&
            name_same(gap->problem.name, problem->name) &&
            slice_equal(gap->problem.pointer, problem->pointer))
            return true;
    return false;
}

static void gap_add(struct cover *cover, const struct problem *problem,
                    const struct value *example)
{
    cover->is_partial |= cover->gap_count >= GAPS_MAX;
    if (gap_is_known(cover, problem) || cover->gap_count >= GAPS_MAX) {
        cover->gap_count++; /* whoever counts wants to know that there was one */
        return;
    }
    struct cover_gap *gap = ARENA_NEW(cover->arena, struct cover_gap);
    gap->problem = *problem;
    gap->problem.next = NULL;
    gap->is_sure = example != NULL;
    if (example != NULL)
        gap->example = value_copy(cover->arena, example);
    if (cover->last_gap == NULL)
        cover->gaps = gap;
    else
        cover->last_gap->next = gap;
    cover->last_gap = gap;
    cover->gap_count++;
}

/* The real check, as anybody else would make it. */
static bool root_try(struct cover *cover, const struct value *value)
{
    struct problems problems = { 0 };
    struct value one = value_copy(&cover->scratch, value);
    struct value other = value_copy(&cover->scratch, value);

    if (schema_accepts(cover, cover->narrow, value) != ACCEPT_YES ||
        schema_accepts(cover, cover->wide, value) != ACCEPT_NO ||
        !schema_check(cover->narrow, &one, &cover->scratch, &problems) ||
        schema_check(cover->wide, &other, cover->arena, &problems))
        return false;
    for (const struct problem *problem = problems.first; problem != NULL;
         problem = problem->next)
        gap_add(cover, problem, value);
    return problems.first != NULL;
}

/* ---- into a whole value ------------------------------------------------------------------ */

static bool member_set(struct cover *cover, const struct frame *frame,
                       const struct value *container, const struct value *part,
                       struct value *whole)
{
    *whole = value_map();
    if (container->kind != VALUE_MAP || frame->key.data == NULL)
        return false;
    for (uint32_t i = 0; i < container->count; i++)
        value_put_slice(&cover->scratch, whole, container->members[i].key,
                        container->members[i].value);
    value_put_slice(&cover->scratch, whole, frame->key, *part);
    return true;
}

static bool item_set(struct cover *cover, const struct frame *frame,
                     const struct value *container, const struct value *part,
                     struct value *whole)
{
    struct value filler;

    *whole = value_list();
    if (container->kind != VALUE_LIST)
        return false;
    for (uint32_t i = 0; i < container->count || i <= frame->index; i++) {
        if (i == frame->index)
            filler = *part;
        else if (i < container->count)
            filler = container->items[i];
        else if (!sample_first(cover, facts_of_item(cover, frame->facts, i), 2, &filler))
            return false;
        value_add(&cover->scratch, whole, filler);
    }
    return true;
}

static bool value_embed(struct cover *cover, const struct frame *frame,
                        const struct value *value)
{
    struct value whole;

    if (frame == NULL)
        return root_try(cover, value);
    if (cover->tries <= 0)
        return false;
    struct samples *samples = ARENA_NEW(&cover->scratch, struct samples);
    samples_make(cover, frame->facts, NULL, SAMPLE_DEPTH, samples);
    for (uint32_t i = 0; i < samples->count && cover->tries > 0; i++) {
        bool is_set = frame->is_item
                          ? item_set(cover, frame, &samples->values[i], value, &whole)
                          : member_set(cover, frame, &samples->values[i], value, &whole);
        if (is_set && facts_accept(cover, frame->facts, &whole) == ACCEPT_YES &&
            value_embed(cover, frame->up, &whole))
            return true;
    }
    return false;
}

/* ---- when there is no example ------------------------------------------------------------ */

static void pointer_add(struct buffer *out, const struct frame *frame)
{
    if (frame == NULL)
        return;
    pointer_add(out, frame->up);
    if (frame->is_item)
        buffer_format(out, "/%" PRIu32, frame->index);
    else if (frame->key.data == NULL)
        buffer_text(out, "/*");
    else
        json_pointer_add(out, frame->key);
}

static void doubt_add(struct cover *cover, const struct frame *frame,
                      const struct schema *schema)
{
    struct buffer pointer = { 0 };
    struct problem problem = {
        .file = arena_copy(cover->arena, schema->resource->file),
        .line = schema->line,
        .column = schema->column,
    };

    pointer_add(&pointer, frame);
    problem.pointer = arena_copy(cover->arena, buffer_view(&pointer));
    buffer_finish(&pointer);
    problem.message = arena_format(
        cover->arena, "cannot tell whether %s%.*s always fits: no proof and no example found",
        problem.pointer.size == 0 ? "the value" : "", SLICE_ARG(problem.pointer));
    gap_add(cover, &problem, NULL);
}

void gap_find(struct cover *cover, const struct frame *frame, const struct facts *facts,
              const struct schema *schema)
{
    struct samples *samples = ARENA_NEW(&cover->scratch, struct samples);
    uint32_t found = 0;

    cover->is_partial |= cover->gap_count >= GAPS_MAX;
    if (schema == NULL || cover->gap_count >= GAPS_MAX)
        return;
    samples_make(cover, facts, schema, SAMPLE_DEPTH, samples);
    for (uint32_t i = 0; i < samples->count && found < EXAMPLES_MAX && cover->tries > 0; i++) {
        const struct value *value = &samples->values[i];
        if (facts_accept(cover, facts, value) == ACCEPT_YES &&
            schema_accepts(cover, schema, value) == ACCEPT_NO &&
            value_embed(cover, frame, value))
            found++; /* of several rules each needs one of its own */
    }
    if (found > 0)
        return;
    cover->is_partial = true;
    if (!cover->wants_sure)
        doubt_add(cover, frame, schema);
}
