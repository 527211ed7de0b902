/* What nodes ask that share the store. */
#include "base/memory.h"
#include "store/memory/memory_rows.h"
#include "store/memory/memory_store.h"

#include <stdlib.h>

static void runs_of(const struct memory_store *memory, struct rows *rows,
                    const struct node_want *want)
{
    uint32_t count = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    {
        bool is_its = run_is_executing(run)
                          ? run->node == want->node
                          : run->status == RUN_QUEUED && run->home == want->node;
        if (is_its && count++ < want->limit)
            rows_put_run_of(rows, want->node, run->id);
    }
}

static bool names(struct slice nodes, uint32_t node)
{
    for (size_t at = 0; at + 8 <= nodes.size; at += 8)
        if (memcmp(nodes.data + at, &node, sizeof node) == 0)
            return true;
    return false;
}

static int lane_order(const void *a, const void *b)
{
    const struct run *x = *(const struct run *const *)a, *y = *(const struct run *const *)b;

    if (x->lane != y->lane)
        return x->lane < y->lane ? -1 : 1;
    if ((x->deaths.size > 0) != (y->deaths.size > 0))
        return x->deaths.size > 0 ? 1 : -1;
    if (x->rank_ms != y->rank_ms)
        return x->rank_ms < y->rank_ms ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static bool is_away(const struct rows *rows, const struct run *run)
{
    const struct away_want *want = &rows->wants.away;

    if (run->status != RUN_QUEUED || run->home == rows->node || run->lane <= want->after)
        return false;
    for (uint32_t i = 0; i < want->task_count; i++)
        if (slice_equal(want->tasks[i], run->task))
            return true;
    return false;
}

static void away(const struct memory_store *memory, struct rows *rows)
{
    const struct away_want *want = &rows->wants.away;
    const struct run **found =
        memory_get((memory->db->rows[ROW_RUN].count + 1) * sizeof *found);
    uint32_t count = 0, lanes = 0, depth = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (is_away(rows, run))
        found[count++] = run;
    if (count > 1)
        qsort(found, count, sizeof *found, lane_order);
    for (uint32_t i = 0; i < count && lanes <= want->lanes; i++) {
        bool is_next = i == 0 || found[i]->lane != found[i - 1]->lane;
        lanes += is_next;
        depth = is_next ? 0 : depth + 1;
        if (depth < want->depth && lanes <= want->lanes)
            rows_put_away(rows, found[i]->id);
    }
    rows->away_is_all = lanes <= want->lanes;
    free(found);
}

void memory_load_nodes(struct memory_store *memory, struct rows *rows)
{
    const struct wants *wants = &rows->wants;

    if (wants->nodes)
        EACH_SORTED(&memory->db->rows[ROW_NODE], node, node)
    (void)memory_lend(rows, ROW_NODE, &node->row, 0); /* it is in the list of its kind */
    for (uint32_t i = 0; i < wants->runs_of_count; i++)
        runs_of(memory, rows, &wants->runs_of[i]);
    for (uint32_t i = 0; i < wants->grants_of.count; i++)
        EACH_SORTED(&memory->db->rows[ROW_GRANT], grant, grant)
    if (names(grant->holders, (uint32_t)wants->grants_of.items[i]) ||
        names(grant->hungry, (uint32_t)wants->grants_of.items[i]))
        rows_put_grant_of(rows, (uint32_t)wants->grants_of.items[i], grant->scope);
    if (wants->away.lanes > 0)
        away(memory, rows);
}
