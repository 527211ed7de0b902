#include "engine/rows/rows.h"

#include "engine/rows/rows_known.h"

void *rows_room(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
                size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = arena_alloc(arena, size * *capacity);
    if (count > 0)
        memcpy(grown, items, size * count);
    return grown;
}

void rows_ids_add(struct arena *arena, struct ids *ids, int64_t id)
{
    ROOM(arena, ids->items, ids->count, ids->capacity);
    ids->items[ids->count++] = id;
}

struct known *known_get(struct rows *rows, struct table *table, uint64_t key)
{
    struct known *known = table_find(table, key);

    if (known == NULL) {
        known = ARENA_NEW(rows->arena, struct known);
        table_set(table, key, known);
    }
    return known;
}

struct known *known_named(struct rows *rows, struct table *table, int64_t scope,
                          struct slice name)
{
    uint64_t hash = table_hash(name, (uint64_t)scope);
    struct known_name *first = table_find(table, hash);

    for (struct known_name *one = first; one != NULL; one = one->next)
        if (one->scope == scope && slice_equal(one->name, name))
            return &one->known;
    struct known_name *added = ARENA_NEW(rows->arena, struct known_name);
    *added = (struct known_name){ .scope = scope,
                                  .name = arena_copy(rows->arena, name),
                                  .next = first };
    table_set(table, hash, added);
    return &added->known;
}

void rows_init(struct rows *rows, struct arena *arena)
{
    *rows = (struct rows){ .arena = arena };
    struct table *tables[] = { &rows->runs,      &rows->waitpoints, &rows->edges,
                               &rows->children,  &rows->queues,     &rows->queue_names,
                               &rows->keys,      &rows->ready,      &rows->young,
                               &rows->edge_ends, &rows->tokens,     &rows->idle };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        table_init(tables[i], arena);
    lane_rows_init(rows);
}

/* ---- asking ------------------------------------------------------------------------------ */

bool rows_run(struct rows *rows, int64_t id, uint32_t parts, struct run **run)
{
    struct known *known = known_get(rows, &rows->runs, (uint64_t)id);
    struct run *row = known->row;
    struct wants *wants = &rows->wants;

    *run = row;
    if (known->is_loaded && (row == NULL || (row->parts & parts) == parts))
        return true;
    uint32_t missing = row == NULL ? parts : parts & ~row->parts;
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->runs, wants->run_count, wants->run_capacity);
        known->want = wants->run_count++;
        wants->runs[known->want] = (struct run_want){ id, missing };
        known->is_wanted = true;
    } else {
        wants->runs[known->want].parts |= missing;
    }
    return false;
}

/* Note the want of `id` in `ids` once; true when the answer is in. */
static bool want(struct rows *rows, struct table *table, struct ids *ids, int64_t id,
                 struct known **known)
{
    *known = known_get(rows, table, (uint64_t)id);
    if ((*known)->is_loaded)
        return true;
    if (!(*known)->is_wanted)
        rows_ids_add(rows->arena, ids, id);
    (*known)->is_wanted = true;
    return false;
}

bool rows_waitpoint(struct rows *rows, int64_t id, struct waitpoint **waitpoint)
{
    struct known *known;
    bool is_loaded = want(rows, &rows->waitpoints, &rows->wants.waitpoints, id, &known);

    *waitpoint = known->row;
    return is_loaded;
}

bool rows_queue(struct rows *rows, int64_t id, struct queue **queue)
{
    struct known *known;
    bool is_loaded = want(rows, &rows->queues, &rows->wants.queues, id, &known);

    *queue = known->row;
    return is_loaded;
}

struct edges *known_edges(struct rows *rows, struct known *known)
{
    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct edges);
    return known->row;
}

/* Asked for more than before, all of them come again: those in memory stay as they are. */
bool rows_edges(struct rows *rows, int64_t waitpoint_id, uint32_t limit, struct edges **edges)
{
    struct known *known = known_get(rows, &rows->edges, (uint64_t)waitpoint_id);
    struct edges *row = *edges = known_edges(rows, known);
    struct wants *wants = &rows->wants;

    if (known->is_loaded && !known->is_wanted &&
        (row->count < row->limit || row->limit >= limit))
        return true;
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->edges, wants->edge_count, wants->edge_capacity);
        known->want = wants->edge_count++;
        wants->edges[known->want] = (struct edges_want){ waitpoint_id, limit };
        known->is_wanted = true;
        row->count = 0;
    } else if (limit > row->limit) {
        wants->edges[known->want].limit = limit;
    }
    row->limit = wants->edges[known->want].limit;
    return false;
}

