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
        struct row head = row->row;
        *row = *(const struct build_row *)row_copy(ROW_BUILD, batch->arena, &from->row, 0);
        row->row = head;
        row->row.is_deleted = from->row.is_deleted;
    }
    return true;
}
