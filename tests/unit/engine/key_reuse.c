/* Idempotency keys: with which outcomes they keep their run, and how they are freed by hand. */
#include "bench.h"
#include "engine/batch.h"

TestSuite(key_reuse, .init = bench_open, .fini = bench_close);

static int64_t run_keyed(const char *task, const char *key)
{
    struct command *command = add_trigger(task);

    command->trigger.key = slice_of(key);
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->trigger.run_id;
}

static int64_t child_keyed(int64_t run, uint32_t call, const char *key)
{
    struct command *command = add_child(run, call, "u");

    command->trigger.key = slice_of(key);
    cr_assert(commit());
    cr_assert_eq(command->err.code, ERR_OK, "%s", command->err.text);
    return command->trigger.run_id;
}

/* ---- which outcomes keep it ---------------------------------------------------------------
 */

static const struct ending {
    const char *name;
    uint32_t bit;
} endings[] = { { "completed", REUSE_SUCCESS },
                { "canceled", REUSE_CANCELED },
                { "failed", REUSE_FAILED },
                { "crashed", REUSE_FAILED },
                { "expired", REUSE_EXPIRED } };

static int64_t keyed_ended(const struct ending *ending, uint32_t reuse)
{
    struct command *command = add_trigger("t");
    command->trigger.key = slice_of(ending->name);
    command->trigger.reuse = reuse;
    command->trigger.max_attempts = 1;
    command->trigger.ttl_ms = ending->bit == REUSE_EXPIRED ? -1 : 0;
    commit();
    int64_t run = command->trigger.run_id;

    if (ending->bit == REUSE_SUCCESS)
        end_done(run);
    else if (ending->bit == REUSE_CANCELED)
        cancel(run);
    else if (strcmp(ending->name, "crashed") == 0)
        lose(run, LOSS_CRASHED);
    else if (ending->bit == REUSE_FAILED)
        end_fail(run, false);
    cr_assert_eq(run_of(run)->status, RUN_DONE, "%s", ending->name);
    return run;
}

static void reuse_table(uint32_t reuse, uint32_t keeps)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        int64_t run = keyed_ended(&endings[i], reuse);
        bool is_kept = run_keyed("t", endings[i].name) == run;
        cr_expect_eq(is_kept, (keeps & endings[i].bit) != 0, "%s with %u", endings[i].name,
                     reuse);
        /* The next has the standard, and is not part of the table. */
        struct command *reset = add(COMMAND_KEY_RESET);
        reset->key_reset = (struct key_reset){ .environment = DEV,
                                               .task = SLICE("t"),
                                               .key = slice_of(endings[i].name) };
        commit();
    }
}

Test(key_reuse, a_trigger_says_with_which_outcomes_its_key_keeps_the_run)
{
    for (uint32_t reuse = 0; reuse < REUSE_SAID; reuse++)
        reuse_table(REUSE_SAID | reuse, reuse);
}

Test(key_reuse, a_queue_says_it_for_triggers_that_do_not)
{
    bench.queues[0] =
        (struct catalog_queue){ SLICE("task/t"),
                                { .concurrency = 100, .reuse = REUSE_SAID | REUSE_FAILED } };
    bench.queue_count = 1;
    bench_catalog();

    reuse_table(0, REUSE_FAILED);
    reuse_table(REUSE_SAID | REUSE_EXPIRED, REUSE_EXPIRED);
}

/* What is asked of a run counts when it ends, whatever has come by its key since. */
Test(key_reuse, what_the_first_trigger_said_counts)
{
    struct command *first = add_trigger("t"), *second = add_trigger("t");
    first->trigger.key = second->trigger.key = SLICE("k");
    first->trigger.reuse = REUSE_SAID | REUSE_FAILED;
    second->trigger.reuse = REUSE_SAID;
    commit();
    int64_t run = first->trigger.run_id;
    end_fail(run, false);

    cr_assert_eq(run_keyed("t", "k"), run);
}

/* ---- reset --------------------------------------------------------------------------------
 */

static struct command *reset_key(const char *task, const char *key, int64_t owner)
{
    struct command *command = add(COMMAND_KEY_RESET);
    command->key_reset = (struct key_reset){
        .environment = DEV, .task = slice_of(task), .key = slice_of(key), .owner = owner
    };
    cr_assert(commit());
    return command;
}

Test(key_reuse, a_key_that_is_reset_stands_for_nothing)
{
    int64_t run = run_keyed("t", "k");

    struct command *reset = reset_key("t", "k", 0);

    cr_assert_eq(reset->err.code, ERR_OK, "%s", reset->err.text);
    cr_assert_eq(reset->key_reset.run_id, run);
    cr_assert_eq(run_of(run)->key.size, 0);
    cr_assert_str_eq(last_move(run), "its idempotency key was reset");
    int64_t next = run_keyed("t", "k");
    cr_assert_neq(next, run);
    end_fail(run, false);
    cr_assert_eq(run_keyed("t", "k"), next, "the old one has no key to give back");
}

Test(key_reuse, only_a_key_that_stands_for_something_is_reset)
{
    int64_t run = run_keyed("t", "k");

    cr_assert_eq(reset_key("u", "k", 0)->err.code, ERR_NOT_FOUND);
    cr_assert_eq(reset_key("t", "l", 0)->err.code, ERR_NOT_FOUND);
    cr_assert_eq(reset_key("t", "k", run)->err.code, ERR_NOT_FOUND);
    cr_assert_eq(reset_key("t", "k", 0)->err.code, ERR_OK);
    cr_assert_eq(reset_key("t", "k", 0)->err.code, ERR_NOT_FOUND, "once is enough");
    (void)run_keyed("t", "k");
    bench.now_ms += DAYS(30);
    cr_assert_eq(reset_key("t", "k", 0)->err.code, ERR_NOT_FOUND, "its time is over");
}

Test(key_reuse, a_segments_own_key_is_reset_by_its_runs_name)
{
    int64_t run = start("t"), child = child_keyed(run, 1, "mail");

    cr_assert_eq(reset_key("u", "mail", 0)->err.code, ERR_NOT_FOUND);
    cr_assert_eq(reset_key("u", "mail", run)->err.code, ERR_OK);
    cr_assert_neq(child_keyed(run, 2, "mail"), child);
}

Test(key_reuse, a_segment_that_runs_again_finds_the_child_whose_key_was_reset)
{
    int64_t run = start("t"), child = child_keyed(run, 1, "mail");
    cr_assert_eq(reset_key("u", "mail", run)->err.code, ERR_OK);

    lose(run, LOSS_CRASHED);

    cr_assert_eq(child_keyed(run, 1, "mail"), child);
}

/* `retry: from start` begins anew with new ids, and the key finds what the first attempt made.
 */
Test(key_reuse, a_run_that_begins_anew_finds_what_its_keys_stand_for)
{
    bench.tasks[0].retry_from = RETRY_FROM_START;
    bench_catalog();
    int64_t run = start("t"), keyed = child_keyed(run, 1, "mail");
    int64_t plain = make_child(run, 2, "u");
    end_fail(run, true);
    cr_assert_eq(run_of(run)->attempt, 2);

    cr_assert_eq(child_keyed(run, 1, "mail"), keyed);
    cr_assert_neq(make_child(run, 2, "u"), plain);
    end_fail(keyed, false);
    cr_assert_neq(child_keyed(run, 3, "mail"), keyed, "it failed: it may be tried again");
}
