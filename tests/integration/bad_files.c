/* Files that are wrong: config, database, disk. Refused with a sentence that helps, and
 * untouched. */
#include "server.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(bad_files, .init = set_up, .fini = tear_down, .timeout = 120);

/* ---- the config ---------------------------------------------------------------------------
 */

/* Refused with exit code 2, naming file, line and column; and nothing was begun. */
static const char *assert_config_refused(const char *config, const char *place)
{
    const char *said;
    server_write(&s, "config/bide.yaml", config);
    int code = server_refuses(&s, &said);
    cr_assert_eq(code, 2, "exit code %d: %s", code, said);
    cr_assert_neq(strstr(said, text("bide.yaml:%s", place)), NULL, "not at %s: %s", place,
                  said);
    cr_assert_neq(access(server_path(&s, "data"), F_OK), 0, "the data directory was made");
    return said;
}

Test(bad_files, a_config_that_is_no_yaml)
{
    assert_config_refused("environments:\n  dev: [\n", "");
}

Test(bad_files, a_config_with_an_unknown_key)
{
    const char *said =
        assert_config_refused("environments:\n  dev: {}\nsever:\n  port: 1\n", "3:1");
    cr_assert_neq(strstr(said, "sever"), NULL, "%s", said);
    cr_assert_neq(strstr(said, "server"), NULL, "what was meant: %s", said);
}

Test(bad_files, a_config_with_every_mistake_names_each)
{
    const char *said =
        assert_config_refused("environments:\n  dev: {}\nnonsense: 1\nrubbish: 2\n", "3:1");
    cr_assert_neq(strstr(said, "bide.yaml:4:1"), NULL, "%s", said);
}

Test(bad_files, a_config_that_is_not_there)
{
    int status;
    const char *said = command_run(&status, BINARY_DIR "/bide serve -c %s",
                                   server_path(&s, "config/none.yaml"));
    cr_assert_eq(status, 2, "%d %s", status, said);
    cr_assert_neq(strstr(said, "none.yaml"), NULL, "%s", said);
}

Test(bad_files, config_check_says_the_same)
{
    server_write(&s, "config/bide.yaml", "environments:\n  dev: {}\nsever: 1\n");
    int status;
    const char *said = command_run(&status, BINARY_DIR "/bide config check %s",
                                   server_path(&s, "config/bide.yaml"));
    cr_assert_eq(status, 2, "%d %s", status, said);
    cr_assert_neq(strstr(said, "bide.yaml:3:1"), NULL, "%s", said);

    server_write(&s, "config/queues.yaml", "queues:\n  emails: none\n");
    said = command_run(&status, BINARY_DIR "/bide config check %s",
                       server_path(&s, "config/bide.yaml"));
    cr_assert_neq(strstr(said, "bide.yaml:3:1"), NULL, "%s", said);
    cr_assert_neq(strstr(said, "queues.yaml:2:11"), NULL, "%s", said);
}

Test(bad_files, config_check_reads_the_schedules)
{
    int status;

    server_write(&s, "config/bide.yaml", "environments:\n  dev: {}\n");
    server_write(&s, "config/queues.yaml", "");
    server_write(
        &s, "config/schedules.yaml",
        "schedules:\n  a: { task: t, cron: '0 0 30 2 *' }\n  b: { task: t, crom: x }\n");
    const char *said = command_run(&status, BINARY_DIR "/bide config check %s",
                                   server_path(&s, "config/bide.yaml"));
    cr_assert_eq(status, 2, "%d %s", status, said);
    cr_assert_neq(strstr(said, "schedules.yaml:2:24: it never fires"), NULL, "%s", said);
    cr_assert_neq(strstr(said, "schedules.yaml:3:17: a schedule has no \"crom\""), NULL, "%s",
                  said);

    server_write(&s, "config/schedules.yaml",
                 "schedules:\n  a: { task: t, cron: '0 0 28 2 *' }\n");
    said = command_run(&status, BINARY_DIR "/bide config check %s",
                       server_path(&s, "config/bide.yaml"));
    cr_assert_eq(status, 0, "%d %s", status, said);
    cr_assert_neq(strstr(said, "schedules.yaml: fine, 1 schedule\n"), NULL, "%s", said);
}

