/* Idempotency keys of waits: one that comes again, in an attempt that begins anew, is the
 * first. */
#include "bench.h"
#include "engine/batch.h"

static void open_bench(void)
{
    bench_open();
    bench.tasks[0].retry_from = RETRY_FROM_START;
    bench_catalog();
}

TestSuite(wait_key, .init = open_bench, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

static struct frame_end *wait_keyed(int64_t run, const char *key, int64_t span_ms)
{
    struct frame_end *end = add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end;

    end->due_ms = 0;
    end->span_ms = span_ms;
    end->key = slice_of(key);
    return end;
}

static void wait_span(int64_t run, const char *key, int64_t span_ms)
{
    (void)wait_keyed(run, key, span_ms);
    cr_assert(commit(), "%s", bench.err.text);
}

/* The attempt fails; the next has begun. */
static void begin_anew(int64_t run)
{
    uint32_t attempt = run_of(run)->attempt;

    end_fail(run, true);
    for (int i = 0; i < 10 && STATUS(run) != RUN_RUNNING; i++)
        advance(SECONDS(10));
    cr_assert_eq(run_of(run)->attempt, attempt + 1);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(wait_key, a_wait_that_was_over_is_over_in_the_next_attempt)
{
    int64_t run = start("t"), other = start("t");
    wait_span(run, "cool-off", MINUTES(10));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    advance(MINUTES(10));
    begin_anew(run);

    wait_span(run, "cool-off", MINUTES(10));
    wait_span(other, "cool-off", MINUTES(10));

    cr_assert_eq(STATUS(run), RUN_RUNNING, "it was over");
    cr_assert_eq(STATUS(other), RUN_WAITING, "the key is the run's own");
    wait_span(run, "another", MINUTES(1));
    cr_assert_eq(STATUS(run), RUN_WAITING);
}

Test(wait_key, a_global_key_joins_with_the_date_of_the_first)
{
    int64_t run = start("t"), other = start("t");
    wait_keyed(run, "k", MINUTES(10))->key_global = true;
    commit();
    advance(MINUTES(4));
    wait_keyed(other, "k", MINUTES(10))->key_global = true;
    commit();

    cr_assert_eq(run_of(other)->due_ms, run_of(run)->due_ms);
    cr_assert_eq(run_of(other)->due_is_span, run_of(run)->due_is_span);
    advance(MINUTES(6));
    cr_assert_eq(STATUS(other), RUN_RUNNING);
}

Test(wait_key, its_date_stays_when_the_second_says_another)
{
    int64_t run = start("t");
    wait_keyed(run, "k", 0)->due_ms = bench.now_ms + MINUTES(10);
    commit();
    advance(MINUTES(10));
    begin_anew(run);

    wait_keyed(run, "k", 0)->due_ms = bench.now_ms + MINUTES(10);
    commit();

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(wait_key, it_holds_as_long_as_it_says_and_a_month_more_else)
{
    int64_t run = start("t");
    wait_keyed(run, "short", MINUTES(1))->key_ttl_ms = MINUTES(3);
    commit();
    advance(MINUTES(1));
    wait_span(run, "long", MINUTES(1));
    advance(MINUTES(1));
    wait_span(run, "short", MINUTES(1));
    cr_assert_eq(STATUS(run), RUN_RUNNING, "two minutes are less than three");
    advance(MINUTES(1));
    wait_span(run, "short", MINUTES(1));
    cr_assert_eq(STATUS(run), RUN_WAITING, "the key is over");
    advance(DAYS(29));
    wait_span(run, "long", MINUTES(1));
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    advance(DAYS(2));
    wait_span(run, "long", MINUTES(1));
    cr_assert_eq(STATUS(run), RUN_WAITING);
}

/* ---- by hand ------------------------------------------------------------------------------
 */

static void act(enum command_kind kind, int64_t run, int64_t span_ms)
{
    struct command *command = add(kind);

    command->token_complete =
        (struct token_complete){ .environment = DEV, .id = run, .span_ms = span_ms };
    commit();
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    cr_assert(command->token_complete.won);
}

Test(wait_key, one_that_was_skipped_is_skipped_again)
{
    int64_t run = start("t"), token = make_token(0, 0, 0);
    wait_span(run, "k", MINUTES(10));
    act(COMMAND_WAIT_SKIP, run, 0);
    struct frame_end *end = add_wait(run, WAIT_FOR_TOKEN, &token, 1)->segment_end.end;
    end->key = SLICE("answer");
    commit();
    act(COMMAND_WAIT_SKIP, run, 0);
    begin_anew(run);

    wait_span(run, "k", MINUTES(10));
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    end = add_wait(run, WAIT_FOR_TOKEN, &token, 1)->segment_end.end;
    end->key = SLICE("answer");
    commit();
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(wait_key, one_that_has_given_up_gives_up_again)
{
    int64_t run = start("t"), token = make_token(0, 0, 0);
    for (int i = 0; i < 2; i++) {
        struct frame_end *end = add_wait(run, WAIT_FOR_TOKEN, &token, 1)->segment_end.end;
        end->key = SLICE("k");
        end->span_ms = MINUTES(5);
        commit();
        if (i == 0)
            act(COMMAND_WAIT_TIMEOUT, run, 0);
        advance(1);
        cr_assert_eq(STATUS(run), RUN_RUNNING);
        cr_assert_eq(segment(run)->results[1].status, WAIT_TIMEOUT);
        if (i == 0)
            begin_anew(run);
    }
}

Test(wait_key, one_that_was_moved_stays_so)
{
    int64_t run = start("t");
    wait_span(run, "k", MINUTES(10));
    act(COMMAND_WAIT_MOVE, run, MINUTES(1));
    advance(MINUTES(1));
    begin_anew(run);

    wait_span(run, "k", MINUTES(10));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

/* ---- groups -------------------------------------------------------------------------------
 */

static void wait_group(int64_t run, int64_t token, bool cancels)
{
    static const int64_t remind_ms[] = { MINUTES(1), MINUTES(20) };
    struct frame_end *end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;
    const struct frame_part parts[] = {
        { .kind = PART_TOKEN, .id = token, .name = SLICE("a") },
        { .kind = PART_TIME, .span_ms = MINUTES(30), .name = SLICE("b") }
    };

    end->needed = 1;
    end->part_count = 2;
    end->parts = ARENA_ARRAY(bench_arena(), struct frame_part, 2);
    memcpy(end->parts, parts, sizeof parts);
    end->key = SLICE("k");
    end->manner = (struct frame_manner){ .cancels = cancels, .remind = SLICE("last") };
    end->manner.reminder_count = 2;
    end->manner.reminders = ARENA_ARRAY(bench_arena(), int64_t, 2);
    memcpy(end->manner.reminders, remind_ms, sizeof remind_ms);
    commit();
}

Test(wait_key, times_and_reminders_of_a_group_count_from_its_first_beginning)
{
    int64_t run = start("t"), token = make_token(0, 0, 0);
    int64_t begun_ms = bench.now_ms;
    wait_group(run, token, false);
    advance(MINUTES(1));
    cr_assert_eq(segment(run)->reminder, 1);
    begin_anew(run);

    wait_group(run, token, false);

    cr_assert_eq(STATUS(run), RUN_WAITING);
    advance(begun_ms + MINUTES(20) - bench.now_ms);
    cr_assert_eq(segment(run)->reminder, 2, "the first was given before");
    (void)add_end(run, VERDICT_WAIT_ON);
    commit();
    advance(begun_ms + MINUTES(30) - bench.now_ms);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

/* ---- reset --------------------------------------------------------------------------------
 */

static struct command *reset(uint32_t kind, const char *key, int64_t owner)
{
    struct command *command = add(COMMAND_KEY_RESET);

    command->key_reset = (struct key_reset){
        .environment = DEV, .kind = kind, .key = slice_of(key), .owner = owner
    };
    commit();
    return command;
}

Test(wait_key, one_that_was_reset_begins_anew)
{
    int64_t run = start("t");
    wait_span(run, "k", MINUTES(10));
    advance(MINUTES(10));

    cr_assert_eq(reset(KEY_WAIT, "k", 0)->err.code, ERR_NOT_FOUND, "it is the run's own");
    cr_assert_eq(reset(KEY_WAIT, "k", run)->err.code, ERR_OK);
    cr_assert_eq(reset(KEY_WAIT, "k", run)->err.code, ERR_NOT_FOUND);
    wait_span(run, "k", MINUTES(10));

    cr_assert_eq(STATUS(run), RUN_WAITING);
}

static int64_t token_keyed(void)
{
    struct command *command = add(COMMAND_TOKEN_CREATE);

    command->token_create =
        (struct token_create){ .environment = DEV, .key = SLICE("k"), .key_global = true };
    commit();
    return command->token_create.token_id;
}

Test(wait_key, so_does_a_token)
{
    int64_t token = token_keyed();
    cr_assert_eq(token_keyed(), token);

    cr_assert_eq(reset(KEY_TOKEN, "k", 0)->key_reset.run_id, token);

    cr_assert_eq(token_of(token)->key.size, 0);
    cr_assert_neq(token_keyed(), token);
}
