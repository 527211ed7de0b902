/* Rows made in a batch. */
#include "engine/rows/rows_known.h"

struct run *rows_new_run(struct rows *rows, int64_t id)
{
    struct known *known = known_get(rows, &rows->runs, (uint64_t)id);
    struct run *run = ARENA_NEW(rows->arena, struct run);

    run->id = id;
    run->parts = PART_INPUT | PART_STATE | PART_OUTPUT;
    run->is_new = run->is_dirty = true;
    run->loaded_status = RUN_STATUS_COUNT;
    run->next = rows->run_list;
    rows->run_list = run;
    known->row = run;
    known->is_loaded = true;
    return run;
}

void rows_new_child(struct rows *rows, struct run *run)
{
    run->next_young = rows_young(rows, run->parent_id);
    table_set(&rows->young, (uint64_t)run->parent_id, run);
}

struct waitpoint *rows_new_waitpoint(struct rows *rows, int64_t id)
{
    struct known *known = known_get(rows, &rows->waitpoints, (uint64_t)id);
    struct waitpoint *waitpoint = ARENA_NEW(rows->arena, struct waitpoint);

    waitpoint->id = id;
    waitpoint->is_new = waitpoint->is_dirty = true;
    waitpoint->next = rows->waitpoint_list;
    rows->waitpoint_list = waitpoint;
    known->row = waitpoint;
    known->is_loaded = true;
    return waitpoint;
}

void rows_queue_know(struct rows *rows, struct queue *queue)
{
    struct known *known = known_get(rows, &rows->queues, (uint64_t)queue->id);

    known->row = queue;
    known->is_loaded = true;
    known = known_queue(rows, queue->environment, queue->name);
    known->row = queue;
    known->is_loaded = true;
    queue->next = rows->queue_list;
    rows->queue_list = queue;
}

struct queue *rows_new_queue(struct rows *rows, int64_t id, uint32_t environment,
                             struct slice name)
{
    struct queue *queue = ARENA_NEW(rows->arena, struct queue);

    queue->id = id;
    queue->environment = environment;
    queue->name = name;
    queue->is_new = queue->is_dirty = true;
    rows_queue_know(rows, queue);
    return queue;
}

struct key *rows_new_key(struct rows *rows, const uint8_t hash[16])
{
    struct known *known = known_key(rows, hash);
    struct key *key = known->row;

    if (key == NULL) {
        key = ARENA_NEW(rows->arena, struct key);
        memcpy(key->hash, hash, sizeof key->hash);
        key->is_new = true;
        key->next = rows->key_list;
        rows->key_list = key;
        known->row = key;
        known->is_loaded = true;
    }
    key->is_dirty = true;
    key->is_deleted = false;
    return key;
}

static uint64_t ends_hash(int64_t waitpoint_id, int64_t run_id)
{
    return (uint64_t)waitpoint_id * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)run_id;
}

/* An edge of the batch, linked to its waitpoint's others and to the flush. */
struct edge *rows_edge_add(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct known *known = known_get(rows, &rows->edges, (uint64_t)waitpoint_id);
    struct edges *edges = known_edges(rows, known);
    struct edge *edge = ARENA_NEW(rows->arena, struct edge);
    uint64_t hash = ends_hash(waitpoint_id, run_id);

    edge->waitpoint_id = waitpoint_id;
    edge->run_id = run_id;
    edge->next = edges->first;
    edges->first = edge;
    edge->next_same = table_find(&rows->edge_ends, hash);
    table_set(&rows->edge_ends, hash, edge);
    return edge;
}

struct edge *rows_edge_find(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct edge *edge = table_find(&rows->edge_ends, ends_hash(waitpoint_id, run_id));

    while (edge != NULL && (edge->waitpoint_id != waitpoint_id || edge->run_id != run_id))
        edge = edge->next_same;
    return edge;
}

static void edge_change(struct rows *rows, struct edge *edge)
{
    edge->next_of_batch = rows->edge_list;
    rows->edge_list = edge;
}

struct edge *rows_new_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct edge *edge = rows_edge_find(rows, waitpoint_id, run_id);

    if (edge == NULL) {
        edge = rows_edge_add(rows, waitpoint_id, run_id);
        edge->is_new = true;
        edge_change(rows, edge);
    } else if (edge->is_deleted) {
        /* Deleted and wanted again: the database may still hold it, so write it over. */
        edge->is_new = true;
        edge->is_deleted = false;
    }
    return edge;
}

void rows_delete_edge(struct rows *rows, struct edge *edge)
{
    if (edge->is_deleted)
        return;
    edge->is_deleted = true;
    if (!edge->is_new)
        edge_change(rows, edge);
}

void rows_unlink(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct edge *edge = rows_edge_find(rows, waitpoint_id, run_id);

    if (edge == NULL)
        edge = rows_edge_add(rows, waitpoint_id, run_id);
    rows_delete_edge(rows, edge);
}

struct log_line *rows_new_log(struct rows *rows, int64_t run_id)
{
    struct log_line *line = ARENA_NEW(rows->arena, struct log_line);

    line->run_id = run_id;
    if (rows->log_last == NULL)
        rows->log_first = line;
    else
        rows->log_last->next = line;
    rows->log_last = line;
    rows->log_count++;
    return line;
}

bool rows_changed(const struct rows *rows)
{
    if (rows->edge_list != NULL || rows->log_count > 0 || lanes_changed(rows))
        return true;
    for (const struct run *run = rows->run_list; run != NULL; run = run->next)
        if (run->is_dirty || run->dirty_parts != 0)
            return true;
    for (const struct waitpoint *row = rows->waitpoint_list; row != NULL; row = row->next)
        if (row->is_dirty)
            return true;
    for (const struct queue *row = rows->queue_list; row != NULL; row = row->next)
        if (row->is_dirty)
            return true;
    for (const struct key *row = rows->key_list; row != NULL; row = row->next)
        if (row->is_dirty)
            return true;
    return false;
}
