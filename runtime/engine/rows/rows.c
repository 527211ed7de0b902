#include "engine/rows/rows.h"

#include "engine/rows/build_row.h"
#include "engine/rows/bulk_action.h"
#include "engine/rows/rows_known.h"
#include "engine/rows/schedule.h"

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

void row_refs_add(struct arena *arena, struct row_refs *refs, enum row_kind kind, int64_t id)
{
    ROOM(arena, refs->items, refs->count, refs->capacity);
    refs->items[refs->count++] = (struct row_ref){ kind, id };
}

static uint64_t key_hash(struct row_key key)
{
    return key.bytes.size == 0 ? (uint64_t)key.id : table_hash(key.bytes, (uint64_t)key.id);
}

struct known *known_of(struct rows *rows, struct table *table, struct row_key key)
{
    uint64_t hash = key_hash(key);
    struct known *first = table_find(table, hash);

    for (struct known *known = first; known != NULL; known = known->next)
        if (known->key.id == key.id && slice_equal(known->key.bytes, key.bytes))
            return known;
    struct known *known = ARENA_NEW(rows->arena, struct known);
    *known =
        (struct known){ .key = { key.id, arena_copy(rows->arena, key.bytes) }, .next = first };
    table_set(table, hash, known);
    return known;
}

struct known *known_get(struct rows *rows, struct table *table, uint64_t id)
{
    return known_of(rows, table, (struct row_key){ .id = (int64_t)id });
}

void rows_init(struct rows *rows, struct arena *arena)
{
    struct table *tables[] = { &rows->edges, &rows->children,  &rows->tokens, &rows->ready,
                               &rows->idle,  &rows->edge_ends, &rows->young,  &rows->selected };

    *rows = (struct rows){ .arena = arena };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        table_init(tables[i], arena);
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++) {
        table_init(&rows->by_key[kind], arena);
        table_init(&rows->by_title[kind], arena);
    }
    lane_rows_init(rows);
    nodes_rows_init(rows);
}

/* ---- asking ------------------------------------------------------------------------------ */

/* Note the want in its list once; what it lacks is wanted besides. */
static void want_note(struct rows *rows, struct row_wants *wants, struct known *known,
                      uint32_t parts)
{
    if (!known->is_wanted) {
        ROOM(rows->arena, wants->items, wants->count, wants->capacity);
        known->want = wants->count++;
        wants->items[known->want] = (struct row_want){ known->key, parts };
        known->is_wanted = true;
    } else {
        wants->items[known->want].parts |= parts;
    }
}

bool rows_get(struct rows *rows, enum row_kind kind, struct row_key key, uint32_t parts,
              struct row **row)
{
    struct known *known = known_of(rows, &rows->by_key[kind], key);
    uint32_t has = known->row == NULL ? 0 : ((struct row *)known->row)->parts;

    *row = known->row;
    if (known->is_loaded && (*row == NULL || (has & parts) == parts))
        return true;
    want_note(rows, &rows->wants.keys[kind], known, parts & ~has);
    return false;
}

bool rows_titled(struct rows *rows, enum row_kind kind, int64_t scope, struct slice title,
                 struct row **row)
{
    struct known *known =
        known_of(rows, &rows->by_title[kind], (struct row_key){ scope, title });

    *row = known->row;
    if (!known->is_loaded)
        want_note(rows, &rows->wants.titles[kind], known, 0);
    return known->is_loaded;
}

bool rows_run(struct rows *rows, int64_t id, uint32_t parts, struct run **run)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_RUN, (struct row_key){ .id = id }, parts, &row);

    *run = (struct run *)row;
    return is_loaded;
}

bool rows_waitpoint(struct rows *rows, int64_t id, struct waitpoint **waitpoint)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_WAITPOINT, (struct row_key){ .id = id }, 0, &row);

    *waitpoint = (struct waitpoint *)row;
    return is_loaded;
}

bool rows_environment(struct rows *rows, uint32_t number, struct environment **environment)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_ENVIRONMENT, (struct row_key){ .id = number }, 0, &row);

    *environment = (struct environment *)row;
    return is_loaded;
}

