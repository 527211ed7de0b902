/* Rates of queues and of their lanes: how many start in a time, whatever comes between. */
#include "bench.h"
#include "engine/admission/hints.h"

#include <stdio.h>

TestSuite(rates, .init = bench_open, .fini = bench_close);

static void offer(struct queue_rate rate, struct queue_rate key_rate)
{
    bench.queues[0] =
        (struct catalog_queue){ SLICE("q"),
                                { .concurrency = 1000, .rate = rate, .key_rate = key_rate } };
    bench.queue_count = 1;
    bench_catalog();
}

static struct command *queue_up(const char *key)
{
    struct command *command = add_trigger("t");

    command->trigger.queue = SLICE("q");
    command->trigger.concurrency_key = slice_of(key);
    return command;
}

static void queue_many(const char *key, int count)
{
    while (count-- > 0)
        (void)queue_up(key);
    cr_assert(commit());
}

static const struct rate *rate_row(int64_t scope)
{
    return (const struct rate *)store_memory_get(bench.store, ROW_RATE, scope);
}

static int64_t queue_id(void)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_QUEUE); i++) {
        const struct queue *queue =
            (const struct queue *)store_memory_at(bench.store, ROW_QUEUE, i);
        if (slice_is(queue->name, "q") && queue->environment == DEV)
            return queue->id;
    }
    return 0;
}

Test(rates, so_many_start_in_a_time)
{
    offer((struct queue_rate){ 4, 1, 2000 }, (struct queue_rate){ 0 });
    queue_many("", 10);
    cr_assert_eq(bench.starts, 1, "evenly");
    cr_assert_eq(bench.wake_ms, bench.now_ms + 500);
    int64_t start_ms = bench.now_ms;
    for (int i = 1; i < 10; i++) {
        sleep_until(start_ms + 500 * i - 1);
        cr_assert_eq(bench.starts, (uint32_t)i);
        sleep_until(start_ms + 500 * i);
        cr_assert_eq(bench.starts, (uint32_t)i + 1);
    }
    sleep_until(start_ms + 60000);
    cr_assert_eq(bench.wake_ms, 0, "nothing waits, nobody wakes");
}

Test(rates, a_burst_starts_at_once_after_a_pause)
{
    offer((struct queue_rate){ 1, 3, 1000 }, (struct queue_rate){ 0 });
    queue_many("", 20);
    int64_t start_ms = bench.now_ms;
    cr_assert_eq(bench.starts, 3);
    sleep_until(start_ms + 1000);
    cr_assert_eq(bench.starts, 4, "what was started is not forgotten");
    sleep_until(start_ms + 4000);
    cr_assert_eq(bench.starts, 7);
}

Test(rates, one_that_does_not_divide_is_not_exceeded)
{
    offer((struct queue_rate){ 3, 1, 1000 }, (struct queue_rate){ 0 });
    queue_many("", 100);
    cr_assert_eq(rate_row(-queue_id())->tat_us, bench.now_ms * 1000 + 333334, "rounded up");
    sleep_until(bench.now_ms + 3000);
    cr_assert_leq(bench.starts, 9);
    cr_assert_geq(bench.starts, 8);
}

Test(rates, each_key_has_its_own)
{
    offer((struct queue_rate){ 0 }, (struct queue_rate){ 1, 1, 1000 });
    queue_many("a", 3);
    queue_many("b", 2);
    queue_many("", 5);
    int64_t start_ms = bench.now_ms;
    cr_assert_eq(bench.starts, 7, "one of each key, and those without");
    sleep_until(start_ms + 1000);
    cr_assert_eq(bench.starts, 9);
    sleep_until(start_ms + 2000);
    cr_assert_eq(bench.starts, 10);
    sleep_until(start_ms + 10000);
    cr_assert_eq(bench.wake_ms, 0, "nothing waits, nobody wakes");
}

