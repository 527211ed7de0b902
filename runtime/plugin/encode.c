/*
 * Encoding a state: exactly the declared fields, so that padding and stale bytes behind a text
 * cannot leak; then what was kept of other versions' fields. See state.h for the shapes.
 *
 * The plugin wrote this memory, so every count, end and text is checked on the way.
 */
#include "base/id.h"
#include "codec/pack.h"
#include "plugin/state.h"

#include <math.h>

/* Where we are, for messages and limits. */
struct writing {
    struct buffer *out;
    struct err *err;
    const struct plugin_field *field; /* the innermost */
    uint32_t depth;                   /* maps and lists around what is written */
};

static bool refuse(const struct writing *writing, const char *what)
{
    return err_set(writing->err, ERR_RULE, "state field %.*s %s",
                   SLICE_ARG(writing->field->name), what);
}

static bool write_text(const struct writing *writing, const char *text, uint32_t capacity)
{
    struct slice slice = { text, strnlen(text, capacity) };

    if (slice.size == capacity)
        return refuse(writing, "has no zero at its end");
    if (!utf8_is_valid(slice))
        return refuse(writing, "is not UTF-8");
    pack_string(writing->out, slice);
    return true;
}

static bool write_bytes(const struct writing *writing, const char *memory, uint32_t capacity)
{
    uint32_t size;

    memcpy(&size, memory, sizeof size);
    if (size > capacity)
        return refuse(writing, "has a size over its capacity");
    pack_bytes(writing->out, (struct slice){ memory + sizeof size, size });
    return true;
}

