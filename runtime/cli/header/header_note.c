/* What stands in a header besides C: comments and literals, which hold anybody's text. */
#include "cli/header/header_parts.h"
#include "codec/json.h"
#include "schema/format/format.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 92, VALUE_SHOWN_BYTES = 60, PATTERN_SHOWN_BYTES = 60 };

void literal_write(struct buffer *out, struct slice text)
{
    buffer_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '"' || byte == '\\' || byte == '?') /* "??" may begin a trigraph */
            buffer_format(out, "\\%c", byte);
        else if (byte < 0x20 || byte >= 0x7f)
            buffer_format(out, "\\%03o", (unsigned)byte);
        else
            buffer_byte(out, (char)byte);
    }
    buffer_byte(out, '"');
}

/* ---- comments ---------------------------------------------------------------------------- */

/* Marks that turn the direction of what follows: compilers warn of them, with good reason. */
static bool is_turning(const char *at, size_t left)
{
    return left >= 3 && at[0] == '\xe2' &&
           ((at[1] == '\x80' && at[2] >= '\xaa' && at[2] <= '\xae') ||
            (at[1] == '\x81' && at[2] >= '\xa6' && at[2] <= '\xa9'));
}

/* Text that neither ends the comment nor looks like the start of one; one space for many. */
static void comment_clean(struct buffer *out, struct slice text)
{
    char last = ' ';

    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if ((unsigned char)byte <= 0x20 || byte == 0x7f)
            byte = ' ';
        if (byte == ' ' && last == ' ')
            continue;
        if ((last == '*' && byte == '/') || (last == '/' && byte == '*') ||
            (last == '?' && byte == '?'))
            buffer_byte(out, ' ');
        if (is_turning(text.data + i, text.size - i)) {
            byte = '?';
            i += 2;
        }
        buffer_byte(out, byte);
        last = byte;
    }
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->size--;
}

static void lines_write(struct buffer *out, uint32_t indent, struct slice text)
{
    size_t used = LINE_MAX_BYTES;

    for (size_t start = 0; start < text.size;) {
        size_t end = start;
        while (end < text.size && text.data[end] != ' ')
            end++;
        if (used + 1 + end - start > LINE_MAX_BYTES) {
            buffer_format(out, "\n%*s *", (int)indent, "");
            used = indent + 2;
        }
        buffer_byte(out, ' ');
        buffer_add(out, text.data + start, end - start);
        used += 1 + end - start;
        start = end + 1;
    }
}

void comment_write(struct buffer *out, uint32_t indent, struct slice text)
{
    struct buffer clean = { 0 };

    comment_clean(&clean, text);
    struct slice view = buffer_view(&clean);
    if (view.size > 0 && indent + view.size + 6 <= LINE_MAX_BYTES) {
        buffer_format(out, "%*s/* %.*s */\n", (int)indent, "", SLICE_ARG(view));
    } else if (view.size > 0) {
        buffer_format(out, "%*s/*", (int)indent, "");
        lines_write(out, indent, view);
        buffer_format(out, "\n%*s */\n", (int)indent, "");
    }
    buffer_finish(&clean);
}

/* ---- signatures -------------------------------------------------------------------------- */

void signature_write(struct buffer *out, struct slice type, struct slice name,
                     const char *suffix, struct slice parameters, const char *end)
{
    size_t size =
        sizeof "static inline ();" + type.size + name.size + strlen(suffix) + parameters.size;

    buffer_format(out, "static inline %.*s%.*s%s(%s%.*s)%s", SLICE_ARG(type), SLICE_ARG(name),
                  suffix, size > LINE_MAX_BYTES ? "\n    " : "", SLICE_ARG(parameters), end);
}

/* ---- notes ------------------------------------------------------------------------------- */

/* The limits are said one after the other: "who decided (1 to 64 characters, a date)". */
struct note {
    struct buffer text;
    bool has_limits, is_open;
};

static struct buffer *limit(struct note *note)
{
    if (note->has_limits) {
        buffer_text(&note->text, ", ");
    } else if (note->text.size > 0) {
        buffer_text(&note->text, " (");
        note->is_open = true;
    }
    note->has_limits = true;
    return &note->text;
}

static void json_add(struct buffer *out, const struct value *value)
{
    struct buffer json = { 0 };

    json_write(&json, value);
    size_t size = json.size < VALUE_SHOWN_BYTES ? json.size : VALUE_SHOWN_BYTES;
    while (size > 0 && size < json.size && ((unsigned char)json.data[size] & 0xc0u) == 0x80u)
        size--;
    buffer_add(out, json.data, size);
    if (size < json.size)
        buffer_text(out, " ...");
    buffer_finish(&json);
}

static void bound_add(struct note *note, const char *words, const struct bound *bound)
{
    if (!bound->is_set)
        return;
    struct buffer *out = limit(note);
    buffer_text(out, words);
    json_add(out, &bound->value);
}

