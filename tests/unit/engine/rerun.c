/* Reruns: a segment that runs again must call what it called before, in the same order. */
#include "bench.h"

#include <string.h>

TestSuite(rerun, .init = bench_open, .fini = bench_close);

static void differs(const struct command *command, const char *was, const char *now)
{
    cr_assert_eq(command->err.code, ERR_DIFFERS, "%s", command->err.text);
    cr_assert_not_null(strstr(command->err.text, was), "%s", command->err.text);
    cr_assert_not_null(strstr(command->err.text, now), "%s", command->err.text);
}

Test(rerun, a_first_run_is_none_and_a_second_is_one)
{
    int64_t run = start("t");
    cr_assert_not(segment(run)->is_rerun);

    lose(run, LOSS_CRASHED);
    cr_assert(segment(run)->is_rerun);

    wait_time(run, bench.now_ms + SECONDS(1));
    advance(SECONDS(1));
    cr_assert_not(segment(run)->is_rerun, "another segment");
}

Test(rerun, a_server_that_died_is_remembered)
{
    int64_t run = start("t");
    make_token(run, 1, 0);

    bench_restart(true);

    cr_assert(segment(run)->is_rerun);
    struct command *command = add_child(run, 1, "u");
    commit();
    differs(command, "call 1 of this segment made a token", "a run of task u");
}

Test(rerun, from_the_start_is_another_entry)
{
    bench.tasks[0].retry_from = RETRY_FROM_START;
    bench_catalog();
    int64_t run = start("t");
    int64_t token = make_token(run, 1, 0);

    lose(run, LOSS_CRASHED);

    cr_assert_not(segment(run)->is_rerun);
    cr_assert_neq(make_child(run, 1, "u"), token);
}

Test(rerun, a_child_where_a_token_was_is_told)
{
    int64_t run = start("t");
    make_token(run, 1, 0);
    make_child(run, 2, "u");
    lose(run, LOSS_CRASHED);

    struct command *child = add_child(run, 1, "u"), *token = add_token(run, 2);
    commit();

    differs(child, "call 1 of this segment made a token ", "a run of task u ");
    differs(token, "call 2 of this segment made a run of task u ", "a token ");
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 2);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 1);
}

Test(rerun, another_task_is_told)
{
    int64_t run = start("t");
    make_child(run, 1, "u");
    lose(run, LOSS_CRASHED);

    struct command *command = add_child(run, 1, "t");
    commit();

    differs(command, "a run of task u ", "a run of task t ");
}

Test(rerun, another_key_is_told)
{
    int64_t run = start("t");
    struct command *token = add_token(run, 1), *child = add_child(run, 2, "u");
    token->token_create.key = SLICE("a");
    child->trigger.key = SLICE("b");
    commit();
    lose(run, LOSS_CRASHED);

    token = add_token(run, 1);
    token->token_create.key = SLICE("b");
    child = add_child(run, 2, "u");
    commit();

    differs(token, "a token and key \"a\"", "a token and key \"b\"");
    differs(child, "a run of task u and key \"b\"", "a run of task u now");
}

Test(rerun, another_schema_is_told)
{
    bench.tasks[0].schema = bench_schema("tokens: { legal: {}, boss: {} }\n");
    bench_catalog();
    int64_t run = start("t");
    struct command *command = add_token(run, 1);
    command->token_create.schema = SLICE("legal");
    commit();
    lose(run, LOSS_CRASHED);

    command = add_token(run, 1);
    command->token_create.schema = SLICE("boss");
    commit();

    differs(command, "a token with schema \"legal\"", "a token with schema \"boss\"");
}

/* An answer to a URL that was told, of a token whose creation the crash has swallowed. */
Test(rerun, a_child_where_an_answer_lies_is_told)
{
    int64_t run = start("t"), id = segment(run)->id_block + 1;
    struct command *early = add(COMMAND_TOKEN_COMPLETE);
    early->token_complete = (struct token_complete){ .id = id, .data = SLICE("\x01") };
    commit();
    lose(run, LOSS_CRASHED);

    struct command *command = add_child(run, 1, "u");
    commit();

    differs(command, "a token", "a run of task u");
}

Test(rerun, the_same_calls_and_more_are_fine)
{
    int64_t run = start("t");
    int64_t token = make_token(run, 1, 0), child = make_child(run, 2, "u");
    lose(run, LOSS_CRASHED);

    cr_assert_eq(make_token(run, 1, 0), token);
    cr_assert_eq(make_child(run, 2, "u"), child);
    cr_assert_neq(make_child(run, 3, "t"), child);
}

/* What was found by its key the first time has made nothing, so there is nothing to compare. */
Test(rerun, a_call_that_was_answered_by_a_key_is_found_by_it_again)
{
    int64_t run = start("t"), other = start("t");
    struct command *first = add_token(other, 1);
    first->token_create.key = SLICE("k");
    first->token_create.key_global = true;
    commit();
    int64_t token = first->token_create.token_id;

    for (int i = 0; i < 2; i++) {
        struct command *command = add_token(run, 1);
        command->token_create.key = SLICE("k");
        command->token_create.key_global = true;
        commit();
        cr_assert_eq(command->token_create.token_id, token);
        lose(run, LOSS_CRASHED);
    }
}
