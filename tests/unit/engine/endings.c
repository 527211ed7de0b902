/* What a run still does when it ends badly: what it has registered is undone, hooks are called.
 */
#include "bench.h"
#include "codec/pack.h"

TestSuite(endings, .init = bench_open, .fini = bench_close);

#define STATUS(run)  (run_of(run)->status)
#define OUTCOME(run) (run_of(run)->outcome)

/* The segment of `run` ends in a wait for a time, and has registered these. */
static void registers(int64_t run, const char *first, const char *second)
{
    struct frame_end *end = add_wait(run, WAIT_FOR_TIME, NULL, 0)->segment_end.end;

    end->aborts = ARENA_ARRAY(bench_arena(), struct slice, 2);
    end->aborts[end->abort_count++] = slice_of(first);
    if (second != NULL)
        end->aborts[end->abort_count++] = slice_of(second);
    cr_assert(commit(), "%s", bench.err.text);
}

static void hooks_are(uint32_t hooks)
{
    bench.tasks[0].hooks = hooks;
    bench_catalog();
}

static void assert_undoes(int64_t run, const char *segment_name)
{
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, segment_name), "%.*s",
              SLICE_ARG(segment(run)->segment));
    cr_assert_gt(segment(run)->ending.size, 0);
}

/* The execution that is out has done its work, and left that in the state. */
static void undone(int64_t run, const char *state)
{
    add_end(run, VERDICT_DONE)->segment_end.end->state = slice_of(state);
    cr_assert(commit(), "%s", bench.err.text);
}

static void assert_is_done(int64_t run, uint32_t outcome)
{
    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_eq(OUTCOME(run), outcome);
    cr_assert_eq(run_of(run)->ending, OUTCOME_NONE);
    cr_assert_eq(run_of(run)->aborts.size, 0);
    cr_assert_eq(run_of(run)->due_ms, 0);
}

Test(endings, what_was_registered_is_undone_in_reverse_order_with_the_saved_state)
{
    int64_t run = start("t");
    registers(run, "last", "next");

    end_fail(run, false);

    assert_undoes(run, "next");
    cr_assert(slice_is(segment(run)->ending, "FAILED"));
    cr_assert(slice_is(segment(run)->error_code, "CARD_DECLINED"));
    cr_assert(slice_equal(segment(run)->state, SLICE("\x81\xa1n\x05")));
    undone(run, "\x81\xa1n\x06");
    assert_undoes(run, "last");
    cr_assert(slice_equal(segment(run)->state, SLICE("\x81\xa1n\x06")), "the first's work");
    undone(run, "\x81\xa1n\x07");
    assert_is_done(run, OUTCOME_FAILED);
    cr_assert_str_eq(error_name(run), "CARD_DECLINED");
    cr_assert_eq(run_of(run)->attempt, 1);
}

Test(endings, a_run_that_is_well_undoes_nothing)
{
    int64_t run = start("t");
    registers(run, "last", NULL);

    end_done(run);

    assert_is_done(run, OUTCOME_COMPLETED);
}

Test(endings, a_segment_that_fails_registers_nothing)
{
    int64_t run = start("t");
    struct frame_end *end = add_end(run, VERDICT_FAIL)->segment_end.end;
    end->aborts = ARENA_ARRAY(bench_arena(), struct slice, 1);
    end->aborts[end->abort_count++] = SLICE("last");
    end->error_code = SLICE("NO");
    cr_assert(commit());

    assert_is_done(run, OUTCOME_FAILED);
}

Test(endings, nothing_is_undone_while_it_is_tried_again)
{
    int64_t run = start("t");
    registers(run, "last", NULL);

    end_fail(run, true);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->ending.size, 0);
    cr_assert(slice_is(segment(run)->segment, "next"));
}

Test(endings, a_crash_for_good_and_a_time_out_are_undone_too)
{
    static const struct {
        enum loss loss;
        uint32_t outcome;
    } cases[] = { { LOSS_CRASHED, OUTCOME_CRASHED }, { LOSS_TIMED_OUT, OUTCOME_TIMED_OUT } };

    for (size_t i = 0; i < 2; i++) {
        int64_t run = start("t");
        registers(run, "last", NULL);
        lose(run, cases[i].loss);
        lose(run, cases[i].loss);
        cr_assert_eq(segment(run)->ending.size, 0);
        lose(run, cases[i].loss);
        assert_undoes(run, "last");
        undone(run, "\x80");
        assert_is_done(run, cases[i].outcome);
    }
}

Test(endings, one_that_waits_is_undone_when_it_is_canceled)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    struct frame_end *end = add_wait(run, WAIT_FOR_TOKEN, &token, 1)->segment_end.end;
    end->aborts = ARENA_ARRAY(bench_arena(), struct slice, 1);
    end->aborts[end->abort_count++] = SLICE("last");
    cr_assert(commit());

    cancel(run);

    assert_undoes(run, "last");
    cr_assert(slice_is(segment(run)->ending, "CANCELED"));
    cr_assert_eq(store_memory_count(bench.store, ROW_EDGE), 0);
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_CANCELED);
}

