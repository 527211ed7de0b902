/* Closing: tokens end with the run that made them. */
#include "bench.h"

#include <string.h>

TestSuite(close, .init = bench_open, .fini = bench_close);

static void gone(int64_t token)
{
    const struct command *command = complete(token, "\x01");

    cr_assert_eq(command->err.code, ERR_GONE);
    cr_assert_not(command->token_complete.won);
    cr_assert_not_null(strstr(command->err.text, "has ended"));
    cr_assert_eq(token_of(token)->status, WAITPOINT_CANCELLED);
    cr_assert_eq(time_out(token)->err.code, ERR_GONE);
}

Test(close, however_the_run_ends)
{
    int64_t token;

    for (int way = 0; way < 5; way++) {
        int64_t run = start("t");
        token = make_token(run, 1, bench.now_ms + DAYS(1));
        if (way == 0)
            end_done(run);
        else if (way == 1)
            end_fail(run, false);
        else if (way == 2)
            cancel(run);
        else
            for (int i = 0; i < 3; i++)
                lose(run, way == 3 ? LOSS_CRASHED : LOSS_TIMED_OUT);
        cr_assert_eq(run_of(run)->status, RUN_DONE);
        cr_assert_eq(token_of(token)->status, WAITPOINT_CANCELLED, "way %d", way);
        cr_assert_eq(token_of(token)->completed_ms, bench.now_ms);
        cr_assert_eq(token_of(token)->due_ms, 0);
        gone(token);
    }
}

Test(close, those_of_earlier_segments_too)
{
    int64_t run = start("t"), tokens[3];

    for (int i = 0; i < 3; i++) {
        tokens[i] = make_token(run, 1, 0);
        wait_time(run, bench.now_ms + SECONDS(1));
        advance(SECONDS(1));
    }
    complete(tokens[1], "\x01");
    end_done(run);

    cr_assert_eq(token_of(tokens[0])->status, WAITPOINT_CANCELLED);
    cr_assert_eq(token_of(tokens[1])->status, WAITPOINT_COMPLETED);
    cr_assert_eq(token_of(tokens[2])->status, WAITPOINT_CANCELLED);
    cr_assert_not(complete(tokens[1], "\x02")->token_complete.won, "as ever");
}

Test(close, those_that_came_with_the_end_too)
{
    int64_t run = start("t");
    struct command *create = add_token(run, 1);
    struct command **creates = ARENA_ARRAY(bench_arena(), struct command *, 1);
    creates[0] = ARENA_NEW(bench_arena(), struct command);
    *creates[0] = *create;
    *create = (struct command){ .kind = COMMAND_NOTES };
    struct command *end = add_end(run, VERDICT_DONE);
    end->segment_end.creates = creates;
    end->segment_end.create_count = 1;
    commit();

    cr_assert_eq(run_of(run)->status, RUN_DONE);
    cr_assert_eq(token_of(creates[0]->token_create.token_id)->status, WAITPOINT_CANCELLED);
}

Test(close, one_that_somebody_else_waits_for_stays)
{
    int64_t run = start("t"), other = start("t");
    int64_t token = make_token(run, 1, 0);
    wait_for(other, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    end_done(run);

    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
    cr_assert(complete(token, "\x01")->token_complete.won);
    cr_assert_eq(run_of(other)->status, RUN_RUNNING);
}

/* When that one has ended as well, nobody is left. */
Test(close, and_is_over_when_that_one_has_ended)
{
    int64_t run = start("t"), other = start("t");
    int64_t token = make_token(run, 1, 0);
    wait_for(other, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    end_done(run);
    cancel(other);

    gone(token);
}

Test(close, a_parents_token_that_a_child_waits_for_goes_with_the_tree)
{
    int64_t run = start("t"), child = make_child(run, 2, "u");
    int64_t token = make_token(run, 1, 0);
    wait_for(child, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    cancel(run);

    cr_assert_eq(run_of(child)->status, RUN_DONE);
    cr_assert_eq(token_of(token)->status, WAITPOINT_CANCELLED);
}

/* All that is looked at of who waits for it goes with the run: that says nothing of others, and
 * there are none. */
Test(close, one_that_only_the_run_itself_waits_for)
{
    bench.limits.steps = 1;
    bench_catalog();
    int64_t run = start("t");
    int64_t token = make_token(run, 1, 0);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);

    cancel(run);

    cr_assert_eq(token_of(token)->status, WAITPOINT_CANCELLED);
}

Test(close, one_with_a_global_key_stays)
{
    int64_t run = start("t");
    struct command *own = add_token(run, 1), *shared = add_token(run, 2);
    own->token_create.key = shared->token_create.key = SLICE("k");
    shared->token_create.key_global = true;
    commit();
    int64_t own_id = own->token_create.token_id, shared_id = shared->token_create.token_id;

    end_done(run);

    cr_assert_eq(token_of(own_id)->status, WAITPOINT_CANCELLED);
    cr_assert_eq(token_of(shared_id)->status, WAITPOINT_PENDING);
    cr_assert(complete(shared_id, "\x01")->token_complete.won);
}

Test(close, one_made_over_http_stays)
{
    int64_t token = make_token(0, 0, 0);

    end_done(start("t"));

    cr_assert(complete(token, "\x01")->token_complete.won);
}

/* Some now, the others in the batches after it; those that it did not get to yet are over all
 * the same. */
Test(close, ten_thousand_are_closed_some_at_a_time)
{
    int64_t run = start("t"), first = 0;
    for (int entry = 0; entry < 200; entry++) {
        for (uint32_t call = 1; call <= 50; call++)
            (void)add_token(run, call);
        struct command *end = add_wait(run, WAIT_FOR_TIME, NULL, 0);
        end->segment_end.end->due_ms = bench.now_ms + 1;
        commit();
        if (first == 0)
            first = store_memory_waitpoint(bench.store, 0)->id;
        advance(1);
    }
    cr_assert_eq(store_memory_count(bench.store, ROW_WAITPOINT), 10000);

    end_done(run);
    gone(store_memory_waitpoint(bench.store, 9999)->id);
    for (int i = 0; i < 10; i++)
        advance(1);

    for (uint32_t i = 0; i < 10000; i++)
        cr_assert_eq(store_memory_waitpoint(bench.store, i)->status, WAITPOINT_CANCELLED);
    gone(first);
}
