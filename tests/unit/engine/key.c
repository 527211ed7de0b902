/* Idempotency keys: one key, one run, for as long as that says anything. */
#include "bench.h"
#include "engine/batch.h"

TestSuite(key, .init = bench_open, .fini = bench_close);

static struct command *trigger_keyed(const char *task, const char *key)
{
    struct command *command = add_trigger(task);

    command->trigger.key = slice_of(key);
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command;
}

static int64_t run_keyed(const char *task, const char *key)
{
    return trigger_keyed(task, key)->trigger.run_id;
}

Test(key, a_second_trigger_finds_the_run_that_is_alive)
{
    struct command *first = trigger_keyed("t", "order-1");
    int64_t run = first->trigger.run_id;
    cr_assert_not(first->trigger.cached);

    struct command *second = trigger_keyed("t", "order-1");

    cr_assert_eq(second->trigger.run_id, run);
    cr_assert(second->trigger.cached);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 1);
}

Test(key, two_triggers_in_one_batch_make_one_run)
{
    struct command *a = add_trigger("t"), *b = add_trigger("t");
    a->trigger.key = b->trigger.key = SLICE("order-1");
    commit();

    cr_assert_eq(a->trigger.run_id, b->trigger.run_id);
    cr_assert(b->trigger.cached && !a->trigger.cached);
}

Test(key, a_key_belongs_to_its_task_and_environment)
{
    int64_t run = run_keyed("t", "order-1");

    cr_assert_neq(run_keyed("u", "order-1"), run);
    struct command *prod = add_trigger("t");
    prod->trigger.environment = PROD;
    prod->trigger.key = SLICE("order-1");
    commit();
    cr_assert_neq(prod->trigger.run_id, run);
}

Test(key, a_key_outlives_a_run_that_completed)
{
    int64_t run = run_keyed("t", "order-1");
    end_done(run);

    cr_assert_eq(run_keyed("t", "order-1"), run);
}

Test(key, a_key_outlives_a_run_that_was_canceled)
{
    int64_t run = run_keyed("t", "order-1");
    cancel(run);

    cr_assert_eq(run_keyed("t", "order-1"), run);
}

Test(key, a_run_that_failed_gives_its_key_back)
{
    int64_t run = run_keyed("t", "order-1");
    end_fail(run, false);

    int64_t next = run_keyed("t", "order-1");

    cr_assert_neq(next, run);
    cr_assert_eq(run_keyed("t", "order-1"), next);
}

Test(key, a_run_that_will_be_tried_again_keeps_its_key)
{
    int64_t run = run_keyed("t", "order-1");
    end_fail(run, true);
    cr_assert_eq(run_of(run)->attempt, 2);

    cr_assert_eq(run_keyed("t", "order-1"), run);
}

Test(key, a_run_that_crashed_or_took_too_long_gives_its_key_back)
{
    bench.tasks[0].max_attempts = 1;
    bench_catalog();
    int64_t crashed = run_keyed("t", "a"), late = run_keyed("t", "b");

    lose(crashed, LOSS_CRASHED);
    lose(late, LOSS_TIMED_OUT);

    cr_assert_neq(run_keyed("t", "a"), crashed);
    cr_assert_neq(run_keyed("t", "b"), late);
}

Test(key, a_run_that_expired_gives_its_key_back)
{
    pause("task/t", true);
    struct command *command = add_trigger("t");
    command->trigger.key = SLICE("order-1");
    command->trigger.ttl_ms = 1000;
    commit();
    int64_t run = command->trigger.run_id;
    advance(1000);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);

    cr_assert_neq(run_keyed("t", "order-1"), run);
}

Test(key, a_key_lasts_thirty_days_when_nothing_else_is_said)
{
    int64_t run = run_keyed("t", "order-1");
    end_done(run);

    bench.now_ms += DAYS(30) - 1;
    cr_assert_eq(run_keyed("t", "order-1"), run);
    bench.now_ms += 1;

    cr_assert_neq(run_keyed("t", "order-1"), run);
}

Test(key, a_key_lasts_as_long_as_its_trigger_says)
{
    struct command *command = add_trigger("t");
    command->trigger.key = SLICE("order-1");
    command->trigger.key_ttl_ms = MINUTES(5);
    commit();
    int64_t run = command->trigger.run_id;

    bench.now_ms += MINUTES(5) - 1;
    cr_assert_eq(run_keyed("t", "order-1"), run);
    bench.now_ms += 1;

    cr_assert_neq(run_keyed("t", "order-1"), run);
}

