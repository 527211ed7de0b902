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

static int rank_order(const void *a, const void *b)
{
    const struct run *x = *(const struct run *const *)a, *y = *(const struct run *const *)b;

    if (x->rank_ms != y->rank_ms)
        return x->rank_ms < y->rank_ms ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void away(const struct memory_store *memory, struct rows *rows)
{
    const struct run **found =
        memory_get((memory->db->rows[ROW_RUN].count + 1) * sizeof *found);
    uint32_t count = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->status == RUN_QUEUED && run->home != rows->node)
        found[count++] = run;
    if (count > 1)
        qsort(found, count, sizeof *found, rank_order);
    for (uint32_t i = 0; i < count && i < rows->wants.away; i++)
        rows_put_away(rows, found[i]->id);
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
    if (wants->away > 0)
        away(memory, rows);
}
