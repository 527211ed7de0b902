/*
 * A move is  u8 status << 4 | outcome · u8 text size · varint milliseconds since created ·
 * text. Not msgpack: this is written at every move of every run, and half of it would be
 * headers.
 */
#include "engine/timeline.h"

enum { VARINT_MAX = 10 };

static size_t varint_put(unsigned char *out, uint64_t number)
{
    size_t size = 0;

    for (; number >= 0x80; number >>= 7)
        out[size++] = (unsigned char)(number | 0x80);
    out[size++] = (unsigned char)number;
    return size;
}

/* The size of the move at the front of `rest`, 0 when there is none whole. */
static size_t move_take(struct slice rest, int64_t created_ms, struct move *move)
{
    const unsigned char *at = (const unsigned char *)rest.data;
    uint64_t since = 0;
    size_t size = 2;

    if (rest.size < 3)
        return 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (size >= rest.size)
            return 0;
        since |= (uint64_t)(at[size] & 0x7f) << shift;
        if ((at[size++] & 0x80) == 0)
            break;
    }
    if (rest.size - size < at[1])
        return 0;
    *move = (struct move){ .at_ms = created_ms + (int64_t)since,
                           .status = at[0] >> 4,
                           .outcome = at[0] & 15,
                           .text = { rest.data + size, at[1] } };
    return size + at[1];
}

struct slice timeline_add(struct arena *arena, const struct run *run, const struct move *move)
{
    unsigned char head[2 + VARINT_MAX];
    size_t text = move->text.size < MOVE_TEXT_MAX ? move->text.size : MOVE_TEXT_MAX;
    int64_t since = move->at_ms > run->created_ms ? move->at_ms - run->created_ms : 0;
    struct slice old = run->timeline;
    size_t keep = 0, drop = 0, at = 0, step;
    uint32_t count = 0;
    struct move other;

    while (text > 0 && text < move->text.size && (move->text.data[text] & 0xc0) == 0x80)
        text--; /* not in the middle of a character */
    head[0] = (unsigned char)(move->status << 4 | move->outcome);
    head[1] = (unsigned char)text;
    size_t size = 2 + varint_put(head + 2, (uint64_t)since);
    while ((step = move_take((struct slice){ old.data + at, old.size - at }, 0, &other)) > 0) {
        if (count == TIMELINE_FIRST) {
            keep = at;
            drop = step;
        }
        at += step;
        count++;
    }
    if (count < TIMELINE_FIRST + TIMELINE_LAST) {
        keep = at;
        drop = 0;
    }
    char *data = arena_alloc(arena, old.size + size + text);
    struct slice timeline = { data, at - drop + size + text };
    if (keep > 0)
        memcpy(data, old.data, keep);
    if (at > keep + drop)
        memcpy(data + keep, old.data + keep + drop, at - keep - drop);
    memcpy(data + at - drop, head, size);
    if (text > 0)
        memcpy(data + at - drop + size, move->text.data, text);
    return timeline;
}

uint32_t timeline_read(struct arena *arena, const struct run *run, struct move **moves)
{
    struct slice rest = run->timeline;
    uint32_t count = 0;
    size_t step;

    *moves = ARENA_ARRAY(arena, struct move, TIMELINE_FIRST + TIMELINE_LAST + 1);
    while (count <= TIMELINE_FIRST + TIMELINE_LAST &&
           (step = move_take(rest, run->created_ms, &(*moves)[count])) > 0) {
        rest.data += step;
        rest.size -= step;
        count++;
    }
    return count;
}
