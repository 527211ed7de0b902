/* Debounced triggers over HTTP: what is answered, shown, and refused by name. */
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

TestSuite(http_debounce, .init = setup, .fini = teardown, .timeout = 60);

static struct answer trigger(const char *debounce)
{
    return site_post(
        &site, "/api/v1/tasks/echo/trigger",
        site_path(&site, "{\"payload\":{\"n\":1},\"options\":{\"debounce\":%s}}", debounce));
}

Test(http_debounce, triggers_of_a_key_are_one_run)
{
    static const char words[] = "{\"key\":\"k\",\"delay\":\"1m\",\"mode\":\"trailing\"}";
    struct answer first = trigger(words), second = trigger(words);
    const char *id = answer_text(&site, first, "id");

    cr_assert_eq(first.status, 200, "%s", first.body.data);
    cr_assert_not(answer_find(first, "isCached")->boolean);
    cr_assert_str_eq(answer_text(&site, second, "id"), id);
    cr_assert(answer_find(second, "isCached")->boolean);
    cr_assert(answer_find(second, "isDebounced")->boolean);
    struct answer run = site_until(&site, id, "DELAYED");
    cr_assert_not_null(answer_find(run, "debouncedUntil"));
}

Test(http_debounce, what_is_wrong_is_refused_by_name)
{
    static const struct {
        const char *words, *name;
        int status;
    } wrong[] = {
        { "7", "debounce", 400 },
        { "{}", "debounce.key", 400 },
        { "{\"key\":\"\",\"delay\":\"1m\"}", "debounce.key", 400 },
        { "{\"key\":\"k\"}", "debounce.delay", 400 },
        { "{\"key\":\"k\",\"delay\":\"0s\"}", "debounce.delay", 400 },
        { "{\"key\":\"k\",\"delay\":\"2030-01-01T00:00:00Z\"}", "debounce.delay", 400 },
        { "{\"key\":\"k\",\"delay\":60}", "debounce.delay", 400 },
        { "{\"key\":\"k\",\"delay\":\"1m\",\"mode\":\"last\"}", "debounce.mode", 400 },
        { "{\"key\":\"k\",\"delay\":\"1m\",\"maxDelay\":\"soon\"}", "debounce.maxDelay", 400 },
        { "{\"key\":\"k\",\"delay\":\"1m\",\"maxDelay\":\"1m\"}", "debounce.maxDelay", 422 },
        { "{\"key\":\"k\",\"delay\":\"1m\",\"most\":\"1m\"}", "debounce.most", 400 },
        { "{\"key\":\"k\",\"delay\":\"1m\"},\"delay\":\"5m\"", "delay", 400 },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct answer answer = trigger(wrong[i].words);
        cr_expect_eq(answer.status, wrong[i].status, "%s: %d", wrong[i].words, answer.status);
        cr_expect_not_null(
            memmem(answer.body.data, answer.body.size, wrong[i].name, strlen(wrong[i].name)),
            "%s: %s", wrong[i].words, answer.body.data);
    }
}
