#include "rows.h"

static void *room(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
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

#define ROOM(arena, items, count, capacity)                                                    \
    ((items) = room((arena), (items), (count), &(capacity), sizeof *(items)))

static void ids_add(struct arena *arena, struct ids *ids, int64_t id)
{
    ROOM(arena, ids->items, ids->count, ids->capacity);
    ids->items[ids->count++] = id;
}

static bool ids_has(const struct ids *ids, int64_t id)
{
    for (uint32_t i = 0; i < ids->count; i++)
        if (ids->items[i] == id)
            return true;
    return false;
}

/*
 * What is known of a key: an entry in the table, made when it is first wanted, holds the row (NULL when
 * absent) and whether the answer is in.
 */
struct known {
    void *row;
    uint32_t parts; /* of a run: which of them the store has answered */
    bool is_loaded, is_wanted;
};

static struct known *known_get(struct rows *rows, struct table *table, uint64_t key)
{
    struct known *known = table_find(table, key);

    if (known == NULL) {
        known = ARENA_NEW(rows->arena, struct known);
        table_set(table, key, known);
    }
    return known;
}

void rows_init(struct rows *rows, struct arena *arena)
{
    *rows = (struct rows){ .arena = arena };
    struct table *tables[] = { &rows->runs, &rows->waitpoints, &rows->edges, &rows->children,
        &rows->queues, &rows->queue_names, &rows->keys, &rows->ready };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        table_init(tables[i], arena);
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
        wants->runs[wants->run_count++] = (struct run_want){ id, missing };
        known->is_wanted = true;
    } else {
        for (uint32_t i = wants->run_count; i > 0; i--)
            if (wants->runs[i - 1].id == id) {
                wants->runs[i - 1].parts |= missing;
                break;
            }
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
        ids_add(rows->arena, ids, id);
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

static struct edges *edges_get(struct rows *rows, struct known *known)
{
    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct edges);
    return known->row;
}

bool rows_edges(struct rows *rows, int64_t waitpoint_id, struct edges **edges)
{
    struct known *known;
    bool is_loaded = want(rows, &rows->edges, &rows->wants.edges, waitpoint_id, &known);

    *edges = edges_get(rows, known);
    return is_loaded;
}

bool rows_children(struct rows *rows, int64_t parent_id, struct children **children)
{
    struct known *known;
    bool is_loaded = want(rows, &rows->children, &rows->wants.children, parent_id, &known);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct children);
    *children = known->row;
    return is_loaded;
}

static struct known *queue_known(struct rows *rows, uint32_t environment, struct slice name)
{
    return known_get(rows, &rows->queue_names, table_hash(name, environment));
}

bool rows_queue_named(struct rows *rows, uint32_t environment, struct slice name,
    struct queue **queue)
{
    struct known *known = queue_known(rows, environment, name);
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

/* The keys are hashes already: eight of their bytes find them in a batch. */
static struct known *key_known(struct rows *rows, const uint8_t hash[16])
{
    uint64_t short_hash;

    memcpy(&short_hash, hash, sizeof short_hash);
    return known_get(rows, &rows->keys, short_hash);
}

bool rows_key(struct rows *rows, const uint8_t hash[16], struct key **key)
{
    struct known *known = key_known(rows, hash);
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

bool rows_ready(struct rows *rows, int64_t queue, uint32_t limit, struct ready **ready)
{
    struct known *known = known_get(rows, &rows->ready, (uint64_t)queue);
    struct wants *wants = &rows->wants;

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct ready);
    *ready = known->row;
    if (known->is_loaded && (*ready)->limit >= limit)
        return true;
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->ready, wants->ready_count, wants->ready_capacity);
        wants->ready[wants->ready_count++] = (struct ready_want){ queue, limit };
        known->is_wanted = true;
        (*ready)->limit = limit;
        (*ready)->count = 0;
    }
    return false;
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

    return wants->running ||
        (wants->run_count | wants->waitpoints.count | wants->edges.count |
            wants->children.count | wants->queues.count | wants->queue_name_count |
            wants->key_count | wants->ready_count) != 0;
}

/* ---- making ------------------------------------------------------------------------------ */

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

static void queue_know(struct rows *rows, struct queue *queue)
{
    struct known *known = known_get(rows, &rows->queues, (uint64_t)queue->id);

    known->row = queue;
    known->is_loaded = true;
    known = queue_known(rows, queue->environment, queue->name);
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
    queue_know(rows, queue);
    return queue;
}

