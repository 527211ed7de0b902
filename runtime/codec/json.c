#include "json.h"

#include "codec/json_number.h"
#include "codec/pack.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { INDENT = 2 };

/* One text on its way into values. */
struct json_reading {
    struct arena *arena;
    struct json_marks marks;
    uint32_t reals, mark_at; /* so far; the next of marks */
    const char *flaw;        /* of a number, which stands at `pointer`; NULL: none */
    struct slice pointer;
};

void json_pointer_add(struct buffer *out, struct slice key)
{
    buffer_byte(out, '/');
    for (size_t i = 0; i < key.size; i++)
        if (key.data[i] == '~' || key.data[i] == '/')
            buffer_text(out, key.data[i] == '~' ? "~0" : "~1");
        else
            buffer_byte(out, key.data[i]);
}

/* On the way back from a number that is refused: where it stands. */
static bool pointer_grow(struct json_reading *reading, struct slice key)
{
    struct buffer part = { 0 };

    if (reading->flaw == NULL)
        return false;
    json_pointer_add(&part, key);
    buffer_slice(&part, reading->pointer);
    reading->pointer = arena_copy(reading->arena, buffer_view(&part));
    buffer_finish(&part);
    return false;
}

static bool convert(struct json_reading *reading, json_t *json, struct value *value, int depth);

static bool convert_list(struct json_reading *reading, json_t *json, struct value *value,
                         int depth)
{
    size_t count = json_array_size(json);

    *value = (struct value){ .kind = VALUE_LIST, .count = (uint32_t)count };
    /* Room for the next power of two, as value_add expects. */
    size_t room = 4;
    while (room < count)
        room *= 2;
    value->items = ARENA_ARRAY(reading->arena, struct value, room);
    for (size_t i = 0; i < count; i++)
        if (!convert(reading, json_array_get(json, i), &value->items[i], depth + 1))
            return pointer_grow(reading, arena_format(reading->arena, "%zu", i));
    return true;
}

static bool convert_map(struct json_reading *reading, json_t *json, struct value *value,
                        int depth)
{
    size_t count = json_object_size(json), room = 4;
    const char *key;
    json_t *member;
    uint32_t at = 0;

    while (room < count)
        room *= 2;
    *value = (struct value){ .kind = VALUE_MAP };
    value->members = ARENA_ARRAY(reading->arena, struct member, room);
    json_object_foreach(json, key, member)
    {
        struct member *slot = &value->members[at++];
        slot->key = arena_copy(reading->arena, (struct slice){ key, strlen(key) });
        if (!convert(reading, member, &slot->value, depth + 1))
            return pointer_grow(reading, slot->key);
    }
    value->count = at;
    return true;
}

static bool convert_real(struct json_reading *reading, double number, struct value *value)
{
    const struct json_marks *marks = &reading->marks;
    uint32_t at = reading->reals++;

    *value = value_double(number);
    if (reading->mark_at == marks->count || marks->items[reading->mark_at].at != at)
        return true;
    const struct json_mark *mark = &marks->items[reading->mark_at++];
    *value = (struct value){ .kind = VALUE_UINT, .big = mark->number };
    reading->flaw = mark->flaw;
    return mark->flaw == NULL;
}

/* `depth` counts lists and maps, this one included. */
static bool convert(struct json_reading *reading, json_t *json, struct value *value, int depth)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return depth <= VALUE_MAX_DEPTH && convert_map(reading, json, value, depth);
    case JSON_ARRAY:
        return depth <= VALUE_MAX_DEPTH && convert_list(reading, json, value, depth);
    case JSON_STRING:
        *value = value_string(
            arena_copy(reading->arena,
                       (struct slice){ json_string_value(json), json_string_length(json) }));
        return true;
    case JSON_INTEGER:
        *value = value_int(json_integer_value(json));
        return true;
    case JSON_REAL:
        return convert_real(reading, json_real_value(json), value);
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

/* The library takes a piece of memory for each thing in a text. While one is read they come out
 * of a room that goes as a whole; that was a sixth of the time that a batch of runs took. */
