#include "frame_cursor.h"

const struct value *cursor_take(struct cursor *cursor)
{
    static const struct value nothing = { .kind = VALUE_NULL };

    if (cursor->at >= cursor->count) {
        cursor->broken = true;
        return &nothing;
    }
    return &cursor->items[cursor->at++];
}

int64_t cursor_int(struct cursor *cursor)
{
    const struct value *value = cursor_take(cursor);

    if (value->kind == VALUE_INT)
        return value->integer;
    if (value->kind == VALUE_UINT)
        return (int64_t)value->big; /* addresses use all 64 bits */
    cursor->broken = true;
    return 0;
}

uint32_t cursor_u32(struct cursor *cursor)
{
    int64_t number = cursor_int(cursor);

    if (number < 0 || number > UINT32_MAX) {
        cursor->broken = true;
        return 0;
    }
    return (uint32_t)number;
}

bool cursor_bool(struct cursor *cursor)
{
    const struct value *value = cursor_take(cursor);

    cursor->broken |= value->kind != VALUE_BOOL;
    return value->kind == VALUE_BOOL && value->boolean;
}

struct slice cursor_bytes(struct cursor *cursor)
{
    const struct value *value = cursor_take(cursor);

    if (value->kind == VALUE_BYTES)
        return value->bytes;
    cursor->broken = true;
    return (struct slice){ 0 };
}

/* Text travels as bytes too; what is shown to people must be UTF-8, so check it here. */
struct slice cursor_text(struct cursor *cursor)
{
    struct slice text = cursor_bytes(cursor);

    cursor->broken |= !utf8_is_valid(text);
    return text;
}

struct cursor cursor_list(struct cursor *cursor)
{
    const struct value *value = cursor_take(cursor);

    cursor->broken |= value->kind != VALUE_LIST;
    return (struct cursor){ .arena = cursor->arena,
                            .items = value->kind == VALUE_LIST ? value->items : NULL,
                            .count = value->kind == VALUE_LIST ? value->count : 0 };
}

struct cursor cursor_groups(struct cursor *cursor, uint32_t size, uint32_t *count)
{
    struct cursor list = cursor_list(cursor);

    cursor->broken |= list.count % size != 0;
    *count = list.count / size;
    return list;
}
