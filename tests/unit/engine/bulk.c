/* Bulk actions: each run once, whatever crashes, and nobody waits for them. */
#include "engine/bulk/bulk.h"

#include "bench.h"
#include "codec/pack.h"

static void open_due(void)
{
    bench_open();
    bench.look_for_due = true;
}

TestSuite(bulk, .init = open_due, .fini = bench_close);

static const struct bulk_action *row(int64_t id)
{
    return (const struct bulk_action *)store_memory_get(bench.store, ROW_BULK_ACTION, id);
}

static struct command *add_bulk(enum bulk_what what, const struct run_filter *filter)
{
    struct command *command = add(COMMAND_BULK_CREATE);

    command->bulk_create.environment = DEV;
    command->bulk_create.what = what;
    if (filter != NULL)
        command->bulk_create.filter = bulk_filter_pack(bench_arena(), filter);
    return command;
}

static int64_t act(enum bulk_what what, const struct run_filter *filter)
{
    struct command *command = add_bulk(what, filter);

    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->bulk_create.bulk_id;
}

static int64_t act_on(enum bulk_what what, const int64_t *runs, uint32_t count)
{
    struct command *command = add_bulk(what, NULL);

    command->bulk_create.runs = (struct slice){ (const char *)runs, count * sizeof *runs };
    cr_assert(commit());
    return command->bulk_create.bulk_id;
}

static const struct bulk_action *until_done(int64_t id)
{
    for (int i = 0; i < 1000 && row(id)->status == BULK_PENDING; i++)
        advance(10);
    cr_assert_neq(row(id)->status, BULK_PENDING);
    return row(id);
}

static struct run_filter of_task(const char *task)
{
    static struct slice name;

    name = slice_of(task);
    return (struct run_filter){ .is_test = -1, .tasks = { &name, 1 } };
}

Test(bulk, what_a_filter_finds_is_canceled_and_nothing_else)
{
    pause("task/t", true);
    int64_t one = trigger("t"), two = trigger("t"), other = trigger("u");
    struct run_filter filter = of_task("t");

    int64_t id = act(BULK_CANCEL, &filter);
    int64_t late = trigger("t");
    const struct bulk_action *bulk = until_done(id);

    cr_assert_eq(bulk->status, BULK_COMPLETED);
    cr_assert_eq(bulk->done, 2);
    cr_assert_eq(bulk->total, 2);
    cr_assert_eq(run_of(one)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(run_of(two)->outcome, OUTCOME_CANCELED);
    cr_assert_neq(run_of(other)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(run_of(late)->status, RUN_QUEUED, "it came later");
    cr_assert_eq(run_of(one)->bulk, id);
}

Test(bulk, what_has_ended_is_counted_and_stays)
{
    int64_t run = start("t");
    end_done(run);
    struct run_filter filter = of_task("t");

    const struct bulk_action *bulk = until_done(act(BULK_CANCEL, &filter));

    cr_assert_eq(bulk->unchanged, 1);
    cr_assert_eq(bulk->done, 0);
    cr_assert_eq(run_of(run)->outcome, OUTCOME_COMPLETED);
}

Test(bulk, many_are_done_some_in_a_batch)
{
    enum { MANY = 350 };
    pause("task/t", true);
    for (int i = 0; i < MANY; i++)
        add_trigger("t");
    cr_assert(commit());
    struct run_filter filter = of_task("t");

    int64_t id = act(BULK_CANCEL, &filter);
    advance(10);

    cr_assert_eq(row(id)->status, BULK_PENDING);
    cr_assert_leq(row(id)->done, 200);
    cr_assert_eq(until_done(id)->done, MANY);
}

/* And those that it makes match the filter, too. */
Test(bulk, a_replay_makes_one_run_of_each_over_a_crash)
{
    enum { MANY = 120 };
    struct run_filter filter = of_task("t");
    for (int i = 0; i < MANY; i++)
        end_done(start("t"));
    pause("task/t", true);

    int64_t id = act(BULK_REPLAY, &filter);
    advance(10);
    cr_assert_gt(row(id)->done, 0);
    bench_restart(true);
    bench.now_ms += 10;
    store_memory_fail(bench.store, 3);
    cr_assert_not(commit());
    store_memory_fail(bench.store, 0);
    const struct bulk_action *bulk = until_done(id);

    cr_assert_eq(bulk->done, MANY);
    cr_assert_eq(bulk->failed, 0);
    uint32_t made = 0;
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++) {
        const struct run *run = store_memory_run(bench.store, i);
        made += run->bulk == id;
        cr_assert(run->bulk != id || run->replayed != 0);
    }
    cr_assert_eq(made, MANY);
    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 2 * MANY);
}

