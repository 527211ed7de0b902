/* Ends of attempts: done, failed, lost, released; and what is tried again, where and when. */
#include "bench.h"

TestSuite(done, .init = bench_open, .fini = bench_close);
TestSuite(fence, .init = bench_open, .fini = bench_close);
TestSuite(retry, .init = bench_open, .fini = bench_close);
TestSuite(lost, .init = bench_open, .fini = bench_close);
TestSuite(once, .init = bench_open, .fini = bench_close);

#define STATUS(run)  (run_of(run)->status)
#define OUTCOME(run) (run_of(run)->outcome)

/* ---- done ---------------------------------------------------------------------------------
 */

Test(done, a_run_that_is_done_keeps_its_output_and_drops_its_state)
{
    int64_t run = start("t");
    wait_time(run, bench.now_ms);

    end_done(run);

    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_eq(OUTCOME(run), OUTCOME_COMPLETED);
    cr_assert(slice_is(run_of(run)->output, "\x07"));
    cr_assert_eq(run_of(run)->state.size, 0);
    cr_assert_eq(run_of(run)->wait.size, 0);
    cr_assert_eq(run_of(run)->finished_ms, bench.now_ms);
    cr_assert_eq(run_of(run)->busy_us, 1000);
    cr_assert(has_event(run, RUN_DONE));
}

Test(done, an_output_that_does_not_match_its_schema_fails_the_run)
{
    bench.tasks[0].schema = bench_schema("output:\n"
                                         "  type: object\n"
                                         "  properties:\n"
                                         "    total: {type: integer}\n"
                                         "    currency: {type: string, default: EUR}\n");
    bench_catalog();
    int64_t bad = start("t"), good = start("t"), broken = start("t"), none = start("t");
    add_end(bad, VERDICT_DONE)->segment_end.end->output = SLICE("\x81\xa5total\xa1x");
    add_end(good, VERDICT_DONE)->segment_end.end->output = SLICE("\x81\xa5total\x05");
    add_end(broken, VERDICT_DONE)->segment_end.end->output = SLICE("\xc1");
    add_end(none, VERDICT_DONE);
    commit();

    cr_assert_eq(OUTCOME(bad), OUTCOME_FAILED);
    cr_assert_str_eq(error_name(bad), "output_invalid");
    cr_assert_not_null(strstr(error_message(bad), "/total"), "%s", error_message(bad));
    cr_assert_null(strchr(error_message(bad), '\n'), "%s", error_message(bad));
    cr_assert_eq(OUTCOME(good), OUTCOME_COMPLETED);
    cr_assert(slice_is(run_of(good)->output, "\x82\xa5total\x05\xa8"
                                             "currency\xa3"
                                             "EUR"));
    cr_assert_str_eq(error_name(broken), "output_broken");
    cr_assert_str_eq(error_name(none), "output_invalid", "null is no object");
}

Test(done, a_run_that_got_there_in_the_end_has_no_error)
{
    int64_t run = start("t");
    end_fail(run, true);
    cr_assert_str_eq(error_name(run), "CARD_DECLINED");

    end_done(run);

    cr_assert_eq(OUTCOME(run), OUTCOME_COMPLETED);
    cr_assert_str_eq(error_name(run), "", "what was before is kept with the attempts");
}

/* ---- fences -------------------------------------------------------------------------------
 */

Test(fence, an_answer_for_a_run_that_has_moved_on_is_refused)
{
    int64_t run = start("t");
    struct command *late = add_end(run, VERDICT_DONE);
    late->segment_end.seq--;
    commit();
    cr_assert_eq(late->err.code, ERR_RULE);
    cr_assert_eq(STATUS(run), RUN_RUNNING);

    lose(run, LOSS_CRASHED); /* the first attempt; the second is running now */
    struct command *first = add_end(run, VERDICT_DONE);
    first->segment_end.seq -= 2;
    commit();

    cr_assert_eq(first->err.code, ERR_RULE);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(fence, of_two_ends_in_one_batch_the_first_counts)
{
    int64_t run = start("t");
    add_end(run, VERDICT_DONE)->segment_end.end->output = SLICE("\x01");
    struct command *second = add_end(run, VERDICT_FAIL);
    commit();

    cr_assert_eq(OUTCOME(run), OUTCOME_COMPLETED);
    cr_assert_eq(second->err.code, ERR_RULE);
}

Test(fence, everything_that_a_stale_slot_says_is_refused)
{
    int64_t run = start("t");
    end_done(run);
    struct run before = *run_of(run);
    uint32_t seq = segment(run)->seq;
    static struct frame_note note = { .kind = NOTE_PROGRESS, .level = 50 };
    struct command *stale[5] = { add(COMMAND_ATTEMPT_LOST), add(COMMAND_RELEASE),
                                 add(COMMAND_ONCE), add(COMMAND_NOTES), add(COMMAND_RUN_READ) };
    stale[0]->segment_end = stale[1]->segment_end =
        (struct segment_end){ .run_id = run, .seq = seq };
    stale[2]->once = (struct once){ .run_id = run, .seq = seq, .name = SLICE("x") };
    stale[3]->notes =
        (struct notes){ .run_id = run, .seq = seq, .notes = &note, .note_count = 1 };
    stale[4]->run_read = (struct run_read){ .run_id = run, .seq = seq, .target = run };
    commit();

    for (int i = 0; i < 5; i++)
        cr_assert_eq(stale[i]->err.code, ERR_RULE, "%d", i);
    cr_assert_eq(run_of(run)->seq, before.seq);
    cr_assert_eq(run_of(run)->progress, before.progress);
    cr_assert_eq(run_of(run)->once.size, 0);
}

Test(fence, an_answer_for_a_run_that_never_was_is_refused)
{
    int64_t run = start("t");
    struct command *command = add_end(run, VERDICT_DONE);
    command->segment_end.run_id = 12345;
    commit();

    cr_assert_eq(command->err.code, ERR_RULE);
}

/* ---- fail ---------------------------------------------------------------------------------
 */

Test(retry, a_failure_that_may_be_tried_again_is_until_the_attempts_are_used_up)
{
    int64_t run = start("t");

    end_fail(run, true);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->attempt, 2);
    end_fail(run, true);
    cr_assert_eq(segment(run)->attempt, 3);
    end_fail(run, true);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
    cr_assert_eq(run_of(run)->attempt, 3);
    cr_assert_str_eq(error_name(run), "CARD_DECLINED");
    cr_assert_str_eq(error_message(run), "no money");
}

