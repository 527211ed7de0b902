#include "engine/waits/group.h"

#include "codec/frame_cursor.h"
#include "codec/pack.h"

/* A wait that was read, of these bytes; NULL: they are none. */
struct seen_wait {
    const char *packed;
    struct wait *wait;
};

struct wait *run_wait(struct batch *batch, const struct run *run)
{
    struct seen_wait *seen = table_find(&batch->waits, (uint64_t)run->id);
    struct wait wait;

    if (run->wait.size == 0)
        return NULL;
    if (seen != NULL && seen->packed == run->wait.data)
        return seen->wait;
    seen = ARENA_NEW(batch->arena, struct seen_wait);
    seen->packed = run->wait.data;
    if (wait_read(batch->arena, run->wait, &wait)) {
        seen->wait = ARENA_NEW(batch->arena, struct wait);
        *seen->wait = wait;
    }
    table_set(&batch->waits, (uint64_t)run->id, seen);
    return seen->wait;
}

/* ---- what is left ------------------------------------------------------------------------ */

static struct slice left_pack(struct arena *arena, const uint32_t *left, uint32_t count)
{
    struct buffer out = { 0 };

    pack_list(&out, count);
    for (uint32_t i = 0; i < count; i++)
        pack_int(&out, left[i]);
    struct slice packed = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return packed;
}

static uint32_t *left_read(struct arena *arena, struct slice packed, uint32_t count)
{
    uint32_t *left = ARENA_ARRAY(arena, uint32_t, count);
    struct value list;

    if (!pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST)
        return left;
    struct cursor cursor = { .arena = arena, .items = list.items, .count = list.count };
    for (uint32_t i = 0; i < count; i++)
        left[i] = cursor_u32(&cursor);
    return left;
}

/* One of the group's is over, and so may it be, and those around it. True: so is the wait. */
static bool left_count(const struct wait_group *group, uint32_t *left, uint32_t of)
{
    for (;;) {
        uint32_t *needed = &left[of == 0 ? 0 : group->numbers[of - 1]];
        if (*needed == 0 || --*needed > 0)
            return false;
        if (of == 0)
            return true;
        of = group->parts[of - 1].of;
    }
}

/* What is not there any more was there when the wait began: it has ended, and was removed. */
static bool part_look(struct batch *batch, const struct frame_part *part, bool *is_over)
{
    struct waitpoint *token;
    struct run *run;

    *is_over = false;
    if (part->kind == PART_TOKEN) {
        if (!rows_waitpoint(&batch->rows, part->id, &token))
            return false;
        *is_over = token == NULL || token->status != WAITPOINT_PENDING;
    } else if (part->kind == PART_RUN) {
        if (!rows_run(&batch->rows, part->id, 0, &run))
            return false;
        *is_over = run == NULL || run_is_over(run);
    } else if (part->kind == PART_TIME) {
        *is_over = part->due_ms == 0 || batch_is_over(batch, part->due_ms, part->is_span);
    } else if (part->kind == PART_MESSAGE) {
        *is_over = part->id != 0;
    } else {
        *is_over = part->needed == 0;
    }
    return true;
}

bool group_look(struct batch *batch, const struct wait *wait, struct slice *left, bool *is_over)
{
    const struct wait_group *group = wait->group;
    uint32_t *counts = ARENA_ARRAY(batch->arena, uint32_t, (size_t)group->groups + 1);
    bool loaded = true, ended;

    counts[0] = wait->needed;
    *is_over = wait->needed == 0;
    for (uint32_t i = 0; i < group->count; i++)
        if (group->parts[i].kind == PART_GROUP)
            counts[group->numbers[i]] = group->parts[i].needed;
    for (uint32_t i = 0; i < group->count; i++) {
        if (!part_look(batch, &group->parts[i], &ended))
            loaded = false;
        else if (ended)
            *is_over |= left_count(group, counts, group->parts[i].of);
    }
    if (loaded)
        *left = left_pack(batch->arena, counts, group->groups + 1);
    return loaded;
}

static void left_keep(struct batch *batch, struct run *run, const struct wait_group *group,
                      const uint32_t *left)
{
    run->left = left_pack(batch->arena, left, group->groups + 1);
}

bool group_tell(struct batch *batch, struct run *run, struct wait *wait, int64_t id)
{
    struct wait_group *group = wait->group;
    uint32_t *left = left_read(batch->arena, run->left, group->groups + 1);
    bool is_over = false;

    for (uint32_t at = wait_part_of(batch->arena, wait, id, 0); at != 0;
         at = wait_part_of(batch->arena, wait, id, at))
        is_over |= left_count(group, left, group->parts[at - 1].of);
    left_keep(batch, run, group, left);
    return is_over;
}

bool group_hear(struct batch *batch, struct run *run, struct wait *wait,
                const struct mail_item *message)
{
    struct wait_group *group = wait->group;
    uint32_t at = 0;

    if (group == NULL || group->is_over)
        return false;
    while (at < group->count &&
           (group->parts[at].kind != PART_MESSAGE || group->parts[at].id != 0 ||
            !slice_equal(group->parts[at].word, message->name)))
        at++;
    if (at == group->count)
        return false;
    uint32_t *left = left_read(batch->arena, run->left, group->groups + 1);
    group->parts[at].id = message->number;
    bool is_over = left_count(group, left, group->parts[at].of);
    left_keep(batch, run, group, left);
    run->wait = wait_pack(batch->arena, wait);
    return is_over;
}

/* ---- times ------------------------------------------------------------------------------- */

static void deadline_take(const struct batch *batch, struct deadline *first, int64_t due_ms,
                          bool is_span)
{
    int64_t left_ms = due_ms - (is_span ? batch->steady_ms : batch->now_ms);

    if (due_ms != 0 &&
        (first->due_ms == 0 ||
         left_ms < first->due_ms - (first->is_span ? batch->steady_ms : batch->now_ms)))
        *first = (struct deadline){ due_ms, is_span };
}

struct deadline group_deadline(const struct batch *batch, const struct wait *wait)
{
    const struct wait_group *group = wait->group;
    struct deadline first = { 0, false };

    deadline_take(batch, &first, wait->due_ms, group->due_is_span);
    deadline_take(batch, &first, wait_reminds_ms(group), true);
    for (uint32_t i = 0; i < group->count; i++)
        if (group->parts[i].kind == PART_TIME &&
            !batch_is_over(batch, group->parts[i].due_ms, group->parts[i].is_span))
            deadline_take(batch, &first, group->parts[i].due_ms, group->parts[i].is_span);
    return first;
}
