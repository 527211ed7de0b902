/* Cancel: a run and all below it, whatever they are doing. */
#include "bench.h"

TestSuite(cancel, .init = bench_open, .fini = bench_close);

#define STATUS(run)  (run_of(run)->status)
#define OUTCOME(run) (run_of(run)->outcome)

static void assert_is_canceled(int64_t run)
{
    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_eq(OUTCOME(run), OUTCOME_CANCELED);
    cr_assert_eq(run_of(run)->due_ms, 0);
    cr_assert_eq(run_of(run)->finished_ms, bench.now_ms);
}

static void assert_canceled(int64_t run)
{
    assert_is_canceled(run);
    cr_assert(has_event(run, RUN_DONE));
}

static bool was_told(int64_t run)
{
    for (uint32_t i = 0; i < bench.event_count; i++)
        if (bench.events[i].run_id == run && bench.events[i].was_running)
            return true;
    return false;
}

Test(cancel, a_running_run_is_canceled_and_its_slot_is_told)
{
    int64_t run = start("t");

    cancel(run);

    assert_canceled(run);
    cr_assert(was_told(run));
    struct command *late = add_end(run, VERDICT_DONE);
    commit();
    cr_assert_eq(late->err.code, ERR_RULE, "what the slot says later does not count");
}

Test(cancel, a_queued_run_is_canceled_and_nobody_is_told)
{
    pause("task/t", true);
    int64_t run = trigger("t");

    cancel(run);

    assert_canceled(run);
    cr_assert_not(was_told(run));
    pause("task/t", false);
    cr_assert_eq(OUTCOME(run), OUTCOME_CANCELED);
}

Test(cancel, a_delayed_run_is_canceled)
{
    struct trigger *options = &add_trigger("t")->trigger;
    options->due_ms = bench.now_ms + 1000;
    commit();
    int64_t run = options->run_id;

    cancel(run);

    assert_canceled(run);
    advance(1000);
    cr_assert_eq(OUTCOME(run), OUTCOME_CANCELED);
}

Test(cancel, a_run_between_two_attempts_is_canceled)
{
    bench.tasks[0].retry_min_ms = bench.tasks[0].retry_max_ms = 1000000;
    bench_catalog();
    int64_t run = start("t");
    end_fail(run, true);
    cr_assert_eq(STATUS(run), RUN_DELAYED);

    cancel(run);

    assert_canceled(run);
}

Test(cancel, a_waiting_run_is_canceled_and_lets_its_tokens_go)
{
    int64_t run = start("t"), tokens[] = { make_token(run, 1, 0), make_token(run, 2, 0) };
    wait_for(run, WAIT_FOR_TOKEN, tokens, 2, 0, 0);

    cancel(run);

    assert_canceled(run);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    cr_assert_eq(complete(tokens[0], "\x01")->err.code, ERR_GONE, "nobody waits any more");
    cr_assert_eq(OUTCOME(run), OUTCOME_CANCELED);
}

Test(cancel, a_run_that_waits_for_a_time_is_canceled)
{
    int64_t run = start("t");
    wait_time(run, bench.now_ms + 1000);

    cancel(run);

    assert_canceled(run);
    advance(1000);
    cr_assert_eq(OUTCOME(run), OUTCOME_CANCELED);
}

Test(cancel, a_parked_run_is_canceled)
{
    int64_t run = trigger("nobody-offers-this");
    cr_assert_eq(STATUS(run), RUN_PARKED);

    cancel(run);

    assert_canceled(run);
}

Test(cancel, a_run_that_is_done_stays_as_it_was)
{
    int64_t run = start("t");
    end_done(run);
    uint32_t seq = run_of(run)->seq;

    struct command *command = cancel(run);

    cr_assert_eq(command->err.code, ERR_OK);
    cr_assert_eq(OUTCOME(run), OUTCOME_COMPLETED);
    cr_assert_eq(run_of(run)->seq, seq);
    cr_assert_eq(bench.event_count, 0);
}

