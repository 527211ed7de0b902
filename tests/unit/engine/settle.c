/* Settling: a crowd at one token, or below one run, is moved on some at a time, and nobody is
 * forgotten whatever happens in between. */
#include "bench.h"

#include <stdio.h>

enum { CROWD = 40, STEPS = 10 };

static void open_with_few_steps(void)
{
    bench_open();
    bench.limits.steps = STEPS;
    bench_catalog();
}

TestSuite(settle, .init = open_with_few_steps, .fini = bench_close);

static int64_t crowd[CROWD];

/* So many runs wait for one token. */
static int64_t gate(int64_t due_ms)
{
    int64_t token = make_token(0, 0, 0);

    for (int i = 0; i < CROWD; i++) {
        crowd[i] = start("t");
        wait_for(crowd[i], WAIT_FOR_TOKEN, &token, 1, 0, due_ms);
    }
    return token;
}

static int crowd_in(enum run_status status)
{
    int count = 0;

    for (int i = 0; i < CROWD; i++)
        count += run_of(crowd[i])->status == status;
    return count;
}

/* One batch of nothing but what is due. */
static bool go_on(void)
{
    bool again;

    return bench_batch(0, &again);
}

Test(settle, a_crowd_is_told_some_at_a_time)
{
    int64_t token = gate(0);
    struct command *command = add(COMMAND_TOKEN_COMPLETE);

    command->token_complete = (struct token_complete){ .environment = DEV, .id = token };
    cr_assert(commit());
    cr_assert(command->token_complete.won);
    cr_assert_eq(token_of(token)->status, WAITPOINT_COMPLETED);
    cr_assert_eq(crowd_in(RUN_RUNNING), STEPS);
    cr_assert_neq(token_of(token)->due_ms, 0, "what is left stands in the row");

    for (int told = STEPS; told < CROWD; told += STEPS) {
        cr_assert_eq(crowd_in(RUN_WAITING), CROWD - told);
        cr_assert(go_on());
    }
    cr_assert_eq(crowd_in(RUN_RUNNING), CROWD);
    cr_assert(go_on());
    cr_assert_eq(token_of(token)->due_ms, 0);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    cr_assert_eq(segment(crowd[CROWD - 1])->result_count, 1);
    cr_assert_eq(segment(crowd[CROWD - 1])->results[0].status, WAIT_OK);
}

Test(settle, a_crowd_at_one_gate_delays_nobody_at_another)
{
    int64_t token = gate(0);
    int64_t other = make_token(0, 0, 0), run = start("t");
    wait_for(run, WAIT_FOR_TOKEN, &other, 1, 0, 0);
    add(COMMAND_TOKEN_COMPLETE)->token_complete =
        (struct token_complete){ .environment = DEV, .id = token };
    cr_assert(commit());

    add(COMMAND_TOKEN_COMPLETE)->token_complete =
        (struct token_complete){ .environment = DEV, .id = other };
    cr_assert(commit());

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_gt(crowd_in(RUN_WAITING), 0);
}

Test(settle, a_restart_in_between_goes_on)
{
    int64_t token = gate(0);
    add(COMMAND_TOKEN_COMPLETE)->token_complete =
        (struct token_complete){ .environment = DEV, .id = token };
    cr_assert(commit());

    bench_restart(true);
    for (int i = 0; i < CROWD / STEPS + 1; i++)
        cr_assert(go_on());

    cr_assert_eq(crowd_in(RUN_RUNNING), CROWD);
}

/* The token was completed in time: it is not their fault that they were told late. */
Test(settle, a_wait_that_ends_in_between_did_not_give_up)
{
    int64_t token = gate(bench.now_ms + 1000);
    bench.look_for_due = false;
    add(COMMAND_TOKEN_COMPLETE)->token_complete =
        (struct token_complete){ .environment = DEV, .id = token };
    cr_assert(commit());
    bench.look_for_due = true;

    advance(2000);

    cr_assert_eq(crowd_in(RUN_RUNNING), CROWD);
    for (int i = 0; i < CROWD; i++)
        cr_assert_eq(segment(crowd[i])->results[0].status, WAIT_OK);
}

Test(settle, who_is_canceled_in_between_stays_canceled)
{
    int64_t token = gate(0);
    add(COMMAND_TOKEN_COMPLETE)->token_complete =
        (struct token_complete){ .environment = DEV, .id = token };
    cr_assert(commit());

    for (int i = 0; i < CROWD; i++)
        add(COMMAND_CANCEL)->cancel = (struct cancel){ .environment = DEV, .id = crowd[i] };
    cr_assert(commit());
    for (int i = 0; i < CROWD / STEPS + 1; i++)
        cr_assert(go_on());

    cr_assert_eq(crowd_in(RUN_DONE), CROWD);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    cr_assert_eq(token_of(token)->due_ms, 0);
}

