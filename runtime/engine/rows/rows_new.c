/* Rows made in a batch. */
#include "engine/rows/build_row.h"
#include "engine/rows/bulk_action.h"
#include "engine/rows/minute.h"
#include "engine/rows/rows_known.h"
#include "engine/rows/schedule.h"

void rows_link(struct rows *rows, enum row_kind kind, struct row *row)
{
    const struct kind *is = &row_kinds[kind];
    const struct row_field *id = &is->fields[0];
    struct row_key key = { .id = row_number(row, id), .bytes = row_slice(row, id) };
    struct known *known = known_of(rows, &rows->by_key[kind], key);

    known->row = row;
    known->is_loaded = true;
    if (is->title != NULL) {
        key = (struct row_key){ row_number(row, is->scope), row_slice(row, is->title) };
        known = known_of(rows, &rows->by_title[kind], key);
        known->row = row;
        known->is_loaded = true;
    }
    row->next = rows->list[kind];
    rows->list[kind] = row;
}

struct run *rows_new_run(struct rows *rows, int64_t id)
{
    struct run *run = ARENA_NEW(rows->arena, struct run);

    run->id = id;
    run->row.parts = PART_INPUT | PART_STATE | PART_OUTPUT | PART_MAIL | PART_STATES;
    rows_link(rows, ROW_RUN, &run->row);
    return run;
}

void rows_new_child(struct rows *rows, struct run *run)
{
    run->next_young = rows_young(rows, run->parent_id);
    table_set(&rows->young, (uint64_t)run->parent_id, run);
}

struct waitpoint *rows_new_waitpoint(struct rows *rows, int64_t id)
{
    struct waitpoint *waitpoint = ARENA_NEW(rows->arena, struct waitpoint);

    waitpoint->id = id;
    rows_link(rows, ROW_WAITPOINT, &waitpoint->row);
    return waitpoint;
}

struct run_batch *rows_new_batch(struct rows *rows, int64_t id)
{
    struct run_batch *made = ARENA_NEW(rows->arena, struct run_batch);

    made->id = id;
    rows_link(rows, ROW_BATCH, &made->row);
    return made;
}

struct batch_item *rows_new_item(struct rows *rows, int64_t id)
{
    struct batch_item *item = ARENA_NEW(rows->arena, struct batch_item);

    item->id = id;
    rows_link(rows, ROW_BATCH_ITEM, &item->row);
    return item;
}

struct queue *rows_new_queue(struct rows *rows, int64_t id, uint32_t environment,
                             struct slice name)
{
    struct queue *queue = ARENA_NEW(rows->arena, struct queue);

    queue->id = id;
    queue->environment = environment;
    queue->name = name;
    rows_link(rows, ROW_QUEUE, &queue->row);
    return queue;
}

struct schedule *rows_new_schedule(struct rows *rows, int64_t id, uint32_t environment,
                                   struct slice name)
{
    struct schedule *schedule = ARENA_NEW(rows->arena, struct schedule);

    schedule->id = id;
    schedule->environment = environment;
    schedule->name = name;
    rows_link(rows, ROW_SCHEDULE, &schedule->row);
    return schedule;
}

int64_t build_row_id(struct slice sha)
{
    uint64_t id = 0;

    for (size_t i = 0; i < sha.size && i < 16; i++) {
        char digit = sha.data[i];
        id = id << 4 | (uint64_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
    }
    return (int64_t)(id >> 1);
}

struct build_row *rows_new_build(struct rows *rows, int64_t id)
{
    struct build_row *build = ARENA_NEW(rows->arena, struct build_row);

    build->id = id;
    rows_link(rows, ROW_BUILD, &build->row);
    return build;
}

struct bulk_action *rows_new_bulk(struct rows *rows, int64_t id)
{
    struct bulk_action *bulk = ARENA_NEW(rows->arena, struct bulk_action);

    bulk->id = id;
    rows_link(rows, ROW_BULK_ACTION, &bulk->row);
    return bulk;
}

struct key *rows_new_key(struct rows *rows, const uint8_t hash[16])
{
    struct key *key;

    (void)rows_key(rows, hash, &key); /* it was asked for */
    if (key == NULL) {
        key = ARENA_NEW(rows->arena, struct key);
        memcpy(key->hash, hash, sizeof key->hash);
        rows_link(rows, ROW_KEY, &key->row);
    }
    key->row.is_deleted = false;
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
    edge->row.next = rows->list[ROW_EDGE];
    rows->list[ROW_EDGE] = &edge->row;
}

struct edge *rows_new_edge(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct edge *edge = rows_edge_find(rows, waitpoint_id, run_id);

    if (edge == NULL) {
        edge = rows_edge_add(rows, waitpoint_id, run_id);
        edge_change(rows, edge);
    }
    /* Deleted and wanted again: the database may still hold it, so write it over. */
    if (edge->row.is_deleted)
        edge->row.loaded = NULL;
    edge->row.is_deleted = false;
    return edge;
}

void rows_delete_edge(struct rows *rows, struct edge *edge)
{
    if (edge->row.is_deleted)
        return;
    edge->row.is_deleted = true;
    if (edge->row.loaded != NULL)
        edge_change(rows, edge);
}

void rows_unlink(struct rows *rows, int64_t waitpoint_id, int64_t run_id)
{
    struct edge *edge = rows_edge_find(rows, waitpoint_id, run_id);

    if (edge == NULL) {
        edge = rows_edge_add(rows, waitpoint_id, run_id);
        edge->row.loaded = &edge->row;
    }
    rows_delete_edge(rows, edge);
}

struct log_line *rows_new_log(struct rows *rows, int64_t run_id)
{
    struct log_line *line = ARENA_NEW(rows->arena, struct log_line);

    line->run_id = run_id;
    line->row.next = rows->list[ROW_LOG_LINE];
    rows->list[ROW_LOG_LINE] = &line->row;
    return line;
}

void rows_drop_log(struct rows *rows, int64_t run_id)
{
    struct log_line *line = rows_new_log(rows, run_id);

    line->row.is_deleted = true; /* there is no line 0: it only says that the others go */
    line->drops = UINT32_MAX;
}

struct queue_minute *rows_minute(struct rows *rows, int64_t minute, int64_t queue,
                                 struct slice key)
{
    struct known *known =
        known_of(rows, &rows->by_key[ROW_QUEUE_MINUTE], (struct row_key){ queue, key });
    struct queue_minute *made = known->row;

    if (made != NULL)
        return made;
    known->row = made = ARENA_NEW(rows->arena, struct queue_minute);
    made->minute = minute;
    made->queue = queue;
    made->key = known->key.bytes;
    made->row.next = rows->list[ROW_QUEUE_MINUTE];
    rows->list[ROW_QUEUE_MINUTE] = &made->row;
    return made;
}

bool rows_changed(const struct rows *rows)
{
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        for (const struct row *row = rows->list[kind]; row != NULL; row = row->next)
            if (row_is_changed(kind, row))
                return true;
    return false;
}
