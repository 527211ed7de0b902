/* A filter of runs as bytes of a row. */
#include "codec/pack.h"
#include "engine/bulk/bulk.h"

#include <string.h>

enum { PARTS = 10 /* new ones come at the end */ };

static void slices_pack(struct buffer *out, const struct slices *slices)
{
    pack_list(out, slices->count);
    for (uint32_t i = 0; i < slices->count; i++)
        pack_bytes(out, slices->items[i]);
}

struct slice bulk_filter_pack(struct arena *arena, const struct run_filter *filter)
{
    struct buffer out = { 0 };

    pack_list(&out, PARTS);
    pack_int(&out, filter->is_test);
    pack_int(&out, filter->from_ms);
    pack_int(&out, filter->to_ms);
    pack_list(&out, filter->status_count * 2);
    for (uint32_t i = 0; i < filter->status_count; i++) {
        pack_int(&out, filter->statuses[i].status);
        pack_int(&out, filter->statuses[i].outcome);
    }
    slices_pack(&out, &filter->tasks);
    slices_pack(&out, &filter->queues);
    slices_pack(&out, &filter->versions);
    slices_pack(&out, &filter->tags);
    pack_int(&out, filter->bulk);
    pack_list(&out, filter->member_count * 2);
    for (uint32_t i = 0; i < filter->member_count; i++) {
        pack_bytes(&out, filter->members[i].key);
        pack_bytes(&out, filter->members[i].text);
    }
    struct slice packed = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return packed;
}

static bool slices_read(struct arena *arena, const struct value *list, struct slices *slices)
{
    *slices = (struct slices){ ARENA_ARRAY(arena, struct slice, list->count + 1), 0 };
    for (uint32_t i = 0; i < list->count; i++)
        slices->items[slices->count++] = list->items[i].bytes;
    return list->kind == VALUE_LIST;
}

static bool statuses_read(const struct value *list, struct run_filter *filter)
{
    enum { MOST = sizeof filter->statuses / sizeof filter->statuses[0] };

    if (list->kind != VALUE_LIST || list->count % 2 != 0 || list->count > 2 * MOST)
        return false;
    for (; filter->status_count < list->count / 2; filter->status_count++) {
        const struct value *pair = &list->items[(size_t)filter->status_count * 2];
        filter->statuses[filter->status_count].status = (uint32_t)pair[0].integer;
        filter->statuses[filter->status_count].outcome = (uint32_t)pair[1].integer;
    }
    return true;
}

static bool members_read(const struct value *list, struct run_filter *filter)
{
    enum { MOST = sizeof filter->members / sizeof filter->members[0] };

    if (list->kind != VALUE_LIST || list->count % 2 != 0 || list->count > 2 * MOST)
        return false;
    for (; filter->member_count < list->count / 2; filter->member_count++) {
        const struct value *pair = &list->items[(size_t)filter->member_count * 2];
        filter->members[filter->member_count].key = pair[0].bytes;
        filter->members[filter->member_count].text = pair[1].bytes;
    }
    return true;
}

bool bulk_filter_read(struct arena *arena, struct slice packed, struct run_filter *filter)
{
    struct value list;

    *filter = (struct run_filter){ .is_test = -1 };
    if (!pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST || list.count < PARTS)
        return false;
    filter->is_test = (int)list.items[0].integer;
    filter->from_ms = list.items[1].integer;
    filter->to_ms = list.items[2].integer;
    filter->bulk = list.items[8].integer;
    return statuses_read(&list.items[3], filter) &&
           slices_read(arena, &list.items[4], &filter->tasks) &&
           slices_read(arena, &list.items[5], &filter->queues) &&
           slices_read(arena, &list.items[6], &filter->versions) &&
           slices_read(arena, &list.items[7], &filter->tags) &&
           members_read(&list.items[9], filter);
}

uint32_t bulk_run_count(struct slice runs)
{
    return (uint32_t)(runs.size / sizeof(int64_t));
}

int64_t bulk_run_at(struct slice runs, uint32_t at)
{
    int64_t id;

    memcpy(&id, runs.data + at * sizeof id, sizeof id);
    return id;
}
