/*
 * The pump for the thread sanitizer: triggers, ends, timers and catalogs from the loop thread,
 * the store thread at work, statistics read by a third, and, with "failing", a fourth that lets
 * the store fail now and then. Every command is answered; what was acknowledged is done once.
 */
#include "pump_bench.h"
#include "pump_faulty.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 2000, UNDER_WAY = 30 };

static atomic_bool is_over;
static uint32_t asked, acknowledged;

static void *look(void *context)
{
    struct pump_stats stats = { 0 };
    uint64_t batches = 0;

    (void)context;
    while (!atomic_load(&is_over)) {
        pump_stats(bench.pump, &stats);
        EXPECT(stats.batches >= batches);
        batches = stats.batches;
        sched_yield();
    }
    return NULL;
}

/* A batch fails every few; each outage is over by itself. */
static void *spoil(void *context)
{
    struct pump_stats stats = { 0 };
    uint64_t last = 0;

    (void)context;
    while (!atomic_load(&is_over)) {
        pump_stats(bench.pump, &stats);
        if (stats.batches >= last + 5) {
            faulty_begin(2);
            last = stats.batches;
        }
        sched_yield();
    }
    faulty_begin(0);
    return NULL;
}

static bool has_room(void)
{
    return bench.submitted - bench.replied < UNDER_WAY;
}

static bool is_settled(void)
{
    return bench.replied == bench.submitted;
}

/* With a store that fails, ends may have been refused and are lost here: a real host repeats
 * them. */
static bool all_ended(void)
{
    return bench.ended >= acknowledged;
}

int main(int count, char **arguments)
{
    bool fails = count == 3 && strcmp(arguments[2], "failing") == 0;
    pthread_t looker, spoiler;
    struct err err = { 0 };

    EXPECT(count >= 2);
    pump_bench_open(strcmp(arguments[1], "sqlite") == 0 ? PUMP_SQLITE : PUMP_MEMORY, 10000,
                    200);
    pump_bench_start();
    pump_bench_offer("t");
    bench.ends_at_once = !fails;
    EXPECT(pthread_create(&looker, NULL, look, NULL) == 0);
    if (fails)
        EXPECT(pthread_create(&spoiler, NULL, spoil, NULL) == 0);

    for (asked = 0; asked < RUNS; asked++) {
        struct operation *operation = operation_trigger("t");
        EXPECT(pump_bench_submit(operation, &err));
        pump_bench_until(has_room);
        if (asked % 500 == 250)
            pump_bench_offer("t");
    }
    pump_bench_until(is_settled);
    EXPECT(bench.in_order);
    acknowledged = RUNS - bench.refused;
    if (!fails) {
        EXPECT(bench.refused == 0);
        acknowledged = RUNS;
        pump_bench_until(all_ended);
        pump_bench_until(is_settled);
        EXPECT(bench.ended == RUNS && bench.assigned == RUNS);
    }

    atomic_store(&is_over, true);
    pthread_join(looker, NULL);
    if (fails)
        pthread_join(spoiler, NULL);
    printf("1..1\nok - tsan::pump_%s%s\n# %u replies, %u refused, %u assigned\n", arguments[1],
           fails ? "_failing" : "", bench.replied, bench.refused, bench.assigned);
    if (fails)
        EXPECT(bench.refused > 0 && bench.refused < RUNS);
    pump_bench_close();
    return 0;
}