Test(bulk, a_replay_takes_what_the_run_was_given)
{
    struct command *command = add_trigger("t");
    command->trigger.payload = SLICE("\x81\xa1n\x07");
    command->trigger.tags = SLICE("\x91\xa1"
                                  "a");
    command->trigger.queue = SLICE("mine");
    command->trigger.concurrency_key = SLICE("k");
    cr_assert(commit());
    int64_t run = command->trigger.run_id;
    end_done(run);
    pause("mine", true);

    until_done(act_on(BULK_REPLAY, &run, 1));

    const struct run *made =
        store_memory_run(bench.store, store_memory_count(bench.store, ROW_RUN) - 1);
    cr_assert_eq(made->replayed, run);
    cr_assert(slice_equal(made->input, SLICE("\x81\xa1n\x07")));
    cr_assert(slice_equal(made->tags, run_of(run)->tags));
    cr_assert(slice_is(made->concurrency_key, "k"));
    cr_assert_eq(made->queue, run_of(run)->queue);
}

Test(bulk, who_cannot_be_touched_is_told_with_a_reason)
{
    int64_t run = start("t");
    end_done(run);
    bench.tasks[0].schema = bench_schema("input: {type: object, required: [n], "
                                         "properties: {n: {type: integer}}}\n");
    bench_catalog();
    int64_t runs[] = { run, run + 1000 };

    const struct bulk_action *bulk = until_done(act_on(BULK_REPLAY, runs, 2));

    struct value list;
    cr_assert_eq(bulk->failed, 2);
    cr_assert(pack_read(bench_arena(), bulk->failures, &list, NULL));
    cr_assert_eq(list.count, 2);
    cr_assert_eq(list.items[0].items[0].integer, run);
    cr_assert(slice_starts(list.items[0].items[1].bytes, "the payload of t does not match"));
    cr_assert(slice_is(list.items[1].items[1].bytes, "Run not found"));
}

Test(bulk, one_that_is_stopped_stays_where_it_is)
{
    enum { MANY = 350 };
    pause("task/t", true);
    for (int i = 0; i < MANY; i++)
        add_trigger("t");
    cr_assert(commit());
    struct run_filter filter = of_task("t");
    int64_t id = act(BULK_CANCEL, &filter);
    advance(10);

    struct command *command = add(COMMAND_BULK_STOP);
    command->bulk_stop = (struct bulk_stop){ .environment = DEV, .id = id, .by = SLICE("ann") };
    cr_assert(commit());
    uint32_t done = row(id)->done;
    advance(1000);

    cr_assert_not(command->bulk_stop.was_over);
    cr_assert_eq(row(id)->status, BULK_ABORTED);
    cr_assert_eq(row(id)->done, done);
    cr_assert(slice_is(row(id)->stopped, "ann"));
    command = add(COMMAND_BULK_STOP);
    command->bulk_stop = (struct bulk_stop){ .environment = DEV, .id = id };
    cr_assert(commit());
    cr_assert(command->bulk_stop.was_over);
    command = add(COMMAND_BULK_STOP);
    command->bulk_stop = (struct bulk_stop){ .environment = PROD, .id = id };
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_NOT_FOUND);
}