Test(rates, a_queue_and_a_key_at_once)
{
    offer((struct queue_rate){ 10, 10, 10000 }, (struct queue_rate){ 1, 1, 5000 });
    queue_many("a", 5);
    cr_assert_eq(bench.starts, 1);
    cr_assert_eq(rate_row(-queue_id())->tat_us, (bench.now_ms + 1000) * 1000,
                 "what the key refuses costs the queue nothing");
    queue_many("b", 5);
    cr_assert_eq(bench.starts, 2);
    sleep_until(bench.now_ms + 5000);
    cr_assert_eq(bench.starts, 4);
}

Test(rates, what_has_started_is_known_after_a_crash)
{
    offer((struct queue_rate){ 1, 1, 1000 }, (struct queue_rate){ 1, 1, 3000 });
    queue_many("a", 3);
    cr_assert_eq(bench.starts, 1);
    int64_t start_ms = bench.now_ms;
    bench_restart(true);
    cr_assert_eq(bench.starts, 1, "the one that was out starts again, and that counts");
    sleep_until(start_ms + 2999);
    cr_assert_eq(bench.starts, 1);
    sleep_until(start_ms + 3000);
    cr_assert_eq(bench.starts, 2);
}

Test(rates, a_batch_that_is_lost_has_started_nothing)
{
    offer((struct queue_rate){ 1, 1, 1000 }, (struct queue_rate){ 0 });
    (void)queue_up("");
    (void)queue_up("");
    store_memory_fail(bench.store, 6);
    cr_assert_not(commit());
    queue_many("", 2);
    cr_assert_eq(bench.starts, 1);
}

