/* Tokens: one-shot doors, opened from outside or shut by time. */
#include "bench.h"

TestSuite(token, .init = bench_open, .fini = bench_close);

Test(token, a_token_over_http_belongs_to_no_run)
{
    struct command *command = add_token(0, 0);
    command->token_create.tags = SLICE("\x91\xa1x");
    commit();

    const struct waitpoint *token = token_of(command->token_create.token_id);
    cr_assert_eq(token->status, WAITPOINT_PENDING);
    cr_assert_eq(token->run_id, 0);
    cr_assert_eq(token->environment, DEV);
    cr_assert_eq(token->created_ms, bench.now_ms);
    cr_assert(slice_is(token->tags, "\x91\xa1x"));
}

Test(token, a_token_of_a_segment_has_the_id_that_the_slot_can_derive)
{
    int64_t run = start("t");

    int64_t token = make_token(run, 5, 0);

    cr_assert_eq(token, segment(run)->id_block + 5);
    cr_assert_eq(token_of(token)->run_id, run);
    cr_assert(slice_is(token_of(token)->task, "t"));
}

Test(token, a_segment_that_runs_again_finds_the_same_token_with_its_answer)
{
    int64_t run = start("t");
    int64_t token = make_token(run, 1, 0);
    complete(token, "\x05");
    lose(run, LOSS_CRASHED);

    int64_t again = make_token(run, 1, bench.now_ms + 1000);

    cr_assert_eq(again, token);
    cr_assert_eq(token_of(token)->status, WAITPOINT_COMPLETED);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 1);
}

Test(token, a_segment_that_has_moved_on_cannot_make_tokens)
{
    int64_t run = start("t");
    struct command *command = add_token(run, 1);
    command->token_create.run_seq++;
    commit();

    cr_assert_eq(command->err.code, ERR_RULE);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 0);
}

Test(token, the_first_completion_wins_and_the_second_is_told)
{
    int64_t token = make_token(0, 0, 0);

    cr_assert(complete(token, "\x01")->token_complete.won);
    struct command *second = complete(token, "\x02");

    cr_assert_eq(second->err.code, ERR_OK);
    cr_assert_not(second->token_complete.won);
    cr_assert(slice_is(token_of(token)->result, "\x01"));
}

Test(token, two_completions_in_one_batch_have_one_winner)
{
    int64_t token = make_token(0, 0, 0);
    struct command *commands[3];
    for (int i = 0; i < 3; i++) {
        commands[i] = add(i == 1 ? COMMAND_TOKEN_TIMEOUT : COMMAND_TOKEN_COMPLETE);
        commands[i]->token_complete =
            (struct token_complete){ .environment = DEV, .id = token, .data = SLICE("\x01") };
    }
    commit();

    cr_assert(commands[0]->token_complete.won);
    cr_assert_not(commands[1]->token_complete.won);
    cr_assert_not(commands[2]->token_complete.won);
    cr_assert_eq(token_of(token)->status, WAITPOINT_COMPLETED);
}

/* The deadline is exclusive: an answer arriving exactly at ten minutes is late. */
Test(token, an_answer_at_the_deadline_is_refused)
{
    int64_t token = make_token(0, 0, bench.now_ms + MINUTES(10));
    bench.now_ms += MINUTES(10);

    struct command *command = complete(token, "\x01");

    cr_assert_not(command->token_complete.won);
    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_eq(token_of(token)->result.size, 0);
}

/* Also when the timer has not been looked at: the deadline is the token's, not the timer's. */
Test(token, an_answer_at_the_deadline_is_refused_before_the_timer_is_seen)
{
    int64_t token = make_token(0, 0, bench.now_ms + MINUTES(10));
    bench.now_ms += MINUTES(10);
    bench.look_for_due = false;

    cr_assert_not(complete(token, "\x01")->token_complete.won);
    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
}

Test(token, an_answer_just_before_the_deadline_wins)
{
    int64_t token = make_token(0, 0, bench.now_ms + MINUTES(10));
    bench.now_ms += MINUTES(10) - 1;

    cr_assert(complete(token, "\x01")->token_complete.won);
    advance(MINUTES(1));
    cr_assert_eq(token_of(token)->status, WAITPOINT_COMPLETED);
}

Test(token, time_alone_shuts_it)
{
    int64_t token = make_token(0, 0, bench.now_ms + MINUTES(10));

    advance(MINUTES(10) - 1);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    advance(1);

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_eq(token_of(token)->completed_ms, bench.now_ms);
    cr_assert_eq(token_of(token)->due_ms, 0);
    cr_assert_eq(token_of(token)->timeout_ms, bench.now_ms, "kept for show");
}

Test(token, a_timeout_in_the_past_means_timed_out_already)
{
    int64_t token = make_token(0, 0, bench.now_ms);

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_not(complete(token, "\x01")->token_complete.won);
}

Test(token, a_person_may_time_it_out)
{
    int64_t token = make_token(0, 0, 0);

    cr_assert(time_out(token)->token_complete.won);

    cr_assert_eq(token_of(token)->status, WAITPOINT_TIMED_OUT);
    cr_assert_not(time_out(token)->token_complete.won);
}

Test(token, another_environments_token_is_not_found)
{
    int64_t token = make_token(0, 0, 0);
    struct command *command = add(COMMAND_TOKEN_COMPLETE);
    command->token_complete = (struct token_complete){ .environment = PROD, .id = token };
    commit();

    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
}

Test(token, a_callback_needs_no_environment)
{
    int64_t token = make_token(0, 0, 0);
    struct command *command = add(COMMAND_TOKEN_COMPLETE);
    command->token_complete = (struct token_complete){ .id = token, .data = SLICE("\x80") };
    commit();

    cr_assert(command->token_complete.won);
}

