/*
 * The reader is msgpack-c's own parser template with our callbacks, so that it builds our
 * values without a tree in between and with our depth: the library's ready-made one stops at 32
 * levels.
 */
#include "pack.h"

#include "base/table.h"

#include <math.h>
#include <msgpack/pack.h>

/* One place a list or map that is open: the template refuses what would need another. */
#define MSGPACK_EMBED_STACK_SIZE VALUE_MAX_DEPTH

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wshadow"

#include <msgpack/unpack_define.h>

struct reading {
    struct arena *arena;
    size_t left; /* each item takes a byte at least: no more can be claimed, all together */
    struct table keys; /* of large maps; made when the first one comes */
    const char *flaw;  /* what is wrong, when a callback refuses */
};

enum { SMALL_MAP = 16 /* members; larger ones look for a key in a table */ };

enum {
    REFUSED = -1,
    ACCEPTED = 0,
    MSGPACK_UNPACK_PARSE_ERROR = -2,
    MSGPACK_UNPACK_NOMEM_ERROR = -3
};

static int refuse(struct reading *reading, const char *flaw)
{
    reading->flaw = flaw;
    return REFUSED;
}

static struct value read_root(struct reading *reading)
{
    (void)reading;
    return (struct value){ .kind = VALUE_NULL };
}

#define READ_NUMBER(name, type)                                                       \
    static int read_##name(struct reading *reading, type number, struct value *value) \
    {                                                                                 \
        (void)reading;                                                                \
        *value = value_int((int64_t)number);                                          \
        return ACCEPTED;                                                              \
    }

READ_NUMBER(uint8, uint8_t)
READ_NUMBER(uint16, uint16_t)
READ_NUMBER(uint32, uint32_t)
READ_NUMBER(int8, int8_t)
READ_NUMBER(int16, int16_t)
READ_NUMBER(int32, int32_t)
READ_NUMBER(int64, int64_t)

static int read_uint64(struct reading *reading, uint64_t number, struct value *value)
{
    (void)reading;
    *value = number <= INT64_MAX ? value_int((int64_t)number)
                                 : (struct value){ .kind = VALUE_UINT, .big = number };
    return ACCEPTED;
}

static int read_double(struct reading *reading, double number, struct value *value)
{
    (void)reading;
    *value = isfinite(number) ? value_double(number) : (struct value){ .kind = VALUE_NULL };
    return ACCEPTED;
}

static int read_float(struct reading *reading, float number, struct value *value)
{
    return read_double(reading, number, value);
}

static int read_nil(struct reading *reading, struct value *value)
{
    *value = read_root(reading);
    return ACCEPTED;
}

static int read_true(struct reading *reading, struct value *value)
{
    (void)reading;
    *value = value_bool(true);
    return ACCEPTED;
}

static int read_false(struct reading *reading, struct value *value)
{
    (void)reading;
    *value = value_bool(false);
    return ACCEPTED;
}

static size_t room_for(uint32_t count)
{
    size_t room = 4;

    while (room < count)
        room *= 2; /* as value_add expects */
    return room;
}

static bool items_claim(struct reading *reading, size_t count)
{
    if (count > reading->left)
        return false;
    reading->left -= count;
    return true;
}

static int read_array(struct reading *reading, uint32_t count, struct value *value)
{
    if (!items_claim(reading, count))
        return refuse(reading, "cut short");
    *value = value_list();
    value->items = ARENA_ARRAY(reading->arena, struct value, room_for(count));
    return ACCEPTED;
}

static int read_array_item(struct reading *reading, struct value *list, struct value item)
{
    (void)reading;
    list->items[list->count++] = item;
    return ACCEPTED;
}

static int read_map(struct reading *reading, uint32_t count, struct value *value)
{
    if (!items_claim(reading, (size_t)count * 2))
        return refuse(reading, "cut short");
    *value = value_map();
    value->members = ARENA_ARRAY(reading->arena, struct member, room_for(count));
    return ACCEPTED;
}

/* A map of many members has its keys hashed, each with the map's own seed, in one table. */
static bool key_comes_twice(struct reading *reading, const struct value *map, struct slice key)
{
    uint64_t seed = (uint64_t)(uintptr_t)map->members, hash = table_hash(key, seed);

    if (map->count < SMALL_MAP)
        return value_find_slice(map, key) != NULL;
    if (reading->keys.arena == NULL)
        table_init(&reading->keys, reading->arena);
    for (uint32_t i = 0; map->count == SMALL_MAP && i < SMALL_MAP; i++)
        table_set(&reading->keys, table_hash(map->members[i].key, seed), NULL);
    if (table_has(&reading->keys, hash) && value_find_slice(map, key) != NULL)
        return true;
    table_set(&reading->keys, hash, NULL);
    return false;
}

static int read_map_item(struct reading *reading, struct value *map, struct value key,
                         struct value member)
{
    if (key.kind != VALUE_STRING)
        return refuse(reading, "a key is not a string");
    if (key_comes_twice(reading, map, key.bytes))
        return refuse(reading, "a key comes twice");
    map->members[map->count++] = (struct member){ key.bytes, member };
    return ACCEPTED;
}

