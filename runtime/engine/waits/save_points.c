#include "engine/waits/save_points.h"

#include "codec/frame_cursor.h"
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/waits/group.h"

enum { POINT_ITEMS = 7 };

/* Is the last one there? What undoes a run is none to begin at. */
static bool has_last(const struct run *run)
{
    return run->segment.size > 0 && run->ending == OUTCOME_NONE;
}

static struct save_point last_of(const struct run *run)
{
    return (struct save_point){ .number = run->entry,
                                .saved_ms = run->saved_ms,
                                .segment = run->segment,
                                .state = run->state,
                                .wait = run->wait,
                                .once = run->once,
                                .mail = run->mail };
}

/* ---- as they are kept: a list of packed lists -------------------------------------------- */

static struct slice point_pack(struct arena *arena, const struct save_point *point)
{
    struct buffer out = { 0 };

    pack_list(&out, POINT_ITEMS);
    pack_int(&out, point->number);
    pack_int(&out, point->saved_ms);
    pack_bytes(&out, point->segment);
    pack_bytes(&out, point->state);
    pack_bytes(&out, point->wait);
    pack_bytes(&out, point->once);
    pack_bytes(&out, point->mail);
    struct slice packed = arena_copy(arena, buffer_view(&out));
    buffer_finish(&out);
    return packed;
}

static bool point_read(struct arena *arena, struct slice packed, struct save_point *point)
{
    struct value list;

    if (!pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST)
        return false;
    struct cursor cursor = { .arena = arena, .items = list.items, .count = list.count };
    point->number = cursor_int(&cursor);
    point->saved_ms = cursor_int(&cursor);
    point->segment = cursor_bytes(&cursor);
    point->state = cursor_bytes(&cursor);
    point->wait = cursor_bytes(&cursor);
    point->once = cursor_bytes(&cursor);
    point->mail = cursor_bytes(&cursor);
    point->bytes = (int64_t)packed.size;
    return !cursor.broken;
}

/* Empty when it is damaged. */
static struct value kept_read(struct arena *arena, const struct run *run)
{
    struct value list = { .kind = VALUE_LIST };

    if (run->states.size > 0 &&
        (!pack_read(arena, run->states, &list, NULL) || list.kind != VALUE_LIST))
        list = (struct value){ .kind = VALUE_LIST };
    return list;
}

struct save_points save_points_read(struct arena *arena, const struct run *run)
{
    struct value list = kept_read(arena, run);
    struct save_points points = {
        .items = ARENA_ARRAY(arena, struct save_point, (size_t)list.count + 1),
    };

    for (uint32_t i = 0; i < list.count; i++)
        points.count += point_read(arena, list.items[i].bytes, &points.items[points.count]);
    if (has_last(run) && run->state.size > 0) {
        struct save_point last = last_of(run);
        last.bytes = (int64_t)point_pack(arena, &last).size;
        points.items[points.count++] = last;
    }
    return points;
}

struct run *save_point_run(struct arena *arena, const struct run *run,
                           const struct save_point *point)
{
    struct run *then = ARENA_NEW(arena, struct run);

    *then = *run;
    then->entry = (uint32_t)point->number;
    then->segment = point->segment;
    then->state = point->state;
    then->wait = point->wait;
    then->once = point->once;
    then->mail = point->mail;
    return then;
}

/* ---- changing them ----------------------------------------------------------------------- */

void save_points_learn(struct run *run, const struct catalog_task *task)
{
    if (task != NULL)
        run->keeps = task->keep_states > 1 ? task->keep_states : 0;
}

bool save_point_ready(struct batch *batch, struct run *run)
{
    uint32_t parts = run->kept > 0 ? PART_STATES : 0;
    struct run *same;

    if (run->keeps == 0 && run->kept == 0)
        return true;
    if (has_last(run))
        parts |= PART_STATE | (run->mailed > 0 ? PART_MAIL : 0);
    return rows_run(&batch->rows, run->id, parts, &same);
}

/* The first of `count` that stays: the newest do, within `room` and their bytes. */
static uint32_t first_kept(const struct slice *points, uint32_t count, uint32_t room,
                           int64_t most)
{
    uint32_t from = count;
    int64_t bytes = 0;

    while (from > 0 && count - from < room) {
        bytes += (int64_t)points[from - 1].size;
        if (bytes > most)
            break;
        from--;
    }
    return from;
}

static void kept_set(struct batch *batch, struct run *run, const struct slice *points,
                     uint32_t count)
{
    struct buffer out = { 0 };

    run->kept = count;
    if (count > 0)
        pack_list(&out, count);
    for (uint32_t i = 0; i < count; i++)
        pack_bytes(&out, points[i]);
    if (out.size > 0 || run->states.size > 0)
        run_set_part(run, PART_STATES, arena_copy(batch->arena, buffer_view(&out)));
    buffer_finish(&out);
}

void save_point_keep(struct batch *batch, struct run *run, bool by_another)
{
    int64_t most =
        batch->catalog == NULL ? INT64_MAX : batch->catalog->limits.kept_states_bytes;
    uint32_t room = run->keeps - (by_another && run->keeps > 0), count = 0;

    if (run->keeps == 0 && run->kept == 0)
        return;
    struct value list = kept_read(batch->arena, run);
    struct slice *points = ARENA_ARRAY(batch->arena, struct slice, (size_t)list.count + 1);
    while (count < list.count) {
        points[count] = list.items[count].bytes;
        count++;
    }
    if (has_last(run)) {
        struct save_point last = last_of(run);
        points[count++] = point_pack(batch->arena, &last);
    }
    uint32_t from = first_kept(points, count, room, most);
    if (from > 0 || has_last(run))
        kept_set(batch, run, points + from, count - from);
}

void save_point_leave(struct batch *batch, struct run *run)
{
    struct wait *wait = run->keeps > 0 && run->status == RUN_WAITING && has_last(run)
                            ? run_wait(batch, run)
                            : NULL;

    if (wait == NULL)
        return;
    if (wait->group == NULL || !wait->group->is_over) {
        wait->gave_up = true;
        if (wait->group != NULL && wait->group->manner.otherwise.size > 0)
            run->segment = wait->group->manner.otherwise;
    }
    if (wait->group != NULL)
        wait->group->is_over = false;
    run->wait = wait_pack(batch->arena, wait);
}
