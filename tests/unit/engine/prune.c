/* Pruning: what is old goes, and only that. */
#include "bench.h"

TestSuite(prune, .init = bench_open, .fini = bench_close);

static void keep_for(int64_t runs_ms, int64_t tokens_ms, int64_t logs_ms)
{
    bench.retention = (struct config_retention){ { runs_ms, tokens_ms, logs_ms } };
    bench_catalog();
}

static bool is_there(enum row_kind kind, int64_t id)
{
    return store_memory_get(bench.store, kind, id) != NULL;
}

static struct prune walk(enum row_kind kind, uint32_t environment, bool is_dry)
{
    struct command *command = add(COMMAND_PRUNE);

    command->prune = (struct prune){
        .kind = kind,
        .environment = environment,
        .looks = 1000,
        .most = 1000,
        .is_dry = is_dry,
        .asked_ms = 1 /* the marks that are there will do */
    };
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    cr_assert(command->prune.is_end);
    return command->prune;
}

/* The first walk finds out what must stay; what has ended since then stays as well. */
static struct pruned prune_all(void)
{
    walk(ROW_RUN, 0, false);
    advance(SECONDS(2));
    walk(ROW_RUN, 0, false);
    advance(SECONDS(2));
    struct pruned pruned = walk(ROW_RUN, 0, false).pruned;
    struct pruned more = walk(ROW_WAITPOINT, 0, false).pruned;
    pruned.tokens = more.tokens;
    pruned.early_answers = more.early_answers;
    return pruned;
}

static int64_t run_ended(const char *task)
{
    int64_t run = start(task);

    end_done(run);
    return run;
}

Test(prune, nothing_goes_where_nothing_is_said)
{
    int64_t run = run_ended("t");

    advance(DAYS(1000));
    prune_all();

    cr_assert(is_there(ROW_RUN, run));
}

Test(prune, what_has_ended_goes_when_it_is_old)
{
    int64_t old = run_ended("t"), young;

    keep_for(DAYS(30), 0, 0);
    advance(DAYS(29));
    young = run_ended("t");
    prune_all();
    cr_assert(is_there(ROW_RUN, old));
    advance(DAYS(2));
    prune_all();

    cr_assert_not(is_there(ROW_RUN, old));
    cr_assert(is_there(ROW_RUN, young));
}

