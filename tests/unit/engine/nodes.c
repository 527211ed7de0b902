/* Two nodes over one store: what each may use of a limit, and what one does while the other's
 * batch is under way. */
#include "store/batch_run.h"
#include "two_nodes.h"

TestSuite(nodes, .init = open_two, .fini = close_two);

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

/* ---- at the same moment ------------------------------------------------------------------ */

static struct {
    int calls; /* of the store, until it is time */
    const char *key;
    int64_t run;
    bool is_new;
    enum err_code code;
} rival;

/* The other node is asked for a run of the same queue. */
static void trigger_between(void *context)
{
    struct arena arena = { 0 };
    struct command command = { .kind = COMMAND_TRIGGER, .arena = &arena };
    struct command *commands[] = { &command };
    struct outcome outcome;
    struct err err;

    (void)context;
    if (--rival.calls != 0)
        return;
    command.trigger = (struct trigger){ .environment = DEV,
                                        .task = SLICE("t"),
                                        .queue = SLICE("q"),
                                        .concurrency_key = slice_of(rival.key) };
    struct store_batch batch = { .store = other.store,
                                 .engine = other.engine,
                                 .arena = &arena,
                                 .now = { bench.now_ms, bench.now_ms },
                                 .commands = commands,
                                 .count = 1 };
    cr_assert(store_batch_run(&batch, &outcome, NULL, &err), "%s", err.text);
    rival.code = command.err.code;
    rival.run = command.trigger.run_id;
    rival.is_new = command.trigger.is_new;
    for (struct assignment *a = outcome.assignments; a != NULL; a = a->next)
        buffer_finish(&a->bytes);
    arena_finish(&arena);
}

/* Both are asked; the other after so many calls of the store. False: it was not any more. */
static bool trigger_twice(int calls, const char *key, const char *rivals,
                          struct command **command)
{
    rival.calls = calls;
    rival.key = rivals;
    rival.run = 0;
    store_memory_between(bench.store, trigger_between, NULL);
    *command = add_trigger("t");
    (*command)->trigger.queue = SLICE("q");
    (*command)->trigger.concurrency_key = slice_of(key);
    commit();
    store_memory_between(bench.store, NULL, NULL);
    return rival.run != 0 || rival.code != ERR_OK;
}

static void queue_says(struct queue_rules rules)
{
    bench.queues[0] = (struct catalog_queue){ SLICE("q"), rules };
    bench.queue_count = 1;
    catalogs();
}

static uint32_t waiting(void)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        count += store_memory_run(bench.store, i)->status == RUN_QUEUED;
    return count;
}

Test(nodes, no_more_wait_than_may_whoever_takes_them)
{
    struct command *command;
    queue_says((struct queue_rules){ .concurrency = 1, .max_queued = 1 });
    pause("q", true);
    for (int calls = 1; calls < 12; calls++) {
        bool was_asked = trigger_twice(calls, "a", "b", &command);
        if (!was_asked)
            break;
        cr_assert_eq(waiting(), 1, "after call %d", calls);
        cr_assert((rival.code == ERR_FULL) != (command->err.code == ERR_FULL));
        cancel(rival.code == ERR_OK ? rival.run : command->trigger.run_id);
        cr_assert_eq(waiting(), 0);
    }
    cr_assert_gt(rival.calls, 0, "every call had its turn");
}

Test(nodes, of_two_triggers_of_one_key_one_is_skipped)
{
    static const char *const keys[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k" };
    struct command *command;
    queue_says((struct queue_rules){ .concurrency = 9, .on_conflict = CONFLICT_SKIP });
    for (int calls = 1; calls < 12; calls++) {
        if (!trigger_twice(calls, keys[calls - 1], keys[calls - 1], &command))
            break;
        cr_assert_eq(rival.run, command->trigger.run_id, "after call %d", calls);
        cr_assert_neq(rival.is_new, command->trigger.is_new);
        cr_assert_eq(running(), (uint32_t)calls);
    }
    cr_assert_gt(rival.calls, 0, "every call had its turn");
}

/* It is out on the other node. */
Test(nodes, a_successor_waits_until_the_old_one_has_stopped_on_the_other_node)
{
    queue_says((struct queue_rules){ .concurrency = 9, .on_conflict = CONFLICT_CANCEL });
    node_turn(2);
    struct command *command = add_trigger("t");
    command->trigger.queue = SLICE("q");
    command->trigger.concurrency_key = SLICE("a");
    commit();
    int64_t old = command->trigger.run_id;
    cr_assert_eq(run_of(old)->status, RUN_RUNNING);
    node_turn(1);
    command = add_trigger("t");
    command->trigger.queue = SLICE("q");
    command->trigger.concurrency_key = SLICE("a");
    commit();
    int64_t next = command->trigger.run_id;
    pass(SECONDS(1));

    cr_assert_eq(run_of(old)->outcome, OUTCOME_CANCELED);
    cr_assert_eq(run_of(next)->status, RUN_QUEUED, "its place is taken");
    node_turn(2);
    release(old);
    pass(SECONDS(1));
    cr_assert_eq(run_of(next)->status, RUN_RUNNING);
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

/* The other node goes on with what is due. */
static void look_between(void *context)
{
    struct arena arena = { 0 };
    struct outcome outcome;
    struct err err;

    (void)context;
    if (--late.calls != 0)
        return;
    struct store_batch batch = { .store = other.store,
                                 .engine = other.engine,
                                 .arena = &arena,
                                 .now = { bench.now_ms, bench.now_ms },
                                 .look_for_due = true };
    cr_assert(store_batch_run(&batch, &outcome, NULL, &err), "%s", err.text);
    arena_finish(&arena);
}

/* A crowd waits for two tokens, and is told of the first some at a time. */
Test(nodes, who_is_told_by_two_nodes_at_a_time_is_told_once)
{
    enum { CROWD = 5 };
    bench.limits.steps = 1;
    catalogs();
    for (int calls = 1; calls < 30; calls++) {
        int64_t tokens[] = { make_token(0, 0, 0), make_token(0, 0, 0) }, runs[CROWD];
        bool again = true;
        for (int i = 0; i < CROWD; i++) {
            runs[i] = start("t");
            wait_for(runs[i], WAIT_FOR_TOKEN, tokens, 2, 0, 0);
        }
        add(COMMAND_TOKEN_COMPLETE)->token_complete =
            (struct token_complete){ .environment = DEV, .id = tokens[0] };
        cr_assert(bench_batch(1, &again));
        late.calls = calls;
        store_memory_between(bench.store, look_between, NULL);
        bench.look_for_due = true;
        (void)bench_batch(0, &again); /* the other one may be faster */
        store_memory_between(bench.store, NULL, NULL);
        pass(SECONDS(5));
        for (int i = 0; i < CROWD; i++) {
            cr_assert_eq(run_of(runs[i])->status, RUN_WAITING, "after call %d", calls);
            cr_assert_eq(run_of(runs[i])->remaining, 1);
        }
        if (late.calls > 0)
            break;
    }
    cr_assert_gt(late.calls, 0, "every call had its turn");
}