Test(rates, a_retry_and_a_run_that_goes_on_start_once_more)
{
    offer((struct queue_rate){ 1, 1, 1000 }, (struct queue_rate){ 0 });
    struct command *command = queue_up("");
    cr_assert(commit());
    int64_t run = command->trigger.run_id, start_ms = bench.now_ms;
    end_fail(run, true);
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    sleep_until(start_ms + 1000);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    wait_time(run, 1);
    advance(1);
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    sleep_until(start_ms + 2000);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(rates, another_rate_is_not_waited_for_longer_than_its_own_time)
{
    offer((struct queue_rate){ 1, 1, DAYS(1) }, (struct queue_rate){ 0 });
    queue_many("", 5);
    cr_assert_eq(bench.wake_ms, bench.now_ms + DAYS(1));
    offer((struct queue_rate){ 1, 1, 1000 }, (struct queue_rate){ 0 });
    int64_t start_ms = bench.now_ms;
    cr_assert_eq(bench.starts, 1);
    cr_assert_eq(bench.wake_ms, start_ms + 1000);
    sleep_until(start_ms + 3000);
    cr_assert_eq(bench.starts, 4);
    offer((struct queue_rate){ 0 }, (struct queue_rate){ 0 });
    cr_assert_eq(bench.starts, 5, "none at all");
}

Test(rates, a_clock_that_was_ahead_before_the_server_ended_holds_nothing_for_ever)
{
    offer((struct queue_rate){ 1, 1, 1000 }, (struct queue_rate){ 0 });
    bench.now_ms += DAYS(365);
    queue_many("", 3);
    bench.now_ms -= DAYS(365);
    bench_restart(true);
    int64_t start_ms = bench.now_ms;
    cr_assert_eq(bench.wake_ms, start_ms + 1000);
    sleep_until(start_ms + 2000);
    cr_assert_eq(bench.starts, 3);
}

Test(rates, a_queue_that_is_held_costs_the_others_no_looks)
{
    offer((struct queue_rate){ 1, 1, 60000 }, (struct queue_rate){ 0 });
    queue_many("", 50);
    int64_t other = start("u");
    cr_assert_eq(bench.batches, 1, "none for the queue that is held");
    end_done(other);
    cr_assert_eq(bench.batches, 1);
    cr_assert_eq(bench.starts, 2);
}

/* A key that nobody has any more is forgotten, and its lane with it; not what it has started.
 */
Test(rates, a_lane_stays_as_long_as_its_rate)
{
    offer((struct queue_rate){ 0 }, (struct queue_rate){ 1, 1, DAYS(1) });
    struct command *command = queue_up("a");
    cr_assert(commit());
    int64_t run = command->trigger.run_id, lane = run_of(run)->lane;
    end_done(run);
    advance(MINUTES(5));
    (void)trigger("u");
    cr_assert_not_null(store_memory_lane(bench.store, lane));
    queue_many("a", 1);
    cr_assert_eq(bench.starts, 2, "of a, one; and of u");
    advance(DAYS(2));
    cr_assert_eq(bench.starts, 3);
}

Test(rates, a_lane_goes_with_its_rate)
{
    offer((struct queue_rate){ 0 }, (struct queue_rate){ 1, 1, MINUTES(2) });
    struct command *command = queue_up("a");
    cr_assert(commit());
    int64_t run = command->trigger.run_id, lane = run_of(run)->lane;
    end_done(run);
    cr_assert_not_null(rate_row(lane));
    advance(MINUTES(5));
    (void)trigger("u");
    cr_assert_null(store_memory_lane(bench.store, lane));
    cr_assert_null(rate_row(lane));
}

/* ---- costs -------------------------------------------------------------------------------
 */

static struct queue_rules *rules_of_q(struct queue_rate rate, struct queue_rate key_rate)
{
    offer(rate, key_rate);
    return &bench.queues[0].rules;
}

static int64_t of_cost(const char *key, uint32_t cost)
{
    struct command *command = queue_up(key);

    command->trigger.cost = cost;
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->trigger.run_id;
}

static bool is_running(int64_t run)
{
    return run_of(run)->status == RUN_RUNNING;
}

Test(rates, a_start_counts_for_what_it_costs)
{
    rules_of_q((struct queue_rate){ 10, 10, 10000 }, (struct queue_rate){ 0 })
        ->rate_cost.number = 4;
    bench_catalog();
    queue_many("", 5);
    int64_t start_ms = bench.now_ms;
    cr_assert_eq(bench.starts, 2, "eight of ten are paid");
    cr_assert_eq(bench.wake_ms, start_ms + 2000);
    sleep_until(start_ms + 2000);
    cr_assert_eq(bench.starts, 3);
    sleep_until(start_ms + 6000);
    cr_assert_eq(bench.starts, 4);
}

Test(rates, a_payload_says_what_it_costs_and_what_no_rate_can_pay_is_refused)
{
    static const struct {
        const char *payload, *text;
    } cases[] = {
        { "\x81\xa1n\x04", "rate.cost of the queue must be from 1 to its burst, 3, and of this "
                           "payload it is 4" },
        { "\x81\xa1n", "it has no value, at 1:9: " },
        { "\x81\xa1n\xff", "it is -1" },
    };
    struct expression_flaw flaw;
    struct queue_rules *rules =
        rules_of_q((struct queue_rate){ 1, 3, 1000 }, (struct queue_rate){ 0 });

    rules->rate_cost.expression =
        expression_compile(bench_arena(), SLICE("payload.n / 1.0"), EXPRESSION_NUMBER, &flaw);
    bench_catalog();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct command *command = queue_up("");
        command->trigger.payload = i == 1 ? SLICE("\x80") : slice_of(cases[i].payload);
        cr_assert(commit());
        cr_assert_eq(command->err.code, ERR_RULE);
        cr_assert_not_null(strstr(command->err.text, cases[i].text), "%s", command->err.text);
    }
    struct command *command = queue_up("");
    command->trigger.payload = SLICE("\x81\xa1n\xca\x40\x20\x00\x00"); /* 2.5 */
    cr_assert(commit());
    cr_assert_eq(run_cost(run_of(command->trigger.run_id), false), 3);
    cr_assert(is_running(command->trigger.run_id));
    queue_up("")->trigger.payload = SLICE("\x81\xa1n\x01");
    cr_assert(commit());
    cr_assert_eq(bench.wake_ms, bench.now_ms + 1000);
}

