#include "cli/output/text.h"

#include <wchar.h>

/* Sequence length by the first byte, and the smallest code point that may use it. */
static uint32_t sequence_size(unsigned char first, uint32_t *least, uint32_t *bits)
{
    if (first < 0x80) {
        *least = 0, *bits = first;
        return 1;
    }
    if ((first & 0xE0) == 0xC0) {
        *least = 0x80, *bits = first & 0x1Fu;
        return 2;
    }
    if ((first & 0xF0) == 0xE0) {
        *least = 0x800, *bits = first & 0x0Fu;
        return 3;
    }
    if ((first & 0xF8) == 0xF0) {
        *least = 0x10000, *bits = first & 0x07u;
        return 4;
    }
    return 0;
}

static uint32_t skip_byte(struct slice *text, bool *valid)
{
    text->data++;
    text->size--;
    *valid = false;
    return 0xFFFD;
}

uint32_t text_next(struct slice *text, bool *valid)
{
    uint32_t least = 0, point = 0;
    uint32_t size = sequence_size((unsigned char)text->data[0], &least, &point);

    if (size == 0 || size > text->size)
        return skip_byte(text, valid);
    for (uint32_t i = 1; i < size; i++) {
        unsigned char byte = (unsigned char)text->data[i];
        if ((byte & 0xC0) != 0x80)
            return skip_byte(text, valid);
        point = point << 6 | (byte & 0x3Fu);
    }
    if (point < least || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return skip_byte(text, valid);
    text->data += size;
    text->size -= size;
    *valid = true;
    return point;
}

uint32_t text_width(struct slice text)
{
    uint32_t columns = 0;

    while (text.size > 0) {
        bool valid;
        int width = wcwidth((wchar_t)text_next(&text, &valid));
        columns += width < 0 ? 1 : (uint32_t)width; /* the locale does not know it */
    }
    return columns;
}

/* Invisible ones that reorder or hide what stands beside them, and line ends other than ours.
 */
static bool is_deceptive(uint32_t point)
{
    return (point >= 0x80 && point <= 0x9F) || (point >= 0x200B && point <= 0x200F) ||
           (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x2069) ||
           point == 0x061C || point == 0xFEFF || (point >= 0xFFF9 && point <= 0xFFFB) ||
           (point >= 0xE0000 && point <= 0xE007F);
}

static void add_escape(struct buffer *out, uint32_t point)
{
    switch (point) {
    case '\n':
        buffer_text(out, "\\n");
        return;
    case '\t':
        buffer_text(out, "\\t");
        return;
    case '\r':
        buffer_text(out, "\\r");
        return;
    default:
        buffer_format(out, point < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)point);
    }
}

void text_add_safe(struct buffer *out, struct slice text, bool keep_lines)
{
    while (text.size > 0) {
        const char *start = text.data;
        bool valid;
        uint32_t point = text_next(&text, &valid);
        if (!valid)
            buffer_format(out, "\\x%02x", (unsigned)(unsigned char)*start);
        else if (keep_lines && (point == '\n' || point == '\t'))
            buffer_byte(out, (char)point);
        else if (point < 0x20 || point == 0x7F || is_deceptive(point))
            add_escape(out, point);
        else
            buffer_add(out, start, (size_t)(text.data - start));
    }
}

struct slice text_safe(struct arena *arena, struct slice text)
{
    struct buffer out = { 0 };
    text_add_safe(&out, text, false);
    struct slice safe = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return safe;
}

struct slice text_cut(struct arena *arena, struct slice text, uint32_t columns)
{
    if (text_width(text) <= columns)
        return text;
    if (columns == 0)
        return SLICE("");

    struct slice rest = text;
    uint32_t used = 0;
    const char *end = text.data;
    while (rest.size > 0) {
        bool valid;
        int width = wcwidth((wchar_t)text_next(&rest, &valid));
        used += width < 0 ? 1 : (uint32_t)width;
        if (used > columns - 1)
            break;
        end = rest.data;
    }
    return arena_format(arena, "%.*s…", (int)(end - text.data), text.data);
}
