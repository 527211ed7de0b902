#include "engine/metadata.h"

#include "base/name.h"
#include "codec/pack.h"

static double number_of(const struct value *value)
{
    if (value == NULL)
        return 0;
    if (value->kind == VALUE_INT)
        return (double)value->integer;
    return value->kind == VALUE_DOUBLE ? value->number : 0;
}

static void increment(struct arena *arena, struct value *map, struct slice key,
                      const struct value *by)
{
    const struct value *old = value_find_slice(map, key);
    int64_t sum;

    if ((old == NULL || old->kind == VALUE_INT) && by->kind == VALUE_INT &&
        !__builtin_add_overflow(old == NULL ? 0 : old->integer, by->integer, &sum))
        value_put_slice(arena, map, key, value_int(sum));
    else
        value_put_slice(arena, map, key, value_double(number_of(old) + number_of(by)));
}

static void append(struct arena *arena, struct value *map, struct slice key, struct value item)
{
    const struct value *old = value_find_slice(map, key);
    struct value list = value_list();

    if (old != NULL && old->kind == VALUE_LIST)
        for (uint32_t i = 0; i < old->count; i++)
            value_add(arena, &list, old->items[i]);
    else if (old != NULL)
        value_add(arena, &list, *old);
    value_add(arena, &list, item);
    value_put_slice(arena, map, key, list);
}

bool metadata_apply(struct arena *arena, struct slice *packed,
                    const struct frame_meta *operations, uint32_t count, int64_t max_bytes,
                    struct err *err)
{
    struct value map = value_map();

    if (packed->size > 0 && !pack_read(arena, *packed, &map, err))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct frame_meta *operation = &operations[i];
        struct value value = { .kind = VALUE_NULL };
        if (!name_check(NAME_METADATA, operation->key, err))
            return false;
        if (operation->value.size > 0 && !pack_read(arena, operation->value, &value, err))
            return false;
        if (operation->kind == META_SET)
            value_put_slice(arena, &map, operation->key, value);
        else if (operation->kind == META_DELETE)
            value_remove(&map, operation->key);
        else if (operation->kind == META_APPEND)
            append(arena, &map, operation->key, value);
        else
            increment(arena, &map, operation->key, &value);
    }
    struct slice after = pack_value(arena, &map);
    if ((int64_t)after.size > max_bytes)
        return err_set(err, ERR_TOO_LARGE,
                       "the metadata would have %zu bytes, %lld are allowed", after.size,
                       (long long)max_bytes);
    /* A value that nests as deep as it may is one level deeper in here. */
    if (!pack_read(arena, after, &map, err))
        return false;
    *packed = after;
    return true;
}
