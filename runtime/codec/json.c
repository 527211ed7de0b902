#include "json.h"

#include "codec/pack.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { INDENT = 2 };

static bool convert(struct arena *arena, json_t *json, struct value *value, int depth);

static bool convert_list(struct arena *arena, json_t *json, struct value *value, int depth)
{
    size_t count = json_array_size(json);

    *value = (struct value){ .kind = VALUE_LIST, .count = (uint32_t)count };
    /* Room for the next power of two, as value_add expects. */
    size_t room = 4;
    while (room < count)
        room *= 2;
    value->items = ARENA_ARRAY(arena, struct value, room);
    for (size_t i = 0; i < count; i++)
        if (!convert(arena, json_array_get(json, i), &value->items[i], depth + 1))
            return false;
    return true;
}

static bool convert_map(struct arena *arena, json_t *json, struct value *value, int depth)
{
    size_t count = json_object_size(json), room = 4;
    const char *key;
    json_t *member;
    uint32_t at = 0;

    while (room < count)
        room *= 2;
    *value = (struct value){ .kind = VALUE_MAP };
    value->members = ARENA_ARRAY(arena, struct member, room);
    json_object_foreach(json, key, member)
    {
        struct member *slot = &value->members[at++];
        slot->key = arena_copy(arena, (struct slice){ key, strlen(key) });
        if (!convert(arena, member, &slot->value, depth + 1))
            return false;
    }
    value->count = at;
    return true;
}

static bool convert(struct arena *arena, json_t *json, struct value *value, int depth)
{
    if (depth > VALUE_MAX_DEPTH)
        return false;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return convert_map(arena, json, value, depth);
    case JSON_ARRAY:
        return convert_list(arena, json, value, depth);
    case JSON_STRING:
        *value = value_string(arena_copy(
            arena, (struct slice){ json_string_value(json), json_string_length(json) }));
        return true;
    case JSON_INTEGER:
        *value = value_int(json_integer_value(json));
        return true;
    case JSON_REAL:
        *value = value_double(json_real_value(json));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *value = value_bool(json_is_true(json));
        return true;
    case JSON_NULL:
        break;
    }
    *value = (struct value){ .kind = VALUE_NULL };
    return true;
}

bool json_read(struct arena *arena, struct slice text, struct value *value, struct err *err)
{
    json_error_t error;
    json_t *json =
        json_loadb(text.data == NULL ? "" : text.data, text.size,
                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (json == NULL)
        return err_set(err, ERR_BAD_REQUEST, "invalid JSON at line %d, column %d: %s",
                       error.line, error.column, error.text);
    bool ok = convert(arena, json, value, 1);
    json_decref(json);
    return ok || err_set(err, ERR_BAD_REQUEST, "invalid JSON: nested deeper than %d levels",
                         VALUE_MAX_DEPTH);
}

void json_write_string(struct buffer *out, struct slice text)
{
    size_t done = 0;

    buffer_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buffer_add(out, text.data + done, i - done);
        done = i + 1;
        if (c == '"' || c == '\\') {
            buffer_byte(out, '\\');
            buffer_byte(out, (char)c);
        } else if (c == '\n') {
            buffer_text(out, "\\n");
        } else {
            buffer_format(out, "\\u%04x", c);
        }
    }
    buffer_add(out, text.data + done, text.size - done);
    buffer_byte(out, '"');
}

/* The shortest text that reads back as the same double; always with a mark of being one. */
static void write_double(struct buffer *out, double number)
{
    char text[40];
    int precision = 15;

    if (!isfinite(number)) {
        buffer_text(out, "null");
        return;
    }
    do
        (void)snprintf(text, sizeof text, "%.*g", precision, number); /* 40 is room enough */
    while (precision++ < 17 && strtod(text, NULL) != number);
    buffer_text(out, text);
    if (strpbrk(text, ".e") == NULL)
        buffer_text(out, ".0");
}

static void write_bytes(struct buffer *out, struct slice bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    buffer_byte(out, '"');
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)(unsigned char)bytes.data[i] << 16;
        if (left > 1)
            group |= (uint32_t)(unsigned char)bytes.data[i + 1] << 8;
        if (left > 2)
            group |= (unsigned char)bytes.data[i + 2];
        char text[4] = { digits[group >> 18], digits[group >> 12 & 63],
                         left > 1 ? digits[group >> 6 & 63] : '=',
                         left > 2 ? digits[group & 63] : '=' };
        buffer_add(out, text, sizeof text);
    }
    buffer_byte(out, '"');
}

static void line_break(struct buffer *out, int level)
{
    if (level < 0)
        return;
    buffer_byte(out, '\n');
    for (int i = 0; i < level * INDENT; i++)
        buffer_byte(out, ' ');
}

/* `level` is the depth of indentation, negative for none at all. */
static void write_value(struct buffer *out, const struct value *value, int level)
{
    int inner = level < 0 ? level : level + 1;
    bool is_map = value->kind == VALUE_MAP;

    switch (value->kind) {
    case VALUE_NULL:
        buffer_text(out, "null");
        return;
    case VALUE_BOOL:
        buffer_text(out, value->boolean ? "true" : "false");
        return;
    case VALUE_INT:
        buffer_format(out, "%" PRId64, value->integer);
        return;
    case VALUE_UINT:
        buffer_format(out, "%" PRIu64, value->big);
        return;
    case VALUE_DOUBLE:
        write_double(out, value->number);
        return;
    case VALUE_STRING:
        json_write_string(out, value->bytes);
        return;
    case VALUE_BYTES:
        write_bytes(out, value->bytes);
        return;
    case VALUE_LIST:
    case VALUE_MAP:
        break;
    }
    buffer_byte(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < value->count; i++) {
        if (i > 0)
            buffer_byte(out, ',');
        line_break(out, inner);
        if (is_map) {
            json_write_string(out, value->members[i].key);
            buffer_text(out, level < 0 ? ":" : ": ");
        }
        write_value(out, is_map ? &value->members[i].value : &value->items[i], inner);
    }
    if (value->count > 0)
        line_break(out, level);
    buffer_byte(out, is_map ? '}' : ']');
}

void json_write(struct buffer *out, const struct value *value)
{
    write_value(out, value, -1);
}

void json_write_pretty(struct buffer *out, const struct value *value)
{
    write_value(out, value, 0);
}

void json_write_packed(struct buffer *out, struct slice packed)
{
    struct arena arena = { 0 };
    struct value value;

    if (packed.size == 0 || !pack_read(&arena, packed, &value, NULL))
        buffer_text(out, "null");
    else
        json_write(out, &value);
    arena_finish(&arena);
}
