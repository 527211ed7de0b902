/* The questions that a batch asks beside rows by their keys. */
#include "base/memory.h"
#include "engine/rows/run_filter.h"
#include "store/memory/memory_rows.h"
#include "store/memory/memory_store.h"

#include <stdlib.h>

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static void load_children(struct memory_store *memory, struct rows *rows,
                          const struct children_want *want)
{
    uint32_t looks = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    {
        if (run->parent_id != want->parent_id || run->id <= want->after || looks == want->limit)
            continue;
        rows_put_child(rows, run);
        looks++;
    }
}

static void load_tokens(struct memory_store *memory, struct rows *rows, int64_t run_id)
{
    EACH_SORTED(&memory->db->rows[ROW_WAITPOINT], waitpoint, token)
    if (token->run_id == run_id && token->status == WAITPOINT_PENDING && token->is_shared == 0)
        rows_put_token(rows, run_id, token->id);
}

static void load_edges(struct memory_store *memory, struct rows *rows,
                       const struct edges_want *want)
{
    const struct sorted_rows *edges = &memory->db->rows[ROW_EDGE];
    struct edge wanted = { .waitpoint_id = want->waitpoint_id, .run_id = INT64_MIN };
    bool found;
    uint32_t first = sorted_at(edges, &wanted.row, &found);

    for (uint32_t k = first; k < edges->count && k - first < want->limit; k++) {
        const struct edge *edge = (const struct edge *)edges->items[k].row;
        if (edge->waitpoint_id != want->waitpoint_id)
            break;
        rows_put_edge(rows, edge->waitpoint_id, edge->run_id);
    }
}

static int rank_order(const void *a, const void *b)
{
    const struct run *x = *(const struct run *const *)a, *y = *(const struct run *const *)b;

    return x->rank_ms != y->rank_ms ? compare(x->rank_ms, y->rank_ms) : compare(x->id, y->id);
}

static void load_ready(struct memory_store *memory, struct rows *rows,
                       const struct ready_want *want)
{
    const struct run **found =
        memory_get((memory->db->rows[ROW_RUN].count + 1) * sizeof *found);
    uint32_t count = 0;

    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->status == RUN_QUEUED && run->queue == want->queue && run->home == rows->node &&
        run->lane == want->lane)
        found[count++] = run;
    if (count > 1)
        qsort(found, count, sizeof *found, rank_order);
    for (uint32_t k = 0; k < count && k < want->limit; k++)
        rows_put_ready(rows, want->lane,
                       (struct run *)memory_lend(rows, ROW_RUN, &found[k]->row, 0));
    free(found);
}

/* ---- runs of a filter -------------------------------------------------------------------- */

static uint32_t queues_named(const struct memory_store *memory, const struct run_filter *filter,
                             int64_t ids[FILTER_QUEUES_MOST])
{
    uint32_t count = 0;

    EACH_SORTED(&memory->db->rows[ROW_QUEUE], queue, queue)
    for (uint32_t i = 0; i < filter->queues.count && count < FILTER_QUEUES_MOST; i++)
        if (queue->environment == filter->environment &&
            slice_equal(queue->name, filter->queues.items[i]))
            ids[count++] = queue->id;
    return count;
}

static void load_selected(struct memory_store *memory, struct rows *rows,
                          const struct select_want *want)
{
    const struct sorted_rows *runs = &memory->db->rows[ROW_RUN];
    int64_t queues[FILTER_QUEUES_MOST], last = 0;
    uint32_t queue_count = queues_named(memory, want->filter, queues), count = 0;
    struct arena scratch = { 0 };

    for (uint32_t k = runs->count; k > 0; k--) {
        const struct run *run = (const struct run *)runs->items[k - 1].row;
        if (run->id >= want->filter->after ||
            !run_filter_matches(want->filter, queues, queue_count, run, &scratch))
            continue;
        if (count++ == want->filter->limit) {
            rows_put_selected_next(rows, want->by, last);
            break;
        }
        last = run->id;
        (void)memory_lend(rows, ROW_RUN, &run->row, 0); /* found by its id */
        rows_put_selected(rows, want->by, run->id);
    }
    arena_finish(&scratch);
}

/* ---- queues ------------------------------------------------------------------------------ */

/* One that was canceled has its place until its segment has returned. */
static bool has_live_run(const struct memory_store *memory, int64_t queue)
{
    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run->queue == queue && (run->status != RUN_DONE || run->is_out))
        return true;
    return false;
}

static int used_order(const void *a, const void *b)
{
    const struct queue *x = *(const struct queue *const *)a,
                       *y = *(const struct queue *const *)b;

    return x->used_ms != y->used_ms ? compare(x->used_ms, y->used_ms) : compare(x->id, y->id);
}

static void load_idle(struct memory_store *memory, struct rows *rows,
                      const struct idle_want *want)
{
    const struct queue **found =
        memory_get((memory->db->rows[ROW_QUEUE].count + 1) * sizeof *found);
    uint32_t live = 0, count = 0;

    EACH_SORTED(&memory->db->rows[ROW_QUEUE], queue, queue)
    {
        if (queue->environment != want->environment || queue->removed || queue->name.size == 0)
            continue;
        live++;
        if (!queue->paused && queue->override_ms == 0 && queue->rates.size == 0 &&
            !has_live_run(memory, queue->id))
            found[count++] = queue;
    }
    if (count > 1)
        qsort(found, count, sizeof *found, used_order);
    rows_put_live(rows, want->environment, live);
    for (uint32_t k = 0; k < count && k < want->limit; k++)
        rows_put_idle(rows, want->environment,
                      (struct queue *)memory_lend(rows, ROW_QUEUE, &found[k]->row, 0));
    free(found);
}

/* ---- all --------------------------------------------------------------------------------- */

void memory_load_questions(struct memory_store *memory, struct rows *rows)
{
    const struct wants *wants = &rows->wants;

    for (uint32_t i = 0; i < wants->child_count; i++)
        load_children(memory, rows, &wants->children[i]);
    for (uint32_t i = 0; i < wants->tokens.count; i++)
        load_tokens(memory, rows, wants->tokens.items[i]);
    for (uint32_t i = 0; i < wants->edge_count; i++)
        load_edges(memory, rows, &wants->edges[i]);
    for (uint32_t i = 0; i < wants->ready_count; i++)
        load_ready(memory, rows, &wants->ready[i]);
    for (uint32_t i = 0; i < wants->idle_count; i++)
        load_idle(memory, rows, &wants->idle[i]);
    for (uint32_t i = 0; i < wants->select_count; i++)
        load_selected(memory, rows, &wants->selects[i]);
    memory_load_lanes(memory, rows);
    memory_load_nodes(memory, rows);
    if (!wants->running)
        return;
    EACH_SORTED(&memory->db->rows[ROW_RUN], run, run)
    if (run_is_executing(run) && (rows->node == 0 || run->node == rows->node))
        rows_put_running(rows, &(struct running){ run->queue, run->lane, run->environment, 1 });
}
