/*
 * The grammar of ECMAScript 2024 with the `u` flag, read by descent:
 *
 *   alternatives ── sequence ─┬─ assertion          ^ $ \b (?= (?<! …
 *                             └─ atom [quantifier]  a . [a-z] \d ( … ) \1
 *
 * A pattern is walked twice. The first walk finds what is no pattern, and collects groups and
 * references; the second writes it for PCRE2. Groups that nobody refers to capture nothing
 * there; regex_reference.c sees to the others.
 */
#include "schema/format/regex.h"

#include "schema/format/regex_reader.h"

#include <stdio.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What a sequence is made of. */
struct piece {
    struct regex_group *group; /* NULL: no group */
    bool can_repeat, can_be_empty;
};

static bool alternatives_read(struct regex_reader *reader);

bool regex_refuse(struct regex_reader *reader, size_t offset, const char *text)
{
    reader->fault->offset = offset;
    reader->fault->is_syntax = true;
    (void)snprintf(reader->fault->text, sizeof reader->fault->text, "%s", text);
    return false;
}

bool regex_cannot(struct regex_reader *reader, size_t offset, const char *text)
{
    (void)regex_refuse(reader, offset, text);
    reader->fault->is_syntax = false;
    return false;
}

void regex_write(struct regex_reader *reader, const char *text)
{
    if (reader->out != NULL)
        buffer_text(reader->out, text);
}

uint32_t regex_code_take(struct regex_reader *reader)
{
    const unsigned char *bytes = (const unsigned char *)reader->text.data + reader->at;
    uint32_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    uint32_t code = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);

    for (uint32_t i = 1; i < size; i++)
        code = code << 6 | (bytes[i] & 0x3f);
    reader->at += size;
    return code;
}

bool regex_number_take(struct regex_reader *reader, uint64_t *number)
{
    size_t start = reader->at;

    for (*number = 0; reader->at < reader->text.size; reader->at++) {
        char c = reader->text.data[reader->at];
        if (c < '0' || c > '9')
            break;
        bool is_large = *number > (UINT64_MAX - 9) / 10;
        *number = is_large ? UINT64_MAX - 1 : *number * 10 + (uint64_t)(c - '0');
    }
    return reader->at > start;
}

/* ---- groups ------------------------------------------------------------------------------ */

/* Names are identifiers: Unicode says of what. */
static bool name_fits(struct slice name)
{
    static const char letters[] = "^[\\p{ID_Start}$_][\\p{ID_Continue}$\\x{200c}\\x{200d}]*+$";
    int error;
    size_t offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)letters, sizeof letters - 1,
                                     PCRE2_UTF | PCRE2_DOLLAR_ENDONLY, &error, &offset, NULL);
    pcre2_match_data *data = code == NULL ? NULL : pcre2_match_data_create(1, NULL);
    bool fits = data != NULL &&
                pcre2_match(code, (PCRE2_SPTR)name.data, name.size, 0, 0, data, NULL) >= 0;

    pcre2_match_data_free(data);
    pcre2_code_free(code);
    return fits;
}

static void utf8_add(struct buffer *out, uint32_t code)
{
    static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    int size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    buffer_byte(out, (char)(leads[size] | code >> (6 * (size - 1))));
    for (int i = size - 2; i >= 0; i--)
        buffer_byte(out, (char)(0x80 | (code >> (6 * i) & 0x3f)));
}

/* What stands in < >, after its <. */
static bool name_take(struct regex_reader *reader, struct slice *name)
{
    struct buffer text = { 0 };
    size_t start = reader->at;
    bool fits = true;

    while (fits && reader->at < reader->text.size && !regex_peek(reader, '>')) {
        uint32_t code;
        if (!regex_take(reader, '\\'))
            code = regex_code_take(reader);
        else if (!regex_take(reader, 'u') || !regex_unicode_take(reader, &code))
            fits = false;
        if (fits)
            utf8_add(&text, code);
    }
    fits = fits && regex_take(reader, '>') &&
           (reader->out != NULL || name_fits(buffer_view(&text)));
    *name = arena_copy(reader->arena, buffer_view(&text));
    buffer_finish(&text);
    return fits || regex_refuse(reader, start,
                                "a group's name is letters, digits, _ and $, "
                                "not a digit first, and ends in >");
}

