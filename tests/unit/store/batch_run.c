/* One batch: what the store is asked, and when it is asked nothing. */
#include "store/batch_run.h"

#include "store/memory/memory_store.h"

#include <criterion/criterion.h>

#define NOW INT64_C(1800000000000)

static struct store *store;
static struct engine *engine;
static struct id_source ids;
static struct catalog *catalog;
static const uint32_t environments[] = { 1 };

/* Calls of the store, by kind. */
static const struct store_ops *real_ops;
static struct store_ops counting_ops;
static int begins, loads, flushes, touches, commits, rollbacks;

static bool count_begin(struct store *in, struct err *err)
{
    begins++;
    return real_ops->begin(in, err);
}

static bool count_load(struct store *in, struct rows *rows, struct err *err)
{
    loads++;
    return real_ops->load(in, rows, err);
}

static bool count_flush(struct store *in, struct rows *rows, struct err *err)
{
    flushes++;
    return real_ops->flush(in, rows, err);
}

static bool count_touch(struct store *in, struct err *err)
{
    touches++;
    return real_ops->touch(in, err);
}

static bool count_commit(struct store *in, struct err *err)
{
    commits++;
    return real_ops->commit(in, err);
}

static void count_rollback(struct store *in)
{
    rollbacks++;
    real_ops->rollback(in);
}

static bool run_batch(struct command **commands, uint32_t count, int64_t now_ms,
                      bool must_write, bool *again)
{
    struct arena arena = { 0 };
    struct outcome outcome;
    struct err err = { 0 };
    uint64_t commit_ns = 0;
    struct store_batch batch = { .store = store,
                                 .engine = engine,
                                 .arena = &arena,
                                 .now = { now_ms, now_ms },
                                 .look_for_due = true,
                                 .must_write = must_write,
                                 .commands = commands,
                                 .count = count };

    begins = loads = flushes = touches = commits = rollbacks = 0;
    bool ok = store_batch_run(&batch, &outcome, &commit_ns, &err);
    for (struct assignment *a = outcome.assignments; a != NULL; a = a->next)
        buffer_finish(&a->bytes);
    if (again != NULL)
        *again = outcome.again;
    arena_finish(&arena);
    return ok;
}

static void begin(void)
{
    struct command command = { .kind = COMMAND_CATALOG };
    struct command *commands[] = { &command };

    id_source_init(&ids, 1);
    engine = engine_create(&ids);
    store = store_memory_create();
    real_ops = store->ops;
    counting_ops = *real_ops;
    counting_ops.begin = count_begin;
    counting_ops.load = count_load;
    counting_ops.flush = count_flush;
    counting_ops.touch = count_touch;
    counting_ops.commit = count_commit;
    counting_ops.rollback = count_rollback;
    store->ops = &counting_ops;
    catalog = catalog_create();
    catalog->tasks = ARENA_NEW(&catalog->arena, struct catalog_task);
    *catalog->tasks = (struct catalog_task){ .id = SLICE("t"), .available = true };
    catalog->task_count = 1;
    catalog->queue_limit = catalog->slots = 10;
    catalog->limits.queues = 100;
    catalog->limits.token_bytes = 100;
    catalog->environments = environments;
    catalog->environment_count = 1;
    catalog_sort(catalog);
    command.catalog.next = catalog;
    cr_assert(run_batch(commands, 1, NOW, false, NULL));
}

static void finish(void)
{
    engine_destroy(engine);
    catalog_destroy(catalog);
    store->ops->close(store);
}

TestSuite(batch, .init = begin, .fini = finish);

static int64_t token_make(int64_t due_ms)
{
    struct command command = { .kind = COMMAND_TOKEN_CREATE,
                               .token_create = { .environment = 1, .due_ms = due_ms } };
    struct command *commands[] = { &command };

    cr_assert(run_batch(commands, 1, NOW, false, NULL));
    return command.token_create.token_id;
}

