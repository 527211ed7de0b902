/* Loading lanes: by key, those of a queue that have something, those that nobody is in. */
#include "record.h"
#include "sqlite.h"

static bool load_named(struct connection *connection, struct rows *rows,
                       const struct lane_want *want, struct err *err)
{
    struct query query;
    struct lane lane;
    bool row;

    if (!query_start(&query, connection, SQL_LANE_NAMED, err))
        return false;
    query.arena = rows->arena;
    bind_int(&query, want->queue);
    bind_text(&query, want->key);
    if (!query_row(&query, &row, err))
        return false;
    if (row) {
        lane_take(&query, &lane);
        query_finish(&query);
        rows_put_lane(rows, &lane);
    }
    return true;
}

static bool load_lanes_of(struct connection *connection, struct rows *rows,
                          const struct lanes_want *want, struct err *err)
{
    struct query query;
    bool row;

    if (!query_start(&query, connection, SQL_LANES, err))
        return false;
    bind_int(&query, want->queue);
    bind_int(&query, want->after);
    bind_int(&query, want->limit);
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        rows_put_lane_of(rows, want->queue, take_int(&query));
    }
    return false;
}

static bool load_idle_lanes(struct connection *connection, struct rows *rows, struct err *err)
{
    struct query query;
    struct lane lane;
    bool row;

    if (!query_start(&query, connection, SQL_LANES_IDLE, err))
        return false;
    query.arena = rows->arena;
    bind_int(&query, rows->lanes.idle.limit);
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        lane_take(&query, &lane);
        rows_put_idle_lane(rows, &lane);
    }
    return false;
}

bool sqlite_load_lanes(struct connection *connection, struct rows *rows, struct err *err)
{
    const struct lane_rows *lanes = &rows->lanes;

    for (uint32_t i = 0; i < lanes->name_count; i++)
        if (!load_named(connection, rows, &lanes->names[i], err))
            return false;
    for (uint32_t i = 0; i < lanes->queue_count; i++)
        if (!load_lanes_of(connection, rows, &lanes->queues[i], err))
            return false;
    return !lanes->idle.is_wanted || load_idle_lanes(connection, rows, err);
}