bool rows_queue(struct rows *rows, int64_t id, struct queue **queue)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_QUEUE, (struct row_key){ .id = id }, 0, &row);

    *queue = (struct queue *)row;
    return is_loaded;
}

bool rows_run_batch(struct rows *rows, int64_t id, struct run_batch **made)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_BATCH, (struct row_key){ .id = id }, 0, &row);

    *made = (struct run_batch *)row;
    return is_loaded;
}

bool rows_item(struct rows *rows, int64_t id, struct batch_item **item)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_BATCH_ITEM, (struct row_key){ .id = id }, 0, &row);

    *item = (struct batch_item *)row;
    return is_loaded;
}

bool rows_queue_named(struct rows *rows, uint32_t environment, struct slice name,
                      struct queue **queue)
{
    struct row *row;
    bool is_loaded = rows_titled(rows, ROW_QUEUE, environment, name, &row);

    *queue = (struct queue *)row;
    return is_loaded;
}

bool rows_schedule(struct rows *rows, int64_t id, struct schedule **schedule)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_SCHEDULE, (struct row_key){ .id = id }, 0, &row);

    *schedule = (struct schedule *)row;
    return is_loaded;
}

bool rows_schedule_named(struct rows *rows, uint32_t environment, struct slice name,
                         struct schedule **schedule)
{
    struct row *row;
    bool is_loaded = rows_titled(rows, ROW_SCHEDULE, environment, name, &row);

    *schedule = (struct schedule *)row;
    return is_loaded;
}

bool rows_build(struct rows *rows, int64_t id, struct build_row **build)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_BUILD, (struct row_key){ .id = id }, 0, &row);

    *build = (struct build_row *)row;
    return is_loaded;
}

bool rows_bulk(struct rows *rows, int64_t id, struct bulk_action **bulk)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_BULK_ACTION, (struct row_key){ .id = id }, 0, &row);

    *bulk = (struct bulk_action *)row;
    return is_loaded;
}

bool rows_key(struct rows *rows, const uint8_t hash[16], struct key **key)
{
    struct row_key wanted = { .bytes = { (const char *)hash, 16 } };
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_KEY, wanted, 0, &row);

    *key = (struct key *)row;
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
    struct known *known = known_get(rows, &rows->tokens, (uint64_t)run_id);
    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct tokens);
    *tokens = known->row;
    if (!known->is_loaded && !known->is_wanted)
        rows_ids_add(rows->arena, &rows->wants.tokens, run_id);
    known->is_wanted = !known->is_loaded;
    return known->is_loaded;
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

static void *row_here(const struct rows *rows, enum row_kind kind, int64_t id)
{
    const struct known *known = table_find(&rows->by_key[kind], (uint64_t)id);

    while (known != NULL && (known->key.id != id || known->key.bytes.size > 0))
        known = known->next;
    return known == NULL ? NULL : known->row;
}

struct run *rows_run_here(const struct rows *rows, int64_t id)
{
    return row_here(rows, ROW_RUN, id);
}

struct environment *rows_environment_here(const struct rows *rows, uint32_t number)
{
    return row_here(rows, ROW_ENVIRONMENT, number);
}

struct waitpoint *rows_waitpoint_here(const struct rows *rows, int64_t id)
{
    return row_here(rows, ROW_WAITPOINT, id);
}

struct run_batch *rows_run_batch_here(const struct rows *rows, int64_t id)
{
    return row_here(rows, ROW_BATCH, id);
}

struct batch_item *rows_item_here(const struct rows *rows, int64_t id)
{
    return row_here(rows, ROW_BATCH_ITEM, id);
}

struct run *rows_young(const struct rows *rows, int64_t parent_id)
{
    return table_find(&rows->young, (uint64_t)parent_id);
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
    bool wanted = wants->running || lanes_wanted(rows) || nodes_wanted(rows) ||
                  (wants->edge_count | wants->child_count | wants->tokens.count |
                   wants->ready_count | wants->idle_count | wants->select_count) != 0;

    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        wanted |= (wants->keys[kind].count | wants->titles[kind].count) != 0;
    return wanted;
}