bool rows_tokens(struct rows *rows, int64_t run_id, struct tokens **tokens)
{
    struct known *known;
    bool is_loaded = want(rows, &rows->tokens, &rows->wants.tokens, run_id, &known);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct tokens);
    *tokens = known->row;
    return is_loaded;
}

struct children *known_children(struct rows *rows, struct known *known)
{
    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct children);
    return known->row;
}

bool rows_children(struct rows *rows, int64_t parent_id, int64_t after, uint32_t limit,
                   struct children **children)
{
    struct known *known = known_get(rows, &rows->children, (uint64_t)parent_id);
    struct wants *wants = &rows->wants;

    *children = known_children(rows, known);
    if (known->is_loaded)
        return true;
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->children, wants->child_count, wants->child_capacity);
        wants->children[wants->child_count++] =
            (struct children_want){ parent_id, after, limit };
        known->is_wanted = true;
        (*children)->limit = limit;
    }
    return false;
}

static void *row_here(const struct table *table, int64_t id)
{
    const struct known *known = table_find(table, (uint64_t)id);

    return known == NULL ? NULL : known->row;
}

struct run *rows_run_here(const struct rows *rows, int64_t id)
{
    return row_here(&rows->runs, id);
}

struct waitpoint *rows_waitpoint_here(const struct rows *rows, int64_t id)
{
    return row_here(&rows->waitpoints, id);
}

struct run *rows_young(const struct rows *rows, int64_t parent_id)
{
    return table_find(&rows->young, (uint64_t)parent_id);
}

struct known *known_queue(struct rows *rows, uint32_t environment, struct slice name)
{
    return known_named(rows, &rows->queue_names, environment, name);
}

bool rows_queue_named(struct rows *rows, uint32_t environment, struct slice name,
                      struct queue **queue)
{
    struct known *known = known_queue(rows, environment, name);
    struct wants *wants = &rows->wants;

    *queue = known->row;
    if (known->is_loaded)
        return true;
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->queue_names, wants->queue_name_count,
             wants->queue_name_capacity);
        wants->queue_names[wants->queue_name_count++] = (struct name_want){ environment, name };
        known->is_wanted = true;
    }
    return false;
}

struct known *known_key(struct rows *rows, const uint8_t hash[16])
{
    return known_named(rows, &rows->keys, 0, (struct slice){ (const char *)hash, 16 });
}

bool rows_key(struct rows *rows, const uint8_t hash[16], struct key **key)
{
    struct known *known = known_key(rows, hash);
    struct wants *wants = &rows->wants;

    *key = known->row;
    if (known->is_loaded)
        return true;
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->keys, wants->key_count, wants->key_capacity);
        memcpy(wants->keys[wants->key_count++], hash, 16);
        known->is_wanted = true;
    }
    return false;
}

bool rows_ready(struct rows *rows, int64_t queue, int64_t lane, uint32_t limit,
                struct ready **ready)
{
    struct known *known = known_get(rows, &rows->ready, (uint64_t)lane);
    struct wants *wants = &rows->wants;

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct ready);
    *ready = known->row;
    if (known->is_loaded && (*ready)->limit >= limit)
        return true;
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->ready, wants->ready_count, wants->ready_capacity);
        wants->ready[wants->ready_count++] = (struct ready_want){ queue, lane, limit };
        known->is_wanted = true;
        (*ready)->limit = limit;
        (*ready)->count = 0;
    }
    return false;
}

bool rows_idle(struct rows *rows, uint32_t environment, uint32_t limit, struct idle **idle)
{
    struct known *known = known_get(rows, &rows->idle, environment);
    struct wants *wants = &rows->wants;

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct idle);
    *idle = known->row;
    if (!known->is_loaded && !known->is_wanted) {
        ROOM(rows->arena, wants->idle, wants->idle_count, wants->idle_capacity);
        wants->idle[wants->idle_count++] = (struct idle_want){ environment, limit };
        known->is_wanted = true;
    }
    return known->is_loaded;
}

bool rows_running(struct rows *rows)
{
    if (!rows->running_loaded)
        rows->wants.running = true;
    return rows->running_loaded;
}

bool rows_wanted(const struct rows *rows)
{
    const struct wants *wants = &rows->wants;

    return wants->running || lanes_wanted(rows) ||
           (wants->run_count | wants->waitpoints.count | wants->edge_count |
            wants->child_count | wants->tokens.count | wants->queues.count |
            wants->queue_name_count | wants->key_count | wants->ready_count |
            wants->idle_count) != 0;
}
