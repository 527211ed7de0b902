/* What becomes of the children of a run that was canceled, or took too long. */
#include "bench.h"

TestSuite(children, .init = bench_open, .fini = bench_close);

#define STATUS(run)  run_of(run)->status
#define OUTCOME(run) run_of(run)->outcome

static int64_t child_of(int64_t run, uint32_t call, uint32_t rule)
{
    struct command *command = add_child(run, call, "u");

    command->trigger.on_parent_end = rule;
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->trigger.run_id;
}

static void task_says(uint32_t rule, uint32_t attempts)
{
    bench.tasks[0].children = rule;
    bench.tasks[0].max_attempts = attempts;
    bench_catalog();
}

static void time_out_run(int64_t run)
{
    lose(run, LOSS_TIMED_OUT);
    cr_assert_eq(OUTCOME(run), OUTCOME_TIMED_OUT);
}

static void cancel_run_of(int64_t run)
{
    cancel(run);
    cr_assert_eq(OUTCOME(run), OUTCOME_CANCELED);
}

/* Each is started; its parent ends so; then they are as they were, or canceled. */
static void assert_becomes(void (*end)(int64_t run))
{
    static const struct {
        uint32_t task, child, becomes;
    } cases[] = { { CHILDREN_UNSAID, CHILDREN_UNSAID, CHILDREN_CANCEL },
                  { CHILDREN_UNSAID, CHILDREN_ABANDON, CHILDREN_ABANDON },
                  { CHILDREN_ABANDON, CHILDREN_UNSAID, CHILDREN_ABANDON },
                  { CHILDREN_ABANDON, CHILDREN_CANCEL, CHILDREN_CANCEL },
                  { CHILDREN_WAIT, CHILDREN_UNSAID, CHILDREN_WAIT },
                  { CHILDREN_CANCEL, CHILDREN_WAIT, CHILDREN_WAIT } };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        task_says(cases[i].task, 1);
        int64_t parent = start("t"), child = child_of(parent, 1, cases[i].child);
        end(parent);
        if (cases[i].becomes == CHILDREN_CANCEL) {
            cr_expect_eq(OUTCOME(child), OUTCOME_CANCELED, "case %zu", i);
            continue;
        }
        cr_expect_eq(STATUS(child), RUN_RUNNING, "case %zu", i);
        cr_expect_eq(run_of(parent)->remaining, cases[i].becomes == CHILDREN_WAIT, "case %zu",
                     i);
    }
}

Test(children, of_a_run_that_was_canceled)
{
    assert_becomes(cancel_run_of);
}

Test(children, of_a_run_that_took_too_long)
{
    assert_becomes(time_out_run);
}

Test(children, of_a_run_that_ended_otherwise_go_on)
{
    task_says(CHILDREN_UNSAID, 1);
    int64_t failed = start("t"), crashed = start("t"), done = start("t");
    int64_t children[] = { make_child(failed, 1, "u"), make_child(crashed, 1, "u"),
                           make_child(done, 1, "u") };

    end_fail(failed, false);
    lose(crashed, LOSS_CRASHED);
    end_done(done);

    for (int i = 0; i < 3; i++)
        cr_assert_eq(STATUS(children[i]), RUN_RUNNING);
}