static void number_add(struct note *note, const struct number_rules *rules)
{
    if (rules->minimum.is_set && rules->maximum.is_set) {
        struct buffer *out = limit(note);
        json_add(out, &rules->minimum.value);
        buffer_text(out, " to ");
        json_add(out, &rules->maximum.value);
    } else {
        bound_add(note, "at least ", &rules->minimum);
        bound_add(note, "at most ", &rules->maximum);
    }
    bound_add(note, "above ", &rules->above);
    bound_add(note, "below ", &rules->below);
    bound_add(note, "a multiple of ", &rules->multiple);
}

/* The noun is in the plural: "1 characters" loses its end. */
static void count_add(struct note *note, uint64_t least, uint64_t most, const char *plural)
{
    bool is_one = most == 1 || (most == LIMIT_NONE && least == 1);
    char noun[16];

    (void)snprintf(noun, sizeof noun, "%.*s", (int)(strlen(plural) - is_one), plural);
    if (least > 0 && most != LIMIT_NONE && least == most)
        buffer_format(limit(note), "%" PRIu64 " %s", least, noun);
    else if (least > 0 && most != LIMIT_NONE)
        buffer_format(limit(note), "%" PRIu64 " to %" PRIu64 " %s", least, most, noun);
    else if (least > 0)
        buffer_format(limit(note), "at least %" PRIu64 " %s", least, noun);
    else if (most != LIMIT_NONE)
        buffer_format(limit(note), "at most %" PRIu64 " %s", most, noun);
}

static void string_add(struct note *note, const struct string_rules *rules)
{
    count_add(note, rules->min_length, rules->max_length, "characters");
    if (rules->format != NULL)
        buffer_text(limit(note), rules->format->noun);
    if (rules->pattern != NULL && pattern_text(rules->pattern).size <= PATTERN_SHOWN_BYTES)
        buffer_format(limit(note), "matches %.*s", SLICE_ARG(pattern_text(rules->pattern)));
}

static void enumeration_add(struct note *note, const struct enumeration *all)
{
    struct buffer *out = limit(note);

    buffer_text(out, "one of");
    for (uint32_t i = 0; i < all->count && i < 12; i++) {
        buffer_text(out, i > 0 ? ", " : " ");
        json_add(out, &all->written[i]);
    }
    if (all->count > 12)
        buffer_text(out, " ...");
}

static void schema_add(struct note *note, const struct schema *schema,
                       const struct shape *shape)
{
    if (schema->number != NULL)
        number_add(note, schema->number);
    if (schema->string != NULL)
        string_add(note, schema->string);
    if (schema->list != NULL && shape->kind != SHAPE_STRUCT)
        count_add(note, schema->list->min_items, schema->list->max_items, "items");
    if (schema->enumeration != NULL && shape->kind != SHAPE_ENUM)
        enumeration_add(note, schema->enumeration);
}

static void value_add_hints(struct note *note, const struct shape *shape)
{
    if (shape->item != NULL)
        buffer_format(limit(note), "a map: %.*s_of() reads a member",
                      SLICE_ARG(shape->item->name));
    if (shape->behind != NULL)
        buffer_format(limit(note), "%.*s_of() reads it", SLICE_ARG(shape->behind->name));
}

static void field_add(struct note *note, const struct field *field)
{
    const struct shape *shape = field->type.shape;

    if (shape->kind == SHAPE_CONST) {
        struct buffer *out = limit(note);
        buffer_text(out, "always ");
        json_add(out, shape->constant);
    }
    if (shape->kind == SHAPE_VALUE)
        value_add_hints(note, shape);
    if (field->type.is_nullable && shape->kind != SHAPE_CONST)
        buffer_text(limit(note), "may be null");
    if (field->key.size > 0 && !slice_equal(field->key, field->name))
        buffer_format(limit(note), "\"%.*s\" in the document", SLICE_ARG(field->key));
}

struct slice note_of(struct arena *arena, const struct schema *schema,
                     const struct field *field)
{
    static const struct shape anything = { .kind = SHAPE_STRUCT };
    const struct schema *behind = schema == NULL ? NULL : schema_behind(schema);
    const struct shape *shape = field == NULL ? &anything : field->type.shape;
    struct note note = { 0 };

    if (schema != NULL)
        buffer_slice(&note.text,
                     schema->description.size > 0 ? schema->description : behind->description);
    while (note.text.size > 0 && strchr(" \n.", note.text.data[note.text.size - 1]) != NULL)
        note.text.size--;
    if (schema != NULL && field != NULL)
        schema_add(&note, behind, shape);
    if (field != NULL)
        field_add(&note, field);
    if (schema != NULL && field != NULL && schema_default(schema) != NULL) {
        struct buffer *out = limit(&note);
        buffer_text(out, "default ");
        json_add(out, schema_default(schema));
    }
    if (schema != NULL && (schema->is_secret || behind->is_secret))
        buffer_text(limit(&note), "secret");
    if (note.is_open)
        buffer_byte(&note.text, ')');
    struct slice text = arena_copy(arena, buffer_view(&note.text));
    buffer_finish(&note.text);
    return text;
}
