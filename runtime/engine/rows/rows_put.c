/* The answers of a store. */
#include "engine/rows/rows_known.h"
#include "engine/rows/run_filter.h"

struct row *rows_put(struct rows *rows, enum row_kind kind, struct row *row)
{
    const struct kind *is = &row_kinds[kind];
    const struct row_field *id = &is->fields[0];
    struct row_key key = { .id = row_number(row, id), .bytes = row_slice(row, id) };
    struct row *here = known_of(rows, &rows->by_key[kind], key)->row;

    if (here == NULL) {
        struct row *loaded = arena_alloc(rows->arena, is->size);
        memcpy(loaded, row, is->size);
        row->loaded = loaded;
        row->dirty_parts = 0;
        rows_link(rows, kind, row);
        return row;
    }
    for (int i = 0; i < is->part_count; i++)
        if ((row->parts & ~here->parts & 1u << i) != 0)
            row_set_slice(here, &is->parts[i], row_slice(row, &is->parts[i]));
    here->parts |= row->parts;
    return here;
}

void rows_put_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    if (rows_edge_find(rows, waitpoint_id, run_id) == NULL) {
        struct edge *edge = rows_edge_add(rows, waitpoint_id, run_id);
        edge->row.loaded = &edge->row;
    }
    known_edges(rows, known_get(rows, &rows->edges, (uint64_t)waitpoint_id))->count++;
}

void rows_put_child(struct rows *rows, const struct run *run)
{
    struct known *known = known_get(rows, &rows->children, (uint64_t)run->parent_id);
    struct children *children = known_children(rows, known);

    if (!run_is_over(run))
        rows_ids_add(rows->arena, &children->ids, run->id);
    children->last = run->id;
    children->count++;
}

void rows_put_token(struct rows *rows, int64_t run_id, int64_t waitpoint_id)
{
    struct known *known = known_get(rows, &rows->tokens, (uint64_t)run_id);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct tokens);
    rows_ids_add(rows->arena, &((struct tokens *)known->row)->ids, waitpoint_id);
}

void rows_put_ready(struct rows *rows, int64_t lane, struct run *run)
{
    struct known *known = known_get(rows, &rows->ready, (uint64_t)lane);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct ready);
    struct ready *ready = known->row;
    run->is_bystander = false;
    ROOM(rows->arena, ready->runs, ready->count, ready->capacity);
    ready->runs[ready->count++] = run;
}

static struct idle *idle_of(struct rows *rows, uint32_t environment)
{
    struct known *known = known_get(rows, &rows->idle, environment);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct idle);
    return known->row;
}

void rows_put_idle(struct rows *rows, uint32_t environment, struct queue *queue)
{
    struct idle *idle = idle_of(rows, environment);

    ROOM(rows->arena, idle->queues, idle->count, idle->capacity);
    idle->queues[idle->count++] = queue;
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

static void known_answered(struct known *known)
{
    known->is_loaded = true;
    known->is_wanted = false;
}

void rows_known_loaded(const struct table *table, int64_t id)
{
    struct known *known = table_find(table, (uint64_t)id);

    while (known->key.id != id)
        known = known->next;
    known_answered(known);
}

static void kind_loaded(struct rows *rows, enum row_kind kind)
{
    struct row_wants *keys = &rows->wants.keys[kind], *titles = &rows->wants.titles[kind];

    for (uint32_t i = 0; i < keys->count; i++) {
        struct known *known = known_of(rows, &rows->by_key[kind], keys->items[i].key);
        known_answered(known);
        if (known->row != NULL) /* what the store did not put is absent */
            ((struct row *)known->row)->parts |= keys->items[i].parts;
    }
    for (uint32_t i = 0; i < titles->count; i++)
        known_answered(known_of(rows, &rows->by_title[kind], titles->items[i].key));
    keys->count = titles->count = 0;
}

void rows_loaded(struct rows *rows)
{
    struct wants *wants = &rows->wants;

    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        kind_loaded(rows, kind);
    for (uint32_t i = 0; i < wants->tokens.count; i++)
        rows_known_loaded(&rows->tokens, wants->tokens.items[i]);
    for (uint32_t i = 0; i < wants->ready_count; i++)
        rows_known_loaded(&rows->ready, wants->ready[i].lane);
    for (uint32_t i = 0; i < wants->edge_count; i++)
        rows_known_loaded(&rows->edges, wants->edges[i].waitpoint_id);
    for (uint32_t i = 0; i < wants->child_count; i++)
        rows_known_loaded(&rows->children, wants->children[i].parent_id);
    for (uint32_t i = 0; i < wants->idle_count; i++)
        rows_known_loaded(&rows->idle, wants->idle[i].environment);
    lanes_loaded(rows);
    nodes_loaded(rows);
    selects_loaded(rows);
    rows->running_loaded |= wants->running;
    wants->running = false;
    wants->ready_count = wants->edge_count = wants->child_count = 0;
    wants->tokens.count = wants->idle_count = 0;
}
