/* Lanes of the memory store. */
#include "base/memory.h"
#include "store/memory/memory_rows.h"
#include "store/memory/memory_store.h"

#include <stdlib.h>

static bool has_live_run(const struct memory_store *memory, int64_t lane)
{
    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->lane == lane && (run->status != RUN_DONE || run->is_out))
        return true;
    return false;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void lanes_of(const struct memory_store *memory, struct rows *rows,
                     const struct lanes_want *want)
{
    int64_t *found = memory_get((memory->db->rows[ROW_RUN].count + 1) * sizeof *found);
    uint32_t count = 0, put = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->status == RUN_QUEUED && run->queue == want->queue && run->home == rows->node &&
        run->lane > want->after)
        found[count++] = run->lane;
    if (count > 1)
        qsort(found, count, sizeof *found, by_number);
    for (uint32_t k = 0; k < count && put < want->limit; k++)
        if (k == 0 || found[k] != found[k - 1]) {
            rows_put_lane_of(rows, want->queue, found[k]);
            put++;
        }
    free(found);
}

void memory_load_lanes(struct memory_store *memory, struct rows *rows)
{
    const struct lane_rows *wants = &rows->lanes;
    uint32_t idle = 0;

    EACH_SORTED(&memory->db->rows[ROW_LANE], lane, lane)
    {
        if (!wants->idle.is_wanted || idle == wants->idle.limit ||
            lane->id <= wants->idle.after || has_live_run(memory, lane->id))
            continue;
        rows_put_idle_lane(rows, (struct lane *)memory_lend(rows, ROW_LANE, &lane->row, 0));
        idle++;
    }
    for (uint32_t i = 0; i < wants->queue_count; i++)
        lanes_of(memory, rows, &wants->queues[i]);
}
