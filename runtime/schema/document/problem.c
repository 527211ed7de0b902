/*
 * Problems are collected, never thrown: a person who fixes a file or a payload wants all of
 * them at once. Their number is bounded, because the value that causes them comes from anyone.
 */
#include "schema/document/problem.h"

#include <inttypes.h>
#include <stdio.h>

enum { QUOTE_MAX_BYTES = 60 };

void problem_add(struct arena *arena, struct problems *problems, struct problem problem)
{
    if (problems->count >= PROBLEMS_MAX) {
        problems->cut = true;
        return;
    }
    struct problem *added = ARENA_NEW(arena, struct problem);
    *added = problem;
    added->next = NULL;
    if (problems->last == NULL)
        problems->first = added;
    else
        problems->last->next = added;
    problems->last = added;
    problems->count++;
}

void problems_join(struct problems *to, struct problems *from)
{
    to->cut |= from->cut;
    for (struct problem *one = from->first, *after; one != NULL; one = after) {
        after = one->next;
        one->next = NULL;
        if (to->count >= PROBLEMS_MAX) {
            to->cut = true;
            break;
        }
        if (to->last == NULL)
            to->first = one;
        else
            to->last->next = one;
        to->last = one;
        to->count++;
    }
    *from = (struct problems){ 0 };
}

static bool is_before(const struct problem *a, const struct problem *b)
{
    return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* At most PROBLEMS_MAX, so inserting one by one does. Those of other files go by their lines,
 * too. */
void problems_sort(struct problems *problems)
{
    struct problem *left = problems->first;

    problems->first = problems->last = NULL;
    while (left != NULL) {
        struct problem *one = left, **place = &problems->first;
        left = left->next;
        while (*place != NULL && !is_before(one, *place))
            place = &(*place)->next;
        one->next = *place;
        *place = one;
        if (one->next == NULL)
            problems->last = one;
    }
}

bool report_add(struct report *report, uint32_t line, uint32_t column, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    problem_add(report->arena, report->problems,
                (struct problem){
                    .message = arena_vformat(report->arena, format, arguments),
                    .file = arena_copy(report->arena, report->file),
                    .line = line,
                    .column = column,
                });
    va_end(arguments);
    return false;
}

void problem_place(struct buffer *out, const struct problem *problem)
{
    buffer_slice(out, problem->file);
    if (problem->line != 0)
        buffer_format(out, ":%" PRIu32, problem->line);
    if (problem->line != 0 && problem->column != 0)
        buffer_format(out, ":%" PRIu32, problem->column);
}

static void value_place(struct buffer *out, const struct problem *problem)
{
    buffer_slice(out, problem->value_file);
    if (problem->value_line != 0)
        buffer_format(out, ":%" PRIu32 ":%" PRIu32, problem->value_line, problem->value_column);
}

/* Where the value stands comes first, since that is what somebody wants to change. */
static void problem_text(struct buffer *out, const struct problem *problem)
{
    bool has_place = problem->value_file.size > 0;

    if (has_place)
        value_place(out, problem);
    else
        problem_place(out, problem);
    if (has_place || problem->file.size > 0)
        buffer_text(out, ": ");
    buffer_slice(out, problem->message);
    if (has_place && problem->file.size > 0) {
        buffer_text(out, " [");
        problem_place(out, problem);
        buffer_byte(out, ']');
    }
    buffer_byte(out, '\n');
}

void problems_text(struct buffer *out, const struct problems *problems)
{
    for (const struct problem *one = problems->first; one != NULL; one = one->next)
        problem_text(out, one);
    if (problems->cut && problems->count < PROBLEMS_MAX)
        buffer_text(out, "there may be more: the check was given up\n");
    else if (problems->cut)
        buffer_format(out, "only the first %d problems are shown\n", PROBLEMS_MAX);
}

static struct value place_value(struct arena *arena, struct buffer *place)
{
    struct value text = value_string(arena_copy(arena, buffer_view(place)));

    buffer_finish(place);
    return text;
}

static struct value problem_value(struct arena *arena, const struct problem *problem)
{
    struct value map = value_map();
    struct buffer place = { 0 }, standing = { 0 };

    problem_place(&place, problem);
    value_put(arena, &map, "pointer", value_string(problem->pointer));
    if (problem->expected.size > 0)
        value_put(arena, &map, "expected", value_string(problem->expected));
    if (problem->got.size > 0)
        value_put(arena, &map, "got", value_string(problem->got));
    value_put(arena, &map, "message", value_string(problem->message));
    if (problem->keyword.size > 0)
        value_put(arena, &map, "keyword", value_string(problem->keyword));
    if (place.size > 0)
        value_put(arena, &map, "schema", place_value(arena, &place));
    if (problem->value_file.size > 0) {
        value_place(&standing, problem);
        value_put(arena, &map, "place", place_value(arena, &standing));
    }
    return map;
}

struct value problems_value(struct arena *arena, const struct problems *problems)
{
    struct value root = value_map(), list = value_list();

    for (const struct problem *one = problems->first; one != NULL; one = one->next)
        value_add(arena, &list, problem_value(arena, one));
    value_put(arena, &root, "problems", list);
    if (problems->cut)
        value_put(arena, &root, "cut", value_bool(true));
    return root;
}

/* One byte of UTF-8 text, or its escape. Bytes above 0x7f pass: the text is valid UTF-8. */
static void byte_quote(struct buffer *out, char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        buffer_byte(out, '\\');
        buffer_byte(out, byte);
        break;
    case '\n':
        buffer_text(out, "\\n");
        break;
    case '\t':
        buffer_text(out, "\\t");
        break;
    default:
        if ((unsigned char)byte < 0x20 || byte == 0x7f)
            buffer_format(out, "\\u%04x", (unsigned)(unsigned char)byte);
        else
            buffer_byte(out, byte);
    }
}

