/*
 * Escapes and classes. Characters are written as \x{...}, but for letters and digits, so that
 * nothing of them can mean something to PCRE2. Half a surrogate pair is a character to
 * JavaScript; in UTF-8 it never comes, so it is left out of classes, and alone matches nothing.
 */
#include "schema/format/regex_reader.h"

/* PCRE2 makes a failure of [] even where it may be repeated no times; not so of this. */
#define NOTHING "(?:[])"

enum { SURROGATE_FIRST = 0xd800, SURROGATE_TRAIL = 0xdc00, SURROGATE_LAST = 0xdfff };

/* JavaScript's white space and line ends; and all but those. */
static const char spaces[] =
    "\\x{9}-\\x{d} \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}"
    "\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
static const char others[] =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}!-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{"
    "2027}"
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{d7ff}"
    "\\x{e000}-\\x{fefe}\\x{ff00}-\\x{10ffff}";

static bool surrogate_is(uint32_t code)
{
    return code >= SURROGATE_FIRST && code <= SURROGATE_LAST;
}

static bool word_is(uint32_t code)
{
    return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
           (code >= 'A' && code <= 'Z');
}

void regex_code_write(struct regex_reader *reader, uint32_t code)
{
    if (reader->out == NULL)
        return;
    if (surrogate_is(code))
        buffer_text(reader->out, NOTHING);
    else if (word_is(code))
        buffer_byte(reader->out, (char)code);
    else
        buffer_format(reader->out, "\\x{%x}", (unsigned)code);
}

/* ---- numbers ----------------------------------------------------------------------------- */

static bool hex_take(struct regex_reader *reader, uint32_t *digit)
{
    static const char digits[] = "0123456789abcdef";

    if (reader->at == reader->text.size)
        return false;
    char c = reader->text.data[reader->at];
    const char *found = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);
    if (found == NULL)
        return false;
    *digit = (uint32_t)(found - digits);
    reader->at++;
    return true;
}

static bool hexes_take(struct regex_reader *reader, int count, uint32_t *code)
{
    uint32_t digit;

    for (*code = 0; count > 0; count--) {
        if (!hex_take(reader, &digit))
            return false;
        *code = *code * 16 + digit;
    }
    return true;
}

static bool braced_take(struct regex_reader *reader, uint32_t *code)
{
    uint32_t digit;
    size_t start = reader->at;

    for (*code = 0; hex_take(reader, &digit);) {
        *code = *code * 16 + digit;
        if (*code > 0x10ffff)
            return false;
    }
    return reader->at > start && regex_take(reader, '}');
}

bool regex_unicode_take(struct regex_reader *reader, uint32_t *code)
{
    size_t start = reader->at;
    uint32_t trail;

    if (regex_take(reader, '{')) {
        if (braced_take(reader, code))
            return true;
        return regex_refuse(reader, start, "\\u{ needs up to 10FFFF in hex digits and a }");
    }
    if (!hexes_take(reader, 4, code))
        return regex_refuse(reader, start, "\\u needs four hex digits, or some in { }");
    start = reader->at;
    if (!surrogate_is(*code) || *code >= SURROGATE_TRAIL || !regex_take(reader, '\\'))
        return true;
    if (regex_take(reader, 'u') && hexes_take(reader, 4, &trail) && surrogate_is(trail) &&
        trail >= SURROGATE_TRAIL)
        *code = 0x10000 + ((*code - SURROGATE_FIRST) << 10) + (trail - SURROGATE_TRAIL);
    else
        reader->at = start; /* two characters */
    return true;
}

/* ---- escapes ----------------------------------------------------------------------------- */

static bool property_take(struct regex_reader *reader, bool is_negative)
{
    const char *text = reader->text.data;
    size_t start = reader->at, end = start;
    struct buffer word = { 0 };
    bool is_inverse = false, is_known = false;

    while (end < reader->text.size && text[end] != '}')
        end++;
    if (!regex_peek(reader, '{') || end == reader->text.size)
        return regex_refuse(reader, start, "\\p and \\P need a property in { }, like \\p{L}");
    struct slice name = { text + start + 1, end - start - 1 }, value = { 0 };
    const char *equals = memchr(name.data, '=', name.size);
    if (equals != NULL) {
        value = (struct slice){ equals + 1, name.size - (size_t)(equals - name.data) - 1 };
        name.size = (size_t)(equals - name.data);
    }
    reader->at = end + 1;
    bool is_found = regex_property(&word, name, value, &is_inverse, &is_known);
    if (is_found && reader->out != NULL)
        buffer_format(reader->out, "\\%c{%.*s}", is_negative != is_inverse ? 'P' : 'p',
                      SLICE_ARG(buffer_view(&word)));
    buffer_finish(&word);
    if (is_found)
        return true;
    (void)regex_refuse(reader, start + 1,
                       is_known ? "this property is not to be had here"
                                : "there is no such property (JavaScript's names, as in "
                                  "\\p{Lu}, \\p{Script=Greek}, \\p{Alphabetic})");
    reader->fault->is_syntax = !is_known;
    return false;
}

