/* Two nodes over one store: what each may use of a limit, and what one does while the other's
 * batch is under way. */
#include "engine/nodes.h"

#include "bench.h"
#include "store/batch_run.h"

/* The node whose turn it is not; those of the other are in `bench`. */
static struct {
    struct store *store;
    struct engine *engine;
    struct catalog *catalog;
} other;
static struct id_source other_ids;
static uint32_t turn;

static void node_turn(uint32_t number)
{
    struct bench was = bench;

    if (number == turn)
        return;
    bench.store = other.store;
    bench.engine = other.engine;
    bench.catalog = other.catalog;
    other.store = was.store;
    other.engine = was.engine;
    other.catalog = was.catalog;
    turn = number;
}

static void node_begin_as(uint32_t number, struct id_source *ids)
{
    id_source_init(ids, number);
    id_source_node(ids, number);
    bench.engine = engine_create(ids);
    engine_node(bench.engine, number, number);
    bench.catalog = NULL;
    bench_catalog();
}

static void open_two(void)
{
    bench_open();
    engine_destroy(bench.engine); /* it was alone */
    catalog_destroy(bench.catalog);
    turn = 1;
    node_begin_as(1, &bench.ids);
    other.store = store_memory_share(bench.store);
    node_turn(2);
    node_begin_as(2, &other_ids);
    node_turn(1);
}

static void close_two(void)
{
    node_turn(2);
    engine_destroy(bench.engine);
    catalog_destroy(bench.catalog);
    bench.store->ops->close(bench.store);
    node_turn(1);
    bench_close();
}

TestSuite(nodes, .init = open_two, .fini = close_two);

/* Both look, again and again. */
static void pass(int64_t ms)
{
    for (; ms > 0; ms -= NODE_POLL_MS) {
        bench.now_ms += NODE_POLL_MS;
        for (uint32_t number = 1; number <= 2; number++) {
            node_turn(number);
            advance(0);
        }
    }
    node_turn(1);
}

static void catalogs(void)
{
    for (uint32_t number = 1; number <= 2; number++) {
        node_turn(number);
        bench_catalog();
    }
    node_turn(1);
}

static uint32_t running(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        count += run_is_executing(store_memory_run(bench.store, i));
    return count;
}

/* So many runs that start on each. */
static void start_on_both(uint32_t count, int64_t *runs)
{
    for (uint32_t number = 1; number <= 2; number++) {
        node_turn(number);
        for (uint32_t i = 0; i < count; i++)
            *runs++ = start("t");
    }
    node_turn(1);
}

Test(nodes, of_a_limit_that_was_lowered_none_keeps_more)
{
    int64_t runs[8];
    bench.queue_limit = 8;
    catalogs();
    start_on_both(4, runs);
    for (int i = 0; i < 8; i++)
        trigger("t");

    bench.queue_limit = 4;
    catalogs();
    pass(SECONDS(1));

    for (uint32_t i = 0; i < 4; i++) {
        end_done(runs[i]);
        pass(SECONDS(1));
        cr_assert_eq(running(), 7 - i, "as many go on as there are more than the limit");
    }
    end_done(runs[4]); /* the node that has it frees a place for either */
    pass(SECONDS(1));
    cr_assert_eq(running(), 4);
}

Test(nodes, what_is_held_of_a_limit_that_was_lowered_is_given_back)
{
    int64_t runs[4], next;
    bench.queue_limit = 4;
    catalogs();
    node_turn(2);
    bench.tasks[0].available = false; /* nobody else wants it */
    bench_catalog();
    bench.tasks[0].available = true;
    node_turn(1);
    for (int i = 0; i < 4; i++)
        runs[i] = start("t");
    next = trigger("t");

    bench.queue_limit = 2;
    bench_catalog();
    for (int i = 0; i < 4; i++)
        end_done(runs[i]);
    pass(SECONDS(1));

    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
}

Test(nodes, of_a_total_that_is_new_all_that_runs_is_part)
{
    int64_t runs[6], next;
    bench.queues[0] = (struct catalog_queue){ SLICE("task/t"), { .concurrency = 100 } };
    bench.queue_count = 1;
    catalogs();
    start_on_both(3, runs);

    bench.queues[0].rules.total = 4;
    catalogs();
    next = trigger("t");
    pass(SECONDS(1));
    cr_assert_eq(run_of(next)->status, RUN_QUEUED);

    for (int i = 0; i < 3; i++)
        end_done(runs[i]);
    pass(SECONDS(1));
    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
}