/* Would the server start with it? Keys that are elsewhere and the address are looked for. */
Test(bad_files, config_check_finds_what_the_file_refers_to)
{
    static const char *const cases[][2] = {
        { "environments:\n  dev: {key_env: BIDE_NOT_SET}\n", "BIDE_NOT_SET, which is not set" },
        { "environments:\n  dev: {key_file: /nowhere/key}\n", "/nowhere/key" },
        { "server: {listen: '999.1.1.1:80'}\n", "999.1.1.1" },
    };
    int status;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        server_write(&s, "config/bide.yaml", cases[i][0]);
        const char *said = command_run(&status, BINARY_DIR "/bide config check %s",
                                       server_path(&s, "config/bide.yaml"));
        cr_assert_eq(status, 2, "%d %s", status, said);
        cr_assert_neq(strstr(said, cases[i][1]), NULL, "%s", said);
        cr_assert_null(strstr(said, "fine"), "%s", said);
        if (i < 2) {
            said = command_run(&status, BINARY_DIR "/bide serve --listen 127.0.0.1:0 -c %s",
                               server_path(&s, "config/bide.yaml"));
            cr_assert_eq(status, 2, "%d %s", status, said);
        }
    }
}

Test(bad_files, schemas_check_of_an_empty_directory_says_so)
{
    int status;
    const char *said = command_run(&status, "mkdir -p %s; " BINARY_DIR "/bide schemas check %s",
                                   server_path(&s, "none"), server_path(&s, "none"));
    cr_assert_eq(status, 0, "%d %s", status, said);
    cr_assert_neq(strstr(said, "no .yaml files"), NULL, "%s", said);
}

Test(bad_files, a_directory_of_plugins_that_is_not_there_is_told)
{
    command_run(&(int){ 0 }, "rm -rf %s", server_path(&s, "plugins"));
    server_start(&s);
    server_logs(&s, "plugins.missing");
}

Test(bad_files, schemas_check_names_the_place)
{
    server_write(&s, "schemas/a.yaml", "input:\n  type: object\n  propertys: {}\n");
    int status;
    const char *said = command_run(&status, BINARY_DIR "/bide schemas check %s",
                                   server_path(&s, "schemas/a.yaml"));
    cr_assert_eq(status, 2, "%d %s", status, said);
    cr_assert_neq(strstr(said, "a.yaml:3:3"), NULL, "%s", said);
    cr_assert_neq(strstr(said, "properties"), NULL, "what was meant: %s", said);
}

static void assert_start_refused(const char *place)
{
    const char *said;
    int code = server_refuses(&s, &said);
    cr_assert_eq(code, 2, "exit code %d: %s", code, said);
    cr_assert_neq(strstr(said, place), NULL, "not at %s: %s", place, said);
    cr_assert_neq(access(server_path(&s, "data"), F_OK), 0, "the data directory was made");
}

/* A schema is a part of one task: when it is wrong, that task waits for it and all else runs.
 */
Test(bad_files, a_schema_that_is_wrong_costs_only_its_task)
{
    server_add_plugin(&s, "remind");
    server_add_schema(&s, "remind");
    server_write(&s, "schemas/hello.yaml", "input:\n  type: objekt\n");
    server_write(&s, "schemas/nobodys.yaml", "inputt: {}\n");
    server_start(&s);

    const struct reply *refused =
        server_call(&s, "POST", "/api/v1/tasks/hello/trigger", "{\"payload\": {}}");
    const struct reply *plugins = server_call(&s, "GET", "/api/v1/plugins", NULL);

    cr_assert_eq(refused->status, 503, "%ld %s", refused->status, refused->text);
    cr_assert_neq(strstr(refused->text, "hello.yaml:2:9"), NULL, "%s", refused->text);
    cr_assert_neq(strstr(plugins->text, "hello.yaml:2:9"), NULL, "%s", plugins->text);
    server_logs(&s, "task.unavailable task=hello");
    server_logs(&s, "nobodys.yaml:1:1");
    run_end(&s, run_trigger(&s, "remind", "{\"note\": \"n\", \"interval_ms\": 0}", NULL));
    cr_assert_eq(
        json_array_size(reply_at(server_call(&s, "GET", "/api/v1/runs", NULL), "data")), 1);
}

Test(bad_files, a_queues_file_that_is_wrong_stops_the_start)
{
    server_write(&s, "config/queues.yaml", "queues:\n  emails: none\n");
    assert_start_refused("queues.yaml:2:11");
}

Test(bad_files, a_used_address)
{
    struct server other;
    const char *said;
    server_start(&s);
    server_init(&other);
    other.port = s.port;

    int code = server_refuses(&other, &said);

    cr_assert(code == 1 || code == 2, "exit code %d", code);
    cr_assert_neq(strstr(said, text("%d", s.port)), NULL, "the address is named: %s", said);
    server_destroy(&other);
}

