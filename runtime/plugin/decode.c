/*
 * Decoding a state: stored values into a struct that may have been declared by another version
 * of the plugin. See state.h for the rules; the reason for each refusal is that a guess would
 * lose data.
 */
#include "base/id.h"
#include "codec/pack.h"
#include "plugin/state.h"

#include <math.h>

struct reading {
    const struct plugin_task *task;
    struct arena *arena;
    struct err *err;
    const struct plugin_field *field; /* the innermost */
};

static bool refuse_kind(const struct reading *reading, uint32_t kind, const struct value *value)
{
    return err_set(
        reading->err, ERR_RULE, "state field %.*s is %s here, but what is stored is of kind %s",
        SLICE_ARG(reading->field->name), plugin_kind_name(kind), value_kind_name(value->kind));
}

static bool refuse_size(const struct reading *reading, uint64_t size, uint64_t capacity,
                        const char *unit)
{
    return err_set(reading->err, ERR_RULE,
                   "state field %.*s has room for %llu %s, but %llu are stored",
                   SLICE_ARG(reading->field->name), (unsigned long long)capacity, unit,
                   (unsigned long long)size);
}

static bool refuse_range(const struct reading *reading, uint32_t kind)
{
    return err_set(reading->err, ERR_RULE,
                   "state field %.*s: the number stored does not fit %s",
                   SLICE_ARG(reading->field->name), plugin_kind_name(kind));
}

static bool read_integer(const struct reading *reading, uint32_t kind,
                         const struct value *value, char *memory)
{
    if (kind == BIDE_KIND_U64 && value->kind == VALUE_UINT) {
        memcpy(memory, &value->big, sizeof value->big);
        return true;
    }
    if (value->kind != VALUE_INT && value->kind != VALUE_UINT)
        return refuse_kind(reading, kind, value);
    if (value->kind == VALUE_UINT)
        return refuse_range(reading, kind);
    int64_t number = value->integer;
    if ((kind == BIDE_KIND_I32 && (number < INT32_MIN || number > INT32_MAX)) ||
        (kind == BIDE_KIND_U32 && (number < 0 || number > UINT32_MAX)) ||
        (kind == BIDE_KIND_U64 && number < 0))
        return refuse_range(reading, kind);
    if (kind == BIDE_KIND_I64 || kind == BIDE_KIND_U64) {
        memcpy(memory, &number, sizeof number);
    } else {
        uint32_t low = (uint32_t)(uint64_t)number; /* two's complement: right for I32 too */
        memcpy(memory, &low, sizeof low);
    }
    return true;
}

static bool read_double(const struct reading *reading, const struct value *value, char *memory)
{
    double number;

    if (value->kind == VALUE_DOUBLE)
        number = value->number;
    else if (value->kind == VALUE_STRING && slice_is(value->bytes, "nan"))
        number = (double)NAN;
    else if (value->kind == VALUE_STRING && slice_is(value->bytes, "inf"))
        number = (double)INFINITY;
    else if (value->kind == VALUE_STRING && slice_is(value->bytes, "-inf"))
        number = -(double)INFINITY;
    else
        return refuse_kind(reading, BIDE_KIND_F64, value);
    memcpy(memory, &number, sizeof number);
    return true;
}

/* The memory is zeroed, so the end is there. */
static bool read_text(const struct reading *reading, const struct value *value,
                      uint32_t capacity, char *memory)
{
    if (value->kind != VALUE_STRING)
        return refuse_kind(reading, BIDE_KIND_STR, value);
    if (value->bytes.size >= capacity)
        return refuse_size(reading, value->bytes.size, capacity - 1, "bytes of text");
    if (value->bytes.size != 0)
        memcpy(memory, value->bytes.data, value->bytes.size);
    return true;
}

static bool read_bytes(const struct reading *reading, const struct value *value,
                       uint32_t capacity, char *memory)
{
    if (value->kind != VALUE_BYTES)
        return refuse_kind(reading, BIDE_KIND_BYTES, value);
    if (value->bytes.size > capacity)
        return refuse_size(reading, value->bytes.size, capacity, "bytes");
    uint32_t size = (uint32_t)value->bytes.size;
    memcpy(memory, &size, sizeof size);
    if (size != 0)
        memcpy(memory + sizeof size, value->bytes.data, size);
    return true;
}