Test(batch, a_change_is_flushed_and_committed_once)
{
    token_make(0);

    cr_assert(begins == 1 && flushes == 1 && commits == 1 && rollbacks == 0);
}

Test(batch, a_batch_that_only_looked_commits_nothing)
{
    struct command command = { .kind = COMMAND_CANCEL,
                               .cancel = { .environment = 1, .id = 5 } };
    struct command *commands[] = { &command };

    cr_assert(run_batch(commands, 1, NOW, false, NULL));

    cr_assert_eq(command.err.code, ERR_NOT_FOUND);
    cr_assert(begins == 1 && flushes == 0 && commits == 0 && rollbacks == 1);
}

Test(batch, a_batch_that_must_write_writes_although_nothing_changed)
{
    cr_assert(run_batch(NULL, 0, NOW, true, NULL));

    cr_assert(flushes == 0 && touches == 1 && commits == 1 && rollbacks == 0);
}

/* The rows of many commands come in a few rounds, not in one a command. */
Test(batch, many_commands_are_loaded_together)
{
    static struct command made[200], completed[200];
    struct command *commands[200];
    for (int i = 0; i < 200; i++) {
        made[i] = (struct command){ .kind = COMMAND_TOKEN_CREATE,
                                    .token_create = { .environment = 1 } };
        commands[i] = &made[i];
    }
    cr_assert(run_batch(commands, 200, NOW, false, NULL));
    for (int i = 0; i < 200; i++) {
        completed[i] =
            (struct command){ .kind = COMMAND_TOKEN_COMPLETE,
                              .token_complete = { .id = made[i].token_create.token_id,
                                                  .data = SLICE("\x01") } };
        commands[i] = &completed[i];
    }

    cr_assert(run_batch(commands, 200, NOW, false, NULL));

    for (int i = 0; i < 200; i++)
        cr_assert(completed[i].token_complete.won);
    cr_assert_leq(loads, 4, "%d rounds", loads);
}

Test(batch, more_that_is_due_than_fits_is_done_in_the_next_batches)
{
    for (int i = 0; i < 2500; i++)
        token_make(NOW + 1 + i % 7);
    uint32_t pending = 2500;

    for (int round = 0; round < 3; round++) {
        cr_assert(run_batch(NULL, 0, NOW + 1000, false, NULL));
        pending = 0;
        for (uint32_t i = 0; i < store_memory_count(store, ROW_WAITPOINT); i++)
            pending += store_memory_waitpoint(store, i)->status == WAITPOINT_PENDING;
        cr_assert_eq(pending, round == 0 ? 1500 : round == 1 ? 500 : 0);
    }
}

Test(batch, a_store_that_does_not_even_begin_answers_every_command)
{
    struct command made[3];
    struct command *commands[3];
    for (int i = 0; i < 3; i++) {
        made[i] = (struct command){ .kind = COMMAND_TOKEN_CREATE,
                                    .token_create = { .environment = 1 } };
        commands[i] = &made[i];
    }
    store_memory_fail(store, 1);

    cr_assert_not(run_batch(commands, 3, NOW, false, NULL));

    for (int i = 0; i < 3; i++)
        cr_assert_eq(made[i].err.code, ERR_STORE);
    cr_assert(flushes == 0 && commits == 0 && rollbacks == 0);
}

Test(batch, a_failure_on_the_way_is_rolled_back)
{
    struct command command = { .kind = COMMAND_TOKEN_CREATE,
                               .token_create = { .environment = 1, .key = SLICE("k") } };
    struct command *commands[] = { &command };
    store_memory_fail(store, 3);

    cr_assert_not(run_batch(commands, 1, NOW, false, NULL));

    cr_assert_eq(rollbacks, 1);
    cr_assert_eq(commits, 0);
    cr_assert_eq(store_memory_count(store, ROW_WAITPOINT), 0);
}
