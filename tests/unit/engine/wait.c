/* Waits: why a run is asleep, and exactly what wakes it. */
#include "engine/waits/wait.h"

#include "bench.h"
#include "codec/pack.h"

TestSuite(wait, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

/* ---- time ---------------------------------------------------------------------------------
 */

Test(wait, a_run_that_waits_for_a_time_sleeps_until_it_and_goes_on_in_the_next_segment)
{
    int64_t run = start("t");

    wait_time(run, bench.now_ms + DAYS(3));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    advance(DAYS(3) - 1);
    cr_assert_eq(STATUS(run), RUN_WAITING);
    advance(1);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert(slice_is(segment(run)->state, "\x81\xa1n\x05"));
    cr_assert_eq(segment(run)->entry, 1);
    cr_assert_eq(segment(run)->attempt, 1);
    cr_assert_eq(segment(run)->result_count, 1);
    cr_assert_eq(segment(run)->results[0].status, WAIT_OK);
    cr_assert_eq(segment(run)->results[0].id, 0);
}

Test(wait, a_time_in_the_past_is_no_wait)
{
    int64_t run = start("t");

    wait_time(run, bench.now_ms);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "next"));
}

Test(wait, each_entry_has_ids_of_its_own)
{
    int64_t run = start("t");
    int64_t first = segment(run)->id_block;

    wait_time(run, bench.now_ms);

    cr_assert_neq(segment(run)->id_block, first);
    cr_assert_eq(segment(run)->id_block % ID_BLOCK, 0);
}

/* ---- tokens -------------------------------------------------------------------------------
 */

Test(wait, a_token_wakes_its_run_with_the_data)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    cr_assert_eq(STATUS(run), RUN_WAITING);
    cr_assert(store_memory_has_edge(bench.store, token, run));

    complete(token, "\xa2ok");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->result_count, 1);
    cr_assert_eq(segment(run)->results[0].id, token);
    cr_assert_eq(segment(run)->results[0].status, WAIT_OK);
    cr_assert(slice_is(segment(run)->results[0].value, "\xa2ok"));
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

Test(wait, a_token_that_times_out_wakes_its_run_with_the_news)
{
    int64_t run = start("t"), token = make_token(run, 1, bench.now_ms + MINUTES(10));
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    advance(MINUTES(10));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->results[0].status, WAIT_TIMEOUT);
    cr_assert_eq(segment(run)->results[0].value.size, 0);
}

Test(wait, a_token_that_was_completed_before_the_wait_is_no_wait)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    complete(token, "\x05");

    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

Test(wait, a_token_that_timed_out_before_the_wait_is_no_wait)
{
    int64_t run = start("t"), token = make_token(run, 1, bench.now_ms + 10);
    advance(10);

    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    cr_assert_eq(segment(run)->results[0].status, WAIT_TIMEOUT);
}

Test(wait, a_token_whose_time_has_come_unseen_times_out_at_the_wait)
{
    int64_t run = start("t"), token = make_token(run, 1, bench.now_ms + 10);
    bench.look_for_due = false;
    bench.now_ms += 10;

    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    cr_assert_eq(segment(run)->results[0].status, WAIT_TIMEOUT);
    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
}

Test(wait, a_completion_and_the_wait_may_share_a_batch_in_either_order)
{
    for (int order = 0; order < 2; order++) {
        int64_t run = start("t"), token = make_token(run, 1, 0);
        for (int i = 0; i < 2; i++)
            if (i == order)
                add_wait(run, WAIT_FOR_TOKEN, &token, 1);
            else
                add(COMMAND_TOKEN_COMPLETE)->token_complete =
                    (struct token_complete){ .id = token, .data = SLICE("\x05") };

        commit();

        cr_assert_eq(STATUS(run), RUN_RUNNING);
        cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
        cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    }
}