Test(prune, what_lives_stays_whatever_is_said)
{
    int64_t waits, runs, queued, delayed, token;

    keep_for(1, 1, 1);
    waits = start("t");
    token = make_token(waits, 1, 0);
    wait_for(waits, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    runs = start("t");
    pause("task/u", true);
    queued = trigger("u");
    add_trigger("t")->trigger.delay_ms = DAYS(400);
    commit();
    delayed = queued + 1;
    advance(DAYS(365));
    prune_all();

    cr_assert_eq(run_of(waits)->status, RUN_WAITING);
    cr_assert_eq(run_of(runs)->status, RUN_RUNNING);
    cr_assert_eq(run_of(queued)->status, RUN_QUEUED);
    cr_assert_eq(run_of(delayed)->status, RUN_DELAYED);
    cr_assert_eq(token_of(token)->status, WAITPOINT_PENDING);
}

/* One of two has come: its answer must be there when the other one does. */
Test(prune, an_answer_stays_until_it_was_heard)
{
    int64_t tokens[2], run;

    keep_for(SECONDS(10), SECONDS(10), 0);
    tokens[0] = make_token(0, 0, 0);
    tokens[1] = make_token(0, 0, 0);
    run = start("t");
    wait_for(run, WAIT_FOR_TOKEN, tokens, 2, 0, 0);
    complete(tokens[0], "\x01");
    advance(DAYS(60));
    prune_all();
    cr_assert(is_there(ROW_WAITPOINT, tokens[0]));
    pause("task/t", true);
    complete(tokens[1], "\x02");
    advance(DAYS(60));
    prune_all();
    pause("task/t", false);

    cr_assert_eq(segment(run)->result_count, 2);
    cr_assert_eq(segment(run)->results[0].status, WAIT_OK);
    cr_assert_eq(segment(run)->results[1].status, WAIT_OK);
    end_done(run);
    advance(SECONDS(20));
    prune_all();
    cr_assert_not(is_there(ROW_WAITPOINT, tokens[0]));
    cr_assert_not(is_there(ROW_WAITPOINT, tokens[1]));
    cr_assert_not(is_there(ROW_RUN, run));
}

Test(prune, who_begins_to_wait_for_what_is_old_holds_it)
{
    int64_t token, run;

    keep_for(SECONDS(10), SECONDS(10), 0);
    token = make_token(0, 0, 0);
    complete(token, "\x01");
    advance(SECONDS(9));
    walk(ROW_RUN, 0, false);
    advance(SECONDS(5));
    walk(ROW_RUN, 0, false); /* nobody waits yet */
    pause("task/t", true);
    pause("task/t", false);
    run = start("t");
    pause("task/t", true);
    wait_for(run, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    walk(ROW_WAITPOINT, 0, false);
    cr_assert(is_there(ROW_WAITPOINT, token));
    advance(SECONDS(20));
    prune_all();

    cr_assert(is_there(ROW_WAITPOINT, token));
    pause("task/t", false);
    cr_assert_eq(segment(run)->results[0].status, WAIT_OK);
}

Test(prune, a_child_stays_as_long_as_its_parent_lives)
{
    int64_t parent, child;

    keep_for(SECONDS(10), 0, 0);
    parent = start("t");
    child = make_child(parent, 1, "u");
    end_done(child);
    advance(DAYS(1));
    prune_all();
    cr_assert(is_there(ROW_RUN, child));
    end_done(parent);
    advance(SECONDS(5));
    prune_all();

    cr_assert_not(is_there(ROW_RUN, child), "its parent has ended, and needs not be old");
    cr_assert(is_there(ROW_RUN, parent));
}

Test(prune, a_child_outlives_its_parent)
{
    int64_t parent, child;

    keep_for(SECONDS(10), 0, 0);
    parent = start("t");
    child = make_child(parent, 1, "u");
    end_done(parent);
    advance(DAYS(1));
    prune_all();

    cr_assert_not(is_there(ROW_RUN, parent));
    cr_assert_eq(run_of(child)->parent_id, parent);
    int64_t token = make_token(child, 1, 0);
    wait_for(child, WAIT_FOR_TOKEN, &token, 1, 0, 0);
    complete(token, "\x01");
    end_done(child);
    cr_assert_eq(run_of(child)->outcome, OUTCOME_COMPLETED);
}

Test(prune, the_most_specific_word_counts)
{
    struct catalog_retention task = { SLICE("u"), { { DAYS(3) } } };
    struct catalog_retention queue = { SLICE("slow"), { { DAYS(2), 0, DAYS(1) } } };
    struct config_retention environments[] = { { { DAYS(1) } }, { { 0 } } };
    int64_t runs[5];

    bench.task_retentions = &task;
    bench.queue_retentions = &queue;
    bench.retention_count = 1;
    bench.environment_retentions = environments;
    keep_for(DAYS(4), 0, 0);
    for (int i = 0; i < 4; i++) {
        struct command *command = add_trigger(i == 3 ? "u" : "t");
        command->trigger.environment = i == 0 ? PROD : DEV;
        if (i >= 2)
            command->trigger.queue = SLICE("slow");
        commit();
        runs[i] = command->trigger.run_id;
        end_done(runs[i]);
    }
    for (int day = 1; day <= 4; day++) {
        static const int goes_at[] = { 4, 1, 2, 3 };
        advance(DAYS(1));
        prune_all();
        for (int i = 0; i < 4; i++)
            cr_assert_eq(is_there(ROW_RUN, runs[i]), day < goes_at[i], "run %d on day %d", i,
                         day);
    }
}

Test(prune, a_key_outlives_its_run)
{
    struct command *command = add_trigger("t");
    int64_t run;

    command->trigger.key = SLICE("k");
    commit();
    run = command->trigger.run_id;
    end_done(run);
    keep_for(SECONDS(10), 0, 0);
    advance(DAYS(3));
    prune_all();
    cr_assert_not(is_there(ROW_RUN, run));
    command = add_trigger("t");
    command->trigger.key = SLICE("k");
    commit();

    cr_assert_eq(command->trigger.run_id, run);
    cr_assert(command->trigger.cached);
    int64_t before_ms = bench.now_ms;
    /* Who waits for it hears that there is nothing any more, and goes on. */
    int64_t waits = start("u");
    wait_for(waits, WAIT_FOR_RUNS, &run, 1, 0, 0);
    cr_assert_eq(run_of(waits)->status, RUN_RUNNING);
    cr_assert_eq(segment(waits)->results[0].status, WAIT_CANCELLED);
    /* Until its own time is over. */
    advance(DAYS(28) - (bench.now_ms - before_ms));
    command = add_trigger("t");
    command->trigger.key = SLICE("k");
    commit();
    cr_assert_not(command->trigger.cached);
    cr_assert_neq(command->trigger.run_id, run);
}

Test(prune, a_tokens_key_goes_with_it)
{
    int64_t token;

    for (int i = 0; i < 2; i++) {
        struct command *command = add_token(0, 0);
        command->token_create.key = SLICE("k");
        commit();
        cr_assert_not(command->token_create.cached);
        token = command->token_create.token_id;
        complete(token, "\x01");
        keep_for(0, DAYS(2), 0);
        advance(DAYS(3));
        prune_all();
        cr_assert_not(is_there(ROW_WAITPOINT, token));
        cr_assert_eq(store_memory_count(bench.store, ROW_KEY), 0);
    }
}

Test(prune, who_answers_what_was_removed_is_told)
{
    int64_t token = make_token(0, 0, 0);

    complete(token, "\x01");
    keep_for(0, DAYS(2), 0);
    advance(DAYS(3));
    prune_all();
    struct command *command = add(COMMAND_TOKEN_COMPLETE);
    command->token_complete.id = token;
    struct command *other = add(COMMAND_TOKEN_COMPLETE);
    other->token_complete.id = id_floor(bench.now_ms - SECONDS(10)) + 1;
    commit();

    cr_assert_eq(command->err.code, ERR_GONE);
    cr_assert_eq(other->err.code, ERR_OK, "its token may still come");
    cr_assert_eq(complete(token, "\x01")->err.code, ERR_GONE, "by the API as well");
}

Test(prune, an_answer_whose_token_never_came)
{
    int64_t id = id_floor(bench.now_ms) + 1;
    struct command *command = add(COMMAND_TOKEN_COMPLETE);

    command->token_complete.id = id;
    commit();
    cr_assert_eq(command->err.code, ERR_OK);
    keep_for(0, 0, 0);
    advance(MINUTES(1430));
    cr_assert_eq(prune_all().early_answers.count, 0);
    advance(MINUTES(20));
    cr_assert_eq(prune_all().early_answers.count, 1);

    cr_assert_not(is_there(ROW_WAITPOINT, id));
    command = add(COMMAND_TOKEN_COMPLETE);
    command->token_complete.id = id;
    commit();
    cr_assert_eq(command->err.code, ERR_GONE);
}

Test(prune, a_log_may_go_first)
{
    struct frame_note note = { .kind = NOTE_LOG, .text = SLICE("a line"), .level = 1 };
    int64_t run = start("t");
    struct command *command = add_end(run, VERDICT_DONE);

    command->segment_end.notes = &note;
    command->segment_end.note_count = 1;
    commit();
    keep_for(DAYS(30), 0, DAYS(1));
    advance(DAYS(2));
    cr_assert_eq(store_memory_count(bench.store, ROW_LOG_LINE), 1);
    cr_assert_eq(walk(ROW_RUN, 0, false).pruned.logs.count, 1);

    cr_assert_eq(store_memory_count(bench.store, ROW_LOG_LINE), 0);
    cr_assert_eq(run_of(run)->log_lines, 0);
    cr_assert_eq(walk(ROW_RUN, 0, false).pruned.logs.count, 0);
}

/* A queue that is empty for long is not there for anybody, but as a row for those that know it
 * by its id. */
Test(prune, an_empty_queue_goes_after_the_last_run_that_was_in_it)
{
    struct command *command = add_trigger("t");
    int64_t run, queue;

    command->trigger.queue = SLICE("seldom");
    commit();
    run = command->trigger.run_id;
    queue = run_of(run)->queue;
    end_done(run);
    keep_for(DAYS(30), 0, 0);
    bench.limits.idle_queue_ms = DAYS(1);
    bench_catalog();
    advance(DAYS(2));
    advance(MINUTES(1)); /* one environment at a time */
    advance(MINUTES(1));
    prune_all();
    walk(ROW_QUEUE, 0, false);
    const struct queue *row =
        (const struct queue *)store_memory_get(bench.store, ROW_QUEUE, queue);
    cr_assert(row->removed, "and there, for the run");
    advance(DAYS(29));
    prune_all(); /* the run went; its mark is still there */
    cr_assert_not(is_there(ROW_RUN, run));
    walk(ROW_RUN, 0, false);
    advance(SECONDS(2));
    walk(ROW_RUN, 0, false);
    cr_assert_eq(walk(ROW_QUEUE, 0, true).pruned.queues.count, 1);
    cr_assert_eq(walk(ROW_QUEUE, 0, false).pruned.queues.count, 1);
    cr_assert_not(is_there(ROW_QUEUE, queue));
    command = add_trigger("t");
    command->trigger.queue = SLICE("seldom");
    commit();
    run = command->trigger.run_id;
    cr_assert_neq(run_of(run)->queue, queue, "a new one, of that name");
    walk(ROW_QUEUE, 0, false);
    cr_assert(is_there(ROW_QUEUE, run_of(run)->queue));
}

Test(prune, dry_counts_and_removes_nothing)
{
    int64_t run = run_ended("t");

    keep_for(DAYS(1), 0, 0);
    walk(ROW_RUN, 0, false);
    advance(DAYS(2));
    walk(ROW_RUN, 0, true);
    advance(DAYS(2));

    cr_assert_eq(walk(ROW_RUN, PROD, true).pruned.runs.count, 0);
    struct pruned_kind runs = walk(ROW_RUN, DEV, true).pruned.runs;
    cr_assert_eq(runs.count, 1);
    cr_assert_eq(runs.oldest_ms, run_of(run)->finished_ms);
    cr_assert_eq(runs.newest_ms, runs.oldest_ms);
    cr_assert(is_there(ROW_RUN, run));
    cr_assert_eq(walk(ROW_RUN, DEV, false).pruned.runs.count, 1);
    cr_assert_not(is_there(ROW_RUN, run));
}

static struct prune ask(int64_t asked_ms)
{
    struct command *command = add(COMMAND_PRUNE);

    command->prune = (struct prune){ .kind = ROW_RUN,
                                     .environment = DEV,
                                     .looks = 1000,
                                     .most = 1000,
                                     .is_dry = true,
                                     .asked_ms = asked_ms };
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK);
    return command->prune;
}

Test(prune, who_asks_waits_for_a_walk_that_began_since)
{
    int64_t run = run_ended("t");
    struct prune asked;

    keep_for(DAYS(1), 0, 0);
    for (uint32_t i = 0; i < 2; i++) { /* before the first walk, and after one before the end */
        advance(DAYS(2));
        asked = ask(0);
        cr_assert(asked.is_waiting, "zero would be a lie");
        cr_assert_not(asked.is_end);
        cr_assert(prune_wish(bench.engine).marks);
        advance(SECONDS(2));
        cr_assert(ask(asked.asked_ms).is_waiting);
        walk(ROW_RUN, 0, true);
        cr_assert_not(prune_wish(bench.engine).marks);
        asked = ask(asked.asked_ms);
        cr_assert_not(asked.is_waiting);
        cr_assert_eq(asked.pruned.runs.count, i + 1);
        cr_assert(is_there(ROW_RUN, run));
        (void)run_ended("t");
    }
    asked = ask(bench.now_ms + DAYS(9));
    cr_assert_eq(asked.asked_ms, bench.now_ms, "by a clock that was set back since");
}

Test(prune, a_catalog_that_keeps_things_for_other_times_is_a_change)
{
    struct catalog_retention task = { SLICE("u"), { { DAYS(3) } } };

    keep_for(DAYS(1), 0, 0);
    uint32_t before = prune_wish(bench.engine).retention_changes;
    bench_catalog();
    cr_assert_eq(prune_wish(bench.engine).retention_changes, before);
    bench.task_retentions = &task;
    bench.retention_count = 1;
    bench.queue_retentions = &task;
    bench_catalog();
    cr_assert_eq(prune_wish(bench.engine).retention_changes, before + 1);
    keep_for(DAYS(2), 0, 0);
    cr_assert_eq(prune_wish(bench.engine).retention_changes, before + 2);
}

Test(prune, a_clock_that_was_set_back)
{
    int64_t run = run_ended("t");

    keep_for(DAYS(1), 0, 0);
    advance(DAYS(2));
    walk(ROW_RUN, 0, false);
    advance(-MINUTES(1));
    cr_assert_eq(walk(ROW_RUN, 0, false).pruned.runs.count, 0);
    cr_assert(is_there(ROW_RUN, run));
    prune_all();
    cr_assert_not(is_there(ROW_RUN, run));
}

Test(prune, a_store_that_fails_loses_nothing)
{
    int64_t run = run_ended("t");

    keep_for(DAYS(1), 0, 0);
    walk(ROW_RUN, 0, false);
    advance(DAYS(2));
    for (int call = 1; call < 6; call++) {
        struct command *command = add(COMMAND_PRUNE);
        command->prune = (struct prune){ .kind = ROW_RUN, .looks = 100, .most = 100 };
        store_memory_fail(bench.store, call);
        if (commit())
            break;
        cr_assert(is_there(ROW_RUN, run));
    }
    store_memory_fail(bench.store, 0);
    prune_all();
    cr_assert_not(is_there(ROW_RUN, run));
}
