#include "engine/rows/labels.h"

#include "codec/pack.h"

#include <inttypes.h>

static uint64_t mix(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ (unsigned char)bytes.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* FNV-1a, since databases have it already. */
static uint64_t begin(uint32_t environment)
{
    const char bytes[] = { (char)(environment & 0xff), (char)(environment >> 8 & 0xff),
                           (char)(environment >> 16 & 0xff), (char)(environment >> 24) };

    return mix(UINT64_C(0xcbf29ce484222325), (struct slice){ bytes, sizeof bytes });
}

int64_t label_of_tag(uint32_t environment, struct slice tag)
{
    return (int64_t)(mix(begin(environment), tag) >> 1);
}

int64_t label_of_member(uint32_t environment, struct slice key, struct slice text)
{
    uint64_t hash = mix(begin(environment), (struct slice){ "\0", 1 }); /* no tag has it */

    return (int64_t)(mix(mix(mix(hash, key), (struct slice){ "\0", 1 }), text) >> 1);
}

bool label_text(struct arena *arena, const struct value *value, struct slice *text)
{
    if (value->kind == VALUE_STRING)
        *text = value->bytes;
    else if (value->kind == VALUE_BOOL)
        *text = value->boolean ? SLICE("true") : SLICE("false");
    else if (value->kind == VALUE_INT)
        *text = arena_format(arena, "%" PRId64, value->integer);
    else
        return false;
    return text->size <= LABEL_BYTES;
}

static void add(int64_t *labels, uint32_t *count, int64_t label)
{
    for (uint32_t i = 0; i < *count; i++)
        if (labels[i] == label)
            return;
    labels[(*count)++] = label;
}

uint32_t labels_of(struct arena *arena, const struct row_index *index, const struct row *row,
                   uint32_t environment, int64_t **labels)
{
    struct slice tags = row == NULL ? (struct slice){ 0 } : row_slice(row, index->tags);
    struct slice members = row == NULL || index->members == NULL
                               ? (struct slice){ 0 }
                               : row_slice(row, index->members);
    struct value list = { .kind = VALUE_NULL }, map = { .kind = VALUE_NULL };
    uint32_t count = 0;
    struct slice text;

    *labels = NULL;
    if (tags.size == 0 && members.size == 0)
        return 0;
    if (tags.size > 0 && (!pack_read(arena, tags, &list, NULL) || list.kind != VALUE_LIST))
        list.count = 0;
    if (members.size > 0 && (!pack_read(arena, members, &map, NULL) || map.kind != VALUE_MAP))
        map.count = 0;
    *labels = ARENA_ARRAY(arena, int64_t, (size_t)list.count + LABELS_MOST + 1);
    for (uint32_t i = 0; i < list.count; i++)
        if (list.items[i].kind == VALUE_STRING)
            add(*labels, &count, label_of_tag(environment, list.items[i].bytes));
    for (uint32_t i = 0; i < map.count && i < LABELS_MOST; i++)
        if (label_text(arena, &map.members[i].value, &text))
            add(*labels, &count, label_of_member(environment, map.members[i].key, text));
    return count;
}

bool labels_have(struct arena *scratch, struct slice metadata, struct slice key,
                 struct slice text)
{
    struct value map;
    struct slice its;

    arena_reset(scratch);
    if (metadata.size == 0 || !pack_read(scratch, metadata, &map, NULL))
        return false;
    const struct value *member = value_find_slice(&map, key);
    return member != NULL && label_text(scratch, member, &its) && slice_equal(its, text);
}
