#include "engine/waits/mail.h"

#include "codec/frame_cursor.h"
#include "codec/pack.h"
#include "engine/waits/group.h"

/* One behind the other: four bytes of size, and a list. So one more is written behind them, and
 * they are counted without a look at any. */
enum { SIZE_BYTES = 4, MESSAGE_ITEMS = 6, ROOM_LEAST = 512 };

static uint32_t size_at(struct slice packed, size_t at)
{
    uint32_t size;

    if (packed.size - at < SIZE_BYTES)
        return 0;
    memcpy(&size, packed.data + at, SIZE_BYTES);
    return size <= packed.size - at - SIZE_BYTES ? size : 0;
}

static uint32_t count_of(struct slice packed)
{
    uint32_t count = 0;

    for (size_t at = 0; size_at(packed, at) > 0; at += SIZE_BYTES + size_at(packed, at))
        count++;
    return count;
}

static bool message_read(struct arena *arena, struct slice packed, struct mail_item *message)
{
    struct value list;

    if (!pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST)
        return false;
    struct cursor cursor = { .arena = arena, .items = list.items, .count = list.count };
    message->number = cursor_int(&cursor);
    message->created_ms = cursor_int(&cursor);
    message->sender_id = cursor_int(&cursor);
    message->name = cursor_bytes(&cursor);
    message->data = cursor_bytes(&cursor);
    message->secret = cursor_bytes(&cursor);
    return !cursor.broken;
}

struct mail mail_read(struct arena *arena, struct slice packed)
{
    struct mail mail = { .items = ARENA_ARRAY(arena, struct mail_item,
                                              (size_t)count_of(packed) + 1) };
    uint32_t size;

    for (size_t at = 0; (size = size_at(packed, at)) > 0; at += SIZE_BYTES + size)
        mail.count += message_read(arena, (struct slice){ packed.data + at + SIZE_BYTES, size },
                                   &mail.items[mail.count]);
    return mail;
}

