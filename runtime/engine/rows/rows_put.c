/* The answers of a store. */
#include "engine/rows/rows_known.h"

static void parts_take(struct run *to, const struct run *from)
{
    uint32_t missing = from->parts & ~to->parts;

    if ((missing & PART_INPUT) != 0)
        to->input = from->input;
    if ((missing & PART_STATE) != 0)
        to->state = from->state;
    if ((missing & PART_OUTPUT) != 0)
        to->output = from->output;
    to->parts |= missing;
}

struct run *rows_put_run(struct rows *rows, const struct run *row)
{
    struct known *known = known_get(rows, &rows->runs, (uint64_t)row->id);
    struct run *run = known->row;

    if (run == NULL) {
        run = ARENA_NEW(rows->arena, struct run);
        *run = *row;
        run->is_new = run->is_dirty = false;
        run->dirty_parts = 0;
        run->loaded_status = row->status;
        run->loaded_is_out = row->is_out;
        run->loaded_queue = row->queue;
        run->loaded_lane = row->lane;
        run->loaded_due_ms = row->due_ms;
        run->loaded_due_is_span = row->due_is_span;
        run->next = rows->run_list;
        rows->run_list = run;
        known->row = run;
    } else {
        parts_take(run, row);
    }
    known->is_loaded = true;
    return run;
}

void rows_put_waitpoint(struct rows *rows, const struct waitpoint *row)
{
    struct known *known = known_get(rows, &rows->waitpoints, (uint64_t)row->id);

    if (known->row != NULL)
        return;
    struct waitpoint *waitpoint = ARENA_NEW(rows->arena, struct waitpoint);
    *waitpoint = *row;
    waitpoint->is_new = waitpoint->is_dirty = false;
    waitpoint->loaded_due_ms = row->due_ms;
    waitpoint->loaded_due_is_span = row->due_is_span;
    waitpoint->next = rows->waitpoint_list;
    rows->waitpoint_list = waitpoint;
    known->row = waitpoint;
}

void rows_put_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    if (rows_edge_find(rows, waitpoint_id, run_id) == NULL)
        (void)rows_edge_add(rows, waitpoint_id, run_id);
    known_edges(rows, known_get(rows, &rows->edges, (uint64_t)waitpoint_id))->count++;
}

void rows_put_child(struct rows *rows, int64_t parent_id, int64_t run_id, bool is_live)
{
    struct known *known = known_get(rows, &rows->children, (uint64_t)parent_id);
    struct children *children = known_children(rows, known);

    if (is_live)
        rows_ids_add(rows->arena, &children->ids, run_id);
    children->last = run_id;
    children->count++;
}

void rows_put_token(struct rows *rows, int64_t run_id, int64_t waitpoint_id)
{
    struct known *known = known_get(rows, &rows->tokens, (uint64_t)run_id);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct tokens);
    rows_ids_add(rows->arena, &((struct tokens *)known->row)->ids, waitpoint_id);
}

void rows_put_queue(struct rows *rows, const struct queue *row)
{
    if (known_queue(rows, row->environment, row->name)->row != NULL)
        return;
    struct queue *queue = ARENA_NEW(rows->arena, struct queue);
    *queue = *row;
    queue->is_new = queue->is_dirty = false;
    rows_queue_know(rows, queue);
}

void rows_put_key(struct rows *rows, const struct key *row)
{
    struct known *known = known_key(rows, row->hash);

    if (known->row != NULL)
        return;
    struct key *key = ARENA_NEW(rows->arena, struct key);
    *key = *row;
    key->is_new = key->is_dirty = key->is_deleted = false;
    key->next = rows->key_list;
    rows->key_list = key;
    known->row = key;
}

void rows_put_ready(struct rows *rows, int64_t lane, const struct run *row)
{
    struct known *known = known_get(rows, &rows->ready, (uint64_t)lane);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct ready);
    struct ready *ready = known->row;
    ROOM(rows->arena, ready->runs, ready->count, ready->capacity);
    ready->runs[ready->count++] = rows_put_run(rows, row);
}

static struct idle *idle_of(struct rows *rows, uint32_t environment)
{
    struct known *known = known_get(rows, &rows->idle, environment);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct idle);
    return known->row;
}

void rows_put_idle(struct rows *rows, uint32_t environment, const struct queue *row)
{
    struct idle *idle = idle_of(rows, environment);

    rows_put_queue(rows, row);
    ROOM(rows->arena, idle->queues, idle->count, idle->capacity);
    idle->queues[idle->count++] = known_queue(rows, row->environment, row->name)->row;
}

void rows_put_live(struct rows *rows, uint32_t environment, uint32_t count)
{
    idle_of(rows, environment)->live = count;
}

void rows_put_running(struct rows *rows, const struct running *running)
{
    ROOM(rows->arena, rows->running, rows->running_count, rows->running_capacity);
    rows->running[rows->running_count++] = *running;
}

void rows_known_loaded(const struct table *table, int64_t id)
{
    struct known *known = table_find(table, (uint64_t)id);

    known->is_loaded = true;
    known->is_wanted = false;
}

static void all_loaded(struct table *table, const struct ids *ids)
{
    for (uint32_t i = 0; i < ids->count; i++)
        rows_known_loaded(table, ids->items[i]);
}

static void runs_loaded(struct rows *rows)
{
    for (uint32_t i = 0; i < rows->wants.run_count; i++) {
        struct run_want *asked = &rows->wants.runs[i];
        struct known *known = table_find(&rows->runs, (uint64_t)asked->id);
        struct run *run = known->row;
        known->is_loaded = true;
        known->is_wanted = false;
        if (run != NULL)
            run->parts |= asked->parts; /* what the store did not put is absent */
    }
}

static void names_loaded(struct rows *rows)
{
    for (uint32_t i = 0; i < rows->wants.queue_name_count; i++) {
        struct name_want *asked = &rows->wants.queue_names[i];
        struct known *known = known_queue(rows, asked->environment, asked->name);
        known->is_loaded = true;
        known->is_wanted = false;
    }
    for (uint32_t i = 0; i < rows->wants.key_count; i++) {
        struct known *known = known_key(rows, rows->wants.keys[i]);
        known->is_loaded = true;
        known->is_wanted = false;
    }
    for (uint32_t i = 0; i < rows->wants.ready_count; i++)
        rows_known_loaded(&rows->ready, rows->wants.ready[i].lane);
    for (uint32_t i = 0; i < rows->wants.edge_count; i++)
        rows_known_loaded(&rows->edges, rows->wants.edges[i].waitpoint_id);
    for (uint32_t i = 0; i < rows->wants.child_count; i++)
        rows_known_loaded(&rows->children, rows->wants.children[i].parent_id);
    for (uint32_t i = 0; i < rows->wants.idle_count; i++)
        rows_known_loaded(&rows->idle, rows->wants.idle[i].environment);
}

void rows_loaded(struct rows *rows)
{
    struct wants *wants = &rows->wants;

    runs_loaded(rows);
    all_loaded(&rows->waitpoints, &wants->waitpoints);
    all_loaded(&rows->tokens, &wants->tokens);
    all_loaded(&rows->queues, &wants->queues);
    names_loaded(rows);
    lanes_loaded(rows);
    rows->running_loaded |= wants->running;
    wants->running = false;
    wants->run_count = wants->queue_name_count = wants->key_count = wants->ready_count = 0;
    wants->edge_count = wants->child_count = 0;
    wants->waitpoints.count = wants->queues.count = wants->tokens.count = 0;
    wants->idle_count = 0;
}
