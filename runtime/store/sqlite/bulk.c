/* A virtual table in SQLite's terms: no state of its own, a cursor counts through the array. */
#include "bulk.h"

#include "base/memory.h"

#include <stdlib.h>

enum { COLUMN_ID, COLUMN_A, COLUMN_B, COLUMN_C, COLUMN_DATA, COLUMN_EXTRA };

void bulk_add(struct bulk *bulk, struct arena *arena, const struct bulk_row *row)
{
    if (bulk->count == bulk->capacity) {
        bulk->capacity = bulk->capacity == 0 ? 16 : bulk->capacity * 2;
        struct bulk_row *grown = ARENA_ARRAY(arena, struct bulk_row, bulk->capacity);
        if (bulk->count > 0)
            memcpy(grown, bulk->rows, sizeof *grown * bulk->count);
        bulk->rows = grown;
    }
    bulk->rows[bulk->count++] = *row;
}

struct bulk_table {
    sqlite3_vtab table;
    const struct bulk **source;
};

struct bulk_cursor {
    sqlite3_vtab_cursor cursor;
    const struct bulk_row *row, *end;
};

static int on_connect(sqlite3 *db, void *source, int argc, const char *const *argv,
                      sqlite3_vtab **table, char **message)
{
    (void)argc, (void)argv, (void)message;
    int rc = sqlite3_declare_vtab(db, "CREATE TABLE bulk (id, a, b, c, data, extra)");
    if (rc != SQLITE_OK)
        return rc;
    struct bulk_table *made = memory_zeroed(1, sizeof *made);
    made->source = source;
    *table = &made->table;
    return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

/* There is one plan: all of it, in order. */
static int on_plan(sqlite3_vtab *table, sqlite3_index_info *plan)
{
    (void)table;
    plan->estimatedCost = 1;
    plan->estimatedRows = 100;
    return SQLITE_OK;
}

static int on_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
    struct bulk_cursor *made = memory_zeroed(1, sizeof *made);

    (void)table;
    *cursor = &made->cursor;
    return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int on_start(sqlite3_vtab_cursor *cursor, int plan, const char *name, int argc,
                    sqlite3_value **argv)
{
    struct bulk_cursor *at = (struct bulk_cursor *)(void *)cursor;
    const struct bulk *bulk = *((struct bulk_table *)(void *)cursor->pVtab)->source;

    (void)plan, (void)name, (void)argc, (void)argv;
    at->row = bulk->rows;
    at->end = bulk->rows + bulk->count;
    return SQLITE_OK;
}

static int on_next(sqlite3_vtab_cursor *cursor)
{
    ((struct bulk_cursor *)(void *)cursor)->row++;
    return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *cursor)
{
    const struct bulk_cursor *at = (const struct bulk_cursor *)(void *)cursor;

    return at->row == at->end;
}

static void give_bytes(sqlite3_context *context, struct slice bytes)
{
    if (bytes.size == 0)
        sqlite3_result_null(context);
    else
        sqlite3_result_blob64(context, bytes.data, bytes.size, SQLITE_STATIC);
}

static int on_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
    const struct bulk_row *row = ((const struct bulk_cursor *)(void *)cursor)->row;

    switch (column) {
    case COLUMN_ID:
        sqlite3_result_int64(context, row->id);
        break;
    case COLUMN_A:
        sqlite3_result_int64(context, row->a);
        break;
    case COLUMN_B:
        sqlite3_result_int64(context, row->b);
        break;
    case COLUMN_C:
        sqlite3_result_int64(context, row->c);
        break;
    case COLUMN_DATA:
        give_bytes(context, row->data);
        break;
    default:
        give_bytes(context, row->extra);
    }
    return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
    *rowid = ((const struct bulk_cursor *)(void *)cursor)->row->id;
    return SQLITE_OK;
}

/* Without xCreate it needs no CREATE VIRTUAL TABLE, and so is in no file. */
static const sqlite3_module module = { .xConnect = on_connect,
                                       .xDisconnect = on_disconnect,
                                       .xBestIndex = on_plan,
                                       .xOpen = on_open,
                                       .xClose = on_close,
                                       .xFilter = on_start,
                                       .xNext = on_next,
                                       .xEof = is_at_end,
                                       .xColumn = on_column,
                                       .xRowid = on_rowid };

bool bulk_register(sqlite3 *db, const struct bulk **source)
{
    return sqlite3_create_module(db, "bulk", &module, source) == SQLITE_OK;
}