Test(wait, one_token_wakes_everybody_who_waits_for_it)
{
    int64_t a = start("t"), b = start("t"), c = start("u"), token = make_token(0, 0, 0);
    wait_for(a, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    wait_for(b, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    wait_for(c, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    complete(token, "\x05");

    cr_assert(STATUS(a) == RUN_RUNNING && STATUS(b) == RUN_RUNNING && STATUS(c) == RUN_RUNNING);
}

/* ---- all, any, n of m ---------------------------------------------------------------------
 */

static int64_t tokens[4];

static int64_t run_with_tokens(uint32_t count, uint32_t needed, int64_t due_ms)
{
    int64_t run = start("t");

    for (uint32_t i = 0; i < count; i++)
        tokens[i] = make_token(run, 1 + i, 0);
    wait_for(run, WAIT_FOR_TOKEN, tokens, count, needed, due_ms);
    return run;
}

Test(wait, all_means_the_last_one_wakes)
{
    int64_t run = run_with_tokens(3, 0, 0);

    complete(tokens[2], "\x02");
    complete(tokens[0], "\x00\x00");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    complete(tokens[1], "\x01");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->result_count, 3);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(segment(run)->results[i].id, tokens[i], "in the order they were named");
}

Test(wait, any_means_the_first_one_wakes_and_the_others_let_go)
{
    int64_t run = run_with_tokens(3, 1, 0);

    complete(tokens[1], "\x05");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->results[0].status, WAIT_NONE);
    cr_assert_eq(segment(run)->results[1].status, WAIT_OK);
    cr_assert_eq(segment(run)->results[2].status, WAIT_NONE);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    wait_time(run, bench.now_ms + DAYS(1));
    complete(tokens[0], "\x05");
    cr_assert_eq(STATUS(run), RUN_WAITING, "a token of an earlier wait does not wake it");
}

Test(wait, two_of_three_means_the_second_one_wakes)
{
    int64_t run = run_with_tokens(3, 2, 0);

    complete(tokens[0], "\x05");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    time_out(tokens[2]);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->results[2].status, WAIT_TIMEOUT);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

Test(wait, what_ended_before_the_wait_counts)
{
    int64_t run = start("t");
    for (uint32_t i = 0; i < 3; i++)
        tokens[i] = make_token(run, 1 + i, 0);
    complete(tokens[0], "\x05");

    wait_for(run, WAIT_FOR_TOKEN, tokens, 3, 2, 0);
    cr_assert_eq(STATUS(run), RUN_WAITING);
    complete(tokens[2], "\x05");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

Test(wait, several_that_end_in_one_batch_wake_once)
{
    int64_t run = run_with_tokens(3, 2, 0);
    for (int i = 0; i < 3; i++)
        add(COMMAND_TOKEN_COMPLETE)->token_complete =
            (struct token_complete){ .id = tokens[i], .data = SLICE("\x05") };
    commit();

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(bench.assignments, 1);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(segment(run)->results[i].status, WAIT_OK);
}

Test(wait, more_than_there_are_means_all)
{
    int64_t run = run_with_tokens(2, 99, 0);

    complete(tokens[0], "\x05");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    complete(tokens[1], "\x05");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(wait, the_same_token_twice_is_one_token)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    int64_t twice[] = { token, token };
    wait_for(run, WAIT_FOR_TOKEN, twice, 2, 0, 0);

    complete(token, "\x05");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->result_count, 1);
}

Test(wait, all_of_nothing_is_no_wait)
{
    int64_t run = start("t");

    wait_for(run, WAIT_FOR_TOKEN, NULL, 0, 0, 0);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->result_count, 0);
}

/* ---- giving up ----------------------------------------------------------------------------
 */

Test(wait, a_wait_that_gives_up_says_so_and_leaves_the_token_open)
{
    int64_t run = run_with_tokens(2, 0, bench.now_ms + MINUTES(1));
    complete(tokens[0], "\x05");

    advance(MINUTES(1));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->result_count, 3);
    cr_assert_eq(segment(run)->results[0].status, WAIT_OK);
    cr_assert_eq(segment(run)->results[1].status, WAIT_NONE);
    cr_assert_eq(segment(run)->results[2].id, 0);
    cr_assert_eq(segment(run)->results[2].status, WAIT_TIMEOUT);
    cr_assert_eq(token_of(tokens[1])->status, WAITPOINT_PENDING);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    cr_assert(complete(tokens[1], "\x05")->token_complete.won);
}

Test(wait, a_wait_that_ends_in_time_does_not_give_up_later)
{
    int64_t run = run_with_tokens(1, 0, bench.now_ms + MINUTES(1));

    complete(tokens[0], "\x05");
    cr_assert_eq(segment(run)->result_count, 1);
    uint32_t seq = run_of(run)->seq;
    advance(MINUTES(1));

    cr_assert_eq(run_of(run)->seq, seq);
    cr_assert_eq(run_of(run)->due_ms, 0);
}

Test(wait, giving_up_in_the_past_gives_up_at_once)
{
    int64_t run = run_with_tokens(1, 0, bench.now_ms - 1);

    advance(0);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->results[1].status, WAIT_TIMEOUT);
}

/* ---- the packed form ----------------------------------------------------------------------
 */