static bool was_told(int64_t run)
{
    for (uint32_t i = 0; i < bench.event_count; i++)
        if (bench.events[i].run_id == run && bench.events[i].was_running)
            return true;
    return false;
}

Test(endings, one_whose_segment_is_out_is_undone_when_that_has_returned)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    uint32_t seq = segment(run)->seq;

    cancel(run);

    cr_assert(was_told(run));
    cr_assert_eq(STATUS(run), RUN_RUNNING, "its segment is out");
    cr_assert_eq(segment(run)->seq, seq);
    release(run);
    assert_undoes(run, "last");
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_CANCELED);
}

Test(endings, what_a_canceled_segment_has_done_to_its_end_is_undone)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    cancel(run);

    registers(run, "next", NULL);

    assert_undoes(run, "next");
    undone(run, "\x80");
    assert_undoes(run, "last");
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_CANCELED);
}

Test(endings, what_a_canceled_segment_says_as_it_fails_is_not_kept)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    cancel(run);

    end_fail(run, true);

    assert_undoes(run, "last");
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_CANCELED);
    cr_assert_str_eq(error_name(run), "");
}

Test(endings, the_hooks_come_last_and_once)
{
    hooks_are(HOOK_ON_FAILURE | HOOK_ON_CANCEL);
    int64_t run = start("t"), other = start("t");
    registers(run, "last", NULL);

    end_fail(run, false);
    undone(run, "\x81\xa1n\x06");
    assert_undoes(run, "@on_failure");
    cr_assert(slice_equal(segment(run)->state, SLICE("\x81\xa1n\x06")));
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_FAILED);

    cancel(other);
    release(other);
    assert_undoes(other, "@on_cancel");
    undone(other, "\x80");
    assert_is_done(other, OUTCOME_CANCELED);
}

Test(endings, a_hook_is_of_its_own_kind_of_end)
{
    hooks_are(HOOK_ON_CANCEL);
    int64_t run = start("t");

    end_fail(run, false);

    assert_is_done(run, OUTCOME_FAILED);
}

Test(endings, one_that_has_not_started_is_told_of_its_cancel_and_never_has)
{
    hooks_are(HOOK_ON_CANCEL);
    pause("task/t", true);
    int64_t run = trigger("t");

    cancel(run);

    cr_assert_eq(STATUS(run), RUN_QUEUED, "its queue is paused");
    pause("task/t", false);
    assert_undoes(run, "@on_cancel");
    cr_assert_eq(segment(run)->state.size, 0);
    undone(run, "");
    assert_is_done(run, OUTCOME_CANCELED);
    cr_assert_eq(run_of(run)->started_ms, 0);
}

Test(endings, one_that_expires_has_nothing_to_say)
{
    hooks_are(HOOK_ON_FAILURE | HOOK_ON_CANCEL);
    pause("task/t", true);
    struct trigger *options = &add_trigger("t")->trigger;
    options->ttl_ms = 1000;
    options->has_ttl = true;
    cr_assert(commit());
    int64_t run = options->run_id;

    advance(1000);

    assert_is_done(run, OUTCOME_EXPIRED);
}

Test(endings, its_ttl_does_not_end_what_is_to_be_undone)
{
    hooks_are(HOOK_ON_CANCEL);
    pause("task/t", true);
    struct trigger *options = &add_trigger("t")->trigger;
    options->ttl_ms = 1000;
    options->has_ttl = true;
    cr_assert(commit());
    int64_t run = options->run_id;
    cancel(run);

    advance(2000);

    cr_assert_eq(STATUS(run), RUN_QUEUED);
    pause("task/t", false);
    assert_undoes(run, "@on_cancel");
}

Test(endings, a_try_that_fails_is_tried_again_and_then_given_up)
{
    bench.tasks[0].abort_attempts = 2;
    bench_catalog();
    int64_t run = start("t");
    registers(run, "last", "next");
    end_fail(run, false);

    lose(run, LOSS_CRASHED);
    assert_undoes(run, "next");
    cr_assert_eq(run_of(run)->undo_tries, 1);
    lose(run, LOSS_CRASHED);

    assert_undoes(run, "last");
    cr_assert_gt(run_of(run)->undo_errors.size, 0);
    bool is_warned = false;
    for (uint32_t i = 0; i < bench.event_count; i++)
        is_warned |= bench.events[i].warning.size > 0;
    cr_assert(is_warned);
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_FAILED);
    cr_assert_str_eq(error_name(run), "CARD_DECLINED", "why it failed, not what came of that");
    cr_assert_gt(run_of(run)->undo_errors.size, 0);
}

Test(endings, what_cannot_succeed_is_given_up_at_once)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    end_fail(run, false);

    end_fail(run, false);

    assert_is_done(run, OUTCOME_FAILED);
    cr_assert_gt(run_of(run)->undo_errors.size, 0);
}