static bool read_token(const struct reading *reading, const struct value *value, char *memory)
{
    const struct value *id = value_find(value, "id");
    const struct value *url = value_find(value, "url");
    int64_t number;

    if (value->kind == VALUE_NULL)
        return true;
    if (id == NULL || id->kind != VALUE_STRING || url == NULL ||
        !id_parse("waitpoint", id->bytes, &number))
        return refuse_kind(reading, BIDE_KIND_TOKEN, value);
    memcpy(memory + offsetof(bide_token, id), &number, sizeof number);
    return read_text(reading, url, sizeof((bide_token *)0)->url,
                     memory + offsetof(bide_token, url));
}

/* A run or a batch. */
static bool read_id(const struct reading *reading, uint32_t kind, const struct value *value,
                    char *memory)
{
    int64_t number;

    if (value->kind == VALUE_NULL)
        return true;
    if (value->kind != VALUE_STRING ||
        !id_parse(kind == BIDE_KIND_RUN ? "run" : "batch", value->bytes, &number))
        return refuse_kind(reading, kind, value);
    memcpy(memory, &number, sizeof number);
    return true;
}

static bool read_any(const struct reading *reading, const struct value *value, char *memory)
{
    if (value->kind == VALUE_NULL)
        return true; /* the NULL that is there */
    struct value *copy = ARENA_NEW(reading->arena, struct value);
    *copy = *value;
    memcpy(memory, &copy, sizeof copy);
    return true;
}

static bool read_struct(struct reading *reading, const struct plugin_struct *shape,
                        const struct value *value, char *memory, struct value *kept);

static bool read_one(struct reading *reading, uint32_t kind, uint32_t capacity,
                     const struct plugin_struct *inner, const struct value *value, char *memory,
                     struct value *kept)
{
    switch ((enum bide_field_kind)kind) {
    case BIDE_KIND_BOOL:
        if (value->kind != VALUE_BOOL)
            return refuse_kind(reading, kind, value);
        memory[0] = value->boolean;
        return true;
    case BIDE_KIND_I32:
    case BIDE_KIND_U32:
    case BIDE_KIND_I64:
    case BIDE_KIND_U64:
        return read_integer(reading, kind, value, memory);
    case BIDE_KIND_F64:
        return read_double(reading, value, memory);
    case BIDE_KIND_STR:
        return read_text(reading, value, capacity, memory);
    case BIDE_KIND_BYTES:
        return read_bytes(reading, value, capacity, memory);
    case BIDE_KIND_TOKEN:
        return read_token(reading, value, memory);
    case BIDE_KIND_RUN:
    case BIDE_KIND_BATCH:
        return read_id(reading, kind, value, memory);
    case BIDE_KIND_VALUE:
        return read_any(reading, value, memory);
    case BIDE_KIND_STRUCT:
        if (value->kind != VALUE_MAP)
            return refuse_kind(reading, kind, value);
        return read_struct(reading, inner, value, memory, kept);
    case BIDE_KIND_LIST:
    case BIDE_KIND_NONE:
        break;
    }
    return refuse_kind(reading, kind, value);
}

/* `kept` becomes a list of what each item did not know; it stays null when all knew everything.
 */
static bool read_list(struct reading *reading, const struct plugin_field *field,
                      const struct value *value, char *memory, struct value *kept)
{
    struct value items = value_list();
    bool keeps = false;

    if (value->kind != VALUE_LIST)
        return refuse_kind(reading, BIDE_KIND_LIST, value);
    if (value->count > field->capacity)
        return refuse_size(reading, value->count, field->capacity, "items");
    memcpy(memory, &value->count, sizeof value->count);
    for (uint32_t i = 0; i < value->count; i++) {
        struct value item = { .kind = VALUE_NULL };
        if (!read_one(reading, field->item_kind, field->item_capacity, field->inner,
                      &value->items[i], memory + 8 + (size_t)i * field->item_size, &item))
            return false;
        keeps = keeps || item.kind != VALUE_NULL;
        if (field->inner != NULL)
            value_add(reading->arena, &items, item);
    }
    if (keeps)
        *kept = items;
    return true;
}

static const struct plugin_field *field_named(const struct plugin_struct *shape,
                                              struct slice name)
{
    for (uint32_t i = 0; i < shape->field_count; i++)
        if (slice_equal(shape->fields[i].name, name))
            return &shape->fields[i];
    return NULL;
}

/* By its name, or by the new name of an old one unless that is stored as well. */
static const struct plugin_field *field_for(const struct reading *reading,
                                            const struct plugin_struct *shape,
                                            const struct value *stored, struct slice name)
{
    const struct plugin_field *field = field_named(shape, name);

    for (uint32_t i = 0; i < reading->task->rename_count && field == NULL; i++) {
        const struct plugin_rename *rename = &reading->task->renames[i];
        if (slice_equal(rename->old_name, name) &&
            value_find_slice(stored, rename->new_name) == NULL)
            field = field_named(shape, rename->new_name);
    }
    return field;
}

