/* What somebody does by hand to tokens, and to what runs wait for. */
#include "base/id.h"
#include "bench.h"
#include "engine/timeline.h"

TestSuite(acts, .init = bench_open, .fini = bench_close);

#define STATUS(run) (run_of(run)->status)

static struct command *act(enum command_kind kind, struct token_complete what)
{
    struct command *command = add(kind);

    what.environment = what.environment == 0 ? DEV : what.environment;
    what.by = SLICE("ann");
    what.why = SLICE("the shop is shut");
    command->token_complete = what;
    cr_assert(commit(), "%s", bench.err.text);
    return command;
}

#define ACT(kind, ...) act(COMMAND_##kind, (struct token_complete){ __VA_ARGS__ })

static void is_done(const struct command *acted)
{
    cr_assert(acted->err.code == ERR_OK && acted->token_complete.won, "%s", acted->err.text);
}

static void is_refused(const struct command *acted, enum err_code code, const char *says)
{
    cr_assert_eq(acted->err.code, code, "%s", acted->err.text);
    cr_assert(strstr(acted->err.text, says) != NULL, "%s", acted->err.text);
    cr_assert_not(acted->token_complete.won);
}

static bool has_line(int64_t id, const char *text)
{
    struct move *moves;
    uint32_t count = timeline_read(bench_arena(), run_of(id), &moves);

    for (uint32_t i = 0; i < count; i++)
        if (slice_is(moves[i].text, text))
            return true;
    return false;
}

/* "a": a token, "b": in 100 s, "c": a group with the token "d". */
static int64_t wait_group(int64_t a, int64_t d, uint32_t needed, bool cancels)
{
    int64_t run = start("t");
    struct frame_end *end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;
    const struct frame_part parts[] = {
        { .kind = PART_TOKEN, .id = a, .name = SLICE("a") },
        { .kind = PART_TIME, .span_ms = SECONDS(100), .name = SLICE("b") },
        { .kind = PART_GROUP, .needed = 1, .name = SLICE("c") },
        { .kind = PART_TOKEN, .id = d, .of = 3, .name = SLICE("d") },
    };

    end->needed = needed;
    end->part_count = 4;
    end->parts = ARENA_ARRAY(bench_arena(), struct frame_part, 4);
    memcpy(end->parts, parts, sizeof parts);
    end->span_ms = SECONDS(500);
    end->manner.otherwise = SLICE("last");
    end->manner.cancels = cancels;
    cr_assert(commit(), "%s", bench.err.text);
    cr_assert_eq(STATUS(run), RUN_WAITING);
    return run;
}

static uint32_t result_of(int64_t run, uint32_t place)
{
    cr_assert_lt(place, segment(run)->result_count);
    return segment(run)->results[place].status;
}

/* ---- tokens ------------------------------------------------------------------------------ */

