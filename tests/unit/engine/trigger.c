/* Trigger: what a run is like when it begins, and when it may start. */
#include "bench.h"
#include "codec/pack.h"

TestSuite(trigger, .init = bench_open, .fini = bench_close);

Test(trigger, a_run_starts_in_the_batch_that_made_it)
{
    int64_t run = trigger("t");

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_eq(run_of(run)->attempt, 1);
    cr_assert_eq(run_of(run)->started_ms, bench.now_ms);
    cr_assert_eq(run_of(run)->root_id, run);
    cr_assert(slice_is(run_of(run)->build, "0123456789abcdef"));
    cr_assert_eq(bench.assignments, 1);
}

Test(trigger, the_segment_gets_what_the_trigger_said)
{
    struct trigger *options = &add_trigger("t")->trigger;
    options->payload = SLICE("\xa2hi");
    options->tags = SLICE("\x92\xa1"
                          "a\xa1"
                          "b");
    options->metadata = SLICE("\x80");
    options->is_test = true;
    options->limit_ms = 1234;
    options->max_attempts = 9;
    commit();

    const struct frame_segment *frame = segment(options->run_id);
    cr_assert(slice_is(frame->task, "t"));
    cr_assert(slice_is(frame->segment, "start"));
    cr_assert(slice_is(frame->environment, "dev"));
    cr_assert(slice_is(frame->input, "\xa2hi"));
    cr_assert_eq(frame->state.size, 0);
    cr_assert_eq(frame->tag_count, 2);
    cr_assert(slice_is(frame->tags[1], "b"));
    cr_assert(slice_is(frame->metadata, "\x80"));
    cr_assert(frame->is_test);
    cr_assert_eq(frame->limit_ms, 1234);
    cr_assert_eq(frame->max_attempts, 9);
    cr_assert_eq(frame->attempt, 1);
    cr_assert_eq(frame->entry, 0);
    cr_assert_eq(frame->id_block % ID_BLOCK, 0);
    cr_assert_gt(frame->id_block, 0);
}

Test(trigger, without_a_limit_of_its_own_a_run_has_the_tasks)
{
    int64_t run = start("t");

    cr_assert_eq(segment(run)->limit_ms, SECONDS(30));
    cr_assert_eq(segment(run)->max_attempts, 3);
}

Test(trigger, before_the_first_catalog_it_is_refused_with_503)
{
    bench_restart(false);
    struct command *command = add_trigger("t");

    commit();

    cr_assert_eq(command->err.code, ERR_STOPPING);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 0);
}

/* ---- delay --------------------------------------------------------------------------------
 */

Test(trigger, a_delayed_run_waits_for_its_time_and_then_starts)
{
    struct trigger *options = &add_trigger("t")->trigger;
    options->due_ms = bench.now_ms + MINUTES(1);
    commit();
    int64_t run = options->run_id;

    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    advance(MINUTES(1) - 1);
    cr_assert_eq(run_of(run)->status, RUN_DELAYED);
    advance(1);

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_eq(run_of(run)->due_ms, 0);
}

Test(trigger, a_delay_in_the_past_is_none)
{
    struct trigger *options = &add_trigger("t")->trigger;
    options->due_ms = bench.now_ms - 1;
    commit();

    cr_assert_eq(run_of(options->run_id)->status, RUN_RUNNING);
}

Test(trigger, a_delayed_run_ranks_by_its_due_time)
{
    struct trigger *options = &add_trigger("t")->trigger;
    options->due_ms = bench.now_ms + MINUTES(1);
    options->priority_ms = SECONDS(5);
    commit();

    cr_assert_eq(run_of(options->run_id)->rank_ms, bench.now_ms + MINUTES(1) - SECONDS(5));
}

/* ---- ttl ----------------------------------------------------------------------------------
 */

static int64_t trigger_with_ttl(int64_t ttl_ms, int64_t delay_ms)
{
    struct trigger *options = &add_trigger("t")->trigger;

    options->ttl_ms = ttl_ms;
    options->due_ms = delay_ms > 0 ? bench.now_ms + delay_ms : 0;
    cr_assert(commit());
    return options->run_id;
}

