#include "words.h"

#include "store/sqlite/sqlite_connection.h"

/* Words come from plugins, so there are few. */
enum { NAMES_MAX = 8192 };

void names_init(struct names *names)
{
    *names = (struct names){ 0 };
    names_forget(names);
}

void names_finish(struct names *names)
{
    arena_finish(&names->arena);
}

void names_forget(struct names *names)
{
    arena_finish(&names->arena);
    table_init(&names->by_text, &names->arena);
    table_init(&names->by_id, &names->arena);
    names->has_new = false;
}

void names_committed(struct names *names)
{
    names->has_new = false;
}

void names_rolled_back(struct names *names)
{
    if (names->has_new)
        names_forget(names);
}

void names_trim(struct names *names)
{
    if (names->by_id.count >= NAMES_MAX)
        names_forget(names);
}

static void names_add(struct names *names, int64_t id, uint32_t environment, struct slice text)
{
    uint64_t hash = table_hash(text, environment);
    struct name *name = ARENA_NEW(&names->arena, struct name);

    *name = (struct name){ id, environment, arena_copy(&names->arena, text),
                           table_find(&names->by_text, hash) };
    table_set(&names->by_text, hash, name);
    table_set(&names->by_id, (uint64_t)id, name);
}

bool name_find(struct connection *connection, uint32_t environment, struct slice text,
               int64_t *id, struct err *err)
{
    struct names *names = &connection->names;
    struct query query;

    *id = 0;
    if (text.size == 0)
        return true;
    for (struct name *name = table_find(&names->by_text, table_hash(text, environment));
         name != NULL; name = name->next)
        if (name->environment == environment && slice_equal(name->text, text)) {
            *id = name->id;
            return true;
        }
    if (!query_start(&query, connection, SQL_NAME_FIND, err))
        return false;
    bind_int(&query, environment);
    bind_text(&query, text);
    if (!query_number(&query, id, err))
        return false;
    if (*id != 0)
        names_add(names, *id, environment, text);
    return true;
}

bool name_number(struct connection *connection, uint32_t environment, struct slice text,
                 int64_t *id, struct err *err)
{
    struct query query;

    if (!name_find(connection, environment, text, id, err))
        return false;
    if (*id != 0 || text.size == 0)
        return true;
    if (!query_start(&query, connection, SQL_NAME_INSERT, err))
        return false;
    bind_int(&query, environment);
    bind_text(&query, text);
    if (!query_run(&query, err))
        return false;
    *id = sqlite3_last_insert_rowid(connection->db);
    connection->names.has_new = true;
    names_add(&connection->names, *id, environment, text);
    return true;
}

bool name_get(struct connection *connection, int64_t id, struct name *name, struct err *err)
{
    struct name *known = table_find(&connection->names.by_id, (uint64_t)id);
    struct query query;
    bool row;

    *name = (struct name){ 0 };
    if (id == 0)
        return true;
    if (known != NULL) {
        *name = *known;
        return true;
    }
    if (!query_start(&query, connection, SQL_NAME_TEXT, err))
        return false;
    bind_int(&query, id);
    if (!query_row(&query, &row, err))
        return false;
    if (!row)
        return err_set(err, ERR_STORE, "the database is damaged: name %lld is missing",
                       (long long)id);
    uint32_t environment = take_count(&query);
    names_add(&connection->names, id, environment, take_bytes(&query));
    query_finish(&query);
    known = table_find(&connection->names.by_id, (uint64_t)id);
    *name = *known;
    return true;
}