Test(cancel, an_unknown_run_and_another_environments_are_not_found)
{
    int64_t run = start("t");
    struct command *other = add(COMMAND_CANCEL), *unknown = add(COMMAND_CANCEL);
    other->cancel = (struct cancel){ .environment = PROD, .id = run };
    unknown->cancel = (struct cancel){ .environment = DEV, .id = 12345 };
    commit();

    cr_assert_eq(other->err.code, ERR_NOT_FOUND);
    cr_assert_eq(unknown->err.code, ERR_NOT_FOUND);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

/* A tree with a run in each status. */
Test(cancel, the_whole_subtree_goes_with_it_whatever_it_does)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("shut"), .rules.concurrency = 1 };
    bench_catalog();
    pause("shut", true);
    int64_t root = start("t");
    int64_t running = make_child(root, 1, "t"), waiting = make_child(root, 2, "t");
    int64_t done = make_child(root, 3, "t"), grandchild = make_child(running, 1, "u");
    struct command *command = add_child(root, 4, "u");
    command->trigger.queue = SLICE("shut");
    commit();
    int64_t queued = command->trigger.run_id;
    command = add_child(root, 5, "u");
    command->trigger.due_ms = bench.now_ms + 5000;
    commit();
    int64_t delayed = command->trigger.run_id;
    bench_task("gone")->available = false;
    bench_catalog();
    int64_t parked = make_child(root, 6, "gone");
    int64_t stranger = start("t");
    wait_for(waiting, WAIT_FOR_RUNS, &stranger, 1, 0, 0);
    end_done(done);
    int64_t children[] = { running, waiting, queued };
    wait_for(root, WAIT_FOR_RUNS, children, 3, 0, 0);

    cancel(root);

    assert_canceled(root);
    assert_canceled(running);
    assert_canceled(waiting);
    assert_canceled(queued);
    assert_canceled(delayed);
    assert_canceled(parked);
    assert_canceled(grandchild);
    cr_assert_eq(OUTCOME(done), OUTCOME_COMPLETED);
    cr_assert_eq(STATUS(stranger), RUN_RUNNING);
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    cr_assert(was_told(running) && was_told(grandchild) && !was_told(root));
}

Test(cancel, a_child_that_is_made_in_the_same_batch_goes_too)
{
    int64_t root = start("t");
    struct command *child = add_child(root, 1, "u");
    struct command *command = add(COMMAND_CANCEL);
    command->cancel = (struct cancel){ .environment = DEV, .id = root };
    commit();

    cr_assert_eq(child->err.code, ERR_OK);
    assert_canceled(root);
    assert_canceled(child->trigger.run_id);
}

Test(cancel, a_child_of_a_canceled_run_is_not_made)
{
    int64_t root = start("t");
    struct command *command = add(COMMAND_CANCEL);
    command->cancel = (struct cancel){ .environment = DEV, .id = root };
    struct command *child = add_child(root, 1, "u");
    commit();

    cr_assert_eq(child->err.code, ERR_RULE);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 1);
}

Test(cancel, the_reason_stands_in_the_timeline_of_the_run_it_was_given_for)
{
    int64_t root = start("t");
    struct command *made = add_child(root, 1, "u");
    commit();
    int64_t child = made->trigger.run_id;
    struct command *command = add(COMMAND_CANCEL);
    command->cancel =
        (struct cancel){ .environment = DEV, .id = root, .reason = SLICE("wrong customer") };
    commit();

    assert_canceled(root);
    assert_canceled(child);
    cr_assert_str_eq(last_move(root), "wrong customer");
    cr_assert_str_eq(last_move(child), "");
}

Test(cancel, a_deep_tree_is_canceled_to_its_leaves)
{
    int64_t runs[10];
    runs[0] = start("t");
    for (int i = 1; i < 10; i++)
        runs[i] = make_child(runs[i - 1], 1, "t");

    cancel(runs[3]);

    for (int i = 0; i < 10; i++)
        cr_assert_eq(STATUS(runs[i]), i < 3 ? RUN_RUNNING : RUN_DONE);
}

/* ---- a limit counts what executes -------------------------------------------------------- */

static void narrow(void)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("task/t"), .rules.concurrency = 1 };
    bench_catalog();
}

/* The END that was on its way, a kill, a slot that never began it: each says that it is over.
 */