Test(trigger, a_run_that_does_not_start_within_its_ttl_expires)
{
    pause("task/t", true);
    int64_t run = trigger_with_ttl(SECONDS(10), 0);

    advance(SECONDS(10) - 1);
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    advance(1);

    cr_assert_eq(run_of(run)->status, RUN_DONE);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);
    cr_assert_str_eq(error_name(run), "EXPIRED");
    cr_assert(has_event(run, RUN_DONE));
}

Test(trigger, a_ttl_counts_from_the_queue_and_not_from_the_delay)
{
    pause("task/t", true);
    int64_t run = trigger_with_ttl(SECONDS(10), MINUTES(1));

    advance(MINUTES(1));
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    advance(SECONDS(10) - 1);
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    advance(1);

    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);
}

Test(trigger, a_ttl_ends_with_the_first_start)
{
    int64_t run = trigger_with_ttl(SECONDS(10), 0);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);

    wait_time(run, bench.now_ms + MINUTES(5));
    pause("task/t", true);
    advance(MINUTES(5));
    cr_assert_eq(run_of(run)->status, RUN_QUEUED);
    advance(MINUTES(5));

    cr_assert_eq(run_of(run)->status, RUN_QUEUED, "it has started before, and does not expire");
}

Test(trigger, a_parked_run_expires_too)
{
    bench.tasks[0].available = false;
    bench_catalog();
    int64_t run = trigger_with_ttl(SECONDS(10), 0);
    cr_assert_eq(run_of(run)->status, RUN_PARKED);

    advance(SECONDS(10));

    cr_assert_eq(run_of(run)->outcome, OUTCOME_EXPIRED);
}

/* ---- priority and rank --------------------------------------------------------------------
 */

static int64_t trigger_ahead(int64_t priority_ms)
{
    struct trigger *options = &add_trigger("t")->trigger;

    options->priority_ms = priority_ms;
    cr_assert(commit());
    return options->run_id;
}

/* Ends the run that is running and says which of them started then. */
static int64_t next_of(int64_t running, const int64_t *runs, int count)
{
    end_done(running);
    for (int i = 0; i < count; i++)
        if (run_of(runs[i])->status == RUN_RUNNING)
            return runs[i];
    return 0;
}

Test(trigger, priority_is_a_head_start_in_time)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t first = start("t"), runs[3];
    runs[0] = trigger_ahead(0);
    advance(SECONDS(4));
    runs[1] = trigger_ahead(SECONDS(5)); /* one second before the first */
    advance(SECONDS(4));
    runs[2] = trigger_ahead(SECONDS(5)); /* three seconds after it */

    int64_t second = next_of(first, runs, 3);
    int64_t third = next_of(second, runs, 3);
    int64_t fourth = next_of(third, runs, 3);

    cr_assert_eq(second, runs[1]);
    cr_assert_eq(third, runs[0]);
    cr_assert_eq(fourth, runs[2]);
}

/* However many come: those that came within their head start are before it, and no other. */
Test(trigger, a_stream_that_goes_ahead_starves_nobody)
{
    enum { AHEAD = 10, SECOND_MOST = 40 };
    bench.queue_limit = 1;
    bench_catalog();
    int64_t running = start("t"), runs[2 * SECOND_MOST + 1] = { trigger("t") };
    int count = 1, before = 0;

    for (int second = 0; second < SECOND_MOST; second++) { /* twice as many as can start */
        runs[count++] = trigger_ahead(SECONDS(AHEAD));
        runs[count++] = trigger_ahead(SECONDS(AHEAD));
        advance(SECONDS(1));
        running = next_of(running, runs, count);
        if (running == runs[0])
            break;
        before++;
    }

    cr_assert_eq(running, runs[0]);
    cr_assert_eq(before, 2 * AHEAD);
}

