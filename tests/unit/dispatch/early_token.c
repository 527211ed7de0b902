/* Tokens that a segment does not wait for: made with its END, or before it when that is late.
 */
#include "base/id.h"
#include "stage.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct stage stage;

static void setup(void)
{
    stage_make(&stage);
    stage_put(&stage, "steady.so", "steady.so");
    stage_put(&stage, "crash.so", "crash.so");
}

static void teardown(void)
{
    stage_finish(&stage);
}

TestSuite(ahead, .init = setup, .fini = teardown);

static bool is_ready(struct stage *s, const void *what)
{
    (void)what;
    return s->is_ready;
}

static void ready(void)
{
    stage_open(&stage);
    stage_until(&stage, is_ready, NULL);
}

static const struct waitpoint *token_of(struct stage *s, int64_t run)
{
    struct waitpoint *token = NULL;
    struct err err = { 0 };
    int64_t block = stage_run(s, run)->id_block;

    if (block != 0)
        cr_assert(s->reader->ops->token(s->reader, &s->arena, s->environment.number, block + 1,
                                        &token, &err));
    return token;
}

static bool has_token(struct stage *s, const void *what)
{
    return token_of(s, *(const int64_t *)what) != NULL;
}

Test(ahead, a_token_is_there_while_its_segment_still_works)
{
    ready();
    int64_t run = stage_trigger(&stage, "token", "{\"sleep_ms\":5000}");

    stage_until(&stage, has_token, &run);

    cr_assert_eq(stage_run(&stage, run)->status, RUN_RUNNING);
    stage_cancel(&stage, run);
}

Test(ahead, an_end_waits_for_a_token_that_is_under_way)
{
    ready();
    for (int i = 0; i < 50; i++) {
        char input[64];
        (void)snprintf(input, sizeof input, "{\"sleep_ms\":%d,\"timeout_ms\":20}", i % 8);
        stage_trigger(&stage, "token", input);
    }
    for (uint32_t i = 0; i < stage.run_count; i++)
        cr_assert_eq(stage_outcome(&stage, stage.runs[i].id), OUTCOME_COMPLETED);
}

static const char *status_of_new(const char *input)
{
    int64_t run = stage_trigger(&stage, "token", input);

    stage_until_status(&stage, run, RUN_WAITING);
    const char *json = stage_json(&stage, stage_run(&stage, run)->metadata);
    const char *status = strstr(json, "\"status\":");
    cr_assert_not_null(status, "%s", json);
    return status;
}

Test(ahead, a_segment_that_asks_for_its_new_token_finds_it_open)
{
    char open[32];
    (void)snprintf(open, sizeof open, "\"status\":%d", (int)WAIT_NONE);
    ready();

    cr_assert(strncmp(status_of_new("{\"look\":true}"), open, strlen(open)) == 0);
    cr_assert(strncmp(status_of_new("{\"look\":true,\"sleep_ms\":50}"), open, strlen(open)) ==
              0);
}

Test(ahead, what_the_limits_refuse_fails_the_attempt)
{
    stage.config.limits.tags = 0;
    ready();
    int64_t run = stage_trigger(&stage, "token", "{}");

    cr_assert_eq(stage_outcome(&stage, run), OUTCOME_FAILED);
    cr_assert_str_eq(stage_error(&stage, run, "name"), "refused");
    cr_assert_neq(strstr(stage_error(&stage, run, "message"), "tags"), NULL);
}

Test(ahead, many_tokens_go_with_one_end)
{
    ready();
    int64_t run = stage_trigger(&stage, "tokens", "{\"count\":16}");

    stage_until_status(&stage, run, RUN_WAITING);
}
