/*
 * The JSON library refuses integers beyond int64_t, but JavaScript writes 2^63 as one, and our
 * own msgpack may hold a uint64_t. A text that is refused for this is read again with "e0"
 * after each of them, which makes it a real, the nearest double. Those that fit a uint64_t are
 * kept beside, by counting reals: the library keeps the order of the text.
 */
#include "json_big.h"

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

/* False for a real, and for what is no number at all. */
static bool integer_read(struct slice token, bool *fits, uint64_t *number)
{
    *fits = true;
    *number = 0;
    for (size_t i = token.data[0] == '-'; i < token.size; i++) {
        unsigned digit = (unsigned)(token.data[i] - '0');
        if (digit > 9)
            return false;
        *fits &= !__builtin_mul_overflow(*number, 10, number) &&
                 !__builtin_add_overflow(*number, digit, number);
    }
    return true;
}

static void big_add(struct arena *arena, struct json_bigs *bigs, uint32_t at, uint64_t number)
{
    if (bigs->count == bigs->capacity) {
        const struct json_big *old = bigs->items;
        bigs->capacity = bigs->capacity == 0 ? 16 : bigs->capacity * 2;
        bigs->items = ARENA_ARRAY(arena, struct json_big, bigs->capacity);
        if (bigs->count > 0)
            memcpy(bigs->items, old, bigs->count * sizeof *old);
    }
    bigs->items[bigs->count++] = (struct json_big){ at, number };
}

void json_big_rewrite(struct arena *arena, struct slice text, struct buffer *out,
                      struct json_bigs *bigs)
{
    uint32_t reals = 0;
    size_t at = 0;

    while (at < text.size) {
        struct slice token = { text.data + at, 1 };
        uint64_t number;
        bool fits;
        if (token.data[0] == '"') {
            token.size = string_size((struct slice){ token.data, text.size - at });
            buffer_slice(out, token);
        } else if (!number_starts(token.data[0])) {
            buffer_slice(out, token);
        } else {
            bool negative = token.data[0] == '-';
            while (at + token.size < text.size && number_goes_on(token.data[token.size]))
                token.size++;
            buffer_slice(out, token);
            if (!integer_read(token, &fits, &number)) {
                reals++;
            } else if (!fits || number > (uint64_t)INT64_MAX + negative) {
                if (fits && !negative)
                    big_add(arena, bigs, reals, number);
                reals++;
                buffer_text(out, "e0");
            }
        }
        at += token.size;
    }
}