Test(wait, the_packed_form_comes_back_whole)
{
    int64_t ids[] = { 1, INT64_MAX, 3 };
    struct wait wait = { .kind = WAIT_FOR_RUNS,
                         .needed = 2,
                         .due_ms = 12345,
                         .ids = ids,
                         .count = 3,
                         .gave_up = true };
    struct wait back;

    cr_assert(wait_read(bench_arena(), wait_pack(bench_arena(), &wait), &back));
    cr_assert(back.kind == wait.kind && back.needed == 2 && back.due_ms == 12345 &&
              back.count == 3 && back.gave_up);
    cr_assert(wait_has(bench_arena(), &back, INT64_MAX));
    cr_assert_not(wait_has(bench_arena(), &back, 2));
}

Test(wait, damaged_bytes_are_no_wait)
{
    struct wait wait;

    cr_assert_not(wait_read(bench_arena(), (struct slice){ 0 }, &wait));
    cr_assert_not(wait_read(bench_arena(), SLICE("\x80"), &wait));
    cr_assert_not(wait_read(bench_arena(), SLICE("\x93\x01\x01\x01"), &wait));
    cr_assert_not(wait_read(bench_arena(), SLICE("\xc1"), &wait));
}

/* ---- more than a frame carries ------------------------------------------------------------
 */

/* All results together are too large to go along: the rest is fetched, one by one. */
Test(wait, data_that_does_not_fit_the_frame_is_fetched_by_its_token)
{
    enum { COUNT = 6, SIZE = 3 << 20 };
    bench.limits.token_bytes = SIZE + 10;
    bench_catalog();
    int64_t run = start("t"), ids[COUNT];
    struct buffer packed = { 0 };
    char *bytes = memset(arena_alloc(bench_arena(), SIZE), 'x', SIZE);
    pack_string(&packed, (struct slice){ bytes, SIZE });
    for (uint32_t i = 0; i < COUNT; i++) {
        ids[i] = make_token(run, 1 + i, 0);
        struct command *command = add(COMMAND_TOKEN_COMPLETE);
        command->token_complete =
            (struct token_complete){ .id = ids[i], .data = buffer_view(&packed) };
        cr_assert(commit());
    }
    wait_for(run, WAIT_FOR_TOKEN, ids, COUNT, 0, 0);
    const struct frame_segment *frame = segment(run);

    cr_assert_eq(frame->results[0].value.size, packed.size);
    cr_assert(frame->results[COUNT - 1].has_more);
    cr_assert_eq(frame->results[COUNT - 1].value.size, 0);
    struct command *command = add(COMMAND_RUN_READ);
    command->run_read =
        (struct run_read){ .run_id = run, .seq = frame->seq, .target = ids[COUNT - 1] };
    cr_assert(commit());
    const struct run *read = command->run_read.run;
    cr_assert_not_null(read);
    cr_assert(read->status == RUN_DONE && read->outcome == OUTCOME_COMPLETED);
    cr_assert(slice_equal(read->output, buffer_view(&packed)));
    buffer_finish(&packed);
}

Test(wait, a_token_is_fetched_only_when_it_is_completed_and_of_the_environment)
{
    int64_t run = start("t"), pending = make_token(run, 1, 0);
    struct command *prod = add_token(0, 0);
    prod->token_create.environment = PROD;
    cr_assert(commit());
    int64_t other = prod->token_create.token_id;
    add(COMMAND_TOKEN_COMPLETE)->token_complete =
        (struct token_complete){ .id = other, .data = SLICE("\x01") };
    cr_assert(commit());

    struct command *commands[2] = { add(COMMAND_RUN_READ), add(COMMAND_RUN_READ) };
    for (int i = 0; i < 2; i++)
        commands[i]->run_read = (struct run_read){ .run_id = run,
                                                   .seq = segment(run)->seq,
                                                   .target = i == 0 ? pending : other };
    cr_assert(commit());

    cr_assert_null(commands[0]->run_read.run);
    cr_assert_eq(commands[0]->run_read.status, WAIT_NONE, "it is open");
    cr_assert_null(commands[1]->run_read.run);
    cr_assert_eq(commands[1]->run_read.status, WAIT_CANCELLED, "there is none for us");
}

Test(wait, a_token_that_timed_out_says_so_when_it_is_asked_for)
{
    int64_t run = start("t"), token = make_token(run, 1, bench.now_ms + SECONDS(1));
    bench.now_ms += SECONDS(1); /* its timer has not been looked at */
    struct command *command = add(COMMAND_RUN_READ);
    command->run_read =
        (struct run_read){ .run_id = run, .seq = segment(run)->seq, .target = token };
    cr_assert(commit());

    cr_assert_eq(command->run_read.status, WAIT_TIMEOUT);
}
