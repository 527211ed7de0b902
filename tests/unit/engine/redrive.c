/* Runs whose attempts are used up: kept, or dead letters, and how they go on. */
#include "bench.h"

#define STATUS(run)  (run_of(run)->status)
#define OUTCOME(run) (run_of(run)->outcome)

static void says(uint32_t exhausted)
{
    bench.tasks[0].on_exhausted = exhausted;
    bench.tasks[0].max_attempts = 2;
    bench_catalog();
}

TestSuite(redrive, .init = bench_open, .fini = bench_close);

static struct redrive_item *redrive(int64_t run, bool from_start)
{
    static struct redrive_item item;
    struct command *command = add(COMMAND_REDRIVE);

    item = (struct redrive_item){ .id = run };
    command->redrive = (struct redrive){ .environment = DEV,
                                         .items = &item,
                                         .count = 1,
                                         .from_start = from_start,
                                         .by = SLICE("ann") };
    cr_assert(commit(), "%s", bench.err.text);
    cr_assert_eq(item.err.code, command->err.code);
    return &item;
}

/* It has waited for a token, and then used its attempts up. */
static int64_t used_up(void)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);

    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    complete(token, "\x05");
    end_fail(run, true);
    end_fail(run, true);
    return run;
}

/* ---- paused -------------------------------------------------------------------------------
 */

Test(redrive, a_paused_run_is_kept_and_nothing_of_it_is_lost)
{
    says(EXHAUSTED_PAUSE);
    int64_t run = used_up();
    cr_assert(run_is_paused(run_of(run)));
    cr_assert_str_eq(last_move(run), "paused, as its attempts are used up: CARD_DECLINED");
    bench_restart(true);
    advance(DAYS(100));
    cr_assert(run_is_paused(run_of(run)));

    cr_assert_eq(redrive(run, false)->run_id, run);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->attempt, 3);
    cr_assert_eq(segment(run)->max_attempts, 4, "its tries begin anew");
    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert(slice_is(segment(run)->state, "\x81\xa1n\x05"));
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"), "and the wait its result");
    end_done(run);
    cr_assert_eq(OUTCOME(run), OUTCOME_COMPLETED);
}

Test(redrive, a_paused_run_may_begin_anew)
{
    says(EXHAUSTED_PAUSE);
    int64_t run = used_up();

    redrive(run, true);

    cr_assert(slice_is(segment(run)->segment, "start"));
    cr_assert_eq(segment(run)->state.size, 0);
    cr_assert_eq(segment(run)->result_count, 0);
}

Test(redrive, who_waits_for_a_paused_run_waits)
{
    says(EXHAUSTED_PAUSE);
    int64_t parent = start("u"), child = make_child(parent, 1, "t");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);
    end_fail(child, true);
    end_fail(child, true);
    cr_assert_eq(STATUS(parent), RUN_WAITING);

    redrive(child, false);
    end_done(child);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
}

Test(redrive, what_is_to_fail_for_good_is_not_paused)
{
    says(EXHAUSTED_PAUSE);
    int64_t run = start("t");

    end_fail(run, false);

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
    cr_assert_not(run_of(run)->is_dead);
    cr_assert_eq(redrive(run, false)->err.code, ERR_NOT_NOW);
}

/* ---- dead letters -------------------------------------------------------------------------
 */

Test(redrive, for_a_dead_letter_a_new_run_goes_on_where_it_has_ended)
{
    says(EXHAUSTED_DEAD_LETTER);
    int64_t run = used_up();
    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
    cr_assert(run_of(run)->is_dead);
    cr_assert(slice_is(run_of(run)->state, "\x81\xa1n\x05"), "it is kept");

    int64_t next = redrive(run, false)->run_id;

    cr_assert(next != 0 && next != run);
    cr_assert_eq(STATUS(next), RUN_RUNNING);
    cr_assert_eq(segment(next)->attempt, 1);
    cr_assert(slice_is(segment(next)->segment, "next"));
    cr_assert(slice_is(segment(next)->state, "\x81\xa1n\x05"));
    cr_assert(slice_is(segment(next)->results[0].value, "\x05"));
    cr_assert_eq(STATUS(run), RUN_DONE, "what is done stays done");
    cr_assert_not(run_of(run)->is_dead);
    cr_assert_eq(run_of(run)->state.size, 0);
    cr_assert_eq(redrive(run, false)->err.code, ERR_NOT_NOW, "once");
    end_done(next);
    cr_assert_eq(OUTCOME(next), OUTCOME_COMPLETED);
}

Test(redrive, a_dead_letter_may_begin_anew)
{
    says(EXHAUSTED_DEAD_LETTER);
    int64_t run = used_up();

    int64_t next = redrive(run, true)->run_id;

    cr_assert(slice_is(segment(next)->segment, "start"));
    cr_assert_eq(segment(next)->state.size, 0);
}

Test(redrive, who_waits_for_a_dead_letter_is_told)
{
    says(EXHAUSTED_DEAD_LETTER);
    int64_t parent = start("u"), child = make_child(parent, 1, "t");
    wait_for(parent, WAIT_FOR_RUNS, &child, 1, 0, 0);

    end_fail(child, true);
    end_fail(child, true);

    cr_assert_eq(STATUS(parent), RUN_RUNNING);
    cr_assert_eq(segment(parent)->results[0].status, WAIT_FAILED);
}

Test(redrive, a_queue_goes_before_its_task)
{
    bench.queues[0] = (struct catalog_queue){ .name = SLICE("task/t") };
    bench.queues[0].rules.concurrency = 100;
    bench.queues[0].rules.on_exhausted = EXHAUSTED_FAIL;
    bench.queue_count = 1;
    says(EXHAUSTED_PAUSE);

    int64_t run = used_up();

    cr_assert_eq(OUTCOME(run), OUTCOME_FAILED);
}

Test(redrive, some_go_on_together_and_each_once)
{
    says(EXHAUSTED_DEAD_LETTER);
    int64_t run = used_up(), other = used_up();
    struct redrive_item items[] = {
        { .id = run }, { .id = other }, { .id = run }, { .id = 5 }
    };
    struct command *command = add(COMMAND_REDRIVE);
    command->redrive = (struct redrive){ .environment = DEV, .items = items, .count = 4 };
    cr_assert(commit());

    cr_assert(items[0].run_id != 0 && items[1].run_id != 0);
    cr_assert_eq(items[2].err.code, ERR_NOT_NOW);
    cr_assert_eq(items[3].err.code, ERR_NOT_FOUND);
    cr_assert_eq(command->err.code, ERR_OK);
}

Test(redrive, of_another_environment_is_not_found)
{
    says(EXHAUSTED_DEAD_LETTER);
    int64_t run = used_up();
    struct redrive_item item = { .id = run };
    struct command *command = add(COMMAND_REDRIVE);
    command->redrive = (struct redrive){ .environment = PROD, .items = &item, .count = 1 };
    cr_assert(commit());

    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
}
