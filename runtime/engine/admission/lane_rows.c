/* Lanes as rows of a batch: asked for, made, and answered by a store. */
#include "engine/rows/rows_known.h"

void lane_rows_init(struct rows *rows)
{
    table_init(&rows->lanes.named, rows->arena);
    table_init(&rows->lanes.of_queues, rows->arena);
}

/* ---- asking ------------------------------------------------------------------------------ */

bool rows_lane_named(struct rows *rows, int64_t queue, struct slice key, struct lane **lane)
{
    struct lane_rows *lanes = &rows->lanes;
    struct known *known = known_named(rows, &lanes->named, queue, key);

    *lane = known->row;
    if (known->is_loaded)
        return true;
    if (!known->is_wanted) {
        ROOM(rows->arena, lanes->names, lanes->name_count, lanes->name_capacity);
        lanes->names[lanes->name_count++] = (struct lane_want){ queue, key };
        known->is_wanted = true;
    }
    return false;
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

bool rows_idle_lanes(struct rows *rows, uint32_t limit, struct idle_lanes **idle)
{
    *idle = &rows->lanes.idle;
    if (!(*idle)->is_loaded) {
        (*idle)->is_wanted = true;
        (*idle)->limit = limit;
    }
    return (*idle)->is_loaded;
}

bool lanes_wanted(const struct rows *rows)
{
    return rows->lanes.name_count + rows->lanes.queue_count > 0 || rows->lanes.idle.is_wanted;
}

/* ---- making ------------------------------------------------------------------------------ */

static struct lane *lane_know(struct rows *rows, struct known *known, struct lane *lane)
{
    lane->next = rows->lanes.list;
    rows->lanes.list = lane;
    known->row = lane;
    known->is_loaded = true;
    return lane;
}

struct lane *rows_new_lane(struct rows *rows, int64_t id, int64_t queue, struct slice key)
{
    struct lane *lane = ARENA_NEW(rows->arena, struct lane);

    *lane = (struct lane){
        .id = id, .queue = queue, .key = arena_copy(rows->arena, key), .is_new = true
    };
    return lane_know(rows, known_named(rows, &rows->lanes.named, queue, key), lane);
}

bool lanes_changed(const struct rows *rows)
{
    for (const struct lane *lane = rows->lanes.list; lane != NULL; lane = lane->next)
        if (lane->is_new || lane->is_deleted)
            return true;
    return false;
}

/* ---- answering --------------------------------------------------------------------------- */

static struct lane *lane_put(struct rows *rows, const struct lane *row)
{
    struct known *known = known_named(rows, &rows->lanes.named, row->queue, row->key);

    if (known->row != NULL)
        return known->row;
    struct lane *lane = ARENA_NEW(rows->arena, struct lane);
    *lane = *row;
    lane->is_new = lane->is_deleted = false;
    return lane_know(rows, known, lane);
}

void rows_put_lane(struct rows *rows, const struct lane *row)
{
    (void)lane_put(rows, row); /* the engine finds it by its key */
}

void rows_put_lane_of(struct rows *rows, int64_t queue, int64_t lane)
{
    struct known *known = known_get(rows, &rows->lanes.of_queues, (uint64_t)queue);

    rows_ids_add(rows->arena, &lanes_of(rows, known)->ids, lane);
}

void rows_put_idle_lane(struct rows *rows, const struct lane *row)
{
    struct idle_lanes *idle = &rows->lanes.idle;

    ROOM(rows->arena, idle->items, idle->count, idle->capacity);
    idle->items[idle->count++] = lane_put(rows, row);
}

void lanes_loaded(struct rows *rows)
{
    struct lane_rows *lanes = &rows->lanes;

    for (uint32_t i = 0; i < lanes->name_count; i++) {
        struct known *known =
            known_named(rows, &lanes->named, lanes->names[i].queue, lanes->names[i].key);
        known->is_loaded = true;
        known->is_wanted = false;
    }
    for (uint32_t i = 0; i < lanes->queue_count; i++)
        rows_known_loaded(&lanes->of_queues, lanes->queues[i].queue);
    lanes->name_count = lanes->queue_count = 0;
    lanes->idle.is_loaded |= lanes->idle.is_wanted;
    lanes->idle.is_wanted = false;
}
