/* What a run has registered to be undone, and what could not be. */
#include "base/name.h"
#include "codec/pack.h"
#include "engine/builds/builds.h"
#include "engine/endings/ending.h"

enum { ERRORS_MOST = 20, ERROR_TEXT_MOST = 500 };

static struct value list_read(struct arena *arena, struct slice packed)
{
    struct value list;

    if (packed.size == 0 || !pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST)
        list = value_list();
    return list;
}

struct slice aborts_flaw(struct batch *batch, const struct run *run,
                         const struct frame_end *end, struct slice *code)
{
    const struct catalog_task *task = catalog_task_of(batch->catalog, run);
    bool is_known = task != NULL && task->available && slice_equal(task->build, run->build);

    if (end->abort_count == 0)
        return (struct slice){ 0 };
    for (uint32_t i = 0; i < end->abort_count; i++)
        if (end->aborts[i].size == 0 || end->aborts[i].data[0] == HOOK_MARK ||
            (is_known && !catalog_has_segment(task, end->aborts[i]))) {
            *code = SLICE("segment_not_listed");
            return arena_format(batch->arena,
                                "segment \"%.*s\", which is to undo what this one did, is not "
                                "in the task's list",
                                SLICE_ARG(end->aborts[i]));
        }
    if (list_read(batch->arena, run->aborts).count + (uint64_t)end->abort_count <= ABORTS_MOST)
        return (struct slice){ 0 };
    *code = SLICE("too_many_aborts");
    return arena_format(batch->arena,
                        "the run has registered %d segments with bide_on_abort(); no more are "
                        "possible",
                        ABORTS_MOST);
}

void aborts_push(struct batch *batch, struct run *run, const struct frame_end *end)
{
    struct value list;

    if (end->abort_count == 0)
        return;
    list = list_read(batch->arena, run->aborts);
    for (uint32_t i = 0; i < end->abort_count; i++)
        value_add(batch->arena, &list, value_string(end->aborts[i]));
    run->aborts = pack_value(batch->arena, &list);
}

void aborts_pop(struct batch *batch, struct run *run)
{
    struct value list = list_read(batch->arena, run->aborts);

    run->aborts = (struct slice){ 0 };
    if (list.count > 1) {
        list.count--;
        run->aborts = pack_value(batch->arena, &list);
    }
}

struct slice aborts_last(struct arena *arena, const struct run *run)
{
    struct value list = list_read(arena, run->aborts);

    return list.count > 0 ? list.items[list.count - 1].bytes : (struct slice){ 0 };
}

/* Of many the first are kept: what came later may follow from them. */
void undo_error_add(struct batch *batch, struct run *run, const struct failure *failure)
{
    struct arena *arena = batch->arena;
    struct value list = list_read(arena, run->undo_errors), map = value_map();
    struct slice message = failure->message;

    if (list.count >= ERRORS_MOST)
        return;
    message.size = message.size < ERROR_TEXT_MOST ? message.size : ERROR_TEXT_MOST;
    while (message.size > 0 && !utf8_is_valid(message))
        message.size--; /* not in the middle of a character */
    value_put(arena, &map, "segment", value_string(run->segment));
    value_put(arena, &map, "name", value_string(failure->name));
    value_put(arena, &map, "message", value_string(message));
    value_put(arena, &map, "tries", value_int(run->undo_tries));
    value_put(arena, &map, "at", value_int(batch->now_ms));
    value_add(arena, &list, map);
    run->undo_errors = pack_value(arena, &list);
}