/* The sets: \d and its like. *is_set is false when it is none. */
static bool set_take(struct regex_reader *reader, bool is_inside, bool *is_set)
{
    char c = reader->text.data[reader->at];

    *is_set = c != '\0' && strchr("dDwWsSpP", c) != NULL;
    if (!*is_set)
        return true;
    reader->at++;
    if (c == 'p' || c == 'P')
        return property_take(reader, c == 'P');
    if (c == 's' || c == 'S') {
        regex_write(reader, is_inside ? "" : "[");
        regex_write(reader, c == 's' ? spaces : others);
        regex_write(reader, is_inside ? "" : "]");
    } else { /* without PCRE2_UCP these are ASCII's */
        regex_write(reader, (const char[]){ '\\', c, '\0' });
    }
    return true;
}

static bool control_take(struct regex_reader *reader, uint32_t *code)
{
    static const char names[] = "tnvfr", codes[] = "\t\n\v\f\r";
    char c = reader->text.data[reader->at++];
    const char *found = c == '\0' ? NULL : strchr(names, c);

    *code = found == NULL ? 0 : (uint32_t)codes[found - names];
    return found != NULL;
}

/* One character; the backslash is behind us, and something follows. */
static bool character_take(struct regex_reader *reader, bool is_inside, uint32_t *code)
{
    size_t start = reader->at;
    char c = reader->text.data[start], next = '\0';

    if (control_take(reader, code))
        return true;
    if (reader->at < reader->text.size)
        next = reader->text.data[reader->at];
    if (c == 'c') {
        if (!word_is((uint32_t)next) || (next >= '0' && next <= '9'))
            return regex_refuse(reader, start, "\\c needs a letter after it");
        reader->at++;
        *code = (uint32_t)next % 32;
        return true;
    }
    if (c == '0') {
        if (next >= '0' && next <= '9')
            return regex_refuse(reader, start, "octal numbers are \\x41, or \\u0041");
        return true; /* *code is 0 */
    }
    if (c == 'x')
        return hexes_take(reader, 2, code) ||
               regex_refuse(reader, start, "\\x needs two hex digits");
    if (c == 'u')
        return regex_unicode_take(reader, code);
    *code = is_inside && c == 'b' ? '\b' : (uint32_t)(unsigned char)c;
    if (c != '\0' &&
        (strchr("^$\\.*+?()[]{}|/", c) != NULL || (is_inside && (c == '-' || c == 'b'))))
        return true;
    return regex_refuse(reader, start,
                        is_inside ? "there is no such escape in [ ]"
                                  : "there is no such escape");
}

bool regex_escape(struct regex_reader *reader)
{
    bool is_set;
    uint32_t code;

    if (!set_take(reader, false, &is_set))
        return false;
    if (is_set)
        return true;
    if (!character_take(reader, false, &code))
        return false;
    regex_code_write(reader, code);
    return true;
}

/* ---- classes ----------------------------------------------------------------------------- */

/* *is_set: it was \d or its like, and is written. */
static bool member_take(struct regex_reader *reader, uint32_t *code, bool *is_set)
{
    *is_set = false;
    if (!regex_take(reader, '\\')) {
        *code = regex_code_take(reader);
        return true;
    }
    if (reader->at == reader->text.size)
        return regex_refuse(reader, reader->at, "a \\ at the end");
    return set_take(reader, true, is_set) && (*is_set || character_take(reader, true, code));
}

static void range_write(struct regex_reader *reader, uint32_t first, uint32_t last)
{
    if (first > last)
        return;
    regex_code_write(reader, first);
    if (first == last)
        return;
    regex_write(reader, "-");
    regex_code_write(reader, last);
}

static bool range_take(struct regex_reader *reader)
{
    size_t start = reader->at;
    uint32_t first = 0, last = 0;
    bool is_set, is_last_set = false;

    if (!member_take(reader, &first, &is_set))
        return false;
    last = first;
    if (regex_peek(reader, '-') && !regex_starts(reader, "-]") &&
        reader->at + 1 < reader->text.size) {
        reader->at++;
        if (!member_take(reader, &last, &is_last_set))
            return false;
        if (is_set || is_last_set)
            return regex_refuse(reader, start, "a set like \\d cannot be an end of a range");
        if (first > last)
            return regex_refuse(reader, start, "the range is out of order");
    }
    if (is_set)
        return true;
    uint32_t low = last < SURROGATE_FIRST ? last : SURROGATE_FIRST - 1;
    uint32_t high = first > SURROGATE_LAST ? first : SURROGATE_LAST + 1;
    range_write(reader, first, low);
    range_write(reader, high, last);
    return true;
}

bool regex_class(struct regex_reader *reader)
{
    size_t start = reader->at - 1;

    size_t before = reader->out == NULL ? 0 : reader->out->size;
    bool is_negative = regex_take(reader, '^');

    regex_write(reader, is_negative ? "[^" : "[");
    while (!regex_take(reader, ']')) {
        if (reader->at == reader->text.size)
            return regex_refuse(reader, start, "this [ has no ]");
        if (!range_take(reader))
            return false;
    }
    if (!is_negative && reader->out != NULL && reader->out->size == before + 1) {
        reader->out->size = before;
        buffer_text(reader->out, NOTHING);
    } else {
        regex_write(reader, "]");
    }
    return true;
}