/* Who waits for the parent is not told before; whoever began to wait when. */
static void assert_held(bool is_waiting)
{
    int64_t grand = start("t"), parent = make_child(grand, 1, "t");
    int64_t child = child_of(parent, 1, CHILDREN_WAIT), other = child_of(parent, 2, 0);
    if (is_waiting) /* for the child that will hold it */
        wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    wait_for(grand, WAIT_FOR_RUNS, &parent, 1, 0, 0);

    cancel(parent);
    if (!is_waiting)
        release(parent);
    cr_assert_eq(OUTCOME(parent), OUTCOME_CANCELED);
    cr_assert_eq(OUTCOME(other), OUTCOME_CANCELED);
    cr_assert_eq(STATUS(child), RUN_RUNNING);
    cr_assert_eq(STATUS(grand), RUN_WAITING, "its child's end is not told yet");

    int64_t late = start("t");
    wait_for(late, WAIT_FOR_RUNS, &parent, 1, 0, 0);
    cr_assert_eq(STATUS(late), RUN_WAITING);
    bench_restart(true);
    cr_assert_eq(STATUS(grand), RUN_WAITING);
    end_done(child);

    cr_assert_eq(STATUS(grand), RUN_RUNNING);
    cr_assert_eq(STATUS(late), RUN_RUNNING);
    cr_assert_eq(segment(grand)->results[0].status, WAIT_CANCELLED);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

Test(children, hold_a_parent_that_waited_for_them)
{
    assert_held(true);
}

Test(children, hold_a_parent_that_was_running)
{
    assert_held(false);
}

Test(children, hold_their_parent_until_its_own_segment_has_returned_too)
{
    int64_t grand = start("t"), parent = make_child(grand, 1, "t");
    int64_t child = child_of(parent, 1, CHILDREN_WAIT);
    wait_for(grand, WAIT_FOR_RUNS, &parent, 1, 0, 0);
    cancel(parent);
    end_done(child);
    cr_assert_eq(STATUS(grand), RUN_WAITING);

    release(parent);

    cr_assert_eq(STATUS(grand), RUN_RUNNING);
}

/* The child's own end is not told yet when its parent ends: its segment is still out, or a
 * child of its own holds it. */
static void assert_held_by_the_canceled(bool is_out)
{
    int64_t grand = start("t"), parent = make_child(grand, 1, "t");
    int64_t child = child_of(parent, 1, CHILDREN_WAIT);
    int64_t below = is_out ? child : child_of(child, 1, CHILDREN_WAIT);
    wait_for(parent, WAIT_FOR_TIME, NULL, 0, 0, bench.now_ms + DAYS(1));
    wait_for(grand, WAIT_FOR_RUNS, &parent, 1, 0, 0);
    cancel(child);
    if (!is_out)
        release(child);

    cancel(parent);
    cr_assert_eq(OUTCOME(parent), OUTCOME_CANCELED);
    cr_assert_eq(STATUS(grand), RUN_WAITING, "the child is not over");
    if (is_out)
        release(below);
    else
        end_done(below);

    cr_assert_eq(STATUS(grand), RUN_RUNNING);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
}

Test(children, that_were_canceled_hold_their_parent_while_their_segment_is_out)
{
    assert_held_by_the_canceled(true);
}

Test(children, that_were_canceled_hold_their_parent_while_they_are_held)
{
    assert_held_by_the_canceled(false);
}

/* A crowd is looked at some at a time, and none is forgotten. */
Test(children, many_hold_their_parent)
{
    enum { MANY = 39 };
    bench.limits.steps = 7;
    task_says(CHILDREN_WAIT, 1);
    int64_t grand = start("u"), parent = make_child(grand, 1, "t"), children[MANY];
    for (uint32_t i = 0; i < MANY; i++)
        children[i] = child_of(parent, i + 1, i % 3 == 0 ? CHILDREN_CANCEL : CHILDREN_UNSAID);
    wait_for(parent, WAIT_FOR_TIME, NULL, 0, 0, bench.now_ms + DAYS(1));
    wait_for(grand, WAIT_FOR_RUNS, &parent, 1, 0, 0);

    cancel(parent);
    for (int i = 0; i < 20; i++)
        advance(1);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(STATUS(grand), RUN_WAITING, "%d", i);
        if (i % 3 == 0)
            cr_assert_eq(OUTCOME(children[i]), OUTCOME_CANCELED, "%d", i);
        else
            end_done(children[i]);
    }
    for (int i = 0; i < 20; i++)
        advance(1);

    cr_assert_eq(STATUS(grand), RUN_RUNNING);
}

Test(children, that_go_on_make_children_of_their_own)
{
    int64_t parent = start("t"), child = child_of(parent, 1, CHILDREN_ABANDON);
    cancel(parent);

    int64_t below = make_child(child, 1, "u");

    cr_assert_eq(STATUS(below), RUN_RUNNING);
    cancel(child);
    cr_assert_eq(OUTCOME(below), OUTCOME_CANCELED);
}

