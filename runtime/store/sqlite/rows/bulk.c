/* A virtual table in SQLite's terms: no state of its own, a cursor counts through the array. */
#include "bulk.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* Numbers, then bytes; before them the id. */
/* clang-format off */
#define COLUMNS(X)                                                                             \
    X(a) X(b) X(c) X(d) X(e) X(f) X(g) X(h) X(i) X(j) X(k) X(l) X(m) X(n) X(o) X(n16) X(n17)   \
    X(n18) X(n19) X(n20) X(n21) X(n22) X(n23) X(n24) X(n25) X(n26) X(n27) X(n28) X(n29) X(n30) \
    X(n31) X(n32) X(n33) X(n34) X(n35) X(n36) X(n37) X(n38) X(n39)                             \
    X(data) X(extra) X(third) X(fourth) X(fifth) X(sixth) X(seventh) X(eighth)
/* clang-format on */
#define NAME(column)   #column,
#define COLUMN(column) ", " #column
static const char *const names[] = { "id", COLUMNS(NAME) };
_Static_assert(sizeof names / sizeof names[0] == BULK_NUMBERS + BULK_BYTES, "a name each");

const char *bulk_number_name(uint32_t at)
{
    return names[at];
}

const char *bulk_bytes_name(uint32_t at)
{
    return names[BULK_NUMBERS + at];
}

void bulk_add(struct bulk *bulk, struct arena *arena, uint32_t width, uint32_t depth,
              int64_t **numbers, struct slice **bytes)
{
    assert(width <= BULK_NUMBERS && depth <= BULK_BYTES); /* or a kind has too many columns */
    if (bulk->count == bulk->capacity) {
        struct bulk grown = { .width = width, .depth = depth, .count = bulk->count };
        grown.capacity = bulk->capacity == 0 ? 16 : bulk->capacity * 2;
        grown.numbers = ARENA_ARRAY(arena, int64_t, grown.capacity * width);
        grown.bytes =
            depth == 0 ? NULL : ARENA_ARRAY(arena, struct slice, grown.capacity * depth);
        if (bulk->count > 0) {
            memcpy(grown.numbers, bulk->numbers, sizeof *grown.numbers * bulk->count * width);
            if (depth > 0)
                memcpy(grown.bytes, bulk->bytes, sizeof *grown.bytes * bulk->count * depth);
        }
        *bulk = grown;
    }
    *numbers = &bulk->numbers[(size_t)bulk->count * width];
    *bytes = depth == 0 ? NULL : &bulk->bytes[(size_t)bulk->count * depth];
    bulk->count++;
}

void bulk_add_id(struct bulk *bulk, struct arena *arena, int64_t id)
{
    struct slice *bytes;
    int64_t *numbers;

    bulk_add(bulk, arena, 1, 0, &numbers, &bytes);
    numbers[0] = id;
}

struct bulk_table {
    sqlite3_vtab table;
    const struct bulk **source;
};

struct bulk_cursor {
    sqlite3_vtab_cursor cursor;
    const struct bulk *bulk;
    uint32_t row;
};

static int on_connect(sqlite3 *db, void *source, int argc, const char *const *argv,
                      sqlite3_vtab **table, char **message)
{
    (void)argc, (void)argv, (void)message;
    int rc = sqlite3_declare_vtab(db, "CREATE TABLE bulk (id" COLUMNS(COLUMN) ")");
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

    (void)plan, (void)name, (void)argc, (void)argv;
    at->bulk = *((struct bulk_table *)(void *)cursor->pVtab)->source;
    at->row = 0;
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

    return at->row >= at->bulk->count;
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
    const struct bulk_cursor *at = (const struct bulk_cursor *)(void *)cursor;
    const struct bulk *bulk = at->bulk;
    uint32_t place = (uint32_t)column;

    if (place < bulk->width)
        sqlite3_result_int64(context, bulk->numbers[(size_t)at->row * bulk->width + place]);
    else if (place >= BULK_NUMBERS && place - BULK_NUMBERS < bulk->depth)
        give_bytes(context, bulk->bytes[(size_t)at->row * bulk->depth + place - BULK_NUMBERS]);
    else
        sqlite3_result_null(context);
    return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid)
{
    *rowid = ((const struct bulk_cursor *)(void *)cursor)->row;
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
