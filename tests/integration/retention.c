/* What has ended is kept, removed and asked for, with the program as people use it. */
#include "server.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "hello");
    server_add_schema(&s, "hello");
    s.config_more = "retention:\n  ended_runs: 1s\n";
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(retention, .init = set_up, .fini = tear_down, .timeout = 120);

static const char *bide(int want, const char *arguments)
{
    int status;
    const char *said = command_run(&status, "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide %s",
                                   s.url, s.key, arguments);

    cr_assert_eq(status, want, "bide %s: status %d: %s", arguments, status, said);
    return said;
}

/* While the server is down. */
static void sql(const char *text)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(server_path(&s, "data/bide.db"), &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* As after a migration: nothing goes for some days, but what would is known. */
static void hold(bool is_held)
{
    cr_assert_eq(server_stop(&s), 0);
    sql(is_held ? "UPDATE kept SET until_ms = (strftime('%s', 'now') + 604800) * 1000"
                : "UPDATE kept SET until_ms = 0");
    server_start(&s);
}

static long run_status(const char *run)
{
    char path[100];

    (void)snprintf(path, sizeof path, "/api/v3/runs/%s", run);
    return server_call(&s, "GET", path, NULL)->status;
}

static long long count_of(const char *json, const char *kind)
{
    json_t *all = json_loads(json, 0, NULL);

    cr_assert_not_null(all, "%s", json);
    long long count = json_integer_value(json_object_get(json_object_get(all, kind), "count"));
    json_decref(all);
    return count;
}

Test(retention, dry_run_tells_by_kind_and_removes_nothing)
{
    const char *runs[3], *said = "";

    hold(true);
    for (int i = 0; i < 3; i++)
        runs[i] = run_trigger(&s, "hello", "{}", NULL);
    for (int i = 0; i < 3; i++)
        run_end(&s, runs[i]);
    for (int i = 0; i < 400; i++) { /* until they ended a second ago */
        said = bide(0, "prune --dry-run --json");
        if (count_of(said, "runs") == 3)
            break;
        pause_ms(50);
    }
    cr_assert_eq(count_of(said, "runs"), 3, "%s", said);
    cr_assert_eq(count_of(said, "tokens"), 0, "%s", said);
    cr_assert_not_null(strstr(said, "\"oldest\":\"20"), "%s", said);
    said = bide(0, "prune --dry-run");
    cr_assert_not_null(strstr(said, "OLDEST ENDED"), "%s", said);
    cr_assert_not_null(strstr(said, " ago"), "%s", said);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(run_status(runs[i]), 200);

    said = bide(1, "prune");
    cr_assert_not_null(strstr(said, "nothing is removed before 20"), "%s", said);
    cr_assert_not_null(strstr(said, "--dry-run"), "%s", said);
    hold(false);
    for (int i = 0; i < 400 && run_status(runs[2]) != 404; i++) {
        bide(0, "prune");
    }
    for (int i = 0; i < 3; i++)
        cr_assert_eq(run_status(runs[i]), 404);
}

/* Two that have ended under a retention of 30 days, and then another one: the next walk of the
 * pruner itself would be in an hour. */
static void retention_change(const char *runs[2])
{
    cr_assert_eq(server_stop(&s), 0);
    cr_assert_eq(unlink(server_path(&s, "config/bide.yaml")), 0);
    s.config_more = NULL;
    server_start(&s);
    for (int i = 0; i < 2; i++)
        runs[i] = run_trigger(&s, "hello", "{}", NULL);
    for (int i = 0; i < 2; i++)
        run_end(&s, runs[i]);
    cr_assert_eq(count_of(bide(0, "prune --dry-run --json"), "runs"), 0);
    server_write(&s, "config/queues.yaml",
                 "tasks: { hello: { retention: { ended_runs: 1s } } }\n");
}

Test(retention, another_retention_counts_at_once)
{
    const char *runs[2];

    retention_change(runs);
    for (int i = 0; i < 400 && run_status(runs[1]) != 404; i++)
        pause_ms(50);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(run_status(runs[i]), 404);
}

Test(retention, who_asks_is_told_of_what_has_ended_since_the_last_walk)
{
    const char *runs[2];
    long long count = 0;

    hold(true);
    retention_change(runs);
    for (int i = 0; i < 200 && count != 2; i++) /* the file is seen soon */
        count = count_of(bide(0, "prune --dry-run --json"), "runs");
    cr_assert_eq(count, 2);
}

Test(retention, compact_is_for_a_database_that_nobody_has)
{
    const char *command = server_path(&s, "data");
    char arguments[200];

    (void)snprintf(arguments, sizeof arguments, "store compact --data %s", command);
    run_end(&s, run_trigger(&s, "hello", "{}", NULL));
    cr_assert_not_null(strstr(bide(1, arguments), "is in use by another bide server (process"));
    cr_assert_eq(server_stop(&s), 0);
    cr_assert_not_null(strstr(bide(0, arguments), "/data/bide.db: 0."));
    (void)snprintf(arguments, sizeof arguments, "store compact --json --config %s",
                   server_path(&s, "config/bide.yaml"));
    const char *said = bide(0, arguments);
    cr_assert_not_null(strstr(said, "{\"before\":"), "%s", said);
    cr_assert_not_null(strstr(bide(2, "store compact --date x"), "did you mean --data?"));
    cr_assert_not_null(strstr(bide(2, "store compact now"), "takes no arguments"));
    cr_assert_not_null(strstr(bide(2, "store"), "store compact"));
    cr_assert_not_null(strstr(bide(0, "help store compact"), "stop it first"));
    server_start(&s);
    run_end(&s, run_trigger(&s, "hello", "{}", NULL));
}

Test(retention, prune_is_told_wrongly)
{
    cr_assert_not_null(strstr(bide(2, "prune --dryrun"), "did you mean --dry-run?"));
    cr_assert_not_null(strstr(bide(2, "prune 30d"), "takes no arguments"));
    cr_assert_not_null(strstr(bide(2, "prune --dry-run=yes"), "takes no value"));
}