/* ---- limits that are not the queue's ------------------------------------------------------
 */

/* Each node is asked for `count` runs. */
static void trigger_on_both(uint32_t count)
{
    for (uint32_t number = 1; number <= 2; number++) {
        node_turn(number);
        for (uint32_t i = 0; i < count; i++)
            trigger("t");
    }
    node_turn(1);
}

/* All that run here end. */
static void end_here(uint32_t most)
{
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN) && most > 0; i++) {
        const struct run *run = store_memory_run(bench.store, i);
        if (run->status == RUN_RUNNING && run->node == turn) {
            end_done(run->id);
            most--;
        }
    }
}

Test(nodes, an_environment_has_one_limit_over_all_nodes)
{
    bench.bursts[0] = (struct config_burst){ 2, 3 };
    catalogs();
    trigger_on_both(4);
    cr_assert_eq(running(), 2, "one queue has its part alone");
    node_turn(2);
    trigger("u");
    trigger("u");
    cr_assert_eq(running(), 3);
    pass(SECONDS(1));
    cr_assert_eq(running(), 3);

    for (int i = 0; i < 8; i++) {
        for (uint32_t number = 1; number <= 2; number++) {
            node_turn(number);
            end_here(1);
            cr_assert_leq(running(), 3);
        }
        pass(SECONDS(1));
        cr_assert_leq(running(), 3);
    }
    cr_assert_eq(running(), 0, "nothing waits for places that nobody uses");
}

Test(nodes, places_of_an_environment_go_to_the_node_that_has_work)
{
    bench.bursts[0] = (struct config_burst){ 2, 2 };
    catalogs();
    trigger_on_both(1);
    cr_assert_eq(running(), 2);
    end_here(2);
    node_turn(2);
    int64_t next = trigger("u");
    cr_assert_eq(run_of(next)->status, RUN_QUEUED, "the first node has it still");
    pass(SECONDS(1));

    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
}

Test(nodes, of_an_environments_limit_that_was_lowered_none_keeps_more)
{
    int64_t runs[6];
    bench.bursts[0] = (struct config_burst){ 8, 8 };
    catalogs();
    start_on_both(3, runs);
    trigger_on_both(4);
    bench.bursts[0] = (struct config_burst){ 2, 2 };
    catalogs();
    pass(SECONDS(1));

    for (uint32_t left = running(); left > 2; left--) {
        node_turn(1 + left % 2);
        end_here(1);
        node_turn(2 - left % 2);
        pass(SECONDS(1));
        cr_assert_leq(running(), left);
    }
    pass(SECONDS(1));
    cr_assert_eq(running(), 2);
}

Test(nodes, places_of_a_dead_node_are_free)
{
    bench.bursts[0] = (struct config_burst){ 2, 2 };
    catalogs();
    node_turn(2);
    trigger("t");
    trigger("t");
    node_turn(1);
    int64_t next = trigger("u");
    cr_assert_eq(run_of(next)->status, RUN_QUEUED);
    for (int64_t ms = 0; ms < NODE_LEASE_MS + SECONDS(1); ms += NODE_POLL_MS)
        advance(NODE_POLL_MS); /* the other does not look */

    cr_assert_eq(running(), 2);
    for (int i = 0; i < 3; i++)
        end_here(2);
    cr_assert_eq(run_of(next)->outcome, OUTCOME_COMPLETED);
}

static struct pause_order *pause_all(bool paused, int64_t ramp_ms)
{
    struct pause_order *order = &add(COMMAND_ENVIRONMENT_PAUSE)->environment_pause;

    order->environment = DEV;
    order->paused = paused;
    order->ramp_ms = ramp_ms;
    commit();
    return order;
}

