/*
 * Loading: the wants of one round, answered by one statement a kind.
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

static void bulk_ids(struct bulk *bulk, struct arena *arena, const struct ids *ids)
{
    *bulk = (struct bulk){ ARENA_ARRAY(arena, struct bulk_row, ids->count + 1), ids->count,
                           ids->count };
    for (uint32_t i = 0; i < ids->count; i++)
        bulk->rows[i].id = ids->items[i];
}

/* ---- runs -------------------------------------------------------------------------------- */

/* The rows come in the order of the wants, with gaps where there is none. */
struct loaded {
    struct run *runs;
    uint32_t *parts; /* wanted of each */
    uint32_t count;
};

static bool load_cores(struct connection *connection, struct rows *rows, struct loaded *loaded,
                       struct err *err)
{
    const struct wants *wants = &rows->wants;
    struct bulk bulk = { 0 };
    struct query query;
    uint32_t want = 0;
    bool row;

    for (uint32_t i = 0; i < wants->run_count; i++)
        bulk_add(&bulk, rows->arena, &(struct bulk_row){ .id = wants->runs[i].id });
    if (!query_start_bulk(&query, connection, SQL_RUNS, &bulk, err))
        return false;
    query.arena = rows->arena;
    while (query_row(&query, &row, err)) {
        struct run *run = &loaded->runs[loaded->count];
        if (!row)
            return true;
        if (!run_take(&query, run, err)) {
            query_finish(&query);
            return false;
        }
        while (wants->runs[want].id != run->id)
            want++;
        loaded->parts[loaded->count++] = wants->runs[want++].parts;
    }
    return false;
}

static bool load_part(struct connection *connection, struct rows *rows, struct loaded *loaded,
                      enum run_part part, enum sql which, struct err *err)
{
    struct bulk bulk = { 0 };
    struct query query;
    uint32_t at = 0;
    bool row;

    for (uint32_t i = 0; i < loaded->count; i++)
        if ((loaded->parts[i] & part) != 0) {
            bulk_add(&bulk, rows->arena, &(struct bulk_row){ .id = loaded->runs[i].id });
            loaded->runs[i].parts |= part;
        }
    if (bulk.count == 0)
        return true;
    if (!query_start_bulk(&query, connection, which, &bulk, err))
        return false;
    query.arena = rows->arena;
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        int64_t id = take_int(&query);
        while (loaded->runs[at].id != id)
            at++;
        *run_part(&loaded->runs[at], part) = take_bytes(&query);
    }
    return false;
}

static bool load_runs(struct connection *connection, struct rows *rows, struct err *err)
{
    uint32_t count = rows->wants.run_count;
    struct loaded loaded = { ARENA_ARRAY(rows->arena, struct run, count + 1),
                             ARENA_ARRAY(rows->arena, uint32_t, count + 1), 0 };

    if (count == 0)
        return true;
    if (!load_cores(connection, rows, &loaded, err) ||
        !load_part(connection, rows, &loaded, PART_INPUT, SQL_INPUTS, err) ||
        !load_part(connection, rows, &loaded, PART_STATE, SQL_STATES, err) ||
        !load_part(connection, rows, &loaded, PART_OUTPUT, SQL_OUTPUTS, err))
        return false;
    for (uint32_t i = 0; i < loaded.count; i++)
        (void)rows_put_run(rows, &loaded.runs[i]); /* the engine finds it by its id */
    return true;
}

/* ---- edges and children ------------------------------------------------------------------ */

/*
 * There may be any number of them, and each want has a limit (b of its row in `wants`): beyond
 * it the statement starts again, with the wants behind it. Its first column is the want's id.
 */
static bool load_limited(struct connection *connection, struct rows *rows, enum sql which,
                         const struct bulk *wants,
                         bool (*take)(struct query *query, struct rows *rows, int64_t id,
                                      struct err *err),
                         struct err *err)
{
    for (struct bulk rest = *wants; rest.count > 0;) {
        struct query query;
        uint32_t at = 0;
        int64_t count = 0;
        bool row;
        if (!query_start_bulk(&query, connection, which, &rest, err))
            return false;
        query.arena = rows->arena;
        for (;;) {
            if (!query_row(&query, &row, err))
                return false;
            if (!row)
                return true;
            int64_t id = take_int(&query);
            for (; rest.rows[at].id != id; at++)
                count = 0;
            if (count++ == rest.rows[at].b)
                break;
            if (!take(&query, rows, id, err)) {
                query_finish(&query);
                return false;
            }
        }
        query_finish(&query);
        rest.rows += at + 1;
        rest.count -= at + 1;
    }
    return true;
}

static bool edge_take(struct query *query, struct rows *rows, int64_t id, struct err *err)
{
    (void)err; /* two numbers are never unreadable */
    rows_put_edge(rows, id, take_int(query));
    return true;
}

