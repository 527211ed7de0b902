#include "base/clock.h"
#include "engine/timeline.h"
#include "model.h"
#include "twin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct totals {
    uint64_t steps, batches, crashes, failures, runs, pruned;
};

/* Where its live runs are, and how each came there, for who looks into a failure. */
static void run_print(const struct run *run)
{
    struct arena arena = { 0 };
    struct move *moves;
    uint32_t count = timeline_read(&arena, run, &moves);

    printf("run %" PRId64 " of task %.*s: status %u, seq %u, ending %u, queue %" PRId64
           ", lane %" PRId64 ", home %u; started %" PRId64 ", due %" PRId64 ", moved %" PRId64
           ", rank %" PRId64 "\n",
           run->id, SLICE_ARG(run->task), run->status, run->seq, run->ending, run->queue,
           run->lane, run->home, run->started_ms, run->due_ms, run->updated_ms, run->rank_ms);
    for (uint32_t i = 0; i < count; i++)
        printf("  %" PRId64 " status %u %.*s\n", moves[i].at_ms, moves[i].status,
               SLICE_ARG(moves[i].text));
    arena_finish(&arena);
}

static void runs_print(const struct world *world)
{
    for (uint32_t i = 0; i < store_memory_count(world->memory, ROW_RUN); i++)
        if (store_memory_run(world->memory, i)->status != RUN_DONE)
            run_print(store_memory_run(world->memory, i));
}

static bool seed_run(uint64_t seed, uint64_t steps, bool is_sqlite, uint64_t nodes,
                     bool verbose, struct totals *totals)
{
    struct world *world = malloc(sizeof *world);

    if (world == NULL)
        abort();
    world_open(world, seed, is_sqlite, nodes == 0 ? 1 + (uint32_t)(seed % 4) : (uint32_t)nodes,
               verbose);
    for (; world->steps < steps && world->flaw[0] == '\0'; world->steps++)
        act_step(world);
    if (world->flaw[0] == '\0')
        act_drain(world);
    if (world->flaw[0] == '\0')
        check_finished(world);
    if (world->flaw[0] == '\0' && host_is_alone(world))
        model_finished(world);
    if (world->flaw[0] == '\0' && is_sqlite)
        twin_check(world->store);
    bool ok = world->flaw[0] == '\0';
    if (!ok)
        printf("seed %" PRIu64 " failed at step %" PRIu64 ": %s\n", seed, world->steps,
               world->flaw);
    if (!ok && verbose)
        runs_print(world);
    if (verbose)
        printf("seed %" PRIu64 ": %u runs, %" PRIu64 " batches, %" PRIu64 " crashes\n", seed,
               store_memory_count(world->memory, ROW_RUN), world->batches, world->crashes);
    totals->steps += world->steps;
    totals->batches += world->batches;
    totals->crashes += world->crashes;
    totals->failures += world->failures;
    totals->pruned += world->pruned;
    totals->runs += store_memory_count(world->memory, ROW_RUN);
    world_close(world);
    free(world);
    return ok;
}

static int usage(void)
{
    fprintf(
        stderr,
        "usage: simulation [--store memory|sqlite] [--nodes N] [--seeds N] [--first SEED]\n"
        "                  [--steps N] [--verbose]\n"
        "  --store KIND  sqlite: real files in /dev/shm, compared with memory; default memory\n"
        "  --nodes N     1 to 4 over one memory store; 0: drawn from the seed; default 1\n"
        "  --seeds N     how many worlds to play, default 100\n"
        "  --first SEED  the first seed, default 1; --seeds 1 replays one world\n"
        "  --steps N     steps in each, default 1000\n");
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t seeds = 100, first = 1, steps = 1000, nodes = 1, passed = 0, failed = 0;
    struct totals totals = { 0 };
    bool verbose = false, is_sqlite = false;

    for (int i = 1; i < argc; i++) {
        uint64_t *number = strcmp(argv[i], "--seeds") == 0   ? &seeds
                           : strcmp(argv[i], "--first") == 0 ? &first
                           : strcmp(argv[i], "--steps") == 0 ? &steps
                           : strcmp(argv[i], "--nodes") == 0 ? &nodes
                                                             : NULL;
        if (number != NULL && i + 1 < argc)
            *number = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc &&
                 (strcmp(argv[i + 1], "sqlite") == 0 || strcmp(argv[i + 1], "memory") == 0))
            is_sqlite = strcmp(argv[++i], "sqlite") == 0;
        else if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else
            return usage();
    }
    if (nodes > 4 || (is_sqlite && nodes != 1))
        return usage();
    uint64_t start_ns = clock_monotonic_ns();
    for (uint64_t seed = first; seed < first + seeds && failed < 5; seed++)
        if (seed_run(seed, steps, is_sqlite, nodes, verbose, &totals))
            passed++;
        else
            failed++;
    double seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
    printf("%" PRIu64 " steps, %" PRIu64 " batches, %" PRIu64 " runs, %" PRIu64
           " crashes, %" PRIu64 " store failures, %" PRIu64
           " removed; %.1f seeds/s, %.0f steps/s\n",
           totals.steps, totals.batches, totals.runs, totals.crashes, totals.failures,
           totals.pruned, (double)(passed + failed) / seconds, (double)totals.steps / seconds);
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
