#include "due.h"

#include "engine/rows/rows_known.h"
#include "record.h"
#include "sqlite.h"

/* Dates before spans. */
static const struct kind {
    bool is_run, is_span;
    enum sql list, next, forget;
} kinds[] = {
    { true, false, SQL_RUN_DUE_LIST, SQL_RUN_DUE_NEXT, SQL_RUN_DUE_FORGET },
    { true, true, SQL_RUN_SPAN_LIST, SQL_RUN_SPAN_NEXT, SQL_RUN_SPAN_FORGET },
    { false, false, SQL_WAITPOINT_DUE_LIST, SQL_WAITPOINT_DUE_NEXT, SQL_WAITPOINT_DUE_FORGET },
    { false, true, SQL_WAITPOINT_SPAN_LIST, SQL_WAITPOINT_SPAN_NEXT,
      SQL_WAITPOINT_SPAN_FORGET },
};

enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static int64_t clock_of(const struct kind *kind, const struct moment *now)
{
    return kind->is_span ? now->steady_ms : now->wall_ms;
}

static bool due_list(struct connection *connection, const struct kind *kind,
                     const struct moment *now, uint32_t limit, struct arena *arena,
                     struct ids *ids, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, kind->list, err))
        return false;
    bind_int(&query, clock_of(kind, now));
    bind_int(&query, limit);
    return ids_take(&query, arena, ids, err);
}

bool sqlite_due(struct connection *connection, const struct moment *now, uint32_t limit,
                struct arena *arena, struct due *due, struct err *err)
{
    *due = (struct due){ 0 };
    for (int i = 0; i < KIND_COUNT; i++)
        if (!due_list(connection, &kinds[i], now, limit, arena,
                      kinds[i].is_run ? &due->runs : &due->waitpoints, err))
            return false;
    return true;
}

bool sqlite_next_due(struct connection *connection, struct moment *next, struct err *err)
{
    struct query query;

    *next = (struct moment){ 0 };
    for (int i = 0; i < KIND_COUNT; i++) {
        int64_t *earliest_ms = kinds[i].is_span ? &next->steady_ms : &next->wall_ms;
        int64_t due_ms = 0;
        if (!query_start(&query, connection, kinds[i].next, err) ||
            !query_number(&query, &due_ms, err))
            return false;
        if (due_ms != 0 && (*earliest_ms == 0 || due_ms < *earliest_ms))
            *earliest_ms = due_ms;
    }
    return true;
}

/* Does the row say what its mark says? A row that is absent or damaged says nothing. */
static bool row_agrees(struct connection *connection, const struct kind *kind, int64_t id,
                       const struct moment *now, struct arena *arena, bool *agrees,
                       struct err *err)
{
    struct run run = { 0 };
    struct waitpoint waitpoint = { 0 };
    bool found = false;
    bool read = kind->is_run ? run_find(connection, arena, id, &run, &found, err)
                             : waitpoint_find(connection, arena, id, &waitpoint, &found, err);
    int rc = sqlite3_errcode(connection->db);
    int64_t due_ms = kind->is_run ? run.due_ms : waitpoint.due_ms;
    bool is_span = kind->is_run ? run.due_is_span : waitpoint.due_is_span;

    *agrees = read && found && due_ms != 0 && is_span == kind->is_span &&
              due_ms <= clock_of(kind, now);
    return read || rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE; /* else the disk */
}

static bool due_forget(struct connection *connection, const struct kind *kind, int64_t id,
                       const struct moment *now, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, kind->forget, err))
        return false;
    bind_int(&query, clock_of(kind, now));
    bind_int(&query, id);
    connection->is_due_changed = true;
    return query_run(&query, err);
}

static bool kind_mend(struct connection *connection, const struct kind *kind,
                      const struct moment *now, uint32_t limit, struct arena *arena,
                      struct ids *lost, struct err *err)
{
    struct ids due = { 0 };
    bool agrees;

    if (!due_list(connection, kind, now, limit, arena, &due, err))
        return false;
    for (uint32_t i = 0; i < due.count; i++) {
        if (!row_agrees(connection, kind, due.items[i], now, arena, &agrees, err))
            return false;
        if (agrees)
            continue;
        if (!due_forget(connection, kind, due.items[i], now, err))
            return false;
        rows_ids_add(arena, lost, due.items[i]);
    }
    return true;
}

bool sqlite_mend_due(struct connection *connection, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct due *lost, struct err *err)
{
    *lost = (struct due){ 0 };
    for (int i = 0; i < KIND_COUNT; i++)
        if (!kind_mend(connection, &kinds[i], now, limit, arena,
                       kinds[i].is_run ? &lost->runs : &lost->waitpoints, err))
            return false;
    return true;
}
