/* Runs that would wait for each other: refused, or let go where one of them has only ended. */
#include "base/id.h"
#include "bench.h"

TestSuite(cycles, .init = bench_open, .fini = bench_close);

#define STATUS(run)  (run_of(run)->status)
#define OUTCOME(run) (run_of(run)->outcome)

static int64_t child_of(int64_t run, uint32_t call)
{
    struct command *command = add_child(run, call, "u");

    command->trigger.on_parent_end = CHILDREN_WAIT;
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->trigger.run_id;
}

static void wait_runs(int64_t run, int64_t other)
{
    wait_for(run, WAIT_FOR_RUNS, &other, 1, 0, 0);
}

/* A batch of a segment's, of one run with that key. */
static int64_t batch_of(int64_t run, const char *key)
{
    struct command *command = add(COMMAND_BATCH_SEND);
    struct command *item = ARENA_NEW(bench_arena(), struct command);
    struct batch_ask *ask = ARENA_NEW(bench_arena(), struct batch_ask);

    *item = (struct command){
        .kind = COMMAND_TRIGGER,
        .arena = bench_arena(),
        .trigger = { .task = SLICE("u"), .key = slice_of(key), .key_global = key[0] != '\0' }
    };
    ask->command = item;
    command->batch_send = (struct batch_send){ .environment = DEV,
                                               .id = run_of(run)->id_block + 60,
                                               .begins = true,
                                               .seals = true,
                                               .parent_id = run,
                                               .parent_seq = run_of(run)->seq,
                                               .items = ask,
                                               .count = 1 };
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->batch_send.batch_id;
}

static int64_t item_of_batch(int64_t id)
{
    return ((const struct run_batch *)store_memory_get(bench.store, ROW_BATCH, id))->first_id;
}

