/* Lists of what is few: schedules, and builds. */
#include "index_walk.h"
#include "store/sqlite/rows/record.h"
#include "store/sqlite/sqlite.h"

bool sqlite_schedules(struct connection *connection, struct arena *arena, uint32_t environment,
                      struct slice name, uint32_t offset, uint32_t limit,
                      struct schedule_page *page, struct err *err)
{
    struct query query;
    struct ids ids = { 0 };

    if (!query_start(&query, connection, SQL_SCHEDULES_COUNT, err))
        return false;
    bind_int(&query, environment);
    if (!query_number(&query, &page->total, err) ||
        !query_start(&query, connection, name.size > 0 ? SQL_SCHEDULE_NAMED : SQL_SCHEDULES,
                     err))
        return false;
    bind_int(&query, environment);
    if (name.size > 0) {
        bind_text(&query, name);
    } else {
        bind_int(&query, offset);
        bind_int(&query, limit < LIST_MAX ? limit : LIST_MAX);
    }
    if (!ids_take(&query, arena, &ids, err))
        return false;
    page->rows = ARENA_ARRAY(arena, struct schedule *, ids.count + 1);
    for (uint32_t i = 0; i < ids.count; i++) {
        struct schedule *row = ARENA_NEW(arena, struct schedule);
        bool found;
        if (!row_find(connection, arena, ROW_SCHEDULE, ids.items[i], &row->row, &found, err))
            return false;
        if (found)
            page->rows[page->count++] = row;
    }
    return true;
}

bool sqlite_builds(struct connection *connection, struct arena *arena, struct build_row ***rows,
                   uint32_t *count, struct err *err)
{
    struct query query;
    struct ids ids = { 0 };

    *count = 0;
    if (!query_start(&query, connection, SQL_BUILDS, err) ||
        !ids_take(&query, arena, &ids, err))
        return false;
    *rows = ARENA_ARRAY(arena, struct build_row *, ids.count + 1);
    for (uint32_t i = 0; i < ids.count; i++) {
        struct build_row *row = ARENA_NEW(arena, struct build_row);
        bool found;
        if (!row_find(connection, arena, ROW_BUILD, ids.items[i], &row->row, &found, err))
            return false;
        if (found)
            (*rows)[(*count)++] = row;
    }
    return true;
}
