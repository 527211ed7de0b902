/* What is kept of builds is written down. */
#include "engine/batch.h"
#include "engine/builds/builds.h"
#include "engine/rows/build_row.h"

bool builds_put_decide(struct batch *batch, struct command *command)
{
    const struct builds_put *put = &command->builds_put;
    struct build_row *row;
    bool loaded = true;

    for (uint32_t i = 0; i < put->count; i++)
        loaded &= rows_build(&batch->rows, put->items[i].id, &row);
    if (!loaded)
        return false;
    for (uint32_t i = 0; i < put->count; i++) {
        const struct build_row *from = &put->items[i];
        (void)rows_build(&batch->rows, from->id, &row); /* loaded above */
        if (row == NULL && from->row.is_deleted)
            continue;
        if (row == NULL)
            row = rows_new_build(&batch->rows, from->id);
        row->row.is_deleted = from->row.is_deleted;
        row->sha = arena_copy(batch->arena, from->sha);
        row->file = arena_copy(batch->arena, from->file);
        row->plugin = arena_copy(batch->arena, from->plugin);
        row->version = arena_copy(batch->arena, from->version);
        row->about = arena_copy(batch->arena, from->about);
        row->note = arena_copy(batch->arena, from->note);
        row->created_ms = from->created_ms;
        row->rank_ms = from->rank_ms;
        row->in_file = from->in_file;
        row->heir = from->heir;
        row->ramp_percent = from->ramp_percent;
        row->ramp_from_ms = from->ramp_from_ms;
        row->ramp_ms = from->ramp_ms;
    }
    return true;
}
