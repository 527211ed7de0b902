/* Lanes, and what has started of them, as rows of a batch: asked for, made, and answered by a
 * store. */
#include "engine/rows/rows_known.h"

void lane_rows_init(struct rows *rows)
{
    table_init(&rows->lanes.of_queues, rows->arena);
    table_init(&rows->lanes.crowds, rows->arena);
}

/* ---- asking ------------------------------------------------------------------------------ */

bool rows_lane_named(struct rows *rows, int64_t queue, struct slice key, struct lane **lane)
{
    struct row *row;
    bool is_loaded = rows_titled(rows, ROW_LANE, queue, key, &row);

    *lane = (struct lane *)row;
    return is_loaded;
}

bool rows_rate(struct rows *rows, int64_t scope, struct rate **rate)
{
    struct row *row;
    bool is_loaded = rows_get(rows, ROW_RATE, (struct row_key){ .id = scope }, 0, &row);

    *rate = (struct rate *)row;
    return is_loaded;
}

static struct lanes *lanes_of(struct rows *rows, struct known *known)
{
    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct lanes);
    return known->row;
}

bool rows_lanes(struct rows *rows, int64_t queue, int64_t after, uint32_t limit,
                struct lanes **lanes)
{
    struct lane_rows *wants = &rows->lanes;
    struct known *known = known_get(rows, &wants->of_queues, (uint64_t)queue);

    *lanes = lanes_of(rows, known);
    if (!known->is_loaded && !known->is_wanted) {
        ROOM(rows->arena, wants->queues, wants->queue_count, wants->queue_capacity);
        wants->queues[wants->queue_count++] = (struct lanes_want){ queue, after, limit };
        (*lanes)->limit = limit;
        known->is_wanted = true;
    }
    return known->is_loaded;
}

bool rows_idle_lanes(struct rows *rows, int64_t after, uint32_t limit, struct idle_lanes **idle)
{
    *idle = &rows->lanes.idle;
    if (!(*idle)->is_loaded) {
        (*idle)->is_wanted = true;
        (*idle)->after = after;
        (*idle)->limit = limit;
    }
    return (*idle)->is_loaded;
}

static struct queue_crowd *crowd_of(struct rows *rows, struct known *known)
{
    if (known->row == NULL)
        known->row = ARENA_NEW(rows->arena, struct queue_crowd);
    return known->row;
}

bool rows_crowd(struct rows *rows, int64_t queue, uint32_t limit, struct queue_crowd **crowd)
{
    struct lane_rows *wants = &rows->lanes;
    struct known *known = known_get(rows, &wants->crowds, (uint64_t)queue);

    *crowd = crowd_of(rows, known);
    if (!known->is_loaded && !known->is_wanted) {
        ROOM(rows->arena, wants->crowds_of, wants->crowd_count, wants->crowd_capacity);
        wants->crowds_of[wants->crowd_count++] = (struct crowd_want){ queue, limit };
        known->is_wanted = true;
    }
    return known->is_loaded;
}

bool lanes_wanted(const struct rows *rows)
{
    return rows->lanes.queue_count > 0 || rows->lanes.crowd_count > 0 ||
           rows->lanes.idle.is_wanted;
}

/* ---- making ------------------------------------------------------------------------------ */

struct lane *rows_new_lane(struct rows *rows, int64_t id, int64_t queue, struct slice key)
{
    struct lane *lane = ARENA_NEW(rows->arena, struct lane);

    lane->id = id;
    lane->queue = queue;
    lane->key = arena_copy(rows->arena, key);
    rows_link(rows, ROW_LANE, &lane->row);
    return lane;
}

struct rate *rows_new_rate(struct rows *rows, int64_t scope)
{
    struct rate *rate = ARENA_NEW(rows->arena, struct rate);

    rate->scope = scope;
    rows_link(rows, ROW_RATE, &rate->row);
    return rate;
}

/* ---- answering --------------------------------------------------------------------------- */

void rows_put_lane_of(struct rows *rows, int64_t queue, int64_t lane)
{
    struct known *known = known_get(rows, &rows->lanes.of_queues, (uint64_t)queue);

    rows_ids_add(rows->arena, &lanes_of(rows, known)->ids, lane);
}

void rows_put_idle_lane(struct rows *rows, struct lane *lane)
{
    struct idle_lanes *idle = &rows->lanes.idle;

    ROOM(rows->arena, idle->items, idle->count, idle->capacity);
    idle->items[idle->count++] = lane;
}

void rows_put_crowd(struct rows *rows, int64_t queue, int64_t count)
{
    crowd_of(rows, known_get(rows, &rows->lanes.crowds, (uint64_t)queue))->count = count;
}

void rows_put_oldest(struct rows *rows, int64_t queue, int64_t run_id)
{
    struct known *known = known_get(rows, &rows->lanes.crowds, (uint64_t)queue);

    rows_ids_add(rows->arena, &crowd_of(rows, known)->oldest, run_id);
}

void lanes_loaded(struct rows *rows)
{
    struct lane_rows *lanes = &rows->lanes;

    for (uint32_t i = 0; i < lanes->queue_count; i++)
        rows_known_loaded(&lanes->of_queues, lanes->queues[i].queue);
    for (uint32_t i = 0; i < lanes->crowd_count; i++)
        rows_known_loaded(&lanes->crowds, lanes->crowds_of[i].queue);
    lanes->queue_count = lanes->crowd_count = 0;
    lanes->idle.is_loaded |= lanes->idle.is_wanted;
    lanes->idle.is_wanted = false;
}
