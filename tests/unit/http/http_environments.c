/* Environments over HTTP, and what holds a run. */
#include "site.h"

#include <criterion/criterion.h>

static struct site site;

static void setup(void)
{
    site_init(&site);
    site_start(&site);
}

static void teardown(void)
{
    site_finish(&site);
}

TestSuite(environments, .init = setup, .fini = teardown, .timeout = 60);

#define DEV "/api/v1/environments/dev"

static struct answer pause_dev(const char *body)
{
    return site_post(&site, DEV "/pause", body);
}

static struct answer run_show(const char *run)
{
    return site_get(&site, site_path(&site, "/api/v3/runs/%s", run));
}

static void check_held(struct answer run, const char *gate, const char *words)
{
    cr_assert_str_eq(answer_text(&site, run, "heldBy.gate"), gate, "%s", run.body.data);
    cr_assert_str_eq(answer_text(&site, run, "heldBy.text"), words, "%s", run.body.data);
}

static bool is_accepted(struct answer answer)
{
    struct slice value;

    cr_assert(answer_header(answer, "x-bide-accepted", &value));
    return slice_is(value, "true");
}

Test(environments, a_key_sees_its_own_alone)
{
    struct answer all = site_get(&site, "/api/v1/environments");
    struct answer prod = site_ask(&site, "GET", "/api/v1/environments",
                                  "authorization: Bearer " KEY_PROD "\r\n", NULL);

    cr_assert_eq(answer_find(all, "data")->count, 1, "%s", all.body.data);
    cr_assert_not_null(strstr(all.body.data, "\"name\":\"dev\""));
    cr_assert_not_null(strstr(prod.body.data, "\"name\":\"prod\""));
    cr_assert_eq(site_get(&site, DEV).status, 200);
    struct answer other = site_get(&site, "/api/v1/environments/prod");
    cr_assert_eq(other.status, 404);
    cr_assert_not_null(strstr(other.body.data, "the key is that of dev"));
    cr_assert_eq(
        site_post(&site, "/api/v1/environments/prod/pause", "{\"action\":\"pause\"}").status,
        404);
    cr_assert_eq(site_ask(&site, "GET", DEV, "", NULL).status, 401);
}

Test(environments, a_paused_one_says_who_why_and_since_when_and_starts_nothing)
{
    struct answer paused =
        pause_dev("{\"action\":\"pause\",\"reason\":\"the disk moves\",\"by\":\"ann\"}");
    const char *run = site_run(&site, "echo", "{}");
    struct answer held = run_show(run);
    struct answer queue = site_get(&site, "/api/v1/queues/echo/statistics?type=task");
    struct answer queues = site_get(&site, "/api/v1/queues");
    struct answer metrics = site_get(&site, "/metrics");

    cr_assert_eq(paused.status, 200, "%s", paused.body.data);
    cr_assert(is_accepted(paused));
    cr_assert(answer_find(paused, "paused")->boolean);
    cr_assert_str_eq(answer_text(&site, paused, "pausedBy"), "ann, with the key of dev");
    cr_assert_str_eq(answer_text(&site, paused, "pausedReason"), "the disk moves");
    cr_assert_str_neq(answer_text(&site, paused, "pausedAt"), "");
    cr_assert_str_eq(answer_text(&site, held, "status"), "QUEUED");
    check_held(held, "environment",
               "its environment is paused by ann, with the key of dev: the disk moves");
    cr_assert_str_eq(answer_text(&site, held, "heldBy.pausedReason"), "the disk moves");
    cr_assert(answer_find(queue, "environmentPaused")->boolean, "%s", queue.body.data);
    cr_assert_not(answer_find(queue, "paused")->boolean);
    cr_assert_not_null(strstr(queues.body.data, "\"environmentPaused\":true"));
    cr_assert_not_null(
        strstr(metrics.body.data, "\nbide_environment_paused{environment=\"dev\"} 1\n"));
    cr_assert_eq(answer_find(site_get(&site, DEV), "queued")->integer, 1);

    cr_assert(is_accepted(pause_dev("{\"action\":\"resume\"}")));
    site_until(&site, run, "COMPLETED");
    cr_assert_null(answer_find(run_show(run), "heldBy"));
    cr_assert_null(answer_find(site_get(&site, DEV), "pausedReason"));
}

