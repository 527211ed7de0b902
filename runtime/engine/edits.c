#include "engine/edits.h"

#include "base/duration.h"
#include "base/name.h"
#include "codec/pack.h"
#include "engine/batch.h"
#include "engine/commands/command_table.h"

/* ---- tags -------------------------------------------------------------------------------- */

static bool has_text(const struct value *list, struct slice text)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (slice_equal(list->items[i].bytes, text))
            return true;
    return false;
}

static struct value tags_of(struct arena *arena, struct slice packed)
{
    struct value list = value_list();

    if (packed.size > 0 && (!pack_read(arena, packed, &list, NULL) || list.kind != VALUE_LIST))
        list = value_list();
    return list;
}

struct slice tags_joined(struct batch *batch, struct slice tags, struct slice inherited)
{
    struct value list = tags_of(batch->arena, tags);
    struct value more = tags_of(batch->arena, inherited);

    for (uint32_t i = 0; i < more.count && list.count < batch->catalog->limits.tags; i++)
        if (!has_text(&list, more.items[i].bytes))
            value_add(batch->arena, &list, more.items[i]);
    return tags_pack(batch->arena, &list);
}

static bool tags_take(struct batch *batch, struct slice *packed,
                      const struct frame_meta *operations, uint32_t count, uint32_t whose,
                      uint32_t *new_tags, struct err *err)
{
    struct value list = value_list();
    uint32_t added = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (meta_kind_of(&operations[i]) != META_TAG || meta_whose_of(&operations[i]) != whose)
            continue;
        if (added == 0 && list.count == 0)
            list = tags_of(batch->arena, *packed);
        if (has_text(&list, operations[i].key))
            continue;
        if (!name_check(NAME_TAG, operations[i].key, err))
            return false;
        if (operations[i].key.size > batch->catalog->limits.tag_bytes)
            return err_set(err, ERR_RULE, "a tag is longer than %u characters (limits.tag)",
                           batch->catalog->limits.tag_bytes);
        value_add(batch->arena, &list, value_string(operations[i].key));
        added++;
    }
    if (added == 0)
        return true;
    if (list.count > batch->catalog->limits.tags)
        return err_set(err, ERR_RULE,
                       "the run would have %u tags, and at most %u are allowed (limits.tags)",
                       list.count, batch->catalog->limits.tags);
    *packed = tags_pack(batch->arena, &list);
    *new_tags += added;
    return true;
}

/* ---- metadata ---------------------------------------------------------------------------- */

static bool metadata_take(struct batch *batch, struct slice *packed,
                          const struct frame_meta *operations, uint32_t count, uint32_t whose,
                          struct err *err)
{
    int64_t most = batch->catalog->limits.metadata_bytes;
    struct value map = value_map();
    bool has_any = false;

    for (uint32_t i = 0; i < count; i++) {
        const struct frame_meta *each = &operations[i];
        struct value value = { .kind = VALUE_NULL };
        if (meta_whose_of(each) != whose || meta_kind_of(each) == META_TAG)
            continue;
        if (!has_any && packed->size > 0 && !pack_read(batch->arena, *packed, &map, err))
            return false;
        has_any = true;
        if ((each->value.size > 0 && !pack_read(batch->arena, each->value, &value, err)) ||
            !metadata_operate(batch->arena, &map, meta_kind_of(each), each->key, &value, err))
            return false;
    }
    if (!has_any)
        return true;
    struct slice after = map.count == 0 ? (struct slice){ 0 } : pack_value(batch->arena, &map);
    if ((int64_t)after.size > most)
        return err_set(err, ERR_TOO_LARGE,
                       "the metadata would have %zu bytes, %lld are allowed", after.size,
                       (long long)most);
    /* A value that nests as deep as it may is deeper in here. */
    if (after.size > 0 && !pack_read(batch->arena, after, &map, err))
        return false;
    *packed = after;
    return true;
}

/* ---- both -------------------------------------------------------------------------------- */

static int64_t target_of(const struct run *run, uint32_t whose)
{
    if (whose == META_OF_ROOT)
        return run->root_id;
    return whose == META_OF_PARENT && run->parent_id != 0 ? run->parent_id : run->id;
}