Test(rates, a_trigger_says_what_it_costs_of_both)
{
    offer((struct queue_rate){ 1, 5, 1000 }, (struct queue_rate){ 1, 3, 1000 });
    struct command *command = queue_up("a");
    command->trigger.cost = 4;
    cr_assert(commit());
    cr_assert_str_eq(command->err.text,
                     "options.cost is 4, and key_rate of the queue can never pay "
                     "more than its burst, 3");
    int64_t start_ms = bench.now_ms;
    cr_assert(is_running(of_cost("a", 3)));
    int64_t other = of_cost("b", 3);
    cr_assert_not(is_running(other), "two of five are left");
    cr_assert_null(rate_row(run_of(other)->lane), "what is refused costs nothing");
    sleep_until(start_ms + 1000);
    cr_assert(is_running(other));
    cr_assert_eq(rate_row(-queue_id())->tat_us, (start_ms + 6000) * 1000);
    cr_assert_eq(rate_row(run_of(other)->lane)->tat_us, (start_ms + 4000) * 1000);
}

Test(rates, cheap_ones_do_not_pass_a_dear_one_for_ever)
{
    offer((struct queue_rate){ 1, 4, 1000 }, (struct queue_rate){ 0 });
    int64_t start_ms = bench.now_ms;
    (void)of_cost("x", 4);
    int64_t dear = of_cost("a", 4), cheap = of_cost("b", 1);
    for (int i = 1; i < 4; i++) {
        sleep_until(start_ms + 1000 * i);
        (void)of_cost("b", 1);
        (void)of_cost("c", 1);
        cr_assert_eq(bench.starts, 1, "it is saved up for");
    }
    sleep_until(start_ms + 4000);
    cr_assert(is_running(dear));
    cr_assert_not(is_running(cheap));
    sleep_until(start_ms + 5000);
    cr_assert(is_running(cheap));
}

Test(rates, nothing_is_saved_up_for_one_that_has_gone)
{
    offer((struct queue_rate){ 1, 4, 1000 }, (struct queue_rate){ 0 });
    int64_t start_ms = bench.now_ms;
    (void)of_cost("x", 4);
    int64_t dear = of_cost("a", 4), cheap = of_cost("b", 1);
    sleep_until(start_ms + 1500);
    cr_assert_not(is_running(cheap));
    (void)cancel(dear);
    sleep_until(start_ms + 1501);
    cr_assert(is_running(cheap));
}

Test(rates, what_a_smaller_burst_cannot_pay_pays_all_of_it)
{
    offer((struct queue_rate){ 1, 9, 1000 }, (struct queue_rate){ 0 });
    int64_t start_ms = bench.now_ms;
    (void)of_cost("", 9);
    int64_t dear = of_cost("", 9), next = of_cost("", 1);
    offer((struct queue_rate){ 1, 2, 1000 }, (struct queue_rate){ 0 });
    sleep_until(start_ms + 2000);
    cr_assert(is_running(dear));
    cr_assert_not(is_running(next));
    sleep_until(start_ms + 3000);
    cr_assert(is_running(next));
}

/* ---- set by somebody --------------------------------------------------------------------- */

static struct command *set_rate(int which, struct queue_rate rate, bool is_reset)
{
    struct command *command = add(COMMAND_QUEUE_LIMIT);

    command->queue_limit.environment = DEV;
    command->queue_limit.name = SLICE("q");
    command->queue_limit.sets[which] = true;
    command->queue_limit.rates[which] = rate;
    command->queue_limit.is_reset = is_reset;
    cr_assert(commit());
    return command;
}

Test(rates, one_that_is_set_counts_at_once_and_after_a_restart_until_it_is_reset)
{
    offer((struct queue_rate){ 1, 1, DAYS(1) }, (struct queue_rate){ 0 });
    queue_many("", 9);
    cr_assert_eq(bench.starts, 1);
    int64_t start_ms = bench.now_ms;
    cr_assert_eq(set_rate(0, (struct queue_rate){ 1, 1, 1000 }, false)->err.code, ERR_OK);
    cr_assert_eq(bench.wake_ms, start_ms + 1000);
    sleep_until(start_ms + 2000);
    cr_assert_eq(bench.starts, 3);
    bench_restart(true);
    sleep_until(start_ms + 4000);
    cr_assert_geq(bench.starts, 4, "it is known");
    (void)set_rate(0, (struct queue_rate){ 0 }, true);
    uint32_t starts = bench.starts;
    sleep_until(start_ms + 60000);
    cr_assert_leq(bench.starts, starts + 1, "as it is configured");
    cr_assert_eq(set_rate(0, (struct queue_rate){ 0 }, true)->err.code, ERR_BAD_REQUEST);
    (void)set_rate(0, (struct queue_rate){ 0 }, false);
    cr_assert_eq(run_of(store_memory_run(bench.store, 8)->id)->status, RUN_RUNNING,
                 "none at all");
}