/* The old run still carries the key's hash, but the key is another run's by now. */
Test(key, an_old_run_that_fails_does_not_take_the_key_from_its_successor)
{
    struct command *command = add_trigger("t");
    command->trigger.key = SLICE("order-1");
    command->trigger.key_ttl_ms = MINUTES(5);
    commit();
    int64_t old = command->trigger.run_id;
    bench.now_ms += MINUTES(5);
    int64_t successor = run_keyed("t", "order-1");
    cr_assert_neq(successor, old);

    end_fail(old, false);

    cr_assert_eq(run_keyed("t", "order-1"), successor);
}

Test(key, what_the_user_called_it_is_kept)
{
    struct command *command = add_trigger("t");
    command->trigger.key = SLICE("8f434346648f6b96");
    command->trigger.key_text = SLICE("order-1");
    commit();

    cr_assert(slice_is(run_of(command->trigger.run_id)->key_text, "order-1"));
    cr_assert(slice_is(run_of(run_keyed("t", "plain"))->key_text, "plain"));
}

Test(key, a_repeated_http_call_gets_the_first_answer_whatever_became_of_the_run)
{
    struct command *first = add_trigger("t"), *again, *other;
    first->trigger.request_key = SLICE("request-1");
    commit();
    int64_t run = first->trigger.run_id;
    end_fail(run, false);

    again = add_trigger("t");
    again->trigger.request_key = SLICE("request-1");
    other = add_trigger("t");
    other->trigger.request_key = SLICE("request-2");
    commit();

    cr_assert_eq(again->trigger.run_id, run);
    cr_assert_neq(other->trigger.run_id, run);
}

Test(key, a_repeated_http_call_is_known_for_a_day)
{
    struct command *command = add_trigger("t");
    command->trigger.request_key = SLICE("request-1");
    commit();
    int64_t run = command->trigger.run_id;
    bench.now_ms += DAYS(1);

    command = add_trigger("t");
    command->trigger.request_key = SLICE("request-1");
    commit();

    cr_assert_neq(command->trigger.run_id, run);
}

/* ---- keys of segments ---------------------------------------------------------------------
 */

static int64_t child_keyed(int64_t run, uint32_t call, const char *key, bool global)
{
    struct command *command = add_child(run, call, "u");

    command->trigger.key = slice_of(key);
    command->trigger.key_global = global;
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->trigger.run_id;
}

Test(key, a_segments_key_is_its_runs_own)
{
    int64_t a = start("t"), b = start("t");

    int64_t child = child_keyed(a, 1, "mail", false);

    cr_assert_eq(child_keyed(a, 2, "mail", false), child);
    cr_assert_neq(child_keyed(b, 1, "mail", false), child);
}

Test(key, a_global_key_of_a_segment_is_everybodys)
{
    int64_t a = start("t"), b = start("t");

    int64_t child = child_keyed(a, 1, "mail", true);

    cr_assert_eq(child_keyed(b, 1, "mail", true), child);
    struct command *client = add_trigger("u");
    client->trigger.key = SLICE("mail");
    commit();
    cr_assert_eq(client->trigger.run_id, child);
}

/* ---- keys of tokens -----------------------------------------------------------------------
 */

static struct command *token_keyed(int64_t run, uint32_t call, const char *key, bool global)
{
    struct command *command = add_token(run, call);

    command->token_create.key = slice_of(key);
    command->token_create.key_global = global;
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command;
}

Test(key, a_tokens_key_finds_the_token_even_when_it_is_completed)
{
    int64_t token = token_keyed(0, 0, "approval", false)->token_create.token_id;
    complete(token, "\x01");

    struct command *again = token_keyed(0, 0, "approval", false);

    cr_assert_eq(again->token_create.token_id, token);
    cr_assert(again->token_create.cached);
}

Test(key, a_tokens_key_in_a_segment_is_its_runs_own_unless_it_is_global)
{
    int64_t a = start("t"), b = start("t");
    int64_t own = token_keyed(a, 1, "k", false)->token_create.token_id;
    int64_t shared = token_keyed(a, 2, "k", true)->token_create.token_id;

    cr_assert_eq(token_keyed(a, 3, "k", false)->token_create.token_id, own);
    cr_assert_neq(token_keyed(b, 1, "k", false)->token_create.token_id, own);
    cr_assert_eq(token_keyed(b, 2, "k", true)->token_create.token_id, shared);
    cr_assert_neq(own, shared);
}