Test(trigger, equal_ranks_start_in_the_order_they_came)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t first = start("t"), runs[5], running = first;
    for (int i = 0; i < 5; i++)
        runs[i] = trigger_ahead(0);

    for (int i = 0; i < 5; i++) {
        running = next_of(running, runs, 5);
        cr_assert_eq(running, runs[i]);
    }
}

/* Eligibility and rank are two things: a run with nobody before it does not wait. */
Test(trigger, a_negative_priority_only_lowers_the_rank)
{
    int64_t run = trigger_ahead(-DAYS(1));

    cr_assert_eq(run_of(run)->status, RUN_RUNNING);
    cr_assert_eq(run_of(run)->rank_ms, bench.now_ms + DAYS(1));
}

Test(trigger, a_run_keeps_its_rank_for_life)
{
    bench.queue_limit = 1;
    bench_catalog();
    int64_t old = start("t");
    wait_time(old, bench.now_ms + SECONDS(10));
    int64_t running = start("t");
    int64_t fresh = trigger("t");
    advance(SECONDS(10));
    cr_assert_eq(run_of(old)->status, RUN_QUEUED);

    end_done(running);

    cr_assert_eq(run_of(old)->status, RUN_RUNNING, "it was first in this queue");
    cr_assert_eq(run_of(fresh)->status, RUN_QUEUED);
}

Test(trigger, times_and_priorities_beyond_belief_do_not_wrap)
{
    struct trigger *options = &add_trigger("t")->trigger;
    options->priority_ms = INT64_MIN;
    options->ttl_ms = INT64_MAX;
    options->key = SLICE("k");
    options->key_ttl_ms = INT64_MAX;
    struct trigger *other = &add_trigger("t")->trigger;
    other->priority_ms = INT64_MAX;
    other->due_ms = INT64_MAX;

    cr_assert(commit());

    cr_assert_gt(run_of(options->run_id)->rank_ms, bench.now_ms);
    cr_assert_lt(run_of(other->run_id)->rank_ms, run_of(options->run_id)->rank_ms);
    cr_assert_eq(run_of(other->run_id)->status, RUN_DELAYED);
}

/* ---- queues -------------------------------------------------------------------------------
 */

Test(trigger, a_run_goes_to_the_queue_of_its_trigger_its_task_or_its_own)
{
    bench.tasks[1].queue = SLICE("mail");
    bench.queues[bench.queue_count++] =
        (struct catalog_queue){ .name = SLICE("mail"), .rules.concurrency = 5 };
    bench_catalog();
    struct trigger *named = &add_trigger("t")->trigger;
    struct trigger *of_task = &add_trigger("u")->trigger;
    struct trigger *own = &add_trigger("t")->trigger;
    struct trigger *same = &add_trigger("u")->trigger;
    named->queue = SLICE("mail");
    same->queue = SLICE("task/t");
    commit();

    cr_assert_eq(run_of(named->run_id)->queue, run_of(of_task->run_id)->queue);
    cr_assert_eq(run_of(own->run_id)->queue, run_of(same->run_id)->queue);
    cr_assert_neq(run_of(own->run_id)->queue, run_of(named->run_id)->queue);
}

Test(trigger, environments_have_queues_of_their_own)
{
    struct trigger *dev = &add_trigger("t")->trigger;
    struct trigger *prod = &add_trigger("t")->trigger;
    prod->environment = PROD;
    commit();

    cr_assert_neq(run_of(dev->run_id)->queue, run_of(prod->run_id)->queue);
    cr_assert(slice_is(segment(prod->run_id)->environment, "prod"));
}

Test(trigger, clients_cannot_make_queues_without_end)
{
    bench.limits.queues = 4; /* the two tasks have one each */
    bench_catalog();
    struct command *commands[4];
    for (int i = 0; i < 4; i++) {
        commands[i] = add_trigger("t");
        commands[i]->trigger.queue = arena_format(bench_arena(), "q%d", i);
    }
    commit();

    cr_assert_eq(commands[0]->err.code, ERR_OK);
    cr_assert_eq(commands[1]->err.code, ERR_OK);
    cr_assert_eq(commands[2]->err.code, ERR_LIMIT);
    cr_assert_eq(commands[3]->err.code, ERR_LIMIT);
    struct command *again = add_trigger("t");
    again->trigger.queue = SLICE("q1");
    commit();
    cr_assert_eq(again->err.code, ERR_OK, "one that is there may be used");
}

