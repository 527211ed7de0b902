#include "engine/waits/wait.h"

#include "base/duration.h"
#include "codec/frame_wait.h"
#include "codec/pack.h"

/* What stands behind the head: the ids themselves, in rows that an older version wrote; else
 * one list of them, one of the group where there is one, and the key where there is one. */
enum { HEAD_ITEMS = 4, KEY_ITEMS = 2 };

static void group_pack(struct buffer *out, const struct wait_group *group)
{
    pack_list(out, 7 + 4);
    pack_bytes(out, group->then);
    pack_int(out, group->begun_ms);
    pack_bool(out, group->due_is_span);
    pack_int(out, group->reminded);
    pack_bool(out, group->is_reminder);
    pack_int(out, group->is_over ? 1 + (int64_t)group->lost : 0);
    manner_write(out, &group->manner);
    parts_write(out, group->parts, group->count);
}

static void group_read(struct cursor *cursor, struct wait_group *group)
{
    struct cursor list = cursor_list(cursor);

    group->then = cursor_text(&list);
    group->begun_ms = cursor_int(&list);
    group->due_is_span = cursor_bool(&list);
    group->reminded = cursor_u32(&list);
    group->is_reminder = cursor_bool(&list);
    uint32_t lost = cursor_u32(&list);
    group->is_over = lost > 0;
    group->lost = lost > 0 ? lost - 1 : 0;
    manner_read(&list, &group->manner);
    parts_read(&list, &group->parts, &group->count);
    cursor->broken |= list.broken;
}

struct slice wait_pack(struct arena *arena, const struct wait *wait)
{
    struct buffer out = { 0 };

    bool is_keyed = wait->key.size > 0;
    uint32_t behind = wait->group != NULL ? 2 : is_keyed || wait->count > 0;
    pack_list(&out, HEAD_ITEMS + behind + (is_keyed ? KEY_ITEMS : 0));
    pack_int(&out, wait->kind);
    pack_int(&out, wait->needed);
    pack_int(&out, wait->due_ms);
    pack_bool(&out, wait->gave_up);
    if (behind > 0)
        ids_write(&out, wait->ids, wait->group != NULL ? 0 : wait->count);
    if (wait->group != NULL)
        group_pack(&out, wait->group);
    if (is_keyed) {
        pack_bytes(&out, wait->key);
        pack_bool(&out, wait->key_global);
    }
    struct slice packed = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return packed;
}

/* Those of a group stand in its parts. */
static void ids_of_parts(struct arena *arena, struct wait *wait)
{
    struct wait_group *group = wait->group;

    wait->count = 0;
    wait->ids = ARENA_ARRAY(arena, int64_t, (size_t)group->count + 1);
    group->is_token = ARENA_ARRAY(arena, bool, (size_t)group->count + 1);
    for (uint32_t i = 0; i < group->count; i++) {
        if (group->parts[i].kind != PART_TOKEN && group->parts[i].kind != PART_RUN)
            continue;
        group->is_token[wait->count] = group->parts[i].kind == PART_TOKEN;
        wait->ids[wait->count++] = group->parts[i].id;
    }
}

bool wait_is_token(const struct wait *wait, uint32_t place)
{
    return wait->group != NULL ? wait->group->is_token[place] : wait->kind == WAIT_FOR_TOKEN;
}

bool wait_number(struct arena *arena, struct wait *wait, uint32_t *wrong)
{
    struct wait_group *group = wait->group;
    uint32_t *members = ARENA_ARRAY(arena, uint32_t, (size_t)group->count + 1);

    ids_of_parts(arena, wait);
    group->numbers = ARENA_ARRAY(arena, uint32_t, (size_t)group->count + 1);
    group->groups = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        members[group->parts[i].of]++;
        if (group->parts[i].kind == PART_GROUP)
            group->numbers[i] = ++group->groups;
    }
    for (uint32_t i = 0; i <= group->count; i++) {
        if (i > 0 && group->parts[i - 1].kind != PART_GROUP)
            continue;
        uint32_t *needed = i == 0 ? &wait->needed : &group->parts[i - 1].needed;
        *wrong = i;
        if (*needed > members[i])
            return false;
        if (*needed == 0)
            *needed = members[i];
    }
    return true;
}

bool wait_read(struct arena *arena, struct slice packed, struct wait *wait)
{
    struct value list;
    uint32_t wrong;

    *wait = (struct wait){ 0 };
    if (packed.size == 0 || !pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST ||
        list.count < HEAD_ITEMS)
        return false;
    struct cursor cursor = { .arena = arena, .items = list.items, .count = list.count };
    wait->kind = cursor_u32(&cursor);
    wait->needed = cursor_u32(&cursor);
    wait->due_ms = cursor_int(&cursor);
    wait->gave_up = cursor_bool(&cursor);
    if (list.count > HEAD_ITEMS && list.items[HEAD_ITEMS].kind == VALUE_LIST) {
        ids_read(&cursor, &wait->ids, &wait->count);
    } else {
        wait->count = list.count - HEAD_ITEMS;
        wait->ids = ARENA_ARRAY(arena, int64_t, wait->count + 1);
        for (uint32_t i = 0; i < wait->count; i++)
            wait->ids[i] = cursor_int(&cursor);
    }
    if (wait->kind == WAIT_FOR_GROUP) {
        wait->group = ARENA_NEW(arena, struct wait_group);
        group_read(&cursor, wait->group);
        cursor.broken |= !wait_number(arena, wait, &wrong);
    }
    if (cursor.at + KEY_ITEMS <= cursor.count) {
        wait->key = cursor_text(&cursor);
        wait->key_global = cursor_bool(&cursor);
    }
    return !cursor.broken;
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

bool wait_has(struct arena *arena, struct wait *wait, int64_t id)
{
    enum { FEW = 8 };

    if (wait->count > FEW && wait->places.arena == NULL) {
        table_init(&wait->places, arena);
        for (uint32_t i = 0; i < wait->count; i++)
            table_set(&wait->places, (uint64_t)wait->ids[i], NULL);
    }
    for (uint32_t i = 0; wait->count <= FEW && i < wait->count; i++)
        if (wait->ids[i] == id)
            return true;
    return wait->count > FEW && table_has(&wait->places, (uint64_t)id);
}

static void parts_index(struct arena *arena, struct wait *wait)
{
    struct wait_group *group = wait->group;

    table_init(&wait->places, arena);
    group->same = ARENA_ARRAY(arena, uint32_t, (size_t)group->count + 1);
    for (uint32_t i = group->count; i > 0; i--) {
        const struct frame_part *part = &group->parts[i - 1];
        if (part->kind != PART_TOKEN && part->kind != PART_RUN)
            continue;
        group->same[i - 1] = (uint32_t)(uintptr_t)table_find(&wait->places, (uint64_t)part->id);
        table_set(&wait->places, (uint64_t)part->id, (void *)(uintptr_t)i);
    }
}

uint32_t wait_part_of(struct arena *arena, struct wait *wait, int64_t id, uint32_t place)
{
    if (wait->places.arena == NULL)
        parts_index(arena, wait);
    return place == 0 ? (uint32_t)(uintptr_t)table_find(&wait->places, (uint64_t)id)
                      : wait->group->same[place - 1];
}

int64_t wait_reminds_ms(const struct wait_group *group)
{
    return group->reminded < group->manner.reminder_count
               ? time_after(group->begun_ms, group->manner.reminders[group->reminded])
               : 0;
}