Test(key, a_tokens_key_expires_when_it_was_told_to)
{
    struct command *command = add_token(0, 0);
    command->token_create.key = SLICE("k");
    command->token_create.key_ttl_ms = MINUTES(1);
    commit();
    int64_t token = command->token_create.token_id;
    cr_assert_eq(token_of(token)->key_expires_ms, bench.now_ms + MINUTES(1));
    bench.now_ms += MINUTES(1) - 1;
    cr_assert_eq(token_keyed(0, 0, "k", false)->token_create.token_id, token);
    bench.now_ms += 1;

    int64_t next = token_keyed(0, 0, "k", false)->token_create.token_id;

    cr_assert_neq(next, token);
    bench.now_ms += DAYS(1000);
    cr_assert_eq(token_keyed(0, 0, "k", false)->token_create.token_id, next,
                 "without a time it stays");
}

Test(key, a_token_and_a_run_may_have_the_same_key)
{
    int64_t run = run_keyed("t", "k");
    int64_t token = token_keyed(0, 0, "k", false)->token_create.token_id;

    cr_assert_eq(run_keyed("t", "k"), run);
    cr_assert_eq(token_keyed(0, 0, "k", false)->token_create.token_id, token);
}

Test(key, a_repeated_call_that_makes_a_token_finds_it)
{
    struct command *a = add_token(0, 0), *b = add_token(0, 0);
    a->token_create.request_key = b->token_create.request_key = SLICE("request-1");
    commit();

    cr_assert_eq(a->token_create.token_id, b->token_create.token_id);
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 1);
}

/* ---- the hash -----------------------------------------------------------------------------
 */

static bool same_hash(const uint8_t a[16], const uint8_t b[16])
{
    return memcmp(a, b, 16) == 0;
}

Test(key, no_two_different_sets_of_parts_hash_alike)
{
    uint8_t hashes[8][16];
    key_hash(KEY_RUN, 1, SLICE("ab"), 0, SLICE("c"), hashes[0]);
    key_hash(KEY_RUN, 1, SLICE("a"), 0, SLICE("bc"), hashes[1]);
    key_hash(KEY_TOKEN, 1, SLICE("ab"), 0, SLICE("c"), hashes[2]);
    key_hash(KEY_RUN, 2, SLICE("ab"), 0, SLICE("c"), hashes[3]);
    key_hash(KEY_RUN, 1, SLICE("ab"), 1, SLICE("c"), hashes[4]);
    key_hash(KEY_REQUEST, 1, SLICE("ab"), 0, SLICE("c"), hashes[5]);
    key_hash(KEY_RUN, 1, SLICE("abc"), 0, SLICE(""), hashes[6]);
    key_hash(KEY_RUN, 1, SLICE(""), 0, SLICE("abc"), hashes[7]);

    for (int a = 0; a < 8; a++)
        for (int b = 0; b < a; b++)
            cr_assert_not(same_hash(hashes[a], hashes[b]), "%d and %d", a, b);
}

/* Members in another order are the same payload; another value is told, and changes nothing. */
Test(key, another_payload_under_the_same_key_is_told)
{
    static const char *const payloads[] = { "\x82\xa1"
                                            "a\x01\xa1"
                                            "b\x02",
                                            "\x82\xa1"
                                            "b\x02\xa1"
                                            "a\x01",
                                            "\x82\xa1"
                                            "a\x01\xa1"
                                            "b\x03" };
    int64_t first = 0;

    for (int i = 0; i < 3; i++) {
        struct trigger *options = &add_trigger("t")->trigger;
        options->key = SLICE("k");
        options->payload = slice_of(payloads[i]);
        cr_assert(commit());
        first = i == 0 ? options->run_id : first;
        cr_assert_eq(options->run_id, first);
        cr_assert_eq(options->differs, i == 2, "payload %d", i);
    }
}

/* As two keys may be made to: eight bytes of a hash are soon found again. */
Test(key, keys_whose_hashes_begin_alike_are_two)
{
    const uint8_t first[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 0 },
                  second[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    struct rows rows;
    rows_init(&rows, bench_arena());

    struct key *key = rows_new_key(&rows, first);

    cr_assert_neq(rows_new_key(&rows, second), key);
    cr_assert_eq(rows_new_key(&rows, first), key);
}