Test(settle, a_crowd_that_waits_for_a_run_is_told_some_at_a_time)
{
    int64_t child = start("u");
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = start("t");
        wait_for(crowd[i], WAIT_FOR_RUNS, &child, 1, 0, 0);
    }

    add_end(child, VERDICT_DONE);
    cr_assert(commit());
    cr_assert_eq(crowd_in(RUN_RUNNING), STEPS);
    for (int i = 0; i < CROWD / STEPS; i++)
        cr_assert(go_on());

    cr_assert_eq(crowd_in(RUN_RUNNING), CROWD);
    cr_assert_eq(run_of(child)->due_ms, 0);
}

/* ---- cancel ------------------------------------------------------------------------------ */

enum { TREE = 100 };

static int64_t tree[TREE];

/* Each run has `width` children, as far as there are runs; all of them wait for an hour. */
static void tree_make(int width)
{
    tree[0] = start("t");
    for (int made = 1, at = 0; made < TREE; at++) {
        for (int i = 0; i < width && made < TREE; i++)
            tree[made++] = make_child(tree[at], (uint32_t)i, "t");
        wait_time(tree[at], bench.now_ms + MINUTES(60));
    }
}

static int tree_canceled(void)
{
    int count = 0;

    for (int i = 0; i < TREE; i++)
        count += run_of(tree[i])->outcome == OUTCOME_CANCELED;
    return count;
}

static void cancel_tree(int width, bool restarts)
{
    tree_make(width);
    add(COMMAND_CANCEL)->cancel = (struct cancel){ .environment = DEV, .id = tree[0] };
    cr_assert(commit());
    cr_assert_eq(run_of(tree[0])->outcome, OUTCOME_CANCELED);
    int canceled = tree_canceled();
    cr_assert_leq(canceled, 1 + STEPS);
    for (int batches = 0; canceled < TREE; batches++) {
        cr_assert_lt(batches, 3 * TREE, "%d of %d are canceled", canceled, TREE);
        if (restarts)
            bench_restart(true); /* goes on by itself */
        cr_assert(go_on());
        cr_assert(restarts || tree_canceled() <= canceled + STEPS);
        canceled = tree_canceled();
    }
    for (int i = 0; i < 20; i++)
        cr_assert(go_on());
    for (int i = 0; i < TREE; i++)
        cr_assert_eq(run_of(tree[i])->due_ms, 0, "nothing is left of run %d", i);
}

Test(settle, a_wide_tree_is_canceled_some_at_a_time)
{
    cancel_tree(TREE, false);
}

Test(settle, a_binary_tree_is_canceled_some_at_a_time)
{
    cancel_tree(2, false);
}

Test(settle, a_tree_is_canceled_over_restarts)
{
    cancel_tree(7, true);
}

Test(settle, a_store_that_fails_in_between_loses_nothing)
{
    bench_close();
    for (int call = 1; call < 30; call++) {
        open_with_few_steps();
        tree_make(12);
        add(COMMAND_CANCEL)->cancel = (struct cancel){ .environment = DEV, .id = tree[0] };
        cr_assert(commit());
        store_memory_fail(bench.store, call);
        for (int i = 0; i < 40; i++)
            (void)go_on();
        cr_assert_eq(tree_canceled(), TREE, "call %d failed", call);
        bench_close();
    }
    bench_open(); /* for the suite's end */
}

Test(settle, a_tree_that_is_being_canceled_takes_no_new_children)
{
    tree[0] = start("t");
    for (int i = 1; i < CROWD; i++)
        tree[i] = make_child(tree[0], (uint32_t)i, "t");
    add(COMMAND_CANCEL)->cancel = (struct cancel){ .environment = DEV, .id = tree[0] };
    cr_assert(commit());
    int64_t last = tree[CROWD - 1];
    cr_assert_eq(run_of(last)->status, RUN_RUNNING, "it has not come to this one");

    struct command *child = add_child(last, 1, "u");
    cr_assert(commit());

    cr_assert_eq(child->err.code, ERR_RULE);
    cr_assert_eq(run_of(last)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), CROWD);
}

/* Ended children are stepped over, not looked at again and again. */
Test(settle, a_run_with_many_ended_children_is_canceled)
{
    int64_t parent = start("t");
    for (int i = 0; i < 60; i++)
        end_done(make_child(parent, (uint32_t)i, "u"));
    int64_t last = make_child(parent, 60, "u");

    add(COMMAND_CANCEL)->cancel = (struct cancel){ .environment = DEV, .id = parent };
    cr_assert(commit());
    for (int i = 0; i < 8; i++)
        cr_assert(go_on());

    cr_assert_eq(run_of(last)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(run_of(parent)->due_ms, 0);
}