static bool load_edges(struct connection *connection, struct rows *rows, struct err *err)
{
    const struct wants *wants = &rows->wants;
    struct bulk bulk = { 0 };

    for (uint32_t i = 0; i < wants->edge_count; i++)
        bulk_add(&bulk, rows->arena,
                 &(struct bulk_row){ .id = wants->edges[i].waitpoint_id,
                                     .b = wants->edges[i].limit });
    return load_limited(connection, rows, SQL_EDGES, &bulk, edge_take, err);
}

/* The living are wanted next, so they are loaded by the way. */
static bool child_take(struct query *query, struct rows *rows, int64_t id, struct err *err)
{
    struct run run;

    if (!run_take(query, &run, err))
        return false;
    if (run.status < RUN_DONE)
        (void)rows_put_run(rows, &run);
    rows_put_child(rows, id, run.id, run.status < RUN_DONE);
    return true;
}

static bool load_children(struct connection *connection, struct rows *rows, struct err *err)
{
    const struct wants *wants = &rows->wants;
    struct bulk bulk = { 0 };

    for (uint32_t i = 0; i < wants->child_count; i++)
        bulk_add(&bulk, rows->arena,
                 &(struct bulk_row){ .id = wants->children[i].parent_id,
                                     .a = wants->children[i].after,
                                     .b = wants->children[i].limit });
    return load_limited(connection, rows, SQL_CHILDREN, &bulk, child_take, err);
}

/* ---- the rest ---------------------------------------------------------------------------- */

static bool load_waitpoints(struct connection *connection, struct rows *rows, struct err *err)
{
    struct bulk bulk;
    struct query query;
    struct waitpoint waitpoint;
    bool row;

    if (rows->wants.waitpoints.count == 0)
        return true;
    bulk_ids(&bulk, rows->arena, &rows->wants.waitpoints);
    if (!query_start_bulk(&query, connection, SQL_WAITPOINTS, &bulk, err))
        return false;
    query.arena = rows->arena;
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        if (!waitpoint_take(&query, &waitpoint, err)) {
            query_finish(&query);
            return false;
        }
        rows_put_waitpoint(rows, &waitpoint);
    }
    return false;
}

static bool load_tokens(struct connection *connection, struct rows *rows, struct err *err)
{
    struct bulk bulk;
    struct query query;
    bool row;

    if (rows->wants.tokens.count == 0)
        return true;
    bulk_ids(&bulk, rows->arena, &rows->wants.tokens);
    if (!query_start_bulk(&query, connection, SQL_TOKENS, &bulk, err))
        return false;
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        int64_t run_id = take_int(&query);
        rows_put_token(rows, run_id, take_int(&query));
    }
    return false;
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

static bool load_idle(struct connection *connection, const struct idle_want *want,
                      struct rows *rows, struct err *err)
{
    struct query query;
    struct queue queue;
    int64_t live = 0;
    bool row;

    if (!query_start(&query, connection, SQL_QUEUES_LIVE, err))
        return false;
    bind_int(&query, want->environment);
    if (!query_number(&query, &live, err))
        return false;
    rows_put_live(rows, want->environment, (uint32_t)live);
    if (!query_start(&query, connection, SQL_QUEUES_IDLE, err))
        return false;
    query.arena = rows->arena;
    bind_int(&query, want->environment);
    bind_int(&query, want->limit);
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        queue_take(&query, &queue);
        rows_put_idle(rows, want->environment, &queue);
    }
    return false;
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
    for (uint32_t i = 0; i < wants->idle_count; i++)
        if (!load_idle(connection, &wants->idle[i], rows, err))
            return false;
    return true;
}

static bool load_keys(struct connection *connection, struct rows *rows, struct err *err)
{
    struct bulk bulk = { 0 };
    struct query query;
    struct key key;
    bool row;

    if (rows->wants.key_count == 0)
        return true;
    for (uint32_t i = 0; i < rows->wants.key_count; i++)
        bulk_add(&bulk, rows->arena,
                 &(struct bulk_row){
                     .data = { (const char *)rows->wants.keys[i], sizeof key.hash } });
    if (!query_start_bulk(&query, connection, SQL_KEYS, &bulk, err))
        return false;
    while (query_row(&query, &row, err)) {
        if (!row)
            return true;
        key_take(&query, &key);
        rows_put_key(rows, &key);
    }
    return false;
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
        bind_int(&query, want->lane);
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
            rows_put_ready(rows, want->lane, &run);
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
        struct running running = { .queue = take_int(&query) };
        running.lane = take_int(&query);
        running.count = take_count(&query);
        running.environment = take_count(&query);
        rows_put_running(rows, &running);
    }
    return false;
}

bool sqlite_load(struct connection *connection, struct rows *rows, struct err *err)
{
    return load_runs(connection, rows, err) && load_children(connection, rows, err) &&
           load_waitpoints(connection, rows, err) && load_edges(connection, rows, err) &&
           load_tokens(connection, rows, err) && load_queues(connection, rows, err) &&
           load_keys(connection, rows, err) && load_ready(connection, rows, err) &&
           load_running(connection, rows, err) && sqlite_load_lanes(connection, rows, err);
}