static int read_str(struct reading *reading, const char *base, const char *text, uint32_t size,
                    struct value *value)
{
    (void)base;
    *value = value_string((struct slice){ text, size });
    if (!utf8_is_valid(value->bytes))
        return refuse(reading, "a string is not UTF-8");
    return ACCEPTED;
}

static int read_bin(struct reading *reading, const char *base, const char *bytes, uint32_t size,
                    struct value *value)
{
    (void)base;
    (void)reading;
    *value = (struct value){ .kind = VALUE_BYTES, .bytes = { bytes, size } };
    return ACCEPTED;
}

static int read_ext(struct reading *reading, const char *base, const char *bytes, uint32_t size,
                    struct value *value)
{
    (void)base;
    (void)bytes;
    (void)size;
    (void)value;
    return refuse(reading, "extension types are not supported");
}

#define msgpack_unpack_struct(name)     struct unpack##name
#define msgpack_unpack_func(type, name) static type unpack##name
#define msgpack_unpack_callback(name)   read##name
#define msgpack_unpack_object           struct value
#define msgpack_unpack_user             struct reading

#include <msgpack/unpack_template.h>

#pragma GCC diagnostic pop

bool pack_read(struct arena *arena, struct slice packed, struct value *value, struct err *err)
{
    struct unpack_context context;
    size_t used = 0;

    context.user = (struct reading){ .arena = arena, .left = packed.size };
    unpack_init(&context);
    int rc = packed.size == 0 ? 0 : unpack_execute(&context, packed.data, packed.size, &used);
    if (rc <= 0)
        return err_set(err, ERR_BAD_REQUEST, "invalid msgpack: %s",
                       context.user.flaw != NULL          ? context.user.flaw
                       : rc == 0                          ? "cut short"
                       : rc == MSGPACK_UNPACK_NOMEM_ERROR ? "nested too deep"
                                                          : "an unknown type");
    if (used != packed.size)
        return err_set(err, ERR_BAD_REQUEST, "invalid msgpack: %zu bytes left over",
                       packed.size - used);
    *value = unpack_data(&context);
    return true;
}

static int write_bytes(void *out, const char *bytes, size_t size)
{
    buffer_add(out, bytes, size);
    return 0;
}

static msgpack_packer packer(struct buffer *out)
{
    return (msgpack_packer){ .data = out, .callback = write_bytes };
}

void pack_nil(struct buffer *out)
{
    msgpack_packer to = packer(out);
    msgpack_pack_nil(&to);
}

void pack_bool(struct buffer *out, bool boolean)
{
    msgpack_packer to = packer(out);
    (void)(boolean ? msgpack_pack_true(&to) : msgpack_pack_false(&to)); /* cannot fail */
}

void pack_int(struct buffer *out, int64_t number)
{
    msgpack_packer to = packer(out);
    msgpack_pack_int64(&to, number);
}

void pack_double(struct buffer *out, double number)
{
    msgpack_packer to = packer(out);
    msgpack_pack_double(&to, number);
}

void pack_string(struct buffer *out, struct slice text)
{
    msgpack_packer to = packer(out);
    msgpack_pack_str(&to, text.size);
    buffer_slice(out, text);
}

void pack_bytes(struct buffer *out, struct slice bytes)
{
    msgpack_packer to = packer(out);
    msgpack_pack_bin(&to, bytes.size);
    buffer_slice(out, bytes);
}

void pack_list(struct buffer *out, uint32_t count)
{
    msgpack_packer to = packer(out);
    msgpack_pack_array(&to, count);
}

void pack_map(struct buffer *out, uint32_t count)
{
    msgpack_packer to = packer(out);
    msgpack_pack_map(&to, count);
}

void pack_write(struct buffer *out, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NULL:
        pack_nil(out);
        break;
    case VALUE_BOOL:
        pack_bool(out, value->boolean);
        break;
    case VALUE_INT:
        pack_int(out, value->integer);
        break;
    case VALUE_UINT: {
        msgpack_packer to = packer(out);
        msgpack_pack_uint64(&to, value->big);
        break;
    }
    case VALUE_DOUBLE:
        pack_double(out, value->number);
        break;
    case VALUE_STRING:
        pack_string(out, value->bytes);
        break;
    case VALUE_BYTES:
        pack_bytes(out, value->bytes);
        break;
    case VALUE_LIST:
        pack_list(out, value->count);
        for (uint32_t i = 0; i < value->count; i++)
            pack_write(out, &value->items[i]);
        break;
    case VALUE_MAP:
        pack_map(out, value->count);
        for (uint32_t i = 0; i < value->count; i++) {
            pack_string(out, value->members[i].key);
            pack_write(out, &value->members[i].value);
        }
        break;
    }
}

struct slice pack_value(struct arena *arena, const struct value *value)
{
    struct buffer out = { 0 };

    pack_write(&out, value);
    struct slice packed = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return packed;
}
