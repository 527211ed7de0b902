/* Schedules: by the file and by hand, over a reload and over kill -9. */
#include "server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVERY_SECOND(name) \
    "schedules:\n  " name ":\n    task: hello\n    cron: \"@every 1s\"\n    overlap: allow\n"

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

TestSuite(schedules, .init = set_up, .fini = tear_down, .timeout = 120);

static const struct reply *schedule_get(const char *name)
{
    const struct reply *reply =
        server_call(&s, "GET", text("/api/v1/schedules/%s", name), NULL);

    cr_assert_eq(reply->status, 200, "%s: %ld %s", name, reply->status, reply->text);
    return reply;
}

static bool there(const char *name)
{
    return server_call(&s, "GET", text("/api/v1/schedules/%s", name), NULL)->status == 200;
}

static int64_t fired(const char *name)
{
    return json_integer_value(reply_at(schedule_get(name), "fired"));
}

/* It has fired more often; at most 20 s. */
static int64_t fired_beyond(const char *name, int64_t count)
{
    for (int i = 0; i < 200; i++) {
        int64_t now = fired(name);
        if (now > count)
            return now;
        pause_ms(100);
    }
    cr_assert_fail("%s has not fired", name);
    return 0;
}

/* Each of its runs is for another instant: as many keys as runs. */
static void expect_no_tick_twice(void)
{
    const struct reply *page = server_call(&s, "GET", "/api/v1/runs?page[size]=100", NULL);
    const json_t *runs = reply_at(page, "data");
    size_t count = json_array_size(runs);

    cr_assert_gt(count, 0);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++) {
            const char *a =
                json_string_value(json_object_get(json_array_get(runs, i), "idempotencyKey"));
            const char *b =
                json_string_value(json_object_get(json_array_get(runs, k), "idempotencyKey"));
            if (a != NULL && b != NULL)
                cr_assert_str_neq(a, b);
        }
}

Test(schedules, those_of_the_file_fire_over_kill_9_and_none_twice)
{
    server_write(&s, "config/schedules.yaml", EVERY_SECOND("tick"));
    server_start(&s);

    int64_t count = fired_beyond("tick", 1);
    server_kill(&s);
    server_start(&s);
    fired_beyond("tick", count);

    expect_no_tick_twice();
}

Test(schedules, a_bad_edit_keeps_the_old_ones_and_a_good_one_is_said)
{
    server_write(&s, "config/schedules.yaml", EVERY_SECOND("tick"));
    server_start(&s);

    server_write(&s, "config/schedules.yaml",
                 "schedules:\n  tick:\n    task: hello\n    cron: \"* 24 * * *\"\n");
    server_logs(&s, "schedules.yaml:4:14: the hour 24 is not in 0 to 23 (the old ones stay)");
    fired_beyond("tick", fired("tick"));

    server_write(&s, "config/schedules.yaml",
                 "schedules:\n  other:\n    task: hello\n    cron: \"@daily\"\n");
    server_logs(&s, "schedules.changed schedule=other cron - -> ");
    for (int i = 0; i < 200 && (there("tick") || !there("other")); i++)
        pause_ms(100); /* the file is accepted, and then made rows of */
    cr_assert(there("other") && !there("tick"));
}