static bool name_is_new(struct regex_reader *reader, const struct regex_group *group)
{
    for (uint32_t i = 0; i < reader->group_count; i++)
        if (&reader->groups[i] != group && reader->groups[i].name.size > 0 &&
            slice_equal(reader->groups[i].name, group->name))
            return false;
    return true;
}

static bool group_name(struct regex_reader *reader, struct regex_group *group)
{
    size_t start = reader->at;
    struct slice name;

    if (!name_take(reader, &name))
        return false;
    group->name = name;
    group->capture = ++reader->capture_count;
    if (reader->out == NULL && !name_is_new(reader, group))
        return regex_refuse(reader, start, "two groups have this name");
    return true;
}

/*
 * PCRE2 wants to know how far to look behind. Where it cannot, what (?<=x) means is said in
 * steps: x ends here, or so it does from one character further to the left. "Here" is where the
 * rest of the text is what it was at the beginning.
 *
 *   (?=([^]*)) (?=( (?= (?:x) (?=\g{1}\z) ) | (?<= (?=(?2)) [^] ) ))
 */
static void steps_begin(struct regex_reader *reader, const struct regex_group *group)
{
    if (reader->out != NULL)
        buffer_format(reader->out, "(?=([^]*))(?%c((?=(?:", group->is_negative ? '!' : '=');
}

static void steps_end(struct regex_reader *reader, const struct regex_group *group)
{
    if (reader->out != NULL)
        buffer_format(reader->out, ")(?=\\g{%u}\\z))|(?<=(?=(?%u))[^])))", group->written,
                      group->written + 1);
}

/* What kind of group it is, after its parenthesis; look-arounds are written here. */
static bool group_begin(struct regex_reader *reader, struct regex_group *group, bool *is_look)
{
    static const char *const looks[] = { "?=", "?!", "?<=", "?<!" };

    *is_look = false;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        if (regex_starts(reader, looks[i])) {
            reader->at += strlen(looks[i]);
            *is_look = true;
            group->is_negative = i % 2 == 1;
            group->is_behind = i >= 2;
            if (group->is_behind && group->written > 0) {
                steps_begin(reader, group);
            } else {
                regex_write(reader, "(");
                regex_write(reader, looks[i]);
            }
            return true;
        }
    if (regex_starts(reader, "?:")) {
        reader->at += 2;
    } else if (regex_starts(reader, "?<")) {
        reader->at += 2;
        if (!group_name(reader, group))
            return false;
    } else if (regex_peek(reader, '?')) {
        return regex_refuse(reader, reader->at, "after (? comes one of : = ! <= <! <name>");
    } else {
        group->capture = ++reader->capture_count;
    }
    regex_write(reader, group->written > 0 ? "(" : "(?:");
    return true;
}

/* After its parenthesis. Both walks come by the same groups in the same order. */
static bool group_read(struct regex_reader *reader, struct piece *piece)
{
    struct regex_group *group = &reader->groups[reader->group_count++];
    struct regex_group *outer = reader->inside;
    uint32_t alternative = reader->alternative;
    size_t start = reader->at - 1;
    bool is_look;

    if (++reader->depth > REGEX_MAX_DEPTH)
        return regex_cannot(reader, start, "groups inside groups, more than 200 deep");
    if (!group_begin(reader, group, &is_look))
        return false;
    group->outer = outer;
    group->alternative = alternative;
    group->least = group->most = 1;
    group->start = reader->at;
    reader->inside = group;
    if (!alternatives_read(reader))
        return false;
    if (!regex_take(reader, ')'))
        return regex_refuse(reader, start, "this ( has no )");
    group->end = reader->at;
    reader->inside = outer;
    reader->alternative = alternative;
    reader->depth--;
    if (is_look && group->is_behind && group->written > 0)
        steps_end(reader, group);
    else
        regex_write(reader, ")");
    *piece = (struct piece){ group, !is_look, is_look || group->can_be_empty };
    return true;
}