/* From 1 to as many as there are slots, or as the limit says, over both. */
Test(nodes, what_comes_back_from_a_pause_grows_over_all_nodes)
{
    for (uint32_t limit = 0; limit < 2; limit++) {
        bench.slots = 5;
        bench.bursts[0] =
            limit == 0 ? (struct config_burst){ 0 } : (struct config_burst){ 9, 9 };
        catalogs();
        pause_all(true, 0);
        trigger_on_both(20);
        pause_all(false, SECONDS(9));
        int64_t begin_ms = bench.now_ms;
        trigger("u");
        while (bench.now_ms < begin_ms + SECONDS(9)) {
            uint32_t most = 1 + (uint32_t)((bench.now_ms - begin_ms) / 900);
            cr_assert_leq(running(), most, "%u after %lld ms", running(),
                          (long long)(bench.now_ms - begin_ms));
            pass(NODE_POLL_MS);
        }
        pass(SECONDS(1));
        cr_assert_eq(running(), limit == 0 ? 10 : 9);
        for (int i = 0; i < 10; i++)
            for (uint32_t number = 1; number <= 2; number++) {
                node_turn(number);
                end_here(100);
                pass(SECONDS(1));
            }
        node_turn(1);
        cr_assert_eq(running(), 0);
    }
}

Test(nodes, a_limit_that_is_set_is_heard_of_by_all)
{
    int64_t runs[4];
    start_on_both(2, runs);
    struct queue_limit *limit = &add(COMMAND_QUEUE_LIMIT)->queue_limit;
    limit->environment = DEV;
    limit->name = SLICE("task/t");
    limit->limit = 3;
    commit();
    trigger_on_both(3);
    pass(SECONDS(1));
    cr_assert_eq(running(), 4);
    end_done(runs[0]);
    end_done(runs[1]);
    pass(SECONDS(1));
    cr_assert_eq(running(), 3);
    limit = &add(COMMAND_QUEUE_LIMIT)->queue_limit;
    limit->environment = DEV;
    limit->name = SLICE("task/t");
    limit->limit = 6;
    commit();
    bench.tasks[0].available = false; /* the other one is to do it */
    bench_catalog();
    pass(SECONDS(1));
    cr_assert_eq(running(), 6);
}

/* ---- in the middle of the other's batch ---------------------------------------------------
 */

static struct {
    int calls; /* of the store, until it is time */
    int64_t run, token;
} late;

/* The other node's run waits for the token. */
static void wait_between(void *context)
{
    struct arena arena = { 0 };
    struct frame_end end = { .run_id = late.run,
                             .seq = segment(late.run)->seq,
                             .verdict = VERDICT_WAIT,
                             .wait_kind = WAIT_FOR_TOKEN,
                             .then = SLICE("next"),
                             .state = SLICE("\x80"),
                             .ids = &late.token,
                             .id_count = 1 };
    struct command command = { .kind = COMMAND_SEGMENT_END,
                               .arena = &arena,
                               .segment_end = { .run_id = late.run, .seq = end.seq } };
    struct command *commands[] = { &command };
    struct outcome outcome;
    struct err err;

    (void)context;
    if (--late.calls != 0)
        return;
    command.segment_end.end = &end;
    struct store_batch batch = { .store = other.store,
                                 .engine = other.engine,
                                 .arena = &arena,
                                 .now = { bench.now_ms, bench.now_ms },
                                 .commands = commands,
                                 .count = 1 };
    cr_assert(store_batch_run(&batch, &outcome, NULL, &err), "%s", err.text);
    cr_assert_null(outcome.assignments);
    arena_finish(&arena);
}

Test(nodes, a_token_and_who_waits_for_it_meet_whatever_comes_first)
{
    for (int calls = 1; calls < 12; calls++) {
        late.token = make_token(0, 0, 0);
        node_turn(2);
        late.run = start("t");
        node_turn(1);
        late.calls = calls;
        store_memory_between(bench.store, wait_between, NULL);
        complete(late.token, "\x07");
        store_memory_between(bench.store, NULL, NULL);
        if (late.calls > 0)
            break; /* it was done before */
        pass(SECONDS(1));
        cr_assert_eq(run_of(late.run)->status, RUN_RUNNING, "after call %d", calls);
        cr_assert(slice_is(run_of(late.run)->segment, "next"));
    }
    cr_assert_gt(late.calls, 0, "every call had its turn");
}
