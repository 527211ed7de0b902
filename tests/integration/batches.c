/* Batches, through the whole machine: a task makes one and waits for it, people send one. */
#include "server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct server s;

static void set_up(void)
{
    server_init(&s);
    server_add_plugin(&s, "flocks");
    server_start(&s);
}

static void tear_down(void)
{
    server_destroy(&s);
}

TestSuite(batches, .init = set_up, .fini = tear_down, .timeout = 120);

static void check(const char *payload, double count, double total, double failed, double ended)
{
    const struct reply *run = run_end(&s, run_trigger(&s, "flock", payload, NULL));

    cr_assert_str_eq(reply_text(run, "status"), "COMPLETED", "%s", run->text);
    cr_assert_eq(reply_number(run, "output.count"), count, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.total"), total, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.failed"), failed, "%s", run->text);
    cr_assert_eq(reply_number(run, "output.ended"), ended, "%s", run->text);
}

Test(batches, a_task_waits_for_all_of_them_and_reads_each_by_its_index)
{
    check("{\"count\": 250}", 250, 250 * 249, 0, 1);
    check("{\"count\": 0}", 0, 0, 0, 1);
}

Test(batches, one_that_is_refused_stops_no_other_unless_all_or_nothing)
{
    check("{\"count\": 3, \"bad\": 1}", 3, 4, 1, 1);
    check("{\"count\": 3, \"bad\": 1, \"all\": true}", 3, 0, 3, 4);
    check("{\"count\": 3, \"all\": true}", 3, 6, 0, 1);
}

Test(batches, items_with_one_key_are_one_run_and_each_has_its_answer)
{
    check("{\"count\": 5, \"same\": true}", 5, 10, 0, 1);
}

Test(batches, a_segment_that_crashes_in_between_makes_none_twice)
{
    check("{\"count\": 300, \"crash\": true}", 300, 300 * 299, 0, 1);
}

/* Who waits for a batch is told which, and how to look at it. */
Test(batches, why_names_the_batch_that_is_waited_for)
{
    server_call(&s, "POST", "/api/v1/queues/member/pause",
                "{\"type\": \"task\", \"action\": \"pause\"}");
    const char *run = run_trigger(&s, "flock", "{\"count\": 2}", NULL);
    run_until(&s, run, "WAITING");

    const struct reply *why = server_call(&s, "GET", text("/api/v1/runs/%s/why", run), NULL);
    cr_assert_str_eq(reply_text(why, "waitsFor.0.type"), "batch", "%s", why->text);
    cr_assert_str_eq(reply_text(why, "waitsFor.0.status"), "WAITING", "%s", why->text);
    const char *next = text("bide batches show %s", reply_text(why, "waitsFor.0.id"));
    cr_assert_str_eq(reply_text(why, "waitsFor.0.next"), next, "%s", why->text);
    cr_assert_str_eq(reply_text(why, "text"), "it waits for a batch");

    server_call(&s, "POST", "/api/v1/queues/member/pause",
                "{\"type\": \"task\", \"action\": \"resume\"}");
    cr_assert_str_eq(reply_text(run_end(&s, run), "status"), "COMPLETED");
}

static const struct reply *post(const char *path, const char *body)
{
    return server_call(&s, "POST", path, body);
}

Test(batches, an_item_that_cannot_be_run_is_told_by_its_index)
{
    const struct reply *got =
        post("/api/v2/tasks/batch",
             "{\"items\": [{\"task\": \"member\", \"payload\": 1}, {\"payload\": 2},"
             "{\"task\": \"nobody\"}]}");

    cr_assert_eq(got->status, 202, "%s", got->text);
    cr_assert_eq(reply_number(got, "errors.0.index"), 1, "%s", got->text);
    cr_assert_neq(strstr(reply_text(got, "errors.0.error"), "no \"task\""), NULL);
    cr_assert_neq(strstr(got->headers, "nobody"), NULL, "%s", got->headers);
}

Test(batches, a_key_of_a_batch_with_other_items_is_told)
{
    static const char path[] = "/api/v2/tasks/batch";
    const char *body =
        "{\"idempotencyKey\": \"k\", \"items\": [{\"task\": \"member\", \"payload\": 1}]}";
    const char *id = text("%s", reply_text(post(path, body), "id"));
    const struct reply *again = post(path, body);

    cr_assert_str_eq(reply_text(again, "id"), id);
    cr_assert_eq(strstr(again->headers, "x-bide-payload-differs"), NULL);
    again = post(
        path,
        "{\"idempotencyKey\": \"k\", \"items\": [{\"task\": \"member\", \"payload\": 2}]}");
    cr_assert_str_eq(reply_text(again, "id"), id);
    cr_assert_neq(strstr(again->headers, "x-bide-payload-differs: true"), NULL);
    again = post("/api/v3/batches", "{\"idempotencyKey\": \"k\", \"runCount\": 2}");
    cr_assert_neq(strstr(again->headers, "x-bide-payload-differs: true"), NULL);
}

Test(batches, a_file_of_long_lines_is_sent_in_parts)
{
    int status;
    const char *said =
        command_run(&status,
                    "jq -nc 'range(60) | {task: \"member\", payload: {n: ., x: (\"x\" * "
                    "100000)}}' >%s/f && "
                    "BIDE_URL=%s BIDE_KEY=%s " BINARY_DIR "/bide batches create %s/f",
                    s.dir, s.url, s.key, s.dir);

    cr_assert_eq(status, 0, "%s", said);
}