/* Who waits holds no place: a tree on one queue of limit 1 ends. */
Test(children, and_their_parent_share_a_queue_of_one)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("one"), .rules.concurrency = 1 };
    bench_catalog();
    struct command *command = add_trigger("t");
    command->trigger.queue = SLICE("one");
    commit();
    int64_t parent = command->trigger.run_id, children[3];
    for (uint32_t i = 0; i < 3; i++) {
        command = add_child(parent, i + 1, "u");
        command->trigger.queue = SLICE("one");
        commit();
        children[i] = command->trigger.run_id;
        cr_assert_eq(STATUS(children[i]), RUN_QUEUED);
    }

    wait_for(parent, WAIT_FOR_RUNS, children, 3, 0, 0);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(STATUS(children[i]), RUN_RUNNING);
        end_done(children[i]);
    }

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    end_done(parent);
    cr_assert_eq(OUTCOME(parent), OUTCOME_COMPLETED);
}

/* ---- whose parent a client has named ------------------------------------------------------
 */

static struct command *child_outside(int64_t parent, uint32_t environment, uint32_t rule)
{
    struct command *command = add_trigger("u");

    command->trigger.environment = environment;
    command->trigger.parent_id = parent;
    command->trigger.is_outside = command->trigger.key_global = true;
    command->trigger.on_parent_end = rule;
    cr_assert(commit());
    return command;
}

Test(children, of_a_parent_that_a_client_names_are_its_children)
{
    int64_t parent = start("t");
    wait_for(parent, WAIT_FOR_TIME, NULL, 0, 0, bench.now_ms + DAYS(1));
    int64_t child = child_outside(parent, DEV, CHILDREN_UNSAID)->trigger.run_id;
    int64_t other = child_outside(parent, DEV, CHILDREN_WAIT)->trigger.run_id;

    cr_assert_eq(run_of(child)->parent_id, parent);
    cr_assert_eq(run_of(child)->root_id, parent);
    cancel(parent);

    cr_assert_eq(OUTCOME(child), OUTCOME_CANCELED);
    cr_assert_eq(STATUS(other), RUN_RUNNING);
    cr_assert_not(run_is_over(run_of(parent)));
    end_done(other);
    cr_assert(run_is_over(run_of(parent)));
}

Test(children, have_a_parent_that_is_there_and_has_not_ended)
{
    int64_t parent = start("t"), over = start("t");
    end_done(over);
    static const char *const says[] = { "no run of this environment",
                                        "no run of this environment", "has ended" };
    const struct {
        int64_t parent;
        uint32_t environment;
    } wrong[] = { { 1, DEV }, { parent, PROD }, { over, DEV } };

    for (int i = 0; i < 3; i++) {
        struct command *command =
            child_outside(wrong[i].parent, wrong[i].environment, CHILDREN_UNSAID);
        cr_assert_eq(command->err.code, ERR_RULE, "%d", i);
        cr_assert_not_null(strstr(command->err.text, says[i]), "%s", command->err.text);
    }
}

Test(children, end_as_their_queue_says_where_nobody_does)
{
    bench.queues[0] =
        (struct catalog_queue){ SLICE("task/u"),
                                { .concurrency = 100, .on_parent_end = CHILDREN_ABANDON } };
    bench.queue_count = 1;
    bench_catalog();
    int64_t parent = start("t");
    int64_t child = child_of(parent, 1, CHILDREN_UNSAID);
    int64_t other = child_of(parent, 2, CHILDREN_CANCEL);

    cancel(parent);

    cr_assert_eq(STATUS(child), RUN_RUNNING);
    cr_assert_neq(STATUS(other), RUN_QUEUED);
}

Test(children, keep_what_their_start_costs_when_their_parent_ends)
{
    struct queue_rate rate = { 1, 50, 1000 };
    bench.queues[0] =
        (struct catalog_queue){ SLICE("q"),
                                { .concurrency = 1000, .rate = rate, .key_rate = rate } };
    bench.queue_count = 1;
    bench_catalog();
    int64_t parent = start("u");
    struct command *command = add_child(parent, 1, "t");
    command->trigger.queue = SLICE("q");
    command->trigger.concurrency_key = SLICE("a");
    command->trigger.cost = 40;
    command->trigger.on_parent_end = CHILDREN_WAIT;
    cr_assert(commit());
    int64_t child = command->trigger.run_id;
    wait_for(child, WAIT_FOR_RUNS, &parent, 1, 0, 0); /* it holds nobody then */
    cancel(parent);

    cr_assert_eq(run_cost(run_of(child), false), 40);
    cr_assert_eq(run_cost(run_of(child), true), 40);
}
