/* Loading lanes: by key, those of a queue that have something, those that nobody is in. */
#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

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
    bool row;

    if (!query_start(&query, connection, SQL_LANES_IDLE, err))
        return false;
    query.arena = rows->arena;
    bind_int(&query, rows->lanes.idle.after);
    bind_int(&query, rows->lanes.idle.limit);
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        struct row *lane = arena_alloc(rows->arena, sizeof(struct lane));
        (void)row_take(&query, ROW_LANE, lane, err); /* it has no words to look up */
        rows_put_idle_lane(rows, (struct lane *)rows_put(rows, ROW_LANE, lane));
    }
    return false;
}

static bool load_crowd(struct connection *connection, struct rows *rows,
                       const struct crowd_want *want, struct err *err)
{
    struct ids runs = { 0 };
    struct query query;
    int64_t count = 0;

    if (!query_start(&query, connection, SQL_CROWD, err))
        return false;
    bind_int(&query, want->queue);
    if (!query_number(&query, &count, err))
        return false;
    rows_put_crowd(rows, want->queue, count);
    if (want->limit == 0)
        return true;
    if (!query_start(&query, connection, SQL_OLDEST, err))
        return false;
    bind_int(&query, want->queue);
    bind_int(&query, CROWD_LOOK);
    bind_int(&query, want->limit);
    if (!ids_take(&query, rows->arena, &runs, err))
        return false;
    for (uint32_t k = 0; k < runs.count; k++)
        rows_put_oldest(rows, want->queue, runs.items[k]);
    return true;
}

bool sqlite_load_lanes(struct connection *connection, struct rows *rows, struct err *err)
{
    const struct lane_rows *lanes = &rows->lanes;

    for (uint32_t i = 0; i < lanes->queue_count; i++)
        if (!load_lanes_of(connection, rows, &lanes->queues[i], err))
            return false;
    for (uint32_t i = 0; i < lanes->crowd_count; i++)
        if (!load_crowd(connection, rows, &lanes->crowds_of[i], err))
            return false;
    return !lanes->idle.is_wanted || load_idle_lanes(connection, rows, err);
}
