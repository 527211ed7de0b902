/* Ten thousand schedules with a tick at the same second, and kill -9 in the middle of it. */
#include "server.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SCHEDULES = 10000, LEAD_S = 20, LINE_MOST = 160 };

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

TestSuite(schedules_many, .init = set_up, .fini = tear_down, .timeout = 300);

/* They fire once, all at that second. */
static void file_write(time_t at)
{
    char *yaml = malloc((size_t)SCHEDULES * LINE_MOST);
    struct tm when;
    size_t used;

    cr_assert_not_null(yaml);
    gmtime_r(&at, &when);
    used = (size_t)sprintf(yaml, "schedules:\n");
    for (int i = 0; i < SCHEDULES; i++)
        used += (size_t)sprintf(yaml + used,
                                "  s%d: { task: hello, environments: [dev], cron: \"%d %d %d * "
                                "* *\", fires_max: 1 }\n",
                                i, when.tm_sec, when.tm_min, when.tm_hour);
    server_write(&s, "config/schedules.yaml", yaml);
    free(yaml);
}

/* Runs of the task, whatever has become of them. */
static long long runs(void)
{
    const struct reply *queue =
        server_call(&s, "GET", "/api/v1/queues/hello/statistics?type=task", NULL);
    long long count = 0;
    static const char *const words[] = { "queued", "running", "completed" };

    for (size_t i = 0; queue->status == 200 && i < sizeof words / sizeof *words; i++)
        count += json_integer_value(reply_at(queue, words[i]));
    return count;
}

/* Until there are so many; *at_ms: when. */
static void runs_wait(long long count, long long *at_ms)
{
    for (*at_ms = 0; *at_ms == 0;) {
        if (runs() >= count)
            *at_ms = now_ms();
        else
            pause_ms(20);
    }
}

static long long number(const char *question)
{
    sqlite3_stmt *statement;
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(server_path(&s, "data/bide.db"), &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, question, -1, &statement, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    long long found = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return found;
}

Test(schedules_many, all_fire_within_a_minute_and_none_twice_over_kill_9)
{
    long long begun_ms, all_ms;
    time_t at = time(NULL) + LEAD_S;
    long long at_ms = now_ms() + LEAD_S * 1000LL;

    file_write(at);
    server_start(&s);
    runs_wait(1000, &begun_ms);
    server_kill(&s);
    server_start(&s);
    long long restarted_ms = now_ms();
    runs_wait(SCHEDULES, &all_ms);
    pause_ms(500);
    server_stop(&s);

    const char *figures =
        text("the first 1000 after %lld ms, up again after %lld ms, all after %lld ms; "
             "%lld runs of %lld schedules, %lld have fired once",
             begun_ms - at_ms, restarted_ms - at_ms, all_ms - at_ms,
             number("SELECT count(*) FROM run"),
             number("SELECT count(DISTINCT schedule) FROM run_schedule"),
             number("SELECT count(*) FROM schedule WHERE fired = 1 AND missed = 0"));
    fprintf(stderr, "# %s\n", figures);
    cr_assert_lt(all_ms - at_ms, 60000, "%s", figures);
    cr_assert_eq(number("SELECT count(*) FROM run_schedule"), SCHEDULES, "%s", figures);
    cr_assert_eq(number("SELECT count(DISTINCT schedule) FROM run_schedule"), SCHEDULES, "%s",
                 figures);
    cr_assert_eq(number("SELECT count(*) FROM schedule WHERE fired = 1 AND missed = 0"),
                 SCHEDULES, "%s", figures);
}
