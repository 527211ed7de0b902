/*
 * The JSON library refuses integers beyond int64_t, but JavaScript writes 2^63 as one, and our
 * own msgpack may hold a uint64_t. A text that is refused for this is read again with "e0"
 * after each of them, which makes it a real. What such a real was, and that no double keeps its
 * digits, is kept beside, by counting reals: the library keeps the order of the text.
 */
#include "json_number.h"

#include "codec/digits.h"

#include <stdbool.h>

static bool number_starts(char c)
{
    return (c >= '0' && c <= '9') || c == '-';
}

static bool number_goes_on(char c)
{
    return number_starts(c) || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* The size of the string whose opening quote is at `text.data[0]`. */
static size_t string_size(struct slice text)
{
    size_t size = 1;

    while (size < text.size && text.data[size] != '"')
        size += text.data[size] == '\\' ? 2 : 1;
    return size < text.size ? size + 1 : text.size;
}

static void mark_add(struct arena *arena, struct json_marks *marks, struct json_mark mark)
{
    if (marks->count == marks->capacity) {
        const struct json_mark *old = marks->items;
        marks->capacity = marks->capacity == 0 ? 16 : marks->capacity * 2;
        marks->items = ARENA_ARRAY(arena, struct json_mark, marks->capacity);
        if (marks->count > 0)
            memcpy(marks->items, old, marks->count * sizeof *old);
    }
    marks->items[marks->count++] = mark;
}

static bool is_real(struct slice token)
{
    for (size_t i = 0; i < token.size; i++)
        if (token.data[i] == '.' || (token.data[i] | 0x20) == 'e')
            return true;
    return false;
}

/* Above INT64_MAX; that it has no flaw is known. */
static bool is_big(struct slice token, uint64_t *number)
{
    *number = 0;
    if (token.data[0] == '-')
        return false;
    for (size_t i = 0; i < token.size; i++)
        *number = *number * 10 + (uint64_t)(token.data[i] - '0');
    return *number > INT64_MAX;
}

/* `out` may be NULL. */
static void number_mark(struct arena *arena, struct slice token, uint32_t *reals,
                        struct buffer *out, struct json_marks *marks)
{
    enum { SURE_BYTES = 16 }; /* no flaw fits into so few */
    bool real = is_real(token);
    struct json_mark mark = { .at = *reals };

    if (token.size > SURE_BYTES || real)
        mark.flaw = digits_flaw(token);
    bool is_marked =
        mark.flaw != NULL || (!real && token.size > SURE_BYTES && is_big(token, &mark.number));
    if (is_marked)
        mark_add(arena, marks, mark);
    *reals += real || is_marked;
    if (out != NULL && is_marked)
        buffer_text(out, "0e0");
    else if (out != NULL)
        buffer_slice(out, token);
}

void json_numbers_mark(struct arena *arena, struct slice text, struct buffer *out,
                       struct json_marks *marks)
{
    uint32_t reals = 0;
    size_t at = 0;

    while (at < text.size) {
        struct slice token = { text.data + at, 1 };
        if (number_starts(token.data[0])) {
            while (at + token.size < text.size && number_goes_on(token.data[token.size]))
                token.size++;
            number_mark(arena, token, &reals, out, marks);
        } else {
            if (token.data[0] == '"')
                token.size = string_size((struct slice){ token.data, text.size - at });
            if (out != NULL)
                buffer_slice(out, token);
        }
        at += token.size;
    }
}
