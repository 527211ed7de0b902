/* Where in a schema's file stands what a JSON pointer leads to, and which changes are about it.
 */
#include "cli/schema_diff/schema_diff.h"
#include "schema/document/problem.h"
#include "schema/prove/covers.h"

/* One token of a JSON pointer, undone. */
static struct slice token_take(struct arena *arena, struct slice *pointer)
{
    size_t end = 1, used = 0;

    while (end < pointer->size && pointer->data[end] != '/')
        end++;
    char *text = arena_alloc(arena, end + 1);
    for (size_t i = 1; i < end; i++) {
        bool is_escape = pointer->data[i] == '~' && i + 1 < end;
        text[used++] = !is_escape ? pointer->data[i] : pointer->data[i + 1] == '0' ? '~' : '/';
        i += is_escape;
    }
    *pointer = (struct slice){ pointer->data + end, pointer->size - end };
    return (struct slice){ text, used };
}

static const struct schema *part_of(const struct schema *schema, struct slice token,
                                    unsigned depth);

static const struct schema *part_of_list(const struct list_rules *rules, struct slice token)
{
    uint32_t index = 0;

    for (size_t i = 0; i < token.size && i < 6; i++) {
        if (token.data[i] < '0' || token.data[i] > '9')
            return NULL;
        index = index * 10 + (uint32_t)(token.data[i] - '0');
    }
    return index < rules->prefix.count ? rules->prefix.items[index] : rules->items;
}

static const struct schema *part_of_branches(const struct branches *branches,
                                             struct slice token, unsigned depth)
{
    const struct schema_list *const lists[] = { &branches->all, &branches->any,
                                                &branches->one };
    const struct schema *found = part_of(branches->reference, token, depth + 1);

    for (size_t i = 0; i < 3; i++)
        for (uint32_t j = 0; found == NULL && j < lists[i]->count; j++)
            found = part_of(lists[i]->items[j], token, depth + 1);
    return found;
}

/* The first schema that speaks of that member or item; NULL: none. */
static const struct schema *part_of(const struct schema *schema, struct slice token,
                                    unsigned depth)
{
    enum { DEPTH_MAX = 20 };
    const struct schema *found = NULL;

    if (schema == NULL || depth > DEPTH_MAX)
        return NULL;
    if (schema->map != NULL) {
        const struct property *property = property_find(schema->map, token);
        found = property == NULL ? NULL : property->schema;
    }
    if (found == NULL && schema->list != NULL)
        found = part_of_list(schema->list, token);
    if (found == NULL && schema->branches != NULL)
        found = part_of_branches(schema->branches, token, depth);
    if (found == NULL && schema->map != NULL)
        found = schema->map->additional;
    return found;
}

/* "old.yaml:7:5" of what stands at the pointer, or of what is around it. */
struct slice place_of(struct arena *arena, const struct schema *schema, struct slice pointer,
                      struct slice keyword)
{
    struct buffer out = { 0 };

    if (schema == NULL)
        return SLICE("");
    while (pointer.size > 0) {
        const struct schema *below = part_of(schema, token_take(arena, &pointer), 0);
        if (below == NULL)
            break;
        schema = below;
    }
    struct problem place = { .file = schema->resource->file,
                             .line = schema->line,
                             .column = schema->column };
    for (uint32_t i = 0; i < schema->mark_count; i++)
        if (slice_equal(keyword_text(schema->marks[i].keyword), keyword)) {
            place.line = schema->marks[i].line;
            place.column = schema->marks[i].column;
        }
    problem_place(&out, &place);
    struct slice text = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return text;
}

/* ---- changes ----------------------------------------------------------------------------- */

/* Equal, where "*" is any item or member. *last: what `longer` has one token more of. */
static bool pointer_fits(struct slice pointer, struct slice longer, struct slice *last)
{
    struct arena arena = { 0 };
    bool same = true;

    while (same && pointer.size > 0 && longer.size > 0) {
        struct slice one = token_take(&arena, &pointer), other = token_take(&arena, &longer);
        same = slice_is(one, "*") || slice_is(other, "*") || slice_equal(one, other);
    }
    arena_finish(&arena);
    *last = longer;
    return same && pointer.size == 0;
}

static bool text_has(struct slice text, struct slice part)
{
    return part.size > 0 && text.size >= part.size &&
           memmem(text.data, text.size, part.data, part.size) != NULL;
}

/* A property that came, went or is required now is a change of the object around it. */
static bool named_matches(const struct change *change, const struct problem *problem,
                          struct slice last)
{
    struct arena arena = { 0 };
    bool is_here = last.size == 0;

    if (!is_here) {
        bool is_it = slice_equal(token_take(&arena, &last), change->name) && last.size == 0;
        arena_finish(&arena);
        return is_it;
    }
    if (slice_equal(problem->name, change->name))
        return true;
    bool is_missed = slice_is(problem->keyword, "required") &&
                     change->keyword == KEYWORD_REQUIRED &&
                     text_has(problem->expected, text_quote(&arena, change->name));
    arena_finish(&arena);
    return is_missed;
}

bool change_matches(const struct change *change, const struct problem *problem)
{
    struct slice last;

    if (!pointer_fits(change->pointer, problem->pointer, &last))
        return false;
    if (change->name.size > 0)
        return named_matches(change, problem, last);
    /* Neither ever refuses a value. */
    if (change->keyword == KEYWORD_DEFAULT || change->keyword == KEYWORD_SECRET)
        return false;
    if (last.size > 0 || slice_is(problem->keyword, "required"))
        return false;
    return !slice_is(problem->keyword, "additionalProperties") ||
           change->keyword == KEYWORD_ADDITIONAL_PROPERTIES;
}
