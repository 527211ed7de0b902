/* Runs whose attempts are used up: how they are shown, listed, and go on. */
#include "codec/json.h"
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

TestSuite(redrive, .init = setup, .fini = teardown, .timeout = 60);

static const char *flop(const char *options)
{
    struct answer made = site_post(&site, "/api/v1/tasks/flop/trigger",
                                   site_path(&site, "{\"payload\":{\"n\":1}%s}", options));

    cr_assert_eq(made.status, 200, "%s", made.body.data);
    return answer_text(&site, made, "id");
}

static const char *paused(void)
{
    const char *run = flop(",\"options\":{\"queue\":{\"name\":\"slow/lane\"}}");

    site_until(&site, run, "PAUSED");
    return run;
}

static const char *letter(void)
{
    const char *run = flop("");

    site_until(&site, run, "FAILED");
    return run;
}

static struct answer redrive(const char *run, const char *body)
{
    return site_post(&site, site_path(&site, "/api/v1/runs/%s/redrive", run), body);
}

static struct answer redrive_all(const char *body)
{
    return site_post(&site, "/api/v1/runs/redrive", body);
}

static uint32_t listed(const char *status)
{
    struct answer list =
        site_get(&site, site_path(&site, "/api/v1/runs?filter%%5Bstatus%%5D=%s", status));

    cr_assert_eq(list.status, 200, "%s", list.body.data);
    return answer_find(list, "data")->count;
}

Test(redrive, a_paused_run_is_shown_as_such_and_goes_on)
{
    const char *run = paused();
    struct answer why = site_get(&site, site_path(&site, "/api/v1/runs/%s/why", run));

    cr_assert_str_eq(answer_text(&site, why, "status"), "PAUSED");
    cr_assert_str_eq(answer_text(&site, why, "heldBy.gate"), "attempts");
    cr_assert_not_null(strstr(answer_text(&site, why, "text"), "attempts are used up"));
    cr_assert_str_eq(answer_text(&site, why, "next"),
                     site_path(&site, "bide runs redrive %s", run));
    cr_assert_eq(listed("PAUSED"), 1);
    cr_assert_eq(listed("DELAYED"), 0);

    struct answer answer = redrive(run, "{\"by\":\"ann\"}");

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    cr_assert_str_eq(answer_text(&site, answer, "id"), run);
    struct answer done = site_until(&site, run, "COMPLETED");
    cr_assert_eq(answer_find(done, "attempt")->integer, 2);
    const struct value *attempts = answer_find(done, "attempts");
    cr_assert_eq(attempts->count, 2, "each is kept, with its error");
    const struct value *error = value_find(&attempts->items[0], "error");
    cr_assert(error != NULL && slice_is(value_find(error, "name")->bytes, "no_luck") &&
              slice_is(value_find(error, "message")->bytes, "it did not work"));
    cr_assert_not_null(strstr(done.body.data, "tried again by ann, from its last save point"));
    cr_assert_eq(redrive(run, "").status, 409);
}

Test(redrive, a_paused_run_can_be_canceled)
{
    const char *run = paused();

    cr_assert_eq(site_post(&site, site_path(&site, "/api/v2/runs/%s/cancel", run), "").status,
                 200);

    site_until(&site, run, "CANCELED");
    cr_assert_eq(listed("PAUSED"), 0);
}

Test(redrive, for_a_dead_letter_a_new_run_goes_on)
{
    const char *run = letter();
    struct answer old = site_get(&site, site_path(&site, "/api/v3/runs/%s", run));
    cr_assert(answer_find(old, "isDeadLetter")->boolean);
    cr_assert_eq(listed("DEAD_LETTER"), 1);
    cr_assert_eq(listed("FAILED"), 1);

    struct answer answer = redrive(run, "{\"from\":\"start\"}");

    cr_assert_eq(answer.status, 200, "%s", answer.body.data);
    const char *next = answer_text(&site, answer, "id");
    cr_assert_str_neq(next, run);
    cr_assert_str_eq(answer_text(&site, answer, "redriveOf"), run);
    struct answer failed = site_until(&site, next, "FAILED");
    cr_assert_not_null(strstr(failed.body.data, site_path(&site, "goes on for %s", run)));
    old = site_get(&site, site_path(&site, "/api/v3/runs/%s", run));
    cr_assert_null(answer_find(old, "isDeadLetter"));
    cr_assert_not_null(strstr(old.body.data, site_path(&site, "goes on as %s", next)));
    cr_assert_eq(listed("DEAD_LETTER"), 1, "the new one");
    cr_assert_eq(redrive(run, "").status, 409);
}

Test(redrive, all_of_a_queue_or_a_task_go_on_so_many_at_a_time)
{
    for (int i = 0; i < 3; i++)
        letter();
    paused();

    struct answer dry = redrive_all("{\"taskIdentifier\":\"flop\",\"dryRun\":true}");
    struct answer some = redrive_all("{\"queue\":\"task/flop\",\"limit\":2}");
    struct answer lane = redrive_all("{\"queue\":\"slow/lane\",\"taskIdentifier\":\"flop\"}");
    struct answer none = redrive_all("{\"queue\":\"task/echo\"}");

    cr_assert_eq(dry.status, 200, "%s", dry.body.data);
    cr_assert_eq(answer_find(dry, "count")->integer, 4);
    cr_assert_eq(some.status, 200, "%s", some.body.data);
    cr_assert_eq(answer_find(some, "count")->integer, 2);
    cr_assert(answer_find(some, "more")->boolean);
    cr_assert_eq(answer_find(lane, "count")->integer, 1);
    cr_assert_eq(answer_find(none, "count")->integer, 0);
}

Test(redrive, what_makes_no_sense_is_refused)
{
    const char *run = letter();

    cr_assert_eq(redrive(run, "{\"from\":\"middle\"}").status, 400);
    cr_assert_eq(redrive(run, "{\"payload\":1}").status, 400);
    cr_assert_eq(redrive("run_00000000000000000000000001", "").status, 404);
    cr_assert_eq(redrive(site_run(&site, "hold", "{}"), "").status, 409);
    cr_assert_eq(redrive_all("{}").status, 400);
    cr_assert_eq(redrive_all("{\"queue\":\"a b\"}").status, 422);
    cr_assert_eq(redrive_all("{\"queue\":\"a\",\"limit\":0}").status, 400);
    cr_assert_eq(redrive_all("{\"queue\":\"a\",\"limit\":101}").status, 400);
    cr_assert_eq(redrive_all("{\"queue\":\"a\",\"dryRun\":1}").status, 400);
    cr_assert_eq(redrive_all("{\"task\":\"a\"}").status, 400);
}