Test(schedules, a_bad_file_is_told_and_the_server_does_not_start)
{
    static const char *const wrong[][2] = {
        { "schedules:\n  a:\n    task: t\n    cron: 0 0 30 2 *\n",
          "yaml:4:11: it never fires" },
        { "schedules:\n  a:\n    task: t\n    cron: \"@daily\"\n    zone: Europe/Berln\n",
          "yaml:5:11: there is no time zone Europe/Berln" },
        { "schedules:\n  a:\n    task: t\n    cron: \"@daily\"\n    overlapp: skip\n",
          "yaml:5:5: a schedule has no \"overlapp\"; did you mean overlap?" },
        { "schedules:\n  a:\n    cron: \"@daily\"\n", "yaml:2:3: it is not said which task" },
        { "schedules:\n  a:\n    task: t\n    cron: \"@daily\"\n    environments: [pord]\n",
          "there is no environment \"pord\"" },
        { "schedules:\n  a:\n    task: t\n    cron: \"@hourly\"\n    spread: 31m\n",
          "yaml:5:5: spread is at most half" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *said;
        server_write(&s, "config/schedules.yaml", wrong[i][0]);
        cr_expect_eq(server_refuses(&s, &said), 2);
        cr_expect_not_null(strstr(said, wrong[i][1]), "%s", said);
    }
}

Test(schedules, one_is_made_changed_run_paused_and_deleted)
{
    server_start(&s);

    const struct reply *made =
        server_call(&s, "POST", "/api/v1/schedules",
                    "{\"task\":\"hello\",\"cron\":\"0 30 2 * * *\",\"deduplicationKey\":\"a\","
                    "\"timezone\":\"Europe/"
                    "Berlin\",\"externalId\":\"x\",\"rules\":{\"overlap\":\"queue_one\"}}");
    cr_assert_eq(made->status, 200, "%s", made->text);
    const char *id = text("%s", json_string_value(reply_at(made, "id")));
    cr_assert_str_eq(json_string_value(reply_at(made, "type")), "IMPERATIVE");
    cr_assert_str_eq(json_string_value(reply_at(made, "generator.expression")), "0 30 2 * * *");

    const struct reply *same =
        server_call(&s, "POST", "/api/v1/schedules",
                    "{\"task\":\"hello\",\"cron\":\"@hourly\",\"deduplicationKey\":\"a\"}");
    cr_assert_str_eq(json_string_value(reply_at(same, "id")), id);
    cr_assert_str_eq(json_string_value(reply_at(same, "timezone")), "UTC");

    const struct reply *put = server_call(&s, "PUT", text("/api/v1/schedules/%s", id),
                                          "{\"task\":\"hello\",\"cron\":\"@daily\"}");
    cr_assert_eq(put->status, 200, "%s", put->text);
    const struct reply *run =
        server_call(&s, "POST", text("/api/v1/schedules/%s/run", id), "{}");
    cr_assert_eq(run->status, 200, "%s", run->text);
    run_until(&s, text("%s", json_string_value(reply_at(run, "id"))), "COMPLETED");

    const struct reply *off =
        server_call(&s, "POST", text("/api/v1/schedules/%s/deactivate", id), NULL);
    cr_assert(json_is_false(reply_at(off, "active")), "%s", off->text);
    cr_assert(json_is_null(reply_at(off, "nextRun")), "%s", off->text);
    const struct reply *on =
        server_call(&s, "POST", text("/api/v1/schedules/%s/activate", id), NULL);
    cr_assert(json_is_true(reply_at(on, "active")), "%s", on->text);

    cr_assert_eq(server_call(&s, "DELETE", text("/api/v1/schedules/%s", id), NULL)->status,
                 200);
    cr_assert_eq(server_call(&s, "GET", text("/api/v1/schedules/%s", id), NULL)->status, 404);
}

Test(schedules, what_does_not_parse_is_refused_with_its_reason)
{
    static const struct {
        const char *body;
        long status;
        const char *says;
    } wrong[] = {
        { "{\"cron\":\"@daily\",\"deduplicationKey\":\"a\"}", 400, "Invalid request body" },
        { "{\"task\":\"hello\",\"cron\":\"@daily\"}", 400, "deduplicationKey" },
        { "{\"task\":\"hello\",\"cron\":\"61 * * * *\",\"deduplicationKey\":\"a\"}", 422,
          "Invalid cron expression: column 1" },
        { "{\"task\":\"hello\",\"cron\":\"0 0 30 2 *\",\"deduplicationKey\":\"a\"}", 422,
          "never fires" },
        { "{\"task\":\"hello\",\"cron\":\"@daily\",\"deduplicationKey\":\"a\","
          "\"timezone\":\"Mars/Base\"}",
          422, "Invalid IANA timezone: 'Mars/Base'" },
        { "{\"task\":\"nope\",\"cron\":\"@daily\",\"deduplicationKey\":\"a\"}", 422,
          "Task with identifier nope not found in project." },
        { "{\"task\":\"hello\",\"cron\":\"@daily\",\"deduplicationKey\":\"a\","
          "\"rules\":{\"overlap\":\"maybe\"}}",
          422, "overlap is one of skip" },
    };

    server_start(&s);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct reply *reply = server_call(&s, "POST", "/api/v1/schedules", wrong[i].body);
        cr_expect_eq(reply->status, wrong[i].status, "%s: %s", wrong[i].body, reply->text);
        cr_expect_not_null(strstr(reply->text, wrong[i].says), "%s", reply->text);
    }
    const struct reply *zones = server_call_as(&s, NULL, "GET", "/api/v1/timezones", NULL);
    cr_assert_eq(zones->status, 200);
    cr_assert_not_null(strstr(zones->text, "[\"UTC\",\"Africa/Abidjan\""), "%.100s",
                       zones->text);
}

/* ---- backfills --------------------------------------------------------------------------- */

/* Seconds that are past, and no other schedule's. */
static const char *backfill_body(int seconds, const char *more)
{
    static long long until_s;
    char from[32], to[32];
    time_t at;

    if (until_s == 0)
        until_s = (long long)time(NULL) - 60;
    at = (time_t)until_s;
    strftime(to, sizeof to, "%Y-%m-%dT%H:%M:%SZ", gmtime(&at));
    at = (time_t)(until_s - seconds);
    strftime(from, sizeof from, "%Y-%m-%dT%H:%M:%SZ", gmtime(&at));
    return text("{\"from\":\"%s\",\"to\":\"%s\"%s}", from, to, more);
}

static const struct reply *backfill(int seconds, const char *more)
{
    return server_call(&s, "POST", "/api/v1/schedules/a/backfill",
                       backfill_body(seconds, more));
}

static size_t runs_of_schedule(void)
{
    const struct reply *page =
        server_call(&s, "GET", "/api/v1/runs?page[size]=100&filter[schedule]=a", NULL);

    cr_assert_eq(page->status, 200, "%s", page->text);
    return json_array_size(reply_at(page, "data"));
}