Test(rates, one_that_is_set_for_keys_counts_at_once_for_those_that_wait)
{
    offer((struct queue_rate){ 0 }, (struct queue_rate){ 1, 1, DAYS(1) });
    queue_many("a", 3);
    cr_assert_eq(bench.starts, 1);
    int64_t start_ms = bench.now_ms;
    cr_assert_eq(set_rate(1, (struct queue_rate){ 1, 1, 1000 }, false)->err.code, ERR_OK);
    cr_assert_eq(bench.wake_ms, start_ms + 1000);
    sleep_until(start_ms + 2000);
    cr_assert_eq(bench.starts, 3);
}

Test(rates, one_that_no_start_could_pay_is_not_set)
{
    rules_of_q((struct queue_rate){ 1, 4, 1000 }, (struct queue_rate){ 0 })->rate_cost.number =
        3;
    bench_catalog();
    queue_many("", 1);
    struct command *command = set_rate(0, (struct queue_rate){ 1, 2, 1000 }, false);
    cr_assert_eq(command->err.code, ERR_RULE);
    cr_assert_str_eq(command->err.text,
                     "rate: a start of the queue costs 3 of it, and a burst of 2 "
                     "can never pay that");
    cr_assert_eq(set_rate(1, (struct queue_rate){ 1, 2, 1000 }, false)->err.code, ERR_OK);
    sleep_until(bench.now_ms + 4000);
    queue_many("a", 3);
    cr_assert_eq(rate_row(store_memory_run(bench.store, 1)->lane)->burst, 2);
}

/* ---- pushed back -------------------------------------------------------------------------
 */

static void push_back(int64_t run, int64_t ms)
{
    add_end(run, VERDICT_PUSH_BACK)->segment_end.end->span_ms = ms;
    cr_assert(commit());
}

Test(rates, a_run_that_is_pushed_back_starts_again_later_with_its_lane)
{
    offer((struct queue_rate){ 0 }, (struct queue_rate){ 0 });
    struct command *command = queue_up("a");
    cr_assert(commit());
    int64_t run = command->trigger.run_id, start_ms = bench.now_ms;
    push_back(run, 10000);
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    cr_assert_eq(run_of(run)->attempt, 1, "none is lost");
    queue_many("a", 2);
    cr_assert_eq(bench.starts, 1, "the others wait, too");
    queue_many("b", 2);
    queue_many("", 2);
    cr_assert_eq(bench.starts, 5, "of other lanes none does");
    cr_assert(bench.wake_ms >= start_ms + 10000 && bench.wake_ms <= start_ms + 11000);
    sleep_until(start_ms + 9999);
    cr_assert_eq(bench.starts, 5);
    sleep_until(start_ms + 11000);
    cr_assert_eq(bench.starts, 8);
    cr_assert_eq(run_of(run)->attempt, 1);
    cr_assert_eq(bench.wake_ms, 0);
}

Test(rates, a_push_back_is_known_after_a_crash)
{
    int64_t run = start("t"), start_ms = bench.now_ms;
    push_back(run, 10000);
    bench_restart(true);
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    sleep_until(start_ms + 11000);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(rates, a_shorter_push_back_changes_nothing)
{
    int64_t one = start("t"), two = start("t"), start_ms = bench.now_ms;
    push_back(one, 10000);
    push_back(two, 10);
    sleep_until(start_ms + 9999);
    cr_assert_eq(bench.starts, 2);
    push_back(start("u"), INT64_MAX);
    sleep_until(start_ms + 11000);
    cr_assert_eq(bench.starts, 5);
}