static void assert_all_gone(void)
{
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

/* ---- those that have ended are let go ------------------------------------------------------
 */

Test(cycles, a_child_that_waits_for_its_parent_does_not_hold_it)
{
    int64_t parent = start("t"), child = child_of(parent, 1), other = child_of(parent, 2);
    wait_runs(child, parent);

    cancel(parent);
    release(parent);
    cr_assert_eq(STATUS(child), RUN_WAITING, "the other holds it");
    end_done(other);

    cr_assert_eq(STATUS(child), RUN_RUNNING);
    cr_assert_eq(segment(child)->results[0].status, WAIT_CANCELLED);
    assert_all_gone();
}

Test(cycles, a_child_that_begins_to_wait_for_its_parent_holds_it_no_more)
{
    int64_t parent = start("t"), child = child_of(parent, 1);
    cancel(parent);
    release(parent);
    cr_assert_eq(run_of(parent)->remaining, 1);

    wait_runs(child, parent);

    cr_assert_eq(STATUS(child), RUN_RUNNING);
    cr_assert_eq(segment(child)->results[0].status, WAIT_CANCELLED);
    assert_all_gone();
}

/* The child waits for one that waits for the parent. */
Test(cycles, of_more_than_a_child_and_its_parent)
{
    int64_t parent = start("t"), child = child_of(parent, 1), friend = start("t");
    wait_runs(friend, parent);
    cancel(parent);
    release(parent);

    wait_runs(child, friend);

    cr_assert_eq(STATUS(friend), RUN_RUNNING);
    cr_assert_eq(STATUS(child), RUN_WAITING);
    end_done(friend);
    cr_assert_eq(STATUS(child), RUN_RUNNING);
    assert_all_gone();
}

Test(cycles, that_are_there_when_the_parent_is_canceled)
{
    int64_t top = start("t"), parent = child_of(top, 1), child = child_of(parent, 1);
    int64_t friend = start("t");
    wait_runs(friend, top);
    wait_runs(child, friend);

    cancel(top);
    release(top);
    cancel(parent);
    release(parent);

    cr_assert_eq(STATUS(friend), RUN_RUNNING);
    end_done(friend);
    cr_assert_eq(STATUS(child), RUN_RUNNING);
    end_done(child);
    assert_all_gone();
}

Test(cycles, a_child_that_does_not_wait_still_holds_its_parent)
{
    int64_t parent = start("t"), child = child_of(parent, 1), friend = start("t");
    int64_t token = make_token(friend, 1, 0);
    wait_for(child, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    wait_runs(friend, parent);

    cancel(parent);
    release(parent);

    cr_assert_eq(STATUS(friend), RUN_WAITING);
    complete(token, "\x07");
    end_done(child);
    cr_assert_eq(STATUS(friend), RUN_RUNNING);
    assert_all_gone();
}

/* ---- others are refused --------------------------------------------------------------------
 */

Test(cycles, through_the_batch_that_the_parent_waits_for)
{
    int64_t parent = start("t"), batch = batch_of(parent, ""), child = item_of_batch(batch);
    char name[ID_TEXT_SIZE];
    wait_for(parent, WAIT_FOR_TOKEN, &batch, 1, 0, 0);

    wait_runs(child, parent);

    cr_assert_str_eq(error_name(child), "wait_cycle");
    cr_assert(strstr(error_message(child), id_format("batch", batch, name)) != NULL, "%s",
              error_message(child));
    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    assert_all_gone();
}

Test(cycles, through_a_batch_whose_item_is_a_run_that_was_there)
{
    struct command *made = add_trigger("u");
    made->trigger.key = SLICE("k");
    made->trigger.key_global = true;
    cr_assert(commit());
    int64_t other = made->trigger.run_id, parent = start("t");
    wait_runs(other, parent);
    int64_t batch = batch_of(parent, "k");

    wait_for(parent, WAIT_FOR_TOKEN, &batch, 1, 0, 0);

    cr_assert_str_eq(error_name(parent), "wait_cycle");
    cr_assert_eq(STATUS(other), RUN_RUNNING);
}

/* It needs one of two, and both wait for it. */
Test(cycles, of_all_that_there_are)
{
    int64_t run = start("t"), others[] = { start("t"), start("t") };
    wait_for(run, WAIT_FOR_RUNS, others, 2, 1, 0);
    wait_runs(others[0], run);
    cr_assert_eq(STATUS(others[0]), RUN_WAITING, "the other one may come");

    wait_runs(others[1], run);

    cr_assert_str_eq(error_name(others[1]), "wait_cycle");
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(cycles, that_a_reminder_has_opened)
{
    int64_t a = start("t"), b = start("t");
    struct frame_end *end = add_wait(a, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;
    end->part_count = 1;
    end->parts = ARENA_NEW(bench_arena(), struct frame_part);
    *end->parts = (struct frame_part){ .kind = PART_RUN, .id = b };
    end->manner.remind = SLICE("last");
    end->manner.reminder_count = 1;
    end->manner.reminders = ARENA_NEW(bench_arena(), int64_t);
    end->manner.reminders[0] = SECONDS(5);
    cr_assert(commit());
    advance(SECONDS(5));
    cr_assert_eq(STATUS(a), RUN_RUNNING);
    wait_runs(b, a);
    cr_assert_eq(STATUS(b), RUN_WAITING);

    add_end(a, VERDICT_WAIT_ON)->segment_end.end->state = SLICE("\x80");
    cr_assert(commit());

    cr_assert_str_eq(error_name(a), "wait_cycle");
    cr_assert_eq(STATUS(b), RUN_RUNNING);
}

Test(cycles, that_would_end_some_day_may_not_lose_that_day_by_hand)
{
    int64_t a = start("t"), b = start("t");
    wait_for(a, WAIT_FOR_RUNS, &b, 1, 0, bench.now_ms + DAYS(1));
    wait_runs(b, a);
    struct command *move = add(COMMAND_WAIT_MOVE);
    move->token_complete = (struct token_complete){ .environment = DEV, .id = a };

    cr_assert(commit());

    cr_assert_eq(move->err.code, ERR_RULE);
    cr_assert(strstr(move->err.text, ": none of them could go on") != NULL, "%s",
              move->err.text);
    cr_assert_neq(run_of(a)->due_ms, 0);
}
