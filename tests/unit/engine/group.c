/* Waits for groups: parts of all kinds, nested, with reminders, a way out, and what is left. */
#include "bench.h"

TestSuite(group, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

enum { PARTS_MAX = 16 };

static struct frame_part token_part(const char *name, int64_t id, uint32_t of)
{
    return (
        struct frame_part){ .kind = PART_TOKEN, .id = id, .of = of, .name = slice_of(name) };
}

static struct frame_part run_part(const char *name, int64_t id, uint32_t of)
{
    return (struct frame_part){ .kind = PART_RUN, .id = id, .of = of, .name = slice_of(name) };
}

static struct frame_part time_part(const char *name, int64_t span_ms, uint32_t of)
{
    return (struct frame_part){
        .kind = PART_TIME, .span_ms = span_ms, .of = of, .name = slice_of(name)
    };
}

static struct frame_part group_part(const char *name, uint32_t needed, uint32_t of)
{
    return (struct frame_part){
        .kind = PART_GROUP, .needed = needed, .of = of, .name = slice_of(name)
    };
}

static struct frame_end *add_group(int64_t run, uint32_t needed, const struct frame_part *parts,
                                   uint32_t count)
{
    struct frame_end *end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;

    end->needed = needed;
    end->parts = ARENA_ARRAY(bench_arena(), struct frame_part, count + 1);
    for (uint32_t i = 0; i < count; i++)
        end->parts[i] = parts[i];
    end->part_count = count;
    return end;
}

static void must_commit(void)
{
    cr_assert(commit(), "%s", bench.err.text);
}

static void wait_group(int64_t run, uint32_t needed, const struct frame_part *parts,
                       uint32_t count)
{
    (void)add_group(run, needed, parts, count);
    must_commit();
}

static uint32_t status_of(int64_t run, const char *name)
{
    const struct frame_segment *frame = segment(run);

    for (uint32_t i = 0; i < frame->result_count; i++)
        if (slice_is(frame->results[i].name, name))
            return frame->results[i].status;
    cr_assert_fail("the segment is told nothing of \"%s\"", name);
    return 0;
}

/* ---- what is needed -----------------------------------------------------------------------
 */

Test(group, any_of_a_token_a_run_and_a_time_is_enough_and_each_is_told_by_name)
{
    int64_t run = start("t"), child = make_child(run, 1, "u"), token = make_token(run, 2, 0);
    wait_group(run, 1,
               (struct frame_part[]){ token_part("boss", token, 0), run_part("check", child, 0),
                                      time_part("patience", MINUTES(5), 0) },
               3);
    cr_assert_eq(STATUS(run), RUN_WAITING);
    cr_assert_eq(run_of(run)->due_ms, bench.now_ms + bench.lag_ms + MINUTES(5));

    complete(token, "\x07");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert_eq(status_of(run, "boss"), WAIT_OK);
    cr_assert_eq(status_of(run, "check"), WAIT_NONE);
    cr_assert_eq(status_of(run, "patience"), WAIT_NONE);
    cr_assert_eq(STATUS(child), RUN_RUNNING, "what is left goes on unless it was said");
    end_done(child);
    cr_assert_eq(run_of(run)->entry, 1, "it is woken once");
}

Test(group, a_time_among_its_parts_ends_it)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_group(run, 1,
               (struct frame_part[]){ token_part("boss", token, 0),
                                      time_part("late", SECONDS(9), 0),
                                      time_part("soon", SECONDS(5), 0) },
               3);

    advance(SECONDS(5));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(status_of(run, "soon"), WAIT_OK);
    cr_assert_eq(status_of(run, "late"), WAIT_NONE);
    cr_assert_eq(status_of(run, "boss"), WAIT_NONE);
}

Test(group, all_of_several_times_and_a_token)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_group(run, 0,
               (struct frame_part[]){ time_part("a", SECONDS(1), 0), token_part("b", token, 0),
                                      time_part("c", SECONDS(3), 0) },
               3);

    advance(SECONDS(1));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    complete(token, "\x07");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    bench_restart(true);
    advance(SECONDS(2));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(status_of(run, "a"), WAIT_OK);
    cr_assert_eq(status_of(run, "c"), WAIT_OK);
}