Test(token, an_unknown_token_is_not_found)
{
    int64_t unknown = id_floor(bench.now_ms);

    cr_assert_eq(complete(unknown, "\x01")->err.code, ERR_NOT_FOUND);
    cr_assert_eq(time_out(unknown)->err.code, ERR_NOT_FOUND);
    cr_assert_eq(time_out(12345)->err.code, ERR_GONE, "as of long ago, it may have been there");
    cr_assert_eq(complete(start("t"), "\x01")->err.code, ERR_NOT_FOUND, "a run is no token");
}

Test(token, data_beyond_the_limit_is_refused_and_the_token_stays_open)
{
    bench.limits.token_bytes = 8;
    bench_catalog();
    int64_t token = make_token(0, 0, 0);

    struct command *command = complete(token, "\xa9too large");

    cr_assert_eq(command->err.code, ERR_TOO_LARGE);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    cr_assert(complete(token, "\x01")->token_complete.won);
}

/* ---- schemas ------------------------------------------------------------------------------
 */

static int64_t run_with_schema(int64_t *token)
{
    bench.tasks[0].schema = bench_schema("tokens:\n"
                                         "  decision:\n"
                                         "    type: object\n"
                                         "    required: [approved]\n"
                                         "    properties:\n"
                                         "      approved: {type: boolean}\n"
                                         "      by: {type: string, default: nobody}\n");
    bench_catalog();
    int64_t run = start("t");
    struct command *command = add_token(run, 1);
    command->token_create.schema = SLICE("decision");
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    *token = command->token_create.token_id;
    wait_for(run, WAIT_FOR_TOKEN, token, 1, 0, 0);
    return run;
}

Test(token, data_that_does_not_match_is_refused_and_the_run_keeps_waiting)
{
    int64_t token, run = run_with_schema(&token);

    struct command *command = complete(token, "\x81\xa8"
                                              "approved\xa3yes");

    cr_assert_eq(command->err.code, ERR_BAD_DATA);
    cr_assert_not(command->token_complete.won);
    cr_assert_eq(command->token_complete.problems.count, 1);
    cr_assert(slice_is(command->token_complete.problems.first->pointer, "/approved"));
    cr_assert_eq(run_of(run)->status, RUN_WAITING);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
}

Test(token, data_that_matches_gains_defaults_and_resumes_the_run)
{
    int64_t token, run = run_with_schema(&token);

    cr_assert(complete(token, "\x81\xa8"
                              "approved\xc3")
                  ->token_complete.won);

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert(slice_is(segment(run)->results[0].value, "\x82\xa8"
                                                       "approved\xc3\xa2"
                                                       "by\xa6nobody"));
}

Test(token, no_data_at_all_is_checked_as_null)
{
    int64_t token, run = run_with_schema(&token);

    struct command *command = complete(token, "");

    cr_assert_eq(command->err.code, ERR_BAD_DATA, "%s", command->err.text);
    cr_assert_eq(run_of(run)->status, RUN_WAITING);
}

/* Whatever becomes of the file: what cannot be checked is not taken, and the run keeps waiting.
 */
Test(token, data_is_refused_while_no_file_says_what_it_must_be)
{
    const char *const files[] = { NULL, "tokens: { other: {} }\n", "input: {}\n" };
    int64_t token, run = run_with_schema(&token);
    const struct schema_file *good = bench.tasks[0].schema;

    for (int i = 0; i < 4; i++) {
        if (i < 3)
            bench.tasks[0].schema = files[i] == NULL ? NULL : bench_schema(files[i]);
        else
            bench.tasks[0].id = SLICE("renamed"); /* no plugin offers it any more */
        bench_catalog();
        struct command *command = complete(token, "\x81\xa8"
                                                  "approved\xc3");
        cr_assert_eq(command->err.code, ERR_UNAVAILABLE, "%d %s", i, command->err.text);
        cr_assert_not_null(strstr(command->err.text, "decision"), "%s", command->err.text);
        cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
        cr_assert_eq(run_of(run)->status, RUN_WAITING);
    }

    bench.tasks[0].id = SLICE("t");
    bench.tasks[0].schema = good;
    bench_catalog();
    cr_assert(complete(token, "\x81\xa8"
                              "approved\xc3")
                  ->token_complete.won);
}

/* Nobody knows the schema before the plugins are there again; the sender is to come back. */
Test(token, data_for_a_schema_waits_until_the_plugins_are_loaded)
{
    int64_t token, run = run_with_schema(&token);
    bench_restart(false);

    struct command *command = complete(token, "\x81\xa8"
                                              "approved\xa3yes");
    cr_assert_eq(command->err.code, ERR_STOPPING, "%s", command->err.text);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    bench_catalog();

    cr_assert_eq(complete(token, "\xa1x")->err.code, ERR_BAD_DATA);
    cr_assert_eq(run_of(run)->status, RUN_WAITING);
}

Test(token, data_without_a_schema_is_taken_even_before_the_plugins_are_loaded)
{
    int64_t token = make_token(0, 0, 0);
    bench_restart(false);

    cr_assert(complete(token, "\x01")->token_complete.won);
}

Test(token, a_schema_that_the_task_does_not_declare_is_refused_when_the_token_is_made)
{
    int64_t token;
    run_with_schema(&token);
    int64_t run = start("t"), without = start("u");
    struct command *unknown = add_token(run, 1);
    unknown->token_create.schema = SLICE("other");
    struct command *none = add_token(without, 1);
    none->token_create.schema = SLICE("decision");
    commit();

    cr_assert_eq(unknown->err.code, ERR_RULE);
    cr_assert_eq(none->err.code, ERR_RULE);
    cr_assert_not_null(strstr(none->err.text, "declares no token \"decision\""));
}