static _Thread_local struct arena *room;

static void *room_take(size_t size)
{
    return room != NULL ? arena_alloc(room, size) : malloc(size);
}

static void room_give(void *memory)
{
    if (room == NULL)
        free(memory);
}

static void room_build(void)
{
    json_set_alloc_funcs(room_take, room_give);
}

static json_t *text_load(struct slice text, json_error_t *error)
{
    return json_loadb(text.data == NULL ? "" : text.data, text.size,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, error);
}

static bool depth_refuse(struct err *err)
{
    return err_set(err, ERR_BAD_REQUEST, "invalid JSON: nested deeper than %d levels",
                   VALUE_MAX_DEPTH);
}

static bool text_refuse(const json_error_t *error, struct err *err)
{
    char *near = strstr(error->text, " near '");
    int size = (int)strlen(error->text);

    if (json_error_code(error) == json_error_stack_overflow)
        return depth_refuse(err);
    /* It shows what the client sent, which need not be text. */
    if (near != NULL && !utf8_is_valid(slice_of(error->text)))
        size = (int)(near - error->text);
    return err_set(err, ERR_BAD_REQUEST, "invalid JSON at line %d, column %d: %.*s",
                   error->line, error->column, size, error->text);
}

static bool tree_refuse(const struct json_reading *reading, struct err *err)
{
    if (reading->flaw == NULL)
        return depth_refuse(err);
    return err_set(err, ERR_BAD_REQUEST, "invalid JSON: the number%s%.*s %s",
                   reading->pointer.size > 0 ? " at " : "", SLICE_ARG(reading->pointer),
                   reading->flaw);
}

/* A text without reals has nothing to be marked, and is not looked through for it. */
static bool tree_read(struct json_reading *reading, struct slice text, json_t *json,
                      struct value *value)
{
    struct arena *arena = reading->arena;

    if (!convert(reading, json, value, 1))
        return false;
    if (reading->reals == 0 || reading->marks.count > 0)
        return true;
    json_numbers_mark(arena, text, NULL, &reading->marks);
    if (reading->marks.count == 0)
        return true;
    *reading = (struct json_reading){ .arena = arena, .marks = reading->marks };
    return convert(reading, json, value, 1);
}

static bool text_read(struct arena *arena, struct slice text, struct value *value,
                      struct err *err)
{
    struct json_reading reading = { .arena = arena };
    json_error_t error;

    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        text = (struct slice){ text.data + 3, text.size - 3 };
    if (text.size > 0 && memchr(text.data, '\0', text.size) != NULL)
        return err_set(err, ERR_BAD_REQUEST, "invalid JSON: a zero byte in the text");
    json_t *json = text_load(text, &error);
    if (json == NULL && json_error_code(&error) == json_error_numeric_overflow) {
        struct buffer rewritten = { 0 };
        json_numbers_mark(arena, text, &rewritten, &reading.marks);
        json = text_load(buffer_view(&rewritten), &error);
        buffer_finish(&rewritten);
    }
    if (json == NULL)
        return text_refuse(&error, err);
    return tree_read(&reading, text, json, value) || tree_refuse(&reading, err);
}

bool json_read(struct arena *arena, struct slice text, struct value *value, struct err *err)
{
    static pthread_once_t built = PTHREAD_ONCE_INIT;
    struct arena here = { 0 };

    (void)pthread_once(&built, room_build);
    room = &here;
    bool ok = text_read(arena, text, value, err);
    room = NULL;
    arena_finish(&here);
    return ok;
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
    if (text.size > done) /* an empty text may have no address */
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
        buffer_int(out, value->integer);
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

void json_write_short(struct buffer *out, const struct value *value, size_t limit)
{
    size_t start = out->size;

    json_write(out, value);
    if (out->size - start <= limit)
        return;
    size_t end = start + limit;
    while (end > start && ((unsigned char)out->data[end] & 0xc0) == 0x80)
        end--;
    out->size = end;
    buffer_text(out, "…");
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
