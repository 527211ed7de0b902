/* Times of every magnitude and sign: 0 is none, the past is over, what is too far never comes.
 */
#include "base/duration.h"
#include "bench.h"

TestSuite(moments, .init = bench_open, .fini = bench_close);

static const int64_t over[] = { INT64_MIN, INT64_MIN + 1, -1000000000000000000, -1 };
static const int64_t far[] = { INT64_MAX, INT64_MAX - 1, 1000000000000000000 };

enum { OVER = sizeof over / sizeof over[0], FAR = sizeof far / sizeof far[0] };

static int64_t token_within(int64_t timeout_ms)
{
    struct command *command = add_token(0, 0);

    command->token_create.timeout_ms = timeout_ms;
    cr_assert(commit());
    return command->token_create.token_id;
}

static int64_t run_after(int64_t delay_ms, int64_t due_ms)
{
    struct command *command = add_trigger("t");

    command->trigger.delay_ms = delay_ms;
    command->trigger.due_ms = due_ms;
    cr_assert(commit());
    return command->trigger.run_id;
}

Test(moments, a_token_with_a_negative_timeout_or_date_is_timed_out_at_once)
{
    for (int i = 0; i < OVER; i++) {
        cr_assert_eq(token_of(token_within(over[i]))->status, WAITPOINT_TIMED_OUT);
        cr_assert_eq(token_of(make_token(0, 0, over[i]))->status, WAITPOINT_TIMED_OUT);
    }
}

Test(moments, a_token_that_is_to_last_too_long_lasts)
{
    for (int i = 0; i < FAR; i++) {
        const struct waitpoint *token = token_of(token_within(far[i]));
        cr_assert_eq(token->status, WAITPOINT_PENDING);
        cr_assert_gt(token->due_ms, TIME_MAX_MS);
        cr_assert_eq(token_of(make_token(0, 0, far[i]))->due_ms, far[i], "kept as it is");
    }
    cr_assert_eq(token_of(token_within(0))->due_ms, 0);
}

Test(moments, a_negative_delay_is_none_and_a_long_one_is_kept)
{
    for (int i = 0; i < OVER; i++) {
        cr_assert_eq(run_of(run_after(over[i], 0))->status, RUN_RUNNING);
        cr_assert_eq(run_of(run_after(0, over[i]))->status, RUN_RUNNING);
    }
    for (int i = 0; i < FAR; i++) {
        cr_assert_eq(run_of(run_after(far[i], 0))->status, RUN_DELAYED);
        const struct run *run = run_of(run_after(0, far[i]));
        cr_assert_eq(run->status, RUN_DELAYED);
        cr_assert_eq(run->due_ms, far[i], "kept as it is");
    }
    const struct run *run = run_of(run_after(0, TIME_MAX_MS));
    cr_assert_eq(run->due_ms, TIME_MAX_MS, "a date is not moved");
}

Test(moments, a_negative_ttl_is_over_before_the_run_can_start)
{
    for (int i = 0; i < OVER; i++) {
        struct command *command = add_trigger("t");
        command->trigger.ttl_ms = over[i];
        command->trigger.key = SLICE("k");
        cr_assert(commit());
        cr_assert_eq(run_of(command->trigger.run_id)->outcome, OUTCOME_EXPIRED);

        command = add_trigger("t"); /* after a delay it is the same */
        command->trigger.ttl_ms = over[i];
        command->trigger.delay_ms = 10;
        cr_assert(commit());
        int64_t id = command->trigger.run_id;
        cr_assert_eq(run_of(id)->status, RUN_DELAYED);
        advance(10);
        cr_assert_eq(run_of(id)->outcome, OUTCOME_EXPIRED);
        cr_assert_eq(run_of(id)->started_ms, 0);
    }
    struct command *command = add_trigger("t");
    command->trigger.ttl_ms = INT64_MAX;
    cr_assert(commit());
    cr_assert_eq(run_of(command->trigger.run_id)->status, RUN_RUNNING);
}

Test(moments, a_key_with_a_negative_ttl_is_over_at_once)
{
    int64_t ids[2];

    for (int i = 0; i < 2; i++) {
        struct command *command = add_trigger("t");
        command->trigger.key = SLICE("k");
        command->trigger.key_ttl_ms = -5;
        cr_assert(commit());
        ids[i] = command->trigger.run_id;
    }
    cr_assert_neq(ids[0], ids[1]);
}

Test(moments, a_wait_of_a_negative_time_goes_on_and_one_that_is_too_long_stays)
{
    for (int i = 0; i < OVER * 2; i++) {
        int64_t run = start("t");
        struct frame_end *end = add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end;
        end->span_ms = i % 2 == 0 ? over[i / 2] : 0;
        end->due_ms = i % 2 == 0 ? 0 : over[i / 2];
        cr_assert(commit());
        cr_assert_eq(run_of(run)->status, RUN_RUNNING);
        cr_assert_eq(run_of(run)->entry, 1);
    }
    for (int i = 0; i < FAR * 2; i++) {
        int64_t run = start("t");
        struct frame_end *end = add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end;
        end->span_ms = i % 2 == 0 ? far[i / 2] : 0;
        end->due_ms = i % 2 == 0 ? 0 : far[i / 2];
        cr_assert(commit());
        advance(INT64_C(40000) * DAYS(1));
        cr_assert_eq(run_of(run)->status, RUN_WAITING);
        cr_assert_gt(run_of(run)->due_ms, TIME_MAX_MS);
    }
}