struct key *rows_new_key(struct rows *rows, const uint8_t hash[16])
{
    struct known *known = key_known(rows, hash);
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

/* An edge of the batch, linked to its waitpoint's others and to the flush. */
static struct edge *edge_add(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct known *known = known_get(rows, &rows->edges, (uint64_t)waitpoint_id);
    struct edges *edges = edges_get(rows, known);
    struct edge *edge = ARENA_NEW(rows->arena, struct edge);

    edge->waitpoint_id = waitpoint_id;
    edge->run_id = run_id;
    edge->next = edges->first;
    edges->first = edge;
    return edge;
}

static struct edge *edge_find(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct known *known = table_find(&rows->edges, (uint64_t)waitpoint_id);

    if (known == NULL || known->row == NULL)
        return NULL;
    for (struct edge *edge = ((struct edges *)known->row)->first; edge != NULL;
         edge = edge->next)
        if (edge->run_id == run_id)
            return edge;
    return NULL;
}

static void edge_change(struct rows *rows, struct edge *edge)
{
    edge->next_of_batch = rows->edge_list;
    rows->edge_list = edge;
}

struct edge *rows_new_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct edge *edge = edge_find(rows, waitpoint_id, run_id);

    if (edge == NULL) {
        edge = edge_add(rows, waitpoint_id, run_id);
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
    struct edge *edge = edge_find(rows, waitpoint_id, run_id);

    if (edge == NULL)
        edge = edge_add(rows, waitpoint_id, run_id);
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
    if (rows->edge_list != NULL || rows->log_count > 0)
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

/* ---- answering --------------------------------------------------------------------------- */

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
        run->loaded_queue = row->queue;
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
    waitpoint->next = rows->waitpoint_list;
    rows->waitpoint_list = waitpoint;
    known->row = waitpoint;
}

void rows_put_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    if (edge_find(rows, waitpoint_id, run_id) == NULL)
        (void)edge_add(rows, waitpoint_id, run_id);
}

void rows_put_child(struct rows *rows, int64_t parent_id, int64_t run_id)
{
    struct known *known = known_get(rows, &rows->children, (uint64_t)parent_id);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct children);
    struct ids *ids = &((struct children *)known->row)->ids;
    if (!ids_has(ids, run_id))
        ids_add(rows->arena, ids, run_id);
}

void rows_put_queue(struct rows *rows, const struct queue *row)
{
    if (queue_known(rows, row->environment, row->name)->row != NULL)
        return;
    struct queue *queue = ARENA_NEW(rows->arena, struct queue);
    *queue = *row;
    queue->is_new = queue->is_dirty = false;
    queue_know(rows, queue);
}

void rows_put_key(struct rows *rows, const struct key *row)
{
    struct known *known = key_known(rows, row->hash);

    if (known->row != NULL)
        return;
    struct key *key = ARENA_NEW(rows->arena, struct key);
    *key = *row;
    key->is_new = key->is_dirty = key->is_deleted = false;
    key->next = rows->key_list;
    rows->key_list = key;
    known->row = key;
}

void rows_put_ready(struct rows *rows, int64_t queue, const struct run *row)
{
    struct known *known = known_get(rows, &rows->ready, (uint64_t)queue);

    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct ready);
    struct ready *ready = known->row;
    ROOM(rows->arena, ready->runs, ready->count, ready->capacity);
    ready->runs[ready->count++] = rows_put_run(rows, row);
}

void rows_put_running(struct rows *rows, int64_t queue, uint32_t count)
{
    ROOM(rows->arena, rows->running, rows->running_count, rows->running_capacity);
    rows->running[rows->running_count++] = (struct running){ queue, count };
}

static void all_loaded(struct table *table, const struct ids *ids)
{
    for (uint32_t i = 0; i < ids->count; i++) {
        struct known *known = table_find(table, (uint64_t)ids->items[i]);
        known->is_loaded = true;
        known->is_wanted = false;
    }
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
        struct known *known = queue_known(rows, asked->environment, asked->name);
        known->is_loaded = true;
        known->is_wanted = false;
    }
    for (uint32_t i = 0; i < rows->wants.key_count; i++) {
        struct known *known = key_known(rows, rows->wants.keys[i]);
        known->is_loaded = true;
        known->is_wanted = false;
    }
    for (uint32_t i = 0; i < rows->wants.ready_count; i++) {
        struct known *known = table_find(&rows->ready, (uint64_t)rows->wants.ready[i].queue);
        known->is_loaded = true;
        known->is_wanted = false;
    }
}

void rows_loaded(struct rows *rows)
{
    struct wants *wants = &rows->wants;

    runs_loaded(rows);
    all_loaded(&rows->waitpoints, &wants->waitpoints);
    all_loaded(&rows->edges, &wants->edges);
    all_loaded(&rows->children, &wants->children);
    all_loaded(&rows->queues, &wants->queues);
    names_loaded(rows);
    rows->running_loaded |= wants->running;
    wants->running = false;
    wants->run_count = wants->queue_name_count = wants->key_count = wants->ready_count = 0;
    wants->waitpoints.count = wants->edges.count = wants->children.count = 0;
    wants->queues.count = 0;
}