/* \1 or \k<name>, after the backslash. */
static bool reference_read(struct regex_reader *reader)
{
    struct regex_reference *reference = &reader->references[reader->reference_count++];

    reference->at = reader->at;
    reference->inside = reader->inside;
    reference->alternative = reader->alternative;
    if (!regex_take(reader, 'k'))
        (void)regex_number_take(reader, &reference->capture); /* there is a digit */
    else if (!regex_take(reader, '<'))
        return regex_refuse(reader, reader->at, "\\k needs a group's name in < >");
    else if (!name_take(reader, &reference->name))
        return false;
    if (reader->out != NULL)
        buffer_format(reader->out, "(?:\\g{%u})", reference->group->written);
    return true;
}

/* ---- the grammar ------------------------------------------------------------------------- */

static bool escape_read(struct regex_reader *reader, struct piece *piece)
{
    if (reader->at == reader->text.size)
        return regex_refuse(reader, reader->at, "a \\ at the end");
    char c = reader->text.data[reader->at];
    if (c == 'b' || c == 'B') {
        reader->at++;
        regex_write(reader, c == 'b' ? "\\b" : "\\B");
        *piece = (struct piece){ .can_be_empty = true };
        return true;
    }
    if (c == 'k' || (c >= '1' && c <= '9')) {
        piece->can_be_empty = true;
        return reference_read(reader);
    }
    return regex_escape(reader);
}

static bool piece_read(struct regex_reader *reader, struct piece *piece)
{
    size_t start = reader->at;
    char c = reader->text.data[start];

    *piece = (struct piece){ .can_repeat = true };
    if (c != '\0' && strchr("^$.([\\", c) != NULL)
        reader->at++;
    switch (c) {
    case '^':
    case '$':
        *piece = (struct piece){ .can_be_empty = true };
        regex_write(reader, c == '^' ? "^" : "$");
        return true;
    case '.':
        regex_write(reader, "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]");
        return true;
    case '(':
        return group_read(reader, piece);
    case '[':
        return regex_class(reader);
    case '\\':
        return escape_read(reader, piece);
    case '*':
    case '+':
    case '?':
    case '{':
        return regex_refuse(reader, start, "there is nothing here to repeat");
    case '}':
    case ']':
        return regex_refuse(reader, start, "a } or ] of its own needs a \\ before it");
    default:
        regex_code_write(reader, regex_code_take(reader));
        return true;
    }
}

/* How often, if anything is said about it. */
static bool quantifier_take(struct regex_reader *reader, uint64_t *least, uint64_t *most)
{
    size_t start = reader->at;

    *least = 0;
    *most = UINT64_MAX;
    if (regex_take(reader, '?')) {
        *most = 1;
    } else if (regex_take(reader, '+')) {
        *least = 1;
    } else if (regex_take(reader, '{')) {
        if (!regex_number_take(reader, least))
            return regex_refuse(reader, start, "after a { comes {2}, {2,} or {2,5}");
        if (!regex_take(reader, ','))
            *most = *least;
        else if (!regex_peek(reader, '}') && !regex_number_take(reader, most))
            return regex_refuse(reader, start, "after a { comes {2}, {2,} or {2,5}");
        if (!regex_take(reader, '}'))
            return regex_refuse(reader, start, "after a { comes {2}, {2,} or {2,5}");
        if (*least > *most)
            return regex_refuse(reader, start, "the numbers in { } are out of order");
        if (*least > REGEX_MAX_REPEATS || (*most > REGEX_MAX_REPEATS && *most != UINT64_MAX))
            return regex_cannot(reader, start, "repeats are counted up to 65535");
    } else {
        (void)regex_take(reader, '*'); /* there is one */
    }
    (void)regex_take(reader, '?');
    if (reader->out != NULL)
        buffer_add(reader->out, reader->text.data + start, reader->at - start);
    return true;
}

