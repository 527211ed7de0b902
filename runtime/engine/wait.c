#include "engine/wait.h"

#include "base/table.h"
#include "codec/pack.h"

enum { HEAD_ITEMS = 4 };

struct slice wait_pack(struct arena *arena, const struct wait *wait)
{
    struct buffer out = { 0 };

    pack_list(&out, HEAD_ITEMS + wait->count);
    pack_int(&out, wait->kind);
    pack_int(&out, wait->needed);
    pack_int(&out, wait->due_ms);
    pack_bool(&out, wait->gave_up);
    for (uint32_t i = 0; i < wait->count; i++)
        pack_int(&out, wait->ids[i]);
    struct slice packed = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return packed;
}

bool wait_read(struct arena *arena, struct slice packed, struct wait *wait)
{
    struct value list;

    *wait = (struct wait){ 0 };
    if (packed.size == 0 || !pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST ||
        list.count < HEAD_ITEMS)
        return false;
    wait->kind = (uint32_t)list.items[0].integer;
    wait->needed = (uint32_t)list.items[1].integer;
    wait->due_ms = list.items[2].integer;
    wait->gave_up = list.items[3].boolean;
    wait->count = list.count - HEAD_ITEMS;
    wait->ids = ARENA_ARRAY(arena, int64_t, wait->count);
    for (uint32_t i = 0; i < wait->count; i++)
        wait->ids[i] = list.items[HEAD_ITEMS + i].integer;
    return true;
}

uint32_t wait_distinct(struct arena *arena, const int64_t *all, uint32_t count, int64_t **ids)
{
    struct table seen;
    uint32_t kept = 0;

    table_init(&seen, arena);
    *ids = ARENA_ARRAY(arena, int64_t, count);
    for (uint32_t i = 0; i < count; i++)
        if (!table_has(&seen, (uint64_t)all[i])) {
            table_set(&seen, (uint64_t)all[i], NULL);
            (*ids)[kept++] = all[i];
        }
    return kept;
}

bool wait_has(const struct wait *wait, int64_t id)
{
    for (uint32_t i = 0; i < wait->count; i++)
        if (wait->ids[i] == id)
            return true;
    return false;
}