Test(moments, a_wait_for_a_token_gives_up_at_once_when_its_limit_is_over)
{
    for (int i = 0; i < OVER * 2; i++) {
        int64_t run = start("t");
        int64_t token = make_token(run, 1, 0);
        struct frame_end *end = add_wait(run, WAIT_FOR_TOKEN, &token, 1)->segment_end.end;
        end->span_ms = i % 2 == 0 ? over[i / 2] : 0;
        end->due_ms = i % 2 == 0 ? 0 : over[i / 2];
        cr_assert(commit());
        advance(0);
        cr_assert_eq(run_of(run)->status, RUN_RUNNING);
        cr_assert_eq(segment(run)->results[1].status, WAIT_TIMEOUT);
        cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING, "it lives on");
    }
}

Test(moments, a_head_start_of_any_size_is_a_rank)
{
    static const int64_t head_starts[] = { INT64_MAX, 5, 0, -5, INT64_MIN };
    bench.slots = 0;
    bench_catalog();
    int64_t last = INT64_MIN;

    for (int i = 0; i < 5; i++) {
        struct command *command = add_trigger("t");
        command->trigger.priority_ms = head_starts[i];
        cr_assert(commit());
        cr_assert_gt(run_of(command->trigger.run_id)->rank_ms, last);
        last = run_of(command->trigger.run_id)->rank_ms;
    }
}

Test(moments, the_time_of_an_attempt_is_kept_as_it_is)
{
    static const int64_t limits[] = { 1, 5000, (int64_t)UINT32_MAX + 5, INT64_MAX };

    for (int i = 0; i < 4; i++) {
        struct command *command = add_trigger("t");
        command->trigger.limit_ms = limits[i];
        cr_assert(commit());
        cr_assert_eq(segment(command->trigger.run_id)->limit_ms, limits[i]);
    }
    struct command *command = add_trigger("t");
    command->trigger.limit_ms = -7;
    cr_assert(commit());
    cr_assert_eq(segment(command->trigger.run_id)->limit_ms, 1, "over as good as at once");
}

/* ---- the clock is set -----------------------------------------------------------------------
 */

static void clock_set(int64_t step_ms)
{
    bench.now_ms += step_ms;
    if (step_ms < 0)
        bench.lag_ms -= step_ms;
    else
        bench.lag_ms = bench.lag_ms < step_ms ? 0 : bench.lag_ms - step_ms;
    advance(0);
}

Test(moments, a_time_that_began_before_the_clock_was_set_back_is_no_longer_for_it)
{
    int64_t token = token_within(SECONDS(3)), delayed = run_after(SECONDS(3), 0);
    int64_t run = start("t");
    add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end->span_ms = SECONDS(3);
    cr_assert(commit());

    clock_set(-MINUTES(60));
    advance(SECONDS(3) - 1);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    cr_assert_eq(run_of(delayed)->status, RUN_DELAYED);
    cr_assert_eq(run_of(run)->status, RUN_WAITING);
    advance(1);

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_eq(run_of(delayed)->status, RUN_RUNNING);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
}

Test(moments, a_date_stays_a_date_when_the_clock_is_set_back)
{
    int64_t due_ms = bench.now_ms + SECONDS(3);
    int64_t token = make_token(0, 0, due_ms), delayed = run_after(0, due_ms);

    clock_set(-MINUTES(60));
    advance(MINUTES(60));
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    cr_assert_eq(run_of(delayed)->status, RUN_DELAYED);
    advance(SECONDS(3));

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_eq(run_of(delayed)->status, RUN_RUNNING);
}

Test(moments, what_is_due_goes_off_when_the_clock_is_set_forward)
{
    int64_t token = token_within(MINUTES(30)),
            date = make_token(0, 0, bench.now_ms + MINUTES(30));

    clock_set(MINUTES(60));

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_eq(token_of(date)->status, WAITPOINT_TIMED_OUT);
}

Test(moments, back_and_forth_is_as_if_nothing_had_been)
{
    int64_t token = token_within(MINUTES(30));

    clock_set(-MINUTES(60));
    clock_set(MINUTES(60));
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    advance(MINUTES(30) - 1);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    advance(1);

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
}

Test(moments, who_was_queued_before_the_clock_was_set_back_stands_first)
{
    bench.slots = 0;
    bench_catalog();
    int64_t first = trigger("t");
    clock_set(-MINUTES(60));
    int64_t second = trigger("t");

    cr_assert_lt(run_of(first)->rank_ms, run_of(second)->rank_ms + 1);
}

Test(moments, a_key_lasts_its_time_whatever_the_clock_does)
{
    int64_t ids[3];

    for (int i = 0; i < 3; i++) {
        struct command *command = add_trigger("t");
        command->trigger.key = SLICE("k");
        command->trigger.key_ttl_ms = SECONDS(10);
        cr_assert(commit());
        ids[i] = command->trigger.run_id;
        if (i == 0)
            clock_set(-MINUTES(60));
        advance(i == 0 ? SECONDS(9) : SECONDS(2));
    }
    cr_assert_eq(ids[0], ids[1]);
    cr_assert_neq(ids[0], ids[2]);
}

/* What an older version or a fault has left in the rows. */
Test(moments, a_timer_in_a_row_that_is_in_no_state_to_have_one_is_put_aside_and_shown)
{
    int64_t run = start("t");
    union {
        const struct run *lent;
        struct run *own;
    } row = { .lent = run_of(run) };
    row.own->due_ms = -1;
    int64_t other = run_after(SECONDS(1), 0);

    advance(SECONDS(1));

    cr_assert_eq(run_of(run)->due_ms, 0);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_not_null(strstr(last_move(run), "put aside"));
    cr_assert_eq(run_of(other)->status, RUN_RUNNING, "it is in nobody's way");
}