Test(group, groups_in_groups_are_counted_each_for_itself)
{
    int64_t run = start("t"), token[5];
    for (uint32_t i = 0; i < 5; i++)
        token[i] = make_token(run, i + 1, 0);
    wait_group(run, 2,
               (struct frame_part[]){ token_part("boss", token[0], 0), group_part("two", 2, 0),
                                      token_part("a", token[1], 2),
                                      token_part("b", token[2], 2),
                                      token_part("c", token[3], 2), group_part("none", 1, 0),
                                      token_part("d", token[4], 6) },
               7);

    complete(token[1], "\x01");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    bench_restart(true);
    complete(token[3], "\x03");
    cr_assert_eq(STATUS(run), RUN_WAITING, "one of the two that are needed");
    complete(token[2], "\x02");
    cr_assert_eq(STATUS(run), RUN_WAITING, "the group was over before: it counts once");
    complete(token[0], "\x02");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(status_of(run, "two"), WAIT_OK);
    cr_assert_eq(status_of(run, "none"), WAIT_NONE);
    cr_assert_eq(status_of(run, "boss"), WAIT_OK);
}

Test(group, what_has_ended_before_counts_and_one_thing_may_stand_in_two_places)
{
    int64_t run = start("t"), first = make_token(run, 1, 0), second = make_token(run, 2, 0);
    complete(first, "\x07");
    wait_group(run, 0,
               (struct frame_part[]){ token_part("x", first, 0), group_part("g", 0, 0),
                                      token_part("y", second, 2), token_part("z", second, 0) },
               4);
    cr_assert_eq(STATUS(run), RUN_WAITING);

    complete(second, "\x07");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(status_of(run, "z"), WAIT_OK);
    cr_assert_eq(status_of(run, "g"), WAIT_OK);
}

Test(group, of_no_parts_it_is_over)
{
    int64_t run = start("t");

    wait_group(run, 0, NULL, 0);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    wait_group(run, 0, (struct frame_part[]){ group_part("empty", 0, 0) }, 1);

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(run_of(run)->entry, 2);
}

Test(group, one_that_needs_more_than_it_has_is_refused_by_name)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);

    wait_group(run, 0,
               (struct frame_part[]){ group_part("board", 2, 0), token_part("a", token, 1) },
               2);

    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_str_eq(error_name(run), "wait_impossible");
    cr_assert(strstr(error_message(run), "\"board\" needs 2") != NULL, "%s",
              error_message(run));
}

Test(group, a_part_that_does_not_exist_is_refused)
{
    int64_t run = start("t");

    wait_group(run, 1, (struct frame_part[]){ run_part("x", run, 0) }, 1);

    cr_assert_str_eq(error_name(run), "wait_unknown");
}

/* ---- the way out ---------------------------------------------------------------------------
 */

Test(group, one_that_gives_up_goes_on_elsewhere)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    struct frame_end *end =
        add_group(run, 0, (struct frame_part[]){ token_part("boss", token, 0) }, 1);
    end->span_ms = SECONDS(10);
    end->manner.otherwise = SLICE("last");
    must_commit();

    advance(SECONDS(10));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "last"));
    cr_assert_eq(segment(run)->results[1].status, WAIT_TIMEOUT);
    cr_assert_eq(status_of(run, "boss"), WAIT_NONE);
    complete(token, "\x07");
    cr_assert_eq(run_of(run)->entry, 1);
}

Test(group, one_that_is_over_in_time_does_not)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    struct frame_end *end =
        add_group(run, 0, (struct frame_part[]){ token_part("boss", token, 0) }, 1);
    end->span_ms = SECONDS(10);
    end->manner.otherwise = SLICE("last");
    must_commit();

    complete(token, "\x07");

    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert_eq(segment(run)->results[1].status, WAIT_OK);
}

/* ---- what is left --------------------------------------------------------------------------
 */

