/* Tokens that a slot sent ahead: made with the END of their segment, and perhaps answered
 * before. */
#include "base/id.h"
#include "bench.h"

TestSuite(ahead, .init = bench_open, .fini = bench_close);

/* An END of `run` that waits for its first token, with the token's creation. */
static struct command *add_ahead(int64_t run, struct command *create, int64_t due_ms)
{
    static struct command *creates[1];
    int64_t id = segment(run)->id_block + 1;

    struct command *end = add_wait(run, WAIT_FOR_TOKEN, &id, 1);
    *create = (struct command){
        .kind = COMMAND_TOKEN_CREATE,
        .arena = bench_arena(),
        .token_create = { .environment = DEV,
                          .due_ms = due_ms,
                          .tags = SLICE("\x91\xa1x"),
                          .run_id = run,
                          .run_seq = segment(run)->seq,
                          .id = id },
    };
    creates[0] = create;
    end->segment_end.creates = creates;
    end->segment_end.create_count = 1;
    return end;
}

/* As the holder of a callback URL. */
static struct command *post(int64_t token, const char *packed)
{
    struct command *command = add(COMMAND_TOKEN_COMPLETE);

    command->token_complete = (struct token_complete){ .id = token, .data = slice_of(packed) };
    cr_assert(commit());
    return command;
}

Test(ahead, is_made_before_the_wait_looks_for_it)
{
    int64_t run = start("t");
    struct command create;
    add_ahead(run, &create, bench.now_ms + MINUTES(1));
    cr_assert(commit());
    int64_t id = segment(run)->id_block + 1;

    cr_assert_eq(run_of(run)->status, RUN_WAITING);
    cr_assert_eq(create.token_create.token_id, id);
    cr_assert_eq(token_of(id)->status, WAITPOINT_PENDING);
    cr_assert_eq(token_of(id)->run_id, run);
    cr_assert_eq(token_of(id)->due_ms, bench.now_ms + MINUTES(1));

    complete(id, "\x05");
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
}

Test(ahead, an_answer_that_came_first_is_kept_and_found)
{
    int64_t run = start("t");
    int64_t id = segment(run)->id_block + 1;
    struct command create;

    cr_assert(post(id, "\x05")->token_complete.won);
    cr_assert_eq(token_of(id)->environment, 0, "nobody sees it yet");
    add_ahead(run, &create, bench.now_ms + MINUTES(1));
    cr_assert(commit());

    cr_assert_eq(run_of(run)->status, RUN_RUNNING, "there was nothing left to wait for");
    cr_assert_eq(run_of(run)->entry, 1);
    cr_assert_eq(segment(run)->results[0].status, WAIT_OK);
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
    cr_assert_eq(token_of(id)->environment, DEV);
    cr_assert_eq(token_of(id)->run_id, run);
    cr_assert(slice_is(token_of(id)->tags, "\x91\xa1x"));
    cr_assert_eq(token_of(id)->due_ms, 0, "it is settled");
    cr_assert_eq(token_of(id)->timeout_ms, bench.now_ms + MINUTES(1));
}

Test(ahead, the_first_of_two_early_answers_wins)
{
    int64_t run = start("t");
    int64_t id = segment(run)->id_block + 1;

    cr_assert(post(id, "\x05")->token_complete.won);
    cr_assert_not(post(id, "\x06")->token_complete.won);
    cr_assert(slice_is(token_of(id)->result, "\x05"));
}

Test(ahead, an_early_answer_survives_a_crash_of_the_segment)
{
    int64_t run = start("t");
    int64_t id = segment(run)->id_block + 1;
    struct command create;

    post(id, "\x05");
    lose(run, LOSS_CRASHED);
    cr_assert_eq(segment(run)->id_block + 1, id, "the second try makes the same token");
    add_ahead(run, &create, 0);
    cr_assert(commit());

    cr_assert_eq(segment(run)->results[0].status, WAIT_OK);
}

Test(ahead, only_a_url_proves_that_the_token_is_ours)
{
    int64_t run = start("t");
    int64_t id = segment(run)->id_block + 1;
    struct command *by_key = add(COMMAND_TOKEN_COMPLETE);
    by_key->token_complete =
        (struct token_complete){ .environment = DEV, .id = id, .data = SLICE("\x05") };
    cr_assert(commit());

    cr_assert_eq(by_key->err.code, ERR_NOT_FOUND);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 0);
}

Test(ahead, an_old_url_makes_nothing)
{
    int64_t run = start("t");
    int64_t id = segment(run)->id_block + 1;

    advance(DAYS(2));
    cr_assert_eq(post(id, "\x05")->err.code, ERR_GONE);
    cr_assert_eq(post(id_floor(bench.now_ms + DAYS(1)), "\x05")->err.code, ERR_NOT_FOUND);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 0);
}

Test(ahead, an_early_answer_has_the_limits_of_any)
{
    int64_t run = start("t");
    int64_t id = segment(run)->id_block + 1;

    bench.limits.token_bytes = 2;
    bench_catalog();
    cr_assert_eq(post(id, "\xa3"
                          "abc")
                     ->err.code,
                 ERR_TOO_LARGE);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 0);
}

Test(ahead, one_that_is_refused_fails_the_attempt)
{
    int64_t run = start("t");
    struct command create;
    add_ahead(run, &create, 0);
    create.token_create.schema = SLICE("nowhere");
    cr_assert(commit());

    cr_assert_eq(run_of(run)->status, RUN_DONE);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_FAILED);
    cr_assert_str_eq(error_name(run), "refused");
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 0);
}

Test(ahead, what_was_made_on_its_own_is_not_made_again)
{
    int64_t run = start("t");
    struct command *first = add_token(run, 1), create;
    first->token_create.tags = SLICE("\x91\xa1x");
    commit();
    int64_t id = first->token_create.token_id;
    complete(id, "\x07");
    add_ahead(run, &create, bench.now_ms + MINUTES(1));
    cr_assert(commit());

    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 1);
    cr_assert(slice_is(segment(run)->results[0].value, "\x07"));
    cr_assert_eq(token_of(id)->timeout_ms, 0, "the first creation counts");
}

Test(ahead, an_end_that_comes_too_late_makes_nothing)
{
    int64_t run = start("t");
    struct command create;
    struct command *end = add_ahead(run, &create, 0);
    end->segment_end.seq++;
    cr_assert(commit());

    cr_assert_eq(end->err.code, ERR_RULE);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 0);
}