Test(environments, what_changes_nothing_is_told)
{
    cr_assert_not(is_accepted(pause_dev("{\"action\":\"resume\"}")));
    cr_assert(is_accepted(pause_dev("{\"action\":\"pause\"}")));
    struct answer again = pause_dev("{\"action\":\"pause\"}");
    cr_assert_not(is_accepted(again));
    cr_assert_str_eq(answer_text(&site, again, "pausedBy"), "the key of dev");
    cr_assert(is_accepted(pause_dev("{\"action\":\"pause\",\"reason\":\"a move\"}")));
}

Test(environments, bad_pauses_are_refused)
{
    static const char *const bad[] = { "",
                                       "{}",
                                       "{\"action\":\"stop\"}",
                                       "{\"paused\":true}",
                                       "{\"action\":\"pause\",\"reason\":\"\"}",
                                       "{\"action\":\"pause\",\"reason\":7}",
                                       "{\"action\":\"pause\",\"by\":\"\"}",
                                       "{\"action\":\"pause\",\"user\":\"ann\"}" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(pause_dev(bad[i]).status, 400, "%s", bad[i]);
    cr_assert_not(answer_find(site_get(&site, DEV), "paused")->boolean);
}

/* ---- what holds a run -------------------------------------------------------------------- */

/* "hold" stays running; its queue, slow/lane, has 7 of a lane, 2 of one with a key, 9 in all.
 */
static const char *hold_run(const char *options)
{
    struct answer made =
        site_post(&site, "/api/v1/tasks/hold/trigger",
                  site_path(&site, "{\"payload\":{},\"options\":{%s}}", options));

    cr_assert_eq(made.status, 200, "%s", made.body.data);
    return answer_text(&site, made, "id");
}

#define KEY "\"concurrencyKey\":\"acme\""

Test(environments, a_full_lane_and_a_full_queue_say_how_many_run)
{
    hold_run(KEY);
    hold_run(KEY);
    struct answer run = run_show(hold_run(KEY));
    check_held(run, "lane", "2 of 2 running in queue slow/lane with key acme");
    cr_assert_eq(answer_find(run, "heldBy.running")->integer, 2);
    cr_assert_eq(answer_find(run, "heldBy.limit")->integer, 2);
    for (int i = 0; i < 7; i++)
        hold_run("");

    check_held(run_show(hold_run("")), "total", "9 of 9 running in all of queue slow/lane");
}

Test(environments, a_full_server_and_a_paused_queue_say_so)
{
    for (int i = 0; i < 100; i++)
        hold_run("\"queue\":{\"name\":\"many\"}");
    const char *run = site_run(&site, "echo", "{}");

    check_held(run_show(run), "slots", "100 of 100 running in all");
    site_post(&site, "/api/v1/queues/echo/pause", "{\"type\":\"task\",\"action\":\"pause\"}");
    check_held(run_show(run), "paused", "its queue task/echo is paused by the key of dev");
}

Test(environments, what_waits_or_is_delayed_says_so)
{
    const char *run = site_run(&site, "approve", "{}");
    struct answer made = site_post(&site, "/api/v1/tasks/echo/trigger",
                                   "{\"payload\":{},\"options\":{\"delay\":\"1h\"}}");

    check_held(site_until(&site, run, "WAITING"), "wait", "it waits for a token");
    check_held(run_show(answer_text(&site, made, "id")), "not-before", "its time has not come");
}

/* ---- why --------------------------------------------------------------------------------- */

static struct answer why(const char *run)
{
    return site_get(&site, site_path(&site, "/api/v1/runs/%s/why", run));
}

Test(environments, why_names_the_gate_who_has_the_places_and_an_estimate)
{
    const char *first = hold_run(KEY), *second = hold_run(KEY);
    hold_run("");
    const char *queued = hold_run(KEY), *last = hold_run(KEY);
    struct answer told = why(last);
    const struct value *holders = answer_find(told, "holders");

    cr_assert_eq(told.status, 200, "%s", told.body.data);
    cr_assert_str_eq(answer_text(&site, told, "heldBy.gate"), "lane");
    cr_assert_eq(answer_find(told, "before")->integer, 1);
    cr_assert_eq(holders->count, 2, "%s", told.body.data); /* of its key alone */
    cr_assert_eq(answer_find(told, "holderCount")->integer, 2);
    cr_assert_not_null(strstr(told.body.data, first));
    cr_assert_not_null(strstr(told.body.data, second));
    cr_assert_null(answer_find(told, "estimate.startsInMs"));
    cr_assert_str_eq(answer_text(&site, told, "estimate.basis"),
                     "none: no run of its queue has ended yet");
    cr_assert_str_neq(answer_text(&site, told, "holders.0.segment"), "");
    cr_assert_eq(answer_find(why(queued), "before")->integer, 0);
    cr_assert_str_eq(answer_text(&site, why(first), "text"), "a segment of it runs");
    cr_assert_eq(answer_find(why(first), "holders"), NULL);
}

Test(environments, why_rests_an_estimate_on_what_has_ended)
{
    site_until(&site, site_run(&site, "echo", "{}"), "COMPLETED");
    for (int i = 0; i < 100; i++)
        hold_run("\"queue\":{\"name\":\"many\"}");
    const char *run = site_run(&site, "echo", "{}");
    struct answer told = why(run);

    cr_assert_str_eq(answer_text(&site, told, "heldBy.gate"), "slots");
    cr_assert_eq(answer_find(told, "holders")->count, 10, "%s", told.body.data);
    cr_assert_eq(answer_find(told, "holderCount")->integer, 100);
    cr_assert_geq(answer_find(told, "estimate.startsInMs")->integer, 0);
    cr_assert_not_null(strstr(answer_text(&site, told, "estimate.basis"),
                              "as the 1 of its queue that have ended"),
                       "%s", told.body.data);
    site_post(&site, "/api/v1/queues/echo/pause", "{\"type\":\"task\",\"action\":\"pause\"}");
    cr_assert_null(answer_find(why(run), "estimate"), "nobody knows when it is resumed");
}

Test(environments, why_says_who_has_set_a_limit_and_how_it_is_undone)
{
    struct answer set = site_post(&site, "/api/v1/queues/slow%2Flane/concurrency/override",
                                  "{\"type\":\"custom\",\"concurrencyLimit\":1}");
    cr_assert_eq(set.status, 200, "%s", set.body.data);
    hold_run("");

    struct answer told = why(hold_run(""));
    const char *text = answer_text(&site, told, "text");
    cr_assert_not_null(strstr(text, "1 of 1 running in queue slow/lane; that limit was set in "
                                    "place of 7 by the key of dev at 2"),
                       "%s", text);
    cr_assert_not_null(strstr(text, "`bide queues limit slow/lane reset`"), "%s", text);
    cr_assert_str_eq(answer_text(&site, told, "heldBy.overriddenBy"), "the key of dev");
    for (int i = 0; i < 2; i++)
        hold_run(KEY);
    told = why(hold_run(KEY));
    cr_assert_str_eq(answer_text(&site, told, "heldBy.gate"), "lane");
    cr_assert_null(answer_find(told, "heldBy.overriddenBy"), "keys have their own limit");
}

Test(environments, why_says_how_a_run_has_ended)
{
    struct answer made = site_post(&site, "/api/v1/tasks/echo/trigger",
                                   "{\"payload\":{},\"options\":{\"delay\":\"1h\"}}");
    const char *run = answer_text(&site, made, "id");

    site_post(&site, site_path(&site, "/api/v2/runs/%s/cancel", run), "{}");
    struct answer told = why(run);
    const char *text = answer_text(&site, told, "text");
    cr_assert(strstr(text, "it is done: CANCELED") == text, "%s", text);
    cr_assert_str_eq(answer_text(&site, told, "next"),
                     site_path(&site, "bide runs show %s", run));
}

Test(environments, why_says_what_is_waited_for_and_what_is_missing)
{
    const char *waits = site_run(&site, "approve", "{}");
    site_until(&site, waits, "WAITING");
    struct answer told = why(waits);
    const struct value *list = answer_find(told, "waitsFor");

    cr_assert_eq(list->count, 1, "%s", told.body.data);
    const char *next = answer_text(&site, told, "waitsFor.0.next");
    cr_assert(strstr(next, "bide tokens complete waitpoint_") == next, "%s", next);
    cr_assert_not_null(strstr(next, " --payload JSON"), "%s", next);
    struct answer parked = why(site_run(&site, "nobody-offers-it", "{}"));
    cr_assert_str_eq(answer_text(&site, parked, "missing.task"), "nobody-offers-it", "%s",
                     parked.body.data);
    struct answer late = site_post(&site, "/api/v1/tasks/echo/trigger",
                                   "{\"payload\":{},\"options\":{\"delay\":\"1h\"}}");
    told = why(answer_text(&site, late, "id"));
    cr_assert_str_eq(answer_text(&site, told, "text"), "it was triggered with a delay");
    cr_assert_str_neq(answer_text(&site, told, "until"), "");
    cr_assert_eq(why("run_01hq3k7v9x2aa").status, 404);
}

/* ---- limits of environments -------------------------------------------------------------- */

static void setup_limits(void)
{
    site_init(&site);
    site.bursts[0] = (struct config_burst){ 3, 4 };
    site_start(&site);
}

TestSuite(environment_limits, .init = setup_limits, .fini = teardown, .timeout = 60);

Test(environment_limits, what_they_hold_says_so)
{
    for (int i = 0; i < 3; i++)
        hold_run("");
    struct answer of_queue = run_show(hold_run(""));
    hold_run("\"queue\":{\"name\":\"many\"}");
    struct answer of_all = run_show(hold_run("\"queue\":{\"name\":\"many\"}"));

    check_held(of_queue, "environment-limit",
               "3 of 3 running of what one queue of its environment may have, in queue "
               "slow/lane");
    check_held(of_all, "environment-limit", "4 of 4 running in its environment");
    cr_assert_eq(answer_find(of_all, "heldBy.running")->integer, 4);
    cr_assert_eq(answer_find(of_all, "heldBy.limit")->integer, 4);
}

/* Whatever queue they are in. */
Test(environment_limits, why_says_who_has_the_places)
{
    for (int i = 0; i < 3; i++)
        hold_run("");
    const char *other = hold_run("\"queue\":{\"name\":\"many\"}");
    struct answer of_all = why(hold_run("\"queue\":{\"name\":\"third\"}"));

    cr_assert_eq(answer_find(of_all, "holders")->count, 4, "%s", of_all.body.data);
    cr_assert_eq(answer_find(of_all, "holderCount")->integer, 4);
    cr_assert_not_null(strstr(of_all.body.data, other), "%s", of_all.body.data);
    site_post(&site, site_path(&site, "/api/v2/runs/%s/cancel", other), "{}");
}

Test(environment_limits, are_among_the_metrics)
{
    for (int i = 0; i < 3; i++)
        hold_run("");
    struct answer answer = site_get(&site, "/metrics");
    const char *text = answer.body.data;

    cr_assert_not_null(strstr(text, "\nbide_environment_running{environment=\"dev\"} 3\n"),
                       "%s", text);
    cr_assert_not_null(
        strstr(text, "\nbide_environment_limit{environment=\"dev\",of=\"queue\"} 3\n"));
    cr_assert_not_null(
        strstr(text, "\nbide_environment_limit{environment=\"dev\",of=\"all\"} 4\n"));
    cr_assert_null(strstr(text, "bide_environment_limit{environment=\"prod\""));
}