Test(group, what_is_left_is_canceled_where_it_was_asked_for)
{
    int64_t run = start("t"), other = start("t");
    int64_t child = make_child(run, 1, "u"), slow = make_child(run, 2, "u");
    int64_t open = make_token(run, 3, 0), foreign = make_token(other, 1, 0);
    struct frame_end *end =
        add_group(run, 1,
                  (struct frame_part[]){ run_part("a", child, 0), run_part("b", slow, 0),
                                         token_part("c", open, 0), token_part("d", foreign, 0),
                                         run_part("e", other, 0) },
                  5);
    end->manner.cancels = true;
    must_commit();

    end_done(child);
    advance(0);

    cr_assert_eq(run_of(slow)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(token_of(open)->status, WAITPOINT_CANCELLED);
    cr_assert_eq(token_of(foreign)->status, WAITPOINT_PENDING, "it is not the run's own");
    cr_assert_eq(STATUS(other), RUN_RUNNING, "it is no child");
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(status_of(run, "a"), WAIT_OK);
    cr_assert_eq(status_of(run, "c"), WAIT_CANCELLED);
}

Test(group, what_is_left_is_canceled_too_when_nothing_need_be_waited_for_or_it_gave_up)
{
    int64_t run = start("t");
    int64_t done = make_token(run, 1, 0), open = make_token(run, 2, 0),
            third = make_token(run, 3, 0);
    complete(done, "\x07");
    struct frame_end *end = add_group(
        run, 1, (struct frame_part[]){ token_part("a", done, 0), token_part("b", open, 0) }, 2);
    end->manner.cancels = true;
    must_commit();
    advance(0);
    cr_assert_eq(token_of(open)->status, WAITPOINT_CANCELLED);
    cr_assert_eq(STATUS(run), RUN_RUNNING);

    end = add_group(run, 0, (struct frame_part[]){ token_part("c", third, 0) }, 1);
    end->manner.cancels = true;
    end->span_ms = SECONDS(1);
    must_commit();
    advance(SECONDS(1));
    advance(0);

    cr_assert_eq(token_of(third)->status, WAITPOINT_CANCELLED);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->results[1].status, WAIT_TIMEOUT);
}

/* More than one batch takes. */
Test(group, many_that_are_left_are_canceled_over_several_batches, .timeout = 120)
{
    enum { MANY = 1200 };
    static struct frame_part parts[MANY];
    bench.slots = 1;
    bench.limits.waits = MANY;
    bench_catalog();
    int64_t run = start("t");
    for (uint32_t i = 0; i < MANY; i++)
        parts[i] = run_part("", make_child(run, i % 60 + 1 + (i / 60) * 64, "u"), 0);
    struct frame_end *end = add_group(run, 1, parts, MANY);
    end->manner.cancels = true;
    must_commit();
    bench.slots = 4;
    bench_catalog();
    int64_t first = 0;
    for (uint32_t i = 0; i < MANY; i++)
        if (STATUS(parts[i].id) == RUN_RUNNING)
            first = parts[i].id;
    cr_assert_neq(first, 0);

    end_done(first);
    for (uint32_t i = 0; i < 4; i++)
        advance(0);
    bench.slots = 9; /* segments of the others have not returned */
    bench_catalog();

    uint32_t canceled = 0;
    for (uint32_t i = 0; i < MANY; i++)
        canceled += run_of(parts[i].id)->outcome == OUTCOME_CANCELED;
    cr_assert_geq(canceled, MANY - 1);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->result_count, MANY + 1);
}

/* ---- reminders ------------------------------------------------------------------------------
 */

static void remind_at(struct frame_end *end, int64_t first_ms, int64_t second_ms)
{
    end->manner.remind = SLICE("last");
    end->manner.reminders = ARENA_ARRAY(bench_arena(), int64_t, 2);
    end->manner.reminders[0] = first_ms;
    end->manner.reminders[1] = second_ms;
    end->manner.reminder_count = 2;
}

static void wait_on(int64_t run, const char *state)
{
    struct frame_end *end = add_end(run, VERDICT_WAIT_ON)->segment_end.end;

    end->state = slice_of(state);
    must_commit();
}

Test(group, a_wait_reminds_and_goes_on_then_gives_up)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    struct frame_end *end =
        add_group(run, 0, (struct frame_part[]){ token_part("boss", token, 0) }, 1);
    end->span_ms = SECONDS(100);
    remind_at(end, SECONDS(10), SECONDS(40));
    must_commit();

    advance(SECONDS(10));
    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "last"));
    cr_assert_eq(segment(run)->reminder, 1);
    cr_assert_eq(segment(run)->result_count, 1, "it is not over");
    wait_on(run, "\x81\xa1n\x06");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    bench_restart(true);
    advance(SECONDS(30));
    cr_assert_eq(segment(run)->reminder, 2);
    cr_assert(slice_is(segment(run)->state, "\x81\xa1n\x06"), "the reminder's state is kept");
    wait_on(run, "\x81\xa1n\x07");
    advance(SECONDS(59));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    advance(SECONDS(1));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(segment(run)->reminder, 0);
    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert_eq(segment(run)->results[1].status, WAIT_TIMEOUT);
}

