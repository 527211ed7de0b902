#include "codec/metadata.h"

#include "base/name.h"
#include "codec/pack.h"

#include <stdlib.h>
#include <string.h>

static double number_of(const struct value *value)
{
    if (value == NULL)
        return 0;
    if (value->kind == VALUE_INT)
        return (double)value->integer;
    return value->kind == VALUE_DOUBLE ? value->number : 0;
}

static struct value sum_of(const struct value *old, const struct value *by)
{
    int64_t sum;

    if ((old == NULL || old->kind == VALUE_INT) && by->kind == VALUE_INT &&
        !__builtin_add_overflow(old == NULL ? 0 : old->integer, by->integer, &sum))
        return value_int(sum);
    return value_double(number_of(old) + number_of(by));
}

static struct value longer(struct arena *arena, const struct value *old, struct value item)
{
    struct value list = value_list();

    if (old != NULL && old->kind == VALUE_LIST)
        list = *old;
    else if (old != NULL)
        value_add(arena, &list, *old);
    value_add(arena, &list, item);
    return list;
}

/* ---- places ------------------------------------------------------------------------------ */

/* A member of a map, or an item of a list, that may not be there. */
struct place {
    struct value *in;
    struct slice key;
    uint32_t index;
    bool is_item;
};

static struct value *place_look(const struct place *place)
{
    struct value *in = place->in;

    if (place->is_item)
        return in->kind == VALUE_LIST && place->index < in->count ? &in->items[place->index]
                                                                  : NULL;
    for (uint32_t i = 0; in->kind == VALUE_MAP && i < in->count; i++)
        if (slice_equal(in->members[i].key, place->key))
            return &in->members[i].value;
    return NULL;
}

/* NULL: it is in what is no list or map, or beyond the end of a list. */
static struct value *place_put(struct arena *arena, const struct place *place,
                               struct value value)
{
    struct value *in = place->in, *old = place_look(place);

    if (in->kind == VALUE_NULL) /* made just now */
        *in = place->is_item ? value_list() : value_map();
    if (old != NULL) {
        *old = value;
        return old;
    }
    if (in->kind == VALUE_MAP && !place->is_item)
        return value_put_slice(arena, in, place->key, value);
    if (in->kind == VALUE_LIST && place->is_item && place->index == in->count)
        return value_add(arena, in, value);
    return NULL;
}

static void place_remove(const struct place *place)
{
    struct value *in = place->in;

    if (place_look(place) == NULL)
        return;
    if (!place->is_item) {
        value_remove(in, place->key);
        return;
    }
    memmove(&in->items[place->index], &in->items[place->index + 1],
            (in->count - place->index - 1) * sizeof *in->items);
    in->count--;
}

/* ---- paths ------------------------------------------------------------------------------- */

static bool index_read(struct slice digits, uint32_t *index)
{
    *index = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *index = *index * 10 + (uint32_t)(digits.data[i] - '0');
    }
    return digits.size > 0 && digits.size < 9;
}

/* The next step, ".name" or "[3]", taken from the front; false: it is none. */
static bool step_take(struct slice *path, struct place *step)
{
    size_t size = 1;
    char mark = *path->data;

    while (size < path->size && path->data[size] != '.' && path->data[size] != '[' &&
           path->data[size] != ']')
        size++;
    step->key = (struct slice){ path->data + 1, size - 1 };
    step->is_item = mark == '[';
    if (step->is_item && (size++ == path->size || !index_read(step->key, &step->index)))
        return false;
    *path = (struct slice){ path->data + size, path->size - size };
    return step->key.size > 0 && (step->is_item || mark == '.');
}

/* Where a key leads in the map; the values on the way are made, or else place->in is NULL where
 * they are not there. False: nowhere. */
static bool place_find(struct arena *arena, struct value *map, struct slice key, bool makes,
                       struct place *place)
{
    struct slice path = { key.data + 1, key.size - 1 };

    *place = (struct place){ .in = map, .key = key };
    if (key.size < 2 || key.data[0] != '$' || key.data[1] != '.')
        return true;
    for (bool is_first = true; path.size > 0; is_first = false) {
        struct value *in = is_first ? map : place_look(place);
        if (in == NULL && !makes) {
            place->in = NULL;
            return true;
        }
        if (in == NULL)
            in = place_put(arena, place, (struct value){ .kind = VALUE_NULL });
        if (in == NULL || !step_take(&path, place))
            return false;
        place->in = in;
    }
    return place->in->kind == VALUE_NULL ||
           place->in->kind == (place->is_item ? VALUE_LIST : VALUE_MAP);
}

/* ---- operations -------------------------------------------------------------------------- */

static void shorten(struct value *list, const struct value *item)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; list != NULL && list->kind == VALUE_LIST && i < list->count; i++)
        if (!value_equal(&list->items[i], item))
            list->items[kept++] = list->items[i];
    if (list != NULL && list->kind == VALUE_LIST)
        list->count = kept;
}

bool metadata_operate(struct arena *arena, struct value *map, enum meta_kind kind,
                      struct slice key, const struct value *value, struct err *err)
{
    struct place place;
    const struct value *old;

    if (kind == META_UPDATE) {
        *map = *value;
        return value->kind == VALUE_MAP ||
               err_set(err, ERR_BAD_REQUEST, "metadata is a map; it cannot be updated to %s",
                       value_kind_name(value->kind));
    }
    if (!name_check(NAME_METADATA, key, err))
        return false;
    bool makes = kind != META_DELETE && kind != META_REMOVE;
    if (!place_find(arena, map, key, makes, &place))
        return err_set(err, ERR_BAD_REQUEST, "metadata has no place \"%.*s\"", SLICE_ARG(key));
    if (place.in == NULL)
        return true;
    old = place_look(&place);
    if (kind == META_DELETE)
        place_remove(&place);
    else if (kind == META_REMOVE)
        shorten(place_look(&place), value);
    else if (place_put(arena, &place,
                       kind == META_APPEND      ? longer(arena, old, *value)
                       : kind == META_INCREMENT ? sum_of(old, value)
                                                : *value) == NULL)
        return err_set(err, ERR_BAD_REQUEST,
                       "metadata has no place \"%.*s\": the list is not as long",
                       SLICE_ARG(key));
    return true;
}

static int by_text(const void *a, const void *b)
{
    return slice_compare(((const struct value *)a)->bytes, ((const struct value *)b)->bytes);
}

void tags_sort(struct value *list)
{
    uint32_t kept = 0;

    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof *list->items, by_text);
    for (uint32_t i = 0; i < list->count; i++)
        if (kept == 0 || by_text(&list->items[i], &list->items[kept - 1]) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

struct slice tags_pack(struct arena *arena, struct value *list)
{
    tags_sort(list);
    return list->count == 0 ? (struct slice){ 0 } : pack_value(arena, list);
}