struct slice text_quote(struct arena *arena, struct slice text)
{
    struct buffer out = { 0 };
    size_t shown = text.size;

    if (shown > QUOTE_MAX_BYTES) {
        shown = QUOTE_MAX_BYTES;
        while (shown > 0 && ((unsigned char)text.data[shown] & 0xc0) == 0x80)
            shown--; /* never cut inside a code point */
    }
    buffer_byte(&out, '"');
    for (size_t i = 0; i < shown; i++)
        byte_quote(&out, text.data[i]);
    buffer_text(&out, shown < text.size ? "\"…" : "\"");
    struct slice quoted = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return quoted;
}

struct slice value_describe(struct arena *arena, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        return SLICE("null");
    case VALUE_BOOL:
        return value->boolean ? SLICE("true") : SLICE("false");
    case VALUE_INT:
        return arena_format(arena, "%" PRId64, value->integer);
    case VALUE_UINT:
        return arena_format(arena, "%" PRIu64, value->big);
    case VALUE_DOUBLE:
        return arena_format(arena, "%.15g", value->number);
    case VALUE_STRING:
        return arena_format(arena, "the string %.*s",
                            SLICE_ARG(text_quote(arena, value->bytes)));
    case VALUE_BYTES:
        return arena_format(arena, "%zu bytes of binary data", value->bytes.size);
    case VALUE_LIST:
        return value->count == 0 ? SLICE("an empty array")
                                 : arena_format(arena, "an array of %" PRIu32 " item%s",
                                                value->count, value->count == 1 ? "" : "s");
    case VALUE_MAP:
        return value->count == 0 ? SLICE("an empty object")
                                 : arena_format(arena, "an object with %" PRIu32 " member%s",
                                                value->count, value->count == 1 ? "" : "s");
    }
    return SLICE("a value of an unknown kind");
}

struct slice problems_behind(struct arena *arena, struct slice sentence,
                             const struct problems *problems)
{
    struct buffer text = { 0 };

    buffer_slice(&text, sentence);
    if (problems != NULL) {
        buffer_text(&text, ": ");
        problems_text(&text, problems);
        while (text.size > 0 && text.data[text.size - 1] == '\n')
            text.size--;
    }
    struct slice kept = arena_copy(arena, buffer_view(&text));
    buffer_finish(&text);
    return kept;
}