static void write_double(struct buffer *out, double number)
{
    if (isfinite(number))
        pack_double(out, number);
    else
        pack_string(out, slice_of(isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"));
}

static bool write_token(const struct writing *writing, const char *memory)
{
    char text[ID_TEXT_SIZE];
    int64_t id;

    memcpy(&id, memory + offsetof(bide_token, id), sizeof id);
    if (id == 0) {
        pack_nil(writing->out);
        return true;
    }
    pack_map(writing->out, 2);
    pack_string(writing->out, SLICE("id"));
    pack_string(writing->out, slice_of(id_format("waitpoint", id, text)));
    pack_string(writing->out, SLICE("url"));
    return write_text(writing, memory + offsetof(bide_token, url),
                      sizeof((bide_token *)0)->url);
}

static void write_id(struct buffer *out, const char *prefix, const char *memory)
{
    char text[ID_TEXT_SIZE];
    int64_t id;

    memcpy(&id, memory, sizeof id);
    if (id == 0)
        pack_nil(out);
    else
        pack_string(out, slice_of(id_format(prefix, id, text)));
}

/* Deeper than what can be read again? The walk itself stops at `room`. */
static bool value_fits(const struct value *value, uint32_t room)
{
    if (value->kind != VALUE_LIST && value->kind != VALUE_MAP)
        return true;
    if (room == 0)
        return false;
    for (uint32_t i = 0; i < value->count; i++)
        if (!value_fits(value->kind == VALUE_LIST ? &value->items[i] : &value->members[i].value,
                        room - 1))
            return false;
    return true;
}

static bool write_value(const struct writing *writing, const char *memory)
{
    const struct value *value;

    memcpy(&value, memory, sizeof value);
    if (value == NULL) {
        pack_nil(writing->out);
        return true;
    }
    if (!value_fits(value, VALUE_MAX_DEPTH - writing->depth))
        return refuse(writing, "is nested too deep");
    pack_write(writing->out, value);
    return true;
}

static bool write_struct(struct writing *writing, const struct plugin_struct *shape,
                         const char *memory, const struct value *kept);

/* One value of a kind that is not a list; `capacity` for STR and BYTES. */
static bool write_one(struct writing *writing, uint32_t kind, uint32_t capacity,
                      const struct plugin_struct *inner, const char *memory,
                      const struct value *kept)
{
    union {
        bool boolean;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        double f64;
        unsigned char byte;
    } as;

    switch ((enum bide_field_kind)kind) {
    case BIDE_KIND_BOOL: /* any byte: reading it as a bool would be undefined */
        memcpy(&as.byte, memory, sizeof as.byte);
        pack_bool(writing->out, as.byte != 0);
        return true;
    case BIDE_KIND_I32:
        memcpy(&as.i32, memory, sizeof as.i32);
        pack_int(writing->out, as.i32);
        return true;
    case BIDE_KIND_U32:
        memcpy(&as.u32, memory, sizeof as.u32);
        pack_int(writing->out, as.u32);
        return true;
    case BIDE_KIND_I64:
        memcpy(&as.i64, memory, sizeof as.i64);
        pack_int(writing->out, as.i64);
        return true;
    case BIDE_KIND_U64:
        memcpy(&as.u64, memory, sizeof as.u64);
        if (as.u64 > INT64_MAX)
            pack_write(writing->out, &(struct value){ .kind = VALUE_UINT, .big = as.u64 });
        else
            pack_int(writing->out, (int64_t)as.u64);
        return true;
    case BIDE_KIND_F64:
        memcpy(&as.f64, memory, sizeof as.f64);
        write_double(writing->out, as.f64);
        return true;
    case BIDE_KIND_STR:
        return write_text(writing, memory, capacity);
    case BIDE_KIND_BYTES:
        return write_bytes(writing, memory, capacity);
    case BIDE_KIND_TOKEN:
        return write_token(writing, memory);
    case BIDE_KIND_RUN:
        write_id(writing->out, "run", memory);
        return true;
    case BIDE_KIND_BATCH:
        write_id(writing->out, "batch", memory);
        return true;
    case BIDE_KIND_VALUE:
        return write_value(writing, memory);
    case BIDE_KIND_STRUCT:
        return write_struct(writing, inner, memory, kept);
    case BIDE_KIND_LIST:
    case BIDE_KIND_NONE:
        break;
    }
    return refuse(writing, "is of no kind");
}

/* What was kept of an item belongs to it as long as no item came or went. */
static bool write_list(struct writing *writing, const struct plugin_field *field,
                       const char *memory, const struct value *kept)
{
    uint32_t count;

    memcpy(&count, memory, sizeof count);
    if (count > field->capacity)
        return refuse(writing, "has a count over its capacity");
    bool keeps = kept != NULL && kept->kind == VALUE_LIST && kept->count == count;
    pack_list(writing->out, count);
    writing->depth++;
    for (uint32_t i = 0; i < count; i++)
        if (!write_one(writing, field->item_kind, field->item_capacity, field->inner,
                       memory + 8 + (size_t)i * field->item_size,
                       keeps ? &kept->items[i] : NULL))
            return false;
    writing->depth--;
    return true;
}

static bool write_field(struct writing *writing, const struct plugin_field *field,
                        const char *memory, const struct value *kept)
{
    writing->field = field;
    if (field->kind == BIDE_KIND_LIST)
        return write_list(writing, field, memory, kept);
    return write_one(writing, field->kind, field->capacity, field->inner, memory, kept);
}

static bool shape_has(const struct plugin_struct *shape, struct slice name)
{
    for (uint32_t i = 0; i < shape->field_count; i++)
        if (slice_equal(shape->fields[i].name, name))
            return true;
    return false;
}

/* One that would be too deep to be read again in there stays where it was. */
static bool goes_aside(const struct writing *writing, const struct member *member)
{
    return value_fits(&member->value, VALUE_MAX_DEPTH - writing->depth - 1);
}

/* The members of `kept` that are none of the shape's fields, those that go aside or the others;
 * what was kept inside of a field is. */
static uint32_t write_kept(const struct writing *writing, const struct plugin_struct *shape,
                           const struct value *kept, bool aside, bool only_count)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < kept->count; i++) {
        const struct member *member = &kept->members[i];
        if (shape_has(shape, member->key) || goes_aside(writing, member) != aside)
            continue;
        count++;
        if (only_count)
            continue;
        pack_string(writing->out, member->key);
        pack_write(writing->out, &member->value);
    }
    return count;
}

static bool write_struct(struct writing *writing, const struct plugin_struct *shape,
                         const char *memory, const struct value *kept)
{
    static const struct value nothing = { .kind = VALUE_MAP };
    const struct value *rest = kept != NULL && kept->kind == VALUE_MAP ? kept : &nothing;

    writing->depth++;
    uint32_t aside = write_kept(writing, shape, rest, true, true);
    uint32_t others = write_kept(writing, shape, rest, false, true);
    pack_map(writing->out, shape->field_count + others + (aside > 0));
    for (uint32_t i = 0; i < shape->field_count; i++) {
        const struct plugin_field *field = &shape->fields[i];
        pack_string(writing->out, field->name);
        if (!write_field(writing, field, memory + field->offset,
                         rest->count == 0 ? NULL : value_find_slice(rest, field->name)))
            return false;
    }
    (void)write_kept(writing, shape, rest, false, false);
    if (aside > 0) {
        pack_string(writing->out, SLICE(STATE_ASIDE));
        pack_map(writing->out, aside);
        (void)write_kept(writing, shape, rest, true, false);
    }
    writing->depth--;
    return true;
}

bool state_encode(const struct plugin_task *task, const void *state, const struct value *kept,
                  struct buffer *out, struct err *err)
{
    struct writing writing = { out, err, NULL, 0 };
    size_t before = out->size;

    if (write_struct(&writing, &task->state, state, kept))
        return true;
    out->size = before;
    return false;
}