Test(group, what_ends_while_it_reminds_is_not_lost)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    struct frame_end *end =
        add_group(run, 0, (struct frame_part[]){ token_part("boss", token, 0) }, 1);
    remind_at(end, SECONDS(10), SECONDS(40));
    must_commit();
    advance(SECONDS(10));

    complete(token, "\x07");
    cr_assert_eq(segment(run)->reminder, 1);
    wait_on(run, "\x80");

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert_eq(segment(run)->reminder, 0);
    cr_assert_eq(status_of(run, "boss"), WAIT_OK);
}

Test(group, reminders_that_nobody_saw_are_one)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    struct frame_end *end =
        add_group(run, 0, (struct frame_part[]){ token_part("boss", token, 0) }, 1);
    remind_at(end, SECONDS(10), SECONDS(40));
    must_commit();

    advance(SECONDS(60));

    cr_assert_eq(segment(run)->reminder, 2);
    wait_on(run, "\x80");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    cr_assert_eq(run_of(run)->due_ms, 0);
}

Test(group, a_segment_that_was_not_entered_to_remind_has_no_wait_to_go_on_with)
{
    int64_t run = start("t");

    wait_on(run, "\x80");

    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_str_eq(error_name(run), "nothing_to_wait_on");
}

Test(group, a_group_in_a_group_counts_there)
{
    int64_t run = start("t"), a = make_token(run, 1, 0), b = make_token(run, 2, 0);
    wait_group(run, 1,
               (struct frame_part[]){ group_part("outer", 2, 0), group_part("inner", 1, 1),
                                      token_part("a", a, 2), token_part("b", b, 1) },
               4);

    complete(a, "\x07");
    cr_assert_eq(STATUS(run), RUN_WAITING);
    complete(b, "\x07");
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

/* ---- cycles ---------------------------------------------------------------------------------
 */

Test(group, runs_that_would_wait_for_each_other_for_ever_are_refused_with_the_cycle)
{
    int64_t a = start("t"), b = start("t"), c = start("u");
    wait_for(a, WAIT_FOR_RUNS, &b, 1, 0, 0);
    wait_group(b, 0, (struct frame_part[]){ group_part("g", 1, 0), run_part("c", c, 1) }, 2);

    wait_for(c, WAIT_FOR_RUNS, &a, 1, 0, 0);

    cr_assert_str_eq(error_name(c), "wait_cycle");
    cr_assert(strstr(error_message(c), ", which waits for ") != NULL, "%s", error_message(c));
    cr_assert_eq(STATUS(b), RUN_RUNNING, "it waited for one that has failed");
}

Test(group, a_cycle_that_ends_some_day_is_none)
{
    int64_t a = start("t"), b = start("t"), token = make_token(a, 1, 0);
    wait_group(a, 1, (struct frame_part[]){ run_part("b", b, 0), token_part("t", token, 0) },
               2);

    wait_for(b, WAIT_FOR_RUNS, &a, 1, 0, 0);
    cr_assert_eq(STATUS(b), RUN_WAITING);
    complete(token, "\x07");

    cr_assert_eq(STATUS(a), RUN_RUNNING);
}

Test(group, canceling_who_waits_for_a_group_leaves_nothing_behind)
{
    int64_t run = start("t"), other = start("t"), token = make_token(other, 1, 0);
    wait_group(
        run, 1,
        (struct frame_part[]){ token_part("a", token, 0), time_part("b", SECONDS(1), 0) }, 2);

    cancel(run);
    complete(token, "\x07");
    advance(SECONDS(1));

    cr_assert_eq(STATUS(run), RUN_DONE);
    cr_assert_not(store_memory_has_edge(bench.store, token, run));
    cr_assert_eq(run_of(run)->left.size, 0);
}
