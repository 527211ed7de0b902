/* What a queue's rules give to runs whose trigger does not say. */
#include "bench.h"

TestSuite(defaults, .init = bench_open, .fini = bench_close);

static struct queue_rules *rules_of_q(void)
{
    bench.queues[0] = (struct catalog_queue){ SLICE("q"), { .concurrency = 1 } };
    bench.queue_count = 1;
    return &bench.queues[0].rules;
}

static struct trigger *add_q(const char *payload)
{
    struct trigger *options = &add_trigger("t")->trigger;

    options->queue = SLICE("q");
    options->payload = slice_of(payload);
    return options;
}

static void expression_set(struct queue_amount *amount, const char *text)
{
    struct expression_flaw flaw;

    amount->expression =
        expression_compile(bench_arena(), slice_of(text), EXPRESSION_NUMBER, &flaw);
    cr_assert(amount->expression != NULL, "%s", flaw.text);
}

Test(defaults, a_queues_ttl_and_priority_are_for_those_that_say_none)
{
    struct queue_rules *rules = rules_of_q();
    rules->ttl_ms = SECONDS(5);
    rules->priority.number = 1.5;
    bench_catalog();
    pause("q", true);
    struct trigger *silent = add_q("");
    commit();
    const struct run *run = run_of(silent->run_id);
    cr_assert(run->ttl_ms == SECONDS(5) && run->priority_ms == 1500);
    cr_assert_eq(run->rank_ms, bench.now_ms - 1500);
    struct trigger *own = add_q(""), *none = add_q("");
    own->ttl_ms = SECONDS(9);
    own->priority_ms = -1;
    none->has_ttl = none->has_priority = true;
    commit();

    cr_assert(run_of(own->run_id)->ttl_ms == SECONDS(9) &&
              run_of(own->run_id)->priority_ms == -1);
    cr_assert(run_of(none->run_id)->ttl_ms == 0 && run_of(none->run_id)->priority_ms == 0);
}

Test(defaults, a_run_expires_by_its_queues_ttl)
{
    rules_of_q()->ttl_ms = SECONDS(5);
    bench_catalog();
    pause("q", true);
    struct trigger *options = add_q("");
    commit();
    int64_t run = options->run_id;

    advance(SECONDS(5) - 1);
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    advance(1);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);
}

Test(defaults, an_expression_over_the_payload_gives_the_head_start)
{
    expression_set(&rules_of_q()->priority, "payload.vip ? 60 : payload.n / 2.0");
    bench_catalog();
    pause("q", true);
    struct trigger *vip = add_q("\x81\xa3vip\xc3");
    commit();
    cr_assert_eq(run_of(vip->run_id)->priority_ms, 60000);
    struct trigger *other = add_q("\x82\xa3vip\xc2\xa1n\x05");
    commit();

    cr_assert_eq(run_of(other->run_id)->priority_ms, 2500);
}

Test(defaults, an_expression_without_a_value_is_priority_0_and_the_timeline_says_why)
{
    expression_set(&rules_of_q()->priority, "payload.vip ? 60 : 0");
    bench_catalog();
    pause("q", true);
    struct trigger *options = add_q("\x80");
    commit();

    cr_assert_eq(run_of(options->run_id)->priority_ms, 0);
    cr_assert_str_eq(last_move(options->run_id),
                     "its priority is 0: its queue's expression has no value at 1:9: there is "
                     "no member \"vip\"");
}

Test(defaults, what_is_too_much_of_a_head_start_is_the_most)
{
    expression_set(&rules_of_q()->priority, "payload * 1e300");
    bench_catalog();
    pause("q", true);
    struct trigger *options = add_q("\x02");
    commit();

    cr_assert_eq(run_of(options->run_id)->priority_ms, INT32_MAX);
}

Test(defaults, a_queues_retries_go_before_its_tasks_and_a_triggers_before_both)
{
    struct queue_rules *rules = rules_of_q();
    rules->retry_attempts = 2;
    bench_catalog();
    struct trigger *options = add_q("");
    commit();
    int64_t run = options->run_id;

    cr_assert_eq(segment(run)->max_attempts, 2);
    end_fail(run, true);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING, "the second of 2");
    end_fail(run, true);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_FAILED);
    options = add_q("");
    options->max_attempts = 1;
    commit();
    run = options->run_id;
    cr_assert_eq(segment(run)->max_attempts, 1);
    end_fail(run, true);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_FAILED);
}

Test(defaults, pauses_between_attempts_are_the_queues)
{
    struct queue_rules *rules = rules_of_q();
    rules->retry_attempts = 1000;
    rules->retry_min_ms = rules->retry_max_ms = DAYS(1);
    bench_catalog();
    struct catalog_retry retry;

    retry = catalog_retry(engine_catalog(bench.engine), NULL, SLICE("q"), 0);
    cr_assert_eq(retry.attempts, 100, "no more than limits.max_attempts");
    cr_assert(retry.min_ms == DAYS(1) && retry.max_ms == DAYS(1) && retry.factor == 2);
    struct trigger *options = add_q("");
    commit();
    int64_t run = options->run_id;
    end_fail(run, true);
    cr_assert_eq(run_of(run)->status, RUN_DELAYED, "the task pauses for no time");
}