/* ---- children -----------------------------------------------------------------------------
 */

Test(trigger, a_child_knows_its_parent_and_its_root)
{
    int64_t root = start("t");
    int64_t child = make_child(root, 1, "t");
    int64_t grandchild = make_child(child, 1, "u");

    cr_assert_eq(child, segment(root)->id_block + 1);
    cr_assert_eq(run_of(child)->parent_id, root);
    cr_assert_eq(run_of(grandchild)->parent_id, child);
    cr_assert_eq(run_of(grandchild)->root_id, root);
    cr_assert_eq(run_of(grandchild)->depth, 2);
    cr_assert_eq(segment(grandchild)->root_id, root);
}

Test(trigger, children_are_nested_only_so_deep)
{
    bench.limits.depth = 2;
    bench_catalog();
    int64_t child = make_child(start("t"), 1, "t");
    int64_t grandchild = make_child(child, 1, "t");

    struct command *command = add_child(grandchild, 1, "t");
    commit();

    cr_assert_eq(command->err.code, ERR_LIMIT);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 3);
}

Test(trigger, a_segment_that_has_moved_on_cannot_make_children)
{
    int64_t run = start("t");
    struct command *command = add_child(run, 1, "t");
    command->trigger.parent_seq--;
    commit();
    cr_assert_eq(command->err.code, ERR_RULE);

    end_done(run);
    command = add_child(run, 1, "t");
    commit();

    cr_assert_eq(command->err.code, ERR_RULE);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 1);
}

Test(trigger, a_segment_that_runs_again_finds_the_same_child)
{
    int64_t run = start("t");
    int64_t child = make_child(run, 1, "u");
    lose(run, LOSS_CRASHED);
    cr_assert_eq(run_of(run)->status, RUN_RUNNING);

    int64_t again = make_child(run, 1, "u");
    int64_t other = make_child(run, 2, "u");

    cr_assert_eq(again, child);
    cr_assert_neq(other, child);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 3);
}

Test(trigger, a_childs_payload_is_checked_and_gains_defaults)
{
    bench.tasks[1].schema = bench_schema("input:\n"
                                         "  type: object\n"
                                         "  required: [n]\n"
                                         "  properties:\n"
                                         "    n: {type: integer}\n"
                                         "    unit: {type: string, default: cm}\n");
    bench_catalog();
    int64_t run = start("t");
    struct command *bad = add_child(run, 1, "u");
    bad->trigger.payload = SLICE("\x81\xa1n\xa1x");
    struct command *good = add_child(run, 2, "u");
    good->trigger.payload = SLICE("\x81\xa1n\x05");
    struct command *broken = add_child(run, 3, "u");
    broken->trigger.payload = SLICE("\xc1");
    struct command *none = add_child(run, 4, "u");
    commit();

    cr_assert_eq(bad->err.code, ERR_BAD_INPUT);
    cr_assert_not_null(bad->problems);
    cr_assert(slice_is(bad->problems->first->pointer, "/n"));
    cr_assert_eq(good->err.code, ERR_OK);
    cr_assert(slice_is(run_of(good->trigger.run_id)->input, "\x82\xa1n\x05\xa4unit\xa2"
                                                            "cm"));
    cr_assert_eq(broken->err.code, ERR_BAD_REQUEST);
    cr_assert_eq(none->err.code, ERR_BAD_INPUT);
}

Test(trigger, a_childs_payload_is_bounded)
{
    bench.limits.payload_bytes = 10;
    bench_catalog();
    int64_t run = start("t");

    struct command *command = add_child(run, 1, "u");
    command->trigger.payload = SLICE("\xabhello world");
    commit();

    cr_assert_eq(command->err.code, ERR_TOO_LARGE);
}