static void assert_freed_by(struct command *(*over)(int64_t run))
{
    narrow();
    int64_t run = start("t"), next = trigger("t");

    cancel(run);
    assert_canceled(run);
    cr_assert_eq(STATUS(next), RUN_QUEUED, "the place is still taken");

    over(run);

    cr_assert_eq(STATUS(next), RUN_RUNNING);
    assert_is_canceled(run);
}

static struct command *end_late(int64_t run)
{
    struct command *late = add_end(run, VERDICT_DONE);
    commit();
    return late;
}

static struct command *lose_late(int64_t run)
{
    return lose(run, LOSS_CRASHED);
}

Test(cancel, its_place_is_free_when_its_segment_returns)
{
    assert_freed_by(end_late);
}

Test(cancel, its_place_is_free_when_its_segment_was_killed)
{
    assert_freed_by(lose_late);
}

Test(cancel, its_place_is_free_when_its_slot_lets_go)
{
    assert_freed_by(release);
}

Test(cancel, its_place_is_taken_once_and_freed_once)
{
    narrow();
    int64_t run = start("t"), second = trigger("t"), third = trigger("t");
    cancel(run);

    release(run);
    release(run);

    cr_assert_eq(STATUS(second), RUN_RUNNING);
    cr_assert_eq(STATUS(third), RUN_QUEUED);
}

Test(cancel, a_parent_goes_on_when_its_childs_segment_has_returned)
{
    int64_t parent = start("t"), child = make_child(parent, 1, "u");
    cr_assert_eq(STATUS(child), RUN_RUNNING);
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);

    cancel(child);
    cr_assert_eq(STATUS(parent), RUN_WAITING);
    release(child);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_CANCELLED);
}

/* It waits after the cancel: the same. */
Test(cancel, a_parent_waits_for_a_canceled_child_that_is_still_out)
{
    int64_t parent = start("t"), child = make_child(parent, 1, "u");
    cancel(child);

    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    cr_assert_eq(STATUS(parent), RUN_WAITING);
    release(child);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
}

Test(cancel, a_restart_frees_what_was_canceled)
{
    narrow();
    int64_t run = start("t"), next = trigger("t");
    int64_t parent = start("u"), child = make_child(parent, 1, "u");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    cancel(run);
    cancel(child);

    bench_restart(true);

    cr_assert_eq(STATUS(next), RUN_RUNNING);
    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    assert_is_canceled(run);
}

static void walk_runs(void)
{
    struct command *command = add(COMMAND_PRUNE);

    command->prune =
        (struct prune){ .kind = ROW_RUN, .looks = 1000, .most = 1000, .asked_ms = 1 };
    cr_assert(commit());
}

/* Its end is told when its segment has returned: who began to wait before may still ask. */
Test(cancel, who_was_canceled_goes_no_sooner_than_its_end_is_told)
{
    int64_t out = start("t"), token = make_token(0, 0, 0), run = start("u");
    struct frame_end *end;

    bench.retention.span_ms[RETAIN_RUNS] = SECONDS(10);
    bench_catalog();
    cancel(out);
    advance(SECONDS(2));
    walk_runs();
    advance(SECONDS(2));
    pause("task/u", true);
    end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;
    end->needed = 1;
    end->part_count = 2;
    end->parts = ARENA_ARRAY(bench_arena(), struct frame_part, 2);
    end->parts[0] = (struct frame_part){ .kind = PART_RUN, .id = out };
    end->parts[1] = (struct frame_part){ .kind = PART_TOKEN, .id = token };
    cr_assert(commit());
    complete(token, "\x01");
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    advance(SECONDS(20));
    release(out);

    walk_runs();

    cr_assert(store_memory_find(bench.store, out) != NULL);
    pause("task/u", false);
    cr_assert_eq(segment(run)->results[0].status, WAIT_CANCELLED);
    end_done(run);
    for (int i = 0; i < 3; i++) { /* nobody asks any more: that is found out, and counts */
        advance(SECONDS(20));
        walk_runs();
    }
    cr_assert(store_memory_find(bench.store, out) == NULL);
}