static bool read_struct(struct reading *reading, const struct plugin_struct *shape,
                        const struct value *value, char *memory, struct value *kept)
{
    *kept = (struct value){ .kind = VALUE_NULL };
    for (uint32_t i = 0; i < value->count; i++) {
        const struct member *member = &value->members[i];
        const struct plugin_field *field = field_for(reading, shape, value, member->key);
        struct value rest = { .kind = VALUE_NULL };
        struct slice key = member->key;
        if (field == NULL) {
            rest = member->value;
        } else {
            reading->field = field;
            key = field->name;
            memset(memory + field->offset, 0,
                   field->size); /* of two old names the last counts */
            bool done =
                field->kind == BIDE_KIND_LIST
                    ? read_list(reading, field, &member->value, memory + field->offset, &rest)
                    : read_one(reading, field->kind, field->capacity, field->inner,
                               &member->value, memory + field->offset, &rest);
            if (!done)
                return false;
            if (rest.kind == VALUE_NULL)
                continue;
        }
        if (kept->kind == VALUE_NULL)
            *kept = value_map();
        value_put_slice(reading->arena, kept, key, rest);
    }
    return true;
}

bool state_decode(const struct plugin_task *task, struct arena *arena, struct slice packed,
                  void *state, struct value *kept, struct err *err)
{
    struct reading reading = { task, arena, err, NULL };
    struct value stored;

    memset(state, 0, task->state.size);
    *kept = value_map();
    if (packed.size == 0)
        return true;
    if (!pack_read(arena, packed, &stored, err))
        return false;
    if (stored.kind != VALUE_MAP)
        return err_set(err, ERR_RULE, "the stored state is no map");
    if (!read_struct(&reading, &task->state, &stored, state, kept))
        return false;
    if (kept->kind == VALUE_NULL)
        *kept = value_map();
    return true;
}

/* ---- fields that came or went ------------------------------------------------------------ */

struct losing {
    struct buffer gone, fresh; /* names, with commas */
    const struct plugin_task *task;
};

static void name_add(struct buffer *names, struct slice name)
{
    if (names->size > 0)
        buffer_text(names, ", ");
    buffer_slice(names, name);
}

static bool is_stored(const struct losing *losing, const struct value *stored,
                      struct slice name)
{
    bool is_there = value_find_slice(stored, name) != NULL;

    for (uint32_t i = 0; i < losing->task->rename_count && !is_there; i++)
        is_there = slice_equal(losing->task->renames[i].new_name, name) &&
                   value_find_slice(stored, losing->task->renames[i].old_name) != NULL;
    return is_there;
}

static void lost_find(struct losing *losing, const struct plugin_struct *shape,
                      const struct value *stored, const struct value *kept)
{
    if (stored->kind != VALUE_MAP || kept->kind != VALUE_MAP)
        return;
    for (uint32_t i = 0; i < kept->count; i++) {
        const struct plugin_field *field = field_named(shape, kept->members[i].key);
        const struct value *inner = value_find_slice(stored, kept->members[i].key);
        if (field == NULL)
            name_add(&losing->gone, kept->members[i].key);
        else if (field->kind == BIDE_KIND_STRUCT && inner != NULL)
            lost_find(losing, field->inner, inner, &kept->members[i].value);
    }
    for (uint32_t i = 0; losing->gone.size > 0 && i < shape->field_count; i++)
        if (!is_stored(losing, stored, shape->fields[i].name))
            name_add(&losing->fresh, shape->fields[i].name);
}

struct slice state_lost(const struct plugin_task *task, struct arena *arena,
                        struct slice packed, const struct value *kept)
{
    struct losing losing = { .task = task };
    struct slice text = { 0 };
    struct value stored;

    if (kept->count == 0 || !pack_read(arena, packed, &stored, NULL))
        return text;
    lost_find(&losing, &task->state, &stored, kept);
    if (losing.gone.size > 0 && losing.fresh.size > 0)
        text = arena_format(arena,
                            "state field %.*s is not in this build and is kept aside; %.*s "
                            "began at zero (a field that was renamed is a row of .renamed)",
                            SLICE_ARG(buffer_view(&losing.gone)),
                            SLICE_ARG(buffer_view(&losing.fresh)));
    buffer_finish(&losing.gone);
    buffer_finish(&losing.fresh);
    return text;
}
