/*
 * Databases of every format that ever landed are brought to this one, and their runs go on.
 * tests/integration/formats/README.md says how they were made.
 */
#include "server.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "steady");
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(formats, .init = set_up, .fini = tear_down, .timeout = 300);

static const char *database(void)
{
    return server_path(&s, "data/bide.db");
}

static const char *format_path(int format)
{
    return text(SOURCE_DIR "/tests/integration/formats/%d.sql", format);
}

/* The database's answer to a question for a number. */
static long long number(const char *question)
{
    sqlite3_stmt *statement;
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(database(), &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, question, -1, &statement, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    long long found = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return found;
}

/* As the server of that time left it. */
static void database_make(int format)
{
    const char *sql = file_read(format_path(format));
    sqlite3 *db;

    cr_assert_not_null(sql, "%s", format_path(format));
    cr_assert_eq(mkdir(server_path(&s, "data"), 0700), 0);
    cr_assert_eq(sqlite3_open(database(), &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    cr_assert_eq(chmod(database(), 0600), 0);
    cr_assert_eq(number("PRAGMA user_version"), format);
}

/* That of this program. */
static int newest(void)
{
    struct server fresh;
    sqlite3_stmt *statement;
    sqlite3 *db;

    server_init(&fresh);
    server_start(&fresh);
    cr_assert_eq(server_stop(&fresh), 0);
    cr_assert_eq(sqlite3_open(server_path(&fresh, "data/bide.db"), &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    int format = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    server_destroy(&fresh);
    return format;
}

/* The only run of a task with this status; its id. */
static const char *run_of(const char *task, const char *status)
{
    const struct reply *list = server_call(&s, "GET", "/api/v1/runs?page%5Bsize%5D=100", NULL);
    size_t index;
    json_t *run;

    json_array_foreach(
        reply_at(list, "data"), index,
        run) if (strcmp(json_string_value(json_object_get(run, "taskIdentifier")), task) == 0 &&
                 strcmp(json_string_value(json_object_get(run, "status")), status) ==
                     0) return text("%s", json_string_value(json_object_get(run, "id")));
    cr_assert_fail("no run of %s is %s: %s", task, status, list->text);
    return NULL;
}

static void runs_go_on(void)
{
    const char *asks = run_of("token", "WAITING"), *parent = run_of("parent", "WAITING");
    const struct reply *reply =
        server_call(&s, "GET", "/api/v1/waitpoints/tokens?filter%5Bstatus%5D=WAITING", NULL);
    const char *token = text("%s", json_string_value(json_object_get(
                                       json_array_get(reply_at(reply, "data"), 0), "id")));

    reply = server_call(&s, "POST", text("/api/v1/waitpoints/tokens/%s/complete", token),
                        "{\"data\":{\"by\":\"ann\"}}");
    cr_assert_eq(reply->status, 200, "%s", reply->text);
    reply = run_end(&s, asks);
    cr_assert_str_eq(reply_text(reply, "status"), "COMPLETED", "%s", reply->text);
    cr_assert_str_eq(reply_text(reply, "output.result.by"), "ann", "%s", reply->text);
    reply = server_call(&s, "POST", "/api/v1/queues/child/pause",
                        "{\"type\":\"task\",\"action\":\"resume\"}");
    cr_assert_eq(reply->status, 200, "%s", reply->text);
    reply = run_end(&s, parent);
    cr_assert_str_eq(reply_text(reply, "status"), "COMPLETED", "%s", reply->text);
    cr_assert_eq(json_array_size(reply_at(reply, "output.outputs")), 2, "%s", reply->text);
    run_of("pause", "WAITING");
    run_of("echo", "DELAYED");
}

static void what_has_ended_is_found(void)
{
    const struct reply *reply =
        server_call(&s, "GET", "/api/v1/runs?filter%5Btag%5D=kept", NULL);

    cr_assert_eq(json_array_size(reply_at(reply, "data")), 1, "%s", reply->text);
    reply = server_call(&s, "GET",
                        text("/api/v1/runs/%s/logs", run_of("log-lines", "COMPLETED")), NULL);
    cr_assert_not_null(strstr(reply->text, "line 1 "), "%s", reply->text);
    cr_assert_eq(
        json_integer_value(reply_at(run_get(&s, run_of("echo", "COMPLETED")), "output.kept")),
        1);
}

Test(formats, each_is_opened_and_its_runs_go_on)
{
    int last = newest();

    for (int format = 1; format < last; format++) {
        if (format > 1) {
            tear_down();
            set_up();
        }
        cr_assert_eq(access(format_path(format), R_OK), 0,
                     "%s is missing: make it with tests/integration/formats/make",
                     format_path(format));
        database_make(format);
        s.flag = "--backup-before-migrate";
        server_start(&s);
        server_logs(&s, text("bide.db.format-%d format=%d", format, format));
        server_logs(&s, "store.prune_waits");
        what_has_ended_is_found();
        runs_go_on();
        cr_assert_eq(server_stop(&s), 0);
        cr_assert_eq(number("PRAGMA user_version"), last);
        cr_assert_eq(number("SELECT count(*) FROM pragma_integrity_check"
                            " WHERE integrity_check <> 'ok'"),
                     0, "format %d", format);
    }
}
