/*
 * Loading: the wants of one round, answered by one statement a kind.
 */
#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

bool ids_take(struct query *query, struct arena *arena, struct ids *ids, struct err *err)
{
    bool row;

    while (query_row(query, &row, err)) {
        if (!row)
            return true;
        rows_ids_add(arena, ids, take_int(query));
    }
    return false;
}

static void bulk_ids(struct bulk *bulk, struct arena *arena, const struct ids *ids)
{
    *bulk = (struct bulk){ 0 };
    for (uint32_t i = 0; i < ids->count; i++)
        bulk_add_id(bulk, arena, ids->items[i]);
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Rows that were found, in the order of the wants, with gaps where there is none. */
struct found {
    struct row **rows;
    uint32_t *parts; /* wanted of each */
    uint32_t count;
};

static bool is_wanted(const struct kind *kind, const struct row *row, struct row_key key)
{
    return key.bytes.size == 0 ? row_number(row, &kind->fields[0]) == key.id
                               : slice_equal(row_slice(row, &kind->fields[0]), key.bytes);
}

static bool load_cores(struct connection *connection, struct rows *rows, enum row_kind kind,
                       struct found *found, struct err *err)
{
    const struct row_wants *wants = &rows->wants.keys[kind];
    bool is_raw = row_kinds[kind].fields[0].type == FIELD_RAW;
    struct bulk bulk = { 0 };
    struct query query;
    struct slice *bytes;
    int64_t *numbers;
    uint32_t want = 0;
    bool has_row;

    for (uint32_t i = 0; i < wants->count; i++) {
        bulk_add(&bulk, rows->arena, 1, is_raw ? 1 : 0, &numbers, &bytes);
        numbers[0] = wants->items[i].key.id;
        if (is_raw)
            bytes[0] = wants->items[i].key.bytes;
    }
    if (!query_start_bulk(&query, connection, kind_sql(kind, KIND_LOAD), &bulk, err))
        return false;
    query.arena = rows->arena;
    while (query_row(&query, &has_row, err)) {
        if (!has_row)
            return true;
        struct row *row = arena_alloc(rows->arena, row_kinds[kind].size);
        if (!row_take(&query, kind, row, err)) {
            query_finish(&query);
            return false;
        }
        while (!is_wanted(&row_kinds[kind], row, wants->items[want].key))
            want++;
        found->rows[found->count] = row;
        found->parts[found->count++] = wants->items[want++].parts;
    }
    return false;
}

static bool load_part(struct connection *connection, struct rows *rows, enum row_kind kind,
                      unsigned part, struct found *found, struct err *err)
{
    const struct kind *is = &row_kinds[kind];
    struct bulk bulk = { 0 };
    struct query query;
    uint32_t at = 0;
    bool has_row;

    for (uint32_t i = 0; i < found->count; i++)
        if ((found->parts[i] >> part & 1) != 0) {
            bulk_add_id(&bulk, rows->arena, row_number(found->rows[i], &is->fields[0]));
            found->rows[i]->parts |= 1u << part;
        }
    if (bulk.count == 0)
        return true;
    if (!query_start_bulk(&query, connection, kind_sql(kind, KIND_PART_LOAD + part), &bulk,
                          err))
        return false;
    query.arena = rows->arena;
    while (query_row(&query, &has_row, err)) {
        if (!has_row)
            return true;
        int64_t id = take_int(&query);
        while (row_number(found->rows[at], &is->fields[0]) != id)
            at++;
        row_set_slice(found->rows[at], &is->parts[part], take_bytes(&query));
    }
    return false;
}

static bool load_titled(struct connection *connection, struct rows *rows, enum row_kind kind,
                        struct row_key title, struct err *err)
{
    struct query query;
    bool has_row;

    if (!query_start(&query, connection, kind_sql(kind, KIND_TITLED), err))
        return false;
    query.arena = rows->arena;
    bind_int(&query, title.id);
    bind_text(&query, title.bytes);
    if (!query_row(&query, &has_row, err))
        return false;
    if (!has_row)
        return true;
    struct row *row = arena_alloc(rows->arena, row_kinds[kind].size);
    bool done = row_take(&query, kind, row, err);
    query_finish(&query);
    if (done)
        (void)rows_put(rows, kind, row); /* found by its title */
    return done;
}

static bool load_kind(struct connection *connection, struct rows *rows, enum row_kind kind,
                      struct err *err)
{
    const struct row_wants *keys = &rows->wants.keys[kind];
    const struct row_wants *titles = &rows->wants.titles[kind];
    struct found found = { .count = 0 };

    if (keys->count > 0) {
        found.rows = ARENA_ARRAY(rows->arena, struct row *, keys->count);
        found.parts = ARENA_ARRAY(rows->arena, uint32_t, keys->count);
        if (!load_cores(connection, rows, kind, &found, err))
            return false;
        for (unsigned i = 0; i < row_kinds[kind].part_count; i++)
            if (!load_part(connection, rows, kind, i, &found, err))
                return false;
        for (uint32_t i = 0; i < found.count; i++)
            (void)rows_put(rows, kind, found.rows[i]); /* the engine finds it by its key */
    }
    for (uint32_t i = 0; i < titles->count; i++)
        if (!load_titled(connection, rows, kind, titles->items[i].key, err))
            return false;
    return true;
}

static bool load_selects(struct connection *connection, struct rows *rows, struct err *err)
{
    for (uint32_t i = 0; i < rows->wants.select_count; i++)
        if (!sqlite_select(connection, rows, &rows->wants.selects[i], err))
            return false;
    return true;
}

/* ---- edges and children ------------------------------------------------------------------ */

/* Its id, after which to begin, and how many of them. */
static int64_t *want_of(const struct bulk *wants, uint32_t at)
{
    return &wants->numbers[(size_t)at * wants->width];
}

static void want_add(struct bulk *wants, struct arena *arena, int64_t id, int64_t after,
                     int64_t limit)
{
    struct slice *bytes;
    int64_t *numbers;

    bulk_add(wants, arena, 3, 0, &numbers, &bytes);
    numbers[0] = id;
    numbers[1] = after;
    numbers[2] = limit;
}

/*
 * There may be any number of them, and each want has a limit: beyond
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
            for (; want_of(&rest, at)[0] != id; at++)
                count = 0;
            if (count++ == want_of(&rest, at)[2])
                break;
            if (!take(&query, rows, id, err)) {
                query_finish(&query);
                return false;
            }
        }
        query_finish(&query);
        rest.numbers = want_of(&rest, at + 1);
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
        want_add(&bulk, rows->arena, wants->edges[i].waitpoint_id, 0, wants->edges[i].limit);
    return load_limited(connection, rows, SQL_EDGES, &bulk, edge_take, err);
}

/* Those that are not over are wanted next, so they are loaded by the way. */
static bool child_take(struct query *query, struct rows *rows, int64_t id, struct err *err)
{
    struct run *run = ARENA_NEW(rows->arena, struct run);

    (void)id; /* of its parent, which it knows */
    if (!row_take(query, ROW_RUN, &run->row, err))
        return false;
    if (!run_is_over(run))
        (void)rows_put(rows, ROW_RUN, &run->row);
    rows_put_child(rows, run);
    return true;
}

static bool load_children(struct connection *connection, struct rows *rows, struct err *err)
{
    const struct wants *wants = &rows->wants;
    struct bulk bulk = { 0 };

    for (uint32_t i = 0; i < wants->child_count; i++)
        want_add(&bulk, rows->arena, wants->children[i].parent_id, wants->children[i].after,
                 wants->children[i].limit);
    return load_limited(connection, rows, SQL_CHILDREN, &bulk, child_take, err);
}

/* ---- the rest ---------------------------------------------------------------------------- */

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

static bool load_idle(struct connection *connection, const struct idle_want *want,
                      struct rows *rows, struct err *err)
{
    struct query query;
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
        struct row *queue = arena_alloc(rows->arena, sizeof(struct queue));
        (void)row_take(&query, ROW_QUEUE, queue, err); /* it has no words to look up */
        rows_put_idle(rows, want->environment,
                      (struct queue *)rows_put(rows, ROW_QUEUE, queue));
    }
    return false;
}

static bool load_ready(struct connection *connection, struct rows *rows, struct err *err)
{
    struct query query;
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
            struct row *run = arena_alloc(rows->arena, sizeof(struct run));
            if (!row_take(&query, ROW_RUN, run, err)) {
                query_finish(&query);
                return false;
            }
            rows_put_ready(rows, want->lane, (struct run *)rows_put(rows, ROW_RUN, run));
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
        struct running running;
        running_take(&query, &running);
        rows_put_running(rows, &running);
    }
    return false;
}

bool sqlite_load(struct connection *connection, struct rows *rows, struct err *err)
{
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        if (!load_kind(connection, rows, kind, err))
            return false;
    for (uint32_t i = 0; i < rows->wants.idle_count; i++)
        if (!load_idle(connection, &rows->wants.idle[i], rows, err))
            return false;
    return load_selects(connection, rows, err) && load_children(connection, rows, err) &&
           load_edges(connection, rows, err) && load_tokens(connection, rows, err) &&
           load_ready(connection, rows, err) && load_running(connection, rows, err) &&
           sqlite_load_lanes(connection, rows, err);
}