Test(retry, a_failure_that_may_not_be_tried_again_ends_the_run)
{
    int64_t run = start("t");

    end_fail(run, false);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
    cr_assert_eq(run_of(run)->attempt, 1);
}

Test(retry, the_trigger_may_set_the_number_of_attempts)
{
    struct trigger *options = &add_trigger("t")->trigger;
    options->max_attempts = 1;
    commit();
    int64_t run = options->run_id;

    end_fail(run, true);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
}

Test(retry, a_pause_between_attempts_grows_up_to_its_limit)
{
    bench.tasks[0].retry_min_ms = 1000;
    bench.tasks[0].retry_max_ms = 3000;
    bench.tasks[0].retry_factor = 2;
    bench.tasks[0].max_attempts = 100;
    bench_catalog();
    int64_t run = start("t"), most[6] = { 0 };

    for (int round = 0; round < 12; round++) {
        /* Full jitter: anything from nothing to the cap of 1000, 2000, 3000, 3000, … */
        int64_t cap = round == 0 ? 1000 : round == 1 ? 2000 : 3000;
        end_fail(run, true);
        if (STATUS(run) == RUN_DELAYED) {
            int64_t delay = run_of(run)->due_ms - bench.now_ms;
            cr_assert(delay > 0 && delay <= cap, "%lld of %lld", (long long)delay,
                      (long long)cap);
            if (round < 6)
                most[round] = delay;
            advance(delay - 1);
            cr_assert_eq(STATUS(run), RUN_DELAYED);
            advance(1);
        }
        cr_assert_eq(STATUS(run), RUN_RUNNING);
    }

    bool differ = false;
    for (int i = 1; i < 6; i++)
        differ |= most[i] != most[i - 1];
    cr_assert(differ, "a crowd that failed together must not come back together");
}

Test(retry, a_factor_that_overflows_stays_at_the_limit)
{
    bench.tasks[0].retry_min_ms = 1000;
    bench.tasks[0].retry_max_ms = 2000;
    bench.tasks[0].retry_factor = 1e300;
    bench.tasks[0].max_attempts = 10;
    bench_catalog();
    int64_t run = start("t");

    for (int round = 0; round < 9; round++) {
        end_fail(run, true);
        cr_assert_leq(run_of(run)->due_ms, bench.now_ms + 2000);
        advance(2000);
    }

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(retry, a_retry_goes_on_from_the_last_wait)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    complete(token, "\x05");
    int64_t block = segment(run)->id_block;

    end_fail(run, true);

    cr_assert_eq(segment(run)->attempt, 2);
    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert(slice_is(segment(run)->state, "\x81\xa1n\x05"));
    cr_assert_eq(segment(run)->entry, 1);
    cr_assert_eq(segment(run)->id_block, block, "the same calls find the same tokens");
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"), "and the wait its result");
}

Test(retry, a_retry_from_the_start_begins_afresh)
{
    bench.tasks[0].retry_from = RETRY_FROM_START;
    bench_catalog();
    int64_t run = start("t"), token = make_token(run, 1, 0);
    int64_t first_block = segment(run)->id_block;
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    complete(token, "\x05");

    end_fail(run, true);

    cr_assert_eq(segment(run)->attempt, 2);
    cr_assert(slice_is(segment(run)->segment, "start"));
    cr_assert_eq(segment(run)->state.size, 0);
    cr_assert_eq(segment(run)->result_count, 0);
    cr_assert_eq(run_of(run)->state.size, 0);
    cr_assert_neq(segment(run)->id_block, first_block);
    cr_assert_gt(segment(run)->entry, 1);
}

