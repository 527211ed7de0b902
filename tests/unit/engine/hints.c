/* Hints: what the engine remembers changes with the commit. Wherever the store fails, the next
 * batch, even one of nothing, does what is left to be done. */
#include "bench.h"

#include <stdio.h>

TestSuite(hints);

enum { QUEUES = 70 }; /* more than one batch looks at */

static int64_t runs[QUEUES];

/* One run in each queue, and no slot for any. */
static void runs_queue(void)
{
    bench.slots = 0;
    bench_catalog();
    struct trigger *options[QUEUES];
    for (int i = 0; i < QUEUES; i++) {
        char *name = arena_alloc(bench_arena(), 16);
        options[i] = &add_trigger("t")->trigger;
        options[i]->queue = (struct slice){ name, (size_t)snprintf(name, 16, "q%d", i) };
    }
    cr_assert(commit());
    for (int i = 0; i < QUEUES; i++)
        runs[i] = options[i]->run_id;
}

/* False: nothing failed, there are fewer calls. */
static bool slots_come_and_a_call_fails(int call)
{
    bench_open();
    runs_queue();

    bench.slots = 2 * QUEUES;
    store_memory_fail(bench.store, call);
    struct command *command = add(COMMAND_CATALOG);
    bool failed = !bench_catalog_commit(command);
    store_memory_fail(bench.store, 0);
    advance(0);
    for (int i = 0; i < QUEUES; i++)
        cr_assert_eq(run_of(runs[i])->status, RUN_RUNNING, "call %d failed: run %d stays %u",
                     call, i, run_of(runs[i])->status);
    bench_close();
    return failed;
}

Test(hints, no_queue_waits_for_another_command_after_a_failed_batch)
{
    int call = 1;

    while (slots_come_and_a_call_fails(call))
        call++;
    cr_assert_gt(call, 10, "two batches have more calls than %d", call);
}

/* A limit that was full opens in a batch that fails: it is open in the next. */
Test(hints, the_place_of_an_end_that_failed_is_given_when_it_is_said_again)
{
    for (int call = 1; call < 8; call++) {
        bench_open();
        bench.queue_limit = 1;
        bench_catalog();
        int64_t first = start("t"), second = trigger("t");
        struct command *end = add_end(first, VERDICT_DONE);

        store_memory_fail(bench.store, call);
        (void)commit();
        store_memory_fail(bench.store, 0);
        bool failed = end->err.code != ERR_OK;
        advance(0);
        if (failed) {
            cr_assert_eq(run_of(first)->status, RUN_RUNNING);
            cr_assert_eq(run_of(second)->status, RUN_QUEUED);
            end_done(first);
        }
        cr_assert_eq(run_of(second)->status, RUN_RUNNING, "call %d failed", call);
        bench_close();
    }
}
