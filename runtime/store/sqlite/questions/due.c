#include "store/sqlite/questions/due.h"

#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

/* Dates before spans. */
static int64_t clock_of(bool is_span, const struct moment *now)
{
    return is_span ? now->steady_ms : now->wall_ms;
}

/* Of dates it goes by one, else by both. */
static unsigned clocks_of(enum row_kind kind)
{
    return row_kinds[kind].due == NULL ? 0 : row_kinds[kind].due_is_span == NULL ? 1 : 2;
}

static bool due_list(struct connection *connection, enum row_kind kind, unsigned is_span,
                     const struct moment *now, uint32_t limit, struct arena *arena,
                     struct ids *ids, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, kind_sql(kind, KIND_DUE_LIST + is_span), err))
        return false;
    bind_int(&query, clock_of(is_span, now));
    bind_int(&query, limit);
    return ids_take(&query, arena, ids, err);
}

bool sqlite_due(struct connection *connection, const struct moment *now, uint32_t limit,
                struct arena *arena, struct row_refs *due, struct err *err)
{
    *due = (struct row_refs){ 0 };
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        for (unsigned is_span = 0; is_span < clocks_of(kind); is_span++) {
            struct ids ids = { 0 };
            if (!due_list(connection, kind, is_span, now, limit, arena, &ids, err))
                return false;
            for (uint32_t i = 0; i < ids.count; i++)
                row_refs_add(arena, due, kind, ids.items[i]);
        }
    return true;
}

bool sqlite_next_due(struct connection *connection, struct moment *next, struct err *err)
{
    struct query query;

    *next = (struct moment){ 0 };
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        for (unsigned is_span = 0; is_span < clocks_of(kind); is_span++) {
            int64_t *earliest_ms = is_span ? &next->steady_ms : &next->wall_ms;
            int64_t due_ms = 0;
            if (!query_start(&query, connection, kind_sql(kind, KIND_DUE_NEXT + is_span),
                             err) ||
                !query_number(&query, &due_ms, err))
                return false;
            if (due_ms != 0 && (*earliest_ms == 0 || due_ms < *earliest_ms))
                *earliest_ms = due_ms;
        }
    return true;
}

/* Does the row say what the index says? A row that is absent or damaged says nothing. */
static bool row_agrees(struct connection *connection, enum row_kind kind, bool is_span,
                       int64_t id, const struct moment *now, struct arena *arena, bool *agrees,
                       struct err *err)
{
    struct row *row = arena_alloc(arena, row_kinds[kind].size);
    bool found = false;

    bool read = row_find(connection, arena, kind, id, row, &found, err);
    int rc = sqlite3_errcode(connection->db);
    int64_t due_ms = read && found ? row_due(kind, row, is_span) : 0;
    *agrees = due_ms != 0 && due_ms <= clock_of(is_span, now);
    return read || rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE; /* else the disk */
}

static bool due_forget(struct connection *connection, enum row_kind kind, unsigned is_span,
                       int64_t id, const struct moment *now, struct err *err)
{
    struct query query;

    if (!query_start(&query, connection, kind_sql(kind, KIND_DUE_FORGET + is_span), err))
        return false;
    bind_int(&query, clock_of(is_span, now));
    bind_int(&query, id);
    connection->is_due_changed = true;
    return query_run(&query, err);
}

static bool kind_mend(struct connection *connection, enum row_kind kind, unsigned is_span,
                      const struct moment *now, uint32_t limit, struct arena *arena,
                      struct row_refs *lost, struct err *err)
{
    struct ids due = { 0 };
    bool agrees;

    if (!due_list(connection, kind, is_span, now, limit, arena, &due, err))
        return false;
    for (uint32_t i = 0; i < due.count; i++) {
        if (!row_agrees(connection, kind, is_span, due.items[i], now, arena, &agrees, err))
            return false;
        if (agrees)
            continue;
        if (!due_forget(connection, kind, is_span, due.items[i], now, err))
            return false;
        row_refs_add(arena, lost, kind, due.items[i]);
    }
    return true;
}

bool sqlite_mend_due(struct connection *connection, const struct moment *now, uint32_t limit,
                     struct arena *arena, struct row_refs *lost, struct err *err)
{
    *lost = (struct row_refs){ 0 };
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        for (unsigned is_span = 0; is_span < clocks_of(kind); is_span++)
            if (!kind_mend(connection, kind, is_span, now, limit, arena, lost, err))
                return false;
    return true;
}