Test(retry, a_retry_keeps_its_rank)
{
    int64_t run = start("t"), rank = run_of(run)->rank_ms;
    bench.now_ms += 5000;

    end_fail(run, true);

    cr_assert_eq(run_of(run)->rank_ms, rank);
}

/* ---- lost ---------------------------------------------------------------------------------
 */

Test(lost, a_crash_costs_an_attempt_and_is_recorded)
{
    int64_t run = start("t");

    lose(run, LOSS_CRASHED);
    cr_assert_eq(segment(run)->attempt, 2);
    cr_assert_str_eq(error_name(run), "SIGSEGV");
    lose(run, LOSS_EXITED);
    lose(run, LOSS_PROTOCOL);

    cr_assert_eq(OUTCOME(run), OUTCOME_CRASHED);
    cr_assert_str_eq(error_message(run), "it crashed");
    cr_assert_eq(run_of(run)->busy_us, 1500);
}

Test(lost, a_run_that_takes_too_long_ends_as_timed_out)
{
    bench.tasks[0].max_attempts = 1;
    bench_catalog();
    int64_t run = start("t");

    lose(run, LOSS_TIMED_OUT);

    cr_assert_eq(OUTCOME(run), OUTCOME_TIMED_OUT);
}

Test(lost, a_released_run_goes_back_without_losing_an_attempt)
{
    int64_t run = start("t"), block = segment(run)->id_block;

    release(run);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->attempt, 1);
    cr_assert_eq(segment(run)->id_block, block);
    cr_assert_gt(segment(run)->seq, 2, "but under a new fence");
    for (int i = 0; i < 10; i++)
        release(run);
    cr_assert_eq(segment(run)->attempt, 1);
}

Test(lost, a_restart_costs_no_attempt_and_keeps_the_place_in_the_queue)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t running = start("t"), queued = trigger("t");
    uint32_t seq = segment(running)->seq;

    bench_restart(true);

    cr_assert_eq(STATUS(running), RUN_RUNNING);
    cr_assert_eq(STATUS(queued), RUN_QUEUED);
    cr_assert_eq(segment(running)->attempt, 1);
    cr_assert_gt(segment(running)->seq, seq);
}

Test(lost, what_a_worker_of_before_the_restart_says_is_refused)
{
    int64_t run = start("t");
    uint32_t seq = segment(run)->seq;
    bench_restart(true);

    struct command *command = add_end(run, VERDICT_DONE);
    command->segment_end.seq = seq;
    commit();

    cr_assert_eq(command->err.code, ERR_RULE);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

/* ---- once ---------------------------------------------------------------------------------
 */

static struct command *record(int64_t run, const char *name, const char *value)
{
    struct command *command = add(COMMAND_ONCE);

    command->once = (struct once){ .run_id = run,
                                   .seq = segment(run)->seq,
                                   .name = slice_of(name),
                                   .value = slice_of(value) };
    cr_assert(commit());
    return command;
}

Test(once, a_recorded_result_is_there_when_the_segment_runs_again)
{
    int64_t run = start("t");
    cr_assert_eq(segment(run)->once_count, 0);
    record(run, "charge", "\xa4paid");
    record(run, "mail", "\xc3");

    lose(run, LOSS_CRASHED);

    cr_assert_eq(segment(run)->once_count, 2);
    cr_assert(slice_is(segment(run)->once[0].name, "charge"));
    cr_assert(slice_is(segment(run)->once[0].value, "\xa4paid"));
    cr_assert(slice_is(segment(run)->once[1].name, "mail"));
}

Test(once, a_recorded_result_survives_a_restart_and_a_release)
{
    int64_t run = start("t");
    record(run, "charge", "\xa4paid");

    release(run);
    bench_restart(true);

    cr_assert_eq(segment(run)->once_count, 1);
}

Test(once, results_belong_to_one_entry)
{
    int64_t run = start("t");
    record(run, "charge", "\xa4paid");

    wait_time(run, bench.now_ms);

    cr_assert_eq(segment(run)->once_count, 0);
    cr_assert_eq(record(run, "charge", "\xa4paid")->err.code, ERR_OK);
}

Test(once, a_name_is_recorded_once)
{
    int64_t run = start("t");
    record(run, "charge", "\x01");

    struct command *again = record(run, "charge", "\x02");

    cr_assert_eq(again->err.code, ERR_RULE);
    lose(run, LOSS_CRASHED);
    cr_assert(slice_is(segment(run)->once[0].value, "\x01"));
}

Test(once, all_results_together_are_bounded)
{
    bench.limits.state_bytes = 30;
    bench_catalog();
    int64_t run = start("t");
    cr_assert_eq(record(run, "a",
                        "\xaa"
                        "0123456789")
                     ->err.code,
                 ERR_OK);

    cr_assert_eq(record(run, "b",
                        "\xaa"
                        "0123456789")
                     ->err.code,
                 ERR_TOO_LARGE);

    lose(run, LOSS_CRASHED);
    cr_assert_eq(segment(run)->once_count, 1);
}
