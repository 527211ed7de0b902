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
    rules->retry.attempts = 2;
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
    rules->retry.attempts = 50;
    rules->retry.min_ms = rules->retry.max_ms = DAYS(1);
    bench_catalog();
    struct catalog_retry retry;

    retry = catalog_retry(engine_catalog(bench.engine), NULL, SLICE("q"), 0, RETRY_CRASH);
    cr_assert_eq(retry.attempts, 50);
    cr_assert(retry.min_ms == DAYS(1) && retry.max_ms == DAYS(1) && retry.factor == 2);
    struct trigger *options = add_q("");
    commit();
    int64_t run = options->run_id;
    end_fail(run, true);
    cr_assert_eq(run_of(run)->status, RUN_DELAYED, "the task pauses for no time");
}

static int64_t running_run(void)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        if (store_memory_run(bench.store, i)->status == RUN_RUNNING)
            return store_memory_run(bench.store, i)->id;
    return 0;
}

/* One a second comes with a head start of ten, and one a second is done: after ten seconds who
 * has none is before those that come. */
Test(defaults, a_stream_with_a_head_start_holds_others_for_no_longer_than_that)
{
    rules_of_q()->priority.number = 10;
    bench_catalog();
    (void)add_q("");
    commit();
    struct trigger *options = add_q("");
    options->has_priority = true;
    commit();
    int64_t low = options->run_id, begin_ms = bench.now_ms;
    for (int second = 0; second < 30; second++) {
        (void)add_q("");
        commit();
        end_done(running_run());
        advance(SECONDS(1));
    }

    cr_assert_neq(run_of(low)->started_ms, 0, "it never started");
    cr_assert_leq(run_of(low)->started_ms - begin_ms, SECONDS(11));
    cr_assert_geq(run_of(low)->started_ms - begin_ms, SECONDS(9));
}

Test(defaults, a_child_that_is_waited_for_stands_where_its_parent_stood)
{
    rules_of_q();
    bench_catalog();
    pause("q", true);
    int64_t parent = start("t"), begin_ms = bench.now_ms;
    advance(SECONDS(10));
    struct trigger *options = add_q("");
    commit();
    int64_t other = options->run_id, children[2];
    advance(SECONDS(10));
    for (uint32_t i = 0; i < 2; i++) {
        struct command *child = add_child(parent, i + 1, "u");
        child->trigger.queue = SLICE("q");
        child->trigger.priority_ms = SECONDS(1);
        commit();
        children[i] = child->trigger.run_id;
    }
    cr_assert_gt(run_of(children[0])->rank_ms, run_of(other)->rank_ms);
    wait_for(parent, WAIT_FOR_RUNS, children, 1, 1, 0);

    cr_assert_eq(run_of(children[0])->rank_ms, begin_ms - SECONDS(1));
    cr_assert_eq(run_of(children[1])->rank_ms, bench.now_ms - SECONDS(1),
                 "nobody waits for it");
    pause("q", false);
    cr_assert_eq(run_of(children[0])->status, RUN_RUNNING);
    cr_assert_eq(run_of(other)->status, RUN_QUEUED);
}
