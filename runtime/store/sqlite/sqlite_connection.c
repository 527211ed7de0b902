#include "sqlite_connection.h"

#include "store/sqlite/file/log_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* Counting memory costs a lock at every allocation; refused after first use, which is harmless.
 */
static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static bool open_with(struct connection *connection, const char *path, int flags, int cache_kib,
                      const char *vfs, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char pragmas[160];

    (void)pthread_once(&once, configure); /* cannot fail with a valid control */
    *connection = (struct connection){ 0 };
    names_init(&connection->names);
    if (sqlite3_open_v2(path, &connection->db, flags | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK) {
        connection_refuse(connection, path, err);
        goto close;
    }
    (void)sqlite3_extended_result_codes(connection->db, 1);
    (void)sqlite3_busy_timeout(connection->db, BUSY_MS);
    /* A distribution may have compiled deletes to overwrite with zeroes; that is not for us. */
    (void)sqlite3_snprintf(
        sizeof pragmas, pragmas,
        "PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF;"
        "PRAGMA foreign_keys = OFF",
        cache_kib);
    if (!bulk_register(connection->db, &connection->bulk))
        connection_refuse(connection, path, err);
    else if (connection_exec(connection, path, pragmas, err))
        return true;
close:
    connection_close(connection);
    return false;
}

bool connection_open(struct connection *connection, const char *path, int flags, int cache_kib,
                     struct err *err)
{
    return open_with(connection, path, flags, cache_kib, NULL, err);
}

bool connection_open_writer(struct connection *connection, const char *path, int cache_kib,
                            struct err *err)
{
    return open_with(connection, path, SQLITE_OPEN_READWRITE, cache_kib, log_vfs(), err);
}

void connection_close(struct connection *connection)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(connection->statements[i]); /* repeats a failure already told */
        connection->statements[i] = NULL;
    }
    names_finish(&connection->names);
    (void)sqlite3_close(connection->db); /* cannot be busy: nothing is prepared any more */
    connection->db = NULL;
}

bool connection_refuse(struct connection *connection, const char *what, struct err *err)
{
    int code = sqlite3_errcode(connection->db);
    int system = sqlite3_system_errno(connection->db);
    const char *text = sqlite3_errmsg(connection->db);
    bool has_cause =
        system != 0 && ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN);

    if (has_cause)
        return err_set(err, ERR_STORE, "%s: %s (%s)", what, text, strerror(system));
    return err_set(err, ERR_STORE, "%s: %s", what, text);
}

bool connection_exec(struct connection *connection, const char *what, const char *text,
                     struct err *err)
{
    if (sqlite3_exec(connection->db, text, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return connection_refuse(connection, what, err);
}

bool connection_number(struct connection *connection, const char *text, int64_t *number,
                       struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(connection->db, text, -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    bool done =
        rc == SQLITE_ROW || rc == SQLITE_DONE || connection_refuse(connection, text, err);
    (void)sqlite3_finalize(statement); /* repeats the failure told above */
    return done;
}

static bool statement_refuse(struct connection *connection, unsigned which, struct err *err)
{
    char words[STATEMENT_TEXT_SIZE];

    return connection_refuse(connection, statement_words(which, words), err);
}

static bool statement_prepare(struct connection *connection, unsigned which,
                              sqlite3_stmt **statement)
{
    char text[STATEMENT_TEXT_SIZE];

    return sqlite3_prepare_v3(connection->db, statement_text(which, text), -1,
                              SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK;
}

bool query_start(struct query *query, struct connection *connection, unsigned which,
                 struct err *err)
{
    sqlite3_stmt **statement = &connection->statements[which];

    if (*statement == NULL && !statement_prepare(connection, which, statement))
        return statement_refuse(connection, which, err);
    *query = (struct query){ connection, *statement, which, 1, SQLITE_OK, NULL };
    return true;
}

bool query_start_bulk(struct query *query, struct connection *connection, unsigned which,
                      const struct bulk *bulk, struct err *err)
{
    connection->bulk = bulk;
    return query_start(query, connection, which, err);
}

bool bulk_run(struct connection *connection, unsigned which, const struct bulk *bulk,
              struct err *err)
{
    struct query query;

    return bulk->count == 0 ||
           (query_start_bulk(&query, connection, which, bulk, err) && query_run(&query, err));
}

void query_finish(struct query *query)
{
    (void)sqlite3_reset(query->statement); /* repeats a failure already told */
}

bool query_row(struct query *query, bool *row, struct err *err)
{
    int rc = query->rc == SQLITE_OK ? sqlite3_step(query->statement) : query->rc;

    *row = rc == SQLITE_ROW;
    query->next = 0;
    if (rc == SQLITE_ROW)
        return true;
    bool done = rc == SQLITE_DONE || statement_refuse(query->connection, query->which, err);
    query_finish(query);
    return done;
}

bool query_run(struct query *query, struct err *err)
{
    bool row = false;
    bool done = query_row(query, &row, err);

    if (row)
        query_finish(query);
    return done;
}

bool query_number(struct query *query, int64_t *number, struct err *err)
{
    bool row;

    if (!query_row(query, &row, err))
        return false;
    if (row) {
        *number = take_int(query);
        query_finish(query);
    }
    return true;
}

struct slice take_bytes(struct query *query)
{
    int column = query->next++;
    const char *data = sqlite3_column_blob(query->statement, column);
    struct slice bytes = { data, (size_t)sqlite3_column_bytes(query->statement, column) };

    if (bytes.size == 0)
        return (struct slice){ NULL, 0 };
    return query->arena == NULL ? bytes : arena_copy(query->arena, bytes);
}
