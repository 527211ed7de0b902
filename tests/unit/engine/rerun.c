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

    differs(token, "a token with key \"a\" when", "a token with key \"b\" now");
    differs(child, "a run of task u with key \"b\" when", "a run of task u now");
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

/* A child is given `was`, and `now` by the rerun. */
static struct command *given(struct slice was, struct slice now)
{
    int64_t run = start("t");
    struct command *command = add_child(run, 1, "u");

    command->trigger.payload = was;
    commit();
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    lose(run, LOSS_CRASHED);
    command = add_child(run, 1, "u");
    command->trigger.payload = now;
    commit();
    return command;
}

Test(rerun, another_payload_is_told_with_the_place)
{
    differs(given(SLICE("\x81\xa1n\x01"), SLICE("\x81\xa1n\x02")),
            "a run of task u with 1 at /n of its payload when",
            "a run of task u with 2 at /n of its payload now");
    differs(given(SLICE("\x81\xa1n\x92\x01\x02"), SLICE("\x81\xa1n\x92\x01\x81\xa3~/x\xc3")),
            "with 2 at /n/1 of its payload", "with {\"~/x\":true} at /n/1 of its payload");
    differs(given(SLICE("\x81\xa3~/x\xc3"), SLICE("\x81\xa3~/x\xc2")), "with true at /~0~1x of",
            "with false at /~0~1x of");
    differs(given(SLICE("\x81\xa1n\x01"), SLICE("\x80")), "with 1 at /n of",
            "with nothing at /n of");
    differs(given(SLICE("\x80"), SLICE("\x81\xa1n\x01")), "with nothing at /n of",
            "with 1 at /n of");
    differs(given(SLICE("\x91\x01"), SLICE("\x92\x01\x02")), "with nothing at /1 of",
            "with 2 at /1 of");
    differs(given(SLICE("\x01"), SLICE("\x02")), "with 1 as its payload when",
            "with 2 as its payload now");
    differs(given(SLICE(""), SLICE("\x02")), "with null as its payload",
            "with 2 as its payload");
}

Test(rerun, the_same_payload_is_compared_as_it_was_given)
{
    static const char *const schemas[] = {
        "input: { properties: { n: {}, m: { default: 1 } } }\n",
        "input: { properties: { n: {}, m: { default: 2 } } }\n",
    };

    bench.tasks[1].schema = bench_schema(schemas[0]);
    bench_catalog();
    int64_t run = start("t");
    struct command *command = add_child(run, 1, "u");
    command->trigger.payload = SLICE("\x82\xa1n\x01\xa1k\x02");
    commit();
    cr_assert_eq(command->trigger.payload.size, 7, "what was given is the caller's");
    int64_t child = command->trigger.run_id;
    lose(run, LOSS_CRASHED);
    bench.tasks[1].schema = bench_schema(schemas[1]);
    bench_catalog();

    command = add_child(run, 1, "u");
    command->trigger.payload = SLICE("\x82\xa1k\x02\xa1n\x01");
    commit();
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    cr_assert_eq(command->trigger.run_id, child, "another default, another order");

    command = add_child(run, 1, "u");
    command->trigger.payload = SLICE("\x83\xa1k\x02\xa1n\x01\xa1m\x01");
    commit();
    differs(command, "with one payload when", "with another payload now");
}

Test(rerun, a_secret_of_another_payload_is_not_told)
{
    bench.tasks[1].schema = bench_schema("input: { properties: { n: { secret: true } } }\n");
    bench_catalog();

    differs(given(SLICE("\x81\xa1n\xa2xy"), SLICE("\x81\xa1n\xa2zz")), "with one payload when",
            "with another payload now");
}

Test(rerun, other_tags_and_another_concurrency_key_are_told)
{
    int64_t run = start("t");
    struct command *token = add_token(run, 1), *child = add_child(run, 2, "u");
    token->token_create.tags = SLICE("\x91\xa3"
                                     "ann");
    child->trigger.tags = SLICE("\x91\xa3"
                                "ann");
    commit();
    make_child(run, 3, "u");
    lose(run, LOSS_CRASHED);

    token = add_token(run, 1);
    token->token_create.tags = SLICE("\x91\xa3"
                                     "bob");
    child = add_child(run, 2, "u");
    struct command *keyed = add_child(run, 3, "u");
    keyed->trigger.concurrency_key = SLICE("bob");
    commit();

    differs(token, "a token with tags [\"ann\"] when", "a token with tags [\"bob\"] now");
    differs(child, "a run of task u with tags [\"ann\"] when", "a run of task u now");
    differs(keyed, "a run of task u when", "a run of task u with concurrency key \"bob\" now");
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