/* Another user may be meant; what follows from it is told. */
Test(bad_files, a_data_directory_that_others_can_change_is_told)
{
    int status;

    command_run(&status, "mkdir %s && chmod 770 %s", server_path(&s, "data"),
                server_path(&s, "data"));
    if (geteuid() == 0)
        command_run(&status, "chown nobody %s", server_path(&s, "data"));
    server_start(&s);
    server_logs(&s, "data.writable");
    server_logs(&s, "mode=0770");
    if (geteuid() == 0)
        server_logs(&s, "data.owner");
}

/* ---- the database -------------------------------------------------------------------------
 */

static const char *database(void)
{
    glob_t found;
    if (glob(server_path(&s, "data/*.db"), 0, NULL, &found) != 0)
        give_up("no database in %s/data", s.dir);
    const char *path = text("%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}

static const char *digest(const char *path)
{
    int status;
    return command_run(&status, "sha256sum < '%s'", path);
}

/* A database with a run in it, closed properly. */
static const char *make_database(void)
{
    server_start(&s);
    run_end(&s, run_trigger(&s, "hello", "{}", NULL));
    cr_assert_eq(server_stop(&s), 0);
    return database();
}

static const char *assert_database_refused(const char *path)
{
    const char *before = digest(path), *said;
    int code = server_refuses(&s, &said);
    cr_assert(code == 1 || code == 2, "exit code %d: %s", code, said);
    cr_assert_neq(strstr(said, strrchr(path, '/') + 1), NULL, "the file is named: %s", said);
    cr_assert_str_eq(digest(path), before, "the file was touched");
    return said;
}

static void patch(const char *path, long offset, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "r+b");
    cr_assert_eq(fseek(file, offset, SEEK_SET), 0);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

Test(bad_files, a_database_from_the_future)
{
    const char *path = make_database();
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);

    const char *said = assert_database_refused(path);

    cr_assert_neq(strstr(said, "newer"), NULL, "%s", said);
}

Test(bad_files, a_database_with_a_damaged_header)
{
    const char *path = make_database();
    patch(path, 0, "SQLite format 9", 16);
    assert_database_refused(path);
}

Test(bad_files, a_database_with_an_impossible_page_size)
{
    const char *path = make_database();
    patch(path, 16, "\x00\x03", 2);
    assert_database_refused(path);
}

Test(bad_files, a_database_cut_off)
{
    const char *path = make_database();
    cr_assert_eq(truncate(path, 60), 0);
    assert_database_refused(path);
}

Test(bad_files, another_programs_database)
{
    const char *path = make_database();
    unlink(path);
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "CREATE TABLE diary(day, words)", NULL, NULL, NULL),
                 SQLITE_OK);
    sqlite3_close(db);
    assert_database_refused(path);
}

Test(bad_files, a_text_instead_of_a_database)
{
    const char *path = make_database();
    unlink(path);
    server_write(
        &s, text("data/%s", strrchr(path, '/') + 1),
        "Dear diary, today I was mistaken for a database. I had not seen it coming, and yet "
        "one "
        "hundred bytes were read from me before anybody noticed that I am only words.\n");
    assert_database_refused(path);
}

/* The file of a refused server is as good as before once the right program comes. */
Test(bad_files, after_a_refusal_the_right_version_goes_on)
{
    const char *path = make_database();
    sqlite3 *db;
    sqlite3_open(path, &db);
    int version = 0;
    sqlite3_stmt *statement;
    sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
    if (sqlite3_step(statement) == SQLITE_ROW)
        version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_database_refused(path);

    sqlite3_open(path, &db);
    sqlite3_exec(db, text("PRAGMA user_version = %d", version), NULL, NULL, NULL);
    sqlite3_close(db);
    server_start(&s);

    const struct reply *list = server_call(&s, "GET", "/api/v1/runs", NULL);
    cr_assert_str_eq(reply_text(list, "data.0.status"), "COMPLETED", "%s", list->text);
}

Test(bad_files, two_servers_on_one_database)
{
    struct server other;
    const char *said;
    server_start(&s);
    server_init(&other);
    other.data = server_path(&s, "data");

    int code = server_refuses(&other, &said);

    cr_assert(code == 1 || code == 2, "exit code %d", code);
    cr_assert_gt(strlen(said), 20, "%s", said);
    run_end(&s, run_trigger(&s, "hello", "{}", NULL));
    server_destroy(&other);
}
