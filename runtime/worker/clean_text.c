/* What a plugin says goes to people and databases: as UTF-8, and not deeper than anyone reads.
 */
#include "segment_run.h"

#include <math.h>

/* The length of the good character at the front of `text`; 0: it is none. */
static size_t character_size(struct slice text)
{
    static const unsigned char heads[] = { 0x80, 0xe0, 0xf0, 0xf8 },
                               marks[] = { 0, 0xc0, 0xe0, 0xf0 };

    for (size_t size = 1; size <= 4 && size <= text.size; size++)
        if (((unsigned char)text.data[0] & heads[size - 1]) == marks[size - 1])
            return utf8_is_valid((struct slice){ text.data, size }) ? size : 0;
    return 0;
}

struct slice text_clean(struct arena *arena, struct slice text, size_t limit)
{
    char *clean;
    size_t size = 0;

    if (text.size <= limit && utf8_is_valid(text))
        return text;
    clean = arena_alloc(arena, (text.size < limit ? text.size : limit) + 1);
    for (size_t at = 0; at < text.size;) {
        size_t step = character_size((struct slice){ text.data + at, text.size - at });
        size_t wide = step == 0 ? 1 : step;
        if (size + wide > limit)
            break;
        memcpy(clean + size, step == 0 ? "?" : text.data + at, wide);
        size += wide;
        at += wide;
    }
    return (struct slice){ clean, size };
}

struct slice word_clean(struct arena *arena, struct slice word, size_t limit)
{
    word = text_clean(arena, word, limit);
    char *clean = arena_alloc(arena, word.size + 1);
    for (size_t i = 0; i < word.size; i++)
        clean[i] =
            (unsigned char)word.data[i] < ' ' || word.data[i] == 0x7f ? '?' : word.data[i];
    return (struct slice){ clean, word.size };
}

static uint32_t value_depth(const struct value *value, uint32_t room)
{
    uint32_t deepest = 0, depth;

    if (room == 0 || (value->kind != VALUE_LIST && value->kind != VALUE_MAP))
        return 1;
    for (uint32_t i = 0; i < value->count; i++) {
        depth = value_depth(
            value->kind == VALUE_LIST ? &value->items[i] : &value->members[i].value, room - 1);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static bool value_is_finite(const struct value *value)
{
    bool is_finite = value->kind != VALUE_DOUBLE || isfinite(value->number);

    for (uint32_t i = 0; i < value->count && is_finite; i++)
        if (value->kind == VALUE_LIST || value->kind == VALUE_MAP)
            is_finite = value_is_finite(value->kind == VALUE_LIST ? &value->items[i]
                                                                  : &value->members[i].value);
    return is_finite;
}

bool value_fits(struct segment *segment, const struct value *value, const char *name)
{
    /* The last few levels are for those who put it into something of theirs. */
    const uint32_t most = VALUE_MAX_DEPTH - 8;

    name = name == NULL ? "a value" : name;
    if (value_depth(value, most + 1) <= most)
        return value_is_finite(value) ||
               segment_raise(segment, false, "not_finite",
                             "%s is infinite or not a number (NaN), which no JSON can say",
                             name);
    return segment_raise(segment, false, "too_deep", "%s is nested more than %u levels deep",
                         name, most);
}
