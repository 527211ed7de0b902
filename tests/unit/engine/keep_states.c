/* A task may keep more save points of a run than the last, to begin at. */
#include "base/name.h"
#include "bench.h"
#include "engine/waits/save_points.h"

static void keeps(uint32_t keep_states)
{
    bench.tasks[0].keep_states = keep_states;
    bench_catalog();
}

static void open(void)
{
    bench_open();
    keeps(3);
}

TestSuite(keep_states, .init = open, .fini = bench_close);

static const char *const states[] = { "\x81\xa1n\x01", "\x81\xa1n\x02", "\x81\xa1n\x03",
                                      "\x81\xa1n\x04", "\x81\xa1n\x05" };

static void save(int64_t run, int64_t token, const char *state)
{
    struct command *wait = add_wait(run, WAIT_FOR_TOKEN, &token, 1);

    wait->segment_end.end->state = slice_of(state);
    cr_assert(commit());
    complete(token, state + 3);
}

/* Has saved so often, and is in the segment behind. */
static int64_t saved(int count)
{
    int64_t run = start("t");

    for (int i = 0; i < count; i++)
        save(run, make_token(0, 0, 0), states[i]);
    return run;
}

static struct save_points points_of(int64_t run)
{
    return save_points_read(bench_arena(), run_of(run));
}

static void must_keep(int64_t run, int64_t first, uint32_t count)
{
    struct save_points points = points_of(run);

    cr_assert_eq(points.count, count, "%u are kept", points.count);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(points.items[i].number, first + i);
        cr_assert(slice_is(points.items[i].state, states[first + i - 1]));
        cr_assert(slice_is(points.items[i].segment, "next"));
        cr_assert_eq(points.items[i].saved_ms, bench.now_ms);
    }
}

static struct command *begin_at(int64_t run, uint32_t place)
{
    struct save_points points = points_of(run);
    struct command *command = add_trigger("t");

    command->trigger.goes_on = save_point_run(bench_arena(), run_of(run), &points.items[place]);
    cr_assert(commit());
    return command;
}

Test(keep_states, the_last_ones_stay_and_the_oldest_goes)
{
    int64_t run = saved(2);

    must_keep(run, 1, 2);
    save(run, make_token(0, 0, 0), states[2]);
    must_keep(run, 1, 3);
    save(run, make_token(0, 0, 0), states[3]);
    must_keep(run, 2, 3);
    bench_restart(true);
    must_keep(run, 2, 3);
}

Test(keep_states, one_is_the_standard_and_has_no_part)
{
    keeps(1);
    int64_t run = saved(3);

    cr_assert_eq(run_of(run)->states.size, 0);
    cr_assert_eq(run_of(run)->saved_ms, 0);
    cr_assert_eq(points_of(run).count, 1, "the last");
}

Test(keep_states, they_are_bounded_in_bytes)
{
    int64_t run = saved(3);
    int64_t bytes = points_of(run).items[0].bytes;

    bench.limits.kept_states_bytes = 2 * bytes - 1;
    bench_catalog();
    save(run, make_token(0, 0, 0), states[3]);
    must_keep(run, 3, 2);
    bench.limits.kept_states_bytes = 1;
    bench_catalog();
    save(run, make_token(0, 0, 0), states[4]);
    must_keep(run, 5, 1);
    cr_assert_eq(run_of(run)->kept, 0);
}

Test(keep_states, of_what_has_completed_or_was_canceled_they_stay)
{
    int64_t done = saved(2), gone = saved(3);

    end_done(done);
    cancel(gone);

    cr_assert_eq(run_of(done)->outcome, OUTCOME_COMPLETED);
    cr_assert_eq(run_of(gone)->outcome, OUTCOME_CANCELED);
    must_keep(done, 1, 2);
    must_keep(gone, 1, 3);
}

Test(keep_states, a_run_begins_at_one_with_what_its_wait_had_brought)
{
    int64_t run = saved(3);

    end_done(run);
    struct command *made = begin_at(run, 1);
    int64_t again = made->trigger.run_id;

    cr_assert(slice_is(segment(again)->segment, "next"));
    cr_assert(slice_is(segment(again)->state, states[1]));
    cr_assert_eq(segment(again)->result_count, 1);
    cr_assert(slice_is(segment(again)->results[0].value, "\x02"));
    save(again, make_token(0, 0, 0), states[2]);
    must_keep(again, 2, 2);
}

Test(keep_states, one_that_was_canceled_while_it_waited_begins_as_if_the_wait_gave_up)
{
    int64_t run = saved(1), token = make_token(0, 0, 0);
    struct command *wait = add_wait(run, WAIT_FOR_TOKEN, &token, 1);

    wait->segment_end.end->state = slice_of(states[1]);
    cr_assert(commit());
    cancel(run);
    must_keep(run, 1, 2);
    int64_t again = begin_at(run, 1)->trigger.run_id;

    cr_assert(slice_is(segment(again)->state, states[1]));
    cr_assert_eq(segment(again)->results[segment(again)->result_count - 1].status,
                 WAIT_TIMEOUT);
}

Test(keep_states, what_undoes_a_run_leaves_them)
{
    bench.tasks[0].hooks = HOOK_ON_CANCEL;
    bench_catalog();
    int64_t run = saved(1), token = make_token(0, 0, 0);
    struct command *wait = add_wait(run, WAIT_FOR_TOKEN, &token, 1);

    wait->segment_end.end->state = slice_of(states[1]);
    cr_assert(commit());
    cancel(run);
    cr_assert(slice_is(segment(run)->segment, HOOK_ON_CANCEL_NAME));
    end_done(run);

    cr_assert_eq(run_of(run)->outcome, OUTCOME_CANCELED);
    must_keep(run, 1, 2);
}

Test(keep_states, a_retry_from_the_start_leaves_them)
{
    bench.tasks[0].retry_from = RETRY_FROM_START;
    bench_catalog();
    int64_t run = saved(2);

    end_fail(run, true);
    cr_assert_eq(run_of(run)->state.size, 0);
    must_keep(run, 1, 2);
}

Test(keep_states, a_task_that_keeps_no_more_lets_them_go_at_the_next_one)
{
    int64_t run = saved(2);

    keeps(0);
    save(run, make_token(0, 0, 0), states[2]); /* it is queued again */
    save(run, make_token(0, 0, 0), states[3]);
    cr_assert_eq(run_of(run)->kept, 0);
    cr_assert_eq(run_of(run)->states.size, 0);
}