const struct mail_item *mail_find(const struct mail *mail, int64_t number)
{
    uint32_t from = 0, to = mail->count;

    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (mail->items[middle].number == number)
            return &mail->items[middle];
        if (mail->items[middle].number < number)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

bool mail_ready(struct batch *batch, struct run *run)
{
    struct run *same;

    return run->mailed == 0 || rows_run(&batch->rows, run->id, PART_MAIL, &same);
}

uint32_t mail_count(const struct run *run)
{
    return count_of(run->mail);
}

/* ---- changing it ------------------------------------------------------------------------- */

static void message_write(struct buffer *out, const struct mail_item *message)
{
    size_t from = out->size;
    uint32_t size = 0;

    buffer_add(out, &size, SIZE_BYTES);
    pack_list(out, MESSAGE_ITEMS);
    pack_int(out, message->number);
    pack_int(out, message->created_ms);
    pack_int(out, message->sender_id);
    pack_bytes(out, message->name);
    pack_bytes(out, message->data);
    pack_bytes(out, message->secret);
    size = (uint32_t)(out->size - from - SIZE_BYTES);
    memcpy(out->data + from, &size, SIZE_BYTES);
}

/* Where a mailbox was written in this batch, with room behind it: of many messages that come at
 * once, none copies those before it. */
struct mail_room {
    char *data;
    size_t bytes;
};

static void mail_append(struct batch *batch, struct run *run, struct slice bytes)
{
    struct mail_room *room = table_find(&batch->mails, (uint64_t)run->id);
    size_t size = run->mail.size + bytes.size;

    if (room == NULL || room->data != run->mail.data || size > room->bytes) {
        room = ARENA_NEW(batch->arena, struct mail_room);
        room->bytes = size * 2 > ROOM_LEAST ? size * 2 : ROOM_LEAST;
        room->data = arena_alloc(batch->arena, room->bytes);
        if (run->mail.size > 0)
            memcpy(room->data, run->mail.data, run->mail.size);
        table_set(&batch->mails, (uint64_t)run->id, room);
    }
    memcpy(room->data + run->mail.size, bytes.data, bytes.size);
    run_set_part(run, PART_MAIL, (struct slice){ room->data, size });
}

void mail_add(struct batch *batch, struct run *run, struct mail_item *message)
{
    struct buffer out = { 0 };

    message->number = ++run->mailed;
    message_write(&out, message);
    mail_append(batch, run, buffer_view(&out));
    buffer_finish(&out);
}

void mail_close(struct run *run)
{
    if (run->mailed > 0)
        run_set_part(run, PART_MAIL, (struct slice){ 0 });
}

/* ---- who has what ------------------------------------------------------------------------ */

static bool has_message(const struct frame_part *part)
{
    return part->kind == PART_MESSAGE && part->id != 0;
}

static bool wants_message(const struct frame_part *part)
{
    return part->kind == PART_MESSAGE && part->id == 0;
}

/* The messages that no part has, each with the next of its name: a wait for ten thousand of
 * them looks at each message once. */
struct unread {
    struct table first; /* of a name → 1 + its place */
    uint32_t *next;     /* of that hash, + 1 */
};

static struct unread unread_of(struct arena *arena, const struct mail *mail,
                               const struct wait_group *group)
{
    struct unread unread = { .next = ARENA_ARRAY(arena, uint32_t, (size_t)mail->count + 1) };
    struct table taken;

    table_init(&unread.first, arena);
    table_init(&taken, arena);
    for (uint32_t i = 0; i < group->count; i++)
        if (has_message(&group->parts[i]))
            table_set(&taken, (uint64_t)group->parts[i].id, NULL);
    for (uint32_t i = mail->count; i > 0; i--) {
        uint64_t hash = table_hash(mail->items[i - 1].name, 0);
        if (table_has(&taken, (uint64_t)mail->items[i - 1].number))
            continue;
        unread.next[i - 1] = (uint32_t)(uintptr_t)table_find(&unread.first, hash);
        table_set(&unread.first, hash, (void *)(uintptr_t)i);
    }
    return unread;
}

static void part_give(struct unread *unread, const struct mail *mail, struct frame_part *part)
{
    uint64_t hash = table_hash(part->word, 0);
    uint32_t at = (uint32_t)(uintptr_t)table_find(&unread->first, hash), before = 0;

    while (at != 0 && !slice_equal(mail->items[at - 1].name, part->word)) {
        before = at;
        at = unread->next[at - 1];
    }
    if (at == 0)
        return;
    part->id = mail->items[at - 1].number;
    if (before == 0)
        table_set(&unread->first, hash, (void *)(uintptr_t)unread->next[at - 1]);
    else
        unread->next[before - 1] = unread->next[at - 1];
}

void mail_give(struct batch *batch, const struct run *run, struct wait *wait)
{
    struct wait_group *group = wait->group;

    if (group == NULL || run->mail.size == 0)
        return;
    struct mail mail = mail_read(batch->arena, run->mail);
    struct unread unread = unread_of(batch->arena, &mail, group);
    for (uint32_t i = 0; i < group->count; i++)
        if (wants_message(&group->parts[i]))
            part_give(&unread, &mail, &group->parts[i]);
}

void mail_drop(struct batch *batch, struct run *run, const struct wait *wait)
{
    const struct wait_group *group = wait == NULL ? NULL : wait->group;
    struct buffer left = { 0 };
    struct table taken;

    if (group == NULL || run->mail.size == 0)
        return;
    table_init(&taken, batch->arena);
    for (uint32_t i = 0; i < group->count; i++)
        if (has_message(&group->parts[i]))
            table_set(&taken, (uint64_t)group->parts[i].id, NULL);
    struct mail mail = mail_read(batch->arena, run->mail);
    for (uint32_t i = 0; i < mail.count; i++)
        if (!table_has(&taken, (uint64_t)mail.items[i].number))
            message_write(&left, &mail.items[i]);
    if (left.size != run->mail.size)
        run_set_part(run, PART_MAIL, arena_copy(batch->arena, buffer_view(&left)));
    buffer_finish(&left);
}
