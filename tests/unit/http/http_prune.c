/* What is old, asked for and removed over HTTP. */
#include "base/clock.h"
#include "base/id.h"
#include "site.h"

#include <criterion/criterion.h>
#include <time.h>

static struct site site;

static void setup(void)
{
    site_init(&site);
    site.config.retention =
        (struct config_retention){ { [RETAIN_RUNS] = 1000, [RETAIN_TOKENS] = 1000 } };
    site.config.early_answers_ms = 1000;
    site_start(&site);
}

static void teardown(void)
{
    site_finish(&site);
}

TestSuite(prune, .init = setup, .fini = teardown, .timeout = 60);

static struct answer prune(const char *body)
{
    return site_post(&site, "/api/v1/prune", body);
}

/* The server looks first at what must stay; before, zero would be a lie. */
static struct answer prune_when_ready(const char *body)
{
    struct answer answer = prune(body);

    for (int i = 0; i < 600; i++) {
        cr_assert_eq(answer.status, 200, "%s", answer.body.data);
        const char *next = answer_text(&site, answer, "next");
        if (strncmp(next, "walk_", 5) != 0)
            break;
        (void)nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
        answer = prune(site_path(&site, "{\"after\":\"%s\",%s", next, body + 1));
    }
    return answer;
}

Test(prune, what_is_said_wrongly_is_refused)
{
    static const char *const bad[] = { "[]",
                                       "{\"dryRun\":1}",
                                       "{\"dryRun\":\"yes\"}",
                                       "{\"dry_run\":true}",
                                       "{\"dryrun\":true}",
                                       "{\"zzz\":true}",
                                       "{\"olderThan\":\"3d\"}",
                                       "{\"next\":\"run_0000000000001\"}",
                                       "{\"after\":7}",
                                       "{\"after\":\"run_1\"}",
                                       "{\"after\":\"queue_0000000000001\"}" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct answer answer = prune(bad[i]);
        cr_expect_eq(answer.status, 400, "%s: %d %s", bad[i], answer.status, answer.body.data);
        cr_expect_not_null(strstr(answer.body.data, "\"error\""));
    }
    cr_expect_not_null(strstr(prune("{\"dryrun\":true}").body.data,
                              "dryrun is not known; did you mean dryRun?"));
    cr_expect_not_null(strstr(prune("{\"zzz\":true}").body.data, "zzz is not known here"));
}

static int64_t pruned_runs(void)
{
    static const char name[] = "\nbide_pruned_total{kind=\"runs\"} ";
    struct answer metrics = site_get(&site, "/metrics");
    const char *line = strstr(metrics.body.data, name);

    cr_assert_not_null(line);
    return strtoll(line + sizeof name - 1, NULL, 10);
}

/* The pruner and who asks are at it at the same time; nothing is removed or counted twice. */
Test(prune, what_is_old_goes_and_is_counted)
{
    const char *runs[3], *waits = site_run(&site, "approve", "{}");

    site_until(&site, waits, "WAITING");
    for (int i = 0; i < 3; i++) {
        runs[i] = site_run(&site, "echo", "{}");
        site_until(&site, runs[i], "COMPLETED");
    }
    for (int i = 0; i < 600 && pruned_runs() < 3; i++) {
        struct answer answer = prune_when_ready("{\"dryRun\":false}");
        cr_assert_not(answer_find(answer, "dryRun")->boolean);
        for (int kinds = 0; kinds < 4; kinds++) { /* tokens, batches, items, bulk actions */
            const char *next = answer_text(&site, answer, "next");
            answer = prune(site_path(&site, "{\"after\":\"%s\"}", next));
            cr_assert_eq(answer.status, 200, "%s", answer.body.data);
        }
        cr_assert_null(answer_find(answer, "next"), "%s", answer.body.data);
        (void)nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    }
    cr_assert_eq(pruned_runs(), 3);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(site_get(&site, site_path(&site, "/api/v3/runs/%s", runs[i])).status, 404);
    site_until(&site, waits, "WAITING");
}

#define TOKENS "/api/v1/waitpoints/tokens"

/* Told apart by the time in the id: what is not there and is older than any segment was. */
Test(prune, a_token_that_was_removed_is_gone_and_one_that_never_was_is_not_found)
{
    const char *id = answer_text(&site, site_post(&site, TOKENS, "{\"timeout\":\"1h\"}"), "id");
    struct answer other = site_ask(&site, "POST", TOKENS,
                                   "authorization: Bearer " KEY_PROD "\r\n"
                                   "content-type: application/json\r\n",
                                   "{\"timeout\":\"1h\"}");
    const char *path = site_path(&site, TOKENS "/%s", id);
    const char *post = site_path(&site, TOKENS "/%s/complete", id);
    struct answer answer;
    char never[ID_TEXT_SIZE];

    cr_assert_eq(other.status, 200, "%s", other.body.data);
    cr_assert_eq(site_post(&site, post, "{}").status, 200);
    do {
        answer = site_get(&site, path);
        (void)nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
    } while (answer.status == 200); /* the pruner comes by */
    cr_assert_eq(answer.status, 410, "%d %s", answer.status, answer.body.data);
    cr_assert_not_null(strstr(answer.body.data, "is removed after a time"));
    cr_assert_eq(site_post(&site, post, "{}").status, 410, "as who answers it is told");

    id_format("waitpoint", id_floor(clock_now_ms()) + 77, never);
    cr_assert_eq(site_get(&site, site_path(&site, TOKENS "/%s", never)).status, 404);
    cr_assert_eq(
        site_get(&site, site_path(&site, TOKENS "/%s", answer_text(&site, other, "id"))).status,
        404, "that of another environment is there, and not for this key");
}

Test(prune, dry_is_a_question)
{
    struct answer answer = prune_when_ready("{\"dryRun\":true}");

    cr_assert(answer_find(answer, "dryRun")->boolean);
    for (int i = 0; i < 3; i++) {
        static const char *const kinds[] = { "runs", "tokens", "logs" };
        cr_assert_eq(value_find(answer_find(answer, kinds[i]), "count")->integer, 0);
        cr_assert_null(value_find(answer_find(answer, kinds[i]), "oldest"));
    }
    cr_assert_not_null(strstr(answer_text(&site, answer, "next"), "waitpoint_"));
}
