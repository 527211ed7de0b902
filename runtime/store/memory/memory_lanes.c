/* Lanes of the memory store. */
#include "base/memory.h"
#include "engine/rows/rows_known.h"
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

static int by_rank(const void *a, const void *b)
{
    const struct run *x = *(const struct run *const *)a, *y = *(const struct run *const *)b;

    if (x->lane != y->lane)
        return x->lane < y->lane ? -1 : 1;
    return x->rank_ms != y->rank_ms ? (x->rank_ms < y->rank_ms ? -1 : 1)
                                    : (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b)
{
    return by_number(&(*(const struct run *const *)a)->id,
                     &(*(const struct run *const *)b)->id);
}

static bool waits(const struct run *run)
{
    return run->status == RUN_DELAYED || run->status == RUN_QUEUED || run->status == RUN_PARKED;
}

static int64_t crowd_count(const struct memory_store *memory, int64_t queue)
{
    int64_t count = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    count += run->queue == queue && waits(run);
    return count;
}

static void load_crowd(const struct memory_store *memory, struct rows *rows,
                       const struct crowd_want *want)
{
    const struct run **found =
        memory_get((memory->db->rows[ROW_RUN].count + 1) * sizeof *found);
    uint32_t count = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->queue == want->queue && run->status == RUN_QUEUED)
        found[count++] = run;
    if (count > CROWD_LOOK) {
        qsort(found, count, sizeof *found, by_rank);
        count = CROWD_LOOK;
    }
    if (count > 1)
        qsort(found, count, sizeof *found, by_id);
    rows_put_crowd(rows, want->queue, crowd_count(memory, want->queue));
    for (uint32_t k = 0; k < count && k < want->limit; k++)
        rows_put_oldest(rows, want->queue, found[k]->id);
    free(found);
}

bool memory_crowds_hold(const struct memory_store *memory, const struct rows *rows,
                        int64_t *queue)
{
    for (uint32_t i = 0; i < rows->lanes.crowds.capacity; i++) {
        const struct table_entry *entry = &rows->lanes.crowds.entries[i];
        const struct known *known = entry->used ? entry->value : NULL;
        const struct queue_crowd *crowd = known == NULL ? NULL : known->row;
        if (crowd == NULL || crowd->most == 0)
            continue;
        int64_t now = crowd_count(memory, (int64_t)entry->key), more = 0;
        EACH_RUN(rows, run)
        if (run->queue == (int64_t)entry->key)
            more += (waits(run) ? 1 : 0) -
                    (run_loaded(run) != NULL && waits(run_loaded(run)) ? 1 : 0);
        *queue = (int64_t)entry->key;
        if (now > crowd->count && now + more > crowd->most)
            return false;
    }
    return true;
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
    for (uint32_t i = 0; i < wants->crowd_count; i++)
        load_crowd(memory, rows, &wants->crowds_of[i]);
}