static void backfill_wait(void)
{
    for (int i = 0; i < 300; i++) {
        if (reply_at(schedule_get("a"), "backfill") == NULL)
            return;
        pause_ms(100);
    }
    cr_assert_fail("the backfill does not end: %s", schedule_get("a")->text);
}

Test(schedules, a_backfill_is_told_made_once_and_goes_on_after_kill_9)
{
    server_start(&s);
    const struct reply *made =
        server_call(&s, "POST", "/api/v1/schedules",
                    "{\"task\":\"hello\",\"cron\":\"@every 1s\",\"deduplicationKey\":\"a\","
                    "\"rules\":{\"starts\":\"2020-01-01\",\"ends\":\"2999-01-01\"}}");
    cr_assert_eq(made->status, 200, "%s", made->text);
    server_call(&s, "POST", "/api/v1/schedules/a/deactivate", NULL);
    size_t before = runs_of_schedule();

    const struct reply *dry = backfill(40, ",\"dryRun\":true");
    cr_assert_eq(reply_number(dry, "count"), 40, "%s", dry->text);
    cr_assert_eq(runs_of_schedule(), before);
    cr_assert_eq(backfill(40, ",\"limit\":1")->status, 200);
    server_kill(&s);
    server_start(&s);
    backfill_wait();
    cr_assert_eq(runs_of_schedule(), before + 40);

    cr_assert_eq(backfill(50, "")->status, 200);
    backfill_wait();
    cr_assert_eq(runs_of_schedule(), before + 50, "ten are new");

    const struct reply *page =
        server_call(&s, "GET", "/api/v1/runs?page[size]=1&filter[schedule]=a", NULL);
    const struct reply *run = run_get(&s, text("%s", reply_text(page, "data.0.id")));
    cr_assert(json_is_true(reply_at(run, "schedule.isBackfill")), "%s", run->text);
    cr_assert_str_eq(reply_text(run, "schedule.deduplicationKey"), "a");
    cr_assert_str_eq(reply_text(run, "schedule.generator.expression"), "@every 1s");
    cr_assert(json_is_true(reply_at(run, "payload.backfill")));
}

Test(schedules, a_backfill_that_cannot_be_is_refused)
{
    server_start(&s);
    server_call(&s, "POST", "/api/v1/schedules",
                "{\"task\":\"hello\",\"cron\":\"@every 1s\",\"deduplicationKey\":\"a\"}");

    const struct {
        const char *body;
        long status;
        const char *says;
    } wrong[] = {
        { backfill_body(40000, ""), 422, "more than 10000 ticks" },
        { backfill_body(-5, ""), 422, "to is not after from" },
        { backfill_body(5, ",\"limit\":0"), 400, "limit is a whole number" },
        { backfill_body(5, ",\"overlap\":\"skip\""), 422, "overlap of a backfill" },
        { "{\"from\":\"yesterday\",\"to\":\"2027-01-01\"}", 400, "from must be a date" },
        { "{\"from\":\"2027-01-01\",\"to\":\"2999-01-01\"}", 422, "to is still to come" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct reply *reply =
            server_call(&s, "POST", "/api/v1/schedules/a/backfill", wrong[i].body);
        cr_expect_eq(reply->status, wrong[i].status, "%s", reply->text);
        cr_expect_not_null(strstr(reply->text, wrong[i].says), "%s", reply->text);
    }
    cr_expect_eq(
        server_call(&s, "POST", "/api/v1/schedules/b/backfill", backfill_body(5, ""))->status,
        404);
}

/* ---- time zone data ---------------------------------------------------------------------- */

/* What is another zone's file now, is that zone's clock from now on. */
Test(schedules, zone_data_that_changes_moves_what_is_next)
{
    const char *folder = server_path(&s, "zoneinfo");

    cr_assert_eq(
        system(text("mkdir -p %s/Europe && cp /usr/share/zoneinfo/Europe/Berlin %s/Europe/",
                    folder, folder)),
        0);
    server_write(&s, "zoneinfo/tzdata.zi", "# version 2030a\n");
    setenv("TZDIR", folder, 1);
    server_write(&s, "config/schedules.yaml",
                 "schedules:\n  a: { task: hello, cron: '0 12 * * *', zone: Europe/Berlin }\n");
    server_start(&s);
    unsetenv("TZDIR");
    cr_assert_str_eq(reply_text(schedule_get("a"), "zoneData"), "2030a");
    const char *before = text("%s", reply_text(schedule_get("a"), "nextRun"));

    cr_assert_eq(
        system(text("cp /usr/share/zoneinfo/America/New_York %s/Europe/Berlin", folder)), 0);
    server_write(&s, "zoneinfo/tzdata.zi", "# version 2030b\n");
    server_write(&s, "config/queues.yaml", "concurrency: 7\n");
    server_logs(&s, "schedules.moved schedule=sched_");

    cr_assert_str_eq(reply_text(schedule_get("a"), "zoneData"), "2030b");
    cr_assert_str_neq(reply_text(schedule_get("a"), "nextRun"), before);
}