Test(bulk, the_retry_of_a_call_makes_no_second_action)
{
    struct run_filter filter = of_task("t");
    struct command *command = add_bulk(BULK_REPLAY, &filter);
    command->bulk_create.request_key = SLICE("once");
    cr_assert(commit());
    int64_t first = command->bulk_create.bulk_id;

    command = add_bulk(BULK_REPLAY, &filter);
    command->bulk_create.request_key = SLICE("once");
    cr_assert(commit());

    cr_assert_eq(command->bulk_create.bulk_id, first);
}

Test(bulk, a_filter_is_kept_as_it_was)
{
    struct slice names[] = { SLICE("a"), SLICE("b") };
    struct run_filter filter = { .is_test = 1,
                                 .from_ms = 5,
                                 .to_ms = 9,
                                 .status_count = 1,
                                 .queues = { names, 2 },
                                 .versions = { names, 1 },
                                 .tags = { names + 1, 1 },
                                 .bulk = 77 };
    filter.statuses[0].status = RUN_DONE;
    filter.statuses[0].outcome = OUTCOME_FAILED;
    filter.members[0].key = SLICE("customer");
    filter.members[0].text = SLICE("7");
    filter.member_count = 1;
    struct run_filter read;

    cr_assert(bulk_filter_read(bench_arena(), bulk_filter_pack(bench_arena(), &filter), &read));

    cr_assert_eq(read.is_test, 1);
    cr_assert_eq(read.from_ms, 5);
    cr_assert_eq(read.to_ms, 9);
    cr_assert_eq(read.bulk, 77);
    cr_assert_eq(read.member_count, 1);
    cr_assert(slice_is(read.members[0].text, "7"));
    cr_assert_eq(read.status_count, 1);
    cr_assert_eq(read.statuses[0].outcome, OUTCOME_FAILED);
    cr_assert_eq(read.queues.count, 2);
    cr_assert(slice_is(read.queues.items[1], "b"));
    cr_assert(slice_is(read.versions.items[0], "a"));
    cr_assert(slice_is(read.tags.items[0], "b"));
}

Test(bulk, an_old_one_goes)
{
    struct run_filter filter = of_task("t");
    bench.retention = (struct config_retention){ { DAYS(1), 0, 0 } };
    bench_catalog();
    int64_t id = until_done(act(BULK_CANCEL, &filter))->id;

    for (int i = 0; i < 4; i++) {
        advance(DAYS(1));
        for (int k = 0; k < 2; k++) {
            struct command *command = add(COMMAND_PRUNE);
            command->prune = (struct prune){ .kind = k == 0 ? ROW_RUN : ROW_BULK_ACTION,
                                             .looks = 1000,
                                             .most = 1000 };
            cr_assert(commit());
        }
    }
    cr_assert_null(row(id));
}

/* Where lanes that nobody is in go in the same batch, and it is decided in two goes: how many
 * wait in the bounded queue is asked for when the other run is made. */
Test(bulk, a_lane_that_a_replay_comes_to_stays)
{
    bench.queues[0] = (struct catalog_queue){ .name = SLICE("bounded"),
                                              .rules.concurrency = 10,
                                              .rules.max_queued = 10 };
    bench.queue_count = 1;
    bench_catalog();
    int64_t runs[] = { keyed("mail", "a"), keyed("bounded", "b") };
    int64_t lane = run_of(runs[0])->lane;
    end_done(runs[0]);
    end_done(runs[1]);

    bench.look_for_due = false;
    act_on(BULK_REPLAY, runs, 2);
    bench.look_for_due = true;
    bench.now_ms += MINUTES(2);
    trigger("u");

    cr_assert_eq(store_memory_count(bench.store, ROW_RUN), 5);
    cr_assert_not_null(store_memory_lane(bench.store, lane));
}
