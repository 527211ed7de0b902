/* Debouncing: triggers of one key are one run as long as it has not started, and no longer than
 * the first of them allows. */
#include "bench.h"
#include "codec/pack.h"

static void open_due(void)
{
    bench_open();
    bench.look_for_due = true;
}

TestSuite(debounce, .init = open_due, .fini = bench_close);

#define ONE "\x81\xa1n\x01"
#define TWO "\x81\xa1n\x02"

static struct command *add_bounce(const char *key, int mode, const char *payload)
{
    struct command *command = add_trigger("t");

    command->trigger.payload = slice_of(payload);
    command->trigger.delay_ms = SECONDS(5);
    command->trigger.debounce.key = slice_of(key);
    command->trigger.debounce.mode = mode;
    command->trigger.debounce.delay_ms = SECONDS(5);
    command->trigger.debounce.most_ms = SECONDS(50);
    return command;
}

static struct command *bounce(const char *key, int mode, const char *payload)
{
    struct command *command = add_bounce(key, mode, payload);

    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command;
}

static int64_t left(int64_t run)
{
    return run_of(run)->due_ms - bench.now_ms;
}

Test(debounce, another_of_its_key_is_the_same_run_and_starts_later)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    advance(SECONDS(3));

    struct command *again = bounce("k", DEBOUNCE_LEADING, TWO);
    struct command *other = bounce("l", DEBOUNCE_LEADING, TWO);

    cr_assert_neq(other->trigger.run_id, run);
    cr_assert_eq(left(run), SECONDS(5));
    cr_assert(slice_equal(run_of(run)->input, SLICE(ONE)), "the first one's");
    (void)again;
    advance(SECONDS(5));
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(debounce, the_answer_says_so)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    struct command *again = bounce("k", DEBOUNCE_LEADING, TWO);

    cr_assert_eq(again->trigger.run_id, run);
    cr_assert(again->trigger.debounced);
    cr_assert(again->trigger.cached);
    cr_assert_not(again->trigger.is_new);
}

Test(debounce, the_last_one_counts_where_that_is_said)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    struct command *last = add_bounce("k", DEBOUNCE_TRAILING, TWO);
    last->trigger.tags = SLICE("\x91\xa1"
                               "a");
    last->trigger.max_attempts = 7;
    cr_assert(commit());

    cr_assert(slice_equal(run_of(run)->input, SLICE(TWO)));
    cr_assert(slice_equal(run_of(run)->tags, SLICE("\x91\xa1"
                                                   "a")));
    cr_assert_eq(run_of(run)->max_attempts, 7);
}

Test(debounce, maps_are_merged_where_that_is_said)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    bounce("k", DEBOUNCE_MERGE, "\x82\xa1m\x05\xa1n\x02");

    cr_assert(slice_equal(run_of(run)->input, SLICE("\x82\xa1n\x02\xa1m\x05")));
    struct command *wrong = add_bounce("k", DEBOUNCE_MERGE, "\x07");
    cr_assert(commit());
    cr_assert_eq(wrong->err.code, ERR_BAD_INPUT);
    cr_assert(slice_equal(run_of(run)->input, SLICE("\x82\xa1n\x02\xa1m\x05")));
}

Test(debounce, what_is_merged_is_checked_by_the_schema)
{
    bench.tasks[0].schema = bench_schema("input: {type: object, maxProperties: 1}\n");
    bench_catalog();
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;

    struct command *wrong = add_bounce("k", DEBOUNCE_MERGE, "\x81\xa1m\x05");
    cr_assert(commit());

    cr_assert_eq(wrong->err.code, ERR_BAD_INPUT);
    cr_assert_not_null(wrong->problems);
    cr_assert(slice_equal(run_of(run)->input, SLICE(ONE)));
}

/* Whoever says no bound, or another, does not move it. */
Test(debounce, it_starts_at_its_bound_at_the_latest)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    for (int i = 0; i < 12; i++) {
        advance(SECONDS(4));
        struct command *command = add_bounce("k", DEBOUNCE_LEADING, ONE);
        command->trigger.debounce.most_ms = SECONDS(5000);
        cr_assert(commit());
        cr_assert_eq(command->trigger.run_id, run);
    }
    cr_assert_eq(left(run), SECONDS(2), "48 of 50 seconds have passed");
    advance(SECONDS(2));
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);

    cr_assert_neq(bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id, run);
}

Test(debounce, it_never_starts_earlier)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    struct command *sooner = add_bounce("k", DEBOUNCE_LEADING, ONE);
    sooner->trigger.delay_ms = sooner->trigger.debounce.delay_ms = SECONDS(1);
    cr_assert(commit());

    cr_assert_eq(left(run), SECONDS(5));
}

Test(debounce, it_goes_on_over_a_restart)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    bench_restart(true);
    advance(SECONDS(2));

    cr_assert_eq(bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id, run);
    cr_assert_eq(left(run), SECONDS(5));
}

Test(debounce, what_has_started_or_was_canceled_is_left_alone)
{
    int64_t run = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    cancel(run);

    int64_t next = bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id;
    cr_assert_neq(next, run);
    advance(SECONDS(5));
    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
    end_fail(next, true); /* its retry waits, too, but that is another thing */
    cr_assert_neq(bounce("k", DEBOUNCE_LEADING, ONE)->trigger.run_id, next);
}

Test(debounce, what_was_canceled_is_left_alone_while_its_hook_is_tried_again)
{
    bench.tasks[0].hooks = HOOK_ON_CANCEL;
    bench.tasks[0].retry_min_ms = bench.tasks[0].retry_max_ms = SECONDS(1);
    bench_catalog();
    int64_t run = bounce("k", DEBOUNCE_TRAILING, ONE)->trigger.run_id;
    cancel(run);
    lose(run, LOSS_CRASHED);

    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    cr_assert_neq(bounce("k", DEBOUNCE_TRAILING, TWO)->trigger.run_id, run);
    cr_assert(slice_equal(run_of(run)->input, SLICE(ONE)));
}

Test(debounce, two_in_one_batch_are_one_run)
{
    struct command *one = add_bounce("k", DEBOUNCE_LEADING, ONE);
    struct command *two = add_bounce("k", DEBOUNCE_TRAILING, TWO);
    cr_assert(commit());

    cr_assert_eq(one->trigger.run_id, two->trigger.run_id);
    cr_assert(slice_equal(run_of(one->trigger.run_id)->input, SLICE(TWO)));
}
