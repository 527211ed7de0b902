/* Lanes that are out of their rate: of very many some are remembered, and none is forgotten. */
#include "bench.h"
#include "engine/admission/hints.h"

#include <stdio.h>

TestSuite(early, .init = bench_open, .fini = bench_close);

Test(early, some_are_remembered_and_all_start)
{
    enum { KEYS = 60, EACH = 3, REMEMBERED = 4 };

    bench.early_lanes = REMEMBERED;
    bench.slots = KEYS * EACH + 1;
    bench.queues[0] =
        (struct catalog_queue){ SLICE("q"),
                                { .concurrency = 1000, .key_rate = { 1, 1, 10000 } } };
    bench.queue_count = 1;
    bench_catalog();
    int64_t start_ms = bench.now_ms;
    for (int i = 0; i < KEYS; i++) {
        char *key = arena_alloc(bench_arena(), 16);
        (void)snprintf(key, 16, "k%d", i);
        for (int k = 0; k < EACH; k++)
            (void)add_keyed("q", key);
        cr_assert(commit());
        sleep_until(start_ms + 10 * (i + 1));
        cr_assert_leq(bench.engine->rings.early_count, REMEMBERED);
        cr_assert_leq(bench.engine->rings.lanes.count, REMEMBERED + 1);
    }
    cr_assert_eq(bench.starts, KEYS, "%u", bench.starts);
    sleep_until(start_ms + 9999);
    cr_assert_eq(bench.starts, KEYS, "%u", bench.starts);
    sleep_until(start_ms + 10295);
    cr_assert_eq(bench.starts, KEYS + 30, "each at its time: %u", bench.starts);
    (void)add_keyed("q", "k59");
    cr_assert(commit());
    cr_assert_eq(bench.starts, KEYS + 30, "what is forgotten is not passed");
    sleep_until(start_ms + 10600);
    cr_assert_eq(bench.starts, KEYS * 2, "%u", bench.starts);
    bench_restart(true);
    sleep_until(start_ms + 90000);
    cr_assert_eq(bench.wake_ms, 0, "nothing waits, nobody wakes");
    for (uint32_t i = 0; i < store_memory_count(bench.store, ROW_RUN); i++)
        cr_assert_eq(store_memory_run(bench.store, i)->status, RUN_RUNNING);
}
