/*
 * Loading: the wants of one round, answered. In-process a prepared lookup costs a microsecond
 * or two, so a want is one lookup; "in bulk" means in one transaction, over pages that are
 * already in memory.
 */
#include "record.h"
#include "sqlite.h"

bool ids_take(struct query *query, struct arena *arena, struct ids *ids, struct err *err)
{
    bool row;

    while (query_row(query, &row, err)) {
        if (!row)
            return true;
        if (ids->count == ids->capacity) {
            ids->capacity = ids->capacity == 0 ? 16 : ids->capacity * 2;
            int64_t *grown = ARENA_ARRAY(arena, int64_t, ids->capacity);
            if (ids->count > 0)
                memcpy(grown, ids->items, sizeof *grown * ids->count);
            ids->items = grown;
        }
        ids->items[ids->count++] = take_int(query);
    }
    return false;
}

static bool load_runs(struct connection *connection, struct rows *rows, struct err *err)
{
    struct run run;
    bool found;

    for (uint32_t i = 0; i < rows->wants.run_count; i++) {
        const struct run_want *want = &rows->wants.runs[i];
        if (!run_find(connection, rows->arena, want->id, &run, &found, err))
            return false;
        if (!found)
            continue;
        if (!parts_find(connection, rows->arena, want->parts, &run, err))
            return false;
        (void)rows_put_run(rows, &run); /* the engine finds it by its id */
    }
    return true;
}

static bool load_waitpoints(struct connection *connection, struct rows *rows, struct err *err)
{
    struct waitpoint waitpoint;
    bool found;

    for (uint32_t i = 0; i < rows->wants.waitpoints.count; i++) {
        if (!waitpoint_find(connection, rows->arena, rows->wants.waitpoints.items[i],
                            &waitpoint, &found, err))
            return false;
        if (found)
            rows_put_waitpoint(rows, &waitpoint);
    }
    return true;
}

/* Edges of waitpoints, children of runs: one id gives any number of others. */
static bool load_related(struct connection *connection, struct rows *rows, enum sql which,
                         const struct ids *of, void (*put)(struct rows *, int64_t, int64_t),
                         struct err *err)
{
    struct query query;
    bool row;

    for (uint32_t i = 0; i < of->count; i++) {
        if (!query_start(&query, connection, which, err))
            return false;
        bind_int(&query, of->items[i]);
        for (;;) {
            if (!query_row(&query, &row, err))
                return false;
            if (!row)
                break;
            put(rows, of->items[i], take_int(&query));
        }
    }
    return true;
}

static bool load_queue(struct query *query, struct rows *rows, struct err *err)
{
    struct queue queue;
    bool row;

    query->arena = rows->arena;
    if (!query_row(query, &row, err))
        return false;
    if (row) {
        queue_take(query, &queue);
        query_finish(query);
        rows_put_queue(rows, &queue);
    }
    return true;
}

static bool load_queues(struct connection *connection, struct rows *rows, struct err *err)
{
    const struct wants *wants = &rows->wants;
    struct query query;

    for (uint32_t i = 0; i < wants->queues.count; i++) {
        if (!query_start(&query, connection, SQL_QUEUE, err))
            return false;
        bind_int(&query, wants->queues.items[i]);
        if (!load_queue(&query, rows, err))
            return false;
    }
    for (uint32_t i = 0; i < wants->queue_name_count; i++) {
        if (!query_start(&query, connection, SQL_QUEUE_NAMED, err))
            return false;
        bind_int(&query, wants->queue_names[i].environment);
        bind_text(&query, wants->queue_names[i].name);
        if (!load_queue(&query, rows, err))
            return false;
    }
    return true;
}

static bool load_keys(struct connection *connection, struct rows *rows, struct err *err)
{
    struct query query;
    struct key key;
    bool row;

    for (uint32_t i = 0; i < rows->wants.key_count; i++) {
        const uint8_t *hash = rows->wants.keys[i];
        if (!query_start(&query, connection, SQL_KEY, err))
            return false;
        bind_bytes(&query, (struct slice){ (const char *)hash, sizeof key.hash });
        if (!query_row(&query, &row, err))
            return false;
        if (row) {
            key_take(&query, &key);
            query_finish(&query);
            rows_put_key(rows, &key);
        }
    }
    return true;
}

static bool load_ready(struct connection *connection, struct rows *rows, struct err *err)
{
    struct query query;
    struct run run;
    bool row;

    for (uint32_t i = 0; i < rows->wants.ready_count; i++) {
        const struct ready_want *want = &rows->wants.ready[i];
        if (!query_start(&query, connection, SQL_READY, err))
            return false;
        query.arena = rows->arena;
        bind_int(&query, want->queue);
        bind_int(&query, want->limit);
        for (;;) {
            if (!query_row(&query, &row, err))
                return false;
            if (!row)
                break;
            if (!run_take(&query, &run, err)) {
                query_finish(&query);
                return false;
            }
            rows_put_ready(rows, want->queue, &run);
        }
    }
    return true;
}

static bool load_running(struct connection *connection, struct rows *rows, struct err *err)
{
    struct query query;
    bool row;

    if (!rows->wants.running)
        return true;
    if (!query_start(&query, connection, SQL_RUNNING_COUNTS, err))
        return false;
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        int64_t queue = take_int(&query);
        rows_put_running(rows, queue, take_count(&query));
    }
    return false;
}

bool sqlite_load(struct connection *connection, struct rows *rows, struct err *err)
{
    return load_runs(connection, rows, err) && load_waitpoints(connection, rows, err) &&
           load_related(connection, rows, SQL_EDGES, &rows->wants.edges, rows_put_edge, err) &&
           load_related(connection, rows, SQL_LIVE_CHILDREN, &rows->wants.children,
                        rows_put_child, err) &&
           load_queues(connection, rows, err) && load_keys(connection, rows, err) &&
           load_ready(connection, rows, err) && load_running(connection, rows, err);
}