bool edits_load(struct batch *batch, const struct run *run, const struct frame_meta *operations,
                uint32_t count)
{
    struct run *other;
    bool loaded = true;

    for (uint32_t i = 0; i < count; i++) {
        int64_t target = target_of(run, meta_whose_of(&operations[i]));
        if (target != run->id)
            loaded &= rows_run(&batch->rows, target, 0, &other);
    }
    return loaded;
}

bool edits_take(struct batch *batch, struct run *run, const struct frame_meta *operations,
                uint32_t count, uint32_t *new_tags, struct err *err)
{
    struct run *targets[META_WHOSE_COUNT];
    struct slice metadata[META_WHOSE_COUNT], tags[META_WHOSE_COUNT];
    uint32_t added = 0;

    /* Of those that are the same run, the later goes on from what the earlier has made of it.
     */
    for (uint32_t whose = 0; whose < META_WHOSE_COUNT; whose++) {
        uint32_t at = 0;
        int64_t target = target_of(run, whose);
        targets[whose] = target == run->id ? run : rows_run_here(&batch->rows, target);
        if (targets[whose] == NULL)
            continue;
        while (targets[at] != targets[whose])
            at++;
        if (at == whose) {
            metadata[at] = targets[at]->metadata;
            tags[at] = targets[at]->tags;
        }
        if (!metadata_take(batch, &metadata[at], operations, count, whose, err) ||
            !tags_take(batch, &tags[at], operations, count, whose, &added, err))
            return false;
        targets[whose] = targets[at];
    }
    for (uint32_t whose = META_WHOSE_COUNT; whose-- > 0;) {
        uint32_t at = 0;
        if (targets[whose] == NULL)
            continue;
        while (targets[at] != targets[whose])
            at++;
        targets[whose]->metadata = metadata[at];
        targets[whose]->tags = tags[at];
    }
    if (new_tags != NULL)
        *new_tags = added;
    return true;
}

/* ---- from outside ------------------------------------------------------------------------ */

/* So long after its end its metadata may still be put right. */
#define LATE_MS (INT64_C(3600) * 1000)

static int64_t steady_of(const struct batch *batch, struct deadline deadline)
{
    return deadline.is_span ? deadline.due_ms
                            : time_after(deadline.due_ms, batch->steady_ms - batch->now_ms);
}

static void start_move(struct batch *batch, struct command *command, struct run *run)
{
    const struct run_edit *edit = &command->run_edit;

    if (!run_awaits_start(run)) {
        err_set(&command->err, ERR_BAD_REQUEST, "Cannot reschedule a run that is not delayed");
        return;
    }
    struct deadline was = { run->due_ms, run->due_is_span };
    struct deadline due = batch_deadline(batch, edit->due_ms, edit->delay_ms);
    if (due.due_ms == 0) /* now */
        due = (struct deadline){ batch->steady_ms, true };
    run->due_ms = due.due_ms;
    run->due_is_span = due.is_span;
    /* It stands where it would have, had that been said when it was triggered. */
    run->rank_ms = time_after(run->rank_ms, steady_of(batch, due) - steady_of(batch, was));
    run->updated_ms = batch->now_ms;
    run_note(batch, run, SLICE("its start was moved"));
    (void)batch_event(batch, run, false);
}

bool run_edit_decide(struct batch *batch, struct command *command)
{
    struct run_edit *edit = &command->run_edit;
    struct run *run;

    if (!rows_run(&batch->rows, edit->id, 0, &run))
        return false;
    if (run == NULL || run->environment != edit->environment)
        return err_set(&command->err, ERR_NOT_FOUND, "Run not found") || true;
    if (edit->moves) {
        start_move(batch, command, run);
        return true;
    }
    if (batch->catalog == NULL)
        return err_set(&command->err, ERR_STOPPING, "the server is still starting") || true;
    if (run->status == RUN_DONE && run->finished_ms < batch->now_ms - LATE_MS)
        return err_set(&command->err, ERR_RULE, "Cannot update metadata for a completed run") ||
               true;
    if (!edits_load(batch, run, edit->operations, edit->count))
        return false;
    if (edits_take(batch, run, edit->operations, edit->count, &edit->new_tags, &command->err)) {
        run->updated_ms = batch->now_ms;
        edit->metadata = arena_copy(command->arena, run->metadata);
    }
    return true;
}

void run_edit_clear(struct command *command)
{
    command->run_edit.metadata = (struct slice){ 0 };
    command->run_edit.new_tags = 0;
}
