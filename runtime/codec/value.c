#include "value.h"

#include <math.h>

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = { "null",   "boolean", "integer", "integer", "number",
                                         "string", "bytes",   "array",   "object" };

    return names[kind];
}

const struct value *value_find_slice(const struct value *map, struct slice key)
{
    if (map == NULL || map->kind != VALUE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++)
        if (slice_equal(map->members[i].key, key))
            return &map->members[i].value;
    return NULL;
}

const struct value *value_find(const struct value *map, const char *key)
{
    return value_find_slice(map, slice_of(key));
}

static bool is_number(const struct value *value)
{
    return value->kind == VALUE_INT || value->kind == VALUE_UINT || value->kind == VALUE_DOUBLE;
}

/* Whole doubles compare exactly with integers: 2^53 + 1 is not 2^53. */
static bool number_equal(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_DOUBLE && b->kind != VALUE_DOUBLE)
        return number_equal(b, a);
    if (a->kind == VALUE_DOUBLE)
        return a->number == b->number;
    if (b->kind != VALUE_DOUBLE)
        return a->kind == b->kind && a->big == b->big; /* UINT is beyond every INT */
    if (floor(b->number) != b->number)
        return false;
    if (a->kind == VALUE_INT)
        return b->number >= -0x1p63 && b->number < 0x1p63 && (int64_t)b->number == a->integer;
    return b->number >= 0x1p63 && b->number < 0x1p64 && (uint64_t)b->number == a->big;
}

static bool map_equal(const struct value *a, const struct value *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct value *other = value_find_slice(b, a->members[i].key);
        if (other == NULL || !value_equal(&a->members[i].value, other))
            return false;
    }
    return true;
}

static bool list_equal(const struct value *a, const struct value *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!value_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (is_number(a) && is_number(b))
        return number_equal(a, b);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_STRING:
    case VALUE_BYTES:
        return slice_equal(a->bytes, b->bytes);
    case VALUE_LIST:
        return list_equal(a, b);
    case VALUE_MAP:
        return map_equal(a, b);
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
        break;
    }
    return false;
}

struct value value_string(struct slice text)
{
    return (struct value){ .kind = VALUE_STRING, .bytes = text };
}

struct value value_text(const char *text)
{
    return value_string(slice_of(text));
}

struct value value_int(int64_t number)
{
    return (struct value){ .kind = VALUE_INT, .integer = number };
}

struct value value_bool(bool boolean)
{
    return (struct value){ .kind = VALUE_BOOL, .boolean = boolean };
}

struct value value_double(double number)
{
    return (struct value){ .kind = VALUE_DOUBLE, .number = number };
}

struct value value_list(void)
{
    return (struct value){ .kind = VALUE_LIST };
}

struct value value_map(void)
{
    return (struct value){ .kind = VALUE_MAP };
}

/* Full exactly at 0, 4, 8, 16, …: the capacity follows from the count, and needs no field. A
 * list that a reader made has no spare room, so growing copies it first. */
static bool is_full(uint32_t count)
{
    return count == 0 || (count >= 4 && (count & (count - 1)) == 0);
}

static void *slots_grow(struct arena *arena, const void *slots, uint32_t count, size_t size)
{
    void *grown = arena_alloc(arena, (count < 4 ? 4 : (size_t)count * 2) * size);

    if (count > 0)
        memcpy(grown, slots, count * size);
    return grown;
}

struct value *value_add(struct arena *arena, struct value *list, struct value item)
{
    if (is_full(list->count))
        list->items = slots_grow(arena, list->items, list->count, sizeof item);
    list->items[list->count] = item;
    return &list->items[list->count++];
}

struct value *value_put_slice(struct arena *arena, struct value *map, struct slice key,
                              struct value member)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (slice_equal(map->members[i].key, key)) {
            map->members[i].value = member;
            return &map->members[i].value;
        }
    if (is_full(map->count))
        map->members = slots_grow(arena, map->members, map->count, sizeof(struct member));
    map->members[map->count] = (struct member){ key, member };
    return &map->members[map->count++].value;
}

struct value *value_put(struct arena *arena, struct value *map, const char *key,
                        struct value member)
{
    return value_put_slice(arena, map, slice_of(key), member);
}

void value_remove(struct value *map, struct slice key)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (slice_equal(map->members[i].key, key)) {
            memmove(&map->members[i], &map->members[i + 1],
                    (map->count - i - 1) * sizeof(struct member));
            map->count--;
            return;
        }
}

bool value_fits_depth(const struct value *value, int levels)
{
    bool is_map = value->kind == VALUE_MAP, fits = levels > 0;

    if (!is_map && value->kind != VALUE_LIST)
        return true;
    for (uint32_t i = 0; i < value->count && fits; i++)
        fits =
            value_fits_depth(is_map ? &value->members[i].value : &value->items[i], levels - 1);
    return fits;
}

struct value value_copy(struct arena *arena, const struct value *value)
{
    struct value copy = *value;

    if (value->kind == VALUE_STRING || value->kind == VALUE_BYTES) {
        copy.bytes = arena_copy(arena, value->bytes);
    } else if (value->kind == VALUE_LIST) {
        copy.count = 0;
        for (uint32_t i = 0; i < value->count; i++)
            value_add(arena, &copy, value_copy(arena, &value->items[i]));
    } else if (value->kind == VALUE_MAP) {
        copy.members = slots_grow(arena, NULL, 0, sizeof(struct member));
        copy.count = 0;
        for (uint32_t i = 0; i < value->count; i++) {
            if (is_full(copy.count))
                copy.members =
                    slots_grow(arena, copy.members, copy.count, sizeof(struct member));
            copy.members[copy.count++] =
                (struct member){ arena_copy(arena, value->members[i].key),
                                 value_copy(arena, &value->members[i].value) };
        }
    }
    return copy;
}

/* How many bytes the sequence at `at` has; 0 when it is no well-formed UTF-8. */
static size_t utf8_step(const unsigned char *at, size_t left)
{
    size_t size = at[0] < 0x80   ? 1
                  : at[0] < 0xc2 ? 0
                  : at[0] < 0xe0 ? 2
                  : at[0] < 0xf0 ? 3
                  : at[0] < 0xf5 ? 4
                                 : 0;

    if (size == 0 || size > left)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0; /* overlong, surrogate, beyond U+10FFFF */
    return size;
}

bool utf8_is_valid(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t left = text.size;

    while (left > 0) {
        size_t step = at[0] < 0x80 ? 1 : utf8_step(at, left);
        if (step == 0)
            return false;
        at += step;
        left -= step;
    }
    return true;
}