static bool quantified_read(struct regex_reader *reader, struct piece *piece)
{
    uint64_t least, most;

    if (reader->out != NULL && reader->out->size <= reader->mark)
        reader->mark_at = reader->at;
    if (!piece_read(reader, piece))
        return false;
    if (reader->at == reader->text.size || reader->text.data[reader->at] == '\0' ||
        strchr("*+?{", reader->text.data[reader->at]) == NULL)
        return true;
    if (!piece->can_repeat)
        return regex_refuse(reader, reader->at, "^, $, \\b and look-arounds cannot repeat");
    if (!quantifier_take(reader, &least, &most))
        return false;
    if (piece->group != NULL) {
        piece->group->least = least;
        piece->group->most = most;
    }
    piece->can_be_empty = piece->can_be_empty || least == 0;
    return true;
}

static bool alternatives_read(struct regex_reader *reader)
{
    struct regex_group *inside = reader->inside;
    struct piece piece;

    inside->can_be_empty = false;
    for (reader->alternative = 0;; reader->alternative++) {
        bool can_be_empty = true;
        while (reader->at < reader->text.size && !regex_peek(reader, '|') &&
               !regex_peek(reader, ')')) {
            if (!quantified_read(reader, &piece))
                return false;
            can_be_empty = can_be_empty && piece.can_be_empty;
        }
        inside->can_be_empty = inside->can_be_empty || can_be_empty;
        if (!regex_take(reader, '|'))
            break;
        regex_write(reader, "|");
    }
    inside->alternatives = reader->alternative + 1;
    return true;
}

/* ---- both walks -------------------------------------------------------------------------- */

static bool pattern_read(struct regex_reader *reader)
{
    reader->at = 0;
    reader->depth = reader->capture_count = reader->reference_count = 0;
    reader->group_count = 1;
    reader->inside = &reader->groups[0];
    reader->inside->least = reader->inside->most = 1;
    if (!alternatives_read(reader))
        return false;
    return reader->at == reader->text.size ||
           regex_refuse(reader, reader->at, "this ) has no (");
}

static bool pattern_translate(struct regex_reader *reader, struct buffer *out)
{
    size_t parentheses = 0, escapes = 0;

    for (size_t i = 0; i < reader->text.size; i++) {
        parentheses += reader->text.data[i] == '(';
        escapes += reader->text.data[i] == '\\';
    }
    reader->groups = ARENA_ARRAY(reader->arena, struct regex_group, parentheses + 1);
    reader->references = ARENA_ARRAY(reader->arena, struct regex_reference, escapes + 1);
    if (!pattern_read(reader) || !regex_resolve(reader))
        return false;
    reader->out = out;
    return pattern_read(reader);
}

bool regex_translate(struct buffer *out, struct slice text, bool is_stepping,
                     struct regex_fault *fault)
{
    struct arena arena = { 0 };
    struct regex_reader reader = {
        .text = text, .arena = &arena, .fault = fault, .is_stepping = is_stepping
    };
    bool fits;

    fault->text[0] = '\0';
    if (text.size > REGEX_MAX_BYTES)
        fits = regex_cannot(&reader, REGEX_MAX_BYTES, "longer than 16384 bytes");
    else
        fits = pattern_translate(&reader, out);
    arena_finish(&arena);
    return fits;
}

size_t regex_place(struct slice text, bool is_stepping, size_t written)
{
    struct arena arena = { 0 };
    struct buffer out = { 0 };
    struct regex_fault fault;
    struct regex_reader reader = { .text = text,
                                   .arena = &arena,
                                   .fault = &fault,
                                   .is_stepping = is_stepping,
                                   .mark = written };

    (void)pattern_translate(&reader, &out); /* it was fine before */
    buffer_finish(&out);
    arena_finish(&arena);
    return reader.mark_at;
}