Test(endings, a_try_pauses_before_the_next)
{
    bench.tasks[0].retry_min_ms = bench.tasks[0].retry_max_ms = 1000000;
    bench_catalog();
    int64_t run = start("t");
    registers(run, "last", NULL);
    end_fail(run, false);

    lose(run, LOSS_CRASHED);

    cr_assert_eq(STATUS(run), RUN_DELAYED);
    advance(1000000);
    assert_undoes(run, "last");
}

Test(endings, it_cannot_wait)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    end_fail(run, false);

    wait_time(run, bench.now_ms + 1000);

    assert_is_done(run, OUTCOME_FAILED);
    struct value list;
    cr_assert(pack_read(bench_arena(), run_of(run)->undo_errors, &list, NULL));
    cr_assert(slice_is(value_find(&list.items[0], "name")->bytes, "cannot_wait"));
}

Test(endings, a_cancel_changes_nothing_of_an_ending)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    end_fail(run, false);
    uint32_t seq = run_of(run)->seq;

    cr_assert_eq(cancel(run)->err.code, ERR_OK);

    cr_assert_eq(run_of(run)->seq, seq);
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_FAILED);
}

Test(endings, a_death_of_the_server_costs_no_try)
{
    int64_t run = start("t"), other = start("t");
    registers(run, "last", "next");
    registers(other, "last", NULL);
    end_fail(run, false);
    cancel(other);

    bench_restart(true);

    assert_undoes(run, "next");
    assert_undoes(other, "last");
    cr_assert_eq(run_of(run)->undo_tries, 0);
    undone(run, "\x80");
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_FAILED);
    undone(other, "\x80");
    assert_is_done(other, OUTCOME_CANCELED);
}

Test(endings, it_waits_for_its_plugin)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    bench.tasks[0].available = false;
    bench.tasks[0].reason = SLICE("it is gone");
    bench_catalog();

    end_fail(run, false);

    cr_assert_eq(STATUS(run), RUN_PARKED);
    bench.tasks[0].available = true;
    bench_catalog();
    assert_undoes(run, "last");
}

Test(endings, a_hook_that_was_known_is_called_when_its_plugin_comes_back)
{
    hooks_are(HOOK_ON_CANCEL);
    int64_t run = start("t");
    wait_time(run, bench.now_ms + 100000);
    bench.tasks[0].available = false;
    bench.tasks[0].reason = SLICE("it is gone");
    bench_catalog();

    cancel(run);

    cr_assert_eq(STATUS(run), RUN_PARKED);
    bench.tasks[0].available = true;
    bench_catalog();
    assert_undoes(run, "@on_cancel");
}

Test(endings, its_parent_goes_on_when_all_is_undone)
{
    int64_t parent = start("u"), child = make_child(parent, 1, "t");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    registers(child, "last", NULL);

    end_fail(child, false);

    cr_assert_eq(STATUS(parent), RUN_WAITING);
    undone(child, "\x80");
    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_FAILED);
}

Test(endings, its_children_are_canceled_at_once_and_first)
{
    int64_t run = start("t"), child = make_child(run, 1, "u");
    registers(run, "last", NULL);

    cancel(run);

    cr_assert_eq(OUTCOME(child), OUTCOME_CANCELED);
    release(run);
    assert_undoes(run, "last");
    undone(run, "\x80");
    assert_is_done(run, OUTCOME_CANCELED);
}

Test(endings, what_undoes_something_may_trigger_what_goes_on)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    cancel(run);
    release(run);

    int64_t child = make_child(run, 1, "u");
    undone(run, "\x80");

    assert_is_done(run, OUTCOME_CANCELED);
    cr_assert_eq(STATUS(child), RUN_RUNNING);
}

Test(endings, a_segment_that_is_canceled_triggers_nothing_more)
{
    int64_t run = start("t");
    registers(run, "last", NULL);
    cancel(run);

    struct command *command = add_child(run, 1, "u");
    cr_assert(commit());

    cr_assert_eq(command->err.code, ERR_RULE);
}

Test(endings, only_segments_of_the_task_are_registered)
{
    int64_t run = start("t");

    registers(run, "nobody", NULL);

    assert_is_done(run, OUTCOME_FAILED);
    cr_assert_str_eq(error_name(run), "segment_not_listed");
}

Test(endings, it_counts_in_its_queue_as_any_run)
{
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("task/t"), .rules.concurrency = 1 };
    bench_catalog();
    int64_t run = start("t"), next = trigger("t");
    registers(run, "last", NULL);
    cr_assert_eq(STATUS(run), RUN_RUNNING, "it ranks before");

    end_fail(run, false);

    assert_undoes(run, "last");
    cr_assert_eq(STATUS(next), RUN_QUEUED);
    undone(run, "\x80");
    cr_assert_eq(STATUS(next), RUN_RUNNING);
}