Test(acts, a_token_that_is_closed_is_told_to_all_who_wait_and_an_answer_is_gone)
{
    int64_t maker = start("t"), token = make_token(maker, 1, 0), other = start("t");
    int64_t group = wait_group(token, make_token(0, 0, 0), 1, false);
    wait_for(maker, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    wait_for(other, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    is_done(ACT(TOKEN_CLOSE, .id = token));

    cr_assert_eq(token_of(token)->status, WAITPOINT_CANCELLED);
    cr_assert(slice_is(token_of(token)->note, "closed by ann: the shop is shut"));
    cr_assert_eq(result_of(maker, 0), WAIT_CANCELLED);
    cr_assert_eq(result_of(other, 0), WAIT_CANCELLED);
    cr_assert_eq(result_of(group, 0), WAIT_CANCELLED);
    cr_assert(has_line(group, "its token was closed by ann: the shop is shut"));
    struct command *late = complete(token, "\x01");
    is_refused(late, ERR_GONE, "closed by ann: the shop is shut; nobody waits");
    cr_assert_not(ACT(TOKEN_CLOSE, .id = token)->token_complete.won);
    cr_assert_eq(run_of(group)->entry, 1, "each is woken once");
}

Test(acts, a_token_that_is_timed_out_wakes_three_runs_once_each)
{
    int64_t maker = start("t"), token = make_token(maker, 1, 0), other = start("t");
    int64_t group = wait_group(token, make_token(0, 0, 0), 1, false);
    wait_for(maker, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    wait_for(other, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    is_done(ACT(TOKEN_TIMEOUT, .id = token));

    cr_assert_eq(result_of(maker, 0), WAIT_TIMEOUT);
    cr_assert_eq(result_of(other, 0), WAIT_TIMEOUT);
    cr_assert_eq(result_of(group, 0), WAIT_TIMEOUT);
    cr_assert(has_line(maker, "its token was timed out by hand by ann: the shop is shut"));
}

Test(acts, a_token_is_moved_later_earlier_and_to_never)
{
    int64_t run = start("t"), token = make_token(run, 1, bench.now_ms + SECONDS(10));
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    is_done(ACT(TOKEN_MOVE, .id = token, .span_ms = SECONDS(20)));
    advance(SECONDS(19));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    is_done(ACT(TOKEN_MOVE, .id = token));
    bench_restart(true);
    advance(DAYS(40));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    cr_assert_eq(token_of(token)->timeout_ms, 0);
    is_done(ACT(TOKEN_MOVE, .id = token, .date_ms = bench.now_ms + SECONDS(1)));
    advance(SECONDS(1));

    cr_assert_eq(result_of(run, 0), WAIT_TIMEOUT);
    cr_assert_not(ACT(TOKEN_MOVE, .id = token, .span_ms = 5)->token_complete.won);
}

Test(acts, a_token_moved_into_the_past_times_out_now)
{
    int64_t run = start("t"), token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    is_done(ACT(TOKEN_MOVE, .id = token, .date_ms = bench.now_ms - 1));

    cr_assert_eq(result_of(run, 0), WAIT_TIMEOUT);
}

Test(acts, a_token_of_another_environment_is_not_there)
{
    int64_t token = make_token(0, 0, 0);

    is_refused(ACT(TOKEN_CLOSE, .id = token, .environment = PROD), ERR_NOT_FOUND, "");
    is_refused(ACT(TOKEN_MOVE, .id = token, .environment = PROD), ERR_NOT_FOUND, "");
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
}

Test(acts, a_segment_closes_a_token_and_one_that_has_moved_on_does_not)
{
    int64_t run = start("t"), token = make_token(run, 1, 0), seq = segment(run)->seq;

    is_done(ACT(TOKEN_CLOSE, .id = token, .run_id = run, .run_seq = (uint32_t)seq));
    int64_t other = make_token(run, 2, 0);
    end_done(run);

    is_refused(ACT(TOKEN_CLOSE, .id = other, .run_id = run, .run_seq = (uint32_t)seq), ERR_RULE,
               "moved on");
}

/* ---- waits ------------------------------------------------------------------------------- */

Test(acts, a_wait_gives_up_now_and_goes_on_elsewhere)
{
    int64_t a = make_token(0, 0, 0), run = wait_group(a, make_token(0, 0, 0), 2, false);

    is_done(ACT(WAIT_TIMEOUT, .id = run));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->segment, "last"));
    cr_assert_eq(result_of(run, 4), WAIT_TIMEOUT);
    cr_assert(has_line(run, "wait timed out by ann: the shop is shut"));
    complete(a, "\x01");
    cr_assert_eq(run_of(run)->entry, 1, "it is linked to nothing any more");
}

Test(acts, a_wait_is_skipped_as_if_all_had_come)
{
    int64_t a = make_token(0, 0, 0), d = make_token(0, 0, 0), one = start("t");
    int64_t run = wait_group(a, d, 2, false), sleeper = start("t");
    wait_for(one, WAIT_FOR_TOKEN, &a, 1, 0, 0);
    wait_time(sleeper, bench.now_ms + SECONDS(50));

    is_done(ACT(WAIT_SKIP, .id = run));
    is_done(ACT(WAIT_SKIP, .id = one));
    is_done(ACT(WAIT_SKIP, .id = sleeper));

    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert_eq(result_of(run, 0), WAIT_NONE);
    cr_assert_eq(result_of(run, 4), WAIT_OK);
    cr_assert_eq(result_of(one, 0), WAIT_NONE);
    cr_assert_eq(result_of(sleeper, 0), WAIT_OK);
    cr_assert(has_line(sleeper, "wait skipped by ann: the shop is shut"));
    complete(a, "\x01");
    advance(SECONDS(600));
    cr_assert_eq(run_of(run)->entry, 1);
    cr_assert_eq(run_of(one)->entry, 1);
    cr_assert_eq(run_of(sleeper)->entry, 1);
}

Test(acts, a_time_alone_is_completed)
{
    int64_t sleeper = start("t");
    wait_time(sleeper, bench.now_ms + SECONDS(50));

    is_done(ACT(WAIT_COMPLETE, .id = sleeper));

    cr_assert_eq(STATUS(sleeper), RUN_RUNNING);
    cr_assert_eq(result_of(sleeper, 0), WAIT_OK);
    cr_assert(has_line(sleeper, "wait completed by ann: the shop is shut"));
}

Test(acts, a_message_is_sent_and_not_completed)
{
    int64_t run = start("t");
    struct frame_end *end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;
    struct frame_part part = { .kind = PART_MESSAGE, .word = SLICE("number") };
    end->parts = &part;
    end->part_count = 1;
    cr_assert(commit(), "%s", bench.err.text);

    cr_assert(has_line(run, "for message number"));
    is_refused(ACT(WAIT_COMPLETE, .id = run), ERR_NOT_NOW, "bide runs send run_");
    is_refused(ACT(WAIT_COMPLETE, .id = run, .part = SLICE("number")), ERR_NOT_NOW,
               " number --payload JSON");
}

Test(acts, what_is_left_of_a_wait_that_is_skipped_is_canceled)
{
    int64_t run = start("t"), child = make_child(run, 1, "u");
    struct frame_end *end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;
    struct frame_part part = { .kind = PART_RUN, .id = child, .name = SLICE("x") };
    end->parts = &part;
    end->part_count = 1;
    end->manner.cancels = true;
    cr_assert(commit(), "%s", bench.err.text);

    is_done(ACT(WAIT_SKIP, .id = run));
    is_refused(ACT(WAIT_SKIP, .id = run), ERR_NOT_NOW, "");
    advance(0);

    cr_assert_eq(run_of(child)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(STATUS(run), RUN_RUNNING);
}

Test(acts, a_wait_is_moved)
{
    int64_t a = make_token(0, 0, 0), run = wait_group(a, make_token(0, 0, 0), 3, false);
    int64_t one = start("t"), sleeper = start("t");
    wait_for(one, WAIT_FOR_TOKEN, &a, 1, 0, bench.now_ms + SECONDS(500));
    wait_time(sleeper, bench.now_ms + SECONDS(50));

    is_done(ACT(WAIT_MOVE, .id = run));
    is_done(ACT(WAIT_MOVE, .id = one, .span_ms = SECONDS(600)));
    is_done(ACT(WAIT_MOVE, .id = sleeper, .date_ms = bench.now_ms + SECONDS(20)));
    is_refused(ACT(WAIT_MOVE, .id = sleeper), ERR_RULE, "never");
    bench_restart(true);
    advance(SECONDS(20));
    cr_assert_eq(STATUS(sleeper), RUN_RUNNING);
    advance(SECONDS(579));
    cr_assert_eq(STATUS(one), RUN_WAITING);
    cr_assert_eq(STATUS(run), RUN_WAITING, "it never gives up");
    advance(SECONDS(1));
    cr_assert_eq(STATUS(one), RUN_RUNNING);
    cr_assert_eq(result_of(one, 1), WAIT_TIMEOUT);

    is_done(ACT(WAIT_MOVE, .id = run, .date_ms = bench.now_ms));
    cr_assert(slice_is(segment(run)->segment, "last"), "now it gives up");
}

Test(acts, one_part_of_a_wait_is_completed_by_its_name)
{
    int64_t a = make_token(0, 0, 0), d = make_token(0, 0, 0), run = wait_group(a, d, 3, false);

    is_done(ACT(WAIT_COMPLETE, .id = run, .part = SLICE("d"), .data = SLICE("\x07")));
    cr_assert(has_line(run, "\"d\" completed by ann: the shop is shut"));
    is_done(ACT(WAIT_COMPLETE, .id = run, .part = SLICE("b")));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    is_done(ACT(WAIT_COMPLETE, .id = run, .part = SLICE("a")));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert(slice_is(segment(run)->results[0].value, "\xc0"), "no data is null");
    cr_assert(slice_is(segment(run)->results[3].value, "\x07"));
    cr_assert_eq(result_of(run, 1), WAIT_OK);
    cr_assert_eq(result_of(run, 4), WAIT_OK);
}

Test(acts, one_part_of_a_wait_is_moved_by_its_name)
{
    int64_t a = make_token(0, 0, 0), d = make_token(0, 0, 0), run = wait_group(a, d, 1, false);

    is_done(ACT(WAIT_MOVE, .id = run, .part = SLICE("b"), .span_ms = SECONDS(200)));
    is_done(ACT(WAIT_MOVE, .id = run, .part = SLICE("d"), .span_ms = SECONDS(150)));
    advance(SECONDS(149));
    cr_assert_eq(STATUS(run), RUN_WAITING);
    advance(SECONDS(1));

    cr_assert_eq(STATUS(run), RUN_RUNNING);
    cr_assert_eq(result_of(run, 3), WAIT_TIMEOUT);
    cr_assert_eq(result_of(run, 1), WAIT_NONE);
}

Test(acts, the_only_token_of_a_wait_needs_no_name)
{
    int64_t run = start("t"), tokens[] = { make_token(run, 1, 0), make_token(run, 2, 0) };
    char id[ID_TEXT_SIZE];
    wait_for(run, WAIT_FOR_TOKEN, tokens, 1, 0, 0);

    is_done(ACT(WAIT_COMPLETE, .id = run, .data = SLICE("\x05")));
    cr_assert(slice_is(segment(run)->results[0].value, "\x05"));
    int64_t more[] = { make_token(run, 3, 0), make_token(run, 4, 0) };
    wait_for(run, WAIT_FOR_TOKEN, more, 2, 0, 0);
    is_refused(ACT(WAIT_COMPLETE, .id = run), ERR_RULE, "part is missing");
    struct slice part = slice_of(id_format("waitpoint", more[1], id));
    is_done(ACT(WAIT_COMPLETE, .id = run, .part = part));

    cr_assert_eq(token_of(more[1])->status, WAITPOINT_COMPLETED);
    cr_assert_eq(STATUS(run), RUN_WAITING);
}

Test(acts, what_makes_no_sense_is_refused_in_words)
{
    int64_t run = start("t"), child = make_child(run, 1, "u"), sleeper = start("t");
    int64_t a = make_token(0, 0, 0), group = wait_group(a, make_token(0, 0, 0), 3, false);
    is_refused(ACT(WAIT_SKIP, .id = run), ERR_NOT_NOW, "does not wait");
    wait_for(run, WAIT_FOR_RUNS, &child, 1, 0, 0);
    wait_time(sleeper, bench.now_ms + SECONDS(50));

    is_refused(ACT(WAIT_SKIP, .id = run + 12345), ERR_NOT_FOUND, "Run not found");
    is_refused(ACT(WAIT_SKIP, .id = run, .environment = PROD), ERR_NOT_FOUND, "");
    is_refused(ACT(WAIT_TIMEOUT, .id = sleeper), ERR_NOT_NOW, "skip");
    is_refused(ACT(WAIT_COMPLETE, .id = sleeper, .data = SLICE("\x01")), ERR_RULE, "data");
    is_refused(ACT(WAIT_COMPLETE, .id = sleeper, .part = SLICE("b")), ERR_RULE, "part");
    is_refused(ACT(WAIT_COMPLETE, .id = run), ERR_NOT_NOW, "waits for runs");
    is_refused(ACT(WAIT_COMPLETE, .id = group), ERR_RULE, "\"a\", \"b\", \"c\", \"d\"");
    is_refused(ACT(WAIT_COMPLETE, .id = group, .part = SLICE("x")), ERR_RULE, "\"x\"");
    is_refused(ACT(WAIT_COMPLETE, .id = group, .part = SLICE("c")), ERR_NOT_NOW, "group");
    is_refused(ACT(WAIT_COMPLETE, .id = group, .part = SLICE("b"), .data = SLICE("\x01")),
               ERR_RULE, "data");
    is_refused(ACT(WAIT_MOVE, .id = group, .part = SLICE("b")), ERR_RULE, "never");
    cancel(sleeper);
    is_refused(ACT(WAIT_SKIP, .id = sleeper), ERR_NOT_NOW, "done");
    cr_assert_eq(STATUS(group), RUN_WAITING);
}

/* ---- while a reminder is to be given ---------------------------------------------------- */

/* For "a" and "d" of wait_group; its first reminder, after 10 s, has come due and not begun. */
static int64_t reminded(int64_t a, int64_t d)
{
    int64_t run = start("t");
    struct frame_end *end = add_wait(run, WAIT_FOR_GROUP, NULL, 0)->segment_end.end;
    const struct frame_part parts[] = { { .kind = PART_TOKEN, .id = a, .name = SLICE("a") },
                                        { .kind = PART_TOKEN, .id = d, .name = SLICE("d") } };

    end->part_count = 2;
    end->parts = ARENA_ARRAY(bench_arena(), struct frame_part, 2);
    memcpy(end->parts, parts, sizeof parts);
    end->manner.remind = SLICE("last");
    end->manner.reminder_count = 1;
    end->manner.reminders = ARENA_NEW(bench_arena(), int64_t);
    end->manner.reminders[0] = SECONDS(10);
    cr_assert(commit(), "%s", bench.err.text);
    pause("task/t", true);
    advance(SECONDS(10));
    cr_assert_eq(STATUS(run), RUN_QUEUED);
    cr_assert(slice_is(run_of(run)->segment, "last"));
    return run;
}

Test(acts, a_part_is_completed_before_its_reminder_has_begun)
{
    int64_t a = make_token(0, 0, 0), run = reminded(a, make_token(0, 0, 0));

    is_done(ACT(WAIT_COMPLETE, .id = run, .part = SLICE("a"), .data = SLICE("\x01")));
    cr_assert_eq(token_of(a)->status, WAITPOINT_COMPLETED);
    advance(0);

    cr_assert(slice_is(run_of(run)->segment, "last"), "the reminder is due still");
    pause("task/t", false);
    cr_assert_eq(segment(run)->reminder, 1);
    is_refused(ACT(WAIT_SKIP, .id = run), ERR_NOT_NOW, "under way");
    add_end(run, VERDICT_WAIT_ON);
    cr_assert(commit(), "%s", bench.err.text);
    cr_assert_eq(STATUS(run), RUN_WAITING, "it is reminded once");
    is_done(ACT(WAIT_COMPLETE, .id = run, .part = SLICE("d")));
    cr_assert(slice_is(segment(run)->segment, "next"));
}

Test(acts, a_wait_is_skipped_before_its_reminder_has_begun)
{
    int64_t run = reminded(make_token(0, 0, 0), make_token(0, 0, 0));

    is_done(ACT(WAIT_SKIP, .id = run));
    pause("task/t", false);

    cr_assert(slice_is(segment(run)->segment, "next"));
    cr_assert_eq(segment(run)->reminder, 0);
}

Test(acts, what_has_come_before_a_reminder_has_begun_goes_first)
{
    int64_t a = make_token(0, 0, 0), d = make_token(0, 0, 0), run = reminded(a, d);
    complete(a, "\x01");
    complete(d, "\x01");

    is_refused(ACT(WAIT_SKIP, .id = run), ERR_NOT_NOW, "does not wait");
    pause("task/t", false);

    cr_assert(slice_is(segment(run)->segment, "next"));
}
