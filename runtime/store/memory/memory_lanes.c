/* Lanes of the memory store. */
#include "base/memory.h"
#include "store/memory/memory_rows.h"
#include "store/memory/memory_store.h"

#include <stdlib.h>

static bool has_live_run(const struct memory_store *memory, int64_t lane)
{
    for (uint32_t k = 0; k < memory->runs.count; k++) {
        const struct run *run = &memory->runs.items[k]->run;
        if (run->lane == lane && (run->status != RUN_DONE || run->is_out))
            return true;
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    return rack_order_of(*(const int64_t *)a, *(const int64_t *)b);
}

static void lanes_of(const struct memory_store *memory, struct rows *rows,
                     const struct lanes_want *want)
{
    int64_t *found = memory_get((memory->runs.count + 1) * sizeof *found);
    uint32_t count = 0, put = 0;

    for (uint32_t k = 0; k < memory->runs.count; k++) {
        const struct run *run = &memory->runs.items[k]->run;
        if (run->status == RUN_QUEUED && run->queue == want->queue && run->lane > want->after)
            found[count++] = run->lane;
    }
    if (count > 1)
        qsort(found, count, sizeof *found, by_number);
    for (uint32_t k = 0; k < count && put < want->limit; k++)
        if (k == 0 || found[k] != found[k - 1]) {
            rows_put_lane_of(rows, want->queue, found[k]);
            put++;
        }
    free(found);
}

static struct lane lane_lend(struct rows *rows, const struct lane *lane)
{
    struct lane lent = *lane;

    lent.key = arena_copy(rows->arena, lane->key);
    return lent;
}

void memory_load_lanes(struct memory_store *memory, struct rows *rows)
{
    const struct lane_rows *wants = &rows->lanes;
    uint32_t idle = 0;

    for (uint32_t k = 0; k < memory->lanes.count; k++) {
        struct lane lent = lane_lend(rows, &memory->lanes.items[k]->lane);
        for (uint32_t i = 0; i < wants->name_count; i++)
            if (wants->names[i].queue == lent.queue &&
                slice_equal(wants->names[i].key, lent.key))
                rows_put_lane(rows, &lent);
        if (wants->idle.is_wanted && idle < wants->idle.limit &&
            !has_live_run(memory, lent.id)) {
            rows_put_idle_lane(rows, &lent);
            idle++;
        }
    }
    for (uint32_t i = 0; i < wants->queue_count; i++)
        lanes_of(memory, rows, &wants->queues[i]);
}

void memory_commit_lanes(struct memory_store *memory, const struct rows *rows)
{
    for (const struct lane *row = rows->lanes.list; row != NULL; row = row->next) {
        if (row->is_new == row->is_deleted)
            continue;
        struct held *held = held_create();
        held->lane = *row;
        held->lane.key = arena_copy(&held->arena, row->key);
        if (row->is_deleted) {
            rack_drop(&memory->lanes, held);
            held_destroy(held);
        } else {
            rack_put(&memory->lanes, held);
        }
    }
}

const struct lane *store_memory_lane(struct store *store, int64_t id)
{
    struct held *held = rack_find(&memory_of(store)->lanes, &(struct held){ .lane.id = id });

    return held == NULL ? NULL : &held->lane;
}
